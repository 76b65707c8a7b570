//! The probe run of a task that brings its altered tests along.

use std::path::Path;

use super::Trials;
use super::probe::Subject;
use crate::record::Outcome;
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::{Role, Sandbox};
use crate::verify::probe::{self, Baseline};
use crate::verify::{Judged, VerifyError};

impl Trials {
    /// Which altered tests the reference solution refuses; none where the task has none.
    pub(super) async fn supplied_baseline(
        &self,
        subject: Subject<'_>,
    ) -> Result<Option<Baseline>, VerifyError> {
        let logs = tempfile::tempdir().map_err(|source| VerifyError::Keep {
            path: std::env::temp_dir(),
            source,
        })?;
        let run = self.supplied(subject, logs.path()).await?;
        Ok(run.map(|run| Baseline::of_supplied(&run)))
    }

    /// Looks whether a change that was resolved is refused where the reference solution
    /// is.
    pub(super) async fn probed_by_supplied(
        &self,
        subject: Subject<'_>,
        judged: Judged,
        baseline: &Baseline,
        logs: &Path,
        warnings: &mut Vec<String>,
    ) -> Judged {
        if judged.outcome != Outcome::Resolved {
            return judged;
        }
        match self.supplied(subject, logs).await {
            Ok(Some(run)) => judged.probed(probe::judge_supplied(baseline, &run)),
            Ok(None) => judged,
            Err(error @ VerifyError::Broke { .. }) => judged.broken_by_probes(&error),
            Err(error) => {
                warnings.push(format!("the probe run failed: {error}"));
                judged
            }
        }
    }

    async fn supplied(
        &self,
        subject: Subject<'_>,
        logs: &Path,
    ) -> Result<Option<Judged>, VerifyError> {
        let Some(folder) = &subject.ready.task.verification.altered else {
            return Ok(None);
        };
        let place = probe::supplied(subject.place, folder)?;
        let failed = |source| VerifyError::of("make the sandbox of the probe run", source);
        let Subject {
            ready,
            captured,
            own,
            trial,
            ..
        } = subject;
        let spec = self.spec(ready, trial, Role::Verifier);
        let sandbox = DockerSandbox::start(&self.engine, &spec).await;
        let sandbox = sandbox.map_err(failed)?;
        let run = async {
            let laid = self.lay(&sandbox, ready, captured, &place, own);
            laid.await.map_err(failed)?;
            self.verify_laid(&sandbox, subject, &place, logs).await
        };
        let run = run.await;
        let stopped = sandbox.stop().await;
        let (judged, _) = run?;
        stopped.map_err(failed)?;
        Ok(Some(judged))
    }
}
