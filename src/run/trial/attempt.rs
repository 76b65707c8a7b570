//! The attempt itself: the agent's world, the capture, the verdict's world.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::capture::{Capture, Refusal};
use super::prepare::{Ready, fault};
use super::{Shared, Trials};
use crate::agent::{Agent, Session};
use crate::record::{
    CheckoutProof, End, Fault, Flag, HostLoad, Outcome, PlannedTrial, Provenance, Sees,
    TRIAL_SCHEMA, TaskRef, TestState, TrajectorySummary, TrialRecord, Usage, Verdict,
};
use crate::run::{Events, Phase, PhaseClock, RunEvent, fault_record, host_load};
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::{Limit, Role, Sandbox, SandboxError};
use crate::score::{self, Cause, Mishap};
use crate::tool::{CallLimits, ToolError, Tools};
use crate::trajectory::{Event, EventKind, Recorder};
use crate::verify::{Judged, VerifyError};

/// One attempt of one agent at one task.
pub struct Attempt<'a> {
    trials: &'a Trials,
    shared: &'a Shared,
    ready: &'a Ready,
    planned: &'a PlannedTrial,
    dir: &'a Path,
    events: &'a Events,
}

/// Interrupted: there is nothing to count.
struct Interrupted;

/// How the verification went.
enum Verified {
    Judged(Judged),
    Mishap(Mishap),
}

impl<'a> Attempt<'a> {
    pub fn new(
        trials: &'a Trials,
        shared: &'a Shared,
        ready: &'a Ready,
        planned: &'a PlannedTrial,
        dir: &'a Path,
        events: &'a Events,
    ) -> Self {
        Self {
            trials,
            shared,
            ready,
            planned,
            dir,
            events,
        }
    }

    /// Goes the whole way; none where it was interrupted.
    pub async fn perform(
        self,
        agent: &dyn Agent,
        queued_ms: u64,
        cancel: &CancellationToken,
        started_at: String,
    ) -> Option<TrialRecord> {
        let clock = PhaseClock::start(queued_ms);
        let load = host_load();
        match self.way(agent, &clock, cancel).await {
            Ok(mut record) => {
                record.timing_ms = clock.finish();
                record.host = {
                    let after = host_load();
                    HostLoad {
                        load: after.load,
                        steal: after.steal_since(&load),
                    }
                };
                record.started_at = started_at;
                record.finished_at = crate::run::now();
                Some(record)
            }
            Err(Ok(fault)) => {
                let mut record = fault_record(
                    &self.trials.run,
                    self.planned,
                    self.dir,
                    fault,
                    clock.finish(),
                    started_at,
                );
                record.task = self.task();
                record.provenance = self.provenance();
                record.warnings = self.ready.warnings.clone();
                Some(record)
            }
            Err(Err(Interrupted)) => None,
        }
    }

    async fn way(
        &self,
        agent: &dyn Agent,
        clock: &PhaseClock,
        cancel: &CancellationToken,
    ) -> Result<TrialRecord, Result<Fault, Interrupted>> {
        let trial = self.planned.trial.as_str();
        self.enter(clock, Phase::Sandbox, "");
        let spec = self
            .trials
            .spec(self.shared, self.ready, trial, Role::Agent);
        let sandbox = tokio::select! {
            started = DockerSandbox::start(&self.trials.engine, &spec) => started,
            () = cancel.cancelled() => return Err(Err(Interrupted)),
        };
        let sandbox: Arc<dyn Sandbox> =
            Arc::new(sandbox.map_err(|error| Ok(fault("sandbox", &error)))?);
        let went = tokio::select! {
            went = self.with_sandbox(agent, sandbox.clone(), clock) => went,
            () = cancel.cancelled() => Err(Err(Interrupted)),
        };
        // Interrupted or not, nothing of it stays behind. The verification is over
        // by now, or will never be.
        self.enter(clock, Phase::Teardown, "");
        let stopped = sandbox.stop().await;
        let (mut record, scratch) = went?;
        drop(scratch);
        if let Err(error) = stopped {
            record
                .warnings
                .push(format!("the agent's sandbox was not taken away: {error}"));
        }
        clock.enter(Phase::Harness);
        Ok(record)
    }

    async fn with_sandbox(
        &self,
        agent: &dyn Agent,
        sandbox: Arc<dyn Sandbox>,
        clock: &PhaseClock,
    ) -> Result<(TrialRecord, tempfile::TempDir), Result<Fault, Interrupted>> {
        let host = |error: &dyn std::fmt::Display| {
            Ok(Fault {
                class: "host".into(),
                ..fault("harness", error)
            })
        };
        let scratch = self.trials.scratch().map_err(Ok)?;
        let recorder =
            Recorder::create(&self.dir.join("trajectory.jsonl")).map_err(|error| host(&error))?;
        let recorder = Arc::new(recorder);
        let instruction = Event {
            text: Some(self.shared.task.instruction.clone()),
            ..Event::new(EventKind::User)
        };
        recorder.record(instruction).map_err(|error| host(&error))?;

        let (end, mut mishap) = self.session(agent, &sandbox, &recorder, clock).await?;

        self.enter(clock, Phase::Capture, "");
        let captured = self
            .trials
            .capture(sandbox.as_ref(), self.shared, self.ready, scratch.path())
            .await;
        let tally = recorder.finish().map_err(|error| host(&error))?;
        let acted = tally.tool_calls > 0 || end == End::Done;
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
        let mut judged = None;
        let mut warnings = self.ready.warnings.clone();
        if let Some(captured) = &captured {
            captured.keep(self.dir).map_err(|error| host(&error))?;
            warnings.extend(captured.notes.iter().cloned());
            self.enter(clock, Phase::Verify, "");
            match self.verify(captured, clock, &mut warnings).await {
                Verified::Judged(verdict) => judged = Some(verdict),
                Verified::Mishap(verifying) => {
                    mishap.get_or_insert(verifying);
                }
            }
        }
        clock.enter(Phase::Harness);
        let flags: Vec<Flag> = Vec::new();
        let scored = score::outcome(
            judged.as_ref(),
            &flags,
            mishap.as_ref(),
            self.ready.reference.as_ref(),
        );
        let (evidence, tests, reward, rewards) = match judged {
            Some(judged) => (
                Some(judged.evidence),
                judged.tests,
                judged.reward,
                judged.rewards,
            ),
            None => Default::default(),
        };
        let record = TrialRecord {
            schema: TRIAL_SCHEMA.to_owned(),
            run: self.trials.run.run.clone(),
            trial: self.planned.trial.clone(),
            task: self.task(),
            agent: agent.identity(),
            model: None,
            attempt: self.planned.attempt,
            outcome: scored.outcome,
            reward,
            rewards,
            clean: score::clean(scored.outcome, &flags),
            verdict: Verdict {
                evidence,
                sees: self.sees(),
                passed: tests
                    .iter()
                    .filter(|test| test.state == TestState::Passed)
                    .count() as u32,
                tests,
                probes: Vec::new(),
                flags,
                reason: scored.reason,
                message: match scored.outcome {
                    Outcome::Error => None,
                    _ => scored.message,
                },
            },
            trajectory: TrajectorySummary {
                end,
                turns: tally.turns,
                tool_calls: tally.tool_calls,
                tool_errors: tally.tool_errors,
                sha256: tally.sha256,
            },
            tool_use: None,
            usage: Usage::default(),
            cost_microusd: None,
            timing_ms: Default::default(),
            error: scored.error,
            host: HostLoad::default(),
            provenance: self.provenance(),
            warnings,
            started_at: String::new(),
            finished_at: String::new(),
        };
        Ok((record, scratch))
    }

    /// The agent acts until it is done or a limit fires. A helper that is gone is
    /// the end of a session, not of the trial.
    async fn session(
        &self,
        agent: &dyn Agent,
        sandbox: &Arc<dyn Sandbox>,
        recorder: &Arc<Recorder>,
        clock: &PhaseClock,
    ) -> Result<(End, Option<Mishap>), Result<Fault, Interrupted>> {
        self.enter(clock, Phase::Agent, "");
        let host = |error: &dyn std::fmt::Display| {
            Ok(Fault {
                class: "host".into(),
                ..fault("agent", error)
            })
        };
        if let Err(error) = sandbox.start_main().await {
            // The image's own process is not there: what the task meant cannot be had.
            return Err(Ok(fault("sandbox", &error)));
        }
        let limits = &self.trials.settings.limits;
        let limits = CallLimits {
            timeout: limits.call_timeout,
            output_bytes: limits.output_bytes,
        };
        let (events, trial) = (self.events.clone(), self.planned.trial.clone());
        let watch = move |number: u64, tool: &str, gist: &str| {
            let gist: String = gist.chars().take(200).collect();
            let detail = format!("step {number}  {tool}  {gist}");
            events.send(RunEvent::TrialProgress {
                trial: trial.clone(),
                phase: "agent",
                detail,
            });
        };
        let tools = Tools::new(
            sandbox.clone(),
            limits,
            recorder.clone(),
            &self.shared.task.tools.allow,
            watch,
        );
        let session = Session {
            task: &self.shared.task,
            tools: &tools,
        };
        let limit = self
            .shared
            .task
            .agent
            .timeout
            .map(|limit| self.trials.time(limit));
        let expired = async {
            match limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        let started = Instant::now();
        let tell = |event: &str, text: String| {
            recorder
                .record(Event::harness(event, text))
                .map_err(|error| host(&error))
        };
        let ended = tokio::select! {
            acted = agent.act(&session) => match acted {
                Ok(end) => (end, None),
                Err(ToolError::Record(error)) => return Err(host(&error)),
                Err(ToolError::Sandbox(gone @ SandboxError::Gone { out_of_memory, .. })) => {
                    tell("helper_gone", gone.to_string())?;
                    (if out_of_memory { End::MaxMemory } else { End::AgentError }, None)
                }
                // A call that is not answered in time: the sandbox is too busy for it.
                Err(ToolError::Sandbox(late @ SandboxError::Deadline { .. })) => {
                    tell("helper_late", late.to_string())?;
                    (End::Stalled, None)
                }
                Err(ToolError::Sandbox(error)) => {
                    tell("engine_failed", error.to_string())?;
                    (End::AgentError, Some(ours(fault("agent", &error), true)))
                }
            },
            hit = sandbox.limit_reached() => {
                tell("limit", hit.message)?;
                (match hit.what { Limit::Disk => End::MaxDisk, Limit::Memory => End::MaxMemory }, None)
            }
            () = expired => {
                let limit = limit.unwrap_or_default().as_secs_f64();
                let after = started.elapsed().as_secs_f64();
                tell("limit", format!("the agent's time limit of {limit} s fired after {after:.1} s"))?;
                (End::Timeout, None)
            }
        };
        clock.shift(Phase::Agent, Phase::Tools, tools.spent());
        Ok(ended)
    }

    async fn verify(
        &self,
        captured: &Capture,
        clock: &PhaseClock,
        warnings: &mut Vec<String>,
    ) -> Verified {
        let trial = self.planned.trial.as_str();
        let pristine = match self
            .trials
            .pristine(self.shared, self.ready, captured, trial)
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
        let logs = self.dir.join("verifier");
        let judged = match std::fs::create_dir_all(&logs) {
            Ok(()) => {
                self.trials
                    .judge(&pristine, self.shared, self.ready, captured, &logs)
                    .await
            }
            Err(source) => Err(VerifyError::Keep { path: logs, source }),
        };
        self.enter(clock, Phase::Teardown, "");
        if let Err(error) = pristine.stop().await {
            warnings.push(format!(
                "the verifier's sandbox was not taken away: {error}"
            ));
        }
        match judged {
            Ok(judged) => Verified::Judged(judged),
            Err(error) => Verified::Mishap(Mishap::of_verifying(&error)),
        }
    }

    fn enter(&self, clock: &PhaseClock, phase: Phase, detail: &str) {
        clock.enter(phase);
        self.events.send(RunEvent::TrialProgress {
            trial: self.planned.trial.clone(),
            phase: phase.name(),
            detail: detail.to_owned(),
        });
    }

    fn sees(&self) -> Sees {
        self.shared.task.verification.sees
    }

    fn task(&self) -> TaskRef {
        let task = &self.shared.task;
        TaskRef {
            name: task.id.clone(),
            source: task.source.clone(),
            digest: task.digest.clone(),
            tags: task.scenario.tags.clone(),
            scenario: task.scenario.name.clone(),
            cluster: task.cluster(),
            difficulty: task.scenario.difficulty.clone(),
        }
    }

    fn provenance(&self) -> Provenance {
        let engine = &self.trials.engine;
        Provenance {
            image: self.ready.image.id.clone(),
            recipe: self.ready.image.recipe.clone(),
            checkout: self.ready.tree.as_ref().map(|tree| CheckoutProof {
                commit: tree.proof.commit.clone(),
                commits: tree.proof.commits,
                objects_reachable: tree.proof.objects_reachable,
                objects_stored: tree.proof.objects_stored,
                way: if engine.uses_overlay() {
                    "overlay"
                } else {
                    "image"
                }
                .to_owned(),
            }),
            reference: self.ready.reference.as_ref().map(|run| run.digest.clone()),
            transport: if engine.uses_socket() {
                "socket"
            } else {
                "stream"
            }
            .to_owned(),
            limits: self.trials.limits(self.shared),
            network: match self
                .trials
                .spec(self.shared, self.ready, "", Role::Agent)
                .network
            {
                crate::sandbox::NetworkMode::None => "none".to_owned(),
                crate::sandbox::NetworkMode::Full => "full".to_owned(),
            },
        }
    }
}

/// What the agent's doing made impossible.
fn refused((reason, message): Refusal) -> Mishap {
    Mishap {
        cause: Cause::Agents(reason),
        acted: true,
        phase: "capture".to_owned(),
        message,
    }
}

/// A fault of the engine or the host.
fn ours(fault: Fault, acted: bool) -> Mishap {
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
