//! What agents may do: the standard tools and those of a task, their arguments,
//! their results.
//!
//! Owns the check of arguments and the record of each call and result. Must not
//! know who calls, nor what a verdict is. What an agent does wrong comes back to
//! it as a result; only a fault of the sandbox is an error here.

mod custom;
mod edit;
mod look;
pub mod mcp;
mod read;
mod session;
mod toolbox;
mod write;

pub use custom::TOOLS;
use mcp::Servers;
pub use toolbox::{Toolbox, Way};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::sandbox::{Captured, ExecOutput, Interpreter, Sandbox, SandboxError};
use crate::trajectory::{Event, EventKind, Recorder, RecorderError};

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
    pub arguments: Arguments,
}

/// What a tool is called with.
#[derive(Debug, Clone, PartialEq)]
pub enum Arguments {
    Parsed(Value),
    /// What a model wrote that is no JSON object, and why it is none.
    Raw {
        text: String,
        why: String,
    },
}

impl Arguments {
    /// Takes what a model wrote.
    pub fn written(text: &str) -> Self {
        match serde_json::from_str::<Map<String, Value>>(text) {
            Ok(map) => Self::Parsed(Value::Object(map)),
            Err(error) => Self::Raw {
                text: text.to_owned(),
                why: error.to_string(),
            },
        }
    }
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
    /// The result as a model reads it.
    pub fn told(&self) -> String {
        let mut told = self.output.clone();
        let line = |told: &mut String, line: &str| {
            if !told.is_empty() && !told.ends_with('\n') {
                told.push('\n');
            }
            told.push_str(line);
        };
        match (&self.error, self.exit_code) {
            (Some(error), _) => line(&mut told, &format!("error: {error}")),
            (None, Some(code)) if code != 0 => line(&mut told, &format!("[exit status {code}]")),
            _ => {}
        }
        if told.is_empty() {
            told.push_str("(no output)");
        }
        told
    }

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

/// Where calls are performed.
#[derive(Clone)]
pub struct Places {
    /// The agent's sandbox.
    pub agent: Arc<dyn Sandbox>,
    /// Where the task's own tools run; none: in the agent's.
    pub tools: Option<Arc<dyn Sandbox>>,
}

/// The tools over the sandboxes of a trial, and the record of what was done with them.
pub struct Tools {
    places: Places,
    toolbox: Arc<Toolbox>,
    limits: CallLimits,
    recorder: Arc<Recorder>,
    calls: AtomicU64,
    spent_us: AtomicU64,
    watcher: Box<Watcher>,
    servers: Servers,
}

impl Tools {
    /// `watcher` hears of each call before it is performed: its number, tool and gist.
    pub fn new(
        places: Places,
        toolbox: Arc<Toolbox>,
        limits: CallLimits,
        recorder: Arc<Recorder>,
        watcher: impl Fn(u64, &str, &str) + Send + Sync + 'static,
    ) -> Self {
        Self {
            places,
            toolbox,
            limits,
            recorder,
            calls: AtomicU64::new(0),
            spent_us: AtomicU64::new(0),
            watcher: Box::new(watcher),
            servers: Servers::default(),
        }
    }

    /// With servers that perform what the toolbox has of theirs.
    pub fn with(self, servers: Servers) -> Self {
        Self { servers, ..self }
    }

    /// The servers that performed calls, to be ended.
    pub fn into_servers(self) -> Servers {
        self.servers
    }

    /// Performs a call and records both it and its result.
    pub async fn perform(&self, call: &Call) -> Result<CallResult, ToolError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let id = call.id.clone().unwrap_or_else(|| format!("call-{number}"));
        let (arguments, raw) = match &call.arguments {
            Arguments::Parsed(arguments) => (Some(arguments), None),
            Arguments::Raw { text, .. } => (None, Some(text.clone())),
        };
        (self.watcher)(number, &call.tool, arguments.map_or("", gist));
        let checked = match &call.arguments {
            Arguments::Parsed(arguments) => self.toolbox.check(&call.tool, arguments),
            Arguments::Raw { why, .. } => Err(self.toolbox.not_json(&call.tool, why)),
        };
        self.recorder.record(Event {
            id: Some(id.clone()),
            tool: Some(call.tool.clone()),
            arguments: arguments.cloned(),
            raw,
            invalid: checked.as_ref().err().cloned(),
            ..Event::new(EventKind::ToolCall)
        })?;
        let started = Instant::now();
        let done = match (checked, arguments) {
            (Ok(way), Some(arguments)) => self.dispatch(&call.tool, way, arguments).await,
            (Err(wrong), _) => Ok(CallResult::failed(wrong)),
            (Ok(_), None) => unreachable!("only what was parsed is checked"),
        };
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

    /// The agent's sandbox, for what is no call of an agent's.
    pub fn sandbox(&self) -> &Arc<dyn Sandbox> {
        &self.places.agent
    }

    /// What is offered.
    pub fn toolbox(&self) -> &Toolbox {
        &self.toolbox
    }

    /// The record, for what is said beside calls.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    async fn dispatch(
        &self,
        tool: &str,
        way: &Way,
        arguments: &Value,
    ) -> Result<CallResult, SandboxError> {
        let (sandbox, limits) = (self.places.agent.as_ref(), &self.limits);
        if let Way::Program(command) = way {
            let place = self.places.tools.as_ref().unwrap_or(&self.places.agent);
            return custom::run(place.as_ref(), limits, command, arguments).await;
        }
        if let Way::Server { server, tool } = way {
            let servers = &self.servers;
            return Ok(servers.call(*server, tool, arguments, limits).await);
        }
        let session = |interpreter| {
            with(arguments, move |arguments| {
                session::run(interpreter, sandbox, limits, arguments)
            })
        };
        match tool {
            "bash" => session(Interpreter::Shell).await,
            "python" => session(Interpreter::Python).await,
            "read" => with(arguments, |arguments| read::run(sandbox, limits, arguments)).await,
            "write" => with(arguments, |arguments| write::run(sandbox, arguments)).await,
            "edit" => with(arguments, |arguments| edit::run(sandbox, arguments)).await,
            "list" => look::run(sandbox, limits, look::list(arguments.clone())).await,
            "search" => look::run(sandbox, limits, look::search(arguments.clone())).await,
            "submit" => Ok(CallResult {
                output: arguments["message"].as_str().unwrap_or_default().to_owned(),
                submitted: true,
                ..CallResult::default()
            }),
            other => Ok(CallResult::failed(format!(
                "the tool `{other}` is not built in"
            ))),
        }
    }
}

/// Takes the arguments apart; their schema says less than their type in corners.
async fn with<A, F>(
    arguments: &Value,
    perform: impl FnOnce(A) -> F,
) -> Result<CallResult, SandboxError>
where
    A: DeserializeOwned,
    F: Future<Output = Result<CallResult, SandboxError>>,
{
    match serde_json::from_value(arguments.clone()) {
        Ok(arguments) => perform(arguments).await,
        Err(error) => Ok(CallResult::failed(format!("wrong arguments: {error}"))),
    }
}

/// The first text among the arguments: what a status line shows of a call.
fn gist(arguments: &Value) -> &str {
    ["command", "code", "path", "pattern"]
        .iter()
        .find_map(|name| arguments.get(name)?.as_str())
        .or_else(|| arguments.as_object()?.values().find_map(Value::as_str))
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
    let cut = output.stdout.cut > 0 || output.stderr.cut > 0;
    if cut {
        if !shown.ends_with('\n') {
            shown.push('\n');
        }
        shown.push_str(
            "[cut in the middle; to see all, write it to a file and read parts of that]\n",
        );
    }
    (shown, cut)
}
