//! Both verdicts on made-up logs.

use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::record::{Evidence, Expect, Outcome, Reason, TestRecord, TestState};
use crate::task::fixture::task;
use crate::verify::judge::{self, Judged};

const FAIL: &str = "tests/a.py::test_b";
const PASS: &str = "tests/a.py::test_c";

fn instance() -> Official {
    Official {
        instance_id: "own__name-1".into(),
        repo: "own/name".into(),
        version: "1".into(),
        log_parser: Some("parse_log_pytest".into()),
        eval_type: None,
        fail_to_pass: vec![FAIL.into()],
        pass_to_pass: vec![PASS.into()],
        script: PathBuf::new(),
        workdir: "/testbed".into(),
        timeout: Duration::from_secs(1),
    }
}

fn log(lines: &str) -> Came {
    let log = format!(
        "+ : '>>>>> Start Test Output'\n{lines}\n+ : '>>>>> End Test Output'\n>>>>> Test Exit Code: 0\n"
    );
    graded(Rules::V5_0, &instance(), log.as_bytes())
}

/// Our own judgement of the two tests.
fn strict(fail: TestState, pass: TestState) -> Judged {
    let test = |id: &str, expect, state| TestRecord {
        id: id.into(),
        expect,
        state,
        excused: false,
        ms: 0,
        message: None,
    };
    judge::by_tests(vec![
        test(FAIL, Expect::FailToPass, fail),
        test(PASS, Expect::PassToPass, pass),
    ])
}

fn honest() -> String {
    format!("PASSED {FAIL}\nPASSED {PASS}")
}

#[test]
fn what_both_resolve_is_resolved_and_both_are_on_record() {
    let passed = strict(TestState::Passed, TestState::Passed);
    let judged = both(passed, &log(&honest()), Rules::V5_0);
    assert_eq!(judged.outcome, Outcome::Resolved);
    let official = judged.official.unwrap();
    assert_eq!((official.rules.as_str(), official.resolved), ("5.0", true));
    assert_eq!((official.reason, official.differs), (None, None));
}

#[test]
fn a_log_that_names_what_did_not_pass_has_fooled_the_official_rules() {
    let failed = strict(TestState::Failed, TestState::Passed);
    let judged = both(failed, &log(&honest()), Rules::V5_0);
    assert_eq!(
        (judged.outcome, judged.reason),
        (Outcome::Unresolved, Some(Reason::TestsFailed))
    );
    let official = judged.official.unwrap();
    assert!(official.resolved);
    let differs = official.differs.unwrap();
    assert!(
        differs.contains("fooled") && differs.contains(FAIL),
        "{differs}"
    );
}

#[test]
fn a_word_in_a_tests_output_voids_the_official_verdict_and_the_outcome_says_so() {
    let passed = strict(TestState::Passed, TestState::Passed);
    let voided = log(&format!("{}\n>>>>> Tests Timed Out", honest()));
    let judged = both(passed, &voided, Rules::V5_0);
    assert_eq!(judged.reason, Some(Reason::OfficialUnresolved));
    let differs = judged.official.unwrap().differs.unwrap();
    assert!(differs.contains(">>>>> Tests Timed Out"), "{differs}");
}

#[test]
fn a_second_start_is_told() {
    let failed = strict(TestState::Failed, TestState::Passed);
    let forged = format!(
        ">>>>> Start Test Output\n{}\n>>>>> End Test Output\n>>>>> Start Test Output\nFAILED {FAIL}\n>>>>> End Test Output\n",
        honest()
    );
    let came = graded(Rules::V5_0, &instance(), forged.as_bytes());
    assert!(came.resolved());
    let differs = both(failed, &came, Rules::V5_0)
        .official
        .unwrap()
        .differs
        .unwrap();
    assert!(differs.contains("stands 2 times"), "{differs}");
}

#[test]
fn the_official_rules_alone_are_what_a_log_claims() {
    let mut task = task("own__name-1");
    task.verification.fail_to_pass = vec![FAIL.into()];
    task.verification.pass_to_pass = vec![PASS.into()];
    let skipped = log(&format!("PASSED {FAIL}\nSKIPPED {PASS}"));
    let judged = official_alone(&task, &skipped, Rules::V5_0);
    assert_eq!(
        (judged.outcome, judged.evidence),
        (Outcome::Resolved, Evidence::Asserted)
    );
    let states: Vec<(TestState, bool)> = judged
        .tests
        .iter()
        .map(|test| (test.state, test.excused))
        .collect();
    assert_eq!(
        states,
        [(TestState::Passed, false), (TestState::Skipped, true)]
    );
    for (came, reason) in [
        (Came::EmptyPatch, Reason::EmptyPatch),
        (
            Came::DoesNotApply("error".into()),
            Reason::PatchDoesNotApply,
        ),
        (
            Came::TimedOut(Duration::from_secs(9)),
            Reason::VerifierTimeout,
        ),
        (log(&format!("FAILED {FAIL}")), Reason::TestsFailed),
        (log(">>>>> Tests Errored"), Reason::NoVerdict),
    ] {
        let judged = official_alone(&task, &came, Rules::V5_0);
        assert_eq!(
            (judged.outcome, judged.reason),
            (Outcome::Unresolved, Some(reason))
        );
    }
}

#[test]
fn a_kept_log_is_graded_again() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(again(dir.path()).unwrap(), None);
    let write =
        |name: &str, content: &[u8]| std::fs::write(dir.path().join(name), content).unwrap();
    write(INSTANCE, &kept::text(Rules::V5_0, &instance()));
    write("report.json", b"{}");
    let lines = |state: &str| {
        format!(">>>>> Start Test Output\n{state} {FAIL}\nPASSED {PASS}\n>>>>> End Test Output\n")
    };
    write("test_output.txt", lines("PASSED").as_bytes());
    assert_eq!(again(dir.path()).unwrap(), Some(true));
    write("test_output.txt", lines("FAILED").as_bytes());
    assert_eq!(again(dir.path()).unwrap(), Some(false));
}
