//! The verdict's world: a pristine sandbox, the change, hidden files last.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::capture::{Capture, below};
use super::prepare::Ready;
use super::probe::Subject;
use super::{Trials, services};
use crate::record::Withheld;
use crate::repo::RepoError;
use crate::sandbox::docker::{DockerSandbox, Project};
use crate::sandbox::{Role, Sandbox, SandboxError, SandboxSpec, User};
use crate::task::Hidden;
use crate::verify::own::{self, Kept};
use crate::verify::{Judged, Place, VerifyError};

/// Bytes of a configuration file of which sections are the runner's.
const LARGEST_CONFIGURATION: u64 = 4 << 20;

/// A pristine sandbox with a change laid over it.
pub struct Pristine {
    pub sandbox: DockerSandbox,
    /// Services that were started for it.
    own: Option<Arc<Project>>,
    /// What of the change is the verifier's and stayed behind.
    pub withheld: Vec<Withheld>,
    /// Every path of it; absolute.
    pub owned: BTreeSet<String>,
}

impl Pristine {
    /// Takes the sandbox away, and what was started for it.
    pub async fn stop(&self) -> Result<(), SandboxError> {
        let services = async {
            match &self.own {
                Some(project) => project.stop().await,
                None => Ok(()),
            }
        };
        let (sandbox, services) = tokio::join!(self.sandbox.stop(), services);
        sandbox.and(services)
    }
}

/// What becomes of the parts of a change that are the verifier's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// They stay behind, but for those that the reference solution changes too.
    Stays,
    /// They cross: it is the reference solution's change.
    Crosses,
}

impl Trials {
    /// A sandbox from the same image and checkout, with the change laid over it.
    pub(super) async fn pristine(
        &self,
        ready: &Ready,
        captured: &Capture,
        place: &Place,
        own: Own,
        trial: &str,
    ) -> Result<Pristine, SandboxError> {
        let separate = ready.task.verification.separate.is_some();
        let beside = captured.beside.clone().filter(|_| !separate);
        let fresh = beside.is_none();
        let project = match beside {
            Some(running) => Some(running),
            None => {
                let own = self.project(ready, Role::Verifier, trial).await;
                own.map_err(services::of_engine)?.map(Arc::new)
            }
        };
        let spec = SandboxSpec {
            attach: project.as_deref().map(Project::attachment),
            ..self.spec(ready, trial, Role::Verifier)
        };
        let sandbox = DockerSandbox::start(&self.engine, &spec).await?;
        if fresh {
            let project = project.as_deref();
            let started = self.after_main(project, ready.verifiers_environment());
            started.await.map_err(services::of_engine)?;
        }
        let environment = ready.verifiers_environment();
        let laid = self.lay_format(&sandbox, environment, ready.task.format);
        if let Err(error) = laid.await {
            let _ = sandbox.stop().await;
            return Err(error);
        }
        match self.lay(&sandbox, ready, captured, place, own).await {
            Ok(kept) => Ok(Pristine {
                sandbox,
                // Services of the agent's world are stopped with it.
                own: project.filter(|_| fresh),
                withheld: kept.withheld,
                owned: kept.paths,
            }),
            Err(error) => {
                let _ = sandbox.stop().await;
                Err(error)
            }
        }
    }

    /// The change, without what is the verifier's, and what the task's tools left.
    pub(super) async fn lay(
        &self,
        sandbox: &DockerSandbox,
        ready: &Ready,
        captured: &Capture,
        place: &Place,
        own: Own,
    ) -> Result<Kept, SandboxError> {
        let change = own::Change {
            root: &captured.root,
            deleted: &captured.deleted,
            tar: &captured.tar,
        };
        let solution = ready.solution();
        let excused = match (own, solution) {
            (Own::Stays, Some(solution)) => solution.owned.clone(),
            _ => Default::default(),
        };
        let rules = place.rules(&ready.task, excused);
        let mut pristine = own::Pristine::new();
        for path in own::sections(&rules, change) {
            match sandbox
                .read(&path, 0, LARGEST_CONFIGURATION, &User::Root)
                .await
            {
                Ok(read) => {
                    pristine.insert(path, read.content);
                }
                Err(SandboxError::Guest(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let kept = own::keep(&rules, change, &pristine);
        let (deleted, tar) = match own {
            Own::Stays => (&kept.deleted, &kept.tar),
            Own::Crosses => (&captured.deleted, &captured.tar),
        };
        if !deleted.is_empty() || !tar.is_empty() {
            sandbox.unpack(&captured.root, deleted, tar).await?;
        }
        if let Some(tools) = &captured.tools {
            sandbox.unpack("/", &tools.deleted, &tools.tar).await?;
        }
        Ok(kept)
    }

    /// Where the tests run, and what is hidden until then.
    pub(super) fn place(&self, ready: &Ready, captured: &Capture) -> Result<Place, VerifyError> {
        let task = &ready.task;
        let work_tree = ready.tree.as_ref().map(|_| ready.tree_path.as_str());
        let place = match &task.verification.hidden {
            Hidden::Overlay(folders) => Place::with_folders(task, work_tree, folders)?,
            Hidden::Patch(file) => {
                let laid = self.hidden_patch(ready, captured, file).map_err(|error| {
                    VerifyError::Keep {
                        path: file.clone(),
                        source: std::io::Error::other(error.to_string()),
                    }
                })?;
                let deleted = laid
                    .deleted
                    .iter()
                    .map(|path| below(&ready.tree_path, path))
                    .collect();
                Place::with_tar(task, work_tree, laid.tar, deleted)
            }
        };
        let separate = task.verification.separate.as_ref();
        let place = place
            .with_tests_in_image(separate.is_some_and(|own| own.has_tests))
            .telling(captured.calls.clone())
            .compared(ready.solution());
        Ok(match ready.starts_main() {
            true => place.beginning(ready.verifiers_health().cloned().collect()),
            false => place,
        })
    }

    /// Runs the verifier in it. The paths that are the verifier's come back beside the
    /// judgement, those of a build too.
    pub(super) async fn judge(
        &self,
        pristine: &Pristine,
        subject: Subject<'_>,
        logs: &Path,
    ) -> Result<(Judged, BTreeSet<String>), VerifyError> {
        let verified = self.verify_laid(&pristine.sandbox, subject, subject.place, logs);
        let (judged, built) = verified.await?;
        let mut withheld = pristine.withheld.clone();
        let known = |own: &Withheld| pristine.withheld.contains(own);
        withheld.extend(built.withheld.into_iter().filter(|own| !known(own)));
        let mut owned = pristine.owned.clone();
        owned.extend(built.paths);
        Ok((judged.withholding(withheld), owned))
    }

    fn hidden_patch(
        &self,
        ready: &Ready,
        captured: &Capture,
        file: &Path,
    ) -> Result<crate::repo::Laid, RepoError> {
        let patch = std::fs::read(file).map_err(|source| RepoError::Io {
            doing: "read",
            path: file.to_owned(),
            source,
        })?;
        match (&captured.repo, &ready.tree) {
            (Some(repo), _) => repo.changed.overlay_patch(&patch),
            (None, Some(tree)) => {
                let scratch = self.engine.state().join("tmp");
                crate::repo::Changed::from_patch(tree, &[], &scratch)?.overlay_patch(&patch)
            }
            (None, None) => Err(RepoError::Invalid(
                "a patch of hidden files needs a repo".into(),
            )),
        }
    }
}
