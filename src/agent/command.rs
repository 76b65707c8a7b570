//! A command: one text for `bash`, performed once and as root, after the reference
//! solution where it is asked for. What the catalogue of cheats acts as.

use std::time::Duration;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use super::{Agent, AgentError, Session, SessionError, instructed, oracle, reference};
use crate::record::{AgentRef, Digest, End};
use crate::sandbox::{Exec, GuestErrorKind, SandboxError, User};
use crate::task::Task;
use crate::tool::ToolError;
use crate::trajectory::{Event, EventKind};

/// The longest command's time; the session's own limit comes first where there is one.
const LONGEST: Duration = Duration::from_secs(600);

/// An agent that performs one command.
#[derive(Debug, Clone)]
pub struct Command {
    /// For the record.
    pub name: String,
    /// Whether the reference solution is performed first.
    pub after_solution: bool,
    /// What `bash -l` is given, in the directory of tool calls, which `WS` names too.
    pub script: String,
}

#[async_trait]
impl Agent for Command {
    fn identity(&self) -> AgentRef {
        AgentRef {
            digest: Some(Digest::of_sha256(&Sha256::digest(&self.script))),
            ..reference(&self.name)
        }
    }

    fn fits(&self, task: &Task) -> Result<(), AgentError> {
        match self.after_solution {
            true => oracle::Oracle.fits(task),
            false => Ok(()),
        }
    }

    async fn act(&self, session: &Session<'_>) -> Result<End, SessionError> {
        match self.after_solution {
            true => {
                oracle::Oracle.act(session).await?;
            }
            false => instructed(session)?,
        }
        self.perform(session).await
    }
}

impl Command {
    async fn perform(&self, session: &Session<'_>) -> Result<End, SessionError> {
        let (sandbox, recorder) = (session.tools.sandbox(), session.tools.recorder());
        recorder.record(Event {
            id: Some("command".into()),
            tool: Some("bash".into()),
            arguments: Some(serde_json::json!({ "command": self.script })),
            ..Event::new(EventKind::ToolCall)
        })?;
        let ran = sandbox
            .exec(Exec {
                env: [("WS".to_owned(), sandbox.workdir().to_owned())].into(),
                user: User::Root,
                timeout: LONGEST,
                ..Exec::new(["bash", "-l", "-c", &self.script])
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
}
