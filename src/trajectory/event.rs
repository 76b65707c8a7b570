//! One event of a trajectory: a line of `trajectory.jsonl`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::Usage;

/// A line of `trajectory.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// From 0, without gaps.
    pub seq: u64,
    /// Milliseconds since the trial began.
    pub t_ms: u64,
    pub kind: EventKind,
    /// Of `system`, `user`, `assistant`: what was said. Of `harness`: what happened, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Of `harness`: a name of what happened (`submitted`, `helper_gone`, `limit`, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Of `system`: the tools that were offered, with their JSON Schemas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Value>,
    /// Of `assistant`: the model's reasoning, where the endpoint shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Of `assistant`: why the model ended, as the endpoint said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<String>,
    /// Of `assistant`: the model that answered, as the endpoint named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Of `assistant`: tokens of this turn; none where the endpoint did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Of `tool_call` and `tool_result`: ties the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Of `tool_call`: an object, where it parsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Value>,
    /// Of `tool_call`: the text that did not parse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Of `tool_call`: why it was not performed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
    /// Of `tool_result`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<bool>,
    /// Of `tool_result`: what was wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Of `tool_result`: what the agent was given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Of `tool_result`: whether bytes were cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// How long it took, milliseconds: of `tool_result` the call, of `assistant` the
    /// answer, of a `harness` event the attempt and the wait after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Hex SHA-256 of the line before, without its end; of the first event that of
    /// a text with the trial's name. None in trajectories of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    System,
    User,
    Assistant,
    ToolCall,
    ToolResult,
    Harness,
}

impl Event {
    /// An empty event of a kind; the recorder numbers and times it.
    pub fn new(kind: EventKind) -> Self {
        Self {
            seq: 0,
            t_ms: 0,
            kind,
            text: None,
            event: None,
            tools: None,
            reasoning: None,
            finish: None,
            model: None,
            usage: None,
            id: None,
            tool: None,
            arguments: None,
            raw: None,
            invalid: None,
            ok: None,
            error: None,
            output: None,
            truncated: None,
            exit_code: None,
            ms: None,
            prev: None,
        }
    }

    /// Something that the harness did or saw.
    pub fn harness(event: &str, text: impl Into<String>) -> Self {
        Self {
            event: Some(event.to_owned()),
            text: Some(text.into()),
            ..Self::new(EventKind::Harness)
        }
    }
}
