//! Official reports: of one instance (`report.json`), of a run (its summary), and where
//! they lie.
//!
//! Owns the shapes of the files, by version. Must not know how a verdict is reached, nor
//! write anything: texts and names are handed out.

mod instance;
mod layout;
mod summary;

#[cfg(test)]
mod tests;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use instance::{InstanceReport, Report};
pub use layout::{
    EVAL_SCRIPT, LOGS, NO_MODEL, NoFolder, PATCH, REPORT, RUN, RUN_LOG, TEST_OUTPUT,
    instance_folder, model_folder, names_a_file, run_folder, summary_file,
};
pub use summary::{Fate, RunJson, Submission, Summary};

/// Most bytes of a report that is read.
const MOST: u64 = 256 << 20;

/// Why a report was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("`{}` cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    /// The source tells line and column.
    #[error("`{}` is no official report", path.display())]
    Shape {
        path: PathBuf,
        source: serde_json::Error,
    },
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ReportError> {
    let failed = |source| ReportError::Read {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MOST {
        return Err(ReportError::TooLarge {
            path: path.to_owned(),
            limit: MOST,
        });
    }
    serde_json::from_slice(&bytes).map_err(|source| ReportError::Shape {
        path: path.to_owned(),
        source,
    })
}

/// JSON as Python writes it: `indent` blanks a level, and ASCII only.
fn text(value: &impl Serialize, indent: &str) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    value
        .serialize(&mut serializer)
        .expect("texts, numbers, lists and maps with texts as keys are JSON");
    let mut out = String::with_capacity(bytes.len());
    for sign in String::from_utf8_lossy(&bytes).chars() {
        match sign {
            '\n' | ' '..='~' => out.push(sign),
            // Outside ASCII there are only the contents of texts.
            _ => {
                for unit in sign.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}
