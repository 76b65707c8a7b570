//! What an outcome was decided by: stored, so that it can be decided again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Outcome, Reason};

/// What a trial's outcome was decided by, beside its tests and rewards.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Basis {
    /// The task's `resolved_at`.
    pub resolved_at: f64,
    /// What the verifier judged; null where it was not reached.
    pub judged: Option<JudgedBasis>,
    /// What went wrong beside the verdict.
    pub mishap: Option<MishapRecord>,
    /// What the task asks of calls and was not done.
    pub unmet: Option<Unmet>,
    /// The fault that the reference solution meets as well, where it meets one.
    pub reference: Option<Reason>,
    /// Of a task with several steps how its reward comes from theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<StepsBasis>,
}

/// How the reward of a trial comes from those of its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepsBasis {
    /// How many the task has.
    pub declared: u32,
    pub strategy: Strategy,
}

/// How the rewards of steps become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// For each name the mean over the steps that were verified.
    #[default]
    Mean,
    /// Those of the last step that was verified.
    Final,
}

/// What the verifier judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedBasis {
    pub outcome: Outcome,
    pub reason: Option<Reason>,
    pub message: Option<String>,
}

/// Something that went wrong in a trial beside its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MishapRecord {
    /// `agent`, `model`, or what failed by itself: `engine`, `host`, `task`.
    pub cause: String,
    /// Of the agent's doing.
    pub reason: Option<Reason>,
    pub retryable: bool,
    /// Whether the agent had done anything by then.
    pub acted: bool,
    pub phase: String,
    pub message: String,
}

/// Something that the task asks of calls and that was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unmet {
    pub reason: Reason,
    pub message: String,
}
