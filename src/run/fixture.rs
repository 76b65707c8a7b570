//! Builders for tests: tasks, plans, records and an executor without an engine.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::fault::fault_record;
use super::*;
use crate::record::*;
use crate::task::Task;

pub(crate) use crate::task::fixture::task;

pub(crate) fn agent(name: &str) -> Contender {
    Contender {
        agent: AgentRef {
            name: name.into(),
            version: "1".into(),
            digest: None,
        },
        model: None,
    }
}

pub(crate) fn planned(task: &str) -> PlannedTrial {
    PlannedTrial {
        trial: TrialId::compose(&TaskId::new(task), "nop", None, 1),
        task: TaskId::new(task),
        agent: "nop".into(),
        model: None,
        attempt: 1,
    }
}

/// One agent, one attempt, a machine of two processors.
pub(crate) fn input(tasks: &[Task]) -> PlanInput<'_> {
    PlanInput {
        run: RunId::new("2026-11-23-quiet-otter"),
        tasks,
        contenders: vec![agent("nop")],
        attempts: 1,
        command: vec!["proofyard".into(), "run".into()],
        host: HostRecord {
            name: "host".into(),
            cpus: 2,
            memory_bytes: 8 << 30,
            kernel: "6.1".into(),
        },
        engine: EngineRecord {
            host: "unix:///var/run/docker.sock".into(),
            version: "20.10".into(),
            api: "1.41".into(),
            storage_driver: "overlay2".into(),
        },
        settings: serde_json::json!({}),
        warnings: Vec::new(),
        data_sets: Vec::new(),
    }
}

/// A frozen plan of one attempt of `nop` at each task.
pub(crate) fn plan_of(names: &[&str]) -> RunRecord {
    let tasks: Vec<Task> = names.iter().map(|name| task(name)).collect();
    plan(input(&tasks)).unwrap()
}

/// Makes a record of a trial of a plan.
pub(crate) struct RecordBuilder(TrialRecord);

impl RecordBuilder {
    pub fn of(run: &RunRecord, index: usize) -> Self {
        Self::planned(run, &run.trials[index])
    }

    pub fn planned(run: &RunRecord, planned: &PlannedTrial) -> Self {
        let fault = Fault {
            class: "engine".into(),
            phase: "sandbox".into(),
            message: "no such container".into(),
            retryable: true,
        };
        let started_at = "2026-11-23T10:00:00Z".to_owned();
        let none = Path::new("/nonexistent");
        let mut record = fault_record(run, planned, none, fault, Timing::default(), started_at);
        record.finished_at = "2026-11-23T10:00:09Z".into();
        record.provenance.reference = Some(Digest::new("sha256:ef"));
        Self(record)
            .outcome(Outcome::Resolved)
            .calls(14, 1)
            .times(100, 9_000)
    }

    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self.0.clean = (outcome == Outcome::Resolved).then_some(true);
        if outcome == Outcome::Error {
            self.0.error = Some(Fault {
                class: "engine".into(),
                phase: "sandbox".into(),
                message: "no such container".into(),
                retryable: true,
            });
        } else {
            self.0.error = None;
            self.0.trajectory.end = End::Submitted;
            self.0.verdict.evidence = Some(Evidence::Records);
        }
        self
    }

    pub fn message(mut self, reason: Reason, message: &str) -> Self {
        self.0.verdict.reason = Some(reason);
        self.0.verdict.message = Some(message.into());
        self
    }

    pub fn calls(mut self, calls: u64, errors: u64) -> Self {
        self.0.trajectory.tool_calls = calls;
        self.0.trajectory.tool_errors = errors;
        self
    }

    pub fn times(mut self, queue: u64, agent: u64) -> Self {
        self.0.timing_ms = Timing {
            queue,
            agent,
            total: queue + agent,
            ..Timing::default()
        };
        self
    }

    pub fn edit(mut self, change: impl FnOnce(&mut TrialRecord)) -> Self {
        change(&mut self.0);
        self
    }

    pub fn build(self) -> TrialRecord {
        self.0
    }
}

/// Performs trials without an engine; what happens is in the task's name:
/// `fail…`, `cheat…`, `fault…` (a retryable error, always), `flaky…` (one the
/// first time), `panic…`, `hang…` (until cancelled), `deaf…` (never ends), else
/// resolved.
pub(crate) struct FakeExecutor {
    run: RunRecord,
    /// How often each trial was executed.
    pub executed: Mutex<HashMap<String, usize>>,
    running: AtomicUsize,
    /// The most that ran at one time.
    pub peak: AtomicUsize,
    pub demand: Demand,
    /// Fired when a trial that hangs has begun.
    pub hanging: CancellationToken,
}

impl FakeExecutor {
    pub fn new(run: &RunRecord) -> Arc<Self> {
        Self::demanding(run, 0.5, 1 << 20)
    }

    pub fn demanding(run: &RunRecord, cpus: f64, memory_bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            run: run.clone(),
            executed: Mutex::default(),
            running: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            demand: Demand { cpus, memory_bytes },
            hanging: CancellationToken::new(),
        })
    }

    /// The trials that were executed, sorted.
    pub fn tasks(&self) -> Vec<String> {
        let mut tasks: Vec<String> = self.executed.lock().unwrap().keys().cloned().collect();
        tasks.sort();
        tasks
    }
}

#[async_trait]
impl ExecuteTrial for FakeExecutor {
    async fn execute(
        &self,
        planned: &PlannedTrial,
        dir: &Path,
        queued_ms: u64,
        _events: &Events,
        cancel: &CancellationToken,
    ) -> Option<TrialRecord> {
        let time = {
            let mut executed = self.executed.lock().unwrap();
            let time = executed.entry(planned.task.to_string()).or_default();
            *time += 1;
            *time
        };
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(now, Ordering::SeqCst);
        std::fs::write(dir.join("trajectory.jsonl"), "{}\n").unwrap();
        tokio::time::sleep(Duration::from_millis(3)).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        let name = planned.task.as_str();
        if name.starts_with("panic") {
            panic!("a bug of ours");
        }
        if name.starts_with("hang") || name.starts_with("deaf") {
            self.hanging.cancel();
            if name.starts_with("deaf") {
                std::future::pending::<()>().await;
            }
            cancel.cancelled().await;
            return None;
        }
        let outcome = match name {
            _ if name.starts_with("fail") => Outcome::Unresolved,
            _ if name.starts_with("cheat") => Outcome::Tampered,
            _ if name.starts_with("fault") => Outcome::Error,
            _ if name.starts_with("flaky") && time == 1 => Outcome::Error,
            _ => Outcome::Resolved,
        };
        let record = RecordBuilder::planned(&self.run, planned)
            .outcome(outcome)
            .times(queued_ms, 3);
        Some(record.build())
    }

    fn demand(&self, _planned: &PlannedTrial) -> Demand {
        self.demand
    }
}
