//! What a run tells those who watch it, and what it asks of a trial.

use std::path::{Path, PathBuf};
use std::time::Instant;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::record::{PlannedTrial, RunId, RunRecord, TrialId, TrialRecord};

/// Something that happened in a run; reporters listen to nothing else.
#[derive(Debug, Clone)]
pub enum RunEvent {
    /// Before anything runs: the frozen plan and where it lies. `finished` are
    /// trials that an earlier invocation already finished (resume).
    Started {
        run: Box<RunRecord>,
        dir: PathBuf,
        finished: Vec<TrialRecord>,
        jobs: usize,
    },
    /// Outside every trial: building an image, verifying a reference solution.
    /// `done` false when it begins, true when it has ended.
    Preparing {
        what: String,
        done: bool,
        elapsed_ms: u64,
    },
    TrialStarted {
        trial: TrialId,
    },
    /// A trial entered a phase (`image`, `sandbox`, `checkout`, `agent`, `capture`,
    /// `verify`, `teardown`) or has something to show for it (`step 11  bash  nginx -t`).
    TrialProgress {
        trial: TrialId,
        phase: &'static str,
        detail: String,
        /// Of an agent with a model, in the agent's phase.
        spent: Option<Spending>,
    },
    TrialFinished {
        record: Box<TrialRecord>,
    },
    Warning {
        message: String,
    },
    /// `interrupted`: Ctrl-C; what is missing is left for `resume`.
    Finished {
        run: RunId,
        dir: PathBuf,
        records: Vec<TrialRecord>,
        missing: usize,
        interrupted: bool,
    },
}

/// What a running trial has spent on its model so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spending {
    pub turns: u64,
    pub tokens: u64,
    /// None where it cannot be known.
    pub cost_microusd: Option<u64>,
}

/// Where events go. Cheap to clone; never blocks.
#[derive(Debug, Clone)]
pub struct Events(tokio::sync::mpsc::UnboundedSender<RunEvent>);

impl Events {
    /// A pair of a sender and what receives from it.
    pub fn channel() -> (Self, tokio::sync::mpsc::UnboundedReceiver<RunEvent>) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Tells it; nobody listening is nothing to worry about.
    pub fn send(&self, event: RunEvent) {
        let _ = self.0.send(event);
    }

    /// Tells that something outside every trial begins, and that it has ended once what
    /// this returns is dropped: also where it failed or nobody waits for it any more.
    pub fn preparing(&self, what: String) -> Preparation<'_> {
        let begun = Preparation {
            events: self,
            what,
            started: Instant::now(),
        };
        begun.tell(false);
        begun
    }
}

/// Something outside every trial that is under way.
#[must_use = "it has ended when this is dropped"]
pub struct Preparation<'a> {
    events: &'a Events,
    what: String,
    started: Instant,
}

impl Preparation<'_> {
    fn tell(&self, done: bool) {
        self.events.send(RunEvent::Preparing {
            what: self.what.clone(),
            done,
            elapsed_ms: self.started.elapsed().as_millis() as u64,
        });
    }
}

impl Drop for Preparation<'_> {
    fn drop(&mut self) {
        self.tell(true);
    }
}

/// Performs one trial, from its image to its record.
#[async_trait]
pub trait ExecuteTrial: Send + Sync {
    /// `dir` exists and is the trial's own; everything of the trial but
    /// `trial.json` is written there. `queued_ms` is the time that the trial waited.
    /// Returns none when `cancel` fired before there was a verdict: an unfinished
    /// trial is never counted.
    async fn execute(
        &self,
        planned: &PlannedTrial,
        dir: &Path,
        queued_ms: u64,
        events: &Events,
        cancel: &CancellationToken,
    ) -> Option<TrialRecord>;

    /// What a trial takes of the machine, for the scheduler.
    fn demand(&self, planned: &PlannedTrial) -> Demand;
}

/// What a trial takes of the machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    pub cpus: f64,
    pub memory_bytes: u64,
}
