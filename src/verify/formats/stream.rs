//! The lines that reporters of our own write from inside a runner of Python's.
//!
//! Owns their layout and what makes a stream whole. Must not know how a runner is
//! started, nor how it spells its tests.
//!
//! **Whole** is a stream that begins with what was collected, has one record of each of
//! these, and ends with the number of its records.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::report::{Builder, Record};
use super::{FormatError, Report, lines, text};
use crate::record::TestState;

/// Stands in the argument vector for the number of the open descriptor.
pub const DESCRIPTOR: &str = "{descriptor}";
/// Stands in the argument vector for the folder that the tests run in.
pub const FOLDER: &str = "{folder}";
/// What each reporter imports from its own folder: how a line is written.
pub const LINES: &str = include_str!("reporter_lines.py");

/// What a runner's streams have of their own.
pub(super) struct Dialect {
    /// Whether tests are collected more than once.
    pub several: bool,
    /// Adds the spellings and containers of an id; the last is what the reporter says
    /// that the test is called too, empty where it says nothing.
    pub name: fn(&mut Builder, &str, &str),
}

#[derive(Deserialize)]
struct Line {
    collected: Option<Vec<String>>,
    /// Of each collected id what it is called too.
    spelled: Option<Vec<String>>,
    closed: Option<u64>,
    refused: Option<String>,
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

/// Where the reading of a stream stands.
#[derive(Default)]
struct Stream {
    /// How often each id was collected, and how many final records it has.
    tests: BTreeMap<String, (usize, usize)>,
    collected: bool,
    records: usize,
    closed: bool,
}

/// Reads what a reporter wrote.
pub(super) fn read(
    bytes: &[u8],
    mut builder: Builder,
    dialect: &Dialect,
) -> Result<Report, FormatError> {
    let text = text(bytes)?;
    let mut stream = Stream::default();
    for line in lines(&text) {
        let (number, line) = line?;
        let taken = match serde_json::from_str::<Line>(line) {
            Ok(line) => stream.take(line, &mut builder, dialect)?,
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
    fn take(
        &mut self,
        line: Line,
        builder: &mut Builder,
        dialect: &Dialect,
    ) -> Result<Option<()>, FormatError> {
        if self.closed {
            return Ok(None);
        }
        if let Some(refused) = line.refused {
            builder.incomplete(refused);
            return Ok(Some(()));
        }
        if let Some(collected) = line.collected {
            if self.collected && !dialect.several {
                return Ok(None);
            }
            let spelled = line.spelled.unwrap_or_default();
            return self.collect(collected, &spelled, builder, dialect);
        }
        if let Some(closed) = line.closed {
            builder.expect_count("records", closed, self.records);
            self.closed = true;
            return Ok(Some(()));
        }
        let (Some(id), Some(state), true) = (line.id, line.state, self.collected) else {
            return Ok(None);
        };
        self.records += 1;
        let record = Record::new(state.into(), line.ms, &line.message);
        if line.above {
            builder.group(&id, record)?;
            return Ok(Some(()));
        }
        let own = line.of.as_deref().unwrap_or(&id);
        let Some((_, records)) = self.tests.get_mut(own) else {
            return Ok(None);
        };
        // A subtest's record is said again by that of its test.
        if line.of.is_none() {
            *records += 1;
            builder.add(own, record)?;
        }
        Ok(Some(()))
    }

    fn collect(
        &mut self,
        collected: Vec<String>,
        spelled: &[String],
        builder: &mut Builder,
        dialect: &Dialect,
    ) -> Result<Option<()>, FormatError> {
        if !spelled.is_empty() && spelled.len() != collected.len() {
            return Ok(None);
        }
        self.collected = true;
        for (index, id) in collected.into_iter().enumerate() {
            let spelled = spelled.get(index).map_or("", String::as_str);
            if id.len().max(spelled.len()) > super::MAX_NAME_BYTES {
                return Err(FormatError::NameTooLong);
            }
            (dialect.name)(builder, &id, spelled);
            self.tests.entry(id).or_default().0 += 1;
        }
        match self.tests.len() > super::MAX_CASES {
            true => Err(FormatError::TooManyRecords),
            false => Ok(Some(())),
        }
    }

    fn finish(self, builder: &mut Builder) -> Result<(), FormatError> {
        if !self.closed {
            builder.incomplete("the runner did not come to its end");
        } else if !self.collected {
            builder.incomplete("the runner ended before it had collected any tests");
        }
        for (id, (planned, records)) in self.tests {
            if records > planned {
                builder.incomplete(format!("{id} has {records} records for {planned} tests"));
            } else if records < planned && !builder.is_in_group(&id) {
                // A test of a class whose fixture failed or was skipped never begins.
                let record = Record::new(TestState::Missing, 0, "it has no record");
                builder.add(&id, record)?;
            }
        }
        Ok(())
    }
}
