//! mocha's `--reporter json`.
//!
//! Owns that report's shape. Must not know the other formats.
//!
//! **Ids.** `file::full title`, the file relative to where the tests ran, the full title
//! as mocha joins it, by blanks: `spec/calc.spec.js::calc inner adds`. The other spelling
//! is the full title; a container is a file.
//!
//! **Hooks.** A failure that is no test's is a hook's; it stands for every test whose full
//! title begins with the hook's suite, run or not.
//!
//! **Whole** is a report whose `stats` have an end and count what its lists hold, and
//! whose every test is in one of the lists of results.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::report::{Builder, Record};
use super::start::{self, Channel, Start};
use super::{FormatError, Report, json, relative};
use crate::record::TestState;

/// Where the report is written in the sandbox.
pub const REPORT: &str = "/logs/verifier/mocha.json";

/// mocha as the work tree has it, over the files. `--no-bail` and `--retries 0` undo
/// options of the configuration; `output` needs version 9.2.
pub fn command(start: Option<&str>, files: &[String]) -> Start {
    let output = format!("output={REPORT}");
    let options = [
        "--reporter",
        "json",
        "--reporter-option",
        &output,
        "--no-bail",
        "--no-parallel",
        "--retries",
        "0",
    ];
    let files: Vec<String> = files.iter().map(|file| start::path(file)).collect();
    let files = files.iter().map(String::as_str);
    Start {
        argv: start::argv(
            start.unwrap_or("node_modules/.bin/mocha"),
            options.into_iter().chain(files),
        ),
        channel: Channel::File(REPORT),
    }
}

#[derive(Deserialize)]
struct Written {
    stats: Stats,
    tests: Vec<Test>,
    passes: Vec<Test>,
    pending: Vec<Test>,
    failures: Vec<Test>,
}

#[derive(Deserialize)]
struct Stats {
    tests: u64,
    passes: u64,
    pending: u64,
    failures: u64,
    #[serde(default)]
    end: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    title: String,
    full_title: String,
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    duration: Option<f64>,
    #[serde(default)]
    err: Failure,
}

#[derive(Deserialize, Default)]
struct Failure {
    #[serde(default)]
    message: Option<String>,
}

/// Reads a report.
pub fn read(bytes: &[u8], root: &str) -> Result<Report, FormatError> {
    let written: Written = json(bytes)?;
    let mut builder = Builder::new(&["::", " "]);
    let stats = &written.stats;
    builder.expect_count("tests", stats.tests, written.tests.len());
    builder.expect_count("passes", stats.passes, written.passes.len());
    builder.expect_count("pending tests", stats.pending, written.pending.len());
    builder.expect_count("failures", stats.failures, written.failures.len());
    if stats.end.is_none() {
        builder.incomplete("the report has no end");
    }
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    for test in &written.tests {
        *open.entry(test.id(root)).or_default() += 1;
    }
    let results = [
        (&written.passes, TestState::Passed),
        (&written.pending, TestState::Skipped),
        (&written.failures, TestState::Failed),
    ];
    for (tests, state) in results {
        for test in tests {
            let id = test.id(root);
            match open.get_mut(&id) {
                Some(left) if *left > 0 => *left -= 1,
                _ if state == TestState::Failed => {
                    let suite = test.suite(root);
                    if suite.is_empty() {
                        builder.incomplete(format!("a hook failed: {}", test.full_title));
                    }
                    builder.group(&suite, test.record(TestState::Error))?;
                    continue;
                }
                _ => builder.incomplete(format!("{id} has more results than tests")),
            }
            add(&mut builder, &id, test.record(state))?;
        }
    }
    for (id, left) in open {
        if left > 0 {
            builder.incomplete(format!("{id} has no result"));
            let record = Record::new(TestState::Missing, 0, "it has no result");
            add(&mut builder, &id, record)?;
        }
    }
    Ok(builder.finish())
}

fn add(builder: &mut Builder, id: &str, record: Record) -> Result<(), FormatError> {
    if let Some((file, title)) = id.split_once("::") {
        builder.within(id, file);
        builder.spell(id, title);
    }
    builder.add(id, record)
}

impl Test {
    fn id(&self, root: &str) -> String {
        match &self.file {
            Some(file) => format!("{}::{}", relative(file, root), self.full_title),
            None => self.full_title.clone(),
        }
    }

    /// What a hook is in: its full title without its own, else its file.
    fn suite(&self, root: &str) -> String {
        let suite = self
            .full_title
            .strip_suffix(&self.title)
            .unwrap_or_default();
        match (&self.file, suite.trim_end()) {
            (Some(file), "") => relative(file, root).to_owned(),
            (Some(file), suite) => format!("{}::{suite}", relative(file, root)),
            (None, suite) => suite.to_owned(),
        }
    }

    fn record(&self, state: TestState) -> Record {
        let message = self.err.message.as_deref().unwrap_or_default();
        let ms = self.duration.unwrap_or_default();
        Record::new(state, ms.round() as u64, message)
    }
}
