//! Where a sandbox's writes can be seen from this host, and what they changed.

use std::path::{Path, PathBuf};

use bollard::query_parameters::InspectContainerOptions;

use super::{host, refused};
use crate::sandbox::docker::engine::Engine;
use crate::sandbox::docker::images::CA_PATH;
use crate::sandbox::docker::watch::Disk;
use crate::sandbox::docker::work_tree::{self, Upper};
use crate::sandbox::{Change, ChangeKind, GuestError, GuestErrorKind, SandboxError};

/// Changed paths that are listed at most.
const MOST_CHANGES: usize = 2_000_000;

/// The upper sides of a sandbox's overlays, as far as this host can see them.
pub struct Written {
    /// Of the root file system. Without it the engine has to be asked, which
    /// compares all of the image's files: hundreds of milliseconds against one.
    root: Option<PathBuf>,
    /// Of the work tree, and where that lies in the sandbox.
    tree: Option<(PathBuf, String)>,
    /// Whether the work tree's file system has a size of its own.
    sized: bool,
}

impl Written {
    pub async fn look(engine: &Engine, id: &str, tree: Option<(&Upper, String)>) -> Self {
        Self {
            root: root_upper(engine, id).await,
            sized: tree.as_ref().is_some_and(|(upper, _)| upper.is_sized()),
            tree: tree.map(|(upper, path)| (upper.upper(), path)),
        }
    }

    /// Where bytes that nothing bounds are to be counted.
    pub fn disk(&self, engine: &Engine, id: &str) -> Disk {
        let Some(root) = &self.root else {
            return Disk::Engine(engine.docker.clone(), id.to_owned());
        };
        let tree = self.tree.iter().filter(|_| !self.sized);
        let folders = tree.map(|(folder, _)| folder);
        Disk::Folders(folders.chain([root]).cloned().collect())
    }

    /// What differs from the image, root file system and work tree; sorted.
    pub async fn changes(&self, engine: &Engine, id: &str) -> Result<Vec<Change>, SandboxError> {
        const DOING: &str = "list what changed";
        let mut changes = match &self.root {
            Some(upper) => match walked(upper, "/").await {
                // A folder that was renamed as a whole: only the engine's comparison tells.
                Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
                    asked(engine, id).await?
                }
                walked => host(DOING, walked)?,
            },
            None => asked(engine, id).await?,
        };
        if let Some((upper, path)) = &self.tree {
            changes.extend(host(DOING, walked(upper, path).await)?);
        }
        if changes.len() > MOST_CHANGES {
            return Err(SandboxError::Guest(GuestError {
                kind: GuestErrorKind::TooLarge,
                message: format!("more than {MOST_CHANGES} changed paths"),
            }));
        }
        changes.retain(|change| !is_ours(&change.path));
        changes.sort();
        Ok(changes)
    }
}

/// The upper side of a container's root file system, where files of the engine are
/// files of this host and the driver is one whose layout is known.
async fn root_upper(engine: &Engine, id: &str) -> Option<PathBuf> {
    let facts = &engine.facts;
    // Whoever asks for the stream says that nothing of the engine's host is at hand.
    let at_hand = facts.local && facts.root && engine.uses_socket();
    // A rootless engine keeps its marks in attributes that an agent can set as well.
    if !at_hand || facts.rootless || facts.storage_driver != "overlay2" {
        return None;
    }
    let options = None::<InspectContainerOptions>;
    let seen = engine.docker.inspect_container(id, options).await.ok()?;
    let data = seen.graph_driver?.data;
    let upper = data.get("UpperDir").map(PathBuf::from)?;
    upper.is_dir().then_some(upper)
}

async fn walked(upper: &Path, root: &str) -> std::io::Result<Vec<Change>> {
    let (upper, root) = (upper.to_owned(), root.to_owned());
    // One more than is allowed: the caller tells the difference.
    tokio::task::spawn_blocking(move || work_tree::changes(&upper, &root, MOST_CHANGES + 1))
        .await
        .map_err(std::io::Error::other)?
}

async fn asked(engine: &Engine, id: &str) -> Result<Vec<Change>, SandboxError> {
    let listed = engine.docker.container_changes(id).await;
    let listed = listed.map_err(|error| refused("list what changed", &error))?;
    let changes = listed.unwrap_or_default().into_iter();
    Ok(changes
        .map(|change| Change {
            path: change.path.into_bytes(),
            kind: match change.kind {
                bollard::models::ChangeType::_0 => ChangeKind::Modified,
                bollard::models::ChangeType::_1 => ChangeKind::Added,
                bollard::models::ChangeType::_2 => ChangeKind::Deleted,
            },
        })
        .collect())
}

/// Paths that are the engine's and ours, in every container.
fn is_ours(path: &[u8]) -> bool {
    let below = |prefix: &str| {
        path.strip_prefix(prefix.as_bytes())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    };
    [
        "/.proofyard",
        "/proc",
        "/sys",
        "/dev",
        "/etc/hosts",
        "/etc/hostname",
        "/etc/resolv.conf",
        "/etc/mtab",
        "/.dockerenv",
    ]
    .iter()
    .any(|prefix| below(prefix))
        || path.starts_with(CA_PATH.as_bytes())
}
