//! The digest of a task: one number for everything that it is made of.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::TaskError;
use super::folder::{Entry, EntryKind};
use crate::record::Digest;

/// SHA-256 over the entries of a task's folder, sorted by the bytes of their
/// relative paths. For each entry is hashed:
///
/// 1. the length of its path in bytes, as 8 bytes little-endian, and the path;
/// 2. its kind, one byte: `f` a file, `x` an executable file, `l` a link;
/// 3. the SHA-256 (32 bytes) of its content, of a link of its target.
///
/// `.git`, `__pycache__` and what editors leave take no part; neither do empty
/// folders, owners, times, and modes but for "may somebody execute it", so that
/// a clone of a task has the digest of the task.
pub fn digest(dir: &Path, entries: &[Entry]) -> Result<Digest, TaskError> {
    let mut whole = Sha256::new();
    for entry in entries {
        let path = entry.path.as_os_str().as_bytes();
        whole.update((path.len() as u64).to_le_bytes());
        whole.update(path);
        let (kind, content) = match &entry.kind {
            EntryKind::File { executable } => {
                let path = dir.join(&entry.path);
                let content = of_file(&path).map_err(|source| TaskError::Read { path, source })?;
                (if *executable { b'x' } else { b'f' }, content)
            }
            EntryKind::Link { target } => {
                (b'l', Sha256::digest(target.as_os_str().as_bytes()).into())
            }
        };
        whole.update([kind]);
        whole.update(content);
    }
    Ok(Digest::of_sha256(&whole.finalize()))
}

fn of_file(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().into()),
            n => hash.update(&buffer[..n]),
        }
    }
}
