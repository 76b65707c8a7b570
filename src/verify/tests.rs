//! Facts about a whole verification, against a sandbox of maps.

use std::collections::BTreeMap;
use std::time::Duration;

use super::reference::JudgedRecord;
use super::*;
use crate::record::{Evidence, Outcome, Reason, Sees, TestState};
use crate::sandbox::fake::{FakeSandbox, Files, exited, refused};
use crate::sandbox::{Ended, Exec, ExecOutput, GuestErrorKind, User};
use crate::task::Verification;

const REPORT: &str = pytest::REPORT;
const PASSING: &str = r#"<testsuites><testsuite>
    <testcase classname="tests.test_a" name="test_new" file="tests/test_a.py" time="0.002"/>
    <testcase classname="tests.test_a" name="test_old" file="tests/test_a.py"/>
    </testsuite></testsuites>"#;

fn task(runner: Runner) -> Task {
    let (fail_to_pass, pass_to_pass) = match runner {
        Runner::Pytest => (
            vec!["tests/test_a.py::test_new".into()],
            vec!["tests/test_a.py::test_old".into()],
        ),
        _ => (Vec::new(), Vec::new()),
    };
    let mut task = crate::task::fixture::task("repo/a");
    task.verification = Verification {
        sees: Sees::Patch,
        runner,
        // Whose own report alone is there.
        command: Some("pytest".into()),
        fail_to_pass,
        pass_to_pass,
        user: Some("nobody".into()),
        timeout: Duration::from_secs(600),
        env: BTreeMap::from([("SECRET".to_owned(), "1".to_owned())]),
        ..task.verification
    };
    task
}

/// A verification whose log folder lives as long as it.
struct Done {
    judged: Result<Judged, VerifyError>,
    sandbox: FakeSandbox,
    logs: tempfile::TempDir,
}

impl Done {
    fn judged(&self) -> &Judged {
        self.judged.as_ref().unwrap()
    }

    fn said(&self) -> (Outcome, Option<Reason>, &str) {
        let judged = self.judged();
        (
            judged.outcome,
            judged.reason,
            judged.message.as_deref().unwrap_or_default(),
        )
    }

    fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.logs.path().join(name)).unwrap_or_default()
    }
}

async fn done(
    task: &Task,
    before: Files,
    program: impl FnMut(&Exec, &mut Files) -> Result<ExecOutput, SandboxError> + Send + 'static,
) -> Done {
    let hidden = tempfile::tempdir().unwrap();
    let work_tree = match task.verification.runner {
        Runner::Pytest => {
            std::fs::create_dir(hidden.path().join("tests")).unwrap();
            std::fs::write(hidden.path().join("tests/test_a.py"), "hidden").unwrap();
            Some("/work")
        }
        _ => {
            std::fs::write(hidden.path().join("test.sh"), "hidden").unwrap();
            None
        }
    };
    let place = Place::with_folders(task, work_tree, &[hidden.path().to_owned()]).unwrap();
    let sandbox = before
        .into_iter()
        .fold(FakeSandbox::new(program), |sandbox, (path, content)| {
            sandbox.with_file(&path, content)
        });
    let logs = tempfile::tempdir().unwrap();
    let judged = verify(&sandbox, task, &place, logs.path()).await;
    Done {
        judged,
        sandbox,
        logs,
    }
}

/// pytest that leaves this report.
fn reports(
    xml: &str,
) -> impl FnMut(&Exec, &mut Files) -> Result<ExecOutput, SandboxError> + Send + 'static {
    let xml = xml.to_owned();
    move |_, files| {
        files.insert(REPORT.to_owned(), xml.clone().into_bytes());
        Ok(exited(0, "2 passed\n", ""))
    }
}

/// A test script that leaves this file.
fn leaves(
    name: &'static str,
    content: &'static str,
) -> impl FnMut(&Exec, &mut Files) -> Result<ExecOutput, SandboxError> + Send + 'static {
    move |_, files| {
        files.insert(format!("/logs/verifier/{name}"), content.into());
        files.insert(
            "/logs/verifier/test-stdout.txt".into(),
            "checking\nno luck\n".into(),
        );
        Ok(exited(1, "", ""))
    }
}

#[tokio::test]
async fn every_expected_test_passed_is_resolved() {
    let done = done(&task(Runner::Pytest), Files::new(), reports(PASSING)).await;
    assert_eq!(done.said(), (Outcome::Resolved, None, ""));
    assert_eq!(done.judged().evidence, Evidence::Records);
    assert_eq!(done.judged().tests[0].ms, 2);
    assert_eq!(done.log("stdout.txt"), "2 passed\n");
    assert_eq!(done.log("junit.xml"), PASSING);
}

#[tokio::test]
async fn hidden_files_come_last_and_replace_what_the_change_brought() {
    let mut task = task(Runner::Pytest);
    task.verification.build = Some("make".into());
    let before = Files::from([
        ("/work/tests/test_a.py".to_owned(), b"forged".to_vec()),
        (
            "/work/tests/__pycache__/test_a.cpython-312.pyc".to_owned(),
            b"forged".to_vec(),
        ),
        (REPORT.to_owned(), PASSING.into()),
    ]);
    let done = done(&task, before, |exec, files| {
        let hidden = files
            .get("/work/tests/test_a.py")
            .is_some_and(|content| content == b"hidden");
        assert_eq!(hidden, exec.argv[0] == "pytest");
        Ok(exited(0, "", ""))
    })
    .await;
    let calls = done.sandbox.calls();
    let (order, after) = (&calls[..7], &calls[7]);
    assert_eq!(
        order,
        [
            "exec sh -c make",
            "kill_all",
            "unpack /",
            "unpack /work",
            "unpack /",
            "hold /work/tests/__pycache__ /work/tests/test_a.py",
            "read /work/tests/test_a.py"
        ]
    );
    assert!(
        after.starts_with("exec pytest -p no:cacheprovider"),
        "{after}"
    );
    assert!(after.ends_with(" tests/test_a.py"), "{after}");
    assert_eq!(calls[8], "kill_all");
    assert_eq!(done.judged().hidden_read_only, Some(true));
    assert!(
        !done
            .sandbox
            .files()
            .keys()
            .any(|path| path.contains("__pycache__"))
    );
    // The report that the change brought along is gone too.
    assert_eq!(done.said().1, Some(Reason::NoVerdict));
}

#[tokio::test]
async fn what_may_change_is_not_held_and_what_is_expected_is() {
    let mut task = task(Runner::Pytest);
    task.verification.may_change = vec!["tests/test_a.py".into()];
    task.verification.pass_to_pass = vec!["more/test_b.py::test_b".into()];
    let done = done(&task, Files::new(), reports(PASSING)).await;
    let calls = done.sandbox.calls();
    let held = calls.iter().find(|call| call.starts_with("hold "));
    let expected = "hold /work/more/__pycache__ /work/more/test_b.py /work/tests/__pycache__";
    assert_eq!(held.map(String::as_str), Some(expected));
}

#[tokio::test]
async fn the_build_knows_nothing_of_the_verifiers_environment() {
    let mut task = task(Runner::Pytest);
    task.verification.build = Some("make".into());
    let done = done(&task, Files::new(), reports(PASSING)).await;
    let execs = done.sandbox.execs();
    assert!(execs[0].env.is_empty());
    assert_eq!(execs[1].env["SECRET"], "1");
    for exec in &execs {
        assert_eq!(exec.user, User::Named("nobody".into()));
        assert_eq!(exec.cwd.as_deref(), Some("/work"));
        assert!(exec.timeout <= task.verification.timeout);
    }
}

#[tokio::test]
async fn a_build_that_fails_says_its_last_lines() {
    let mut task = task(Runner::Pytest);
    task.verification.build = Some("make".into());
    let failed = |_: &Exec, _: &mut Files| {
        Ok(exited(
            2,
            "cc a.c\n",
            "a.c:1: error\nmake: *** [a] Error 1\n",
        ))
    };
    let done = done(&task, Files::new(), failed).await;
    let message = "the build ended with 2: a.c:1: error / make: *** [a] Error 1";
    assert_eq!(
        done.said(),
        (Outcome::Unresolved, Some(Reason::BuildFailed), message)
    );
    assert_eq!(
        done.log("build.log"),
        "cc a.c\na.c:1: error\nmake: *** [a] Error 1\n"
    );
    assert!(
        done.judged()
            .tests
            .iter()
            .all(|test| test.state == TestState::Missing)
    );
    assert_eq!(done.sandbox.calls(), ["exec sh -c make"]);
}

#[tokio::test]
async fn what_fails_and_what_is_missing_is_counted() {
    let xml = r#"<testsuite><testcase classname="tests.test_a" name="test_new" file="tests/test_a.py">
        <failure message="assert 1 == 2"/></testcase></testsuite>"#;
    let done = done(&task(Runner::Pytest), Files::new(), reports(xml)).await;
    let message = "1 of 1 fail_to_pass failed, 1 of 1 pass_to_pass missing";
    assert_eq!(
        done.said(),
        (Outcome::Unresolved, Some(Reason::TestsFailed), message)
    );
    assert_eq!(
        done.judged().tests[0].message.as_deref(),
        Some("assert 1 == 2")
    );
}

#[tokio::test]
async fn a_test_that_left_no_record_is_missing() {
    let xml = r#"<testsuite><testcase classname="tests.test_a" name="test_new" file="tests/test_a.py"/></testsuite>"#;
    let done = done(&task(Runner::Pytest), Files::new(), reports(xml)).await;
    let message = "1 of 1 pass_to_pass missing";
    assert_eq!(
        done.said(),
        (Outcome::Unresolved, Some(Reason::TestsMissing), message)
    );
}

#[tokio::test]
async fn a_test_file_that_is_not_there_does_not_keep_the_others_from_running() {
    let mut task = task(Runner::Pytest);
    task.verification.pass_to_pass = vec!["tests/test_b.py::test_old".into()];
    let done = done(&task, Files::new(), reports(PASSING)).await;
    assert!(
        done.sandbox
            .calls()
            .iter()
            .any(|call| call.ends_with("-q tests/test_a.py"))
    );
    let tests = &done.judged().tests;
    assert_eq!(tests[0].state, TestState::Passed);
    assert_eq!(
        tests[1].message.as_deref(),
        Some("tests/test_b.py is not there")
    );
}

#[tokio::test]
async fn a_damaged_report_is_no_verdict() {
    let done = done(
        &task(Runner::Pytest),
        Files::new(),
        reports(&PASSING[..PASSING.len() - 5]),
    )
    .await;
    let (outcome, reason, message) = done.said();
    assert_eq!(
        (outcome, reason),
        (Outcome::Unresolved, Some(Reason::NoVerdict))
    );
    assert!(
        message.starts_with("the report is damaged near byte"),
        "{message}"
    );
    assert!(
        message.ends_with("; it ended with 0: 2 passed"),
        "{message}"
    );
    assert!(
        done.judged()
            .tests
            .iter()
            .all(|test| test.state == TestState::Missing)
    );
}

#[tokio::test]
async fn a_verifier_that_prints_nothing_is_no_verdict() {
    let done = done(&task(Runner::Pytest), Files::new(), |_, _| {
        Ok(exited(0, "", ""))
    })
    .await;
    let message = "pytest left no report; it ended with 0";
    assert_eq!(
        done.said(),
        (Outcome::Unresolved, Some(Reason::NoVerdict), message)
    );
}

#[tokio::test]
async fn a_missing_interpreter_is_no_verdict() {
    let missing =
        |_: &Exec, _: &mut Files| Err(refused(GuestErrorKind::NoProgram, "no pytest in PATH"));
    let done = done(&task(Runner::Pytest), Files::new(), missing).await;
    assert_eq!(done.said().2, "pytest left no report: no pytest in PATH");
}

#[tokio::test]
async fn a_verifier_that_never_ends_keeps_what_it_left() {
    let done = done(&task(Runner::Pytest), Files::new(), |_, files| {
        files.insert(REPORT.to_owned(), PASSING.into());
        let mut output = exited(0, "half way\n", "");
        output.ended = Ended::TimedOut;
        Ok(output)
    })
    .await;
    let message = "the verifier did not end within 600 s";
    assert_eq!(
        done.said(),
        (Outcome::Unresolved, Some(Reason::VerifierTimeout), message)
    );
    assert_eq!(done.log("stdout.txt"), "half way\n");
    assert!(
        done.judged()
            .tests
            .iter()
            .all(|test| test.state == TestState::Passed)
    );
}

#[tokio::test]
async fn a_verifier_without_time_is_not_started() {
    let mut task = task(Runner::Pytest);
    task.verification.timeout = Duration::ZERO;
    let done = done(&task, Files::new(), reports(PASSING)).await;
    assert_eq!(done.said().1, Some(Reason::VerifierTimeout));
    assert!(done.sandbox.execs().is_empty());
}

#[tokio::test]
async fn what_breaks_the_sandbox_is_told_from_an_engine_that_fails() {
    let gone = |_: &Exec, _: &mut Files| {
        Err(SandboxError::Gone {
            cause: "killed".into(),
            out_of_memory: true,
        })
    };
    let broke = done(&task(Runner::Pytest), Files::new(), gone)
        .await
        .judged
        .unwrap_err();
    assert!(matches!(
        broke,
        VerifyError::Broke {
            out_of_memory: true,
            ..
        }
    ));
    assert_eq!(
        JudgedRecord::broke(&broke).unwrap().reason,
        Some(Reason::BrokeVerifier)
    );
    let full = |_: &Exec, _: &mut Files| Err(refused(GuestErrorKind::Exhausted, "no process left"));
    let broke = done(&task(Runner::Pytest), Files::new(), full)
        .await
        .judged
        .unwrap_err();
    assert_eq!(broke.to_string(), "run pytest: no process left");
    let engine = |_: &Exec, _: &mut Files| {
        Err(SandboxError::Engine {
            doing: "exec".into(),
            message: "500".into(),
        })
    };
    let error = done(&task(Runner::Pytest), Files::new(), engine)
        .await
        .judged
        .unwrap_err();
    assert!(matches!(error, VerifyError::Sandbox { .. }));
    assert_eq!(JudgedRecord::broke(&error), None);
}

#[tokio::test]
async fn without_named_tests_every_hidden_one_must_pass() {
    let mut task = task(Runner::Pytest);
    task.verification.fail_to_pass.clear();
    task.verification.pass_to_pass.clear();
    let good = done(&task, Files::new(), reports(PASSING)).await;
    assert_eq!(
        (good.judged().outcome, good.judged().tests.len()),
        (Outcome::Resolved, 2)
    );
    let one_fails = PASSING.replacen(
        "file=\"tests/test_a.py\"/>",
        "file=\"tests/test_a.py\"><failure/></testcase>",
        1,
    );
    let bad = done(&task, Files::new(), reports(&one_fails)).await;
    assert_eq!(bad.said().2, "1 of 2 tests failed");
}

#[tokio::test]
async fn a_script_is_run_as_harbor_does_and_its_status_ignored() {
    let before = Files::from([
        ("/logs/verifier/reward.txt".to_owned(), b"1".to_vec()),
        ("/tests/planted.py".to_owned(), b"".to_vec()),
    ]);
    let done = done(&task(Runner::Script), before, |_, files| {
        assert!(!files.contains_key("/logs/verifier/reward.txt"));
        assert_eq!(files.keys().collect::<Vec<_>>(), ["/tests/test.sh"]);
        files.insert(
            "/logs/verifier/reward.json".into(),
            br#"{"reward": 1, "style": 0}"#.to_vec(),
        );
        Ok(exited(3, "", ""))
    })
    .await;
    assert_eq!(done.said().0, Outcome::Resolved);
    assert_eq!(done.judged().evidence, Evidence::Asserted);
    assert_eq!(
        (done.judged().reward, done.judged().rewards["style"]),
        (Some(1.0), 0.0)
    );
    let exec = &done.sandbox.execs()[0];
    assert_eq!(
        exec.argv,
        [
            "bash",
            "-c",
            "(/tests/test.sh) > /logs/verifier/test-stdout.txt 2>&1"
        ]
    );
    assert_eq!(exec.cwd, None);
    assert_eq!(done.log("reward.json"), r#"{"reward": 1, "style": 0}"#);
}

#[tokio::test]
async fn a_script_runs_under_sh_where_there_is_no_bash() {
    let done = done(
        &task(Runner::Script),
        Files::new(),
        |exec, files| match exec.argv[0].as_str() {
            "bash" => Err(refused(GuestErrorKind::NoProgram, "no bash")),
            _ => leaves("reward.txt", "1\n")(exec, files),
        },
    )
    .await;
    assert_eq!(done.said().0, Outcome::Resolved);
    assert_eq!(done.log("stdout.txt"), "checking\nno luck\n");
}

#[tokio::test]
async fn a_deleted_shell_is_no_verdict() {
    let none = |_: &Exec, _: &mut Files| Err(refused(GuestErrorKind::NoProgram, "no sh in PATH"));
    let done = done(&task(Runner::Script), Files::new(), none).await;
    let message = "there is no shell to run tests/test.sh with: no sh in PATH";
    assert_eq!(
        done.said(),
        (Outcome::Unresolved, Some(Reason::NoVerdict), message)
    );
}

#[tokio::test]
async fn rewards_below_the_threshold_and_odd_ones_are_told_apart() {
    let below = done(
        &task(Runner::Script),
        Files::new(),
        leaves("reward.txt", "0.5"),
    )
    .await;
    assert_eq!(
        below.said(),
        (
            Outcome::Unresolved,
            Some(Reason::RewardBelow),
            "reward 0.5 is below 1"
        )
    );
    assert_eq!(below.judged().reward, Some(0.5));
    let map = done(
        &task(Runner::Script),
        Files::new(),
        leaves("reward.json", r#"{"a": 1, "b": 0}"#),
    )
    .await;
    assert_eq!(
        map.said(),
        (
            Outcome::Unresolved,
            Some(Reason::RewardBelow),
            "1 of 2 rewards are below 1"
        )
    );
    let odd = done(
        &task(Runner::Script),
        Files::new(),
        leaves("reward.txt", "nan"),
    )
    .await;
    let message = "reward.txt does not hold a finite number: `nan`: no luck";
    assert_eq!(
        odd.said(),
        (Outcome::Unresolved, Some(Reason::NoVerdict), message)
    );
    let huge = done(&task(Runner::Script), Files::new(), |_, files| {
        files.insert("/logs/verifier/reward.txt".into(), vec![b'1'; 1 << 20]);
        Ok(exited(0, "", ""))
    })
    .await;
    assert!(huge.said().2.starts_with("reward.txt is larger than"));
    assert!(huge.log("reward.txt").len() <= 70_000);
}

#[tokio::test]
async fn a_script_whose_tests_are_named_is_judged_by_its_report() {
    let mut task = task(Runner::Script);
    task.verification.fail_to_pass = vec!["tests/test_a.py::test_new".into()];
    let asserted = done(&task, Files::new(), leaves("reward.txt", "1")).await;
    assert_eq!(asserted.said().1, Some(Reason::NoVerdict));
    let recorded = done(&task, Files::new(), |exec, files| {
        leaves("reward.txt", "0.5")(exec, files)?;
        reports(PASSING)(exec, files)
    })
    .await;
    assert_eq!(recorded.said().0, Outcome::Resolved);
    assert_eq!(
        (recorded.judged().evidence, recorded.judged().reward),
        (Evidence::Records, Some(0.5))
    );
}

#[path = "shown_log_tests.rs"]
mod shown_log;
