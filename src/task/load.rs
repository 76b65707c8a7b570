//! From folders to tasks.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::folder::{self, Bounds};
use super::read::{self, Parts};
use super::{Task, TaskError, digest, terminal_bench};
use crate::diagnose::SourceText;

/// Most bytes of a `task.toml`.
const MOST_TOML: u64 = 8 << 20;
/// Most bytes of an `instruction.md`.
const MOST_INSTRUCTION: u64 = 4 << 20;

/// Loads the task in a folder; its `source` is the path as given.
///
/// # Errors
/// Everything that [`TaskError`] names: a missing or unreadable part, links that
/// leave the folder or lead in a circle, and all that is wrong in `task.toml`.
pub fn load(path: &Path) -> Result<Task, TaskError> {
    load_with(path, &|name| std::env::var(name).ok())
}

fn load_with(path: &Path, host_env: &dyn Fn(&str) -> Option<String>) -> Result<Task, TaskError> {
    let metadata = fs::metadata(path).map_err(|source| folder::read_error(path, source))?;
    if !metadata.is_dir() {
        return Err(TaskError::NotAFolder {
            path: path.to_path_buf(),
        });
    }
    let toml_path = path.join("task.toml");
    if !folder::exists(path, "task.toml") {
        if folder::exists(path, terminal_bench::FILE) {
            return terminal_bench::load(path);
        }
        return Err(TaskError::NoTaskToml {
            path: path.to_path_buf(),
        });
    }
    let entries = folder::scan(path, Bounds::default())?;
    let text = SourceText::new(
        toml_path.display().to_string(),
        folder::read_text(&toml_path, MOST_TOML)?,
    );
    let instruction = match instruction(path) {
        Ok(told) => Some(told),
        // Each step has its own.
        Err(TaskError::NoInstruction { .. }) if path.join("steps").is_dir() => None,
        Err(error) => return Err(error),
    };
    let dir = fs::canonicalize(path).map_err(|source| folder::read_error(path, source))?;
    read::read(
        &text,
        Parts {
            dir: &dir,
            source: path.display().to_string(),
            digest: digest::digest(&dir, &entries)?,
            instruction,
            host_env,
        },
    )
}

pub(super) fn instruction(dir: &Path) -> Result<String, TaskError> {
    let path = dir.join("instruction.md");
    let text = folder::read_text(&path, MOST_INSTRUCTION).map_err(|error| match error {
        TaskError::NotFound { .. } => TaskError::NoInstruction {
            path: dir.to_path_buf(),
        },
        other => other,
    })?;
    let told = without_canary(&text);
    if told.trim().is_empty() {
        return Err(TaskError::EmptyInstruction { path });
    }
    Ok(told.to_string())
}

/// The text without its leading canary lines (`<!-- … canary … -->`,
/// `# … canary …`) and the blank lines around them.
pub(super) fn without_canary(text: &str) -> &str {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while let Some((line, after)) = rest.split_once('\n') {
        let line = line.trim();
        let comment = line.starts_with('#') || (line.starts_with("<!--") && line.ends_with("-->"));
        if line.is_empty() || (comment && line.to_ascii_lowercase().contains("canary")) {
            rest = after;
        } else {
            break;
        }
    }
    rest
}

/// Loads every task that the paths name: task folders, or folders of tasks. A
/// task that is named twice is loaded once.
///
/// # Errors
/// All that is wrong with any of them, and two tasks of one name.
pub fn load_all(args: &[String]) -> Result<Vec<Task>, Vec<TaskError>> {
    let mut tasks: Vec<Task> = Vec::new();
    let mut errors = Vec::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for arg in args {
        let paths = match folder::discover(Path::new(arg)) {
            Ok(paths) => paths,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        for path in paths {
            let known = fs::canonicalize(&path).ok();
            if tasks.iter().any(|task| Some(&task.dir) == known.as_ref()) {
                continue;
            }
            match load(&path) {
                Ok(task) => match by_name.get(task.id.as_str()) {
                    Some(&first) => errors.push(TaskError::SameName {
                        name: task.id.to_string(),
                        first: tasks[first].source.clone(),
                        second: task.source,
                    }),
                    None => {
                        by_name.insert(task.id.to_string(), tasks.len());
                        tasks.push(task);
                    }
                },
                Err(error) => errors.push(error),
            }
        }
    }
    if errors.is_empty() {
        Ok(tasks)
    } else {
        Err(errors)
    }
}

#[cfg(test)]
mod folder_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tools_tests;
