//! Harbor's tables.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ArtifactValue, LeastReward, Number, OldSize, Truth, UserName, Whole};

/// `[task]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
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
    /// Named hosts; not supported yet.
    Allowlist,
}

/// `[agent]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct AgentTable {
    /// Seconds; without it there is no limit.
    pub timeout_sec: Option<Number>,
    /// User of the agent's tool calls; default the image's.
    pub user: Option<UserName>,
    /// Network of the agent's sandbox, over that of `[environment]`.
    pub network_mode: Option<NetworkMode>,
    /// Hosts that may be reached; not supported yet.
    pub allowed_hosts: Option<Vec<String>>,
}

/// `[verifier]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct VerifierTable {
    /// Seconds, default 600.
    pub timeout_sec: Option<Number>,
    /// Environment of the hidden tests alone.
    pub env: Option<BTreeMap<String, String>>,
    /// User of the hidden tests; default the image's.
    pub user: Option<UserName>,
    /// Network of the verifier's sandbox.
    pub network_mode: Option<NetworkMode>,
    /// Hosts that may be reached; not supported yet.
    pub allowed_hosts: Option<Vec<String>>,
    pub environment_mode: Option<EnvironmentMode>,
    /// An environment of the verifier's own; it sees artifacts alone.
    pub environment: Option<EnvironmentTable>,
    /// Commands that are run when the agent has ended, before artifacts are taken.
    pub collect: Option<Vec<CollectTable>>,
}

/// `environment_mode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentMode {
    Shared,
    Separate,
}

/// `[[verifier.collect]]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct CollectTable {
    /// For the shell.
    pub command: Option<String>,
    /// Where it is run; default `main`, the agent's sandbox.
    pub service: Option<String>,
    /// Seconds, default 60.
    pub timeout_sec: Option<Number>,
    /// Default the image's.
    pub user: Option<UserName>,
}

/// `[solution]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct SolutionTable {
    /// Environment of `solution/solve.sh` alone.
    pub env: Option<BTreeMap<String, String>>,
}

/// `[environment]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct EnvironmentTable {
    /// Seconds that building the image may take, default 600.
    pub build_timeout_sec: Option<Number>,
    /// An image by name, instead of `environment/Dockerfile`.
    pub docker_image: Option<String>,
    /// `linux`.
    pub os: Option<String>,
    /// Processors; may be a fraction.
    pub cpus: Option<Number>,
    pub memory_mb: Option<Whole>,
    /// What the agent may write.
    pub storage_mb: Option<Whole>,
    /// Not supported yet.
    pub gpus: Option<Whole>,
    /// Not supported yet.
    pub gpu_types: Option<Vec<String>>,
    /// Not supported.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub tpu: Option<BTreeMap<String, toml::Value>>,
    /// Environment of every command in the sandbox.
    pub env: Option<BTreeMap<String, String>>,
    /// Directory of tool calls, absolute; default the repo's, else the image's.
    pub workdir: Option<String>,
    /// Where skills lie in the sandbox, for agents that load them.
    pub skills_dir: Option<String>,
    pub network_mode: Option<NetworkMode>,
    /// Hosts that may be reached; not supported yet.
    pub allowed_hosts: Option<Vec<String>>,
    /// Servers of tools, for agents that can use them.
    pub mcp_servers: Option<Vec<McpServerTable>>,
    /// Asked until the sandbox is ready.
    pub healthcheck: Option<HealthcheckTable>,
    /// Older form of `memory_mb`: `"2G"`.
    pub memory: Option<OldSize>,
    /// Older form of `storage_mb`: `"10G"`.
    pub storage: Option<OldSize>,
    /// Older form of `network_mode`.
    pub allow_internet: Option<Truth>,
}

/// `[[environment.mcp_servers]]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct McpServerTable {
    pub name: Option<String>,
    /// `sse` (default), `stdio`, or `streamable-http`, also written `http`.
    pub transport: Option<String>,
    /// As it is reached from inside the sandbox; not for `stdio`.
    pub url: Option<String>,
    /// A program of the sandbox; only for `stdio`.
    pub command: Option<String>,
    pub args: Option<Vec<String>>,
    /// Of each request; not for `stdio`.
    pub headers: Option<BTreeMap<String, String>>,
}

/// `[environment.healthcheck]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct HealthcheckTable {
    /// For the shell; status 0 says that the sandbox is ready.
    pub command: Option<String>,
    /// Seconds between two attempts, default 5.
    pub interval_sec: Option<Number>,
    /// Seconds of one attempt, default 30.
    pub timeout_sec: Option<Number>,
    /// Seconds in which failures do not count, default 0.
    pub start_period_sec: Option<Number>,
    /// Seconds between two attempts in that time, default 5.
    pub start_interval_sec: Option<Number>,
    /// Failures in a row that are too many, default 3.
    pub retries: Option<Whole>,
}

/// `multi_step_reward_strategy`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StrategyName {
    /// For each name the mean over the steps that were verified.
    Mean,
    /// The rewards of the last step that was verified.
    Final,
}

/// `[[steps]]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct StepTable {
    /// Name of its folder below `steps/`.
    pub name: Option<String>,
    pub agent: Option<AgentTable>,
    pub verifier: Option<VerifierTable>,
    /// Below it no further step is begun.
    pub min_reward: Option<LeastReward>,
    /// Asked before the step.
    pub healthcheck: Option<HealthcheckTable>,
    /// Beside the task's.
    pub artifacts: Option<Vec<ArtifactValue>>,
}
