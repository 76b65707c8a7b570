//! Task repositories on disk.

use insta::assert_snapshot;

use super::*;

const TASK: &str = "\
base_commit: 0123456789abcdef0123456789abcdef01234567
created_at: 2022-03-03T15:14:54Z
datasets:
- SWE-bench/SWE-bench
eval_type: pass_and_fail
image: swebench/sweb.eval.x86_64.a_1776_b-1:latest
instance_id: a__b-1
log_parser: pytest
repo: a/b
split: test
version: 1.10
";
const TESTS: &str = r#"{"FAIL_TO_PASS": ["x"], "PASS_TO_PASS": []}"#;
const SWEB: &str = "datasets: [SWE-bench/SWE-bench]\nsplits: [test, dev]\n";

/// The files of one task, the first changed.
fn task(id: &str, changed: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut files = vec![
        ("task.yaml", TASK.replace("a__b-1", id)),
        ("tests.json", TESTS.to_owned()),
        ("problem_statement.md", "It is wrong.\r\n".to_owned()),
        ("gold.patch", PATCH.to_owned()),
        ("test.patch", PATCH.replace("one", "test_one")),
        ("eval.sh", "#!/bin/bash\ntrue\n".to_owned()),
        ("Dockerfile", "FROM scratch\n".to_owned()),
    ];
    for (name, content) in changed {
        files.retain(|(known, _)| known != name);
        files.push((name, (*content).to_owned()));
    }
    files
        .into_iter()
        .map(|(name, content)| (format!("r/tasks/{id}/{name}"), content))
        .collect()
}

fn repository(tasks: &[Vec<(String, String)>]) -> tempfile::TempDir {
    let mut files: Vec<(&str, &[u8])> = vec![("r/sweb.yaml", SWEB.as_bytes())];
    for (name, content) in tasks.iter().flatten() {
        files.push((name, content.as_bytes()));
    }
    folder(&files)
}

fn told_of(tasks: &[Vec<(String, String)>]) -> String {
    told_in(&repository(tasks))
}

fn told_in(folder: &tempfile::TempDir) -> String {
    let error = read(&folder.path().join("r")).unwrap_err();
    let shown = error.render(false);
    shown.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_repository_is_the_rows_of_its_tasks() {
    let hints = [("hints.md", "Look.\n")];
    let tasks = [task("a__b-2", &hints), task("a__b-1", &[])];
    let folder = repository(&tasks);
    let set = read(&folder.path().join("r")).unwrap();
    assert!(
        set.oddities
            .iter()
            .all(|odd| odd.kind == OddityKind::NoPassToPass)
    );
    let [one, two] = set.rows.as_slice() else {
        panic!("{} rows", set.rows.len());
    };
    assert_eq!(
        (one.instance_id.as_str(), two.instance_id.as_str()),
        ("a__b-1", "a__b-2")
    );
    assert_eq!(one.shape, Shape::Scripted);
    assert_eq!(one.version.as_deref(), Some("1.10"));
    assert_eq!(one.created_at.as_deref(), Some("2022-03-03T15:14:54Z"));
    assert_eq!(one.problem_statement, "It is wrong.\r\n");
    assert_eq!(one.fail_to_pass, ["x"]);
    assert_eq!(one.datasets, ["SWE-bench/SWE-bench"]);
    assert_eq!(one.hints_text, None);
    assert_eq!(two.hints_text.as_deref(), Some("Look.\n"));
    assert_eq!(one.dir, Some(folder.path().join("r/tasks/a__b-1")));
    // As it is published: the same rows, in one file.
    let published: Vec<_> = set.rows.iter().map(published).collect();
    assert_eq!(read_rows(&published).unwrap().digest, set.digest);
}

fn published(row: &Row) -> Map<String, Value> {
    object(json!({
        "instance_id": row.instance_id, "repo": row.repo, "base_commit": row.base_commit,
        "patch": row.patch, "test_patch": row.test_patch, "version": row.version,
        "problem_statement": row.problem_statement, "hints_text": row.hints_text,
        "FAIL_TO_PASS": row.fail_to_pass, "PASS_TO_PASS": row.pass_to_pass,
        "image": row.image, "eval_script": row.eval_script, "log_parser": row.log_parser,
        "eval_type": row.eval_type,
    }))
}

#[test]
fn an_unpublished_split_is_left_out_and_one_task_can_be_named() {
    let gone = TASK
        .replace("a__b-1", "a__b-2")
        .replace("split: test", "split: deprecated");
    let tasks = [task("a__b-1", &[]), task("a__b-2", &[("task.yaml", &gone)])];
    let folder = repository(&tasks);
    let set = read(&folder.path().join("r")).unwrap();
    assert_eq!(set.rows.len(), 1);
    assert_eq!(
        set.oddities.last().map(Oddity::to_string).as_deref(),
        Some(
            "1 instance has a split that sweb.yaml does not publish; left out (such as a__b-2 in `deprecated`)"
        )
    );
    let one = read(&folder.path().join("r/tasks/a__b-2")).unwrap();
    assert_eq!(one.rows[0].split.as_deref(), Some("deprecated"));
}

#[test]
fn what_is_wrong_with_files_is_told_by_file() {
    let yaml = "instance_id: a__b-1\n  bad: [\n";
    let tasks = [
        task("a__b-1", &[("task.yaml", yaml), ("tests.json", "{]")]),
        task("a__b-2", &[("task.yaml", TASK)]),
        task("a__b-3", &[("gold.patch", "no patch")]),
    ];
    assert_snapshot!(told_of(&tasks), @r#"
    error: r/tasks/a__b-1/task.yaml: a__b-1: this is not YAML that can be read (line 2, column 6: mapping values are not allowed in this context)
    error: r/tasks/a__b-1/tests.json: a__b-1: is not a JSON object: key must be a string at line 1 column 2
      it has FAIL_TO_PASS and PASS_TO_PASS
    error: r/tasks/a__b-2/task.yaml: a__b-2: `instance_id` is `a__b-1`
      a task's folder is called like its instance
    error: r/tasks/a__b-3: a__b-3: `patch` is not a patch; it begins with `no patch`
      a patch as git writes it, or nothing
    "#);
}

#[cfg(unix)]
#[test]
fn links_out_of_a_repository_are_not_followed() {
    let folder = repository(&[task("a__b-1", &[])]);
    let statement = folder.path().join("r/tasks/a__b-1/problem_statement.md");
    fs::write(folder.path().join("secret"), "of the host's").unwrap();
    fs::remove_file(&statement).unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret"), &statement).unwrap();
    assert_snapshot!(told_in(&folder), @r#"
    error: r/tasks/a__b-1/problem_statement.md: a__b-1: is no regular file
      a repository is read as data: links are not followed
    "#);
}
