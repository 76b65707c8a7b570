//! Maven, Ant and Gradle.
//!
//! Must not know the XML reports of theirs.

use std::collections::VecDeque;
use std::sync::LazyLock;

use regex::Regex;

use super::shape::{Shape, shape};
use super::text::{pattern, strip};
use super::{FAILED, Input, PASSED, Raised, Statuses};
use crate::swebench::Rules;

/// Maven tells no tests that passed: each runs by a command of its own, whose echo names
/// it, and the build's result is the test's. A result belongs to the oldest command that
/// has none (5.0) or to the last command (4.1).
pub fn maven(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static COMMAND: LazyLock<Regex> = LazyLock::new(|| pattern(r"^.*-Dtest=(\S+)"));
    let mut waiting = VecDeque::new();
    let mut results = VecDeque::new();
    let mut last = "---NO TEST NAME FOUND YET---";
    let lines = input.log.split('\n').map(strip);
    for line in lines.filter(|line| !line.is_empty()) {
        let named = COMMAND.captures(line).and_then(|found| found.get(1));
        if let Some(name) = named {
            last = name.as_str();
            waiting.push_back(last);
        }
        let status = match line {
            _ if line.ends_with("BUILD SUCCESS") => PASSED,
            _ if line.ends_with("BUILD FAILURE") => FAILED,
            _ => continue,
        };
        match (input.rules, waiting.pop_front()) {
            (Rules::V4_1, _) => statuses.insert(last, status),
            (Rules::V5_0, Some(name)) => statuses.insert(name, status),
            (Rules::V5_0, None) => results.push_back(status),
        }
    }
    if input.rules == Rules::V5_0 {
        for (name, status) in waiting.into_iter().zip(results) {
            statuses.insert(name, status);
        }
    }
    Ok(())
}

/// Ant's task for JUnit: `[junit] [PASS] name`.
pub fn ant(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = shape!(r"^\[junit\]\s+\[(?<word>PASS|FAIL|ERR)\]\s+(?<name>.*)$");
    LINE.lines(input, statuses)
}

/// Gradle with a line for each test: `Class > method PASSED`. In 5.0 the status may also
/// stand alone on a later line.
pub fn gradle(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = shape!(r"^(?<name>[^>].+)\s+(?<word>PASSED|FAILED)$");
    static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[^>]\S*\s+>\s+\S+$"));
    let mut waiting = None;
    let lines = input.log.split('\n').map(strip);
    for line in lines.filter(|line| !line.is_empty()) {
        if let Some((name, status)) = LINE.read(line) {
            statuses.insert(name, status);
            waiting = None;
        } else if input.rules == Rules::V4_1 {
            continue;
        } else if NAME.is_match(line) {
            waiting = Some(line);
        } else if let (PASSED | FAILED, Some(name)) = (line, waiting) {
            statuses.insert(name, line);
            waiting = None;
        }
    }
    Ok(())
}
