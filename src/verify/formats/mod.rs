//! Reports of runners other than pytest: one file per format.
//!
//! Owns what a report's bytes mean, bounds on them, and how each runner is told to
//! write them. A report comes from a hostile place: any bytes give records or an
//! error, never a panic; what is said twice counts as the worst of both; and each
//! format's own marks of its length and end decide whether it is whole. Must not
//! know sandboxes' calls, tasks or outcomes.

pub mod cargo;
pub mod functions;
pub mod go;
pub mod jest;
pub mod junit_any;
pub mod mocha;
pub mod nextest;
mod prove;
mod report;
pub mod script_unittest;
mod start;
pub mod stream;
pub mod tap;
mod tap_point;
pub mod unittest;

pub use report::{Record, Report};
pub(super) use start::is_plain;
pub use start::{Channel, Start};

use crate::task::Runner;

use super::junit::{MAX_CASES, MAX_REPORT_BYTES, ReportError};

/// Bytes of the longest line of a report of lines.
pub const MAX_LINE_BYTES: usize = 8 << 20;
/// Bytes of the longest name of a test.
pub const MAX_NAME_BYTES: usize = 8 << 10;
/// Levels of subtests.
pub const MAX_DEPTH: usize = 32;
/// How many of a name's beginnings are looked up as what stands above it.
const MAX_ABOVE: usize = 256;

/// A report that gives no records at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error("the report is larger than {MAX_REPORT_BYTES} bytes")]
    TooLarge,
    #[error("the report is empty")]
    Empty,
    #[error("the report has more than {MAX_CASES} records")]
    TooManyRecords,
    #[error("line {0} of the report is longer than {MAX_LINE_BYTES} bytes")]
    LineTooLong(usize),
    #[error("a name in the report is longer than {MAX_NAME_BYTES} bytes")]
    NameTooLong,
    #[error("the report nests deeper than {MAX_DEPTH} levels at line {0}")]
    TooDeep(usize),
    #[error("the report is damaged near line {line}: {message}")]
    Damaged { line: usize, message: String },
    #[error(transparent)]
    Junit(#[from] ReportError),
}

/// A format, which is a runner's or several runners'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Tap,
    Go,
    Cargo,
    Nextest,
    Mocha,
    Jest,
    Junit,
    Unittest,
    UnittestScript,
    Functions,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 10] = [
        Format::Tap,
        Format::Go,
        Format::Cargo,
        Format::Nextest,
        Format::Mocha,
        Format::Jest,
        Format::Junit,
        Format::Unittest,
        Format::UnittestScript,
        Format::Functions,
    ];

    /// Of a task's runner; none for those that have a way of their own.
    pub fn of(runner: Runner) -> Option<Self> {
        match runner {
            Runner::Pytest | Runner::Script | Runner::TerminalBench(_) | Runner::Log => None,
            Runner::Tap => Some(Format::Tap),
            Runner::Go => Some(Format::Go),
            Runner::Cargo => Some(Format::Cargo),
            Runner::Nextest => Some(Format::Nextest),
            Runner::Mocha => Some(Format::Mocha),
            Runner::Jest => Some(Format::Jest),
            Runner::Junit => Some(Format::Junit),
            Runner::Unittest => Some(Format::Unittest),
            Runner::UnittestScript => Some(Format::UnittestScript),
            Runner::Functions => Some(Format::Functions),
        }
    }

    /// As a task names it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Tap => "tap",
            Format::Go => "go",
            Format::Cargo => "cargo",
            Format::Nextest => "nextest",
            Format::Mocha => "mocha",
            Format::Jest => "jest",
            Format::Junit => "junit",
            Format::Unittest => "unittest",
            Format::UnittestScript => "unittest-script",
            Format::Functions => "functions",
        }
    }

    /// Reads a report. `root` is the folder that the tests ran in: paths in the
    /// report that begin with it are made relative.
    ///
    /// # Errors
    /// Where no record can be had. A report that has records but is not whole is
    /// none: [`Report::complete`] says so.
    pub fn read(self, bytes: &[u8], root: &str) -> Result<Report, FormatError> {
        match self {
            Format::Tap => tap::read(bytes, root),
            Format::Go => go::read(bytes),
            Format::Cargo => cargo::read(bytes),
            Format::Nextest => nextest::read(bytes),
            Format::Mocha => mocha::read(bytes, root),
            Format::Jest => jest::read(bytes, root),
            Format::Junit => junit_any::read(bytes, root),
            Format::Unittest => unittest::read(bytes),
            Format::UnittestScript => script_unittest::read(bytes),
            Format::Functions => functions::read(bytes),
        }
    }

    /// How the runner is started for the tests in `targets` (see each format's
    /// `command`); `start` replaces the default start command. None where the
    /// format is many runners' and the task gives no command that says which.
    pub fn command(self, start: Option<&str>, targets: &[String]) -> Option<Start> {
        Some(match self {
            Format::Tap => tap::command(start, targets),
            Format::Go => go::command(start, targets),
            Format::Cargo => cargo::command(start),
            Format::Nextest => nextest::command(start),
            Format::Mocha => mocha::command(start, targets),
            Format::Jest => jest::command(start, targets),
            Format::Junit => return junit_any::command(start),
            Format::Unittest => unittest::command(start, targets),
            Format::UnittestScript => return script_unittest::command(start, targets),
            Format::Functions => functions::command(start, targets),
        })
    }

    /// Programs of our own that the runner is started by, each with its place in the
    /// sandbox.
    pub fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Format::Unittest => unittest::FILES,
            Format::UnittestScript => script_unittest::FILES,
            Format::Functions => functions::FILES,
            Format::Tap
            | Format::Go
            | Format::Cargo
            | Format::Nextest
            | Format::Mocha
            | Format::Jest
            | Format::Junit => &[],
        }
    }

    /// What to name to the runner so that it runs the tests of these names: files,
    /// packages or modules, each once, sorted; nothing means everything.
    pub fn targets<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let target = match self {
            Format::Go => go::target,
            Format::Unittest => unittest::target,
            Format::UnittestScript => script_unittest::target,
            Format::Functions => functions::target,
            Format::Mocha | Format::Jest | Format::Tap => file,
            Format::Cargo | Format::Nextest | Format::Junit => return Vec::new(),
        };
        let targets: Option<std::collections::BTreeSet<&str>> =
            names.into_iter().map(target).collect();
        // A name that tells no target may be anywhere.
        let targets = targets.unwrap_or_default();
        targets.into_iter().map(str::to_owned).collect()
    }
}

/// The file that a name begins with. Titles may hold `::` too, so it must look like one.
fn file(name: &str) -> Option<&str> {
    let (file, _) = name.split_once("::")?;
    (file.contains('.') && !file.contains(char::is_whitespace)).then_some(file)
}

/// The text of a report, bytes that are no UTF-8 replaced, with its size checked.
fn text(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, FormatError> {
    if bytes.len() as u64 > MAX_REPORT_BYTES {
        return Err(FormatError::TooLarge);
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(FormatError::Empty);
    }
    Ok(String::from_utf8_lossy(bytes))
}

/// The lines of a text with their numbers, counted from 1, each of bounded length.
fn lines(text: &str) -> impl Iterator<Item = Result<(usize, &str), FormatError>> {
    let numbered = text.lines().enumerate();
    numbered.map(|(index, line)| match line.len() > MAX_LINE_BYTES {
        true => Err(FormatError::LineTooLong(index + 1)),
        false => Ok((index + 1, line)),
    })
}

/// A path below `root`, relative; any other as it is.
fn relative<'a>(path: &'a str, root: &str) -> &'a str {
    let root = root.trim_end_matches('/');
    let below = path
        .strip_prefix(root)
        .and_then(|path| path.strip_prefix('/'));
    let path = below.filter(|path| !path.is_empty()).unwrap_or(path);
    path.strip_prefix("./").unwrap_or(path)
}

/// Milliseconds of seconds; a cast saturates, and makes 0 of what is no number.
fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

/// Reads one JSON value that is the whole report.
fn json<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, FormatError> {
    if bytes.len() as u64 > MAX_REPORT_BYTES {
        return Err(FormatError::TooLarge);
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(FormatError::Empty);
    }
    serde_json::from_slice(bytes).map_err(|error| FormatError::Damaged {
        line: error.line(),
        message: super::junit::cut(&error.to_string(), 200),
    })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod forged_tests;

#[cfg(test)]
mod stream_tests;
