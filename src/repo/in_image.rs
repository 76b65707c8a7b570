//! A work tree that is an image's own: it stays as it is, with what is compiled and
//! untracked, and only its `.git` is made anew, from the base and its ancestors.
//!
//! Owns the reading of such a tree from the stream that the engine gives of it. The
//! image is somebody else's: its `.git` is read as data (objects and names of
//! branches), and none of its configuration, hooks or attributes count.

mod stream;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek};
use std::path::Path;

use git2::{ObjectType, Oid, Repository};
use sha2::{Digest, Sha256};

use super::checkout::{Checkout, Stat};
use super::fetch::HexOf;
use super::prepare::{self, Owner, Prepared, Proof, oid};
use super::tree::{self, EXECUTABLE, FILE, Found, LINK, Leaf, TreeEdit};
use super::{RepoError, folder, store};
use crate::task::History;

/// Enters every digest: raise it when a prepared checkout becomes another one.
const FORMAT: u32 = 1;

/// Which work tree, and what of its history is kept.
#[derive(Debug, Clone)]
pub struct InImage {
    /// `sha256:…`, of the engine.
    pub image: String,
    /// The work tree in it, absolute.
    pub path: String,
    /// 40 hex; none: the image's HEAD.
    pub commit: Option<String>,
    pub history: History,
    pub owner: Owner,
}

impl InImage {
    /// What was prepared of it before.
    ///
    /// # Errors
    /// A cache that cannot be read.
    pub fn known(&self, cache: &Path) -> Result<Option<Prepared>, RepoError> {
        match fs::canonicalize(cache) {
            Ok(cache) => prepare::read(&cache.join(self.digest())),
            Err(_) => Ok(None),
        }
    }

    /// Makes the `.git` of the base commit, of a tar stream of the work tree whose
    /// names begin with the last part of its path, as the engine gives it.
    ///
    /// The base is the commit, with what the image has changed in tracked files laid
    /// over it as one commit of its own.
    ///
    /// # Errors
    /// A tree without a repository, or one that lacks the commit; a damaged stream.
    pub fn prepare(
        &self,
        tar: &mut (impl Read + Seek),
        cache: &Path,
    ) -> Result<Prepared, RepoError> {
        fs::create_dir_all(cache).map_err(RepoError::io("make", cache))?;
        let cache = &fs::canonicalize(cache).map_err(RepoError::io("find", cache))?;
        let digest = self.digest();
        prepare::once(cache, &digest.clone(), |part| self.make(tar, part, digest))
    }

    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let Owner { uid, gid } = self.owner;
        let history = match self.history {
            History::Ancestors => "ancestors",
            History::None => "none",
        };
        let commit = self.commit.as_deref().unwrap_or_default();
        hash.update(format!(
            "checkout in image {FORMAT} {commit} {history} {uid}:{gid} "
        ));
        hash.update(format!("{} {}", self.image, self.path));
        format!("{:x}", HexOf(hash.finalize().as_slice()))
    }

    fn make(
        &self,
        tar: &mut (impl Read + Seek),
        part: &Path,
        digest: String,
    ) -> Result<Prepared, RepoError> {
        let scratch = part.join("source.git");
        let repo = store::lay_scratch(&scratch, None)?;
        let head = stream::git_dir(tar, &scratch).map_err(|message| self.unread(message))?;
        drop(repo);
        let repo = store::open(&scratch)?;
        let head = head.and_then(|head| repo.find_commit(head).ok());
        let head = head.ok_or_else(|| self.unread("its HEAD names no commit".into()))?;
        let base = match self.commit.as_deref().map(oid).transpose()? {
            None => head.clone(),
            Some(commit) => repo.find_commit(commit).map_err(|_| RepoError::NoCommit {
                commit: commit.to_string(),
                place: format!("{} of the image {}", self.path, self.image),
            })?,
        };
        let stats = self.stats(tar, &repo, head.tree_id())?;
        let time = base.time().seconds().clamp(0, i64::from(i32::MAX));
        let mark = match (self.history, stats.tree == base.tree_id()) {
            (History::Ancestors, true) => base.id(),
            (History::Ancestors, false) => folder::commit_on(&repo, stats.tree, time, &[&base])?,
            (History::None, _) => folder::sole_commit(&repo, stats.tree, time)?,
        };
        let at = Checkout {
            source: &repo,
            head: mark,
            tree: stats.tree,
            time,
            owner: self.owner,
        };
        let dir = part.join("tree");
        let counts = at.make_git(&dir, &stats.files)?;
        let prepared = Prepared {
            dir,
            digest,
            commit: base.id().to_string(),
            head: mark.to_string(),
            base_tree: stats.tree.to_string(),
            commit_tree: Some(base.tree_id().to_string())
                .filter(|_| self.history == History::Ancestors),
            time: stats.latest.max(time),
            owner: self.owner,
            git_only: true,
            proof: Proof {
                commit: base.id().to_string(),
                commits: counts.commits,
                objects_reachable: counts.reachable,
                objects_stored: counts.stored,
            },
        };
        drop((base, head));
        drop(repo);
        prepare::clear(&scratch)?;
        prepare::describe(&prepared, part)?;
        Ok(prepared)
    }

    /// The tree of what is tracked, as the image has it, and what `git status` compares.
    fn stats(
        &self,
        tar: &mut (impl Read + Seek),
        repo: &Repository,
        head: Oid,
    ) -> Result<Tracked, RepoError> {
        let mut tracked = BTreeMap::new();
        leaves(repo, head, &mut Vec::new(), &mut tracked)?;
        let odb = repo.odb().map_err(RepoError::git("open the objects"))?;
        let mut edit = TreeEdit::new(repo, Some(head))?;
        let mut files = BTreeMap::new();
        let mut latest = 0;
        let store = |content: &[u8]| {
            odb.write(ObjectType::Blob, content)
                .map_err(RepoError::git("store a file of the image"))
        };
        let each = |path: &[u8], entry: stream::File<'_>| -> Result<(), RepoError> {
            let Some(known) = tracked.remove(path) else {
                return Ok(());
            };
            let (mode, oid, size) = match entry.kind {
                stream::Kind::File {
                    executable,
                    content,
                } => {
                    let mode = if executable { EXECUTABLE } else { FILE };
                    (mode, store(content)?, content.len())
                }
                stream::Kind::Link(target) => (LINK, store(target)?, target.len()),
            };
            let mut leaf = Leaf { mode, oid };
            if known.same_mode(mode) {
                leaf.mode = known.mode;
            }
            if leaf != known {
                edit.put(path, leaf)?;
            }
            latest = latest.max(entry.seconds);
            let stat = Stat {
                leaf,
                seconds: entry.seconds,
                size,
            };
            files.insert(path.to_vec(), stat);
            Ok(())
        };
        stream::work_tree(tar, each).map_err(|error| match error {
            stream::StreamError::Repo(error) => error,
            stream::StreamError::Read(message) => self.unread(message),
        })?;
        for (path, leaf) in tracked {
            if leaf.mode == tree::SUBMODULE {
                let stat = Stat {
                    leaf,
                    seconds: 0,
                    size: 0,
                };
                files.insert(path, stat);
            } else if let Found::Leaf(_) = edit.find(&path)? {
                edit.remove(&path)?;
            }
        }
        Ok(Tracked {
            tree: edit.write()?,
            files,
            latest,
        })
    }

    fn unread(&self, message: String) -> RepoError {
        RepoError::Invalid(format!(
            "read the repository at {} of the image {}: {message}",
            self.path, self.image
        ))
    }
}

/// What is tracked, as the image has it.
struct Tracked {
    tree: Oid,
    files: BTreeMap<Vec<u8>, Stat>,
    /// The latest change, seconds since 1970.
    latest: i64,
}

/// All leaves of a tree by path.
fn leaves(
    repo: &Repository,
    tree: Oid,
    path: &mut Vec<u8>,
    found: &mut BTreeMap<Vec<u8>, Leaf>,
) -> Result<(), RepoError> {
    for item in tree::items(repo, tree)? {
        let above = path.len();
        if above > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(&item.name);
        if super::names::normal(path).is_err() {
            return Err(RepoError::Invalid(format!(
                "read the tree of the image: no work tree can hold `{}`",
                super::names::shown(path)
            )));
        }
        if item.is_folder() {
            leaves(repo, item.oid, path, found)?;
        } else {
            let leaf = Leaf {
                mode: item.mode,
                oid: item.oid,
            };
            found.insert(path.clone(), leaf);
        }
        path.truncate(above);
    }
    Ok(())
}
