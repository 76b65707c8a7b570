//! One file per command; reads as a table of contents.
//!
//! Owns what is printed besides reports, and the exit codes. Must not hold
//! logic that a test would want.

pub mod drive;
mod exit;
pub mod images;
pub mod resume;
pub mod run;
pub mod show_run;
mod failure;
pub mod list;
pub mod new;
pub mod schema;
pub mod show_config;
pub mod show_task;

pub use exit::Exit;
pub use failure::{Failure, to_stdout};

/// The program.
pub fn main() -> std::process::ExitCode {
    Exit::Done.into()
}
