//! A tree being edited: stored folders are loaded only where they are touched.
//!
//! Tree objects are written by hand, so that any name that a file system can
//! hold stays what it is.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use git2::{ObjectType, Odb, Oid, Repository};

use super::RepoError;

pub const FILE: u32 = 0o100_644;
pub const EXECUTABLE: u32 = 0o100_755;
pub const LINK: u32 = 0o120_000;
pub const FOLDER: u32 = 0o040_000;
pub const SUBMODULE: u32 = 0o160_000;
const KIND: u32 = 0o170_000;

/// What is not a folder: a file, a link, a submodule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    pub mode: u32,
    pub oid: Oid,
}

impl Leaf {
    /// Same kind, and for files the same executable bit: old repos have modes
    /// such as 100664 that mean 100644.
    pub fn same_mode(self, mode: u32) -> bool {
        self.mode & KIND == mode & KIND && (!self.is_file() || self.mode & 0o100 == mode & 0o100)
    }

    pub fn is_file(self) -> bool {
        self.mode & KIND == 0o100_000
    }
}

/// One entry of a stored tree.
#[derive(Debug, Clone)]
pub struct Item {
    pub name: Vec<u8>,
    pub mode: u32,
    pub oid: Oid,
}

impl Item {
    pub fn is_folder(&self) -> bool {
        self.mode & KIND == FOLDER
    }
}

/// The entries of a stored tree, in its order.
pub fn items(repo: &Repository, tree: Oid) -> Result<Vec<Item>, RepoError> {
    let tree = repo
        .find_tree(tree)
        .map_err(RepoError::git(format!("read the tree {tree}")))?;
    Ok(tree
        .iter()
        .map(|entry| Item {
            name: entry.name_bytes().to_vec(),
            // Modes are at most six octal digits.
            mode: entry.filemode_raw().unsigned_abs(),
            oid: entry.id(),
        })
        .collect())
}

type Folder = BTreeMap<Vec<u8>, Node>;

#[derive(Debug)]
enum Node {
    Leaf(Leaf),
    Stored(Oid),
    Folder(Folder),
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Nothing,
    Leaf(Leaf),
    Folder,
}

/// A tree that starts as a stored one (or empty) and is changed path by path.
/// Paths are relative and normal (`names::normal`), never empty.
pub struct TreeEdit<'repo> {
    repo: &'repo Repository,
    odb: Odb<'repo>,
    root: Folder,
}

impl<'repo> TreeEdit<'repo> {
    pub fn new(repo: &'repo Repository, base: Option<Oid>) -> Result<Self, RepoError> {
        let odb = repo.odb().map_err(RepoError::git("open the objects"))?;
        let root = match base {
            Some(base) => load(repo, base)?,
            None => Folder::new(),
        };
        Ok(Self { repo, odb, root })
    }

    /// Puts a leaf, in the place of whatever is there or on the way there.
    pub fn put(&mut self, path: &[u8], leaf: Leaf) -> Result<(), RepoError> {
        let (folder, name) = self.parent(path)?;
        folder.insert(name.to_vec(), Node::Leaf(leaf));
        Ok(())
    }

    /// Makes sure that a folder is there. A submodule's is one already.
    pub fn make_folder(&mut self, path: &[u8]) -> Result<(), RepoError> {
        let (folder, name) = self.parent(path)?;
        let node = folder
            .entry(name.to_vec())
            .or_insert_with(|| Node::Folder(Folder::new()));
        if matches!(node, Node::Leaf(leaf) if leaf.mode & KIND != SUBMODULE) {
            *node = Node::Folder(Folder::new());
        }
        Ok(())
    }

    /// Removes what is at a path, with all below it.
    pub fn remove(&mut self, path: &[u8]) -> Result<(), RepoError> {
        if self.find(path)? != Found::Nothing {
            let (folder, name) = self.parent(path)?;
            folder.remove(name);
        }
        Ok(())
    }

    pub fn find(&mut self, path: &[u8]) -> Result<Found, RepoError> {
        let repo = self.repo;
        let mut folder = &mut self.root;
        let mut names = path.split(|&byte| byte == b'/').peekable();
        while let Some(name) = names.next() {
            let Some(node) = folder.get_mut(name) else {
                return Ok(Found::Nothing);
            };
            if let Node::Leaf(leaf) = node {
                return Ok(match names.peek() {
                    None => Found::Leaf(*leaf),
                    Some(_) => Found::Nothing,
                });
            }
            if names.peek().is_none() {
                return Ok(match hollow(node) {
                    true => Found::Nothing,
                    false => Found::Folder,
                });
            }
            folder = opened(repo, node)?;
        }
        Ok(Found::Nothing)
    }

    /// Writes the changed trees; folders without entries vanish.
    pub fn write(&self) -> Result<Oid, RepoError> {
        match write(&self.odb, &self.root)? {
            Some(oid) => Ok(oid),
            None => store(&self.odb, &[]),
        }
    }

    /// The folder of a path's last component, made where it is missing, and that component.
    fn parent<'path>(
        &mut self,
        path: &'path [u8],
    ) -> Result<(&mut Folder, &'path [u8]), RepoError> {
        let repo = self.repo;
        let mut folder = &mut self.root;
        let mut rest = path;
        while let Some(at) = rest.iter().position(|&byte| byte == b'/') {
            let node = match folder.entry(rest[..at].to_vec()) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(Node::Folder(Folder::new())),
            };
            folder = opened(repo, node)?;
            rest = &rest[at + 1..];
        }
        Ok((folder, rest))
    }
}

/// Whether a node is a folder that would vanish when written.
fn hollow(node: &Node) -> bool {
    matches!(node, Node::Folder(folder) if folder.values().all(hollow))
}

/// A node as a folder: loaded where it is stored, put in the place of a leaf.
fn opened<'node>(repo: &Repository, node: &'node mut Node) -> Result<&'node mut Folder, RepoError> {
    match node {
        Node::Folder(_) => {}
        Node::Stored(oid) => *node = Node::Folder(load(repo, *oid)?),
        Node::Leaf(_) => *node = Node::Folder(Folder::new()),
    }
    match node {
        Node::Folder(folder) => Ok(folder),
        Node::Stored(_) | Node::Leaf(_) => unreachable!("it was made a folder above"),
    }
}

fn load(repo: &Repository, tree: Oid) -> Result<Folder, RepoError> {
    Ok(items(repo, tree)?
        .into_iter()
        .map(|item| {
            let node = if item.is_folder() {
                Node::Stored(item.oid)
            } else {
                Node::Leaf(Leaf {
                    mode: item.mode,
                    oid: item.oid,
                })
            };
            (item.name, node)
        })
        .collect())
}

/// Recursion is as deep as paths are, which `names::normal` bounds.
fn write(odb: &Odb<'_>, folder: &Folder) -> Result<Option<Oid>, RepoError> {
    let mut items = Vec::with_capacity(folder.len());
    for (name, node) in folder {
        let (mode, oid) = match node {
            Node::Leaf(leaf) => (leaf.mode, leaf.oid),
            Node::Stored(oid) => (FOLDER, *oid),
            Node::Folder(folder) => match write(odb, folder)? {
                Some(oid) => (FOLDER, oid),
                None => continue,
            },
        };
        items.push((name, mode, oid));
    }
    if items.is_empty() {
        return Ok(None);
    }
    // git sorts a folder as if its name ended with a slash.
    items.sort_by_cached_key(|(name, mode, _)| {
        let mut key = (*name).clone();
        if *mode == FOLDER {
            key.push(b'/');
        }
        key
    });
    let mut raw = Vec::new();
    for (name, mode, oid) in items {
        raw.extend_from_slice(format!("{mode:o} ").as_bytes());
        raw.extend_from_slice(name);
        raw.push(0);
        raw.extend_from_slice(oid.as_bytes());
    }
    store(odb, &raw).map(Some)
}

fn store(odb: &Odb<'_>, raw: &[u8]) -> Result<Oid, RepoError> {
    odb.write(ObjectType::Tree, raw)
        .map_err(RepoError::git("write a tree"))
}
