//! Test points of TAP: descriptions, directives, plans, details.
//!
//! Owns what a single line says. Must not know how lines make a stream (`super::tap`
//! does).

use super::report::{Builder, Record, is_bad};
use super::{FormatError, relative};
use crate::record::TestState;

/// A test point, with those of its subtests.
pub(super) struct Point {
    pub name: String,
    pub record: Record,
    pub children: Vec<Point>,
}

impl Point {
    pub fn new(ok: bool, unnamed: String, rest: &str, children: Vec<Point>) -> Self {
        let (description, directive) = split(rest);
        let description = description.strip_prefix("- ").unwrap_or(description);
        let description = match description {
            "-" => "",
            other => other.trim(),
        };
        let (mut state, reason) = match (ok, directive) {
            // A skipped test that failed all the same is no skip.
            (true, Some(Directive::Skip(reason))) => (TestState::Skipped, reason),
            (true, Some(Directive::Todo(reason))) => (TestState::Xpassed, reason),
            (false, Some(Directive::Todo(reason))) => (TestState::Xfailed, reason),
            (true, None) => (TestState::Passed, ""),
            (false, _) => (TestState::Failed, ""),
        };
        let mut reason = reason.to_owned();
        if state == TestState::Passed && children.iter().any(|child| is_bad(child.record.state)) {
            state = TestState::Failed;
            reason = "it is said to have passed, but a subtest of it failed".to_owned();
        }
        let name = match description {
            "" => unnamed,
            name => unescape(name),
        };
        Self {
            name,
            record: Record::new(state, 0, &reason),
            children,
        }
    }

    /// Takes a line of the point's own details; whether a text follows.
    pub fn told(&mut self, line: &str) -> bool {
        let Some((key, value)) = line.split_once(':') else {
            return false;
        };
        let value = value.trim();
        let Record { state, ms, .. } = self.record;
        match key {
            "duration_ms" => {
                let ms = value.parse::<f64>().unwrap_or_default();
                self.record.ms = ms.round() as u64;
            }
            "error" | "message" if value.starts_with(['|', '>']) => return true,
            "error" | "message" if state != TestState::Passed => {
                let text = value.trim_matches(['\'', '"']);
                self.record = Record::new(state, ms, text);
            }
            "failureType" if state == TestState::Failed => {
                let broke = ["'hookFailed'", "'cancelledByParent'"].contains(&value);
                self.record.state = if broke { TestState::Error } else { state };
            }
            _ => {}
        }
        false
    }

    pub fn write(self, prefix: &str, root: &str, builder: &mut Builder) -> Result<(), FormatError> {
        let id = match prefix {
            "" => relative(&self.name, root).to_owned(),
            prefix => format!("{prefix}{}", self.name),
        };
        let explained = self.children.iter().any(|point| is_bad(point.record.state));
        if self.record.state != TestState::Passed && !explained {
            builder.group(&id, self.record.clone())?;
        }
        if let Some((file, _)) = prefix.split_once("::") {
            builder.within(&id, file);
        }
        builder.add(&id, self.record)?;
        let prefix = format!("{id} > ");
        for child in self.children {
            child.write(&prefix, root, builder)?;
        }
        Ok(())
    }
}

enum Directive<'a> {
    Skip(&'a str),
    Todo(&'a str),
}

/// `1..N`, and the reason of `1..0 # SKIP reason`.
pub(super) fn plan(line: &str) -> Option<(u64, Option<&str>)> {
    let rest = line.strip_prefix("1..")?;
    let (count, rest) = match rest.split_once('#') {
        Some((count, comment)) => (count, Some(comment.trim())),
        None => (rest, None),
    };
    let count = count.trim();
    let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let count = digits.then(|| count.parse::<u64>().unwrap_or(u64::MAX - 1))?;
    let reason = rest.and_then(directive);
    Some(match reason {
        Some(Directive::Skip(reason)) => (count, Some(reason)),
        _ => (count, (count == 0).then_some("")),
    })
}

/// `ok` or `not ok`, and the rest of a test point.
pub(super) fn point(line: &str) -> Option<(bool, &str)> {
    let (ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    (rest.is_empty() || rest.starts_with(' ')).then(|| (ok, rest.trim_start()))
}

/// The description, and the directive behind the last `#` that begins one.
fn split(rest: &str) -> (&str, Option<Directive<'_>>) {
    // What opens a TAP 14 subtest in the block form.
    let rest = rest.strip_suffix(" {").unwrap_or(rest);
    let bytes = rest.as_bytes();
    let hashes = rest.match_indices('#').map(|(at, _)| at);
    let marks = hashes.filter(|&at| at == 0 || bytes[at - 1].is_ascii_whitespace());
    for at in marks.collect::<Vec<_>>().into_iter().rev() {
        let comment = rest[at + 1..].trim();
        if let Some(directive) = directive(comment) {
            return (rest[..at].trim_end(), Some(directive));
        }
        if comment.starts_with("time=") {
            return (rest[..at].trim_end(), None);
        }
    }
    (rest, None)
}

fn directive(comment: &str) -> Option<Directive<'_>> {
    let word = comment.split([' ', '\t']).next().unwrap_or_default();
    let reason = comment[word.len()..].trim();
    let lower = word.to_ascii_lowercase();
    match lower.trim_end_matches(':') {
        "todo" => Some(Directive::Todo(reason)),
        _ if lower.starts_with("skip") => Some(Directive::Skip(reason)),
        _ => None,
    }
}

/// Undoes `\#` and `\\`; other escapes are the runner's own and stay.
pub(super) fn unescape(name: &str) -> String {
    let mut out = String::new();
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(&next @ ('#' | '\\'))) => {
                out.push(next);
                characters.next();
            }
            _ => out.push(character),
        }
    }
    out
}
