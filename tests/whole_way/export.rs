//! An exported run before Harbor's own models.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::yard::{Yard, bash, call};

/// A task of two steps, whose second gives no reward where nothing was done.
fn stepped(yard: &Yard) {
    let task = yard.path("tasks/stepped");
    let write = |path: &str, text: &str| {
        let path = task.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "task.toml",
        "[[steps]]\nname = \"first\"\n[[steps]]\nname = \"second\"\n",
    );
    write(
        "environment/Dockerfile",
        "FROM proofyard/base\nWORKDIR /app\n",
    );
    for (step, reward) in [
        ("first", "echo 1 > /logs/verifier/reward.txt"),
        (
            "second",
            "test -e second && echo 1 > /logs/verifier/reward.txt",
        ),
    ] {
        write(&format!("steps/{step}/instruction.md"), "Do it.\n");
        let solve = format!("#!/bin/bash\ntouch {step}\n");
        write(&format!("steps/{step}/solution/solve.sh"), &solve);
        let test = format!("#!/bin/bash\n{reward}\n");
        write(&format!("steps/{step}/tests/test.sh"), &test);
    }
}

/// Tasks of every kind of verdict.
fn tasks(yard: &Yard) {
    yard.answer("plain");
    let json = "grep -qx 42 /answer && v=1 || v=0\n\
        echo \"{\\\"reward\\\": $v, \\\"style\\\": 0.5}\" > /logs/verifier/reward.json";
    yard.task("mapped", "", "echo 42 > /answer", json);
    yard.task(
        "silent",
        "",
        "echo 42 > /answer",
        "grep -qx 43 /answer && echo 1 > /logs/verifier/reward.txt",
    );
    yard.words();
    stepped(yard);
}

/// A model that says things that are awkward to write down.
fn play(yard: &Yard) -> String {
    let path = yard.path("play.toml");
    let text = r#"
model = "play-1"
[[turn]]
say = "colour \u001B[31m, null \u0000, a line\u2028, \U0001F980"
reasoning = "why not"
calls = [
    { tool = "bash", arguments = { command = "printf '\\033[1mbold\\001'; echo 42 > /answer" } },
    { tool = "nothing_of_the_kind", arguments = {} },
    { tool = "bash", raw = "{ no json" },
]
then = [{ calls = [{ tool = "submit", arguments = { message = "done" } }] }]
"#;
    std::fs::write(&path, text).unwrap();
    format!("scripted:{}", path.display())
}

fn docker_run(image: &str, job: &Path) -> std::process::Output {
    let validate = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/harbor/validate.py");
    Command::new("docker")
        .args(["run", "--rm", "--network", "none"])
        .arg(format!("--volume={}:/job:ro", job.display()))
        .arg(format!("--volume={}:/validate.py:ro", validate.display()))
        .args([image, "python3", "/validate.py", "/job"])
        .output()
        .unwrap()
}

#[test]
fn harbors_own_models_take_an_exported_run() {
    if std::env::var_os("PROOFYARD_SLOW").is_none() {
        eprintln!("skipped: PROOFYARD_SLOW is not set");
        return;
    }
    let yard = Yard::new();
    tasks(&yard);
    let odd = yard.script(
        "odd.jsonl",
        &[
            bash("echo 41 > /answer; printf '\\033[31m\\000\\377'"),
            call("read", json!({"path": "/nowhere"})),
            call("write", json!({"path": 3})),
        ],
    );
    let model = play(&yard);
    let ran = yard.proofyard(&[
        "run",
        yard.path("tasks").to_str().unwrap(),
        "--json",
        "--run-id",
        "all",
        "-a",
        "oracle",
        "-a",
        "nop",
        "-a",
        &odd,
        "-a",
        "loop",
        "-m",
        &model,
        "-n",
        "2",
    ]);
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(matches!(ran.status.code(), Some(0 | 1)), "{said}");

    let job = yard.path("job");
    let export = yard.proofyard(&[
        "export",
        "all",
        "--to",
        "harbor",
        "--out",
        job.to_str().unwrap(),
    ]);
    let said = String::from_utf8_lossy(&export.stderr).into_owned();
    assert_eq!((export.status.code(), said.as_str()), (Some(0), ""));

    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/harbor/images");
    let built = yard
        .command(&["images", "build", "harbor-models"])
        .env("PROOFYARD_IMAGES_DIR", images)
        .output()
        .unwrap();
    let name = String::from_utf8(built.stdout).unwrap();
    let image = name
        .split_whitespace()
        .next()
        .unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&built.stderr)));
    let read = docker_run(image, &job);
    let refused = String::from_utf8_lossy(&read.stderr).into_owned();
    assert!(read.status.success(), "{refused}");
    let told = String::from_utf8(read.stdout).unwrap();
    assert!(told.contains("40 trials, 0 refused"), "{told}");

    // And what it refuses is noticed.
    let result = job.join("result.json");
    let mut changed: Value =
        serde_json::from_str(&std::fs::read_to_string(&result).unwrap()).unwrap();
    changed["stats"]["n_errored_trials"] = json!(17);
    std::fs::write(&result, changed.to_string()).unwrap();
    assert!(!docker_run(image, &job).status.success());
}
