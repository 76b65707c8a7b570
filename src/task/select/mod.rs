//! Which instances of a data set are meant: filters by their fields, samples, and lists
//! of what is left out.
//!
//! Plain functions over names and values. Must not know where fields come from, nor what
//! is done with what was chosen.

mod exclude;
mod expression;
mod sample;

pub use exclude::{Exclusion, ExclusionError, Exclusions, SCHEMA};
pub use expression::{Expression, ExpressionError, Value};
pub use sample::sample;
