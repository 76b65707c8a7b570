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
