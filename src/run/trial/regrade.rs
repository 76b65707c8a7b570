//! A finished trial, verified anew: its stored change takes the way of every other.
//!
//! No agent acts. The change, the calls and what the session cost are the stored
//! trial's; image, checkout, hidden files, rules and verdict are of now.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, Interrupted, Verified};
use super::frame::Frame;
use super::live::is_live;
use super::prepare::{Ready, fault};
use super::record::Went;
use super::rounds::Part;
use super::steps;
use super::stored_change::CHANGE_FILES;
use super::{PREDICTION, Trials};
use crate::agent::{self, Account};
use crate::record::{Fault, MishapRecord, PlannedTrial, Reason, StepRecord, TrialRecord};
use crate::run::manifest::{self, FileDigest, digest_file, read_plain};
use crate::run::{Demand, Events, ExecuteTrial, Phase, PhaseClock, read_trial, trial_dir};
use crate::score::{self, Mishap};
use crate::tool::Toolbox;
use crate::trajectory::{Event, Tally, head_of, read_events};
use crate::verify::{Judged, judge_steps};

const TRAJECTORY: &str = "trajectory.jsonl";

/// Verifies the stored changes of a run anew.
pub struct Regrade {
    trials: Trials,
    /// The run's folder.
    source: PathBuf,
}

impl Regrade {
    /// `trials`: of the new run, with no agents.
    pub fn new(trials: Trials, source: PathBuf) -> Self {
        Self { trials, source }
    }
}

#[async_trait]
impl ExecuteTrial for Regrade {
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
        let readied = shared.ready();
        let ready = trials.readied(&readied, shared, events, cancel).await?;
        let record = match Frame::begin(trials, ready, planned, dir, queued_ms, events) {
            Ok(frame) => {
                let source = trial_dir(&self.source, &planned.trial);
                let way = frame.attempt.regrade(&source, &frame.clock, cancel);
                let came = way.await;
                frame.end(came)
            }
            Err(record) => Some(*record),
        };
        drop(at_task);
        trials.make_room(shared, events).await;
        record
    }

    fn demand(&self, planned: &PlannedTrial) -> Demand {
        self.trials.demand(planned)
    }
}

/// What comes of verifying a stored trial again, beside its judgement.
#[derive(Default)]
struct Again {
    /// What was put on record of the stored trial's files.
    own: Option<manifest::Manifest>,
    steps: Vec<StepRecord>,
    touched: Vec<String>,
    warnings: Vec<String>,
}

impl Attempt<'_> {
    async fn regrade(
        &self,
        from: &Path,
        clock: &PhaseClock,
        cancel: &CancellationToken,
    ) -> Result<TrialRecord, Result<Fault, Interrupted>> {
        let host = |error: &dyn std::fmt::Display| {
            Ok(Fault {
                class: "host".into(),
                retryable: false,
                ..fault("capture", error)
            })
        };
        if is_live(&self.ready.task) {
            let live =
                "it was verified in the agent's own sandbox, which is gone: run the task again";
            return Err(Ok(Fault {
                class: "task".into(),
                retryable: false,
                ..fault("verify", &live)
            }));
        }
        let environment = &self.ready.task.environment;
        let separate = self.ready.task.verification.separate.is_some();
        if environment.services.is_some() && !separate {
            let gone = "it was verified beside the services that its agent used, which are gone: run the task again";
            return Err(Ok(Fault {
                class: "task".into(),
                retryable: false,
                ..fault("verify", &gone)
            }));
        }
        self.enter(clock, Phase::Capture, "");
        let source = read_trial(from).map_err(|error| host(&error))?;
        let mut warnings = self.ready.warnings.clone();
        let own = listed(from);
        let copied = copy(own.as_ref(), "", &[TRAJECTORY], from, self.dir);
        warnings.extend(copied.map_err(|error| host(&error))?);
        let path = self.dir.join(TRAJECTORY);
        let events = read_events(&path).map_err(|error| host(&error))?;
        let ready = self.ready;
        let workdir = self.workdir().await.map_err(Ok)?;
        let mut went = Again {
            own,
            ..Again::default()
        };
        let (judged, verifying) = tokio::select! {
            again = self.again(from, &source, &events, clock, &mut went) => again.map_err(Ok)?,
            () = cancel.cancelled() => return Err(Err(Interrupted)),
        };
        clock.enter(Phase::Harness);
        warnings.extend(went.warnings);
        let earlier = source
            .basis
            .as_ref()
            .and_then(|basis| basis.mishap.as_ref());
        let of_session = earlier.filter(|mishap| is_of_session(mishap));
        let begins = ready.paths_begin(&workdir);
        let touched = Some(went.touched.as_slice());
        let rules = &ready.task.tools;
        let toolbox = Toolbox::of(rules).map_err(|error| Ok(fault("capture", &error)))?;
        let summary = &source.trajectory;
        let went = Went {
            end: summary.end,
            tally: Tally {
                turns: summary.turns,
                tool_calls: summary.tool_calls,
                tool_errors: summary.tool_errors,
                sha256: summary.sha256.clone(),
                head: self.head(&path).map_err(|error| host(&error))?,
            },
            judged,
            mishap: of_session.map(score::mishap).or(verifying),
            steps: went.steps,
            tools: self.judged_calls(&events, touched, begins),
            account: Account::default().into(),
            toolbox: toolbox.into(),
            warnings,
        };
        // Who acted and what that cost is the stored trial's.
        let nobody = agent::oracle();
        let record = self.record(&nobody, went);
        Ok(TrialRecord {
            agent: source.agent,
            model: source.model,
            usage: source.usage,
            cost_microusd: source.cost_microusd,
            setup: source.setup,
            ..record
        })
    }

    /// The verification of what is stored, or of what is stored of each step.
    async fn again(
        &self,
        from: &Path,
        source: &TrialRecord,
        events: &[Event],
        clock: &PhaseClock,
        went: &mut Again,
    ) -> Result<(Option<Judged>, Option<Mishap>), Fault> {
        let Some(basis) = self.ready.steps_basis() else {
            return self
                .round_again(from, self.dir, self.ready, events, clock, went)
                .await;
        };
        for earlier in &source.steps {
            let named = |part: &&Ready| {
                let step = part.step.as_ref();
                step.is_some_and(|step| step.name == earlier.name)
            };
            let Some(part) = self.ready.parts.iter().find(named) else {
                let message = format!("the task has no step `{}` any more", earlier.name);
                return Err(Fault {
                    class: "task".into(),
                    retryable: false,
                    ..fault("verify", &message)
                });
            };
            // What could not be begun then left nothing.
            let Some(end) = earlier.end else {
                went.steps.push(earlier.clone());
                continue;
            };
            let (from, to) = (
                steps::folder(from, &earlier.name),
                steps::folder(self.dir, &earlier.name),
            );
            let (judged, mishap) = self
                .round_again(&from, &to, part, events, clock, went)
                .await?;
            went.steps
                .push(steps::record(&earlier.name, &end, judged, &mishap));
        }
        let at = self.ready.task.verification.resolved_at;
        Ok((Some(judge_steps(&went.steps, basis, at)), None))
    }

    async fn round_again(
        &self,
        from: &Path,
        to: &Path,
        ready: &Ready,
        events: &[Event],
        clock: &PhaseClock,
        went: &mut Again,
    ) -> Result<(Option<Judged>, Option<Mishap>), Fault> {
        let host = |error: &dyn std::fmt::Display| Fault {
            class: "host".into(),
            retryable: false,
            ..fault("capture", error)
        };
        self.enter(clock, Phase::Capture, "");
        std::fs::create_dir_all(to).map_err(|error| host(&error))?;
        let below = match &ready.step {
            Some(step) => format!("{}/", steps::below(&step.name)),
            None => String::new(),
        };
        let copied = copy(went.own.as_ref(), &below, &CHANGE_FILES, from, to);
        went.warnings.extend(copied.map_err(|error| host(&error))?);
        match read_plain(&to.join(PREDICTION)) {
            Ok(patch) => {
                let part = Part {
                    ready,
                    dir: to,
                    last: true,
                };
                let graded = self.grade_part(part, &patch, clock, &mut went.warnings);
                let (judged, mishap, touched) = graded.await?;
                went.touched = touched;
                return Ok((judged, mishap));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(host(&error)),
        }
        let scratch = self.trials.scratch()?;
        let captured = self
            .trials
            .stored_change(ready, from, events, scratch.path())
            .await?;
        self.enter(clock, Phase::Verify, "");
        let part = Part {
            ready,
            dir: to,
            last: true,
        };
        let verified = self
            .verify(part, &captured, clock, &mut went.warnings)
            .await;
        went.touched = captured.touched;
        Ok(match verified {
            Verified::Judged(judged) => (Some(*judged), None),
            Verified::Mishap(mishap) => (None, Some(mishap)),
        })
    }

    fn head(&self, trajectory: &Path) -> io::Result<String> {
        let bytes = std::fs::read(trajectory)?;
        Ok(head_of(self.planned.trial.as_str(), &bytes))
    }

    /// Where the agent's tool calls began.
    async fn workdir(&self) -> Result<String, Fault> {
        if let Some(workdir) = &self.ready.task.environment.workdir {
            return Ok(workdir.clone());
        }
        let config = self.trials.engine.image_config(&self.ready.image.id).await;
        let config = config.map_err(|error| fault("image", &error))?;
        Ok(config.workdir)
    }
}

/// What went wrong in the session stays; what went wrong in verifying is tried anew.
fn is_of_session(mishap: &MishapRecord) -> bool {
    mishap.phase != "verify" && mishap.reason != Some(Reason::BrokeVerifier)
}

/// The trial's own list of its files, where it can be read.
fn listed(trial: &Path) -> Option<manifest::Manifest> {
    manifest::read(trial).ok().map(|(own, _)| own)
}

/// Copies files of a stored trial, of which `below` leads to a step's; what is no longer
/// as it was put on record is told.
fn copy(
    own: Option<&manifest::Manifest>,
    below: &str,
    names: &[&str],
    from: &Path,
    to: &Path,
) -> io::Result<Vec<String>> {
    let mut warnings = Vec::new();
    for name in names {
        let (source, target) = (from.join(name), to.join(name));
        let shown = format!("{below}{name}");
        let expected: Option<FileDigest> = own.and_then(|own| own.files.get(&shown).cloned());
        match manifest::open_plain(&source) {
            Ok(mut file) => io::copy(&mut file, &mut std::fs::File::create(&target)?)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && expected.is_none() => {
                if *name == TRAJECTORY {
                    std::fs::write(&target, b"")?;
                }
                continue;
            }
            Err(error) => {
                let told = format!("read {}: {error}", source.display());
                return Err(io::Error::new(error.kind(), told));
            }
        };
        if own.is_some() && expected != Some(digest_file(&target, None)?) {
            warnings.push(format!(
                "{shown} of the stored trial is not what was put on record: `proofyard audit`"
            ));
        }
    }
    Ok(warnings)
}
