//! Facts about this room, as tests.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use insta::assert_snapshot;

use super::*;
use crate::record::Sees;
use crate::task::{Hidden, ImageSource, Network, RepoSource, Runner};

/// A folder with a task in it, sound until a test breaks it.
pub struct Folder {
    root: tempfile::TempDir,
    env: Vec<(&'static str, &'static str)>,
}

pub const REPO_TASK: &str = "\
[task]
name = \"repo/glob-star\"

[repo]
path = \"repo\"

[verification]
overlay = \"tests/files\"
fail_to_pass = [\"tests/test_pattern.py::test_double_star\"]
";

impl Folder {
    pub fn new(toml: &str) -> Self {
        let folder = Self {
            root: tempfile::tempdir().unwrap(),
            env: Vec::new(),
        };
        folder
            .file("task.toml", toml)
            .file("instruction.md", "Do it.\n")
            .file("environment/Dockerfile", "FROM proofyard/python\n")
            .file("repo/mod.py", "x = 1\n")
            .file("tests/files/tests/test_pattern.py", "")
            .file("tests/test.sh", "#!/bin/sh\n")
            .file("solution/solve.sh", "#!/bin/sh\n")
    }

    pub fn path(&self) -> PathBuf {
        self.root.path().join("task")
    }

    pub fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// A variable of the host.
    pub fn with_env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.push((name, value));
        self
    }

    pub fn link(self, path: &str, target: &str) -> Self {
        symlink(target, self.path().join(path)).unwrap();
        self
    }

    pub fn without(self, path: &str) -> Self {
        let path = self.path().join(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        self
    }

    pub fn load(&self) -> Result<Task, TaskError> {
        let described = load_with(&self.path(), &|name| {
            let found = self.env.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.to_string())
        });
        digested(described?)
    }

    /// The warnings, the temporary folder written as `tasks`.
    pub fn warnings(&self) -> String {
        let told = self.load().unwrap().warnings.join("\n");
        told.replace(&self.root.path().display().to_string(), "tasks")
    }

    /// What is wrong, a line each, without where it is.
    pub fn heads(&self) -> String {
        let shown = self.error();
        let heads = shown
            .lines()
            .filter_map(|line| line.strip_prefix("error: "));
        heads.collect::<Vec<_>>().join("\n")
    }

    /// The rendered error, the temporary folder written as `tasks`.
    pub fn error(&self) -> String {
        let shown = self.load().unwrap_err().render(false);
        shown.replace(&self.root.path().display().to_string(), "tasks")
    }
}

#[test]
fn a_repo_task_is_read_with_its_defaults() {
    let folder = Folder::new(REPO_TASK);
    let task = folder.load().unwrap();
    let dir = fs::canonicalize(folder.path()).unwrap();
    assert_eq!(task.id.as_str(), "repo/glob-star");
    assert!(task.ours());
    assert_eq!(task.verification.sees, Sees::Patch);
    assert_eq!(task.verification.runner, Runner::Pytest);
    assert_eq!(
        task.verification.hidden,
        Hidden::Overlay(vec![dir.join("tests/files")])
    );
    assert_eq!(task.verification.network, Network::None);
    assert_eq!(task.environment.network, Network::None);
    assert_eq!(
        task.environment.image,
        ImageSource::Dockerfile(dir.join("environment"))
    );
    assert_eq!(
        task.repo.unwrap().source,
        RepoSource::Folder(dir.join("repo"))
    );
    assert_eq!(task.solution, Some(dir.join("solution")));
    assert_eq!(task.agent.timeout, None);
    assert_eq!(task.warnings, Vec::<String>::new());
}

#[test]
fn an_imported_task_follows_its_own_format() {
    let toml = "\
version = \"1.0\"
[metadata]
difficulty = \"hard\"
tags = [\"files\"]
[verifier]
timeout_sec = 90.0
[agent]
timeout_sec = 360
user = 1000
[environment]
docker_image = \"debian:bookworm\"
cpus = 2
memory = \"2G\"
storage = \"10G\"
";
    let task = Folder::new(toml).load().unwrap();
    assert_eq!(task.id.as_str(), "task");
    assert!(!task.ours());
    assert_eq!(task.verification.sees, Sees::Files);
    assert_eq!(task.verification.runner, Runner::Script);
    assert_eq!(task.verification.timeout.as_secs(), 90);
    assert_eq!(task.environment.network, Network::Full);
    assert_eq!(
        task.environment.image,
        ImageSource::Named("debian:bookworm".into())
    );
    assert_eq!(task.environment.memory_bytes, Some(2 << 30));
    assert_eq!(task.environment.storage_bytes, Some(10 << 30));
    assert_eq!(task.agent.user.as_deref(), Some("1000"));
    assert_eq!(task.scenario.difficulty.as_deref(), Some("hard"));
    assert_eq!(task.scenario.tags, ["files"]);
}

#[test]
fn an_unknown_key_of_ours_is_an_error_with_its_place_and_the_nearest_key() {
    let toml = REPO_TASK.replace(
        "overlay =",
        "pass_too_pass = [\"tests/x.py::y\"]\noverlay =",
    ) + "flaky = true\n";
    assert_snapshot!(Folder::new(&toml).error(), @r#"
        error: unknown key `pass_too_pass` in [verification]
          ┌─ tasks/task/task.toml:8:1
          │
        8 │ pass_too_pass = ["tests/x.py::y"]
          │ ^^^^^^^^^^^^^ did you mean `pass_to_pass`?

        error: unknown key `flaky` in [verification]
           ┌─ tasks/task/task.toml:11:1
           │
        11 │ flaky = true
           │ ^^^^^
           │
           = known here: answers, build, carry, command, contract, fail_to_pass, hidden, include_ignored, may_change, network, overlay, pass_to_pass, patch, resolved_at, runner, sees, services, user
        "#);
}

#[test]
fn an_unknown_key_of_harbor_is_a_warning() {
    let toml = format!("{REPO_TASK}\n[environment]\ncpu = 2\n");
    let folder = Folder::new(&toml);
    let warnings = folder.load().unwrap().warnings.join("\n");
    let warnings = warnings.replace(&folder.root.path().display().to_string(), "tasks");
    assert_snapshot!(warnings, @"tasks/task/task.toml:12:1: unknown key `cpu` in [environment]; did you mean `cpus`?; left out");
}

#[test]
fn a_solution_is_a_script_of_the_shell_or_of_calls() {
    let of = |files: &[&str]| {
        let folder = Folder::new(REPO_TASK);
        fs::remove_file(folder.path().join("solution/solve.sh")).unwrap();
        let files = files.iter();
        let folder = files.fold(folder, |folder, file| {
            folder.file(&format!("solution/{file}"), "")
        });
        let task = folder.load().unwrap();
        (task.solution.is_some(), task.warnings.len())
    };
    assert_eq!(of(&["solve.sh"]), (true, 0));
    assert_eq!(of(&["calls.jsonl"]), (true, 0));
    assert_eq!(of(&["solve.sh", "calls.jsonl"]), (true, 0));
    assert_eq!(of(&["solve.patch"]), (false, 1));
}

#[test]
fn a_table_that_is_nearly_ours_is_an_error_though_the_task_looks_imported() {
    let toml = "[verificaton]\nfail_to_pass = [\"a\"]\n";
    assert_snapshot!(Folder::new(toml).error(), @r#"
        error: unknown key `verificaton`
          ┌─ tasks/task/task.toml:1:2
          │
        1 │ [verificaton]
          │  ^^^^^^^^^^^ did you mean `verification`?
        "#);
}

#[test]
fn a_wrong_type_is_an_error_with_its_place() {
    let toml = format!("{REPO_TASK}\n[environment]\ncpus = \"two\"\n");
    assert_snapshot!(Folder::new(&toml).error(), @r#"
        error: `cpus` in [environment] cannot be read
           ┌─ tasks/task/task.toml:12:8
           │
        12 │ cpus = "two"
           │        ^^^^^ this should be a number, and is the string "two"
        "#);
}

#[test]
fn a_syntax_error_is_shown_in_its_line() {
    let toml = REPO_TASK.replace("path = \"repo\"", "path = \"repo");
    assert_snapshot!(Folder::new(&toml).error(), @r#"
        error: this is not TOML
          ┌─ tasks/task/task.toml:5:13
          │
        5 │ path = "repo
          │             ^ invalid basic string, expected `"`
        "#);
}

#[test]
fn every_wrong_value_is_told_at_once() {
    let toml = "\
[task]
name = \"glob star\"

[agent]
timeout_sec = -1

[environment]
memory_mb = 1
workdir = \"app\"

[repo]
path = \"../elsewhere\"

[verification]
overlay = \"missing\"
resolved_at = 2
network = \"some\"
fail_to_pass = [\"a\", \"a\"]
pass_to_pass = [\"b\", \"a\"]
";
    assert_snapshot!(Folder::new(toml).error(), @r#"
        error: `glob star` is not the name of a task
          ┌─ tasks/task/task.toml:2:8
          │
        2 │ name = "glob star"
          │        ^^^^^^^^^^^ it is two parts with `/` between, of letters, digits, `.`, `_` and `-`

        error: `timeout_sec` must be more than 0 seconds
          ┌─ tasks/task/task.toml:5:15
          │
        5 │ timeout_sec = -1
          │               ^^ at most a year

        error: `memory_mb` must be a size in MB
          ┌─ tasks/task/task.toml:8:13
          │
        8 │ memory_mb = 1
          │             ^ at least 6

        error: `app` is not a path of the sandbox
          ┌─ tasks/task/task.toml:9:11
          │
        9 │ workdir = "app"
          │           ^^^^^ an absolute path without `..`

        error: `path` must be a path inside the task's folder
           ┌─ tasks/task/task.toml:12:8
           │
        12 │ path = "../elsewhere"
           │        ^^^^^^^^^^^^^^ no absolute path, no `..`

        error: `missing` cannot be read: No such file or directory (os error 2)
           ┌─ tasks/task/task.toml:15:11
           │
        15 │ overlay = "missing"
           │           ^^^^^^^^^ looked for in the task's folder

        error: `resolved_at` must be from 0 to 1
           ┌─ tasks/task/task.toml:16:15
           │
        16 │ resolved_at = 2
           │               ^

        error: `some` is not a network
           ┌─ tasks/task/task.toml:17:11
           │
        17 │ network = "some"
           │           ^^^^^^ "none" or "full"

        error: `a` stands twice in `fail_to_pass`
           ┌─ tasks/task/task.toml:18:22
           │
        18 │ fail_to_pass = ["a", "a"]
           │                      ^^^ once is enough

        error: `a` stands in `fail_to_pass` too
           ┌─ tasks/task/task.toml:19:22
           │
        19 │ pass_to_pass = ["b", "a"]
           │                      ^^^ once is enough
        "#);
}

#[test]
fn what_comes_later_is_refused_where_the_verdict_would_change() {
    let toml = "\
[environment]
network_mode = \"allowlist\"
allowed_hosts = [\"example.org\"]
gpus = 1
os = \"Windows\"
tpu = { type = \"v6e\", topology = \"2x4\" }

[verification]
sees = \"live\"
fail_to_pass = [\"a\"]
";
    let shown = Folder::new(toml).error();
    let heads: Vec<&str> = shown
        .lines()
        .filter(|line| line.starts_with("error"))
        .collect();
    assert_snapshot!(heads.join("\n"), @r#"
        error: a network of named hosts ("allowlist") is not supported yet
        error: a task that needs a GPU is not supported yet
        error: a task for Windows is not supported yet
        error: a task that needs a TPU is not supported yet
        "#);
}

#[test]
fn services_are_for_what_is_verified_live_and_a_build_is_not() {
    let of = |table: &str| {
        let toml = format!("[verification]\n{table}\nfail_to_pass = [\"a\"]\n");
        let shown = Folder::new(&toml).error();
        shown.lines().next().unwrap_or_default().to_string()
    };
    assert_snapshot!(of("services = [{ command = [\"nginx\"], port = 80 }]"), @r#"error: `services` is only for `sees = "live"`"#);
    assert_snapshot!(of("sees = \"live\"\nservices = [{ port = 80 }]"), @"error: a service needs a `command`: its program and arguments");
    assert_snapshot!(of("sees = \"live\"\nservices = [{ command = [\"a\"], port = 0 }]"), @"error: nothing listens on port 0");
    assert_snapshot!(of("sees = \"live\"\nbuild = \"make\""), @r#"error: `build` is not for `sees = "live"`"#);
}

#[test]
fn a_repo_says_where_it_is_and_which_commit() {
    let of = |repo: &str| {
        let toml = REPO_TASK.replace("path = \"repo\"", repo);
        let shown = Folder::new(&toml).file("a.bundle", "no bundle").error();
        shown.lines().next().unwrap_or_default().to_string()
    };
    assert_snapshot!(of("path = \"a.bundle\""), @"error: `a.bundle` is neither a folder nor a git bundle");
    assert_snapshot!(of("path = \"repo\"\ncommit = \"abc\""), @"error: a folder has no commit: it becomes one");
    assert_snapshot!(of("url = \"https://example.org/a.git\"\ncommit = \"abc\""), @"error: `abc` is not a commit");
    assert_snapshot!(of("url = \"--upload-pack=x\"\ncommit = \"abc\""), @"error: `--upload-pack=x` is not a url");
    assert_snapshot!(of("history = \"none\""), @"error: [repo] does not say where the repo is");
}

#[test]
fn a_task_that_nothing_verifies_is_an_error() {
    let folder = Folder::new("[scenario]\nname = \"x\"\n").without("tests/test.sh");
    assert_snapshot!(folder.error(), @"error: tasks/task/task.toml: nothing verifies the task: there is no tests/test.sh, and no test is expected in [verification]");
}

#[test]
fn variables_of_the_host_are_filled_in_and_missing_ones_named() {
    let toml = format!(
        "{REPO_TASK}\n[environment.env]\nA = \"${{SET}}\"\nB = \"${{UNSET:-else}}\"\nC = \"x${{SET}}\"\n"
    );
    let mut folder = Folder::new(&toml);
    assert!(
        folder
            .error()
            .starts_with("error: the variable `SET` is not set")
    );
    folder.env.push(("SET", "yes"));
    let env = folder.load().unwrap().environment.env;
    let values: Vec<&str> = env.values().map(String::as_str).collect();
    assert_eq!(values, ["yes", "else", "x${SET}"]);
}
