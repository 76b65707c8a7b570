//! One trial, from its image to its record: where rooms meet.
//!
//! What trials of a task share (image, checkout, reference run) is made once,
//! before the first of them and outside their time ([`prepare`]). The attempt
//! itself then goes its way: sandbox, session, capture, pristine sandbox, verdict.

mod artifacts;
mod attempt;
mod begin;
mod built;
mod capture;
mod check;
mod examine;
mod frame;
mod grade;
mod instance_image;
mod leaks;
mod live;
mod naive;
mod offered;
mod official;
mod predicted;
mod prepare;
mod pristine;
mod probe;
mod record;
mod reference;
mod reference_steps;
mod regrade;
mod room;
mod rounds;
mod services;
mod session;
mod steps;
mod stored_change;
mod supplied;
mod ways;
mod world;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use tokio::sync::{OnceCell, RwLock};
use tokio_util::sync::CancellationToken;

use super::{Demand, Events, ExecuteTrial, Granted};
use crate::agent::{Agent, Ledger};
use crate::config::{NetworkSetting, Settings};
use crate::model::ModelError;
use crate::record::{Fault, Limits, PlannedTrial, RunRecord, TaskId, TrialRecord};
use crate::sandbox::docker::images::Images;
use crate::sandbox::docker::{DockerSandbox, Engine, Project};
use crate::sandbox::{MainProcess, NetworkMode, Privileges, Role, Sandbox, SandboxSpec};
use crate::task::{Format, Network, Services, Task, ToolPlace};
use crate::tool::{CallLimits, TOOLS};
pub use check::{Settled, Soundness};
pub use examine::Scope;
use frame::Frame;
pub use grade::{Grade, PREDICTION};
pub use naive::command_end;
use prepare::Ready;
pub use regrade::Regrade;

/// Everything that the trials of a run need.
pub struct Trials {
    engine: Arc<Engine>,
    images: Arc<Images>,
    settings: Settings,
    run: RunRecord,
    tasks: HashMap<TaskId, Shared>,
    agents: Agents,
    ledger: Arc<Ledger>,
    fatal: Fatal,
    /// Held by who removes images; by others only while they say what they need.
    room: RwLock<()>,
}

/// Agents by their name in the plan, and that of their model.
pub type Agents = HashMap<(String, Option<String>), Arc<dyn Agent>>;

/// Something that no trial of the run can do without: the first to meet it ends
/// the run.
#[derive(Debug, Clone, Default)]
pub struct Fatal {
    why: Arc<OnceLock<String>>,
    stop: CancellationToken,
}

impl Fatal {
    /// `stop`: what ends the run.
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            why: Arc::default(),
            stop,
        }
    }

    /// Why the run was ended, where it was.
    pub fn why(&self) -> Option<&str> {
        self.why.get().map(String::as_str)
    }
}

/// A task, and what its trials share.
struct Shared {
    task: Task,
    granted: Granted,
    ready: Mutex<Readied>,
    /// How many are at it right now.
    busy: AtomicUsize,
    /// Tags of the images of an instance; of other tasks none are told.
    needs: Mutex<HashSet<String>>,
}

/// A task, made ready once; until its image had to make room for another one.
type Readied = Arc<OnceCell<Result<Ready, Fault>>>;

impl Shared {
    fn new(task: Task, granted: Granted) -> Self {
        Self {
            task,
            granted,
            ready: Mutex::default(),
            busy: AtomicUsize::new(0),
            needs: Mutex::default(),
        }
    }

    /// What it is made ready in.
    fn ready(&self) -> Readied {
        let ready = self.ready.lock().unwrap_or_else(|held| held.into_inner());
        ready.clone()
    }

    /// Who comes next makes it ready anew.
    fn forget(&self) {
        *self.ready.lock().unwrap_or_else(|held| held.into_inner()) = Readied::default();
    }
}

impl Trials {
    /// `tasks`: each with what the machine grants it; `spent`: micro-dollars that
    /// finished trials of the run have cost.
    pub fn new(
        engine: Arc<Engine>,
        settings: Settings,
        run: RunRecord,
        tasks: Vec<(Task, Granted)>,
        agents: Agents,
        spent: u64,
        fatal: Fatal,
    ) -> Self {
        let ledger = Ledger::new(settings.run.max_cost, spent);
        let images = Arc::new(Images::new(
            engine.docker(),
            &settings.images,
            &settings.host,
        ));
        let tasks = tasks
            .into_iter()
            .map(|(task, granted)| {
                let shared = Shared::new(task, granted);
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
            ledger,
            fatal,
            room: RwLock::default(),
        }
    }

    /// A model that never answered: the run ends with what the first trial heard.
    fn give_up(&self, error: &ModelError) {
        let _ = self.fatal.why.set(error.to_string());
        self.fatal.stop.cancel();
    }

    fn call_limits(&self) -> CallLimits {
        let limits = &self.settings.limits;
        CallLimits {
            timeout: limits.call_timeout,
            output_bytes: limits.output_bytes,
        }
    }

    /// What a sandbox of a task is made from.
    fn spec(&self, ready: &Ready, trial: &str, role: Role) -> SandboxSpec {
        if role == Role::Tools {
            return SandboxSpec {
                network: NetworkMode::None,
                user: Some("root".into()),
                workdir: Some(TOOLS.into()),
                work_tree: None,
                limits: Limits {
                    memory_bytes: tools_memory(ready.granted.demand.memory_bytes),
                    ..self.limits(ready)
                },
                main: MainProcess::None,
                ..self.spec_of(ready, trial, role)
            };
        }
        self.spec_of(ready, trial, role)
    }

    fn spec_of(&self, ready: &Ready, trial: &str, role: Role) -> SandboxSpec {
        let task = &ready.task;
        let verifies = matches!(role, Role::Verifier | Role::Reference);
        let separate = task.verification.separate.as_ref().filter(|_| verifies);
        let environment = separate.map_or(&task.environment, |own| &own.environment);
        let network = match (verifies, separate) {
            (true, None) => &task.verification.network,
            _ => &environment.network,
        };
        let image = ready.verifier_image.as_ref().filter(|_| verifies);
        let main = environment.services.as_ref().and_then(Services::main);
        SandboxSpec {
            image: image.unwrap_or(&ready.image).id.clone(),
            run: self.run.run.to_string(),
            trial: trial.to_owned(),
            role,
            limits: Limits {
                disk_bytes: environment
                    .storage_bytes
                    .unwrap_or(self.settings.limits.disk_mb << 20),
                ..self.limits(ready)
            },
            network: self.network(network),
            env: environment.env.clone(),
            workdir: environment.workdir.clone().or_else(|| ready.image_tree()),
            user: match verifies {
                false => task.agent.user.clone(),
                true => task.verification.user.clone(),
            }
            .or_else(|| main?.user.clone()),
            work_tree: ready.work_tree(),
            main: match task.format {
                Format::Proofyard => MainProcess::Image,
                // Nothing but what keeps a container alive, which the helper does.
                Format::SweBench => MainProcess::None,
                format => services::main_process(environment, format),
            },
            privileges: match task.ours() {
                true => Privileges::Least,
                false => Privileges::Common,
            },
            hosts: main.map_or_else(Vec::new, |main| main.extra_hosts.clone()),
            attach: None,
        }
    }

    /// What a sandbox reaches, by the settings and by its task.
    fn network(&self, network: &Network) -> NetworkMode {
        match self.settings.run.network {
            Some(NetworkSetting::None) => NetworkMode::None,
            Some(NetworkSetting::Full) => NetworkMode::Full,
            None if *network == Network::Full => NetworkMode::Full,
            None => NetworkMode::None,
        }
    }

    fn limits(&self, ready: &Ready) -> Limits {
        let settings = &self.settings.limits;
        Limits {
            cpus: ready.granted.demand.cpus,
            memory_bytes: ready.granted.demand.memory_bytes,
            pids: settings.pids,
            open_files: settings.open_files,
            disk_bytes: ready
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

/// Memory of the sandbox of a task's own tools: small programs over small files.
fn tools_memory(of_agent: u64) -> u64 {
    of_agent.min(256 << 20)
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
        let contender = (planned.agent.clone(), planned.model.clone());
        let agent = self.agents.get(&contender)?;
        let at_task = self.at(shared).await;
        let readied = shared.ready();
        let ready = self.readied(&readied, shared, events, cancel).await?;
        let record = match Frame::begin(self, ready, planned, dir, queued_ms, events) {
            Ok(frame) => {
                let way = frame.attempt.perform(agent.as_ref(), &frame.clock, cancel);
                let came = way.await;
                frame.end(came)
            }
            Err(record) => Some(*record),
        };
        drop(at_task);
        self.make_room(shared, events).await;
        record
    }

    fn demand(&self, planned: &PlannedTrial) -> Demand {
        self.tasks.get(&planned.task).map_or(
            Demand {
                cpus: 1.0,
                memory_bytes: 0,
            },
            |shared| {
                let demand = shared.granted.demand;
                let beside = !shared.task.tools.custom.is_empty()
                    && shared.task.tools.place == ToolPlace::Beside;
                let tools = match beside {
                    true => tools_memory(demand.memory_bytes),
                    false => 0,
                };
                Demand {
                    memory_bytes: demand.memory_bytes + tools,
                    ..demand
                }
            },
        )
    }
}

/// A sandbox as an agent of the task would find it, for people to look around.
pub async fn sandbox_of(
    engine: Arc<Engine>,
    mut settings: Settings,
    task: Task,
    granted: Granted,
) -> Result<(DockerSandbox, Option<Project>), Fault> {
    settings.run.check = false;
    let (events, _) = Events::channel();
    let id = task.id.clone();
    let trials = Trials::new(
        engine,
        settings,
        RunRecord::empty(),
        vec![(task, granted)],
        HashMap::new(),
        0,
        Fatal::default(),
    );
    let Some(shared) = trials.tasks.get(&id) else {
        unreachable!("the task was just given")
    };
    let ready = trials.prepare(shared, &events).await?;
    let project = trials.project(&ready, Role::Shell, "shell").await?;
    let spec = SandboxSpec {
        attach: project.as_ref().map(Project::attachment),
        ..trials.spec(&ready, "shell", Role::Shell)
    };
    let started = DockerSandbox::start(&trials.engine, &spec).await;
    let sandbox = started.map_err(|error| prepare::fault("sandbox", &error))?;
    let task = &ready.task;
    let laid = trials.lay_format(&sandbox, &task.environment, task.format);
    laid.await
        .map_err(|error| prepare::fault("sandbox", &error))?;
    sandbox
        .start_main()
        .await
        .map_err(|error| prepare::fault("sandbox", &error))?;
    let beside = project.as_ref();
    trials.after_main(beside, &task.environment).await?;
    Ok((sandbox, project))
}
