//! JUnit XML of any tool.
//!
//! Owns the ids of such cases and the counts of `<testsuite>`. Must not know the XML of
//! test cases (`super::super::junit` does), nor pytest's names (`super::super::pytest`).
//!
//! **Ids.** `classname::name`, with the file before it where the report gives one:
//! `file::classname::name`; an empty class name is left out. Other spellings are
//! `classname::name`, `file::name` and `name`; containers are the file and the class
//! name. So nextest's report has the ids of its events, gotestsum's those of `go test`.
//!
//! **Whole** is a report whose every suite that counts its own cases (`tests`,
//! `failures` and `errors` together) has as many. Suites that hold suites and the root
//! are not compared: tools differ in what they add up.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::junit::{self, Case, ReportError};
use super::report::{Builder, Record};
use super::start::{self, Channel, Start};
use super::{FormatError, Report, relative};

/// Where the task's command must write its report in the sandbox.
pub const REPORT: &str = "/logs/verifier/junit.xml";

/// The task's own command, which writes its report to [`REPORT`]; none without one.
pub fn command(start: Option<&str>) -> Option<Start> {
    Some(Start {
        argv: start::argv(start?, []),
        channel: Channel::File(REPORT),
    })
}

/// Reads a report.
pub fn read(bytes: &[u8], root: &str) -> Result<Report, FormatError> {
    let cases = junit::parse(bytes)?;
    let mut builder = Builder::new(&["::"]);
    for case in &cases {
        add(case, root, &mut builder)?;
    }
    for suite in suites(bytes)? {
        builder.expect_count(
            "tests",
            suite.tests.unwrap_or(suite.cases),
            to_usize(suite.cases),
        );
        let bad = suite.said_bad();
        builder.expect_count(
            "failures and errors",
            bad.unwrap_or(suite.bad),
            to_usize(suite.bad),
        );
    }
    Ok(builder.finish())
}

fn to_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn add(case: &Case, root: &str, builder: &mut Builder) -> Result<(), FormatError> {
    let file = case.file.as_deref().map(|file| relative(file, root));
    let join = |parts: &[&str]| {
        let parts = parts.iter().filter(|part| !part.is_empty());
        parts.copied().collect::<Vec<_>>().join("::")
    };
    let (file, class) = (file.unwrap_or_default(), case.classname.as_str());
    let id = join(&[file, class, &case.name]);
    builder.spell(&id, &join(&[class, &case.name]));
    builder.spell(&id, &join(&[file, &case.name]));
    builder.spell(&id, &case.name);
    builder.within(&id, file);
    builder.within(&id, class);
    let message = match case.message.as_str() {
        "" => &case.detail,
        message => message,
    };
    builder.add(&id, Record::new(case.state, case.ms, message))
}

/// What a suite that holds cases says of itself, and what it holds.
#[derive(Default)]
struct Suite {
    tests: Option<u64>,
    failures: Option<u64>,
    errors: Option<u64>,
    cases: u64,
    bad: u64,
    /// It holds suites.
    nests: bool,
}

impl Suite {
    fn said_bad(&self) -> Option<u64> {
        match (self.failures, self.errors) {
            (None, None) => None,
            (failures, errors) => Some(
                failures
                    .unwrap_or_default()
                    .saturating_add(errors.unwrap_or_default()),
            ),
        }
    }
}

/// The suites of a report that has been read once, so that it is well formed.
fn suites(bytes: &[u8]) -> Result<Vec<Suite>, FormatError> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| ReportError::NotUtf8(error.valid_up_to()))?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Suite> = Vec::new();
    let mut done = Vec::new();
    // Of the open case: its marks.
    let mut marks: Option<Marks> = None;
    loop {
        let event = reader.read_event().map_err(|error| ReportError::Damaged {
            at: reader.buffer_position(),
            message: error.to_string(),
        })?;
        let (start, empty) = match &event {
            Event::Start(start) => (Some(start), false),
            Event::Empty(start) => (Some(start), true),
            _ => (None, false),
        };
        if let Some(start) = start {
            match start.name().as_ref() {
                "testsuite" => {
                    open.iter_mut().for_each(|suite| suite.nests = true);
                    open.push(suite(start));
                }
                "testcase" => marks = Some(Marks::of(start)),
                "failure" | "error" => marks.iter_mut().for_each(|marks| marks.bad += 1),
                _ => {}
            }
        }
        let name = event_name(&event);
        if empty || matches!(event, Event::End(_)) {
            match name.as_deref() {
                Some("testsuite") => done.extend(open.pop().filter(|suite| !suite.nests)),
                Some("testcase") => {
                    if let (Some(marks), Some(suite)) = (marks.take(), open.last_mut()) {
                        suite.cases += u64::from(marks.named);
                        suite.bad += marks.bad * u64::from(marks.named);
                    }
                }
                _ => {}
            }
        }
        if matches!(event, Event::Eof) {
            return Ok(done);
        }
    }
}

struct Marks {
    named: bool,
    bad: u64,
}

impl Marks {
    fn of(start: &BytesStart<'_>) -> Self {
        let named = attribute(start, "name").is_some_and(|name| !name.is_empty());
        Self { named, bad: 0 }
    }
}

fn event_name(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Empty(start) => start.name().as_ref().to_owned(),
        Event::End(end) => end.name().as_ref().to_owned(),
        _ => return None,
    })
}

fn suite(start: &BytesStart<'_>) -> Suite {
    let count = |name| attribute(start, name).and_then(|value| value.trim().parse().ok());
    Suite {
        tests: count("tests"),
        failures: count("failures"),
        errors: count("errors"),
        ..Suite::default()
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = start.attributes().flatten();
    let found = attributes.find(|attribute| attribute.key.as_ref() == name)?;
    let value = found
        .normalized_value(quick_xml::XmlVersion::Implicit1_0)
        .ok()?;
    Some(value.into_owned())
}
