//! One sandbox: a container, its helper, its work tree.

mod assemble;
mod body;
mod calls;
mod hold;
mod reach;
mod remains;
mod talk;
mod written;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::query_parameters::InspectContainerOptions;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::engine::Engine;
use super::link::{Link, LinkError};
use super::refusal::refused;
use crate::sandbox::wire::{Reply, Request, Setup};
use crate::sandbox::{LimitHit, SandboxError, SandboxSpec};
pub(super) use body::{bind, volume};
use remains::Remains;
use written::Written;

/// A container with our helper as PID 1.
pub struct DockerSandbox {
    engine: Arc<Engine>,
    id: String,
    setup: Setup,
    main: Vec<String>,
    link: Mutex<Arc<Link>>,
    scratch: PathBuf,
    written: Written,
    limit: watch::Receiver<Option<LimitHit>>,
    memory_bytes: u64,
    owner: (u32, u32),
    /// Networks of a project that it was put onto.
    networks: Vec<String>,
    watcher: JoinHandle<()>,
    /// None once somebody takes it away.
    remains: Mutex<Option<Remains>>,
    /// The engine settles only when the last sandbox is gone.
    _alive: TaskTrackerToken,
}

impl DockerSandbox {
    /// Makes and starts a sandbox; when it returns, the helper answers.
    ///
    /// Making goes on to its end in a task of its own when the caller goes away:
    /// what is half made could not be found again. What then nobody wants is
    /// taken away like every dropped sandbox.
    pub async fn start(engine: &Arc<Engine>, spec: &SandboxSpec) -> Result<Self, SandboxError> {
        let (owned, spec) = (engine.clone(), spec.clone());
        let making = engine.background.spawn(async move {
            match Self::try_start(&owned, &spec).await {
                Err(error) if spec.work_tree.is_some() && owned.uses_overlay() && is_refused_mount(&error) => {
                    tracing::warn!(%error, "an overlay was refused: work trees become image layers");
                    owned.give_up_overlays();
                    Self::try_start(&owned, &spec).await
                }
                started => started,
            }
        });
        making.await.unwrap_or_else(|error| {
            Err(SandboxError::Host {
                doing: "make a sandbox".into(),
                source: std::io::Error::other(error),
            })
        })
    }

    async fn try_start(engine: &Arc<Engine>, spec: &SandboxSpec) -> Result<Self, SandboxError> {
        let mut remains = Remains::of(engine);
        match assemble::assemble(engine, spec, &mut remains).await {
            Ok(sandbox) => Ok(sandbox),
            Err(error) => {
                // The first failure is the one to tell.
                let _ = remains.remove(engine).await;
                Err(error)
            }
        }
    }

    /// User and group of its commands.
    pub fn owner(&self) -> (u32, u32) {
        self.owner
    }

    pub(super) fn docker(&self) -> &bollard::Docker {
        &self.engine.docker
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The environment of its commands, `NAME=value`.
    pub(super) fn environment(&self) -> Vec<String> {
        self.setup
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    fn link(&self) -> Arc<Link> {
        self.link
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn call(
        &self,
        doing: &'static str,
        request: &Request,
        blob: &[u8],
        deadline: Duration,
    ) -> Result<(Reply, Vec<u8>), SandboxError> {
        match self.link().call(request, blob, deadline).await {
            Ok((Reply::Refused(error), _)) => Err(error.into()),
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.explain(doing, error, deadline).await),
        }
    }

    /// Says what is known of a call without an answer.
    async fn explain(
        &self,
        doing: &'static str,
        error: LinkError,
        deadline: Duration,
    ) -> SandboxError {
        match error {
            LinkError::Deadline => SandboxError::Deadline {
                doing,
                seconds: deadline.as_secs(),
            },
            LinkError::Invalid(source) => SandboxError::Host {
                doing: doing.into(),
                source,
            },
            LinkError::Closed => self.gone().await,
        }
    }

    async fn gone(&self) -> SandboxError {
        let docker = &self.engine.docker;
        let mut cause = "its connection was closed".to_owned();
        let mut out_of_memory = false;
        // The engine notices the end of a container a moment after we do, and that it was
        // for want of memory by another message, which may come later still.
        let mut told_late = 20;
        for _ in 0..40 {
            let state = match docker
                .inspect_container(&self.id, None::<InspectContainerOptions>)
                .await
            {
                Ok(seen) => seen.state.unwrap_or_default(),
                Err(error) => {
                    cause = format!("the engine says: {error}");
                    break;
                }
            };
            out_of_memory = state.oom_killed == Some(true);
            let ended = state.running == Some(false);
            if ended && !out_of_memory && state.exit_code == Some(137) && told_late > 0 {
                told_late -= 1;
            } else if ended {
                cause = match state.exit_code {
                    _ if out_of_memory => {
                        format!(
                            "killed when the sandbox was out of its memory of {} MiB",
                            self.memory_bytes >> 20
                        )
                    }
                    Some(137) => "killed".to_owned(),
                    Some(code) => format!("it ended with status {code}"),
                    None => cause,
                };
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        SandboxError::Gone {
            cause,
            out_of_memory,
        }
    }

    fn relink(&self, link: Arc<Link>) {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }

    /// Tells a new helper what it is for; returns the user and group of its commands.
    async fn set_up(&self) -> Result<(u32, u32), SandboxError> {
        const DOING: &str = "setting up the helper";
        let setup = Request::Setup(self.setup.clone());
        match self.call(DOING, &setup, &[], reach::HELLO).await? {
            (Reply::Ready { uid, gid, .. }, _) => Ok((uid, gid)),
            (other, _) => Err(unexpected(DOING, &other)),
        }
    }

    /// Taking away goes on to its end, whoever goes away meanwhile. None where it
    /// was begun before, or where there is nothing to run it on.
    fn begin_removal(&self) -> Option<JoinHandle<Result<(), SandboxError>>> {
        self.watcher.abort();
        let mut remains = self.remains.lock().unwrap_or_else(PoisonError::into_inner);
        tokio::runtime::Handle::try_current().ok()?;
        let (engine, remains) = (self.engine.clone(), remains.take()?);
        let tracker = engine.background.clone();
        Some(tracker.spawn(async move { remains.remove(&engine).await }))
    }
}

impl Drop for DockerSandbox {
    /// The safety net: a sandbox that nobody stopped is taken away in the background.
    fn drop(&mut self) {
        drop(self.begin_removal());
    }
}

fn is_refused_mount(error: &SandboxError) -> bool {
    matches!(error, SandboxError::Engine { message, .. } if message.contains("mount") || message.contains("overlay"))
}

fn unexpected(doing: &'static str, reply: &Reply) -> SandboxError {
    SandboxError::Engine {
        doing: doing.into(),
        message: format!("the helper answered out of turn: {reply:?}"),
    }
}

fn host<T>(doing: &str, result: std::io::Result<T>) -> Result<T, SandboxError> {
    result.map_err(|source| SandboxError::Host {
        doing: doing.to_owned(),
        source,
    })
}
