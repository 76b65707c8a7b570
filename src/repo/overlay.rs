//! What must be laid over a pristine checkout to get another tree, and a whole
//! checkout as a stream.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use git2::{Oid, Repository};
use tar::{Builder, EntryType, Header};

use super::RepoError;
use super::prepare::{Owner, Prepared};
use super::tree::{self, EXECUTABLE, Item, LINK, Leaf, SUBMODULE};

/// What is laid over a work tree: first `deleted` is removed, then `tar` unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laid {
    /// Files, links and new folders, with owner; paths relative to the work tree.
    pub tar: Vec<u8>,
    /// Relative paths; of a folder, all below it goes. What becomes another
    /// kind of thing is here too.
    pub deleted: Vec<Vec<u8>>,
}

/// What is in one tree and not, or otherwise, in another.
#[derive(Debug, Default)]
pub struct Steps {
    pub deleted: BTreeSet<Vec<u8>>,
    /// Folders that are new as such.
    pub folders: BTreeSet<Vec<u8>>,
    pub leaves: Vec<(Vec<u8>, Leaf)>,
}

impl Steps {
    /// The steps from one tree to another.
    pub fn between(repo: &Repository, old: Oid, new: Oid) -> Result<Self, RepoError> {
        let mut steps = Self::default();
        steps.compare(repo, Some(old), new, &mut Vec::new())?;
        Ok(steps)
    }

    fn compare(
        &mut self,
        repo: &Repository,
        old: Option<Oid>,
        new: Oid,
        path: &mut Vec<u8>,
    ) -> Result<(), RepoError> {
        let old = match old {
            Some(old) => tree::items(repo, old)?,
            None => Vec::new(),
        };
        let new = tree::items(repo, new)?;
        let is_in = |items: &[Item]| -> std::collections::HashMap<Vec<u8>, Item> {
            items
                .iter()
                .map(|item| (item.name.clone(), item.clone()))
                .collect()
        };
        let (olds, news) = (is_in(&old), is_in(&new));
        for item in old.iter().filter(|item| !news.contains_key(&item.name)) {
            self.deleted.insert(below(path, &item.name));
        }
        for item in new {
            let before = olds.get(&item.name);
            if before.is_some_and(|old| old.oid == item.oid && old.mode == item.mode) {
                continue;
            }
            let above = path.len();
            *path = below(path, &item.name);
            let kind = |mode: u32| mode & 0o170_000;
            let same_kind = before.filter(|old| kind(old.mode) == kind(item.mode));
            if before.is_some() && same_kind.is_none() {
                self.deleted.insert(path.clone());
            }
            if item.is_folder() {
                if same_kind.is_none() {
                    self.folders.insert(path.clone());
                }
                self.compare(repo, same_kind.map(|old| old.oid), item.oid, path)?;
            } else {
                let Item { mode, oid, .. } = item;
                self.leaves.push((path.clone(), Leaf { mode, oid }));
            }
            path.truncate(above);
        }
        Ok(())
    }

    /// The steps as what an unpacker takes.
    pub fn stream(self, repo: &Repository, owner: Owner, seconds: u64) -> Result<Laid, RepoError> {
        let mut tar = Builder::new(Vec::new());
        let stamp = Stamp { owner, seconds };
        let fail = RepoError::io("pack the change in", repo.path());
        let mut pack = || -> io::Result<()> {
            for path in &self.folders {
                stamp.folder(&mut tar, OsStr::from_bytes(path), 0o755)?;
            }
            for (path, leaf) in &self.leaves {
                let path = OsStr::from_bytes(path);
                if leaf.mode == SUBMODULE {
                    stamp.folder(&mut tar, path, 0o755)?;
                    continue;
                }
                let blob = repo.find_blob(leaf.oid).map_err(io::Error::other)?;
                if leaf.mode == LINK {
                    stamp.link(&mut tar, path, OsStr::from_bytes(blob.content()))?;
                } else {
                    let mode = if leaf.same_mode(EXECUTABLE) {
                        0o755
                    } else {
                        0o644
                    };
                    let size = blob.size() as u64;
                    stamp.file(&mut tar, path, mode, size, blob.content())?;
                }
            }
            Ok(())
        };
        pack()
            .and_then(|()| tar.into_inner())
            .map_err(fail)
            .map(|tar| Laid {
                tar,
                deleted: self.deleted.into_iter().collect(),
            })
    }
}

fn below(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() {
        return name.to_vec();
    }
    [folder, b"/", name].concat()
}

/// Writes a whole checkout, with its `.git`, as a tar stream: for engines where
/// nothing can be mounted and it becomes an image's layer. The same checkout
/// gives the same bytes; the owner is the checkout's, whoever the files belong to here.
///
/// # Errors
/// A checkout that is gone, or a writer that fails.
pub fn tree_tar(prepared: &Prepared, out: impl Write) -> Result<(), RepoError> {
    let dir = &prepared.dir;
    let mut tar = Builder::new(out);
    let walk = walkdir::WalkDir::new(dir).sort_by_file_name();
    for entry in walk {
        let entry = entry.map_err(|error| {
            let lost = || io::Error::other("the checkout has a loop");
            RepoError::io("list", dir)(error.into_io_error().unwrap_or_else(lost))
        })?;
        pack(&mut tar, dir, &entry, prepared.owner).map_err(RepoError::io("pack", entry.path()))?;
    }
    tar.into_inner()
        .and_then(|mut out| out.flush())
        .map_err(RepoError::io("pack", dir))
}

fn pack(
    tar: &mut Builder<impl Write>,
    dir: &Path,
    entry: &walkdir::DirEntry,
    owner: Owner,
) -> io::Result<()> {
    let path = entry.path().strip_prefix(dir).map_err(io::Error::other)?;
    let path = match path.as_os_str() {
        root if root.is_empty() => OsStr::new("./"),
        path => path,
    };
    let metadata = entry.metadata()?;
    let stamp = Stamp {
        owner,
        seconds: metadata.mtime().max(0).unsigned_abs(),
    };
    let mode = metadata.permissions().mode() & 0o777;
    if metadata.is_dir() {
        stamp.folder(tar, path, mode)
    } else if metadata.is_symlink() {
        let target = std::fs::read_link(entry.path())?;
        stamp.link(tar, path, target.as_os_str())
    } else {
        stamp.file(tar, path, mode, metadata.len(), File::open(entry.path())?)
    }
}

/// What every entry of a stream carries.
#[derive(Clone, Copy)]
struct Stamp {
    owner: Owner,
    seconds: u64,
}

impl Stamp {
    fn header(self, kind: EntryType, mode: u32, size: u64) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(u64::from(self.owner.uid));
        header.set_gid(u64::from(self.owner.gid));
        header.set_mtime(self.seconds);
        header.set_size(size);
        header
    }

    fn folder(self, tar: &mut Builder<impl Write>, path: &OsStr, mode: u32) -> io::Result<()> {
        let mut header = self.header(EntryType::Directory, mode, 0);
        tar.append_data(&mut header, path, io::empty())
    }

    fn link(self, tar: &mut Builder<impl Write>, path: &OsStr, target: &OsStr) -> io::Result<()> {
        let mut header = self.header(EntryType::Symlink, 0o777, 0);
        tar.append_link(&mut header, path, target)
    }

    fn file(
        self,
        tar: &mut Builder<impl Write>,
        path: &OsStr,
        mode: u32,
        size: u64,
        content: impl io::Read,
    ) -> io::Result<()> {
        let mut header = self.header(EntryType::Regular, mode, size);
        tar.append_data(&mut header, path, content)
    }
}
