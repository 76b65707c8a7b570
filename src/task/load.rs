//! From folders to tasks.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::folder::{self, Bounds};
use super::read::{self, Parts};
use super::{Task, TaskError, digest, swebench, terminal_bench};
use crate::diagnose::SourceText;
use crate::record::Digest;

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
    digested(described(path)?)
}

/// The same without the digest of its files, which takes reading all of them: for those
/// who only look. Who uses the task gives it one by [`digested`].
fn described(path: &Path) -> Result<Task, TaskError> {
    load_with(path, &|name| std::env::var(name).ok())
}

/// The task with the digest of its files.
///
/// # Errors
/// A file that cannot be read.
pub fn digested(task: Task) -> Result<Task, TaskError> {
    let entries = folder::scan(&task.dir, Bounds::default())?;
    Ok(Task {
        digest: digest::digest(&task.dir, &entries)?,
        ..task
    })
}

/// The tasks with the digests of their files.
///
/// # Errors
/// Every file that cannot be read.
pub fn digest_all(tasks: Vec<Task>) -> Result<Vec<Task>, Vec<TaskError>> {
    let digested = in_parallel(tasks, digested);
    let (mut done, mut errors) = (Vec::with_capacity(digested.len()), Vec::new());
    for task in digested {
        match task {
            Ok(task) => done.push(task),
            Err(error) => errors.push(error),
        }
    }
    match errors.is_empty() {
        true => Ok(done),
        false => Err(errors),
    }
}

/// Each by itself, on every processor, in their order.
fn in_parallel<T: Send, R: Send>(all: Vec<T>, each: impl Fn(T) -> R + Sync) -> Vec<R> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    if all.len() < 64 || processors == 1 {
        return all.into_iter().map(each).collect();
    }
    let size = all.len().div_ceil(processors);
    let mut chunks: Vec<Vec<T>> = Vec::new();
    let mut all = all.into_iter();
    loop {
        let chunk: Vec<T> = all.by_ref().take(size).collect();
        if chunk.is_empty() {
            break;
        }
        chunks.push(chunk);
    }
    let each = &each;
    std::thread::scope(|scope| {
        let threads: Vec<_> = chunks
            .into_iter()
            .map(|chunk| scope.spawn(move || chunk.into_iter().map(each).collect::<Vec<R>>()))
            .collect();
        let done = threads.into_iter().flat_map(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done.collect()
    })
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
        if folder::exists(path, swebench::FILE) {
            return swebench::load(path);
        }
        return Err(TaskError::NoTaskToml {
            path: path.to_path_buf(),
        });
    }
    folder::scan(path, Bounds::default())?;
    let text = SourceText::new(
        toml_path.display().to_string(),
        folder::read_text(&toml_path, MOST_TOML)?,
    );
    let instruction = match instruction(path) {
        Ok(told) => Some(told),
        // Each step has its own.
        Err(TaskError::NoInstruction { .. } | TaskError::EmptyInstruction { .. })
            if path.join("steps").is_dir() =>
        {
            None
        }
        Err(error) => return Err(error),
    };
    let dir = fs::canonicalize(path).map_err(|source| folder::read_error(path, source))?;
    read::read(
        &text,
        Parts {
            dir: &dir,
            source: path.display().to_string(),
            digest: Digest::new(""),
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
/// `# … canary …`) and the blank lines behind them. What follows is the author's.
pub(super) fn without_canary(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    without_lines(without_lines(text, is_canary), str::is_empty)
}

fn is_canary(line: &str) -> bool {
    let comment = line.starts_with('#') || (line.starts_with("<!--") && line.ends_with("-->"));
    comment && line.to_ascii_lowercase().contains("canary")
}

/// The text behind its first lines that are such ones.
fn without_lines(text: &str, such: fn(&str) -> bool) -> &str {
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        if !such(line.trim()) {
            break;
        }
        rest = after;
    }
    rest
}

/// Loads every task that the paths name: task folders, or folders of tasks. A
/// task that is named twice is loaded once. None has a digest yet ([`digest_all`]).
///
/// # Errors
/// All that is wrong with any of them, and two tasks of one name.
pub fn load_all(args: &[String]) -> Result<Vec<Task>, Vec<TaskError>> {
    let (mut tasks, mut errors) = (Vec::new(), Vec::new());
    for loaded in load_each(args) {
        match loaded {
            Ok(task) => tasks.push(task),
            Err((_, error)) => errors.push(error),
        }
    }
    match errors.is_empty() {
        true => Ok(tasks),
        false => Err(errors),
    }
}

/// The same, each for itself: a task, or the path that was meant to be one and what is
/// wrong with it.
pub fn load_each(args: &[String]) -> Vec<Result<Task, (PathBuf, TaskError)>> {
    let (mut paths, mut wrong) = (Vec::new(), Vec::new());
    let mut known: HashSet<PathBuf> = HashSet::new();
    for arg in args {
        match folder::discover(Path::new(arg)) {
            Ok(found) => paths.extend(found.into_iter().filter(|path| {
                known.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone()))
            })),
            Err(error) => wrong.push(Err((PathBuf::from(arg), error))),
        }
    }
    let described = in_parallel(paths, |path| {
        described(&path).map_err(|error| (path, error))
    });
    let mut by_name: HashMap<String, String> = HashMap::new();
    let named = described.into_iter().map(|task| {
        let task = task?;
        let (name, source) = (task.id.to_string(), task.source.clone());
        match by_name.get(&name) {
            Some(first) => {
                let (path, first) = (PathBuf::from(&source), first.clone());
                let second = source;
                Err((
                    path,
                    TaskError::SameName {
                        name,
                        first,
                        second,
                    },
                ))
            }
            None => {
                by_name.insert(name, source);
                Ok(task)
            }
        }
    });
    let mut loaded: Vec<_> = named.collect();
    loaded.append(&mut wrong);
    loaded
}

#[cfg(test)]
mod folder_tests;
#[cfg(test)]
mod harbor_parts_tests;
#[cfg(test)]
mod harbor_steps_tests;
#[cfg(test)]
mod harbor_tests;
#[cfg(test)]
mod harbor_verifier_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tools_tests;
