//! A conversation as messages of the chat format, and the body of a request.

use std::collections::HashSet;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::config::ModelSettings;
use crate::model::{Opening, Reply, Said};

/// Messages, each serialised when it was said: a turn costs what is new in it,
/// and copying the rest.
pub struct Messages {
    messages: Vec<Box<RawValue>>,
    tools: Option<Box<RawValue>>,
    /// Ids of calls so far; a model may not use one twice.
    ids: HashSet<String>,
}

impl Messages {
    pub fn new(opening: &Opening) -> Self {
        let tools: Vec<Value> = opening
            .tools
            .iter()
            .map(|tool| {
                json!({
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": tool.parameters,
                    },
                })
            })
            .collect();
        let mut messages = Self {
            messages: Vec::new(),
            tools: (!tools.is_empty()).then(|| raw(&tools)),
            ids: HashSet::new(),
        };
        if !opening.system.is_empty() {
            messages.push(&json!({"role": "system", "content": opening.system}));
        }
        messages.push(&json!({"role": "user", "content": opening.user}));
        messages
    }

    pub fn say(&mut self, said: &Said) {
        match said {
            Said::Result { id, content } => {
                self.push(&json!({"role": "tool", "tool_call_id": id, "content": content}));
            }
            Said::User(content) => self.push(&json!({"role": "user", "content": content})),
        }
    }

    /// Adds a reply. Ids that are missing or were used before are made up, in the
    /// reply too.
    pub fn remember(&mut self, reply: &mut Reply) {
        for call in &mut reply.calls {
            if call.id.is_empty() || self.ids.contains(&call.id) {
                call.id = format!("call_{}", self.ids.len() + 1);
            }
            self.ids.insert(call.id.clone());
        }
        let calls: Vec<Value> = reply
            .calls
            .iter()
            .map(|call| {
                json!({
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.tool, "arguments": sendable(&call.arguments)},
                })
            })
            .collect();
        let content = match reply.text.is_empty() && !calls.is_empty() {
            true => Value::Null,
            false => Value::String(reply.text.clone()),
        };
        let mut message = json!({"role": "assistant", "content": content});
        if !calls.is_empty() {
            message["tool_calls"] = Value::Array(calls);
        }
        self.push(&message);
    }

    /// The body of the next request.
    pub fn body(&self, model: &str, settings: &ModelSettings) -> Bytes {
        let named = |field: &str| {
            settings
                .max_tokens
                .filter(|_| settings.max_tokens_field == field)
        };
        let body = Body {
            model,
            messages: &self.messages,
            tools: self.tools.as_deref(),
            temperature: settings.temperature,
            seed: settings.seed,
            max_tokens: named("max_tokens"),
            max_completion_tokens: named("max_completion_tokens"),
            reasoning_effort: settings.reasoning_effort.as_deref(),
            stream: settings.stream,
            stream_options: settings.stream.then_some(StreamOptions {
                include_usage: true,
            }),
        };
        // Plain values and texts that are JSON already.
        Bytes::from(serde_json::to_vec(&body).unwrap_or_default())
    }

    fn push(&mut self, message: &Value) {
        self.messages.push(raw(message));
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: &'a [Box<RawValue>],
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// What is asked beside the conversation, as it stands in a record.
pub fn parameters(id: &str, settings: &ModelSettings) -> Map<String, Value> {
    let mut map = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            map.insert(name.to_owned(), value);
        }
    };
    put("model", Some(Value::from(id)));
    put("temperature", settings.temperature.map(Value::from));
    put("seed", settings.seed.map(Value::from));
    put("max_tokens", settings.max_tokens.map(Value::from));
    put(
        "reasoning_effort",
        settings.reasoning_effort.clone().map(Value::from),
    );
    put("stream", Some(Value::from(settings.stream)));
    map
}

/// Arguments as they may go back to an endpoint: many parse them, and refuse the
/// whole conversation where one call was no JSON.
fn sendable(arguments: &str) -> String {
    match serde_json::from_str::<Map<String, Value>>(arguments) {
        Ok(_) => arguments.to_owned(),
        Err(_) => json!({ "invalid": arguments }).to_string(),
    }
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value)
        .unwrap_or_else(|error| unreachable!("a JSON value is JSON: {error}"))
}
