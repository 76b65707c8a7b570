//! Services beside a sandbox: one project per trial, with networks, volumes and
//! containers of its own, none of which has a fixed name or a port of the host's.
//!
//! Must not know what the services are for. The sandbox among them joins by
//! [`Project::attachment`]; it is made and stopped by whoever makes sandboxes.

mod body;
mod calls;
mod error;
mod look;
mod network;
mod remains;
mod service;
mod stage;

pub use error::{Ill, LastWords, ProjectError};

use std::collections::BTreeSet;
use std::sync::Arc;

use bollard::models::VolumeCreateRequest;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::engine::Engine;
use super::refusal::refused;
use crate::sandbox::project::{ProjectSpec, Stages};
use crate::sandbox::{Attachment, SandboxError};
use remains::Remains;

/// The services of one trial.
pub struct Project {
    engine: Arc<Engine>,
    spec: Arc<ProjectSpec>,
    stages: Stages,
    remains: Arc<Remains>,
    /// Services whose containers are made, and those that were started.
    created: watch::Sender<BTreeSet<String>>,
    started: watch::Sender<BTreeSet<String>>,
    /// The engine settles only when the last project is gone.
    _alive: TaskTrackerToken,
}

impl Project {
    /// Makes the networks and volumes; no service runs yet.
    ///
    /// Making goes on to its end in a task of its own when the caller goes away, and
    /// what then nobody wants is taken away.
    ///
    /// # Errors
    /// A spec that fits nothing; an engine that has no subnet left for a minute.
    pub async fn start(engine: &Arc<Engine>, spec: &ProjectSpec) -> Result<Self, ProjectError> {
        let project = Self {
            engine: engine.clone(),
            stages: spec.stages()?,
            spec: Arc::new(spec.clone()),
            remains: Arc::default(),
            created: watch::Sender::default(),
            started: watch::Sender::default(),
            _alive: engine.background.token(),
        };
        let unwanted = CancellationToken::new();
        let _gone = unwanted.clone().drop_guard();
        let making = engine.background.spawn(async move {
            match project.make(&unwanted).await {
                Ok(()) => Ok(project),
                Err(error) => {
                    // The first failure is the one to tell.
                    let _ = project.stop().await;
                    Err(error)
                }
            }
        });
        making
            .await
            .unwrap_or_else(|error| Err(ended(error).into()))
    }

    /// The networks and the volumes, all at once.
    async fn make(&self, unwanted: &CancellationToken) -> Result<(), ProjectError> {
        let (engine, spec) = (&self.engine, &self.spec);
        let networks = spec.networks.iter().map(async |network| {
            let id = network::make(engine, spec, network, unwanted).await?;
            let name = network.name.clone();
            self.remains
                .note(|made| drop(made.networks.insert(name, id)));
            Ok::<_, ProjectError>(())
        });
        let volumes = spec.volumes.iter().map(async |volume| {
            let name = self.make_volume().await?;
            self.remains
                .note(|made| drop(made.volumes.insert(volume.clone(), name)));
            Ok::<_, ProjectError>(())
        });
        // All of them come to their end: what one that is dropped had made already
        // would not be known.
        let (networks, volumes) = tokio::join!(
            futures_util::future::join_all(networks),
            futures_util::future::join_all(volumes),
        );
        networks.into_iter().chain(volumes).collect()
    }

    async fn make_volume(&self) -> Result<String, SandboxError> {
        let request = VolumeCreateRequest {
            name: Some(unique(&self.engine)),
            driver: Some("local".into()),
            labels: Some(self.engine.owner.labels(&self.spec.run, &self.spec.trial)),
            ..Default::default()
        };
        let made = self.engine.docker.create_volume(request).await;
        made.map(|volume| volume.name)
            .map_err(|error| refused("make a volume for services", &error))
    }

    /// What the sandbox among the services joins.
    pub fn attachment(&self) -> Attachment {
        let (made, main) = (self.remains.made(), &self.spec.main);
        let networks = main.networks.iter().filter_map(|(name, aliases)| {
            let own = std::iter::once(&main.name);
            let names = own.chain(aliases).cloned().collect();
            Some((made.networks.get(name)?.clone(), names))
        });
        let volumes = main.volumes.iter().filter_map(|mount| {
            let name = made.volumes.get(&mount.volume)?.clone();
            Some((name, mount.target.clone(), mount.read_only))
        });
        Attachment {
            networks: networks.collect(),
            volumes: volumes.collect(),
        }
    }

    /// Takes everything away, at once and by force. Sandboxes that use its volumes
    /// have to be stopped before, or meanwhile. A second call is nothing.
    pub async fn stop(&self) -> Result<(), SandboxError> {
        match self.begin_removal() {
            Some(removal) => removal.await.unwrap_or_else(|error| Err(ended(error))),
            None => Ok(()),
        }
    }

    /// Taking away goes on to its end, whoever goes away meanwhile. None where it
    /// was begun before, or where there is nothing to run it on.
    fn begin_removal(&self) -> Option<JoinHandle<Result<(), SandboxError>>> {
        tokio::runtime::Handle::try_current().ok()?;
        if !self.remains.close() {
            return None;
        }
        let (engine, remains) = (self.engine.clone(), self.remains.clone());
        let tracker = engine.background.clone();
        Some(tracker.spawn(async move { remains.remove(&engine).await }))
    }
}

impl Drop for Project {
    /// The safety net: a project that nobody stopped is taken away in the background.
    fn drop(&mut self) {
        drop(self.begin_removal());
    }
}

/// A name in the engine that nobody else has.
fn unique(engine: &Engine) -> String {
    let number = rand::random::<u64>();
    format!("proofyard-{}-{number:016x}", engine.owner.id())
}

fn ended(error: tokio::task::JoinError) -> SandboxError {
    SandboxError::Host {
        doing: "make or take away services".into(),
        source: std::io::Error::other(error),
    }
}
