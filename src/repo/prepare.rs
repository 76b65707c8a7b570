//! A checkout prepared once and shared: made under a temporary name while a
//! lock is held, renamed when whole, found again by the digest of what it was
//! made from.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use git2::Oid;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fetch::{HexOf, Mirror, without_secret};
use super::{RepoError, bundle, checkout, folder, store};
use crate::task::{History, RepoSource};

/// Enters every digest: raise it when a prepared checkout becomes another one.
const FORMAT: u32 = 2;
const IN_IMAGE: &str = "check out a work tree that is an image's own: it stays there";

/// Who owns a work tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
}

/// Proof that a checkout holds the base commit and its ancestors only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The base commit, 40 hex, as the source has it; where a folder became one commit, that.
    pub commit: String,
    /// Commits from the checkout's HEAD down.
    pub commits: u64,
    /// Objects that can be reached from the checkout's HEAD.
    pub objects_reachable: u64,
    /// Objects that are stored; the same ones.
    pub objects_stored: u64,
}

/// A pristine checkout: an ordinary repository with nothing in it but the base
/// commit and its ancestors. Shared; whoever uses it must not write to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// The work tree, absolute; below it an ordinary `.git`.
    #[serde(skip)]
    pub dir: PathBuf,
    /// 64 hex: of source, commit, history and owner.
    pub digest: String,
    /// The base commit as the source has it, 40 hex.
    pub commit: String,
    /// The commit at HEAD: the base, or with `History::None` the one that stands for it.
    pub head: String,
    /// The tree at HEAD, 40 hex.
    pub base_tree: String,
    /// The tree of the base commit, where that is stored and may differ from HEAD's: an
    /// image changes tracked files of its work tree.
    #[serde(default)]
    pub commit_tree: Option<String>,
    /// Seconds since 1970 of the base: modification time of all files.
    pub time: i64,
    pub owner: Owner,
    /// Only the `.git` is here: the work tree is an image's own.
    #[serde(default)]
    pub git_only: bool,
    pub proof: Proof,
}

impl Prepared {
    /// The folder of the checkout's objects.
    pub(super) fn objects(&self) -> PathBuf {
        self.dir.join(".git/objects")
    }

    /// Whether there is an object whose id begins so, or the base commit's does. What
    /// cannot be looked up counts as there.
    pub fn has_object(&self, beginning: &str) -> bool {
        if self.commit.starts_with(beginning) {
            return true;
        }
        let look = || -> Result<bool, git2::Error> {
            let repo = git2::Repository::open_bare(self.dir.join(".git"))?;
            let odb = repo.odb()?;
            odb.exists_prefix(Oid::from_str(beginning)?, beginning.len())
                .map(|_| true)
        };
        match look() {
            Err(error) => error.code() != git2::ErrorCode::NotFound,
            Ok(there) => there,
        }
    }

    pub(super) fn tree(&self) -> Result<Oid, RepoError> {
        oid(&self.base_tree)
    }

    /// The tree that hidden patches are made for.
    pub(super) fn commit_tree(&self) -> Result<Oid, RepoError> {
        oid(self.commit_tree.as_ref().unwrap_or(&self.base_tree))
    }
}

/// Makes the checkout of a base commit, or finds it made. Safe to call from
/// several threads and processes at once: one makes it, the others wait.
///
/// `commit` is 40 hex. Without it a bundle's HEAD or only tip is taken, and of
/// a url the remote's HEAD, asked anew each time; a folder takes none.
/// Everything is given to `owner`, where this process is root.
///
/// # Errors
/// A source that cannot be read or lacks the commit; a host without `git` (for
/// urls); names that no work tree can hold.
pub fn prepare(
    source: &RepoSource,
    commit: Option<&str>,
    history: History,
    cache: &Path,
    owner: Owner,
) -> Result<Prepared, RepoError> {
    fs::create_dir_all(cache).map_err(RepoError::io("make", cache))?;
    let cache = &fs::canonicalize(cache).map_err(RepoError::io("find", cache))?;
    let mut commit = commit.map(oid).transpose()?;
    match source {
        RepoSource::Folder(path) if commit.is_some() => {
            return Err(RepoError::Invalid(format!(
                "check out a commit of {}: a folder becomes one commit and has no others",
                path.display()
            )));
        }
        // What HEAD means must be known before the digest is.
        RepoSource::Url(url) if commit.is_none() => {
            commit = Some(Mirror::new(url, cache).fetch_head()?);
        }
        _ => {}
    }
    let digest = digest(source, commit, history, owner)?;
    let making = |part: &Path| {
        let digest = digest.clone();
        make(source, commit, history, cache, part, owner, digest)
    };
    once(cache, &digest, making)
}

/// What has this digest, made in a new folder where it is not there yet.
pub(super) fn once(
    cache: &Path,
    digest: &str,
    make: impl FnOnce(&Path) -> Result<Prepared, RepoError>,
) -> Result<Prepared, RepoError> {
    let home = cache.join(digest);
    if let Some(prepared) = read(&home)? {
        return Ok(prepared);
    }
    let _lock = lock(&home.with_extension("lock"))?;
    if let Some(prepared) = read(&home)? {
        return Ok(prepared);
    }
    // Under the lock, what has this name is of a process that died.
    let part = home.with_extension("part");
    clear(&part)?;
    fs::create_dir(&part).map_err(RepoError::io("make", &part))?;
    let prepared = match make(&part) {
        Ok(prepared) => prepared,
        Err(error) => {
            clear(&part)?;
            return Err(error);
        }
    };
    fs::rename(&part, &home).map_err(RepoError::io("name", &home))?;
    Ok(Prepared {
        dir: home.join("tree"),
        ..prepared
    })
}

/// Makes `tree` and `checkout.json` in a new folder. The returned `dir` is not final.
fn make(
    source: &RepoSource,
    commit: Option<Oid>,
    history: History,
    cache: &Path,
    part: &Path,
    owner: Owner,
    digest: String,
) -> Result<Prepared, RepoError> {
    let scratch = part.join("source.git");
    let (git_dir, place, offered) = match source {
        RepoSource::Folder(path) => {
            let commit = folder::commit(path, &scratch)?;
            (scratch.clone(), path.display().to_string(), Some(commit))
        }
        RepoSource::Bundle(path) => {
            let tip = bundle::unpack(path, &scratch)?;
            (scratch.clone(), path.display().to_string(), tip)
        }
        RepoSource::Image => return Err(RepoError::Invalid(IN_IMAGE.to_owned())),
        RepoSource::Url(url) => {
            let mirror = Mirror::new(url, cache);
            if let Some(commit) = commit {
                mirror.fetch_commit(commit)?;
            }
            (mirror.git_dir().to_owned(), without_secret(url), None)
        }
    };
    let base = commit.or(offered).ok_or_else(|| {
        RepoError::Invalid(format!(
            "choose a commit of {place}: it has neither a HEAD nor a single branch; name the commit"
        ))
    })?;
    let repo = store::open(&git_dir)?;
    let found = repo.find_commit(base).map_err(|_| RepoError::NoCommit {
        commit: base.to_string(),
        place,
    })?;
    let time = found.time().seconds().clamp(0, i64::from(i32::MAX));
    let tree = found.tree_id();
    let head = match history {
        History::Ancestors => base,
        History::None => folder::sole_commit(&repo, tree, time)?,
    };
    let at = checkout::Checkout {
        source: &repo,
        head,
        tree,
        time,
        owner,
    };
    let dir = part.join("tree");
    let counts = at.make(&dir)?;
    drop(found);
    drop(repo);
    clear(&scratch)?;
    let prepared = Prepared {
        dir,
        digest,
        commit: base.to_string(),
        head: head.to_string(),
        base_tree: tree.to_string(),
        commit_tree: None,
        time,
        owner,
        git_only: false,
        proof: Proof {
            commit: base.to_string(),
            commits: counts.commits,
            objects_reachable: counts.reachable,
            objects_stored: counts.stored,
        },
    };
    describe(&prepared, part)?;
    Ok(prepared)
}

/// Writes down what was prepared, beside it.
pub(super) fn describe(prepared: &Prepared, part: &Path) -> Result<(), RepoError> {
    let text = serde_json::to_vec_pretty(prepared)
        .map_err(|error| RepoError::Invalid(format!("describe the checkout: {error}")))?;
    store::write(&part.join("checkout.json"), &text)
}

/// What was prepared before; none where nothing was.
pub(super) fn read(home: &Path) -> Result<Option<Prepared>, RepoError> {
    let path = home.join("checkout.json");
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RepoError::io("read", &path)(error)),
    };
    let prepared: Prepared = serde_json::from_slice(&text).map_err(|error| {
        RepoError::Invalid(format!(
            "read {}: {error}; remove {} and it is made anew",
            path.display(),
            home.display()
        ))
    })?;
    Ok(Some(Prepared {
        dir: home.join("tree"),
        ..prepared
    }))
}

fn digest(
    source: &RepoSource,
    commit: Option<Oid>,
    history: History,
    owner: Owner,
) -> Result<String, RepoError> {
    let mut digest = Sha256::new();
    let history = match history {
        History::Ancestors => "ancestors",
        History::None => "none",
    };
    let commit = commit.map(|commit| commit.to_string()).unwrap_or_default();
    let Owner { uid, gid } = owner;
    digest.update(format!("checkout {FORMAT} {commit} {history} {uid}:{gid} "));
    match source {
        RepoSource::Folder(path) => {
            digest.update("folder ");
            folder::digest(path, &mut digest)?;
        }
        RepoSource::Bundle(path) => {
            digest.update("bundle ");
            let mut file = File::open(path).map_err(RepoError::io("open the bundle", path))?;
            let mut chunk = vec![0; 1 << 16];
            loop {
                let read = file
                    .read(&mut chunk)
                    .map_err(RepoError::io("read the bundle", path))?;
                if read == 0 {
                    break;
                }
                digest.update(&chunk[..read]);
            }
        }
        RepoSource::Image => return Err(RepoError::Invalid(IN_IMAGE.to_owned())),
        RepoSource::Url(url) => {
            digest.update("url ");
            digest.update(url);
        }
    }
    Ok(format!("{:x}", HexOf(digest.finalize().as_slice())))
}

pub(super) fn oid(text: &str) -> Result<Oid, RepoError> {
    Oid::from_str(text)
        .ok()
        .filter(|_| text.len() == 40)
        .ok_or_else(|| RepoError::Invalid(format!("read the commit id `{text}`: it is not 40 hex")))
}

/// An exclusive lock on a file, held while it lives. The kernel lets go of it
/// when the process dies, so none is ever stale.
pub type Lock = Flock<File>;

/// Waits for the lock of a file that is made where it is missing.
pub fn lock(path: &Path) -> Result<Lock, RepoError> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(RepoError::io("open the lock", path))?;
    Flock::lock(file, FlockArg::LockExclusive)
        .map_err(|(_, errno)| RepoError::io("lock", path)(errno.into()))
}

pub(super) fn clear(path: &Path) -> Result<(), RepoError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(RepoError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
