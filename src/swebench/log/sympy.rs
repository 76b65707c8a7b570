//! sympy's own runner: `test_name ok`, and a header over each failure.
//!
//! Must not know other runners.

use std::sync::LazyLock;

use regex::Regex;

use super::text::{pattern, strip, words};
use super::{ERROR, FAILED, Input, PASSED, Raised, Statuses};

/// Tests by their function's bare name; failures with a header also as `file.py:name`.
pub fn read(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    // Underscores stand around a header, but none need to.
    static HEADER: LazyLock<Regex> = LazyLock::new(|| pattern(r"_* (.*)\.py:(.*) _*"));
    for found in HEADER.captures_iter(input.log) {
        let (_, [file, name]) = found.extract();
        statuses.insert(&format!("{file}.py:{name}"), FAILED);
    }
    for line in input.log.split('\n').map(strip) {
        if !line.starts_with("test_") {
            continue;
        }
        let status = match line {
            _ if line.ends_with(" E") => ERROR,
            _ if line.ends_with(" F") => FAILED,
            _ if line.ends_with(" ok") => PASSED,
            _ => continue,
        };
        statuses.insert(words(line).next().unwrap_or(line), status);
    }
    Ok(())
}
