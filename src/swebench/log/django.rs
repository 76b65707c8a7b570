//! django's own runner: `test (class) ... ok`.
//!
//! Must not know other runners.

use std::sync::LazyLock;

use regex::Regex;

use super::text::{pattern, strip, words};
use super::{ERROR, FAILED, Input, PASSED, Raised, SKIPPED, Statuses};

/// A test whose line breaks in two has a name of its own.
const TWO_LINES: &str = "--version is equivalent to version";
/// What a migration says right before the name of a test, on the same line.
const BEFORE_A_TEST: &str = "Applying sites.0002_alter_domain_unique...test_no_migrations";

/// Names may be docstrings; what a test prints may stand between its name and its status.
pub fn read(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    let mut before = None;
    let lines = input.log.split('\n').map(strip);
    for line in lines.filter(|line| !line.is_empty()) {
        if line.contains(TWO_LINES) {
            statuses.insert(TWO_LINES, PASSED);
        }
        if let Some((name, _)) = line.split_once(" ... ") {
            before = Some(name);
        }
        let line = passed(line, statuses);
        ended(line, statuses)?;
        if let Some(name) = before.filter(|_| line.starts_with("ok")) {
            statuses.insert(name, PASSED);
        }
    }
    interrupted(input.log, statuses);
    Ok(())
}

/// Reads a line that ends in `ok`; gives what is to be read on.
fn passed<'a>(line: &'a str, statuses: &mut Statuses) -> &'a str {
    let Some(sign) = [" ... ok", " ... OK", " ...  OK"]
        .into_iter()
        .find(|sign| line.ends_with(sign))
    else {
        return line;
    };
    let line = match line.starts_with(BEFORE_A_TEST) {
        true => strip(line.split_once("...").map_or(line, |(_, rest)| rest)),
        false => line,
    };
    let name = line.rsplit_once(sign).map_or(line, |(name, _)| name);
    statuses.insert(name, PASSED);
    line
}

/// Reads a line that says that a test did not pass.
fn ended(line: &str, statuses: &mut Statuses) -> Result<(), Raised> {
    if let Some((name, _)) = line.split_once(" ... skipped") {
        statuses.insert(name, SKIPPED);
    }
    for (end, start, status) in [
        (" ... FAIL", "FAIL:", FAILED),
        (" ... ERROR", "ERROR:", ERROR),
    ] {
        if line.ends_with(end)
            && let Some((name, _)) = line.split_once(end)
        {
            statuses.insert(name, status);
        }
        if line.starts_with(start) {
            let name = words(line).nth(1).ok_or(Raised("IndexError"))?;
            statuses.insert(name, status);
        }
    }
    Ok(())
}

/// Reads the tests that passed and whose `ok` stands below a message of django's.
fn interrupted(log: &str, statuses: &mut Statuses) {
    static MESSAGES: LazyLock<[(&str, Regex); 3]> = LazyLock::new(|| {
        [
            (
                "Testing against Django installed in",
                r" (?s:.*?) silenced\)\.",
            ),
            ("Internal Server Error", ": /.*/"),
            ("System check identified no issues", r" \(0 silenced\)"),
        ]
        .map(|(start, rest)| {
            let message = format!(r"(?m)^(.*?)\s\.\.\.\s{start}{rest}\nok$");
            (start, pattern(&message))
        })
    });
    for (start, message) in MESSAGES.iter() {
        if !log.contains(start) {
            continue;
        }
        for found in message.captures_iter(log) {
            if let Some(name) = found.get(1) {
                statuses.insert(name.as_str(), PASSED);
            }
        }
    }
}
