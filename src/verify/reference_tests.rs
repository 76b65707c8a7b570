//! Facts about reference runs.

use super::*;

fn key() -> ReferenceKey {
    ReferenceKey {
        task: Digest::new("sha256:aa"),
        image: "sha256:bb".into(),
        sees: Sees::Patch,
        held: true,
        verifier: VERIFIER_VERSION,
        rules: None,
        ground: None,
    }
}

fn judged(outcome: Outcome, states: [TestState; 2]) -> JudgedRecord {
    let expects = [("f", Expect::FailToPass), ("p", Expect::PassToPass)];
    let tests = expects
        .iter()
        .zip(states)
        .map(|((id, expect), state)| TestRecord {
            id: (*id).to_owned(),
            expect: *expect,
            state,
            excused: false,
            ms: 1,
            message: None,
        });
    JudgedRecord {
        outcome,
        reason: None,
        message: None,
        tests: tests.collect(),
        reward: None,
        rewards: Default::default(),
        shape: None,
        owned: Default::default(),
    }
}

fn run(solution: Option<JudgedRecord>, nothing: JudgedRecord) -> ReferenceRun {
    ReferenceRun::new(key(), solution, nothing, "2026-01-01T00:00:00Z".into())
}

const GOOD: [TestState; 2] = [TestState::Passed, TestState::Passed];
const BEFORE: [TestState; 2] = [TestState::Failed, TestState::Passed];

#[test]
fn a_task_is_sound_when_only_the_solution_resolves_it() {
    let nothing = judged(Outcome::Unresolved, BEFORE);
    assert_eq!(
        run(Some(judged(Outcome::Resolved, GOOD)), nothing.clone()).sound(),
        Ok(())
    );
    assert_eq!(run(None, nothing).sound(), Ok(()));
}

#[test]
fn a_test_that_is_skipped_with_and_without_the_solution_keeps_a_task_sound() {
    let excused = |outcome, first| {
        let mut record = judged(outcome, [first, TestState::Skipped]);
        record.tests[1].excused = true;
        record
    };
    let solution = excused(Outcome::Resolved, TestState::Passed);
    let nothing = excused(Outcome::Unresolved, TestState::Failed);
    assert_eq!(run(Some(solution.clone()), nothing.clone()).sound(), Ok(()));
    // It ran before the solution, so the solution is what keeps it from running.
    let before = judged(Outcome::Unresolved, BEFORE);
    assert_eq!(run(Some(solution), before).sound(), Ok(()));
    // It runs with the solution alone.
    let solved = judged(Outcome::Resolved, GOOD);
    assert_eq!(
        run(Some(solved), nothing).sound().unwrap_err(),
        ["pass_to_pass `p` is skipped when nothing is done"]
    );
}

#[test]
fn what_is_unsound_is_named() {
    let mut solution = judged(Outcome::Unresolved, [TestState::Missing, TestState::Error]);
    solution.message = Some("1 of 1 fail_to_pass missing".into());
    let nothing = judged(Outcome::Resolved, [TestState::Passed, TestState::Failed]);
    insta::assert_snapshot!(run(Some(solution), nothing).sound().unwrap_err().join("\n"), @r"
    doing nothing resolves it
    fail_to_pass `f` passes when nothing is done
    pass_to_pass `p` is failed when nothing is done
    the reference solution does not resolve it: 1 of 1 fail_to_pass missing
    fail_to_pass `f` is missing with the reference solution
    pass_to_pass `p` is in error with the reference solution
    ");
}

#[test]
fn an_expected_test_without_a_record_in_the_solutions_run_is_named() {
    let mut solution = judged(Outcome::Resolved, GOOD);
    solution.tests.pop();
    let wrong = run(Some(solution), judged(Outcome::Unresolved, BEFORE))
        .sound()
        .unwrap_err();
    assert_eq!(wrong, ["`p` is missing with the reference solution"]);
}

#[test]
fn only_the_same_fault_of_the_solution_excuses() {
    let nothing = judged(Outcome::Unresolved, BEFORE);
    let met = JudgedRecord::fault(Reason::VerifierTimeout, "it did not end".into());
    let met = run(Some(met), nothing.clone());
    assert!(met.meets_same_fault(Reason::VerifierTimeout));
    assert!(!met.meets_same_fault(Reason::NoVerdict));
    let failing = JudgedRecord::fault(Reason::TestsFailed, "1 of 1 failed".into());
    assert!(!run(Some(failing), nothing.clone()).meets_same_fault(Reason::TestsFailed));
    assert!(!run(None, nothing).meets_same_fault(Reason::NoVerdict));
}

#[test]
fn what_is_stored_is_loaded_and_nothing_else() {
    let cache = tempfile::tempdir().unwrap();
    let run = run(
        Some(judged(Outcome::Resolved, GOOD)),
        judged(Outcome::Unresolved, BEFORE),
    );
    assert_eq!(ReferenceRun::load(cache.path(), &key()).unwrap(), None);
    let below = cache.path().join("reference");
    run.store(&below).unwrap();
    assert_eq!(
        ReferenceRun::load(&below, &key()).unwrap(),
        Some(run.clone())
    );
    let other = ReferenceKey {
        sees: Sees::Files,
        ..key()
    };
    assert_eq!(ReferenceRun::load(&below, &other).unwrap(), None);
    std::fs::copy(key().path(&below), other.path(&below)).unwrap();
    assert_eq!(ReferenceRun::load(&below, &other).unwrap(), None);
    std::fs::write(key().path(&below), "{").unwrap();
    assert_eq!(ReferenceRun::load(&below, &key()).unwrap(), None);
}

#[test]
fn each_part_of_the_key_is_in_the_digest() {
    let keys = [
        key(),
        ReferenceKey {
            task: Digest::new("sha256:ab"),
            ..key()
        },
        ReferenceKey {
            image: "sha256:bc".into(),
            ..key()
        },
        ReferenceKey {
            sees: Sees::Live,
            ..key()
        },
        ReferenceKey {
            verifier: VERIFIER_VERSION + 1,
            ..key()
        },
    ];
    let digests: std::collections::BTreeSet<_> = keys.iter().map(ReferenceKey::digest).collect();
    assert_eq!(digests.len(), keys.len());
}
