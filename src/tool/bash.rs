//! `bash`: a command in the persistent shell.

use std::time::Duration;

use serde::Deserialize;

use super::{CallLimits, CallResult, shown};
use crate::sandbox::{Ended, Sandbox, SandboxError, ShellCommand, User};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    command: String,
    /// Seconds; the harness's limit is the most.
    timeout_sec: Option<f64>,
}

pub async fn run(
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
            command: arguments.command,
            user: User::Default,
            timeout,
            output_bytes: limits.output_bytes,
        })
        .await?;
    let (text, truncated) = shown(&output);
    let error = match output.ended {
        Ended::TimedOut => Some(format!(
            "the limit of {} s on one call fired after {:.1} s; the command and what it started were killed",
            timeout.as_secs_f64(),
            output.elapsed.as_secs_f64()
        )),
        Ended::Signaled(signal) => Some(format!("ended by signal {signal}")),
        _ => None,
    };
    // A status other than 0 is an answer, not an error of the call.
    Ok(CallResult {
        error,
        output: text,
        truncated,
        exit_code: output.ended.code(),
        submitted: false,
    })
}
