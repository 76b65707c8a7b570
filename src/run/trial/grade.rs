//! A prediction, verified as an agent's change would be: no agent acts.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, Interrupted, Verified};
use super::frame::Frame;
use super::predicted::Predicted;
use super::prepare::fault;
use super::record::Went;
use super::rounds::Part;
use super::{Shared, Trials};
use crate::agent::{self, Account};
use crate::record::{
    AgentRef, End, Fault, ModelRef, Outcome, PlannedTrial, Provenance, Reason, TaskId,
    TrajectorySummary, TrialRecord,
};
use crate::run::verdicts::{VerdictKey, Verdicts};
use crate::run::{Demand, Events, ExecuteTrial, Phase, PhaseClock, write_atomic};
use crate::score::Mishap;
use crate::tool::Toolbox;
use crate::trajectory::{Event, Recorder, RecorderError, Tally, read_events};
use crate::verify::Judged;
use crate::verify::official::{self, Came};

/// Where a prediction lies in its trial's folder, as it was made.
pub const PREDICTION: &str = "prediction.patch";

/// Verifies predictions.
pub struct Grade {
    trials: Trials,
    /// By instance and by whose they are.
    predictions: HashMap<(TaskId, String), Vec<u8>>,
    agents: Vec<AgentRef>,
    models: Vec<ModelRef>,
    cache: Verdicts,
    /// Whether a verdict that was kept is taken.
    reuses: bool,
}

impl Grade {
    /// `trials`: of the run that is graded into, with no agents; `cache`: where verdicts
    /// are kept; `reuses`: whether one that was kept before is taken.
    pub fn new(
        trials: Trials,
        predictions: HashMap<(TaskId, String), Vec<u8>>,
        cache: Verdicts,
        reuses: bool,
    ) -> Self {
        let run = &trials.run;
        Self {
            agents: run.agents.clone(),
            models: run.models.clone(),
            trials,
            predictions,
            cache,
            reuses,
        }
    }
}

#[async_trait]
impl ExecuteTrial for Grade {
    async fn execute(
        &self,
        planned: &PlannedTrial,
        dir: &Path,
        queued_ms: u64,
        events: &Events,
        cancel: &CancellationToken,
    ) -> Option<TrialRecord> {
        let trials = &self.trials;
        let shared = trials.tasks.get(&planned.task)?;
        let at_task = trials.at(shared).await;
        let record = self
            .verified(shared, planned, dir, queued_ms, events, cancel)
            .await;
        drop(at_task);
        trials.make_room(shared, events).await;
        record
    }

    fn demand(&self, planned: &PlannedTrial) -> Demand {
        self.trials.demand(planned)
    }
}

impl Grade {
    async fn verified(
        &self,
        shared: &Shared,
        planned: &PlannedTrial,
        dir: &Path,
        queued_ms: u64,
        events: &Events,
        cancel: &CancellationToken,
    ) -> Option<TrialRecord> {
        let trials = &self.trials;
        let model = planned.model.clone().unwrap_or_default();
        let patch = self.predictions.get(&(planned.task.clone(), model))?;
        let readied = shared.ready();
        let ready = trials.readied(&readied, shared, events, cancel).await?;
        match Frame::begin(trials, ready, planned, dir, queued_ms, events) {
            Ok(frame) => {
                let came = self.known_or_graded(&frame, patch, cancel).await;
                frame.end(came)
            }
            Err(record) => Some(*record),
        }
    }

    /// The verdict that was kept, else one that is made now and kept.
    async fn known_or_graded(
        &self,
        frame: &Frame<'_>,
        patch: &[u8],
        cancel: &CancellationToken,
    ) -> Result<TrialRecord, Result<Fault, Interrupted>> {
        let attempt = &frame.attempt;
        let (planned, dir, ready) = (attempt.planned, attempt.dir, attempt.ready);
        let settings = &self.trials.settings;
        let key = VerdictKey::new(&ready.task, &ready.image.id, patch, settings);
        let kept = self.reuses.then(|| self.cache.load(&key, dir)).flatten();
        if let Some(known) = kept.and_then(|known| attempt.as_known(known).ok()) {
            return Ok(self.by_whom(planned, known));
        }
        let record = tokio::select! {
            record = attempt.grade(patch, &frame.clock) => record.map_err(Ok)?,
            () = cancel.cancelled() => return Err(Err(Interrupted)),
        };
        let mut record = self.by_whom(planned, record);
        if is_lasting(&record)
            && let Err(error) = self.cache.store(&key, dir, &record)
        {
            record
                .warnings
                .push(format!("the verdict was not kept: {error}"));
        }
        Ok(record)
    }

    /// The record, of whoever made the prediction.
    fn by_whom(&self, planned: &PlannedTrial, record: TrialRecord) -> TrialRecord {
        let mut agents = self.agents.iter();
        let agent = agents.find(|agent| agent.name == planned.agent).cloned();
        let model = planned.model.as_ref().and_then(|id| {
            let mut models = self.models.iter();
            models.find(|model| model.id == *id).cloned()
        });
        TrialRecord {
            agent: agent.unwrap_or(record.agent),
            model,
            ..record
        }
    }
}

/// Whether a verdict would be the same another time: how fast a machine was, or what it
/// failed at, is none of the patch's.
fn is_lasting(record: &TrialRecord) -> bool {
    let late = record.verdict.reason == Some(Reason::VerifierTimeout);
    record.outcome != Outcome::Error && !late
}

impl Attempt<'_> {
    async fn grade(&self, patch: &[u8], clock: &PhaseClock) -> Result<TrialRecord, Fault> {
        let host = |error: &dyn std::fmt::Display| Fault {
            class: "host".into(),
            ..fault("capture", error)
        };
        self.enter(clock, Phase::Capture, "");
        write_atomic(&self.dir.join(PREDICTION), patch).map_err(|error| host(&error))?;
        let (tally, events) = self.nobody_acted().map_err(|error| host(&error))?;
        let part = Part {
            ready: self.ready,
            dir: self.dir,
            last: true,
        };
        let mut warnings = self.ready.warnings.clone();
        let (judged, mishap, touched) = self.grade_part(part, patch, clock, &mut warnings).await?;
        clock.enter(Phase::Harness);
        let begins = self.ready.tree_path.as_str();
        let toolbox = Toolbox::of(&self.ready.task.tools).map_err(|error| host(&error))?;
        let went = Went {
            end: End::Done,
            tally,
            judged,
            mishap,
            steps: Vec::new(),
            tools: self.judged_calls(&events, Some(&touched), begins),
            account: Arc::new(Account::default()),
            toolbox: Arc::new(toolbox),
            warnings,
        };
        let nobody = agent::nop();
        Ok(self.record(&nobody, went))
    }

    /// Verifies a prediction; also where it was stored with an earlier trial.
    pub(super) async fn grade_part(
        &self,
        part: Part<'_>,
        patch: &[u8],
        clock: &PhaseClock,
        warnings: &mut Vec<String>,
    ) -> Result<(Option<Judged>, Option<Mishap>, Vec<String>), Fault> {
        let scratch = self.trials.scratch()?;
        let trial = self.planned.trial.as_str();
        let predicted = self
            .trials
            .predicted(part.ready, patch, scratch.path(), trial, part.dir)
            .await?;
        self.enter(clock, Phase::Verify, "");
        let (reason, said) = match predicted {
            Predicted::Change(captured) => {
                captured.keep(part.dir).map_err(|error| Fault {
                    class: "host".into(),
                    ..fault("capture", &error)
                })?;
                let verified = self.verify(part, &captured, clock, warnings).await;
                return Ok(match verified {
                    Verified::Judged(judged) => (Some(*judged), None, captured.touched),
                    Verified::Mishap(mishap) => (None, Some(mishap), captured.touched),
                });
            }
            Predicted::Empty => (Reason::EmptyPatch, "the patch is empty".to_owned()),
            Predicted::DoesNotApply(said) => (
                Reason::PatchDoesNotApply,
                format!("the patch does not apply: {said}"),
            ),
        };
        let nothing = Judged::of_no_change(&part.ready.task).unresolved(reason, &said);
        let Some(asked) = self.trials.asked(part.ready) else {
            return Ok((Some(nothing), None, Vec::new()));
        };
        let logs = part.dir.join("verifier").join(official::FOLDER);
        let came = match reason {
            Reason::EmptyPatch => Ok(Came::EmptyPatch),
            _ => {
                let ready = part.ready;
                self.trials
                    .ask_official(ready, asked, patch, trial, &logs)
                    .await
            }
        };
        Ok(match came {
            Ok(came) => {
                let judged = asked.judge(&part.ready.task, Some(nothing), &came);
                (Some(judged), None, Vec::new())
            }
            Err(error) => (None, Some(Mishap::of_verifying(&error)), Vec::new()),
        })
    }

    /// A verdict that was made before, as this trial's.
    fn as_known(&self, known: TrialRecord) -> Result<TrialRecord, RecorderError> {
        let (tally, _) = self.nobody_acted()?;
        let verdict_of = format!("{}/{}", known.run, known.trial);
        Ok(TrialRecord {
            run: self.trials.run.run.clone(),
            trial: self.planned.trial.clone(),
            attempt: self.planned.attempt,
            task: self.task(),
            provenance: Provenance {
                verdict_of: Some(verdict_of),
                ..self.provenance()
            },
            trajectory: TrajectorySummary {
                sha256: tally.sha256,
                head: Some(tally.head),
                ..known.trajectory
            },
            manifest: None,
            ..known
        })
    }

    /// The trajectory of a trial in which nobody acts.
    fn nobody_acted(&self) -> Result<(Tally, Vec<Event>), RecorderError> {
        let path = self.dir.join("trajectory.jsonl");
        let recorder = Recorder::of_trial(&path, self.planned.trial.as_str())?;
        recorder.record(Event::harness(
            "prediction",
            "a patch was given; nobody acted",
        ))?;
        let tally = recorder.finish()?;
        Ok((tally, read_events(&path)?))
    }
}
