//! Colour, where it is wanted; never the only sign of anything. And how wide
//! standard output is.

use std::env;

use crate::record::Outcome;

/// Columns of what is no terminal.
const WIDE: usize = 160;

/// Columns of the terminal that standard output is; wide where it is none.
pub fn stdout_columns() -> usize {
    console::Term::stdout()
        .size_checked()
        .map_or(WIDE, |(_, columns)| usize::from(columns))
}

/// Whether texts are coloured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// No colour.
    pub const PLAIN: Style = Style { colour: false };

    /// Colour for standard output, where it is a terminal and the user does not
    /// object (`NO_COLOR`, `TERM=dumb`).
    pub fn stdout() -> Self {
        Self::on(&console::Term::stdout())
    }

    /// As [`Style::stdout`], for standard error.
    pub fn stderr() -> Self {
        Self::on(&console::Term::stderr())
    }

    fn on(term: &console::Term) -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            colour: term.is_term() && !refused,
        }
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self.colour && !text.is_empty() {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    /// What stands back.
    pub(super) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// What stands out.
    pub(super) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// What should be read.
    pub(super) fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// A line of a patch that is added.
    pub(super) fn added(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// A line of a patch that is removed.
    pub(super) fn removed(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// In the colour of an outcome.
    pub(super) fn outcome(self, outcome: Outcome, text: &str) -> String {
        let code = match outcome {
            Outcome::Resolved => "32",
            Outcome::Unresolved => "31",
            Outcome::Tampered => "35",
            Outcome::Error => "33",
        };
        self.paint(code, text)
    }
}

/// The sign of an outcome, one column.
pub(super) fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Resolved => "✔",
        Outcome::Unresolved => "✘",
        Outcome::Tampered => "!",
        Outcome::Error => "?",
    }
}

/// The word for an outcome.
pub(super) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Resolved => "resolved",
        Outcome::Unresolved => "unresolved",
        Outcome::Tampered => "tampered",
        Outcome::Error => "error",
    }
}
