//! Facts about compose files, as tests.

mod files;
mod properties;
mod real;
mod refusals;
mod services;
mod text;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::*;

/// A task's `environment/` with a compose file in it.
pub struct Folder {
    root: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Folder {
    pub fn new(compose: &str) -> Self {
        let folder = Self {
            root: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        };
        folder
            .file("docker-compose.yaml", compose)
            .file("Dockerfile", "FROM scratch\n")
    }

    pub fn path(&self) -> PathBuf {
        let root = self.root.path().canonicalize().unwrap();
        root.join("environment")
    }

    pub fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub fn link(self, path: &str, target: &str) -> Self {
        symlink(target, self.path().join(path)).unwrap();
        self
    }

    pub fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    pub fn read(&self) -> Result<Compose, Vec<Problem>> {
        let folder = self.path();
        read(&find(&folder).unwrap(), &folder, &|name| {
            let found = self.variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        })
    }

    pub fn compose(&self) -> Compose {
        self.read()
            .unwrap_or_else(|problems| panic!("{}", shown(&problems, &self.path())))
    }

    /// Every problem, rendered.
    pub fn error(&self) -> String {
        shown(&self.read().unwrap_err(), &self.path())
    }
}

fn shown(problems: &[Problem], folder: &Path) -> String {
    let blocks: Vec<String> = problems
        .iter()
        .map(|problem| problem.render(false))
        .collect();
    blocks
        .join("")
        .replace(&format!("{}/", folder.display()), "")
}

/// A file with one service, `a`, that has these lines.
pub fn file_with(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("services:\n  a:\n    image: x\n{lines}")
}

/// The service with these lines.
pub fn service(lines: &str) -> Service {
    Folder::new(&file_with(lines))
        .compose()
        .services
        .remove("a")
        .unwrap()
}

/// What is wrong with a service of these lines, a line each.
pub fn wrong(lines: &str) -> String {
    let folder = Folder::new(&file_with(lines));
    lines_of(&folder.read().expect_err(lines), &folder.path())
}

pub fn lines_of(problems: &[Problem], folder: &Path) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines
        .join("\n")
        .replace(&format!("{}/", folder.display()), "")
}

/// The warnings about a service of these lines.
pub fn warnings(lines: &str) -> Vec<String> {
    let folder = Folder::new(&file_with(lines));
    let warnings = folder.compose().warnings.into_iter();
    let path = format!("{}/docker-compose.yaml:", folder.path().display());
    warnings.map(|warning| warning.replace(&path, "")).collect()
}
