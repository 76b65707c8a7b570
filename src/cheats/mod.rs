//! Cheats against a verifier, and honest controls: what they are, whom they are
//! meant for, what counts as paid.
//!
//! Owns the catalogue (a few lines of shell each, `catalogue/`), the reader of
//! folders with further ones, the naive verifier's script and the signals that it
//! would believe, and the words for what stopped a cheat. Plain data and rules:
//! must not know sandboxes or runs (`run::trial` carries it out), and of agents only
//! what may become of a solution's calls.

mod catalogue;
mod manifest;
mod naive;
mod rules;
mod stopped;

pub use catalogue::{Begins, Cheat, Expected, Place, catalogue};
pub use manifest::{ManifestError, read_folder};
pub use naive::{HIDDEN, Left, NaiveRun, Scene, Signals, Way};
pub use rules::{CheatResult, Finding, Tally, applies, finding};
pub use stopped::stopped_by;

/// The exit status by which a command says that there is nothing here to act on.
pub const NOT_HERE: i32 = 77;
