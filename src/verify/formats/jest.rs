//! jest's `--json`.
//!
//! Owns that report's shape. Must not know the other formats.
//!
//! **Ids.** `file::full name`, the file relative to where the tests ran, the full name as
//! jest joins it, by blanks: `unit/calc.test.js::calc inner adds`. Other spellings are the
//! full name alone and `file::calc > inner > adds`; a container is a file.
//!
//! **States.** `test.failing` that fails as it should is `xfailed`, one that passes is
//! `xpassed`; skipped, focused-away and to-do tests are skipped. A file that "failed to
//! run" (an import, an `afterAll` hook), or that failed without a failing test, stands for
//! every test in it.
//!
//! **Whole** is a report that was not interrupted, whose totals count what it holds, and
//! whose `success` agrees.

use serde::Deserialize;

use super::report::{Builder, Record};
use super::start::{self, Channel, Start};
use super::{FormatError, Report, json, relative};
use crate::record::TestState;

/// Where the report is written in the sandbox.
pub const REPORT: &str = "/logs/verifier/jest.json";

/// jest as the work tree has it, over exactly these files. Nothing cached is used, no
/// snapshot is written, nothing is watched, and no first failure ends the run.
pub fn command(start: Option<&str>, files: &[String]) -> Start {
    let output = format!("--outputFile={REPORT}");
    let options = [
        "--json",
        &output,
        "--ci",
        "--no-cache",
        "--bail=0",
        "--watchAll=false",
        "--coverage=false",
    ];
    let files: Vec<String> = files.iter().map(|file| start::path(file)).collect();
    let by_path = (!files.is_empty()).then_some("--runTestsByPath");
    let arguments = options.into_iter().chain(by_path);
    Start {
        argv: start::argv(
            start.unwrap_or("node_modules/.bin/jest"),
            arguments.chain(files.iter().map(String::as_str)),
        ),
        channel: Channel::File(REPORT),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    success: bool,
    #[serde(default)]
    was_interrupted: bool,
    num_total_tests: u64,
    num_passed_tests: u64,
    num_failed_tests: u64,
    num_pending_tests: u64,
    #[serde(default)]
    num_todo_tests: u64,
    num_total_test_suites: u64,
    test_results: Vec<File>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    name: String,
    status: String,
    #[serde(default)]
    message: String,
    assertion_results: Vec<Test>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    #[serde(default)]
    ancestor_titles: Vec<String>,
    title: String,
    full_name: String,
    status: String,
    #[serde(default)]
    failing: bool,
    #[serde(default)]
    duration: Option<f64>,
    #[serde(default)]
    failure_messages: Vec<String>,
}

/// How many tests had each of jest's own results.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    todo: usize,
    pending: usize,
}

/// Reads a report.
pub fn read(bytes: &[u8], root: &str) -> Result<Report, FormatError> {
    let written: Written = json(bytes)?;
    let mut builder = Builder::new(&["::", " "]).xpass_fails();
    let mut counts = Counts::default();
    for file in &written.test_results {
        file.write(relative(&file.name, root), &mut builder, &mut counts)?;
    }
    let total = counts.passed + counts.failed + counts.todo + counts.pending;
    builder.expect_count("tests", written.num_total_tests, total);
    builder.expect_count("passed tests", written.num_passed_tests, counts.passed);
    builder.expect_count("failed tests", written.num_failed_tests, counts.failed);
    builder.expect_count("pending tests", written.num_pending_tests, counts.pending);
    builder.expect_count("tests to do", written.num_todo_tests, counts.todo);
    let files = written.test_results.len();
    builder.expect_count("test suites", written.num_total_test_suites, files);
    if written.was_interrupted {
        builder.incomplete("the run was interrupted");
    }
    let report = builder.finish();
    Ok(match report.agrees(!written.success) {
        true => report,
        false => report.refused("the report's `success` differs from its records"),
    })
}

impl File {
    fn write(
        &self,
        file: &str,
        builder: &mut Builder,
        counts: &mut Counts,
    ) -> Result<(), FormatError> {
        let failed = counts.failed;
        for test in &self.assertion_results {
            let id = format!("{file}::{}", test.full_name);
            builder.spell(&id, &test.full_name);
            let mut path = test.ancestor_titles.clone();
            path.push(test.title.clone());
            builder.spell(&id, &format!("{file}::{}", path.join(" > ")));
            builder.within(&id, file);
            builder.add(&id, test.record(counts))?;
        }
        let broke = self.message.split_once("● Test suite failed to run");
        let unexplained = self.status == "failed" && counts.failed == failed;
        if unexplained || broke.is_some() {
            let said = broke.map_or(self.message.as_str(), |(_, said)| said);
            builder.group(file, Record::new(TestState::Error, 0, said))?;
        }
        Ok(())
    }
}

impl Test {
    fn record(&self, counts: &mut Counts) -> Record {
        let (state, count) = match self.status.as_str() {
            "passed" if self.failing => (TestState::Xfailed, &mut counts.passed),
            "passed" => (TestState::Passed, &mut counts.passed),
            "failed" if self.failing => (TestState::Xpassed, &mut counts.failed),
            "failed" => (TestState::Failed, &mut counts.failed),
            "todo" => (TestState::Skipped, &mut counts.todo),
            // "pending", and whatever a later version may call what did not run.
            _ => (TestState::Skipped, &mut counts.pending),
        };
        *count += 1;
        let message = self.failure_messages.first().map_or("", String::as_str);
        let ms = self.duration.unwrap_or_default();
        Record::new(state, ms.round() as u64, message)
    }
}
