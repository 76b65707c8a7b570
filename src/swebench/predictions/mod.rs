//! Predictions: the patches of a model, read in each shape that harnesses of the family
//! write, and written in the official one.
//!
//! Owns the shapes of the files and what is wrong with them. Must not know rows: whether
//! a data set has an instance, and what `gold` stands for, is the caller's.

mod document;
mod one;
mod write;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::diagnose::{Problem, render_error};

pub use write::write_jsonl;

/// Most bytes of a file of predictions.
pub const MOST_BYTES: u64 = 2 << 30;
/// Most bytes of a patch.
pub const MOST_PATCH: usize = 64 << 20;
/// Most predictions of a file.
pub const MOST_PREDICTIONS: usize = 1 << 20;

/// A model's answer to one instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prediction {
    /// The name of a file as well: no `/`, no control characters, at most 255 bytes.
    pub instance_id: String,
    /// `model_name_or_path`, in predictions of SWE-bench Pro `prefix`.
    pub model: Option<String>,
    /// `model_patch`, in predictions of SWE-bench Pro `patch`; as it stands there.
    pub patch: Option<String>,
    /// Where it stands in its file, from 1.
    pub line: usize,
}

impl Prediction {
    /// The patch, if it is neither null nor empty: an official run takes no other.
    pub fn patch(&self) -> Option<&str> {
        self.patch.as_deref().filter(|patch| !patch.is_empty())
    }
}

/// The predictions of a file, no two of the same instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Predictions {
    /// In the order of the file.
    pub all: Vec<Prediction>,
    /// What a user may want to know, a sentence each.
    pub warnings: Vec<String>,
}

/// Why predictions were not read.
#[derive(Debug, thiserror::Error)]
pub enum PredictionError {
    #[error("`{}` cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    /// Everything wrong with the file, up to a bound; never empty.
    #[error("{}", Problem::first_of(problems))]
    Invalid { problems: Vec<Problem> },
}

impl PredictionError {
    /// The error as a block of lines for a terminal; ends with a newline.
    pub fn render(&self, colour: bool) -> String {
        match self {
            Self::Invalid { problems } => Problem::render_all(problems, colour),
            other => render_error(other, &[], colour),
        }
    }
}

/// Reads a file of predictions, which is one of
/// - an object a line (`.jsonl`),
/// - a list of objects (`.json`), SWE-bench Pro's with `patch` and `prefix` among them,
/// - an object of objects by instance (`.json`), as SWE-agent and SWE-bench-Live write it.
///
/// The content decides, and an ending that says something else is a warning.
///
/// # Errors
/// A file that cannot be read, that is larger than 2 GiB or none of these; an instance that
/// is predicted twice; a prediction without an instance or a patch, or with a patch of more
/// than 64 MiB.
pub fn read(path: &Path) -> Result<Predictions, PredictionError> {
    let failed = |source| PredictionError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(PredictionError::TooLarge {
            path: path.to_owned(),
            limit: MOST_BYTES,
        });
    }
    parse(&path.display().to_string(), &bytes)
}

/// Reads what a file of this name holds; see [`read`].
///
/// # Errors
/// As those of [`read`].
pub fn parse(name: &str, bytes: &[u8]) -> Result<Predictions, PredictionError> {
    document::parse(name, bytes).map_err(|problems| PredictionError::Invalid { problems })
}

/// A patch with the final newline that every diff has; without it a last line of context
/// or of additions makes a patch that `git apply` calls corrupt.
pub fn mended(patch: &str) -> Cow<'_, str> {
    match patch.is_empty() || patch.ends_with('\n') {
        true => Cow::Borrowed(patch),
        false => Cow::Owned(format!("{patch}\n")),
    }
}
