//! The turns of a trajectory: what was said, what was called, what the harness saw.
//!
//! Owns how a trajectory is laid out, folded or whole. Must not know what became of
//! the trial.

use super::call::{Came, came, first_line, gist, whole};
use crate::record::{Flag, Usage};
use crate::report::number::{milliseconds, thousands};
use crate::report::style::Style;
use crate::report::text::{fit, left, plural, right, sanitize, width, wrapped};
use crate::trajectory::{Event, EventKind, results};

/// The most lines that are shown of a folded trajectory; the middle is left out beyond.
const MOST: usize = 400;

/// The most lines of what was said, and of an error, while they are folded.
const SAID: usize = 6;
const WRONG: usize = 3;

/// Columns in front of what was said or called: a number and a name.
const BEFORE: usize = 17;

/// How a trajectory is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub columns: usize,
    /// Nothing is folded.
    pub full: bool,
    pub style: Style,
}

impl Layout {
    /// Room for what was said or called, beside its time and what came of it.
    fn what(self) -> usize {
        (self.columns.saturating_sub(BEFORE + 13) * 3 / 5).clamp(30, 72)
    }

    /// Room for lines that have nothing beside them.
    fn wide(self) -> usize {
        self.columns.saturating_sub(BEFORE).max(20)
    }
}

/// The turns, calls and harness events of a trajectory, with the flags that are
/// about calls.
pub(super) fn turns(events: &[Event], flags: &[Flag], layout: Layout) -> Vec<String> {
    let results = results(events);
    let mut telling = Telling {
        layout,
        flags,
        lines: Vec::new(),
        turns: events.iter().any(|e| e.kind == EventKind::Assistant),
        number: 0,
        unsaid: None,
        calls: 0,
        instructed: false,
    };
    for (at, event) in events.iter().enumerate() {
        match event.kind {
            EventKind::System => telling.system(event),
            EventKind::User => telling.user(event),
            EventKind::Assistant => {
                let calls = events.get(at + 1).map(|next| next.kind);
                telling.assistant(event, calls == Some(EventKind::ToolCall));
            }
            EventKind::ToolCall => telling.call(event, results.get(&at).copied()),
            EventKind::Harness => telling.harness(event),
            EventKind::ToolResult => {}
        }
    }
    let mut lines = telling.lines;
    if lines.len() > MOST && !layout.full {
        let hidden = lines.len() - MOST;
        let note = format!(
            "      … {} left out; --full shows them …",
            plural(hidden, "line")
        );
        lines.splice(MOST / 2..MOST / 2 + hidden, [note]);
    }
    lines
}

/// A trajectory as far as it is told.
struct Telling<'a> {
    layout: Layout,
    flags: &'a [Flag],
    lines: Vec<String>,
    /// Whether there are any; else calls are numbered.
    turns: bool,
    number: usize,
    /// The number of a turn that has no line yet.
    unsaid: Option<usize>,
    calls: u64,
    /// The first thing said to the model is the task.
    instructed: bool,
}

impl Telling<'_> {
    /// The number that the next line bears, once.
    fn take_number(&mut self) -> String {
        self.unsaid.take().map_or(String::new(), |n| n.to_string())
    }

    /// `   7  bash       python -m pytest -q         812 ms`, without its end.
    fn begin(&mut self, name: &str, what: &str, time: &str) -> String {
        let number = self.take_number();
        let name = left(name, width(name).clamp(9, 24));
        let room = (BEFORE + self.layout.what()).saturating_sub(8 + width(&name));
        format!(
            "{number:>4}  {name}  {}  {}",
            left(what, room),
            right(time, 8)
        )
    }

    /// The same with what came of it: `   11 passed`.
    fn line(&mut self, name: &str, what: &str, time: &str, came: &str) {
        let line = self.begin(name, what, time);
        self.lines.push(format!("{line}   {came}"));
    }

    fn below(&mut self, lines: impl IntoIterator<Item = String>) {
        let indent = " ".repeat(BEFORE);
        let lines = lines.into_iter().map(|line| format!("{indent}{line}"));
        self.lines.extend(lines);
    }

    /// Under a name, with a time and a note beside the first line.
    fn said(&mut self, name: &str, text: &str, beside: (&str, &str), dim: bool) {
        let (Layout { full, style, .. }, what) = (self.layout, self.layout.what());
        let mut lines = wrapped(text, if full { self.layout.wide() } else { what });
        let long = lines.len() > SAID + 1 && !full;
        lines = folded(lines, SAID, full);
        if dim || long {
            lines = lines.iter().map(|line| style.dim(line)).collect();
        }
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_default();
        let (time, note) = (beside.0, style.dim(beside.1));
        match (width(&first) > what, beside == ("", "")) {
            // Unfolded lines may take the room of what stands beside them.
            (true, true) => {
                let line = self.begin(name, "", "");
                let line = left(line.trim_end(), BEFORE);
                self.lines.push(format!("{line}{first}"));
            }
            (true, false) => {
                self.line(name, "", time, &note);
                self.below([first]);
            }
            (false, _) => self.line(name, &first, time, &note),
        }
        self.below(lines);
    }

    /// As [`Telling::said`], folded to one line.
    fn mentioned(&mut self, name: &str, text: &str, beside: (&str, &str)) {
        if self.layout.full {
            return self.said(name, text, beside, true);
        }
        let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
        let first = sanitize(lines.first().copied().unwrap_or_default().trim());
        let hidden = match lines.len() {
            0 | 1 => String::new(),
            n => format!(" … {}", more(n - 1)),
        };
        let room = self.layout.what().saturating_sub(width(&hidden));
        let what = match width(&first) > room && !hidden.is_empty() {
            true => format!(
                "{}{hidden}",
                fit(&first, room).trim_end_matches('…').trim_end()
            ),
            false => format!("{}{hidden}", fit(&first, room)),
        };
        let style = self.layout.style;
        self.line(name, &style.dim(&what), beside.0, &style.dim(beside.1));
    }

    fn system(&mut self, event: &Event) {
        let tools = event.tools.as_ref().and_then(|tools| tools.as_array());
        let names: Vec<String> = tools
            .into_iter()
            .flatten()
            .filter_map(|tool| tool.get("name")?.as_str().map(sanitize))
            .collect();
        let offered = match names.len() {
            0 => String::new(),
            n => plural(n, "tool"),
        };
        self.mentioned("system", text(event), ("", &offered));
        if self.layout.full && !names.is_empty() {
            self.mentioned("tools", &names.join(", "), ("", ""));
        }
    }

    fn user(&mut self, event: &Event) {
        // What the harness says later is no more than a line in the margin.
        let name = if self.instructed { "user" } else { "task" };
        self.instructed = true;
        self.mentioned(name, text(event), ("", ""));
    }

    fn assistant(&mut self, event: &Event, calls: bool) {
        self.number += 1;
        if self.layout.full && !self.lines.is_empty() {
            self.lines.push(String::new());
        }
        self.unsaid = Some(self.number);
        let time = event.ms.map_or(String::new(), milliseconds);
        let mut notes: Vec<String> = event.usage.as_ref().map(tokens).into_iter().collect();
        notes.extend(finish(event));
        let notes = notes.join(" · ");
        let mut beside = (time.as_str(), notes.as_str());
        let reasoning = event.reasoning.as_deref().unwrap_or_default();
        if !reasoning.trim().is_empty() {
            self.mentioned("reasoning", reasoning, beside);
            beside = ("", "");
        }
        let text = text(event);
        let told = self.unsaid.is_none();
        match text.trim().is_empty() {
            false => self.said("assistant", text, beside, false),
            true if !calls && !told => self.said("assistant", "(said nothing)", beside, true),
            // Turns that only call begin with their call.
            true if !told && (self.layout.full || finish(event).is_some()) => {
                self.said("assistant", "", beside, false);
            }
            true => {}
        }
    }

    fn call(&mut self, event: &Event, result: Option<&Event>) {
        self.calls += 1;
        if !self.turns {
            self.unsaid = Some(self.calls as usize);
        }
        let Layout {
            full,
            style,
            columns,
        } = self.layout;
        let (gist, came) = (gist(event), came(event, result, full));
        let time = match (&event.invalid, result.and_then(|result| result.ms)) {
            (None, Some(ms)) => milliseconds(ms),
            _ => String::new(),
        };
        let tool = sanitize(event.tool.as_deref().unwrap_or("?"));
        let note = match &came {
            Came::Nothing => String::new(),
            Came::Well(text) => text.clone(),
            Came::Status(text) => style.warn(text),
            Came::Error(text) => style.warn(&format!("✘ {}", first_line(text))),
        };
        let line = self.begin(&tool, &gist, &time);
        match &came {
            // An error that has no room beside the call stands below it.
            Came::Error(error)
                if width(&line) + 3 + width(&note) > columns || full && error.contains('\n') =>
            {
                self.lines.push(line);
                let lines = folded(
                    wrapped(&format!("✘ {error}"), self.layout.wide()),
                    WRONG,
                    full,
                );
                self.below(lines.iter().map(|line| style.warn(line)));
            }
            _ => self.lines.push(format!("{line}   {note}")),
        }
        if full {
            self.unfold(event, result, &gist);
        }
        let raised = self.flags.iter();
        let raised = raised.filter(|flag| flag.step == Some(event.seq));
        for flag in raised {
            let text = format!("{}  {}", flag.kind, flag.detail);
            let lines = wrapped(&text, columns.saturating_sub(8));
            for (at, line) in lines.iter().enumerate() {
                let sign = if at == 0 { '!' } else { ' ' };
                let line = style.warn(&format!("{sign} {line}"));
                self.lines.push(format!("      {line}"));
            }
        }
    }

    /// All that a call was given and gave back.
    fn unfold(&mut self, event: &Event, result: Option<&Event>, gist: &str) {
        let style = self.layout.style;
        let given = whole(event, self.layout.wide());
        let told = given.len() <= 1 && width(gist) <= self.layout.what();
        if !told || given.first().is_some_and(|line| line != gist) {
            self.below(given);
        }
        let output = result.and_then(|result| result.output.as_deref());
        let output = wrapped(output.unwrap_or_default(), self.layout.wide() - 2);
        self.below(output.iter().map(|line| style.dim(&format!("│ {line}"))));
    }

    fn harness(&mut self, event: &Event) {
        let Layout { columns, style, .. } = self.layout;
        let name = sanitize(event.event.as_deref().unwrap_or("harness"));
        let said = format!("{name}  {}", text(event));
        let time = event.ms.map(milliseconds);
        let room = match time {
            Some(_) => BEFORE + self.layout.what() - 8,
            None => columns.saturating_sub(8),
        };
        let lines = folded(wrapped(&said, room), WRONG, self.layout.full);
        for (at, line) in lines.iter().enumerate() {
            let sign = if at == 0 { '·' } else { ' ' };
            let line = match &time {
                Some(time) if at == 0 => format!("{}  {}", left(line, room), right(time, 8)),
                _ => line.clone(),
            };
            let line = match name.as_str() {
                "submitted" => style.dim(&line),
                _ => style.warn(&line),
            };
            self.lines.push(format!("      {sign} {line}"));
        }
    }
}

fn text(event: &Event) -> &str {
    event.text.as_deref().unwrap_or_default()
}

/// At most so many lines, and how many more there are; one more has room itself.
fn folded(mut lines: Vec<String>, most: usize, full: bool) -> Vec<String> {
    if lines.len() > most + 1 && !full {
        let hidden = lines.len() - most;
        lines.truncate(most);
        lines.push(format!("… {}", more(hidden)));
    }
    lines
}

fn more(lines: usize) -> String {
    match lines {
        1 => "1 more line".to_owned(),
        n => format!("{n} more lines"),
    }
}

/// `1.4 k in · 80 out`.
fn tokens(usage: &Usage) -> String {
    let given = usage.input + usage.cache_read + usage.cache_write;
    format!(
        "{} in · {} out",
        thousands(given as f64),
        thousands((usage.output + usage.reasoning) as f64)
    )
}

/// Why a reply ended, where that is worth a word.
fn finish(event: &Event) -> Option<String> {
    let finish = event.finish.as_deref()?;
    let natural = [
        "stop",
        "tool_calls",
        "end_turn",
        "tool_use",
        "function_call",
        "completed",
    ];
    (!natural.contains(&finish)).then(|| format!("ended {}", sanitize(finish)))
}
