//! A command: one text for `bash`, performed once and as root, after the reference
//! solution or some of its calls where it is asked for. What the catalogue of cheats
//! acts as.

use std::time::Duration;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use super::{Agent, AgentError, Session, SessionError, instructed, oracle, reference, script};
use crate::record::{AgentRef, Digest, End};
use crate::sandbox::{Exec, GuestErrorKind, SandboxError, User};
use crate::task::Task;
use crate::tool::{Arguments, Call, ToolError};
use crate::trajectory::{Event, EventKind};

/// The longest command's time; the session's own limit comes first where there is one.
const LONGEST: Duration = Duration::from_secs(600);

/// An agent that performs one command.
#[derive(Debug, Clone)]
pub struct Command {
    /// For the record.
    pub name: String,
    /// What is performed first.
    pub before: Before,
    /// What `bash -l` is given, in the directory of tool calls, which `WS` names too;
    /// none: nothing is performed, so that no shell is needed.
    pub script: Option<String>,
}

/// What is performed before a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    Nothing,
    /// The reference solution.
    Solution,
    /// The calls of a reference solution that consists of calls, changed like this.
    Calls(Calls),
}

/// What becomes of the calls of a reference solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calls {
    /// The last one, with the message that ends the work, is left out.
    ButLast,
    /// The second half is left out.
    FirstHalf,
    /// Only the last one is made.
    OnlyLast,
    /// The first one is made twice.
    FirstTwice,
    /// A tool that there is not is called first.
    SlipFirst,
}

impl Calls {
    /// The calls that are made.
    pub fn of(self, mut calls: Vec<Call>) -> Vec<Call> {
        match self {
            Self::ButLast => drop(calls.pop()),
            Self::FirstHalf => calls.truncate(calls.len() / 2),
            Self::OnlyLast => drop(calls.drain(..calls.len().saturating_sub(1))),
            Self::FirstTwice => {
                if let Some(first) = calls.first().cloned() {
                    calls.insert(0, first);
                }
            }
            Self::SlipFirst => {
                let slip = Call {
                    id: None,
                    tool: "undo".into(),
                    arguments: Arguments::Parsed(serde_json::json!({})),
                };
                calls.insert(0, slip);
            }
        }
        calls
    }
}

#[async_trait]
impl Agent for Command {
    fn identity(&self) -> AgentRef {
        AgentRef {
            digest: self.script.as_deref().map(of_text),
            ..reference(&self.name)
        }
    }

    fn fits(&self, task: &Task) -> Result<(), AgentError> {
        match self.before {
            Before::Nothing => Ok(()),
            Before::Solution | Before::Calls(_) => oracle::Oracle.fits(task),
        }
    }

    async fn act(&self, session: &Session<'_>) -> Result<End, SessionError> {
        let end = match self.before {
            Before::Solution => oracle::Oracle.act(session).await?,
            Before::Calls(changed) => some_calls(changed, session).await?,
            Before::Nothing => {
                instructed(session)?;
                End::Done
            }
        };
        match &self.script {
            Some(script) => perform(script, session).await,
            None => Ok(end),
        }
    }
}

fn of_text(text: &str) -> Digest {
    Digest::of_sha256(&Sha256::digest(text))
}

async fn some_calls(changed: Calls, session: &Session<'_>) -> Result<End, SessionError> {
    instructed(session)?;
    let solution = session.task.solution.as_ref();
    let calls = solution.map(|folder| script::read(&folder.join("calls.jsonl")));
    match calls {
        Some(Ok(calls)) => script::perform(&changed.of(calls), session).await,
        _ => Ok(End::AgentError),
    }
}

async fn perform(script: &str, session: &Session<'_>) -> Result<End, SessionError> {
    let (sandbox, recorder) = (session.tools.sandbox(), session.tools.recorder());
    recorder.record(Event {
        id: Some("command".into()),
        tool: Some("bash".into()),
        arguments: Some(serde_json::json!({ "command": script })),
        ..Event::new(EventKind::ToolCall)
    })?;
    let ran = sandbox
        .exec(Exec {
            env: [("WS".to_owned(), sandbox.workdir().to_owned())].into(),
            user: User::Root,
            timeout: LONGEST,
            ..Exec::new(["bash", "-l", "-c", script])
        })
        .await;
    let result = Event {
        id: Some("command".into()),
        ..Event::new(EventKind::ToolResult)
    };
    match ran {
        Ok(ran) => {
            recorder.record(Event {
                ok: Some(ran.ended.success()),
                output: Some(format!("{}{}", ran.stdout.text(), ran.stderr.text())),
                exit_code: ran.ended.code(),
                ms: Some(ran.elapsed.as_millis() as u64),
                ..result
            })?;
            Ok(End::Done)
        }
        Err(SandboxError::Guest(refused)) if refused.kind == GuestErrorKind::NoProgram => {
            recorder.record(Event {
                ok: Some(false),
                error: Some(refused.message),
                ..result
            })?;
            Ok(End::AgentError)
        }
        Err(error) => Err(ToolError::from(error).into()),
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_a_solution_are_left_out_repeated_or_preceded() {
        let named = |tool: &str| Call {
            id: None,
            tool: tool.into(),
            arguments: Arguments::Parsed(serde_json::json!({})),
        };
        let after = |calls: Calls| {
            let all = ["a", "b", "c", "d"].map(named).to_vec();
            let tools: Vec<String> = calls.of(all).into_iter().map(|call| call.tool).collect();
            tools.join(" ")
        };
        assert_eq!(after(Calls::ButLast), "a b c");
        assert_eq!(after(Calls::FirstHalf), "a b");
        assert_eq!(after(Calls::OnlyLast), "d");
        assert_eq!(after(Calls::FirstTwice), "a a b c d");
        assert_eq!(after(Calls::SlipFirst), "undo a b c d");
    }

    #[test]
    fn a_solution_without_calls_has_none_to_change() {
        for calls in [Calls::ButLast, Calls::OnlyLast, Calls::FirstTwice] {
            assert_eq!(calls.of(Vec::new()), Vec::new());
        }
    }
}
