//! What is ours: one owner per process, its lock, its labels, its scratch folder.
//!
//! A living process holds a lock on its owner's file; whoever can take the lock
//! knows that the owner is dead. No process ids, no heartbeats, no patterns.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};

/// Label: the owner that made an object.
pub const OWNER: &str = "proofyard.owner";
/// Label: the state folder (and by it the machine) that the owner's lock lies in.
pub const STATE: &str = "proofyard.state";
/// Label: the run.
pub const RUN: &str = "proofyard.run";
/// Label: the trial.
pub const TRIAL: &str = "proofyard.trial";

/// This process as the owner of what it makes.
pub struct Owner {
    id: String,
    state: PathBuf,
    scope: String,
    lock: Option<Flock<File>>,
}

impl Owner {
    /// Takes a new owner's lock below the state folder.
    pub fn claim(state: &Path) -> io::Result<Self> {
        fs::create_dir_all(state.join("owners"))?;
        let state = fs::canonicalize(state)?;
        let id = format!("{:012x}", rand::random::<u64>() & 0xffff_ffff_ffff);
        let file = File::create(lock_path(&state, &id))?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock)
            .map_err(|(_, error)| io::Error::from(error))?;
        let owner = Self {
            scope: scope(&state),
            id,
            state,
            lock: Some(lock),
        };
        fs::create_dir_all(owner.scratch())?;
        Ok(owner)
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Where this owner keeps what it needs for a sandbox.
    pub fn scratch(&self) -> PathBuf {
        self.state.join("scratch").join(&self.id)
    }

    /// The labels of an object that this owner makes.
    pub fn labels(&self, run: &str, trial: &str) -> HashMap<String, String> {
        HashMap::from([
            (OWNER.to_owned(), self.id.clone()),
            (STATE.to_owned(), self.scope.clone()),
            (RUN.to_owned(), run.to_owned()),
            (TRIAL.to_owned(), trial.to_owned()),
        ])
    }

    /// Every owner that ever was here and is dead, with its lock taken for as
    /// long as the value lives. An owner without a lock file is dead as well.
    pub fn dead(state: &Path, id: &str) -> Option<Dead> {
        if !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let path = lock_path(state, id);
        match File::open(&path) {
            Ok(file) => match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => Some(Dead {
                    path,
                    lock: Some(lock),
                }),
                Err(_) => None,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some(Dead { path, lock: None })
            }
            Err(_) => None,
        }
    }

    /// The owners that have a lock file or a scratch folder here.
    pub fn known(state: &Path) -> Vec<String> {
        let mut ids: Vec<String> = ["owners", "scratch"]
            .iter()
            .filter_map(|folder| fs::read_dir(state.join(folder)).ok())
            .flat_map(|entries| entries.flatten())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .map(|name| name.trim_end_matches(".lock").to_owned())
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // An empty scratch folder means that nothing was left; else `clean` finds both.
        if fs::remove_dir(self.scratch()).is_ok() {
            let _ = fs::remove_file(lock_path(&self.state, &self.id));
        }
        self.lock = None;
    }
}

/// A dead owner, held so that nobody else cleans up after it at the same time.
pub struct Dead {
    path: PathBuf,
    lock: Option<Flock<File>>,
}

impl Dead {
    /// Forgets the owner: nothing of it is left.
    pub fn forget(self) {
        let _ = fs::remove_file(&self.path);
        drop(self.lock);
    }
}

fn lock_path(state: &Path, id: &str) -> PathBuf {
    state.join("owners").join(format!("{id}.lock"))
}

/// The machine and the state folder in one word.
pub fn scope(state: &Path) -> String {
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let host = nix::unistd::gethostname().unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update(machine.trim());
    hash.update([0]);
    hash.update(host.as_encoded_bytes());
    hash.update([0]);
    hash.update(state.as_os_str().as_encoded_bytes());
    crate::record::hex(&hash.finalize()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_dead_when_its_lock_is_free_and_only_then() {
        let state = tempfile::tempdir().unwrap();
        let owner = Owner::claim(state.path()).unwrap();
        let (id, path) = (owner.id().to_owned(), owner.state().to_owned());
        assert!(Owner::dead(&path, &id).is_none());
        fs::write(owner.scratch().join("left"), b"").unwrap();
        drop(owner);
        assert!(Owner::known(&path).contains(&id));
        assert!(Owner::dead(&path, &id).is_some());
    }

    #[test]
    fn an_owner_that_left_nothing_leaves_nothing() {
        let state = tempfile::tempdir().unwrap();
        drop(Owner::claim(state.path()).unwrap());
        assert!(Owner::known(state.path()).is_empty());
    }

    #[test]
    fn a_foreign_name_is_nobody() {
        let state = tempfile::tempdir().unwrap();
        assert!(Owner::dead(state.path(), "../../etc").is_none());
    }
}
