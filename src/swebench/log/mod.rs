//! What the tests of a log did, by the official parsers of its project.
//!
//! Owns the parsers by their names and by their projects, in both versions: what they
//! read out of a log, and where they give up by an exception, exactly. A log may be
//! hostile: each parser is linear in its size, which is the caller's to bound. Must not
//! know which part of a log is read, or which tests are expected.
//!
//! | file | runners |
//! |---|---|
//! | `python`, `django`, `sympy` | pytest in its uses; the projects' own |
//! | `javascript` | Jest, Vitest, TAP, Mocha, Karma in their uses |
//! | `c`, `doctest` with `xml` | redis, jq, micropython, GoogleTest; doctest |
//! | `go`, `java`, `php`, `ruby`, `rust` | those of the language |
//! | `text` | what Python holds of blanks, words and digits |
//! | `shape` | lines of one shape |
//! | `statuses` | what is read |

mod c;
mod django;
mod doctest;
mod go;
mod java;
mod javascript;
mod php;
mod python;
mod ruby;
mod rust;
mod shape;
mod statuses;
mod sympy;
mod table;
mod text;
mod xml;

#[cfg(test)]
mod conformance_tests;
#[cfg(test)]
mod tests;

use std::fmt;

use super::Rules;
pub use statuses::Statuses;
use table::{FUNCTIONS, Function};

const FAILED: &str = "FAILED";
const PASSED: &str = "PASSED";
const SKIPPED: &str = "SKIPPED";
const ERROR: &str = "ERROR";
/// The statuses that the official rules know.
const STATUSES: [&str; 5] = [FAILED, PASSED, SKIPPED, ERROR, "XFAIL"];

/// Of an instance, what some parsers read.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub instance_id: &'a str,
    pub version: &'a str,
}

/// The parser gave up as the official one does, by an exception: its Python name.
/// `MemoryError` is that of a log that makes too much of its size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the log parser raised {0}")]
pub struct Raised(pub &'static str);

/// What a parser is given.
struct Input<'a> {
    rules: Rules,
    about: About<'a>,
    log: &'a str,
}

/// A function that reads logs.
#[derive(Clone, Copy)]
pub struct Parser(&'static Function);

impl Parser {
    /// By a name of the registry of 5.0. 4.1 has no registry: there it is a name of its
    /// modules.
    pub fn named(rules: Rules, name: &str) -> Option<Parser> {
        Self::found(rules, |function| {
            function.name == name || function.other_names.contains(&name)
        })
    }

    /// By a project's name, `owner/name`.
    pub fn of_repo(rules: Rules, repo: &str) -> Option<Parser> {
        Self::found(rules, |function| function.repos.contains(&repo))
    }

    fn found(rules: Rules, is: impl Fn(&Function) -> bool) -> Option<Parser> {
        let known = |function: &&Function| rules == Rules::V5_0 || function.in_4_1;
        let function = FUNCTIONS.iter().filter(known).find(|function| is(function));
        function.map(Parser)
    }

    /// The function's name; some projects have other names for it.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Reads a log. The time is linear in its size; of a log that makes far more than
    /// its size of it the reading ends.
    ///
    /// # Errors
    /// The exception of the official parser, or `MemoryError`.
    pub fn parse(self, rules: Rules, about: About<'_>, log: &str) -> Result<Statuses, Raised> {
        let mut statuses = Statuses::new();
        let input = Input { rules, about, log };
        (self.0.read)(&input, &mut statuses)?;
        match statuses.is_full() {
            true => Err(Raised("MemoryError")),
            false => Ok(statuses),
        }
    }
}

impl PartialEq for Parser {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Parser {}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Parser").field(&self.name()).finish()
    }
}

/// Whether 4.1 takes a project's tests as failed only where its log says so; rows of 5.0
/// tell it themselves.
pub fn fail_only(repo: &str) -> bool {
    matches!(
        repo,
        "chartjs/Chart.js" | "markedjs/marked" | "processing/p5.js"
    )
}
