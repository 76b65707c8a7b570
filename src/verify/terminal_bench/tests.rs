//! What of a text counts, parser by parser.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::record::{Outcome, TestState};
use crate::sandbox::Sandbox;
use crate::sandbox::fake::{FakeSandbox, exited};
use crate::task::{Runner, Task};
use crate::verify::{Place, recount, reward_again, verify};

const SUMMARY: &str = "collected 4 items\n\
    PASSED before.py::test_of_no_account\n\
    ==================== Short Test Summary Info ====================\n\
    PASSED ../tests/test_outputs.py::test_a\n\
    PASSED ../tests/test_outputs.py::TestB::test_c[x - y]\n\
    SKIPPED [1] ../tests/test_outputs.py:9: not - today\n\
    XFAIL ../tests/test_outputs.py::test_d - reason: later\n\
    = 2 passed, 1 skipped, 1 xfailed in 0.01s =\n";

fn told(parser: Parser, text: &str) -> Vec<(String, TestState)> {
    let tests = results(parser, text).unwrap();
    tests
        .into_iter()
        .map(|test| (test.id, test.state))
        .collect()
}

fn resolved(parser: Parser, text: &str) -> Option<bool> {
    let judged = judge::by_shown(results(parser, text).ok()?);
    Some(judged.outcome == Outcome::Resolved)
}

#[test]
fn lines_behind_the_heading_are_tests() {
    use TestState::{Passed, Skipped, Xfailed};
    let of = |id: &str, state| (id.to_owned(), state);
    assert_eq!(
        told(Parser::Pytest, SUMMARY),
        [
            of("test_a", Passed),
            of("TestB::test_c[x - y]", Passed),
            of("[1] ../tests/test_outputs.py:9: not", Skipped),
            of("test_d", Xfailed),
        ]
    );
    assert_eq!(resolved(Parser::Pytest, SUMMARY), Some(true));
}

#[test]
fn each_of_these_states_fails() {
    for line in [
        "FAILED t.py::test_e - AssertionError: a - b",
        "ERROR t.py",
        "XPASS t.py::test_f",
    ] {
        let text = format!("{SUMMARY}{line}\n");
        assert_eq!(resolved(Parser::Pytest, &text), Some(false), "{line}");
    }
    let failed = results(
        Parser::Pytest,
        "= short test summary info =\nFAILED t.py::e - a - b",
    );
    let failed = failed.unwrap().remove(0);
    assert_eq!(
        (failed.id.as_str(), failed.message.as_deref()),
        ("e", Some("a - b"))
    );
}

#[test]
fn of_a_name_that_stands_twice_the_last_line_counts() {
    let twice = |first: &str, last: &str| {
        let text = format!("== short test summary info ==\n{first} a.py::t\n{last} b.py::t\n");
        resolved(Parser::Pytest, &text)
    };
    assert_eq!(twice("FAILED", "PASSED"), Some(true));
    assert_eq!(twice("PASSED", "FAILED"), Some(false));
}

#[test]
fn without_a_summary_or_a_test_in_it_there_is_no_verdict() {
    assert_eq!(
        results(Parser::Pytest, "PASSED t.py::a\n"),
        Err(NoResults::Summary)
    );
    let empty = judge::by_shown(results(Parser::Pytest, "= short test summary info =").unwrap());
    assert_eq!(
        (empty.reason, empty.reward),
        (Some(Reason::NoVerdict), None)
    );
}

#[test]
fn between_markers_stands_one_word() {
    let text = |name: &str, word: &str| {
        format!("log\n{name} results starts here\n {word} \n{name} results ends here\n$ ")
    };
    for (parser, name, word) in [
        (Parser::SweBench, "SWEBench", "PASSED"),
        (Parser::SwePerf, "SWE-Perf", "PASSED"),
        (Parser::MleBench, "MLEBench", "ALL TESTS PASSED"),
    ] {
        assert_eq!(resolved(parser, &text(name, word)), Some(true), "{name}");
        let more = format!("{word}\n1 warning");
        assert_eq!(resolved(parser, &text(name, &more)), Some(false), "{name}");
    }
    let begun = "SWEBench results starts here\nPASSED\n";
    assert_eq!(resolved(Parser::SweBench, begun), None);
    assert_eq!(resolved(Parser::MleBench, "Traceback"), Some(false));
}

#[test]
fn a_lancer_succeeds_by_saying_so() {
    let of = |text: &str| resolved(Parser::SweLancer, text).unwrap();
    assert!(of("… SWE Lancer Success"));
    assert!(!of("swe lancer failure; user_tool completed"));
    assert!(of("the user_tool has Completed"));
    assert!(!of(""));
}

fn task(seconds: u64) -> Task {
    let mut task = crate::task::fixture::task("bench/a");
    task.verification.runner = Runner::TerminalBench(Parser::Pytest);
    task.verification.timeout = Duration::from_secs(seconds);
    task.verification.user = Some("root".into());
    task
}

/// A verification whose tests show this on their terminal.
async fn verified(ended: Ended, text: &'static str) -> (Judged, tempfile::TempDir, FakeSandbox) {
    let (task, logs) = (task(60), tempfile::tempdir().unwrap());
    let sandbox = FakeSandbox::new(move |_, _| {
        let mut output = exited(1, text, "");
        output.ended = ended;
        Ok(output)
    });
    let place = Place::with_tar(&task, None, Vec::new(), Vec::new());
    let judged = verify(&sandbox as &dyn Sandbox, &task, &place, logs.path()).await;
    (judged.unwrap(), logs, sandbox)
}

#[tokio::test]
async fn what_is_kept_gives_the_same_again() {
    let coloured = "\u{1b}[36m= short test summary info =\u{1b}[0m\r\n\u{1b}[32mPASSED\u{1b}[0m t.py::\u{1b}[1ma\u{1b}[0m\r\n";
    let (judged, logs, sandbox) = verified(Ended::Exited(0), coloured).await;
    assert_eq!(
        (judged.outcome, judged.reward),
        (Outcome::Resolved, Some(1.0))
    );
    assert_eq!(judged.evidence, Evidence::Asserted);
    let again = recount(logs.path(), &judged.tests).unwrap().unwrap();
    assert_eq!(again.states.get("a"), Some(&TestState::Passed));
    assert_eq!(
        reward_again(logs.path()).unwrap().unwrap().reward,
        Some(1.0)
    );
    let exec = sandbox.execs().pop().unwrap();
    assert_eq!(exec.user, User::Named("root".into()));
    assert!(
        String::from_utf8(exec.stdin)
            .unwrap()
            .contains("bash /tests/run-tests.sh")
    );
}

#[tokio::test]
async fn what_is_late_is_not_read() {
    let text = "= short test summary info =\nPASSED t.py::a\n";
    let (judged, logs, _) = verified(Ended::TimedOut, text).await;
    assert_eq!(judged.reason, Some(Reason::VerifierTimeout));
    assert_eq!((judged.tests.len(), judged.reward), (0, None));
    assert_eq!(recount(logs.path(), &judged.tests).unwrap(), None);
}

proptest! {
    #[test]
    fn no_text_breaks_a_parser(
        text in "(\\PC|=|\n| - |\\[|\\]|::|PASSED |FAILED |short test summary info|results (starts|ends) here|MLEBench ){0,60}",
    ) {
        for parser in Parser::ALL {
            if let Ok(tests) = results(parser, &text) {
                prop_assert!(tests.iter().all(|test| !test.id.is_empty()));
            }
        }
    }
}
