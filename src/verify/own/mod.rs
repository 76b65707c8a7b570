//! What of a change belongs to the verifier, and stays behind.
//!
//! Owns the rules: test files, the runner's configuration, what interpreters and
//! shells read when they start, the runner's installation and the programs that a
//! verifier starts come from the pristine image or the hidden files. Must not know
//! how a change was taken or who made it. An honest change there accuses nobody.

mod config;
mod filter;
mod lists;

use std::collections::BTreeSet;

pub use filter::{Change, Kept, Pristine, keep, sections};

use crate::task::{PathGlobs, Task};
use lists::*;

/// What a path is to the verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: it crosses.
    None,
    /// It is the verifier's; what it is, for people.
    Owned(&'static str),
    /// Sections of it are.
    Sections,
    /// It depends on its content: a list of folders that Python looks into.
    PathList,
    /// It depends on its content: names that a distribution announces.
    EntryPoints,
    /// It is made anew from other files: neither crosses nor is missed.
    Derived,
}

/// The rules for one task.
pub struct Rules {
    /// Test files, expected or hidden; absolute.
    tests: BTreeSet<String>,
    /// Every folder above one of them, and the work tree; absolute, `/` is empty.
    folders: BTreeSet<String>,
    work_tree: String,
    may_change: PathGlobs,
    /// What the reference solution changes of the verifier's.
    excused: BTreeSet<String>,
}

impl Rules {
    /// `place` is the folder that tests run in, `hidden` the hidden files relative to
    /// it, `excused` what the reference solution changes too.
    pub fn new(
        task: &Task,
        work_tree: Option<&str>,
        place: &str,
        hidden: &[String],
        excused: BTreeSet<String>,
    ) -> Self {
        let at = place.trim_end_matches('/');
        let work_tree = work_tree.unwrap_or(place).trim_end_matches('/').to_owned();
        let expected = task
            .expected()
            .map(|(id, _)| super::pytest::file_of(id).to_owned());
        let tests: BTreeSet<String> = expected
            .chain(hidden.iter().cloned())
            .map(|file| format!("{at}/{}", file.trim_start_matches("./")))
            .collect();
        let mut folders = BTreeSet::from([work_tree.clone(), String::new()]);
        folders.extend(tests.iter().flat_map(|file| above(file)).map(str::to_owned));
        let begins = if work_tree.is_empty() {
            "/"
        } else {
            &work_tree
        };
        Self {
            tests,
            folders,
            may_change: PathGlobs::new(&task.verification.may_change, begins)
                .expect("globs are compiled when a task is loaded"),
            work_tree,
            excused,
        }
    }

    /// What an absolute path is to the verifier. `folder`: it is one, and stays one.
    pub fn claim(&self, path: &str, folder: bool) -> Claim {
        if self.excused.contains(path) || self.may_change.names(path) {
            return Claim::None;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let parent = path[..path.len() - name.len()].trim_end_matches('/');
        if name == "__pycache__" || parent.ends_with("/__pycache__") {
            return Claim::Derived;
        }
        let among = self.among_tests(path, parent, name, folder);
        if among != Claim::None {
            return among;
        }
        if let Some(what) = starts(path, parent, name).or_else(|| installed(path, folder)) {
            return Claim::Owned(what);
        }
        match name {
            _ if folder => Claim::None,
            _ if name.ends_with(".pth") => Claim::PathList,
            "entry_points.txt" => Claim::EntryPoints,
            _ => Claim::None,
        }
    }

    fn among_tests(&self, path: &str, parent: &str, name: &str, folder: bool) -> Claim {
        if self.tests.contains(path) || above(path).any(|folder| self.tests.contains(folder)) {
            return Claim::Owned("test file");
        }
        if !folder && !path.is_empty() && self.folders.contains(path) {
            return Claim::Owned("folder of tests");
        }
        let serves = above(path).any(|folder| {
            let name = folder.rsplit('/').next().unwrap_or(folder);
            TEST_FOLDERS.contains(&name)
                && self.folders.contains(folder)
                && self.below_work_tree(folder)
        });
        if serves && !folder {
            return Claim::Owned("file among the tests");
        }
        if !self.folders.contains(parent) || folder {
            return Claim::None;
        }
        match name {
            "conftest.py" => Claim::Owned("pytest's conftest"),
            _ if WHOLE.contains(&name) => Claim::Owned("runner configuration"),
            _ if SECTIONED.contains(&name) => Claim::Sections,
            _ => Claim::None,
        }
    }

    fn below_work_tree(&self, path: &str) -> bool {
        let below = path.strip_prefix(&self.work_tree);
        below.is_some_and(|rest| rest.starts_with('/'))
    }

    /// A path that a `.pth` file may name: one in the work tree.
    fn in_work_tree(&self, path: &str) -> bool {
        let below = path.strip_prefix(&self.work_tree);
        !path.contains("/../")
            && !self.work_tree.is_empty()
            && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// How a path is named in the record: relative to the work tree where it can be.
    fn named(&self, path: &str) -> String {
        let relative = path.strip_prefix(&self.work_tree);
        match relative.and_then(|rest| rest.strip_prefix('/')) {
            Some(relative) if !self.work_tree.is_empty() => relative.to_owned(),
            _ => path.to_owned(),
        }
    }
}

/// What is read when an interpreter, a shell, the loader or git starts.
fn starts(path: &str, parent: &str, name: &str) -> Option<&'static str> {
    let custom =
        |part: &str| part.starts_with("sitecustomize") || part.starts_with("usercustomize");
    if path.split('/').any(custom) || name == "pyvenv.cfg" || name.ends_with("._pth") {
        return Some("start of the interpreter");
    }
    let system = ["/etc/profile", "/etc/bash.bashrc", "/etc/environment"];
    let home =
        parent == "/root" || (parent.starts_with("/home/") && parent.matches('/').count() == 2);
    if system.contains(&path)
        || path.starts_with("/etc/profile.d/")
        || (home && START_FILES.contains(&name))
    {
        return Some("start of shells");
    }
    if path.starts_with("/etc/ld.so.") {
        return Some("the loader's configuration");
    }
    let git = path == "/etc/gitconfig"
        || (home && name == ".gitconfig")
        || path.contains("/.config/git/");
    git.then_some("git's configuration")
}

/// What the runner is made of, and the programs that a verifier starts.
fn installed(path: &str, folder: bool) -> Option<&'static str> {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let (name, parent) = match path.rsplit_once('/') {
        Some((parent, name)) => (name, parent),
        None => (path, ""),
    };
    let site = parts
        .iter()
        .position(|part| matches!(*part, "site-packages" | "dist-packages"));
    if let Some(at) = site {
        return match parts.get(at + 1) {
            None if !folder => Some("the interpreter's installation"),
            Some(top) if is_runners(top) && !(folder && parts.len() == at + 2) => {
                Some("the runner's installation")
            }
            _ => None,
        };
    }
    let versioned = |part: &str| {
        part.strip_prefix("python")
            .is_some_and(|rest| rest.starts_with(['2', '3']))
    };
    let library = parts
        .windows(2)
        .any(|pair| pair[0] == "lib" && versioned(pair[1]));
    if library && !folder {
        return Some("the interpreter's installation");
    }
    let python = name.strip_prefix("python").is_some_and(|rest| {
        rest.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    let found =
        PROGRAM_FOLDERS.contains(&parent) || parts.iter().rev().nth(1) == Some(&"bin") && python;
    if !folder && found && (python || PROGRAMS.contains(&name)) {
        return Some("a program that the verifier starts");
    }
    let libraries = parts.iter().any(|part| matches!(*part, "lib" | "lib64"));
    if !folder
        && libraries
        && name.contains(".so")
        && LIBRARIES.iter().any(|begin| name.starts_with(begin))
    {
        return Some("a library that every program starts with");
    }
    let roots = [
        "/usr",
        "/usr/lib",
        "/usr/local",
        "/usr/local/lib",
        "/usr/bin",
        "/lib",
        "/lib64",
        "/bin",
        "/sbin",
        "/etc",
        "/root",
    ];
    (!folder && (roots.contains(&path) || PROGRAM_FOLDERS.contains(&path)))
        .then_some("a folder of the system")
}

fn is_runners(top: &str) -> bool {
    let top = top.to_ascii_lowercase().replace('-', "_");
    let stem = top.split(".py").next().unwrap_or(&top);
    let stem = stem.split("_").next().map_or(stem, |first| match first {
        // Of `pytest_mock`, `pytest-8.0.dist-info`: what begins like this is its plug-in.
        "pytest" => "pytest",
        _ => stem,
    });
    let bare = match stem.find(|digit: char| digit.is_ascii_digit()) {
        Some(at) => stem[..at].trim_end_matches('_'),
        None => stem.split('.').next().unwrap_or(stem),
    };
    DISTRIBUTIONS.contains(&bare)
}

/// The folders above an absolute path, from its own up to the root (which is empty).
fn above(path: &str) -> impl Iterator<Item = &str> {
    let mut at = Some(path);
    std::iter::from_fn(move || {
        let (parent, _) = at?.rsplit_once('/')?;
        at = Some(parent);
        Some(parent)
    })
}

#[cfg(test)]
mod tests;
