//! A task for tests of the rooms that use one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::record::{Digest, Sees, Strategy, TaskId};

/// A task without a repo, verified by a script; nothing of it is on disk.
pub(crate) fn task(name: &str) -> Task {
    Task {
        id: TaskId::new(name),
        dir: PathBuf::from("/tasks").join(name),
        source: format!("tasks/{name}"),
        digest: Digest::new(format!("sha256:{}", "ab".repeat(32))),
        instruction: "Do it.".into(),
        description: String::new(),
        environment: Environment {
            image: ImageSource::Named("proofyard/base".into()),
            build_timeout: Duration::from_secs(60),
            cpus: None,
            memory_bytes: None,
            storage_bytes: None,
            env: BTreeMap::new(),
            workdir: None,
            network: Network::None,
            network_is_said: true,
            services: None,
            health: None,
            upload: None,
            skills: None,
            mcp_servers: Vec::new(),
        },
        agent: AgentRules {
            timeout: None,
            user: None,
        },
        repo: None,
        verification: Verification {
            sees: Sees::Files,
            carry: Vec::new(),
            include_ignored: false,
            may_change: Vec::new(),
            hold: true,
            fixed: false,
            services: Vec::new(),
            answers: Vec::new(),
            runner: Runner::Script,
            enter: None,
            targets: Vec::new(),
            names: None,
            build: None,
            command: None,
            hidden: Hidden::Overlay(vec![PathBuf::from("/tasks/tests")]),
            altered: None,
            fail_to_pass: Vec::new(),
            pass_to_pass: Vec::new(),
            resolved_at: 1.0,
            user: None,
            network: Network::None,
            timeout: Duration::from_secs(60),
            env: BTreeMap::new(),
            separate: None,
            collect: Vec::new(),
            same_shell: false,
        },
        tools: ToolRules::default(),
        scenario: Scenario::default(),
        format: Format::Proofyard,
        steps: Vec::new(),
        reward_strategy: Strategy::Mean,
        artifacts: Vec::new(),
        solution: None,
        solution_env: BTreeMap::new(),
        official: None,
        warnings: Vec::new(),
    }
}
