//! Why a data set was not read, and how that is told.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::diagnose::{Problem, printable, render_error};

/// Why a data set was not read.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    #[error("there is no `{}`", path.display())]
    NotFound { path: PathBuf },
    #[error("`{}` cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("`{}` has more than {limit} rows", path.display())]
    TooManyRows { path: PathBuf, limit: usize },
    #[error("`{}` has no rows", path.display())]
    Empty { path: PathBuf },
    #[error("`{}` holds no file of rows", path.display())]
    NoFiles { path: PathBuf },
    #[error("`{}` is packed with {by}", path.display())]
    Packed { path: PathBuf, by: &'static str },
    #[error("`{}` is a pointer of Git LFS, not the file", path.display())]
    Pointer { path: PathBuf },
    #[error("`{}` is not a list of rows in JSON", path.display())]
    NotJson {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("`{}` is one JSON object over several lines", path.display())]
    OneObject { path: PathBuf },
    #[error("`{}` is not a Parquet file that can be read: {why}", path.display())]
    NotParquet { path: PathBuf, why: String },
    /// Everything wrong with rows, up to a bound; never empty.
    #[error("{}", first(rows, *more))]
    Invalid {
        rows: Vec<BadRow>,
        /// How many things more are wrong.
        more: usize,
    },
}

/// Something that is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// As the user named it.
    pub file: PathBuf,
    pub place: Place,
    /// The row's id, where it has a plain one.
    pub id: Option<String>,
    pub field: Option<String>,
    /// What is wrong: a lowercase fragment that may go on from the field's name.
    pub wrong: String,
    /// What would be right; may be empty.
    pub advice: String,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a file of lines, from 1.
    Line(usize),
    /// In a list or table, from 1.
    Row(usize),
    /// In a folder of its own, the number of which this is, from 1.
    Task(usize),
}

impl Place {
    pub(super) fn number(self) -> usize {
        match self {
            Place::Line(number) | Place::Row(number) | Place::Task(number) => number,
        }
    }
}

/// `file:line: id: field wrong; advice`.
impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
        match self.advice.as_str() {
            "" => Ok(()),
            advice => write!(f, "; {}", printable(advice)),
        }
    }
}

impl BadRow {
    fn message(&self) -> String {
        let mut text = self.file.display().to_string();
        match self.place {
            Place::Line(line) => text.push_str(&format!(":{line}: ")),
            Place::Row(row) => text.push_str(&format!(", row {row}: ")),
            Place::Task(_) => text.push_str(": "),
        }
        if let Some(id) = &self.id {
            text.push_str(&format!("{id}: "));
        }
        if let Some(field) = &self.field {
            text.push_str(&format!("`{field}` "));
        }
        text.push_str(&self.wrong);
        printable(&text)
    }
}

impl RowError {
    /// The error as a block of lines for a terminal; ends with a newline.
    pub fn render(&self, colour: bool) -> String {
        let Self::Invalid { rows, more } = self else {
            return render_error(self, &self.advice(), colour);
        };
        let mut text: String = rows
            .iter()
            .map(|row| {
                let problem = Problem::new(row.message());
                let problem = match row.advice.as_str() {
                    "" => problem,
                    advice => problem.note(advice),
                };
                problem.render(colour)
            })
            .collect();
        if *more > 0 {
            let last = format!("{more} more things are wrong with rows; they are not shown");
            text.push_str(&Problem::new(last).render(colour));
        }
        text
    }

    /// What to do about it, a line each.
    fn advice(&self) -> Vec<String> {
        let advice = match self {
            Self::NoFiles { .. } | Self::Empty { .. } => {
                "rows stand in .jsonl, .json or .parquet files, or in a folder with sweb.yaml and tasks/"
            }
            Self::Packed { .. } => "unpack it first",
            Self::Pointer { .. } => "fetch the file itself: git lfs pull",
            Self::OneObject { .. } | Self::NotJson { .. } => {
                "a JSON file is a list of rows, or has one row a line"
            }
            Self::NotParquet { .. } => {
                "download it again, or convert it to JSON lines; snappy, gzip, zstd and lz4 are read"
            }
            Self::TooLarge { .. } | Self::TooManyRows { .. } => "split it into several data sets",
            _ => return Vec::new(),
        };
        vec![advice.to_owned()]
    }
}

fn first(rows: &[BadRow], more: usize) -> String {
    let rest = match rows.len().saturating_sub(1) + more {
        0 => String::new(),
        rest => format!(" (and {rest} more)"),
    };
    let first = rows.first().map(BadRow::to_string);
    format!("{}{rest}", first.unwrap_or_default())
}
