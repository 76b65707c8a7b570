//! Names, records and command lines of pytest.

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
