//! What no process of a verification may write while tests run.
//!
//! Owns which paths these are. Must not know how a sandbox holds them.

use std::collections::BTreeSet;

use super::steps::Steps;
use super::{Place, VerifyError, hidden, pytest};
use crate::sandbox::{Sandbox, SandboxError};
use crate::task::{PathGlobs, Runner, Task};

impl Steps<'_> {
    /// Holds the test files, and what of the verifier's own is named; says whether all
    /// of that can be written no more. What `may_change` names stays writable.
    pub(super) async fn hold(&self, own: Vec<String>) -> Result<bool, VerifyError> {
        if !self.task.verification.hold {
            return Ok(false);
        }
        let mut paths = files(self.task, self.place);
        paths.extend(own);
        let begins = self.place.work_tree.as_deref();
        let begins = begins.unwrap_or(&self.place.hidden_root);
        let exempt = PathGlobs::new(&self.task.verification.may_change, begins)
            .expect("globs are compiled when a task is loaded");
        paths.retain(|path| !exempt.names(path));
        let paths: Vec<String> = paths.into_iter().collect();
        lay_and_hold(self.hands.sandbox, &paths)
            .await
            .map_err(|source| VerifyError::of("hold the hidden files", source))
    }
}

/// A cache folder that is there and empty is one in which nothing can be put.
async fn lay_and_hold(sandbox: &dyn Sandbox, paths: &[String]) -> Result<bool, SandboxError> {
    let caches = paths.iter().filter(|path| path.ends_with(CACHE));
    let caches: Vec<(&str, u32)> = caches
        .map(|path| (path.trim_start_matches('/'), 0o755))
        .collect();
    if !caches.is_empty() {
        let tar = hidden::folders(&caches).map_err(|error| SandboxError::Host {
            doing: "pack folders".into(),
            source: std::io::Error::other(error),
        })?;
        sandbox.unpack("/", &[], &tar).await?;
    }
    sandbox.hold(paths).await
}

const CACHE: &str = "/__pycache__";

/// Hidden files and, where tests are named by their files, those that hold a test which
/// is expected; absolute.
pub fn files(task: &Task, place: &Place) -> BTreeSet<String> {
    let below = |root: &str, path: &str| {
        let path = path.trim_start_matches("./");
        format!("{}/{path}", root.trim_end_matches('/'))
    };
    let hidden = hidden::files(&place.hidden_tar).into_iter();
    let hidden = hidden.map(|path| below(&place.hidden_root, &path));
    let cwd = place.work_tree.as_deref().unwrap_or(&place.hidden_root);
    let named = match task.verification.runner {
        Runner::Pytest => pytest::files(task.expected().map(|(id, _)| id)),
        _ => Vec::new(),
    };
    let named = named.into_iter().map(|path| below(cwd, &path));
    hidden.chain(named).collect()
}

/// The folders in which Python would find a cached form of one of these files: what it
/// reads there it takes for the file itself when time and size agree.
pub fn caches(files: &BTreeSet<String>) -> BTreeSet<String> {
    let python = files.iter().filter(|path| path.ends_with(".py"));
    let folders = python.filter_map(|path| path.rsplit_once('/'));
    folders
        .map(|(folder, _)| format!("{folder}{CACHE}"))
        .collect()
}
