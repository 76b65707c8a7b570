//! A set of specifications: read from files and folders, asked by repo and version.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::check::Checker;
use super::error::EnvironmentsError;
use super::raw::EnvironmentsToml;
use super::{Environment, RepoPattern, Versions, validate};
use crate::diagnose::toml::parse;
use crate::diagnose::{KeyPath, Problem, SourceText};

/// Largest file, bytes.
const MOST_BYTES: u64 = 1 << 20;
/// Most files, and most environments in them.
const MOST_FILES: usize = 1000;
const MOST_ENVIRONMENTS: usize = 5000;

/// Environments of one or more files.
#[derive(Debug, Clone, Default)]
pub struct Environments {
    all: Vec<Environment>,
    /// What deserves to be told and changes nothing.
    pub warnings: Vec<String>,
}

impl Environments {
    /// Reads files, and of folders each `*.toml` that lies in them, by name. `parsers`
    /// are the names that `parser` may have; where it is empty, any.
    ///
    /// # Errors
    /// A path that is not there or cannot be read; all that is wrong in the files, each
    /// with its place; more than there may be of anything.
    pub fn read(paths: &[PathBuf], parsers: &[&str]) -> Result<Self, EnvironmentsError> {
        let mut set = Self::default();
        let mut problems = Vec::new();
        for file in files(paths)? {
            let (text, folder) = (source_text(&file)?, folder_of(&file));
            set.add(&text, &folder, parsers, &mut problems);
            if set.all.len() > MOST_ENVIRONMENTS {
                return Err(EnvironmentsError::TooMany {
                    what: "environments",
                    limit: MOST_ENVIRONMENTS,
                    path: file,
                });
            }
        }
        match problems.is_empty() {
            true => Ok(set),
            false => Err(EnvironmentsError::Invalid { problems }),
        }
    }

    fn add(
        &mut self,
        text: &SourceText,
        folder: &Path,
        parsers: &[&str],
        problems: &mut Vec<Problem>,
    ) {
        let parsed = parse::<EnvironmentsToml>(text);
        let mut check = Checker::new(text);
        check.problems = parsed.problems;
        let unknown = parsed.unknown.into_iter().map(|unknown| unknown.problem);
        check.problems.extend(unknown);
        let tables = parsed.value.and_then(|value| value.environment);
        if tables.is_none() && check.problems.is_empty() {
            let lacks = format!("`{}` has no [[environment]]", text.name);
            check.problems.push(Problem::new(lacks));
        }
        for (index, table) in tables.unwrap_or_default().into_iter().enumerate() {
            let at = KeyPath::from("environment").index(index);
            let environment = validate::environment(table, &at, text, folder, parsers, &mut check);
            self.all.extend(environment);
        }
        check.problems.sort_by_key(Problem::place);
        problems.append(&mut check.problems);
        self.warnings.append(&mut check.warnings);
    }

    /// The environment of a repo (`owner/name`) at a row's version (empty where it has
    /// none). A name wins over a glob, and among those `versions` over none.
    ///
    /// # Errors
    /// Where two are as near.
    pub fn of(&self, repo: &str, version: &str) -> Result<Option<&Environment>, EnvironmentsError> {
        let fitting = self.all.iter().filter(|one| one.is_for(repo, version));
        let rank = |environment: &Environment| {
            let by_name = |pattern: &RepoPattern| {
                matches!(pattern, RepoPattern::Name(_)) && pattern.means(repo)
            };
            let named = environment.repos.iter().any(by_name);
            (named, environment.versions != Versions::All)
        };
        let mut ranked: Vec<_> = fitting.map(|one| (rank(one), one)).collect();
        // Stable: those of one rank stay in the order of the files.
        ranked.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        match ranked.as_slice() {
            [] => Ok(None),
            [(first_rank, first), (second_rank, second), ..] if first_rank == second_rank => {
                Err(EnvironmentsError::Ambiguous {
                    repo: repo.to_owned(),
                    version: version.to_owned(),
                    first: first.at.clone(),
                    second: second.at.clone(),
                })
            }
            [(_, environment), ..] => Ok(Some(environment)),
        }
    }

    /// All of them, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Environment> {
        self.all.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, EnvironmentsError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let found = folder_files(path).map_err(|source| EnvironmentsError::Read {
            path: path.clone(),
            source,
        })?;
        if found.is_empty() {
            return Err(EnvironmentsError::NoFiles { path: path.clone() });
        }
        files.extend(found);
    }
    match files.get(MOST_FILES) {
        None => Ok(files),
        Some(path) => Err(EnvironmentsError::TooMany {
            what: "files",
            limit: MOST_FILES,
            path: path.clone(),
        }),
    }
}

fn folder_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "toml") && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The folder that paths of a file are relative to, absolute.
fn folder_of(file: &Path) -> PathBuf {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

fn source_text(file: &Path) -> Result<SourceText, EnvironmentsError> {
    let text = read_text(file, MOST_BYTES)?;
    Ok(SourceText::new(file.display().to_string(), text))
}

/// A text file of at most `limit` bytes.
pub fn read_text(file: &Path, limit: u64) -> Result<String, EnvironmentsError> {
    let wrap = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => EnvironmentsError::NotFound {
            path: file.to_owned(),
        },
        _ => EnvironmentsError::Read {
            path: file.to_owned(),
            source,
        },
    };
    // To open what is no file may wait forever.
    if !std::fs::metadata(file).map_err(wrap)?.is_file() {
        return Err(wrap(io::Error::other("it is no file")));
    }
    let mut bytes = Vec::new();
    let open = File::open(file).map_err(wrap)?;
    open.take(limit + 1).read_to_end(&mut bytes).map_err(wrap)?;
    if bytes.len() as u64 > limit {
        return Err(EnvironmentsError::TooLarge {
            path: file.to_owned(),
            limit,
        });
    }
    String::from_utf8(bytes).map_err(|error| EnvironmentsError::NotUtf8 {
        path: file.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
}
