//! The verdict's world: a pristine sandbox, the change, hidden files last.

use std::path::Path;

use super::capture::{Capture, below};
use super::prepare::Ready;
use super::{Shared, Trials};
use crate::repo::RepoError;
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::{Role, Sandbox, SandboxError};
use crate::task::Hidden;
use crate::verify::{Judged, Place, VerifyError, verify};

impl Trials {
    /// A sandbox from the same image and checkout, with the change laid over it.
    pub(super) async fn pristine(
        &self,
        shared: &Shared,
        ready: &Ready,
        captured: &Capture,
        trial: &str,
    ) -> Result<DockerSandbox, SandboxError> {
        let spec = self.spec(shared, ready, trial, Role::Verifier);
        let sandbox = DockerSandbox::start(&self.engine, &spec).await?;
        let laid = async {
            if !captured.is_nothing() {
                sandbox
                    .unpack(&captured.root, &captured.deleted, &captured.tar)
                    .await?;
            }
            match &captured.tools {
                Some(tools) => sandbox.unpack("/", &tools.deleted, &tools.tar).await,
                None => Ok(()),
            }
        };
        match laid.await {
            Ok(()) => Ok(sandbox),
            Err(error) => {
                let _ = sandbox.stop().await;
                Err(error)
            }
        }
    }

    /// Runs the verifier in it.
    pub(super) async fn judge(
        &self,
        sandbox: &DockerSandbox,
        shared: &Shared,
        ready: &Ready,
        captured: &Capture,
        logs: &Path,
    ) -> Result<Judged, VerifyError> {
        let mut task = shared.task.clone();
        task.verification.timeout = self.time(task.verification.timeout);
        let work_tree = ready.tree.as_ref().map(|_| ready.tree_path.as_str());
        let place = match &task.verification.hidden {
            Hidden::Overlay(folder) => Place::with_folder(&task, work_tree, folder)?,
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
                Place::with_tar(&task, work_tree, laid.tar, deleted)
            }
        };
        let reference = ready.reference.as_ref();
        let solution = reference.and_then(|reference| reference.solution.as_ref());
        let place = place
            .telling(captured.calls.clone())
            .compared(solution.and_then(|solution| solution.shape.clone()));
        verify(sandbox, &task, &place, logs).await
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
