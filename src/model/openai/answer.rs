//! One answer that came whole, and what streamed and whole answers share.

use serde_json::Value;

use super::fault::{self, Fault};
use crate::model::{Finish, Reply, WrittenCall};
use crate::record::Usage;

/// The most calls of one reply that are taken.
pub const MOST_CALLS: usize = 256;

/// A reply from the body of an answer.
pub fn parse(body: &[u8]) -> Result<Reply, Fault> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        Fault::again("invalid_answer", format!("the answer is no JSON: {error}"))
    })?;
    if value.get("error").is_some_and(|error| !error.is_null()) {
        return Err(fault::in_stream(&value));
    }
    let Some(choice) = value.pointer("/choices/0") else {
        return Err(Fault::again("empty_answer", "the answer has no choices"));
    };
    let message = &choice["message"];
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    let calls = message["tool_calls"]
        .as_array()
        .into_iter()
        .flatten()
        .take(MOST_CALLS)
        .map(|call| WrittenCall {
            id: call["id"].as_str().unwrap_or_default().to_owned(),
            tool: call["function"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            arguments: match &call["function"]["arguments"] {
                Value::String(text) => text.clone(),
                Value::Null => "{}".to_owned(),
                other => other.to_string(),
            },
        })
        .collect();
    let mut reply = Reply {
        text: text("content"),
        reasoning: reasoning(message),
        calls,
        usage: usage(&value["usage"]),
        model: value["model"].as_str().map(str::to_owned),
        ..Reply::default()
    };
    finish(
        &mut reply,
        choice["finish_reason"].as_str(),
        &text("refusal"),
    );
    Ok(reply)
}

/// Reasoning, under the names that servers give it.
pub fn reasoning(message: &Value) -> Option<String> {
    let said = ["reasoning_content", "reasoning"]
        .iter()
        .find_map(|name| message[*name].as_str())?;
    (!said.is_empty()).then(|| said.to_owned())
}

/// Why the reply ended; a refusal stands for its text.
pub fn finish(reply: &mut Reply, reason: Option<&str>, refusal: &str) {
    reply.finish_reason = reason.map(str::to_owned);
    reply.finish = match reason {
        _ if !refusal.is_empty() => Finish::Refused,
        Some("content_filter") => Finish::Refused,
        Some("length") => Finish::Length,
        _ => Finish::Natural,
    };
    if !refusal.is_empty() && reply.text.is_empty() {
        reply.text = refusal.to_owned();
    }
}

/// Tokens, so that the parts add up: on the wire the prompt includes what the
/// cache gave, and the completion includes reasoning.
pub fn usage(value: &Value) -> Option<Usage> {
    let prompt = value["prompt_tokens"].as_u64()?;
    let completion = value["completion_tokens"].as_u64().unwrap_or(0);
    let of = |path: &str| value.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let cached = of("/prompt_tokens_details/cached_tokens").min(prompt);
    let written = of("/prompt_tokens_details/cache_creation_tokens").min(prompt - cached);
    let reasoning = of("/completion_tokens_details/reasoning_tokens").min(completion);
    Some(Usage {
        input: prompt - cached - written,
        cache_read: cached,
        cache_write: written,
        output: completion - reasoning,
        reasoning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_parts_of_usage_add_up() {
        let wire = json!({
            "prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140,
            "prompt_tokens_details": {"cached_tokens": 60},
            "completion_tokens_details": {"reasoning_tokens": 30},
        });
        let usage = usage(&wire).unwrap();
        assert_eq!((usage.input, usage.cache_read), (40, 60));
        assert_eq!((usage.output, usage.reasoning), (10, 30));
        assert_eq!(usage.total(), 140);
    }

    #[test]
    fn usage_that_nobody_gave_is_none() {
        assert_eq!(usage(&Value::Null), None);
    }

    #[test]
    fn arguments_that_are_an_object_become_their_text() {
        let body = json!({"choices": [{"message": {"content": null, "tool_calls": [
            {"id": "a", "function": {"name": "bash", "arguments": {"command": "ls"}}},
        ]}, "finish_reason": "tool_calls"}]});
        let reply = parse(body.to_string().as_bytes()).unwrap();
        assert_eq!(reply.calls[0].arguments, r#"{"command":"ls"}"#);
        assert_eq!(reply.text, "");
    }

    #[test]
    fn a_refusal_is_no_natural_end() {
        let body = json!({"choices": [{"message": {"content": null, "refusal": "I will not"}, "finish_reason": "stop"}]});
        let reply = parse(body.to_string().as_bytes()).unwrap();
        assert_eq!(
            (reply.finish, reply.text.as_str()),
            (Finish::Refused, "I will not")
        );
    }
}
