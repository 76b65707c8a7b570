//! Facts about official names of tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

fn names(parser: &str, id: &str) -> Vec<String> {
    official_names(&format!("parse_log_{parser}"), &Record::of(id))
}

fn titled(parser: &str, file: &str, titles: &[&str]) -> Vec<String> {
    let record = Record {
        id: "an id",
        titles: titles.to_vec(),
        doc: None,
        file: Some(file),
    };
    official_names(parser, &record)
}

#[test]
fn pytest_ids_are_cut_at_a_blank() {
    assert_eq!(
        names("pytest", "t/a.py::T::test_x[a b]"),
        ["t/a.py::T::test_x[a"]
    );
    assert_eq!(names("seaborn", "t/a.py::test_x"), ["t/a.py::test_x"]);
    assert_eq!(
        names("matplotlib", "t/a.py::t[MouseButton.LEFT-x y]"),
        ["t/a.py::t[1-x"]
    );
}

#[test]
fn of_an_option_that_is_a_path_the_last_part_is_left() {
    assert_eq!(names("requests", "t.py::t[/a/b/c]"), ["t.py::t[/c]"]);
    assert_eq!(names("pylint", "t.py::t[//a/b]"), ["t.py::t[//a/b]"]);
    assert_eq!(names("pydicom", "t.py::t[/a/*]"), ["t.py::t[/a/*]"]);
    assert_eq!(names("requests", "t.py::t[/a b/c]"), ["t.py::t[/a"]);
}

#[test]
fn a_newer_harness_keeps_the_whole_id_of_some() {
    assert_eq!(
        names("sphinx", "t.py::t[a  b - c]"),
        ["t.py::t[a b - c]", "t.py::t[a b", "t.py::t[a"]
    );
    assert_eq!(names("astropy", "t.py::t[10m]"), ["t.py::t]"]);
}

#[test]
fn django_prints_a_class_or_a_description() {
    let record = Record {
        doc: Some("  Named URLs should be reversible "),
        ..Record::of("tests.auth_tests.test_views.UrlTest.test_named")
    };
    let names = official_names("parse_log_django", &record);
    for name in [
        "test_named (auth_tests.test_views.UrlTest)",
        "test_named (auth_tests.test_views.UrlTest.test_named)",
        "Named URLs should be reversible",
    ] {
        assert!(names.iter().any(|found| found == name), "{name}");
    }
}

#[test]
fn sympy_forgets_the_file() {
    assert_eq!(
        names("sympy", "sympy/core/tests/test_a.py::test_x"),
        ["test_x", "sympy/core/tests/test_a.py:test_x"]
    );
}

#[test]
fn packages_and_crates_are_forgotten() {
    assert_eq!(names("gotest", "a/b::TestX/sub_1"), ["TestX/sub_1"]);
    assert_eq!(names("gotest", "TestX"), ["TestX"]);
    assert_eq!(
        names("cargo", "demo:src/lib.rs::tests::adds"),
        ["tests::adds"]
    );
    assert_eq!(
        names("cargo", "demo::it::works"),
        ["demo::it::works", "it::works", "works"]
    );
    assert_eq!(
        names("cargo", "demo:src/lib.rs - add (line 5)"),
        Vec::<String>::new()
    );
}

#[test]
fn titles_are_joined_in_as_many_ways_as_there_are_parsers() {
    let titles = ["calc", "inner", "adds (5 ms)"];
    let of = |parser| titled(parser, "t/x.js", &titles);
    assert_eq!(
        of("jest"),
        ["adds (5 ms)", "adds", "skipped adds (5 ms)", "skipped adds"]
    );
    assert_eq!(of("jest_json"), ["calc > inner > adds (5 ms)"]);
    assert_eq!(of("tap")[0], "calc inner adds (5 ms)");
    assert_eq!(of("calypso"), ["calc - inner - adds (5 ms)"]);
    assert_eq!(
        of("karma"),
        ["calc > inner > adds (5 ms)", "calc > adds (5 ms)"]
    );
    assert_eq!(of("p5js"), ["calc:inner:adds (5 ms)"]);
    assert_eq!(of("carbon"), ["t/x.js"]);
    assert_eq!(
        titled("vitest", "t/x.ts", &["calc", "renders 3"]),
        ["t/x.ts > calc > renders 3", "t/x.ts > calc > renders"]
    );
    assert_eq!(
        names("jest", "t/x.js::calc > adds"),
        ["adds", "skipped adds"]
    );
}

#[test]
fn classes_have_methods() {
    assert_eq!(
        names("maven", "com.a.FooTest::works()"),
        [
            "com.a.FooTest#works",
            "com.a.FooTest",
            "FooTest#works",
            "FooTest"
        ]
    );
    assert!(
        names("gradle_custom", "com.a.FooTest::works()").contains(&"FooTest > works".to_owned())
    );
    assert!(names("googletest", "Suite::name").contains(&"Suite.name".to_owned()));
    assert!(names("minitest", "TestSite::test_x").contains(&"TestSite#test_x".to_owned()));
    assert!(names("ant", "l.T::javac-A.java").contains(&"javac-A.java(l.T)".to_owned()));
    assert_eq!(names("of nobody", "x y"), ["x y"]);
}

#[test]
fn every_record_that_an_id_may_mean_has_to_pass() {
    let records = ["t.py::t[a b]", "t.py::t[a c]", "t.py::u", "t.py::v[x]"].map(Record::of);
    let expected = ["t.py::t[a", "t.py::u", "t.py::gone"];
    let candidates = Candidates::of("parse_log_pytest", expected, &records);
    assert_eq!(candidates.get("t.py::t[a"), [0, 1]);
    assert_eq!(candidates.get("t.py::u"), [2]);
    assert_eq!(candidates.get("t.py::v[x]"), [0; 0]);
    assert_eq!(candidates.unmatched().collect::<Vec<_>>(), ["t.py::gone"]);
    assert_eq!(candidates.passes("t.py::t[a", |at| at == 0), Some(false));
    assert_eq!(candidates.passes("t.py::t[a", |at| at < 2), Some(true));
    assert_eq!(candidates.passes("t.py::gone", |_| true), None);
}

#[test]
fn an_own_id_goes_before_all_likeness() {
    let records = ["t.py::t[/c]", "t.py::t[/a/c]"].map(Record::of);
    let candidates = Candidates::of("requests", ["t.py::t[/c]"], &records);
    assert_eq!(candidates.get("t.py::t[/c]"), [0]);
    let candidates = Candidates::of("requests", ["t.py::t[/c]"], &records[1..]);
    assert_eq!(candidates.get("t.py::t[/c]"), [0]);
}

#[test]
fn progress_is_no_test() {
    for id in ["[100%]", "[", "[100%]------"] {
        assert!(is_artefact("parse_log_pytest", id), "{id}");
    }
    assert!(!is_artefact("parse_log_pytest", "t.py::t[100]"));
    assert!(!is_artefact("parse_log_pytest", "[a"));
    assert!(!is_artefact("parse_log_jest", "[100%]"));
}

fn shared() -> Option<PathBuf> {
    let shared = std::env::var_os("PROOFYARD_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let folder = shared.join("data/swebench");
    if folder.join("parsers/parsers.json").is_file() {
        return Some(folder);
    }
    eprintln!("skipped: no {} (set PROOFYARD_SHARED)", folder.display());
    None
}

/// The ids that are expected of each repository.
fn expected(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in ["verified", "lite_test", "multilingual"] {
        let rows = std::fs::read_to_string(folder.join(format!("swebench_{name}.jsonl"))).unwrap();
        for row in rows.lines() {
            let row: serde_json::Value = serde_json::from_str(row).unwrap();
            for key in ["FAIL_TO_PASS", "PASS_TO_PASS"] {
                let list: Vec<String> = match &row[key] {
                    serde_json::Value::String(text) => serde_json::from_str(text).unwrap(),
                    list => serde_json::from_value(list.clone()).unwrap(),
                };
                let repo = row["repo"].as_str().unwrap().to_owned();
                all.entry(repo).or_default().extend(list);
            }
        }
    }
    all
}

#[test]
fn every_expected_pytest_id_is_its_own_name_and_every_cut_one_its_records() {
    let Some(folder) = shared() else { return };
    let parsers = std::fs::read_to_string(folder.join("parsers/parsers.json")).unwrap();
    let parsers: serde_json::Value = serde_json::from_str(&parsers).unwrap();
    let (mut own, mut cut, mut artefacts) = (0, 0, 0);
    for (repo, ids) in expected(&folder) {
        let parser = parsers["4.1.0"]["repo_to_function"][&repo]
            .as_str()
            .unwrap();
        if !python::is_pytest(parser.trim_start_matches("parse_log_")) {
            continue;
        }
        for id in &ids {
            if is_artefact(parser, id) {
                artefacts += 1;
                continue;
            }
            assert!(names_of(parser, id).contains(id), "{repo}: {id}");
            own += 1;
            if id.matches('[').count() > id.matches(']').count() {
                let full = [format!("{id} b]"), format!("{id} c - d]")];
                let records = [Record::of(&full[0]), Record::of(&full[1])];
                let found = Candidates::of(parser, [id.as_str()], &records);
                assert_eq!(found.get(id), [0, 1], "{repo}: {id}");
                cut += 1;
            }
        }
    }
    assert!(
        own > 49_000 && cut > 900 && artefacts == 5,
        "{own} {cut} {artefacts}"
    );
}

fn names_of(parser: &str, id: &str) -> Vec<String> {
    official_names(parser, &Record::of(id))
}

proptest::proptest! {
    #[test]
    fn no_id_breaks_the_naming(id in "(a|::|\\[|\\]| |/|\\.|#| > |é|\n| \\(5 ms\\)){0,12}") {
        for parser in ["pytest", "requests", "sphinx", "django", "sympy", "gotest", "cargo",
            "jest", "vitest", "karma", "tap", "maven", "gradle_custom", "ant", "next",
            "lighthouse", "highlightjs", "eslint", "phpunit", "jekyll", "rspec_transformed_json"] {
            let names = names_of(parser, &id);
            proptest::prop_assert!(names.iter().all(|name| !name.is_empty()));
        }
    }
}
