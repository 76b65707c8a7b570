//! A stored change, read back as the capture that it was written from.
//!
//! The other side of `Capture::keep`. What is read was an agent's doing, so it is
//! read with bounds.

use std::io::{self, Read};
use std::path::Path;

use super::capture::{Capture, touched};
use super::prepare::{Ready, fault};
use super::world::{ToolState, tells_calls};
use super::{PREDICTION, Trials};
use crate::record::{Fault, Sees};
use crate::repo::{Bounds, Changed, Delta, Prepared, RepoError};
use crate::run::manifest::read_plain;
use crate::sandbox::wire::split_paths;
use crate::trajectory::{Event, calls_log};

/// What lies in a trial's folder of a change.
pub const CHANGE_FILES: [&str; 4] = [
    "change.patch",
    "change.tar.zst",
    "tools.tar.zst",
    PREDICTION,
];
/// The first entry of a stored stream.
const DELETED: &str = ".proofyard/deleted";
const BLOCK: u64 = 512;

/// A change that is stored and cannot be laid over a pristine sandbox.
#[derive(Debug, thiserror::Error)]
enum StoredError {
    #[error("read {file} of the stored trial: {source}")]
    Read {
        file: &'static str,
        source: io::Error,
    },
    #[error("the stored change does not fit the task as it is now: {0}")]
    Repo(#[from] RepoError),
}

impl Trials {
    /// Reads the change that lies in `from`, the folder of a finished trial.
    pub(super) async fn stored_change(
        &self,
        ready: &Ready,
        from: &Path,
        events: &[Event],
        scratch: &Path,
    ) -> Result<Capture, Fault> {
        let by_patch = ready.task.verification.sees == Sees::Patch;
        let tree = ready.tree.clone().filter(|_| by_patch);
        let root = ready.tree_path.clone();
        let bytes = self.settings.limits.change_mb << 20;
        let (from, scratch) = (from.to_owned(), scratch.to_owned());
        let reading = tokio::task::spawn_blocking(move || {
            let mut capture = match &tree {
                Some(tree) => of_repo(tree, &root, &from, &scratch, bytes)?,
                None => of_files(&from, bytes)?,
            };
            let tools = unpacked(&from, "tools.tar.zst", bytes)?;
            capture.tools = tools.map(|(deleted, tar)| ToolState { deleted, tar });
            Ok::<_, StoredError>(capture)
        });
        let told = |class: &str, error: &dyn std::fmt::Display| Fault {
            class: class.to_owned(),
            retryable: false,
            ..fault("capture", error)
        };
        let read = reading.await.map_err(|error| told("host", &error))?;
        let mut capture = read.map_err(|error| match error {
            StoredError::Read { .. } => told("host", &error),
            StoredError::Repo(_) => told("task", &error),
        })?;
        if tells_calls(&ready.task) {
            capture.calls = Some(calls_log(events));
        }
        Ok(capture)
    }
}

fn of_files(from: &Path, bytes: u64) -> Result<Capture, StoredError> {
    let Some((deleted, tar)) = unpacked(from, "change.tar.zst", bytes)? else {
        return Ok(Capture::nothing());
    };
    let absolute = |path: String| format!("/{}", path.trim_start_matches('/'));
    let touched = touched(&deleted, &tar).into_iter().map(absolute).collect();
    Ok(Capture {
        touched,
        deleted,
        tar,
        ..Capture::nothing()
    })
}

/// The stream says more than the patch, where there is one: the patch alone did not
/// give the tree.
fn of_repo(
    tree: &Prepared,
    root: &str,
    from: &Path,
    scratch: &Path,
    bytes: u64,
) -> Result<Capture, StoredError> {
    let patch = stored(from, "change.patch")?.unwrap_or_default();
    let stream = unpacked(from, "change.tar.zst", bytes)?;
    let (changed, faithful) = match &stream {
        None => (Changed::from_patch(tree, &patch, scratch)?, true),
        Some((deleted, tar)) => {
            let delta = Delta {
                tar,
                deleted: deleted.iter().map(|path| within(root, path)).collect(),
                root: Vec::new(),
            };
            let bounds = Bounds {
                bytes,
                ..Bounds::default()
            };
            (
                Changed::capture(tree, &delta, true, bounds, scratch)?.0,
                false,
            )
        }
    };
    Ok(Capture::of_changed(changed, patch, faithful, root)?)
}

/// A path of the sandbox as one of the work tree.
fn within(root: &str, path: &[u8]) -> Vec<u8> {
    let root = root.trim_end_matches('/').as_bytes();
    let rest = path.strip_prefix(root).unwrap_or(path);
    rest.strip_prefix(b"/").unwrap_or(rest).to_vec()
}

fn stored(from: &Path, file: &'static str) -> Result<Option<Vec<u8>>, StoredError> {
    match read_plain(&from.join(file)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoredError::Read { file, source }),
    }
}

/// What is deleted, and the stream that follows.
type Stream = (Vec<Vec<u8>>, Vec<u8>);

fn unpacked(from: &Path, file: &'static str, bytes: u64) -> Result<Option<Stream>, StoredError> {
    let Some(packed) = stored(from, file)? else {
        return Ok(None);
    };
    let read = || {
        // Room for headers and for the list of what is deleted.
        let most = bytes.saturating_mul(2).saturating_add(64 << 20);
        let mut stream = Vec::new();
        let decoder = zstd::Decoder::new(packed.as_slice())?;
        decoder.take(most + 1).read_to_end(&mut stream)?;
        match stream.len() as u64 > most {
            true => Err(io::Error::other("it is larger than a change may be")),
            false => taken_apart(stream),
        }
    };
    read()
        .map(Some)
        .map_err(|source| StoredError::Read { file, source })
}

/// Takes the list of deleted paths off a stream.
fn taken_apart(mut stream: Vec<u8>) -> io::Result<Stream> {
    let odd = || io::Error::other("it does not begin with what is deleted");
    let (deleted, length) = {
        let mut archive = tar::Archive::new(stream.as_slice());
        let mut first = archive.entries()?.next().ok_or_else(odd)??;
        if first.path_bytes() != DELETED.as_bytes() {
            return Err(odd());
        }
        let mut content = Vec::new();
        first.read_to_end(&mut content)?;
        let deleted = split_paths(&content).map(<[u8]>::to_vec).collect();
        let blocks = (content.len() as u64).div_ceil(BLOCK) + 1;
        (deleted, blocks * BLOCK)
    };
    let rest = usize::try_from(length).map_err(io::Error::other)?;
    if rest > stream.len() {
        return Err(odd());
    }
    Ok((deleted, stream.split_off(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::trial::capture::{RepoSide, below};

    fn tar(name: &str, content: &[u8]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content).unwrap();
        builder.into_inner().unwrap()
    }

    #[test]
    fn a_change_of_files_that_was_kept_is_read_back_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        for deleted in [vec![], vec![b"/etc/motd".to_vec(), vec![b'/', 0xff]]] {
            let kept = Capture {
                deleted,
                tar: tar("etc/new", b"content"),
                tools: Some(ToolState {
                    deleted: vec![b"/tools/x".to_vec(); 100],
                    tar: Vec::new(),
                }),
                ..Capture::nothing()
            };
            kept.keep(dir.path()).unwrap();
            let read = of_files(dir.path(), 1 << 20).unwrap();
            assert_eq!((&read.deleted, &read.tar), (&kept.deleted, &kept.tar));
            assert!(read.touched.contains(&"/etc/new".to_owned()));
            let tools = unpacked(dir.path(), "tools.tar.zst", 1 << 20).unwrap();
            assert_eq!(tools.unwrap(), (vec![b"/tools/x".to_vec(); 100], vec![]));
        }
    }

    #[test]
    fn a_change_of_a_repo_is_read_back_from_its_patch_or_else_from_its_stream() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            path
        };
        for name in ["a.txt", "gone.txt"] {
            std::fs::write(place("repo").join(name), "one\n").unwrap();
        }
        let source = crate::task::RepoSource::Folder(place("repo"));
        let owner = crate::repo::Owner {
            uid: nix::unistd::getuid().as_raw(),
            gid: nix::unistd::getgid().as_raw(),
        };
        let history = crate::task::History::Ancestors;
        let tree = crate::repo::prepare(&source, None, history, &place("cache"), owner).unwrap();
        let (left, scratch) = (tar("b/new.txt", b"new\n"), place("scratch"));
        let delta = Delta {
            tar: &left,
            deleted: vec![b"gone.txt".to_vec()],
            root: Vec::new(),
        };
        for faithful in [true, false] {
            let bounds = Bounds::default();
            let taken = Changed::capture(&tree, &delta, false, bounds, &scratch).unwrap();
            let laid = taken.0.overlay().unwrap();
            let new = taken.0.tree();
            let kept = Capture {
                deleted: laid.deleted.iter().map(|one| below("/w", one)).collect(),
                tar: laid.tar,
                root: "/w".into(),
                repo: Some(RepoSide {
                    changed: taken.0,
                    patch: taken.1.patch,
                    faithful,
                }),
                ..Capture::default()
            };
            let folder = place(&format!("stored-{faithful}"));
            kept.keep(&folder).unwrap();
            assert_eq!(folder.join("change.tar.zst").exists(), !faithful);
            let read = of_repo(&tree, "/w", &folder, &scratch, 1 << 20).unwrap();
            assert_eq!(read.deleted, kept.deleted);
            assert_eq!(read.touched, ["b/new.txt", "gone.txt"]);
            assert_eq!(read.repo.unwrap().changed.tree(), new);
        }
        std::fs::write(
            place("stored-true").join("change.patch"),
            "diff --git a/x b/x\n",
        )
        .unwrap();
        let odd = of_repo(&tree, "/w", &place("stored-true"), &scratch, 1 << 20);
        assert!(odd.is_err_and(|odd| odd.to_string().contains("does not fit")));
    }

    #[test]
    fn nothing_that_is_stored_is_no_change_and_what_is_odd_is_said() {
        let dir = tempfile::tempdir().unwrap();
        assert!(of_files(dir.path(), 1 << 20).unwrap().is_nothing());
        let packed = zstd::encode_all(tar("other", b"x").as_slice(), 1).unwrap();
        std::fs::write(dir.path().join("change.tar.zst"), packed).unwrap();
        let Err(odd) = of_files(dir.path(), 1 << 20) else {
            panic!("an odd stream was read")
        };
        assert!(odd.to_string().contains("what is deleted"), "{odd}");
        std::fs::write(dir.path().join("change.tar.zst"), b"no zstd").unwrap();
        assert!(of_files(dir.path(), 1 << 20).is_err());
    }
}
