//! `harness.toml`, environment and flags → settings, in two steps: raw, then validated.
//!
//! Owns every setting, its default and where its value came from. Must not know
//! what a setting is used for.
//!
//! [`raw`] is `harness.toml` as written, `layers` puts defaults, file, environment
//! and flags over each other, `validate` makes the [`Settings`] of them.

mod error;
mod layers;
pub mod raw;
mod validate;

pub use error::ConfigError;
pub use layers::{Flag, Loaded, Origin, Sources, Value, load};

use std::path::PathBuf;
use std::time::Duration;

/// Settings in force, validated.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Settings {
    /// `harness.toml`, where there is one.
    pub file: Option<PathBuf>,
    pub run: RunSettings,
    pub limits: LimitSettings,
    pub engine: EngineSettings,
    pub images: ImageSettings,
    pub host: HostSettings,
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
}

/// `network = "none" | "full"`
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkSetting {
    None,
    Full,
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

fn seconds<S: serde::Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.as_secs_f64())
}

#[cfg(test)]
mod tests;
