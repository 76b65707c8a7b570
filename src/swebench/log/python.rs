//! pytest's summary lines, and the runners of projects that write almost the same.
//!
//! Must not know the runners of django and sympy.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::text::{is_digit, pattern, words};
use super::{FAILED, Input, PASSED, Raised, SKIPPED, STATUSES, Statuses};
use crate::swebench::Rules;

/// `STATUS id …`, an id ending at its first blank.
pub fn pytest(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    for line in input.log.split('\n') {
        summary(input.rules, line, |id, status| statuses.insert(id, status));
    }
    Ok(())
}

/// The same, and where an id's options are a path, the path's last part.
pub fn pytest_options(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    for line in input.log.split('\n') {
        summary(input.rules, line, |id, status| {
            statuses.insert(&with_short_option(id), status);
        });
    }
    Ok(())
}

/// pytest's lines with the buttons of a mouse by their numbers.
pub fn matplotlib(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    for line in input.log.split('\n') {
        let line = match line.contains("MouseButton.") {
            true => Cow::Owned(
                line.replace("MouseButton.LEFT", "1")
                    .replace("MouseButton.RIGHT", "3"),
            ),
            false => Cow::Borrowed(line),
        };
        summary(input.rules, &line, |id, status| statuses.insert(id, status));
    }
    Ok(())
}

/// Ids with blanks, coloured lines, and the lines of old versions, which end in the
/// status.
pub fn pytest_v2(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static COLOUR: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[\d+m"));
    for line in input.log.split('\n') {
        let line = match line.contains(|sign| matches!(sign, '[' | '\u{1}'..='\u{1f}')) {
            true => {
                let plain = COLOUR.replace_all(line, "");
                Cow::Owned(plain.replace(|sign| matches!(sign, '\u{1}'..='\u{1f}'), ""))
            }
            false => Cow::Borrowed(line),
        };
        if begins(&line) {
            leading(input.rules, &line, statuses);
        } else if STATUSES.iter().any(|status| line.ends_with(status)) {
            trailing(input.rules, &line, statuses);
        }
    }
    Ok(())
}

/// A line that begins with its status.
fn leading(rules: Rules, line: &str, statuses: &mut Statuses) {
    if rules == Rules::V4_1 {
        return summary(rules, line, |id, status| statuses.insert(id, status));
    }
    let kept = match line.split_once(" - ") {
        Some((kept, _)) if line.starts_with(FAILED) => kept,
        _ => line,
    };
    let parts: Vec<&str> = words(kept).collect();
    match parts.as_slice() {
        [status, first, ..] if is_count_of_skipped(status, first) => {}
        [status, id @ ..] if !id.is_empty() => statuses.insert_joined(id, " ", status),
        _ => {}
    }
}

/// A line that ends with its status.
fn trailing(rules: Rules, line: &str, statuses: &mut Statuses) {
    let parts: Vec<&str> = words(line).collect();
    match (rules, parts.as_slice()) {
        (Rules::V4_1, [id, second, ..]) => statuses.insert(id, second),
        (Rules::V5_0, [id @ .., status]) if !id.is_empty() => {
            statuses.insert_joined(id, " ", status);
        }
        _ => {}
    }
}

/// The lines of seaborn's runs: passed and failed tests only.
pub fn seaborn(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    for line in input.log.split('\n') {
        let mut parts = words(line);
        let (first, second) = (parts.next(), parts.next());
        let inner = line.contains(" PASSED ");
        if !inner && !line.starts_with(FAILED) && !line.starts_with(PASSED) {
            continue;
        }
        let (Some(first), Some(second)) = (first, second) else {
            match input.rules {
                Rules::V4_1 => return Err(Raised("IndexError")),
                Rules::V5_0 => continue,
            }
        };
        if line.starts_with(FAILED) {
            statuses.insert(second, FAILED);
        } else if !inner {
            statuses.insert(second, PASSED);
        } else if second == PASSED {
            statuses.insert(first, PASSED);
        }
    }
    Ok(())
}

fn begins(line: &str) -> bool {
    STATUSES.iter().any(|status| line.starts_with(status))
}

/// Reads a line of pytest's summary: its id and its status.
fn summary(rules: Rules, line: &str, mut found: impl FnMut(&str, &str)) {
    if !begins(line) {
        return;
    }
    // A message after the id is set off by a dash, which is then no word.
    let line = match line.starts_with(FAILED) && line.contains(" - ") {
        true => Cow::Owned(line.replace(" - ", " ")),
        false => Cow::Borrowed(line),
    };
    let mut parts = words(&line);
    if let (Some(status), Some(id)) = (parts.next(), parts.next()) {
        let count = rules == Rules::V5_0 && is_count_of_skipped(status, id);
        if !count {
            found(id, status);
        }
    }
}

/// `SKIPPED [3] path:12: reason` counts tests and names none.
fn is_count_of_skipped(status: &str, id: &str) -> bool {
    let count = id.strip_prefix('[').and_then(|id| id.strip_suffix(']'));
    status == SKIPPED && count.is_some_and(|count| !count.is_empty() && count.chars().all(is_digit))
}

/// `main[/a/b]` → `main[/b]`; what stands after the last bracket goes.
fn with_short_option(id: &str) -> Cow<'_, str> {
    let parts = id.split_once('[').and_then(|(main, rest)| {
        let (option, _) = rest.rsplit_once(']')?;
        Some((main, option))
    });
    let Some((main, option)) = parts else {
        return Cow::Borrowed(id);
    };
    let is_path = option.starts_with('/') && !option.starts_with("//") && !option.contains('*');
    let last = option.rsplit('/').next().unwrap_or_default();
    Cow::Owned(match is_path {
        true => format!("{main}[/{last}]"),
        false => format!("{main}[{option}]"),
    })
}
