//! Rows of every shape: they run, or are refused with what is wrong.

use std::path::Path;
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::{Value, json};

use crate::swebench::{Bench, File, Project, git, holds, write};

/// A project whose image has a file that no commit has, and that its code needs.
const FILES: [File; 3] = [
    ("twice/__init__.py", "", ""),
    (
        "twice/double.py",
        "from twice.built import ONE\n\n\ndef double(x):\n    return x + ONE\n",
        "from twice.built import ONE\n\n\ndef double(x):\n    return x * (ONE + ONE)\n",
    ),
    (
        "tests/test_double.py",
        "from twice.double import double\n\n\ndef test_old():\n    assert double(1) == 2\n",
        "from twice.double import double\n\n\ndef test_old():\n    assert double(1) == 2\n\n\n\
         def test_new():\n    assert double(4) == 8\n",
    ),
];
const MADE: &str = "echo 'ONE = 1' > twice/built.py && python3 -m compileall -q twice";
const NEW: &str = "tests/test_double.py::test_new";
const OLD: &str = "tests/test_double.py::test_old";

/// As of swebench 5.0: with an image, an eval script, and the name of a log parser.
fn scripted(bench: &Bench) -> (Project, Value) {
    let project = bench.project("imaged", &FILES);
    let image = bench.image(&project, &project.base, MADE);
    let (base, patch) = (&project.base, &project.test_patch);
    let script = format!(
        r#"#!/bin/bash
set -uxo pipefail
cd /testbed
git config --global --add safe.directory /testbed
cd /testbed
git status
git show
git -c core.fileMode=false diff {base}
git checkout {base} tests/test_double.py
git apply -v - <<'EOF_114329324912'
{patch}
EOF_114329324912
: '>>>>> Start Test Output'
python3 -m pytest -rA tests/test_double.py
SWEBENCH_TEST_EXIT_CODE=$?
: '>>>>> End Test Output'
git checkout {base} tests/test_double.py
echo ">>>>> Test Exit Code: $SWEBENCH_TEST_EXIT_CODE"
"#
    );
    let mut row = project.row(&[NEW], &[OLD]);
    for (field, value) in [
        ("image", json!(image)),
        ("eval_script", json!(script)),
        ("log_parser", json!("parse_log_pytest")),
        ("eval_type", json!("pass_and_fail")),
        ("split", json!("test")),
        ("datasets", json!(["own"])),
        ("FAIL_TO_PASS", json!([NEW])),
        ("PASS_TO_PASS", json!([OLD])),
    ] {
        row[field] = value;
    }
    (project, row)
}

#[test]
fn a_row_with_an_image_and_a_script_runs_there_and_leaves_its_work_tree_as_it_is() {
    let bench = Bench::new();
    let (project, row) = scripted(&bench);
    let rows = bench.rows(&[row]);
    let look = format!(
        "git cat-file -t {} || echo no fix; git rev-list --all --reflog --count; \
         cat twice/built.py; ls twice/__pycache__ | grep -c double; git branch -a | wc -l; git status --porcelain",
        project.fix
    );
    let look = bench.agent("look", &[&look]);
    let trials = bench.run(&rows, &["oracle", "nop", &look], &[]);
    let [oracle, nothing, look] = <[Value; 3]>::try_from(trials).unwrap();
    let result = bench.yard.results(&look).remove(0).output.unwrap();
    let mut lines = result.lines().filter(|line| !line.contains("fatal: "));
    let mut next = || lines.next().unwrap_or_default().trim().to_owned();
    assert_eq!(next(), "no fix", "{result}");
    assert_eq!(next(), "2", "{result}");
    assert_eq!(next(), "ONE = 1", "{result}");
    assert_eq!(next(), "1", "{result}");
    assert_eq!(oracle["verdict"]["evidence"], "probed", "{oracle:#}");
    holds(&bench, &[oracle, nothing]);
    bench.gold_resolves(&rows);
}

#[test]
fn a_row_of_swe_bench_live_runs_by_its_commands() {
    let bench = Bench::new();
    let project = bench.project("live", &FILES);
    let mut row = project.row(&[], &[]);
    for (field, value) in [
        (
            "docker_image",
            json!(bench.image(&project, &project.base, MADE)),
        ),
        ("test_cmds", json!(["python3 -m pytest -rA"])),
        ("log_parser", json!("pytest")),
        ("FAIL_TO_PASS", json!([NEW])),
        ("PASS_TO_PASS", json!([OLD])),
    ] {
        row[field] = value;
    }
    let rows = bench.rows(&[row]);
    let trials = bench.both(&rows, &["--no-check"]);
    holds(&bench, &trials);
    bench.gold_resolves(&rows);
}

#[test]
fn a_row_of_swe_smith_begins_with_its_patch_as_the_bug() {
    let bench = Bench::new();
    let project = bench.project("smith", &FILES);
    let bug = git(
        &project.folder,
        &["diff", &project.fix, &project.base, "--", "twice"],
    );
    let row = json!({
        "instance_id": "own__smith.abcdef12.func__1",
        "repo": "swesmith/own__smith.abcdef12",
        "patch": bug + "\n",
        "FAIL_TO_PASS": [NEW],
        "PASS_TO_PASS": [OLD],
        "image_name": bench.image(&project, "main", MADE),
        "problem_statement": "`double(4)` is 5.\n",
    });
    bench.specify_repo(
        "swesmith/own__smith.abcdef12",
        &bench.base("python"),
        "eval_commands = \"git status --short\"\ntest = \"python3 -m pytest -rA\"\nparser = \"pytest\"\n",
    );
    let look = "git rev-list --all --count; git status --porcelain -uno | wc -l; tail -n 1 twice/double.py";
    let look = bench.agent("look", &[look]);
    let rows = bench.rows(&[row]);
    let trials = bench.run(&rows, &["oracle", "nop", &look], &["--no-check"]);
    let [oracle, nothing, look] = <[Value; 3]>::try_from(trials).unwrap();
    let said = bench.yard.results(&look).remove(0).output.unwrap();
    // The parent of the bug would be the answer.
    assert_eq!(said, "1\n0\n    return x + ONE\n");
    // The bug is no change of the work tree's that could be set back; the fix is one.
    let log = bench.official(&oracle, "test_output.txt");
    assert!(log.contains("\n M twice/double.py\n"), "{log}");
    holds(&bench, &[oracle, nothing]);
    bench.gold_resolves(&rows);
}

/// A data set's instance as it was laid out.
fn laid_out(bench: &Bench, path: &Path) -> Value {
    let state = bench.yard.path("state/instances");
    let _ = std::fs::remove_dir_all(&state);
    let arguments = ["run", path.to_str().unwrap(), "-a", "nop", "--dry-run"];
    let output = bench.yard.proofyard(&arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let mut folders = std::fs::read_dir(state).unwrap();
    let folder = folders
        .next()
        .unwrap()
        .unwrap()
        .path()
        .join("own__imaged-1");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let mut instance: Value = serde_json::from_str(&read("instance.json")).unwrap();
    for name in [
        "instruction.md",
        "tests/test.patch",
        "tests/eval.sh",
        "solution/fix.patch",
    ] {
        instance[name] = json!(read(name));
    }
    instance
}

#[test]
fn lines_a_list_a_table_and_a_task_repository_have_the_same_task() {
    let bench = Bench::new();
    let project = bench.project("imaged", &FILES);
    let mut row = project.row(&[NEW], &[OLD]);
    for (field, value) in [
        ("image", "own/imaged:1"),
        ("eval_script", "#!/bin/bash\npytest -rA\n"),
        ("log_parser", "pytest"),
        ("eval_type", "pass_and_fail"),
        ("split", "test"),
    ] {
        row[field] = value.into();
    }
    let of_lines = laid_out(&bench, &bench.rows(&[row.clone()]));
    assert_eq!(of_lines["fail_to_pass"], json!([NEW]));

    let list = bench.yard.path("rows.json");
    write(&list, &serde_json::to_string_pretty(&json!([row])).unwrap());
    assert_eq!(laid_out(&bench, &list), of_lines);

    let table = bench.yard.path("test-00000-of-00001.parquet");
    std::fs::write(&table, parquet(row.as_object().unwrap())).unwrap();
    assert_eq!(laid_out(&bench, &table), of_lines);

    let repository = bench.yard.path("repository");
    task_repository(&repository, &row);
    assert_eq!(laid_out(&bench, &repository), of_lines);
}

/// A task repository as of swebench 5 with one row.
fn task_repository(folder: &Path, row: &Value) {
    let task = folder
        .join("tasks")
        .join(row["instance_id"].as_str().unwrap());
    std::fs::create_dir_all(&task).unwrap();
    write(
        &folder.join("sweb.yaml"),
        "datasets: [own]\nsplits: [test]\n",
    );
    let text = |field: &str| row[field].as_str().unwrap();
    for (field, name) in [
        ("patch", "gold.patch"),
        ("test_patch", "test.patch"),
        ("eval_script", "eval.sh"),
        ("problem_statement", "problem_statement.md"),
    ] {
        std::fs::write(task.join(name), text(field)).unwrap();
    }
    let lists = ["FAIL_TO_PASS", "PASS_TO_PASS"].map(|field| {
        let list: Value = serde_json::from_str(text(field)).unwrap();
        (field.to_owned(), list)
    });
    let lists: serde_json::Map<String, Value> = lists.into_iter().collect();
    write(&task.join("tests.json"), &Value::from(lists).to_string());
    let plain = [
        "instance_id",
        "repo",
        "base_commit",
        "version",
        "created_at",
        "image",
        "log_parser",
        "eval_type",
        "split",
        "difficulty",
        "environment_setup_commit",
    ];
    let yaml = plain.map(|field| format!("{field}: \"{}\"\n", text(field)));
    write(&task.join("task.yaml"), &yaml.concat());
}

/// A file with one row of texts.
fn parquet(row: &serde_json::Map<String, Value>) -> Vec<u8> {
    let columns = row
        .keys()
        .map(|name| format!("required binary {name} (STRING);"));
    let schema = format!("message rows {{ {} }}", columns.collect::<String>());
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Default::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    for value in row.values() {
        let mut column = group.next_column().unwrap().unwrap();
        let text = ByteArray::from(value.as_str().unwrap());
        let typed = column.typed::<ByteArrayType>();
        typed.write_batch(&[text], None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    file.into_inner().unwrap()
}

#[test]
fn rows_that_cannot_be_run_are_refused_with_what_is_wrong() {
    let bench = Bench::new();
    let project = bench.project("imaged", &FILES);
    let row = || project.row(&[NEW], &[OLD]);
    let with = |fields: &[(&str, Value)]| {
        let mut row = row();
        for (field, value) in fields {
            row[*field] = value.clone();
        }
        row
    };
    let program = "def parser(log):\n    return {}\n";
    let commands = ("test_cmds", json!(["true"]));
    for (row, expected) in [
        (row(), "no specification in `envs` is for own/imaged 1.0"),
        (
            with(&[commands.clone(), ("log_parser", json!(program))]),
            "the log parser of its row is a program, which is not run",
        ),
        (
            with(&[commands.clone(), ("log_parser", json!("pytset"))]),
            "none that is known",
        ),
        (with(&[commands]), "has no log parser"),
        (
            with(&[("FAIL_TO_PASS", json!("tests/a.py"))]),
            "is not the JSON text of a list",
        ),
        (with(&[("base_commit", json!("main"))]), "base_commit"),
        (with(&[("instance_id", json!("../../etc"))]), "instance_id"),
        (json!({"repo": "own/imaged"}), "is missing"),
    ] {
        let rows = bench.rows(&[row]);
        let output =
            bench
                .yard
                .proofyard(&["run", rows.to_str().unwrap(), "-a", "nop", "--dry-run"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn an_instance_without_an_image_is_an_error_that_says_what_is_missing() {
    let bench = Bench::new();
    let project = bench.project("imaged", &FILES);
    let mut row = project.row(&[NEW], &[OLD]);
    row["test_cmds"] = json!(["python3 -m pytest -rA"]);
    row["log_parser"] = json!("pytest");
    let rows = bench.rows(&[row]);
    let flags = ["-a", "nop", "--set", "images.pull=false"];
    let (trials, code) = bench.yard.run(&rows, &flags);
    assert_eq!(
        (trials[0]["outcome"].as_str(), code),
        (Some("error"), Some(1))
    );
    let said = trials[0]["error"]["message"].as_str().unwrap();
    assert!(said.contains("sweb.eval.x86_64.own__imaged-1"), "{said}");
    assert!(
        said.contains("no specification in `swebench.envs`"),
        "{said}"
    );
}
