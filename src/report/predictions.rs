//! A run's patches as predictions of the SWE-bench family, a file for each agent and model.
//!
//! Owns which trial is whose prediction, and what the files are called. Must not write.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::record::{Outcome, TrialRecord};
use crate::run::{PREDICTION, StoredRun, is_instance, trial_dir};
use crate::swebench::predictions::{MOST_PATCH, Prediction};

/// Which trials are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Predicting<'a> {
    /// None is every one; so is no model.
    pub agent: Option<&'a str>,
    pub model: Option<&'a str>,
    pub attempt: u32,
}

/// What one agent, with one model where it has one, predicts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Predicted {
    pub agent: String,
    pub model: Option<String>,
    /// In the order of the plan.
    pub all: Vec<Prediction>,
    /// How many of them are empty.
    pub empty: usize,
}

/// All that a run predicts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gathered {
    /// In the order of the plan; without those of which nothing is meant.
    pub by: Vec<Predicted>,
    /// Trials of which there is no prediction, and why; a sentence each.
    pub problems: Vec<String>,
}

impl Predicted {
    /// The file of these predictions, where `file` was asked for and there are several.
    pub fn file(&self, file: &Path) -> PathBuf {
        let whose = [Some(self.agent.as_str()), self.model.as_deref()];
        let whose: Vec<&str> = whose.into_iter().flatten().collect();
        let plain = |sign: char| match sign {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => sign,
            _ => '-',
        };
        let whose: String = whose.join("--").chars().map(plain).collect();
        let part = |part: Option<&std::ffi::OsStr>| {
            part.map_or_else(String::new, |part| part.to_string_lossy().into_owned())
        };
        let stem = part(file.file_stem());
        let end = match file.extension() {
            Some(end) => format!(".{}", end.to_string_lossy()),
            None => String::new(),
        };
        file.with_file_name(format!("{stem}.{whose}{end}"))
    }
}

/// Gathers the patches of the trials that are meant.
pub fn predictions(stored: &StoredRun, meant: Predicting<'_>) -> Gathered {
    let mut gathered = Gathered::default();
    let is_meant = |wanted: Option<&str>, name: Option<&str>| wanted.is_none() || wanted == name;
    for planned in &stored.run.trials {
        let model = planned.model.as_deref();
        if planned.attempt != meant.attempt
            || !is_meant(meant.agent, Some(&planned.agent))
            || !is_meant(meant.model, model)
        {
            continue;
        }
        let at = gathered
            .by
            .iter()
            .position(|by| by.agent == planned.agent && by.model == planned.model);
        let at = at.unwrap_or_else(|| {
            gathered.by.push(Predicted {
                agent: planned.agent.clone(),
                model: planned.model.clone(),
                ..Predicted::default()
            });
            gathered.by.len() - 1
        });
        let trial = &planned.trial;
        let mut records = stored.records.iter();
        let patch = match records.find(|record| record.trial == *trial) {
            None => Err("it is not finished".to_owned()),
            Some(_) if !is_instance(&planned.task) => {
                Err("its task is no instance of a data set".to_owned())
            }
            Some(record) => patch(&trial_dir(&stored.dir, trial), record),
        };
        match patch {
            Err(why) => gathered
                .problems
                .push(format!("{trial} has no prediction: {why}")),
            Ok(patch) => {
                let by = &mut gathered.by[at];
                by.empty += usize::from(patch.is_empty());
                by.all.push(Prediction {
                    instance_id: planned.task.to_string(),
                    model: Some(model.unwrap_or(&planned.agent).to_owned()),
                    patch: Some(patch),
                    line: by.all.len() + 1,
                });
            }
        }
    }
    gathered
}

/// The patch of a trial; of one without a change the empty one.
fn patch(dir: &Path, record: &TrialRecord) -> Result<String, String> {
    // What was graded is exported as it came.
    let graded = std::fs::File::open(dir.join(PREDICTION));
    let file = match graded.or_else(|_| std::fs::File::open(dir.join("change.patch"))) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(match (&record.error, record.outcome) {
                (Some(fault), _) => {
                    format!("it ended in an error in {}: {}", fault.phase, fault.message)
                }
                (None, Outcome::Error) => "it ended in an error".to_owned(),
                (None, _) => "no patch of it is stored".to_owned(),
            });
        }
        Err(error) => return Err(error.to_string()),
    };
    let mut bytes = Vec::new();
    let most = MOST_PATCH as u64;
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most {
        return Err(format!("its patch is larger than {} MiB", most >> 20));
    }
    String::from_utf8(bytes)
        .map_err(|_| "its patch is not UTF-8, which predictions have to be".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RunRecord;
    use crate::run::fixture::{RecordBuilder, agent, input, task};
    use crate::run::{PlanInput, plan};

    const PATCH: &str = "diff --git a/x b/x\n";

    /// Two instances, two agents, two attempts: of the first attempts of `oracle` one has a
    /// patch and one an empty one; `nop` has an error and nothing.
    fn stored() -> (tempfile::TempDir, StoredRun) {
        let tasks = [task("a__a-1"), task("a__a-2")];
        let run: RunRecord = plan(PlanInput {
            contenders: vec![agent("oracle"), agent("nop")],
            attempts: 2,
            ..input(&tasks)
        })
        .unwrap();
        let root = tempfile::tempdir().unwrap();
        let records = vec![
            RecordBuilder::of(&run, 0).build(),
            RecordBuilder::of(&run, 1).outcome(Outcome::Error).build(),
            RecordBuilder::of(&run, 2).build(),
        ];
        for (record, patch) in records.iter().zip([Some(PATCH), None, Some("")]) {
            let dir = trial_dir(root.path(), &record.trial);
            std::fs::create_dir_all(&dir).unwrap();
            if let Some(patch) = patch {
                std::fs::write(dir.join("change.patch"), patch).unwrap();
            }
        }
        let stored = StoredRun {
            dir: root.path().to_owned(),
            run,
            records,
            warnings: Vec::new(),
        };
        (root, stored)
    }

    fn first<'a>(agent: Option<&'a str>) -> Predicting<'a> {
        Predicting {
            agent,
            model: None,
            attempt: 1,
        }
    }

    #[test]
    fn each_agent_predicts_what_its_trials_left() {
        let (_root, stored) = stored();
        let gathered = predictions(&stored, first(None));
        let oracle = &gathered.by[0];
        let told: Vec<_> = oracle
            .all
            .iter()
            .map(|one| (one.instance_id.as_str(), one.patch.as_deref()))
            .collect();
        assert_eq!(told, [("a__a-1", Some(PATCH)), ("a__a-2", Some(""))]);
        assert_eq!(
            (oracle.empty, oracle.all[0].model.as_deref()),
            (1, Some("oracle"))
        );
        assert!(gathered.by[1].all.is_empty());
        assert_eq!(
            gathered.problems,
            [
                "a__a-1--nop--1 has no prediction: it ended in an error in sandbox: no such container",
                "a__a-2--nop--1 has no prediction: it is not finished",
            ]
        );
    }

    #[test]
    fn one_agent_may_be_meant() {
        let (_root, stored) = stored();
        let gathered = predictions(&stored, first(Some("oracle")));
        assert_eq!((gathered.by.len(), gathered.problems.len()), (1, 0));
        assert!(predictions(&stored, first(Some("loop"))).by.is_empty());
    }

    #[test]
    fn files_are_told_apart_by_who_predicts() {
        let by = Predicted {
            agent: "loop".into(),
            model: Some("some/model:1".into()),
            ..Predicted::default()
        };
        let file = by.file(Path::new("out/preds.jsonl"));
        assert_eq!(file, Path::new("out/preds.loop--some-model-1.jsonl"));
    }
}
