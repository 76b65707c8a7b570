//! Rows on their way into a data set: held against each other, and what is wrong or
//! odd collected.
//!
//! Must not know file formats.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::error::{BadRow, Place, RowError};
use super::fields::{self, Wrong};
use super::oddity::Tally;
use super::{DataSet, MOST_ROWS, Row, checks, digest};
use crate::record::hex;

/// Most things that are told of wrong rows.
const MOST_TOLD: usize = 20;

/// What has been read so far.
#[derive(Default)]
pub struct Intake {
    rows: Vec<Row>,
    /// By id: the first row of that name.
    seen: HashMap<String, Seen>,
    wrong: Vec<BadRow>,
    more: usize,
    pub tally: Tally,
}

struct Seen {
    file: Arc<Path>,
    place: Place,
    digest: [u8; 32],
    /// Its place in `rows`.
    at: usize,
}

/// Of which file, and in which split, rows come.
#[derive(Clone)]
pub struct Origin {
    /// As the user named it.
    pub file: Arc<Path>,
    /// Which split the file's name tells.
    pub split: Option<String>,
    /// The row's folder, of a task repository.
    pub dir: Option<Arc<Path>>,
}

impl Origin {
    pub fn of_file(file: &Path, split: Option<String>) -> Self {
        Self {
            file: file.into(),
            split,
            dir: None,
        }
    }
}

impl Intake {
    /// Takes what a file has of one row.
    ///
    /// # Errors
    /// More rows than a data set may have. What is wrong with the row is kept.
    pub fn take(
        &mut self,
        origin: &Origin,
        place: Place,
        fields: Map<String, Value>,
    ) -> Result<(), RowError> {
        if self.rows.len() >= MOST_ROWS {
            return Err(RowError::TooManyRows {
                path: origin.file.to_path_buf(),
                limit: MOST_ROWS,
            });
        }
        let (mut row, mut wrong) = fields::row(fields);
        checks::row(&row, &mut wrong);
        row.line = place.number();
        row.dir = origin.dir.as_deref().map(Path::to_path_buf);
        row.split = row.split.or_else(|| origin.split.clone());
        if !wrong.is_empty() {
            let id = checks::is_plain(&row.instance_id).then_some(row.instance_id);
            for Wrong {
                field,
                wrong,
                advice,
            } in wrong
            {
                self.refuse(BadRow {
                    file: origin.file.to_path_buf(),
                    place,
                    id: id.clone(),
                    field: Some(field),
                    wrong,
                    advice,
                });
            }
            return Ok(());
        }
        self.keep(row, origin, place);
        Ok(())
    }

    fn keep(&mut self, row: Row, origin: &Origin, place: Place) {
        let digest = digest::of_row(&row);
        let Some(first) = self.seen.get(&row.instance_id) else {
            self.tally.row(&row);
            let seen = Seen {
                file: origin.file.clone(),
                place,
                digest,
                at: self.rows.len(),
            };
            self.seen.insert(row.instance_id.clone(), seen);
            self.rows.push(row);
            return;
        };
        // Splits such as `lite` and `full` share instances.
        if first.file != origin.file && first.digest == digest {
            if let Some(known) = self.rows.get_mut(first.at) {
                share(known, row);
            }
            return;
        }
        let (at, differs) = match (first.file == origin.file, first.place) {
            (true, Place::Line(line)) => (format!("line {line}"), ""),
            (true, place) => (format!("row {}", place.number()), ""),
            (false, _) => (format!("`{}`", first.file.display()), ", and differs there"),
        };
        self.refuse(BadRow {
            file: origin.file.to_path_buf(),
            place,
            id: Some(row.instance_id),
            field: Some("instance_id".to_owned()),
            wrong: format!("stands in {at} already{differs}"),
            advice: "an id names one row of a data set".to_owned(),
        });
    }

    /// Keeps what is wrong, up to a bound.
    pub fn refuse(&mut self, bad: BadRow) {
        match self.wrong.len() < MOST_TOLD {
            true => self.wrong.push(bad),
            false => self.more += 1,
        }
    }

    /// The data set, once every file was read.
    ///
    /// # Errors
    /// Rows that are wrong; no rows.
    pub fn finish(self, source: &Path) -> Result<DataSet, RowError> {
        if !self.wrong.is_empty() {
            return Err(RowError::Invalid {
                rows: self.wrong,
                more: self.more,
            });
        }
        if self.rows.is_empty() {
            return Err(RowError::Empty {
                path: source.to_path_buf(),
            });
        }
        let mut digests: Vec<(&String, &[u8; 32])> = self
            .seen
            .iter()
            .map(|(id, seen)| (id, &seen.digest))
            .collect();
        digests.sort_unstable();
        let mut whole = Sha256::new();
        whole.update(digest::DATA_SET);
        for (_, digest) in digests {
            whole.update(digest);
        }
        Ok(DataSet {
            digest: hex(&whole.finalize()),
            rows: self.rows,
            oddities: self.tally.finish(),
            source: source.to_path_buf(),
        })
    }
}

/// The same row in a further file: what that adds is where it is listed.
fn share(known: &mut Row, again: Row) {
    for name in again.datasets.into_iter().chain(again.split) {
        if known.split.as_ref() != Some(&name) && !known.datasets.contains(&name) {
            known.datasets.push(name);
        }
    }
}
