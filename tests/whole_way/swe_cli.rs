//! A data set as its user handles it: checked, its unsound instance in quarantine, its
//! images within a budget, its patches exported.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::yard::{Yard, docker};

const BEFORE: &str = "def double(x):\n    return x + 1\n";
const AFTER: &str = "def double(x):\n    return x * 2\n";
const OLD: &str = "from twice import double\n\n\ndef test_old():\n    assert double(1) == 2\n";
const NEW: &str = "\n\ndef test_new():\n    assert double(4) == 8\n";

fn git(folder: &Path, arguments: &[&str]) -> String {
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
    String::from_utf8(output.stdout).unwrap()
}

/// A base with which nothing has to be fetched.
fn base() -> String {
    let name = "proofyard-test/python";
    let text = "FROM proofyard/python\nRUN printf '#!/bin/sh\\nexit 1\\n' > /usr/local/bin/patch \
                && chmod 755 /usr/local/bin/patch\n";
    let mut build = Command::new("docker")
        .args(["build", "--quiet", "--tag", name, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = build.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    assert!(build.wait().unwrap().success());
    name.to_owned()
}

/// Two instances of one repository: of `good` the patch is the fix, of `bad` it is none.
fn rows(yard: &Yard) -> PathBuf {
    let repo = yard.path("repo");
    std::fs::create_dir_all(repo.join("tests")).unwrap();
    let lay = |twice: &str, tests: &str| {
        std::fs::write(repo.join("twice.py"), twice).unwrap();
        std::fs::write(repo.join("tests/test_twice.py"), tests).unwrap();
    };
    lay(BEFORE, OLD);
    // No two tests share an image.
    let own = yard.folder.path().display().to_string();
    std::fs::write(repo.join("README"), own).unwrap();
    git(&repo, &["init", "-q", "-b", "main", "."]);
    git(&repo, &["add", "-A"]);
    git(&repo, &["commit", "-qm", "Add one to what is given"]);
    let commit = git(&repo, &["rev-parse", "HEAD"]).trim().to_owned();
    lay(AFTER, &format!("{OLD}{NEW}"));
    let fix = git(&repo, &["diff", "--", "twice.py"]);
    let tests = git(&repo, &["diff", "--", "tests"]);
    let none = fix.replace("+    return x * 2", "+    return x + 1  # so be it");
    let row = |id: &str, patch: &str| {
        json!({
            "repo": "own/twice", "instance_id": id, "base_commit": commit,
            "patch": patch, "test_patch": tests, "version": "1.0",
            "problem_statement": "Double what is given.", "difficulty": "<15 min fix",
            "FAIL_TO_PASS": "[\"tests/test_twice.py::test_new\"]",
            "PASS_TO_PASS": "[\"tests/test_twice.py::test_old\"]",
        })
    };
    let lines = [row("own__twice-1", &fix), row("own__twice-2", &none)];
    let path = yard.path("rows.jsonl");
    std::fs::write(&path, format!("{}\n{}\n", lines[0], lines[1])).unwrap();
    let envs = yard.path("envs");
    std::fs::create_dir_all(&envs).unwrap();
    let text = format!(
        r#"[[environment]]
repo = "own/twice"
base = {:?}
source = {repo:?}
network = "none"
python = "3.11"
packages = ["pip"]
env = {{ PIP_NO_INDEX = "1", PYTHONPATH = "/testbed" }}
pre_install = [
    "cp -r /usr/local/lib/python3.11/dist-packages/. /opt/proofyard/env/lib/python3.11/site-packages",
    "sed '1s|.*|#!/opt/proofyard/env/bin/python|' /usr/local/bin/pytest > /opt/proofyard/env/bin/pytest",
    "chmod 755 /opt/proofyard/env/bin/pytest",
]
test = "pytest -rA"
parser = "pytest"
"#,
        base()
    );
    std::fs::write(envs.join("twice.toml"), text).unwrap();
    path
}

/// What a command prints, as JSON; and its exit code.
fn json_of(yard: &Yard, arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
    let output = yard.proofyard(arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    assert!(
        !lines.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    (lines, output.status.code())
}

#[test]
fn a_data_set_is_checked_and_its_unsound_instance_left_out_of_the_score() {
    let yard = Yard::new();
    let (rows, envs) = (rows(&yard), yard.path("envs"));
    let (rows, envs) = (rows.to_str().unwrap(), envs.to_str().unwrap());
    let pull = "images.pull=false";
    let list = yard.path("quarantine.toml");
    let list = list.to_str().unwrap();

    let mut check = yard.command(&["check", "--dataset", rows, "--envs", envs, "--repeat", "2"]);
    check.args(["--quarantine", list, "--json", "--image-budget", "0.001"]);
    let output = check
        .env("PROOFYARD_IMAGES_PULL", "false")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{text}{told}");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |id: &str| lines.iter().find(|line| line["task"] == id).unwrap();
    assert_eq!(of("own__twice-1")["sound"], "sound", "{text}");
    assert_eq!(of("own__twice-1")["runs"], 2);
    let unsound = of("own__twice-2");
    assert_eq!(unsound["findings"][0]["name"], "solution-fails", "{text}");
    assert_eq!(
        unsound["quarantine"]["measured"],
        "reference resolved 0 of 2, nothing 0 of 2"
    );
    let written = std::fs::read_to_string(list).unwrap();
    assert!(written.contains("id = \"own__twice-2\""), "{written}");
    assert!(!written.contains("own__twice-1"), "{written}");
    // What was there before is there; what the check built for instances is not.
    // (Only of images that no other test takes away meanwhile.)
    for name in ["proofyard-test/python", "proofyard/python"] {
        assert_ne!(docker(&["images", "-q", name]), "", "{name}");
    }
    let own = docker(&[
        "images",
        "--format",
        "{{.ID}}",
        "--filter",
        &format!("label={}", yard.label()),
    ]);
    assert_eq!(own, "");

    let run = |more: &[&str]| {
        let flags = [
            "-a",
            "oracle",
            "--envs",
            envs,
            "--set",
            pull,
            "--exclude",
            list,
        ];
        yard.run(Path::new(rows), &[&flags[..], more].concat())
    };
    let (trials, code) = run(&["--run-id", "valid", "--image-budget", "0.001"]);
    assert_eq!((trials.len(), code), (1, Some(0)), "{trials:#?}");
    assert_eq!(trials[0]["outcome"], "resolved", "{:#}", trials[0]);
    let runs = yard.path("runs");
    let shown = |name: &str| {
        let output = yard.proofyard(&["show", runs.join(name).to_str().unwrap()]);
        String::from_utf8(output.stdout).unwrap()
    };
    let told = "valid 1 of 2 instances (1 quarantined: 1 solution-fails)";
    assert!(shown("valid").contains(told), "{}", shown("valid"));
    let (trials, _) = run(&["--run-id", "all", "--keep-quarantined"]);
    assert_eq!(trials.len(), 2);
    assert!(shown("all").contains("1/1 100 %"), "{}", shown("all"));

    let preds = yard.path("preds.jsonl");
    let preds = preds.to_str().unwrap();
    let exported = yard.proofyard(&[
        "export",
        runs.join("valid").to_str().unwrap(),
        "--predictions",
        preds,
    ]);
    assert_eq!(exported.status.code(), Some(0), "{exported:?}");
    let line: Value = serde_json::from_str(&std::fs::read_to_string(preds).unwrap()).unwrap();
    assert_eq!(line["instance_id"], "own__twice-1");
    assert_eq!(line["model_name_or_path"], "oracle");
    assert!(
        line["model_patch"]
            .as_str()
            .unwrap()
            .contains("+    return x * 2")
    );
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn a_data_set_is_listed_planned_and_shown() {
    let yard = Yard::new();
    let (rows, envs) = (rows(&yard), yard.path("envs"));
    let (rows, envs) = (rows.to_str().unwrap(), envs.to_str().unwrap());
    let (plan, code) = json_of(
        &yard,
        &[
            "images",
            "plan",
            "--dataset",
            rows,
            "--envs",
            envs,
            "--no-pull",
            "--json",
        ],
    );
    assert_eq!(code, Some(0));
    let plan = plan.last().unwrap();
    assert_eq!(plan["built"]["instances"], 2, "{plan:#}");
    assert_eq!(plan["without"], json!([]));
    let (lines, _) = json_of(&yard, &["list", rows, "--json", "--filter", "*-2"]);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["name"], "own__twice-2");
    let mut show = yard.command(&["show", &format!("{rows}#own__twice-1")]);
    let shown = show.env("PROOFYARD_SWEBENCH_ENVS", envs).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("Double what is given."), "{shown}");
    let mut quick = yard.command(&["check", "--quick", rows]);
    let quick = quick.env("PROOFYARD_SWEBENCH_ENVS", envs).output().unwrap();
    let quick = String::from_utf8(quick.stdout).unwrap();
    assert_eq!(quick, "2 tasks read, none measured\n");
}
