//! One trial, from its image to its record: where rooms meet.
//!
//! What trials of a task share (image, checkout, reference run) is made once,
//! before the first of them and outside their time ([`prepare`]). The attempt
//! itself then goes its way: sandbox, session, capture, pristine sandbox, verdict.

mod attempt;
mod capture;
mod prepare;
mod pristine;
mod record;
mod session;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::{Demand, Events, ExecuteTrial, Granted, fault_record, now};
use crate::agent::Agent;
use crate::config::{NetworkSetting, Settings};
use crate::record::{Fault, Limits, PlannedTrial, RunRecord, TaskId, Timing, TrialRecord};
use crate::sandbox::docker::images::Images;
use crate::sandbox::docker::{DockerSandbox, Engine};
use crate::sandbox::{MainProcess, NetworkMode, Role, Sandbox, SandboxSpec, WorkTree};
use crate::task::{Network, Task};
use prepare::Ready;

/// Everything that the trials of a run need.
pub struct Trials {
    engine: Arc<Engine>,
    images: Arc<Images>,
    settings: Settings,
    run: RunRecord,
    tasks: HashMap<TaskId, Shared>,
    agents: HashMap<String, Arc<dyn Agent>>,
}

/// A task, and what its trials share.
struct Shared {
    task: Task,
    granted: Granted,
    ready: OnceCell<Result<Ready, Fault>>,
}

impl Trials {
    /// `tasks`: each with what the machine grants it; `agents` by the name in the plan.
    pub fn new(
        engine: Arc<Engine>,
        settings: Settings,
        run: RunRecord,
        tasks: Vec<(Task, Granted)>,
        agents: HashMap<String, Arc<dyn Agent>>,
    ) -> Self {
        let images = Arc::new(Images::new(
            engine.docker(),
            &settings.images,
            &settings.host,
        ));
        let tasks = tasks
            .into_iter()
            .map(|(task, granted)| {
                let shared = Shared {
                    task,
                    granted,
                    ready: OnceCell::new(),
                };
                (shared.task.id.clone(), shared)
            })
            .collect();
        Self {
            engine,
            images,
            settings,
            run,
            tasks,
            agents,
        }
    }

    /// What a sandbox of a task is made from.
    fn spec(&self, shared: &Shared, ready: &Ready, trial: &str, role: Role) -> SandboxSpec {
        let task = &shared.task;
        let network = match role {
            Role::Verifier | Role::Reference => &task.verification.network,
            Role::Agent | Role::Shell => &task.environment.network,
        };
        SandboxSpec {
            image: ready.image.id.clone(),
            run: self.run.run.to_string(),
            trial: trial.to_owned(),
            role,
            limits: self.limits(shared),
            network: match self.settings.run.network {
                Some(NetworkSetting::None) => NetworkMode::None,
                Some(NetworkSetting::Full) => NetworkMode::Full,
                None if *network == Network::Full => NetworkMode::Full,
                None => NetworkMode::None,
            },
            env: task.environment.env.clone(),
            workdir: task.environment.workdir.clone(),
            user: match role {
                Role::Agent | Role::Shell => task.agent.user.clone(),
                Role::Verifier | Role::Reference => task.verification.user.clone(),
            },
            work_tree: ready.tree.as_ref().map(|tree| WorkTree {
                prepared: tree.dir.clone(),
                digest: tree.digest.clone(),
                path: ready.tree_path.clone(),
                owner: (tree.owner.uid, tree.owner.gid),
            }),
            main: match task.ours {
                true => MainProcess::Image,
                false => MainProcess::EntrypointWith(vec![
                    "sh".into(),
                    "-c".into(),
                    "sleep infinity".into(),
                ]),
            },
        }
    }

    fn limits(&self, shared: &Shared) -> Limits {
        let settings = &self.settings.limits;
        Limits {
            cpus: shared.granted.demand.cpus,
            memory_bytes: shared.granted.demand.memory_bytes,
            pids: settings.pids,
            open_files: settings.open_files,
            disk_bytes: shared
                .task
                .environment
                .storage_bytes
                .unwrap_or(settings.disk_mb << 20),
        }
    }

    fn time(&self, limit: std::time::Duration) -> std::time::Duration {
        limit.mul_f64(self.settings.run.timeout_multiplier)
    }
}

/// What a trial of the task takes, before the machine is asked.
pub fn demand(task: &Task, settings: &Settings) -> Demand {
    Demand {
        cpus: task.environment.cpus.unwrap_or(settings.limits.cpus),
        memory_bytes: task
            .environment
            .memory_bytes
            .unwrap_or(settings.limits.memory_mb << 20),
    }
}

#[async_trait]
impl ExecuteTrial for Trials {
    async fn execute(
        &self,
        planned: &PlannedTrial,
        dir: &Path,
        queued_ms: u64,
        events: &Events,
        cancel: &CancellationToken,
    ) -> Option<TrialRecord> {
        let shared = self.tasks.get(&planned.task)?;
        let agent = self.agents.get(&planned.agent)?;
        let ready = tokio::select! {
            ready = shared.ready.get_or_init(|| self.prepare(shared, events)) => ready,
            () = cancel.cancelled() => return None,
        };
        let started_at = now();
        match ready {
            Ok(ready) => {
                let attempt = attempt::Attempt::new(self, shared, ready, planned, dir, events);
                attempt
                    .perform(agent.as_ref(), queued_ms, cancel, started_at)
                    .await
            }
            Err(fault) => {
                let timing = Timing::default();
                Some(fault_record(
                    &self.run,
                    planned,
                    dir,
                    fault.clone(),
                    timing,
                    started_at,
                ))
            }
        }
    }

    fn demand(&self, planned: &PlannedTrial) -> Demand {
        self.tasks.get(&planned.task).map_or(
            Demand {
                cpus: 1.0,
                memory_bytes: 0,
            },
            |shared| shared.granted.demand,
        )
    }
}

/// A sandbox as an agent of the task would find it, for people to look around.
pub async fn sandbox_of(
    engine: Arc<Engine>,
    mut settings: Settings,
    task: Task,
    granted: Granted,
) -> Result<DockerSandbox, Fault> {
    settings.run.check = false;
    let (events, _) = Events::channel();
    let id = task.id.clone();
    let trials = Trials::new(
        engine,
        settings,
        RunRecord::empty(),
        vec![(task, granted)],
        HashMap::new(),
    );
    let Some(shared) = trials.tasks.get(&id) else {
        unreachable!("the task was just given")
    };
    let ready = trials.prepare(shared, &events).await?;
    let spec = trials.spec(shared, &ready, "shell", Role::Shell);
    let started = DockerSandbox::start(&trials.engine, &spec).await;
    let sandbox = started.map_err(|error| prepare::fault("sandbox", &error))?;
    sandbox
        .start_main()
        .await
        .map_err(|error| prepare::fault("sandbox", &error))?;
    Ok(sandbox)
}
