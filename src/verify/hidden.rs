//! Hidden files → a tar stream, the same bytes for the same files.
//!
//! Owns what crosses into the verifier's sandbox from a task's folder. Must not
//! know how it is unpacked.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::record::hex;

/// Bytes of all hidden files of a task.
pub const MAX_BYTES: u64 = 1 << 30;
const MAX_ENTRIES: usize = 100_000;
const MAX_DEPTH: usize = 64;
/// 1980-01-01: the same for every file, and the first moment that zip files know.
const MTIME: u64 = 315_532_800;

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
}

/// Packs a folder: files and folders owned by root, sorted, links only where they
/// stay inside. `test.sh` at the top is executable whatever its mode, as Harbor
/// makes it.
pub fn pack(dir: &Path) -> Result<Vec<u8>, HiddenError> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut bytes = 0;
    let walk = walkdir::WalkDir::new(dir)
        .min_depth(1)
        .max_depth(MAX_DEPTH)
        .sort_by_file_name();
    for (count, entry) in walk.into_iter().enumerate() {
        let entry = entry.map_err(|error| HiddenError::Read {
            path: error.path().unwrap_or(dir).to_owned(),
            source: error.into(),
        })?;
        let path = entry.path();
        let read = |source| HiddenError::Read {
            path: path.to_owned(),
            source,
        };
        let refuse = |message: &str| HiddenError::Refused {
            path: path.to_owned(),
            message: message.to_owned(),
        };
        if count >= MAX_ENTRIES {
            return Err(refuse("there are too many hidden files"));
        }
        let name = path
            .strip_prefix(dir)
            .map_err(|error| refuse(&error.to_string()))?;
        let kind = entry.file_type();
        let mut header = tar::Header::new_gnu();
        header.set_mtime(MTIME);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        if kind.is_dir() {
            if entry.depth() == MAX_DEPTH {
                return Err(refuse("the folder lies too deep"));
            }
            header.set_entry_type(tar::EntryType::Directory);
            header.set_mode(0o755);
            builder
                .append_data(&mut header, name, std::io::empty())
                .map_err(read)?;
        } else if kind.is_symlink() {
            let target = fs::read_link(path).map_err(read)?;
            if leaves(name, &target) {
                return Err(refuse("the link leaves the folder"));
            }
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_mode(0o777);
            builder
                .append_link(&mut header, name, &target)
                .map_err(read)?;
        } else if kind.is_file() {
            let file = fs::File::open(path).map_err(read)?;
            let metadata = file.metadata().map_err(read)?;
            bytes += metadata.len();
            if bytes > MAX_BYTES {
                return Err(refuse("the hidden files are too large"));
            }
            let mut content = Vec::new();
            file.take(MAX_BYTES)
                .read_to_end(&mut content)
                .map_err(read)?;
            let executable = metadata.permissions().mode() & 0o111 != 0 || name == "test.sh";
            header.set_mode(if executable { 0o755 } else { 0o644 });
            header.set_size(content.len() as u64);
            builder
                .append_data(&mut header, name, content.as_slice())
                .map_err(read)?;
        } else {
            return Err(refuse("it is neither a file nor a folder nor a link"));
        }
    }
    builder.into_inner().map_err(|source| HiddenError::Read {
        path: dir.to_owned(),
        source,
    })
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

fn leaves(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count() as i64 - 1;
    for part in target.components() {
        match part {
            Component::ParentDir => depth -= 1,
            Component::CurDir => {}
            Component::Normal(_) => depth += 1,
            Component::RootDir | Component::Prefix(_) => return true,
        }
        if depth < 0 {
            return true;
        }
    }
    false
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("sub/deep")).unwrap();
        fs::write(dir.path().join("test.sh"), "#!/bin/sh\n").unwrap();
        fs::write(dir.path().join("sub/test_a.py"), "def test_a(): pass\n").unwrap();
        symlink("../test.sh", dir.path().join("sub/inner")).unwrap();
        dir
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let (one, other) = (tree(), tree());
        assert_eq!(pack(one.path()).unwrap(), pack(other.path()).unwrap());
        assert_eq!(
            files(&pack(one.path()).unwrap()),
            ["sub/test_a.py", "test.sh"]
        );
    }

    #[test]
    fn everything_is_roots_and_test_sh_can_be_run() {
        let tar = pack(tree().path()).unwrap();
        let mut archive = tar::Archive::new(tar.as_slice());
        let seen: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                assert_eq!((header.uid().unwrap(), header.mtime().unwrap()), (0, MTIME));
                (
                    entry.path().unwrap().display().to_string(),
                    header.mode().unwrap(),
                )
            })
            .collect();
        let seen: Vec<_> = seen
            .iter()
            .map(|(path, mode)| format!("{path} {mode:o}"))
            .collect();
        assert_eq!(
            seen,
            [
                "sub 755",
                "sub/deep 755",
                "sub/inner 777",
                "sub/test_a.py 644",
                "test.sh 755"
            ]
        );
    }

    #[test]
    fn a_link_that_leaves_is_refused() {
        for target in ["/etc/passwd", "../../x", "deep/../../../x"] {
            let dir = tree();
            symlink(target, dir.path().join("sub/out")).unwrap();
            assert!(
                matches!(pack(dir.path()), Err(HiddenError::Refused { .. })),
                "{target}"
            );
        }
        assert!(matches!(
            pack(Path::new("/no/such/folder")),
            Err(HiddenError::Read { .. })
        ));
    }
}
