//! `bash` and `python`: commands in persistent sessions.

use std::time::Duration;

use serde::Deserialize;

use super::{CallLimits, CallResult, shown};
use crate::sandbox::{Ended, Interpreter, Sandbox, SandboxError, ShellCommand, User};

#[derive(Deserialize)]
pub struct Arguments {
    #[serde(alias = "code")]
    command: String,
    /// Seconds; the harness's limit is the most.
    timeout_sec: Option<f64>,
}

pub async fn run(
    interpreter: Interpreter,
    sandbox: &dyn Sandbox,
    limits: &CallLimits,
    arguments: Arguments,
) -> Result<CallResult, SandboxError> {
    let asked = arguments
        .timeout_sec
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let timeout = asked.unwrap_or(limits.timeout).min(limits.timeout);
    let output = sandbox
        .shell(ShellCommand {
            interpreter,
            command: arguments.command,
            user: User::Default,
            timeout,
            output_bytes: limits.output_bytes,
        })
        .await?;
    let (mut text, truncated) = shown(&output);
    let error = match output.ended {
        // Without what it took: two trials of the same calls read the same.
        Ended::TimedOut => Some(format!(
            "the limit of {} s on one call fired; the command and what it started were killed",
            timeout.as_secs_f64()
        )),
        Ended::Signaled(signal) => Some(format!("ended by signal {signal}")),
        _ => None,
    };
    if output.session_ended {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(match interpreter {
            Interpreter::Shell => {
                "[the shell ended; the next call begins a new one in the last directory, with the exported variables]\n"
            }
            Interpreter::Python => {
                "[the session ended; the next call begins a new one without the names so far]\n"
            }
        });
    }
    // A status other than 0 is an answer, not an error of the call.
    Ok(CallResult {
        error,
        output: text,
        truncated,
        exit_code: output.ended.code(),
        submitted: false,
    })
}
