//! Rows as folders, and folders as tasks.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::swebench::row::Row;
use crate::task::envs::Environments;
use crate::task::{self, Format, Hidden, History, ImageSource, Network, RepoSource, Runner, Task};

const SCRIPTED: &str = "\
[[environment]]
repo = \"own/name\"
base = \"debian:bookworm-slim\"
python = \"3.11\"
source = \"mirror\"
install = \"python -m pip install -e .\"
test = \"pytest -rA\"
parser = \"pytest\"
network = \"none\"
memory_mb = 512
timeout_sec = 60
[[environment]]
repo = \"own/django\"
base = \"debian:bookworm-slim\"
python = \"3.11\"
source = \"mirror\"
test = \"./tests/runtests.py --verbosity 2 --parallel 1\"
parser = \"django\"
";

fn row() -> Row {
    Row {
        instance_id: "own__name-1".into(),
        repo: "own/name".into(),
        base_commit: Some("ab".repeat(20)),
        patch: "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a\n+b\n".into(),
        test_patch: "diff --git a/tests/test_a.py b/tests/test_a.py\n--- a/tests/test_a.py\n+++ b/tests/test_a.py\n@@ -1 +1 @@\n-a\n+b\n".into(),
        problem_statement: "It says a.".into(),
        version: Some("1.0".into()),
        fail_to_pass: vec!["tests/test_a.py::test_b".into()],
        pass_to_pass: vec!["tests/test_a.py::test_c".into(), "[100%]".into()],
        difficulty: Some("<15 min fix".into()),
        ..Row::default()
    }
}

/// The task that a row becomes, and the folder that it lies in.
fn made(row: &Row, specifications: &str) -> Result<(Task, tempfile::TempDir), InstanceError> {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("envs.toml");
    std::fs::write(&file, specifications).unwrap();
    let environments = match specifications {
        "" => Environments::default(),
        _ => Environments::read(&[file], &[]).unwrap(),
    };
    let ground = Ground {
        cache: &place.path().join("cache"),
        environments: &environments,
        table: None,
        history: History::Ancestors,
        timeout: Duration::from_secs(1800),
    };
    let folder = lay_out(row, &ground)?;
    // A second time it is found as it is.
    assert_eq!(lay_out(row, &ground)?, folder);
    Ok((task::load(&folder).unwrap(), place))
}

#[test]
fn a_row_is_a_task_of_its_repo_and_nothing_but_the_statement_is_told() {
    let (task, _place) = made(&row(), SCRIPTED).unwrap();
    assert_eq!(task.id.as_str(), "own__name-1");
    assert_eq!(task.format, Format::SweBench);
    assert_eq!(task.instruction, "It says a.");
    assert_eq!(task.source, "own__name-1");
    let repo = task.repo.as_ref().unwrap();
    assert_eq!(repo.source, RepoSource::Image);
    assert_eq!(repo.commit.as_deref(), row().base_commit.as_deref());
    assert_eq!(task.cluster(), "own/name");
    assert_eq!(task.scenario.difficulty.as_deref(), Some("<15 min fix"));
    assert_eq!(task.environment.network, Network::None);
    assert_eq!(task.environment.memory_bytes, Some(512 << 20));
    let ImageSource::Instance(image) = &task.environment.image else {
        panic!("{:?}", task.environment.image);
    };
    assert!(
        image.names[0].contains("own_1776_name-1"),
        "{:?}",
        image.names
    );
    let built = image.built.as_ref().unwrap();
    assert!(
        built
            .instance
            .starts_with(&format!("FROM {}\n", Built::FROM))
    );
}

#[test]
fn its_tests_are_run_as_its_eval_script_says_and_leave_records() {
    let (task, _place) = made(&row(), SCRIPTED).unwrap();
    let verification = &task.verification;
    assert_eq!(verification.runner, Runner::Pytest);
    assert_eq!(verification.command.as_deref(), Some("python -m pytest"));
    let enter = verification.enter.as_deref().unwrap();
    assert!(enter.contains("conda activate testbed"), "{enter}");
    let build = verification.build.as_deref().unwrap();
    assert_eq!(build, "python -m pip install -e .\n:");
    assert_eq!(verification.timeout, Duration::from_secs(60));
    assert!(
        matches!(&verification.hidden, Hidden::Patch(file) if file.ends_with("tests/test.patch"))
    );
    // What names no test only the official rules ask for.
    assert_eq!(verification.pass_to_pass, ["tests/test_a.py::test_c"]);
    let official = task.official.unwrap();
    assert_eq!(official.pass_to_pass.len(), 2);
    assert_eq!(official.log_parser.as_deref(), Some("parse_log_pytest"));
    let script = std::fs::read_to_string(official.script).unwrap();
    assert!(script.contains("pytest -rA tests/test_a.py\n"), "{script}");
}

#[test]
fn a_script_that_runs_unittest_is_named_its_modules() {
    let row = Row {
        repo: "own/django".into(),
        test_patch: row()
            .test_patch
            .replace("tests/test_a.py", "tests/forms/test_a.py"),
        ..row()
    };
    let (task, _place) = made(&row, SCRIPTED).unwrap();
    let verification = &task.verification;
    assert_eq!(verification.runner, Runner::UnittestScript);
    assert_eq!(
        verification.command.as_deref(),
        Some("python ./tests/runtests.py --verbosity 2 --parallel 1 {targets}")
    );
    assert_eq!(verification.targets, ["forms.test_a"]);
}

#[test]
fn a_row_that_brings_its_script_needs_no_specification() {
    let (scripted, _place) = made(&row(), SCRIPTED).unwrap();
    let script = std::fs::read_to_string(scripted.official.unwrap().script).unwrap();
    let row = Row {
        image: Some("own/image:1".into()),
        eval_script: Some(script),
        log_parser: Some("parse_log_pytest_options".into()),
        ..row()
    };
    let (task, _place) = made(&row, "").unwrap();
    assert_eq!(task.verification.runner, Runner::Pytest);
    assert_eq!(task.verification.network, Network::Full);
    let ImageSource::Instance(image) = &task.environment.image else {
        panic!("{:?}", task.environment.image);
    };
    assert_eq!(image.names[0], "own/image:1");
    assert_eq!(image.built, None);
    assert_eq!(
        task.environment.env.get("BASH_ENV").map(String::as_str),
        Some("/root/.bashrc")
    );
}

#[test]
fn a_script_of_its_own_kind_is_judged_by_the_official_rules_alone() {
    let row = Row {
        eval_script: Some("#!/bin/sh\nmake test\n".into()),
        log_parser: Some("parse_log_tap".into()),
        ..row()
    };
    let (task, _place) = made(&row, "").unwrap();
    assert_eq!(
        (task.verification.runner, &task.verification.command),
        (Runner::Log, &None)
    );
    assert!(
        task.warnings[0].contains("only the official rules"),
        "{:?}",
        task.warnings
    );
}

#[test]
fn the_patch_of_a_bug_is_laid_first_and_its_history_told_to_nobody() {
    let row = Row {
        reversed: true,
        base_commit: None,
        ..row()
    };
    let (task, _place) = made(&row, SCRIPTED).unwrap();
    assert_eq!(task.repo.as_ref().unwrap().history, History::None);
    let ImageSource::Instance(image) = &task.environment.image else {
        panic!("{:?}", task.environment.image);
    };
    assert!(
        image
            .bug
            .as_deref()
            .is_some_and(|bug| bug.ends_with("solution/fix.patch"))
    );
    let solve = task.solution.unwrap().join("solve.sh");
    assert!(
        std::fs::read_to_string(solve)
            .unwrap()
            .contains("--reverse")
    );
}

#[test]
fn what_nothing_says_how_to_run_names_the_ways_out() {
    let error = made(&row(), "").map(drop).unwrap_err();
    assert!(error.to_string().contains("own__name-1"), "{error}");
    let advice = error.advice().join("\n");
    assert!(
        advice.contains("swebench.envs") && advice.contains("import swebench-specs"),
        "{advice}"
    );
    let program = Row {
        log_parser: Some("def parse(log):\n    return {}\n".into()),
        ..row()
    };
    let error = made(&program, SCRIPTED).map(drop).unwrap_err();
    assert!(
        error.to_string().contains("a program, which is not run"),
        "{error}"
    );
}

#[test]
fn a_folder_of_another_version_says_so() {
    let (task, _place) = made(&row(), SCRIPTED).unwrap();
    let file = task.dir.join(FILE);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("swebench-instance/2", "swebench-instance/9"),
    )
    .unwrap();
    let error = task::load(Path::new(&task.dir)).unwrap_err().to_string();
    assert!(error.contains("swebench-instance/9"), "{error}");
}
