//! Folders of a task → a tar stream, as they cross into a sandbox: hidden files, the
//! solution, tools.
//!
//! The same files give the same bytes. `.harborignore` (gitignore's syntax, for the
//! folder that it lies in and all below) says what stays at home.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use walkdir::{DirEntry, WalkDir};

/// Bytes of all files that are packed.
const MAX_BYTES: u64 = 1 << 30;
const MAX_ENTRIES: usize = 100_000;
const MAX_DEPTH: usize = 64;
/// 1980-01-01: the first moment that zip files know.
pub const MTIME: u64 = 315_532_800;
const IGNORE: &str = ".harborignore";
/// What is executable at the top of a folder whatever its mode, as Harbor makes it.
const SCRIPTS: [&str; 4] = ["test.sh", "solve.sh", "setup.sh", "run-tests.sh"];

/// Which time files carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// [`MTIME`], so that the same files give the same bytes.
    Fixed,
    /// That of the file.
    Own,
}

/// Files that could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    #[error("read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("pack {path}: {message}")]
    Refused { path: PathBuf, message: String },
}

/// Packs folders, or single files, over one another, later ones over earlier ones: files and folders
/// owned by root, sorted, links only where they stay inside.
///
/// # Errors
/// A folder that is not there; what is neither file nor folder nor link; a link that
/// leaves; more than 1 GiB, 100,000 entries or 64 folders deep; an `.harborignore`
/// that cannot be read.
pub fn pack<P: AsRef<Path>>(folders: &[P], times: Times) -> Result<Vec<u8>, PackError> {
    let mut packing = Packing {
        tar: tar::Builder::new(Vec::new()),
        times,
        bytes: 0,
        entries: 0,
    };
    for folder in folders {
        packing.folder(folder.as_ref())?;
    }
    let last = folders.last().map(|folder| folder.as_ref().to_owned());
    packing.tar.into_inner().map_err(|source| PackError::Read {
        path: last.unwrap_or_default(),
        source,
    })
}

struct Packing {
    tar: tar::Builder<Vec<u8>>,
    times: Times,
    bytes: u64,
    entries: usize,
}

impl Packing {
    fn folder(&mut self, dir: &Path) -> Result<(), PackError> {
        let mut rules = Rules::default();
        let mut walk = WalkDir::new(dir)
            .max_depth(MAX_DEPTH)
            .sort_by_file_name()
            .into_iter();
        while let Some(entry) = walk.next() {
            let entry = entry.map_err(|error| PackError::Read {
                path: error.path().unwrap_or(dir).to_owned(),
                source: error.into(),
            })?;
            let folder = entry.file_type().is_dir();
            if entry.depth() > 0 && rules.leave_out(&entry) {
                if folder {
                    walk.skip_current_dir();
                }
                continue;
            }
            if folder {
                rules.enter(&entry)?;
            }
            // A file alone lies at the top, under its name.
            match (entry.depth(), dir.parent()) {
                (0, Some(above)) if !folder => self.entry(above, &entry)?,
                (0, _) => {}
                _ => self.entry(dir, &entry)?,
            }
        }
        Ok(())
    }

    fn entry(&mut self, dir: &Path, entry: &DirEntry) -> Result<(), PackError> {
        let path = entry.path();
        let read = |source| PackError::Read {
            path: path.to_owned(),
            source,
        };
        let refuse = |message: &str| PackError::Refused {
            path: path.to_owned(),
            message: message.to_owned(),
        };
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(refuse("there are too many files"));
        }
        let name = path
            .strip_prefix(dir)
            .map_err(|error| refuse(&error.to_string()))?;
        let kind = entry.file_type();
        let metadata = path.symlink_metadata().map_err(read)?;
        let mut header = tar::Header::new_gnu();
        header.set_mtime(match self.times {
            Times::Fixed => MTIME,
            Times::Own => u64::try_from(metadata.mtime()).unwrap_or_default(),
        });
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        if kind.is_dir() {
            if entry.depth() == MAX_DEPTH {
                return Err(refuse("the folder lies too deep"));
            }
            header.set_entry_type(tar::EntryType::Directory);
            header.set_mode(0o755);
            let added = self.tar.append_data(&mut header, name, io::empty());
            return added.map_err(read);
        }
        if kind.is_symlink() {
            let target = fs::read_link(path).map_err(read)?;
            if leaves(name, &target) {
                return Err(refuse("the link leaves the folder"));
            }
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_mode(0o777);
            let added = self.tar.append_link(&mut header, name, &target);
            return added.map_err(read);
        }
        if !kind.is_file() {
            return Err(refuse("it is neither a file nor a folder nor a link"));
        }
        self.bytes += metadata.len();
        if self.bytes > MAX_BYTES {
            return Err(refuse("the files are too large"));
        }
        let mut content = Vec::new();
        let file = fs::File::open(path).map_err(read)?;
        file.take(MAX_BYTES)
            .read_to_end(&mut content)
            .map_err(read)?;
        let script = SCRIPTS.iter().any(|script| name == Path::new(script));
        let executable = script || metadata.permissions().mode() & 0o111 != 0;
        header.set_mode(if executable { 0o755 } else { 0o644 });
        header.set_size(content.len() as u64);
        self.tar
            .append_data(&mut header, name, content.as_slice())
            .map_err(read)
    }
}

/// The rules of the folders on the way to an entry.
#[derive(Default)]
struct Rules(Vec<Option<Gitignore>>);

impl Rules {
    fn enter(&mut self, folder: &DirEntry) -> Result<(), PackError> {
        self.0.truncate(folder.depth());
        let file = folder.path().join(IGNORE);
        let own = match fs::read_to_string(&file) {
            Ok(text) => {
                let mut builder = GitignoreBuilder::new(folder.path());
                for line in text.lines() {
                    // A line that is no pattern ignores nothing, as with git.
                    let _ = builder.add_line(None, line);
                }
                builder.build().ok()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(PackError::Read { path: file, source }),
        };
        self.0.push(own);
        Ok(())
    }

    fn leave_out(&mut self, entry: &DirEntry) -> bool {
        self.0.truncate(entry.depth());
        if entry.file_name() == IGNORE {
            return true;
        }
        // The rule nearest to the entry that says anything decides.
        let matched = self.0.iter().flatten().rev().find_map(|rules| {
            match rules.matched(entry.path(), entry.file_type().is_dir()) {
                Match::None => None,
                Match::Ignore(_) => Some(true),
                Match::Whitelist(_) => Some(false),
            }
        });
        matched.unwrap_or(false)
    }
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

    fn packed(dir: &Path) -> Vec<u8> {
        pack(&[dir], Times::Fixed).unwrap()
    }

    /// `path mode` of each entry.
    fn seen(tar: &[u8]) -> Vec<String> {
        let mut archive = tar::Archive::new(tar);
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.mtime().unwrap()), (0, MTIME));
            let mode = header.mode().unwrap();
            format!("{} {mode:o}", entry.path().unwrap().display())
        });
        entries.collect()
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let (one, other) = (tree(), tree());
        assert_eq!(packed(one.path()), packed(other.path()));
    }

    #[test]
    fn everything_is_roots_and_scripts_can_be_run() {
        assert_eq!(
            seen(&packed(tree().path())),
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
    fn what_is_ignored_stays_at_home() {
        let dir = tree();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("sub/data")).unwrap();
        for name in ["a.log", "sub/b.log", "sub/keep.log", "sub/data/x"] {
            fs::write(at(name), "").unwrap();
        }
        fs::write(at(IGNORE), "*.log\n/sub/data/\n").unwrap();
        fs::write(at("sub/.harborignore"), "!keep.log\n").unwrap();
        let names = seen(&packed(dir.path()));
        assert!(names.contains(&"sub/keep.log 644".into()), "{names:?}");
        for left in ["a.log", "sub/b.log", "data", IGNORE] {
            let there = names.iter().any(|name| name.contains(left));
            assert!(!there, "{left}: {names:?}");
        }
    }

    #[test]
    fn folders_are_laid_over_one_another() {
        let (below, above) = (tree(), tempfile::tempdir().unwrap());
        fs::write(above.path().join("test.sh"), "#!/bin/bash\n").unwrap();
        let tar = pack(&[below.path(), above.path()], Times::Fixed).unwrap();
        let names = seen(&tar);
        assert_eq!(
            names.iter().filter(|name| *name == "test.sh 755").count(),
            2
        );
        assert_eq!(names.last().unwrap(), "test.sh 755");
    }

    #[test]
    fn a_link_that_leaves_is_refused() {
        for target in ["/etc/passwd", "../../x", "deep/../../../x"] {
            let dir = tree();
            symlink(target, dir.path().join("sub/out")).unwrap();
            let refused = pack(&[dir.path()], Times::Fixed);
            assert!(
                matches!(refused, Err(PackError::Refused { .. })),
                "{target}"
            );
        }
        assert!(matches!(
            pack(&["/no/such/folder"], Times::Fixed),
            Err(PackError::Read { .. })
        ));
    }
}
