//! Under which names the official log parsers would have written a record of ours.
//!
//! Owns the way from a runner's own id to official names, and from an expected id to the
//! records that it may mean. Must not know logs, nor whether a test passed.
//!
//! Official ids are what is left of a line of a log: cut at the first blank
//! (`test_x[a b]` is `test_x[a`), without their file (sympy), without the suites around
//! them (jest), or the first line of a description (Django). So an expected id may mean
//! several tests; all of them have to pass ([`Candidates`]).

mod candidates;
mod python;
mod titled;

pub use candidates::Candidates;

/// A test as its runner calls it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// The id in our own records: `tests/a.py::T::test_x[a b]`, `tests.mod.Class.test_x`,
    /// `package/path::TestX/sub`, `crate:source::path`, `classname::name`.
    pub id: &'a str,
    /// Where suites nest: their titles from the outermost, then the test's. Without them
    /// what stands behind the first `::` of the id is one title, or several with ` > `
    /// between.
    pub titles: Vec<&'a str>,
    /// First line of its description (unittest's docstrings).
    pub doc: Option<&'a str>,
    /// Its file; else what stands before the first `::` of the id.
    pub file: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// A test of which only the id is known.
    pub fn of(id: &'a str) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }

    fn file(&self) -> Option<&'a str> {
        self.file
            .or_else(|| self.id.split_once("::").map(|(file, _)| file))
    }

    /// Its titles, never none.
    fn titles(&self) -> Vec<&'a str> {
        if !self.titles.is_empty() {
            return self.titles.clone();
        }
        let behind = self.id.split_once("::").map_or(self.id, |(_, rest)| rest);
        behind.split(" > ").collect()
    }

    fn leaf(&self) -> &'a str {
        self.titles().last().copied().unwrap_or(self.id)
    }

    /// The class and the name of a test, where it has both.
    fn class_and_name(&self) -> Option<(&'a str, &'a str)> {
        if let [.., class, name] = self.titles.as_slice() {
            return Some((class, name));
        }
        let parted = self.id.rsplit_once("::").or(self.id.rsplit_once('#'))?;
        let class = parted.0.rsplit("::").next().unwrap_or(parted.0);
        Some((class, parted.1))
    }
}

/// The names that the official parser of this name gives a test in any state, in either
/// version, each once. Of a parser that is not known it is the id.
pub fn official_names(parser: &str, record: &Record<'_>) -> Vec<String> {
    let parser = parser.strip_prefix("parse_log_").unwrap_or(parser);
    let found = python::names(parser, record).or_else(|| titled::names(parser, record));
    let mut names: Vec<String> = Vec::new();
    for name in found.unwrap_or_else(|| vec![record.id.to_owned()]) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Whether an expected id is what pytest's progress (`[100%]`) left in a log, and so
/// names no test at all; three instances of SWE-bench expect such.
pub fn is_artefact(parser: &str, expected: &str) -> bool {
    let parser = parser.strip_prefix("parse_log_").unwrap_or(parser);
    let rest = expected.strip_prefix('[').unwrap_or("no");
    let progress = |c: char| c.is_ascii_digit() || "%]-= ".contains(c);
    python::is_pytest(parser) && rest.chars().all(progress)
}

/// What Python takes for a blank.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests;
