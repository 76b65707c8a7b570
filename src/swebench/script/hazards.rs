//! What a shell makes of a script that nobody meant.
//!
//! Owns the warnings. Must not change a script: the official one is verbatim.

use std::fmt;

use super::targets::directives as targets;
use super::{DELIMITER, END, START};
use crate::swebench::specs::Directives;

/// Most of them that are told.
const MOST: usize = 32;

/// Something in a test patch that the official script does not quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// This line of the patch (from 1) ends it; what follows runs as commands.
    Delimiter { line: usize },
    /// This line of the patch (from 1) has an official marker, which swebench 5.0 takes
    /// for its own: the tests' exit status is then not recorded.
    Marker { line: usize },
    /// The shell splits or expands this path.
    Unquoted { path: String },
    /// The patch has a NUL, which no shell takes.
    Nul { line: usize },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Delimiter { line } => write!(
                f,
                "line {line} of the test patch is {DELIMITER}, which ends it: the shell runs what follows"
            ),
            Warning::Marker { line } => write!(
                f,
                "line {line} of the test patch has a marker of the official harness"
            ),
            Warning::Unquoted { path } => write!(
                f,
                "the official script does not quote the path {path:?}, which a shell takes apart"
            ),
            Warning::Nul { line } => {
                write!(
                    f,
                    "line {line} of the test patch has a NUL, which a shell drops"
                )
            }
        }
    }
}

/// What is to be told of a patch and of the paths that are written out of it.
pub(super) fn of(patch: &str, files: &[String], directives: &Directives) -> Vec<Warning> {
    let lines = patch.split('\n').zip(1..).filter_map(|(text, line)| {
        if text == DELIMITER {
            Some(Warning::Delimiter { line })
        } else if text.contains(START) || text.contains(END) {
            Some(Warning::Marker { line })
        } else if text.contains('\0') {
            Some(Warning::Nul { line })
        } else {
            None
        }
    });
    let mut told: Vec<Warning> = lines.take(MOST).collect();
    let named = targets(directives, patch);
    for path in files.iter().chain(&named) {
        let warning = Warning::Unquoted { path: path.clone() };
        if !is_plain(path) && told.len() < MOST && !told.contains(&warning) {
            told.push(warning);
        }
    }
    told
}

/// Whether a shell leaves a word as it is.
fn is_plain(word: &str) -> bool {
    let special =
        |c: char| c.is_whitespace() || c.is_control() || "'\"\\$`;&|<>(){}[]*?!".contains(c);
    !word.is_empty() && !word.starts_with(['~', '#', '-']) && !word.contains(special)
}
