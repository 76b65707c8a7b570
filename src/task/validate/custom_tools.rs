//! `[[tools.custom]]` and `files`: tools of a task's own.
//!
//! Owns what makes such a tool whole. Must not know where and how it runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Checker;
use crate::diagnose::KeyPath;
use crate::task::folder::read_text;
use crate::task::pattern::compile_schema;
use crate::task::raw::{CustomTable, ToolsTable};
use crate::task::{CustomTool, Hidden, STANDARD_TOOLS};

/// Longest name; endpoints of models take no longer one.
const LONGEST_NAME: usize = 64;
/// Most bytes of a schema.
const MOST_SCHEMA: u64 = 1 << 20;

/// The tools that are whole, in their order.
pub fn custom(tables: &[CustomTable], check: &mut Checker<'_>) -> Vec<CustomTool> {
    let mut seen = BTreeSet::new();
    let mut tools = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let at = KeyPath::from("tools.custom").index(index);
        let name = name(table, &at, &mut seen, check);
        let description = description(table, &at, check);
        let parameters = parameters(table, &at, check);
        let command = command(table, &at, check);
        if let (Some(name), Some(description), Some(parameters), Some(command)) =
            (name, description, parameters, command)
        {
            tools.push(CustomTool {
                name,
                description,
                parameters,
                command,
            });
        }
    }
    tools
}

fn name<'t>(
    table: &'t CustomTable,
    at: &KeyPath,
    seen: &mut BTreeSet<&'t str>,
    check: &mut Checker<'_>,
) -> Option<String> {
    let Some(name) = &table.name else {
        check.wrong(at.clone(), "a tool in [[tools.custom]] has no `name`", "");
        return None;
    };
    let at = at.clone().key("name");
    let plain = name.starts_with(|sign: char| sign.is_ascii_lowercase())
        && name
            .chars()
            .all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '_');
    if !plain || name.len() > LONGEST_NAME {
        check.wrong(
            at,
            format!("`{name}` cannot be a tool's name"),
            format!("a small letter, then small letters, digits and `_`, at most {LONGEST_NAME}"),
        );
    } else if STANDARD_TOOLS.contains(&name.as_str()) {
        check.wrong(
            at,
            format!("`{name}` is a tool of the standard set"),
            "another name, so that rules say which is meant",
        );
    } else if !seen.insert(name) {
        check.wrong(at, format!("two tools are called `{name}`"), "");
    } else {
        return Some(name.clone());
    }
    None
}

/// What a problem calls a tool.
fn called(table: &CustomTable) -> String {
    match &table.name {
        Some(name) => format!("`{name}`"),
        None => "a tool in [[tools.custom]]".to_owned(),
    }
}

fn description(table: &CustomTable, at: &KeyPath, check: &mut Checker<'_>) -> Option<String> {
    let label = "it is what a model reads of the tool";
    match &table.description {
        None => check.wrong(
            at.clone(),
            format!("{} has no `description`", called(table)),
            label,
        ),
        Some(text) if text.trim().is_empty() => check.wrong(
            at.clone().key("description"),
            format!("the `description` of {} says nothing", called(table)),
            label,
        ),
        Some(text) => return Some(text.clone()),
    }
    None
}

fn command(table: &CustomTable, at: &KeyPath, check: &mut Checker<'_>) -> Option<Vec<String>> {
    let command = table.command.as_deref().unwrap_or_default();
    let program = command.first().is_some_and(|program| !program.is_empty());
    if program && !command.iter().any(|word| word.contains('\0')) {
        return Some(command.to_vec());
    }
    let place = match table.command {
        Some(_) => at.clone().key("command"),
        None => at.clone(),
    };
    check.wrong(
        place,
        format!("{} has no `command`", called(table)),
        "a list: the program, then its arguments",
    );
    None
}

/// The schema of the arguments, from its file.
fn parameters(table: &CustomTable, at: &KeyPath, check: &mut Checker<'_>) -> Option<Value> {
    let Some(path) = &table.parameters else {
        check.wrong(
            at.clone(),
            format!("{} has no `parameters`", called(table)),
            "a file with the JSON Schema of its arguments",
        );
        return None;
    };
    let at = at.clone().key("parameters");
    let found = check.inside(at.clone(), path)?;
    if !found.is_file() {
        check.wrong(
            at,
            format!("`{path}` is not a file"),
            "a file with a JSON Schema",
        );
        return None;
    }
    let text = match read_text(&found, MOST_SCHEMA) {
        Ok(text) => text,
        Err(error) => {
            check.wrong(at, error.to_string(), "");
            return None;
        }
    };
    let schema: Value = match serde_json::from_str(&text) {
        Ok(schema) => schema,
        Err(error) => {
            check.wrong(at, format!("`{path}` is not JSON"), error.to_string());
            return None;
        }
    };
    if let Err(error) = compile_schema(&schema) {
        check.wrong(at, format!("`{path}` is not a JSON Schema"), error.cause());
        return None;
    }
    if schema["type"] != "object" {
        check.wrong(
            at,
            format!("`{path}` is not the schema of an object"),
            "arguments have names: its root needs \"type\": \"object\"",
        );
        return None;
    }
    Some(schema)
}

/// The folder that is `/tools` where the tools run; nothing hidden lies in it.
pub fn files(table: &ToolsTable, hidden: &Hidden, check: &mut Checker<'_>) -> Option<PathBuf> {
    let given = table.files.as_ref()?;
    let found = check.inside("tools.files", given)?;
    if !found.is_dir() {
        check.wrong(
            "tools.files",
            format!("`{given}` is not a folder"),
            "a folder of programs and state",
        );
        return None;
    }
    let hidden = match hidden {
        Hidden::Overlay(folders) => folders.as_slice(),
        Hidden::Patch(file) => std::slice::from_ref(file),
    };
    let dir = check.dir();
    let mut apart = vec![
        ("the task's own files", dir.join("task.toml")),
        ("the solution", dir.join("solution")),
        ("the tests", dir.join("tests")),
    ];
    apart.extend(hidden.iter().map(|path| ("the hidden files", path.clone())));
    let shared = apart
        .iter()
        .find(|(_, path)| overlap(&found, &path.canonicalize().unwrap_or_default()));
    if let Some((what, _)) = shared {
        check.wrong(
            "tools.files",
            format!("`{given}` has {what} in it"),
            "tools run where an agent's calls go: a folder of their own",
        );
        return None;
    }
    Some(found)
}

/// Whether one of two folders lies in the other; what does not exist lies nowhere.
fn overlap(one: &Path, other: &Path) -> bool {
    !other.as_os_str().is_empty() && (one.starts_with(other) || other.starts_with(one))
}
