//! Each tool in a real sandbox, by a script's calls.

use serde_json::{Value, json};

use crate::yard::{Yard, bash, call};

/// What each call came to: its output or its error.
fn said(yard: &Yard, calls: &[Value], more: &[&str]) -> Vec<String> {
    let script = yard.script("calls.jsonl", calls);
    let task = yard.answer("answer");
    yard.image(&task, "FROM proofyard/python");
    let trial = yard.one(&task, &script, &[&["--no-check"][..], more].concat());
    let results = yard.results(&trial).into_iter();
    let said = results.map(|result| match result.error {
        Some(error) => format!("error: {error}"),
        None => result.output.unwrap_or_default(),
    });
    said.collect()
}

#[test]
fn what_is_set_in_the_shell_stays_and_outlives_a_time_out() {
    let yard = Yard::new();
    let calls = [
        bash("cd /tmp; export KEPT=1; lost=2; f() { echo f; }"),
        bash("pwd; echo $KEPT$lost; f"),
        call(
            "bash",
            json!({"command": "echo before; sleep 60", "timeout_sec": 1}),
        ),
        bash("pwd; echo \"$KEPT[$lost]\""),
    ];
    let said = said(&yard, &calls, &[]);
    assert_eq!(said[1], "/tmp\n12\nf\n");
    assert!(
        said[2].contains("the limit of 1 s on one call fired"),
        "{}",
        said[2]
    );
    assert_eq!(said[3], "/tmp\n1[]\n");
}

#[test]
fn what_python_was_told_stays_and_its_errors_are_its_own() {
    let yard = Yard::new();
    let python = |code: &str| call("python", json!({ "code": code }));
    let calls = [
        python("import math\nx = 41\ndef f():\n    return x + 1"),
        python("print('said'); f()"),
        python("1 / 0"),
        python("x"),
        call(
            "python",
            json!({"code": "while True: pass", "timeout_sec": 1}),
        ),
        python("x"),
        python("input()"),
    ];
    let said = said(&yard, &calls, &[]);
    assert_eq!(said[1], "said\n42\n");
    assert!(
        said[2].ends_with("line 1, in <module>\nZeroDivisionError: division by zero\n"),
        "{}",
        said[2]
    );
    assert_eq!(said[3], "41\n");
    assert!(said[4].contains("the limit of 1 s"), "{}", said[4]);
    assert!(said[5].contains("NameError"), "{}", said[5]);
    assert!(said[6].contains("EOFError"), "{}", said[6]);
}

#[test]
fn files_are_written_read_and_edited_exactly() {
    let yard = Yard::new();
    let calls = [
        call(
            "write",
            json!({"path": "/d/e/f.txt", "content": "one\ntwo\ntwo\n"}),
        ),
        call("read", json!({"path": "/d/e/f.txt", "start": 2, "end": 3})),
        call(
            "edit",
            json!({"path": "/d/e/f.txt", "old": "two", "new": "2"}),
        ),
        call(
            "edit",
            json!({"path": "/d/e/f.txt", "old": "one\ntwo\n", "new": ""}),
        ),
        call("read", json!({"path": "/d/e/f.txt"})),
        call(
            "edit",
            json!({"path": "/d/e/f.txt", "old": " two\nx", "new": ""}),
        ),
        call("read", json!({"path": "/dev/zero"})),
        call("read", json!({"path": "/nowhere"})),
    ];
    let said = said(&yard, &calls, &[]);
    assert_eq!(said[1], "two\ntwo\n");
    assert!(
        said[2].contains("matches 2 times (lines 2, 3)"),
        "{}",
        said[2]
    );
    assert_eq!(said[4], "two\n");
    assert!(said[5].contains("nearly found in line 1"), "{}", said[5]);
    assert!(said[6].contains("is a device"), "{}", said[6]);
    assert!(said[7].contains("no such file"), "{}", said[7]);
}

#[test]
fn a_folder_is_listed_and_searched_without_what_is_ignored() {
    let yard = Yard::new();
    let calls = [
        bash(
            "mkdir -p /d/src /d/out; cd /d; echo out > .gitignore; echo 'let needle = 1;' > src/a.js; cp src/a.js out/; printf 'needle\\0' > src/b.bin",
        ),
        call("list", json!({"path": "/d"})),
        call("search", json!({"path": "/d", "pattern": "nee+dle"})),
        call(
            "search",
            json!({"path": "/d", "pattern": "A\\.JS$", "kind": "names", "ignore_case": true, "all": true}),
        ),
        call("list", json!({"path": "/nowhere"})),
        call("search", json!({"path": "/d", "pattern": "("})),
        call("read", json!({"path": "a.js"})),
    ];
    let said = said(&yard, &calls, &[]);
    assert_eq!(said[1], "src/\nsrc/a.js  16\nsrc/b.bin  7\n");
    assert_eq!(said[2], "/d/src/a.js:1: let needle = 1;\n");
    assert_eq!(said[3], "/d/out/a.js\n/d/src/a.js\n");
    assert!(
        said[4].starts_with("error: /nowhere: No such file"),
        "{}",
        said[4]
    );
    assert!(said[5].contains("no regular expression"), "{}", said[5]);
}

#[test]
fn results_are_bounded_and_say_what_was_cut() {
    let yard = Yard::new();
    let calls = [
        bash("seq 1 2000"),
        bash("seq 1 2000 > /n"),
        call("read", json!({"path": "/n"})),
        call("read", json!({"path": "/n", "start": 1500, "end": 1501})),
    ];
    let said = said(&yard, &calls, &["--set", "limits.output_bytes=512"]);
    assert!(
        said[0].starts_with("1\n2\n") && said[0].contains("\n2000\n"),
        "{}",
        said[0]
    );
    assert!(said[0].contains("bytes cut"), "{}", said[0]);
    assert!(
        said[0].contains("write it to a file and read parts of that"),
        "{}",
        said[0]
    );
    assert!(
        said[2].contains("cut after 512 of 8893 bytes; read a range"),
        "{}",
        said[2]
    );
    assert_eq!(said[3], "1500\n1501\n");
}

#[test]
fn wrong_calls_change_nothing_and_are_told_what_would_be_right() {
    let yard = Yard::new();
    let calls = [
        call("write", json!({"path": "/answer"})),
        call("write", json!({"path": "/answer", "content": 42})),
        call(
            "write",
            json!({"path": "/answer", "content": "42", "mode": 1}),
        ),
        call("rite", json!({"path": "/answer", "content": "42"})),
        bash("ls /answer"),
    ];
    let said = said(&yard, &calls, &[]);
    assert!(
        said[0].contains("\"content\" is a required property"),
        "{}",
        said[0]
    );
    assert!(
        said[1].contains("`content`: 42 is not of type \"string\""),
        "{}",
        said[1]
    );
    assert!(said[2].contains("'mode' was unexpected"), "{}", said[2]);
    assert!(said[3].contains("did you mean `write`?"), "{}", said[3]);
    assert!(said[4].contains("No such file"), "{}", said[4]);
}
