//! From a commit to an ordinary repository on disk: one pack, one branch, the
//! work tree byte for byte, and the proof that nothing else is in it.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::Path;

use git2::{IndexEntry, IndexTime, Oid, Repository};
use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;

use super::prepare::Owner;
use super::tree::{self, Item, Leaf};
use super::{RepoError, fetch, names, store};

/// What is to be checked out.
pub struct Checkout<'source> {
    pub source: &'source Repository,
    pub head: Oid,
    pub tree: Oid,
    /// Seconds since 1970.
    pub time: i64,
    pub owner: Owner,
}

/// A tracked file of a work tree that is not ours.
#[derive(Debug, Clone, Copy)]
pub struct Stat {
    pub leaf: Leaf,
    /// Of its last change, since 1970.
    pub seconds: i64,
    /// Bytes.
    pub size: usize,
}

/// Objects of a checkout.
pub struct Counts {
    pub commits: u64,
    pub reachable: u64,
    pub stored: u64,
}

impl Checkout<'_> {
    /// Makes the checkout in a folder that must not exist yet.
    pub fn make(&self, dir: &Path) -> Result<Counts, RepoError> {
        let git_dir = dir.join(".git");
        let (counts, mut index) = self.history(&git_dir)?;
        self.lay(dir, self.tree, &mut Vec::new(), &mut index)?;
        index.write().map_err(RepoError::git("write the index"))?;
        self.finish(dir, self.time)?;
        Ok(counts)
    }

    /// Makes only the `.git`, for a work tree that is elsewhere and has these files.
    pub fn make_git(
        &self,
        dir: &Path,
        files: &BTreeMap<Vec<u8>, Stat>,
    ) -> Result<Counts, RepoError> {
        let git_dir = dir.join(".git");
        let (counts, mut index) = self.history(&git_dir)?;
        for (path, stat) in files {
            let entry = index_entry(stat.leaf, path, stat.size, stat.seconds);
            index
                .add(&entry)
                .map_err(RepoError::git(format!("list `{}`", names::shown(path))))?;
        }
        index.write().map_err(RepoError::git("write the index"))?;
        let latest = files.values().map(|stat| stat.seconds).max();
        self.finish(dir, self.time.max(latest.unwrap_or_default()))?;
        Ok(counts)
    }

    /// Makes a `.git` with the head and what it stands on, and an empty index.
    fn history(&self, git_dir: &Path) -> Result<(Counts, git2::Index), RepoError> {
        store::lay_checkout(git_dir)?;
        self.pack(&git_dir.join("objects/pack"))?;
        let cut = self.source.path().join("shallow");
        if cut.is_file() {
            let text = fs::read(&cut).map_err(RepoError::io("read", &cut))?;
            store::write(&git_dir.join("shallow"), &text)?;
        }
        store::write(
            &git_dir.join("refs/heads").join(store::BRANCH),
            format!("{}\n", self.head).as_bytes(),
        )?;
        let counts = prove(git_dir, self.head)?;
        let tags = self.tags()?;
        if !tags.is_empty() {
            store::write(&git_dir.join("packed-refs"), tags.as_bytes())?;
        }
        let index =
            git2::Index::open(&git_dir.join("index")).map_err(RepoError::git("make the index"))?;
        Ok((counts, index))
    }

    /// The source's tags of commits that the head stands on, as a file of packed names:
    /// what builds read a version from. They name the commits themselves, since what an
    /// annotated tag says may be of later.
    fn tags(&self) -> Result<String, RepoError> {
        let doing = || RepoError::git("read the tags");
        let mut walk = self.source.revwalk().map_err(doing())?;
        walk.push(self.head).map_err(doing())?;
        let below: HashSet<Oid> = walk.flatten().collect();
        let mut tags = BTreeMap::new();
        for tag in self
            .source
            .references_glob("refs/tags/*")
            .map_err(doing())?
        {
            let Ok(tag) = tag else { continue };
            let Ok(name) = tag.name() else { continue };
            if let Ok(commit) = tag.peel_to_commit()
                && below.contains(&commit.id())
            {
                tags.insert(name.to_owned(), commit.id());
            }
        }
        Ok(tags
            .iter()
            .map(|(name, id)| format!("{id} {name}\n"))
            .collect())
    }

    /// Packs the head and everything that it stands on: by the host's git where there is
    /// one, which takes over what is packed already, else by our own library, which packs
    /// anew and takes minutes for a long history. What was packed is proven in any case.
    fn pack(&self, folder: &Path) -> Result<(), RepoError> {
        if fetch::pack(self.source.path(), self.head, folder) {
            return Ok(());
        }
        let write = || {
            let mut walk = self.source.revwalk()?;
            walk.push(self.head)?;
            let mut pack = self.source.packbuilder()?;
            pack.set_threads(0);
            pack.insert_walk(&mut walk)?;
            pack.write(folder, 0o444)
        };
        write().map_err(RepoError::git(format!("pack the commit {}", self.head)))
    }

    /// Writes one folder of the tree. Every file and folder is new, so nothing
    /// in a hostile tree can lead a write elsewhere.
    fn lay(
        &self,
        dir: &Path,
        tree: Oid,
        path: &mut Vec<u8>,
        index: &mut git2::Index,
    ) -> Result<(), RepoError> {
        for item in tree::items(self.source, tree)? {
            let above = path.len();
            if above > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(&item.name);
            let refused = !names::is_plain(&item.name)
                || names::has_dot_git(&item.name)
                || names::normal(path).is_err();
            if refused {
                return Err(RepoError::Invalid(format!(
                    "check out `{}`: no work tree can hold that name",
                    names::shown(path)
                )));
            }
            let to = dir.join(OsStr::from_bytes(path));
            if item.is_folder() {
                fs::create_dir(&to).map_err(RepoError::io("make the folder", &to))?;
                self.lay(dir, item.oid, path, index)?;
            } else {
                let size = self.lay_leaf(&to, &item)?;
                index
                    .add(&index_entry(leaf(&item), path, size, self.time))
                    .map_err(RepoError::git(format!("list `{}`", names::shown(path))))?;
            }
            path.truncate(above);
        }
        Ok(())
    }

    /// Writes a file or link, or the empty folder of a submodule; returns its size.
    fn lay_leaf(&self, to: &Path, item: &Item) -> Result<usize, RepoError> {
        if item.mode == tree::SUBMODULE {
            fs::create_dir(to).map_err(RepoError::io("make the folder", to))?;
            return Ok(0);
        }
        let blob = self
            .source
            .find_blob(item.oid)
            .map_err(RepoError::git(format!("read the file {}", to.display())))?;
        let content = blob.content();
        if leaf(item).is_file() {
            let mode = if item.mode & 0o100 == 0 { 0o644 } else { 0o755 };
            store::write_mode(to, content, mode)?;
        } else {
            let target = OsString::from_vec(content.to_vec());
            symlink(target, to).map_err(RepoError::io("make the link", to))?;
        }
        Ok(content.len())
    }

    /// Modes whatever the umask, owners and times; children first: writing a child changes its folder's time.
    fn finish(&self, dir: &Path, time: i64) -> Result<(), RepoError> {
        let chown = nix::unistd::geteuid().is_root();
        let Owner { uid, gid } = self.owner;
        let index = dir.join(".git/index");
        let objects = dir.join(".git/objects");
        let fail = |error: walkdir::Error| {
            RepoError::io("list", dir)(
                error
                    .into_io_error()
                    .unwrap_or_else(|| std::io::Error::other("the new folder has a loop")),
            )
        };
        for entry in walkdir::WalkDir::new(dir).contents_first(true) {
            let entry = entry.map_err(fail)?;
            let path = entry.path();
            let kind = entry.file_type();
            let mode = if kind.is_dir() {
                Some(0o755)
            } else if path == index {
                Some(0o644)
            } else {
                (kind.is_file() && path.starts_with(&objects)).then_some(0o444)
            };
            if let Some(mode) = mode {
                fs::set_permissions(path, fs::Permissions::from_mode(mode))
                    .map_err(RepoError::io("set the mode of", path))?;
            }
            if chown {
                lchown(path, Some(uid), Some(gid)).map_err(RepoError::io("give away", path))?;
            }
            // Younger than the files in it, else git takes each of them for one
            // that changed after the index was written, and reads it.
            let seconds = time + i64::from(path == index);
            let time = TimeSpec::new(seconds, 0);
            utimensat(
                AT_FDCWD,
                path,
                &time,
                &time,
                UtimensatFlags::NoFollowSymlink,
            )
            .map_err(|errno| RepoError::io("set the time of", path)(errno.into()))?;
        }
        Ok(())
    }
}

fn leaf(item: &Item) -> Leaf {
    Leaf {
        mode: item.mode,
        oid: item.oid,
    }
}

/// What `git status` compares under `checkStat = minimal`: time and size.
fn index_entry(leaf: Leaf, path: &[u8], size: usize, seconds: i64) -> IndexEntry {
    let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
    IndexEntry {
        ctime: IndexTime::new(0, 0),
        mtime: IndexTime::new(seconds, 0),
        dev: 0,
        ino: 0,
        mode: leaf.mode,
        uid: 0,
        gid: 0,
        // git keeps sizes modulo 2^32.
        file_size: size as u32,
        id: leaf.oid,
        flags: 0,
        flags_extended: 0,
        path: path.to_vec(),
    }
}

/// Counts what the head stands on and what is stored: they must be the same objects.
fn prove(git_dir: &Path, head: Oid) -> Result<Counts, RepoError> {
    let repo = store::open(git_dir)?;
    let mut reachable: HashSet<Oid> = HashSet::new();
    let mut commits = 0;
    let mut trees = Vec::new();
    let doing = || RepoError::git("walk the history");
    let mut walk = repo.revwalk().map_err(doing())?;
    walk.push(head).map_err(doing())?;
    for commit in walk {
        let commit = commit.map_err(doing())?;
        commits += 1;
        reachable.insert(commit);
        trees.push(repo.find_commit(commit).map_err(doing())?.tree_id());
        while let Some(tree) = trees.pop() {
            if !reachable.insert(tree) {
                continue;
            }
            for item in tree::items(&repo, tree)? {
                if item.is_folder() {
                    trees.push(item.oid);
                } else if item.mode != tree::SUBMODULE {
                    reachable.insert(item.oid);
                }
            }
        }
    }
    let mut stored: HashSet<Oid> = HashSet::new();
    let odb = repo.odb().map_err(RepoError::git("open the objects"))?;
    odb.foreach(|oid| {
        stored.insert(*oid);
        true
    })
    .map_err(RepoError::git("list the objects"))?;
    let counts = Counts {
        commits,
        reachable: reachable.len() as u64,
        stored: stored.len() as u64,
    };
    if stored != reachable {
        return Err(RepoError::Unproven {
            reachable: counts.reachable,
            stored: counts.stored,
        });
    }
    Ok(counts)
}
