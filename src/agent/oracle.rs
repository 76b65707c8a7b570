//! `oracle`: performs the task's own reference solution.
//!
//! `solution/` comes into the sandbox as `/solution` for the time of its script,
//! or its `calls.jsonl` is performed as a script.

use async_trait::async_trait;

use super::{
    Agent, AgentError, Session, SessionError, instructed, reference, script, solving, typed,
};
use crate::record::{AgentRef, End};
use crate::sandbox::{Exec, SandboxError};
use crate::task::{Format, Task, Times, pack};
use crate::tool::ToolError;
use crate::trajectory::Event;

/// Where the solution lies while it is performed; never part of a change.
pub const SOLUTION: &str = "/solution";

pub struct Oracle;

#[async_trait]
impl Agent for Oracle {
    fn identity(&self) -> AgentRef {
        reference("oracle")
    }

    fn fits(&self, task: &Task) -> Result<(), AgentError> {
        let unfit = |reason: String| AgentError::Unfit {
            agent: "oracle".into(),
            task: task.id.to_string(),
            reason,
        };
        if task.format == Format::TerminalBench {
            return typed::fits(task);
        }
        match &task.solution {
            None => Err(unfit(
                "it has no solution/solve.sh and no solution/calls.jsonl".into(),
            )),
            Some(folder) if folder.join("solve.sh").is_file() => Ok(()),
            Some(folder) => script::read(&folder.join("calls.jsonl"))
                .map(drop)
                .map_err(|error| unfit(error.to_string())),
        }
    }

    async fn act(&self, session: &Session<'_>) -> Result<End, SessionError> {
        instructed(session)?;
        let Some(folder) = &session.task.solution else {
            session
                .tools
                .recorder()
                .record(Event::harness("no_solution", "the task has no solution"))?;
            return Ok(End::AgentError);
        };
        if session.task.format == Format::TerminalBench {
            return typed::perform(folder, session).await;
        }
        if !folder.join("solve.sh").is_file() {
            return match script::read(&folder.join("calls.jsonl")) {
                Ok(calls) => script::perform(&calls, session).await,
                Err(error) => {
                    session
                        .tools
                        .recorder()
                        .record(Event::harness("no_solution", error.to_string()))?;
                    Ok(End::AgentError)
                }
            };
        }
        let sandbox = session.tools.sandbox();
        let tar = pack(&[folder], Times::Own).map_err(|error| {
            ToolError::from(SandboxError::Host {
                doing: "pack the solution".into(),
                source: std::io::Error::other(error),
            })
        })?;
        sandbox
            .unpack(SOLUTION, &[], &tar)
            .await
            .map_err(ToolError::from)?;
        let mut env = session.task.solution_env.clone();
        env.entry("DEBIAN_FRONTEND".into())
            .or_insert_with(|| "noninteractive".into());
        let command = format!("{SOLUTION}/solve.sh");
        solving::called(&command, session)?;
        let ran = sandbox
            .exec(Exec {
                env,
                // The session's own limit ends it; this one only keeps the call finite.
                timeout: std::time::Duration::from_secs(7 * 86_400),
                ..Exec::new([command])
            })
            .await
            .map_err(ToolError::from)?;
        let text = format!("{}{}", ran.stdout.text(), ran.stderr.text());
        let end = solving::told(&ran, text, session)?;
        sandbox
            .unpack("/", &[SOLUTION.into()], &[])
            .await
            .map_err(ToolError::from)?;
        Ok(end)
    }
}
