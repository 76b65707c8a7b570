//! Who acts: the reference agents, the script agent, and the loop with a model.
//!
//! Owns how an agent uses its session. Must not know what is verified, nor how;
//! an agent sees its instruction and its tools.

mod account;
mod command;
mod nop;
mod oracle;
mod script;
mod skills;
mod solving;
mod tool_loop;
mod typed;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::config::Price;
use crate::model::ModelError;
use crate::record::{AgentRef, AgentSetup, End, ModelRef};
use crate::task::Task;
use crate::tool::{ToolError, Tools};
use crate::trajectory::{Event, EventKind, RecorderError};

pub use account::{Account, Ledger};
pub use command::{Before, Calls, Command};
pub use script::{ScriptError, parse_calls};
pub use skills::{Skill, skills};
pub use tool_loop::{Loop, Options as LoopOptions, Prompt};

/// An agent that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("there is no agent `{name}`{hint}")]
    Unknown { name: String, hint: String },
    #[error(transparent)]
    Script(#[from] ScriptError),
    #[error("the agent `{agent}` cannot act on {task}: {reason}")]
    Unfit {
        agent: String,
        task: String,
        reason: String,
    },
}

/// A session that ended by a fault that is not the agent's.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The model's endpoint cannot be used, or stayed unreachable after retries.
    #[error("{error}")]
    Model {
        error: ModelError,
        /// Whether the endpoint ever answered in this process.
        answered: bool,
    },
}

impl From<RecorderError> for SessionError {
    fn from(error: RecorderError) -> Self {
        Self::Tool(error.into())
    }
}

/// What an agent has: its instruction, its tools, and what it may spend.
pub struct Session<'a> {
    pub task: &'a Task,
    pub tools: &'a Tools,
    /// Of the task; for agents that are told of them.
    pub skills: &'a [Skill],
    /// Tells sessions apart at a model's endpoint, and nothing else of them.
    pub id: &'a str,
    pub account: &'a Account,
    pub ledger: &'a Arc<Ledger>,
    /// None: no limit.
    pub time_limit: Option<Duration>,
    pub started: Instant,
}

impl Session<'_> {
    /// What is left of the time; waits for the model's endpoint are not the agent's.
    pub fn time_left(&self) -> Option<Duration> {
        let spent = self
            .started
            .elapsed()
            .saturating_sub(self.account.meter.waits());
        Some(self.time_limit?.saturating_sub(spent))
    }
}

/// Someone who acts.
#[async_trait]
pub trait Agent: Send + Sync {
    /// Name and version for the record.
    fn identity(&self) -> AgentRef;

    /// The model that it talks to.
    fn model(&self) -> Option<ModelRef> {
        None
    }

    /// What the model's tokens cost; none where that is not known.
    fn price(&self) -> Option<&Price> {
        None
    }

    /// What it is made of, where it talks to a model.
    fn setup(&self) -> Option<AgentSetup> {
        None
    }

    /// Whether it makes calls of its own choice: only then are the task's servers of
    /// tools started.
    fn uses_tools(&self) -> bool {
        false
    }

    /// Whether the agent can act on a task at all; asked before anything runs.
    fn fits(&self, task: &Task) -> Result<(), AgentError> {
        let _ = task;
        Ok(())
    }

    /// Acts until it is done, and records what it is told first. Limits of time and
    /// size are kept by who calls.
    async fn act(&self, session: &Session<'_>) -> Result<End, SessionError>;
}

/// The names that `--agent` takes, for help and suggestions.
pub const NAMES: [&str; 4] = ["oracle", "nop", "script:FILE", "loop"];

/// Finds an agent without a model by its name.
pub fn by_name(name: &str) -> Result<Box<dyn Agent>, AgentError> {
    match name {
        "nop" => Ok(Box::new(nop::Nop)),
        "oracle" => Ok(Box::new(oracle::Oracle)),
        _ => match name.strip_prefix("script:") {
            Some(file) => Ok(Box::new(script::Script::load(name, &PathBuf::from(file))?)),
            None => {
                let near = ["oracle", "nop", "script", "loop"]
                    .into_iter()
                    .find(|known| strsim::jaro(known, name) > 0.75);
                let hint = match near {
                    Some("script") => "; did you mean `script:FILE`?".to_owned(),
                    Some(near) => format!("; did you mean `{near}`?"),
                    None => format!("; there are {}", NAMES.join(", ")),
                };
                Err(AgentError::Unknown {
                    name: name.to_owned(),
                    hint,
                })
            }
        },
    }
}

/// Whether an agent of this name talks to a model.
pub fn needs_model(name: &str) -> bool {
    name == "loop"
}

/// What is told to agents without a model: the instruction, for the record.
fn instructed(session: &Session<'_>) -> Result<(), SessionError> {
    session.tools.recorder().record(Event {
        text: Some(session.task.instruction.clone()),
        ..Event::new(EventKind::User)
    })?;
    Ok(())
}

/// The reference agent, for runs of the harness's own.
pub fn oracle() -> impl Agent {
    oracle::Oracle
}

/// The agent that does nothing, for runs of the harness's own.
pub fn nop() -> impl Agent {
    nop::Nop
}

fn reference(name: &str) -> AgentRef {
    AgentRef {
        name: name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        digest: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_offered() {
        let error = by_name("orcale").err().unwrap().to_string();
        assert_eq!(error, "there is no agent `orcale`; did you mean `oracle`?");
    }

    #[test]
    fn a_far_name_is_told_what_there_is() {
        let error = by_name("zzz").err().unwrap().to_string();
        assert!(error.contains("oracle, nop, script:FILE, loop"), "{error}");
    }
}
