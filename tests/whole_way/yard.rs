//! A yard of one test's own: tasks, scripts, runs, and a look at what is left.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use proofyard::trajectory::{Event, read_events};
use serde_json::Value;

/// A state folder, a folder of tasks and one of runs, all of one test's own.
pub struct Yard {
    pub folder: tempfile::TempDir,
    /// A label of the images that only this yard has.
    pub mark: String,
}

impl Yard {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().file_name().unwrap().to_str().unwrap();
        let mark = format!("proofyard.test={}", name.trim_start_matches('.'));
        Self { folder, mark }
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

    /// A task on a repository, and the call that brings its solution to
    /// `/tmp/fix.patch`.
    pub fn words(&self) -> (PathBuf, Value) {
        let task = self.path("tasks/words");
        let new = self.proofyard(&["new", task.to_str().unwrap(), "--repo"]);
        assert!(new.status.success());
        let fix = std::fs::read_to_string(task.join("solution/fix.patch")).unwrap();
        let arguments = serde_json::json!({"path": "/tmp/fix.patch", "content": fix});
        (task, call("write", arguments))
    }

    /// The tasks `hostile` and `fine`, the same but for the variable `FINE`; the
    /// folder that they lie in.
    pub fn pair(&self) -> PathBuf {
        self.answer("hostile");
        let env = "[verification]\nrunner = \"script\"\n[environment]\nenv = { FINE = \"1\" }\n";
        std::fs::write(self.answer("fine").join("task.toml"), env).unwrap();
        self.path("tasks")
    }

    /// The trial at `hostile` of a run of one agent at the [pair](Self::pair); the
    /// one at `fine` is resolved.
    pub fn beside_a_fine_one(&self, agent: &str, arguments: &[&str]) -> Value {
        let (trials, code) = self.run(&self.pair(), &[&["-a", agent][..], arguments].concat());
        assert_eq!((trials.len(), code), (2, Some(0)), "{trials:#?}");
        let (fine, hostile): (Vec<Value>, Vec<Value>) = trials
            .into_iter()
            .partition(|trial| trial["task"]["name"] == "fine");
        assert_eq!(fine[0]["outcome"], "resolved", "{:#}", fine[0]);
        assert_eq!(fine[0]["trajectory"]["end"], "submitted");
        assert_eq!(self.left(), Vec::<String>::new());
        hostile.into_iter().next().unwrap()
    }

    /// Gives a task an image of this yard's own, which goes with it.
    pub fn image(&self, task: &Path, dockerfile: &str) {
        let text = format!("{dockerfile}\nLABEL {}\n", self.mark);
        std::fs::write(task.join("environment/Dockerfile"), text).unwrap();
    }

    /// The name of an image of this yard's own; one that is built with the
    /// [mark](Self::mark) goes with it.
    pub fn image_name(&self, name: &str) -> String {
        let (_, mark) = self.mark.split_once('=').unwrap();
        format!("proofyard-test/{name}:{mark}")
    }

    /// The folder of a finished trial.
    pub fn stored(&self, trial: &Value) -> PathBuf {
        self.path("runs")
            .join(trial["run"].as_str().unwrap())
            .join("trials")
            .join(trial["trial"].as_str().unwrap())
    }

    pub fn events(&self, trial: &Value) -> Vec<Event> {
        read_events(&self.stored(trial).join("trajectory.jsonl")).unwrap()
    }

    /// What each call came to, in order.
    pub fn results(&self, trial: &Value) -> Vec<Event> {
        let mut events = self.events(trial);
        events.retain(|event| event.ok.is_some());
        events
    }

    /// The text of the harness's own event of a name.
    pub fn told(&self, trial: &Value, name: &str) -> String {
        let mut events = self.events(trial).into_iter();
        let event = events.find(|event| event.event.as_deref() == Some(name));
        let text = event.and_then(|event| event.text);
        text.unwrap_or_else(|| panic!("no event {name}: {:#?}", self.events(trial)))
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

    /// One trial of the reference solution and one of doing nothing.
    pub fn both(&self, task: &Path, more: &[&str]) -> (Value, Value) {
        let arguments = [&["-a", "oracle", "-a", "nop"][..], more].concat();
        let (trials, code) = self.run(task, &arguments);
        assert_eq!((trials.len(), code), (2, Some(0)), "{trials:#?}");
        let (oracle, nop): (Vec<Value>, Vec<Value>) = trials
            .into_iter()
            .partition(|trial| trial["agent"]["name"] == "oracle");
        (oracle[0].clone(), nop[0].clone())
    }

    pub fn one(&self, task: &Path, agent: &str, arguments: &[&str]) -> Value {
        let mut all = vec!["-a", agent];
        all.extend(arguments);
        self.run(task, &all).0.remove(0)
    }

    /// The container of a task's trial, once this command runs in it.
    pub fn at_work(&self, task: &str, command: &str) -> String {
        until("a command in the sandbox", || {
            let filter = format!(
                "label={}",
                self.path("state").exists().then(|| self.label())?
            );
            let format = "{{.ID}} {{.Label \"proofyard.trial\"}}";
            let listed = docker(&["ps", "--filter", &filter, "--format", format]);
            let mut lines = listed.lines().filter_map(|line| line.split_once(' '));
            let (id, _) = lines.find(|(_, trial)| trial.contains(task))?;
            let first = docker(&["inspect", "--format", "{{.State.Pid}}", id]);
            runs_beside(&first, command).then(|| id.to_owned())
        })
    }

    /// The label of all that this yard's state folder has in the engine.
    pub fn label(&self) -> String {
        let state = self.path("state").canonicalize().unwrap();
        let scope = proofyard::sandbox::docker::scope(&state);
        format!("proofyard.state={scope}")
    }

    /// What of this yard's is in the engine and in the mount table.
    pub fn left(&self) -> Vec<String> {
        let state = self.path("state");
        let filter = format!("label={}", self.label());
        let kinds: [&[&str]; 3] = [
            &["ps", "-aq"],
            &["volume", "ls", "-q"],
            &["network", "ls", "-q"],
        ];
        let mut left = Vec::new();
        for kind in kinds {
            let listed = docker(&[kind, &["--filter", &filter]].concat());
            left.extend(listed.lines().map(str::to_owned));
        }
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

impl Drop for Yard {
    fn drop(&mut self) {
        let filter = format!("label={}", self.mark);
        let images = docker(&["images", "-q", "--no-trunc", "--filter", &filter]);
        for image in images.lines() {
            let removal = ["image", "rm", "--force", image];
            let _ = Command::new("docker").args(removal).output();
        }
    }
}

/// What the engine's own program says; nothing where it fails.
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Whether a process in the PID namespace of `pid` has `command` in its arguments.
/// (`docker top` needs a `ps` on the host, and small hosts have none.)
fn runs_beside(pid: &str, command: &str) -> bool {
    let space = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let Some(wanted) = space(pid) else {
        return false;
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    names.any(|name| {
        let arguments = std::fs::read(format!("/proc/{name}/cmdline")).unwrap_or_default();
        let said = String::from_utf8_lossy(&arguments).replace('\0', " ");
        said.contains(command) && space(&name).as_ref() == Some(&wanted)
    })
}

/// Waits for what must come about, looking again and again.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let waiting = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        let waited = waiting.elapsed();
        assert!(waited < Duration::from_secs(120), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub fn call(tool: &str, arguments: Value) -> Value {
    serde_json::json!({"tool": tool, "arguments": arguments})
}

pub fn bash(command: &str) -> Value {
    call("bash", serde_json::json!({"command": command}))
}
