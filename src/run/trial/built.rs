//! The build of a change: the agent's code runs in a sandbox that never sees a hidden
//! file, and what it made crosses into the one that does.

use std::path::Path;
use std::time::Instant;

use super::Trials;
use super::capture::{Capture, OURS, is_below, packed};
use super::probe::Subject;
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::{Role, Sandbox, SandboxError};
use crate::task::Task;
use crate::verify::own::Kept;
use crate::verify::{Judged, Place, VerifyError, build, verify};

impl Trials {
    /// Verifies a change that lies in a sandbox. Where the task has a build, that runs
    /// there; its processes are killed, and what is different then from the image goes,
    /// without what is the verifier's, into a second pristine sandbox for the tests.
    /// The paths that the build made of the verifier's come back beside the judgement.
    pub(super) async fn verify_laid(
        &self,
        sandbox: &DockerSandbox,
        subject: Subject<'_>,
        place: &Place,
        logs: &Path,
    ) -> Result<(Judged, Kept), VerifyError> {
        let mut task = subject.ready.task.clone();
        task.verification.timeout = self.time(task.verification.timeout);
        if task.verification.build.is_none() {
            let judged = verify(sandbox, &task, place, logs).await?;
            return Ok((judged, Kept::default()));
        }
        let started = Instant::now();
        if let Some(judged) = build(sandbox, &task, place, logs).await? {
            return Ok((judged, Kept::default()));
        }
        let failed = |source| VerifyError::of("take what the build made", source);
        let built = self.built(sandbox, subject).await.map_err(failed)?;
        let left = task.verification.timeout.saturating_sub(started.elapsed());
        task.verification.timeout = left;
        task.verification.build = None;
        self.verify_built(&built, &task, subject, place, logs).await
    }

    /// All that differs from the image when nothing of the build runs any more.
    async fn built(
        &self,
        sandbox: &DockerSandbox,
        subject: Subject<'_>,
    ) -> Result<Capture, SandboxError> {
        sandbox.kill_all().await?;
        let tree = &subject.ready.tree_path;
        let git = format!("{}/.git", tree.trim_end_matches('/'));
        let mut changes = sandbox.changes().await?;
        changes.retain(|change| {
            let ours = OURS.iter().any(|ours| is_below(&change.path, ours));
            let git = !tree.is_empty() && is_below(&change.path, &git);
            !ours && !git
        });
        let bytes = self.settings.limits.change_mb << 20;
        let (deleted, packed) = packed(sandbox, changes, bytes, true).await?;
        Ok(Capture {
            deleted,
            tar: packed.tar,
            root: "/".into(),
            ..Capture::default()
        })
    }

    async fn verify_built(
        &self,
        built: &Capture,
        task: &Task,
        subject: Subject<'_>,
        place: &Place,
        logs: &Path,
    ) -> Result<(Judged, Kept), VerifyError> {
        let Subject {
            ready, own, trial, ..
        } = subject;
        let failed = |source| VerifyError::of("make the sandbox of the tests", source);
        let spec = self.spec(ready, trial, Role::Verifier);
        let sandbox = DockerSandbox::start(&self.engine, &spec).await;
        let sandbox = sandbox.map_err(failed)?;
        let verified = async {
            let laid = self.lay(&sandbox, ready, built, place, own).await;
            let kept = laid.map_err(failed)?;
            let judged = verify(&sandbox, task, place, logs).await?;
            Ok::<_, VerifyError>((judged, kept))
        };
        let verified = verified.await;
        let stopped = sandbox.stop().await;
        let verified = verified?;
        stopped.map_err(failed)?;
        Ok(verified)
    }
}
