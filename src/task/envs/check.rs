//! What every check of a specification needs: where to tell a problem, and checks of
//! single values.

use crate::diagnose::{KeyPath, Problem, SourceText, place};

/// Most problems, and most warnings, that are told of one file: to find the place of
/// one takes reading the file.
const MOST_TOLD: usize = 100;
/// Longest name of a package, an image or a path, bytes.
const MOST_NAME: usize = 1024;

/// Gathers what is wrong, and what only deserves a warning.
pub struct Checker<'a> {
    text: &'a SourceText,
    pub problems: Vec<Problem>,
    pub warnings: Vec<String>,
}

impl<'a> Checker<'a> {
    pub fn new(text: &'a SourceText) -> Self {
        Self {
            text,
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// A value is wrong; `label` says what would be right.
    pub fn wrong(&mut self, path: &KeyPath, message: impl Into<String>, label: impl Into<String>) {
        if self.problems.len() >= MOST_TOLD {
            return;
        }
        let span = place(&self.text.text, path).map_or(0..0, |(_, value)| value);
        let spot = self.text.spot(span, label);
        self.problems.push(Problem::new(message).at(spot));
    }

    /// Something that is taken as it is.
    pub fn warn(&mut self, path: &KeyPath, message: impl Into<String>) {
        if self.warnings.len() >= MOST_TOLD {
            return;
        }
        let span = place(&self.text.text, path).map_or(0..0, |(_, value)| value);
        let problem = Problem::new(message).at(self.text.spot(span, ""));
        self.warnings.push(problem.to_string());
    }

    /// The line of a table, from 1.
    pub fn line(&self, path: &KeyPath) -> usize {
        let span = place(&self.text.text, path).map_or(0..0, |(_, value)| value);
        self.text.spot(span, "").line
    }

    /// A word for a command line: not empty, no option, nothing that ends or hides it.
    pub fn word(&mut self, path: &KeyPath, what: &str, text: &str) -> bool {
        let wrong = if text.trim().is_empty() {
            format!("{what} that is empty")
        } else if text.len() > MOST_NAME {
            format!("{what} of more than {MOST_NAME} bytes")
        } else if text.chars().any(char::is_control) {
            format!("{what} with a control character")
        } else if text.starts_with('-') {
            format!("`{text}` is an option, and {what} is asked for")
        } else {
            return true;
        };
        self.wrong(path, wrong, "");
        false
    }

    /// A command for the shell: lines without control characters, not empty.
    pub fn command(&mut self, path: &KeyPath, text: &str) -> bool {
        let control = |sign: char| sign.is_control() && !matches!(sign, '\n' | '\t');
        let wrong = if text.trim().is_empty() {
            "a command that is empty"
        } else if text.chars().any(control) {
            "a command with a control character"
        } else {
            return true;
        };
        self.wrong(path, wrong, "");
        false
    }
}
