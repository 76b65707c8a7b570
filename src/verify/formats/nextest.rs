//! `cargo nextest run --message-format libtest-json`.
//!
//! Owns these events. Must not know the other formats; nextest's JUnit report is read
//! by `super::junit_any`, which gives the same ids.
//!
//! **Ids.** nextest's binary id and the test's path: `demo-crate::tests::adds` of a
//! library, `demo-crate::it::works` of `tests/it.rs`, `demo-crate::bin/tool::parses`.
//! Other spellings: `tests::adds`, and `demo-crate::demo_crate$tests::adds` as the
//! events have it. A container is a binary id.
//!
//! **Whole** is a report in which every suite that began has ended as often, its tests
//! are as many as it announced, and its counts agree with their results.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::report::{Builder, Record};
use super::start::{self, Channel, Start};
use super::{FormatError, Report, lines, millis, text};
use crate::record::TestState;

/// `cargo nextest run` over everything, without retries or an end at the first
/// failure. The format is experimental, so a variable allows it.
pub fn command(start: Option<&str>) -> Start {
    let options = [
        "--no-fail-fast",
        "--retries",
        "0",
        "--color",
        "never",
        "--message-format",
        "libtest-json-plus",
        "--message-format-version",
        "0.1",
    ];
    let start = start.unwrap_or("cargo nextest run");
    let mut argv = vec![
        "env".to_owned(),
        "NEXTEST_EXPERIMENTAL_LIBTEST_JSON=1".to_owned(),
    ];
    argv.extend(start::argv(start, options));
    Start {
        argv,
        channel: Channel::Stdout,
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    event: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    exec_time: f64,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    test_count: u64,
    #[serde(default)]
    passed: u64,
    #[serde(default)]
    failed: u64,
    #[serde(default)]
    nextest: Option<Binary>,
}

#[derive(Deserialize)]
struct Binary {
    #[serde(rename = "crate")]
    package: String,
    test_binary: String,
    kind: String,
}

/// The suites of one name: a library and a program may share it.
#[derive(Default)]
struct Suite {
    /// Announced tests by the kind of binary.
    announced: BTreeMap<String, u64>,
    started: usize,
    ended: usize,
    passed: u64,
    failed: u64,
    tests: BTreeMap<String, Test>,
}

#[derive(Default)]
struct Test {
    started: usize,
    ends: Vec<Record>,
}

/// Reads a report.
pub fn read(bytes: &[u8]) -> Result<Report, FormatError> {
    let text = text(bytes)?;
    let mut builder = Builder::new(&["::"]);
    let mut suites: BTreeMap<String, Suite> = BTreeMap::new();
    for line in lines(&text) {
        let (number, line) = line?;
        if !line.starts_with('{') {
            continue;
        }
        let taken = serde_json::from_str::<Event>(line).ok();
        if taken.and_then(|event| take(event, &mut suites)).is_none() {
            builder.incomplete(format!("line {number} is no event of a test run"));
        }
    }
    if suites.is_empty() {
        builder.incomplete("no test binary ran");
    }
    for (name, suite) in suites {
        suite.write(&name, &mut builder)?;
    }
    Ok(builder.finish())
}

fn take(event: Event, suites: &mut BTreeMap<String, Suite>) -> Option<()> {
    if event.kind == "suite" {
        let binary = event.nextest?;
        let name = format!("{}::{}", binary.package, binary.test_binary);
        let suite = suites.entry(name).or_default();
        if event.event == "started" {
            suite.started += 1;
            let announced = suite.announced.entry(binary.kind).or_default();
            *announced = event.test_count.max(*announced);
        } else {
            suite.ended += 1;
            suite.passed = suite.passed.checked_add(event.passed)?;
            suite.failed = suite.failed.checked_add(event.failed)?;
        }
        return Some(());
    }
    if event.kind != "test" {
        return Some(());
    }
    let (suite, test) = event.name.split_once('$')?;
    let test = suites
        .entry(suite.to_owned())
        .or_default()
        .tests
        .entry(test.to_owned());
    let test = test.or_default();
    let state = match event.event.as_str() {
        "started" => {
            test.started += 1;
            return Some(());
        }
        "ok" => TestState::Passed,
        "ignored" => TestState::Skipped,
        "timeout" => TestState::Error,
        // Whatever else a later version may say is no pass.
        _ => TestState::Failed,
    };
    let said = match (state, event.message.as_str()) {
        (TestState::Passed, _) => "",
        (_, "") => event
            .stdout
            .split("\nstack backtrace:\n")
            .next()
            .unwrap_or_default(),
        (_, message) => message,
    };
    test.ends
        .push(Record::new(state, millis(event.exec_time), said));
    Some(())
}

impl Suite {
    fn write(self, name: &str, builder: &mut Builder) -> Result<(), FormatError> {
        let binaries = self.binaries(name);
        let announced = self
            .announced
            .values()
            .fold(0, |sum: u64, n| sum.saturating_add(*n));
        builder.expect_count("tests", announced, self.tests.len());
        if self.started != self.ended || self.started == 0 {
            builder.incomplete(format!("the suite {name} did not come to its end"));
        }
        let (mut passed, mut failed) = (0, 0);
        for (path, test) in self.tests {
            let Some(binary) = binaries.first() else {
                continue;
            };
            let id = format!("{binary}::{path}");
            builder.spell(&id, &path);
            builder.spell(&id, &format!("{name}${path}"));
            for binary in &binaries {
                builder.within(&id, binary);
                builder.spell(&id, &format!("{binary}::{path}"));
            }
            if test.ends.len() < test.started || test.ends.is_empty() {
                let record = Record::new(TestState::Missing, 0, "it began and did not end");
                builder.add(&id, record)?;
            }
            for record in test.ends {
                passed += usize::from(record.state == TestState::Passed);
                failed += usize::from(!matches!(
                    record.state,
                    TestState::Passed | TestState::Skipped
                ));
                builder.add(&id, record)?;
            }
        }
        builder.expect_count("passed tests", self.passed, passed);
        builder.expect_count("failed tests", self.failed, failed);
        Ok(())
    }

    /// nextest's binary ids of this suite.
    fn binaries(&self, name: &str) -> BTreeSet<String> {
        let (package, binary) = name.split_once("::").unwrap_or((name, name));
        let id = |kind: &String| match kind.as_str() {
            "lib" | "proc-macro" => package.to_owned(),
            "test" => format!("{package}::{binary}"),
            kind => format!("{package}::{kind}/{binary}"),
        };
        match self.announced.is_empty() {
            true => BTreeSet::from([name.to_owned()]),
            false => self.announced.keys().map(id).collect(),
        }
    }
}
