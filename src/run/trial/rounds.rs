//! A trial's rounds: the agent acts, its change is taken, the verifier judges it. A task
//! without steps has one; the steps of another follow each other in one world.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::attempt::{Attempt, Interrupted, Verified, left_behind, ours, refused};
use super::capture::Capture;
use super::live::is_live;
use super::prepare::{Ready, fault};
use super::steps;
use super::world::World;
use crate::agent::{Account, Agent};
use crate::record::{End, Fault, StepRecord};
use crate::run::{Phase, PhaseClock};
use crate::score::Mishap;
use crate::tool::Toolbox;
use crate::trajectory::{Event, Recorder, read_events};
use crate::verify::{Judged, below_least, judge_steps};

/// What all rounds of a trial share.
pub struct Stage<'a> {
    pub agent: &'a dyn Agent,
    pub world: &'a World,
    pub recorder: Arc<Recorder>,
    pub account: Arc<Account>,
    /// Without servers.
    pub own: Arc<Toolbox>,
    /// With what servers offered when they were first asked.
    pub offered: OnceLock<Arc<Toolbox>>,
    pub trajectory: PathBuf,
    pub scratch: PathBuf,
}

impl Stage<'_> {
    /// What is offered.
    pub fn toolbox(&self) -> &Arc<Toolbox> {
        self.offered.get().unwrap_or(&self.own)
    }
}

/// What a round is about.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The task, or one step of it.
    pub ready: &'a Ready,
    /// Where it is kept.
    pub dir: &'a Path,
    /// After it nothing of the agent's is needed any more.
    pub last: bool,
}

/// What came of one round.
struct Round {
    end: End,
    judged: Option<Judged>,
    mishap: Option<Mishap>,
    touched: Option<Vec<String>>,
    warnings: Vec<String>,
}

/// What came of all of them.
pub struct Came {
    pub end: End,
    pub judged: Option<Judged>,
    pub mishap: Option<Mishap>,
    pub touched: Option<Vec<String>>,
    pub steps: Vec<StepRecord>,
    pub warnings: Vec<String>,
}

impl Attempt<'_> {
    /// The one round of a task, or those of its steps.
    pub(super) async fn rounds(
        &self,
        stage: &Stage<'_>,
        clock: &PhaseClock,
    ) -> Result<Came, Result<Fault, Interrupted>> {
        if !self.ready.parts.is_empty() {
            return self.steps(stage, clock).await;
        }
        let part = Part {
            ready: self.ready,
            dir: self.dir,
            last: true,
        };
        let round = self.round(stage, part, clock).await?;
        Ok(Came {
            end: round.end,
            judged: round.judged,
            mishap: round.mishap,
            touched: round.touched,
            steps: Vec::new(),
            warnings: round.warnings,
        })
    }

    /// Step after step, until one falls below its least reward or gives no verdict.
    async fn steps(
        &self,
        stage: &Stage<'_>,
        clock: &PhaseClock,
    ) -> Result<Came, Result<Fault, Interrupted>> {
        let parts = &self.ready.parts;
        let mut came = Came {
            end: End::Done,
            judged: None,
            mishap: None,
            touched: None,
            steps: Vec::new(),
            warnings: Vec::new(),
        };
        for (index, ready) in parts.iter().enumerate() {
            let Some(step) = &ready.step else { continue };
            let dir = steps::folder(self.dir, &step.name);
            std::fs::create_dir_all(&dir).map_err(|error| Ok(host(&error)))?;
            let begun = Event::harness("step", format!("step `{}` begins", step.name));
            stage
                .recorder
                .record(begun)
                .map_err(|error| Ok(host(&error)))?;
            self.enter(clock, Phase::Sandbox, &step.name);
            let prepared = self.trials.begin_step(stage.world, ready).await;
            if let Err(refusal) = prepared.map_err(Ok)? {
                came.steps.push(steps::not_begun(&step.name, refusal));
                break;
            }
            let part = Part {
                ready,
                dir: &dir,
                last: index + 1 == parts.len(),
            };
            let round = self.round(stage, part, clock).await?;
            came.end = round.end;
            came.warnings.extend(round.warnings);
            if let Some(touched) = round.touched {
                // Each sees all that was changed until then.
                came.touched = Some(touched);
            }
            let mut record = steps::record(&step.name, &round.end, round.judged, &round.mishap);
            let fault = round.mishap.filter(|mishap| mishap.is_fault());
            let below = below_least(&record, &step.min_reward);
            let ends = fault.is_some() || record.evidence.is_none() || below.is_some();
            record.message = record.message.or(below);
            came.steps.push(record);
            came.mishap = came.mishap.or(fault);
            if ends {
                break;
            }
            if !part.last {
                let went_on = self.trials.go_on(stage.world, ready).await;
                went_on.map_err(Ok)?;
            }
        }
        let at = self.ready.task.verification.resolved_at;
        let basis = self.ready.steps_basis();
        came.judged = basis.map(|basis| judge_steps(&came.steps, basis, at));
        Ok(came)
    }

    async fn round(
        &self,
        stage: &Stage<'_>,
        part: Part<'_>,
        clock: &PhaseClock,
    ) -> Result<Round, Result<Fault, Interrupted>> {
        let host = |error: &dyn std::fmt::Display| Ok(host(error));
        let ended = self.session(stage, part, clock).await?;
        let (end, mut mishap) = (ended.end, ended.mishap);
        self.enter(clock, Phase::Capture, "");
        let tally = stage.recorder.finish().map_err(|error| host(&error))?;
        let events = read_events(&stage.trajectory).map_err(|error| host(&error))?;
        let trials = self.trials;
        // A time-out ends what the agent has running, whatever comes after.
        let stays = !part.last && end != End::Timeout;
        let captured = trials
            .capture_world(stage.world, part.ready, &stage.scratch, &events, stays)
            .await;
        let acted = tally.tool_calls > 0 || tally.turns > 0 || end == End::Done;
        let captured: Option<Capture> = match captured {
            Ok(Ok(captured)) => Some(captured),
            Ok(Err((reason, message))) => {
                mishap.get_or_insert(refused((reason, message)));
                None
            }
            Err(fault) => {
                mishap.get_or_insert(ours(fault, acted));
                None
            }
        };
        let (mut judged, mut warnings) = (None, ended.warnings);
        if let Some(captured) = &captured {
            captured.keep(part.dir).map_err(|error| host(&error))?;
            warnings.extend(captured.notes.iter().cloned());
            self.enter(clock, Phase::Verify, "");
            let stop = async {
                match part.last {
                    true => stage.world.stop().await,
                    false => Ok(()),
                }
            };
            let apart = stage.world.project.is_none();
            let (verified, stopped) = match is_live(&part.ready.task) {
                false if !apart => {
                    // Another sandbox takes the place of the agent's among the services.
                    let left = stage.world.leave().await;
                    let verified = self.verify(part, captured, clock, &mut warnings).await;
                    (verified, left.and(stop.await))
                }
                true => (
                    self.verify_in(stage.world, part, captured).await,
                    stop.await,
                ),
                // Nothing of the agent's is needed any more: its sandbox goes while the
                // verdict's comes.
                false => tokio::join!(self.verify(part, captured, clock, &mut warnings), stop),
            };
            match verified {
                Verified::Judged(verdict) => judged = Some(*verdict),
                Verified::Mishap(verifying) => {
                    mishap.get_or_insert(verifying);
                }
            }
            warnings.extend(stopped.err().map(left_behind));
        }
        Ok(Round {
            end,
            judged,
            mishap,
            touched: captured.map(|captured| captured.touched),
            warnings,
        })
    }
}

fn host(error: &dyn std::fmt::Display) -> Fault {
    Fault {
        class: "host".into(),
        ..fault("harness", error)
    }
}
