//! Reads what lies in `runs/<run>/`, changing nothing.
//!
//! Owns the names of files in a run and how journal and trial folders are brought
//! together. Any process may read a run that another one writes.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{StoreError, journal};
use crate::record::{RUN_SCHEMA, RunRecord, TRIAL_SCHEMA, TrialId, TrialRecord};

pub(super) const PLAN: &str = "run.json";
pub(super) const JOURNAL: &str = "results.jsonl";
/// What a run of predictions verifies.
pub(super) const GIVEN: &str = "predictions.jsonl";
pub(super) const TRIALS: &str = "trials";
pub(super) const RECORD: &str = "trial.json";

/// A run as it lies on disk.
#[derive(Debug, Clone)]
pub struct StoredRun {
    pub dir: PathBuf,
    pub run: RunRecord,
    /// Finished trials in the order of the plan, one each: the last counts.
    pub records: Vec<TrialRecord>,
    /// What could not be understood.
    pub warnings: Vec<String>,
}

impl StoredRun {
    /// How many trials of the plan are not finished.
    pub fn missing(&self) -> usize {
        self.run.trials.len() - self.records.len()
    }
}

/// Reads a run.
///
/// # Errors
/// [`StoreError::NotARun`], [`StoreError::Schema`], [`StoreError::Malformed`],
/// [`StoreError::Read`].
pub fn read_run(dir: &Path) -> Result<StoredRun, StoreError> {
    let run = read_plan(dir)?;
    let path = dir.join(JOURNAL);
    let lines = journal::read(&path).map_err(|source| StoreError::Read { path, source })?;
    let mut warnings = lines.warnings;
    let merged = merge(dir, &run, lines.records, &mut warnings);
    Ok(StoredRun {
        dir: dir.to_owned(),
        run,
        records: merged.records,
        warnings,
    })
}

/// Reads the record of a trial from its folder.
///
/// # Errors
/// As [`read_run`]; a folder without `trial.json` is a [`StoreError::Read`].
pub fn read_trial(dir: &Path) -> Result<TrialRecord, StoreError> {
    let path = dir.join(RECORD);
    let record: TrialRecord = parse(&path)?;
    check_schema(&path, &record.schema, TRIAL_SCHEMA)?;
    Ok(record)
}

/// Where a finished trial of a run lies.
pub fn trial_dir(run: &Path, trial: &TrialId) -> PathBuf {
    run.join(TRIALS).join(trial.as_str())
}

pub(super) fn read_plan(dir: &Path) -> Result<RunRecord, StoreError> {
    let path = dir.join(PLAN);
    if !path.exists() {
        return Err(StoreError::NotARun {
            path: dir.to_owned(),
        });
    }
    let run: RunRecord = parse(&path)?;
    check_schema(&path, &run.schema, RUN_SCHEMA)?;
    Ok(run)
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    let bytes = std::fs::read(path).map_err(|source: io::Error| StoreError::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|error| StoreError::Malformed {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

fn check_schema(path: &Path, found: &str, known: &'static str) -> Result<(), StoreError> {
    if found == known {
        return Ok(());
    }
    Err(StoreError::Schema {
        path: path.to_owned(),
        found: found.to_owned(),
        known,
    })
}

/// Journal and folders, brought together.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// In the order of the plan.
    pub records: Vec<TrialRecord>,
    /// Those of `records` whose line is not in the journal.
    pub adopted: Vec<TrialRecord>,
}

/// The last journal line of each trial counts, but where its folder holds another
/// record that is the later one: the folder is named before the line is written.
pub(super) fn merge(
    dir: &Path,
    run: &RunRecord,
    lines: Vec<TrialRecord>,
    warnings: &mut Vec<String>,
) -> Merged {
    let mut journal: HashMap<TrialId, TrialRecord> = HashMap::new();
    for line in lines {
        journal.insert(line.trial.clone(), line);
    }
    let mut merged = Merged::default();
    for planned in &run.trials {
        let line = journal.remove(&planned.trial);
        let folder = trial_dir(dir, &planned.trial);
        let record = if folder.exists() {
            match read_trial(&folder) {
                Ok(record) if record.trial == planned.trial => Some(record),
                Ok(record) => {
                    let path = folder.display();
                    warnings.push(format!("{path} holds the trial {}; ignored", record.trial));
                    None
                }
                Err(error) => {
                    warnings.push(format!("{error}; ignored"));
                    None
                }
            }
        } else {
            None
        };
        match (line, record) {
            (Some(line), Some(record)) if same(&line, &record) => merged.records.push(line),
            (_, Some(record)) => {
                let line = record.journal_line();
                merged.adopted.push(line.clone());
                merged.records.push(line);
            }
            (Some(line), None) => merged.records.push(line),
            (None, None) => {}
        }
    }
    if !journal.is_empty() {
        warnings.push(format!(
            "the journal has {} that the plan does not know; ignored",
            plural(journal.len(), "trial")
        ));
    }
    merged
}

fn same(line: &TrialRecord, record: &TrialRecord) -> bool {
    line.started_at == record.started_at
        && line.finished_at == record.finished_at
        && line.outcome == record.outcome
}

/// `1 trial`, `3 trials`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
