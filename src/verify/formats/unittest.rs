//! unittest, by a reporter of our own inside the runner.
//!
//! Owns the reporter's start and the lines that it writes. Must not know who carries
//! them out of the sandbox.
//!
//! **Ids.** unittest's own: `tests.test_calc.TestCalc.test_adds`. Other spellings are
//! `test_adds (tests.test_calc.TestCalc)`, as unittest prints it (also before Python
//! 3.11), and `tests/test_calc.py::TestCalc::test_adds`. Containers are the class, the
//! module and the file. A subtest that failed is a record of its test.
//!
//! **Whole** is a stream that begins with what was collected, has one record of each of
//! these, and ends with the number of its records.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::report::{Builder, Record};
use super::start::{self, Channel, Start};
use super::{FormatError, Report, lines, text};
use crate::record::TestState;

/// The reporter, for Python 3.6 and later.
pub const REPORTER: &str = include_str!("unittest_reporter.py");
/// Where the caller places [`REPORTER`], in a folder of its own.
pub const REPORTER_PATH: &str = "/verifier/unittest/reporter.py";
/// Stands in the argument vector for the number of the open descriptor.
pub const DESCRIPTOR: &str = "{descriptor}";
/// Stands in the argument vector for the folder that the tests run in.
pub const FOLDER: &str = "{folder}";

/// `python3` with the reporter over the targets: files, folders or dotted names. A
/// task's own command is the interpreter (`python3.11 -X dev`), not `-m unittest`. The
/// caller replaces [`DESCRIPTOR`] and [`FOLDER`].
pub fn command(start: Option<&str>, targets: &[String]) -> Start {
    let own = [REPORTER_PATH, DESCRIPTOR, FOLDER];
    let targets = targets.iter().map(String::as_str);
    Start {
        argv: start::argv(start.unwrap_or("python3"), own.into_iter().chain(targets)),
        channel: Channel::Descriptor,
    }
}

/// What to run for a name: the file of `tests/test_calc.py::…`, else the module of a
/// dotted name, which ends where a class begins.
pub fn target(name: &str) -> Option<&str> {
    if let Some((file, _)) = name.split_once("::") {
        return Some(file);
    }
    let dotted = match name.split_once(" (") {
        Some((_, rest)) => rest.strip_suffix(')')?,
        None => name,
    };
    let capital = |part: &str| part.chars().next().is_some_and(char::is_uppercase);
    let mut end = 0;
    for part in dotted.split('.') {
        if capital(part) {
            break;
        }
        end += part.len() + 1;
    }
    (end > 1 && end <= dotted.len()).then(|| &dotted[..end - 1])
}

#[derive(Deserialize)]
struct Line {
    collected: Option<Vec<String>>,
    closed: Option<u64>,
    id: Option<String>,
    state: Option<State>,
    #[serde(default)]
    ms: u64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    above: bool,
    of: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum State {
    Passed,
    Failed,
    Error,
    Skipped,
    Xfailed,
    Xpassed,
}

impl From<State> for TestState {
    fn from(state: State) -> Self {
        match state {
            State::Passed => TestState::Passed,
            State::Failed => TestState::Failed,
            State::Error => TestState::Error,
            State::Skipped => TestState::Skipped,
            State::Xfailed => TestState::Xfailed,
            State::Xpassed => TestState::Xpassed,
        }
    }
}

/// Where the reading of the stream stands.
#[derive(Default)]
struct Stream {
    /// What was collected, and how many final records each has.
    collected: Option<BTreeMap<String, (usize, usize)>>,
    records: usize,
    closed: bool,
}

/// Reads what the reporter wrote.
pub fn read(bytes: &[u8]) -> Result<Report, FormatError> {
    let text = text(bytes)?;
    let mut builder = Builder::new(&["."]).xpass_fails();
    let mut stream = Stream::default();
    for line in lines(&text) {
        let (number, line) = line?;
        let taken = match serde_json::from_str::<Line>(line) {
            Ok(line) => stream.take(line, &mut builder)?,
            Err(_) => None,
        };
        if taken.is_none() {
            builder.incomplete(format!(
                "line {number} is not the reporter's, or not in its place"
            ));
        }
    }
    stream.finish(&mut builder)?;
    Ok(builder.finish())
}

impl Stream {
    /// None where the line does not belong where it is.
    fn take(&mut self, line: Line, builder: &mut Builder) -> Result<Option<()>, FormatError> {
        if self.closed {
            return Ok(None);
        }
        if let Some(collected) = line.collected {
            if self.collected.is_some() {
                return Ok(None);
            }
            let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
            for id in collected {
                counts.entry(id).or_default().0 += 1;
            }
            self.collected = Some(counts);
            return Ok(Some(()));
        }
        let Some(collected) = &mut self.collected else {
            return Ok(None);
        };
        if let Some(closed) = line.closed {
            builder.expect_count("records", closed, self.records);
            self.closed = true;
            return Ok(Some(()));
        }
        let (Some(id), Some(state)) = (line.id, line.state) else {
            return Ok(None);
        };
        self.records += 1;
        let record = Record::new(state.into(), line.ms, &line.message);
        if line.above {
            builder.group(&id, record)?;
            return Ok(Some(()));
        }
        let own = line.of.as_deref().unwrap_or(&id);
        let Some((_, records)) = collected.get_mut(own) else {
            return Ok(None);
        };
        // A subtest's record is said again by that of its test.
        if line.of.is_none() {
            *records += 1;
            name(builder, own);
            builder.add(own, record)?;
        }
        Ok(Some(()))
    }

    fn finish(self, builder: &mut Builder) -> Result<(), FormatError> {
        if !self.closed {
            builder.incomplete("the runner did not come to its end");
        }
        for (id, (planned, records)) in self.collected.unwrap_or_default() {
            if records > planned {
                builder.incomplete(format!("{id} has {records} records for {planned} tests"));
            } else if records < planned {
                // A test of a class whose fixture failed or was skipped never begins.
                name(builder, &id);
                if !builder.is_in_group(&id) {
                    let record = Record::new(TestState::Missing, 0, "it has no record");
                    builder.add(&id, record)?;
                }
            }
        }
        Ok(())
    }
}

/// The spellings and containers of an id.
fn name(builder: &mut Builder, id: &str) {
    let Some((class, method)) = id.rsplit_once('.') else {
        return;
    };
    builder.spell(id, &format!("{method} ({class})"));
    builder.within(id, class);
    if let Some((module, class)) = class.rsplit_once('.') {
        let file = format!("{}.py", module.replace('.', "/"));
        builder.spell(id, &format!("{file}::{class}::{method}"));
        builder.within(id, module);
        builder.within(id, &file);
    }
}
