//! One trial under the scheduler: its folder, its execution, its repetition after
//! an error, its seal.
//!
//! Runs as a task of its own and tells the scheduler once how it ended. Must not
//! know other trials.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::fault::fault_record;
use super::{Events, ExecuteTrial, RunEvent, RunStore, StoreError};
use crate::record::{Fault, PlannedTrial, Timing, TrialId, TrialRecord};

/// The longest pause before an execution is repeated.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the scheduler hears of a trial.
#[derive(Debug)]
pub(super) enum Done {
    /// Its folder is complete and durable.
    Sealed(Box<TrialRecord>),
    /// Cancelled before there was a verdict.
    Unfinished,
    /// What it wrote could not be kept.
    NotKept(StoreError),
}

/// A trial that is about to begin.
pub(super) struct Attempt {
    pub store: Arc<RunStore>,
    pub executor: Arc<dyn ExecuteTrial>,
    pub events: Events,
    pub cancel: CancellationToken,
    pub planned: PlannedTrial,
    /// Since when it waited.
    pub since: Instant,
    pub retry_errors: u32,
    /// Before the first repetition; doubled for each further one.
    pub retry_pause: Duration,
}

impl Attempt {
    /// From its folder to its seal.
    pub async fn perform(self) -> Done {
        self.events.send(RunEvent::TrialStarted {
            trial: self.planned.trial.clone(),
        });
        match self.execute().await {
            Ok(Some(record)) => {
                let store = Arc::clone(&self.store);
                let sealed = blocking(move || store.seal(&record).map(|()| record)).await;
                match sealed {
                    Ok(record) => Done::Sealed(record),
                    Err(error) => self.give_up(Done::NotKept(error)).await,
                }
            }
            Ok(None) => self.give_up(Done::Unfinished).await,
            Err(error) => self.give_up(Done::NotKept(error)).await,
        }
    }

    /// Until there is a record that counts; none where it was cancelled.
    async fn execute(&self) -> Result<Option<Box<TrialRecord>>, StoreError> {
        let mut faults: Vec<String> = Vec::new();
        let mut pause = self.retry_pause;
        loop {
            let store = Arc::clone(&self.store);
            let trial = self.planned.trial.clone();
            let dir = blocking(move || store.partial(&trial)).await?;
            let Some(mut record) = self.once(&dir).await else {
                return Ok(None);
            };
            let again = match &record.error {
                Some(fault) if fault.retryable => (faults.len() as u32) < self.retry_errors,
                _ => false,
            };
            if !again || self.cancel.is_cancelled() {
                record.warnings.extend(faults);
                return Ok(Some(record));
            }
            if let Some(fault) = &record.error {
                faults.push(format!("executed again after: {}", sentence(fault)));
                self.progress(format!("again after: {}", fault.message));
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // The error stands: it is a finished trial.
                () = self.cancel.cancelled() => {
                    faults.pop();
                    record.warnings.extend(faults);
                    return Ok(Some(record));
                }
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Executes it once; a panic is our bug and becomes a record that says so,
    /// so that the other trials go on.
    async fn once(&self, dir: &Path) -> Option<Box<TrialRecord>> {
        let queued_ms = self.since.elapsed().as_millis() as u64;
        let began = Instant::now();
        let started_at = jiff::Timestamp::now().to_string();
        let execution =
            self.executor
                .execute(&self.planned, dir, queued_ms, &self.events, &self.cancel);
        match AssertUnwindSafe(execution).catch_unwind().await {
            Ok(record) => record.map(Box::new),
            Err(panic) => {
                let harness = began.elapsed().as_millis() as u64;
                let timing = Timing {
                    queue: queued_ms,
                    harness,
                    total: queued_ms + harness,
                    ..Timing::default()
                };
                let fault = Fault {
                    class: "harness".to_owned(),
                    phase: "harness".to_owned(),
                    message: format!("a bug in the harness: {}", panic_text(panic.as_ref())),
                    retryable: false,
                };
                let run = self.store.run();
                let record = fault_record(run, &self.planned, dir, fault, timing, started_at);
                Some(Box::new(record))
            }
        }
    }

    fn progress(&self, detail: String) {
        self.events.send(RunEvent::TrialProgress {
            trial: self.planned.trial.clone(),
            phase: "queue",
            detail,
            spent: None,
        });
    }

    async fn give_up(&self, done: Done) -> Done {
        discard(&self.store, &self.planned.trial).await;
        done
    }
}

/// Removes what an unfinished trial wrote. What cannot be removed now is removed
/// when the run is opened again.
pub(super) async fn discard(store: &Arc<RunStore>, trial: &TrialId) {
    let store = Arc::clone(store);
    let trial = trial.clone();
    if let Err(error) = blocking(move || store.discard(&trial)).await {
        tracing::warn!("{error}");
    }
}

/// Runs what blocks on the disk outside of the async workers.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => panic!("the runtime ended while a run was being written: {error}"),
        },
    }
}

/// `class in phase: message`.
pub(super) fn sentence(fault: &Fault) -> String {
    format!(
        "{} error in {}: {}",
        fault.class, fault.phase, fault.message
    )
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}
