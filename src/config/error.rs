//! What can be wrong with settings, and how it is told.

use std::io;
use std::path::PathBuf;

use super::Origin;
use crate::diagnose::{Problem, render_error};

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the folder that this runs in cannot be found")]
    CurrentFolder { source: io::Error },
    #[error("`{}` cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("`{}` is not UTF-8: byte {offset}", path.display())]
    NotUtf8 { path: PathBuf, offset: usize },
    /// Everything wrong with settings; never empty.
    #[error("{}", Problem::first_of(problems))]
    Invalid { problems: Vec<Problem> },
    #[error("unknown setting `{key}`")]
    UnknownKey {
        key: String,
        nearest: Option<String>,
    },
    #[error("`{text}` is not a setting")]
    NotASetting { text: String },
    #[error("`{key}` cannot be `{text}` ({origin}): {message}")]
    WrongType {
        key: String,
        text: String,
        origin: Origin,
        message: String,
    },
}

impl ConfigError {
    /// The error as a block of lines for a terminal; ends with a newline.
    pub fn render(&self, colour: bool) -> String {
        match self {
            Self::Invalid { problems } => Problem::render_all(problems, colour),
            Self::UnknownKey { nearest, .. } => {
                let advice = match nearest {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => "try: proofyard show --config     every setting there is".to_string(),
                };
                render_error(self, &[advice], colour)
            }
            Self::NotASetting { .. } => {
                let advice = "a setting is written `--set table.key=value`, like run.jobs=4";
                render_error(self, &[advice.to_string()], colour)
            }
            other => render_error(other, &[], colour),
        }
    }
}
