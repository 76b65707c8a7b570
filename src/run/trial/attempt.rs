//! The attempt itself: the agent's world, the capture, the verdict's world.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use super::Trials;
use super::capture::{Capture, Refusal};
use super::prepare::{Ready, fault};
use super::pristine::Own;
use super::probe::Subject;
use super::record::Went;
use super::rounds::{Part, Stage};
use super::world::World;
use crate::agent::Agent;
use crate::record::{Fault, Outcome, PlannedTrial, TrialRecord};
use crate::run::{Events, Phase, PhaseClock, RunEvent};
use crate::sandbox::SandboxError;
use crate::score::{Cause, Mishap};
use crate::tool::Toolbox;
use crate::trajectory::{Recorder, read_events};
use crate::verify::{Judged, VerifyError};

/// One attempt of one agent at one task.
pub struct Attempt<'a> {
    pub(super) trials: &'a Trials,
    pub(super) ready: &'a Ready,
    pub(super) planned: &'a PlannedTrial,
    pub(super) dir: &'a Path,
    pub(super) events: &'a Events,
}

/// Interrupted: there is nothing to count.
pub struct Interrupted;

/// How the verification went.
pub(super) enum Verified {
    Judged(Box<Judged>),
    Mishap(Mishap),
}

impl<'a> Attempt<'a> {
    pub fn new(
        trials: &'a Trials,
        ready: &'a Ready,
        planned: &'a PlannedTrial,
        dir: &'a Path,
        events: &'a Events,
    ) -> Self {
        Self {
            trials,
            ready,
            planned,
            dir,
            events,
        }
    }

    /// Goes the whole way.
    pub(super) async fn perform(
        &self,
        agent: &dyn Agent,
        clock: &PhaseClock,
        cancel: &CancellationToken,
    ) -> Result<TrialRecord, Result<Fault, Interrupted>> {
        let trial = self.planned.trial.as_str();
        self.enter(clock, Phase::Sandbox, "");
        let world = tokio::select! {
            started = self.trials.world(self.ready, trial) => started,
            () = cancel.cancelled() => return Err(Err(Interrupted)),
        };
        let world = world.map_err(Ok)?;
        let went = tokio::select! {
            went = self.with_world(agent, &world, clock) => went,
            () = cancel.cancelled() => Err(Err(Interrupted)),
        };
        // Interrupted or not, nothing of it stays behind; after a verification it is
        // gone already.
        self.enter(clock, Phase::Teardown, "");
        let stopped = world.stop().await;
        let (mut record, scratch) = went?;
        drop(scratch);
        record.warnings.extend(stopped.err().map(left_behind));
        clock.enter(Phase::Harness);
        Ok(record)
    }

    async fn with_world(
        &self,
        agent: &dyn Agent,
        world: &World,
        clock: &PhaseClock,
    ) -> Result<(TrialRecord, tempfile::TempDir), Result<Fault, Interrupted>> {
        let host = |error: &dyn std::fmt::Display| {
            Ok(Fault {
                class: "host".into(),
                ..fault("harness", error)
            })
        };
        let scratch = self.trials.scratch().map_err(Ok)?;
        let path = self.dir.join("trajectory.jsonl");
        let recorder =
            Recorder::of_trial(&path, self.planned.trial.as_str()).map_err(|error| host(&error))?;
        let toolbox = Toolbox::of(&self.ready.task.tools).map_err(|error| {
            Ok(Fault {
                class: "task".into(),
                ..fault("agent", &error)
            })
        })?;
        let stage = Stage {
            agent,
            world,
            recorder: Arc::new(recorder),
            account: Arc::default(),
            own: Arc::new(toolbox),
            offered: OnceLock::new(),
            trajectory: path.clone(),
            scratch: scratch.path().to_owned(),
        };
        self.enter(clock, Phase::Sandbox, "");
        let begun = self.trials.begin(world, self.ready).await;
        begun.map_err(Ok)?;
        let came = self.rounds(&stage, clock).await?;
        clock.enter(Phase::Harness);
        let tally = stage.recorder.finish().map_err(|error| host(&error))?;
        let events = read_events(&path).map_err(|error| host(&error))?;
        let begins = self.ready.paths_begin(world.agent.workdir());
        let tools = self.judged_calls(&events, came.touched.as_deref(), begins);
        let mut warnings = self.ready.warnings.clone();
        warnings.extend(came.warnings);
        let went = Went {
            end: came.end,
            tally,
            judged: came.judged,
            mishap: came.mishap,
            steps: came.steps,
            tools,
            toolbox: stage.toolbox().clone(),
            account: stage.account,
            warnings,
        };
        Ok((self.record(agent, went), scratch))
    }

    /// Verifies where the agent worked.
    pub(super) async fn verify_in(
        &self,
        world: &World,
        part: Part<'_>,
        captured: &Capture,
    ) -> Verified {
        let place = match self.trials.place(part.ready, captured) {
            Ok(place) => place,
            Err(error) => return Verified::Mishap(Mishap::of_verifying(&error)),
        };
        let logs = part.dir.join("verifier");
        let judged = match std::fs::create_dir_all(&logs) {
            Ok(()) => {
                let sandbox = world.agent.as_ref();
                let place = place.going_on(!part.last);
                self.trials
                    .verify_live(sandbox, part.ready, &place, &logs)
                    .await
            }
            Err(source) => Err(VerifyError::Keep { path: logs, source }),
        };
        match judged {
            Ok(judged) => Verified::Judged(Box::new(judged)),
            Err(error) => Verified::Mishap(Mishap::of_verifying(&error)),
        }
    }

    pub(super) async fn verify(
        &self,
        part: Part<'_>,
        captured: &Capture,
        clock: &PhaseClock,
        warnings: &mut Vec<String>,
    ) -> Verified {
        let ready = part.ready;
        if let Some(asked) = self.trials.asked(ready) {
            return self
                .under_rules(asked, part, captured, clock, warnings)
                .await;
        }
        self.verify_strictly(part, captured, clock, warnings).await
    }

    /// Verifies by records of our own.
    pub(super) async fn verify_strictly(
        &self,
        part: Part<'_>,
        captured: &Capture,
        clock: &PhaseClock,
        warnings: &mut Vec<String>,
    ) -> Verified {
        let trial = self.planned.trial.as_str();
        let ready = part.ready;
        let place = match self.trials.place(ready, captured) {
            Ok(place) => place,
            Err(error) => return Verified::Mishap(Mishap::of_verifying(&error)),
        };
        let pristine = match self
            .trials
            .pristine(ready, captured, &place, Own::Stays, trial)
            .await
        {
            Ok(pristine) => pristine,
            Err(SandboxError::Guest(refusal)) => {
                return Verified::Mishap(refused((
                    crate::record::Reason::BrokeVerifier,
                    refusal.message,
                )));
            }
            Err(error) => return Verified::Mishap(ours(fault("verify", &error), true)),
        };
        let subject = Subject {
            ready,
            captured,
            place: &place,
            own: Own::Stays,
            trial,
        };
        let logs = part.dir.join("verifier");
        let judged = match std::fs::create_dir_all(&logs) {
            Ok(()) => {
                let judged = self.trials.judge(&pristine, subject, &logs).await;
                judged.map(|(judged, _)| judged)
            }
            Err(source) => Err(VerifyError::Keep { path: logs, source }),
        };
        self.enter(clock, Phase::Teardown, "");
        if let Err(error) = pristine.stop().await {
            warnings.push(format!(
                "the verifier's sandbox was not taken away: {error}"
            ));
        }
        let judged = match judged {
            Ok(judged) if judged.outcome == Outcome::Resolved && !ready.starts_main() => {
                self.enter(clock, Phase::Probes, "");
                let logs = part.dir.join("verifier/probe");
                let made = std::fs::create_dir_all(&logs);
                match made {
                    Ok(()) => {
                        let judged = self.trials.probed(subject, judged, &logs, warnings).await;
                        // Of a task that cannot be probed nothing is there.
                        let _ = std::fs::remove_dir(&logs);
                        Ok(judged)
                    }
                    Err(source) => Err(VerifyError::Keep { path: logs, source }),
                }
            }
            other => other,
        };
        match judged {
            Ok(judged) => Verified::Judged(Box::new(judged)),
            Err(error) => Verified::Mishap(Mishap::of_verifying(&error)),
        }
    }

    pub(super) fn enter(&self, clock: &PhaseClock, phase: Phase, detail: &str) {
        clock.enter(phase);
        self.events.send(RunEvent::TrialProgress {
            trial: self.planned.trial.clone(),
            phase: phase.name(),
            detail: detail.to_owned(),
            spent: None,
        });
    }
}

pub fn left_behind(error: SandboxError) -> String {
    format!("the agent's sandbox was not taken away: {error}")
}

/// What the agent's doing made impossible.
pub fn refused((reason, message): Refusal) -> Mishap {
    Mishap {
        cause: Cause::Agents(reason),
        acted: true,
        phase: "capture".to_owned(),
        message,
    }
}

/// A fault of the engine or the host.
pub fn ours(fault: Fault, acted: bool) -> Mishap {
    Mishap {
        cause: Cause::Ours {
            class: if fault.class == "host" {
                "host"
            } else {
                "engine"
            },
            retryable: fault.retryable,
        },
        acted,
        phase: fault.phase,
        message: fault.message,
    }
}
