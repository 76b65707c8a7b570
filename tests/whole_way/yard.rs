//! A yard of one test's own: tasks, scripts, runs, and a look at what is left.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A state folder, a folder of tasks and one of runs, all of one test's own.
pub struct Yard {
    pub folder: tempfile::TempDir,
}

impl Yard {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A task that is resolved when `/answer` holds 42; `solve` is its solution,
    /// `check` its `tests/test.sh`.
    pub fn task(&self, name: &str, more: &str, solve: &str, check: &str) -> PathBuf {
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

    pub fn answer(&self, name: &str) -> PathBuf {
        self.task(name, "", "echo 42 > /answer", "grep -qx 42 /answer && echo 1 > /logs/verifier/reward.txt || echo 0 > /logs/verifier/reward.txt")
    }

    pub fn script(&self, name: &str, calls: &[Value]) -> String {
        let path = self.path(name);
        let lines: Vec<String> = calls.iter().map(Value::to_string).collect();
        std::fs::write(&path, lines.join("\n")).unwrap();
        format!("script:{}", path.display())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proofyard"));
        command
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("PROOFYARD_HOST_STATE", self.path("state"))
            .env("PROOFYARD_RUN_OUT", self.path("runs"))
            .stdin(Stdio::null());
        command
    }

    pub fn proofyard(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The finished trials of a run, by JSON, with its exit code.
    pub fn run(&self, task: &Path, arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
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

    pub fn one(&self, task: &Path, agent: &str, arguments: &[&str]) -> Value {
        let mut all = vec!["-a", agent];
        all.extend(arguments);
        self.run(task, &all).0.remove(0)
    }

    /// What of this yard's is in the engine and in the mount table.
    pub fn left(&self) -> Vec<String> {
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

pub fn bash(command: &str) -> Value {
    serde_json::json!({"tool": "bash", "arguments": {"command": command}})
}
