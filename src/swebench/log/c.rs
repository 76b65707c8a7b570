//! Runners of projects in C and C++ that write a line for each test.
//!
//! Must not know doctest's XML (`super::doctest` does).

use std::sync::LazyLock;

use regex::Regex;

use super::shape::{Shape, shape};
use super::text::{pattern, strip};
use super::{FAILED, Input, Raised, Statuses};

/// redis' and valkey's suites: `[ok]: name (3 ms)`; after a failure's name, its file.
pub fn redis(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape =
        shape!(r"^\[(?<word>ok|err|skip|ignore)\]:\s(?<name>.+?)(?:\s\((?:\d+\s*m?s)\))?$");
    static FILE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\s+in\s+\S+$"));
    let lines = input.log.split('\n').map(strip);
    for line in lines.filter(|line| !line.is_empty()) {
        match LINE.read(line) {
            Some((name, FAILED)) => statuses.insert(&FILE.replace(name, ""), FAILED),
            Some((name, status)) => statuses.insert(name, status),
            None => {}
        }
    }
    Ok(())
}

/// jq's `make check`: `PASS: name`.
pub fn jq(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = shape!(r"^(?<word>PASS|FAIL):\s(?<name>.+)$");
    LINE.lines(input, statuses)
}

/// micropython's `run-tests.py`: `pass name`.
pub fn micropython(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = shape!(r"^(?<word>pass|FAIL|skip)\s+(?<name>.+)$");
    LINE.lines(input, statuses)
}

/// GoogleTest: `[       OK ] name (3 ms)`.
pub fn googletest(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = shape!(r"^.*\[\s*(?<word>OK|FAILED)\s*\]\s(?<name>.*)\s\(.*\)$");
    LINE.lines(input, statuses)
}
