//! The system prompt: the built-in one, or a file of the user's.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::record::Digest;

/// Counts up with every change of the text.
const VERSION: &str = "loop/1";
const BUILT_IN: &str = include_str!("prompt.md");
/// The largest file that is taken.
const MOST: u64 = 1 << 20;

/// What a model is told before the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// `loop/1`, or the name of the user's file.
    pub version: String,
    pub text: String,
}

impl Prompt {
    /// The one of this version.
    pub fn built_in() -> Self {
        Self {
            version: VERSION.to_owned(),
            text: BUILT_IN.trim_end().to_owned(),
        }
    }

    /// One of the user's.
    ///
    /// # Errors
    /// A file that cannot be read, is no UTF-8, or is larger than 1 MiB.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        if std::fs::metadata(path)?.len() > MOST {
            return Err(std::io::Error::other(format!("more than {MOST} bytes")));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            version: name.into_owned(),
            text: std::fs::read_to_string(path)?.trim_end().to_owned(),
        })
    }

    /// Of the text.
    pub fn digest(&self) -> Digest {
        Digest::of_sha256(&Sha256::digest(self.text.as_bytes()))
    }
}
