//! PHPUnit with `--testdox`.
//!
//! Must not know its other printers.

use std::sync::LazyLock;

use regex::Regex;

use super::text::pattern;
use super::{FAILED, Input, PASSED, Raised, SKIPPED, Statuses};

/// `Suite (Its\Class)` and the marked lines below it. Whatever looks like a suite is one,
/// PHPUnit's last line too.
pub fn read(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static SUITE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\w.+) \(.+\)$"));
    static TEST: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*([✔✘↩])\s*(.*)$"));
    // What Python prints of no suite.
    let mut suite = "None";
    for line in input.log.split('\n').filter(|line| !line.is_empty()) {
        if let Some(found) = SUITE.captures(line) {
            suite = found.get(1).map_or("", |name| name.as_str());
        } else if let Some(found) = TEST.captures(line) {
            let (_, [mark, name]) = found.extract();
            let status = match mark {
                "✔" => PASSED,
                "✘" => FAILED,
                _ => SKIPPED,
            };
            statuses.insert_joined(&[suite, name], " > ", status);
        }
    }
    Ok(())
}
