//! Eval scripts: the official one of an instance, made or given, and what it consists of.
//!
//! Owns their text, byte for byte. Must not know rows, tables or logs, nor run anything.
//!
//! A script is made in the official order from a base commit, a test patch and commands
//! ([`eval_script`]); what swebench 5.0 makes of a script that a row brings is
//! [`for_rules`]; and [`parts`] cuts either into what a verdict of our own needs.

mod diff;
mod hazards;
mod make;
mod parts;
mod rules;
mod targets;

pub use diff::{DiffError, DiffFile, files, reset_files};
pub use hazards::Warning;
pub use make::eval_script;
pub use parts::{Parts, parts};
pub use rules::{for_rules, with_assets};

/// Folder of the repository in every official image.
pub const DIRECTORY: &str = "/testbed";
/// What the official harness calls the end of the test patch.
pub const DELIMITER: &str = "EOF_114329324912";
/// Stands in the log where the tests' output begins.
pub const START: &str = ">>>>> Start Test Output";
/// Stands in the log where it ends.
pub const END: &str = ">>>>> End Test Output";
/// Stands in the log before the tests' exit status (5.0).
pub const EXIT_CODE: &str = ">>>>> Test Exit Code";
/// The shell's variable for that status.
const EXIT_VARIABLE: &str = "SWEBENCH_TEST_EXIT_CODE";
const SHEBANG: &str = "#!/bin/bash";
/// No `-e`: an install that fails does not stop a script.
const SET: &str = "set -uxo pipefail";
const NOTHING_TO_RESET: &str = r#"echo "No test files to reset""#;

/// What of an instance stands in its eval script.
#[derive(Debug, Clone, Copy)]
pub struct Instance<'a> {
    pub base_commit: &'a str,
    pub test_patch: &'a str,
    /// What a patch cannot carry and the tests need (Multimodal); fetched by the script
    /// of a [`Kind::Common`](super::specs::Kind::Common) repository.
    pub assets: &'a [Asset],
}

/// A file at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Below the repository.
    pub path: String,
    pub url: String,
}

/// An eval script that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    pub text: String,
    /// What a shell makes of it that its maker did not mean. The text is as official
    /// nevertheless.
    pub warnings: Vec<Warning>,
}

/// Why no script could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    #[error("read the test patch, {0}")]
    Patch(#[from] DiffError),
    #[error("there is no command that runs the tests; say `test` in the specification")]
    NoTest,
}

#[cfg(test)]
mod diff_tests;
#[cfg(test)]
mod official_tests;
#[cfg(test)]
mod parts_tests;
#[cfg(test)]
mod tests;
