//! Checkout of a base commit, and a change as data.
//!
//! Owns git2: our own object database and configuration, never a sandbox's
//! `.git`. Must not know sandboxes, agents or runs: trees come in as folders and
//! tar streams and go out as such.

use std::path::PathBuf;

/// What can go wrong with a repo; texts are fragments after "cannot".
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    #[error("{doing}: {message}")]
    Git { doing: String, message: String },
    #[error("{doing} {path}: {source}")]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("read the bundle {path}: {message}")]
    Bundle { path: PathBuf, message: String },
    #[error("{0}")]
    Invalid(String),
    /// The change passes a bound: the agent's doing.
    #[error("the change is too large: {0}")]
    TooLarge(String),
}
