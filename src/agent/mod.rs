//! Who acts: the reference agents and the script agent.
//!
//! Owns how an agent uses its session. Must not know what is verified, nor how;
//! an agent sees its instruction and its tools.

mod nop;
mod oracle;
mod script;

use std::path::PathBuf;

use async_trait::async_trait;

use crate::record::{AgentRef, End};
use crate::task::Task;
use crate::tool::{ToolError, Tools};

pub use script::{ScriptError, parse_calls};

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

/// A session that ended by a fault of the sandbox or the record.
pub type SessionError = ToolError;

/// What an agent has: its instruction and its tools.
pub struct Session<'a> {
    pub task: &'a Task,
    pub tools: &'a Tools,
}

/// Someone who acts.
#[async_trait]
pub trait Agent: Send + Sync {
    /// Name and version for the record.
    fn identity(&self) -> AgentRef;

    /// Whether the agent can act on a task at all; asked before anything runs.
    fn fits(&self, task: &Task) -> Result<(), AgentError> {
        let _ = task;
        Ok(())
    }

    /// Acts until it is done. Limits of time and size are kept by who calls.
    async fn act(&self, session: &Session<'_>) -> Result<End, SessionError>;
}

/// The names that `--agent` takes, for help and suggestions.
pub const NAMES: [&str; 3] = ["oracle", "nop", "script:FILE"];

/// Finds an agent by its name.
pub fn by_name(name: &str) -> Result<Box<dyn Agent>, AgentError> {
    match name {
        "nop" => Ok(Box::new(nop::Nop)),
        "oracle" => Ok(Box::new(oracle::Oracle)),
        _ => match name.strip_prefix("script:") {
            Some(file) => Ok(Box::new(script::Script::load(name, &PathBuf::from(file))?)),
            None => {
                let near = ["oracle", "nop", "script"]
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

/// The reference agent, for runs of the harness's own.
pub fn oracle() -> impl Agent {
    oracle::Oracle
}

fn reference(name: &str) -> AgentRef {
    AgentRef {
        name: name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
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
        assert!(error.contains("oracle, nop, script:FILE"), "{error}");
    }
}
