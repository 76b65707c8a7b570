//! Which signals of a session make a verdict.

use std::collections::BTreeSet;

use super::*;
use crate::record::Outcome;
use crate::task::fixture::task;
use crate::verify::channel::Told;

fn heard(states: &[(&str, TestState)], exit: i32) -> Heard {
    let told = |(id, state): &(&str, TestState)| Told {
        id: (*id).to_owned(),
        state: *state,
        ms: 1,
        message: None,
    };
    Heard {
        records: states.iter().map(told).collect(),
        exit,
        ..Heard::default()
    }
}

fn judged(heard: Result<Heard, Unheard>, ended: Ended, report: &[(&str, TestState)]) -> Judged {
    let mut task = task("a");
    task.verification.fail_to_pass = vec!["t.py::new".into()];
    task.verification.pass_to_pass = vec!["t.py::old".into()];
    let report = told(&self::heard(report, 0).records);
    let shape = Shape {
        patched: BTreeSet::from(["known".to_owned()]),
        ..Shape::default()
    };
    Session {
        heard,
        report: Ok(report),
        ended,
        shape: Some(&shape),
        absent: &[],
        usual: &Usual::Unknown,
    }
    .judge(&task)
}

const GOOD: [(&str, TestState); 2] = [
    ("t.py::new", TestState::Passed),
    ("t.py::old", TestState::Passed),
];

#[test]
fn signals_that_agree_are_a_verdict() {
    let good = judged(Ok(heard(&GOOD, 0)), Ended::Exited(0), &GOOD);
    assert_eq!(good.outcome, Outcome::Resolved);
    let bad = [GOOD[0], ("t.py::old", TestState::Failed)];
    let bad = judged(Ok(heard(&bad, 1)), Ended::Exited(1), &bad);
    assert_eq!(bad.reason, Some(Reason::TestsFailed));
}

#[test]
fn signals_that_disagree_are_none() {
    let other = [GOOD[0], GOOD[1], ("t.py::more", TestState::Failed)];
    let against = [("t.py::new", TestState::Failed)];
    for (heard, ended, report) in [
        (heard(&GOOD, 0), Ended::Exited(1), &GOOD[..]),
        (heard(&GOOD, 0), Ended::Signaled(9), &GOOD),
        (heard(&GOOD, 1), Ended::Exited(1), &GOOD),
        (heard(&GOOD, 2), Ended::Exited(2), &GOOD),
        (heard(&other, 0), Ended::Exited(0), &GOOD),
        (heard(&GOOD, 0), Ended::Exited(0), &against),
    ] {
        let judged = judged(Ok(heard.clone()), ended, report);
        assert_eq!(judged.reason, Some(Reason::RecordsContradict), "{heard:?}");
        assert_eq!(judged.outcome, Outcome::Unresolved);
    }
}

#[test]
fn what_was_not_told_to_its_end_is_no_verdict() {
    let whole = heard(&GOOD, 0).records;
    for (told, shown) in [(0, TestState::Missing), (GOOD.len(), TestState::Passed)] {
        let open = Unheard::Open {
            said: "the records were not closed".into(),
            until: whole[..told].to_vec(),
        };
        let judged = judged(Err(open), Ended::Exited(0), &GOOD);
        assert_eq!(judged.reason, Some(Reason::NoVerdict));
        assert_eq!(judged.outcome, Outcome::Unresolved);
        assert!(judged.tests.iter().all(|test| test.state == shown));
    }
}

#[test]
fn what_the_reference_solution_does_too_accuses_nobody() {
    let mut both = heard(&GOOD, 0);
    both.patched.insert("known".into());
    assert_eq!(
        judged(Ok(both.clone()), Ended::Exited(0), &GOOD).proofs,
        Vec::<String>::new()
    );
    both.patched
        .insert("_pytest.python.Function.runtest".into());
    both.changed.insert("t.py".into());
    let judged = judged(Ok(both), Ended::Exited(0), &GOOD);
    assert_eq!(
        judged.proofs,
        [
            "parts of pytest were replaced while tests ran: _pytest.python.Function.runtest",
            "hidden files changed while tests ran: t.py",
        ]
    );
}

#[test]
fn a_runner_that_lies_elsewhere_than_with_the_reference_is_none() {
    let mut heard = heard(&GOOD, 0);
    heard.runner = "/workspace/_pytest".into();
    let judged = judged(Ok(heard), Ended::Exited(0), &GOOD);
    assert_eq!(judged.reason, Some(Reason::RecordsContradict));
    assert!(judged.message.unwrap().contains("/workspace/_pytest"));
}

#[test]
fn a_runner_in_the_work_tree_is_the_subject() {
    let shape = |runner: &str| Shape {
        runner: runner.into(),
        ..Shape::default()
    };
    assert!(shape("/w/src/_pytest").runner_is_subject("/w/"));
    assert!(!shape("/usr/lib/_pytest").runner_is_subject("/w"));
    assert!(!shape("/workspace/_pytest").runner_is_subject("/w"));
    assert!(!shape("/w/_pytest").runner_is_subject(""));
}
