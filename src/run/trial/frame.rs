//! What surrounds a trial's own way, whoever acts in it: its task is made ready before,
//! its time and the machine's load are taken, and whatever ended it becomes a record.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, Interrupted};
use super::prepare::Ready;
use super::{Readied, Shared, Trials};
use crate::record::{Fault, HostLoad, PlannedTrial, Timing, TrialRecord};
use crate::run::{Events, Load, PhaseClock, fault_record, host_load, now};

/// An attempt whose time runs.
pub(super) struct Frame<'a> {
    pub attempt: Attempt<'a>,
    pub clock: PhaseClock,
    started_at: String,
    load: Load,
}

impl Trials {
    /// Makes the task ready, or waits until another trial did; none where it was
    /// interrupted.
    pub(super) async fn readied<'r>(
        &self,
        readied: &'r Readied,
        shared: &Shared,
        events: &Events,
        cancel: &CancellationToken,
    ) -> Option<&'r Result<Ready, Fault>> {
        tokio::select! {
            ready = readied.get_or_init(|| self.prepare(shared, events)) => Some(ready),
            () = cancel.cancelled() => None,
        }
    }
}

impl<'a> Frame<'a> {
    /// From now on; the record of a task that could not be made ready where it could not.
    pub fn begin(
        trials: &'a Trials,
        ready: &'a Result<Ready, Fault>,
        planned: &'a PlannedTrial,
        dir: &'a Path,
        queued_ms: u64,
        events: &'a Events,
    ) -> Result<Self, Box<TrialRecord>> {
        let started_at = now();
        match ready {
            Ok(ready) => Ok(Self {
                attempt: Attempt::new(trials, ready, planned, dir, events),
                clock: PhaseClock::start(queued_ms),
                started_at,
                load: host_load(),
            }),
            Err(fault) => {
                let (fault, timing) = (fault.clone(), Timing::default());
                let record = fault_record(&trials.run, planned, dir, fault, timing, started_at);
                Err(Box::new(record))
            }
        }
    }

    /// The record of what came; none where it was interrupted.
    pub fn end(self, came: Result<TrialRecord, Result<Fault, Interrupted>>) -> Option<TrialRecord> {
        let attempt = &self.attempt;
        let timing = self.clock.finish();
        match came {
            Ok(record) => {
                let after = host_load();
                Some(TrialRecord {
                    timing_ms: timing,
                    host: HostLoad {
                        load: after.load,
                        steal: after.steal_since(&self.load),
                    },
                    started_at: self.started_at,
                    finished_at: now(),
                    ..record
                })
            }
            Err(Ok(fault)) => {
                let (run, planned) = (&attempt.trials.run, attempt.planned);
                let started_at = self.started_at;
                let record = fault_record(run, planned, attempt.dir, fault, timing, started_at);
                Some(TrialRecord {
                    task: attempt.task(),
                    provenance: attempt.provenance(),
                    warnings: attempt.ready.warnings.clone(),
                    ..record
                })
            }
            Err(Err(Interrupted)) => None,
        }
    }
}
