//! Runs of instances that are gone on with, verified anew, and audited.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::swebench::Bench;
use crate::swebench_projects::script;
use crate::yard::until;

#[test]
fn a_run_of_instances_goes_on_is_verified_anew_and_proves_itself_without_its_data_set() {
    let bench = Bench::new();
    let (_, row) = script(&bench);
    let rows = bench.rows(&[row]);
    bench.both(&rows, &["--run-id", "first"]);
    let yard = &bench.yard;
    // All that is needed is kept.
    fs::remove_file(&rows).unwrap();

    let lines = |arguments: &[&str], code: i32| {
        let output = yard.proofyard(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}\n{error}");
        let lines = said.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<Value>>()
    };
    let audited = |run: &str| {
        let said = lines(&["audit", run, "--json"], 0);
        let findings = said.iter().filter(|line| line["event"] == "finding");
        assert_eq!(findings.count(), 0, "{said:#?}");
    };
    audited("first");
    let said = lines(&["regrade", "first", "--run-id", "again", "--json"], 0);
    let regraded = said.iter().filter(|line| line["event"] == "regraded");
    for trial in regraded.clone() {
        assert_eq!(trial["before"], trial["after"], "{trial:#}");
    }
    assert_eq!(regraded.count(), 2, "{said:#?}");
    let finished = said.iter().filter(|line| line["event"] == "trial_finished");
    for trial in finished {
        let (trial, official) = (&trial["trial"], &trial["trial"]["verdict"]["official"]);
        let resolved = trial["outcome"] == "resolved";
        assert_eq!(official["resolved"], resolved, "{trial:#}");
    }
    audited("again");

    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn a_killed_run_of_instances_goes_on_with_what_is_missing() {
    let bench = Bench::new();
    let (_, row) = script(&bench);
    let rows = bench.rows(&[row]);
    let yard = &bench.yard;
    let flags = bench.flags();
    let mut arguments = vec!["run", rows.to_str().unwrap()];
    arguments.extend(flags.iter().map(String::as_str));
    arguments.extend(["-a", "oracle", "-n", "3", "-j", "1", "--no-check"]);
    arguments.extend(["--rules", "official", "--run-id", "killed"]);
    let mut running = yard
        .command(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let journal = yard.path("runs/killed/results.jsonl");
    let finished = || {
        let text = fs::read_to_string(&journal).unwrap_or_default();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<Value>>()
    };
    until("a finished trial", || {
        (!finished().is_empty()).then_some(())
    });
    running.kill().unwrap();
    running.wait().unwrap();
    let before = finished().len();
    assert!(before < 3);
    fs::remove_file(&rows).unwrap();
    let resumed = yard.proofyard(&["resume", "killed"]);
    let said = String::from_utf8_lossy(&resumed.stderr);
    assert!(resumed.status.success(), "{said}");
    let trials = finished();
    assert_eq!(trials.len(), 3);
    for trial in &trials {
        assert_eq!(trial["outcome"], "resolved", "{trial:#}");
        // By the rules that it began with.
        assert_eq!(trial["verdict"]["evidence"], "asserted");
        assert_eq!(trial["verdict"]["official"]["resolved"], true);
    }
    assert!(yard.proofyard(&["clean"]).status.success());
    assert_eq!(yard.left(), Vec::<String>::new());
}
