//! Where the official grading breaks off.

use crate::swebench::Rules;

/// Where the official grading itself breaks off with an exception: an instance without a
/// report, which the official summary counts as an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GradeError {
    #[error("`{instance}`: swebench {} knows no log parser `{parser}`", rules.name())]
    Parser {
        instance: String,
        rules: Rules,
        parser: String,
    },
    #[error("`{instance}`: swebench {} knows no log parser for `{repo}`", rules.name())]
    Repo {
        instance: String,
        rules: Rules,
        repo: String,
    },
    #[error(
        "`{instance}`: `{eval_type}` is no eval_type; there are `pass_and_fail` and `fail_only`"
    )]
    EvalType { instance: String, eval_type: String },
    #[error("`{instance}`: the log is not UTF-8: byte {offset} (0x{byte:02x}), in line {line}")]
    NotUtf8 {
        instance: String,
        /// From 0.
        offset: usize,
        byte: u8,
        /// From 1.
        line: usize,
    },
    #[error("`{instance}`: the official log parser breaks off with {exception}")]
    Raised {
        instance: String,
        exception: &'static str,
    },
    #[error("`{instance}`: the exit status in the log has {digits} digits")]
    ExitCode { instance: String, digits: usize },
}

impl GradeError {
    /// The Python exception that the official grading ends with.
    pub fn exception(&self) -> &str {
        match self {
            Self::Parser { .. } | Self::Repo { .. } => "KeyError",
            Self::EvalType { .. } | Self::ExitCode { .. } => "ValueError",
            Self::NotUtf8 { .. } => "UnicodeDecodeError",
            Self::Raised { exception, .. } => exception,
        }
    }
}
