//! A change to a prepared checkout: the tree that it makes, the patch that says
//! it, and what lays it over another copy of the checkout.

use std::collections::BTreeSet;
use std::path::Path;

use git2::{Oid, Repository};
use tempfile::TempDir;

use super::delta::{self, Delta, Notes};
use super::ignored::Ignored;
use super::overlay::{Laid, Steps};
use super::prepare::Prepared;
use super::tree::{Found, TreeEdit};
use super::{RepoError, apply, diff, store};

/// How large a change may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Of all changed files together, bytes.
    pub bytes: u64,
    /// Changed, new and deleted entries.
    pub entries: u64,
    /// Of the patch, bytes.
    pub patch_bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            bytes: 1 << 30,
            entries: 200_000,
            patch_bytes: 512 << 20,
        }
    }
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Modified,
    Deleted,
    /// A file became a link, or the other way.
    TypeChanged,
}

/// One file of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    pub path: Vec<u8>,
    pub kind: ChangeKind,
    /// Lines; none of a binary file.
    pub added: u64,
    /// Lines; none of a binary file.
    pub removed: u64,
    pub binary: bool,
}

/// A change as a patch, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoChange {
    /// As `git diff --binary --full-index --no-renames` writes it; empty where nothing changed.
    pub patch: Vec<u8>,
    /// 40 hex.
    pub new_tree: String,
    /// In the patch's order.
    pub files: Vec<FileChange>,
    /// Lines added.
    pub insertions: u64,
    /// Lines removed.
    pub deletions: u64,
    /// What was left out, and why; escaped and bounded.
    pub notes: Vec<String>,
    /// Whether the patch, applied to the base, gave exactly the new tree: tried each time.
    pub faithful: bool,
}

/// The tree of a change, in an object database of its own that goes when this does.
/// Of the checkout only its objects are read, and nothing is written there.
#[derive(Debug)]
pub struct Changed {
    scratch: TempDir,
    prepared: Prepared,
    base: Oid,
    tree: Oid,
}

impl Changed {
    /// Takes what an agent left. With `include_ignored` also what the tree's
    /// `.gitignore` files hide; tracked files always. Any `.git` is left out.
    /// `scratch` is a folder in which a temporary one is made.
    ///
    /// # Errors
    /// [`RepoError::TooLarge`] where a bound is passed: the agent's doing.
    pub fn capture(
        prepared: &Prepared,
        delta: &Delta<'_>,
        include_ignored: bool,
        bounds: Bounds,
        scratch: &Path,
    ) -> Result<(Self, RepoChange), RepoError> {
        let mut changed = Self::new(prepared, scratch)?;
        let repo = changed.repo()?;
        let mut notes = Notes::default();
        let odb = repo.odb().map_err(RepoError::git("open the objects"))?;
        let mut tree = TreeEdit::new(&repo, Some(changed.base))?;
        let put = delta::lay(delta, &odb, &mut tree, bounds, &mut notes)?;
        if !include_ignored {
            let mut base = TreeEdit::new(&repo, Some(changed.base))?;
            let mut ignored = Ignored::new(&repo, &mut tree, &mut base, &mut notes);
            let mut hidden = Vec::new();
            for path in put.into_keys() {
                if ignored.hides(&path)? {
                    hidden.push(path);
                }
            }
            for path in hidden {
                if let Found::Leaf(_) = tree.find(&path)? {
                    tree.remove(&path)?;
                }
            }
        }
        changed.tree = tree.write()?;
        let difference = diff::between(&repo, changed.base, changed.tree, bounds)?;
        let faithful = match apply::apply(&repo, changed.base, &difference.patch) {
            Ok(applied) => applied.tree == changed.tree,
            Err(error) => {
                notes.push(format!("the patch does not say all: cannot {error}"));
                false
            }
        };
        let sum = |lines: fn(&FileChange) -> u64| difference.files.iter().map(lines).sum();
        let change = RepoChange {
            new_tree: changed.tree.to_string(),
            insertions: sum(|file| file.added),
            deletions: sum(|file| file.removed),
            notes: notes.finish(),
            faithful,
            patch: difference.patch,
            files: difference.files,
        };
        Ok((changed, change))
    }

    /// Takes a patch against the base: a stored change, or a reference solution.
    ///
    /// # Errors
    /// [`RepoError::Patch`] where it does not fit the base exactly.
    pub fn from_patch(
        prepared: &Prepared,
        patch: &[u8],
        scratch: &Path,
    ) -> Result<Self, RepoError> {
        let mut changed = Self::new(prepared, scratch)?;
        let repo = changed.repo()?;
        changed.tree = apply::apply(&repo, changed.base, patch)?.tree;
        Ok(changed)
    }

    /// The tree of the change, 40 hex.
    pub fn tree(&self) -> String {
        self.tree.to_string()
    }

    /// What is laid over the pristine checkout to get the change's tree.
    pub fn overlay(&self) -> Result<Laid, RepoError> {
        let repo = self.repo()?;
        Steps::between(&repo, self.base, self.tree)?.stream(
            &repo,
            self.prepared.owner,
            self.seconds(),
        )
    }

    /// What is laid over the change so that the files of a hidden patch are as
    /// the patch makes them of the *base commit*: hidden files own their paths,
    /// whatever the change did there or on the way there.
    ///
    /// # Errors
    /// [`RepoError::Patch`] where it does not fit the base exactly.
    pub fn overlay_patch(&self, patch: &[u8]) -> Result<Laid, RepoError> {
        let repo = self.repo()?;
        let applied = apply::apply(&repo, self.prepared.commit_tree()?, patch)?;
        let mut wanted = TreeEdit::new(&repo, Some(applied.tree))?;
        let mut changed = TreeEdit::new(&repo, Some(self.tree))?;
        let mut steps = Steps::default();
        for path in applied.touched {
            for folder in folders(&path) {
                match changed.find(folder)? {
                    Found::Leaf(_) => {
                        steps.deleted.insert(folder.to_vec());
                        steps.folders.insert(folder.to_vec());
                    }
                    Found::Nothing => {
                        steps.folders.insert(folder.to_vec());
                    }
                    Found::Folder => {}
                }
            }
            steps.deleted.insert(path.clone());
            if let Found::Leaf(leaf) = wanted.find(&path)? {
                steps.leaves.push((path, leaf));
            }
        }
        // Folders on the way to files that only go are no part of it.
        let leaves = &steps.leaves;
        let needed: BTreeSet<&[u8]> = leaves.iter().flat_map(|(path, _)| folders(path)).collect();
        steps.folders.retain(|folder| needed.contains(&folder[..]));
        steps.stream(&repo, self.prepared.owner, self.seconds())
    }

    fn new(prepared: &Prepared, scratch: &Path) -> Result<Self, RepoError> {
        let scratch = tempfile::Builder::new()
            .prefix("change-")
            .tempdir_in(scratch)
            .map_err(RepoError::io("make a folder in", scratch))?;
        let base = prepared.tree()?;
        store::lay_scratch(scratch.path(), Some(&prepared.objects()))?;
        Ok(Self {
            scratch,
            prepared: prepared.clone(),
            base,
            tree: base,
        })
    }

    /// Opened anew each time: an open repository cannot be shared between threads.
    fn repo(&self) -> Result<Repository, RepoError> {
        store::open(self.scratch.path())
    }

    /// Later than the checkout's files and its index, so that `git status`
    /// sees a file of the same size as changed.
    fn seconds(&self) -> u64 {
        self.prepared.time.unsigned_abs() + 2
    }
}

/// The folders on the way to a path, from the top.
fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .map(|(at, _)| &path[..at])
}
