//! What the trials of a task share: its image, its checkout, its reference run.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use super::begin::of_engine;
use super::instance_image::of_image;
use super::services::{ServiceImages, main_check};
use super::{Shared, Trials};
use crate::record::{Fault, StepsBasis};
use crate::repo::{self, InImage, Owner, Prepared};
use crate::run::{Events, Granted};
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::docker::images::{BuiltImage, Described, ImageError, ImageProgress, Recipe};
use crate::sandbox::{MainProcess, Role, Sandbox, WorkTree};
use crate::task::compose::Build;
use crate::task::{Environment, Format, HealthCheck, ImageSource, Repo, RepoSource, Step, Task};
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
    /// Images of the services beside its sandbox.
    pub services: ServiceImages,
    /// Of a verifier with an image of its own.
    pub verifier_image: Option<BuiltImage>,
    /// Of the services beside that.
    pub verifier_services: ServiceImages,
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

    /// What is laid into a sandbox of it: the checkout, or only its `.git`.
    pub fn work_tree(&self) -> Option<WorkTree> {
        let tree = self.tree.as_ref()?;
        let (prepared, path) = match tree.git_only {
            true => (tree.dir.join(".git"), format!("{}/.git", self.tree_path)),
            false => (tree.dir.clone(), self.tree_path.clone()),
        };
        Some(WorkTree {
            prepared,
            digest: tree.digest.clone(),
            path,
            owner: (tree.owner.uid, tree.owner.gid),
            replaces: tree.git_only,
        })
    }

    /// The directory of tool calls, where the work tree is the image's own.
    pub fn image_tree(&self) -> Option<String> {
        let tree = self.tree.as_ref()?;
        tree.git_only.then(|| self.tree_path.clone())
    }

    /// Where its verifier runs: an environment of its own, else the agent's.
    pub fn verifiers_environment(&self) -> &Environment {
        match &self.task.verification.separate {
            Some(separate) => &separate.environment,
            None => &self.task.environment,
        }
    }

    /// Images of the services of that environment.
    pub fn verifiers_services(&self) -> &ServiceImages {
        match &self.task.verification.separate {
            Some(_) => &self.verifier_services,
            None => &self.services,
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
        let environment = &self.task.environment;
        let by_format = matches!(self.task.format, Format::Harbor | Format::TerminalBench);
        by_format || environment.health.is_some() || environment.services.is_some()
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
        let what = format!("image of {}", task.id);
        let limit = task.environment.build_timeout;
        let image = match &task.environment.image {
            ImageSource::Instance(image) => {
                let begun = OnceLock::new();
                let progress = |_: ImageProgress| {
                    begun.get_or_init(|| events.preparing(what.clone()));
                };
                self.instance_image(shared, image, limit, events, &progress)
                    .await?
            }
            image => self.image(image, limit, what, events).await?,
        };
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
            health: main_check(&task.environment)
                .or(config.healthcheck)
                .as_ref()
                .and_then(of_engine),
            services: Default::default(),
            verifier_image: None,
            verifier_services: Default::default(),
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
            ready.tree = Some(self.checkout(&ready, repo, owner, events).await?);
        }
        ready.services = self
            .service_images(&task.environment, &ready.image, task.id.as_str(), events)
            .await?;
        self.of_verifier(&mut ready, events).await?;
        for step in &task.steps {
            let mut part = Ready {
                parts: Vec::new(),
                step: Some(step.clone()),
                task: task.of_step(step),
                ..ready.clone()
            };
            self.of_verifier(&mut part, events).await?;
            ready.parts.push(part);
        }
        self.referenced(ready, events).await
    }

    /// The base commit's checkout, made once; of a work tree that is the image's, its `.git`.
    async fn checkout(
        &self,
        ready: &Ready,
        repo: &Repo,
        owner: Owner,
        events: &Events,
    ) -> Result<Prepared, Fault> {
        let what = format!("checkout of {}", ready.task.id);
        told_where_slow(events, what, self.checked_out(ready, repo, owner)).await
    }

    async fn checked_out(
        &self,
        ready: &Ready,
        repo: &Repo,
        owner: Owner,
    ) -> Result<Prepared, Fault> {
        let cache = self.engine.state().join("checkouts");
        let of_task = |error: &dyn std::fmt::Display| Fault {
            class: "task".into(),
            ..fault("checkout", error)
        };
        let (source, commit, history) = (repo.source.clone(), repo.commit.clone(), repo.history);
        if source != RepoSource::Image {
            let preparing = tokio::task::spawn_blocking(move || {
                repo::prepare(&source, commit.as_deref(), history, &cache, owner)
            });
            let prepared = preparing.await.map_err(|error| fault("checkout", &error))?;
            return prepared.map_err(|error| of_task(&error));
        }
        let own = InImage {
            image: ready.image.id.clone(),
            path: ready.tree_path.clone(),
            commit,
            history,
            owner,
        };
        if let Some(known) = own.known(&cache).map_err(|error| of_task(&error))? {
            return Ok(known);
        }
        let host = |error: std::io::Error| Fault {
            class: "host".into(),
            ..fault("checkout", &error)
        };
        let mut tar = tempfile::tempfile_in(self.scratch()?.path()).map_err(host)?;
        let to = tar.try_clone().map_err(host)?;
        let copied = self.engine.copy_out(&own.image, &own.path, to).await;
        if !copied.map_err(|error| fault("checkout", &error))? {
            let path = &own.path;
            return Err(of_task(&format!(
                "the image has nothing at {path}, where its work tree should be"
            )));
        }
        let preparing = tokio::task::spawn_blocking(move || own.prepare(&mut tar, &cache));
        let prepared = preparing.await.map_err(|error| fault("checkout", &error))?;
        prepared.map_err(|error| of_task(&error))
    }

    /// The images of a verifier that has an environment of its own.
    async fn of_verifier(&self, ready: &mut Ready, events: &Events) -> Result<(), Fault> {
        let Some(separate) = &ready.task.verification.separate else {
            ready.verifier_image = None;
            return Ok(());
        };
        let (environment, id) = (&separate.environment, ready.task.id.as_str());
        let what = format!("verifier's image of {id}");
        let limit = environment.build_timeout;
        let image = self.image(&environment.image, limit, what, events).await?;
        let services = self.service_images(environment, &image, id, events).await?;
        ready.verifier_services = services;
        ready.verifier_image = Some(image);
        Ok(())
    }

    pub(super) async fn image(
        &self,
        source: &ImageSource,
        limit: Duration,
        what: String,
        events: &Events,
    ) -> Result<BuiltImage, Fault> {
        // Told only where there is something to do.
        let begun = OnceLock::new();
        let progress = |_: ImageProgress| {
            begun.get_or_init(|| events.preparing(what.clone()));
        };
        let recipe = self.recipe(source);
        let built = match (recipe, source) {
            (Some(Ok(recipe)), _) => self.images.ensure(&recipe, limit, &progress).await,
            (Some(Err(error)), _) => Err(error),
            (None, ImageSource::Named(name)) => {
                self.images.ensure_named(name, true, &progress).await
            }
            (None, _) => return Err(fault("image", &"there is no image here")),
        };
        built.map_err(|error| of_image(&error))
    }

    /// How an image is made; none where it is named.
    fn recipe(&self, source: &ImageSource) -> Option<Result<Recipe, ImageError>> {
        let images = self.settings.images.dir.as_deref();
        match source {
            ImageSource::Dockerfile(folder) => Some(Recipe::from_dir(folder, images)),
            ImageSource::Build(build) => Some(Recipe::described(&described(build), images)),
            ImageSource::Named(_) | ImageSource::Instance(_) => None,
        }
    }

    /// An image, built once more from nothing; its tag. None where two builds cannot
    /// differ.
    pub(super) async fn built_again(
        &self,
        source: &ImageSource,
        limit: Duration,
        what: String,
        events: &Events,
    ) -> Result<Option<String>, Fault> {
        let failed = |error: ImageError| of_image(&error);
        let Some(recipe) = self.recipe(source) else {
            return Ok(None);
        };
        let recipe = recipe.map_err(failed)?;
        let _begun = events.preparing(what);
        let again = self.images.again(&recipe, limit, &|_| {}).await;
        again.map_err(failed)
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

/// Tells of work that takes more than a second; most of it was done before and takes none.
pub async fn told_where_slow<T>(events: &Events, what: String, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    let _begun = events.preparing(what);
    work.await
}

/// What a compose file says of a build.
fn described(build: &Build) -> Described {
    Described {
        name: None,
        context: build.context.clone(),
        file: build.dockerfile.clone(),
        text: build.inline.clone(),
        args: build.args.clone(),
        target: build.target.clone(),
        without: build.without.clone(),
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
