//! What hidden checks are told of a trial: its calls, and its final message.
//!
//! Owns the form of `/verifier/calls.jsonl`. Must not know what is checked with it.

use serde_json::json;

use super::{Event, EventKind};

/// One JSON object a line: each call with its result, in order, and as the last
/// line the final message.
pub fn calls_log(events: &[Event]) -> Vec<u8> {
    let calls = events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.kind == EventKind::ToolCall);
    let mut log = String::new();
    for (index, (at, call)) in calls.enumerate() {
        // The first one after the call: an id may come again.
        let result = events[at..]
            .iter()
            .find(|event| event.kind == EventKind::ToolResult && event.id == call.id);
        let line = json!({
            "n": index + 1,
            "tool": call.tool,
            "arguments": call.arguments,
            "ok": result.and_then(|result| result.ok).unwrap_or(false),
            "output": result.and_then(|result| result.output.as_deref()).unwrap_or_default(),
            "error": result.and_then(|result| result.error.as_deref()),
        });
        log.push_str(&line.to_string());
        log.push('\n');
    }
    log.push_str(&json!({ "final": final_message(events) }).to_string());
    log.push('\n');
    log.into_bytes()
}

/// The message of `submit`, else what the model said last without calling anything.
pub fn final_message(events: &[Event]) -> Option<&str> {
    let submitted = events.iter().rev().find(|event| {
        event.kind == EventKind::ToolCall
            && event.tool.as_deref() == Some("submit")
            && event.invalid.is_none()
    });
    if let Some(call) = submitted {
        let message = call.arguments.as_ref()?.get("message")?;
        return message.as_str().filter(|message| !message.is_empty());
    }
    let said = events
        .iter()
        .rposition(|event| event.kind == EventKind::Assistant)?;
    let called = events[said..]
        .iter()
        .any(|event| event.kind == EventKind::ToolCall);
    let text = events[said].text.as_deref();
    text.filter(|text| !called && !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn call(id: &str, tool: &str, arguments: Value) -> Event {
        Event {
            id: Some(id.into()),
            tool: Some(tool.into()),
            arguments: Some(arguments),
            ..Event::new(EventKind::ToolCall)
        }
    }

    fn result(id: &str, ok: bool, output: &str) -> Event {
        Event {
            id: Some(id.into()),
            ok: Some(ok),
            output: Some(output.into()),
            ..Event::new(EventKind::ToolResult)
        }
    }

    fn said(text: &str) -> Event {
        Event {
            text: Some(text.into()),
            ..Event::new(EventKind::Assistant)
        }
    }

    #[test]
    fn calls_stand_with_their_results_and_the_final_message_last() {
        let events = [
            said("let me look"),
            call("1", "lookup", json!({"order": "A"})),
            result("1", true, "found"),
            call("2", "submit", json!({"message": "42"})),
            result("2", true, "42"),
        ];
        let log = String::from_utf8(calls_log(&events)).unwrap();
        let lines: Vec<Value> = log
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["output"], "found");
        assert_eq!(lines[0]["n"], 1);
        assert_eq!(lines[2], json!({"final": "42"}));
    }

    #[test]
    fn what_was_said_before_a_call_is_no_final_message() {
        let ended = [said("first"), said("the answer is 7")];
        assert_eq!(final_message(&ended), Some("the answer is 7"));
        let cut = [said("first"), call("1", "bash", json!({}))];
        assert_eq!(final_message(&cut), None);
        assert_eq!(calls_log(&[]), b"{\"final\":null}\n");
    }
}
