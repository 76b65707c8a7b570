//! Facts about repos, checked from outside with the system's `git`.

mod capture;
mod hidden;
mod in_image;
mod prepare;
mod trees;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::task::{History, RepoSource};
use tempfile::TempDir;

/// Us: nothing is given away, and git takes the checkout for the user's own.
fn us() -> Owner {
    Owner {
        uid: nix::unistd::getuid().as_raw(),
        gid: nix::unistd::getgid().as_raw(),
    }
}

/// Runs git in a folder, with no configuration but the repository's; its output.
fn try_git(dir: &Path, args: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_AUTHOR_NAME", "Ada"),
            ("GIT_AUTHOR_EMAIL", "ada@example.org"),
            ("GIT_AUTHOR_DATE", "1600000000 +0200"),
            ("GIT_COMMITTER_NAME", "Ada"),
            ("GIT_COMMITTER_EMAIL", "ada@example.org"),
            ("GIT_COMMITTER_DATE", "1600000000 +0200"),
        ])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

fn git(dir: &Path, args: &[&str]) -> String {
    try_git(dir, args).unwrap_or_else(|error| panic!("git {args:?}: {error}"))
}

/// A place with a source repository, a cache and a scratch folder.
struct Place {
    root: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            root: TempDir::new().unwrap(),
        };
        for folder in ["source", "scratch"] {
            fs::create_dir(place.root.path().join(folder)).unwrap();
        }
        place
    }

    /// With a repository in `source` that has two commits.
    fn with_history() -> Self {
        let place = Self::new();
        git(&place.source(), &["init", "-q", "-b", "trunk"]);
        place.file("src/main.py", "print('one')\n");
        place.file("README", "hello\n");
        place.commit("one");
        place.file("src/main.py", "print('two')\n");
        place.file("bin/run", "#!/bin/sh\n");
        let run = place.source().join("bin/run");
        fs::set_permissions(run, fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink("src/main.py", place.source().join("link")).unwrap();
        place.commit("two");
        place
    }

    fn source(&self) -> PathBuf {
        self.root.path().join("source")
    }

    fn cache(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    fn scratch(&self) -> PathBuf {
        self.root.path().join("scratch")
    }

    fn file(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.source().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn commit(&self, message: &str) -> String {
        git(&self.source(), &["add", "-A"]);
        git(
            &self.source(),
            &["commit", "-q", "--allow-empty", "-m", message],
        );
        git(&self.source(), &["rev-parse", "HEAD"])
    }

    fn bundle(&self, refs: &[&str]) -> RepoSource {
        let path = self.root.path().join("repo.bundle");
        let mut args = vec!["bundle", "create", "-q", path.to_str().unwrap()];
        args.extend(refs);
        git(&self.source(), &args);
        RepoSource::Bundle(path)
    }

    fn url(&self) -> RepoSource {
        RepoSource::Url(format!("file://{}", self.source().display()))
    }

    fn prepare(&self, source: &RepoSource, commit: Option<&str>) -> Prepared {
        prepare(source, commit, History::Ancestors, &self.cache(), us()).unwrap()
    }

    /// The source's files as one commit.
    fn prepare_folder(&self) -> Prepared {
        self.prepare(&RepoSource::Folder(self.source()), None)
    }
}

/// What an agent did, as a sandbox hands it over.
#[derive(Default)]
struct Work {
    tar: Option<tar::Builder<Vec<u8>>>,
    deleted: Vec<Vec<u8>>,
}

impl Work {
    fn entry(mut self, kind: tar::EntryType, path: &[u8], mode: u32, content: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        let tar = self
            .tar
            .get_or_insert_with(|| tar::Builder::new(Vec::new()));
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_size(0);
            let to = OsStr::from_bytes(content);
            tar.append_link(&mut header, OsStr::from_bytes(path), to)
                .unwrap();
        } else {
            header.set_size(content.len() as u64);
            tar.append_data(&mut header, OsStr::from_bytes(path), content)
                .unwrap();
        }
        self
    }

    /// A path that no honest packer writes.
    fn raw(mut self, kind: tar::EntryType, path: &[u8], content: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.as_old_mut().name[..path.len()].copy_from_slice(path);
        header.set_cksum();
        let tar = self
            .tar
            .get_or_insert_with(|| tar::Builder::new(Vec::new()));
        tar.append(&header, content).unwrap();
        self
    }

    fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(
            tar::EntryType::Regular,
            path.as_bytes(),
            0o644,
            content.as_ref(),
        )
    }

    fn link(self, path: &str, target: &str) -> Self {
        self.entry(
            tar::EntryType::Symlink,
            path.as_bytes(),
            0o777,
            target.as_bytes(),
        )
    }

    fn delete(mut self, path: &str) -> Self {
        self.deleted.push(path.as_bytes().to_vec());
        self
    }

    fn capture(self, place: &Place, prepared: &Prepared) -> (Changed, RepoChange) {
        self.try_capture(place, prepared, false, Bounds::default())
            .unwrap()
    }

    fn try_capture(
        self,
        place: &Place,
        prepared: &Prepared,
        include_ignored: bool,
        bounds: Bounds,
    ) -> Result<(Changed, RepoChange), RepoError> {
        let tar = self
            .tar
            .map(|tar| tar.into_inner().unwrap())
            .unwrap_or_default();
        let delta = Delta {
            tar: &tar,
            deleted: self.deleted,
            root: Vec::new(),
        };
        Changed::capture(prepared, &delta, include_ignored, bounds, &place.scratch())
    }
}

fn paths(change: &RepoChange) -> Vec<String> {
    let name = |file: &FileChange| String::from_utf8_lossy(&file.path).into_owned();
    change.files.iter().map(name).collect()
}

/// A copy of the checkout that may be written to.
fn copy(prepared: &Prepared, to: &Path) {
    let status = Command::new("cp")
        .args([OsStr::new("-a"), prepared.dir.as_os_str(), to.as_os_str()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// What a sandbox does with a [`Laid`].
fn lay(laid: &Laid, dir: &Path) {
    for path in &laid.deleted {
        let path = dir.join(OsStr::from_bytes(path));
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(path).unwrap(),
            Ok(_) => fs::remove_file(path).unwrap(),
            Err(_) => {}
        }
    }
    let mut archive = tar::Archive::new(laid.tar.as_slice());
    archive.set_preserve_permissions(true);
    archive.unpack(dir).unwrap();
}
