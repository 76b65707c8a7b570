//! What an agent left, read from a tar stream into an object database.
//!
//! Nothing of it touches the host's file system: links are text, names are
//! bytes, and everything is counted.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use git2::{ObjectType, Odb};
use tar::EntryType;

use super::RepoError;
use super::change::Bounds;
use super::names::{self, Refused};
use super::tree::{EXECUTABLE, FILE, Found, LINK, Leaf, TreeEdit};

/// Most notes that are kept; the rest are counted.
const MAX_NOTES: usize = 40;

/// What changed in a work tree, as taken from a sandbox.
#[derive(Debug, Clone, Default)]
pub struct Delta<'tar> {
    /// Changed and new entries: regular files, folders, links, with modes.
    /// Anything else is left out with a note.
    pub tar: &'tar [u8],
    /// What is gone; of a folder, all below it. Applied before `tar`.
    pub deleted: Vec<Vec<u8>>,
    /// The work tree's place as the paths of both carry it, without a leading
    /// slash (`workspace`); empty where they are relative to the work tree.
    pub root: Vec<u8>,
}

/// What a reader of the change should know; bounded.
#[derive(Debug, Default)]
pub struct Notes {
    kept: Vec<String>,
    more: usize,
}

impl Notes {
    pub fn push(&mut self, note: String) {
        if self.kept.len() < MAX_NOTES {
            self.kept.push(note);
        } else {
            self.more += 1;
        }
    }

    pub fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.kept.push(format!("and {} notes more", self.more));
        }
        self.kept
    }
}

/// Lays a delta over a tree. Returns the files and links that were put.
pub fn lay(
    delta: &Delta<'_>,
    odb: &Odb<'_>,
    tree: &mut TreeEdit<'_>,
    bounds: Bounds,
    notes: &mut Notes,
) -> Result<BTreeMap<Vec<u8>, Leaf>, RepoError> {
    let mut laying = Laying {
        delta,
        odb,
        bytes_left: bounds.bytes,
        seen: HashMap::new(),
        put: BTreeMap::new(),
        dot_git: 0,
        notes,
    };
    if delta.deleted.len() as u64 > bounds.entries {
        return Err(too_many(bounds));
    }
    for path in &delta.deleted {
        if let Some(path) = laying.place(path)? {
            tree.remove(&path)?;
        }
    }
    let mut archive = tar::Archive::new(delta.tar);
    let mut count = 0;
    for entry in archive.entries().map_err(RepoError::Stream)? {
        count += 1;
        if count > bounds.entries {
            return Err(too_many(bounds));
        }
        laying.entry(entry.map_err(RepoError::Stream)?, tree)?;
    }
    let Laying { put, dot_git, .. } = laying;
    if dot_git > 0 {
        notes.push(format!(
            "left out {dot_git} entries of a .git: no repository of the agent's crosses over"
        ));
    }
    Ok(put)
}

struct Laying<'a, 'repo> {
    delta: &'a Delta<'a>,
    odb: &'a Odb<'repo>,
    bytes_left: u64,
    /// Regular files of the stream so far, for hard links, by their whole path.
    seen: HashMap<Vec<u8>, Leaf>,
    put: BTreeMap<Vec<u8>, Leaf>,
    dot_git: u64,
    notes: &'a mut Notes,
}

impl Laying<'_, '_> {
    fn entry(
        &mut self,
        mut entry: tar::Entry<'_, &[u8]>,
        tree: &mut TreeEdit<'_>,
    ) -> Result<(), RepoError> {
        let name = normal(&entry.path_bytes());
        let Some(path) = self.place(&entry.path_bytes())? else {
            return Ok(());
        };
        let mode = entry.header().mode().map_err(RepoError::Stream)?;
        let mode = if mode & 0o100 == 0 { FILE } else { EXECUTABLE };
        let leaf = match entry.header().entry_type() {
            EntryType::Directory => return tree.make_folder(&path),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let content = self.content(&mut entry)?;
                let oid = self.store(&content)?;
                let leaf = Leaf { mode, oid };
                self.seen.insert(name, leaf);
                leaf
            }
            EntryType::Symlink => match entry.link_name_bytes() {
                Some(target) if !target.is_empty() && target.len() <= names::MAX_PATH => Leaf {
                    mode: LINK,
                    oid: self.store(&target)?,
                },
                _ => {
                    self.skip(&path, "a link without a target that fits");
                    return Ok(());
                }
            },
            EntryType::Link => {
                let target = normal(&entry.link_name_bytes().unwrap_or_default());
                let Some(leaf) = self.seen.get(&target).copied() else {
                    self.skip(&path, "a hard link to what is not in the stream");
                    return Ok(());
                };
                self.seen.insert(name, leaf);
                leaf
            }
            kind => {
                self.skip(&path, &format!("neither file, folder nor link ({kind:?})"));
                return Ok(());
            }
        };
        // A mode that means the same stays as the base writes it.
        let leaf = match tree.find(&path)? {
            Found::Leaf(old) if old.same_mode(leaf.mode) => Leaf {
                mode: old.mode,
                ..leaf
            },
            _ => leaf,
        };
        tree.put(&path, leaf)?;
        self.put.insert(path, leaf);
        Ok(())
    }

    /// The path inside the work tree; none for what does not cross.
    fn place(&mut self, path: &[u8]) -> Result<Option<Vec<u8>>, RepoError> {
        let whole = match names::normal(path) {
            Ok(whole) => whole,
            Err(Refused::Unsafe) => {
                self.skip(path, "a path that leads elsewhere");
                return Ok(None);
            }
            Err(Refused::TooLong) => {
                return Err(RepoError::TooLarge(format!(
                    "a path is longer than {} bytes or deeper than {} folders",
                    names::MAX_PATH,
                    names::MAX_DEPTH
                )));
            }
        };
        let root = &self.delta.root;
        let below = if root.is_empty() {
            Some(whole.as_slice())
        } else {
            match whole.strip_prefix(root.as_slice()) {
                Some([]) => Some(&[][..]),
                Some([b'/', below @ ..]) => Some(below),
                _ => None,
            }
        };
        match below {
            // The work tree itself.
            Some([]) => Ok(None),
            Some(below) if names::has_dot_git(below) => {
                self.dot_git += 1;
                Ok(None)
            }
            Some(below) => Ok(Some(below.to_vec())),
            None => {
                self.skip(path, "outside the work tree");
                Ok(None)
            }
        }
    }

    fn content(&mut self, entry: &mut tar::Entry<'_, &[u8]>) -> Result<Vec<u8>, RepoError> {
        let size = entry.size();
        if size > self.bytes_left {
            return Err(RepoError::TooLarge(
                "the files that changed hold more bytes than cross over".to_owned(),
            ));
        }
        self.bytes_left -= size;
        let mut content = Vec::new();
        entry
            .take(size)
            .read_to_end(&mut content)
            .map_err(RepoError::Stream)?;
        if content.len() as u64 != size {
            return Err(RepoError::Stream(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(content)
    }

    fn store(&self, content: &[u8]) -> Result<git2::Oid, RepoError> {
        self.odb
            .write(ObjectType::Blob, content)
            .map_err(RepoError::git("store a changed file"))
    }

    fn skip(&mut self, path: &[u8], why: &str) {
        let mut shown = names::shown(path);
        if shown.len() > 200 {
            shown.truncate(200);
            shown.push('…');
        }
        self.notes.push(format!("left out `{shown}`: {why}"));
    }
}

/// As a key: what is no path inside is the empty one, which no file has.
fn normal(path: &[u8]) -> Vec<u8> {
    names::normal(path).unwrap_or_default()
}

fn too_many(bounds: Bounds) -> RepoError {
    RepoError::TooLarge(format!("more than {} entries changed", bounds.entries))
}
