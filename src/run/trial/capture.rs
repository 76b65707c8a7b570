//! The agent's change as data: taken when nothing of the agent's runs any more, or, for
//! tasks that are verified live, while all of it stands still.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::Trials;
use super::artifacts::Taken;
use super::live::is_live;
use super::prepare::{Ready, fault};
use super::world::ToolState;
use crate::record::{Fault, Reason, Sees};
use crate::repo::{Bounds, Changed, Delta, Laid, RepoError};
use crate::run::write_atomic;
use crate::sandbox::docker::Project;
use crate::sandbox::{
    Change, ChangeKind, GuestErrorKind, PackBounds, Packed, Sandbox, SandboxError,
};
use crate::task::{Format, Task};
use crate::tool::TOOLS;

/// Folders of the harness's own in a sandbox; what lies there is nobody's change.
pub const OURS: [&str; 7] = [
    "/solution",
    "/oracle",
    "/tests",
    "/agent-logs",
    "/logs/agent",
    "/logs/verifier",
    "/verifier",
];

/// A change, as it is laid over a pristine sandbox.
#[derive(Default)]
pub struct Capture {
    /// What goes first; absolute paths.
    pub deleted: Vec<Vec<u8>>,
    /// Then this, over `root`.
    pub tar: Vec<u8>,
    pub root: String,
    /// With its objects, for hidden patches and for the record.
    pub repo: Option<RepoSide>,
    /// The patch that it was made from, as somebody predicted it.
    pub predicted: Option<Vec<u8>>,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// Paths that it touches: of a repo relative to the work tree, else absolute.
    pub touched: Vec<String>,
    /// What the task's own tools left.
    pub tools: Option<ToolState>,
    /// What hidden checks are told of the calls.
    pub calls: Option<Vec<u8>>,
    /// What is kept by name.
    pub artifacts: Taken,
    /// The services that it was taken beside, which still run.
    pub beside: Option<Arc<Project>>,
}

/// What a repo task keeps of a change.
pub struct RepoSide {
    pub changed: Changed,
    pub patch: Vec<u8>,
    pub faithful: bool,
}

impl Capture {
    /// No change at all.
    pub fn nothing() -> Self {
        Self {
            root: "/".into(),
            ..Self::default()
        }
    }

    /// What a separate verifier sees: artifacts alone.
    pub fn of(artifacts: Taken) -> Result<Self, SandboxError> {
        let change = artifacts.change().map_err(|source| SandboxError::Host {
            doing: "take the artifacts".into(),
            source,
        });
        let (deleted, tar) = change?;
        let absolute = |path: String| format!("/{}", path.trim_start_matches('/'));
        Ok(Self {
            touched: touched(&deleted, &tar).into_iter().map(absolute).collect(),
            deleted,
            tar,
            ..Self::nothing()
        }
        .with(artifacts))
    }

    /// What lays a changed tree over the work tree at `root`; `faithful`: the patch alone
    /// gives it.
    pub fn of_changed(
        changed: Changed,
        patch: Vec<u8>,
        faithful: bool,
        root: &str,
    ) -> Result<Self, RepoError> {
        let Laid { deleted, tar, .. } = changed.overlay()?;
        Ok(Self {
            touched: touched(&deleted, &tar),
            deleted: deleted.iter().map(|path| below(root, path)).collect(),
            tar,
            root: root.to_owned(),
            repo: Some(RepoSide {
                changed,
                patch,
                faithful,
            }),
            ..Self::default()
        })
    }

    /// With what is kept by name.
    pub fn with(mut self, artifacts: Taken) -> Self {
        self.notes.extend(artifacts.warnings.iter().cloned());
        self.artifacts = artifacts;
        self
    }

    /// The change as a prediction: what was predicted, else the patch of the work tree.
    pub fn official_patch(&self) -> &[u8] {
        match (&self.predicted, &self.repo) {
            (Some(predicted), _) => predicted,
            (None, Some(repo)) => &repo.patch,
            (None, None) => &[],
        }
    }

    pub fn is_nothing(&self) -> bool {
        self.deleted.is_empty() && self.tar.is_empty()
    }

    /// Writes what the trial keeps of the change into its folder.
    pub fn keep(&self, dir: &Path) -> std::io::Result<()> {
        let store = |name: &str, bytes: &[u8]| {
            write_atomic(&dir.join(name), bytes)
                .map_err(|error| std::io::Error::other(error.to_string()))
        };
        self.artifacts.keep(&dir.join("artifacts"))?;
        if let Some(tools) = &self.tools {
            let mut packed = zstd::Encoder::new(Vec::new(), 3)?;
            packed.write_all(&deletions(&tools.deleted)?)?;
            packed.write_all(&tools.tar)?;
            store("tools.tar.zst", &packed.finish()?)?;
        }
        if let Some(repo) = &self.repo {
            store("change.patch", &repo.patch)?;
            if repo.faithful {
                return Ok(());
            }
        }
        if self.is_nothing() {
            return Ok(());
        }
        let mut packed = zstd::Encoder::new(Vec::new(), 3)?;
        packed.write_all(&deletions(&self.deleted)?)?;
        packed.write_all(&self.tar)?;
        store("change.tar.zst", &packed.finish()?)
    }
}

/// The first entry of a stored change: `.proofyard/deleted`, NUL-separated paths.
fn deletions(deleted: &[Vec<u8>]) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let content = crate::sandbox::wire::join_paths(deleted);
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, ".proofyard/deleted", content.as_slice())?;
    // Without the two blocks that end a stream: another one follows.
    Ok(tar.get_ref().clone())
}

/// What the agent's doing made of a capture: a reason, and the words for it.
pub type Refusal = (Reason, String);

impl Trials {
    /// Ends everything of the agent's, then takes its change; what is verified live, or
    /// `stays` for a further step, is stopped instead. The outer error is the engine's or
    /// the host's; the inner one the agent's doing.
    pub(super) async fn capture(
        &self,
        sandbox: &dyn Sandbox,
        ready: &Ready,
        scratch: &Path,
        stays: bool,
    ) -> Result<Result<Capture, Refusal>, Fault> {
        match self.take(sandbox, ready, scratch, stays).await {
            Ok(captured) => Ok(Ok(captured)),
            Err(TakeError::Sandbox(SandboxError::Guest(refused))) => {
                let reason = match refused.kind {
                    GuestErrorKind::TooLarge => Reason::ChangeTooLarge,
                    _ => Reason::CaptureFailed,
                };
                Ok(Err((reason, refused.message)))
            }
            Err(TakeError::Sandbox(gone @ SandboxError::Gone { .. })) => {
                Ok(Err((Reason::CaptureFailed, gone.to_string())))
            }
            Err(TakeError::Repo(RepoError::TooLarge(message))) => {
                Ok(Err((Reason::ChangeTooLarge, message)))
            }
            Err(TakeError::Sandbox(error)) => Err(fault("capture", &error)),
            Err(TakeError::Repo(error)) => Ok(Err((Reason::CaptureFailed, error.to_string()))),
        }
    }

    async fn take(
        &self,
        sandbox: &dyn Sandbox,
        ready: &Ready,
        scratch: &Path,
        stays: bool,
    ) -> Result<Capture, TakeError> {
        let verification = &ready.task.verification;
        let live = is_live(&ready.task);
        let quiet = || match live || stays {
            true => sandbox.freeze(),
            false => sandbox.kill_all(),
        };
        if let Err(error) = quiet().await {
            // Gone, or with processes that do not end: a new helper over the same files.
            tracing::debug!(%error, "the helper is started again for the capture");
            sandbox.revive().await?;
            quiet().await?;
        }
        let mut artifacts = Taken::default();
        if ready.task.format == Format::Harbor || !ready.task.artifacts.is_empty() {
            artifacts = self.artifacts(sandbox, &ready.task).await?;
        }
        if verification.separate.is_some() {
            return Ok(Capture::of(artifacts)?);
        }
        let captured = self.take_change(sandbox, ready, scratch).await?;
        Ok(captured.with(artifacts))
    }

    async fn take_change(
        &self,
        sandbox: &dyn Sandbox,
        ready: &Ready,
        scratch: &Path,
    ) -> Result<Capture, TakeError> {
        let verification = &ready.task.verification;
        let live = is_live(&ready.task);
        let by_patch = verification.sees == Sees::Patch && ready.tree.is_some();
        let roots: Vec<&str> = match by_patch {
            true => vec![ready.tree_path.as_str()],
            false => verification.carry.iter().map(String::as_str).collect(),
        };
        let own_tools = !ready.task.tools.custom.is_empty();
        let mut changes = sandbox.changes().await?;
        changes.retain(|change| {
            let path = change.path.as_slice();
            let carried = roots.is_empty() || roots.iter().any(|root| is_below(path, root));
            let git = (by_patch || live)
                && path
                    .split(|byte| *byte == b'/')
                    .any(|part| part.eq_ignore_ascii_case(b".git"));
            // Tools of the task's own and their state cross over by themselves.
            let tools = own_tools && is_below(path, TOOLS);
            carried && !git && !tools && !OURS.iter().any(|ours| is_below(path, ours))
        });
        let uploaded = uploaded(&ready.task, sandbox.workdir());
        if changes.is_empty() && uploaded.is_empty() && !by_patch {
            return Ok(Capture::nothing());
        }
        let bytes = self.settings.limits.change_mb << 20;
        let (mut deleted, packed) = packed(sandbox, changes, bytes, !by_patch).await?;
        // What of these files is still there crosses with everything else.
        deleted.extend(uploaded);
        let notes: Vec<String> = packed
            .skipped
            .iter()
            .take(100)
            .map(|(path, reason)| {
                format!("{} was left out: {reason}", String::from_utf8_lossy(path))
            })
            .collect();
        let Some(tree) = ready.tree.as_ref().filter(|_| by_patch) else {
            let below_root = touched(&deleted, &packed.tar);
            let absolute = |path: String| format!("/{}", path.trim_start_matches('/'));
            return Ok(Capture {
                touched: below_root.into_iter().map(absolute).collect(),
                deleted,
                tar: packed.tar,
                root: "/".into(),
                notes,
                ..Capture::default()
            });
        };
        let (tree, root) = (tree.clone(), ready.tree_path.clone());
        let (ignored, scratch) = (verification.include_ignored, scratch.to_owned());
        let capturing = tokio::task::spawn_blocking(move || {
            let delta = Delta {
                tar: &packed.tar,
                deleted: deleted
                    .iter()
                    .map(|path| path.strip_prefix(b"/").unwrap_or(path).to_vec())
                    .collect(),
                root: root.trim_matches('/').into(),
            };
            let bounds = Bounds {
                bytes,
                ..Bounds::default()
            };
            let (changed, change) = Changed::capture(&tree, &delta, ignored, bounds, &scratch)?;
            let captured = Capture::of_changed(changed, change.patch, change.faithful, &root)?;
            Ok::<_, RepoError>(Capture {
                notes: notes.into_iter().chain(change.notes).collect(),
                ..captured
            })
        });
        match capturing.await {
            Ok(captured) => Ok(captured?),
            Err(error) => Err(TakeError::Sandbox(SandboxError::Host {
                doing: "take the change".into(),
                source: std::io::Error::other(error),
            })),
        }
    }
}

/// The files that were laid for the agent before it began, as paths of its sandbox: a
/// pristine one has them too, and what the agent deleted of them shows nowhere.
fn uploaded(task: &Task, workdir: &str) -> Vec<Vec<u8>> {
    let Some(folder) = &task.environment.upload else {
        return Vec::new();
    };
    let walk = walkdir::WalkDir::new(folder).min_depth(1).into_iter();
    let files = walk.flatten().filter(|entry| !entry.file_type().is_dir());
    let paths = files.filter_map(|entry| {
        let name = entry.path().strip_prefix(folder).ok()?;
        Some(below(workdir, name.as_os_str().as_bytes()))
    });
    paths.collect()
}

/// What of these paths is gone, and the rest as a stream of at most so many bytes;
/// `holes` as of [`PackBounds`].
pub async fn packed(
    sandbox: &dyn Sandbox,
    changes: Vec<Change>,
    bytes: u64,
    holes: bool,
) -> Result<(Vec<Vec<u8>>, Packed), SandboxError> {
    // A deleted path is asked for too: the engine names a replaced folder so.
    let mut paths: Vec<Vec<u8>> = changes.iter().map(|change| change.path.clone()).collect();
    paths.dedup();
    let mut deleted: Vec<Vec<u8>> = changes
        .into_iter()
        .filter(|change| change.kind == ChangeKind::Deleted)
        .map(|change| change.path)
        .collect();
    deleted.dedup();
    let bounds = PackBounds {
        bytes,
        holes,
        ..PackBounds::default()
    };
    let packed = match paths.is_empty() {
        true => Packed::default(),
        false => sandbox.pack(&paths, bounds).await?,
    };
    Ok((deleted, packed))
}

#[derive(Debug, thiserror::Error)]
enum TakeError {
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Repo(#[from] RepoError),
}

/// The paths that a change touches, as it lays them; folders alone are none.
pub fn touched(deleted: &[Vec<u8>], tar: &[u8]) -> Vec<String> {
    let mut paths: Vec<String> = deleted.iter().map(|path| shown(path)).collect();
    if let Ok(entries) = tar::Archive::new(tar).entries() {
        let files = entries
            .flatten()
            .filter(|entry| !entry.header().entry_type().is_dir());
        paths.extend(files.map(|entry| shown(&entry.path_bytes())));
    }
    paths.sort();
    paths.dedup();
    paths
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// A path of the work tree as a path of the sandbox.
pub fn below(root: &str, relative: &[u8]) -> Vec<u8> {
    let mut path = root.trim_end_matches('/').as_bytes().to_vec();
    path.push(b'/');
    path.extend_from_slice(relative);
    path
}

pub fn is_below(path: &[u8], root: &str) -> bool {
    let root = root.trim_end_matches('/').as_bytes();
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_no_mere_prefix() {
        assert!(is_below(b"/app/x", "/app"));
        assert!(is_below(b"/app", "/app/"));
        assert!(!is_below(b"/apple", "/app"));
        assert!(is_below(b"/anything", "/"));
    }
}
