//! Checkout of a base commit, and a change as data.
//!
//! Owns git2: our own object database and configuration, never a sandbox's
//! `.git`. Must not know sandboxes, agents or runs: trees come in as folders and
//! tar streams and go out as such.
//!
//! The way of a repo: [`prepare`] makes a pristine work tree of the base commit
//! once; what an agent left of a copy of it comes back as a [`Delta`];
//! [`Changed`] holds the new tree in an object database of its own, beside the
//! base's, and says what it is (a patch) and how to lay it over another
//! pristine copy ([`Laid`]).

mod apply;
mod bundle;
mod change;
mod checkout;
mod delta;
mod diff;
mod fetch;
mod folder;
mod ignored;
mod in_image;
mod names;
mod overlay;
mod pack;
mod patch;
mod prepare;
mod store;
#[cfg(test)]
mod tests;
mod tree;

pub use change::{Bounds, ChangeKind, Changed, FileChange, RepoChange};
pub use delta::Delta;
pub use in_image::InImage;
pub use overlay::{Laid, tree_tar};
pub use pack::{ObjectKind, Pack, PackedObject};
pub use prepare::{Owner, Prepared, Proof, prepare};

use std::path::{Path, PathBuf};

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
    /// The host's `git` program is missing.
    #[error("run the host's git, which brings repos by url: {source}")]
    NoGit { source: std::io::Error },
    /// The host's `git` program ended with an error, or did not end in time.
    #[error("fetch {url}: {message}")]
    Fetch { url: String, message: String },
    /// The source does not have the commit that was asked for.
    #[error("find commit {commit} in {place}")]
    NoCommit { commit: String, place: String },
    /// A patch does not fit the tree that it was applied to.
    #[error("apply the patch to {path}: {message}")]
    Patch { path: String, message: String },
    /// A checkout that would hold other objects than the base's: a defect of ours.
    #[error(
        "prove the checkout: {reachable} objects can be reached from the base, {stored} are stored"
    )]
    Unproven { reachable: u64, stored: u64 },
    /// The stream that a change came in is no tar stream.
    #[error("read the stream of changed files: {0}")]
    Stream(std::io::Error),
    #[error("{0}")]
    Invalid(String),
    /// The change passes a bound: the agent's doing.
    #[error("the change is too large: {0}")]
    TooLarge(String),
}

impl RepoError {
    /// Wraps an error of git2's with what was being done.
    fn git(doing: impl Into<String>) -> impl FnOnce(git2::Error) -> Self {
        let doing = doing.into();
        move |error| Self::Git {
            doing,
            message: error.message().to_owned(),
        }
    }

    /// Wraps an error of the file system's with what was being done to what.
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}
