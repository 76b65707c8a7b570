//! Lists of instances that are left out, with reasons: written by hand, or measured and
//! written by a check.
//!
//! Owns the file's forms. Must not know how an instance is found to be unsound.

mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnose::{Problem, render_error};

/// What a list that was measured begins with.
pub const SCHEMA: &str = "proofyard/quarantine/1";
/// Most ids that one line names.
const MOST_NAMED: usize = 5;

/// What is left out of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Exclusions {
    /// [`SCHEMA`]; a list by hand may go without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What the data set was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// The data set's digest, as it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_digest: Option<String>,
    /// How often each instance was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<u32>,
    /// In the order of the file; each id once.
    #[serde(default)]
    pub exclude: Vec<Exclusion>,
    /// What is to be told of the file as it was read.
    #[serde(skip)]
    pub told: Vec<String>,
}

/// An instance that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Exclusion {
    pub id: String,
    /// A sentence for people; empty where none is given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What was seen, such as `reference resolved 2 of 3, nothing 0 of 3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<String>,
    /// Ids of tests that came out differently from one time to the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_flaky: Vec<String>,
}

/// Why a list was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum ExclusionError {
    #[error("`{}` cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    /// Everything wrong with a file; never empty.
    #[error("{}", problems.first().map(Problem::to_string).unwrap_or_default())]
    Invalid { problems: Vec<Problem> },
    #[error("the list of what is left out cannot be written")]
    Form { source: toml::ser::Error },
    #[error("`{}` cannot be written", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl ExclusionError {
    /// The error as a block of lines for a terminal; ends with a newline.
    pub fn render(&self, colour: bool) -> String {
        match self {
            Self::Invalid { problems } => {
                let blocks = problems.iter().map(|problem| problem.render(colour));
                blocks.collect()
            }
            other => render_error(other, &[], colour),
        }
    }
}

impl Exclusions {
    /// Reads a list: TOML with `[[exclude]]` tables, JSON of the same form or a list of
    /// ids, by its ending; every other file is text, with an id and a reason a line and
    /// comments after `#`.
    ///
    /// # Errors
    /// A file that cannot be read; all that is wrong in it, with its lines.
    pub fn read(path: &Path) -> Result<Self, ExclusionError> {
        read::read(path)
    }

    /// The entries by their ids.
    pub fn by_id(&self) -> BTreeMap<&str, &Exclusion> {
        let all = self.exclude.iter();
        all.map(|entry| (entry.id.as_str(), entry)).collect()
    }

    /// What is to be told when the list is used for a data set: what reading the file
    /// said, ids that the data set does not have, and that it was measured on another
    /// state of it. `name`: what the user calls the list.
    pub fn held_against(
        &self,
        name: &str,
        digest: Option<&str>,
        known: &dyn Fn(&str) -> bool,
    ) -> Vec<String> {
        let mut told = self.told.clone();
        if let (Some(measured), Some(digest)) = (&self.dataset_digest, digest)
            && measured != digest
        {
            told.push(format!(
                "{name}: this was measured on another state of the data set ({}, and it is {} now)",
                short(measured),
                short(digest)
            ));
        }
        let ids = self.exclude.iter().map(|entry| entry.id.as_str());
        let unknown: Vec<&str> = ids.filter(|id| !known(id)).collect();
        if !unknown.is_empty() {
            let named: Vec<&str> = unknown.iter().take(MOST_NAMED).copied().collect();
            let rest = match unknown.len().saturating_sub(named.len()) {
                0 => String::new(),
                rest => format!(" and {rest} more"),
            };
            told.push(format!(
                "{name}: {} of {} ids are not in the data set: {}{rest}",
                unknown.len(),
                self.exclude.len(),
                named.join(", ")
            ));
        }
        told
    }

    /// The list as TOML that [`Exclusions::read`] reads back.
    ///
    /// # Errors
    /// What TOML cannot say.
    pub fn to_toml(&self) -> Result<String, ExclusionError> {
        let text =
            toml::to_string_pretty(self).map_err(|source| ExclusionError::Form { source })?;
        Ok(format!(
            "# Instances that are left out, with what was measured; give it with --exclude.\n{text}"
        ))
    }

    /// Writes the list as a whole or not at all.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn write(&self, path: &Path) -> Result<(), ExclusionError> {
        let text = self.to_toml()?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let written = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            File::open(folder)?.sync_all()
        };
        written().map_err(|source| ExclusionError::Write {
            path: path.to_path_buf(),
            source,
        })
    }
}

/// The beginning of a digest.
fn short(digest: &str) -> &str {
    let digits = digest.strip_prefix("sha256:").unwrap_or(digest);
    digits.get(..12).unwrap_or(digits)
}
