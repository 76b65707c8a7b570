//! A small run, told by its events.

use std::path::PathBuf;

use crate::record::{Flag, Outcome, Reason, RunRecord, TrialRecord};
use crate::run::fixture::{RecordBuilder, agent, input, task};
use crate::run::{PlanInput, RunEvent, plan};

/// Two tasks, two agents, two attempts.
pub(crate) fn run() -> RunRecord {
    let tasks = [task("repo/glob-star"), task("terminal/torn-journal")];
    plan(PlanInput {
        contenders: vec![agent("loop"), agent("nop")],
        attempts: 2,
        ..input(&tasks)
    })
    .unwrap()
}

/// Every outcome once, and one trial missing.
pub(crate) fn records() -> Vec<TrialRecord> {
    let run = run();
    let of = |index| RecordBuilder::of(&run, index);
    let failed = |index| {
        of(index)
            .outcome(Outcome::Unresolved)
            .message(Reason::TestsFailed, "2 of 5 fail_to_pass \u{1b}[31mfailed")
    };
    let flag = Flag {
        kind: "runner".into(),
        detail: "conftest.py rewrites outcomes".into(),
        step: Some(7),
    };
    vec![
        of(0).build(),
        failed(1).calls(0, 0).times(0, 1_200).build(),
        of(2).calls(1, 0).times(0, 4_000).build(),
        failed(3).calls(0, 0).build(),
        of(4)
            .outcome(Outcome::Tampered)
            .edit(|record| record.verdict.flags = vec![flag])
            .build(),
        of(5).outcome(Outcome::Error).build(),
        failed(6).calls(22, 3).times(0, 77_000).build(),
    ]
}

/// From the plan to the end.
pub(crate) fn events() -> Vec<RunEvent> {
    let run = run();
    let mut events = vec![RunEvent::Started {
        run: Box::new(run.clone()),
        dir: PathBuf::from("runs/2026-11-23-quiet-otter"),
        finished: Vec::new(),
        jobs: 2,
    }];
    for planned in &run.trials[..2] {
        events.push(RunEvent::TrialStarted {
            trial: planned.trial.clone(),
        });
    }
    events.push(RunEvent::TrialProgress {
        trial: run.trials[0].trial.clone(),
        phase: "agent",
        detail: "step 11  bash  nginx \u{1b}[2J-t".into(),
        spent: None,
    });
    for record in records() {
        events.push(RunEvent::TrialFinished {
            record: Box::new(record),
        });
    }
    events.push(RunEvent::Warning {
        message: "1 trial did not end".into(),
    });
    events.push(RunEvent::Finished {
        run: run.run.clone(),
        dir: PathBuf::from("runs/2026-11-23-quiet-otter"),
        records: records(),
        missing: 1,
        interrupted: true,
    });
    events
}
