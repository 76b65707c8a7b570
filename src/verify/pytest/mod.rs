//! pytest: how it is started, and what its report's names mean.
//!
//! Owns the command line and the way from a report's cases to records by node
//! id. Must not know sandboxes' calls or outcomes.

pub(super) use verdict::{Session, told};

mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use crate::record::TestState;
use crate::sandbox::RECORDS_FD;
use crate::verify::formats::is_plain;
use crate::verify::junit::{self, Case, MAX_MESSAGE_BYTES, badness};

/// Where the report is written in the sandbox.
pub const REPORT: &str = "/logs/verifier/junit.xml";

const DEFAULT: &str = "python3 -m pytest";

/// The program that runs pytest and tells of each test.
pub const RUN: &str = include_str!("run.py");
/// Where it lies in the sandbox.
pub const RUN_PATH: &str = "/verifier/run.py";

/// What became of one node id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub state: TestState,
    /// Milliseconds, as pytest reports them.
    pub ms: u64,
    pub message: Option<String>,
}

/// Records by node id. A file or class that could not be collected has one too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records(BTreeMap<String, Record>);

/// The argument vector that runs the tests of `files` in `cwd`.
///
/// `start` replaces `python3 -m pytest`. Plain words (letters, digits and
/// `_@%+=:,./-`, the first without `=`) are taken as they are, so that no shell is
/// needed; anything else is given to `sh -c` with our arguments behind it.
///
/// Where pytest is started as a module (`… -m pytest …`), our own program starts it in
/// the same way and tells of each test over the descriptor for records; any other start
/// leaves only the report that pytest writes ([`tells`]).
///
/// `--maxfail=0` undoes a fail-fast option of the configuration, and a file that
/// cannot be collected does not keep the others from running.
pub fn command(start: Option<&str>, cwd: &str, files: &[String]) -> Vec<String> {
    let start = start.unwrap_or(DEFAULT);
    let mut argv: Vec<String> = if is_plain(start) {
        let words: Vec<&str> = start.split_whitespace().collect();
        match as_module(start) {
            Some(at) => {
                let descriptor = RECORDS_FD.to_string();
                let mut own: Vec<String> =
                    words[..at].iter().map(|word| (*word).to_owned()).collect();
                own.extend([RUN_PATH.to_owned(), descriptor]);
                own.extend(words[at + 2..].iter().map(|word| (*word).to_owned()));
                own
            }
            None => words.into_iter().map(str::to_owned).collect(),
        }
    } else {
        ["sh", "-c", &format!("{start} \"$@\""), "sh"]
            .map(str::to_owned)
            .to_vec()
    };
    argv.extend(
        [
            "-p",
            "no:cacheprovider",
            "-o",
            "junit_family=xunit1",
            "-o",
            "junit_logging=no",
            &format!("--junitxml={REPORT}"),
            &format!("--rootdir={cwd}"),
            "--continue-on-collection-errors",
            "--maxfail=0",
            "--tb=native",
            "--color=no",
            "-q",
        ]
        .map(str::to_owned),
    );
    argv.extend(files.iter().map(|file| match file.strip_prefix('-') {
        Some(_) => format!("./{file}"),
        None => file.clone(),
    }));
    argv
}

/// Whether a start of pytest is one that tells of each test as it ends.
pub fn tells(start: Option<&str>) -> bool {
    as_module(start.unwrap_or(DEFAULT)).is_some()
}

/// The interpreter that pytest is started with, and its own options.
pub fn interpreter(start: Option<&str>) -> Option<Vec<String>> {
    let start = start.unwrap_or(DEFAULT);
    let at = as_module(start)?;
    Some(
        start
            .split_whitespace()
            .take(at)
            .map(str::to_owned)
            .collect(),
    )
}

/// The place of `-m` in plain words that start pytest as a module.
fn as_module(start: &str) -> Option<usize> {
    let words: Vec<&str> = start.split_whitespace().collect();
    let at = words.windows(2).position(|pair| pair == ["-m", "pytest"])?;
    (is_plain(start) && at > 0).then_some(at)
}

/// The file of a node id.
pub fn file_of(id: &str) -> &str {
    id.split("::").next().unwrap_or(id)
}

/// The files of node ids, each once, sorted.
pub fn files<'a>(ids: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let files: BTreeSet<&str> = ids.into_iter().map(file_of).collect();
    files.into_iter().map(str::to_owned).collect()
}

/// Records of a report's cases.
///
/// pytest writes `a/b.py::C::t[x]` as `classname="a.b.C" name="t[x]"`, with the
/// file beside it in which the *function* is defined (another one where a test
/// is inherited). So an id is rebuilt from the file where the class name begins
/// with it; where that gives no expected id but exactly one expected id is written
/// like this, it is that one. Of several records of one id the worst counts.
pub fn records(cases: Vec<Case>, expected: &[&str]) -> Records {
    let known: BTreeSet<&str> = expected.iter().copied().collect();
    let mut written: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for id in &known {
        written.entry(address(id)).or_default().push(id);
    }
    let mut records = Records::default();
    for case in cases {
        let rebuilt = rebuild(&case);
        let key = (case.classname.clone(), case.name.clone());
        let id = match (rebuilt, written.get(&key).map(Vec::as_slice)) {
            (Some(id), _) if known.contains(id.as_str()) => id,
            (_, Some([only])) => (*only).to_owned(),
            (Some(id), _) => id,
            (None, _) => format!("{}::{}", case.classname, case.name),
        };
        records.add(id, case);
    }
    records
}

/// The node id, where the case's file and its class name agree.
fn rebuild(case: &Case) -> Option<String> {
    let file = case.file.as_deref()?;
    let module = module(file);
    if case.classname.is_empty() && case.name == module {
        return Some(file.to_owned());
    }
    let classes = case.classname.strip_prefix(&module)?;
    if classes.is_empty() {
        return Some(format!("{file}::{}", case.name));
    }
    let classes = classes.strip_prefix('.')?.replace('.', "::");
    Some(format!("{file}::{classes}::{}", case.name))
}

fn module(file: &str) -> String {
    let dotted = file.replace('/', ".");
    match dotted.strip_suffix(".py") {
        Some(stem) => stem.to_owned(),
        None => dotted,
    }
}

/// How pytest writes a node id into `classname` and `name`
/// (`mangle_test_address` of its `junitxml.py`).
fn address(id: &str) -> (String, String) {
    let (path, parameters) = match id.find('[') {
        Some(at) => id.split_at(at),
        None => (id, ""),
    };
    let mut names: Vec<String> = path.split("::").map(str::to_owned).collect();
    names[0] = module(&names[0]);
    let last = names.pop().unwrap_or_default();
    (names.join("."), format!("{last}{parameters}"))
}

impl Records {
    fn add(&mut self, id: String, case: Case) {
        let record = Record {
            state: case.state,
            ms: case.ms,
            message: message(&case),
        };
        self.put(id, record);
    }

    /// Of several records of one id the worst counts.
    pub(super) fn put(&mut self, id: String, record: Record) {
        match self.0.get_mut(&id) {
            Some(earlier) if badness(record.state) > badness(earlier.state) => {
                let ms = earlier.ms.saturating_add(record.ms);
                *earlier = Record { ms, ..record };
            }
            Some(earlier) => earlier.ms = earlier.ms.saturating_add(record.ms),
            None => {
                self.0.insert(id, record);
            }
        }
    }

    /// What became of a test, none where nothing is recorded of it. What is
    /// recorded of its class or its file (a collection error, a module that was
    /// skipped) stands for it, and where both are there the worse counts.
    pub fn of(&self, id: &str) -> Option<Record> {
        let own = std::iter::once(id);
        let path_end = id.find('[').unwrap_or(id.len());
        let above = id[..path_end].rmatch_indices("::").map(|(at, _)| &id[..at]);
        own.chain(above)
            .filter_map(|id| self.0.get(id))
            .max_by_key(|record| badness(record.state))
            .cloned()
    }

    /// Every id with its record, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Record)> {
        self.0.iter().map(|(id, record)| (id.as_str(), record))
    }

    /// Whether nothing at all was recorded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The one text that says most: of a collection error the last error line.
fn message(case: &Case) -> Option<String> {
    let last_error = || {
        let mut lines = case.detail.lines().rev().map(str::trim);
        lines
            .find_map(|line| line.strip_prefix("E "))
            .map(str::trim)
    };
    let text = match case.message.as_str() {
        "" => last_error().unwrap_or(case.detail.trim()).to_owned(),
        "collection failure" => {
            let cause = last_error().unwrap_or(case.detail.trim());
            format!("collection failure: {cause}")
        }
        message => message.to_owned(),
    };
    (!text.is_empty()).then(|| junit::cut(&text, MAX_MESSAGE_BYTES))
}

#[cfg(test)]
mod tests;
