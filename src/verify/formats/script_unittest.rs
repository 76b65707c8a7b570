//! A script that runs unittest by itself: Django's `runtests.py`, a `manage.py test`.
//!
//! Owns how the script is started below a reporter of our own. Must not know who
//! carries the reporter's lines out of the sandbox, nor what makes them whole
//! (`super::stream` does).
//!
//! **Ids** are unittest's own, with the spellings of `super::unittest` and one more: the
//! first line of a test's docstring, which such a script prints as the test's name.
//! Where several tests have the same one, it means all of them.

use super::report::Builder;
use super::start::{Channel, Start, is_plain};
use super::stream::{self, DESCRIPTOR, Dialect, FOLDER};
use super::{FormatError, Report, unittest};

/// The reporter, for Python 3.6 and later.
pub const REPORTER: &str = include_str!("unittest_script.py");
/// Where the caller places [`REPORTER`]; what it imports lies beside it.
pub const REPORTER_PATH: &str = "/verifier/unittest/script.py";
/// What the reporter imports, itself, and where they lie.
pub const FILES: &[(&str, &str)] = &[
    (REPORTER_PATH, REPORTER),
    (unittest::REPORTER_PATH, unittest::REPORTER),
    ("/verifier/unittest/lines.py", stream::LINES),
];
/// Stands in a task's command for the modules of its expected tests.
pub const TARGETS: &str = "{targets}";

/// The script below the reporter, with its own arguments. The targets stand where the
/// command has [`TARGETS`], and nowhere else: a script says itself how it is told what
/// to run. The caller replaces [`DESCRIPTOR`] and [`FOLDER`].
///
/// None where no script is named in plain words: `[PYTHON …] SCRIPT.py …` or
/// `[PYTHON …] -m MODULE …`.
pub fn command(start: Option<&str>, targets: &[String]) -> Option<Start> {
    let start = start?;
    if !is_plain(&start.replace(TARGETS, "")) {
        return None;
    }
    let words: Vec<&str> = start.split_whitespace().collect();
    let at = words
        .iter()
        .position(|word| *word == "-m" || word.ends_with(".py"))?;
    let (python, script) = words.split_at(at);
    if script == ["-m"] {
        return None;
    }
    let python = if python.is_empty() {
        &["python3"]
    } else {
        python
    };
    let own = [REPORTER_PATH, DESCRIPTOR, FOLDER, "--"];
    let script = script.iter().flat_map(|word| match *word {
        TARGETS => targets.iter().map(String::as_str).collect(),
        word => vec![word],
    });
    let argv = python.iter().copied().chain(own).chain(script);
    Some(Start {
        argv: argv.map(str::to_owned).collect(),
        channel: Channel::Descriptor,
    })
}

/// The module of a dotted name; none of what may be a docstring.
pub fn target(name: &str) -> Option<&str> {
    let module = unittest::target(name)?;
    let plain = |part: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !part.is_empty() && part.bytes().all(known)
    };
    (name.contains('.') && module.split('.').all(plain)).then_some(module)
}

/// Reads what the reporter wrote.
pub fn read(bytes: &[u8]) -> Result<Report, FormatError> {
    let dialect = Dialect {
        several: true,
        name: unittest::name,
    };
    stream::read(bytes, Builder::new(&["."]).xpass_may_fail(), &dialect)
}
