//! The records on disk: `trial.json`, `run.json`, and the identifiers in them.
//!
//! Plain data with a schema number, written by one type each. This room knows
//! nothing but serde; every other room may know it. Meanings are those of the
//! documentation (`docs/records.md`); sets of values may grow, so readers
//! tolerate values that they do not know (`Other`).

mod basis;
mod run;
mod trial;
mod verdict;

pub use basis::*;
pub use run::*;
pub use trial::*;
pub use verdict::*;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a text that is known to be well-formed.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

text_id! {
    /// The name of a task: `[task].name`, else its folder's name.
    TaskId
}
text_id! {
    /// The name of a run: the name of its folder below `runs/`.
    RunId
}
text_id! {
    /// `<task>--<agent>[--<model>]--<attempt>`, file-name safe; never parsed back.
    TrialId
}
text_id! {
    /// `sha256:<64 hex>` of whatever its field says.
    Digest
}

impl Digest {
    /// Of a SHA-256.
    pub fn of_sha256(hash: &[u8]) -> Self {
        Self(format!("sha256:{}", hex(hash)))
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

impl TrialId {
    /// Builds the id: `/` is written as `__`, any other character outside
    /// `[A-Za-z0-9._-]` as `~hh` per UTF-8 byte.
    pub fn compose(task: &TaskId, agent: &str, model: Option<&str>, attempt: u32) -> Self {
        let mut id = escape(task.as_str());
        for part in [Some(agent), model].into_iter().flatten() {
            id.push_str("--");
            id.push_str(&escape(part));
        }
        id.push_str(&format!("--{attempt}"));
        Self(id)
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'/' => out.push_str("__"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => out.push(byte as char),
            _ => out.push_str(&format!("~{byte:02x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_id_is_a_safe_file_name() {
        let id = TrialId::compose(
            &TaskId::new("repo/glob star"),
            "script:a/b.jsonl",
            Some("é"),
            2,
        );
        assert_eq!(
            id.as_str(),
            "repo__glob~20star--script~3aa__b.jsonl--~c3~a9--2"
        );
    }
}
