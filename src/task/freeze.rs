//! Freezes tasks of another format: their files as they are, and in `task.toml` what
//! the harness would otherwise find out anew on each machine.
//!
//! Owns what is written into `task.toml`, and that a folder of imported tasks appears
//! whole or not at all. Must not know how a way of seeing is found.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, TableLike, value};
use walkdir::WalkDir;

use super::folder::{read_error, read_text};
use super::{Network, Task, TaskError};
use crate::record::Sees;

/// Most bytes of a `task.toml`.
const MOST_TOML: u64 = 8 << 20;
const COMMENT: &str = "\n# Written by `proofyard import harbor`: how this task is verified is fixed here, and\n# no longer found out (docs/export.md).\n";

/// How a task is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    pub sees: Sees,
    /// Whether hidden files are held while tests run.
    pub held: bool,
}

impl Way {
    /// What the format itself does: nothing is held, and tests run where the agent
    /// did, but of a task whose verifier has a sandbox of its own.
    pub fn of_format(task: &Task) -> Self {
        let sees = match task.verification.separate {
            Some(_) => Sees::Files,
            None => Sees::Live,
        };
        Self { sees, held: false }
    }

    pub fn sees(self) -> &'static str {
        match self.sees {
            Sees::Patch => "patch",
            Sees::Files => "files",
            Sees::Live => "live",
        }
    }

    pub fn hidden(self) -> &'static str {
        match self.held {
            true => "held",
            false => "writable",
        }
    }
}

/// A folder of frozen tasks that does not have its name yet.
#[derive(Debug)]
pub struct Freezing {
    dest: PathBuf,
    partial: tempfile::TempDir,
}

impl Freezing {
    /// Begins beside `dest`, which must not be there, or be an empty folder.
    ///
    /// # Errors
    /// [`TaskError::Exists`], [`TaskError::InSource`], [`TaskError::Write`].
    pub fn begin(src: &Path, dest: &Path) -> Result<Self, TaskError> {
        let path = || dest.to_path_buf();
        let written = |source| TaskError::Write {
            path: path(),
            source,
        };
        let mut there = match fs::read_dir(dest) {
            Ok(entries) => Some(entries),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(_) => return Err(TaskError::Exists { path: path() }),
        };
        if there
            .as_mut()
            .is_some_and(|entries| entries.next().is_some())
        {
            return Err(TaskError::Exists { path: path() });
        }
        let above = match dest.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            _ => Path::new("."),
        };
        let src = fs::canonicalize(src).map_err(|source| read_error(src, source))?;
        // Before anything is made there: the nearest folder above that exists.
        let mut known = above
            .ancestors()
            .map(|folder| match folder.as_os_str().is_empty() {
                true => Path::new("."),
                false => folder,
            });
        let real = known.find_map(|folder| fs::canonicalize(folder).ok());
        if real.is_some_and(|real| real.starts_with(&src)) {
            return Err(TaskError::InSource { path: path(), src });
        }
        fs::create_dir_all(above).map_err(written)?;
        let open: fs::Permissions = PermissionsExt::from_mode(0o755);
        let partial = tempfile::Builder::new()
            .prefix(".partial-")
            .permissions(open)
            .tempdir_in(above)
            .map_err(written)?;
        Ok(Self {
            dest: dest.to_path_buf(),
            partial,
        })
    }

    /// Where the folder is until it has its name. It is called as it will be, since a
    /// task may be named after it.
    fn root(&self) -> PathBuf {
        let name = self.dest.file_name().unwrap_or_default();
        self.partial.path().join(name)
    }

    /// Copies a task to `below` the folder (empty: the folder itself) and freezes it;
    /// without a way it stays as it is. The copy is loaded, to see that it is a task.
    ///
    /// # Errors
    /// What cannot be read or written, or is wrong with the copy.
    pub fn add(&self, task: &Task, below: &Path, way: Option<Way>) -> Result<(), TaskError> {
        let to = match below.as_os_str().is_empty() {
            true => self.root(),
            false => self.root().join(below),
        };
        copy(&task.dir, &to)?;
        if let Some(way) = way {
            let path = to.join("task.toml");
            let text = read_text(&path, MOST_TOML)?;
            let frozen = frozen(&text, task, way);
            let frozen = frozen.map_err(|error| io::Error::other(error.to_string()));
            frozen
                .and_then(|text| fs::write(&path, text))
                .map_err(|source| TaskError::Write { path, source })?;
        }
        super::load(&to).map(drop)
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// [`TaskError::Write`].
    pub fn finish(self) -> Result<(), TaskError> {
        fs::rename(self.root(), &self.dest).map_err(|source| TaskError::Write {
            path: self.dest.clone(),
            source,
        })
    }
}

/// Copies all that is in a task's folder, links as links; only a `.git` of the folder's
/// own stays behind.
fn copy(from: &Path, to: &Path) -> Result<(), TaskError> {
    let write = |path: &Path, source| TaskError::Write {
        path: path.to_path_buf(),
        source,
    };
    let walk = WalkDir::new(from).follow_links(false).into_iter();
    let own = |entry: &walkdir::DirEntry| entry.depth() != 1 || entry.file_name() != ".git";
    for entry in walk.filter_entry(own) {
        let entry = entry.map_err(|error| read_error(from, error.into()))?;
        let below = entry.path().strip_prefix(from).unwrap_or(entry.path());
        let to = match below.as_os_str().is_empty() {
            true => to.to_path_buf(),
            false => to.join(below),
        };
        let kind = entry.file_type();
        let done = if kind.is_dir() {
            fs::create_dir_all(&to)
        } else if kind.is_symlink() {
            fs::read_link(entry.path()).and_then(|target| std::os::unix::fs::symlink(target, &to))
        } else if kind.is_file() {
            fs::copy(entry.path(), &to).map(drop)
        } else {
            return Err(TaskError::SpecialFile {
                path: entry.into_path(),
            });
        };
        done.map_err(|source| write(&to, source))?;
    }
    Ok(())
}

/// The text of a `task.toml` with what is fixed; all else of it stays, comments
/// included.
fn frozen(text: &str, task: &Task, way: Way) -> Result<String, toml_edit::TomlError> {
    let mut document: DocumentMut = text.parse()?;
    let environment = document
        .entry("environment")
        .or_insert_with(toml_edit::table);
    told_network(environment.as_table_like_mut());
    told_network(verifiers(Some(document.as_table_mut())));
    let steps = document.get_mut("steps");
    if let Some(steps) = steps.and_then(Item::as_array_of_tables_mut) {
        for step in steps.iter_mut() {
            told_network(verifiers(Some(step)));
        }
    }
    let is_new = document.get("verification").is_none();
    let own = document.entry("verification").or_insert_with(|| {
        let mut table = Table::new();
        table.decor_mut().set_prefix(COMMENT);
        Item::Table(table)
    });
    let Some(table) = own.as_table_like_mut() else {
        return Ok(document.to_string());
    };
    table.insert("contract", value("harbor"));
    table.insert("sees", value(way.sees()));
    table.insert("hidden", value(way.hidden()));
    if is_new {
        let network = match task.verification.network {
            Network::None => "none",
            Network::Full => "full",
        };
        table.insert("network", value(network));
    }
    Ok(document.to_string())
}

/// `verifier.environment` of a table, where it has one.
fn verifiers(table: Option<&mut dyn TableLike>) -> Option<&mut dyn TableLike> {
    let verifier = table?.get_mut("verifier")?.as_table_like_mut()?;
    verifier.get_mut("environment")?.as_table_like_mut()
}

/// Says the network that the format gives an environment which says nothing of it.
fn told_network(environment: Option<&mut dyn TableLike>) {
    let Some(environment) = environment else {
        return;
    };
    let says = |key: &str| environment.contains_key(key);
    if !says("network_mode") && !says("allow_internet") {
        environment.insert("network_mode", value("public"));
    }
}

#[cfg(test)]
mod tests;
