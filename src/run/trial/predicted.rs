//! A prediction, made a change: where the patch applies.
//!
//! Must not know what a verdict is.

use std::path::Path;

use super::Trials;
use super::capture::Capture;
use super::prepare::{Ready, fault};
use crate::record::{Fault, Sees};
use crate::repo::Changed;
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::{Role, Sandbox, SandboxSpec};
use crate::swebench::predictions::mended;
use crate::verify::VerifyError;
use crate::verify::official::{self, Refused};

/// A prediction as a change.
pub(super) enum Predicted {
    Empty,
    Change(Box<Capture>),
    /// No way to apply it did; what the last one said.
    DoesNotApply(String),
}

impl Trials {
    /// The change that a prediction makes: by this host where it fits exactly, else by the
    /// ways of the official harness in a sandbox, one after the other. A final newline
    /// that is missing is mended.
    pub(super) async fn predicted(
        &self,
        ready: &Ready,
        given: &[u8],
        scratch: &Path,
        trial: &str,
        logs: &Path,
    ) -> Result<Predicted, Fault> {
        if given.is_empty() {
            return Ok(Predicted::Empty);
        }
        let text = String::from_utf8_lossy(given);
        let patch = mended(&text).into_owned().into_bytes();
        let of_task = |message: &str| Fault {
            class: "task".into(),
            retryable: false,
            ..fault("capture", &message)
        };
        let by_patch = ready.task.verification.sees == Sees::Patch;
        let Some(tree) = ready.tree.clone().filter(|_| by_patch) else {
            return Err(of_task("a prediction is a patch, and the task has no repo"));
        };
        let (root, folder, whole) = (ready.tree_path.clone(), scratch.to_owned(), patch.clone());
        let applying = tokio::task::spawn_blocking(move || {
            let changed = Changed::from_patch(&tree, &whole, &folder)?;
            Capture::of_changed(changed, whole, true, &root)
        });
        let applied = applying.await.map_err(|error| fault("capture", &error))?;
        if let Ok(mut captured) = applied {
            captured.predicted = Some(given.to_vec());
            return Ok(Predicted::Change(Box::new(captured)));
        }
        let spec = SandboxSpec {
            user: Some("root".into()),
            ..self.spec(ready, trial, Role::Verifier)
        };
        let sandbox = DockerSandbox::start(&self.engine, &spec).await;
        let sandbox = sandbox.map_err(|error| fault("capture", &error))?;
        let applied = self
            .applied_in(&sandbox, ready, &patch, scratch, logs)
            .await;
        let stopped = sandbox.stop().await;
        let applied = applied?;
        stopped.map_err(|error| fault("teardown", &error))?;
        Ok(match applied {
            Ok(mut captured) => {
                captured.predicted = Some(given.to_vec());
                Predicted::Change(Box::new(captured))
            }
            Err(said) => Predicted::DoesNotApply(said),
        })
    }

    async fn applied_in(
        &self,
        sandbox: &DockerSandbox,
        ready: &Ready,
        patch: &[u8],
        scratch: &Path,
        logs: &Path,
    ) -> Result<Result<Capture, String>, Fault> {
        let rules = self.settings.swebench.version;
        let logs = logs.join("verifier");
        std::fs::create_dir_all(&logs).map_err(|error| fault("capture", &error))?;
        match official::apply_alone(sandbox, rules, &ready.tree_path, patch, &logs).await {
            Ok(None) => {}
            Ok(Some(Refused(said))) => return Ok(Err(said)),
            Err(error @ VerifyError::Broke { .. }) => return Ok(Err(error.to_string())),
            Err(error) => return Err(fault("capture", &error)),
        }
        let captured = self.capture(sandbox, ready, scratch, false).await?;
        Ok(captured.map_err(|(_, said)| said))
    }
}
