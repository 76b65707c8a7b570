//! The whole way with the real engine: what a user sees of runs, and what is left.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A state folder, a folder of tasks and one of runs, all of one test's own.
struct Yard {
    folder: tempfile::TempDir,
}

impl Yard {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A task that is resolved when `/answer` holds 42; `solve` is its solution,
    /// `check` its `tests/test.sh`.
    fn task(&self, name: &str, more: &str, solve: &str, check: &str) -> PathBuf {
        let task = self.path("tasks").join(name);
        let write = |path: &str, text: &str| {
            let path = task.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "task.toml",
            &format!("[verification]\nrunner = \"script\"\n{more}"),
        );
        write("instruction.md", "Write 42 to /answer.\n");
        write("environment/Dockerfile", "FROM proofyard/base\n");
        write("solution/solve.sh", &format!("#!/bin/bash\n{solve}\n"));
        write("tests/test.sh", &format!("#!/bin/bash\n{check}\n"));
        task
    }

    fn answer(&self, name: &str) -> PathBuf {
        self.task(name, "", "echo 42 > /answer", "grep -qx 42 /answer && echo 1 > /logs/verifier/reward.txt || echo 0 > /logs/verifier/reward.txt")
    }

    fn script(&self, name: &str, calls: &[Value]) -> String {
        let path = self.path(name);
        let lines: Vec<String> = calls.iter().map(Value::to_string).collect();
        std::fs::write(&path, lines.join("\n")).unwrap();
        format!("script:{}", path.display())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proofyard"));
        command
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("PROOFYARD_HOST_STATE", self.path("state"))
            .env("PROOFYARD_RUN_OUT", self.path("runs"))
            .stdin(Stdio::null());
        command
    }

    fn proofyard(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The finished trials of a run, by JSON, with its exit code.
    fn run(&self, task: &Path, arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
        let mut all = vec!["run", task.to_str().unwrap(), "--json"];
        all.extend(arguments);
        let output = self.proofyard(&all);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let events: Vec<Value> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect();
        let trials: Vec<Value> = events
            .into_iter()
            .filter(|event| event["event"] == "trial_finished")
            .map(|event| event["trial"].clone())
            .collect();
        assert!(!trials.is_empty(), "no trial was finished: {said}");
        (trials, output.status.code())
    }

    fn one(&self, task: &Path, agent: &str, arguments: &[&str]) -> Value {
        let mut all = vec!["-a", agent];
        all.extend(arguments);
        self.run(task, &all).0.remove(0)
    }

    /// What of this yard's is in the engine and in the mount table.
    fn left(&self) -> Vec<String> {
        let state = self.path("state");
        let scope = proofyard::sandbox::docker::scope(&state.canonicalize().unwrap());
        let filter = format!("label=proofyard.state={scope}");
        let listed = |arguments: &[&str]| {
            let output = Command::new("docker")
                .args(arguments)
                .args(["--filter", &filter])
                .output()
                .unwrap();
            String::from_utf8(output.stdout)
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let mut left = listed(&["ps", "-aq"]);
        left.extend(listed(&["volume", "ls", "-q"]));
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
        let state = state.to_str().unwrap().to_owned();
        left.extend(
            mounts
                .lines()
                .filter(|line| line.contains(&state))
                .map(str::to_owned),
        );
        left
    }
}

fn bash(command: &str) -> Value {
    serde_json::json!({"tool": "bash", "arguments": {"command": command}})
}

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
    let path = yard
        .path("runs")
        .join(trial["run"].as_str().unwrap())
        .join("trials")
        .join(trial["trial"].as_str().unwrap());
    let stored: Value =
        serde_json::from_slice(&std::fs::read(path.join("trial.json")).unwrap()).unwrap();
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
            serde_json::json!({"tool": "write", "arguments": {"path": "/answer", "content": "41\n"}}),
            serde_json::json!({"tool": "edit", "arguments": {"path": "/answer", "old": "41", "new": "42"}}),
            serde_json::json!({"tool": "read", "arguments": {"path": "/dev/zero"}}),
            serde_json::json!({"tool": "nonsense", "arguments": {}}),
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
    let folder = yard
        .path("runs")
        .join(trial["run"].as_str().unwrap())
        .join("trials")
        .join(trial["trial"].as_str().unwrap());
    let events = proofyard::trajectory::read_events(&folder.join("trajectory.jsonl")).unwrap();
    let results: Vec<_> = events.iter().filter(|event| event.ok.is_some()).collect();
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
fn without_a_shell_the_sandbox_goes_on() {
    let yard = Yard::new();
    let script = yard.script(
        "calls.jsonl",
        &[
            bash("rm -f /bin/sh /bin/bash /usr/bin/sh /usr/bin/bash /usr/bin/dash; exit 0"),
            bash("true"),
            serde_json::json!({"tool": "write", "arguments": {"path": "/answer", "content": "42\n"}}),
        ],
    );
    // The shell is part of the change: the verifier cannot start either, by the agent's doing.
    let trial = yard.one(&yard.answer("answer"), &script, &["--no-check"]);
    assert_eq!(trial["outcome"], "unresolved", "{trial:#}");
    assert_eq!(trial["trajectory"]["tool_errors"], 1);
}

#[test]
fn a_full_disk_is_the_agents_and_ends_its_session() {
    let yard = Yard::new();
    let script = yard.script(
        "calls.jsonl",
        &[bash(
            "echo 42 > /answer; head -c 400M /dev/zero > /big; sleep 20",
        )],
    );
    let limits = [
        "--no-check",
        "--set",
        "limits.disk_mb=100",
        "--set",
        "limits.change_mb=50",
    ];
    let trial = yard.one(&yard.answer("answer"), &script, &limits);
    assert_eq!(trial["outcome"], "unresolved", "{trial:#}");
    assert!(trial["error"].is_null());
    assert_eq!(trial["verdict"]["reason"], "change_too_large");
}

#[test]
fn memory_and_processes_run_out_for_the_agent_alone() {
    let yard = Yard::new();
    let script = yard.script(
        "calls.jsonl",
        &[
            bash("head -c 2G /dev/zero | tail -c 1 | wc -c"),
            bash(":() { : | : & }; : ; sleep 1"),
            serde_json::json!({"tool": "write", "arguments": {"path": "/answer", "content": "42\n"}}),
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
    let trial = yard.one(&yard.answer("answer"), &script, &limits);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    assert_eq!(yard.left(), Vec::<String>::new());
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
fn an_image_that_fails_to_build_is_told_and_stops_nobody_else() {
    let yard = Yard::new();
    let broken = yard.answer("broken");
    yard.answer("fine");
    std::fs::write(
        broken.join("environment/Dockerfile"),
        "FROM proofyard/base\nRUN echo some words && false\n",
    )
    .unwrap();
    let (trials, code) = yard.run(&yard.path("tasks"), &["-a", "oracle"]);
    assert_eq!((trials.len(), code), (2, Some(1)));
    for trial in trials {
        if trial["task"]["name"] == "fine" {
            assert_eq!(trial["outcome"], "resolved");
        } else {
            assert_eq!(trial["error"]["class"], "image");
            assert!(
                trial["error"]["message"]
                    .as_str()
                    .unwrap()
                    .contains("some words"),
                "{trial:#}"
            );
        }
    }
}

#[test]
fn usage_errors_run_nothing_and_say_the_way_out() {
    let yard = Yard::new();
    let task = yard.answer("answer");
    let task = task.to_str().unwrap();
    let refused = |arguments: &[&str], code: i32, words: &str| {
        let output = yard.proofyard(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    };
    refused(&["run", task, "-a", "orcale"], 2, "did you mean `oracle`?");
    refused(
        &[
            "run",
            yard.folder.path().join("nowhere").to_str().unwrap(),
            "-a",
            "nop",
        ],
        2,
        "nowhere",
    );
    refused(
        &[
            "run",
            task,
            "-a",
            "nop",
            "--set",
            "engine.host=unix:///nowhere.sock",
        ],
        4,
        "unix:///nowhere.sock",
    );
    refused(
        &["run", task, "-a", "nop", "--out", "/proc/nowhere"],
        2,
        "/proc/nowhere",
    );
    refused(
        &[
            "run",
            task,
            "-a",
            "nop",
            "--set",
            "limits.memory_mb=99000000",
        ],
        2,
        "memory",
    );
    std::fs::write(Path::new(task).join("instruction.md"), b"\xff").unwrap();
    refused(&["run", task, "-a", "nop"], 2, "UTF-8");
}

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
    let waiting = Instant::now();
    while lines() < 1 {
        assert!(
            waiting.elapsed() < Duration::from_secs(120),
            "no trial was finished"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    // In the middle of the second trial.
    while yard.left().is_empty() {
        std::thread::sleep(Duration::from_millis(50));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(yard.proofyard(&["clean"]).status.success());
    assert_eq!(yard.left(), Vec::<String>::new());
    let before = lines();
    assert!(yard.proofyard(&["resume", "killed"]).status.success());
    assert!(before < 3);
    assert_eq!(lines(), 3);
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
    let waiting = Instant::now();
    while !yard.path("state").exists() || yard.left().is_empty() {
        assert!(
            waiting.elapsed() < Duration::from_secs(120),
            "no sandbox was made"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(running.id() as i32),
        nix::sys::signal::Signal::SIGINT,
    )
    .unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130));
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn the_same_frames_go_over_one_stream_and_work_trees_become_layers() {
    let yard = Yard::new();
    let task = yard.path("tasks/words");
    assert!(
        yard.proofyard(&["new", task.to_str().unwrap(), "--repo"])
            .status
            .success()
    );
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
            let proof = &trial["provenance"]["checkout"];
            assert_eq!(proof["objects_reachable"], proof["objects_stored"]);
        }
    }
    assert_eq!(yard.left(), Vec::<String>::new());
}
