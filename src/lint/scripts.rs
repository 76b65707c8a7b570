//! The scripts of a task: what keeps a shell from running them at all.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Finding, Rule};
use crate::task::Task;

/// Most bytes of a script that are looked at.
const MOST: u64 = 1 << 20;

/// The scripts that the format starts: of the task, and of its steps.
pub fn scripts(task: &Task) -> Vec<PathBuf> {
    let names = [
        "solution/solve.sh",
        "tests/test.sh",
        "run-tests.sh",
        "solution.sh",
    ];
    let mut found: Vec<PathBuf> = names.iter().map(|name| task.dir.join(name)).collect();
    for step in &task.steps {
        let folder = task.dir.join("steps").join(&step.name);
        let names = ["solution/solve.sh", "tests/test.sh", "workdir/setup.sh"];
        found.extend(names.iter().map(|name| folder.join(name)));
    }
    found.retain(|path| path.is_file());
    found
}

/// A path of the task as the user names it.
pub fn shown(task: &Task, path: &Path) -> PathBuf {
    let below = path.strip_prefix(&task.dir).unwrap_or(path);
    Path::new(&task.source).join(below)
}

pub fn findings(task: &Task) -> Vec<Finding> {
    let all = scripts(task).into_iter();
    all.filter_map(|path| carriage_returns(task, &path))
        .collect()
}

/// The kernel looks for a program whose name ends with the carriage return.
fn carriage_returns(task: &Task, path: &Path) -> Option<Finding> {
    let text = text(path)?;
    let line = text.iter().position(|byte| *byte == b'\r')?;
    if text.get(line + 1) != Some(&b'\n') {
        return None;
    }
    let number = text[..line].iter().filter(|byte| **byte == b'\n').count() + 1;
    let message = "lines end with carriage returns, which no shell runs: `--fix` takes them away";
    let finding = Finding::new(Rule::CarriageReturns, message);
    Some(finding.at(shown(task, path), Some(number)))
}

/// The content of a file that is not too large.
pub fn text(path: &Path) -> Option<Vec<u8>> {
    let metadata = path.metadata().ok()?;
    (metadata.len() <= MOST).then(|| fs::read(path).ok())?
}
