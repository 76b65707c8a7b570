//! Facts about the scheduler, with an executor that needs no engine.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::fixture::{FakeExecutor, input, plan_of, task};
use super::*;
use crate::record::Outcome;
use crate::run::{PlanInput, plan};

const GIB: u64 = 1 << 30;
const MACHINE: Machine = Machine {
    cpus: 2.0,
    memory_bytes: 8 * GIB,
};

/// A run under way: arranged by the names of its tasks.
struct Scene {
    _out: tempfile::TempDir,
    store: Arc<RunStore>,
    executor: Arc<FakeExecutor>,
    schedule: Schedule,
    cancel: CancellationToken,
}

impl Scene {
    fn of(names: &[&str]) -> Self {
        Self::below(tempfile::tempdir().unwrap(), names)
    }

    fn below(out: tempfile::TempDir, names: &[&str]) -> Self {
        let run = plan_of(names);
        let executor = FakeExecutor::new(&run);
        let store = RunStore::create(out.path(), run).unwrap();
        let mut schedule = Schedule::new(store.todo(false), MACHINE);
        schedule.retry_pause = Duration::from_millis(1);
        Self {
            _out: out,
            store: Arc::new(store),
            executor,
            schedule,
            cancel: CancellationToken::new(),
        }
    }

    async fn run(&self) -> (RunEnd, Vec<RunEvent>) {
        let (events, mut receiver) = Events::channel();
        let end = run_plan(
            Arc::clone(&self.store),
            Arc::clone(&self.executor) as Arc<dyn ExecuteTrial>,
            self.schedule.clone(),
            &events,
            &self.cancel,
        )
        .await;
        let mut seen = Vec::new();
        while let Ok(event) = receiver.try_recv() {
            seen.push(event);
        }
        (end, seen)
    }

    fn dir(&self) -> &Path {
        self.store.dir()
    }
}

fn outcomes(end: &RunEnd) -> Vec<Outcome> {
    end.records.iter().map(|record| record.outcome).collect()
}

fn leftovers(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir.join("trials")).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect()
}

#[tokio::test]
async fn every_trial_is_journalled_and_told() {
    let scene = Scene::of(&["a", "fail", "cheat", "fault"]);
    let (end, seen) = scene.run().await;
    assert_eq!(
        outcomes(&end),
        [
            Outcome::Resolved,
            Outcome::Unresolved,
            Outcome::Tampered,
            Outcome::Error
        ]
    );
    assert_eq!((end.missing, end.interrupted), (0, false));
    assert!(matches!(&seen[0], RunEvent::Started { jobs: 4, .. }));
    assert!(matches!(seen.last(), Some(RunEvent::Finished { .. })));
    let finished = seen
        .iter()
        .filter(|event| matches!(event, RunEvent::TrialFinished { .. }));
    assert_eq!(finished.count(), 4);
    assert_eq!(read_run(scene.dir()).unwrap().records.len(), 4);
    assert_eq!(leftovers(scene.dir()), [] as [&str; 0]);
}

#[tokio::test]
async fn resume_runs_only_what_is_missing() {
    let mut scene = Scene::of(&["a", "b", "c"]);
    scene.schedule.todo.truncate(2);
    scene.run().await;
    let dir = scene.dir().to_owned();
    let Scene { store, _out, .. } = scene;
    drop(store);

    let store = RunStore::open(&dir).unwrap();
    let executor = FakeExecutor::new(store.run());
    let again = Scene {
        schedule: Schedule::new(store.todo(false), MACHINE),
        store: Arc::new(store),
        executor,
        cancel: CancellationToken::new(),
        _out,
    };
    let (end, _) = again.run().await;
    assert_eq!(again.executor.tasks(), ["c"]);
    assert_eq!((end.records.len(), end.missing), (3, 0));
}

#[tokio::test]
async fn a_bug_in_one_trial_is_a_record_and_the_others_go_on() {
    let scene = Scene::of(&["panic", "a"]);
    let (end, _) = scene.run().await;
    let fault = end.records[0].error.as_ref().unwrap();
    assert_eq!(fault.class, "harness");
    assert!(fault.message.contains("a bug of ours"));
    assert_eq!(end.records[1].outcome, Outcome::Resolved);
}

#[tokio::test]
async fn a_retryable_error_is_executed_again_and_told_as_a_warning() {
    let mut scene = Scene::of(&["flaky", "fault"]);
    scene.schedule.retry_errors = 2;
    let (end, _) = scene.run().await;
    assert_eq!(outcomes(&end), [Outcome::Resolved, Outcome::Error]);
    assert!(end.records[0].warnings[0].contains("no such container"));
    let executed = scene.executor.executed.lock().unwrap();
    assert_eq!((executed["flaky"], executed["fault"]), (2, 3));
    assert_eq!(end.records[1].warnings.len(), 2);
}

#[tokio::test]
async fn without_retries_an_error_is_final() {
    let scene = Scene::of(&["flaky"]);
    let (end, _) = scene.run().await;
    assert_eq!(outcomes(&end), [Outcome::Error]);
}

#[tokio::test]
async fn declared_memory_bounds_what_runs_at_one_time() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let mut scene = Scene::of(&names);
    scene.executor = FakeExecutor::demanding(scene.store.run(), 0.1, 3 * GIB);
    scene.schedule.jobs = Some(6);
    let (end, _) = scene.run().await;
    assert_eq!(end.records.len(), 6);
    assert_eq!(scene.executor.peak.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_interrupted_run_leaves_nothing_half() {
    let mut scene = Scene::of(&["a", "hang", "later"]);
    scene.schedule.jobs = Some(1);
    let hanging = scene.executor.hanging.clone();
    let cancel = scene.cancel.clone();
    let interrupt = async move {
        hanging.cancelled().await;
        cancel.cancel();
    };
    let ((end, _), ()) = tokio::join!(scene.run(), interrupt);
    assert_eq!(outcomes(&end), [Outcome::Resolved]);
    assert_eq!((end.missing, end.interrupted), (2, true));
    assert_eq!(scene.executor.tasks(), ["a", "hang"]);
    assert_eq!(leftovers(scene.dir()), [] as [&str; 0]);
    let dir = scene.dir().to_owned();
    let Scene { store, _out, .. } = scene;
    drop(store);
    assert_eq!(RunStore::open(&dir).unwrap().todo(false).len(), 2);
}

#[tokio::test]
async fn a_trial_that_does_not_hear_is_cut_off_after_the_grace() {
    let mut scene = Scene::of(&["deaf"]);
    scene.schedule.grace = Duration::from_millis(1);
    let hanging = scene.executor.hanging.clone();
    let cancel = scene.cancel.clone();
    let interrupt = async move {
        hanging.cancelled().await;
        cancel.cancel();
    };
    let ((end, _), ()) = tokio::join!(scene.run(), interrupt);
    assert_eq!((end.missing, end.interrupted), (1, true));
    assert_eq!(leftovers(scene.dir()), [] as [&str; 0]);
}

#[tokio::test]
async fn when_results_cannot_be_kept_nothing_else_begins() {
    let mut scene = Scene::of(&["a", "b", "c"]);
    scene.schedule.jobs = Some(1);
    let trials = scene.dir().join("trials");
    std::fs::remove_dir(&trials).unwrap();
    let (end, seen) = scene.run().await;
    assert_eq!((end.records.len(), end.missing), (0, 3));
    assert!(end.stopped.is_some() && !end.interrupted);
    assert_eq!(scene.executor.tasks(), [] as [&str; 0]);
    let warned = seen.iter().any(
        |event| matches!(event, RunEvent::Warning { message } if message.contains("no further trial")),
    );
    assert!(warned);
}

/// A small file system of its own; none where we may not mount one.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn at(dir: &Path) -> Option<Self> {
        use nix::mount::{MsFlags, mount};
        let kind = Some("tmpfs");
        mount(kind, dir, kind, MsFlags::empty(), Some("size=512k")).ok()?;
        Some(Self(dir.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = nix::mount::umount2(&self.0, nix::mount::MntFlags::MNT_DETACH);
    }
}

#[tokio::test]
async fn a_full_disk_stops_a_run_that_loses_nothing_and_can_be_resumed() {
    let out = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::at(out.path()) else {
        println!("skipped: a file system of its own cannot be mounted here");
        return;
    };
    let mut scene = Scene::below(out, &["a", "b", "c"]);
    scene.schedule.jobs = Some(1);
    let rest = scene.schedule.todo.split_off(1);
    scene.run().await;

    // `a` is finished; now the disk is full.
    let filler = scene.store.dir().with_file_name("filler");
    std::fs::write(&filler, vec![0; 1 << 20]).unwrap_err();
    let full = Scene {
        schedule: Schedule {
            todo: rest,
            ..scene.schedule.clone()
        },
        ..scene
    };
    let (end, _) = full.run().await;
    assert!(end.stopped.unwrap().contains("no room"));
    let dir = full.dir().to_owned();
    assert_eq!(read_run(&dir).unwrap().records.len(), 1);

    std::fs::remove_file(&filler).unwrap();
    let Scene { store, _out, .. } = full;
    drop(store);
    let store = RunStore::open(&dir).unwrap();
    let todo: Vec<String> = store
        .todo(false)
        .iter()
        .map(|t| t.task.to_string())
        .collect();
    assert_eq!(todo, ["b", "c"]);
}

#[test]
fn all_attempts_at_a_task_may_come_after_each_other() {
    let tasks = ["b", "a"].map(task);
    let run = plan(PlanInput {
        attempts: 2,
        ..input(&tasks)
    })
    .unwrap();
    let schedule = Schedule::new(run.trials.clone(), MACHINE).task_by_task(&run.tasks);
    let order: Vec<&str> = schedule.todo.iter().map(|one| one.trial.as_str()).collect();
    assert_eq!(order, ["b--nop--1", "b--nop--2", "a--nop--1", "a--nop--2"]);
}
