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

pub use exit::Exit;

/// The program.
pub fn main() -> std::process::ExitCode {
    Exit::Done.into()
}
