//! `run.json`, schema `proofyard/run/1`: the frozen plan of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AgentRef, Digest, ModelRef, RunId, TaskId, TrialId};

/// The schema that this version writes.
pub const RUN_SCHEMA: &str = "proofyard/run/1";

/// The frozen plan of a run: what was to be done, with what, on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// `proofyard/run/1`.
    pub schema: String,
    pub run: RunId,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// Proofyard's own version.
    pub version: String,
    /// The command line, as given.
    pub command: Vec<String>,
    pub host: HostRecord,
    pub engine: EngineRecord,
    pub tasks: Vec<PlannedTask>,
    pub agents: Vec<AgentRef>,
    pub models: Vec<ModelRef>,
    pub attempts: u32,
    /// Every trial of the plan, in order.
    pub trials: Vec<PlannedTrial>,
    /// The settings in force, each key with its value.
    pub settings: serde_json::Value,
    /// The data sets that its tasks are instances of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_sets: Vec<DataSetRecord>,
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Of a regrade: the run whose changes it verified anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regrades: Option<RegradedRun>,
    /// Of predictions that were verified: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grades: Option<GradedRun>,
}

/// Predictions that a run verifies; they lie in its folder as `predictions.jsonl`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GradedRun {
    /// The file as the user named it, or `gold`.
    pub predictions: String,
    /// Of the file.
    pub digest: Option<Digest>,
    /// The instances that were meant, those without a prediction too.
    pub instances: Vec<String>,
    /// Whether verdicts that were made before count.
    pub cached: bool,
}

/// A data set, and which of its instances were meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataSetRecord {
    /// As the user named it.
    pub source: String,
    /// SHA-256 in hexadecimal over its rows, whatever file they stand in.
    pub digest: String,
    /// How many it has.
    pub instances: usize,
    pub filter: Option<String>,
    /// How many the filter left.
    pub matched: usize,
    /// What was left out of these, by id, with the reason of the list that says so.
    pub excluded: std::collections::BTreeMap<String, String>,
    /// Whether these were run nevertheless, so that a rate over all has another one over
    /// the valid ones beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_excluded: bool,
    /// How many were drawn of the rest.
    pub sample: Option<usize>,
    pub seed: Option<u64>,
    /// The field whose values were drawn in proportion.
    pub stratify: Option<String>,
    /// How many were meant in the end.
    pub selected: usize,
}

/// The run that a regrade is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegradedRun {
    pub run: RunId,
    /// Its folder, absolute.
    pub path: String,
    /// Of its `manifest.json`, where it has one.
    pub manifest: Option<Digest>,
}

/// A task as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedTask {
    pub name: TaskId,
    /// The folder, absolute, so that `resume` works from anywhere.
    pub path: String,
    /// The folder as the user named it.
    pub source: String,
    pub digest: Digest,
}

/// One trial of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedTrial {
    pub trial: TrialId,
    pub task: TaskId,
    /// The agent's name as given on the command line.
    pub agent: String,
    pub model: Option<String>,
    /// From 1.
    pub attempt: u32,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostRecord {
    pub name: String,
    pub cpus: u64,
    pub memory_bytes: u64,
    pub kernel: String,
}

/// The engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineRecord {
    /// Where it answers.
    pub host: String,
    pub version: String,
    pub api: String,
    pub storage_driver: String,
}

impl RunRecord {
    /// Of no run at all: for sandboxes that belong to none.
    pub fn empty() -> Self {
        Self {
            schema: RUN_SCHEMA.to_owned(),
            run: RunId::new(""),
            created_at: String::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: Vec::new(),
            host: HostRecord {
                name: String::new(),
                cpus: 0,
                memory_bytes: 0,
                kernel: String::new(),
            },
            engine: EngineRecord {
                host: String::new(),
                version: String::new(),
                api: String::new(),
                storage_driver: String::new(),
            },
            tasks: Vec::new(),
            agents: Vec::new(),
            models: Vec::new(),
            attempts: 0,
            trials: Vec::new(),
            data_sets: Vec::new(),
            settings: serde_json::Value::Null,
            warnings: Vec::new(),
            regrades: None,
            grades: None,
        }
    }
}
