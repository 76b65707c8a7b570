//! Harbor's tables.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::UserName;

/// `[task]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct TaskTable {
    /// `org/name`; without it the task is called like its folder.
    pub name: Option<String>,
    pub version: Option<String>,
    /// One line about the task.
    pub description: Option<String>,
    pub authors: Option<Vec<Author>>,
    pub keywords: Option<Vec<String>>,
}

/// An author of a task.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Author {
    pub name: Option<String>,
    pub email: Option<String>,
}

/// `network_mode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkMode {
    Public,
    NoNetwork,
    /// Not supported yet.
    Allowlist,
}

/// `[agent]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct AgentTable {
    /// Seconds; without it there is no limit.
    pub timeout_sec: Option<f64>,
    /// User of the agent's tool calls; default the image's.
    pub user: Option<UserName>,
    /// Network of the agent's sandbox, over that of `[environment]`.
    pub network_mode: Option<NetworkMode>,
    /// Hosts that may be reached; not supported yet.
    pub allowed_hosts: Option<Vec<String>>,
}

/// `[verifier]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct VerifierTable {
    /// Seconds, default 600.
    pub timeout_sec: Option<f64>,
    /// Environment of the hidden tests alone.
    pub env: Option<BTreeMap<String, String>>,
    /// User of the hidden tests; default the image's.
    pub user: Option<UserName>,
    /// Network of the verifier's sandbox.
    pub network_mode: Option<NetworkMode>,
    /// Hosts that may be reached; not supported yet.
    pub allowed_hosts: Option<Vec<String>>,
    pub environment_mode: Option<EnvironmentMode>,
    /// An environment of the verifier's own; not supported yet.
    pub environment: Option<EnvironmentTable>,
    /// Commands that gather what a separate verifier needs; not supported yet.
    pub collect: Option<Vec<Collect>>,
}

/// `environment_mode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentMode {
    Shared,
    /// Not supported yet.
    Separate,
}

/// `[[verifier.collect]]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Collect {
    pub command: Option<String>,
    pub service: Option<String>,
    pub timeout_sec: Option<f64>,
    pub user: Option<UserName>,
}

/// `[solution]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct SolutionTable {
    /// Environment of `solution/solve.sh` alone.
    pub env: Option<BTreeMap<String, String>>,
}

/// `[environment]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct EnvironmentTable {
    /// Seconds that building the image may take, default 600.
    pub build_timeout_sec: Option<f64>,
    /// An image by name, instead of `environment/Dockerfile`.
    pub docker_image: Option<String>,
    pub os: Option<Os>,
    /// Processors; may be a fraction.
    pub cpus: Option<f64>,
    pub memory_mb: Option<u64>,
    /// What the agent may write.
    pub storage_mb: Option<u64>,
    /// Not supported yet.
    pub gpus: Option<u64>,
    /// Not supported yet.
    pub gpu_types: Option<Vec<String>>,
    /// Not supported.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub tpu: Option<BTreeMap<String, toml::Value>>,
    /// Environment of every command in the sandbox.
    pub env: Option<BTreeMap<String, String>>,
    /// Directory of tool calls, absolute; default the repo's, else the image's.
    pub workdir: Option<String>,
    /// Skills for agents that load them; not used yet.
    pub skills_dir: Option<String>,
    pub network_mode: Option<NetworkMode>,
    /// Hosts that may be reached; not supported yet.
    pub allowed_hosts: Option<Vec<String>>,
    /// Not supported yet.
    pub mcp_servers: Option<Vec<McpServer>>,
    /// Not supported yet.
    pub healthcheck: Option<Healthcheck>,
    /// Older form of `memory_mb`: `"2G"`.
    pub memory: Option<String>,
    /// Older form of `storage_mb`: `"10G"`.
    pub storage: Option<String>,
    /// Older form of `network_mode`.
    pub allow_internet: Option<bool>,
}

/// `os`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    Linux,
    /// Not supported.
    Windows,
}

/// `[[environment.mcp_servers]]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct McpServer {
    pub name: Option<String>,
    pub transport: Option<String>,
    pub url: Option<String>,
    pub command: Option<String>,
    pub args: Option<Vec<String>>,
    pub headers: Option<BTreeMap<String, String>>,
}

/// `[environment.healthcheck]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Healthcheck {
    pub command: Option<String>,
    pub interval_sec: Option<f64>,
    pub timeout_sec: Option<f64>,
    pub start_period_sec: Option<f64>,
    pub start_interval_sec: Option<f64>,
    pub retries: Option<u32>,
}

/// `[[steps]]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct StepTable {
    pub name: Option<String>,
    pub agent: Option<AgentTable>,
    pub verifier: Option<VerifierTable>,
    #[schemars(with = "Option<serde_json::Value>")]
    pub min_reward: Option<toml::Value>,
    pub healthcheck: Option<Healthcheck>,
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    pub artifacts: Option<Vec<toml::Value>>,
}
