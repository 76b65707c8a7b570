//! What Harbor reads of a run: snapshots, and the rules behind them. That its own
//! models take all of it is a test with the engine (`tests/whole_way/export.rs`).

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::span::Span;
use super::{Exported, atif, export, job, verdict};
use crate::record::*;
use crate::report::{fixture, trial::fixture as stored};
use crate::run::fixture::{RecordBuilder, plan_of};
use crate::run::{StoredRun, read_trial};
use crate::trajectory::{Event, EventKind};

/// A run of one finished trial, whose folder is this one.
fn run_of(trial: &Path, dir: &Path, edit: impl FnOnce(&mut TrialRecord)) -> StoredRun {
    let mut record = read_trial(trial).unwrap();
    edit(&mut record);
    let run = plan_of(&["repo/glob-star"]);
    let to = dir.join("trials").join(record.trial.as_str());
    fs::create_dir_all(to.join("verifier")).unwrap();
    for entry in fs::read_dir(trial).unwrap().flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    fs::write(to.join("verifier/stdout.txt"), "1 failed\n").unwrap();
    StoredRun {
        dir: dir.to_owned(),
        run,
        records: vec![record],
        warnings: Vec::new(),
    }
}

fn read(path: impl AsRef<Path>) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The one trial of a job folder.
fn only(job: &Path) -> std::path::PathBuf {
    let mut folders = fs::read_dir(job).unwrap().flatten();
    let found = folders.find(|entry| entry.path().is_dir());
    found.unwrap().path()
}

/// Every file below a folder, with its content.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let walk = walkdir::WalkDir::new(dir).sort_by_file_name().into_iter();
    let all = walk
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    all.map(|entry| {
        let name = entry
            .path()
            .strip_prefix(dir)
            .unwrap()
            .display()
            .to_string();
        (name, fs::read(entry.path()).unwrap())
    })
    .collect()
}

/// Exports the trial of a model; times of its events are of no account.
fn exported(edit: impl FnOnce(&mut TrialRecord)) -> (tempfile::TempDir, Exported) {
    let yard = tempfile::tempdir().unwrap();
    let run = run_of(stored::modelled().path(), &yard.path().join("run"), edit);
    let told = export(&run, &yard.path().join("job"), false).unwrap();
    (yard, told)
}

#[test]
fn a_trial_of_a_model_is_written_whole() {
    let (yard, told) = exported(|_| ());
    let trial = only(&yard.path().join("job"));
    let names: Vec<String> = files(&trial).into_iter().map(|(name, _)| name).collect();
    assert_eq!(told.trials, 1);
    insta::assert_snapshot!(names.join("\n"), @r"
    agent/change.patch
    agent/trajectory.json
    config.json
    proofyard-trial.json
    result.json
    verifier/reward.json
    verifier/test-stdout.txt
    ");
    insta::assert_snapshot!("result", format!("{:#}", read(trial.join("result.json"))));
    let mut trajectory = read(trial.join("agent/trajectory.json"));
    let untimed = |step: &mut Value| {
        step.as_object_mut().unwrap().remove("timestamp").unwrap();
        let events = step
            .pointer_mut("/extra/events")
            .and_then(Value::as_array_mut);
        let events = events.into_iter().flatten();
        events.for_each(|event| drop(event.as_object_mut().unwrap().remove("t_ms")));
    };
    trajectory["steps"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .for_each(untimed);
    insta::assert_snapshot!("trajectory", format!("{trajectory:#}"));
    let text = fs::read_to_string(trial.join("agent/trajectory.json")).unwrap();
    assert!(
        text.contains("\\u001b[31m"),
        "control characters are escaped and kept"
    );
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn statistics_are_those_that_harbor_would_have() {
    let mut run = fixture::run();
    run.created_at = "2026-11-23T09:59:59Z".into();
    let yard = tempfile::tempdir().unwrap();
    let stored = StoredRun {
        dir: yard.path().join("run"),
        records: fixture::records(),
        run: run.clone(),
        warnings: Vec::new(),
    };
    let told = export(&stored, &yard.path().join("job"), false).unwrap();
    // None of these trials has a folder: each is told, and its result written.
    assert_eq!((told.trials, told.problems.len()), (7, 14));
    insta::assert_snapshot!(
        "job",
        format!("{:#}", read(yard.path().join("job/result.json")))
    );
    insta::assert_snapshot!("job_config", format!("{:#}", job::config(&run)));
}

#[test]
fn two_exports_are_equal_and_only_an_export_is_replaced() {
    let yard = tempfile::tempdir().unwrap();
    let run = run_of(stored::scripted().path(), &yard.path().join("run"), |_| ());
    let (one, two) = (yard.path().join("one"), yard.path().join("deep/two"));
    export(&run, &one, false).unwrap();
    export(&run, &two, false).unwrap();
    assert_eq!(files(&one), files(&two));

    let refused = export(&run, &one, false).unwrap_err().to_string();
    assert!(refused.contains("`--force`"), "{refused}");
    fs::write(one.join("left.txt"), "").unwrap();
    export(&run, &one, true).unwrap();
    assert_eq!(files(&one), files(&two));
    let refused = export(&run, yard.path(), true).unwrap_err().to_string();
    assert!(refused.contains("no job folder"), "{refused}");
    // Nothing of a temporary name stays.
    let names = fs::read_dir(yard.path()).unwrap().flatten();
    assert_eq!(names.count(), 3);
}

#[test]
fn a_trajectory_that_cannot_be_read_is_told_and_the_rest_is_exported() {
    let yard = tempfile::tempdir().unwrap();
    let run = run_of(stored::scripted().path(), &yard.path().join("run"), |_| ());
    let path = run
        .dir
        .join("trials/repo__glob-star--nop--1/trajectory.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("{\"seq\":2", "{\"seq\":!", 1)).unwrap();
    let told = export(&run, &yard.path().join("cut"), false).unwrap();
    assert!(
        told.problems[0].contains("trajectory.jsonl, line 3"),
        "{told:?}"
    );
    assert!(
        only(&yard.path().join("cut"))
            .join("agent/trajectory.json")
            .is_file()
    );

    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    let told = export(&run, &yard.path().join("linked"), false).unwrap();
    assert!(told.problems[0].contains("no regular file"), "{told:?}");
    let trial = only(&yard.path().join("linked"));
    assert!(!trial.join("agent/trajectory.json").exists());
    assert_eq!(
        read(trial.join("result.json"))["verifier_result"]["rewards"]["reward"],
        0.0
    );
}

fn event(kind: EventKind, edit: impl FnOnce(&mut Event)) -> Event {
    let mut event = Event::new(kind);
    edit(&mut event);
    event
}

fn call(seq: u64, id: Option<&str>) -> Event {
    event(EventKind::ToolCall, |event| {
        event.seq = seq;
        event.id = id.map(str::to_owned);
        event.tool = Some("bash".into());
        event.arguments = Some(json!({}));
    })
}

fn result(seq: u64, id: Option<&str>) -> Event {
    event(EventKind::ToolResult, |event| {
        event.seq = seq;
        event.id = id.map(str::to_owned);
        event.output = Some(format!("result {seq}"));
    })
}

#[test]
fn calls_without_a_model_are_steps_and_ids_are_unique_within_one() {
    let record = RecordBuilder::of(&plan_of(&["a"]), 0).build();
    let of = |events: &[Event]| {
        let part = atif::Part { step: None, events };
        atif::trajectory(&record, part, Span::of(&record), "session")
    };
    let whole = of(&[
        event(EventKind::Harness, |event| {
            event.event = Some("early".into())
        }),
        call(1, Some("x")),
        result(2, Some("x")),
        result(3, Some("nobody")),
        event(EventKind::Assistant, |_| ()),
        call(5, Some("x")),
        call(6, Some("x")),
        call(7, None),
        result(8, Some("x")),
        result(9, Some("x")),
        result(10, None),
    ])
    .unwrap();
    let steps = whole["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2);
    assert_eq!(
        (&steps[0]["llm_call_count"], &steps[0]["message"]),
        (&json!(0), &json!(""))
    );
    assert_eq!(
        steps[0]["extra"]["events"][0]["event"],
        "result_without_call"
    );
    assert_eq!(whole["extra"]["before"][0]["event"], "early");
    let results = steps[1]["observation"]["results"].as_array().unwrap();
    let tied = results.iter().map(|result| {
        let of = |key: &str| result[key].as_str().unwrap();
        format!("{} {}", of("source_call_id"), of("content"))
    });
    let tied: Vec<String> = tied.collect();
    assert_eq!(tied, ["x result 8", "x#2 result 9", "call-7 result 10"]);
    assert_eq!(of(&[]), None);
}

fn stepped() -> TrialRecord {
    let step = |name: &str, reward: Option<f64>, end: Option<End>| StepRecord {
        name: name.into(),
        end,
        evidence: reward.map(|_| Evidence::Asserted),
        reward,
        rewards: Default::default(),
        reason: reward.is_none().then_some(Reason::NoVerdict),
        message: None,
    };
    let builder = RecordBuilder::of(&plan_of(&["a"]), 0).edit(|record| {
        record.steps = vec![
            step("first", Some(0.5), Some(End::Timeout)),
            step("second", None, Some(End::Done)),
            step("third", None, None),
        ];
    });
    builder.build()
}

#[test]
fn steps_of_a_task_have_trajectories_of_their_own() {
    let record = stepped();
    let begins = || {
        event(EventKind::Harness, |event| {
            event.event = Some("step".into())
        })
    };
    let said = |text: &str| event(EventKind::User, |event| event.text = Some(text.into()));
    let events = [said("before"), begins(), said("one"), begins(), said("two")];
    let parts = atif::parts(&record, &events);
    let told: Vec<Vec<String>> = parts
        .iter()
        .map(|part| {
            let whole = atif::trajectory(&record, *part, None, "session").unwrap();
            let steps = whole["steps"].as_array().unwrap().iter();
            steps
                .map(|step| format!("{} {}", step["step_id"], step["message"]))
                .collect()
        })
        .collect();
    assert_eq!(told, [vec!["1 \"before\"", "2 \"one\""], vec!["1 \"two\""]]);
    let classes: Vec<Option<String>> = record
        .steps
        .iter()
        .map(|step| verdict::step_exception(step).map(|exception| exception.class))
        .collect();
    let class = |name: &str| Some(name.to_owned());
    assert_eq!(
        classes,
        [
            class("AgentTimeoutError"),
            class("RewardFileNotFoundError"),
            class("ProofyardStepError")
        ]
    );
    assert_eq!(
        verdict::step_rewards(&record.steps[0]),
        Some(json!({"reward": 0.5}))
    );
    assert_eq!(verdict::step_rewards(&record.steps[1]), None);
    assert_eq!(
        verdict::exception(&record),
        None,
        "it stands with the steps"
    );
}

#[test]
fn derived_times_follow_each_other_and_none_leaves_the_trial() {
    for (agent, verify) in [(9_000, 100), (1, 90_000), (0, 0)] {
        let record = RecordBuilder::of(&plan_of(&["a"]), 0).edit(|record| {
            record.timing_ms = Timing {
                sandbox: 300,
                agent,
                capture: 5,
                verify,
                ..Timing::default()
            };
        });
        let span = Span::of(&record.build()).unwrap();
        let (world, acted, judged) = (span.set_up(), span.agent(), span.verifier());
        let moments = [
            span.began,
            world.from,
            world.to,
            acted.from,
            acted.to,
            judged.from,
            judged.to,
            span.ended,
        ];
        assert!(moments.is_sorted(), "{moments:?}");
        assert!(span.event(u64::MAX) <= span.ended);
    }
}
