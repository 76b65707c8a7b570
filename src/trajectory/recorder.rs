//! Writes a trajectory as it happens, and reads it back.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use super::{Chain, Event, EventKind};
use crate::record::hex;

/// A trajectory that could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    #[error("write the trajectory {path}: {source}")]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("read the trajectory {path}, line {line}: {message}")]
    Read {
        path: PathBuf,
        line: usize,
        message: String,
    },
}

/// Numbers, times, writes and counts the events of one trial.
///
/// The file is flushed after each event, so what a killed harness leaves can be
/// read; the lock is held for one line only, so that tools may record from any task.
pub struct Recorder {
    path: PathBuf,
    started: Instant,
    state: Mutex<State>,
}

struct State {
    file: BufWriter<File>,
    hash: Sha256,
    chain: Chain,
    seq: u64,
    turns: u64,
    calls: u64,
    errors: u64,
}

/// The trajectory in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    pub turns: u64,
    pub tool_calls: u64,
    pub tool_errors: u64,
    /// Hex SHA-256 of the file.
    pub sha256: String,
    /// The end of the chain: hex SHA-256 of the last line.
    pub head: String,
}

impl Recorder {
    /// Creates the file, of no trial in particular; times count from now.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path) -> Result<Self, RecorderError> {
        Self::of_trial(path, "")
    }

    /// Creates the file of a trial, whose name its chain begins with.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn of_trial(path: &Path, trial: &str) -> Result<Self, RecorderError> {
        let file = File::create(path).map_err(|source| RecorderError::Write {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            started: Instant::now(),
            state: Mutex::new(State {
                file: BufWriter::new(file),
                hash: Sha256::new(),
                chain: Chain::of(trial),
                seq: 0,
                turns: 0,
                calls: 0,
                errors: 0,
            }),
        })
    }

    /// Appends an event; returns its number.
    pub fn record(&self, mut event: Event) -> Result<u64, RecorderError> {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        event.seq = state.seq;
        event.t_ms = self.started.elapsed().as_millis() as u64;
        match event.kind {
            EventKind::Assistant => state.turns += 1,
            EventKind::ToolCall => state.calls += 1,
            EventKind::ToolResult if event.ok == Some(false) => state.errors += 1,
            _ => {}
        }
        let fail = |source| RecorderError::Write {
            path: self.path.clone(),
            source,
        };
        event.prev = Some(state.chain.head().to_owned());
        let mut line = serde_json::to_vec(&event).map_err(|error| fail(error.into()))?;
        let linked = state.chain.after(&line);
        line.push(b'\n');
        state.file.write_all(&line).map_err(fail)?;
        state.file.flush().map_err(fail)?;
        state.hash.update(&line);
        state.chain = linked;
        state.seq += 1;
        Ok(event.seq)
    }

    /// Makes the file durable and sums it up.
    pub fn finish(&self) -> Result<Tally, RecorderError> {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let fail = |source| RecorderError::Write {
            path: self.path.clone(),
            source,
        };
        state.file.flush().map_err(fail)?;
        state.file.get_ref().sync_all().map_err(fail)?;
        let digest = state.hash.clone().finalize();
        Ok(Tally {
            turns: state.turns,
            tool_calls: state.calls,
            tool_errors: state.errors,
            sha256: hex(&digest),
            head: state.chain.head().to_owned(),
        })
    }
}

/// Reads a trajectory back, in order.
pub fn read_events(path: &Path) -> Result<Vec<Event>, RecorderError> {
    let fail = |line: usize, message: String| RecorderError::Read {
        path: path.to_owned(),
        line,
        message,
    };
    let file = File::open(path).map_err(|error| fail(0, error.to_string()))?;
    let mut events = Vec::new();
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| fail(index + 1, error.to_string()))?;
        events
            .push(serde_json::from_str(&line).map_err(|error| fail(index + 1, error.to_string()))?);
    }
    Ok(events)
}
