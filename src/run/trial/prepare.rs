//! What the trials of a task share: its image, its checkout, its reference run.

use std::path::PathBuf;
use std::time::Instant;

use super::{Shared, Trials};
use crate::record::Fault;
use crate::repo::{self, Owner, Prepared};
use crate::run::{Events, Granted, RunEvent};
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::docker::images::{BuiltImage, ImageProgress, Recipe};
use crate::sandbox::{MainProcess, Role, Sandbox};
use crate::task::{ImageSource, Task};
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
}

impl Ready {
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
        let image = self.image(task, events).await?;
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
        if self.settings.run.check && task.solution.is_some() {
            ready.reference = self.reference(&ready, events).await?;
        }
        Ok(ready)
    }

    async fn image(&self, task: &Task, events: &Events) -> Result<BuiltImage, Fault> {
        let started = Instant::now();
        let what = format!("image of {}", task.id);
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
        let built = match &task.environment.image {
            ImageSource::Dockerfile(folder) => {
                match Recipe::from_dir(folder, self.settings.images.dir.as_deref()) {
                    Ok(recipe) => {
                        self.images
                            .ensure(&recipe, task.environment.build_timeout, &progress)
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
