//! What the trials of a task share: its image, its checkout, its reference run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::capture::{Capture, Refusal};
use super::world::World;
use super::{Shared, Trials};
use crate::agent::{self, Account, Agent, Ledger, Session};
use crate::record::{Fault, Reason};
use crate::repo::{self, Owner, Prepared};
use crate::run::{Events, RunEvent};
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::docker::images::{BuiltImage, ImageProgress, Recipe};
use crate::sandbox::{MainProcess, Role, Sandbox, SandboxError};
use crate::score;
use crate::task::ImageSource;
use crate::tool::Toolbox;
use crate::trajectory::{Event, Recorder, read_events};
use crate::verify::VerifyError;
use crate::verify::reference::{JudgedRecord, ReferenceKey, ReferenceRun};

/// A task that trials can begin on.
pub struct Ready {
    pub image: BuiltImage,
    pub tree: Option<Prepared>,
    /// Where the work tree lies in a sandbox; empty where there is none.
    pub tree_path: String,
    /// None without a solution, or where it was not asked for.
    pub reference: Option<ReferenceRun>,
    pub warnings: Vec<String>,
}

impl Ready {
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
        let image = self.image(shared, events).await?;
        let config = self
            .engine
            .image_config(&image.id)
            .await
            .map_err(|error| fault("image", &error))?;
        let task = &shared.task;
        let mut ready = Ready {
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
            let owner = self.owner(shared, &ready, &config.user).await?;
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
            ready.reference = self.reference(shared, &ready, events).await?;
        }
        Ok(ready)
    }

    async fn image(&self, shared: &Shared, events: &Events) -> Result<BuiltImage, Fault> {
        let task = &shared.task;
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
    async fn owner(
        &self,
        shared: &Shared,
        ready: &Ready,
        image_user: &str,
    ) -> Result<Owner, Fault> {
        let user = shared.task.agent.user.as_deref().unwrap_or(image_user);
        match user {
            "" | "0" | "root" | "0:0" | "root:root" => return Ok(Owner { uid: 0, gid: 0 }),
            _ => {}
        }
        // Names are the image's own; a sandbox of it knows them.
        let spec = crate::sandbox::SandboxSpec {
            work_tree: None,
            main: MainProcess::None,
            ..self.spec(shared, ready, "", Role::Agent)
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

    /// The verification of the reference solution and of doing nothing, from the
    /// cache where it is there.
    async fn reference(
        &self,
        shared: &Shared,
        ready: &Ready,
        events: &Events,
    ) -> Result<Option<ReferenceRun>, Fault> {
        let task = &shared.task;
        let cache = self.engine.state().join("references");
        let key = ReferenceKey::new(task, &ready.image.id);
        let warn = |message: String| events.send(RunEvent::Warning { message });
        match ReferenceRun::load(&cache, &key) {
            Ok(Some(known)) => {
                self.tell_unsound(shared, &known, events);
                return Ok(Some(known));
            }
            Ok(None) => {}
            Err(error) => warn(format!("{}: {error}", task.id)),
        }
        let started = Instant::now();
        let what = format!("reference run of {}", task.id);
        events.send(RunEvent::Preparing {
            what: what.clone(),
            done: false,
            elapsed_ms: 0,
        });
        let solution = self.reference_solution(shared, ready).await;
        let nothing = match self.nothing(shared) {
            Ok(nothing) => {
                self.verify_in_scratch(shared, ready, &nothing, "reference--nothing")
                    .await
            }
            Err(error) => Err(fault("verify", &error)),
        };
        let elapsed_ms = started.elapsed().as_millis() as u64;
        events.send(RunEvent::Preparing {
            what,
            done: true,
            elapsed_ms,
        });
        let (solution, nothing) = (solution?, nothing?);
        let run = ReferenceRun::new(key, Some(solution), nothing, crate::run::now());
        if let Err(error) = run.store(&cache) {
            warn(format!("{}: {error}", task.id));
        }
        self.tell_unsound(shared, &run, events);
        Ok(Some(run))
    }

    fn tell_unsound(&self, shared: &Shared, run: &ReferenceRun, events: &Events) {
        if let Err(problems) = run.sound() {
            let message = format!("{} is not sound: {}", shared.task.id, problems.join("; "));
            events.send(RunEvent::Warning { message });
        }
    }

    async fn reference_solution(
        &self,
        shared: &Shared,
        ready: &Ready,
    ) -> Result<JudgedRecord, Fault> {
        let task = &shared.task;
        let scratch = self.scratch()?;
        let world = self
            .world(shared, ready, "reference--solution")
            .await
            .map_err(|error| fault("sandbox", &error))?;
        let performed = self.perform_solution(shared, ready, &world, scratch.path());
        let performed = performed.await;
        let stopped = world.stop().await;
        let (captured, events) = performed?;
        let captured = match captured {
            Ok(captured) => captured,
            Err((reason, message)) => return Ok(JudgedRecord::fault(reason, message)),
        };
        let begins = ready.paths_begin(world.agent.workdir());
        let judged = score::judge_tools(&task.tools, &events, Some(&captured.touched), begins);
        if let Some((reason, message)) = judged.unmet {
            return Ok(JudgedRecord::fault(reason, message));
        }
        stopped.map_err(|error| fault("teardown", &error))?;
        self.verify_in_scratch(shared, ready, &captured, "reference--solution")
            .await
    }

    /// The solution, performed and taken; and the record of its calls.
    async fn perform_solution(
        &self,
        shared: &Shared,
        ready: &Ready,
        world: &World,
        scratch: &Path,
    ) -> Result<(Result<Capture, Refusal>, Vec<Event>), Fault> {
        let events = self
            .act_in(shared, world, &agent::oracle(), scratch)
            .await?;
        let captured = self
            .capture_world(world, shared, ready, scratch, &events)
            .await?;
        Ok((captured, events))
    }

    /// An agent acts in a world that is no trial's; the record of its calls.
    pub(super) async fn act_in(
        &self,
        shared: &Shared,
        world: &World,
        agent: &dyn Agent,
        scratch: &Path,
    ) -> Result<Vec<Event>, Fault> {
        let task = &shared.task;
        world
            .agent
            .start_main()
            .await
            .map_err(|error| fault("sandbox", &error))?;
        let path = scratch.join("trajectory.jsonl");
        let recorder = Recorder::create(&path).map_err(|error| fault("agent", &error))?;
        let toolbox = Toolbox::of(&task.tools).map_err(|error| fault("agent", &error))?;
        let tools = world.tools(self, Arc::new(toolbox), Arc::new(recorder), |_, _, _| {});
        let (account, ledger) = (Account::default(), Ledger::new(None, 0));
        let limit = self.agent_time(task).unwrap_or(Duration::from_secs(86_400));
        let session = Session {
            task,
            tools: &tools,
            id: "reference",
            account: &account,
            ledger: &ledger,
            time_limit: Some(limit),
            started: Instant::now(),
        };
        // What it did until its time was over counts, as for every agent.
        if let Ok(Err(error)) = tokio::time::timeout(limit, agent.act(&session)).await {
            return Err(fault("agent", &error));
        }
        read_events(&path).map_err(|error| fault("agent", &error))
    }

    async fn verify_in_scratch(
        &self,
        shared: &Shared,
        ready: &Ready,
        captured: &Capture,
        trial: &str,
    ) -> Result<JudgedRecord, Fault> {
        let logs = self.scratch()?;
        let pristine = match self.pristine(shared, ready, captured, trial).await {
            Ok(pristine) => pristine,
            Err(SandboxError::Guest(refusal)) => {
                return Ok(JudgedRecord::fault(Reason::BrokeVerifier, refusal.message));
            }
            Err(error) => return Err(fault("verify", &error)),
        };
        let judged = self
            .judge(&pristine, shared, ready, captured, logs.path())
            .await;
        let stopped = pristine.stop().await;
        let record = match judged {
            Ok(judged) => JudgedRecord::judged(&judged),
            Err(error @ VerifyError::Broke { .. }) => match JudgedRecord::broke(&error) {
                Some(record) => record,
                None => return Err(fault("verify", &error)),
            },
            Err(error) => return Err(fault("verify", &error)),
        };
        stopped.map_err(|error| fault("teardown", &error))?;
        Ok(record)
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
