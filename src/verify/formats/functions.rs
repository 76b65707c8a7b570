//! Plain test functions in files, without a runner that is installed: as sympy's
//! `bin/test` runs them.
//!
//! Owns our own runner's start and how its tests are spelled. Must not know who carries
//! its lines out of the sandbox, nor what makes them whole (`super::stream` does).
//!
//! **Ids.** `sympy/core/tests/test_basic.py::test_equality`. Other spellings are the bare
//! name of the function, which means the tests of all files that have one of this name,
//! and what the function itself says that it is called. The container is the file.

use super::report::Builder;
use super::start::{self, Channel, Start, is_plain};
use super::stream::{self, DESCRIPTOR, Dialect, FOLDER};
use super::{FormatError, Report, file};

/// The runner, for Python 3.6 and later.
pub const RUN: &str = include_str!("functions_run.py");
/// Where the caller places [`RUN`], in a folder of its own.
pub const RUN_PATH: &str = "/verifier/functions/run.py";
/// What the runner imports, itself, and where they lie.
pub const FILES: &[(&str, &str)] = &[
    (RUN_PATH, RUN),
    ("/verifier/functions/lines.py", stream::LINES),
];

/// `python3` with the runner over the targets, which are files. A task's own command is
/// the interpreter (`python3.9 -W ignore`), and may name files behind it (`*.py`), which
/// are run instead: bare names of functions do not say where they are. The caller
/// replaces [`DESCRIPTOR`] and [`FOLDER`].
pub fn command(start: Option<&str>, targets: &[String]) -> Start {
    let start = start.unwrap_or("python3");
    let own = [RUN_PATH, DESCRIPTOR, FOLDER];
    let words: Vec<&str> = start.split_whitespace().collect();
    let files = words.iter().position(|word| word.ends_with(".py"));
    let argv = match files.filter(|_| is_plain(start)) {
        Some(at) => {
            let (python, files) = words.split_at(at);
            let python = if python.is_empty() {
                &["python3"]
            } else {
                python
            };
            let argv = python.iter().chain(&own).chain(files);
            argv.map(|word| (*word).to_owned()).collect()
        }
        None => {
            let targets = targets.iter().map(String::as_str);
            start::argv(start, own.into_iter().chain(targets))
        }
    };
    Start {
        argv,
        channel: Channel::Descriptor,
    }
}

/// The file of a name.
pub fn target(name: &str) -> Option<&str> {
    file(name)
}

/// Reads what the runner wrote.
pub fn read(bytes: &[u8]) -> Result<Report, FormatError> {
    let dialect = Dialect {
        several: true,
        name,
    };
    stream::read(bytes, Builder::new(&["::"]), &dialect)
}

fn name(builder: &mut Builder, id: &str, called: &str) {
    builder.spell(id, called);
    if let Some((file, function)) = id.split_once("::") {
        builder.spell(id, function);
        builder.within(id, file);
    }
}
