//! The steps of a trajectory, a line each.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::style::Style;
use super::text::{fit, left, plural, right, sanitize, width};
use crate::trajectory::{Event, EventKind};

/// The most lines that are shown; the middle is left out beyond.
const MOST: usize = 400;

/// Room for what a call was asked to do.
const WHAT: usize = 56;

/// The turns, calls and harness events of a trajectory.
pub(super) fn steps(events: &[Event], columns: usize, style: Style) -> Vec<String> {
    let results: HashMap<&str, &Event> = events
        .iter()
        .filter(|event| event.kind == EventKind::ToolResult)
        .filter_map(|event| event.id.as_deref().map(|id| (id, event)))
        .collect();
    let turns = events
        .iter()
        .any(|event| event.kind == EventKind::Assistant);
    let mut number = 0usize;
    let mut lines = Vec::new();
    for event in events {
        let line = match event.kind {
            EventKind::Assistant => {
                number += 1;
                let text = first_line(event.text.as_deref().unwrap_or_default());
                format!("{number:>4}  {}  {text}", style.bold("assistant"))
            }
            EventKind::ToolCall => {
                let shown = match turns {
                    true => String::new(),
                    false => {
                        number += 1;
                        number.to_string()
                    }
                };
                let result = event.id.as_deref().and_then(|id| results.get(id).copied());
                format!("{shown:>4}  {}", call(event, result, style))
            }
            EventKind::Harness => {
                let name = event.event.as_deref().unwrap_or("harness");
                let text = event.text.as_deref().unwrap_or_default();
                let text = format!("{}  {}", sanitize(name), first_line(text));
                style.dim(&format!("      · {}", text.trim_end()))
            }
            EventKind::System | EventKind::User | EventKind::ToolResult => continue,
        };
        lines.push(fit(line.trim_end(), columns));
    }
    if lines.len() > MOST {
        let hidden = lines.len() - MOST;
        let note = format!("      … {} left out …", plural(hidden, "line"));
        lines.splice(MOST / 2..MOST / 2 + hidden, [note]);
    }
    lines
}

fn call(event: &Event, result: Option<&Event>, style: Style) -> String {
    let tool = sanitize(event.tool.as_deref().unwrap_or("?"));
    let what = match (&event.arguments, &event.raw) {
        (Some(arguments), _) => asked(arguments),
        (None, Some(raw)) => first_line(raw),
        (None, None) => String::new(),
    };
    let refused = event.invalid.as_deref().map(|why| format!("✘ {why}"));
    let (time, came) = match (refused, result) {
        (Some(why), _) => (String::new(), why),
        // Submitting ends the session; its result may have nobody to go to.
        (None, None) if event.tool.as_deref() == Some("submit") => Default::default(),
        (None, None) => (String::new(), "✘ no result".to_owned()),
        (None, Some(result)) => (
            result.ms.map_or(String::new(), milliseconds),
            outcome(result),
        ),
    };
    let line = format!(
        "{}  {}  {}",
        left(&tool, width(&tool).max(9)),
        left(&what, WHAT),
        right(&time, 8)
    );
    let came = sanitize(&came);
    match came.is_empty() {
        true => line,
        false if came.starts_with('✘') => format!("{line}   {}", style.warn(&came)),
        false => format!("{line}   {came}"),
    }
}

/// What a call was asked to do: its command, its path, else its arguments.
fn asked(arguments: &Value) -> String {
    for key in ["command", "path"] {
        if let Some(text) = arguments.get(key).and_then(Value::as_str) {
            return first_line(text);
        }
    }
    match arguments {
        Value::Object(map) if map.is_empty() => String::new(),
        other => sanitize(&other.to_string()),
    }
}

/// What came of it, in a few words.
fn outcome(result: &Event) -> String {
    if result.ok == Some(false) {
        let why = result.error.as_deref().or(result.output.as_deref());
        return format!("✘ {}", first_line(why.unwrap_or("failed")));
    }
    let lines = result.output.as_deref().unwrap_or_default().lines().count();
    let lines = match lines {
        0 => String::new(),
        n => plural(n, "line"),
    };
    let cut = if result.truncated == Some(true) {
        ", cut"
    } else {
        ""
    };
    match result.exit_code {
        Some(code) if code != 0 => format!("✘ exit {code}  {lines}{cut}"),
        _ => format!("{lines}{cut}"),
    }
}

fn milliseconds(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{ms} ms"),
        _ => format!("{:.1} s", Duration::from_millis(ms).as_secs_f64()),
    }
}

/// The first line that says something, `…` where there are more.
fn first_line(text: &str) -> String {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = sanitize(lines.next().unwrap_or_default());
    match lines.next() {
        Some(_) => format!("{first} …"),
        None => first,
    }
}
