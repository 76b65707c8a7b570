//! `read`: a file, or a range of its lines.

use serde::Deserialize;

use super::{CallLimits, CallResult, look};
use crate::sandbox::{GuestErrorKind, Sandbox, SandboxError, User};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    path: String,
    /// First line, from 1.
    start: Option<u64>,
    /// Last line, included.
    end: Option<u64>,
}

/// The most of a file that is looked through for a range of lines.
const MOST: u64 = 16 << 20;

pub async fn run(
    sandbox: &dyn Sandbox,
    limits: &CallLimits,
    arguments: Arguments,
) -> Result<CallResult, SandboxError> {
    let ranged = arguments.start.is_some() || arguments.end.is_some();
    let most = if ranged { MOST } else { limits.output_bytes };
    let read = sandbox.read(&arguments.path, 0, most, &User::Default).await;
    let file = match read {
        Err(SandboxError::Guest(refused)) if refused.kind == GuestErrorKind::NotFound => {
            let near = near(sandbox, limits, &arguments.path).await?;
            return Ok(CallResult::failed(format!("{}{near}", refused.message)));
        }
        read => read?,
    };
    let mut content = file.content;
    let mut truncated = file.size > most;
    if ranged {
        let (start, end) = (
            arguments.start.unwrap_or(1).max(1),
            arguments.end.unwrap_or(u64::MAX),
        );
        if start > end {
            return Ok(CallResult::failed(format!(
                "start {start} is after end {end}"
            )));
        }
        let lines = content.split_inclusive(|byte| *byte == b'\n');
        content = lines
            .skip(start as usize - 1)
            .take((end - start).saturating_add(1) as usize)
            .flatten()
            .copied()
            .collect();
        if content.len() as u64 > limits.output_bytes {
            content.truncate(limits.output_bytes as usize);
            truncated = true;
        } else {
            truncated = false;
        }
    }
    let mut output = String::from_utf8_lossy(&content).into_owned();
    if truncated {
        output.push_str(&format!(
            "\n[… cut after {} of {} bytes; read a range of lines with start and end]\n",
            content.len(),
            file.size
        ));
    }
    Ok(CallResult {
        output,
        truncated,
        ..CallResult::default()
    })
}

/// Files of the same name elsewhere below the working directory, as a hint.
async fn near(
    sandbox: &dyn Sandbox,
    limits: &CallLimits,
    path: &str,
) -> Result<String, SandboxError> {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        return Ok(String::new());
    }
    let asked = serde_json::json!({
        "pattern": format!("(^|/){}$", regex::escape(name)),
        "kind": "names",
        "max": 3,
    });
    let found = look::run(sandbox, limits, look::search(asked)).await?;
    let names: Vec<&str> = found
        .output
        .lines()
        .filter(|line| !line.starts_with(['[', '(']))
        .collect();
    Ok(match names.is_empty() {
        true => String::new(),
        false => format!("; there is {}", names.join(", ")),
    })
}
