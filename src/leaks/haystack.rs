//! What was searched, in numbers, and what was not.
//!
//! Owns the words for that. Must not know why.

use serde::Serialize;

use super::Place;

/// Something that was not searched, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    pub place: Place,
    /// For people, a fragment.
    pub why: String,
}

impl Skipped {
    pub fn new(place: Place, why: impl Into<String>) -> Self {
        Self {
            place,
            why: why.into(),
        }
    }
}

/// What was searched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Texts: files, members of archives, objects of git.
    pub texts: u64,
    /// Bytes of them, unpacked.
    pub bytes: u64,
    /// Archives that were opened.
    pub archives: u64,
}
