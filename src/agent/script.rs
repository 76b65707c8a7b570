//! `script:FILE`: performs the calls of a file, in order, through the same checks
//! and records as a model's; the end of the file is `submit`.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Agent, Session, SessionError, instructed, reference};
use crate::record::{AgentRef, Digest, End};
use crate::tool::{Arguments, Call};

/// A script that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("read the script {path}: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}:{line}: {message}")]
    Line {
        path: PathBuf,
        line: usize,
        message: String,
    },
}

/// The largest script.
const MOST: u64 = 64 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default)]
    id: Option<String>,
    tool: String,
    #[serde(default)]
    arguments: Value,
}

pub struct Script {
    name: String,
    digest: Digest,
    calls: Vec<Call>,
}

impl Script {
    pub fn load(name: &str, path: &Path) -> Result<Self, ScriptError> {
        let text = read_text(path)?;
        Ok(Self {
            name: name.to_owned(),
            digest: Digest::of_sha256(&Sha256::digest(&text)),
            calls: calls_of(path, &text)?,
        })
    }
}

/// Reads a script from a file.
pub fn read(path: &Path) -> Result<Vec<Call>, ScriptError> {
    calls_of(path, &read_text(path)?)
}

fn calls_of(path: &Path, text: &str) -> Result<Vec<Call>, ScriptError> {
    parse_calls(text).map_err(|(line, message)| ScriptError::Line {
        path: path.to_owned(),
        line,
        message,
    })
}

fn read_text(path: &Path) -> Result<String, ScriptError> {
    let failed = |source| ScriptError::Read {
        path: path.to_owned(),
        source,
    };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MOST {
        return Err(failed(std::io::Error::other(format!(
            "{size} bytes are more than {MOST}"
        ))));
    }
    std::fs::read_to_string(path).map_err(failed)
}

/// Reads calls, one JSON object a line; empty lines are nothing. The error is
/// the line's number, from 1, and what is wrong with it.
pub fn parse_calls(text: &str) -> Result<Vec<Call>, (usize, String)> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            let line: Line =
                serde_json::from_str(line).map_err(|error| (index + 1, error.to_string()))?;
            let arguments = match line.arguments {
                Value::Null => Value::Object(Default::default()),
                arguments => arguments,
            };
            Ok(Call {
                id: line.id,
                tool: line.tool,
                arguments: Arguments::Parsed(arguments),
            })
        })
        .collect()
}

/// Performs calls until one of them is `submit`, or there are none left.
pub async fn perform(calls: &[Call], session: &Session<'_>) -> Result<End, SessionError> {
    for call in calls {
        if session.tools.perform(call).await?.submitted {
            return Ok(End::Submitted);
        }
    }
    let submit = Call {
        id: None,
        tool: "submit".into(),
        arguments: Arguments::Parsed(Value::Object(Default::default())),
    };
    session.tools.perform(&submit).await?;
    Ok(End::Submitted)
}

#[async_trait]
impl Agent for Script {
    fn identity(&self) -> AgentRef {
        AgentRef {
            digest: Some(self.digest.clone()),
            ..reference(&self.name)
        }
    }

    fn uses_tools(&self) -> bool {
        true
    }

    async fn act(&self, session: &Session<'_>) -> Result<End, SessionError> {
        instructed(session)?;
        perform(&self.calls, session).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_is_named() {
        let error = parse_calls("{\"tool\":\"bash\"}\n\n{\"tol\":1}\n").unwrap_err();
        assert_eq!(error.0, 3);
        assert!(error.1.contains("unknown field `tol`"), "{}", error.1);
    }

    #[test]
    fn missing_arguments_are_none() {
        let calls = parse_calls("{\"tool\":\"submit\"}").unwrap();
        assert_eq!(calls[0].arguments, Arguments::Parsed(serde_json::json!({})));
    }
}
