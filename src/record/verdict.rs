//! The verdict of a `trial.json`: what its outcome rests on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How strong a verdict is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A reward file or an exit status that the sandbox only claims.
    Asserted,
    /// Per-test records of a pristine sandbox.
    Records,
    /// Records, and probes that they could not have been faked.
    Probed,
}

/// What of the agent's world the verifier saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sees {
    Patch,
    Files,
    Live,
}

/// What the outcome rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// Null where the verifier was not reached.
    pub evidence: Option<Evidence>,
    pub sees: Sees,
    pub tests: Vec<TestRecord>,
    /// In journal lines passed tests are left out of `tests`; their number stays here.
    #[serde(default)]
    pub passed: u32,
    #[serde(default)]
    pub probes: Vec<Probe>,
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// Parts of the change that belong to the verifier and did not cross over. They
    /// accuse nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Withheld>,
    /// The runner lies in the work tree: the task is about the runner itself, and
    /// nothing that it says of altered tests would prove anything. Never `probed`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub runner_is_subject: bool,
    /// Whether hidden files lay on read-only mounts while tests ran. Null where none
    /// ran, and in records of before there were such mounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_read_only: Option<bool>,
    /// What the official rules of the task's data set say, where they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official: Option<OfficialRecord>,
    /// Why the outcome is not `resolved`.
    pub reason: Option<Reason>,
    /// The reason in a sentence, for people.
    pub message: Option<String>,
}

/// What the official rules of a data set say of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfficialRecord {
    /// Of which version of the official harness: `4.1`, `5.0`.
    pub rules: String,
    pub resolved: bool,
    /// The official report, below the trial's folder; null where these rules make none.
    pub report: Option<String>,
    /// Why it is not resolved by them, in a sentence.
    pub reason: Option<String>,
    /// Why the verdict by records is another one, in a sentence; null where it is the
    /// same, or was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differs: Option<String>,
}

/// A path of the change that the verifier has of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Withheld {
    /// Of a repo relative to the work tree, else absolute.
    pub path: String,
    /// What it is to the verifier: `test file`, `runner configuration`, …
    pub what: String,
}

/// Why a trial is not resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Expected tests did not pass.
    TestsFailed,
    /// Expected tests left no record.
    TestsMissing,
    /// The reward was below `resolved_at`.
    RewardBelow,
    /// The verifier gave no verdict: no reward file, no test report.
    NoVerdict,
    /// The verifier did not end within its time.
    VerifierTimeout,
    /// The build step of the verification failed.
    BuildFailed,
    /// What the agent left made the verifier's sandbox fail.
    BrokeVerifier,
    /// The change is larger than what crosses over.
    ChangeTooLarge,
    /// The change could not be taken from the sandbox.
    CaptureFailed,
    /// What the runner told, what it wrote and how it ended do not agree.
    RecordsContradict,
    /// An expected test also passes where something else is expected.
    NotTested,
    /// Every test passed by its own record, and the official rules say no.
    OfficialUnresolved,
    /// The predicted patch does not apply to the base.
    PatchDoesNotApply,
    /// Nothing was predicted.
    EmptyPatch,
    /// A step of the task was not begun.
    StepsUnreached,
    /// A call that the task requires was not made.
    RequiredCallMissing,
    /// Calls were made in another order than the task requires.
    CallOrder,
    /// A value of a later version.
    #[serde(other)]
    Other,
}

/// One expected test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestRecord {
    pub id: String,
    pub expect: Expect,
    pub state: TestState,
    /// It was skipped or failed as expected, and so it was with the reference solution:
    /// then it counts as one that has to keep passing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub excused: bool,
    /// Milliseconds, as the runner reports them.
    pub ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What is expected of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    FailToPass,
    PassToPass,
    Pass,
}

/// What became of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestState {
    Passed,
    Failed,
    Error,
    Skipped,
    Xfailed,
    Xpassed,
    Missing,
}

/// A check that the verifier would have noticed a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// `altered_expectations`, `must_fail`.
    pub kind: String,
    /// Whether the verdict held: everything was refused that had to be.
    pub held: bool,
    /// Whether it said anything at all.
    pub exercised: bool,
    /// How many of the tests that have to begin to pass it covers.
    #[serde(default)]
    pub tests: u32,
    /// How many of these there are.
    #[serde(default)]
    pub of: u32,
}

/// Something about the trial that breaks `clean`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Flag {
    pub kind: String,
    pub detail: String,
    /// The event that it is about, by its `seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
}
