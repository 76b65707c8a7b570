//! Whether a sandbox is ready: a health check, asked again and again.

use std::time::{Duration, Instant};

use super::hands::ending;
use super::keep::last_lines;
use crate::sandbox::{Ended, Exec, ExecOutput, GuestErrorKind, Sandbox, SandboxError};
use crate::task::HealthCheck;

/// A sandbox that did not become ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    #[error("the health check `{command}` failed {failures} times in a row: it {last}")]
    Failed {
        command: String,
        failures: u32,
        last: String,
    },
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

/// Asks until the check says that the sandbox is ready, by Docker's rules: the first
/// success counts, and so many failures in a row as it says are too many, but for those
/// of its start period.
///
/// # Errors
/// Too many failures, with the last words; or the sandbox itself failed.
pub async fn wait_until_ready(sandbox: &dyn Sandbox, health: &HealthCheck) -> Result<(), NotReady> {
    let begun = Instant::now();
    let mut failures = 0;
    loop {
        let starting = begun.elapsed() < health.start_period;
        let last = match attempt(sandbox, health).await? {
            None => return Ok(()),
            Some(last) => last,
        };
        let pause = match starting {
            true => health.start_interval,
            false => {
                failures += 1;
                health.interval
            }
        };
        if !starting && failures >= health.retries {
            return Err(NotReady::Failed {
                command: health.command.clone(),
                failures,
                last,
            });
        }
        // A pause of nothing at all would be a loop that starves what it waits for.
        tokio::time::sleep(pause.max(Duration::from_millis(10))).await;
    }
}

/// How an attempt failed; none where it did not.
async fn attempt(
    sandbox: &dyn Sandbox,
    health: &HealthCheck,
) -> Result<Option<String>, SandboxError> {
    let mut none = String::new();
    for shell in ["bash", "sh"] {
        let exec = Exec {
            timeout: health.timeout,
            output_bytes: 16 << 10,
            ..Exec::new([shell, "-c", health.command.as_str()])
        };
        match sandbox.exec(exec).await {
            Ok(ran) if ran.ended == Ended::Exited(0) => return Ok(None),
            Ok(ran) => return Ok(Some(told(&ran))),
            Err(SandboxError::Guest(refusal)) if refusal.kind == GuestErrorKind::NoProgram => {
                none = refusal.message;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Some(format!("did not start: {none}")))
}

fn told(ran: &ExecOutput) -> String {
    match last_lines(&[&ran.stdout, &ran.stderr], 3) {
        said if said.is_empty() => ending(ran.ended),
        said => format!("{}: {said}", ending(ran.ended)),
    }
}
