//! `go test -json`: one event a line.
//!
//! Owns the events. Must not know the other formats.
//!
//! **Ids.** `package/path::TestX/sub`, as Go writes subtests (blanks are `_`). The other
//! spelling is `TestX/sub`, whatever the package; a container is a package.
//!
//! **A package that fails without a failing test in it** (it was not built or vetted,
//! its `TestMain` failed, it exited) stands for every test in it. A test that began and
//! did not end is missing; one with more ends than beginnings, which output that looks
//! like the runner's can make, is an error unless an end of it is worse.
//!
//! **Whole** is a report whose every package came to its end and whose every line is an
//! event, but for the plain lines that old versions write of packages not built.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::junit::{MAX_MESSAGE_BYTES, badness, cut};
use super::report::{Builder, Record, is_bad};
use super::start::{self, Channel, Start};
use super::{FormatError, MAX_ABOVE, MAX_NAME_BYTES, Report, lines, millis, text};
use crate::record::TestState;

/// `go test` over the packages, or over all below the work tree where none is named.
/// Cached results are not taken, and a first failure does not end the run.
pub fn command(start: Option<&str>, packages: &[String]) -> Start {
    let options = ["-json", "-count=1", "-failfast=false"];
    let packages = packages.iter().map(String::as_str);
    let all = packages.len() == 0;
    let arguments = options.into_iter().chain(packages);
    Start {
        argv: start::argv(
            start.unwrap_or("go test"),
            arguments.chain(all.then_some("./...")),
        ),
        channel: Channel::Stdout,
    }
}

/// The package of a name, where it tells one.
pub fn target(name: &str) -> Option<&str> {
    name.split_once("::").map(|(package, _)| package)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    #[serde(default)]
    package: String,
    #[serde(default)]
    test: String,
    #[serde(default)]
    elapsed: f64,
    #[serde(default)]
    output: String,
    #[serde(default)]
    import_path: String,
    #[serde(default)]
    failed_build: String,
}

#[derive(Default)]
struct Test {
    runs: usize,
    ends: Vec<(TestState, u64)>,
    output: String,
}

#[derive(Default)]
struct Package {
    tests: BTreeMap<String, Test>,
    began: bool,
    ends: Vec<TestState>,
    output: String,
    /// The import path whose build failed.
    build: String,
}

#[derive(Default)]
struct Walk {
    packages: BTreeMap<String, Package>,
    /// What compilers said, by import path.
    builds: BTreeMap<String, String>,
    wrong: Option<String>,
}

/// Reads a report.
pub fn read(bytes: &[u8]) -> Result<Report, FormatError> {
    let text = text(bytes)?;
    let mut walk = Walk::default();
    for line in lines(&text) {
        let (number, line) = line?;
        if let Some(rest) = line.strip_prefix("FAIL\t") {
            walk.not_built(rest);
        } else if line.starts_with('{') {
            match serde_json::from_str::<Event>(line) {
                Ok(event) if event.package.len().max(event.test.len()) > MAX_NAME_BYTES => {
                    return Err(FormatError::NameTooLong);
                }
                Ok(event) => walk.event(event),
                Err(_) => walk.wrong(format!("line {number} is no event of `go test`")),
            }
        }
    }
    let mut builder = Builder::new(&["::", "/"]);
    if walk.packages.is_empty() {
        walk.wrong("no package was tested".to_owned());
    }
    walk.write(&mut builder)?;
    Ok(builder.finish())
}

impl Walk {
    fn wrong(&mut self, reason: String) {
        self.wrong.get_or_insert(reason);
    }

    /// `package [build failed]`: before version 1.20 the only word on it.
    fn not_built(&mut self, rest: &str) {
        if let Some((name, "[build failed]" | "[setup failed]")) = rest.split_once(' ') {
            let package = self.packages.entry(name.to_owned()).or_default();
            package.ends.push(TestState::Failed);
            push(&mut package.output, &format!("FAIL\t{rest}"));
        }
    }

    fn event(&mut self, event: Event) {
        if let "build-output" | "build-fail" = event.action.as_str() {
            let output = self.builds.entry(event.import_path).or_default();
            return push(output, &event.output);
        }
        if event.package.is_empty() {
            return self.wrong("an event names no package".to_owned());
        }
        let package = self.packages.entry(event.package).or_default();
        package.began = true;
        let state = match event.action.as_str() {
            "pass" | "bench" => Some(TestState::Passed),
            "fail" => Some(TestState::Failed),
            "skip" => Some(TestState::Skipped),
            _ => None,
        };
        if event.test.is_empty() {
            push(&mut package.output, &event.output);
            package.ends.extend(state);
            if !event.failed_build.is_empty() {
                package.build = event.failed_build;
            }
            return;
        }
        let test = package.tests.entry(event.test).or_default();
        test.runs += usize::from(event.action == "run");
        push(&mut test.output, &event.output);
        test.ends
            .extend(state.map(|state| (state, millis(event.elapsed))));
    }

    fn write(self, builder: &mut Builder) -> Result<(), FormatError> {
        for (name, package) in self.packages {
            let mut explained = false;
            let mut records = package.records();
            lower_parents(&mut records);
            for (test, record) in records {
                explained |= is_bad(record.state);
                let id = format!("{name}::{test}");
                builder.spell(&id, &test);
                builder.within(&id, &name);
                if record.state != TestState::Passed {
                    builder.group(&id, record.clone())?;
                }
                builder.add(&id, record)?;
            }
            match package
                .ends
                .iter()
                .copied()
                .max_by_key(|state| badness(*state))
            {
                None => builder.incomplete(format!("the package {name} did not come to its end")),
                Some(TestState::Failed) if !explained => {
                    let said = self.builds.get(&package.build);
                    let said = said.map_or(package.output.as_str(), String::as_str);
                    builder.group(&name, Record::new(TestState::Error, 0, said))?;
                }
                Some(state) if state != TestState::Failed && explained => {
                    builder.incomplete(format!(
                        "the package {name} passed, but a test in it failed"
                    ));
                }
                Some(_) if package.ends.len() > 1 => {
                    builder.incomplete(format!("the package {name} ended twice"));
                }
                Some(_) => {}
            }
        }
        if let Some(reason) = self.wrong {
            builder.incomplete(reason);
        }
        Ok(())
    }
}

impl Package {
    fn records(&self) -> BTreeMap<String, Record> {
        let records = self.tests.iter().filter_map(|(name, test)| {
            let record = test.record()?;
            Some((name.clone(), record))
        });
        records.collect()
    }
}

impl Test {
    /// None where there is only output of it.
    fn record(&self) -> Option<Record> {
        let ms = self
            .ends
            .iter()
            .fold(0, |sum: u64, (_, ms)| sum.saturating_add(*ms));
        let worst = self.ends.iter().map(|(state, _)| *state);
        let worst = worst.max_by_key(|state| badness(*state));
        let mut record = match worst {
            None if self.runs == 0 => return None,
            _ if self.ends.len() < self.runs => {
                Record::new(TestState::Missing, ms, "it began and did not end")
            }
            Some(state)
                if self.ends.len() > self.runs && badness(state) < badness(TestState::Failed) =>
            {
                Record::new(TestState::Error, ms, "it ended more often than it began")
            }
            Some(TestState::Passed) | None => Record::new(TestState::Passed, ms, ""),
            Some(state) => Record::new(state, ms, said(&self.output)),
        };
        record.times = self.ends.len().max(self.runs);
        Some(record)
    }
}

/// A test that passed although a subtest of it failed contradicts itself.
fn lower_parents(records: &mut BTreeMap<String, Record>) {
    let bad: Vec<String> = records
        .iter()
        .filter(|(_, record)| is_bad(record.state))
        .map(|(name, _)| name.clone())
        .collect();
    for name in bad {
        for (at, _) in name.match_indices('/').take(MAX_ABOVE) {
            if let Some(parent) = records.get_mut(&name[..at])
                && !is_bad(parent.state)
            {
                let message = "it is said not to have failed, but a subtest of it failed";
                *parent = Record::new(TestState::Failed, parent.ms, message);
            }
        }
    }
}

/// A test's own words: what it wrote without the runner's lines around it.
fn said(output: &str) -> &str {
    let marks = ["=== ", "--- "];
    let mut text = output.trim();
    while let Some((line, rest)) = text.split_once('\n') {
        if !marks.iter().any(|mark| line.trim_start().starts_with(mark)) {
            break;
        }
        text = rest.trim();
    }
    match text.rsplit_once('\n') {
        Some((rest, line)) if marks.iter().any(|mark| line.trim_start().starts_with(mark)) => {
            rest.trim()
        }
        None if marks.iter().any(|mark| text.starts_with(mark)) => "",
        _ => text,
    }
}

/// Appends while there is room.
fn push(output: &mut String, text: &str) {
    let room = MAX_MESSAGE_BYTES.saturating_sub(output.len());
    output.push_str(&cut(text, room));
}
