//! The agent's part of a trial: it acts until it is done or a limit fires.

use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use super::attempt::{Attempt, Interrupted, ours};
use super::prepare::fault;
use super::rounds::{Part, Stage};
use super::world::expire;
use crate::agent::{Account, Agent, Session, SessionError};
use crate::model::ModelError;
use crate::record::{End, Fault, hex};
use crate::run::{Phase, PhaseClock, RunEvent, Spending};
use crate::sandbox::{Limit, SandboxError};
use crate::score::{Cause, Mishap};
use crate::tool::ToolError;
use crate::trajectory::Event;

/// How a session ended, beside what it left.
pub struct Ended {
    pub end: End,
    pub mishap: Option<Mishap>,
    pub warnings: Vec<String>,
}

impl Attempt<'_> {
    /// The agent acts until it is done or a limit fires. A helper that is gone is
    /// the end of a session, not of the trial.
    pub(super) async fn session(
        &self,
        stage: &Stage<'_>,
        part: Part<'_>,
        clock: &PhaseClock,
    ) -> Result<Ended, Result<Fault, Interrupted>> {
        self.enter(clock, Phase::Sandbox, "");
        let offered = self.offered(stage, part).await.map_err(Ok)?;
        self.enter(clock, Phase::Agent, "");
        let host = |error: &dyn std::fmt::Display| {
            Ok(Fault {
                class: "host".into(),
                ..fault("agent", error)
            })
        };
        let Stage {
            agent,
            world,
            recorder,
            account,
            ..
        } = stage;
        let task = &part.ready.task;
        let watch = self.watcher(*agent, account);
        let toolbox = offered.toolbox;
        let tools = world.tools(self.trials, toolbox, recorder.clone(), watch);
        let tools = tools.with(offered.servers);
        let limit = self.trials.agent_time(task);
        // What earlier steps took is not this one's.
        let before = (account.meter.answers(), account.meter.waits());
        let id = self.session_id();
        let session = Session {
            task,
            tools: &tools,
            skills: &offered.skills,
            id: &id,
            account,
            ledger: &self.trials.ledger,
            time_limit: limit,
            started: Instant::now(),
        };
        let tell = |event: &str, text: String| {
            recorder
                .record(Event::harness(event, text))
                .map_err(|error| host(&error))
        };
        let waited = || account.meter.waits().saturating_sub(before.1);
        let expired = expire(limit, session.started, waited);
        let (end, mishap) = tokio::select! {
            acted = agent.act(&session) => match acted {
                Ok(end) => (end, None),
                Err(SessionError::Tool(ToolError::Record(error))) => return Err(host(&error)),
                Err(SessionError::Tool(ToolError::Sandbox(error))) => match error {
                    SandboxError::Gone { out_of_memory, .. } => {
                        tell("helper_gone", error.to_string())?;
                        (if out_of_memory { End::MaxMemory } else { End::AgentError }, None)
                    }
                    // A call that is not answered in time: the sandbox is too busy for it.
                    SandboxError::Deadline { .. } => {
                        tell("helper_late", error.to_string())?;
                        (End::Stalled, None)
                    }
                    error => {
                        tell("engine_failed", error.to_string())?;
                        (End::AgentError, Some(ours(fault("agent", &error), true)))
                    }
                },
                Err(SessionError::Model { error, answered }) => {
                    if !answered {
                        self.trials.give_up(&error);
                        return Err(Err(Interrupted));
                    }
                    (End::ModelError, Some(unreachable_model(&error)))
                }
            },
            hit = world.agent.limit_reached() => {
                tell("limit", hit.message)?;
                (match hit.what { Limit::Disk => End::MaxDisk, Limit::Memory => End::MaxMemory }, None)
            }
            () = expired => {
                let limit = limit.unwrap_or_default().as_secs_f64();
                tell("limit", format!("the agent's time limit of {limit} s fired"))?;
                (End::Timeout, None)
            }
        };
        // Servers are its tools: they end with it.
        self.enter(clock, Phase::Teardown, "");
        clock.shift(Phase::Agent, Phase::Tools, tools.spent());
        let (answers, waits) = (account.meter.answers(), account.meter.waits());
        clock.shift(Phase::Agent, Phase::Model, answers.saturating_sub(before.0));
        clock.shift(
            Phase::Agent,
            Phase::ModelWait,
            waits.saturating_sub(before.1),
        );
        tools.into_servers().end().await;
        let warnings = offered.warnings;
        Ok(Ended {
            end,
            mishap,
            warnings,
        })
    }

    /// Shows each call as it begins, and what is spent by then.
    fn watcher(
        &self,
        agent: &dyn Agent,
        account: &Arc<Account>,
    ) -> impl Fn(u64, &str, &str) + Send + Sync + 'static {
        let (events, trial) = (self.events.clone(), self.planned.trial.clone());
        let (account, price) = (account.clone(), agent.price().copied());
        let with_model = agent.model().is_some();
        move |number, tool, gist| {
            let gist: String = gist.chars().take(200).collect();
            events.send(RunEvent::TrialProgress {
                trial: trial.clone(),
                phase: "agent",
                detail: format!("step {number}  {tool}  {gist}"),
                spent: with_model.then(|| Spending {
                    turns: account.turns(),
                    tokens: account.usage().total(),
                    cost_microusd: account.cost(price.as_ref()),
                }),
            });
        }
    }

    /// Tells sessions apart at an endpoint; says nothing of task or agent there.
    fn session_id(&self) -> String {
        hex(&Sha256::digest(self.planned.trial.as_str().as_bytes())[..8])
    }
}

fn unreachable_model(error: &ModelError) -> Mishap {
    Mishap {
        cause: Cause::ModelUnreachable,
        acted: true,
        phase: "model".to_owned(),
        message: error.to_string(),
    }
}
