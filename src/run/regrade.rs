//! What of a finished run can be verified anew, and the plan of that.
//!
//! Must not know how a verification is performed.

use std::path::Path;

use super::StoredRun;
use super::manifest::{FileDigest, MANIFEST, read_plain};
use super::stored::{read_trial, trial_dir};
use crate::record::{
    Digest, EngineRecord, HostRecord, Outcome, PlannedTask, Reason, RegradedRun, RunId, RunRecord,
    TrialId, TrialRecord,
};

/// A trial that cannot be verified anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub trial: TrialId,
    pub why: String,
}

/// A run of which nothing can be verified anew.
#[derive(Debug, thiserror::Error)]
pub enum NotRegraded {
    #[error("the run {run} has no finished trial whose change is stored{why}")]
    Nothing { run: RunId, why: String },
}

/// The plan of a regrade: every finished trial of the run whose change is stored, and
/// those that are left out. `tasks` are the run's tasks as they are now.
///
/// # Errors
/// [`NotRegraded::Nothing`].
pub fn regrade_plan(
    source: &StoredRun,
    run: RunId,
    tasks: Vec<PlannedTask>,
    host: HostRecord,
    engine: EngineRecord,
    settings: serde_json::Value,
) -> Result<(RunRecord, Vec<Left>), NotRegraded> {
    let (mut trials, mut left) = (Vec::new(), Vec::new());
    for planned in &source.run.trials {
        match stored(&source.dir, &planned.trial) {
            Ok(()) => trials.push(planned.clone()),
            Err(why) => left.push(Left {
                trial: planned.trial.clone(),
                why,
            }),
        }
    }
    if trials.is_empty() {
        let first = left.first();
        return Err(NotRegraded::Nothing {
            run: source.run.run.clone(),
            why: first.map_or_else(String::new, |left| format!(": {} {}", left.trial, left.why)),
        });
    }
    let changed = tasks.iter().filter_map(|now| {
        let then = source.run.tasks.iter().find(|then| then.name == now.name)?;
        (then.digest != now.digest).then(|| format!("the task {} changed since", now.name))
    });
    let manifest = read_plain(&source.dir.join(MANIFEST)).ok();
    let path = std::path::absolute(&source.dir).unwrap_or_else(|_| source.dir.clone());
    let record = RunRecord {
        run,
        created_at: super::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: std::env::args().collect(),
        host,
        engine,
        warnings: changed.collect(),
        tasks,
        trials,
        settings,
        regrades: Some(RegradedRun {
            run: source.run.run.clone(),
            path: path.display().to_string(),
            manifest: manifest.map(|bytes| -> Digest { FileDigest::of(&bytes).digest() }),
        }),
        ..source.run.clone()
    };
    Ok((record, left))
}

fn stored(run: &Path, trial: &TrialId) -> Result<(), String> {
    let dir = trial_dir(run, trial);
    if !dir.exists() {
        return Err("is not finished".to_owned());
    }
    let record = read_trial(&dir).map_err(|error| error.to_string())?;
    match was_captured(&record) {
        true => Ok(()),
        false if record.outcome == Outcome::Error => Err("ended in an error".to_owned()),
        false => Err("has no change that could be taken".to_owned()),
    }
}

/// Whether the agent's change was taken: what was verified was, and so was what broke
/// its verification.
fn was_captured(record: &TrialRecord) -> bool {
    let mishap = record.basis.as_ref().and_then(|one| one.mishap.as_ref());
    let verifying = mishap.is_some_and(|mishap| {
        mishap.phase == "verify" || mishap.reason == Some(Reason::BrokeVerifier)
    });
    record.verdict.evidence.is_some() || verifying
}
