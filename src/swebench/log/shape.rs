//! Parsers whose tests are lines of one shape: a word for the status, and a name.
//!
//! Must not know which runner writes such lines.

use std::sync::LazyLock;

use regex::Regex;

use super::text::strip;
use super::{FAILED, Input, PASSED, Raised, SKIPPED, Statuses};

/// A shape of a line without the blanks around it.
pub struct Shape {
    /// Has the groups `word` and `name`.
    pattern: LazyLock<Regex>,
    /// What a word says; other words say nothing.
    status: fn(&str) -> Option<&'static str>,
}

impl Shape {
    /// A shape; the closure makes its pattern.
    pub const fn new(pattern: fn() -> Regex, status: fn(&str) -> Option<&'static str>) -> Self {
        Self {
            pattern: LazyLock::new(pattern),
            status,
        }
    }

    /// The name and the status in a line.
    pub fn read<'a>(&self, line: &'a str) -> Option<(&'a str, &'static str)> {
        let found = self.pattern.captures(line)?;
        let status = (self.status)(found.name("word").map_or("", |word| word.as_str()))?;
        Some((found.name("name")?.as_str(), status))
    }

    /// All lines of a log.
    pub fn lines(&self, input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
        let lines = input.log.split('\n').map(strip);
        for line in lines.filter(|line| !line.is_empty()) {
            if let Some((name, status)) = self.read(line) {
                statuses.insert(name, status);
            }
        }
        Ok(())
    }
}

/// The statuses of the words that most runners use.
pub fn usual(word: &str) -> Option<&'static str> {
    match word {
        "PASSED" | "PASS" | "passed" | "pass" | "ok" | "OK" | "." => Some(PASSED),
        "FAILED" | "FAIL" | "failed" | "fail" | "ERR" | "err" | "not ok" | "E" | "F" => {
            Some(FAILED)
        }
        "SKIP" | "skip" | "ignore" | "O" => Some(SKIPPED),
        _ => None,
    }
}

/// A shape with the usual words.
macro_rules! shape {
    ($pattern:literal) => {
        $crate::swebench::log::shape::Shape::new(
            || $crate::swebench::log::text::pattern($pattern),
            $crate::swebench::log::shape::usual,
        )
    };
}
pub(super) use shape;
