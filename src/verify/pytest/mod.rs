//! pytest: how it is started, and what its report's names mean.
//!
//! Owns the command line and the way from a report's cases to records by node
//! id. Must not know sandboxes' calls or outcomes.

pub(super) use verdict::Session;

mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use crate::record::TestState;
use crate::sandbox::RECORDS_FD;
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
        let words = match as_module(start) {
            Some(at) => {
                let descriptor = RECORDS_FD.to_string();
                let mut own: Vec<String> =
                    words[..at].iter().map(|word| (*word).to_owned()).collect();
                own.extend([RUN_PATH.to_owned(), descriptor]);
                own.extend(words[at + 2..].iter().map(|word| (*word).to_owned()));
                own
            }
            None => words.into_iter().map(str::to_owned).collect(),
        };
        words
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
            "--tb=short",
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

/// The place of `-m` in plain words that start pytest as a module.
fn as_module(start: &str) -> Option<usize> {
    let words: Vec<&str> = start.split_whitespace().collect();
    let at = words.windows(2).position(|pair| pair == ["-m", "pytest"])?;
    (is_plain(start) && at > 0).then_some(at)
}

fn is_plain(start: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./- \t".contains(&byte);
    let first = start.split_whitespace().next();
    start.bytes().all(known) && first.is_some_and(|word| !word.contains('='))
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
mod tests {
    use super::*;

    const KINDS: &[u8] = include_bytes!("../../../tests/fixtures/junit/kinds.xml");
    const IDS: &str = include_str!("../../../tests/fixtures/junit/kinds.ids");

    fn read(xml: &[u8], expected: &[&str]) -> Records {
        records(junit::parse(xml).unwrap(), expected)
    }

    fn state(records: &Records, id: &str) -> Option<TestState> {
        records.of(id).map(|record| record.state)
    }

    #[test]
    fn every_collected_id_has_its_record() {
        let ids: Vec<&str> = IDS.lines().collect();
        let records = read(KINDS, &ids);
        for id in &ids {
            assert!(records.of(id).is_some(), "{id}");
        }
        let collected: BTreeSet<&str> = ids.into_iter().collect();
        let tests = records
            .iter()
            .map(|(id, _)| id)
            .filter(|id| id.contains("::"));
        assert_eq!(tests.collect::<BTreeSet<_>>(), collected);
    }

    #[test]
    fn states_are_those_that_pytest_printed() {
        let ids: Vec<&str> = IDS.lines().collect();
        let records = read(KINDS, &ids);
        let mut counts = BTreeMap::new();
        for id in &ids {
            *counts
                .entry(format!("{:?}", state(&records, id).unwrap()))
                .or_insert(0) += 1;
        }
        // pytest counts the test that failed and then errored twice.
        let counts: Vec<_> = counts
            .iter()
            .map(|(state, n)| format!("{state} {n}"))
            .collect();
        assert_eq!(
            counts,
            ["Error 3", "Failed 8", "Passed 26", "Skipped 2", "Xfailed 2"]
        );
        let of = |name: &str| state(&records, &format!("tests/test_kinds.py::{name}"));
        assert_eq!(of("test_xpass_strict"), Some(TestState::Failed));
        assert_eq!(of("test_xpass"), Some(TestState::Passed));
        assert_eq!(of("test_setup_error"), Some(TestState::Error));
        assert_eq!(of("test_teardown_error"), Some(TestState::Error));
        assert_eq!(of("test_both"), Some(TestState::Error));
        assert_eq!(of("TestInherits::test_shared_bad"), Some(TestState::Failed));
        assert_eq!(of("test_many[x::y]"), Some(TestState::Passed));
        assert_eq!(of("test_many_bad[[in]]"), Some(TestState::Failed));
        assert_eq!(
            of("TestX::TestNested::test_p[C::d[e]]"),
            Some(TestState::Passed)
        );
        assert_eq!(of("test_nowhere"), None);
    }

    #[test]
    fn a_file_or_class_that_is_not_collected_stands_for_its_tests() {
        let records = read(KINDS, &[]);
        let broken = records
            .of("tests/test_broken_import.py::TestA::test_b[x::y]")
            .unwrap();
        assert_eq!(broken.state, TestState::Error);
        assert_eq!(
            broken.message.unwrap(),
            "collection failure: ModuleNotFoundError: No module named 'no_such_module'"
        );
        assert_eq!(
            state(&records, "tests/unit/test_skipped_module.py::test_a"),
            Some(TestState::Skipped)
        );
        let records = read(
            include_bytes!("../../../tests/fixtures/junit/class_error.xml"),
            &[],
        );
        assert_eq!(
            state(&records, "c4/test_plug.py::TestA::test_badparam[1]"),
            Some(TestState::Error)
        );
        assert_eq!(
            state(&records, "c4/test_plug.py::test_ok"),
            Some(TestState::Passed)
        );
    }

    #[test]
    fn ids_count_from_the_root_wherever_pytest_was_started() {
        let records = read(
            include_bytes!("../../../tests/fixtures/junit/rootdir_elsewhere.xml"),
            &[],
        );
        assert_eq!(
            state(&records, "tests/deep/er/test_deep.py::TestD::test_e"),
            Some(TestState::Failed)
        );
    }

    #[test]
    fn a_doctest_keeps_its_dotted_name() {
        let records = read(
            include_bytes!("../../../tests/fixtures/junit/doctest.xml"),
            &[],
        );
        assert_eq!(
            state(&records, "src/pkg/mod.py::pkg.mod.f"),
            Some(TestState::Passed)
        );
    }

    #[test]
    fn a_contradiction_is_not_a_pass() {
        let twice = |first: &str, second: &str| {
            let case =
                |mark| format!(r#"<testcase classname="a" name="t" file="a.py">{mark}</testcase>"#);
            let xml = format!("<testsuite>{}{}</testsuite>", case(first), case(second));
            state(&read(xml.as_bytes(), &["a.py::t"]), "a.py::t").unwrap()
        };
        assert_eq!(twice("", "<failure/>"), TestState::Failed);
        assert_eq!(twice("<failure/>", ""), TestState::Failed);
        assert_eq!(twice("<skipped/>", ""), TestState::Skipped);
        assert_eq!(twice("", ""), TestState::Passed);
        let xml = r#"<testsuite><testcase classname="a" name="t" file="a.py"/>
            <testcase classname="" name="a" file="a.py"><error message="collection failure"/></testcase></testsuite>"#;
        assert_eq!(
            state(&read(xml.as_bytes(), &["a.py::t"]), "a.py::t"),
            Some(TestState::Error)
        );
    }

    #[test]
    fn a_plain_command_needs_no_shell() {
        let argv = command(None, "/w", &["t/test_a.py".into(), "-odd.py".into()]);
        assert_eq!(argv[..3], ["python3", RUN_PATH, "100"]);
        let argv_of = |start| command(Some(start), "/w", &[]);
        assert_eq!(
            argv_of("uv run python -B -m pytest -x")[..7],
            ["uv", "run", "python", "-B", RUN_PATH, "100", "-x"]
        );
        assert!(tells(None) && !tells(Some("pytest")) && !tells(Some("cd x && python -m pytest")));
        assert_eq!(argv[argv.len() - 2..], ["t/test_a.py", "./-odd.py"]);
        assert!(argv.contains(&"--rootdir=/w".to_owned()));
        assert_eq!(
            command(Some("uv run pytest"), "/w", &[])[..3],
            ["uv", "run", "pytest"]
        );
        for start in ["cd x && pytest", "A=1 pytest", "\"my python\" -m pytest"] {
            let argv = command(Some(start), "/w", &[]);
            assert_eq!(argv[..4], ["sh", "-c", &format!("{start} \"$@\""), "sh"]);
        }
    }

    #[test]
    fn files_are_named_once() {
        let ids = ["b.py::t", "a.py::T::u[x::y]", "b.py::v"];
        assert_eq!(files(ids), ["a.py", "b.py"]);
    }
}
