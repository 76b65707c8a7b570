//! The search for answers, through `proofyard check --leaks`: nothing is found where
//! nothing lies, and what was laid is named with its place.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::yard::{Yard, bash};

fn search(yard: &Yard, task: &Path) -> (Value, Option<i32>) {
    let output: Output = yard.proofyard(&["check", "--leaks", "--json", task.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().next().unwrap_or_else(|| panic!("{said}"));
    (serde_json::from_str(line).unwrap(), output.status.code())
}

/// Runs a program in a folder.
fn run(folder: &Path, words: &[&str]) {
    let output = Command::new(words[0])
        .args(&words[1..])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A repository in which a commit with the solution was taken back, in a pack.
fn with_a_dangling_commit(repo: &Path, task: &Path) {
    std::fs::create_dir_all(repo).unwrap();
    run(repo, &["git", "init", "-q", "-b", "main", "."]);
    run(repo, &["git", "config", "user.name", "dev"]);
    run(
        repo,
        &["git", "config", "user.email", "dev@example.invalid"],
    );
    run(
        repo,
        &["git", "commit", "-q", "--allow-empty", "-m", "base"],
    );
    let fix = task.join("solution/fix.patch");
    std::fs::copy(fix, repo.join("notes.txt")).unwrap();
    run(repo, &["git", "add", "-A"]);
    run(repo, &["git", "commit", "-qm", "later"]);
    run(repo, &["git", "reset", "-q", "--hard", "HEAD~1"]);
    run(repo, &["git", "repack", "-adkq"]);
}

#[test]
fn a_task_that_gives_nothing_away_is_clean() {
    let yard = Yard::new();
    let (task, _) = yard.words();
    let (line, code) = search(&yard, &task);
    assert_eq!(line["event"], "leaks");
    assert_eq!(line["found"]["leaks"], Value::Array(Vec::new()), "{line:#}");
    assert_eq!(code, Some(0));
    assert!(line["found"]["searched"]["bytes"].as_u64().unwrap() > 50 << 20);
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn an_answer_in_a_deleted_layer_a_dangling_commit_and_an_archive_is_found() {
    let yard = Yard::new();
    let (task, _) = yard.words();
    let context = task.join("environment");
    run(&task, &["cp", "-r", "solution", "environment/solution"]);
    run(&task, &["tar", "-czf", "environment/kit.tar.gz", "tests"]);
    with_a_dangling_commit(&context.join("mirror"), &task);
    yard.image(
        &task,
        "FROM proofyard/python\n\
         COPY solution /tmp/solution\n\
         RUN rm -r /tmp/solution\n\
         COPY kit.tar.gz /opt/kit.tar.gz\n\
         COPY mirror /srv/mirror",
    );
    let (line, code) = search(&yard, &task);
    assert_eq!(code, Some(3), "{line:#}");
    let leaks = line["found"]["leaks"].as_array().unwrap();
    let at = |path: &str| {
        let found = leaks.iter().find(|leak| leak["place"]["path"][0] == path);
        let found = found.unwrap_or_else(|| panic!("{path}: {line:#}"));
        assert!(
            found["place"]["in"]
                .as_str()
                .unwrap()
                .starts_with("image layer ")
        );
        found
    };
    let deleted = at("/tmp/solution/fix.patch");
    assert_eq!(deleted["needle"], "solution/fix.patch");
    assert_eq!(deleted["kind"], "solution");
    let note = deleted["place"]["note"].as_str().unwrap();
    assert!(note.starts_with("deleted by layer "), "{note}");
    let archive = at("/opt/kit.tar.gz");
    assert_eq!(archive["kind"], "tests");
    assert!(
        archive["place"]["path"][1]
            .as_str()
            .unwrap()
            .starts_with("tests/")
    );
    let packed = leaks.iter().find(|leak| {
        let path = leak["place"]["path"][0].as_str().unwrap();
        path.starts_with("/srv/mirror/.git/objects/pack/")
    });
    let note = packed.unwrap()["place"]["note"].as_str().unwrap();
    assert!(note.starts_with("notes.txt of commit "), "{note}");
    assert_eq!(yard.left(), Vec::<String>::new());
}

/// Kinds and details of a trial's flags.
fn flags(trial: &Value) -> Vec<(&str, &str)> {
    let flags = trial["verdict"]["flags"].as_array().unwrap().iter();
    flags
        .map(|flag| {
            (
                flag["kind"].as_str().unwrap(),
                flag["detail"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn an_agent_that_looks_for_the_answer_is_not_clean_and_an_honest_one_is() {
    let yard = Yard::new();
    let (task, fix) = yard.words();
    let text = std::fs::read_to_string(task.join("task.toml")).unwrap();
    let declared = "[verification]\nanswers = [\"forge.example/words/fixes\"]";
    let text = text.replace("[verification]", declared);
    std::fs::write(task.join("task.toml"), text).unwrap();
    let solve = bash("git apply /tmp/fix.patch");
    let cheat = yard.script(
        "cheat",
        &[
            fix.clone(),
            solve.clone(),
            bash("cat /solution/fix.patch || git show 1b2c3d4e5f || true"),
            bash("curl -m 1 http://forge.example/words/fixes/1 || true"),
        ],
    );
    let trial = yard.one(&task, &cheat, &["--network", "full", "--no-check"]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    assert_eq!(trial["clean"], false);
    let flags_of = flags(&trial);
    assert!(flags_of.iter().all(|(kind, _)| *kind == "contaminated"));
    for what in [
        "/solution/fix.patch",
        "1b2c3d4e5f",
        "forge.example/words/fixes/1",
    ] {
        let named = flags_of.iter().any(|(_, detail)| detail.contains(what));
        assert!(named, "{what}: {flags_of:#?}");
    }
    let base = trial["provenance"]["checkout"]["commit"].as_str().unwrap();
    let honest = yard.script(
        "honest",
        &[
            bash("ls / /tests; cat /etc/hostname"),
            bash(&format!("git log --stat {base}; git show {}", &base[..10])),
            fix,
            solve,
            bash("git add -A && git commit -qm fix && git log --oneline"),
            bash("git diff HEAD~1 && python3 -m pytest -q tests || true"),
        ],
    );
    let trial = yard.one(&task, &honest, &["--no-check"]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    assert_eq!(
        (flags(&trial), &trial["clean"]),
        (vec![], &Value::Bool(true))
    );
    let oracle = yard.one(&task, "oracle", &["--no-check"]);
    assert_eq!(oracle["clean"], true, "{oracle:#}");
    assert_eq!(yard.left(), Vec::<String>::new());
}
