//! `trial.json`, schema `proofyard/trial/1`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Basis, Digest, Evidence, Reason, RunId, TaskId, TestState, TrialId, Verdict};

/// The schema that this version writes.
pub const TRIAL_SCHEMA: &str = "proofyard/trial/1";

/// Everything that is known of a finished trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrialRecord {
    /// `proofyard/trial/1`.
    pub schema: String,
    pub run: RunId,
    pub trial: TrialId,
    pub task: TaskRef,
    pub agent: AgentRef,
    /// The model that the agent talked to; null for agents without one.
    pub model: Option<ModelRef>,
    /// From 1.
    pub attempt: u32,
    pub outcome: Outcome,
    /// What the task itself gives; a finite number or null.
    pub reward: Option<f64>,
    /// A reward that is a map of named numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rewards: BTreeMap<String, f64>,
    /// Resolved with no forbidden call, no write out of scope, no flag; null where not resolved.
    pub clean: Option<bool>,
    pub verdict: Verdict,
    /// Of a task with several steps what came of each that was begun, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepRecord>,
    pub trajectory: TrajectorySummary,
    /// Null where nothing was called and the task says nothing of calls.
    pub tool_use: Option<ToolUse>,
    pub usage: Usage,
    /// Micro-dollars; null where unpriced.
    pub cost_microusd: Option<i64>,
    /// What the agent was made of, where it talked to a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<AgentSetup>,
    pub timing_ms: Timing,
    /// Null unless the outcome is `error`.
    pub error: Option<Fault>,
    pub host: HostLoad,
    /// What the trial stood on: image, checkout, reference run, limits.
    pub provenance: Provenance,
    /// What the outcome was decided by beside tests and rewards, so that it can be
    /// decided again. None in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// Only in journal lines: of the `manifest.json` in the trial's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// What a reader should know: clamped limits, keys that were not understood.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub finished_at: String,
}

/// The task of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskRef {
    pub name: TaskId,
    /// The folder that it was read from, as the user named it.
    pub source: String,
    /// Of every file of the task's folder.
    pub digest: Digest,
    pub tags: Vec<String>,
    pub scenario: Option<String>,
    /// What its standard errors are clustered by: the repo, else the task.
    pub cluster: String,
    pub difficulty: Option<String>,
}

/// The agent of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentRef {
    /// `oracle`, `nop`, `script:FILE`, …
    pub name: String,
    pub version: String,
    /// Of the text that decides what it does: a script's file, the loop's prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// The model of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelRef {
    pub id: String,
    pub provider: String,
    /// Of the file that a scripted model plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// How a trial ended. The first three are the denominator of a success rate;
/// `error` is counted beside it, never silently left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Resolved,
    Unresolved,
    Tampered,
    Error,
}

/// What came of one step of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepRecord {
    pub name: String,
    /// What ended the agent's session in it; null where there was none.
    pub end: Option<End>,
    /// Null where the verifier gave no verdict of it.
    pub evidence: Option<Evidence>,
    pub reward: Option<f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rewards: BTreeMap<String, f64>,
    /// Why it alone would not count as resolved.
    pub reason: Option<Reason>,
    /// The reason in a sentence, for people; or why no further step was begun.
    pub message: Option<String>,
}

/// The trajectory in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrajectorySummary {
    pub end: End,
    /// Model turns.
    pub turns: u64,
    pub tool_calls: u64,
    pub tool_errors: u64,
    /// Hex SHA-256 of `trajectory.jsonl`.
    pub sha256: String,
    /// The end of the chain of its events: hex SHA-256 of its last line. None in
    /// records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
}

/// What ended the agent's session; it never decides an outcome.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Submitted,
    Done,
    MaxSteps,
    MaxTokens,
    MaxCost,
    MaxDisk,
    MaxMemory,
    Timeout,
    Loop,
    Stalled,
    Refused,
    ContextOverflow,
    ModelError,
    AgentError,
    Cancelled,
    /// A value of a later version.
    #[serde(other)]
    Other,
}

/// As it is recorded: `max_steps`.
impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// How correctly tools were used. Each term is a share from 0 to 1, null where
/// there was nothing to judge. `submit` is no use of a tool and counts nowhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolUse {
    /// The mean of the terms that apply.
    pub score: f64,
    /// Terms that apply, of all.
    pub coverage: f64,
    /// Calls whose tool and arguments were right in form, of all calls.
    pub validity: Option<f64>,
    /// Calls that succeeded, of those that were performed.
    pub execution: Option<f64>,
    /// Required calls that were made, of those that the task requires.
    pub required: Option<f64>,
    /// Calls that were not forbidden, of all, where the task forbids some.
    pub permitted: Option<f64>,
    /// Reads and writes within their scope, of all, where the task sets one.
    pub scope: Option<f64>,
    /// Errors after which a call of the same tool succeeded, of all errors.
    pub recovery: Option<f64>,
    /// Calls that did not repeat an earlier one with the same result, of all.
    pub non_redundancy: Option<f64>,
    /// Calls, `submit` left out.
    pub calls: u64,
    /// Calls that were not performed: unknown tool, wrong arguments.
    pub invalid: u64,
    /// Calls that were performed and failed.
    pub failed: u64,
    /// Calls that repeated an earlier one with the same result.
    pub repeated: u64,
}

/// What an agent that talks to a model was made of, so that a later run can tell
/// whether it is the same one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentSetup {
    /// Version of the system prompt: `loop/1`, or the user's file.
    pub prompt: String,
    /// Of the system prompt's text.
    pub prompt_digest: Option<Digest>,
    /// Of the definitions of all tools that were offered.
    pub tools_digest: Option<Digest>,
    /// Of the price table that the cost is from; null where unpriced.
    pub prices_digest: Option<Digest>,
    /// What was asked of the endpoint beside the conversation: temperature, seed, …
    #[serde(default)]
    pub parameters: serde_json::Map<String, serde_json::Value>,
}

/// Tokens; the parts add up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Without what the cache gave.
    pub input: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    /// Without reasoning.
    pub output: u64,
    pub reasoning: u64,
}

impl Usage {
    /// All tokens.
    pub fn total(&self) -> u64 {
        self.input + self.cache_read + self.cache_write + self.output + self.reasoning
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        self.input += more.input;
        self.cache_read += more.cache_read;
        self.cache_write += more.cache_write;
        self.output += more.output;
        self.reasoning += more.reasoning;
    }
}

/// Wall time by phase, milliseconds. One phase owns each instant; `total` is
/// the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Timing {
    pub queue: u64,
    pub image: u64,
    pub sandbox: u64,
    pub checkout: u64,
    pub model: u64,
    pub model_wait: u64,
    pub tools: u64,
    pub agent: u64,
    pub capture: u64,
    pub verify: u64,
    pub probes: u64,
    pub teardown: u64,
    pub harness: u64,
    pub total: u64,
}

/// A fault that is not the agent's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// `engine`, `image`, `host`, `task`, `model`, …
    pub class: String,
    /// The phase that it happened in.
    pub phase: String,
    pub message: String,
    pub retryable: bool,
}

/// Of the machine while the trial ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostLoad {
    /// Load average of one minute when the trial ended.
    pub load: f64,
    /// Share of processor time stolen by the hypervisor during the trial, 0 to 1.
    pub steal: f64,
}

/// What a trial stood on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// The engine's id of the image, `sha256:…`; empty where none was reached.
    pub image: String,
    /// `name@sha256:…`, by which a registry gives the same image; none where it did not
    /// come from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The digest of the recipe that the image was built from, where it was built here.
    pub recipe: Option<Digest>,
    pub checkout: Option<CheckoutProof>,
    /// The digest of the reference run that the verdict rests on.
    pub reference: Option<Digest>,
    /// `RUN/TRIAL`, whose verdict on the same prediction this is; none where it was made
    /// for this trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict_of: Option<String>,
    /// How calls reached the helper: `socket` or `stream`.
    pub transport: String,
    pub limits: Limits,
    pub network: String,
    /// What programs in the sandbox may gain: `common`, where a task's format gives what
    /// containers commonly have; none: the least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privileges: Option<String>,
}

/// Proof that a checkout holds the base commit and its ancestors only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckoutProof {
    /// The base commit, 40 hex; where a folder became one commit, of that.
    pub commit: String,
    /// Commits from the base down.
    pub commits: u64,
    /// Objects that can be reached from the base.
    pub objects_reachable: u64,
    /// Objects that are stored; equal to `objects_reachable`.
    pub objects_stored: u64,
    /// `overlay` or `image`.
    pub way: String,
}

/// The limits of a sandbox as they were in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    pub cpus: f64,
    /// Bytes, swap not included (there is none).
    pub memory_bytes: u64,
    pub pids: u64,
    pub open_files: u64,
    /// Bytes that may be written to disk.
    pub disk_bytes: u64,
}

impl TrialRecord {
    /// The journal line: the record without its passed tests (their number stays).
    pub fn journal_line(&self) -> Self {
        let mut line = self.clone();
        line.verdict
            .tests
            .retain(|test| test.state != TestState::Passed);
        line
    }
}
