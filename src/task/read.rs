//! From the text of `task.toml` to a task: reads the raw tables, says what is
//! wrong with them all at once, and keeps what only deserves a warning.

use std::collections::HashSet;
use std::path::Path;

use super::raw::{OUR_TABLES, TaskToml};
use super::{Task, TaskError, validate};
use crate::diagnose::toml::{Unknown, parse};
use crate::diagnose::{Problem, SourceText, Step, nearest};

/// What a task is made of besides its `task.toml`.
pub struct Parts<'a> {
    /// The folder, absolute, links resolved.
    pub dir: &'a Path,
    /// The folder as the user named it.
    pub source: String,
    pub digest: crate::record::Digest,
    /// None where there is no `instruction.md`: a task with steps needs none.
    pub instruction: Option<String>,
    /// Variables of the host, for `${NAME}`.
    pub host_env: &'a dyn Fn(&str) -> Option<String>,
}

/// A task from its `task.toml` and its parts.
pub fn read(text: &SourceText, parts: Parts<'_>) -> Result<Task, TaskError> {
    let parsed = parse::<TaskToml>(text);
    let mut problems = parsed.problems;
    let mut warnings = Vec::new();
    for unknown in parsed.unknown {
        if is_error(&unknown) {
            problems.push(unknown.problem);
        } else {
            warnings.push(format!("{}; left out", unknown.problem));
        }
    }
    let Some(raw) = parsed.value else {
        return Err(TaskError::Invalid { problems });
    };
    let mut checker = validate::Checker::new(text, parts.dir, parts.host_env);
    let task = validate::task(raw, parts, &mut checker);
    problems.append(&mut checker.problems);
    warnings.append(&mut checker.warnings);
    once(&mut problems);
    once(&mut warnings);
    if problems.is_empty() {
        Ok(Task { warnings, ..task })
    } else {
        problems.sort_by_key(Problem::place);
        Err(TaskError::Invalid { problems })
    }
}

/// Steps look at the task's tables again, and what is wrong there is one thing.
fn once<T: ToString>(told: &mut Vec<T>) {
    let mut seen = HashSet::new();
    told.retain(|one| seen.insert(one.to_string()));
}

/// In our tables a key that is not known is an error, in Harbor's a warning. A
/// table that is nearly called like one of ours is meant to be one: as a mere
/// warning it would silently change how the task is verified.
fn is_error(unknown: &Unknown) -> bool {
    match unknown.path.0.as_slice() {
        [Step::Key(top)] => nearest(top, OUR_TABLES).is_some(),
        [Step::Key(top), ..] => OUR_TABLES.contains(&top.as_str()),
        _ => false,
    }
}
