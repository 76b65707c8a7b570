//! What tests showed → their results, by the parser that a task names.
//!
//! Plain functions. Each keeps its parser's own rule of what counts as passed.

use std::sync::LazyLock;

use regex::Regex;

use crate::record::{Expect, TestRecord, TestState};
use crate::task::terminal_bench::Parser;

/// Most tests of one text.
const MOST: usize = 100_000;
/// Longest name, bytes.
const LONGEST: usize = 4096;

/// A text without results.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoResults {
    #[error("the tests showed no `short test summary info`")]
    Summary,
    #[error("the tests did not show `{name} results starts here` and `{name} results ends here`")]
    Markers { name: &'static str },
}

/// The results in a text; of a name that stands there twice the last one counts.
pub fn results(parser: Parser, text: &str) -> Result<Vec<TestRecord>, NoResults> {
    match parser {
        Parser::Pytest => pytest(text),
        Parser::SweBench => marked(text, "SWEBench"),
        Parser::SwePerf => marked(text, "SWE-Perf"),
        // Without markers it is the whole text that must say so.
        Parser::MleBench => {
            let passed = between(text, "MLEBench").trim() == "ALL TESTS PASSED";
            Ok(vec![whole("tests", passed)])
        }
        Parser::SweLancer => Ok(vec![whole("swelancer_task", lancer(text))]),
    }
}

fn marked(text: &str, name: &'static str) -> Result<Vec<TestRecord>, NoResults> {
    let has = |end: &str| text.contains(&format!("{name} results {end} here"));
    if !has("starts") || !has("ends") {
        return Err(NoResults::Markers { name });
    }
    let passed = between(text, name).trim() == "PASSED";
    Ok(vec![whole("tests", passed)])
}

/// From the first beginning to the last end; where one is missing, to the text's own.
fn between<'t>(text: &'t str, name: &str) -> &'t str {
    let begin = format!("{name} results starts here");
    let after = text.split_once(&begin).map_or(text, |(_, after)| after);
    let end = format!("{name} results ends here");
    after.rsplit_once(&end).map_or(after, |(before, _)| before)
}

fn lancer(text: &str) -> bool {
    let text = text.to_lowercase();
    let says = |words: &str| text.contains(words);
    match (says("swe lancer success"), says("swe lancer failure")) {
        (true, _) => true,
        (false, true) => false,
        (false, false) => says("user_tool") && says("completed"),
    }
}

fn whole(id: &str, passed: bool) -> TestRecord {
    record(id, if passed { "PASSED" } else { "FAILED" }, None)
}

/// The lines behind the heading of pytest's short summary.
fn pytest(text: &str) -> Result<Vec<TestRecord>, NoResults> {
    static HEADING: LazyLock<Regex> = LazyLock::new(|| {
        let heading = r"(?i)=+\s*short test summary info\s*=+";
        Regex::new(heading).expect("a constant pattern")
    });
    let heading = HEADING.find(text).ok_or(NoResults::Summary)?;
    let mut tests: Vec<TestRecord> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for line in text[heading.end()..].lines() {
        let Some(test) = line_of_pytest(line) else {
            continue;
        };
        match places.get(&test.id) {
            Some(&place) => tests[place] = test,
            None if tests.len() < MOST => {
                places.insert(test.id.clone(), tests.len());
                tests.push(test);
            }
            None => {}
        }
    }
    Ok(tests)
}

/// `STATUS path::name - reason`. A line that begins with anything else says nothing.
fn line_of_pytest(line: &str) -> Option<TestRecord> {
    let (word, rest) = line.trim_start().split_once(char::is_whitespace)?;
    let word = word.trim_matches(':');
    let states = ["PASSED", "FAILED", "ERROR", "SKIPPED", "XFAIL", "XPASS"];
    if !states.contains(&word) {
        return None;
    }
    let (path, reason) = reason_apart(rest.trim());
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    (!name.is_empty() && name.len() <= LONGEST).then(|| record(name, word, reason))
}

/// A reason stands behind ` - `, which a parameter may hold as well.
fn reason_apart(rest: &str) -> (&str, Option<&str>) {
    for (at, dash) in rest.match_indices(" - ") {
        let name = &rest[..at];
        if name.matches('[').count() <= name.matches(']').count() {
            return (name.trim_end(), Some(rest[at + dash.len()..].trim()));
        }
    }
    (rest, None)
}

/// What is skipped, or fails as expected, counts as passed.
fn record(id: &str, word: &str, message: Option<&str>) -> TestRecord {
    let (state, excused) = match word {
        "PASSED" => (TestState::Passed, false),
        "SKIPPED" => (TestState::Skipped, true),
        "XFAIL" => (TestState::Xfailed, true),
        "XPASS" => (TestState::Xpassed, false),
        "ERROR" => (TestState::Error, false),
        _ => (TestState::Failed, false),
    };
    TestRecord {
        id: id.to_owned(),
        expect: Expect::Pass,
        state,
        excused,
        ms: 0,
        message: message
            .filter(|message| !message.is_empty())
            .map(|message| crate::verify::junit::cut(message, 500)),
    }
}
