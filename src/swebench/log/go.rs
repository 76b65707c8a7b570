//! `go test -v`.
//!
//! Must not know the events of `go test -json`.

use super::shape::{Shape, shape};
use super::{Input, Raised, Statuses};

/// `--- PASS: name (0.00s)`, of subtests too.
pub fn read(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = shape!(r"^--- (?<word>PASS|FAIL|SKIP): (?<name>.+) \(.+\)$");
    LINE.lines(input, statuses)
}
