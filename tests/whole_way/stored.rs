//! What is stored of a run: it proves itself, and its changes can be verified anew.

use std::fs;

use serde_json::Value;

use crate::yard::Yard;

fn lines(text: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(text).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

#[test]
fn a_run_proves_itself_and_its_stored_changes_come_to_the_same_again() {
    let yard = Yard::new();
    let answer = yard.answer("answer");
    yard.words();
    let run = ["-a", "oracle", "-a", "nop", "--run-id", "first"];
    let (trials, code) = yard.run(&yard.path("tasks"), &run);
    assert_eq!((trials.len(), code), (4, Some(0)), "{trials:#?}");

    let audit = |run: &str| {
        let output = yard.proofyard(&["audit", run, "--json"]);
        (lines(&output.stdout), output.status.code())
    };
    let (said, code) = audit("first");
    assert_eq!((said.len(), code), (2, Some(0)), "{said:#?}");
    assert_eq!(of(&said, "audit_finished")[0]["trials"], 4);

    let again = yard.proofyard(&["regrade", "first", "--run-id", "again", "--json"]);
    let said = lines(&again.stdout);
    let error = String::from_utf8_lossy(&again.stderr);
    assert_eq!(again.status.code(), Some(0), "{error} {said:#?}");
    let regraded = of(&said, "regraded");
    assert_eq!(regraded.len(), 4);
    for trial in &regraded {
        assert_eq!(trial["before"], trial["after"]);
        assert_eq!(trial["tests"], serde_json::json!([]));
    }
    let (said, code) = audit("again");
    assert_eq!(code, Some(0), "{said:#?}");
    let plan = fs::read(yard.path("runs/again/run.json")).unwrap();
    let plan: Value = serde_json::from_slice(&plan).unwrap();
    assert_eq!(plan["regrades"]["run"], "first");
    for trial in of(&lines(&again.stdout), "trial_finished") {
        let trial = &trial["trial"];
        let was = trials.iter().find(|was| was["trial"] == trial["trial"]);
        let was = was.unwrap();
        for same in ["trajectory", "agent", "usage", "tool_use", "basis"] {
            assert_eq!(trial[same], was[same], "{same}");
        }
        assert_eq!(trial["timing_ms"]["agent"], 0);
        assert_eq!(trial["warnings"], serde_json::json!([]));
    }
    let resumed = yard.proofyard(&["resume", "again"]);
    assert_eq!(resumed.status.code(), Some(2));

    // Another check, another outcome: told as such, and the first run is as it was.
    fs::write(
        answer.join("tests/test.sh"),
        "echo 0.5 > /logs/verifier/reward.txt\n",
    )
    .unwrap();
    let other = yard.proofyard(&["regrade", "first", "--run-id", "other", "--no-check"]);
    let said = String::from_utf8(other.stdout).unwrap();
    assert_eq!(other.status.code(), Some(3), "{said}");
    assert!(
        said.contains("resolved → unresolved (reward_below)"),
        "{said}"
    );
    assert!(
        said.contains("4 trials verified anew: 1 outcome differs"),
        "{said}"
    );
    let warned = String::from_utf8(other.stderr).unwrap();
    assert!(warned.contains("the task answer changed since"), "{warned}");
    assert_eq!(audit("first").1, Some(0));

    let path = yard.stored(&trials[0]).join("trajectory.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (said, code) = audit("first");
    assert_eq!(code, Some(3));
    let findings = of(&said, "finding");
    let files: Vec<&str> = findings
        .iter()
        .map(|finding| finding["file"].as_str().unwrap())
        .collect();
    assert!(
        files.iter().all(|file| file.ends_with("/trajectory.jsonl")),
        "{files:?}"
    );
    assert_eq!(yard.proofyard(&["audit", "none"]).status.code(), Some(2));
    assert_eq!(yard.left(), Vec::<String>::new());
}
