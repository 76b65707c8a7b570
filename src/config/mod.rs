//! `harness.toml`, environment and flags → settings, in two steps: raw, then validated.
//!
//! Owns every setting, its default and where its value came from. Must not know
//! what a setting is used for.
//!
//! [`raw`] is `harness.toml` as written, `layers` puts defaults, file, environment
//! and flags over each other, `validate` makes the [`Settings`] of them.

mod error;
pub mod job;
mod layers;
pub mod raw;
mod validate;

pub use error::ConfigError;
pub use layers::{Flag, Loaded, Origin, Sources, Value, load};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::swebench::{Rules, Under};

/// Settings in force, validated.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Settings {
    /// `harness.toml`, where there is one.
    pub file: Option<PathBuf>,
    pub run: RunSettings,
    pub limits: LimitSettings,
    pub engine: EngineSettings,
    pub images: ImageSettings,
    pub swebench: SweBenchSettings,
    pub host: HostSettings,
    #[serde(rename = "loop")]
    pub built_in: LoopSettings,
    /// `[model]`: of every model that has no table of its own.
    pub model: ModelSettings,
    /// `[models.NAME]` over `[model]`.
    pub models: BTreeMap<String, ModelSettings>,
    pub prices: Prices,
    /// By name.
    pub datasets: BTreeMap<String, DatasetSettings>,
}

/// `[datasets.NAME]`
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DatasetSettings {
    pub place: DatasetPlace,
    pub digest: Option<String>,
    pub quarantine: Option<PathBuf>,
}

/// Where the rows of a data set are.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DatasetPlace {
    Path(PathBuf),
    /// `http://` or `https://`
    Url(String),
}

/// `[loop]`
#[derive(Debug, Clone, serde::Serialize)]
pub struct LoopSettings {
    /// None: the built-in one.
    pub prompt: Option<PathBuf>,
    pub announce_limits: bool,
    /// None: never.
    pub repeats: Option<u64>,
}

/// `[model]`, or `[models.NAME]` over it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ModelSettings {
    /// Without a slash at its end.
    pub base_url: String,
    /// Name of the variable with the key; none sends no key.
    pub key_env: Option<String>,
    /// None: the name that the model is called by.
    pub id: Option<String>,
    pub temperature: Option<f64>,
    pub seed: Option<i64>,
    /// Of one reply.
    pub max_tokens: Option<u64>,
    pub max_tokens_field: String,
    pub reasoning_effort: Option<String>,
    pub stream: bool,
    #[serde(rename = "timeout_sec", serialize_with = "seconds")]
    pub timeout: Duration,
    #[serde(rename = "stall_sec", serialize_with = "seconds")]
    pub stall: Duration,
    /// At least 1.
    pub tries: u32,
    #[serde(rename = "pause_sec", serialize_with = "seconds")]
    pub pause: Duration,
    #[serde(rename = "longest_pause_sec", serialize_with = "seconds")]
    pub longest_pause: Duration,
}

/// `[prices]`
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Prices {
    /// YYYY-MM-DD; empty where there is no table.
    pub date: String,
    /// By the model's id.
    pub models: BTreeMap<String, Price>,
}

/// Micro-dollars per million tokens of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Price {
    pub input: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    pub output: u64,
    pub reasoning: u64,
}

/// `[run]`
#[derive(Debug, Clone, serde::Serialize)]
pub struct RunSettings {
    pub tasks: Vec<String>,
    pub agents: Vec<String>,
    pub models: Vec<String>,
    pub attempts: u32,
    /// None: `auto`.
    pub jobs: Option<usize>,
    pub out: PathBuf,
    pub retry_errors: u32,
    /// Verify the reference solution before the first trial of a task.
    pub check: bool,
    pub timeout_multiplier: f64,
    /// None: what each task says; else for all.
    pub network: Option<NetworkSetting>,
    /// Micro-dollars of all models of a run; none: no limit.
    #[serde(serialize_with = "dollars")]
    pub max_cost: Option<u64>,
    /// The private key that the run's manifest is signed with.
    pub sign_key: Option<PathBuf>,
}

/// `network = "none" | "full"`
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkSetting {
    None,
    Full,
}

/// `[swebench]`
#[derive(Debug, Clone, serde::Serialize)]
pub struct SweBenchSettings {
    pub rules: Under,
    pub version: Rules,
    /// Specifications of environments, absolute.
    pub envs: Vec<PathBuf>,
    /// The table of an official harness, absolute.
    pub specs: Option<PathBuf>,
    pub history: raw::HistoryWord,
    #[serde(rename = "timeout_sec", serialize_with = "seconds")]
    pub timeout: Duration,
}

/// `[limits]`: of a sandbox, where the task says nothing.
#[derive(Debug, Clone, serde::Serialize)]
pub struct LimitSettings {
    pub cpus: f64,
    pub memory_mb: u64,
    pub pids: u64,
    pub open_files: u64,
    pub disk_mb: u64,
    /// Of one tool call.
    #[serde(rename = "call_timeout_sec", serialize_with = "seconds")]
    pub call_timeout: Duration,
    /// Of one output of a tool call, kept.
    pub output_bytes: u64,
    /// Of a captured change, bytes.
    pub change_mb: u64,
    /// Model turns of a trial; none: no limit.
    pub max_steps: Option<u64>,
    /// Tokens of a trial; none: no limit.
    pub max_tokens: Option<u64>,
    /// Micro-dollars of a trial; none: no limit.
    #[serde(serialize_with = "dollars")]
    pub max_trial_cost: Option<u64>,
}

/// `[engine]`
#[derive(Debug, Clone, serde::Serialize)]
pub struct EngineSettings {
    /// None: `DOCKER_HOST`, else the default socket.
    pub host: Option<String>,
    pub transport: Transport,
    pub work_tree: WorkTreeWay,
}

/// How calls reach the helper.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Auto,
    /// A unix socket in a read-only mount.
    Socket,
    /// The binary is copied in; frames go over one stream of the engine.
    Stream,
}

/// How a sandbox gets its work tree.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum WorkTreeWay {
    Auto,
    /// One prepared checkout, shared under an overlay of each sandbox.
    Overlay,
    /// A layer over the image.
    Image,
}

/// `[images]`
#[derive(Debug, Clone, serde::Serialize)]
pub struct ImageSettings {
    /// The folder of `<name>/Dockerfile`, absolute; none where there is none.
    pub dir: Option<PathBuf>,
    pub pull: bool,
    /// Bytes that images of instances may take; none is no limit.
    pub budget: Option<u64>,
}

/// `[host]`
#[derive(Debug, Clone, serde::Serialize)]
pub struct HostSettings {
    /// The CA bundle that builds and sandboxes with a network get.
    pub ca_bundle: Option<PathBuf>,
    /// Names of variables that they get (proxies).
    pub pass_env: Vec<String>,
    /// Locks, scratch, caches.
    pub state: PathBuf,
}

/// As the key is written: dollars, 0 for none.
fn dollars<S: serde::Serializer>(micro: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(micro.unwrap_or(0) as f64 / 1e6)
}

fn seconds<S: serde::Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.as_secs_f64())
}

#[cfg(test)]
mod tests;
