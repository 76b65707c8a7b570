//! Instances of the SWE-bench family as tasks.
//!
//! A row becomes a folder ([`lay_out`]) that holds all that its trials and its verdict
//! need, and a folder becomes a task ([`load`]): so a run can be resumed, graded again and
//! audited without the data set. Owns the folder's shape and what a row means as a task.
//! Must not know where images are or how verdicts are made.

mod error;
mod file;
mod load;
mod make;
mod pytest_options;
mod strict;
#[cfg(test)]
mod tests;

pub use error::InstanceError;
pub use file::{Built, FILE, RepoPlace};
pub use load::load;
pub use make::{Ground, lay_out};
