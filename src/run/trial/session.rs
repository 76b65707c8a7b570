//! The agent's part of a trial: it acts until it is done or a limit fires.

use std::sync::Arc;
use std::time::Instant;

use super::attempt::{Attempt, Interrupted, ours};
use super::prepare::fault;
use crate::agent::{Agent, Session};
use crate::record::{End, Fault};
use crate::run::{Phase, PhaseClock, RunEvent};
use crate::sandbox::{Limit, Sandbox, SandboxError};
use crate::score::Mishap;
use crate::tool::{CallLimits, ToolError, Tools};
use crate::trajectory::{Event, Recorder};

impl Attempt<'_> {
    /// The agent acts until it is done or a limit fires. A helper that is gone is
    /// the end of a session, not of the trial.
    pub(super) async fn session(
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
            self.shared.task.tools.allow.as_deref().unwrap_or_default(),
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
}
