//! Paths and interfaces that tests require and nobody names to the agent.
//!
//! A guess from texts, so it is a hint: a path counts where hidden tests name it, the
//! solution makes it, and neither the instruction nor the environment says a word of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::scripts::{shown, text};
use super::{Finding, Rule};
use crate::task::{Hidden, Task};

/// Most files that are looked at.
const MOST: usize = 2_000;
/// Where formats, systems and tools have their own.
const COMMON: [&str; 14] = [
    "/tests",
    "/logs",
    "/tmp",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/etc",
    "/dev",
    "/proc",
    "/sys",
    "/run",
    "/solution",
];

/// What the tests of a task require.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Required {
    /// Absolute paths; they count where a solution makes them and they were not there.
    pub paths: Vec<(String, Finding)>,
    /// Interfaces; complete.
    pub interfaces: Vec<Finding>,
}

/// A path in a text: absolute, of plain characters.
static PATH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?:^|[\s"'=(`,:\[])(/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+)"#)
        .expect("a constant expression")
});
/// `from module import name, other`
static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\s*from\s+([A-Za-z_][A-Za-z0-9_.]*)\s+import\s+\(?([A-Za-z0-9_ ,]+)")
        .expect("a constant expression")
});

/// What hidden tests require and nobody names; `checkout` is the work tree that an agent
/// finds. Whether a solution makes a path that was not there has to be asked of a
/// sandbox: [`Required::paths`].
pub fn required(task: &Task, checkout: Option<&Path>) -> Required {
    let tests = texts_of(&hidden(task));
    let solution: String = texts_of(&solutions(task))
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let mut told = instructions(task);
    let mut given = vec![task.dir.join("environment")];
    given.extend(checkout.map(Path::to_owned));
    let given: String = texts_of(&given).into_iter().map(|(_, text)| text).collect();
    told.push_str(&given);
    let mut found = Required::default();
    let (mut paths, mut names) = (BTreeSet::new(), BTreeSet::new());
    for (file, text) in &tests {
        for (number, line) in text.lines().enumerate() {
            let place = || (shown(task, file), Some(number + 1));
            for path in PATH.captures_iter(line).filter_map(|found| found.get(1)) {
                let path = path.as_str().trim_end_matches(['.', '/']);
                if is_unnamed(path, &told, &solution) && paths.insert(path.to_owned()) {
                    let message =
                        format!("the tests look at {path}, which the instruction never names");
                    let (at, line) = place();
                    let finding = Finding::new(Rule::UnnamedPath, message).at(at, line);
                    found.paths.push((path.to_owned(), finding));
                }
            }
            for import in IMPORT.captures_iter(line) {
                let module = import[1].split('.').next().unwrap_or_default().to_owned();
                for name in import[2].split(',').map(str::trim) {
                    let name = name.split_whitespace().next().unwrap_or_default();
                    if is_unnamed_interface(&module, name, &told, &solution)
                        && names.insert((module.clone(), name.to_owned()))
                    {
                        let message = format!(
                            "the tests import `{name}` from `{module}`, which the instruction never names"
                        );
                        let (at, line) = place();
                        let finding = Finding::new(Rule::UnnamedInterface, message);
                        found.interfaces.push(finding.at(at, line));
                    }
                }
            }
        }
    }
    found
}

/// Whether a path is a solution's to make, and nobody says where.
fn is_unnamed(path: &str, told: &str, solution: &str) -> bool {
    let common = COMMON
        .iter()
        .any(|common| path == *common || path.starts_with(&format!("{common}/")));
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    let name = path.rsplit('/').next().unwrap_or(path);
    !common && !hidden && says(solution, name) && !says(told, name) && !told.contains(path)
}

/// Whether the solution defines a name that nobody told of.
fn is_unnamed_interface(module: &str, name: &str, told: &str, solution: &str) -> bool {
    let defines = ["def ", "class ", "function "]
        .iter()
        .any(|kind| says(solution, &format!("{kind}{name}")));
    !name.is_empty() && defines && !says(told, name) && !says(told, &format!("{module}.{name}"))
}

/// Whether a text has a name as a word of its own.
fn says(text: &str, name: &str) -> bool {
    let word = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(word) && !after.is_some_and(word)
    })
}

fn instructions(task: &Task) -> String {
    let mut told = task.instruction.clone();
    for step in &task.steps {
        told.push('\n');
        told.push_str(&step.instruction);
    }
    told
}

fn hidden(task: &Task) -> Vec<PathBuf> {
    let mut folders = vec![task.dir.join("tests")];
    let steps = task.steps.iter().map(|step| &step.verification.hidden);
    for hidden in steps.chain([&task.verification.hidden]) {
        match hidden {
            Hidden::Overlay(all) => folders.extend(all.iter().cloned()),
            Hidden::Patch(file) => folders.push(file.clone()),
        }
    }
    folders.sort();
    folders.dedup();
    // A folder that lies in another one is read with it.
    let all = folders.clone();
    folders.retain(|folder| {
        !all.iter()
            .any(|other| other != folder && folder.starts_with(other))
    });
    folders
}

fn solutions(task: &Task) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = task.solution.iter().cloned().collect();
    folders.extend(task.steps.iter().filter_map(|step| step.solution.clone()));
    folders.sort();
    folders.dedup();
    folders
}

/// The texts below folders, in order; what is no text is none.
fn texts_of(folders: &[PathBuf]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in folders {
        let walk = walkdir::WalkDir::new(folder).sort_by_file_name();
        let walk = walk.into_iter();
        let files = walk
            .filter_entry(|entry| entry.file_name() != ".git")
            .flatten();
        for entry in files.filter(|entry| entry.file_type().is_file()) {
            if found.len() >= MOST {
                return found;
            }
            if let Some(text) = readable(entry.path()) {
                found.push((entry.into_path(), text));
            }
        }
    }
    found
}

fn readable(path: &Path) -> Option<String> {
    if fs::symlink_metadata(path).ok()?.file_type().is_symlink() {
        return None;
    }
    String::from_utf8(text(path)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(instruction: &str, tests: &str, solution: &str) -> (tempfile::TempDir, Task) {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("tests/test_it.py", tests);
        write("solution/solve.sh", solution);
        let mut task = crate::task::fixture::task("t");
        task.dir = dir.path().to_owned();
        task.instruction = instruction.to_owned();
        task.solution = Some(dir.path().join("solution"));
        task.verification.hidden = Hidden::Overlay(vec![dir.path().join("tests")]);
        (dir, task)
    }

    fn paths(instruction: &str, tests: &str, solution: &str) -> Vec<String> {
        let (_dir, task) = task(instruction, tests, solution);
        let found = required(&task, None).paths.into_iter();
        found.map(|(path, _)| path).collect()
    }

    #[test]
    fn a_path_that_only_tests_and_solution_know_is_unnamed() {
        let tests = "assert open('/app/out/result.json').read()\n";
        let solution = "echo {} > /app/out/result.json\n";
        assert_eq!(
            paths("Write it.", tests, solution),
            ["/app/out/result.json"]
        );
        assert!(paths("Write `result.json`.", tests, solution).is_empty());
        assert!(paths("Write it.", tests, "echo\n").is_empty());
    }

    #[test]
    fn paths_of_the_format_and_of_tools_are_nobodys() {
        let tests = "open('/tests/data.json'); open('/root/.cache/x'); open('/tmp/x/y')\n";
        let solution = "data.json x y\n";
        assert!(paths("Write it.", tests, solution).is_empty());
    }

    #[test]
    fn a_name_that_tests_import_is_told_or_there() {
        let tests = "from cart import total, Cart\n";
        let solution = "cat > cart.py <<'E'\ndef total(): pass\nclass Cart: pass\nE\n";
        let (_dir, unnamed) = task("Make `Cart`.", tests, solution);
        let found = required(&unnamed, None).interfaces;
        assert_eq!(found.len(), 1);
        assert!(found[0].message.contains("`total` from `cart`"));
        assert_eq!(found[0].place.as_ref().unwrap().line, Some(1));
    }
}
