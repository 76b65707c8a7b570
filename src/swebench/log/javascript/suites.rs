//! Trees of suites by their indents.
//!
//! Must not know how suites without a tree look.

use std::sync::LazyLock;

use regex::Regex;

use super::super::text::{indent, is_space, pattern, strip, strip_start, without_escapes};
use super::super::{FAILED, Input, PASSED, Raised, Statuses};

/// The suites around a line, the outermost first.
#[derive(Default)]
pub struct Suites<'a> {
    names: Vec<&'a str>,
    indents: Vec<usize>,
}

impl<'a> Suites<'a> {
    /// Takes an indented line for a suite: it ends those that are not further to the left.
    pub fn line(&mut self, line: &'a str) {
        let indent = indent(line);
        if indent == 0 {
            return;
        }
        while self.indents.last().is_some_and(|last| *last >= indent) {
            self.indents.pop();
            self.names.pop();
        }
        self.indents.push(indent);
        self.names.push(strip(line));
    }

    /// The full name of a test of the innermost suite.
    fn name(&mut self, name: &'a str, statuses: &mut Statuses) -> Option<String> {
        self.names.push(name);
        let full = statuses.joined(&self.names, " - ");
        self.names.pop();
        full
    }

    /// Sets the status of a test of the innermost suite.
    pub fn test(&mut self, name: &'a str, status: &str, statuses: &mut Statuses) {
        if let Some(name) = self.name(name, statuses) {
            statuses.insert(&name, status);
        }
    }
}

/// wp-calypso's runs of Jest, each up to its summary.
pub fn calypso(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    let mut suites = Suites::default();
    for run in input.log.split(" ./node_modules/.bin/jest ").skip(1) {
        for line in run.split('\n') {
            if line.starts_with("Test Suites") || line.starts_with("  ● ") {
                break;
            }
            let status = match strip_start(line).chars().next() {
                Some('✓') => PASSED,
                Some('✕') => FAILED,
                _ => {
                    suites.line(line);
                    continue;
                }
            };
            let name = timed(line).ok_or(Raised("AttributeError"))?;
            if suites.names.is_empty() {
                // The sign between suites and test stands there without suites too.
                statuses.insert(strip(&format!(" - {name}")), status);
            } else if let Some(name) = suites.name(name, statuses) {
                statuses.insert(strip(&name), status);
            }
        }
    }
    Ok(())
}

/// The name in a line of calypso's; a time ends it, where the line has one.
fn timed(line: &str) -> Option<&str> {
    static TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"\(\d+ms\)"));
    static AT_END: LazyLock<Regex> = LazyLock::new(|| pattern(r"\(\d+ms\)$"));
    let rest = strip_start(line);
    let (_, name) = (rest.len() < line.len())
        .then(|| rest.split_at_checked('✓'.len_utf8()))
        .flatten()?;
    let name = name.strip_prefix(is_space)?;
    match TIME.is_match(line) {
        true => name.get(..AT_END.find(name)?.start()),
        false => Some(name),
    }
}

/// next's runs: of version 1.27 by Cypress, of others by Karma.
pub fn next(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    match input.about.version {
        "1.27" => next_cypress(input.log, statuses),
        _ => next_karma(input.log, statuses),
    }
    Ok(())
}

/// The tree that Karma writes once its browser has started, up to the totals.
fn next_karma(log: &str, statuses: &mut Statuses) {
    static MESSAGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"AssertionError:\s+#(?s:.*?)\n\n"));
    let log = without_escapes(log);
    let log = MESSAGE.replace_all(&log, "");
    let mut suites = Suites::default();
    for run in log.split(" xvfb-run ").skip(1) {
        let run = run.rsplit("Starting browser Chrome").next().unwrap_or(run);
        for line in run
            .split('\n')
            .take_while(|line| !line.starts_with("TOTAL"))
        {
            let start = strip_start(line);
            let is_noise = ["ERROR", "LOG", "WARN", "Check", "in"]
                .into_iter()
                .any(|word| start.starts_with(word));
            if is_noise {
                continue;
            }
            let marked = |mark| Some(strip_start(line.split_once(mark)?.1));
            match (marked('✗'), marked('✓')) {
                (Some(name), _) => suites.test(name, FAILED, statuses),
                (None, Some(name)) => suites.test(name, PASSED, statuses),
                (None, None) => suites.line(line),
            }
        }
    }
}

/// The spec files that Cypress runs, with their first suite and its tests.
fn next_cypress(log: &str, statuses: &mut Statuses) {
    static SUITE: LazyLock<Regex> = LazyLock::new(|| pattern(r"Running:.*\)\n{3}\s{2}(.*)\n"));
    static FAILURE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s{4}\d+\)\s(.*)"));
    static SUCCESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s{4}✓\s(.*)\("));
    let mut suites = SUITE.captures_iter(log).peekable();
    while let Some(suite) = suites.next() {
        let start = suite.get_match().end();
        let end = suites
            .peek()
            .map_or(log.len(), |next| next.get_match().start());
        let tests = log.get(start..end).unwrap_or_default();
        let suite = suite.get(1).map_or("", |name| name.as_str());
        for (line, status) in [(&FAILURE, FAILED), (&SUCCESS, PASSED)] {
            for test in line.captures_iter(tests) {
                let name = strip(test.get(1).map_or("", |name| name.as_str()));
                statuses.insert_joined(&[suite, name], ": ", status);
            }
        }
    }
}
