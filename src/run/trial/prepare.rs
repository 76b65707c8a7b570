//! What the trials of a task share: its image, its checkout, its reference run.

use std::path::PathBuf;
use std::time::Instant;

use super::begin::of_engine;
use super::{Shared, Trials};
use crate::record::{Fault, StepsBasis};
use crate::repo::{self, Owner, Prepared};
use crate::run::{Events, Granted, RunEvent};
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::docker::images::{BuiltImage, ImageProgress, Recipe};
use crate::sandbox::{MainProcess, Role, Sandbox};
use crate::task::{Environment, HealthCheck, ImageSource, Step, Task};
use crate::verify::reference::{JudgedRecord, ReferenceRun};

/// A task that trials can begin on.
#[derive(Clone)]
pub struct Ready {
    /// The task as its trials see it.
    pub task: Task,
    /// What the machine grants it.
    pub granted: Granted,
    pub image: BuiltImage,
    pub tree: Option<Prepared>,
    /// Where the work tree lies in a sandbox; empty where there is none.
    pub tree_path: String,
    /// None without a solution, or where it was not asked for.
    pub reference: Option<ReferenceRun>,
    pub warnings: Vec<String>,
    /// What the image says of being ready.
    pub health: Option<HealthCheck>,
    /// Of a verifier with an image of its own.
    pub verifier_image: Option<BuiltImage>,
    /// Each step as a task of its own; empty where the task has none.
    pub parts: Vec<Ready>,
    /// The step that this is.
    pub step: Option<Step>,
}

impl Ready {
    /// What is asked before anybody acts, in order.
    pub fn health(&self) -> impl Iterator<Item = &HealthCheck> {
        let own = self.task.environment.health.iter();
        self.health.iter().chain(own)
    }

    /// Where its verifier runs: an environment of its own, else the agent's.
    pub fn verifiers_environment(&self) -> &Environment {
        match &self.task.verification.separate {
            Some(separate) => &separate.environment,
            None => &self.task.environment,
        }
    }

    /// What is asked before the verifier's tests run.
    pub fn verifiers_health(&self) -> Box<dyn Iterator<Item = &HealthCheck> + '_> {
        match &self.task.verification.separate {
            Some(separate) => Box::new(separate.environment.health.iter()),
            None => Box::new(self.health()),
        }
    }

    /// Whether the image's own process runs beside hidden tests, too: for a task of
    /// another format, whose tests may need it, or one that says when it is ready.
    pub fn starts_main(&self) -> bool {
        !self.task.ours() || self.task.environment.health.is_some()
    }

    /// How the reward comes from those of steps; none where there are none.
    pub fn steps_basis(&self) -> Option<StepsBasis> {
        let declared = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        (declared > 0).then_some(StepsBasis {
            declared,
            strategy: self.task.reward_strategy,
        })
    }

    /// How the reference solution was verified; none without one.
    pub fn solution(&self) -> Option<&JudgedRecord> {
        self.reference.as_ref()?.solution.as_ref()
    }

    /// Where relative paths of rules begin: the work tree, else the directory of
    /// tool calls.
    pub fn paths_begin<'a>(&'a self, workdir: &'a str) -> &'a str {
        match self.tree_path.is_empty() {
            true => workdir,
            false => &self.tree_path,
        }
    }
}

impl Trials {
    /// Makes a task ready; a fault is told to all its trials.
    pub(super) async fn prepare(&self, shared: &Shared, events: &Events) -> Result<Ready, Fault> {
        let task = &shared.task;
        let image = self
            .image(&task.environment, format!("image of {}", task.id), events)
            .await?;
        let config = self
            .engine
            .image_config(&image.id)
            .await
            .map_err(|error| fault("image", &error))?;
        let mut ready = Ready {
            task: task.clone(),
            granted: shared.granted.clone(),
            image,
            tree: None,
            tree_path: String::new(),
            reference: None,
            warnings: shared.granted.warnings.clone(),
            health: config.healthcheck.as_ref().and_then(of_engine),
            verifier_image: None,
            parts: Vec::new(),
            step: None,
        };
        ready.warnings.extend(task.warnings.iter().cloned());
        if let Some(repo) = &task.repo {
            ready.tree_path = match (&repo.workdir, config.workdir.as_str()) {
                (Some(workdir), _) => workdir.clone(),
                (None, "" | "/") => "/workspace".to_owned(),
                (None, workdir) => workdir.to_owned(),
            };
            let owner = self.owner(&ready, &config.user).await?;
            let (source, commit, history) =
                (repo.source.clone(), repo.commit.clone(), repo.history);
            let cache = self.engine.state().join("checkouts");
            let preparing = tokio::task::spawn_blocking(move || {
                repo::prepare(&source, commit.as_deref(), history, &cache, owner)
            });
            let prepared = preparing.await.map_err(|error| fault("checkout", &error))?;
            ready.tree = Some(prepared.map_err(|error| Fault {
                class: "task".into(),
                ..fault("checkout", &error)
            })?);
        }
        ready.verifier_image = self.verifier_image(task, events).await?;
        for step in &task.steps {
            let part = task.of_step(step);
            ready.parts.push(Ready {
                verifier_image: self.verifier_image(&part, events).await?,
                parts: Vec::new(),
                step: Some(step.clone()),
                task: part,
                ..ready.clone()
            });
        }
        self.referenced(ready, events).await
    }

    /// The image of a verifier that has one of its own.
    async fn verifier_image(
        &self,
        task: &Task,
        events: &Events,
    ) -> Result<Option<BuiltImage>, Fault> {
        let Some(separate) = &task.verification.separate else {
            return Ok(None);
        };
        let what = format!("verifier's image of {}", task.id);
        let image = self.image(&separate.environment, what, events).await?;
        Ok(Some(image))
    }

    async fn image(
        &self,
        environment: &Environment,
        what: String,
        events: &Events,
    ) -> Result<BuiltImage, Fault> {
        let started = Instant::now();
        let told = std::sync::atomic::AtomicBool::new(false);
        let progress = |_: ImageProgress| {
            if !told.swap(true, std::sync::atomic::Ordering::Relaxed) {
                events.send(RunEvent::Preparing {
                    what: what.clone(),
                    done: false,
                    elapsed_ms: 0,
                });
            }
        };
        let built = match &environment.image {
            ImageSource::Dockerfile(folder) => {
                match Recipe::from_dir(folder, self.settings.images.dir.as_deref()) {
                    Ok(recipe) => {
                        self.images
                            .ensure(&recipe, environment.build_timeout, &progress)
                            .await
                    }
                    Err(error) => Err(error),
                }
            }
            ImageSource::Named(name) => self.images.ensure_named(name, true, &progress).await,
        };
        if told.load(std::sync::atomic::Ordering::Relaxed) {
            let elapsed_ms = started.elapsed().as_millis() as u64;
            events.send(RunEvent::Preparing {
                what: what.clone(),
                done: true,
                elapsed_ms,
            });
        }
        built.map_err(|error| Fault {
            class: "image".into(),
            ..fault("image", &error)
        })
    }

    /// Who the work tree belongs to: the user that acts on it.
    async fn owner(&self, ready: &Ready, image_user: &str) -> Result<Owner, Fault> {
        let user = ready.task.agent.user.as_deref().unwrap_or(image_user);
        match user {
            "" | "0" | "root" | "0:0" | "root:root" => return Ok(Owner { uid: 0, gid: 0 }),
            _ => {}
        }
        // Names are the image's own; a sandbox of it knows them.
        let spec = crate::sandbox::SandboxSpec {
            work_tree: None,
            main: MainProcess::None,
            ..self.spec(ready, "", Role::Agent)
        };
        let sandbox = DockerSandbox::start(&self.engine, &spec)
            .await
            .map_err(|error| fault("checkout", &error))?;
        let (uid, gid) = sandbox.owner();
        sandbox
            .stop()
            .await
            .map_err(|error| fault("checkout", &error))?;
        Ok(Owner { uid, gid })
    }

    /// A folder of this process's own, gone with the value.
    pub(super) fn scratch(&self) -> Result<tempfile::TempDir, Fault> {
        let folder: PathBuf = self.engine.state().join("tmp");
        std::fs::create_dir_all(&folder)
            .and_then(|()| tempfile::tempdir_in(&folder))
            .map_err(|error| Fault {
                class: "host".into(),
                ..fault("harness", &error)
            })
    }
}

/// A fault of the engine or the host, on which trying again may help.
pub fn fault(phase: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault {
        class: "engine".into(),
        phase: phase.to_owned(),
        message: error.to_string(),
        retryable: true,
    }
}
