//! `results.jsonl`: one line per finished trial, appended and durable.
//!
//! Owns how a line is written and how a damaged journal is read. Must not know
//! which trials a run has.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::record::TrialRecord;

/// What a journal holds.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// In the order of the file.
    pub records: Vec<TrialRecord>,
    /// Complete lines that could not be understood.
    pub warnings: Vec<String>,
    /// Bytes up to the last complete line.
    pub complete: u64,
    /// What follows it: a line whose writing was cut short.
    pub torn: Vec<u8>,
}

/// A complete line of a journal.
#[derive(Debug)]
pub(super) struct Entry {
    /// From 1.
    pub line: usize,
    /// Where it begins, bytes.
    pub start: u64,
    /// Else why it cannot be understood.
    pub record: Result<TrialRecord, String>,
}

/// Reads a journal and changes nothing; a missing one is empty.
pub(super) fn read(path: &Path) -> io::Result<Lines> {
    let mut lines = Lines::default();
    let mut records = Vec::new();
    let mut warnings = Vec::new();
    (lines.complete, lines.torn) = scan(path, |entry| match entry.record {
        Ok(record) => records.push(record),
        Err(error) => {
            warnings.push(format!("{}, line {}: {error}", path.display(), entry.line));
        }
    })?;
    Ok(Lines {
        records,
        warnings,
        ..lines
    })
}

/// Every complete line of a journal, with its place, and how many bytes follow the
/// last; a missing one has none.
pub(super) fn read_entries(path: &Path) -> io::Result<(Vec<Entry>, usize)> {
    let mut entries = Vec::new();
    let (_, torn) = scan(path, |entry| entries.push(entry))?;
    Ok((entries, torn.len()))
}

/// Goes through the complete lines; how many bytes they are, and what follows them.
fn scan(path: &Path, mut each: impl FnMut(Entry)) -> io::Result<(u64, Vec<u8>)> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((0, Vec::new())),
        Err(error) => return Err(error),
    };
    let mut reader = BufReader::new(file);
    let (mut bytes, mut number, mut start) = (Vec::new(), 0, 0);
    loop {
        bytes.clear();
        let read = reader.read_until(b'\n', &mut bytes)? as u64;
        if read == 0 {
            return Ok((start, Vec::new()));
        }
        number += 1;
        if bytes.last() != Some(&b'\n') {
            return Ok((start, bytes));
        }
        if !bytes.trim_ascii().is_empty() {
            each(Entry {
                line: number,
                start,
                record: serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
            });
        }
        start += read;
    }
}

/// A journal that is being written.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// Bytes of complete lines; what lies beyond is cut off before the next one.
    length: u64,
}

impl Journal {
    /// An empty journal where there must be none yet.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.sync_all()?;
        Ok(Self { file, length: 0 })
    }

    /// A journal to go on with. A torn last line is cut off and kept beside it,
    /// as `results.jsonl.torn`.
    pub fn open(path: &Path) -> io::Result<(Self, Lines)> {
        let mut lines = read(path)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        if !lines.torn.is_empty() {
            let aside = torn_name(path);
            let mut kept = OpenOptions::new().create(true).append(true).open(&aside)?;
            kept.write_all(&lines.torn)?;
            kept.write_all(b"\n")?;
            kept.sync_all()?;
            file.set_len(lines.complete)?;
            file.sync_all()?;
            lines.warnings.push(format!(
                "the last line of {} was cut short ({} bytes); it was moved to {}",
                path.display(),
                lines.torn.len(),
                aside.display()
            ));
        }
        let length = lines.complete;
        Ok((Self { file, length }, lines))
    }

    /// Appends the lines and makes them durable together. After an error the
    /// journal is as it was.
    pub fn append(&mut self, records: &[TrialRecord]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for record in records {
            serde_json::to_writer(&mut bytes, &record.journal_line())?;
            bytes.push(b'\n');
        }
        // What an earlier failure left is written over, and cut where it is longer.
        self.file.seek(SeekFrom::Start(self.length))?;
        let written = self
            .file
            .write_all(&bytes)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // A tail that cannot be cut here is cut as a torn line by `open`.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }
}

fn torn_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".torn");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::fixture::{RecordBuilder, plan_of};

    #[test]
    fn a_line_that_found_no_room_leaves_the_journal_as_it_was() {
        let record = RecordBuilder::of(&plan_of(&["a"]), 0).build();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut journal = Journal {
            file: full,
            length: 0,
        };
        let refused = journal.append(std::slice::from_ref(&record)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
        assert_eq!(journal.length, 0);
    }

    #[test]
    fn what_a_failed_append_left_is_written_over() {
        let record = RecordBuilder::of(&plan_of(&["a"]), 0).build();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.jsonl");
        let mut journal = Journal::create(&path).unwrap();
        std::fs::write(&path, "{\"half\":").unwrap();
        journal.append(std::slice::from_ref(&record)).unwrap();
        let lines = read(&path).unwrap();
        assert_eq!(lines.records, [record.journal_line()]);
        assert!(lines.torn.is_empty());
    }
}
