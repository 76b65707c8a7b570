//! Cheats and controls, through `proofyard check --cheats`.
//!
//! None is paid where the runner is known; what a script's reward pays is named.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::yard::Yard;

/// What a verifier that believes a script's reward cannot refuse, by the beginning of
/// its name: the code under test runs where the reward is written.
const ASSERTED: [&str; 2] = ["js-", "sh-code-"];

/// The lines of a check with `--json`: results by name, and the numbers.
struct Checked {
    results: Vec<Value>,
    tally: Value,
    code: Option<i32>,
    said: String,
}

impl Checked {
    fn of(output: Output) -> Self {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut lines: Vec<Value> = lines.collect();
        let last = lines.pop().unwrap_or_else(|| panic!("no line: {said}"));
        Self {
            results: lines.iter().map(|line| line["result"].clone()).collect(),
            tally: last["tally"].clone(),
            code: output.status.code(),
            said,
        }
    }

    fn names(&self, finding: &str) -> Vec<&str> {
        let found = self.results.iter().filter(|r| r["finding"] == finding);
        found
            .map(|result| result["name"].as_str().unwrap())
            .collect()
    }

    /// No control was judged wrongly, nothing met a fault.
    fn is_fair(&self) {
        assert_eq!(self.names("wrong"), Vec::<&str>::new(), "{}", self.said);
        assert_eq!(self.names("fault"), Vec::<&str>::new(), "{}", self.said);
    }
}

fn check(yard: &Yard, tasks: &[&Path], arguments: &[&str]) -> Checked {
    let mut all = vec!["check", "--cheats", "--json", "--progress", "plain"];
    all.extend(tasks.iter().map(|task| task.to_str().unwrap()));
    all.extend(arguments);
    Checked::of(yard.proofyard(&all))
}

fn only<'a>(names: &[&'a str]) -> Vec<&'a str> {
    names.iter().flat_map(|name| ["--only", name]).collect()
}

#[test]
fn a_few_cheats_are_paid_by_a_naive_verifier_and_not_here() {
    let yard = Yard::new();
    let (task, _) = yard.words();
    let checked = check(
        &yard,
        &[&task],
        &only(&[
            "any-reward-beforehand",
            "git-monitor",
            "py-exit-at-import",
            "py-path-file",
            "honest-gold",
            "honest-nothing",
        ]),
    );
    checked.is_fair();
    assert_eq!(checked.code, Some(0), "{}", checked.said);
    assert_eq!(checked.tally["cheats"], 4, "{:#?}", checked.results);
    assert_eq!(checked.tally["naive_paid"], 4, "{:#?}", checked.results);
    assert_eq!(checked.tally["controls"], 2);
    let controls = checked.results.iter().filter(|r| r["honest"] == true);
    assert!(controls.into_iter().all(|r| r["naive"].is_null()));
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn honest_work_is_judged_as_it_should_be() {
    let yard = Yard::new();
    let tasks = ["examples/cheats/py-shelf", "tasks/tool/water-bill"].map(Path::new);
    let wanted = [
        "honest-calls-slip",
        "honest-dependency",
        "honest-empty-functions",
        "honest-gold",
        "honest-machine-notes",
        "honest-profile",
    ];
    let checked = check(&yard, &tasks, &only(&wanted));
    checked.is_fair();
    assert_eq!(checked.code, Some(0), "{}", checked.said);
    // The one task has a repository; in the other there is no shell, and one call is
    // all of its solution.
    let mut told: Vec<(&str, &str)> = checked
        .results
        .iter()
        .map(|r| (r["name"].as_str().unwrap(), r["outcome"].as_str().unwrap()))
        .collect();
    told.sort_unstable();
    let right = [
        ("honest-dependency", "resolved"),
        ("honest-empty-functions", "unresolved"),
        ("honest-gold", "resolved"),
        ("honest-gold", "resolved"),
        ("honest-profile", "resolved"),
    ];
    assert_eq!(told, right);
    assert_eq!(checked.tally["controls_tasks"], 2);
    assert_eq!(checked.tally["controls_falsely_unresolved"], 0);
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn what_is_paid_is_named_and_fails_the_check() {
    let yard = Yard::new();
    let task = Path::new("examples/cheats/sh-tally");
    let out = yard.path("kept");
    let mut arguments = only(&["sh-code-writes-reward", "js-node-shim", "honest-gold"]);
    arguments.extend(["--out", out.to_str().unwrap()]);
    let checked = check(&yard, &[task], &arguments);
    checked.is_fair();
    assert_eq!(checked.names("paid"), ["sh-code-writes-reward"]);
    // There is no Node to act on, so nothing is said of it.
    assert_eq!(checked.results.len(), 2, "{:#?}", checked.results);
    assert_eq!(checked.code, Some(3), "{}", checked.said);
    let run = std::fs::read_dir(out).unwrap().next().unwrap().unwrap();
    assert!(run.path().join("results.jsonl").exists());
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn a_task_is_sound_or_said_not_to_be() {
    let yard = Yard::new();
    let sound = yard.answer("sound");
    let idle = yard.task("idle", "", "true", "echo 1 > /logs/verifier/reward.txt");
    let check = |task: &Path| {
        let output = yard.proofyard(&["check", task.to_str().unwrap(), "--json"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        (line, output.status.code())
    };
    let (line, code) = check(&sound);
    assert_eq!((&line["sound"], code), (&"sound".into(), Some(0)));
    let (line, code) = check(&idle);
    assert_eq!((&line["sound"], code), (&"unsound".into(), Some(3)));
    assert_eq!(line["problems"][0], "doing nothing resolves the task");
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn a_cheat_that_is_not_there_is_a_usage_error() {
    let yard = Yard::new();
    let asked = ["check", "--cheats", "tasks", "--only", "py-conftest-reprt"];
    let output = yard.proofyard(&asked);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("did you mean `py-conftest-report`?"),
        "{said}"
    );
}

#[test]
fn all_cheats_at_all_tasks() {
    if std::env::var_os("PROOFYARD_SLOW").is_none() {
        eprintln!("skipped: PROOFYARD_SLOW is not set");
        return;
    }
    let yard = Yard::new();
    let tasks = [Path::new("tasks"), Path::new("examples/cheats")];
    let checked = check(&yard, &tasks, &[]);
    checked.is_fair();
    let paid = checked.results.iter().filter(|r| r["finding"] == "paid");
    let surprises: Vec<&Value> = paid
        .filter(|result| {
            let name = result["name"].as_str().unwrap();
            let asserted = ASSERTED.iter().any(|start| name.starts_with(start));
            !asserted
        })
        .collect();
    assert!(surprises.is_empty(), "{surprises:#?}");
    every_cheat_is_paid_somewhere(&checked);
    let (trials, over) = (&checked.tally["controls"], &checked.tally["controls_tasks"]);
    assert!(trials.as_u64().unwrap() >= 300, "{}", checked.tally);
    assert!(over.as_u64().unwrap() >= 20, "{}", checked.tally);
    assert_eq!(checked.tally["controls_tampered"], 0);
    assert_eq!(yard.left(), Vec::<String>::new());
}

/// Each cheat that can be paid by its nature is, at one of the tasks.
fn every_cheat_is_paid_somewhere(checked: &Checked) {
    for cheat in proofyard::cheats::catalogue() {
        let mut tried = checked.results.iter().filter(|r| r["name"] == cheat.name);
        let letters = ["exit", "log", "report", "reward"];
        let paid = tried.any(|r| letters.iter().any(|name| r["naive"][name] == true));
        assert!(
            cheat.honest || !cheat.pays || paid,
            "{} acts nowhere",
            cheat.name
        );
    }
}

#[test]
fn cheats_of_a_folder_run_through_the_same_code() {
    let shared = std::env::var_os("PROOFYARD_SHARED").unwrap_or("../shared".into());
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join(shared);
    if !shared.join("cheats/manifest.json").is_file() {
        eprintln!("skipped: PROOFYARD_SHARED does not name a folder with `cheats/`");
        return;
    }
    let yard = Yard::new();
    let cheats = shared.join("cheats");
    let task = spanlib(&yard, &cheats.join("task"));
    let folder = cheats.to_str().unwrap();
    let checked = check(&yard, &[&task], &["--cheat-dir", folder]);
    checked.is_fair();
    assert_eq!(checked.tally["controls"], 7, "{:#?}", checked.results);
    assert_eq!(checked.tally["cheats"], 29);
    // A checkout of ours has no commit of the future, however careless the repository
    // was, and no folder for hooks before somebody makes one; the other two are paid
    // by nobody.
    let idle = [
        "s17_git_reflog_future",
        "s18_post_checkout_hook",
        "s22_hardcode_visible",
        "s25_docker_socket_probe",
    ];
    assert_eq!(checked.names("cannot_act"), idle, "{}", checked.said);
    assert_eq!(
        checked.names("paid"),
        Vec::<&str>::new(),
        "{}",
        checked.said
    );
    assert_eq!(yard.left(), Vec::<String>::new());
}

/// A task of the folder's own: a repository with a commit of the future in it.
fn spanlib(yard: &Yard, from: &Path) -> PathBuf {
    let (task, tree) = (yard.path("tasks/spanlib"), yard.path("spanlib"));
    let copy = |from: &Path, to: &Path| {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        let copied = Command::new("cp")
            .arg("-r")
            .args([from, to])
            .status()
            .unwrap();
        assert!(copied.success());
    };
    copy(&from.join("repo"), &tree);
    let git = |arguments: &[&str]| {
        let names = [
            "-c",
            "user.name=dev",
            "-c",
            "user.email=dev@example.invalid",
        ];
        let output = Command::new("git")
            .current_dir(&tree)
            .args(names)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    std::fs::write(
        tree.join(".gitignore"),
        "__pycache__/\n*.pyc\n.pytest_cache/\n",
    )
    .unwrap();
    git(&["init", "-q", "-b", "main", "."]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "spanlib 0.3.1"]);
    let base = git(&["rev-parse", "HEAD"]);
    let fix = from.join("gold.patch").canonicalize().unwrap();
    git(&["apply", fix.to_str().unwrap()]);
    git(&[
        "commit",
        "-qam",
        "merge: join touching, nested and unsorted spans",
    ]);
    std::fs::create_dir_all(&task).unwrap();
    let bundle = task.join("repo.bundle");
    git(&["bundle", "create", bundle.to_str().unwrap(), "main"]);
    copy(&from.join("hidden_tests"), &task.join("tests/files/tests"));
    copy(&from.join("gold.patch"), &task.join("solution/fix.patch"));
    copy(&from.join("issue.md"), &task.join("instruction.md"));
    let write = |name: &str, text: &str| {
        let path = task.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "solution/solve.sh",
        "#!/bin/sh\nset -eu\ngit apply /solution/fix.patch\n",
    );
    std::fs::create_dir_all(task.join("environment")).unwrap();
    yard.image(&task, "FROM proofyard/python");
    let meta = std::fs::read(from.join("meta.json")).unwrap();
    let meta: Value = serde_json::from_slice(&meta).unwrap();
    let toml = format!(
        "[repo]\npath = \"repo.bundle\"\ncommit = \"{base}\"\nworkdir = \"/testbed\"\n\n\
         [verification]\nrunner = \"pytest\"\noverlay = \"tests/files\"\n\
         fail_to_pass = {}\npass_to_pass = {}\n",
        meta["FAIL_TO_PASS"], meta["PASS_TO_PASS"]
    );
    write("task.toml", &toml);
    task
}
