//! `cargo test`.
//!
//! Must not know which crate a test belongs to: the official parser does not tell.

use super::shape::{Shape, shape};
use super::{Input, Raised, Statuses};

/// `test name ... ok`; ignored tests are left out.
pub fn read(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = shape!(r"^test\s+(?<name>\S+)\s+\.\.\.\s+(?<word>ok|FAILED)$");
    LINE.lines(input, statuses)
}
