//! A tool of the task's own: a program that reads its arguments as JSON from
//! standard input and writes its result to standard output.

use serde_json::Value;

use super::{CallLimits, CallResult, shown};
use crate::sandbox::{Captured, Ended, Exec, Sandbox, SandboxError, User};

/// Where programs and state of custom tools lie.
pub const TOOLS: &str = "/tools";

pub async fn run(
    sandbox: &dyn Sandbox,
    limits: &CallLimits,
    command: &[String],
    arguments: &Value,
) -> Result<CallResult, SandboxError> {
    let output = sandbox
        .exec(Exec {
            cwd: Some(TOOLS.to_owned()),
            // Programs and state are root's, so that an agent that is not cannot
            // change them where they lie in its own sandbox.
            user: User::Root,
            timeout: limits.timeout,
            output_bytes: limits.output_bytes,
            stdin: arguments.to_string().into_bytes(),
            ..Exec::new(command.iter().cloned())
        })
        .await?;
    let truncated = output.stdout.cut > 0;
    Ok(match output.ended {
        Ended::Exited(0) => CallResult {
            output: output.stdout.text(),
            truncated,
            exit_code: Some(0),
            ..CallResult::default()
        },
        Ended::TimedOut => CallResult::failed(format!(
            "the limit of {} s on one call fired",
            limits.timeout.as_secs_f64()
        )),
        ended => {
            let said = |captured: &Captured| captured.text().trim().to_owned();
            let error = match said(&output.stderr) {
                error if error.is_empty() => said(&output.stdout),
                error => error,
            };
            let error = match error.is_empty() {
                true => format!("the tool failed: {ended:?}"),
                false => error,
            };
            CallResult {
                error: Some(error),
                exit_code: ended.code(),
                truncated: shown(&output).1,
                ..CallResult::default()
            }
        }
    })
}
