//! What an agent does to its own sandbox is its own doing, and ends no other trial.

use serde_json::json;

use crate::yard::{Yard, bash, call};

#[test]
fn without_a_shell_the_sandbox_goes_on() {
    let yard = Yard::new();
    let script = yard.script(
        "calls.jsonl",
        &[
            bash("rm -f /bin/sh /bin/bash /usr/bin/sh /usr/bin/bash /usr/bin/dash; exit 0"),
            bash("true"),
            call("write", json!({"path": "/answer", "content": "42\n"})),
        ],
    );
    // The verifier starts a shell of its own: what became of the agent's stays behind.
    let trial = yard.one(&yard.answer("answer"), &script, &["--no-check"]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    let withheld = trial["verdict"]["withheld"].as_array().unwrap();
    assert!(
        withheld.iter().any(|own| own["path"] == "/usr/bin/bash"),
        "{trial:#}"
    );
    assert_eq!(trial["trajectory"]["tool_errors"], 1);
}

#[test]
fn a_full_disk_is_the_agents_and_ends_its_session() {
    let yard = Yard::new();
    let script = yard.script(
        "calls.jsonl",
        &[bash(
            "echo 42 > /answer; [ -n \"$FINE\" ] || { head -c 400M /dev/zero > /big; sleep 20; }",
        )],
    );
    let limits = [
        "--no-check",
        "--set",
        "limits.disk_mb=100",
        "--set",
        "limits.change_mb=50",
    ];
    let trial = yard.beside_a_fine_one(&script, &limits);
    assert_eq!(trial["outcome"], "unresolved", "{trial:#}");
    assert!(trial["error"].is_null());
    assert_eq!(trial["trajectory"]["end"], "max_disk");
    let told = yard.told(&trial, "limit");
    assert!(
        told.contains("the disk limit of 100 MiB was passed"),
        "{told}"
    );
    assert_eq!(trial["verdict"]["reason"], "change_too_large");
}

#[test]
fn memory_and_processes_run_out_for_the_agent_alone() {
    let yard = Yard::new();
    let script = yard.script(
        "calls.jsonl",
        &[
            bash("[ -n \"$FINE\" ] || head -c 600M /dev/zero | tail -n 1 | wc -c; echo ${PIPESTATUS[1]}"),
            bash(":() { : | : & }; [ -n \"$FINE\" ] || : ; sleep 1"),
            call("write", json!({"path": "/answer", "content": "42\n"})),
        ],
    );
    let limits = [
        "--no-check",
        "--set",
        "limits.memory_mb=128",
        "--set",
        "limits.pids=64",
        "--set",
        "limits.call_timeout_sec=8",
    ];
    let trial = yard.beside_a_fine_one(&script, &limits);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    let results = yard.results(&trial);
    let said = |at: usize| results[at].output.as_deref().unwrap();
    // The one that took the memory is killed, and nobody else.
    assert_eq!(said(0), "0\n137\n");
    assert!(
        said(1).contains("fork: retry: Resource temporarily unavailable"),
        "{}",
        said(1)
    );
    assert_eq!(trial["trajectory"]["end"], "submitted");
}

#[test]
fn a_work_tree_has_an_end_and_what_is_made_free_can_be_used_again() {
    let yard = Yard::new();
    let (task, fix) = yard.words();
    let calls = [
        bash("for i in 1 2 3 4; do head -c 20M /dev/zero > big-$i || echo full at $i; done"),
        bash("rm big-*"),
        fix,
        bash("git apply /tmp/fix.patch"),
    ];
    let script = yard.script("calls.jsonl", &calls);
    let trial = yard.one(
        &task,
        &script,
        &["--no-check", "--set", "limits.disk_mb=64"],
    );
    if trial["provenance"]["checkout"]["way"] != "overlay" {
        eprintln!("skipped: only root on the engine's host bounds a work tree");
        return;
    }
    let results = yard.results(&trial);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    assert_eq!(trial["trajectory"]["end"], "submitted");
    let said = results[0].output.as_deref().unwrap();
    assert!(said.contains("No space left on device"), "{said}");
    assert_eq!(yard.left(), Vec::<String>::new());
}
