//! Facts about verification by what a command shows.

use super::*;

/// A task judged by what its command shows, of a project whose log names failures alone.
fn silent() -> Task {
    let mut task = task(Runner::Log);
    task.verification.command = Some("npm test".into());
    task.verification.names = Some("parse_log_marked".into());
    task.verification.fail_to_pass = vec!["renders a link".into()];
    task.verification.pass_to_pass = vec!["renders a list".into()];
    task.official = Some(crate::task::Official {
        instance_id: "markedjs__marked-1".into(),
        repo: "markedjs/marked".into(),
        version: "1.0".into(),
        log_parser: task.verification.names.clone(),
        eval_type: None,
        fail_to_pass: task.verification.fail_to_pass.clone(),
        pass_to_pass: task.verification.pass_to_pass.clone(),
        script: "/eval.sh".into(),
        workdir: "/testbed".into(),
        timeout: Duration::from_secs(600),
    });
    task
}

#[tokio::test]
async fn of_a_log_that_names_failures_alone_silence_counts_where_tests_ran() {
    let shown = async |task: &Task, code: i32, text: &'static str| {
        let program = move |_: &Exec, _: &mut Files| Ok(exited(code, text, ""));
        let done = done(task, Files::new(), program).await;
        assert_eq!(done.judged().evidence, Evidence::Asserted);
        let (outcome, reason, _) = done.said();
        (outcome, reason)
    };
    let task = silent();
    let no = Outcome::Unresolved;
    for (code, text, expected) in [
        (0, "12 specs, 0 failures\n", (Outcome::Resolved, None)),
        (
            1,
            "1) renders a table\n12 specs, 1 failure\n",
            (Outcome::Resolved, None),
        ),
        (
            1,
            "1) renders a link\n12 specs, 1 failure\n",
            (no, Some(Reason::TestsFailed)),
        ),
        // An end that no failure explains, and nothing that ran.
        (1, "12 specs, 0 failures\n", (no, Some(Reason::NoVerdict))),
        (0, "0 specs, 0 failures\n", (no, Some(Reason::NoVerdict))),
        (0, "", (no, Some(Reason::NoVerdict))),
    ] {
        assert_eq!(shown(&task, code, text).await, expected, "{code} {text}");
    }
    // Of another project nothing that is not named has passed.
    let mut other = silent();
    other.official.as_mut().unwrap().repo = "own/other".into();
    let missing = (no, Some(Reason::TestsMissing));
    assert_eq!(
        shown(&other, 1, "1) renders a table\n12 specs, 1 failure\n").await,
        missing
    );
}
