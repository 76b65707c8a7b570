//! Is what is stored of a run what was stored, and does its outcome follow from it?
//!
//! Owns every check of `proofyard audit`, and what a check says. Changes nothing, and
//! needs neither engine nor network. Must not know how findings are shown.

mod files;
#[cfg(test)]
mod fixture;
mod line;
mod outcome;
#[cfg(test)]
mod tests;
mod trials;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::StoreError;
use super::journal::{self, Entry};
use super::lock::at_rest;
use super::manifest::{self, MANIFEST, Manifest, ReadError, SIGNATURE};
use super::signature::PublicKey;
use super::stored::{self, JOURNAL, TRIALS};
use crate::record::{RunId, RunRecord, TrialId};

/// What kind of check did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// A manifest is not as one is written.
    Manifest,
    /// Signature and manifest or key do not belong together.
    Signature,
    /// A file has other content than was put on record.
    Digest,
    /// A file is gone.
    Missing,
    /// Something lies there that nobody put on record.
    Foreign,
    /// A trajectory is not the chain that was recorded.
    Chain,
    /// Journal and trial do not agree.
    Journal,
    /// A record cannot be read, or disagrees with the files beside it.
    Record,
    /// An outcome does not follow from what is stored.
    Outcome,
}

/// A check that did not hold: where, what was expected, and what is there.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    pub check: Check,
    /// Relative to the run's folder.
    pub file: String,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialId>,
    pub expected: String,
    pub found: String,
}

/// Whose word a manifest is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    No,
    /// The signature is of this key (hex); whose key that is nobody asked.
    By(String),
    /// The signature is of the key that was asked for (hex).
    Verified(String),
}

/// An audit that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    pub run: RunId,
    /// Finished trials.
    pub trials: usize,
    /// Trials of the plan that are not finished.
    pub missing: usize,
    /// Files whose content was looked at, and their bytes.
    pub files: u64,
    pub bytes: u64,
    pub signed: Signed,
    /// Empty where everything holds.
    pub findings: Vec<Finding>,
    /// What a reader should know, and that is wrong with nothing.
    pub notes: Vec<String>,
}

/// Audits a run; `key` is whose signature is asked for, `progress` hears how many of
/// how many trials have been looked at.
///
/// # Errors
/// A run that cannot be read, and [`StoreError::Busy`] where somebody works on it.
pub fn audit(
    dir: &Path,
    key: Option<&PublicKey>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Audit, StoreError> {
    // What is half written proves nothing.
    at_rest(dir)?;
    let run = stored::read_plan(dir)?;
    let path = dir.join(JOURNAL);
    let (entries, torn) =
        journal::read_entries(&path).map_err(|source| StoreError::Read { path, source })?;
    let mut auditor = Auditor::new(dir, &run, entries);
    auditor.manifest(key)?;
    auditor.journal(torn);
    auditor.files(progress)?;
    auditor.trials()?;
    Ok(auditor.end())
}

/// An audit under way.
struct Auditor<'a> {
    dir: &'a Path,
    run: &'a RunRecord,
    entries: Vec<Entry>,
    /// The last line of each trial, by its place in `entries`.
    last: BTreeMap<TrialId, usize>,
    /// The run's manifest, where there is one that can be read.
    manifest: Option<Manifest>,
    /// The trials' own, with their digests.
    own: BTreeMap<TrialId, (Manifest, manifest::FileDigest)>,
    /// Trials that were finished after the run's manifest had been written.
    newer: BTreeSet<String>,
    planned: BTreeSet<String>,
    /// Trials with a folder.
    finished: usize,
    files: u64,
    bytes: u64,
    signed: Signed,
    findings: Vec<Finding>,
    notes: Vec<String>,
}

impl<'a> Auditor<'a> {
    fn new(dir: &'a Path, run: &'a RunRecord, entries: Vec<Entry>) -> Self {
        let mut last = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            if let Ok(record) = &entry.record {
                last.insert(record.trial.clone(), at);
            }
        }
        Self {
            dir,
            run,
            entries,
            last,
            manifest: None,
            own: BTreeMap::new(),
            newer: BTreeSet::new(),
            planned: run.trials.iter().map(|one| one.trial.to_string()).collect(),
            finished: 0,
            files: 0,
            bytes: 0,
            signed: Signed::No,
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn find(&mut self, check: Check, file: &str, expected: &str, found: &str) {
        self.find_at(check, file, None, expected, found);
    }

    fn find_at(
        &mut self,
        check: Check,
        file: &str,
        line: Option<usize>,
        expected: &str,
        found: &str,
    ) {
        let folder = file
            .strip_prefix(TRIALS)
            .and_then(|rest| rest.strip_prefix('/'));
        let trial = folder.and_then(|rest| rest.split('/').next());
        self.findings.push(Finding {
            check,
            file: file.to_owned(),
            line,
            trial: trial
                .filter(|trial| self.planned.contains(*trial))
                .map(TrialId::new),
            expected: expected.to_owned(),
            found: found.to_owned(),
        });
    }

    /// Where a trial's file lies, relative to the run.
    fn name(trial: &TrialId, file: &str) -> String {
        format!("{TRIALS}/{trial}/{file}")
    }

    /// The run's manifest and its signature.
    fn manifest(&mut self, key: Option<&PublicKey>) -> Result<(), StoreError> {
        let (manifest, bytes) = match manifest::read(self.dir) {
            Ok(read) => read,
            Err(ReadError::Io(source)) => {
                let path = self.dir.join(MANIFEST);
                return Err(StoreError::Read { path, source });
            }
            Err(ReadError::Missing) => {
                let none =
                    "none: it was removed, or the run was cut off (`proofyard resume` writes it)";
                self.find(Check::Missing, MANIFEST, "the manifest of the run", none);
                return Ok(());
            }
            Err(ReadError::Odd(odd)) => {
                self.find(
                    Check::Manifest,
                    MANIFEST,
                    "a manifest as it is written",
                    &odd,
                );
                return Ok(());
            }
        };
        if manifest.run != self.run.run {
            let (expected, found) = (self.run.run.as_str(), manifest.run.as_str());
            self.find(Check::Manifest, MANIFEST, expected, found);
        }
        self.signature(&manifest, &bytes, key)?;
        let covered = manifest.files.get(JOURNAL).map_or(0, |entry| entry.size);
        self.newer = manifest::newer(&self.entries, covered);
        if !self.newer.is_empty() {
            let count = stored::plural(self.newer.len(), "trial");
            if key.is_some() {
                let found = format!("{count} finished after it was signed");
                self.find(Check::Signature, MANIFEST, "the whole run", &found);
            }
            self.notes.push(format!(
                "{count} finished after the manifest was written and rest on the journal and their own manifests; `proofyard resume` writes it anew"
            ));
        }
        self.manifest = Some(manifest);
        Ok(())
    }

    fn signature(
        &mut self,
        manifest: &Manifest,
        bytes: &[u8],
        key: Option<&PublicKey>,
    ) -> Result<(), StoreError> {
        let Some(by) = &manifest.signed_by else {
            if let Some(key) = key {
                let expected = format!("a signature of the key {}", key.hex());
                self.find(Check::Signature, MANIFEST, &expected, "it is not signed");
            }
            return Ok(());
        };
        let path = self.dir.join(SIGNATURE);
        let signature = match manifest::read_plain(&path) {
            Ok(signature) => signature,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(StoreError::Read { path, source }),
        };
        let named = PublicKey::from_hex(by);
        let holds = named
            .as_ref()
            .is_some_and(|named| named.verifies(bytes, &signature));
        if !holds {
            let expected = format!("a signature of {MANIFEST} by the key {by}");
            let found = match signature.is_empty() {
                true => "none",
                false => "one that does not hold",
            };
            self.find(Check::Signature, SIGNATURE, &expected, found);
            return Ok(());
        }
        self.signed = match key {
            None => Signed::By(by.clone()),
            Some(key) if named.as_ref() == Some(key) => Signed::Verified(by.clone()),
            Some(key) => {
                let expected = format!("a signature of the key {}", key.hex());
                let found = format!("one of the key {by}");
                self.find(Check::Signature, SIGNATURE, &expected, &found);
                Signed::By(by.clone())
            }
        };
        Ok(())
    }

    fn end(mut self) -> Audit {
        match &self.signed {
            Signed::No => self.notes.push(
                "the run is not signed: this shows accidents and clumsy edits only, since whoever can write to its folder can write a manifest that fits; `proofyard run --sign KEY` signs one".into(),
            ),
            Signed::By(by) => self.notes.push(format!(
                "signed by the key {by}; whose key that is `--key PUBLIC.pem` checks"
            )),
            Signed::Verified(_) => {}
        }
        let missing = self.run.trials.len() - self.finished;
        if missing > 0 {
            let planned = self.run.trials.len();
            self.notes.push(format!(
                "{missing} of {planned} planned trials are not finished"
            ));
        }
        Audit {
            run: self.run.run.clone(),
            trials: self.finished,
            missing,
            files: self.files,
            bytes: self.bytes,
            signed: self.signed,
            findings: self.findings,
            notes: self.notes,
        }
    }
}
