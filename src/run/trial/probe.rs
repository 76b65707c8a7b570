//! The probe run: the hidden tests once more, with other expectations.

use std::path::Path;

use super::Trials;
use super::capture::Capture;
use super::prepare::{Ready, fault};
use super::pristine::Own;
use crate::record::{Evidence, Fault, Outcome, Reason};
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::{Role, Sandbox, SandboxError};
use crate::verify::channel::Heard;
use crate::verify::probe::{self, Answer, Baseline, Held, Picks, Probed};
use crate::verify::reference::Shape;
use crate::verify::{Judged, Place, VerifyError, pytest};

/// Rounds in which places are tried that the reference solution has to refuse.
const ROUNDS: usize = 2;

/// A change that is verified, and where.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub ready: &'a Ready,
    pub captured: &'a Capture,
    pub place: &'a Place,
    pub own: Own,
    /// The name that its sandbox goes by.
    pub trial: &'a str,
}

/// What a probe run left.
struct Run {
    picks: Picks,
    answer: Answer,
    judged: Judged,
}

impl Trials {
    /// Which expectations of a task can be altered so that the reference solution is
    /// refused; none where its runner tells of no test, or nothing can be altered.
    pub(super) async fn baseline(
        &self,
        subject: Subject<'_>,
        clean: &Heard,
    ) -> Result<Option<Baseline>, VerifyError> {
        let task = &subject.ready.task;
        let of_clean = Shape::of(clean);
        if of_clean.runner_is_subject(&subject.ready.tree_path) {
            return Ok(None);
        }
        let mut baseline = Baseline::default();
        for round in 0..ROUNDS {
            let logs = tempfile::tempdir().map_err(|source| VerifyError::Keep {
                path: std::env::temp_dir(),
                source,
            })?;
            let choose = |answer: &Answer| probe::round(answer, round);
            let Some(run) = self
                .altered(subject, Choice::Of(&choose), rand::random(), logs.path())
                .await?
            else {
                return Ok(None);
            };
            // A solution whose tests come to no end with other expectations: no probes.
            let Some(heard) = &run.judged.heard else {
                return Ok((round > 0).then_some(baseline));
            };
            baseline.learn(task, &run.picks, &run.answer, clean, heard);
            if !baseline.wants_more(&run.answer, round + 1) {
                break;
            }
        }
        Ok(Some(baseline))
    }

    /// Looks whether a change that was resolved is refused where it has to be; the
    /// verdict can only become worse by it.
    pub(super) async fn probed(
        &self,
        subject: Subject<'_>,
        judged: Judged,
        logs: &Path,
        warnings: &mut Vec<String>,
    ) -> Judged {
        let task = &subject.ready.task;
        let reference = subject.ready.reference.as_ref();
        let baseline = reference.and_then(|run| run.probes.as_ref());
        if let Some(baseline) = baseline.filter(|baseline| !baseline.supplied.is_empty()) {
            let probing = self.probed_by_supplied(subject, judged, baseline, logs, warnings);
            return probing.await;
        }
        let (Some(baseline), Some(clean), Outcome::Resolved) =
            (baseline, judged.heard.clone(), judged.outcome)
        else {
            return judged;
        };
        let draw = |among: usize| rand::random_range(0..among);
        let picks = probe::picks(baseline, draw);
        let seed = rand::random();
        let choice = Choice::Given(&picks);
        let run = match self.altered(subject, choice, seed, logs).await {
            Ok(Some(run)) => run,
            Ok(None) => return judged,
            Err(error @ VerifyError::Broke { .. }) => {
                return judged.broken_by_probes(&error);
            }
            Err(error) => {
                warnings.push(format!("the probe run failed: {error}"));
                return judged;
            }
        };
        let Some(heard) = &run.judged.heard else {
            let said = run.judged.message.unwrap_or_default();
            let reason = run.judged.reason.unwrap_or(Reason::RecordsContradict);
            return judged.doubted(reason, &said);
        };
        let judge = |excused: &Held| {
            probe::judge(task, baseline, &picks, &run.answer, &clean, heard, excused)
        };
        let mut probed = judge(&Held::new());
        // Values are drawn afresh: these may be ones that the reference solution
        // passes as well, which proves nothing.
        if !probed.held.is_empty() {
            match self.excused(subject, &picks, seed, &clean).await {
                Ok(excused) => probed = judge(&excused),
                Err(fault) => warnings.push(format!(
                    "the probe's values were not tried with the reference solution: {}",
                    fault.message
                )),
            }
        }
        judged.probed(probed)
    }

    /// Cases that the reference solution passes with the same altered expectations.
    async fn excused(
        &self,
        subject: Subject<'_>,
        picks: &Picks,
        seed: u64,
        clean: &Heard,
    ) -> Result<Held, Fault> {
        let Subject { ready, .. } = subject;
        let (scratch, logs) = (self.scratch()?, self.scratch()?);
        let trial = format!("{}--reference", subject.trial);
        let world = self.begun_world(ready, &trial).await?;
        let performed = self.perform_solution(ready, &world, scratch.path());
        let performed = performed.await;
        let stopped = world.stop().await;
        let captured = performed?
            .0
            .map_err(|(_, message)| fault("capture", &message))?;
        stopped.map_err(|error| fault("teardown", &error))?;
        let place = self.place(ready, &captured);
        let place = place.map_err(|error| fault("verify", &error))?;
        let reference = Subject {
            captured: &captured,
            place: &place,
            own: Own::Crosses,
            trial: &trial,
            ..subject
        };
        let choice = Choice::Given(picks);
        let run = self.altered(reference, choice, seed, logs.path()).await;
        let run = run.map_err(|error| fault("probes", &error))?;
        let heard = run.as_ref().and_then(|run| run.judged.heard.as_ref());
        Ok(heard.map_or_else(Held::new, |heard| probe::held(&ready.task, clean, heard)))
    }

    /// Runs the altered tests on a change in a sandbox of its own; none where the
    /// runner is not one that tells of each test.
    async fn altered(
        &self,
        subject: Subject<'_>,
        choice: Choice<'_>,
        seed: u64,
        logs: &Path,
    ) -> Result<Option<Run>, VerifyError> {
        let task = &subject.ready.task;
        let start = task.verification.command.as_deref();
        let Some(interpreter) = pytest::interpreter(start) else {
            return Ok(None);
        };
        let spec = self.spec(subject.ready, subject.trial, Role::Verifier);
        let failed = |source| VerifyError::of("make the sandbox of the probe run", source);
        let sandbox = DockerSandbox::start(&self.engine, &spec)
            .await
            .map_err(failed)?;
        let run = self
            .altered_in(&sandbox, subject, &interpreter, choice, seed, logs)
            .await;
        let stopped = sandbox.stop().await;
        let run = run?;
        stopped.map_err(failed)?;
        Ok(Some(run))
    }

    async fn altered_in(
        &self,
        sandbox: &DockerSandbox,
        subject: Subject<'_>,
        interpreter: &[String],
        choice: Choice<'_>,
        seed: u64,
        logs: &Path,
    ) -> Result<Run, VerifyError> {
        let failed = |source: SandboxError| VerifyError::of("alter the hidden tests", source);
        let wanted = probe::wanted(&subject.ready.task);
        let sources = probe::sources(subject.place, &wanted);
        let verification = &subject.ready.task.verification;
        let ask = |picks| {
            probe::ask(
                sandbox,
                verification,
                interpreter,
                seed,
                &sources,
                &wanted,
                picks,
            )
        };
        let picks = match choice {
            Choice::Given(picks) => picks.clone(),
            Choice::Of(choose) => choose(&ask(None).await.map_err(failed)?),
        };
        let answer = ask(Some(&picks)).await.map_err(failed)?;
        let place = probe::altered(subject.place, &answer)?;
        let Subject {
            ready,
            captured,
            own,
            ..
        } = subject;
        self.lay(sandbox, ready, captured, &place, own)
            .await
            .map_err(failed)?;
        let (judged, _) = self.verify_laid(sandbox, subject, &place, logs).await?;
        Ok(Run {
            picks,
            answer,
            judged,
        })
    }
}

/// Which places are altered.
#[derive(Clone, Copy)]
enum Choice<'a> {
    Given(&'a Picks),
    Of(&'a (dyn Fn(&Answer) -> Picks + Sync)),
}

impl Judged {
    fn doubted(self, reason: Reason, said: &str) -> Self {
        self.unresolved(reason, &format!("with other expectations: {said}"))
    }

    /// What broke the verifier's sandbox only where something else was expected.
    pub(super) fn broken_by_probes(self, error: &VerifyError) -> Self {
        self.doubted(Reason::BrokeVerifier, &error.to_string())
    }

    pub(super) fn probed(mut self, probed: Probed) -> Self {
        self.probes = probed.probes;
        if probed.evidence == Evidence::Probed {
            self.evidence = Evidence::Probed;
        }
        self.proofs.extend(probed.proofs);
        match probed.doubt {
            Some((reason, said)) => self.doubted(reason, &said),
            None => self,
        }
    }
}
