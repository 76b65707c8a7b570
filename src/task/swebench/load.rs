//! From an instance's folder to a task.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::file::{FILE, HistoryName, InstanceFile, NetworkName, RepoPlace, SCHEMA, StrictRunner};
use crate::diagnose::{Problem, SourceText};
use crate::record::{Digest, Sees, Strategy, TaskId};
use crate::swebench::names::is_artefact;
use crate::task::folder::{read_error, read_text};
use crate::task::{
    AgentRules, Environment, Format, Hidden, History, ImageSource, InstanceImage, Network,
    Official, Repo, RepoSource, Runner, Scenario, Task, TaskError, ToolRules, Verification,
};

/// Most bytes of the file, and of a problem statement.
const MOST: u64 = 64 << 20;

/// Loads the instance in a folder; its digest is not taken yet.
///
/// # Errors
/// A folder that [`super::lay_out`] of this version did not make.
pub fn load(path: &Path) -> Result<Task, TaskError> {
    let dir = fs::canonicalize(path).map_err(|source| read_error(path, source))?;
    let shown = path.join(FILE);
    let text = SourceText::new(
        shown.display().to_string(),
        read_text(&dir.join(FILE), MOST)?,
    );
    let invalid = |message: String| TaskError::Invalid {
        problems: vec![Problem::new(format!("{}: {message}", shown.display()))],
    };
    let file: InstanceFile =
        serde_json::from_str(&text.text).map_err(|error| invalid(error.to_string()))?;
    if file.schema != SCHEMA {
        return Err(invalid(format!(
            "its schema is `{}`, not `{SCHEMA}`",
            file.schema
        )));
    }
    let instruction = read_text(&dir.join("instruction.md"), MOST)?;
    let solution = dir.join("solution");
    Ok(Task {
        id: TaskId::new(&file.instance_id),
        source: file.instance_id.clone(),
        digest: Digest::new(""),
        instruction,
        description: String::new(),
        environment: environment(&file, &dir),
        agent: AgentRules {
            timeout: None,
            user: Some("root".to_owned()),
        },
        repo: Some(Repo {
            source: RepoSource::Image,
            commit: file.base_commit.clone(),
            workdir: Some(file.workdir.clone()),
            history: match file.history {
                HistoryName::Ancestors => History::Ancestors,
                HistoryName::None => History::None,
            },
        }),
        verification: verification(&file, &dir),
        tools: ToolRules::default(),
        scenario: Scenario {
            name: None,
            cluster: Some(file.repo.clone()),
            difficulty: file.difficulty.clone(),
            tags: Vec::new(),
        },
        format: Format::SweBench,
        steps: Vec::new(),
        reward_strategy: Strategy::Mean,
        artifacts: Vec::new(),
        solution: solution.is_dir().then_some(solution),
        solution_env: Default::default(),
        official: Some(Official {
            script: dir.join("tests/eval.sh"),
            workdir: file.workdir.clone(),
            timeout: Duration::from_secs_f64(file.timeout_sec),
            instance_id: file.instance_id,
            repo: file.repo,
            version: file.version,
            log_parser: Some(file.log_parser),
            eval_type: file.eval_type,
            fail_to_pass: file.fail_to_pass,
            pass_to_pass: file.pass_to_pass,
        }),
        warnings: file.warnings,
        dir,
    })
}

fn environment(file: &InstanceFile, dir: &Path) -> Environment {
    let built = file.built.clone().map(|built| crate::task::InstanceBuild {
        environment: built.environment,
        instance: built.instance,
        repo: match built.repo {
            RepoPlace::Url(url) => RepoSource::Url(url),
            RepoPlace::Repository(path) => RepoSource::Url(format!("file://{path}")),
            RepoPlace::Bundle(path) => RepoSource::Bundle(path.into()),
        },
        commit: file.base_commit.clone(),
    });
    Environment {
        image: ImageSource::Instance(Box::new(InstanceImage {
            names: file.images.clone(),
            built,
            bug: file.reversed.then(|| dir.join("solution/fix.patch")),
            workdir: file.workdir.clone(),
        })),
        build_timeout: Duration::from_secs(3600),
        cpus: file.cpus,
        memory_bytes: file.memory_bytes,
        storage_bytes: None,
        env: file.env.clone(),
        workdir: None,
        // The rows say nothing of it, and the fix is published.
        network: Network::None,
        network_is_said: false,
        services: None,
        health: None,
        upload: None,
        skills: None,
        mcp_servers: Vec::new(),
    }
}

fn verification(file: &InstanceFile, dir: &Path) -> Verification {
    let tests = |ids: &[String]| -> Vec<String> {
        let real = ids.iter().filter(|id| !is_artefact(&file.log_parser, id));
        real.cloned().collect()
    };
    let strict = file.strict.clone();
    Verification {
        sees: Sees::Patch,
        carry: Vec::new(),
        include_ignored: false,
        may_change: Vec::new(),
        hold: true,
        fixed: true,
        services: Vec::new(),
        answers: vec![format!("github.com/{}", file.repo)],
        runner: match strict.as_ref().map(|strict| strict.runner) {
            Some(StrictRunner::Pytest) => Runner::Pytest,
            Some(StrictRunner::UnittestScript) => Runner::UnittestScript,
            Some(StrictRunner::Functions) => Runner::Functions,
            Some(StrictRunner::Log) | None => Runner::Log,
        },
        enter: strict.as_ref().map(|strict| strict.enter.clone()),
        build: strict.as_ref().and_then(|strict| strict.build.clone()),
        targets: strict
            .as_ref()
            .map(|strict| strict.targets.clone())
            .unwrap_or_default(),
        command: strict.map(|strict| strict.command),
        names: Some(file.log_parser.clone()),
        hidden: Hidden::Patch(dir.join("tests/test.patch")),
        altered: None,
        fail_to_pass: tests(&file.fail_to_pass),
        pass_to_pass: tests(&file.pass_to_pass),
        resolved_at: 1.0,
        user: Some("root".to_owned()),
        network: match file.network {
            NetworkName::None => Network::None,
            NetworkName::Full => Network::Full,
        },
        timeout: Duration::from_secs_f64(file.timeout_sec),
        env: Default::default(),
        separate: None,
        collect: Vec::new(),
        same_shell: false,
    }
}
