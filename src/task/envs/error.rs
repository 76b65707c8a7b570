//! What can be wrong with specifications, and how it is told.

use std::io;
use std::path::PathBuf;

use super::Place;
use crate::diagnose::{Problem, render_error};

/// Why specifications were not read, or none was chosen.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentsError {
    #[error("there is no `{}`", path.display())]
    NotFound { path: PathBuf },
    #[error("there is no `*.toml` in `{}`", path.display())]
    NoFiles { path: PathBuf },
    #[error("`{}` cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("`{}` is not UTF-8, from byte {offset} on", path.display())]
    NotUtf8 { path: PathBuf, offset: usize },
    #[error("more than {limit} {what}, up to `{}`", path.display())]
    TooMany {
        what: &'static str,
        limit: usize,
        path: PathBuf,
    },
    /// Everything that is wrong with the files; never empty.
    #[error("{}", Problem::first_of(problems))]
    Invalid { problems: Vec<Problem> },
    /// Two environments are as near to a row.
    #[error("two environments are for {repo} {version}: {first} and {second}")]
    Ambiguous {
        repo: String,
        version: String,
        first: Place,
        second: Place,
    },
}

impl EnvironmentsError {
    /// The error as a block of lines for a terminal; ends with a newline.
    pub fn render(&self, colour: bool) -> String {
        match self {
            Self::Invalid { problems } => Problem::render_all(problems, colour),
            other => render_error(other, &other.advice(), colour),
        }
    }

    /// What to do about it, a line each.
    fn advice(&self) -> Vec<String> {
        match self {
            Self::Ambiguous { .. } => vec![
                "a name wins over a glob, and `versions` over none; else make their \
                 `versions` apart"
                    .to_owned(),
            ],
            Self::NoFiles { .. } | Self::NotFound { .. } => {
                vec!["docs/environments.md tells what a specification is".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}
