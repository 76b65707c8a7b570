//! The lock of a run: one process works on it, and nobody audits it meanwhile.
//!
//! Owns `.lock`. Must not know what is in a run.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::StoreError;
use super::store::write_error;

pub(super) const LOCK: &str = ".lock";

/// Takes the run's lock, which ends with this process, however it ends.
pub(super) fn lock(dir: &Path) -> Result<Flock<File>, StoreError> {
    let path = dir.join(LOCK);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(write_error("open", &path))?;
    let mut lock =
        Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(file, errno)| {
            if errno == Errno::EWOULDBLOCK {
                StoreError::Busy {
                    path: dir.to_owned(),
                    owner: owner(file),
                }
            } else {
                write_error("lock", &path)(errno.into())
            }
        })?;
    // For the message of whoever comes second; the lock itself does not rest on it.
    let _ = lock
        .set_len(0)
        .and_then(|()| writeln!(lock, "{}", std::process::id()));
    Ok(lock)
}

fn owner(file: File) -> String {
    let mut text = String::new();
    let read = file.take(32).read_to_string(&mut text);
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!(" (process {pid})"),
        _ => String::new(),
    }
}

/// Whether nobody works on a run; makes nothing, and holds nobody up.
///
/// # Errors
/// [`StoreError::Busy`].
pub(super) fn at_rest(dir: &Path) -> Result<(), StoreError> {
    let Ok(file) = File::open(dir.join(LOCK)) else {
        return Ok(());
    };
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Err((file, Errno::EWOULDBLOCK)) => Err(StoreError::Busy {
            path: dir.to_owned(),
            owner: owner(file),
        }),
        Ok(_) | Err(_) => Ok(()),
    }
}
