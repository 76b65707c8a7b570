//! Data sets of a test's own: repositories in which the fix comes later, rows of them, and
//! specifications of their environments.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::yard::{Yard, bash, call};

/// A file as it is at the base commit, and as the fix has it.
pub type File = (&'static str, &'static str, &'static str);

/// A repository: a beginning with a tag, the base commit, and the fix behind it, on its
/// branch and with a tag of its own.
pub struct Project {
    pub name: String,
    pub folder: PathBuf,
    pub base: String,
    pub fix: String,
    /// From base to fix without tests, and tests alone.
    pub patch: String,
    pub test_patch: String,
}

/// A yard with an image that specifications start from, and a folder of them.
pub struct Bench {
    pub yard: Yard,
}

impl Bench {
    pub fn new() -> Self {
        Self { yard: Yard::new() }
    }

    /// A base that has all that a specification needs, so that nothing is fetched: the way
    /// to apply a patch by `patch` is never taken here.
    pub fn base(&self, of: &str) -> String {
        let name = format!("proofyard-test/{of}");
        let text = format!(
            "FROM proofyard/{of}\nRUN printf '#!/bin/sh\\nexit 1\\n' > /usr/local/bin/patch \
             && chmod 755 /usr/local/bin/patch\n"
        );
        let mut build = Command::new("docker")
            .args(["build", "--quiet", "--tag", &name, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = build.stdin.take().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        drop(input);
        assert!(build.wait().unwrap().success());
        name
    }

    /// Makes an image that goes with the yard, of a folder that has the repository as it
    /// is, future and all, with the base commit checked out.
    pub fn image(&self, project: &Project, at: &str, then: &str) -> String {
        let base = self.base("python");
        let tag = self.yard.image_name(&project.name);
        let text = format!(
            "FROM {base}\nCOPY . /testbed\nWORKDIR /testbed\nRUN git checkout -q {at} && {then}\nLABEL {}\n",
            self.yard.mark
        );
        let dockerfile = self.yard.path(&format!("{}.Dockerfile", project.name));
        write(&dockerfile, &text);
        let built = Command::new("docker")
            .args(["build", "--quiet", "--tag", &tag, "--file"])
            .args([&dockerfile, &project.folder])
            .output()
            .unwrap();
        assert!(built.status.success(), "{built:?}");
        tag
    }

    /// Makes a repository; files below `tests/` are the test patch's.
    pub fn project(&self, name: &str, files: &[File]) -> Project {
        let folder = self.yard.path("repos").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let git = |arguments: &[&str]| git(&folder, arguments);
        let lay = |fixed: bool| {
            for (path, base, fix) in files {
                let text = if fixed { fix } else { base };
                let path = folder.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                if !text.is_empty() || path.ends_with("__init__.py") {
                    write(&path, text);
                }
            }
        };
        git(&["init", "-q", "-b", "main", "."]);
        write(&folder.join(".gitignore"), "__pycache__/\n*.egg-info/\n");
        git(&["add", "-A"]);
        git(&["commit", "-qm", "Begin"]);
        git(&["tag", "v0.9"]);
        lay(false);
        git(&["add", "-A"]);
        git(&["commit", "-qm", "Add one to what is given"]);
        let base = git(&["rev-parse", "HEAD"]);
        lay(true);
        git(&["add", "-A"]);
        git(&["commit", "-qm", "Double what is given"]);
        git(&["tag", "-a", "-m", "With the fix", "v1.1"]);
        let fix = git(&["rev-parse", "HEAD"]);
        let diff = |paths: &[&str]| {
            let text = git(&[&["diff", &base, &fix, "--"], paths].concat());
            if text.is_empty() { text } else { text + "\n" }
        };
        let (patch, test_patch) = (
            diff(&[".", ":(exclude,glob)**/tests/**"]),
            diff(&[":(glob)**/tests/**"]),
        );
        Project {
            name: name.to_owned(),
            folder,
            base,
            fix,
            patch,
            test_patch,
        }
    }

    /// A specification of a project's environment; nothing is fetched while it is built.
    pub fn specify(&self, project: &Project, base: &str, more: &str) {
        let source = project.folder.to_str().unwrap();
        let repo = format!("own/{}", project.name);
        let text = format!("source = {source:?}\nnetwork = \"none\"\n{more}");
        self.specify_repo(&repo, base, &text);
    }

    /// The specification of a repo by its name in rows.
    pub fn specify_repo(&self, repo: &str, base: &str, more: &str) {
        let folder = self.yard.path("envs");
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!("[[environment]]\nrepo = {repo:?}\nbase = {base:?}\n{more}\n");
        write(&folder.join(repo.replace('/', "-") + ".toml"), &text);
    }

    /// The rows as a file of JSON lines.
    pub fn rows(&self, rows: &[Value]) -> PathBuf {
        let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
        let path = self.yard.path("rows.jsonl");
        write(&path, &(lines.join("\n") + "\n"));
        path
    }

    /// Flags of every run here: the specifications, where there are any.
    pub fn flags(&self) -> Vec<String> {
        let envs = self.yard.path("envs");
        let mut flags = vec!["--set", "images.pull=false"];
        if envs.is_dir() {
            flags.extend(["--envs", envs.to_str().unwrap()]);
        }
        flags.into_iter().map(str::to_owned).collect()
    }

    /// The finished trials of a run, in the order of their agents.
    pub fn run(&self, rows: &Path, agents: &[&str], more: &[&str]) -> Vec<Value> {
        let flags = self.flags();
        let mut all: Vec<&str> = flags.iter().map(String::as_str).collect();
        all.extend(agents.iter().flat_map(|agent| ["-a", agent]));
        all.extend(more);
        let (trials, code) = self.yard.run(rows, &all);
        assert_eq!((trials.len(), code), (agents.len(), Some(0)), "{trials:#?}");
        let of = |agent: &&str| {
            let named = |trial: &&Value| trial["agent"]["name"] == *agent;
            trials.iter().find(named).cloned().unwrap()
        };
        agents.iter().map(of).collect()
    }

    /// What a command prints, by JSON, and its exit code. No image is pulled.
    pub fn lines(&self, arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
        let mut command = self.yard.command(arguments);
        let output = command
            .env("PROOFYARD_IMAGES_PULL", "false")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}\n{error}")));
        let lines: Vec<Value> = lines.collect();
        assert!(!lines.is_empty(), "{error}");
        (lines, output.status.code())
    }

    /// The data set's own patches are graded as resolved, and each of its instances is
    /// sound.
    pub fn gold_resolves(&self, rows: &Path) {
        let flags = self.flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let rows = rows.to_str().unwrap();
        let grade = ["grade", "gold", "--dataset", rows, "--no-check", "--json"];
        let (lines, code) = self.lines(&[&grade[..], &flags].concat());
        assert_eq!(code, Some(0), "{lines:#?}");
        let mut finished = lines
            .iter()
            .filter(|line| line["event"] == "trial_finished");
        let resolved = |line: &Value| line["trial"]["outcome"] == "resolved";
        assert!(
            finished.clone().count() > 0 && finished.all(resolved),
            "{lines:#?}"
        );
        let check = ["check", "--dataset", rows, "--repeat", "1", "--json"];
        let envs: Vec<&str> = flags
            .iter()
            .copied()
            .skip_while(|flag| *flag != "--envs")
            .collect();
        let (lines, code) = self.lines(&[&check[..], &envs].concat());
        assert_eq!(code, Some(0), "{lines:#?}");
        let mut checked = lines.iter().filter(|line| line["task"].is_string());
        let sound = |line: &Value| line["sound"] == "sound";
        assert!(
            checked.clone().count() > 0 && checked.all(sound),
            "{lines:#?}"
        );
        assert_eq!(self.yard.left(), Vec::<String>::new());
    }

    /// The reference solution's trial and that of doing nothing.
    pub fn both(&self, rows: &Path, more: &[&str]) -> [Value; 2] {
        let trials = self.run(rows, &["oracle", "nop"], more);
        trials.try_into().unwrap()
    }

    /// An agent that runs these commands in its shell.
    pub fn agent(&self, name: &str, commands: &[&str]) -> String {
        let mut calls: Vec<Value> = commands.iter().map(|command| bash(command)).collect();
        calls.push(call("submit", json!({})));
        self.yard.script(&format!("{name}.jsonl"), &calls)
    }

    /// What the official harness would have written of a trial.
    pub fn report(&self, trial: &Value) -> Value {
        let path = &trial["verdict"]["official"]["report"];
        assert_eq!(path, "verifier/official/report.json");
        serde_json::from_str(&self.official(trial, "report.json")).unwrap()
    }

    /// A file that the official harness would have kept of a trial.
    pub fn official(&self, trial: &Value, name: &str) -> String {
        let path = self.yard.stored(trial).join("verifier/official").join(name);
        std::fs::read_to_string(path).unwrap()
    }
}

impl Project {
    /// A row as of Verified: lists of tests are JSON texts.
    pub fn row(&self, fail_to_pass: &[&str], pass_to_pass: &[&str]) -> Value {
        json!({
            "repo": format!("own/{}", self.name),
            "instance_id": self.id(),
            "base_commit": self.base,
            "patch": self.patch,
            "test_patch": self.test_patch,
            "problem_statement": "Double what is given\n\n`double(4)` is 5.\n",
            "hints_text": "",
            "created_at": "2024-05-06T07:08:09Z",
            "version": "1.0",
            "FAIL_TO_PASS": json!(fail_to_pass).to_string(),
            "PASS_TO_PASS": json!(pass_to_pass).to_string(),
            "environment_setup_commit": self.base,
            "difficulty": "<15 min fix",
        })
    }

    pub fn id(&self) -> String {
        format!("own__{}-1", self.name)
    }
}

/// The trials of the reference solution and of doing nothing are what they should be, by
/// both rules, and the official report is in the official shape.
pub fn holds(bench: &Bench, [oracle, nothing]: &[Value; 2]) {
    assert_eq!(oracle["outcome"], "resolved", "{oracle:#}");
    let tests = oracle["verdict"]["tests"].as_array().unwrap();
    let passed = |test: &Value| test["state"] == "passed" || test["state"] == "xfailed";
    assert!(tests.iter().all(passed), "{tests:#?}");
    let official = &oracle["verdict"]["official"];
    assert_eq!(official["rules"], "5.0", "{official:#}");
    assert_eq!(official["resolved"], true);
    assert_eq!(official["differs"], Value::Null);
    let id = oracle["task"]["name"].as_str().unwrap();
    let report = &bench.report(oracle)[id];
    for (field, expected) in [
        ("patch_is_None", false),
        ("patch_exists", true),
        ("patch_successfully_applied", true),
        ("resolved", true),
        ("infra_failure", false),
    ] {
        assert_eq!(report[field], expected, "{field}: {report:#}");
    }
    for list in ["FAIL_TO_PASS", "PASS_TO_PASS"] {
        assert_eq!(report["tests_status"][list]["failure"], json!([]));
    }
    assert_eq!(nothing["outcome"], "unresolved", "{nothing:#}");
    let official = &nothing["verdict"]["official"];
    assert_eq!(official["resolved"], false);
    assert_eq!(official["differs"], Value::Null);
    assert_eq!(bench.yard.left(), Vec::<String>::new());
}

/// States of a trial's tests, by their ids.
pub fn states(trial: &Value) -> Vec<(&str, &str)> {
    let tests = trial["verdict"]["tests"].as_array().unwrap();
    tests.iter().map(state).collect()
}

fn state(test: &Value) -> (&str, &str) {
    (
        test["id"].as_str().unwrap(),
        test["state"].as_str().unwrap(),
    )
}

/// Runs git at a time that is always the same, so that commits and images are.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    const TIME: &str = "2024-01-02T03:04:05Z";
    let output = Command::new("git")
        .current_dir(folder)
        .args([
            "-c",
            "user.name=dev",
            "-c",
            "user.email=dev@example.invalid",
        ])
        .args(arguments)
        .env("GIT_AUTHOR_DATE", TIME)
        .env("GIT_COMMITTER_DATE", TIME)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end_matches('\n')
        .to_owned()
}

/// Writes a file; what begins as a script may be run.
pub fn write(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
