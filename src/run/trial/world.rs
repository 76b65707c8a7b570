//! The agent's world: its sandbox, and beside it one for the task's own tools.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Trials;
use super::capture::{Capture, Refusal, is_below, packed};
use super::prepare::{Ready, fault};
use crate::record::Fault;
use crate::sandbox::docker::{DockerSandbox, Project};
use crate::sandbox::{Role, Sandbox, SandboxError, SandboxSpec};
use crate::task::{Task, Times, ToolPlace, pack};
use crate::tool::{Places, TOOLS, Toolbox, Tools};
use crate::trajectory::{Event, Recorder, calls_log};

/// The sandboxes of a session.
#[derive(Clone)]
pub struct World {
    pub agent: Arc<dyn Sandbox>,
    /// Where the task's own tools run, where that is not the agent's sandbox.
    pub tools: Option<Arc<dyn Sandbox>>,
    /// The services beside the agent's sandbox.
    pub project: Option<Arc<Project>>,
}

/// What the task's own tools left below [`TOOLS`].
#[derive(Debug, Clone, Default)]
pub struct ToolState {
    pub deleted: Vec<Vec<u8>>,
    pub tar: Vec<u8>,
}

/// Whether hidden checks find what was called: where the task has tools of its own,
/// or says which calls it wants.
pub fn tells_calls(task: &Task) -> bool {
    !task.tools.custom.is_empty() || task.tools.require.is_some() || !task.tools.after.is_empty()
}

impl World {
    /// Takes everything away; the first failure is told.
    pub async fn stop(&self) -> Result<(), SandboxError> {
        let services = async {
            match &self.project {
                Some(project) => project.stop().await,
                None => Ok(()),
            }
        };
        let (left, services) = tokio::join!(self.leave(), services);
        left.and(services)
    }

    /// Takes the sandboxes away; services go on.
    pub async fn leave(&self) -> Result<(), SandboxError> {
        let tools = async {
            match &self.tools {
                Some(tools) => tools.stop().await,
                None => Ok(()),
            }
        };
        let (agent, tools) = tokio::join!(self.agent.stop(), tools);
        agent.and(tools)
    }

    fn places(&self) -> Places {
        Places {
            agent: self.agent.clone(),
            tools: self.tools.clone(),
        }
    }

    /// The tools of a task over these sandboxes.
    pub fn tools(
        &self,
        trials: &Trials,
        toolbox: Arc<Toolbox>,
        recorder: Arc<Recorder>,
        watcher: impl Fn(u64, &str, &str) + Send + Sync + 'static,
    ) -> Tools {
        let limits = trials.call_limits();
        Tools::new(self.places(), toolbox, limits, recorder, watcher)
    }
}

impl Trials {
    /// Starts the agent's sandbox, and with it the services beside it and the sandbox of
    /// the task's tools.
    pub(super) async fn world(&self, ready: &Ready, trial: &str) -> Result<World, Fault> {
        let project = self.project(ready, Role::Agent, trial).await?;
        let world = self.world_beside(ready, trial, project).await;
        world.map_err(|error| fault("sandbox", &error))
    }

    async fn world_beside(
        &self,
        ready: &Ready,
        trial: &str,
        project: Option<Project>,
    ) -> Result<World, SandboxError> {
        let rules = &ready.task.tools;
        let beside = !rules.custom.is_empty() && rules.place == ToolPlace::Beside;
        let spec = SandboxSpec {
            attach: project.as_ref().map(Project::attachment),
            ..self.spec(ready, trial, Role::Agent)
        };
        let tools = async {
            match beside {
                false => Ok(None),
                true => {
                    let spec = self.spec(ready, trial, Role::Tools);
                    DockerSandbox::start(&self.engine, &spec).await.map(Some)
                }
            }
        };
        // What of a half world was made is taken away when it is dropped.
        let (agent, tools) = tokio::join!(DockerSandbox::start(&self.engine, &spec), tools);
        let world = World {
            agent: Arc::new(agent?),
            tools: tools?.map(|tools| Arc::new(tools) as Arc<dyn Sandbox>),
            project: project.map(Arc::new),
        };
        if !rules.custom.is_empty() {
            let place = world.tools.as_ref().unwrap_or(&world.agent);
            let tar = tools_tar(&ready.task)?;
            if let Err(error) = place.unpack(TOOLS, &[], &tar).await {
                let _ = world.stop().await;
                return Err(error);
            }
        }
        Ok(world)
    }

    /// A world that is ready to be acted in, of no trial.
    pub(super) async fn begun_world(&self, ready: &Ready, trial: &str) -> Result<World, Fault> {
        let world = self.world(ready, trial).await?;
        match self.begin(&world, ready).await {
            Ok(()) => Ok(world),
            Err(fault) => {
                let _ = world.stop().await;
                Err(fault)
            }
        }
    }

    /// What the task's tools left, once nothing of them runs any more.
    pub(super) async fn tool_state(
        &self,
        ready: &Ready,
        world: &World,
    ) -> Result<Option<ToolState>, SandboxError> {
        if ready.task.tools.custom.is_empty() {
            return Ok(None);
        }
        let place = world.tools.as_ref().unwrap_or(&world.agent);
        if world.tools.is_some() {
            place.kill_all().await?;
        }
        let mut changes = place.changes().await?;
        changes.retain(|change| is_below(&change.path, TOOLS));
        let bytes = self.settings.limits.change_mb << 20;
        let (deleted, packed) = packed(place.as_ref(), changes, bytes, false).await?;
        let tar = packed.tar;
        Ok(Some(ToolState { deleted, tar }))
    }

    /// Ends everything of the agent's (or stops it, where it `stays`), then takes its
    /// change and the state of the task's tools, and what hidden checks are told of its
    /// calls.
    pub(super) async fn capture_world(
        &self,
        world: &World,
        ready: &Ready,
        scratch: &std::path::Path,
        events: &[Event],
        stays: bool,
    ) -> Result<Result<Capture, Refusal>, Fault> {
        let agent = world.agent.as_ref();
        // What they gather may come from what the agent left running.
        let collected = match self.collect(agent, &ready.task).await {
            Ok(warnings) => warnings,
            // The capture will meet the same, and says what it means.
            Err(error) => vec![error.to_string()],
        };
        let captured = self.capture(agent, ready, scratch, stays).await?;
        let mut captured = match captured {
            Ok(captured) => captured,
            Err(refusal) => return Ok(Err(refusal)),
        };
        captured.notes.extend(collected);
        if let Some(project) = &world.project {
            let beside = self.take_beside(project, &ready.task, captured).await;
            captured = beside.map_err(|error| fault("capture", &error))?;
            captured.beside = Some(project.clone());
        }
        match self.tool_state(ready, world).await {
            Ok(state) => captured.tools = state,
            Err(SandboxError::Guest(refused)) => {
                let reason = crate::record::Reason::CaptureFailed;
                return Ok(Err((reason, refused.message)));
            }
            Err(error) => return Err(fault("capture", &error)),
        }
        if tells_calls(&ready.task) {
            captured.calls = Some(calls_log(events));
        }
        Ok(Ok(captured))
    }

    /// What is verified where nothing was done: the tools as they were, no calls.
    pub(super) fn nothing(&self, ready: &Ready) -> Result<Capture, SandboxError> {
        let mut nothing = Capture::nothing();
        if !ready.task.tools.custom.is_empty() {
            nothing.tools = Some(ToolState {
                deleted: Vec::new(),
                tar: rooted(&tools_tar(&ready.task)?)?,
            });
        }
        if tells_calls(&ready.task) {
            nothing.calls = Some(calls_log(&[]));
        }
        Ok(nothing)
    }

    /// What is left of an agent's time; none without a limit.
    pub(super) fn agent_time(&self, task: &Task) -> Option<Duration> {
        task.agent.timeout.map(|limit| self.time(limit))
    }
}

/// Waits until the agent's time is over; what was waited in vain for the model's
/// endpoint does not count.
pub async fn expire(limit: Option<Duration>, started: Instant, waited: impl Fn() -> Duration) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    loop {
        let spent = started.elapsed().saturating_sub(waited());
        if spent >= limit {
            return;
        }
        tokio::time::sleep(limit - spent).await;
    }
}

/// The task's folder of tools, as it is laid at [`TOOLS`].
fn tools_tar(task: &Task) -> Result<Vec<u8>, SandboxError> {
    match &task.tools.files {
        None => Ok(Vec::new()),
        Some(folder) => pack(&[folder], Times::Fixed).map_err(|error| SandboxError::Host {
            doing: "pack the task's tools".into(),
            source: std::io::Error::other(error),
        }),
    }
}

/// A stream with paths below [`TOOLS`] as one with paths below `/`.
fn rooted(tar: &[u8]) -> Result<Vec<u8>, SandboxError> {
    let moved = || -> std::io::Result<Vec<u8>> {
        let mut builder = tar::Builder::new(Vec::new());
        for entry in tar::Archive::new(tar).entries()? {
            let mut entry = entry?;
            let mut header = entry.header().clone();
            let path = std::path::Path::new(TOOLS.trim_start_matches('/')).join(entry.path()?);
            match entry.link_name()? {
                Some(link) => builder.append_link(&mut header, &path, &link)?,
                None => builder.append_data(&mut header, &path, &mut entry)?,
            }
        }
        builder.into_inner()
    };
    moved().map_err(|source| SandboxError::Host {
        doing: "lay the task's tools".into(),
        source,
    })
}
