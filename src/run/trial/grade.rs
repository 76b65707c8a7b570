//! A prediction, verified as an agent's change would be: no agent acts.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, Interrupted, Verified};
use super::capture::Capture;
use super::prepare::{Ready, fault};
use super::record::Went;
use super::rounds::Part;
use super::{Shared, Trials, now};
use crate::agent::{self, Account};
use crate::record::{
    AgentRef, End, Fault, HostLoad, ModelRef, Outcome, PlannedTrial, Reason, Sees, TaskId, Timing,
    TrajectorySummary, TrialRecord,
};
use crate::repo::Changed;
use crate::run::verdicts::{VerdictKey, Verdicts};
use crate::run::{
    Demand, Events, ExecuteTrial, Phase, PhaseClock, fault_record, host_load, write_atomic,
};
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::{Role, Sandbox, SandboxSpec};
use crate::score::Mishap;
use crate::swebench::predictions::mended;
use crate::tool::Toolbox;
use crate::trajectory::{Event, Recorder, RecorderError, Tally, read_events};
use crate::verify::official::{self, Came, Refused};
use crate::verify::{Judged, VerifyError};

/// Where a prediction lies in its trial's folder, as it was made.
pub const PREDICTION: &str = "prediction.patch";

/// Verifies predictions.
pub struct Grade {
    trials: Trials,
    /// By instance and by whose they are.
    predictions: HashMap<(TaskId, String), Vec<u8>>,
    agents: Vec<AgentRef>,
    models: Vec<ModelRef>,
    cache: Option<Verdicts>,
}

impl Grade {
    /// `trials`: of the run that is graded into, with no agents; `cache`: where verdicts
    /// are kept, none where each is to be made.
    pub fn new(
        trials: Trials,
        predictions: HashMap<(TaskId, String), Vec<u8>>,
        cache: Option<Verdicts>,
    ) -> Self {
        let run = &trials.run;
        Self {
            agents: run.agents.clone(),
            models: run.models.clone(),
            trials,
            predictions,
            cache,
        }
    }

    async fn graded(
        &self,
        attempt: &Attempt<'_>,
        patch: &[u8],
        clock: &PhaseClock,
        cancel: &CancellationToken,
    ) -> Result<TrialRecord, Result<Fault, Interrupted>> {
        let planned = attempt.planned;
        let record = tokio::select! {
            record = attempt.grade(patch, clock) => record.map_err(Ok)?,
            () = cancel.cancelled() => return Err(Err(Interrupted)),
        };
        Ok(TrialRecord {
            agent: self.agent(planned).unwrap_or(record.agent),
            model: self.model(planned),
            ..record
        })
    }

    fn agent(&self, planned: &PlannedTrial) -> Option<AgentRef> {
        let mut agents = self.agents.iter();
        agents.find(|agent| agent.name == planned.agent).cloned()
    }

    fn model(&self, planned: &PlannedTrial) -> Option<ModelRef> {
        let id = planned.model.as_ref()?;
        self.models.iter().find(|model| model.id == *id).cloned()
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
        let ready = tokio::select! {
            ready = readied.get_or_init(|| trials.prepare(shared, events)) => ready,
            () = cancel.cancelled() => return None,
        };
        let (started_at, clock) = (now(), PhaseClock::start(queued_ms));
        let load = host_load();
        let failed = |fault: Fault, timing: Timing| {
            let started_at = started_at.clone();
            fault_record(&trials.run, planned, dir, fault, timing, started_at)
        };
        let ready = match ready {
            Ok(ready) => ready,
            Err(fault) => return Some(failed(fault.clone(), Timing::default())),
        };
        let attempt = Attempt::new(trials, ready, planned, dir, events);
        let key = VerdictKey::new(&ready.task, &ready.image.id, patch, &trials.settings);
        let cached = self.cache.as_ref().and_then(|cache| cache.load(&key, dir));
        let cached = cached.and_then(|known| attempt.as_known(known).ok());
        let mut record = match cached {
            Some(known) => TrialRecord {
                agent: self.agent(planned).unwrap_or(known.agent),
                model: self.model(planned),
                ..known
            },
            None => match self.graded(&attempt, patch, &clock, cancel).await {
                Ok(record) => record,
                Err(Ok(fault)) => {
                    let mut record = failed(fault, clock.finish());
                    record.task = attempt.task();
                    record.provenance = attempt.provenance();
                    return Some(record);
                }
                Err(Err(Interrupted)) => return None,
            },
        };
        if let (Some(cache), true) = (&self.cache, is_lasting(&record))
            && let Err(error) = cache.store(&key, dir, &record)
        {
            record
                .warnings
                .push(format!("the verdict was not kept: {error}"));
        }
        record.timing_ms = clock.finish();
        let after = host_load();
        record.host = HostLoad {
            load: after.load,
            steal: after.steal_since(&load),
        };
        (record.started_at, record.finished_at) = (started_at, now());
        Some(record)
    }
}

/// Whether a verdict would be the same another time: how fast a machine was, or what it
/// failed at, is none of the patch's.
fn is_lasting(record: &TrialRecord) -> bool {
    let late = record.verdict.reason == Some(Reason::VerifierTimeout);
    record.outcome != Outcome::Error && !late
}

/// A prediction as a change.
enum Predicted {
    Empty,
    Change(Box<Capture>),
    /// No way to apply it did; what the last one said.
    DoesNotApply(String),
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
        let mut warnings = known.warnings;
        warnings.push(format!(
            "the verdict is that of {} in {}, of the same patch, image, tests and rules (--no-cache makes it anew)",
            known.trial, known.run
        ));
        Ok(TrialRecord {
            run: self.trials.run.run.clone(),
            trial: self.planned.trial.clone(),
            attempt: self.planned.attempt,
            task: self.task(),
            provenance: self.provenance(),
            trajectory: TrajectorySummary {
                sha256: tally.sha256,
                head: Some(tally.head),
                ..known.trajectory
            },
            manifest: None,
            warnings,
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

impl Trials {
    /// The change that a prediction makes: by this host where it fits exactly, else by the
    /// ways of the official harness in a sandbox, one after the other. A final newline
    /// that is missing is mended.
    async fn predicted(
        &self,
        ready: &Ready,
        given: &[u8],
        scratch: &Path,
        trial: &str,
        logs: &Path,
    ) -> Result<Predicted, Fault> {
        if given.is_empty() {
            return Ok(Predicted::Empty);
        }
        let text = String::from_utf8_lossy(given);
        let patch = mended(&text).into_owned().into_bytes();
        let of_task = |message: &str| Fault {
            class: "task".into(),
            retryable: false,
            ..fault("capture", &message)
        };
        let by_patch = ready.task.verification.sees == Sees::Patch;
        let Some(tree) = ready.tree.clone().filter(|_| by_patch) else {
            return Err(of_task("a prediction is a patch, and the task has no repo"));
        };
        let (root, folder, whole) = (ready.tree_path.clone(), scratch.to_owned(), patch.clone());
        let applying = tokio::task::spawn_blocking(move || {
            let changed = Changed::from_patch(&tree, &whole, &folder)?;
            Capture::of_changed(changed, whole, true, &root)
        });
        let applied = applying.await.map_err(|error| fault("capture", &error))?;
        if let Ok(mut captured) = applied {
            captured.predicted = Some(given.to_vec());
            return Ok(Predicted::Change(Box::new(captured)));
        }
        let spec = SandboxSpec {
            user: Some("root".into()),
            ..self.spec(ready, trial, Role::Verifier)
        };
        let sandbox = DockerSandbox::start(&self.engine, &spec).await;
        let sandbox = sandbox.map_err(|error| fault("capture", &error))?;
        let applied = self
            .applied_in(&sandbox, ready, &patch, scratch, logs)
            .await;
        let stopped = sandbox.stop().await;
        let applied = applied?;
        stopped.map_err(|error| fault("teardown", &error))?;
        Ok(match applied {
            Ok(mut captured) => {
                captured.predicted = Some(given.to_vec());
                Predicted::Change(Box::new(captured))
            }
            Err(said) => Predicted::DoesNotApply(said),
        })
    }

    async fn applied_in(
        &self,
        sandbox: &DockerSandbox,
        ready: &Ready,
        patch: &[u8],
        scratch: &Path,
        logs: &Path,
    ) -> Result<Result<Capture, String>, Fault> {
        let rules = self.settings.swebench.version;
        let logs = logs.join("verifier");
        std::fs::create_dir_all(&logs).map_err(|error| fault("capture", &error))?;
        match official::apply_alone(sandbox, rules, &ready.tree_path, patch, &logs).await {
            Ok(None) => {}
            Ok(Some(Refused(said))) => return Ok(Err(said)),
            Err(error @ VerifyError::Broke { .. }) => return Ok(Err(error.to_string())),
            Err(error) => return Err(fault("capture", &error)),
        }
        let captured = self.capture(sandbox, ready, scratch, false).await?;
        Ok(captured.map_err(|(_, said)| said))
    }
}
