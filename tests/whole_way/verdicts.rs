//! From a task to its verdict: what is resolved, what is stored, what a call does.

use serde_json::{Value, json};

use crate::yard::{Yard, bash, call};

#[test]
fn the_reference_resolves_and_doing_nothing_does_not() {
    let yard = Yard::new();
    let task = yard.answer("answer");
    let (trials, code) = yard.run(&task, &["-a", "oracle", "-a", "nop"]);
    assert_eq!(code, Some(0));
    for trial in &trials {
        let expected = if trial["agent"]["name"] == "oracle" {
            "resolved"
        } else {
            "unresolved"
        };
        assert_eq!(trial["outcome"], expected, "{trial:#}");
        assert_eq!(trial["verdict"]["evidence"], "asserted");
        let timing = trial["timing_ms"].as_object().unwrap();
        let sum: u64 = timing
            .iter()
            .filter(|(name, _)| *name != "total")
            .map(|(_, ms)| ms.as_u64().unwrap())
            .sum();
        assert_eq!(timing["total"], sum);
    }
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn a_stored_trial_is_as_its_schema_says() {
    let yard = Yard::new();
    let trial = yard.one(&yard.answer("answer"), "nop", &["--no-check"]);
    let schema = yard.proofyard(&["schema", "trial"]);
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let path = yard.stored(&trial).join("trial.json");
    let stored: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&stored)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    let mut broken = stored;
    broken["outcome"] = "splendid".into();
    assert!(!validator.is_valid(&broken));
}

#[test]
fn the_shell_keeps_its_state_and_files_are_changed_exactly() {
    let yard = Yard::new();
    let script = yard.script(
        "calls.jsonl",
        &[
            bash("cd /tmp; greet() { echo \"hello $1\"; }; export NAME=world"),
            bash("greet $NAME; pwd; echo oops >&2"),
            call("write", json!({"path": "/answer", "content": "41\n"})),
            call("edit", json!({"path": "/answer", "old": "41", "new": "42"})),
            call("read", json!({"path": "/dev/zero"})),
            call("nonsense", json!({})),
            bash("sleep 60 & echo left a process behind"),
            bash("sleep 30"),
            bash("pwd; echo $NAME"),
        ],
    );
    let trial = yard.one(
        &yard.answer("answer"),
        &script,
        &["--no-check", "--set", "limits.call_timeout_sec=2"],
    );
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    assert_eq!(trial["trajectory"]["end"], "submitted");
    let results = yard.results(&trial);
    assert_eq!(
        results[1].output.as_deref(),
        Some("hello world\n/tmp\n[stderr]\noops\n")
    );
    assert!(
        results[4].error.as_deref().unwrap().contains("device"),
        "{:?}",
        results[4]
    );
    assert!(
        results[5]
            .error
            .as_deref()
            .unwrap()
            .contains("there is no tool `nonsense`")
    );
    assert_eq!(
        results[6].output.as_deref(),
        Some("left a process behind\n")
    );
    assert!(
        results[7]
            .error
            .as_deref()
            .unwrap()
            .contains("limit of 2 s"),
        "{:?}",
        results[7]
    );
    assert_eq!(results[8].output.as_deref(), Some("/tmp\nworld\n"));
}

#[test]
fn a_verifier_that_says_nothing_gives_no_verdict_and_one_that_never_ends_is_ended() {
    let yard = Yard::new();
    let silent = yard.task("silent", "", "true", "true");
    let trial = yard.one(&silent, "nop", &["--no-check"]);
    assert_eq!(
        (&trial["outcome"], &trial["verdict"]["reason"]),
        (&"unresolved".into(), &"no_verdict".into())
    );
    let endless = yard.task(
        "endless",
        "[verifier]\ntimeout_sec = 2\n",
        "true",
        "sleep 600",
    );
    let trial = yard.one(&endless, "nop", &["--no-check"]);
    assert_eq!(
        (&trial["outcome"], &trial["verdict"]["reason"]),
        (&"unresolved".into(), &"verifier_timeout".into())
    );
    // Where the reference solution meets the same, it is the task's fault.
    let (trials, code) = yard.run(&silent, &["-a", "nop"]);
    assert_eq!((&trials[0]["outcome"], code), (&"error".into(), Some(1)));
}

#[test]
fn a_solution_may_be_the_calls_of_a_script() {
    let yard = Yard::new();
    let task = yard.answer("answer");
    std::fs::remove_file(task.join("solution/solve.sh")).unwrap();
    let calls = [
        call("write", json!({"path": "/answer", "content": "41\n"})),
        call("edit", json!({"path": "/answer", "old": "41", "new": "42"})),
    ];
    let lines: Vec<String> = calls.iter().map(Value::to_string).collect();
    std::fs::write(task.join("solution/calls.jsonl"), lines.join("\n")).unwrap();
    let (trials, code) = yard.run(&task, &["-a", "oracle", "-a", "nop"]);
    let ended = |trial: &Value| {
        let calls = trial["trajectory"]["tool_calls"].as_u64().unwrap();
        (trial["outcome"].as_str().unwrap().to_owned(), calls)
    };
    let mut ended: Vec<_> = trials.iter().map(ended).collect();
    ended.sort();
    // Writing, editing and submitting.
    let expected = [("resolved".to_owned(), 3), ("unresolved".to_owned(), 0)];
    assert_eq!((ended, code), (expected.to_vec(), Some(0)));
    // The reference run, on which soundness rests, performs it as well.
    let reference = &trials[0]["provenance"]["reference"];
    assert!(reference.is_string(), "{reference}");
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn the_same_frames_go_over_one_stream_and_work_trees_become_layers() {
    let yard = Yard::new();
    let (task, _) = yard.words();
    let ways = [
        "--set",
        "engine.transport=stream",
        "--set",
        "engine.work_tree=image",
    ];
    let mut arguments = vec!["-a", "oracle", "-a", "nop"];
    arguments.extend(ways);
    for (arguments, transport) in [
        (arguments, "stream"),
        (vec!["-a", "oracle", "-a", "nop"], "socket"),
    ] {
        let (trials, code) = yard.run(&task, &arguments);
        assert_eq!((trials.len(), code), (2, Some(0)), "{trials:#?}");
        for trial in trials {
            let expected = if trial["agent"]["name"] == "oracle" {
                "resolved"
            } else {
                "unresolved"
            };
            assert_eq!(trial["outcome"], expected, "{trial:#}");
            assert_eq!(trial["provenance"]["transport"], transport);
            // Nothing is mounted where only a stream leads.
            let held = &trial["verdict"]["hidden_read_only"];
            assert_eq!(held, &Value::Bool(transport == "socket"));
            let proof = &trial["provenance"]["checkout"];
            assert_eq!(proof["objects_reachable"], proof["objects_stored"]);
        }
    }
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn what_a_build_makes_crosses_without_what_is_the_verifiers() {
    let yard = Yard::new();
    let (task, write) = yard.words();
    let toml = std::fs::read_to_string(task.join("task.toml")).unwrap();
    let toml = toml.replace(
        "[verification]\n",
        "[verification]\nbuild = \"sh build.sh\"\n",
    );
    std::fs::write(task.join("task.toml"), toml).unwrap();
    let fix = write["arguments"]["content"].clone();
    let start = "/usr/local/lib/python3.11/dist-packages/sitecustomize.py";
    let build = format!(
        "git apply fix.patch\necho 'raise SystemExit(0)' > {start}\n\
         (while :; do echo 'def test(): pass' > tests/test_late.py; done) &\n"
    );
    let script = yard.script(
        "build.jsonl",
        &[
            call("write", json!({"path": "fix.patch", "content": fix})),
            call("write", json!({"path": "build.sh", "content": build})),
        ],
    );
    let trial = yard.one(&task, &script, &["--no-check"]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    let withheld = trial["verdict"]["withheld"].as_array().unwrap();
    assert!(withheld.iter().any(|own| own["path"] == start), "{trial:#}");
    assert_eq!(yard.left(), Vec::<String>::new());
}
