//! The official rules of a task's data set, asked in a sandbox of their own.

use std::path::Path;

use super::attempt::{Attempt, Verified};
use super::capture::Capture;
use super::prepare::{Ready, fault};
use super::rounds::Part;
use super::{Trials, attempt};
use crate::run::{Phase, PhaseClock};
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::{MainProcess, Role, Sandbox, SandboxSpec};
use crate::score::Mishap;
use crate::swebench::script::for_rules;
use crate::swebench::{Rules, Under};
use crate::task::{Official, Task};
use crate::verify::official::{self, Ask, Came, both, official_alone};
use crate::verify::{Judged, VerifyError};

/// What is asked of a task with official rules beside its own records.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub official: &'a Official,
    pub under: Under,
    pub rules: Rules,
}

impl Asked<'_> {
    /// `both 5.0`
    pub fn named(&self) -> String {
        format!("{} {}", self.under.name(), self.rules.name())
    }

    /// The judgement under the rules that are asked for; `strict`: that by records, where
    /// it was made.
    pub fn judge(&self, task: &Task, strict: Option<Judged>, came: &Came) -> Judged {
        match strict.filter(|_| self.under != Under::Official) {
            Some(strict) => both(strict, came, self.rules),
            None => official_alone(task, came, self.rules),
        }
    }
}

impl Trials {
    /// What is asked; none of a task without official rules, or where they do not count.
    pub(super) fn asked<'a>(&self, ready: &'a Ready) -> Option<Asked<'a>> {
        let settings = &self.settings.swebench;
        let official = ready.task.official.as_ref()?;
        (settings.rules != Under::Strict).then_some(Asked {
            official,
            under: settings.rules,
            rules: settings.version,
        })
    }

    /// Runs the official way over a change in a pristine sandbox: the image as it is, its
    /// own `.git` included.
    pub(super) async fn ask_official(
        &self,
        ready: &Ready,
        asked: Asked<'_>,
        patch: &[u8],
        trial: &str,
        logs: &Path,
    ) -> Result<Came, VerifyError> {
        let keep = |path: &Path, source| VerifyError::Keep {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(logs).map_err(|source| keep(logs, source))?;
        let script = &asked.official.script;
        let text = std::fs::read_to_string(script).map_err(|source| keep(script, source))?;
        let ask = Ask {
            rules: asked.rules,
            official: asked.official,
            script: &for_rules(&text, asked.rules),
            patch,
            limit: self.time(asked.official.timeout),
        };
        if patch.is_empty() {
            return Ok(Came::EmptyPatch);
        }
        let spec = SandboxSpec {
            user: Some("root".into()),
            workdir: Some(asked.official.workdir.clone()),
            env: Default::default(),
            work_tree: None,
            main: MainProcess::None,
            ..self.spec(ready, trial, Role::Verifier)
        };
        let failed = |source| VerifyError::of("make the sandbox of the official rules", source);
        let sandbox = DockerSandbox::start(&self.engine, &spec)
            .await
            .map_err(failed)?;
        let came = official::official(&sandbox, &ask, logs).await;
        let stopped = sandbox.stop().await;
        let came = came?;
        stopped.map_err(failed)?;
        Ok(came)
    }

    /// A judgement by records, under the official rules too, where they are asked.
    pub(super) async fn with_official(
        &self,
        ready: &Ready,
        judged: Judged,
        captured: &Capture,
        trial: &str,
        logs: &Path,
    ) -> Result<Judged, VerifyError> {
        let Some(asked) = self.asked(ready) else {
            return Ok(judged);
        };
        let patch = captured.official_patch();
        let came = self.ask_official(ready, asked, patch, trial, logs).await?;
        Ok(asked.judge(&ready.task, Some(judged), &came))
    }
}

impl Attempt<'_> {
    /// Verifies under the rules that are asked for.
    pub(super) async fn under_rules(
        &self,
        asked: Asked<'_>,
        part: Part<'_>,
        captured: &Capture,
        clock: &PhaseClock,
        warnings: &mut Vec<String>,
    ) -> Verified {
        let strict = match asked.under {
            Under::Official => None,
            _ => match self.verify_strictly(part, captured, clock, warnings).await {
                Verified::Judged(judged) => Some(*judged),
                // What broke our own verifier has no verdict to be held against.
                mishap @ Verified::Mishap(_) => return mishap,
            },
        };
        self.enter(clock, Phase::Verify, "official rules");
        let logs = part.dir.join("verifier").join(official::FOLDER);
        let trial = self.planned.trial.as_str();
        let patch = captured.official_patch();
        let came = self
            .trials
            .ask_official(part.ready, asked, patch, trial, &logs);
        let came = match came.await {
            Ok(came) => came,
            Err(error @ VerifyError::Sandbox { .. }) => {
                return Verified::Mishap(attempt::ours(fault("verify", &error), true));
            }
            Err(error) => return Verified::Mishap(Mishap::of_verifying(&error)),
        };
        Verified::Judged(Box::new(asked.judge(&part.ready.task, strict, &came)))
    }
}
