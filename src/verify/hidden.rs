//! Hidden files → a tar stream, the same bytes for the same files.
//!
//! Owns what crosses into the verifier's sandbox from a task's folder. Must not
//! know how it is unpacked.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::record::hex;
use crate::task::{MTIME, PackError};

/// Hidden files that could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum HiddenError {
    #[error("read the hidden files {path}: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("pack the hidden file {path}: {message}")]
    Refused { path: PathBuf, message: String },
    #[error(transparent)]
    Pack(#[from] PackError),
}

/// Files that nobody may write, owned by root.
pub fn read_only(files: &[(&str, &[u8])]) -> Result<Vec<u8>, HiddenError> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(MTIME);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mode(0o444);
        header.set_size(content.len() as u64);
        builder
            .append_data(&mut header, name, *content)
            .map_err(|source| HiddenError::Read {
                path: PathBuf::from(name),
                source,
            })?;
    }
    builder.into_inner().map_err(|source| HiddenError::Read {
        path: PathBuf::new(),
        source,
    })
}

/// The same stream with other contents of some files.
pub fn replaced(tar: &[u8], contents: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, HiddenError> {
    let mut builder = tar::Builder::new(Vec::new());
    let failed = |source| HiddenError::Read {
        path: PathBuf::new(),
        source,
    };
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let path = entry.path().map_err(failed)?.into_owned();
        let mut header = entry.header().clone();
        let put = match path.to_str().and_then(|path| contents.get(path)) {
            Some(content) => {
                header.set_size(content.len() as u64);
                builder.append_data(&mut header, &path, content.as_slice())
            }
            None if header.entry_type().is_symlink() => {
                let target = entry.link_name().map_err(failed)?.unwrap_or_default();
                builder.append_link(&mut header, &path, target)
            }
            None => builder.append_data(&mut header, &path, &mut entry),
        };
        put.map_err(failed)?;
    }
    builder.into_inner().map_err(failed)
}

/// The text of some regular files of a tar stream, by their path.
pub fn texts(tar: &[u8], wanted: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(tar);
    let Ok(entries) = archive.entries() else {
        return BTreeMap::new();
    };
    entries
        .flatten()
        .filter_map(|mut entry| {
            let path = entry.path().ok()?.to_str()?.to_owned();
            let mut text = String::new();
            (entry.header().entry_type().is_file() && wanted(&path))
                .then(|| entry.read_to_string(&mut text).ok())??;
            Some((path, text))
        })
        .collect()
}

/// The SHA-256 of each regular file of a tar stream, hexadecimal, by its path.
pub fn digests(tar: &[u8]) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(tar);
    let Ok(entries) = archive.entries() else {
        return BTreeMap::new();
    };
    let files = entries
        .flatten()
        .filter(|entry| entry.header().entry_type().is_file());
    files
        .filter_map(|mut entry| {
            let path = entry.path().ok()?.to_str()?.to_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).ok()?;
            Some((path, hex(&Sha256::digest(&content))))
        })
        .collect()
}

/// The paths of the regular files of a tar stream of ours; what is not readable
/// as one names none.
pub fn files(tar: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    let Ok(entries) = archive.entries() else {
        return Vec::new();
    };
    let mut files: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.header().entry_type().is_file())
        .filter_map(|entry| Some(entry.path().ok()?.to_str()?.to_owned()))
        .collect();
    files.sort();
    files
}

/// A tar stream of empty folders with their modes, in this order.
pub fn folders(folders: &[(&str, u32)]) -> Result<Vec<u8>, HiddenError> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, mode) in folders {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(*mode);
        header.set_mtime(MTIME);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        builder
            .append_data(&mut header, path, std::io::empty())
            .map_err(|source| HiddenError::Read {
                path: path.into(),
                source,
            })?;
    }
    builder.into_inner().map_err(|source| HiddenError::Read {
        path: PathBuf::new(),
        source,
    })
}
