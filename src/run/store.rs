//! `runs/<run>/`: the one place that decides where a run is written.
//!
//! Owns the lock of a run, its plan on disk, its journal, and the way of a
//! finished trial: `trials/.partial-<trial>/` is written by the trial; when all of
//! it is durable it is renamed to `trials/<trial>/`, and only then the journal
//! gets its line. So a folder without a dot is a finished trial, and a kill at any
//! point loses none and counts none that was not. Must not know how a trial is
//! performed, nor when.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use nix::fcntl::Flock;

use super::disk::{remove_any, sync_folder, sync_tree, write_atomic};
use super::journal::Journal;
use super::lock::lock;
use super::manifest::{self, MANIFEST, Manifest, SIGNATURE};
use super::signature::Signer;
use super::stored::{self, JOURNAL, PLAN, RECORD, TRIALS};
use crate::record::{Outcome, PlannedTrial, RunId, RunRecord, TrialId, TrialRecord};

/// Where a trial writes until it is finished.
const PARTIAL: &str = ".partial-";
/// The record of an `error` that is being replaced by a later one.
const REPLACED: &str = ".replaced-";

/// A run that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the folder for runs {path} cannot be made or written: {source}")]
    Out { path: PathBuf, source: io::Error },
    #[error("there is already something at {path}")]
    Exists { path: PathBuf },
    #[error("another process works on {path}{owner}")]
    Busy { path: PathBuf, owner: String },
    #[error("{path} is not a run: it has no run.json")]
    NotARun { path: PathBuf },
    #[error("{path} has the schema `{found}`, and this version reads `{known}`")]
    Schema {
        path: PathBuf,
        found: String,
        known: &'static str,
    },
    #[error("{path} cannot be understood: {message}")]
    Malformed { path: PathBuf, message: String },
    #[error("read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{doing} {path}: {source}")]
    Write {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

impl StoreError {
    /// Whether there was no room: the disk is full, or a quota is.
    pub fn no_room(&self) -> bool {
        match self {
            StoreError::Out { source, .. } | StoreError::Write { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            _ => false,
        }
    }
}

pub(super) fn write_error(
    doing: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::Write {
        doing,
        path,
        source,
    }
}

/// A run that this process works on; nobody else does while it lives.
#[derive(Debug)]
pub struct RunStore {
    dir: PathBuf,
    run: RunRecord,
    finished: Vec<TrialRecord>,
    warnings: Vec<String>,
    /// Trials seal their folders from tasks of their own; only the journal is shared.
    journal: Mutex<Journal>,
    signer: Option<Signer>,
    /// An earlier manifest that what is stored no longer agrees with: it stays.
    disputed: bool,
    _lock: Flock<File>,
}

impl RunStore {
    /// Makes `<out>/<run>/` and freezes the plan there.
    ///
    /// # Errors
    /// [`StoreError::Out`] where the folder for runs cannot be written,
    /// [`StoreError::Exists`] where the run's name is taken.
    pub fn create(out: &Path, run: RunRecord) -> Result<Self, StoreError> {
        let out_error = |source| StoreError::Out {
            path: out.to_owned(),
            source,
        };
        fs::create_dir_all(out).map_err(out_error)?;
        let dir = out.join(run.run.as_str());
        fs::create_dir(&dir).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => StoreError::Exists { path: dir.clone() },
            _ => out_error(source),
        })?;
        let made = Self::fill(&dir, run).and_then(|store| {
            sync_folder(out).map_err(write_error("make durable", out))?;
            Ok(store)
        });
        if made.is_err() {
            // Nothing has run: a half-made folder would only be in the way.
            let _ = remove_any(&dir);
        }
        made
    }

    fn fill(dir: &Path, run: RunRecord) -> Result<Self, StoreError> {
        let lock = lock(dir)?;
        let trials = dir.join(TRIALS);
        fs::create_dir(&trials).map_err(write_error("make", &trials))?;
        let journal = dir.join(JOURNAL);
        let journal = Journal::create(&journal).map_err(write_error("make", &journal))?;
        let plan = dir.join(PLAN);
        write_json(&plan, &run).map_err(write_error("write", &plan))?;
        Ok(Self {
            dir: dir.to_owned(),
            run,
            finished: Vec::new(),
            warnings: Vec::new(),
            journal: Mutex::new(journal),
            signer: None,
            disputed: false,
            _lock: lock,
        })
    }

    /// Takes an interrupted run up again: cuts a torn journal line, adopts
    /// finished trials that have no line yet, removes unfinished ones.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where another process works on it,
    /// [`StoreError::NotARun`], [`StoreError::Schema`], [`StoreError::Malformed`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        if !dir.join(PLAN).exists() {
            return Err(StoreError::NotARun {
                path: dir.to_owned(),
            });
        }
        let lock = lock(dir)?;
        let run = stored::read_plan(dir)?;
        let trials = dir.join(TRIALS);
        fs::create_dir_all(&trials).map_err(write_error("make", &trials))?;
        sweep(&trials)?;
        // Before anything is mended or added: what changed until now was not ours.
        let disputed = manifest::disagreements(dir).map_err(|source| StoreError::Read {
            path: dir.join(MANIFEST),
            source,
        })?;
        let path = dir.join(JOURNAL);
        let (mut journal, lines) = Journal::open(&path).map_err(write_error("repair", &path))?;
        let mut warnings = lines.warnings;
        let merged = stored::merge(dir, &run, lines.records, &mut warnings);
        if !merged.adopted.is_empty() {
            warnings.push(format!(
                "{} finished before the last interruption and had no line in the journal; added",
                stored::plural(merged.adopted.len(), "trial")
            ));
            let append = journal.append(&lines_of(dir, &merged.adopted));
            append.map_err(write_error("append to", &path))?;
        }
        if !disputed.is_empty() {
            let path = dir.join(MANIFEST);
            warnings.push(format!(
                "{} no longer agrees with {}: it stays as it is, `proofyard audit` says more",
                path.display(),
                disputed.join(", ")
            ));
        }
        Ok(Self {
            dir: dir.to_owned(),
            run,
            finished: merged.records,
            warnings,
            journal: Mutex::new(journal),
            signer: None,
            disputed: !disputed.is_empty(),
            _lock: lock,
        })
    }

    /// Signs the run's manifest with this key.
    #[must_use]
    pub fn signed_by(self, signer: Option<Signer>) -> Self {
        Self { signer, ..self }
    }

    /// The run's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The frozen plan.
    pub fn run(&self) -> &RunRecord {
        &self.run
    }

    /// The run's name.
    pub fn id(&self) -> &RunId {
        &self.run.run
    }

    /// Trials that were finished when the run was opened, in the order of the plan.
    pub fn finished(&self) -> &[TrialRecord] {
        &self.finished
    }

    /// What `open` found and mended.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What is missing, in the order of the plan. A finished trial is finished,
    /// also where it ended in `error`; with `again` those in `error` are missing too.
    pub fn todo(&self, again: bool) -> Vec<PlannedTrial> {
        let done: std::collections::HashSet<&TrialId> = self
            .finished
            .iter()
            .filter(|record| !(again && record.outcome == Outcome::Error))
            .map(|record| &record.trial)
            .collect();
        let missing = |planned: &&PlannedTrial| !done.contains(&planned.trial);
        self.run.trials.iter().filter(missing).cloned().collect()
    }

    /// An empty folder for a trial to write to until it is finished.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn partial(&self, trial: &TrialId) -> Result<PathBuf, StoreError> {
        let partial = self.partial_path(trial);
        remove_any(&partial)
            .and_then(|()| fs::create_dir(&partial))
            .map_err(write_error("make", &partial))?;
        Ok(partial)
    }

    fn partial_path(&self, trial: &TrialId) -> PathBuf {
        self.dir.join(TRIALS).join(format!("{PARTIAL}{trial}"))
    }

    /// Removes what an unfinished trial wrote.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn discard(&self, trial: &TrialId) -> Result<(), StoreError> {
        let partial = self.partial_path(trial);
        remove_any(&partial).map_err(write_error("remove", &partial))
    }

    /// Finishes a trial: writes its record beside what it wrote and a manifest of
    /// both, makes all of it durable and gives it its name. From here on it is never lost; it is told
    /// of once [`RunStore::append`] has written its line.
    ///
    /// # Errors
    /// [`StoreError::Write`]; the trial is then unfinished, and what it wrote is
    /// still in its partial folder.
    pub fn seal(&self, record: &TrialRecord) -> Result<(), StoreError> {
        let partial = self.partial_path(&record.trial);
        let json = partial.join(RECORD);
        let mut bytes = serde_json::to_vec_pretty(record)
            .map_err(io::Error::from)
            .map_err(write_error("write", &json))?;
        bytes.push(b'\n');
        fs::write(&json, bytes).map_err(write_error("write", &json))?;
        let list = partial.join(MANIFEST);
        Manifest::of_trial(&partial, &self.run.run, &record.trial)
            .and_then(|manifest| fs::write(&list, manifest.bytes()?))
            .map_err(write_error("write", &list))?;
        sync_tree(&partial).map_err(write_error("make durable", &partial))?;
        let trials = self.dir.join(TRIALS);
        let named = trials.join(record.trial.as_str());
        let replaced = trials.join(format!("{REPLACED}{}", record.trial));
        let renamed = match fs::symlink_metadata(&named) {
            // An earlier `error` of this trial; if we are killed between the two
            // renames, `open` puts it back.
            Ok(_) => fs::rename(&named, &replaced).and_then(|()| fs::rename(&partial, &named)),
            Err(_) => fs::rename(&partial, &named),
        };
        renamed.map_err(write_error("name", &named))?;
        sync_folder(&trials).map_err(write_error("make durable", &trials))?;
        remove_any(&replaced).map_err(write_error("remove", &replaced))
    }

    /// Appends the journal lines of sealed trials, durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Write`]; the trials stay sealed, and `open` adopts them.
    pub fn append(&self, records: &[TrialRecord]) -> Result<(), StoreError> {
        let mut journal = self
            .journal
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let path = self.dir.join(JOURNAL);
        journal
            .append(&lines_of(&self.dir, records))
            .map_err(write_error("append to", &path))
    }

    /// Writes the run's manifest, signed where there is a key. To be called when
    /// nothing runs any more; without it the manifests of the trials and the journal
    /// hold what they hold.
    ///
    /// # Errors
    /// [`StoreError::Write`]; then the earlier manifest, if any, is still there.
    pub fn close(&self) -> Result<(), StoreError> {
        if self.disputed {
            return Ok(());
        }
        let (path, signature) = (self.dir.join(MANIFEST), self.dir.join(SIGNATURE));
        let bytes = Manifest::of_run(&self.dir, &self.run).and_then(|manifest| {
            let signed_by = self.signer.as_ref().map(Signer::public);
            let manifest = Manifest {
                signed_by,
                ..manifest
            };
            manifest.bytes()
        });
        let bytes = bytes.map_err(write_error("gather", &path))?;
        match &self.signer {
            Some(signer) => write_atomic(&signature, &signer.sign(&bytes)),
            None => remove_any(&signature),
        }
        .map_err(write_error("write", &signature))?;
        write_atomic(&path, &bytes).map_err(write_error("write", &path))
    }
}

/// The journal lines of sealed trials: each names the manifest of its folder.
fn lines_of(dir: &Path, records: &[TrialRecord]) -> Vec<TrialRecord> {
    let line = |record: &TrialRecord| {
        let folder = stored::trial_dir(dir, &record.trial);
        let manifest = manifest::read_plain(&folder.join(MANIFEST)).ok();
        TrialRecord {
            manifest: manifest.map(|bytes| manifest::FileDigest::of(&bytes).digest()),
            ..record.journal_line()
        }
    };
    records.iter().map(line).collect()
}

fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    write_atomic(path, &bytes)
}

/// Removes what unfinished trials left; puts a record back whose replacement was
/// not finished.
fn sweep(trials: &Path) -> Result<(), StoreError> {
    let entries = fs::read_dir(trials).map_err(write_error("read", trials))?;
    for entry in entries {
        let entry = entry.map_err(write_error("read", trials))?;
        let path = entry.path();
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if let Some(trial) = name.strip_prefix(REPLACED) {
            let named = trials.join(trial);
            let swept = if named.exists() {
                remove_any(&path)
            } else {
                fs::rename(&path, &named)
            };
            swept.map_err(write_error("tidy", &path))?;
        } else if name.starts_with(PARTIAL) {
            remove_any(&path).map_err(write_error("remove", &path))?;
        }
    }
    Ok(())
}
