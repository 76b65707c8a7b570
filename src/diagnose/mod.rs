//! Problems in text files that people write: named by file, line and column,
//! shown with the line, and with the nearest known word.
//!
//! Owns how such a problem looks and how TOML and YAML files are read with spans
//! ([`toml`], [`yaml`]). Must not know what any file means: `task` and `config` do.

mod keys;
mod render;
mod text;
pub mod toml;
pub mod yaml;

pub use keys::{KeyPath, Step, place};
pub use text::{SourceText, innermost, nearest, printable};

use std::fmt;

/// Something wrong in a file, or about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, a lowercase fragment.
    pub message: String,
    /// Where, if it has a place.
    pub spot: Option<Spot>,
    /// What to do about it, a line each.
    pub notes: Vec<String>,
}

/// A place in a file, with the line that it lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The file, as the user named it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What stands under the marked part.
    pub label: String,
    /// The line, cut to a width that a terminal shows, control characters replaced.
    excerpt: String,
    /// The marked part of `excerpt`, bytes.
    marked: std::ops::Range<usize>,
}

impl Problem {
    /// The first of several in a sentence, with the number of the others.
    pub fn first_of(all: &[Self]) -> String {
        let rest = match all.len() {
            0 | 1 => String::new(),
            more => format!(" (and {} more)", more - 1),
        };
        let first = all.first();
        first.map_or_else(String::new, |problem| format!("{problem}{rest}"))
    }

    /// All of them as blocks of lines for a terminal; ends with a newline.
    pub fn render_all(all: &[Self], colour: bool) -> String {
        let blocks: Vec<String> = all.iter().map(|problem| problem.render(colour)).collect();
        blocks.join("\n")
    }

    /// A problem with no place of its own.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            spot: None,
            notes: Vec::new(),
        }
    }

    /// The same problem at a place.
    pub fn at(mut self, spot: Spot) -> Self {
        self.spot = Some(spot);
        self
    }

    /// The same problem with a line of advice.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Line and column, for sorting; what has no place comes first.
    pub fn place(&self) -> Option<(usize, usize)> {
        self.spot.as_ref().map(|spot| (spot.line, spot.column))
    }

    /// The problem as a block of lines; ends with a newline.
    pub fn render(&self, colour: bool) -> String {
        render::problem(self, colour)
    }
}

/// In one line: `file:line:column: message (label)`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(spot) = &self.spot {
            write!(f, "{}:{}:{}: ", spot.file, spot.line, spot.column)?;
        }
        f.write_str(&self.message)?;
        match &self.spot {
            Some(spot) if !spot.label.is_empty() => write!(f, "; {}", spot.label),
            _ => Ok(()),
        }
    }
}

/// An error of any room as a block of lines: its text, what caused it, and
/// lines of advice, in the look of [`Problem::render`].
pub fn render_error(error: &dyn std::error::Error, notes: &[String], colour: bool) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        // Some texts end with their cause already.
        if !message.ends_with(&said) {
            message.push_str(": ");
            message.push_str(&said);
        }
        source = cause.source();
    }
    let problem = Problem {
        message,
        spot: None,
        notes: notes.to_vec(),
    };
    problem.render(colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("read the plan: {source}")]
    struct Told {
        source: std::io::Error,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("begin the run")]
    struct Quiet {
        #[source]
        told: Told,
    }

    #[test]
    fn a_cause_is_told_once() {
        let source = std::io::Error::other("no luck");
        let told = Told { source };
        assert_eq!(
            render_error(&Quiet { told }, &[], false).trim_end(),
            "error: begin the run: read the plan: no luck"
        );
    }
}
