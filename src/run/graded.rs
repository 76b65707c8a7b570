//! What a run of predictions keeps beside its trials, and the official summaries.
//!
//! Owns `predictions.jsonl` of a run, so that it can be resumed without the file that it
//! began with, and the summaries below `derived/official/` of every run that asks official
//! rules. Must not know how a prediction is
//! verified.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::Path;

use super::disk::write_atomic;
use super::manifest::DERIVED;
use super::stored::{GIVEN, StoredRun, trial_dir};
use crate::record::{OfficialRecord, Outcome, Reason, RunRecord, TaskId, TrialRecord};
use crate::swebench::Rules;
use crate::swebench::grade::{Infra, classify};
use crate::swebench::predictions::{self, Prediction, PredictionError, write_jsonl};
use crate::swebench::report::{Fate, Submission, Summary, summary_file};

/// The agent that predictions act as.
pub const PREDICTIONS: &str = "predictions";
/// Whose predictions are that name no model.
pub const NO_MODEL: &str = "None";
/// Most bytes of a log that is looked into for what its environment did.
const MOST_LOG: u64 = 64 << 20;

/// Keeps the predictions that a run verifies in its folder.
///
/// # Errors
/// What the file system refuses.
pub fn keep_predictions<'a>(
    run: &Path,
    predictions: impl IntoIterator<Item = &'a Prediction>,
) -> io::Result<()> {
    let mut text = Vec::new();
    write_jsonl(&mut text, predictions)?;
    write_atomic(&run.join(GIVEN), &text)
}

/// The predictions that a run keeps, by instance and by whose they are.
///
/// # Errors
/// A file that is not there or is damaged.
pub fn kept_predictions(run: &Path) -> Result<HashMap<(TaskId, String), Vec<u8>>, PredictionError> {
    Ok(by_trial(&predictions::read(&run.join(GIVEN))?.all))
}

/// Patches by instance and by whose they are; what is null is empty.
pub fn by_trial(predictions: &[Prediction]) -> HashMap<(TaskId, String), Vec<u8>> {
    let all = predictions.iter().map(|prediction| {
        let model = prediction
            .model
            .clone()
            .unwrap_or_else(|| NO_MODEL.to_owned());
        let key = (TaskId::new(&prediction.instance_id), model);
        let patch = prediction.patch.clone().unwrap_or_default();
        (key, patch.into_bytes())
    });
    all.collect()
}

/// Writes the official summary of first attempts, of each agent and model that took part:
/// `derived/official/<whose>.<run>.json` in the run's folder. It is over all instances
/// that were meant, those without a prediction too. The names of what was written, none
/// where no official rules were asked.
///
/// # Errors
/// What the file system refuses.
pub fn official_summaries(stored: &StoredRun) -> io::Result<Vec<String>> {
    type Contender<'a> = (&'a str, Option<&'a str>);
    let mut by: BTreeMap<Contender<'_>, (Option<Rules>, BTreeMap<String, Submission>)> =
        BTreeMap::new();
    for record in stored.records.iter().filter(|record| record.attempt == 1) {
        let Some(official) = &record.verdict.official else {
            continue;
        };
        let model = record.model.as_ref().map(|model| model.id.as_str());
        let of = by.entry((record.agent.name.as_str(), model)).or_default();
        of.0 = Rules::named(&official.rules);
        let submission = Submission {
            fate: fate(record, official),
            infra: match official.resolved {
                true => None,
                false => infra(&trial_dir(&stored.dir, &record.trial)),
            },
        };
        of.1.insert(record.task.name.to_string(), submission);
    }
    let instances = instances(&stored.run);
    let mut written = Vec::new();
    for ((agent, model), (rules, submitted)) in &by {
        let rules = rules.unwrap_or(Rules::V5_0);
        // As predictions are named, but that two agents may share a model here.
        let whose = match model {
            None => (*agent).to_owned(),
            Some(model) if by.keys().filter(|other| other.1 == Some(model)).count() > 1 => {
                format!("{agent}__{model}")
            }
            Some(model) => (*model).to_owned(),
        };
        let Ok(name) = summary_file(Some(&whose), stored.run.run.as_str()) else {
            continue;
        };
        let summary = Summary::of(rules, instances.iter().copied(), submitted);
        let folder = stored.dir.join(DERIVED).join("official");
        std::fs::create_dir_all(&folder)?;
        write_atomic(&folder.join(&name), summary.text().as_bytes())?;
        written.push(format!("{DERIVED}/official/{name}"));
    }
    Ok(written)
}

/// The instances that a run is about: those that were asked for, or those that it plans.
fn instances(run: &RunRecord) -> Vec<&str> {
    if let Some(grades) = &run.grades {
        return grades.instances.iter().map(String::as_str).collect();
    }
    let mut seen = BTreeSet::new();
    let tasks = run.trials.iter().map(|trial| &trial.task);
    let of_set = tasks.filter(|task| is_instance(task));
    of_set
        .map(TaskId::as_str)
        .filter(|id| seen.insert(*id))
        .collect()
}

/// Whether a task is an instance of a data set; every other has a name with a folder.
pub fn is_instance(task: &TaskId) -> bool {
    !task.as_str().contains('/')
}

fn fate(record: &TrialRecord, official: &OfficialRecord) -> Fate {
    match (official.resolved, &official.report, record.verdict.reason) {
        (true, ..) => Fate::Resolved,
        (false, Some(_), _) => Fate::Unresolved,
        (false, None, Some(Reason::EmptyPatch)) => Fate::EmptyPatch,
        (false, None, _) if record.outcome != Outcome::Error && says_empty(official) => {
            Fate::EmptyPatch
        }
        (false, None, _) => Fate::Error,
    }
}

fn says_empty(official: &OfficialRecord) -> bool {
    official.reason.as_deref() == Some("the patch is empty")
}

/// What the logs say of the environment.
fn infra(trial: &Path) -> Option<Infra> {
    let folder = trial.join("verifier/official");
    let read = |name: &str| {
        let path = folder.join(name);
        let small = std::fs::metadata(&path).is_ok_and(|meta| meta.len() <= MOST_LOG);
        small
            .then(|| std::fs::read(&path).ok())
            .flatten()
            .unwrap_or_default()
    };
    let (output, log) = (read("test_output.txt"), read("run_instance.log"));
    classify(&[&output, &log])
}
