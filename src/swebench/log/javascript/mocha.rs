//! Mocha's printers, as highlight.js and Prism run them.
//!
//! Must not know the syntax of JSON (`super::json` does).

use std::sync::LazyLock;

use regex::Regex;

use super::super::text::{pattern, strip};
use super::super::{FAILED, Input, PASSED, Raised, Statuses};
use super::json;

/// highlight.js: the tree up to its counts; of the suites only the last line counts.
pub fn highlightjs(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static COUNTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\n[ \t]*\d+ passing"));
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d+\)"));
    static TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"\(\d+ms\)"));
    let end = COUNTS.find(input.log).map(|counts| counts.start());
    let tree = end.and_then(|end| input.log.get(..end));
    let mut suite = None;
    for line in tree.unwrap_or(input.log).split('\n') {
        let text = strip(line);
        let test = match text.chars().next() {
            Some(mark @ ('✓' | '✔')) => Some((mark, PASSED)),
            _ if NUMBER.is_match(text) => Some((')', FAILED)),
            _ => None,
        };
        if let Some((mark, status)) = test {
            let (_, name) = line.split_once(mark).unwrap_or_default();
            let name = TIME.replace_all(name, "");
            let parts = suite.into_iter().chain([strip(&name)]);
            statuses.insert_joined(&parts.collect::<Vec<_>>(), ".", status);
        } else if line.starts_with("  ") {
            suite = Some(text);
        }
    }
    Ok(())
}

/// Prism: the JSON after each command; whatever stands around it breaks it.
pub fn prismjs(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    const COMMAND: &str = "./node_modules/.bin/mocha tests/run.js --reporter json";
    for run in input.log.split(COMMAND).skip(1) {
        let inner = run.split_once('{').map_or(run, |(_, after)| after);
        let inner = inner.rsplit_once('}').map_or(inner, |(before, _)| before);
        let report = format!("{{{inner}}}");
        let report = json::object(&report, &["failures", "passes"])?;
        for (list, status) in [("failures", FAILED), ("passes", PASSED)] {
            let tests = report.of(list).ok_or(Raised("KeyError"))?;
            json::each_title(tests, |name| statuses.insert(name, status))?;
        }
    }
    Ok(())
}
