//! The file of a script as it is written; docs/scripted-models.md says what it means.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The file.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ScriptToml {
    pub model: Option<String>,
    pub seed: Option<u64>,
    pub latency_ms: Option<u64>,
    pub key: Option<String>,
    pub context_tokens: Option<u64>,
    #[serde(default)]
    pub turn: Vec<TurnToml>,
    pub faults: Option<FaultsToml>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub struct TurnToml {
    pub when: Option<WhenToml>,
    pub say: Option<String>,
    pub reasoning: Option<String>,
    #[serde(default)]
    pub calls: Vec<CallToml>,
    pub finish: Option<String>,
    pub refusal: Option<String>,
    #[schemars(with = "Option<Value>")]
    pub usage: Option<toml::Value>,
    pub latency_ms: Option<u64>,
    /// One of these is drawn, in place of what is said above.
    #[serde(default)]
    pub pick: Vec<PlayToml>,
    /// Played in the replies that follow.
    #[serde(default)]
    pub then: Vec<PlayToml>,
    pub fault: Option<FaultToml>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct PlayToml {
    pub say: Option<String>,
    pub reasoning: Option<String>,
    #[serde(default)]
    pub calls: Vec<CallToml>,
    pub finish: Option<String>,
    pub refusal: Option<String>,
    #[schemars(with = "Option<Value>")]
    pub usage: Option<toml::Value>,
    pub latency_ms: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub struct CallToml {
    pub tool: String,
    pub id: Option<String>,
    #[schemars(with = "Option<BTreeMap<String, Value>>")]
    pub arguments: Option<BTreeMap<String, toml::Value>>,
    pub raw: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub struct WhenToml {
    pub instruction: Option<String>,
    pub system: Option<String>,
    #[schemars(with = "Option<Value>")]
    pub turn: Option<toml::Value>,
    pub last: Option<String>,
    pub last_tool: Option<String>,
    pub seen: Option<String>,
    pub unseen: Option<String>,
    #[serde(default)]
    pub tools: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    Status,
    Timeout,
    Reset,
    Cut,
    Stall,
    InvalidJson,
    EmptyChoices,
    Slow,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub struct FaultToml {
    pub kind: FaultKind,
    /// A number, or "always"; default 1.
    #[schemars(with = "Option<Value>")]
    pub times: Option<toml::Value>,
    pub status: Option<u16>,
    pub retry_after: Option<f64>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub after: Option<usize>,
    pub ms: Option<u64>,
}

/// Rates, 0 to 1, of faults by chance.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct FaultsToml {
    pub in_a_row: Option<u32>,
    pub rate_limited: Option<f64>,
    pub server_error: Option<f64>,
    pub timeout: Option<f64>,
    pub reset: Option<f64>,
    pub cut: Option<f64>,
    pub stall: Option<f64>,
    pub invalid_json: Option<f64>,
    pub empty_choices: Option<f64>,
}
