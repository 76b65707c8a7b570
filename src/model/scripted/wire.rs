//! An answer in the wire format, whole or in pieces.

use serde_json::{Value, json};

use super::play::Answer;

/// When everything was made: the same for every answer, so that they compare.
const CREATED: u64 = 1_700_000_000;
/// Characters of a piece of a text.
const PIECE: usize = 24;

/// The body of an answer that comes whole.
pub fn whole(answer: &Answer) -> Value {
    let calls: Vec<Value> = answer
        .calls
        .iter()
        .map(|(id, tool, arguments)| {
            json!({"id": id, "type": "function", "function": {"name": tool, "arguments": arguments}})
        })
        .collect();
    let content = match answer.text.is_empty() {
        true => Value::Null,
        false => Value::from(answer.text.as_str()),
    };
    let mut message = json!({"role": "assistant", "content": content});
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    if let Some(reasoning) = &answer.reasoning {
        message["reasoning_content"] = Value::from(reasoning.as_str());
    }
    if let Some(refusal) = &answer.refusal {
        message["refusal"] = Value::from(refusal.as_str());
    }
    let mut body = json!({
        "id": answer.id,
        "object": "chat.completion",
        "created": CREATED,
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish}],
    });
    if let Some(usage) = &answer.usage {
        body["usage"] = usage.clone();
    }
    body
}

/// The events of an answer that is streamed, without the last `[DONE]`.
pub fn pieces(answer: &Answer, include_usage: bool) -> Vec<Value> {
    let mut deltas = vec![json!({"role": "assistant", "content": ""})];
    for (field, text) in [
        ("reasoning_content", answer.reasoning.as_deref()),
        ("content", Some(answer.text.as_str())),
        ("refusal", answer.refusal.as_deref()),
    ] {
        for piece in split(text.unwrap_or_default()) {
            deltas.push(json!({ field: piece }));
        }
    }
    for (index, (id, tool, arguments)) in answer.calls.iter().enumerate() {
        deltas.push(json!({"tool_calls": [{
            "index": index, "id": id, "type": "function",
            "function": {"name": tool, "arguments": ""},
        }]}));
        for piece in split(arguments) {
            let function = json!({ "arguments": piece });
            deltas.push(json!({"tool_calls": [{"index": index, "function": function}]}));
        }
    }
    let event = |choices: Value| {
        json!({
            "id": answer.id,
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": answer.model,
            "choices": choices,
        })
    };
    let mut events: Vec<Value> = deltas
        .into_iter()
        .map(|delta| event(json!([{"index": 0, "delta": delta, "finish_reason": null}])))
        .collect();
    events.push(event(
        json!([{"index": 0, "delta": {}, "finish_reason": answer.finish}]),
    ));
    if let Some(usage) = answer.usage.as_ref().filter(|_| include_usage) {
        let mut last = event(json!([]));
        last["usage"] = usage.clone();
        events.push(last);
    }
    events
}

/// A text in pieces, at borders of characters.
fn split(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters
        .chunks(PIECE)
        .map(|piece| piece.iter().collect())
        .collect()
}
