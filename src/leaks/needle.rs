//! What is looked for: the texts of a task's solution and of its hidden tests.
//!
//! Owns which files of a task are the answer. Must not know where it is looked for.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::haystack::Skipped;
use super::{Place, patch, words};
use crate::task::{Format, Hidden, ImageSource, Task, terminal_bench};

/// Largest file of a task that is looked for, bytes.
const MOST_BYTES: u64 = 16 << 20;
/// Most files.
const MOST_FILES: usize = 20_000;

/// What a needle is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Solution,
    Tests,
}

/// A file of the answer, or what a patch makes of a file.
#[derive(Debug, Clone)]
pub struct Needle {
    /// The task's file: `solution/fix.patch`.
    pub name: String,
    pub kind: Kind,
    /// Where in the work tree it goes, where that is known.
    pub at: Option<String>,
    /// Those that say something, each once.
    pub shingles: Vec<u64>,
}

/// The answer of a task, in shingles.
#[derive(Debug, Clone, Default)]
pub struct Needles {
    pub list: Vec<Needle>,
    /// Files of the answer that are not looked for, and why.
    pub not_sought: Vec<Skipped>,
}

/// A file of the task that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("read {path}: {source}")]
pub struct NeedleError {
    path: PathBuf,
    source: std::io::Error,
}

impl Needles {
    /// Reads what the answer of a task is.
    ///
    /// # Errors
    /// A file of the task that cannot be read.
    pub fn of(task: &Task) -> Result<Self, NeedleError> {
        let mut needles = Self::default();
        let given = given(task)?;
        for folder in solutions(task) {
            needles.folder(task, &folder, Kind::Solution, &given)?;
        }
        for hidden in tests(task) {
            match hidden.is_dir() || task.repo.is_none() {
                true => needles.folder(task, &hidden, Kind::Tests, &given)?,
                false => needles.file(task, &hidden, &hidden, Kind::Tests, &given)?,
            }
        }
        Ok(needles)
    }

    fn folder(
        &mut self,
        task: &Task,
        folder: &Path,
        kind: Kind,
        given: &HashSet<[u8; 32]>,
    ) -> Result<(), NeedleError> {
        for path in files(folder)? {
            if self.list.len() > MOST_FILES {
                self.skip(task, &path, "there are too many files");
                return Ok(());
            }
            self.file(task, &path, folder, kind, given)?;
        }
        Ok(())
    }

    /// `below`: the folder whose files go into the work tree.
    fn file(
        &mut self,
        task: &Task,
        path: &Path,
        below: &Path,
        kind: Kind,
        given: &HashSet<[u8; 32]>,
    ) -> Result<(), NeedleError> {
        let name = relative(path, &task.dir);
        let text = read(path)?;
        if text.len() as u64 > MOST_BYTES {
            self.skip(task, path, "it is too large to be looked for");
            return Ok(());
        }
        if kind == Kind::Tests && !is_test(task, path, below) && given.contains(&digest(&text)) {
            self.skip(task, path, "the agent is given the same file");
            return Ok(());
        }
        let sides = match is_patch(path, &text) {
            true => patch::new_sides(&text),
            false => Vec::new(),
        };
        let overlaid = kind == Kind::Tests && task.repo.is_some() && sides.is_empty();
        let mut found = false;
        let mut add = |at: Option<String>, shingles: Vec<u64>| {
            found |= !shingles.is_empty();
            if !shingles.is_empty() {
                let name = name.clone();
                self.list.push(Needle {
                    name,
                    kind,
                    at,
                    shingles,
                });
            }
        };
        for side in sides {
            let hunks = side.hunks.iter().flat_map(|hunk| words::telling(hunk));
            let mut seen = HashSet::new();
            let shingles = hunks.filter(|hash| seen.insert(*hash)).collect();
            add(Some(side.path), shingles);
        }
        add(
            overlaid.then(|| relative(path, below)),
            words::telling(&text),
        );
        if !found && !text.is_empty() {
            self.skip(task, path, "it has too few words to be told from others");
        }
        Ok(())
    }

    fn skip(&mut self, task: &Task, path: &Path, why: &str) {
        let place = Place::of(relative(path, &task.dir));
        self.not_sought.push(Skipped::new(place, why));
    }
}

/// The solutions of a task and of its steps.
fn solutions(task: &Task) -> BTreeSet<PathBuf> {
    let steps = task.steps.iter().filter_map(|step| step.solution.clone());
    task.solution.iter().cloned().chain(steps).collect()
}

/// The hidden files of a task and of its steps, those that a verifier's own image holds
/// too.
fn tests(task: &Task) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let steps = task.steps.iter().map(|step| &step.verification);
    for verification in steps.chain([&task.verification]) {
        match &verification.hidden {
            Hidden::Overlay(folders) => found.extend(folders.iter().cloned()),
            Hidden::Patch(file) => {
                found.insert(file.clone());
            }
        }
        let separate = verification.separate.as_ref();
        if separate.is_some_and(|own| own.has_tests) {
            let own = task
                .steps
                .iter()
                .map(|step| format!("steps/{}/tests", step.name));
            let all = own.chain(["tests".to_owned()]);
            found.extend(
                all.map(|name| task.dir.join(name))
                    .filter(|path| path.is_dir()),
            );
        }
    }
    found
}

/// Files that the agent's world is made from, the instruction among them: what of the
/// answer stands there too tells nothing. Each with its path below its folder.
///
/// # Errors
/// A folder of the task that cannot be listed.
pub fn shown(task: &Task) -> Result<Vec<PathBuf>, NeedleError> {
    let told = match task.format {
        Format::TerminalBench => terminal_bench::FILE,
        _ => "instruction.md",
    };
    let mut shown = vec![task.dir.join(told)];
    match &task.environment.image {
        ImageSource::Dockerfile(folder) => shown.extend(files(folder)?),
        // What stays out of the image may be the answer itself.
        ImageSource::Build(build) if !build.without.is_empty() => {
            let mut taken = files(&build.context)?;
            taken.retain(|path| !build.without.iter().any(|out| path.starts_with(out)));
            shown.extend(taken);
        }
        ImageSource::Build(_) | ImageSource::Named(_) | ImageSource::Instance(_) => {}
    }
    if let Some(folder) = &task.tools.files {
        shown.extend(files(folder)?);
    }
    shown.retain(|path| path.is_file());
    Ok(shown)
}

/// Every regular file below a folder, sorted.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, NeedleError> {
    let mut found = BTreeSet::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.map_err(|error| NeedleError {
            path: folder.to_owned(),
            source: error.into(),
        })?;
        if entry.file_type().is_file() {
            found.insert(entry.into_path());
        }
    }
    Ok(found.into_iter().collect())
}

/// The content of a file, at most one byte more than is looked for.
pub fn read(path: &Path) -> Result<Vec<u8>, NeedleError> {
    use std::io::Read;
    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut text))
        .map_err(|source| NeedleError {
            path: path.to_owned(),
            source,
        })?;
    Ok(text)
}

/// Digests of what is laid into the agent's world as it is.
fn given(task: &Task) -> Result<HashSet<[u8; 32]>, NeedleError> {
    let mut given = HashSet::new();
    for path in shown(task)? {
        given.insert(digest(&read(&path)?));
    }
    Ok(given)
}

fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Whether a hidden file holds tests or what they expect, rather than what they work
/// on: a generator of inputs may be the agent's as well, a test never.
fn is_test(task: &Task, path: &Path, below: &Path) -> bool {
    const TELLING: [&str; 9] = [
        "test",
        "spec",
        "expect",
        "answer",
        "solution",
        "oracle",
        "gold",
        "reference",
        "verify",
    ];
    let inner = relative(path, below);
    let expected = task
        .expected()
        .any(|(id, _)| id.split("::").next() == Some(&inner));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_lowercase();
    expected || TELLING.iter().any(|word| name.contains(word))
}

fn is_patch(path: &Path, text: &[u8]) -> bool {
    let named = path
        .extension()
        .is_some_and(|kind| kind == "patch" || kind == "diff");
    named || text.starts_with(b"diff --git ") || text.starts_with(b"--- ")
}

fn relative(path: &Path, below: &Path) -> String {
    let inner = path.strip_prefix(below).unwrap_or(path);
    inner.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Kind as TaskKind, load, scaffold};

    fn task(more: &[(&str, &str)]) -> (tempfile::TempDir, Task) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("mine/first");
        scaffold(&dir, TaskKind::Repo).unwrap();
        for (path, text) in more {
            std::fs::write(dir.join(path), text).unwrap();
        }
        let task = load(&dir).unwrap();
        (root, task)
    }

    #[test]
    fn a_patch_is_sought_as_it_is_and_as_what_it_makes_of_each_file() {
        let (_root, task) = task(&[]);
        let needles = Needles::of(&task).unwrap();
        let seen: Vec<(&str, Option<&str>)> = needles
            .list
            .iter()
            .map(|needle| (needle.name.as_str(), needle.at.as_deref()))
            .collect();
        let fix = "solution/fix.patch";
        let sides = seen
            .iter()
            .filter(|(name, at)| *name == fix && at.is_some());
        assert!(sides.count() > 0, "{seen:?}");
        assert!(seen.contains(&(fix, None)), "{seen:?}");
        let tests = "tests/files/test_titles.py";
        assert!(seen.contains(&(tests, Some("test_titles.py"))), "{seen:?}");
    }

    #[test]
    fn what_the_agent_is_given_too_is_sought_only_where_it_is_a_test() {
        let text = "one two three four five six seven eight nine ten\n";
        let (_root, task) = task(&[
            ("environment/inputs.csv", text),
            ("tests/files/inputs.csv", text),
            ("environment/test_more.py", text),
            ("tests/files/test_more.py", text),
            ("tests/files/short.txt", "one word"),
        ]);
        let needles = Needles::of(&task).unwrap();
        let sought = |name: &str| needles.list.iter().any(|needle| needle.name == name);
        assert!(!sought("tests/files/inputs.csv") && sought("tests/files/test_more.py"));
        let mut skipped: Vec<&str> = needles
            .not_sought
            .iter()
            .map(|skipped| skipped.place.root.as_str())
            .collect();
        skipped.retain(|name| name.starts_with("tests/"));
        assert_eq!(skipped, ["tests/files/inputs.csv", "tests/files/short.txt"]);
    }
}
