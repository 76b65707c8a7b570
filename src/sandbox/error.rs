//! What can go wrong with a sandbox, and whose doing it is.

use serde::{Deserialize, Serialize};

/// A call that a sandbox did not perform.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Something inside refused: data for the agent, no fault of ours.
    #[error(transparent)]
    Guest(#[from] GuestError),
    /// The helper is gone: `cause` says what is known (out of memory, killed, …).
    #[error("the helper in the sandbox is gone: {cause}")]
    Gone { cause: String, out_of_memory: bool },
    /// The helper did not answer in time.
    #[error("the helper did not answer within {seconds} s while {doing}")]
    Deadline { doing: &'static str, seconds: u64 },
    /// The engine refused or failed.
    #[error("{doing}: {message}")]
    Engine { doing: String, message: String },
    /// Something of this host failed.
    #[error("{doing}: {source}")]
    Host {
        doing: String,
        source: std::io::Error,
    },
    /// The engine does not answer.
    #[error("the Docker engine does not answer at {host}")]
    Unreachable { host: String, message: String },
}

/// What the helper says could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct GuestError {
    pub kind: GuestErrorKind,
    pub message: String,
}

/// Kinds of refusals, for callers that decide by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GuestErrorKind {
    NotFound,
    /// A FIFO, a device, a socket or a folder where a file was meant.
    NotRegular,
    Permission,
    /// No space, no process, no memory left in the sandbox.
    Exhausted,
    /// The program to run is not there.
    NoProgram,
    /// A bound was passed.
    TooLarge,
    Invalid,
    Other,
}
