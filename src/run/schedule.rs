//! The scheduler: one loop that alone changes the state of a run.
//!
//! Trials run as tasks of their own and tell the loop once how they ended; the
//! loop admits, journals and tells. Must not know what a trial does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::admission::{Admission, Queue};
use super::attempt::{Attempt, Done, blocking, discard};
use super::{Demand, Events, ExecuteTrial, Machine, RunEvent, RunStore, StoreError};
use crate::record::{PlannedTask, PlannedTrial, TaskId, TrialRecord};

/// How a plan is carried out.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// In order.
    pub todo: Vec<PlannedTrial>,
    /// How many at a time; none: as the processors carry. Declared memory bounds both.
    pub jobs: Option<usize>,
    pub machine: Machine,
    /// How often a trial that ended in a retryable error is executed again.
    pub retry_errors: u32,
    /// Pause before that, doubled each time.
    pub retry_pause: Duration,
    /// How long running trials may take to end once cancelled.
    pub grace: Duration,
}

impl Schedule {
    /// As many at a time as the machine carries, no repetition, 30 s of grace.
    pub fn new(todo: Vec<PlannedTrial>, machine: Machine) -> Self {
        Self {
            todo,
            jobs: None,
            machine,
            retry_errors: 0,
            retry_pause: Duration::from_secs(2),
            grace: Duration::from_secs(30),
        }
    }

    /// The same with all trials at a task after each other, in the order of these tasks.
    pub fn task_by_task(mut self, tasks: &[PlannedTask]) -> Self {
        let named = tasks.iter().enumerate();
        let place: HashMap<&TaskId, usize> = named.map(|(at, task)| (&task.name, at)).collect();
        let last = tasks.len();
        let at = |planned: &PlannedTrial| place.get(&planned.task).copied().unwrap_or(last);
        self.todo.sort_by_key(at);
        self
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct RunEnd {
    /// Every finished trial, earlier ones included, in the order of the plan.
    pub records: Vec<TrialRecord>,
    /// Trials of the plan that are not finished.
    pub missing: usize,
    /// It was cancelled, and something is missing.
    pub interrupted: bool,
    /// It stopped by itself: results could not be kept.
    pub stopped: Option<String>,
}

/// Carries out what is missing of a run, telling `events`; returns when nothing
/// runs any more.
///
/// Once `cancel` fires no trial begins, and running ones, which hear it too, are
/// awaited for the schedule's grace; dropping the future ends them at once. Where
/// a finished trial cannot be kept (a full disk) no further trial begins either.
pub async fn run_plan(
    store: Arc<RunStore>,
    executor: Arc<dyn ExecuteTrial>,
    schedule: Schedule,
    events: &Events,
    cancel: &CancellationToken,
) -> RunEnd {
    let queue = Queue::new(schedule.todo.iter().map(|planned| {
        let demand = executor.demand(planned);
        (planned.clone(), demand)
    }));
    let admission = Admission::new(schedule.jobs, &schedule.machine);
    events.send(RunEvent::Started {
        run: Box::new(store.run().clone()),
        dir: store.dir().to_owned(),
        finished: store.finished().to_vec(),
        jobs: queue.at_once(admission.clone()),
    });
    for message in store.warnings() {
        events.send(RunEvent::Warning {
            message: message.clone(),
        });
    }
    let mut dispatcher = Dispatcher {
        records: store.finished().to_vec(),
        store,
        executor,
        schedule,
        events,
        cancel,
        queue,
        admission,
        tasks: JoinSet::new(),
        running: HashMap::new(),
        stopped: None,
        began: Instant::now(),
    };
    dispatcher.run().await;
    dispatcher.close().await;
    dispatcher.end()
}

struct Dispatcher<'a> {
    store: Arc<RunStore>,
    executor: Arc<dyn ExecuteTrial>,
    schedule: Schedule,
    events: &'a Events,
    cancel: &'a CancellationToken,
    queue: Queue,
    admission: Admission,
    tasks: JoinSet<Done>,
    running: HashMap<Id, (PlannedTrial, Demand)>,
    records: Vec<TrialRecord>,
    stopped: Option<String>,
    began: Instant,
}

type Joined = Result<(Id, Done), JoinError>;

impl Dispatcher<'_> {
    async fn run(&mut self) {
        loop {
            self.admit();
            let cancel = self.cancel;
            let joined = tokio::select! {
                joined = self.tasks.join_next_with_id() => joined,
                () = cancel.cancelled() => return self.wind_down().await,
            };
            match joined {
                Some(joined) => self.settle(joined).await,
                None => return,
            }
        }
    }

    fn admit(&mut self) {
        while self.stopped.is_none() && !self.cancel.is_cancelled() {
            let Some((planned, demand)) = self.queue.next(&self.admission) else {
                return;
            };
            self.admission.take(&demand);
            let attempt = Attempt {
                store: Arc::clone(&self.store),
                executor: Arc::clone(&self.executor),
                events: self.events.clone(),
                cancel: self.cancel.clone(),
                planned: planned.clone(),
                since: self.began,
                retry_errors: self.schedule.retry_errors,
                retry_pause: self.schedule.retry_pause,
            };
            let task = self.tasks.spawn(attempt.perform());
            self.running.insert(task.id(), (planned, demand));
        }
    }

    /// After a cancellation: awaits what runs, for as long as the grace lasts.
    async fn wind_down(&mut self) {
        let deadline = tokio::time::Instant::now() + self.schedule.grace;
        while !self.tasks.is_empty() {
            let joined = tokio::time::timeout_at(deadline, self.tasks.join_next_with_id());
            match joined.await {
                Ok(Some(joined)) => self.settle(joined).await,
                Ok(None) => return,
                Err(_) => {
                    self.warn(format!(
                        "{} did not end within {} s and were cut off",
                        super::stored::plural(self.tasks.len(), "trial"),
                        self.schedule.grace.as_secs()
                    ));
                    self.tasks.abort_all();
                    while let Some(joined) = self.tasks.join_next_with_id().await {
                        self.settle(joined).await;
                    }
                }
            }
        }
    }

    /// Takes in a trial that ended, and with it all others that ended meanwhile:
    /// their lines become durable together.
    async fn settle(&mut self, first: Joined) {
        let mut sealed = Vec::new();
        let mut next = Some(first);
        while let Some(joined) = next {
            self.take_in(joined, &mut sealed).await;
            next = self.tasks.try_join_next_with_id();
        }
        if sealed.is_empty() {
            return;
        }
        let store = Arc::clone(&self.store);
        let (sealed, appended) = blocking(move || {
            let appended = store.append(&sealed);
            (sealed, appended)
        })
        .await;
        match appended {
            Ok(()) => {
                for record in sealed {
                    self.events.send(RunEvent::TrialFinished {
                        record: Box::new(record.clone()),
                    });
                    self.records.push(record);
                }
            }
            Err(error) => self.stop(&error),
        }
    }

    async fn take_in(&mut self, joined: Joined, sealed: &mut Vec<TrialRecord>) {
        let id = match &joined {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some((planned, demand)) = self.running.remove(&id) else {
            return;
        };
        self.admission.give_back(&demand);
        match joined {
            Ok((_, Done::Sealed(record))) => sealed.push(*record),
            Ok((_, Done::Unfinished)) => {
                if !self.cancel.is_cancelled() {
                    self.warn(format!("{} ended without a record", planned.trial));
                }
            }
            Ok((_, Done::NotKept(error))) => self.stop(&error),
            Err(error) if error.is_cancelled() => discard(&self.store, &planned.trial).await,
            // Executions are caught where they run; this is the scheduler's own bug.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Results cannot be kept: whatever runs may end, nothing else begins.
    fn stop(&mut self, error: &StoreError) {
        let why = if error.no_room() {
            format!("no room to keep results: {error}")
        } else {
            format!("results cannot be kept: {error}")
        };
        self.warn(format!(
            "{why}; no further trial begins, finished ones are kept"
        ));
        self.stopped.get_or_insert(why);
    }

    fn warn(&self, message: String) {
        self.events.send(RunEvent::Warning { message });
    }

    /// Nothing runs any more: what is stored is put on record.
    async fn close(&mut self) {
        let store = Arc::clone(&self.store);
        if let Err(error) = blocking(move || store.close()).await {
            self.warn(format!(
                "the manifest of the run is missing: {error}; `proofyard resume` writes it"
            ));
        }
    }

    fn end(self) -> RunEnd {
        let mut latest: HashMap<_, _> = HashMap::new();
        for record in self.records {
            latest.insert(record.trial.clone(), record);
        }
        let planned = &self.store.run().trials;
        let records: Vec<TrialRecord> = planned
            .iter()
            .filter_map(|planned| latest.remove(&planned.trial))
            .collect();
        let missing = planned.len() - records.len();
        let interrupted = self.cancel.is_cancelled() && missing > 0;
        self.events.send(RunEvent::Finished {
            run: self.store.id().clone(),
            dir: self.store.dir().to_owned(),
            records: records.clone(),
            missing,
            interrupted,
        });
        RunEnd {
            records,
            missing,
            interrupted,
            stopped: self.stopped,
        }
    }
}
