//! Tool calls in numbers, from a trajectory's events.
//!
//! Owns what counts as a call and as an error. Must not know tools' meanings.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::trajectory::{Event, EventKind, results};

/// The call that ends a session.
const SUBMIT: &str = "submit";

/// Calls of one tool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ToolTally {
    pub calls: u64,
    /// Results that were not ok; a call that never got a result is none.
    pub errors: u64,
}

/// A trajectory's turns and calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallTally {
    /// Model turns.
    pub turns: u64,
    pub calls: u64,
    pub errors: u64,
    /// By the tool's name, as it was called.
    pub by_tool: BTreeMap<String, ToolTally>,
}

/// Counts, by the same rule as the recorder does while it writes.
pub fn tally(events: &[Event]) -> CallTally {
    let mut tally = CallTally::default();
    let mut tools: BTreeMap<&str, &str> = BTreeMap::new();
    for event in events {
        match event.kind {
            EventKind::Assistant => tally.turns += 1,
            EventKind::ToolCall => {
                let tool = event.tool.as_deref().unwrap_or_default();
                tally.calls += 1;
                tally.by_tool.entry(tool.to_owned()).or_default().calls += 1;
                if let Some(id) = &event.id {
                    tools.insert(id, tool);
                }
            }
            EventKind::ToolResult if event.ok == Some(false) => {
                tally.errors += 1;
                let id = event.id.as_deref().unwrap_or_default();
                let named = event.tool.as_deref().or_else(|| tools.get(id).copied());
                let tool = named.unwrap_or_default().to_owned();
                tally.by_tool.entry(tool).or_default().errors += 1;
            }
            EventKind::ToolResult | EventKind::System | EventKind::User | EventKind::Harness => {}
        }
    }
    tally
}

/// A call, and what came back of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Made<'a> {
    /// Of the event of the call.
    pub seq: u64,
    /// As it was called.
    pub tool: &'a str,
    pub arguments: Option<&'a Value>,
    /// Arguments that were no JSON.
    pub raw: Option<&'a str>,
    /// It was not performed: there is no such tool, or its arguments do not fit.
    pub invalid: bool,
    /// None where the session ended under the call.
    pub result: Option<&'a Event>,
}

impl Made<'_> {
    /// It was performed, and came to an end.
    pub fn ended(&self) -> bool {
        !self.invalid && self.result.is_some()
    }

    /// It was performed, and nothing was wrong.
    pub fn succeeded(&self) -> bool {
        self.ended() && !self.refused()
    }

    /// It was performed, and failed.
    pub fn failed(&self) -> bool {
        self.ended() && self.refused()
    }

    fn refused(&self) -> bool {
        self.result.is_some_and(|result| result.ok == Some(false))
    }

    /// An argument that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.arguments?.get(name)?.as_str()
    }
}

/// Every call but `submit`, which is no use of a tool, in the order in which they
/// were made.
pub fn made(events: &[Event]) -> Vec<Made<'_>> {
    let results = results(events);
    let calls = events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.kind == EventKind::ToolCall);
    let made = calls.map(|(at, event)| Made {
        seq: event.seq,
        tool: event.tool.as_deref().unwrap_or_default(),
        arguments: event.arguments.as_ref(),
        raw: event.raw.as_deref(),
        invalid: event.invalid.is_some() || event.raw.is_some(),
        result: results.get(&at).copied(),
    });
    made.filter(|call| call.tool != SUBMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EventKind, id: &str) -> Event {
        Event {
            id: Some(id.to_owned()),
            ..Event::new(kind)
        }
    }

    fn call(id: &str, tool: &str) -> Event {
        Event {
            tool: Some(tool.to_owned()),
            ..event(EventKind::ToolCall, id)
        }
    }

    fn result(id: &str, ok: bool) -> Event {
        Event {
            ok: Some(ok),
            ..event(EventKind::ToolResult, id)
        }
    }

    #[test]
    fn errors_belong_to_the_tool_that_was_called() {
        let events = [
            Event::new(EventKind::System),
            Event::new(EventKind::Assistant),
            call("1", "bash"),
            call("2", "read"),
            result("2", false),
            result("1", true),
            Event::new(EventKind::Assistant),
            call("3", "bash"),
            result("3", false),
            Event::harness("submitted", "the agent submitted"),
        ];
        let tally = tally(&events);
        assert_eq!((tally.turns, tally.calls, tally.errors), (2, 3, 2));
        assert_eq!(
            tally.by_tool["bash"],
            ToolTally {
                calls: 2,
                errors: 1
            }
        );
        assert_eq!(
            tally.by_tool["read"],
            ToolTally {
                calls: 1,
                errors: 1
            }
        );
    }

    #[test]
    fn a_call_without_a_result_is_no_error() {
        assert_eq!(tally(&[call("1", "bash")]).errors, 0);
        assert_eq!(tally(&[]), CallTally::default());
    }

    #[test]
    fn a_result_belongs_to_the_first_open_call_of_its_id() {
        let events = [
            call("1", "bash"),
            call("1", "read"),
            result("1", true),
            result("1", false),
            call("1", "bash"),
            result("2", true),
            call("3", "submit"),
            result("3", true),
        ];
        let made = made(&events);
        let ends: Vec<_> = made
            .iter()
            .map(|call| (call.tool, call.succeeded(), call.failed()))
            .collect();
        assert_eq!(
            ends,
            [
                ("bash", true, false),
                ("read", false, true),
                ("bash", false, false)
            ]
        );
    }
}
