//! Specifications of environments: what a table of swebench 4.1 says of each repository
//! and version, as JSON of our own schema, and what an eval script needs of it.
//!
//! Owns the table's file and its names. Must not know who runs Python, nor what an eval
//! script looks like (`super::script` does).
//!
//! The table is read out of the user's own installation of the package by [`DUMP`]; none
//! of it is part of this program.

mod commands;

pub use commands::{Commands, Directives, Kind};

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A Python program (standard library, and swebench 4.1 where it is installed) that
/// prints a table on standard output. It ends with 0; with 2 where the package is
/// missing or cannot be loaded; with 3 where it is of another version, which has no such
/// tables. Then standard error says so.
pub const DUMP: &str = include_str!("dump.py");
/// What a table's `schema` says.
pub const SCHEMA: &str = "proofyard/swebench-specs/1";
/// Most bytes of a table.
const MOST: u64 = 64 << 20;
/// How alike a name must be to be offered for another one, from 0 to 1.
const ALIKE: f64 = 0.6;

/// Why there is no table, or nothing in it.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    #[error("read {}: {source} (`proofyard import swebench-specs` makes this file)", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is larger than {} MiB, so it is no table of specifications", path.display(), MOST >> 20)]
    TooLarge { path: PathBuf },
    #[error("{}: {source}", path.display())]
    In {
        path: PathBuf,
        source: Box<SpecError>,
    },
    #[error("no table of specifications: {0}")]
    Json(#[from] serde_json::Error),
    #[error(
        "its schema is {found}, and {SCHEMA} is what is read here; read the table anew with `proofyard import swebench-specs`"
    )]
    Schema { found: String },
    #[error("the table of swebench {swebench} has no specification of {repo}{nearest}")]
    UnknownRepo {
        swebench: String,
        repo: String,
        /// ` (the nearest is …)`, or nothing.
        nearest: String,
    },
    #[error(
        "the table of swebench {swebench} has no specification of {repo} in version {version}{nearest}"
    )]
    UnknownVersion {
        swebench: String,
        repo: String,
        version: String,
        /// ` (next to it are …)`, or nothing.
        nearest: String,
    },
    #[error(
        "the table of swebench {swebench} has no test command of {repo} in version {version}; say it in a specification of your own"
    )]
    NoTest {
        swebench: String,
        repo: String,
        version: String,
    },
}

/// All specifications of an installed package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    schema: String,
    /// Version of the package: `4.1.0`.
    pub swebench: String,
    /// The day on which it was read, as `2026-01-31`.
    pub date: String,
    /// By `owner/name`.
    pub repos: BTreeMap<String, Repo>,
}

/// What is said of a repository.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Repo {
    /// Class of its language: `py`, `js`, `go`, `rs`, `java`, `c`, `php`, `rb`.
    pub ext: String,
    /// Name of its log parser: `parse_log_pytest`. Two of the repositories have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parser: Option<String>,
    /// `pass_and_fail` or `fail_only`.
    pub eval_type: String,
    /// Where `packages = "requirements.txt"` is looked for, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requirements_paths: Vec<String>,
    /// Where `packages = "environment.yml"` is looked for, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environment_paths: Vec<String>,
    pub versions: BTreeMap<String, Spec>,
}

/// How one version of a repository is installed and tested. What the package says as one
/// text or as a list is a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// `requirements.txt`, `environment.yml`, or names of conda packages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packages: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pip_packages: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pre_install: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub install: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub build: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_cmd: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub eval_commands: Vec<String>,
    /// An `environment.yml` updates an environment that is there, and makes none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_use_env: bool,
    /// The processors that the tests may use, in billionths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nano_cpus: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apt_pkgs: Vec<String>,
    /// Versions of compilers and runtimes, and `run_args`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub docker_specs: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub execute_test_as_nonroot: bool,
    /// What has no meaning here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Head {
    schema: Option<String>,
}

/// Reads what [`DUMP`] prints.
///
/// # Errors
/// It is no JSON, or of another schema.
pub fn parse(json: &str) -> Result<Table, SpecError> {
    let head: Head = serde_json::from_str(json)?;
    match head.schema {
        Some(schema) if schema == SCHEMA => Ok(serde_json::from_str(json)?),
        schema => Err(SpecError::Schema {
            found: schema.map_or_else(|| "missing".to_owned(), |schema| format!("{schema:?}")),
        }),
    }
}

/// Reads a table's file.
///
/// # Errors
/// The file cannot be read, is too large, or is no table.
pub fn read(path: &Path) -> Result<Table, SpecError> {
    let fail = |source| SpecError::Read {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(fail)?;
    let mut json = String::new();
    let mut bounded = file.take(MOST + 1);
    bounded.read_to_string(&mut json).map_err(fail)?;
    if bounded.limit() == 0 {
        return Err(SpecError::TooLarge {
            path: path.to_owned(),
        });
    }
    parse(&json).map_err(|source| SpecError::In {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

impl Table {
    /// Writes the file, through a temporary name beside it.
    ///
    /// # Errors
    /// Whatever the file system refuses; then an older file is still there.
    pub fn write(&self, path: &Path) -> Result<(), SpecError> {
        let write = || -> io::Result<()> {
            let folder = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            serde_json::to_writer_pretty(file.as_file_mut(), self)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|source| SpecError::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// The specification of a repository's version.
    pub fn spec(&self, repo: &str, version: &str) -> Option<&Spec> {
        self.repos.get(repo)?.versions.get(version)
    }

    /// What an eval script needs of it.
    ///
    /// # Errors
    /// The table has no such repository or version, or no command for its tests; the
    /// nearest that it has are named.
    pub fn commands(&self, repo: &str, version: &str) -> Result<Commands, SpecError> {
        let entry = self.repos.get(repo).ok_or_else(|| SpecError::UnknownRepo {
            swebench: self.swebench.clone(),
            repo: repo.to_owned(),
            nearest: alike(repo, self.repos.keys()),
        })?;
        let spec = entry.versions.get(version);
        let spec = spec.ok_or_else(|| SpecError::UnknownVersion {
            swebench: self.swebench.clone(),
            repo: repo.to_owned(),
            version: version.to_owned(),
            nearest: beside(version, entry.versions.keys()),
        })?;
        let commands = Commands::of_spec(repo, version, &entry.ext, spec);
        if commands.test.is_empty() {
            return Err(SpecError::NoTest {
                swebench: self.swebench.clone(),
                repo: repo.to_owned(),
                version: version.to_owned(),
            });
        }
        Ok(commands)
    }
}

fn alike<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let name = name.to_lowercase();
    let likeness = |known: &String| strsim::jaro_winkler(&name, &known.to_lowercase());
    known
        .map(|known| (likeness(known), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map_or_else(String::new, |(_, known)| {
            format!(" (the nearest is {known})")
        })
}

/// The known versions right before and behind this one, by their numbers.
fn beside<'a>(version: &str, known: impl Iterator<Item = &'a String>) -> String {
    let numbers = |version: &str| -> Vec<u64> {
        let parts = version.split(|c: char| !c.is_ascii_digit());
        parts.filter_map(|part| part.parse().ok()).collect()
    };
    let own = numbers(version);
    let (mut before, mut behind) = (None, None);
    for known in known {
        let key = (numbers(known), known);
        if key.0 <= own {
            before = before.max(Some(key));
        } else if behind.as_ref().is_none_or(|behind| key < *behind) {
            behind = Some(key);
        }
    }
    let names: Vec<&str> = [before, behind]
        .into_iter()
        .flatten()
        .map(|(_, name)| name.as_str())
        .collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(" (next to it: {})", names.join(" and ")),
    }
}

#[cfg(test)]
mod tests;
