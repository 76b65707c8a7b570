//! The files of a task's folder, and where tasks are below a folder.
//!
//! A task is data of somebody else: the number, size and depth of its files are
//! bounded, no link is followed out of it, and nothing but files, folders and
//! links is taken.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::TaskError;

/// Most files of one task.
pub const MOST_FILES: usize = 100_000;
/// Most bytes of one task, all files together: 1 GiB.
pub const MOST_BYTES: u64 = 1 << 30;
/// Deepest folder, of a task and of a folder of tasks.
const DEEPEST: usize = 64;
/// Most folders and files that are looked at to find tasks.
const MOST_LOOKED_AT: usize = 1_000_000;

/// A file or a link of a task; folders are not listed, as git keeps none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the task's folder.
    pub path: PathBuf,
    pub kind: EntryKind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    File { executable: bool },
    Link { target: PathBuf },
}

/// Bounds of [`scan`]; smaller in tests.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub files: usize,
    pub bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            files: MOST_FILES,
            bytes: MOST_BYTES,
        }
    }
}

/// The files and links of a task, sorted by the bytes of their paths, without
/// `.git`, `__pycache__` and what editors leave.
pub fn scan(dir: &Path, bounds: Bounds) -> Result<Vec<Entry>, TaskError> {
    let root = fs::canonicalize(dir).map_err(|source| read_error(dir, source))?;
    let mut entries = Vec::new();
    let mut bytes = 0u64;
    let mut links_to_folders = false;
    let mut seen = 0usize;
    let walk = WalkDir::new(dir)
        .max_depth(DEEPEST)
        .follow_root_links(true)
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !left_out(entry));
    for entry in walk {
        let entry = entry.map_err(|error| walk_error(dir, error))?;
        seen += 1;
        if seen > bounds.files.saturating_mul(2).max(1024) || entries.len() > bounds.files {
            return Err(TaskError::TooManyFiles {
                path: dir.to_path_buf(),
                limit: bounds.files,
            });
        }
        let kind = if entry.depth() == 0 || entry.file_type().is_dir() {
            continue;
        } else if entry.file_type().is_file() {
            let metadata = entry.metadata().map_err(|error| walk_error(dir, error))?;
            bytes = bytes.saturating_add(metadata.len());
            EntryKind::File {
                executable: metadata.permissions().mode() & 0o111 != 0,
            }
        } else if entry.path_is_symlink() {
            links_to_folders |= entry.path().is_dir();
            EntryKind::Link {
                target: check_link(&root, dir, entry.path())?,
            }
        } else {
            return Err(TaskError::SpecialFile {
                path: entry.into_path(),
            });
        };
        if bytes > bounds.bytes {
            return Err(TaskError::TooLarge {
                path: dir.to_path_buf(),
                limit: bounds.bytes,
            });
        }
        let path = relative(dir, entry.path());
        entries.push(Entry { path, kind });
    }
    if links_to_folders {
        check_cycles(dir, bounds)?;
    }
    entries.sort_by(|a, b| {
        let (a, b) = (a.path.as_os_str().as_bytes(), b.path.as_os_str().as_bytes());
        a.cmp(b)
    });
    Ok(entries)
}

/// What is no part of a task: what git, Python and editors keep for themselves.
fn left_out(entry: &DirEntry) -> bool {
    let name = entry.file_name().as_bytes();
    matches!(name, b".git" | b"__pycache__")
        || name.ends_with(b"~")
        || name.starts_with(b".#")
        || (name.starts_with(b"#") && name.ends_with(b"#") && name.len() > 1)
        || (name.starts_with(b".") && (name.ends_with(b".swp") || name.ends_with(b".swo")))
}

fn relative(dir: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(dir).unwrap_or(path).to_path_buf()
}

/// The target of a link that stays inside the task and ends.
fn check_link(root: &Path, dir: &Path, link: &Path) -> Result<PathBuf, TaskError> {
    let target = fs::read_link(link).map_err(|source| read_error(link, source))?;
    let leaves = || TaskError::LinkLeaves {
        link: link.to_path_buf(),
        target: target.clone(),
    };
    if target.is_absolute() {
        return Err(leaves());
    }
    match fs::canonicalize(link) {
        Ok(real) if real.starts_with(root) => Ok(target),
        Ok(_) => Err(leaves()),
        // It leads nowhere; where it would lead must be inside all the same.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = link.parent().unwrap_or(dir);
            let inside = stays_inside(&relative(dir, parent), &target);
            if inside { Ok(target) } else { Err(leaves()) }
        }
        Err(error) if error.raw_os_error() == Some(nix::errno::Errno::ELOOP as i32) => {
            Err(TaskError::LinkCycle {
                link: link.to_path_buf(),
                target,
            })
        }
        Err(source) => Err(read_error(link, source)),
    }
}

/// Whether `target`, from `parent` below the task's folder, stays below it by its text.
fn stays_inside(parent: &Path, target: &Path) -> bool {
    let mut depth = 0i64;
    for part in parent.components().chain(target.components()) {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    true
}

/// Follows links to folders, all of which stay inside, to see that none leads to
/// a folder that it lies in.
fn check_cycles(dir: &Path, bounds: Bounds) -> Result<(), TaskError> {
    let walk = WalkDir::new(dir)
        .follow_links(true)
        .max_depth(DEEPEST)
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !left_out(entry));
    for (at, entry) in walk.enumerate() {
        if at > bounds.files.saturating_mul(2).max(1024) {
            return Err(TaskError::TooManyFiles {
                path: dir.to_path_buf(),
                limit: bounds.files,
            });
        }
        if let Err(error) = entry
            && error.loop_ancestor().is_some()
        {
            return Err(walk_error(dir, error));
        }
    }
    Ok(())
}

fn walk_error(dir: &Path, error: walkdir::Error) -> TaskError {
    let path = error.path().unwrap_or(dir).to_path_buf();
    if let Some(target) = error.loop_ancestor() {
        return TaskError::LinkCycle {
            link: path,
            target: target.to_path_buf(),
        };
    }
    let source = error
        .into_io_error()
        .unwrap_or_else(|| io::Error::other("the walk ended"));
    if source.raw_os_error() == Some(nix::errno::Errno::ELOOP as i32) {
        let target = fs::read_link(&path).unwrap_or_default();
        return TaskError::LinkCycle { link: path, target };
    }
    read_error(&path, source)
}

pub fn read_error(path: &Path, source: io::Error) -> TaskError {
    match source.kind() {
        io::ErrorKind::NotFound => TaskError::NotFound {
            path: path.to_path_buf(),
        },
        _ => TaskError::Read {
            path: path.to_path_buf(),
            source,
        },
    }
}

/// What makes a folder a task.
const MARKS: [&str; 3] = ["task.toml", "instruction.md", "task.yaml"];

/// The tasks that a path names, sorted: itself, or every folder below it with a
/// `task.toml` or a `task.yaml`; also one that has an `instruction.md` and lacks its
/// `task.toml`, so that loading it says so. Folders whose name begins with a dot are not
/// looked into; links to folders are followed.
pub fn discover(path: &Path) -> Result<Vec<PathBuf>, TaskError> {
    let metadata = fs::metadata(path).map_err(|source| {
        match source.raw_os_error() == Some(nix::errno::Errno::ELOOP as i32) {
            true => TaskError::LinkCycle {
                link: path.to_path_buf(),
                target: fs::read_link(path).unwrap_or_default(),
            },
            false => read_error(path, source),
        }
    })?;
    if !metadata.is_dir() {
        return Err(TaskError::NotAFolder {
            path: path.to_path_buf(),
        });
    }
    let mut found = BTreeSet::new();
    let mut walk = WalkDir::new(path)
        .follow_links(true)
        .max_depth(DEEPEST)
        .into_iter();
    let mut seen = 0usize;
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            // A link that leads nowhere names no task.
            Err(error) if is_dangling(&error) => continue,
            Err(error) => return Err(walk_error(path, error)),
        };
        seen += 1;
        if seen > MOST_LOOKED_AT {
            return Err(TaskError::TooManyFiles {
                path: path.to_path_buf(),
                limit: MOST_LOOKED_AT,
            });
        }
        if !entry.file_type().is_dir() {
            continue;
        }
        let hidden = entry.file_name().as_bytes().starts_with(b".");
        if entry.depth() > 0 && hidden {
            walk.skip_current_dir();
        } else if MARKS.iter().any(|mark| exists(entry.path(), mark)) {
            found.insert(entry.path().to_path_buf());
            walk.skip_current_dir();
        }
    }
    if found.is_empty() {
        return Err(no_tasks(path));
    }
    Ok(found.into_iter().collect())
}

fn is_dangling(error: &walkdir::Error) -> bool {
    error
        .io_error()
        .is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

pub fn exists(dir: &Path, name: &str) -> bool {
    fs::symlink_metadata(dir.join(name)).is_ok()
}

/// A folder with a task's parts is a task without its `task.toml`.
fn no_tasks(path: &Path) -> TaskError {
    let path = path.to_path_buf();
    let parts = ["environment", "tests", "solution"];
    if parts.iter().any(|part| exists(&path, part)) {
        TaskError::NoTaskToml { path }
    } else {
        TaskError::NoTasks { path }
    }
}

/// A file of at most `limit` bytes.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, TaskError> {
    let wrong = |source| read_error(path, source);
    if !fs::metadata(path).map_err(wrong)?.is_file() {
        return Err(TaskError::SpecialFile {
            path: path.to_path_buf(),
        });
    }
    let file = fs::File::open(path).map_err(wrong)?;
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(wrong)?;
    if bytes.len() as u64 > limit {
        return Err(TaskError::FileTooLarge {
            path: path.to_path_buf(),
            limit,
        });
    }
    Ok(bytes)
}

/// The text of a file of at most `limit` bytes; what is not UTF-8 is named by place.
pub fn read_text(path: &Path, limit: u64) -> Result<String, TaskError> {
    String::from_utf8(read_bounded(path, limit)?).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        TaskError::NotUtf8 {
            path: path.to_path_buf(),
            offset,
            byte: bytes.get(offset).copied().unwrap_or_default(),
            line: bytes[..offset]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                + 1,
        }
    })
}
