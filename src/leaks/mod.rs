//! Is the answer lying about? A task's solution and hidden tests, looked for in what
//! an agent can read.
//!
//! Owns what is looked for ([`Needles`]), how texts are compared ([`words`]), and how
//! archives are opened. Must not know where streams come from: it gets bytes with a
//! name, and says what of a needle is in them. Runs nothing and follows no link.
//!
//! A text is cut into overlapping runs of eight words (w-shingling, Broder 1997; eight
//! words is also what contamination of test sets is measured by). Words are letters,
//! digits and `_`, so that indentation, quotes, `+` of a diff and escapes of JSON make
//! no difference. What a task shows anyway, its work tree and the context of its image,
//! tells nothing and is taken out first.

mod archive;
mod haystack;
mod image;
mod index;
mod needle;
mod pack;
mod patch;
mod peek;
mod search;
#[cfg(test)]
mod tests;
mod words;

pub use haystack::{Skipped, Totals};
pub use image::image;
pub use index::Index;
pub use needle::{Kind, Needle, NeedleError, Needles, read, shown};
pub use search::{Bounds, Interrupted, Search, folder};

use serde::Serialize;

/// What a search came to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Found {
    /// The largest share first.
    pub leaks: Vec<Leak>,
    /// What was not searched, or not to its end.
    pub not_searched: Vec<Skipped>,
    /// More of these than are listed.
    pub not_searched_more: u64,
    /// What of the task was not looked for, and why.
    pub not_sought: Vec<Skipped>,
    pub searched: Totals,
}

/// A part of the answer, and where it lies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Leak {
    pub place: Place,
    /// The file of the task: `solution/fix.patch`, `tests/files/test_a.py`.
    pub needle: String,
    pub kind: Kind,
    /// Telling shingles of it that are there.
    pub found: u32,
    /// All that it has.
    pub of: u32,
}

impl Leak {
    /// From 0 to 1.
    pub fn share(&self) -> f64 {
        f64::from(self.found) / f64::from(self.of.max(1))
    }
}

/// Where something lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// `image layer 3 of 6`, `checkout`, …
    #[serde(rename = "in")]
    pub root: String,
    /// A path, then what is in that file, from the outside in.
    pub path: Vec<String>,
    /// `deleted by layer 4`; of a git object the commit and path that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Place {
    /// A place with nothing in it yet.
    pub fn of(root: impl Into<String>) -> Self {
        Self {
            root: root.into(),
            path: Vec::new(),
            note: None,
        }
    }

    /// What is in it.
    pub fn at(&self, name: impl Into<String>) -> Self {
        let mut inner = self.clone();
        inner.path.push(name.into());
        inner
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.root)?;
        for part in &self.path {
            write!(f, ": {part}")?;
        }
        match &self.note {
            Some(note) => write!(f, " ({note})"),
            None => Ok(()),
        }
    }
}
