//! The helper: killed from inside and outside, and closed to the agent.

use std::thread;

use serde_json::{Value, json};

use crate::yard::{Yard, bash, call, docker};

/// Kills the helper of one of two trials while the agent's command runs.
fn killed_from_outside(transport: &str) {
    let yard = Yard::new();
    let calls = [
        bash("echo 42 > /answer"),
        bash("[ -n \"$FINE\" ] || sleep 4321"),
    ];
    let script = yard.script("calls.jsonl", &calls);
    let transport = format!("engine.transport={transport}");
    let trial = thread::scope(|scope| {
        scope.spawn(|| docker(&["kill", &yard.at_work("hostile", "sleep 4321")]));
        yard.beside_a_fine_one(&script, &["--no-check", "--set", &transport])
    });
    // What the agent had done by then is all there, and counts.
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    assert_eq!(trial["trajectory"]["end"], "agent_error");
    assert!(yard.stored(&trial).join("change.tar.zst").exists());
    let told = yard.told(&trial, "helper_gone");
    assert!(told.ends_with("gone: killed"), "{told}");
    assert_eq!(yard.results(&trial).len(), 2);
}

#[test]
fn a_helper_that_is_killed_ends_the_session_and_loses_nothing() {
    killed_from_outside("socket");
}

#[test]
fn a_helper_that_is_killed_behind_a_stream_loses_nothing_either() {
    killed_from_outside("stream");
}

#[test]
fn a_work_tree_outlives_the_helper() {
    let yard = Yard::new();
    let (task, fix) = yard.words();
    let calls = [fix, bash("git apply /tmp/fix.patch"), bash("sleep 4321")];
    let script = yard.script("calls.jsonl", &calls);
    let trial = thread::scope(|scope| {
        scope.spawn(|| docker(&["kill", &yard.at_work("words", "sleep 4321")]));
        yard.one(&task, &script, &["--no-check"])
    });
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    assert_eq!(trial["trajectory"]["end"], "agent_error");
    let patch = std::fs::read(yard.stored(&trial).join("change.patch")).unwrap();
    assert!(String::from_utf8(patch).unwrap().contains("titles.py"));
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn a_helper_out_of_memory_is_the_agents_doing_and_its_change_counts() {
    let yard = Yard::new();
    // What lies in memory as a file belongs to no process that could be killed for it.
    let fill = "[ -n \"$FINE\" ] || head -c 60M /dev/zero > /dev/shm/all";
    let last = json!({"path": "/dev/shm/last", "content": "x".repeat(2 << 20)});
    let calls = [
        bash("echo 42 > /answer"),
        bash(fill),
        bash(fill),
        call("write", last),
    ];
    let script = yard.script("calls.jsonl", &calls);
    let limits = ["--no-check", "--set", "limits.memory_mb=24"];
    let trial = yard.beside_a_fine_one(&script, &limits);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    assert_eq!(trial["trajectory"]["end"], "max_memory");
    let told = yard.told(&trial, "helper_gone");
    assert!(told.contains("out of its memory of 24 MiB"), "{told}");
}

#[test]
fn a_change_that_takes_the_verifiers_memory_breaks_the_verifier_and_nothing_else() {
    let yard = Yard::new();
    let reward = "echo 1 > /logs/verifier/reward.txt";
    let check = format!("sh /run.sh; {reward}; sleep 4321");
    let task = yard.task(
        "runs-it",
        "",
        "echo true > /run.sh; chmod +x /run.sh",
        &check,
    );
    let fill = "head -c 60M /dev/zero > /dev/shm/all";
    let run = format!("{reward}; {fill}; {fill}; {fill} & {fill} & wait");
    let calls = [call("write", json!({"path": "/run.sh", "content": run}))];
    let script = yard.script("calls.jsonl", &calls);
    let limits = ["--no-check", "--set", "limits.memory_mb=24"];
    let trial = yard.one(&task, &script, &limits);
    assert_eq!(trial["outcome"], "unresolved", "{trial:#}");
    assert_eq!(trial["verdict"]["reason"], "broke_verifier");
    let message = trial["verdict"]["message"].as_str().unwrap();
    assert!(message.contains("out of its memory of 24 MiB"), "{message}");
    assert_eq!(yard.left(), Vec::<String>::new());
}

/// What calls come to in a sandbox whose image has Python.
fn said(calls: &[Value]) -> Vec<(bool, String)> {
    let yard = Yard::new();
    let task = yard.answer("answer");
    yard.image(&task, "FROM proofyard/python");
    let script = yard.script("calls.jsonl", calls);
    let trial = yard.one(&task, &script, &["--no-check"]);
    assert_eq!(trial["trajectory"]["end"], "submitted", "{trial:#}");
    assert_eq!(yard.left(), Vec::<String>::new());
    let results = yard.results(&trial).into_iter();
    let said = results.map(|result| {
        let text = result.output.unwrap_or_default() + &result.error.unwrap_or_default();
        (result.ok == Some(true), text)
    });
    said.collect()
}

#[test]
fn root_in_the_sandbox_cannot_kill_the_helper() {
    let kill = "kill -9 1; kill 1; kill -SEGV 1; kill -STOP 1; echo still here";
    let said = said(&[bash("id -u"), bash(kill), bash("echo again")]);
    assert_eq!(said[0].1, "0\n");
    assert_eq!(said[1], (true, "still here\n".to_owned()));
    assert_eq!(said[2], (true, "again\n".to_owned()));
}

#[test]
fn the_agent_sees_nothing_of_the_helper_and_cannot_trace_it() {
    // Each is refused, by the kernel, to root in the sandbox.
    let refused = [
        "cat /proc/1/environ",
        "head -c 1 /proc/1/mem",
        "cat /proc/1/maps",
        "cat /proc/1/fd/4",
        "readlink /proc/1/fd/4",
        "readlink /proc/1/exe",
        "cat /proc/1/exe",
        "echo x > /proc/1/exe",
        "ls /proc/1/root/",
        "echo x > /.proofyard/helper",
        "rm -f /.proofyard/helper",
        "touch /.proofyard/run/x",
        "python3 /tmp/trace.py",
    ];
    // PTRACE_ATTACH, PTRACE_SEIZE, and reading its memory without either.
    let trace = "\
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
class Piece(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(8)
here, there = Piece(ctypes.addressof(buffer), 8), Piece(0x400000, 8)
for attempt in [
    lambda: libc.ptrace(16, 1, 0, 0),
    lambda: libc.ptrace(0x4206, 1, 0, 0),
    lambda: libc.process_vm_readv(1, ctypes.byref(here), 1, ctypes.byref(there), 1, 0),
]:
    if attempt() != -1 or ctypes.get_errno() != errno.EPERM:
        raise SystemExit(0)
raise SystemExit(1)
";
    let mut calls = vec![call(
        "write",
        json!({"path": "/tmp/trace.py", "content": trace}),
    )];
    calls.extend(refused.map(|command| bash(&format!("if {command}; then echo ALLOWED; fi"))));
    // Nor does the helper tell of itself when it is asked.
    let own = ["/proc/1/environ", "/proc/self/maps", "/proc/self/mem"];
    calls.extend(own.map(|path| call("read", json!({"path": path}))));
    calls.extend(own.map(|path| call("write", json!({"path": path, "content": "x"}))));
    let said = said(&calls);
    assert!(said[0].0, "{said:?}");
    let (commands, tools) = said[1..].split_at(refused.len());
    for (command, (_, text)) in refused.iter().zip(commands) {
        assert!(!text.contains("ALLOWED"), "{command}: {text}");
    }
    for (ok, text) in &tools[..2 * own.len()] {
        assert!(!ok, "{text}");
    }
    assert_eq!(commands[0].1, "cat: /proc/1/environ: Permission denied\n");
}
