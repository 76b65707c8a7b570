//! p5.js' Mocha in a page: its failures, among what the page prints.
//!
//! Must not know how the printed blocks are cut out (`super::blocks`, `super::tags`).

use super::super::text::{indent, is_digit, is_space, strip, without_escapes};
use super::super::{FAILED, Input, Raised, Statuses};
use super::{blocks, tags};

/// Most characters of a failure's names.
const LONGEST: usize = 1000;

/// `1) suite`, the lines below it each further to the right, up to a colon.
pub fn p5js(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    let log = without_escapes(input.log);
    let log = blocks::without(&log);
    let log = tags::without(&log)?;
    let mut failures = Failures::of(&log);
    while let Some(names) = failures.next() {
        if goes_right(names) {
            let names: Vec<&str> = names.split('\n').map(strip).collect();
            statuses.insert_joined(&names, ":", FAILED);
        }
    }
    Ok(())
}

/// Whether each line is further to the right than the one before; the first one is
/// indented.
fn goes_right(names: &str) -> bool {
    let mut last = 0;
    names.split('\n').all(|line| {
        let indent = indent(line);
        let is = indent > last;
        last = indent;
        is
    })
}

/// Finds the numbers of failures at lines' starts, and a colon near enough behind each.
struct Failures<'a> {
    log: &'a str,
    /// Where a line starts that is looked at next.
    at: Option<usize>,
    /// The next colon, and from where on it is near enough, as far as that is known.
    colon: usize,
    near: usize,
}

impl<'a> Failures<'a> {
    fn of(log: &'a str) -> Self {
        Self {
            log,
            at: Some(0),
            colon: 0,
            near: 0,
        }
    }

    /// What stands between the next failure's number and its colon.
    fn next(&mut self) -> Option<&'a str> {
        loop {
            let rest = self.log.get(self.at?..)?;
            let number = rest.trim_start_matches(is_space);
            let after = number.trim_start_matches(is_digit);
            let names = after
                .strip_prefix(')')
                .filter(|_| after.len() < number.len());
            let names_at = names.map(|names| self.log.len() - names.len());
            let colon = names_at.and_then(|from| self.colon_near(from));
            // Blank lines before a number belong to it: they need no second look.
            let seen = colon.unwrap_or(self.log.len() - number.len());
            let line = self.log.get(seen..)?.find('\n');
            self.at = line.map(|end| seen + end + 1);
            if let (Some(from), Some(colon)) = (names_at, colon) {
                return self.log.get(from..colon);
            }
        }
    }

    /// The next colon, if there are not too many characters before it.
    fn colon_near(&mut self, from: usize) -> Option<usize> {
        if self.colon < from || self.colon == 0 {
            let end = self.log.get(from..)?.find(':');
            self.colon = end.map_or(self.log.len(), |end| from + end);
            let before = self.log.get(from..self.colon)?.char_indices();
            let first = before.rev().take(LONGEST).last();
            self.near = first.map_or(self.colon, |(place, _)| from + place);
        }
        (self.colon < self.log.len() && from >= self.near).then_some(self.colon)
    }
}
