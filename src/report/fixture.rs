//! A small run, told by its events.

use std::path::PathBuf;

use crate::record::{End, Flag, ModelRef, Outcome, Reason, RunRecord, ToolUse, TrialRecord};
use crate::run::fixture::{RecordBuilder, agent, input, task};
use crate::run::{Contender, PlanInput, RunEvent, Spending, plan};

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

/// Two tasks, two attempts: `loop` with these models, and `nop` where that is asked for.
pub(crate) fn run_of(models: &[&str], nop: bool) -> RunRecord {
    let tasks = [task("repo/glob-star"), task("terminal/torn-journal")];
    let with = |model: &&str| Contender {
        model: Some(ModelRef {
            id: (*model).into(),
            provider: "scripted".into(),
            digest: None,
        }),
        ..agent("loop")
    };
    let mut contenders: Vec<Contender> = models.iter().map(with).collect();
    contenders.extend(nop.then(|| agent("nop")));
    plan(PlanInput {
        contenders,
        attempts: 2,
        ..input(&tasks)
    })
    .unwrap()
}

/// Every trial of a run finished: models used turns, tokens and, but for
/// `unpriced`, money; every third was stopped.
pub(crate) fn finished(run: &RunRecord) -> Vec<TrialRecord> {
    let of = |(index, planned): (usize, &crate::record::PlannedTrial)| {
        let stopped = index % 3 == 1;
        let outcome = match (&planned.model, stopped) {
            (Some(_), false) => Outcome::Resolved,
            _ => Outcome::Unresolved,
        };
        let Some(model) = &planned.model else {
            let record = RecordBuilder::planned(run, planned).outcome(outcome);
            return record.calls(0, 0).times(0, 700).build();
        };
        let record = RecordBuilder::planned(run, planned).outcome(outcome);
        let record = record.edit(|record| {
            record.trajectory.turns = 9 + index as u64;
            record.usage.input = 28_000 + 1_000 * index as u64;
            record.usage.output = 900;
            record.cost_microusd = (model != "unpriced").then_some(21_400);
            record.tool_use = Some(ToolUse {
                score: 0.9 - 0.02 * index as f64,
                ..ToolUse::default()
            });
            if stopped {
                record.trajectory.end = End::MaxSteps;
            }
        });
        record.build()
    };
    run.trials.iter().enumerate().map(of).collect()
}

/// Two of a run's trials under way, by what they have spent.
pub(crate) fn under_way(run: &RunRecord, spent: [Option<Spending>; 2]) -> Vec<RunEvent> {
    let mut events = vec![RunEvent::Started {
        run: Box::new(run.clone()),
        dir: PathBuf::from("runs/2026-11-23-quiet-otter"),
        finished: Vec::new(),
        jobs: 2,
    }];
    let details = [
        ("agent", "step 9  bash  nginx \u{1b}[2J-t"),
        ("agent", "step 112  read  src/pattern.py"),
    ];
    for ((planned, (phase, detail)), spent) in run.trials.iter().zip(details).zip(spent) {
        events.push(RunEvent::TrialStarted {
            trial: planned.trial.clone(),
        });
        events.push(RunEvent::TrialProgress {
            trial: planned.trial.clone(),
            phase,
            detail: detail.into(),
            spent,
        });
    }
    events
}
