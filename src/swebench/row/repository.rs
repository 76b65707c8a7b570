//! A task repository as swebench 5 has it on disk: `sweb.yaml` and a folder per task.
//!
//! Everything in it is read as data: links are not followed, so that no file of the
//! host's comes into a row. Must not know what a field means, but for which file holds
//! it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::error::{BadRow, Place, RowError};
use super::intake::{Intake, Origin};
use super::oddity::OddityKind;
use super::source::error;
use super::{MOST_BYTES, MOST_LINE, MOST_ROWS};
use crate::diagnose::SourceText;
use crate::diagnose::yaml::{self, Node};

/// What makes a folder such a repository.
pub const FILE: &str = "sweb.yaml";
const TASKS: &str = "tasks";
const TASK: &str = "task.yaml";
const TESTS: &str = "tests.json";
/// Fields with a file of their own, and whether it has to be there.
const TEXTS: [(&str, &str, bool); 5] = [
    ("patch", "gold.patch", true),
    ("test_patch", "test.patch", true),
    ("eval_script", "eval.sh", true),
    ("problem_statement", "problem_statement.md", true),
    ("hints_text", "hints.md", false),
];
/// What is published where `sweb.yaml` does not say.
const SPLIT: &str = "test";
/// Largest YAML file, bytes.
const MOST_YAML: u64 = 8 << 20;

/// Whether a folder is one task of a repository.
pub fn is_task(folder: &Path) -> bool {
    [TASK, TESTS].iter().all(|name| folder.join(name).is_file())
}

/// Reads all tasks of the splits that the repository publishes.
///
/// # Errors
/// As of [`super::read`].
pub fn read(folder: &Path, intake: &mut Intake) -> Result<(), RowError> {
    let splits = splits(folder, intake)?;
    let tasks = folder.join(TASKS);
    let mut names = Vec::new();
    for entry in fs::read_dir(&tasks).map_err(|source| error(&tasks, source))? {
        let entry = entry.map_err(|source| error(&tasks, source))?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && entry.path().join(TASK).is_file() {
            names.push(entry.file_name());
        }
        if names.len() > MOST_ROWS {
            return Err(RowError::TooManyRows {
                path: tasks,
                limit: MOST_ROWS,
            });
        }
    }
    names.sort();
    let mut left = MOST_BYTES;
    for (at, name) in names.iter().enumerate() {
        task(&tasks.join(name), at + 1, Some(&splits), &mut left, intake)?;
    }
    Ok(())
}

/// Reads one task, whatever its split.
///
/// # Errors
/// As of [`super::read`].
pub fn read_task(folder: &Path, intake: &mut Intake) -> Result<(), RowError> {
    task(folder, 1, None, &mut MOST_BYTES.clone(), intake)
}

/// The splits that `sweb.yaml` names.
fn splits(folder: &Path, intake: &mut Intake) -> Result<BTreeSet<String>, RowError> {
    let file = folder.join(FILE);
    let fields = match text(&file, MOST_YAML).and_then(|text| from_yaml(&file, text)) {
        Ok(fields) => fields,
        Err(wrong) => {
            intake.refuse(bad(&file, Place::Task(0), None, wrong));
            Map::new()
        }
    };
    let splits = match fields.get("splits") {
        Some(Value::Array(splits)) => splits.as_slice(),
        _ => &[],
    };
    let mut splits: BTreeSet<String> = splits
        .iter()
        .filter_map(|split| split.as_str().map(str::to_owned))
        .collect();
    if splits.is_empty() {
        splits.insert(SPLIT.to_owned());
    }
    Ok(splits)
}

fn task(
    folder: &Path,
    number: usize,
    splits: Option<&BTreeSet<String>>,
    left: &mut u64,
    intake: &mut Intake,
) -> Result<(), RowError> {
    let place = Place::Task(number);
    let name = folder.file_name().and_then(|name| name.to_str());
    let id = name.map(str::to_owned);
    let (fields, wrong) = fields(folder, left);
    if *left == 0 {
        return Err(RowError::TooLarge {
            path: folder.to_path_buf(),
            limit: MOST_BYTES,
        });
    }
    let named = fields.get("instance_id").and_then(Value::as_str);
    let split = fields.get("split").and_then(Value::as_str);
    if let (Some(splits), Some(split)) = (splits, split)
        && !splits.contains(split)
    {
        let instance = format!("{} in `{split}`", name.unwrap_or_default());
        let tally = &mut intake.tally;
        tally.note(OddityKind::Unpublished, 0, &instance, None);
        return Ok(());
    }
    let other = named.filter(|named| Some(*named) != name);
    if let Some(other) = other.filter(|_| splits.is_some()) {
        intake.refuse(BadRow {
            file: folder.join(TASK),
            place,
            id: id.clone(),
            field: Some("instance_id".to_owned()),
            wrong: format!("is `{other}`"),
            advice: "a task's folder is called like its instance".to_owned(),
        });
        return Ok(());
    }
    if !wrong.is_empty() {
        for (file, wrong) in wrong {
            intake.refuse(bad(&file, place, id.clone(), wrong));
        }
        return Ok(());
    }
    let origin = Origin {
        file: folder.into(),
        split: None,
        dir: Some(folder.into()),
    };
    intake.take(&origin, place, fields)
}

/// What is wrong with a file, and what would be right.
type Fault = (String, &'static str);

fn bad(file: &Path, place: Place, id: Option<String>, (wrong, advice): Fault) -> BadRow {
    BadRow {
        file: file.to_path_buf(),
        place,
        id,
        field: None,
        wrong,
        advice: advice.to_owned(),
    }
}

/// The fields of a task, from all its files, and what is wrong with these. `left`: how
/// many bytes more may be read of the repository.
fn fields(folder: &Path, left: &mut u64) -> (Map<String, Value>, Vec<(PathBuf, Fault)>) {
    let mut wrong = Vec::new();
    let mut read = |name: &str, limit: u64| -> (PathBuf, Result<String, Fault>) {
        let file = folder.join(name);
        let text = text(&file, limit.min(*left));
        *left -= text.as_ref().map_or(0, |text| text.len() as u64).min(*left);
        (file, text)
    };
    let (file, yaml) = read(TASK, MOST_YAML);
    let mut fields = yaml
        .and_then(|text| from_yaml(&file, text))
        .unwrap_or_else(|fault| {
            wrong.push((file, fault));
            Map::new()
        });
    let (file, tests) = read(TESTS, MOST_LINE);
    let tests = tests.and_then(|text| {
        serde_json::from_str::<Map<String, Value>>(&text).map_err(|error| {
            (
                format!("is not a JSON object: {error}"),
                "it has FAIL_TO_PASS and PASS_TO_PASS",
            )
        })
    });
    match tests {
        Ok(tests) => fields.extend(tests),
        Err(fault) => wrong.push((file, fault)),
    }
    for (field, name, needed) in TEXTS {
        if !needed && fs::symlink_metadata(folder.join(name)).is_err() {
            continue;
        }
        match read(name, MOST_LINE) {
            (_, Ok(text)) => drop(fields.insert(field.to_owned(), Value::String(text))),
            (file, Err(fault)) => wrong.push((file, fault)),
        }
    }
    (fields, wrong)
}

/// The text of a regular file, ends of lines as they are.
fn text(file: &Path, limit: u64) -> Result<String, Fault> {
    let unread = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ("is not there".to_owned(), "every task has it"),
        _ => (format!("cannot be read: {source}"), ""),
    };
    let meta = fs::symlink_metadata(file).map_err(unread)?;
    if !meta.is_file() {
        return Err((
            "is no regular file".to_owned(),
            "a repository is read as data: links are not followed",
        ));
    }
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(unread)?;
    if bytes.len() as u64 > limit {
        return Err((format!("is larger than {limit} bytes"), ""));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        (format!("is not UTF-8 (byte {at})"), "")
    })
}

/// The map of a YAML file: texts as written, whatever type they look like, so that a
/// version `1.10` stays one.
fn from_yaml(file: &Path, text: String) -> Result<Map<String, Value>, Fault> {
    let source = SourceText::new(file.display().to_string(), text);
    let node = yaml::parse(&source).map_err(|problem| {
        let place = problem.spot.map_or_else(String::new, |spot| {
            format!(
                " (line {}, column {}: {})",
                spot.line, spot.column, spot.label
            )
        });
        (format!("{}{place}", problem.message), "")
    })?;
    match plain(node) {
        Value::Object(fields) => Ok(fields),
        _ => Err(("is not a map".to_owned(), "it has `key: value` lines")),
    }
}

fn plain(node: Node) -> Value {
    if node.is_null() {
        return Value::Null;
    }
    match node.value {
        yaml::Value::Scalar(scalar) => Value::String(scalar.text),
        yaml::Value::List(items) => items.into_iter().map(plain).collect(),
        yaml::Value::Map(entries) => entries
            .into_iter()
            .map(|entry| (entry.key, plain(entry.node)))
            .collect::<Map<_, _>>()
            .into(),
    }
}
