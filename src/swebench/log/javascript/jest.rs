//! Jest, Vitest and TAP: a line for each test, without its suites.
//!
//! Must not know trees of suites.

use super::super::shape::{Shape, shape, usual};
use super::super::text::{pattern, strip};
use super::super::{FAILED, Input, PASSED, Raised, SKIPPED, Statuses};
use crate::swebench::Rules;

/// `jest --verbose`: tests of one name in two suites are one.
pub fn jest(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = Shape::new(
        || pattern(r"^(?<word>✓|✕|○)\s(?<name>.+?)(?:\s\((?:\d+\s*m?s)\))?$"),
        marked,
    );
    let lines = input.log.split('\n').map(strip);
    for line in lines.filter(|line| !line.is_empty()) {
        if let Some((name, status)) = LINE.read(line) {
            let name = match input.rules {
                Rules::V4_1 => name,
                Rules::V5_0 => strip(name),
            };
            statuses.insert(name, status);
        }
    }
    Ok(())
}

/// `jest --json`, as its lines were made of it: `[PASSED] suite name`.
pub fn jest_json(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = shape!(r"^\[(?<word>PASSED|FAILED)\]\s(?<name>.+)$");
    LINE.lines(input, statuses)
}

/// `vitest --reporter=verbose`: a number that ends a name is taken for its time.
pub fn vitest(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = Shape::new(
        || pattern(r"^(?<word>✓|×|↓)\s(?<name>.+?)(?:\s(?:\d+\s*m?s?|\[skipped\]))?$"),
        marked,
    );
    LINE.lines(input, statuses)
}

/// TAP: `ok 1 name`.
pub fn tap(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = Shape::new(|| pattern(r"^(?<word>ok|not ok) \d+ (?<name>.+)$"), usual);
    LINE.lines(input, statuses)
}

/// immutable-js changed how it runs Jest, so that the pull request decides.
pub fn immutable_js(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    match input.about.instance_id.rsplit('-').next() {
        Some("2006") => jest(input, statuses),
        Some("2005") => jest_json(input, statuses),
        _ => Err(Raised("ValueError")),
    }
}

fn marked(mark: &str) -> Option<&'static str> {
    match mark {
        "✓" => Some(PASSED),
        "✕" | "×" => Some(FAILED),
        "○" | "↓" => Some(SKIPPED),
        _ => None,
    }
}
