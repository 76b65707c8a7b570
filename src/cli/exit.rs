//! Exit codes: scripts rely on them.

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, whatever the agents' success.
    Done = 0,
    /// Done, but some trials ended in `error`.
    TrialErrors = 1,
    /// Usage, configuration or task error: nothing was run.
    Usage = 2,
    /// A gate did not hold, or a check failed.
    Failed = 3,
    /// The engine or the model cannot be reached.
    Unreachable = 4,
    /// Interrupted, resumable.
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
