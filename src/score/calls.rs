//! Tool calls in numbers, from a trajectory's events.
//!
//! Owns what counts as a call and as an error. Must not know tools' meanings.

use std::collections::BTreeMap;

use crate::trajectory::{Event, EventKind};

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
}
