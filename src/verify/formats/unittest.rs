//! unittest, by a reporter of our own inside the runner.
//!
//! Owns the reporter's start and how its tests are spelled. Must not know who carries
//! its lines out of the sandbox, nor what makes them whole (`super::stream` does).
//!
//! **Ids.** unittest's own: `tests.test_calc.TestCalc.test_adds`. Other spellings are
//! `test_adds (tests.test_calc.TestCalc)` and, of Python 3.11 and later,
//! `test_adds (tests.test_calc.TestCalc.test_adds)`, as unittest prints it, and
//! `tests/test_calc.py::TestCalc::test_adds`. Containers are the class, the module and
//! the file. A subtest that failed is a record of its test.

use super::report::Builder;
use super::start::{self, Channel, Start};
use super::stream::{self, DESCRIPTOR, Dialect, FOLDER};
use super::{FormatError, Report};

/// The reporter, for Python 3.6 and later.
pub const REPORTER: &str = include_str!("unittest_reporter.py");
/// Where the caller places [`REPORTER`], in a folder of its own.
pub const REPORTER_PATH: &str = "/verifier/unittest/reporter.py";
/// What the reporter imports, and where it lies.
pub const FILES: &[(&str, &str)] = &[
    (REPORTER_PATH, REPORTER),
    ("/verifier/unittest/lines.py", stream::LINES),
];

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

/// Reads what the reporter wrote.
pub fn read(bytes: &[u8]) -> Result<Report, FormatError> {
    let dialect = Dialect {
        several: false,
        name,
    };
    stream::read(bytes, Builder::new(&["."]).xpass_fails(), &dialect)
}

/// The spellings and containers of an id; `line` is the first of its docstring.
pub(super) fn name(builder: &mut Builder, id: &str, line: &str) {
    builder.spell(id, line);
    let Some((class, method)) = id.rsplit_once('.') else {
        return;
    };
    builder.spell(id, &format!("{method} ({class})"));
    builder.spell(id, &format!("{method} ({id})"));
    builder.within(id, class);
    if let Some((module, class)) = class.rsplit_once('.') {
        let file = format!("{}.py", module.replace('.', "/"));
        builder.spell(id, &format!("{file}::{class}::{method}"));
        builder.within(id, module);
        builder.within(id, &file);
    }
}
