//! `list` and `search`: looking around, by the helper's own program, so that they
//! work in an image that has neither `ls` nor `grep`.

use serde_json::Value;

use super::{CallLimits, CallResult, shown};
use crate::sandbox::guest::look::Look;
use crate::sandbox::{Ended, Exec, Sandbox, SandboxError, User, wire};

pub async fn run(
    sandbox: &dyn Sandbox,
    limits: &CallLimits,
    look: Result<Look, serde_json::Error>,
) -> Result<CallResult, SandboxError> {
    let asked = look.and_then(|look| serde_json::to_vec(&look));
    let stdin = match asked {
        Ok(asked) => asked,
        Err(error) => return Ok(CallResult::failed(error.to_string())),
    };
    let output = sandbox
        .exec(Exec {
            user: User::Default,
            timeout: limits.timeout,
            output_bytes: limits.output_bytes,
            stdin,
            ..Exec::new([wire::HELPER, "look"])
        })
        .await?;
    let (text, truncated) = shown(&output);
    Ok(match output.ended {
        Ended::Exited(0) => CallResult {
            output: text,
            truncated,
            ..CallResult::default()
        },
        Ended::TimedOut => CallResult::failed(format!(
            "it took longer than {} s; narrow `path`",
            limits.timeout.as_secs_f64()
        )),
        _ => CallResult::failed(text.trim_start_matches("[stderr]\n").trim_end().to_owned()),
    })
}

/// The arguments of a call as what is asked of the helper.
pub fn list(arguments: Value) -> Result<Look, serde_json::Error> {
    serde_json::from_value(arguments).map(Look::List)
}

/// As [`list`].
pub fn search(arguments: Value) -> Result<Look, serde_json::Error> {
    serde_json::from_value(arguments).map(Look::Search)
}
