//! Runs that end before their time, and what they leave behind: nothing.

use std::process::Stdio;

use crate::yard::{Yard, docker, until};

#[test]
fn a_killed_run_is_cleaned_and_resumed_without_losing_what_was_finished() {
    let yard = Yard::new();
    let slow = yard.task(
        "slow",
        "",
        "sleep 4; echo 42 > /answer",
        "grep -qx 42 /answer && echo 1 > /logs/verifier/reward.txt",
    );
    let mut running = yard
        .command(&[
            "run",
            slow.to_str().unwrap(),
            "-a",
            "oracle",
            "-n",
            "3",
            "-j",
            "1",
            "--no-check",
            "--set",
            "limits.pids=77",
            "--run-id",
            "killed",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let journal = yard.path("runs/killed/results.jsonl");
    let lines = || {
        std::fs::read_to_string(&journal)
            .unwrap_or_default()
            .lines()
            .count()
    };
    until("a finished trial", || (lines() > 0).then_some(()));
    // In the middle of the second trial.
    until("the next sandbox", || {
        (!yard.left().is_empty()).then_some(())
    });
    running.kill().unwrap();
    running.wait().unwrap();
    // The helper ends with its host: nothing runs on, though it is still there.
    let filter = format!("label={}", yard.label());
    until("the helper's end", || {
        let ids = docker(&["ps", "-q", "--filter", &filter]);
        ids.is_empty().then_some(())
    });
    assert!(!yard.left().is_empty());
    assert!(yard.proofyard(&["clean"]).status.success());
    assert_eq!(yard.left(), Vec::<String>::new());
    let before = lines();
    assert!(yard.proofyard(&["resume", "killed"]).status.success());
    assert!(before < 3);
    assert_eq!(lines(), 3);
    // Under the limits of the plan, and as unchecked as it was.
    for line in std::fs::read_to_string(&journal).unwrap().lines() {
        let trial: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(trial["provenance"]["limits"]["pids"], 77);
        assert_eq!(trial["provenance"]["reference"], serde_json::Value::Null);
    }
}

#[test]
fn ctrl_c_leaves_nothing_behind_and_says_that_it_can_be_resumed() {
    let yard = Yard::new();
    let slow = yard.task("slow", "", "sleep 30", "true");
    let mut running = yard
        .command(&["run", slow.to_str().unwrap(), "-a", "oracle", "--no-check"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("a sandbox", || {
        (yard.path("state").exists() && !yard.left().is_empty()).then_some(())
    });
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(running.id() as i32),
        nix::sys::signal::Signal::SIGINT,
    )
    .unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130));
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn ctrl_c_ends_a_check_of_cheats_and_leaves_nothing_behind() {
    let yard = Yard::new();
    let task = yard.answer("slow");
    let solve = "#!/bin/bash\nsleep 4322\n";
    std::fs::write(task.join("solution/solve.sh"), solve).unwrap();
    let mut check = yard.command(&[
        "check",
        "--cheats",
        task.to_str().unwrap(),
        "--only",
        "honest-gold",
        "--progress",
        "none",
    ]);
    let checking = check
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    yard.at_work("", "sleep 4322");
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(checking.id() as i32),
        nix::sys::signal::Signal::SIGINT,
    )
    .unwrap();
    let output = checking.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(output.stdout, b"");
    assert_eq!(yard.left(), Vec::<String>::new());
}
