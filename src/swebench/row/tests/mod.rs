//! Rows of every shape in every format, of our own making.

mod errors;
mod formats;
mod hostile;
mod oddities;
mod parquet_file;
mod repository;
mod shapes;
mod shared_tests;

use std::fs;

use serde_json::{Map, Value, json};

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const PATCH: &str = "\
diff --git a/one.py b/one.py
--- a/one.py
+++ b/one.py
@@ -1,2 +1,2 @@
 first
-second
+third
";

/// A row with all fields of the classic shape.
fn classic(id: &str) -> Map<String, Value> {
    object(json!({
        "instance_id": id,
        "repo": "owner/name",
        "base_commit": COMMIT,
        "patch": PATCH,
        "test_patch": PATCH.replace("one.py", "test_one.py"),
        "problem_statement": "It says \"second\".\r\nIt should say third: é.",
        "hints_text": "",
        "created_at": "2022-03-03T15:14:54Z",
        "version": "1.10",
        "FAIL_TO_PASS": "[\"test_one.py::test_third\"]",
        "PASS_TO_PASS": "[\"test_one.py::test_first\", \"test_one.py::test[a b]\"]",
        "environment_setup_commit": COMMIT,
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

/// The same row with real lists.
fn listed(mut row: Map<String, Value>) -> Map<String, Value> {
    for field in ["FAIL_TO_PASS", "PASS_TO_PASS"] {
        if let Some(Value::String(text)) = row.get(field) {
            let list: Value = serde_json::from_str(text).unwrap();
            row.insert(field.to_owned(), list);
        }
    }
    row
}

/// The same row with a field changed, or without it.
fn with(mut row: Map<String, Value>, field: &str, value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(value) => drop(row.insert(field.to_owned(), value)),
        None => drop(row.remove(field)),
    }
    row
}

fn lines(rows: &[Map<String, Value>]) -> String {
    let lines = rows.iter();
    lines
        .map(|row| format!("{}\n", Value::Object(row.clone())))
        .collect()
}

/// A folder of its own with these files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// What a file of this name and content reads as.
fn read_file(name: &str, content: impl AsRef<[u8]>) -> Result<DataSet, RowError> {
    let folder = folder(&[(name, content.as_ref())]);
    read(&folder.path().join(name))
}

fn read_rows(rows: &[Map<String, Value>]) -> Result<DataSet, RowError> {
    read_file("rows.jsonl", lines(rows))
}

/// The one row of a data set.
fn read_row(row: Map<String, Value>) -> Row {
    match read_rows(&[row]) {
        Ok(mut set) if set.rows.len() == 1 => set.rows.remove(0),
        Ok(set) => panic!("{} rows", set.rows.len()),
        Err(error) => panic!("{}", error.render(false)),
    }
}

/// What is told where these files are read, the folder taken out.
fn told(files: &[(&str, &[u8])], path: &str) -> String {
    let folder = folder(files);
    let text = match read(&folder.path().join(path)) {
        Ok(set) => panic!("{} rows", set.rows.len()),
        Err(error) => error.render(false),
    };
    text.replace(&format!("{}/", folder.path().display()), "")
}
