//! What agents may do: the standard tools, their arguments, their results.
//!
//! Owns the check of arguments and the record of each call and result. Must not
//! know who calls, nor what a verdict is. What an agent does wrong comes back to
//! it as a result; only a fault of the sandbox is an error here.

mod bash;
mod edit;
mod read;
mod submit;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::sandbox::{Captured, ExecOutput, Sandbox, SandboxError};
use crate::trajectory::{Event, EventKind, Recorder, RecorderError};

/// The names of the standard set.
pub const STANDARD: [&str; 5] = ["bash", "read", "write", "edit", "submit"];

/// A call that could not be performed through no doing of the agent's.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Record(#[from] RecorderError),
}

/// One call, as an agent makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Ties the call to its result; made up where the agent gives none.
    pub id: Option<String>,
    pub tool: String,
    pub arguments: Value,
}

/// What a call gives back to the agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallResult {
    /// What was wrong, where something was.
    pub error: Option<String>,
    pub output: String,
    pub truncated: bool,
    pub exit_code: Option<i32>,
    /// The call was `submit`: the session is over.
    pub submitted: bool,
}

impl CallResult {
    fn failed(error: impl Into<String>) -> Self {
        Self {
            error: Some(error.into()),
            ..Self::default()
        }
    }
}

/// Bounds of one call.
#[derive(Debug, Clone, Copy)]
pub struct CallLimits {
    pub timeout: Duration,
    /// Of each output, bytes kept.
    pub output_bytes: u64,
}

/// Hears of a call before it is performed: its number, tool and gist.
type Watcher = dyn Fn(u64, &str, &str) + Send + Sync;

/// The tools over one sandbox, and the record of what was done with them.
pub struct Tools {
    sandbox: Arc<dyn Sandbox>,
    limits: CallLimits,
    recorder: Arc<Recorder>,
    allowed: Vec<String>,
    calls: AtomicU64,
    spent_us: AtomicU64,
    watcher: Box<Watcher>,
}

impl Tools {
    /// `allowed`: names that may be called; empty means the standard set.
    /// `watcher` hears of each call before it is performed: its number, tool and gist.
    pub fn new(
        sandbox: Arc<dyn Sandbox>,
        limits: CallLimits,
        recorder: Arc<Recorder>,
        allowed: &[String],
        watcher: impl Fn(u64, &str, &str) + Send + Sync + 'static,
    ) -> Self {
        let allowed = match allowed {
            [] => STANDARD.iter().map(|name| (*name).to_owned()).collect(),
            some => some.to_vec(),
        };
        Self {
            sandbox,
            limits,
            recorder,
            allowed,
            calls: AtomicU64::new(0),
            spent_us: AtomicU64::new(0),
            watcher: Box::new(watcher),
        }
    }

    /// Performs a call and records both it and its result.
    pub async fn perform(&self, call: &Call) -> Result<CallResult, ToolError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let id = call.id.clone().unwrap_or_else(|| format!("call-{number}"));
        (self.watcher)(number, &call.tool, gist(&call.arguments));
        self.recorder.record(Event {
            id: Some(id.clone()),
            tool: Some(call.tool.clone()),
            arguments: Some(call.arguments.clone()),
            ..Event::new(EventKind::ToolCall)
        })?;
        let started = Instant::now();
        let done = self.dispatch(call).await;
        let elapsed = started.elapsed();
        self.spent_us
            .fetch_add(elapsed.as_micros() as u64, Ordering::Relaxed);
        let result = match done {
            Ok(result) => result,
            // The sandbox refused: data for the agent.
            Err(SandboxError::Guest(refused)) => CallResult::failed(refused.message),
            Err(fault) => {
                self.recorder.record(Event {
                    id: Some(id),
                    ok: Some(false),
                    error: Some(fault.to_string()),
                    ms: Some(elapsed.as_millis() as u64),
                    ..Event::new(EventKind::ToolResult)
                })?;
                return Err(fault.into());
            }
        };
        self.recorder.record(Event {
            id: Some(id),
            ok: Some(result.error.is_none()),
            error: result.error.clone(),
            output: Some(result.output.clone()),
            truncated: result.truncated.then_some(true),
            exit_code: result.exit_code,
            ms: Some(elapsed.as_millis() as u64),
            ..Event::new(EventKind::ToolResult)
        })?;
        Ok(result)
    }

    /// Time spent in calls so far.
    pub fn spent(&self) -> Duration {
        Duration::from_micros(self.spent_us.load(Ordering::Relaxed))
    }

    /// The sandbox behind the tools, for what is no call of an agent's.
    pub fn sandbox(&self) -> &Arc<dyn Sandbox> {
        &self.sandbox
    }

    /// The record, for what is said beside calls.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    async fn dispatch(&self, call: &Call) -> Result<CallResult, SandboxError> {
        if !self.allowed.contains(&call.tool) {
            return Ok(CallResult::failed(format!(
                "there is no tool `{}` here; the tools are {}",
                call.tool,
                self.allowed.join(", ")
            )));
        }
        let (sandbox, limits) = (self.sandbox.as_ref(), &self.limits);
        match call.tool.as_str() {
            "bash" => with(call, |arguments| bash::run(sandbox, limits, arguments)).await,
            "read" => with(call, |arguments| read::run(sandbox, limits, arguments)).await,
            "write" => with(call, |arguments| write::run(sandbox, arguments)).await,
            "edit" => with(call, |arguments| edit::run(sandbox, arguments)).await,
            "submit" => with(call, |arguments| async { Ok(submit::run(arguments)) }).await,
            other => Ok(CallResult::failed(format!(
                "the tool `{other}` is not built in"
            ))),
        }
    }
}

/// Checks the arguments before anything runs.
async fn with<A, F>(call: &Call, perform: impl FnOnce(A) -> F) -> Result<CallResult, SandboxError>
where
    A: DeserializeOwned,
    F: Future<Output = Result<CallResult, SandboxError>>,
{
    match serde_json::from_value(call.arguments.clone()) {
        Ok(arguments) => perform(arguments).await,
        Err(error) => Ok(CallResult::failed(format!(
            "arguments of `{}`: {error}",
            call.tool
        ))),
    }
}

/// The first text among the arguments: what a status line shows of a call.
fn gist(arguments: &Value) -> &str {
    ["command", "path"]
        .iter()
        .find_map(|name| arguments.get(name)?.as_str())
        .unwrap_or("")
}

/// Joins the outputs of a program as an agent reads them: what is kept apart
/// stays told apart.
fn shown(output: &ExecOutput) -> (String, bool) {
    let text = |captured: &Captured| captured.text();
    let mut shown = text(&output.stdout);
    let errors = text(&output.stderr);
    if !errors.is_empty() {
        if !shown.is_empty() && !shown.ends_with('\n') {
            shown.push('\n');
        }
        if !shown.is_empty() {
            shown.push_str("[stderr]\n");
        }
        shown.push_str(&errors);
    }
    (shown, output.stdout.cut > 0 || output.stderr.cut > 0)
}
