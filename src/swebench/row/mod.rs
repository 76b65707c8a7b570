//! Rows of the SWE-bench family: what an instance is, whatever file it came in.
//!
//! Owns which fields a row has in which shape, what is wrong with a row and what is
//! merely odd about a data set. Must not know how an instance is run or judged.
//!
//! `source` finds the files; `lines`, `list`, `table` and `repository` make maps of
//! plain values of them, `fields` makes rows of the maps, and `intake` holds the rows
//! against each other.

mod assets;
mod checks;
mod digest;
mod error;
mod field;
mod fields;
mod images;
mod intake;
mod lines;
mod list;
mod oddity;
mod patch;
mod repository;
mod reverse;
mod source;
mod table;
#[cfg(test)]
mod tests;

pub use error::{BadRow, Place, RowError};
pub use field::FIELDS;
pub use oddity::{Oddity, OddityKind, is_cut, is_docstring, is_progress};
pub use source::is_data_set;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Largest file of a data set, and most that is read of a task repository, bytes.
const MOST_BYTES: u64 = 4 << 30;
/// Longest line of a file, and largest file of a task repository, bytes.
const MOST_LINE: u64 = 256 << 20;
/// Most rows of a data set.
const MOST_ROWS: usize = 1_000_000;

/// Which member of the family a row looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Shape {
    /// Full, Lite, Verified, Multilingual, and what has their fields (SWE-Gym).
    #[default]
    Classic,
    /// With images beside the text.
    Multimodal,
    /// With an eval script and the name of a log parser, as of swebench 5.0.
    Scripted,
    /// SWE-bench-Live: with commands.
    Live,
    /// SWE-smith: the patch makes the bug.
    Smith,
}

impl Shape {
    /// As it is written in records.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Classic => "classic",
            Shape::Multimodal => "multimodal",
            Shape::Scripted => "scripted",
            Shape::Live => "live",
            Shape::Smith => "smith",
        }
    }
}

/// One instance. An optional text that is there and empty is read as absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// Plain: letters, digits, `.`, `_`, `-`; a file may be called so.
    pub instance_id: String,
    /// Mostly `owner/name`.
    pub repo: String,
    /// 40 lower-case hexadecimal digits. None only in [`Shape::Smith`], where the
    /// repo's branch is called like the instance.
    pub base_commit: Option<String>,
    /// The reference change; empty where the data set keeps it back.
    pub patch: String,
    /// `patch` makes the bug, so the reference change is its reverse.
    pub reversed: bool,
    pub test_patch: String,
    /// What the agent is told.
    pub problem_statement: String,
    pub hints_text: Option<String>,
    /// As written; the forms differ between data sets.
    pub created_at: Option<String>,
    pub version: Option<String>,
    /// Ids as the data set has them: some are cut off, see [`is_cut`].
    pub fail_to_pass: Vec<String>,
    pub pass_to_pass: Vec<String>,
    pub environment_setup_commit: Option<String>,
    pub difficulty: Option<String>,
    /// `image`, `docker_image` or `image_name`.
    pub image: Option<String>,
    /// The whole text of a bash script.
    pub eval_script: Option<String>,
    /// A name; in some rows of SWE-bench-Live the source of a Python function.
    pub log_parser: Option<String>,
    /// `pass_and_fail` or `fail_only`.
    pub eval_type: Option<String>,
    /// As the row says, else as its file is called (`test-00000-of-00002.parquet`).
    pub split: Option<String>,
    pub datasets: Vec<String>,
    pub test_cmds: Vec<String>,
    pub rebuild_cmds: Vec<String>,
    pub print_cmds: Vec<String>,
    /// By the field that they belong to (`problem_statement`, `patch`, `test_patch`).
    pub image_assets: BTreeMap<String, Vec<Asset>>,
    /// Further plain fields, for filters; what is large or nested is left out.
    pub other: BTreeMap<String, Value>,
    pub shape: Shape,
    /// Its line or number in its file, from 1.
    pub line: usize,
    /// Its folder, of a task repository.
    pub dir: Option<PathBuf>,
}

/// A file that no patch can carry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asset {
    /// Where it lies in the repo: relative, without `..`. None where only its address
    /// is told.
    pub path: Option<String>,
    pub url: Option<String>,
}

/// The rows of a file, a folder of files, or a task repository.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// In the order of the files; each id once.
    pub rows: Vec<Row>,
    /// SHA-256 in hexadecimal over the digests of the rows, sorted by id. It depends
    /// neither on the format nor on the order nor on the number of files.
    pub digest: String,
    /// What is odd, once per kind.
    pub oddities: Vec<Oddity>,
    /// As the user named it.
    pub source: PathBuf,
}

impl Row {
    /// The change that solves it: the row's patch, or what undoes it where the patch makes
    /// the bug. None of a patch whose reverse cannot be written as text.
    pub fn solution(&self) -> Option<std::borrow::Cow<'_, str>> {
        match self.reversed {
            true => reverse::reversed(&self.patch).map(Into::into),
            false => Some(self.patch.as_str().into()),
        }
    }
}

impl DataSet {
    /// What is odd about some of its rows, and about none of them.
    pub fn oddities_of(&self, rows: &[&Row]) -> Vec<Oddity> {
        let whole = self.oddities.iter();
        let whole = whole.filter(|odd| odd.kind == OddityKind::Unpublished);
        let of_rows = oddity::Tally::of(rows.iter().copied()).finish();
        whole.cloned().chain(of_rows).collect()
    }

    /// The rows by their ids.
    pub fn by_id(&self) -> HashMap<&str, &Row> {
        let rows = self.rows.iter();
        rows.map(|row| (row.instance_id.as_str(), row)).collect()
    }
}

/// Reads a data set: a file of JSON lines, a JSON list, a Parquet file, a folder of such
/// files, a task repository (a folder with `sweb.yaml`), or one task of it.
///
/// # Errors
/// A path that cannot be read or holds no rows; all rows that are wrong, together, up
/// to a bound. What is only odd is no error, see [`DataSet::oddities`].
pub fn read(path: &Path) -> Result<DataSet, RowError> {
    let mut intake = intake::Intake::default();
    source::read(path, &mut intake)?;
    intake.finish(path)
}
