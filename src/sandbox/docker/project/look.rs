//! How services are, and what they said.

use bollard::models::{ContainerState, HealthStatusEnum};
use bollard::query_parameters::{InspectContainerOptions, LogsOptionsBuilder};
use futures_util::StreamExt;

use super::error::LastWords;
use super::{Project, ProjectError};
use crate::sandbox::docker::images::plain;
use crate::sandbox::docker::refusal::refused;
use crate::sandbox::guest::capture::Capture;
use crate::sandbox::project::{Health, Running, ServiceState};
use crate::sandbox::{Captured, SandboxError};

/// Lines of a service that are told with its failure.
const LINES: usize = 20;
/// Bytes of a log that are read at most.
const LOG: u64 = 1 << 20;

impl Project {
    /// How a service is.
    ///
    /// # Errors
    /// Where the engine fails. A service that is not made yet is not running.
    pub async fn state(&self, service: &str) -> Result<ServiceState, ProjectError> {
        if self.spec.service(service).is_some() && self.remains.container(service).is_none() {
            return Ok(ServiceState {
                running: Running::NotYet,
                health: Health::Unprobed,
                out_of_memory: false,
            });
        }
        Ok(state_of(&self.inspect(service).await?))
    }

    /// The last `tail` lines that a service wrote, errors and output together as they
    /// came; a mebibyte at most.
    pub async fn logs(&self, service: &str, tail: usize) -> Result<Captured, ProjectError> {
        let id = self.container(service)?;
        let options = LogsOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .tail(&tail.to_string())
            .build();
        let mut pieces = self.engine.docker.logs(&id, Some(options));
        let mut kept = Capture::new(LOG);
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| refused("read the log of a service", &error))?;
            kept.push(&piece.into_bytes());
        }
        Ok(kept.captured())
    }

    /// What can still be had of what it said; nothing where the engine fails, since
    /// there is a failure to tell already.
    pub(super) async fn last_words(&self, service: &str) -> LastWords {
        let probe = match self.inspect(service).await {
            Ok(state) => last_probe(state),
            Err(_) => None,
        };
        let log = match self.logs(service, LINES).await {
            Ok(log) => lines(&log.text()),
            Err(_) => Vec::new(),
        };
        LastWords { probe, log }
    }

    async fn inspect(&self, service: &str) -> Result<ContainerState, ProjectError> {
        let id = self.container(service)?;
        let docker = &self.engine.docker;
        let seen = docker.inspect_container(&id, None::<InspectContainerOptions>);
        let failed = |error| -> SandboxError { refused("look at a service", &error) };
        Ok(seen.await.map_err(failed)?.state.unwrap_or_default())
    }
}

fn state_of(state: &ContainerState) -> ServiceState {
    let ended = state.status.is_some_and(|status| {
        use bollard::models::ContainerStateStatusEnum as Status;
        matches!(status, Status::EXITED | Status::DEAD | Status::REMOVING)
    });
    let health = state.health.as_ref().and_then(|health| health.status);
    ServiceState {
        running: match (ended, state.running) {
            (true, _) => Running::Ended(state.exit_code.unwrap_or_default()),
            (false, Some(true)) => Running::Yes,
            (false, _) => Running::NotYet,
        },
        health: match health {
            Some(HealthStatusEnum::HEALTHY) => Health::Healthy,
            Some(HealthStatusEnum::UNHEALTHY) => Health::Unhealthy,
            Some(HealthStatusEnum::STARTING) => Health::Starting,
            _ => Health::Unprobed,
        },
        out_of_memory: state.oom_killed == Some(true),
    }
}

fn last_probe(state: ContainerState) -> Option<(i64, Vec<String>)> {
    let last = state.health?.log?.pop()?;
    let said = lines(&last.output.unwrap_or_default());
    Some((last.exit_code.unwrap_or_default(), said))
}

/// The last lines that say something, fit to be shown.
fn lines(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .map(plain)
        .filter(|line| !line.trim().is_empty());
    let lines: Vec<String> = lines.collect();
    lines[lines.len().saturating_sub(LINES)..].to_vec()
}
