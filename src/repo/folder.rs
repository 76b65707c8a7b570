//! A plain folder as a source: its content in an order of its own, a digest of
//! that, and the one commit that it becomes.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid};
use sha2::{Digest, Sha256};

use super::tree::{EXECUTABLE, FILE, LINK, Leaf, TreeEdit};
use super::{RepoError, names, store};

/// Most entries of a folder.
const MAX_ENTRIES: usize = 1_000_000;
/// Largest file, bytes: it is held in memory once.
const MAX_FILE: u64 = 1 << 30;

/// When a commit of ours was made, seconds since 1970: 2000-01-01, so that it
/// depends on content alone.
pub const COMMIT_TIME: i64 = 946_684_800;

/// A file or link of a folder.
struct Entry {
    /// Relative to the folder.
    path: Vec<u8>,
    mode: u32,
}

impl Entry {
    fn content(&self, folder: &Path) -> Result<Vec<u8>, RepoError> {
        let path = folder.join(OsString::from_vec(self.path.clone()));
        if self.mode == LINK {
            let target = fs::read_link(&path).map_err(RepoError::io("read the link", &path))?;
            return Ok(target.into_os_string().into_vec());
        }
        fs::read(&path).map_err(RepoError::io("read", &path))
    }
}

/// Adds all that a commit of the folder would hold to a digest.
pub fn digest(folder: &Path, digest: &mut Sha256) -> Result<(), RepoError> {
    for entry in entries(folder)? {
        let content = entry.content(folder)?;
        for part in [entry.path.as_slice(), content.as_slice()] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.update(entry.mode.to_be_bytes());
    }
    Ok(())
}

/// Makes a new bare repository at `git_dir` with the folder as its only commit.
pub fn commit(folder: &Path, git_dir: &Path) -> Result<Oid, RepoError> {
    let repo = store::lay_scratch(git_dir, None)?;
    let odb = repo.odb().map_err(RepoError::git("open the objects"))?;
    let mut tree = TreeEdit::new(&repo, None)?;
    for entry in entries(folder)? {
        let content = entry.content(folder)?;
        let oid = odb
            .write(ObjectType::Blob, &content)
            .map_err(RepoError::git("store a file"))?;
        let mode = entry.mode;
        tree.put(&entry.path, Leaf { mode, oid })?;
    }
    let tree = tree.write()?;
    sole_commit(&repo, tree, COMMIT_TIME)
}

/// A commit without parents that says nothing of who made it, or when.
pub fn sole_commit(repo: &git2::Repository, tree: Oid, seconds: i64) -> Result<Oid, RepoError> {
    commit_on(repo, tree, seconds, &[])
}

/// The same, on these parents.
pub fn commit_on(
    repo: &git2::Repository,
    tree: Oid,
    seconds: i64,
    parents: &[&git2::Commit<'_>],
) -> Result<Oid, RepoError> {
    let make = || {
        let time = git2::Time::new(seconds, 0);
        let by = git2::Signature::new("Proofyard", "proofyard@localhost", &time)?;
        let tree = repo.find_tree(tree)?;
        repo.commit(None, &by, &by, "Initial state\n", &tree, parents)
    };
    make().map_err(RepoError::git("make the commit"))
}

/// Every file and link below a folder, sorted; a `.git` is left out, as are
/// empty folders, which a commit cannot hold.
fn entries(folder: &Path) -> Result<Vec<Entry>, RepoError> {
    let mut out = Vec::new();
    let mut open: Vec<PathBuf> = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let at = folder.join(&below);
        for child in fs::read_dir(&at).map_err(RepoError::io("list", &at))? {
            let child = child.map_err(RepoError::io("list", &at))?;
            let name = child.file_name();
            if names::has_dot_git(name.as_bytes()) {
                continue;
            }
            let path = below.join(&name);
            let kind = child
                .metadata()
                .map_err(RepoError::io("look at", &child.path()))?;
            let mode = if kind.is_symlink() {
                LINK
            } else if kind.is_dir() {
                open.push(path);
                continue;
            } else if !kind.is_file() {
                return Err(RepoError::Invalid(format!(
                    "make a commit of {}: it is neither a file, a folder nor a link",
                    child.path().display()
                )));
            } else if kind.len() > MAX_FILE {
                return Err(RepoError::Invalid(format!(
                    "make a commit of {}: it is larger than {MAX_FILE} bytes",
                    child.path().display()
                )));
            } else if kind.permissions().mode() & 0o100 != 0 {
                EXECUTABLE
            } else {
                FILE
            };
            let path = names::normal(path.as_os_str().as_bytes()).map_err(|_| {
                RepoError::Invalid(format!(
                    "make a commit of {}: its path is too long",
                    child.path().display()
                ))
            })?;
            out.push(Entry { path, mode });
            if out.len() > MAX_ENTRIES {
                return Err(RepoError::Invalid(format!(
                    "make a commit of {}: it has more than {MAX_ENTRIES} files",
                    folder.display()
                )));
            }
        }
        if names::normal(below.as_os_str().as_bytes()).is_err() {
            return Err(RepoError::Invalid(format!(
                "make a commit of {}: it is nested too deeply",
                at.display()
            )));
        }
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}
