//! Runners of projects in Ruby.
//!
//! Must not know other languages' lines of the same shape.

use super::shape::{Shape, shape, usual};
use super::text::{pattern, strip};
use super::{FAILED, Input, PASSED, Raised, Statuses};

/// minitest, verbose: `name. 0.01 s = .`; what counts is the line's last `.`, `F` or `E`.
pub fn minitest(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    for line in input.log.split('\n').map(strip) {
        let found = line.rfind(['.', 'F', 'E']).and_then(|outcome| {
            let (before, outcome) = line.split_at(outcome);
            let (before, _) = before.rsplit_once('=')?;
            let (name, _) = before.rsplit_once(". ")?;
            Some((name, outcome.starts_with('.')))
        });
        if let Some((name, passed)) = found.filter(|(name, _)| !name.is_empty()) {
            statuses.insert(name, if passed { PASSED } else { FAILED });
        }
    }
    Ok(())
}

/// Cucumber's progress: a feature, and a dot or an `F` for each step.
pub fn cucumber(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = shape!(r"^(?<name>.*) \.+(?<word>\.|F)");
    LINE.lines(input, statuses)
}

/// test-unit, verbose: `test: name: .`, the letters standing alone.
pub fn ruby_unit(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = Shape::new(
        || pattern(r"^(?:test: )?(?<name>.+):\s+(?<word>\.|[EFO](?:[^\w]|$))"),
        |word| usual(word.get(..1)?),
    );
    LINE.lines(input, statuses)
}

/// RSpec's JSON as its lines were made of it: `name - passed`.
pub fn rspec(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static LINE: Shape = shape!(r"^(?<name>.+) - (?<word>passed|failed)");
    LINE.lines(input, statuses)
}

/// jekyll changed its runner, so that the pull request decides.
pub fn jekyll(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    let mut parts = input.about.instance_id.split('-');
    match parts.nth(1).ok_or(Raised("IndexError"))? {
        "9141" | "8047" | "8167" => minitest(input, statuses),
        "8761" | "8771" => cucumber(input, statuses),
        _ => Err(Raised("ValueError")),
    }
}
