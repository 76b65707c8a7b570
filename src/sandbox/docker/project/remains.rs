//! Everything of one project that has to be taken away again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bollard::errors::Error;
use bollard::query_parameters::{
    InspectNetworkOptions, RemoveContainerOptionsBuilder, RemoveVolumeOptions,
};
use futures_util::future::join_all;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::sandbox::SandboxError;
use crate::sandbox::docker::attach::leave;
use crate::sandbox::docker::engine::Engine;
use crate::sandbox::docker::refusal::{is_gone, refused, status};

/// How long is waited for what is still in use: a sandbox that goes at the same time.
const PATIENCE: Duration = Duration::from_secs(15);
const EVERY: Duration = Duration::from_millis(100);

/// What exists of a project, by its names in the project.
#[derive(Debug, Default)]
pub struct Remains {
    made: Mutex<Made>,
    /// What is being made this moment.
    makers: TaskTracker,
}

/// The engine's names by the project's.
#[derive(Debug, Default, Clone)]
pub struct Made {
    pub networks: BTreeMap<String, String>,
    pub volumes: BTreeMap<String, String>,
    pub containers: BTreeMap<String, String>,
    /// Nothing may be made any more.
    closed: bool,
}

impl Remains {
    /// What there is now.
    pub fn made(&self) -> Made {
        self.lock().clone()
    }

    /// The container of a service, once it is made.
    pub fn container(&self, service: &str) -> Option<String> {
        self.lock().containers.get(service).cloned()
    }

    /// Notes something that was made.
    pub fn note(&self, note: impl FnOnce(&mut Made)) {
        note(&mut self.lock());
    }

    /// Leave to make something, for as long as it is held. None once all is taken away.
    pub fn maker(&self) -> Option<TaskTrackerToken> {
        let made = self.lock();
        (!made.closed).then(|| self.makers.token())
    }

    /// Begins the end; false where it was begun before.
    pub fn close(&self) -> bool {
        !std::mem::replace(&mut self.lock().closed, true)
    }

    fn lock(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it all away, once nothing is being made any more; goes on after a failure
    /// and tells the first. What is gone already is fine.
    pub async fn remove(&self, engine: &Engine) -> Result<(), SandboxError> {
        self.makers.close();
        self.makers.wait().await;
        let made = self.made();
        let containers = made.containers.values();
        let containers = join_all(containers.map(|id| remove_container(engine, id))).await;
        let until = Instant::now() + PATIENCE;
        let networks = made.networks.values();
        let volumes = made.volumes.values();
        let (networks, volumes) = tokio::join!(
            join_all(networks.map(|id| remove_network(engine, id, until))),
            join_all(volumes.map(|name| remove_volume(engine, name, until))),
        );
        let all = containers.into_iter().chain(networks).chain(volumes);
        all.fold(Ok(()), Result::and)
    }
}

async fn remove_container(engine: &Engine, id: &str) -> Result<(), SandboxError> {
    // By force is at once: nothing of a service has to be put in order.
    let options = RemoveContainerOptionsBuilder::default()
        .force(true)
        .v(true)
        .build();
    match engine.docker.remove_container(id, Some(options)).await {
        Err(error) if !is_gone(&error) => Err(refused("remove the container of a service", &error)),
        _ => Ok(()),
    }
}

async fn remove_network(engine: &Engine, id: &str, until: Instant) -> Result<(), SandboxError> {
    loop {
        match engine.docker.remove_network(id).await {
            Ok(()) => return Ok(()),
            Err(error) if status(&error) == Some(404) => return Ok(()),
            Err(error) if !is_in_use(&error) || Instant::now() > until => {
                return Err(refused("remove a network of services", &error));
            }
            Err(_) => {}
        }
        // Whoever is still on it loses it: it goes anyhow.
        let seen = engine
            .docker
            .inspect_network(id, None::<InspectNetworkOptions>);
        let on_it = seen.await.ok().and_then(|seen| seen.containers);
        for container in on_it.unwrap_or_default().keys() {
            let _ = leave(engine, id, container).await;
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn remove_volume(engine: &Engine, name: &str, until: Instant) -> Result<(), SandboxError> {
    loop {
        let options = None::<RemoveVolumeOptions>;
        match engine.docker.remove_volume(name, options).await {
            Ok(()) => return Ok(()),
            Err(error) if status(&error) == Some(404) => return Ok(()),
            Err(error) if status(&error) != Some(409) || Instant::now() > until => {
                return Err(refused("remove a volume of services", &error));
            }
            Err(_) => tokio::time::sleep(EVERY).await,
        }
    }
}

fn is_in_use(error: &Error) -> bool {
    matches!(status(error), Some(403 | 409)) || error.to_string().contains("active endpoints")
}
