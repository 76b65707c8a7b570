//! Every object of a pack that somebody else made, in an object database of our own.
//!
//! Owns the listing of objects and where commits have them. Must not know what is
//! looked for in them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use git2::{ObjectType, Oid, Repository};

use super::{RepoError, store, tree};

/// Longest header of a bundle, bytes.
const MAX_HEADER: u64 = 64 << 20;
/// Most trees that are looked through for a path.
const MAX_TREES: usize = 2_000_000;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    Commit,
    Tree,
    /// A file's content, or a tag.
    Content,
}

/// An object of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedObject {
    /// 40 hex.
    pub id: String,
    pub kind: ObjectKind,
    /// Bytes.
    pub size: u64,
    oid: Oid,
}

/// A pack, unpacked into a repository of its own.
pub struct Pack {
    repo: Repository,
    objects: Vec<PackedObject>,
}

impl Pack {
    /// Reads a pack, or a bundle with one in it, into a new bare repository at `git_dir`.
    ///
    /// # Errors
    /// A pack that is damaged, or that builds on objects which it does not have.
    pub fn unpack(reader: &mut dyn Read, bundle: bool, git_dir: &Path) -> Result<Self, RepoError> {
        let mut reader = BufReader::new(reader);
        if bundle {
            skip_header(&mut reader)?;
        }
        let repo = store::lay_scratch(git_dir, None)?;
        write_pack(&repo, &mut reader)?;
        let objects = list(&repo)?;
        Ok(Self { repo, objects })
    }

    /// All of them, in no order.
    pub fn objects(&self) -> &[PackedObject] {
        &self.objects
    }

    /// What an object holds.
    pub fn content(&self, object: &PackedObject) -> Result<Vec<u8>, RepoError> {
        let doing = || RepoError::git(format!("read the object {}", object.id));
        let odb = self.repo.odb().map_err(doing())?;
        let read = odb.read(object.oid).map_err(doing())?;
        Ok(read.data().to_vec())
    }

    /// For contents, by id: a commit that has it, and the path. Only what the pack's own
    /// commits and trees say; trees that are missing say nothing.
    pub fn whereabouts(&self, wanted: &BTreeSet<String>) -> BTreeMap<String, (String, String)> {
        let mut found = BTreeMap::new();
        let mut seen: HashSet<Oid> = HashSet::new();
        let commits = self
            .objects
            .iter()
            .filter(|object| object.kind == ObjectKind::Commit);
        for commit in commits {
            let Ok(read) = self.repo.find_commit(commit.oid) else {
                continue;
            };
            let mut open = vec![(read.tree_id(), String::new())];
            while let Some((at, path)) = open.pop() {
                if found.len() == wanted.len() || seen.len() > MAX_TREES || !seen.insert(at) {
                    continue;
                }
                for item in tree::items(&self.repo, at).unwrap_or_default() {
                    let inner = format!("{path}{}", String::from_utf8_lossy(&item.name));
                    if item.is_folder() {
                        open.push((item.oid, format!("{inner}/")));
                    } else if wanted.contains(&item.oid.to_string()) {
                        found
                            .entry(item.oid.to_string())
                            .or_insert_with(|| (commit.id.clone(), inner));
                    }
                }
            }
        }
        found
    }
}

fn write_pack(repo: &Repository, reader: &mut dyn Read) -> Result<(), RepoError> {
    let doing = || RepoError::git("unpack the pack");
    let odb = repo.odb().map_err(doing())?;
    let mut writer = odb.packwriter().map_err(doing())?;
    // What libgit2 has against it stands in its own last error.
    let damaged =
        |_| RepoError::Invalid("unpack the pack: it is damaged, or builds on another".to_owned());
    std::io::copy(reader, &mut writer).map_err(damaged)?;
    writer.flush().map_err(damaged)?;
    writer.commit().map_err(doing())?;
    Ok(())
}

fn list(repo: &Repository) -> Result<Vec<PackedObject>, RepoError> {
    let odb = repo.odb().map_err(RepoError::git("open the objects"))?;
    let mut ids = Vec::new();
    odb.foreach(|oid| {
        ids.push(*oid);
        true
    })
    .map_err(RepoError::git("list the objects"))?;
    let look = |oid: Oid| {
        let (size, kind) = odb
            .read_header(oid)
            .map_err(RepoError::git(format!("look at the object {oid}")))?;
        let kind = match kind {
            ObjectType::Commit => ObjectKind::Commit,
            ObjectType::Tree => ObjectKind::Tree,
            _ => ObjectKind::Content,
        };
        let (id, size) = (oid.to_string(), size as u64);
        Ok(PackedObject {
            id,
            kind,
            size,
            oid,
        })
    };
    ids.into_iter().map(look).collect()
}

/// Everything before the empty line behind which a bundle's pack begins.
fn skip_header(reader: &mut impl BufRead) -> Result<(), RepoError> {
    let cut = || RepoError::Invalid("read the bundle: its header is cut off".to_owned());
    let mut left = MAX_HEADER;
    loop {
        let mut line = Vec::new();
        let read = reader.take(left).read_until(b'\n', &mut line);
        let read = read.map_err(|_| cut())?;
        left -= read as u64;
        match line.last() {
            Some(b'\n') if read == 1 => return Ok(()),
            Some(b'\n') => {}
            _ => return Err(cut()),
        }
    }
}
