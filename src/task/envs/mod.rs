//! Environments of SWE-bench tasks that have no image of their own: read from
//! specifications of the user's, made into the texts of two Dockerfiles.
//!
//! Owns what a specification may say, which one a row means, and how images come of
//! it. Plain functions over text: must not know engines, rows or runs.

mod check;
mod dockerfile;
#[cfg(test)]
mod dockerfile_tests;
mod error;
pub mod plan;
pub mod raw;
mod set;
#[cfg(test)]
mod tests;
mod validate;
mod versions;

pub use dockerfile::{CONDA, PYTHON};
pub use error::EnvironmentsError;
pub use set::Environments;
pub use versions::Versions;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::GlobMatcher;

use super::{History, Network};
use crate::swebench::grade::EvalType;

/// An environment, validated.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Where it is written.
    pub at: Place,
    pub repos: Vec<RepoPattern>,
    pub versions: Versions,
    /// The image that it starts from.
    pub base: String,
    pub interpreter: Option<Interpreter>,
    /// Packages of the distribution.
    pub apt: Vec<String>,
    /// For pip, or for npm where the interpreter is Node.
    pub packages: Vec<String>,
    /// The lines of the requirements file, empty ones and comments left out.
    pub requirements: Vec<String>,
    source: SourceText,
    pub history: History,
    /// For bash, in the work tree, in order; like all commands here.
    pub pre_install: Vec<String>,
    pub install: Vec<String>,
    pub build: Vec<String>,
    /// The official test command; empty where a row brings its own script.
    pub test: Vec<String>,
    pub eval_commands: Vec<String>,
    /// Name of an official log parser.
    pub parser: Option<String>,
    pub eval_type: EvalType,
    /// Absolute.
    pub workdir: String,
    pub env: BTreeMap<String, String>,
    /// Of verification; none leaves it to the format.
    pub network: Option<Network>,
    /// Processors.
    pub cpus: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// Of the official script.
    pub timeout: Option<Duration>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As the user named it.
    pub file: String,
    /// From 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Repos by name, or by glob; upper and lower case are the same.
#[derive(Debug, Clone)]
pub enum RepoPattern {
    Name(String),
    Glob(GlobMatcher),
}

impl RepoPattern {
    /// Whether the repo `owner/name` is meant.
    pub fn means(&self, repo: &str) -> bool {
        match self {
            Self::Name(name) => name.eq_ignore_ascii_case(repo),
            Self::Glob(glob) => glob.is_match(repo),
        }
    }
}

/// What a repo's code runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interpreter {
    /// `3.9`, or `3.9.2`.
    Python(String),
    /// `20`, or `20.11`.
    Node(String),
}

/// Where a repo is brought from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Url(String),
    /// A git repository on this host, bare or not.
    Repository(PathBuf),
    /// A file of `git bundle create`.
    Bundle(PathBuf),
}

impl Source {
    /// The path of this host where it should be and is not.
    pub fn missing(&self) -> Option<&Path> {
        match self {
            Self::Url(_) => None,
            Self::Repository(path) => (!path.is_dir()).then_some(path),
            Self::Bundle(path) => (!path.is_file()).then_some(path),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::Repository(path) | Self::Bundle(path) => path.display().fmt(f),
        }
    }
}

/// `source` as it is written, with the folder that it is relative to.
#[derive(Debug, Clone)]
enum SourceText {
    Default,
    Url(String),
    Path { folder: PathBuf, path: String },
}

impl Environment {
    /// Whether a row of this repo and version is meant.
    pub fn is_for(&self, repo: &str, version: &str) -> bool {
        // What a row says becomes part of a path or a url.
        validate::is_repo(repo)
            && self.repos.iter().any(|pattern| pattern.means(repo))
            && self.versions.hold(version)
    }

    /// Where the repo `owner/name` is brought from: `{repo}` and `{name}` of `source` are
    /// filled in; without a `source` it is the one on GitHub. `repo` is one that this
    /// environment [is for](Self::is_for), and so a plain name.
    pub fn source(&self, repo: &str) -> Source {
        let name = repo.rsplit('/').next().unwrap_or(repo);
        let filled = |text: &str| text.replace("{repo}", repo).replace("{name}", name);
        match &self.source {
            SourceText::Default => Source::Url(format!("https://github.com/{repo}.git")),
            SourceText::Url(url) => Source::Url(filled(url)),
            SourceText::Path { folder, path } => {
                let path = folder.join(filled(path));
                match path.extension().is_some_and(|end| end == "bundle") {
                    true => Source::Bundle(path),
                    false => Source::Repository(path),
                }
            }
        }
    }
}
