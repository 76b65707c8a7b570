//! A JUnit XML report → test cases, as data from a hostile place.
//!
//! Owns the reading of the XML: bounds on size, count and depth, no document
//! type, no entities of its own. A report that is damaged anywhere is trusted
//! nowhere. Must not know what a runner means by its names (`super::pytest` does).

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::record::TestState;

/// Bytes of the largest report that is read.
pub const MAX_REPORT_BYTES: u64 = 64 << 20;
/// Test cases of the longest report that is read.
pub const MAX_CASES: usize = 200_000;
/// Bytes of a message that are kept.
pub const MAX_MESSAGE_BYTES: usize = 2048;
const MAX_DEPTH: usize = 32;

/// A report that gives no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    #[error("the report is larger than {MAX_REPORT_BYTES} bytes")]
    TooLarge,
    #[error("the report is empty")]
    Empty,
    #[error("the report is not UTF-8 after byte {0}")]
    NotUtf8(usize),
    #[error("the report is damaged near byte {at}: {message}")]
    Damaged { at: u64, message: String },
    #[error("the report has more than {MAX_CASES} test cases")]
    TooManyCases,
    #[error("the report nests deeper than {MAX_DEPTH} elements")]
    TooDeep,
    #[error("the report declares a document type")]
    Doctype,
}

/// One `<testcase>`, as the report says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub classname: String,
    pub name: String,
    pub file: Option<String>,
    pub state: TestState,
    /// Milliseconds.
    pub ms: u64,
    /// The `message` attribute of what went wrong, cut to [`MAX_MESSAGE_BYTES`].
    pub message: String,
    /// The end of the text of what went wrong, cut to [`MAX_MESSAGE_BYTES`].
    pub detail: String,
}

/// Reads a whole report.
///
/// A test case without a name (pytest leaves one when a session is ended from
/// inside a test) is no record. Anything that is not well-formed XML with one
/// root `testsuites` or `testsuite` is an error, also when it follows cases that
/// could be read.
pub fn parse(bytes: &[u8]) -> Result<Vec<Case>, ReportError> {
    if bytes.len() as u64 > MAX_REPORT_BYTES {
        return Err(ReportError::TooLarge);
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ReportError::Empty);
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| ReportError::NotUtf8(error.valid_up_to()))?;
    let mut reader = Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut walk = Walk::default();
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position();
        let damaged = |message: String| ReportError::Damaged { at, message };
        match event.map_err(|error| damaged(error.to_string()))? {
            Event::Start(start) => walk.open(&start).map_err(|stop| stop.at(at))?,
            Event::Empty(start) => {
                walk.open(&start).map_err(|stop| stop.at(at))?;
                walk.close();
            }
            Event::End(_) => walk.close(),
            Event::Text(text) => walk.text(&text.xml10_content()).map_err(damaged)?,
            Event::CData(text) => walk.text(&text.xml10_content()).map_err(damaged)?,
            Event::GeneralRef(name) => {
                let resolved = match name.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    Ok(None) => predefined(&name.xml10_content())
                        .ok_or_else(|| damaged("an unknown entity".to_owned()))?
                        .to_owned(),
                    Err(error) => return Err(damaged(error.to_string())),
                };
                walk.text(&resolved).map_err(damaged)?;
            }
            Event::DocType(_) => return Err(ReportError::Doctype),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return walk.finish().map_err(damaged),
        }
    }
}

fn predefined(name: &str) -> Option<&'static str> {
    Some(match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        _ => return None,
    })
}

/// Why a walk stops; the place is added by the caller.
enum Stop {
    Damaged(String),
    Report(ReportError),
}

impl Stop {
    fn at(self, at: u64) -> ReportError {
        match self {
            Stop::Damaged(message) => ReportError::Damaged { at, message },
            Stop::Report(error) => error,
        }
    }
}

/// Where the reading stands: how deep, in which case, in which of its marks.
#[derive(Default)]
struct Walk {
    depth: usize,
    rooted: bool,
    cases: Vec<Case>,
    /// The open case and its depth.
    case: Option<(Case, usize)>,
    /// The depth of an open `<failure>`, `<error>` or `<skipped>`, and whether
    /// it decides the case's message.
    mark: Option<(usize, bool)>,
}

impl Walk {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Stop> {
        if self.depth == MAX_DEPTH {
            return Err(Stop::Report(ReportError::TooDeep));
        }
        let qname = start.name();
        let name = qname.as_ref();
        if self.depth == 0 {
            if self.rooted || !matches!(name, "testsuites" | "testsuite") {
                return Err(Stop::Damaged(format!(
                    "an unexpected root <{}>",
                    cut(name, 40)
                )));
            }
            self.rooted = true;
        }
        self.depth += 1;
        match (name, self.case.is_some()) {
            ("testcase", true) => {
                return Err(Stop::Damaged("a test case inside a test case".to_owned()));
            }
            ("testcase", false) => {
                if self.cases.len() == MAX_CASES {
                    return Err(Stop::Report(ReportError::TooManyCases));
                }
                self.case = Some((case(start)?, self.depth));
            }
            ("failure" | "error" | "skipped", true) if self.mark.is_none() => {
                self.mark(name, start)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Something went wrong in the open case: the worst of several marks decides.
    fn mark(&mut self, name: &str, start: &BytesStart<'_>) -> Result<(), Stop> {
        let [kind, message] = attributes(start, ["type", "message"])?;
        let state = match name {
            "failure" => TestState::Failed,
            "error" => TestState::Error,
            _ if kind.as_deref() == Some("pytest.xfail") => TestState::Xfailed,
            _ => TestState::Skipped,
        };
        let decides = match &mut self.case {
            Some((case, _)) if badness(state) > badness(case.state) => {
                case.state = state;
                case.message = cut(&message.unwrap_or_default(), MAX_MESSAGE_BYTES);
                case.detail.clear();
                true
            }
            _ => false,
        };
        self.mark = Some((self.depth, decides));
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        if self.depth == 0 && !text.trim().is_empty() {
            return Err("text outside the root".to_owned());
        }
        if let (Some((depth, true)), Some((case, _))) = (self.mark, &mut self.case)
            && depth == self.depth
        {
            push_tail(&mut case.detail, text);
        }
        Ok(())
    }

    /// Names match: the reader checks that before.
    fn close(&mut self) {
        if self.mark.is_some_and(|(depth, _)| depth == self.depth) {
            self.mark = None;
        }
        if let Some((case, _)) = self.case.take_if(|(_, depth)| *depth == self.depth)
            && !case.name.is_empty()
        {
            self.cases.push(case);
        }
        self.depth -= 1;
    }

    fn finish(self) -> Result<Vec<Case>, String> {
        match (self.depth, self.rooted) {
            (0, true) => Ok(self.cases),
            (0, false) => Err("no element".to_owned()),
            _ => Err("it ends inside an element".to_owned()),
        }
    }
}

fn case(start: &BytesStart<'_>) -> Result<Case, Stop> {
    let [classname, name, file, time] = attributes(start, ["classname", "name", "file", "time"])?;
    let seconds = time.and_then(|time| time.trim().parse::<f64>().ok());
    Ok(Case {
        classname: classname.unwrap_or_default(),
        name: name.unwrap_or_default(),
        file: file.filter(|file| !file.is_empty()),
        state: TestState::Passed,
        // A cast saturates, and makes 0 of what is no number.
        ms: seconds.map_or(0, |seconds| (seconds * 1000.0).round() as u64),
        message: String::new(),
        detail: String::new(),
    })
}

fn attributes<const N: usize>(
    start: &BytesStart<'_>,
    wanted: [&str; N],
) -> Result<[Option<String>; N], Stop> {
    let mut found = [const { None }; N];
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| Stop::Damaged(error.to_string()))?;
        if let Some(index) = wanted
            .iter()
            .position(|name| *name == attribute.key.as_ref())
        {
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| Stop::Damaged(error.to_string()))?;
            found[index] = Some(value.into_owned());
        }
    }
    Ok(found)
}

/// How far a state is from a pass; of several records of one test the worst counts.
pub fn badness(state: TestState) -> u8 {
    match state {
        TestState::Passed => 0,
        TestState::Xpassed => 1,
        TestState::Skipped => 2,
        TestState::Xfailed => 3,
        TestState::Missing => 4,
        TestState::Failed => 5,
        TestState::Error => 6,
    }
}

/// At most `max` bytes of a text, without control characters but line ends and tabs.
pub fn cut(text: &str, max: usize) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\t') {
            continue;
        }
        if out.len() + character.len_utf8() > max {
            break;
        }
        out.push(character);
    }
    out
}

/// Appends, keeping the last [`MAX_MESSAGE_BYTES`] bytes or a little less.
fn push_tail(tail: &mut String, text: &str) {
    let keep = ceil_boundary(text, text.len().saturating_sub(MAX_MESSAGE_BYTES));
    tail.push_str(&cut(&text[keep..], MAX_MESSAGE_BYTES));
    let excess = ceil_boundary(tail, tail.len().saturating_sub(MAX_MESSAGE_BYTES));
    tail.drain(..excess);
}

fn ceil_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
#[path = "junit_tests.rs"]
mod tests;
