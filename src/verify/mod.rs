//! What a verdict rests on: records, completeness, reference runs.
//!
//! Owns the steps from a pristine sandbox with a change in it to a judgement:
//! build, kill everything, hidden files last, the runner, what it left read back
//! with bounds. Must not know models, agents or the agent's sandbox; the caller
//! has applied the change, and decides what a fault means (`score`).

pub mod channel;
mod entered;
pub mod formats;
mod formatted;
mod hands;
mod held;
mod hidden;
mod in_steps;
mod judge;
pub mod junit;
mod keep;
mod live;
mod names;
pub mod official;
pub mod own;
pub mod probe;
pub mod pytest;
mod ready;
mod recount;
pub mod reference;
pub mod reward;
mod shown_log;
mod steps;
pub mod terminal_bench;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use hidden::{HiddenError, folders};
pub use in_steps::{below_least, judge_steps};
pub use judge::{Judged, Usual};
pub use ready::{NotReady, wait_until_ready};
pub use recount::{Recount, judge_again, recount, reward_again};

use crate::record::Sees;
use crate::sandbox::{Sandbox, SandboxError};
use crate::task::{HealthCheck, Runner, Task, Times, pack};

/// Counts up whenever the same task, image and change may be judged otherwise;
/// part of what a reference run is addressed by.
pub const VERIFIER_VERSION: u32 = 10;

/// Where the tests of a task run, and what is hidden until then.
#[derive(Debug, Clone)]
pub struct Place {
    /// The work tree in the sandbox, where the task has a repo.
    pub work_tree: Option<String>,
    /// The folder in the sandbox that hidden files are laid over.
    pub hidden_root: String,
    /// A tar stream, root-owned, paths relative to `hidden_root`.
    pub hidden_tar: Vec<u8>,
    /// Absolute paths that are taken away first (what a test patch deletes).
    pub hidden_delete: Vec<Vec<u8>>,
    /// What the host tells the hidden checks of the trial's calls: the content of
    /// [`CALLS`].
    pub calls: Option<Vec<u8>>,
    /// How the session of the reference solution went; none without one.
    pub shape: Option<reference::Shape>,
    /// Which tests the reference solution does not run to their end either.
    pub usual: Usual,
    /// Where the image's own process runs beside the tests: what says that it is ready.
    pub begins: Option<Vec<HealthCheck>>,
    /// The image holds `/tests` itself.
    pub tests_in_image: bool,
    /// The sandbox is used on: what runs in it is stopped where it would be ended.
    pub goes_on: bool,
}

/// Where hidden checks find what was called.
pub const CALLS: &str = "/verifier/calls.jsonl";

impl Place {
    /// For hidden files that lie in folders of the task's.
    pub fn with_folders(
        task: &Task,
        work_tree: Option<&str>,
        folders: &[PathBuf],
    ) -> Result<Self, HiddenError> {
        let tar = pack(folders, Times::Fixed)?;
        Ok(Self::with_tar(task, work_tree, tar, Vec::new()))
    }

    /// For hidden files that somebody made into a tar stream (of a test patch).
    pub fn with_tar(
        task: &Task,
        work_tree: Option<&str>,
        hidden_tar: Vec<u8>,
        hidden_delete: Vec<Vec<u8>>,
    ) -> Self {
        let hidden_root = match (task.verification.runner, work_tree) {
            (Runner::Script, _) | (_, None) => "/tests",
            (_, Some(work_tree)) => work_tree,
        };
        Self {
            work_tree: work_tree.map(str::to_owned),
            hidden_root: hidden_root.to_owned(),
            hidden_tar,
            hidden_delete,
            calls: None,
            shape: None,
            usual: Usual::Unknown,
            begins: None,
            tests_in_image: false,
            goes_on: false,
        }
    }

    /// With the verification of the reference solution to compare with.
    pub fn compared(mut self, solution: Option<&reference::JudgedRecord>) -> Self {
        self.shape = solution.and_then(|solution| solution.shape.clone());
        self.usual = solution.map_or(Usual::Unknown, reference::JudgedRecord::usual);
        self
    }

    /// With the image's own process beside the tests, once these checks pass.
    pub fn beginning(mut self, health: Vec<HealthCheck>) -> Self {
        self.begins = Some(health);
        self
    }

    /// With tests that are the image's own, or not.
    pub fn with_tests_in_image(mut self, there: bool) -> Self {
        self.tests_in_image = there;
        self
    }

    /// In a sandbox that is used on, or not.
    pub fn going_on(mut self, goes_on: bool) -> Self {
        self.goes_on = goes_on;
        self
    }

    /// For a verification of the reference run itself.
    pub fn measuring(mut self) -> Self {
        self.usual = Usual::Measured;
        self
    }

    /// What of a change to the task is the verifier's. `excused`: what the reference
    /// solution changes of it.
    pub fn rules(&self, task: &Task, excused: BTreeSet<String>) -> own::Rules {
        let hidden = hidden::files(&self.hidden_tar);
        let root = self.work_tree.as_deref().unwrap_or(&self.hidden_root);
        let root = match task.verification.runner {
            Runner::Script => &self.hidden_root,
            _ => root,
        };
        own::Rules::new(task, self.work_tree.as_deref(), root, &hidden, excused)
    }

    /// With what the host tells of the trial's calls.
    pub fn telling(mut self, calls: Option<Vec<u8>>) -> Self {
        self.calls = calls;
        self
    }
}

/// A verification that came to no end of its own.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The sandbox failed under what is in it. Whose fault that is the caller says:
    /// the agent's, unless the reference solution meets the same.
    #[error("{doing}: {cause}")]
    Broke {
        doing: &'static str,
        cause: String,
        out_of_memory: bool,
    },
    /// The engine or this host failed by itself.
    #[error("{doing}: {source}")]
    Sandbox {
        doing: &'static str,
        source: SandboxError,
    },
    #[error("keep {path}: {source}")]
    Keep {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(transparent)]
    Hidden(#[from] HiddenError),
}

impl VerifyError {
    pub(crate) fn of(doing: &'static str, source: SandboxError) -> Self {
        let broke = |cause, out_of_memory| VerifyError::Broke {
            doing,
            cause,
            out_of_memory,
        };
        match source {
            SandboxError::Guest(refusal) => broke(refusal.message, false),
            SandboxError::Gone {
                cause,
                out_of_memory,
            } => broke(cause, out_of_memory),
            SandboxError::Deadline { .. } => broke(source.to_string(), false),
            SandboxError::Engine { .. }
            | SandboxError::Host { .. }
            | SandboxError::Unreachable { .. } => VerifyError::Sandbox { doing, source },
        }
    }
}

/// Judges the change that has been applied to a pristine sandbox; of a task that sees
/// it live, in the agent's own sandbox, which stands still until hidden files lie there.
///
/// `log_dir` gets `build.log`, `stdout.txt`, `stderr.txt`, `junit.xml`,
/// `reward.json`, `reward.txt`, `parser.txt`: whatever of these there is, bounded, each through
/// a temporary name. The whole takes the task's verifier time at most.
///
/// # Errors
/// [`VerifyError::Broke`] where the sandbox failed under the change; else what
/// failed of the engine, the host or the task's folder. What the change does wrong
/// is no error but a [`Judged`] that is unresolved, with its reason.
pub async fn verify(
    sandbox: &dyn Sandbox,
    task: &Task,
    place: &Place,
    log_dir: &Path,
) -> Result<Judged, VerifyError> {
    let steps = steps::Steps::new(sandbox, task, place, log_dir);
    if let Some(judged) = steps.build().await? {
        return Ok(judged);
    }
    let held = steps.place_hidden().await?;
    match task.verification.sees {
        Sees::Live => steps.go_on().await?,
        Sees::Patch | Sees::Files => steps.begin().await?,
    }
    steps.keep_names()?;
    let judged = match task.verification.runner {
        Runner::Pytest => steps.pytest().await,
        Runner::Script => steps.script().await,
        Runner::TerminalBench(parser) => steps.terminal_bench(parser).await,
        Runner::Log => steps.shown_log().await,
        other => match formats::Format::of(other) {
            Some(format) => steps.formatted(format).await,
            None => steps.script().await,
        },
    };
    judged.map(|judged| judged.held(held))
}

/// Runs the task's build on the change that has been applied: the agent's code, where
/// no hidden file is. A judgement where that ends the verification.
///
/// # Errors
/// As of [`verify`].
pub async fn build(
    sandbox: &dyn Sandbox,
    task: &Task,
    place: &Place,
    log_dir: &Path,
) -> Result<Option<Judged>, VerifyError> {
    steps::Steps::new(sandbox, task, place, log_dir)
        .build()
        .await
}

#[cfg(test)]
mod tests;
