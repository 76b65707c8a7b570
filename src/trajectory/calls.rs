//! Calls with their results, and what hidden checks are told of them.
//!
//! Owns which result belongs to which call, the final message, and the form of
//! `/verifier/calls.jsonl`. Must not know what is checked with it.

use std::collections::{HashMap, VecDeque};

use serde_json::json;

use super::{Event, EventKind};

/// The result of each call, by the call's place among the events. An id may come
/// again: a result belongs to the first call of its id that has none.
pub fn results(events: &[Event]) -> HashMap<usize, &Event> {
    let mut open: HashMap<&str, VecDeque<usize>> = HashMap::new();
    let mut found = HashMap::new();
    for (at, event) in events.iter().enumerate() {
        let id = event.id.as_deref().unwrap_or_default();
        match event.kind {
            EventKind::ToolCall => open.entry(id).or_default().push_back(at),
            EventKind::ToolResult => {
                if let Some(call) = open.get_mut(id).and_then(VecDeque::pop_front) {
                    found.insert(call, event);
                }
            }
            EventKind::System | EventKind::User | EventKind::Assistant | EventKind::Harness => {}
        }
    }
    found
}

/// One JSON object a line: each call with its result, in order, and as the last
/// line the final message.
pub fn calls_log(events: &[Event]) -> Vec<u8> {
    let results = results(events);
    let calls = events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.kind == EventKind::ToolCall);
    let mut log = String::new();
    for (index, (at, call)) in calls.enumerate() {
        let result = results.get(&at);
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
    fn an_id_that_comes_again_keeps_each_call_with_its_own_result() {
        let events = [
            call("1", "bash", json!({})),
            result("1", true, "first"),
            call("1", "bash", json!({})),
            call("2", "bash", json!({})),
            result("1", true, "second"),
        ];
        let results = results(&events);
        let output = |at: usize| results.get(&at).and_then(|event| event.output.as_deref());
        assert_eq!(
            (output(0), output(2), output(3)),
            (Some("first"), Some("second"), None)
        );
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
