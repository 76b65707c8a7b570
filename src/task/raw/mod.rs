//! `task.toml` as it is written: every table and key, nothing checked but types.
//!
//! Field documentation here is what `proofyard schema task` prints. What a key
//! means for a task, and which values are right, is `super::validate`'s.

mod harbor;
mod lenient;
mod ours;
mod values;

pub use harbor::*;
pub use lenient::*;
pub use ours::*;
pub use values::*;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// `task.toml`: Harbor's tables, and ours (`repo`, `verification`, `tools`, `scenario`).
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct TaskToml {
    /// Version of Harbor's format, `1.x`.
    pub schema_version: Option<String>,
    /// Older name of `schema_version`.
    pub version: Option<String>,
    /// Where the task comes from, for people.
    pub source: Option<String>,
    /// What is kept of a trial, beside `/logs/artifacts`.
    pub artifacts: Option<Vec<ArtifactValue>>,
    /// How the rewards of steps become one, default `mean`.
    pub multi_step_reward_strategy: Option<StrategyName>,
    /// Free: `difficulty`, `category`, `tags`, …
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub metadata: Option<BTreeMap<String, toml::Value>>,
    pub task: Option<TaskTable>,
    pub agent: Option<AgentTable>,
    pub verifier: Option<VerifierTable>,
    pub solution: Option<SolutionTable>,
    pub environment: Option<EnvironmentTable>,
    /// Steps that share a sandbox, in order.
    pub steps: Option<Vec<StepTable>>,
    pub repo: Option<RepoTable>,
    pub verification: Option<VerificationTable>,
    pub tools: Option<ToolsTable>,
    pub scenario: Option<ScenarioTable>,
}

/// The tables that make a task one of ours.
pub const OUR_TABLES: [&str; 4] = ["repo", "verification", "tools", "scenario"];

impl TaskToml {
    /// Whether the file has one of our tables, and does not name another format's
    /// contract in it.
    pub fn ours(&self) -> bool {
        let verification = self.verification.as_ref();
        match verification.and_then(|table| table.contract) {
            Some(ContractName::Harbor) => false,
            None => {
                self.repo.is_some()
                    || verification.is_some()
                    || self.tools.is_some()
                    || self.scenario.is_some()
            }
        }
    }
}
