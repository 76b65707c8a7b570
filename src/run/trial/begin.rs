//! What a sandbox needs before anybody acts in it: folders of the format, uploaded
//! files, the image's own process, and to be ready.

use std::time::Duration;

use super::Trials;
use super::prepare::{Ready, fault};
use super::services::laid_in_main;
use super::world::World;
use crate::record::Fault;
use crate::sandbox::docker::images::Healthcheck;
use crate::sandbox::{Sandbox, SandboxError};
use crate::task::{Environment, Format, HealthCheck, Times, pack};
use crate::verify::{NotReady, folders, wait_until_ready};

/// How often a check of the image's own is asked at least.
const OFTEN: Duration = Duration::from_secs(1);
/// The engine's own defaults.
const INTERVAL: Duration = Duration::from_secs(30);
const RETRIES: u32 = 3;

impl Trials {
    /// Lays what the task's format lays, starts the image's own process, and waits until
    /// the sandbox is ready.
    ///
    /// # Errors
    /// A fault of the task where it does not become ready; else of the engine.
    pub(super) async fn begin(&self, world: &World, ready: &Ready) -> Result<(), Fault> {
        let sandbox = world.agent.as_ref();
        let of = |error: SandboxError| fault("sandbox", &error);
        let task = &ready.task;
        let laid = self.lay_format(sandbox, &task.environment, task.format);
        laid.await.map_err(of)?;
        // Without it what the task meant cannot be had.
        sandbox.start_main().await.map_err(of)?;
        for health in ready.health() {
            until_ready(sandbox, health).await?;
        }
        let project = world.project.as_deref();
        self.after_main(project, &task.environment).await
    }

    /// The folders that the format has, writable for everybody, and uploaded files.
    pub(super) async fn lay_format(
        &self,
        sandbox: &dyn Sandbox,
        environment: &Environment,
        format: Format,
    ) -> Result<(), SandboxError> {
        let host = |error: &dyn std::fmt::Display| SandboxError::Host {
            doing: "pack files of the task".into(),
            source: std::io::Error::other(error.to_string()),
        };
        let own: &[(&str, u32)] = match format {
            Format::Proofyard | Format::SweBench => &[],
            Format::Harbor => &[
                ("logs", 0o755),
                ("logs/agent", 0o777),
                ("logs/artifacts", 0o777),
                ("logs/verifier", 0o777),
            ],
            Format::TerminalBench => &[("logs", 0o777), ("agent-logs", 0o777)],
        };
        if !own.is_empty() {
            let logs = folders(own).map_err(|error| host(&error))?;
            sandbox.unpack("/", &[], &logs).await?;
        }
        for (folder, tar) in laid_in_main(environment).map_err(|error| host(&error))? {
            sandbox.unpack(&folder, &[], &tar).await?;
        }
        if let Some(folder) = &environment.upload {
            let tar = pack(&[folder], Times::Own).map_err(|error| host(&error))?;
            sandbox.unpack(sandbox.workdir(), &[], &tar).await?;
        }
        Ok(())
    }
}

/// Waits until a check says that a sandbox is ready.
///
/// # Errors
/// A fault of the task where that does not happen; else of the engine.
pub async fn until_ready(sandbox: &dyn Sandbox, health: &HealthCheck) -> Result<(), Fault> {
    let ready = wait_until_ready(sandbox, health).await;
    ready.map_err(|error| match error {
        NotReady::Failed { .. } => Fault {
            class: "task".into(),
            retryable: true,
            ..fault("sandbox", &error)
        },
        NotReady::Sandbox(error) => fault("sandbox", &error),
    })
}

/// A check of the image's or of a compose file's, asked more often than the engine
/// would, for as long.
pub fn of_engine(check: &Healthcheck) -> Option<HealthCheck> {
    let (kind, rest) = check.test.split_first()?;
    let command = match kind.as_str() {
        "CMD-SHELL" => rest.join(" "),
        "CMD" => {
            let quoted = rest
                .iter()
                .map(|word| format!("'{}'", word.replace('\'', r"'\''")));
            quoted.collect::<Vec<String>>().join(" ")
        }
        _ => return None,
    };
    let or = |given: Duration, default| match given.is_zero() {
        true => default,
        false => given,
    };
    let interval = or(check.interval, INTERVAL);
    let retries = match check.retries {
        0 => RETRIES,
        retries => retries,
    };
    let pause = interval.min(OFTEN);
    let patience = interval.as_secs_f64() * f64::from(retries) / pause.as_secs_f64().max(0.001);
    Some(HealthCheck {
        command,
        interval: pause,
        timeout: or(check.timeout, INTERVAL),
        start_period: check.start_period,
        start_interval: pause,
        retries: patience.ceil() as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(test: &[&str], interval: u64, retries: u32) -> Option<HealthCheck> {
        of_engine(&Healthcheck {
            test: test.iter().map(|word| (*word).to_owned()).collect(),
            interval: Duration::from_secs(interval),
            timeout: Duration::ZERO,
            start_period: Duration::from_secs(2),
            retries,
        })
    }

    #[test]
    fn a_check_of_the_engines_is_asked_for_as_long_and_more_often() {
        let found = check(&["CMD", "test", "-f", "it's"], 10, 4).unwrap();
        assert_eq!(found.command, r"'test' '-f' 'it'\''s'");
        assert_eq!((found.interval.as_secs(), found.retries), (1, 40));
        assert_eq!(found.timeout.as_secs(), 30);
        let default = check(&["CMD-SHELL", "true"], 0, 0).unwrap();
        assert_eq!((default.command.as_str(), default.retries), ("true", 90));
    }

    #[test]
    fn no_check_is_none() {
        assert_eq!(check(&["NONE"], 0, 0), None);
        assert_eq!(check(&[], 0, 0), None);
    }
}
