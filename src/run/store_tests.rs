//! Facts about `runs/<run>/`: nothing finished is lost, nothing unfinished counted.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::fixture::{RecordBuilder, plan_of};
use super::*;
use crate::record::{Outcome, TrialRecord};

fn tasks(records: &[TrialRecord]) -> Vec<&str> {
    records.iter().map(|r| r.task.name.as_str()).collect()
}

/// Finishes the trial at `index` of the store's plan.
fn finish(store: &RunStore, index: usize) -> TrialRecord {
    let record = RecordBuilder::of(store.run(), index).build();
    let dir = store.partial(&record.trial).unwrap();
    fs::write(dir.join("trajectory.jsonl"), "{}\n").unwrap();
    store.seal(&record).unwrap();
    record
}

fn run_with_one_finished(out: &Path) -> std::path::PathBuf {
    let store = RunStore::create(out, plan_of(&["a", "b"])).unwrap();
    let record = finish(&store, 0);
    store.append(&[record]).unwrap();
    store.dir().to_owned()
}

#[test]
fn resume_finds_what_is_missing() {
    let out = tempfile::tempdir().unwrap();
    let dir = run_with_one_finished(out.path());
    let store = RunStore::open(&dir).unwrap();
    assert_eq!(tasks(store.finished()), ["a"]);
    let todo = store.todo(false);
    assert_eq!(todo.len(), 1);
    assert_eq!(todo[0].task.as_str(), "b");
    assert_eq!(store.warnings(), [] as [&str; 0]);
    let trial = read_trial(&trial_dir(&dir, &store.finished()[0].trial)).unwrap();
    assert_eq!(trial.outcome, Outcome::Resolved);
}

#[test]
fn a_torn_journal_line_is_cut_off_and_kept_aside() {
    let out = tempfile::tempdir().unwrap();
    let dir = run_with_one_finished(out.path());
    let journal = dir.join("results.jsonl");
    let mut bytes = fs::read(&journal).unwrap();
    let whole = bytes.len();
    bytes.extend_from_slice(br#"{"schema":"proofyard/trial/1","run":"#);
    fs::write(&journal, &bytes).unwrap();

    assert_eq!(tasks(&read_run(&dir).unwrap().records), ["a"]);
    let store = RunStore::open(&dir).unwrap();
    assert_eq!(tasks(store.finished()), ["a"]);
    assert!(store.warnings()[0].contains("cut short"));
    assert_eq!(fs::metadata(&journal).unwrap().len() as usize, whole);
    let aside = fs::read_to_string(dir.join("results.jsonl.torn")).unwrap();
    assert!(aside.starts_with(r#"{"schema""#));

    let record = finish(&store, 1);
    store.append(&[record]).unwrap();
    drop(store);
    assert!(RunStore::open(&dir).unwrap().todo(false).is_empty());
}

#[test]
fn a_trial_killed_between_its_name_and_its_line_is_adopted_once() {
    let out = tempfile::tempdir().unwrap();
    let dir = run_with_one_finished(out.path());
    {
        let store = RunStore::open(&dir).unwrap();
        finish(&store, 1);
    }
    assert_eq!(tasks(&read_run(&dir).unwrap().records), ["a", "b"]);
    let store = RunStore::open(&dir).unwrap();
    assert_eq!(tasks(store.finished()), ["a", "b"]);
    assert!(store.warnings()[0].contains("1 trial"));
    drop(store);
    let again = RunStore::open(&dir).unwrap();
    assert_eq!(again.warnings(), [] as [&str; 0]);
    let lines = fs::read_to_string(dir.join("results.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 2);
}

#[test]
fn what_an_unfinished_trial_left_is_removed() {
    let out = tempfile::tempdir().unwrap();
    let dir = run_with_one_finished(out.path());
    let partial = {
        let store = RunStore::open(&dir).unwrap();
        let partial = store.partial(&store.run().trials[1].trial).unwrap();
        fs::write(partial.join("trial.json"), "{").unwrap();
        partial
    };
    let store = RunStore::open(&dir).unwrap();
    assert!(!partial.exists());
    assert_eq!(store.todo(false).len(), 1);
}

#[test]
fn a_second_process_is_refused_while_the_first_lives() {
    let out = tempfile::tempdir().unwrap();
    let store = RunStore::create(out.path(), plan_of(&["a"])).unwrap();
    let dir = store.dir().to_owned();
    let refused = RunStore::open(&dir).unwrap_err();
    assert!(matches!(refused, StoreError::Busy { .. }));
    let pid = std::process::id().to_string();
    assert!(refused.to_string().contains(&pid), "{refused}");
    drop(store);
    assert!(RunStore::open(&dir).is_ok());
}

#[test]
fn an_error_is_finished_unless_asked_for_again_and_then_replaced() {
    let out = tempfile::tempdir().unwrap();
    let store = RunStore::create(out.path(), plan_of(&["a"])).unwrap();
    let dir = store.dir().to_owned();
    let failed = RecordBuilder::of(store.run(), 0).outcome(Outcome::Error);
    let failed = failed.build();
    store.partial(&failed.trial).unwrap();
    store.seal(&failed).unwrap();
    store.append(std::slice::from_ref(&failed)).unwrap();
    drop(store);

    let store = RunStore::open(&dir).unwrap();
    assert!(store.todo(false).is_empty());
    assert_eq!(store.todo(true).len(), 1);
    let better = RecordBuilder::of(store.run(), 0)
        .edit(|record| record.finished_at = "2026-11-24T00:00:00Z".into())
        .build();
    store.partial(&better.trial).unwrap();
    store.seal(&better).unwrap();
    drop(store);

    let store = RunStore::open(&dir).unwrap();
    assert_eq!(store.finished().len(), 1);
    assert_eq!(store.finished()[0].outcome, Outcome::Resolved);
}

#[test]
fn an_error_whose_replacement_was_cut_off_comes_back() {
    let out = tempfile::tempdir().unwrap();
    let dir = run_with_one_finished(out.path());
    let named = trial_dir(&dir, &plan_of(&["a"]).trials[0].trial);
    let name = named.file_name().unwrap().to_str().unwrap();
    fs::rename(&named, named.with_file_name(format!(".replaced-{name}"))).unwrap();
    RunStore::open(&dir).unwrap();
    assert!(named.join("trial.json").exists());
}

#[test]
fn a_damaged_line_in_the_middle_loses_nothing_that_has_a_folder() {
    let out = tempfile::tempdir().unwrap();
    let dir = run_with_one_finished(out.path());
    fs::write(dir.join("results.jsonl"), "garbage\n").unwrap();
    let store = RunStore::open(&dir).unwrap();
    assert_eq!(tasks(store.finished()), ["a"]);
    assert!(store.warnings()[0].contains("line 1"));
}

#[test]
fn an_unwritable_out_folder_is_said_before_anything_runs() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = RunStore::create(&file.join("runs"), plan_of(&["a"])).unwrap_err();
    assert!(matches!(refused, StoreError::Out { .. }), "{refused}");
}

#[test]
fn a_name_that_is_taken_is_refused_and_left_alone() {
    let out = tempfile::tempdir().unwrap();
    let dir = run_with_one_finished(out.path());
    let refused = RunStore::create(out.path(), plan_of(&["a"])).unwrap_err();
    assert!(matches!(refused, StoreError::Exists { .. }));
    assert_eq!(tasks(&read_run(&dir).unwrap().records), ["a"]);
}

#[test]
fn what_is_no_run_or_of_a_later_schema_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let refused = RunStore::open(out.path()).unwrap_err();
    assert!(matches!(refused, StoreError::NotARun { .. }));
    let dir = run_with_one_finished(out.path());
    let plan = dir.join("run.json");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("proofyard/run/1", "proofyard/run/9")).unwrap();
    let refused = RunStore::open(&dir).unwrap_err().to_string();
    assert!(refused.contains("proofyard/run/9"), "{refused}");
}

#[test]
fn a_journal_line_leaves_passed_tests_to_the_trials_folder() {
    use crate::record::{Expect, TestRecord, TestState};
    let out = tempfile::tempdir().unwrap();
    let store = RunStore::create(out.path(), plan_of(&["a"])).unwrap();
    let test = |id: &str, state| TestRecord {
        id: id.into(),
        expect: Expect::PassToPass,
        state,
        excused: false,
        ms: 1,
        message: None,
    };
    let record = RecordBuilder::of(store.run(), 0)
        .edit(|record| {
            let passed = test("t::good", TestState::Passed);
            record.verdict.tests = vec![passed, test("t::bad", TestState::Failed)];
            record.verdict.passed = 1;
        })
        .build();
    store.partial(&record.trial).unwrap();
    store.seal(&record).unwrap();
    store.append(std::slice::from_ref(&record)).unwrap();
    let stored = read_run(store.dir()).unwrap().records.remove(0);
    let manifest = stored.manifest.clone();
    assert!(manifest.is_some());
    assert_eq!(
        stored,
        TrialRecord {
            manifest,
            ..record.journal_line()
        }
    );
    let whole = read_trial(&trial_dir(store.dir(), &record.trial)).unwrap();
    assert_eq!(whole, record);
}

/// What the next test kills: it finishes one trial, seals another, begins a
/// third, and dies by SIGKILL.
#[test]
fn child_that_is_killed() {
    let Some(out) = std::env::var_os("PROOFYARD_TEST_KILLED_OUT") else {
        return;
    };
    let store = RunStore::create(Path::new(&out), plan_of(&["a", "b", "c"])).unwrap();
    let record = finish(&store, 0);
    store.append(&[record]).unwrap();
    finish(&store, 1);
    let dir = store.partial(&store.run().trials[2].trial).unwrap();
    fs::write(dir.join("trial.json"), "{}").unwrap();
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[test]
fn a_finished_trial_survives_a_kill_and_the_lock_does_not() {
    let out = tempfile::tempdir().unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "run::store_tests::child_that_is_killed"])
        .env("PROOFYARD_TEST_KILLED_OUT", out.path())
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
    let store = RunStore::open(&out.path().join("2026-11-23-quiet-otter")).unwrap();
    assert_eq!(tasks(store.finished()), ["a", "b"]);
    assert_eq!(store.todo(false).len(), 1);
}
