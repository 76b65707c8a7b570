//! The probe run of a task whose tests are not altered value by value: by tests that it
//! brings along, or by its own, made to fail.

use std::path::Path;

use super::Trials;
use super::probe::Subject;
use crate::record::Outcome;
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::{Role, Sandbox};
use crate::verify::probe::{self, Asked, Baseline};
use crate::verify::{Judged, VerifyError};

impl Trials {
    /// Which altered tests the reference solution refuses; none where there are none.
    pub(super) async fn supplied_baseline(
        &self,
        subject: Subject<'_>,
    ) -> Result<Option<Baseline>, VerifyError> {
        let logs = tempfile::tempdir().map_err(|source| VerifyError::Keep {
            path: std::env::temp_dir(),
            source,
        })?;
        let run = self.supplied(subject, logs.path()).await?;
        Ok(run.map(|(_, run)| Baseline::of_supplied(&run)))
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
            Ok(Some((asked, run))) => judged.probed(probe::judge_supplied(asked, baseline, &run)),
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
    ) -> Result<Option<(Asked, Judged)>, VerifyError> {
        let task = &subject.ready.task;
        let (asked, place) = match &task.verification.altered {
            Some(folder) => (Asked::Supplied, probe::supplied(subject.place, folder)?),
            None if probe::can_be_made_to_fail(task) => {
                // Nothing tells such a failure from any other.
                let (one, other): (u16, u16) = (rand::random(), rand::random());
                let message = format!("{one} is not {}", u32::from(other) + 65_536);
                let mark = format!("t{:x}", rand::random::<u64>());
                match probe::must_fail(subject.place, &message, &mark)? {
                    Some(place) => (Asked::MustFail, place),
                    None => return Ok(None),
                }
            }
            None => return Ok(None),
        };
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
        Ok(Some((asked, judged)))
    }
}
