//! Verdicts on predictions, kept so that the same question is answered once.
//!
//! Owns what makes a question the same: patch, image, tests, rules, limits, version. Must
//! not know how a verdict is made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::disk::write_atomic;
use crate::config::Settings;
use crate::record::{TrialRecord, hex};
use crate::task::Task;
use crate::verify::VERIFIER_VERSION;

/// The record beside a kept trial's files.
const RECORD: &str = "record.json";
/// Chained to its trial's name, and so another one in each.
const TRAJECTORY: &str = "trajectory.jsonl";
/// Enters every key: raise it when a kept verdict becomes another one.
const FORMAT: u32 = 1;

/// What a verdict depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictKey(String);

impl VerdictKey {
    /// Of a task, the image (by its id) that it is verified in, a patch, and the settings
    /// that a verdict hangs on.
    pub fn new(task: &Task, image: &str, patch: &[u8], settings: &Settings) -> Self {
        let of = serde_json::json!({
            "format": FORMAT,
            "verifier": VERIFIER_VERSION,
            "version": env!("CARGO_PKG_VERSION"),
            "task": task.digest,
            "image": image,
            "patch": hex(&Sha256::digest(patch)),
            "rules": settings.swebench.rules,
            "swebench": settings.swebench.version,
            "limits": settings.limits,
            "network": settings.run.network,
            "checked": settings.run.check,
            "times": settings.run.timeout_multiplier,
        });
        Self(hex(&Sha256::digest(of.to_string().as_bytes())))
    }
}

/// A folder of verdicts.
#[derive(Debug, Clone)]
pub struct Verdicts {
    dir: PathBuf,
}

impl Verdicts {
    /// `state`: the folder of this host's state.
    pub fn new(state: &Path) -> Self {
        Self {
            dir: state.join("verdicts"),
        }
    }

    /// The record of a verdict, with the files of its trial laid into `to`; none where it
    /// is not kept, or not whole.
    pub fn load(&self, key: &VerdictKey, to: &Path) -> Option<TrialRecord> {
        let home = self.dir.join(&key.0);
        let text = fs::read(home.join(RECORD)).ok()?;
        let record: TrialRecord = serde_json::from_slice(&text).ok()?;
        copy(&home.join("trial"), to).ok()?;
        Some(record)
    }

    /// Keeps a verdict with the files of its trial, instead of one that was kept before.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn store(&self, key: &VerdictKey, trial: &Path, record: &TrialRecord) -> io::Result<()> {
        let home = self.dir.join(&key.0);
        fs::create_dir_all(&self.dir)?;
        let part = tempfile::Builder::new()
            .prefix(".partial-")
            .tempdir_in(&self.dir)?;
        copy(trial, &part.path().join("trial"))?;
        let text = serde_json::to_vec_pretty(record)?;
        write_atomic(&part.path().join(RECORD), &text)?;
        let part = part.keep();
        match fs::remove_dir_all(&home) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let _ = fs::remove_dir_all(&part);
                return Err(error);
            }
            _ => {}
        }
        match fs::rename(&part, &home) {
            // Somebody else was faster.
            Err(_) if home.join(RECORD).is_file() => fs::remove_dir_all(&part),
            Err(error) => {
                let _ = fs::remove_dir_all(&part);
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }
}

/// Copies plain files and folders; whatever else lies there is none of a verdict's.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(from).follow_links(false) {
        let entry = entry.map_err(io::Error::from)?;
        let below = entry.path().strip_prefix(from).unwrap_or(entry.path());
        let to = match below.as_os_str().is_empty() {
            true => to.to_owned(),
            false => to.join(below),
        };
        if entry.file_type().is_dir() {
            fs::create_dir_all(&to)?;
        } else if entry.file_type().is_file() && entry.file_name() != TRAJECTORY {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::fixture::{RecordBuilder, plan_of};

    #[test]
    fn a_verdict_that_is_kept_comes_back_with_its_files_and_no_trajectory() {
        let state = tempfile::tempdir().unwrap();
        let (trial, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(trial.path().join("verifier")).unwrap();
        fs::write(trial.path().join("verifier/stdout.txt"), "ran").unwrap();
        fs::write(trial.path().join(TRAJECTORY), "{}").unwrap();
        let verdicts = Verdicts::new(state.path());
        let (key, other) = (VerdictKey("a".into()), VerdictKey("b".into()));
        let record = RecordBuilder::of(&plan_of(&["a"]), 0).build();
        verdicts.store(&key, trial.path(), &record).unwrap();
        assert_eq!(verdicts.load(&other, to.path()), None);
        assert_eq!(verdicts.load(&key, to.path()), Some(record));
        assert_eq!(
            fs::read(to.path().join("verifier/stdout.txt")).unwrap(),
            b"ran"
        );
        assert!(!to.path().join(TRAJECTORY).exists());
        // What was made anew takes its place.
        let again = RecordBuilder::of(&plan_of(&["a", "b"]), 1).build();
        verdicts.store(&key, trial.path(), &again).unwrap();
        assert_eq!(verdicts.load(&key, to.path()), Some(again));
    }
}
