//! Every format over reports of real programs, and over what is left of them when they
//! are cut or mixed.

use proptest::prelude::*;

use super::*;
use crate::record::TestState;

macro_rules! fixture {
    ($path:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/formats/", $path)).as_slice()
    };
}

fn read(format: Format, bytes: &[u8]) -> Report {
    format.read(bytes, "/project").unwrap()
}

/// The whole report, a line each: what it is short of, groups, records.
fn show(report: &Report) -> String {
    let line = |mark: &str, (id, record): (&str, &Record)| {
        let times = match record.times {
            1 => String::new(),
            times => format!(" x{times}"),
        };
        let message = record.message.as_deref().unwrap_or_default();
        let first = message.lines().next().unwrap_or_default();
        let message = if first.is_empty() {
            String::new()
        } else {
            format!("  | {first}")
        };
        format!("{mark}{:?}{times}: {id}{message}\n", record.state)
    };
    let complete = match report.complete() {
        Ok(()) => "whole\n".to_owned(),
        Err(reason) => format!("not whole: {reason}\n"),
    };
    let groups = report.groups().map(|group| line("above ", group));
    let records = report.iter().map(|record| line("", record));
    std::iter::once(complete)
        .chain(groups)
        .chain(records)
        .collect()
}

fn state(report: &Report, name: &str) -> Option<TestState> {
    report.of(name).map(|record| record.state)
}

/// Reports of real programs (`tests/fixtures/formats/README.md`).
const REPORTS: &[(&str, Format, &[u8])] = &[
    ("node20", Format::Tap, fixture!("tap/node20.tap")),
    ("bats", Format::Tap, fixture!("tap/bats.tap")),
    ("perl", Format::Tap, fixture!("tap/perl.tap")),
    ("prove", Format::Tap, fixture!("tap/prove.txt")),
    ("prove_bail", Format::Tap, fixture!("tap/prove_bail.txt")),
    ("prove_good", Format::Tap, fixture!("tap/prove_good.txt")),
    ("go1.19", Format::Go, fixture!("go/go1.19.json")),
    ("go1.23", Format::Go, fixture!("go/go1.23.json")),
    ("go1.24", Format::Go, fixture!("go/go1.24.json")),
    ("cargo", Format::Cargo, fixture!("cargo/cargo.txt")),
    ("cargo_single", Format::Cargo, fixture!("cargo/single.txt")),
    ("cargo_three", Format::Cargo, fixture!("cargo/three.txt")),
    ("cargo_crash", Format::Cargo, fixture!("cargo/crash.txt")),
    ("nextest", Format::Nextest, fixture!("cargo/nextest.json")),
    (
        "nextest_junit",
        Format::Junit,
        fixture!("cargo/nextest.xml"),
    ),
    ("mocha", Format::Mocha, fixture!("js/mocha.json")),
    ("mocha_good", Format::Mocha, fixture!("js/mocha_good.json")),
    ("jest", Format::Jest, fixture!("js/jest.json")),
    (
        "unittest",
        Format::Unittest,
        fixture!("unittest/kinds.jsonl"),
    ),
    (
        "unittest_dies",
        Format::Unittest,
        fixture!("unittest/dies.jsonl"),
    ),
    (
        "script",
        Format::UnittestScript,
        fixture!("script/kinds.jsonl"),
    ),
    (
        "script_dies",
        Format::UnittestScript,
        fixture!("script/dies.jsonl"),
    ),
    (
        "script_imports",
        Format::UnittestScript,
        fixture!("script/imports.jsonl"),
    ),
    (
        "functions",
        Format::Functions,
        fixture!("functions/kinds.jsonl"),
    ),
    (
        "functions_dies",
        Format::Functions,
        fixture!("functions/dies.jsonl"),
    ),
];

#[test]
fn reports_of_real_programs_are_read() {
    for (name, format, bytes) in REPORTS {
        insta::assert_snapshot!(*name, show(&read(*format, bytes)));
    }
}

#[test]
fn node_18_and_20_say_the_same() {
    let (old, new) = (fixture!("tap/node18.tap"), fixture!("tap/node20.tap"));
    assert_eq!(show(&read(Format::Tap, old)), show(&read(Format::Tap, new)));
}

#[test]
fn pytest_counts_what_it_reports() {
    for bytes in [
        include_bytes!("../../../tests/fixtures/junit/kinds.xml").as_slice(),
        include_bytes!("../../../tests/fixtures/junit/pytest_exit.xml"),
        include_bytes!("../../../tests/fixtures/junit/doctest.xml"),
    ] {
        assert_eq!(read(Format::Junit, bytes).complete(), Ok(()));
    }
}

/// A report that was cut anywhere is refused or not whole, or it says of no test that
/// it passed which the whole report does not say.
#[test]
fn a_cut_report_gives_no_pass_of_its_own() {
    for (name, format, bytes) in REPORTS {
        let passed = passed(&read(*format, bytes));
        let ends = (0..bytes.len()).filter(|&at| at % 97 == 0 || bytes[at] == b'\n');
        for end in ends {
            let Ok(cut) = format.read(&bytes[..end], "/project") else {
                continue;
            };
            if cut.complete().is_ok() {
                for id in self::passed(&cut) {
                    assert!(passed.contains(&id), "{name} cut at {end}: {id}");
                }
            }
        }
    }
}

fn passed(report: &Report) -> std::collections::BTreeSet<String> {
    let all = report.all().into_iter();
    let passed = all.filter(|(_, record)| record.state == TestState::Passed);
    passed.map(|(id, _)| id.to_owned()).collect()
}

#[test]
fn a_name_finds_its_records_by_the_formats_rule() {
    use TestState::{Error, Failed, Passed, Skipped, Xpassed};
    let cases: &[(&str, &str, Option<TestState>)] = &[
        ("node20", "suite > inner > two", Some(Passed)),
        ("node20", "two", None),
        ("node20", "skipped suite > asleep", Some(Skipped)),
        ("node20", "suite > nowhere", None),
        ("prove", "t/dies.t::after", Some(Error)),
        ("prove", "t/dies.t::before", Some(Error)),
        ("prove", "t/skipped.t::any", Some(Skipped)),
        ("prove", "t/good.t", Some(Passed)),
        (
            "go1.24",
            "example.com/demo/calc::TestTable/a/b_c",
            Some(Passed),
        ),
        ("go1.24", "TestAdds", Some(Passed)),
        ("go1.24", "example.com/demo/broken::TestNever", Some(Error)),
        ("go1.24", "example.com/demo/main::TestFine", Some(Error)),
        ("go1.24", "example.com/demo/panics::TestAfter", None),
        ("go1.24", "example.com/demo/calc", Some(Failed)),
        ("go1.19", "TestPrints", Some(TestState::Missing)),
        ("cargo_three", "src/lib.rs::tests::adds", Some(Passed)),
        ("cargo_three", "demo_crate::tests::adds", Some(Passed)),
        ("cargo_three", "tests::adds", Some(Passed)),
        ("cargo_three", "src/bin/tool.rs", Some(Passed)),
        ("cargo_three", "src/lib.rs", Some(Failed)),
        ("cargo", "src/lib.rs - add (line 5)", Some(Passed)),
        ("cargo", "src/lib.rs - odd", Some(Failed)),
        ("cargo_crash", "src/lib.rs::before", Some(Error)),
        ("cargo_crash", "src/lib.rs::exits", Some(Error)),
        ("nextest", "demo-crate::it$works", Some(Passed)),
        ("nextest", "demo-crate::it", Some(Passed)),
        ("nextest_junit", "demo-crate::it::works", Some(Passed)),
        ("mocha", "calc inner prints", Some(Passed)),
        ("mocha", "spec/kinds.spec.js::bad hook never", Some(Error)),
        (
            "mocha",
            "spec/kinds.spec.js::bad after passes first",
            Some(Error),
        ),
        ("mocha", "spec/plain.spec.js", Some(Passed)),
        ("mocha", "spec/kinds.spec.js::calc", None),
        (
            "jest",
            "unit/kinds.test.js::calc > inner > prints",
            Some(Error),
        ),
        ("jest", "unit/broken.test.js::never", Some(Error)),
        ("jest", "unit/only.test.js", Some(Skipped)),
        (
            "unittest",
            "tests.test_kinds.BadClass.test_never",
            Some(Error),
        ),
        (
            "unittest",
            "tests.test_kinds.SkippedClass.test_never",
            Some(Skipped),
        ),
        ("unittest", "tests.test_broken.T.test_a", Some(Error)),
        (
            "unittest",
            "test_adds (tests.test_kinds.Kinds)",
            Some(Passed),
        ),
        (
            "unittest",
            "tests/test_kinds.py::Kinds::test_größe",
            Some(Passed),
        ),
        (
            "unittest",
            "tests.test_kinds.BadEnd.test_passes_first",
            Some(Error),
        ),
        ("unittest", "tests.test_kinds", Some(Error)),
        (
            "unittest",
            "tests.test_kinds.Kinds.test_does_not_fail_as_said",
            Some(Xpassed),
        ),
        (
            "script",
            "test_adds (checks.test_kinds.Kinds)",
            Some(Passed),
        ),
        (
            "script",
            "test_adds (checks.test_kinds.Kinds.test_adds)",
            Some(Passed),
        ),
        ("script", "Two and two are added.", Some(Passed)),
        ("script", "It's ... not ok", Some(Failed)),
        ("script", "Not of a class that broke.", Some(Error)),
        ("script", "Never", Some(Skipped)),
        ("script", "checks.test_good", Some(Passed)),
        ("functions", "test_zulu", Some(Passed)),
        (
            "functions",
            "calc/tests/test_kinds.py::test_same",
            Some(Passed),
        ),
        // One file's passes, another's does not.
        ("functions", "test_same", Some(Failed)),
        ("functions", "test_alpha", Some(Failed)),
        ("functions", "test_before", Some(Error)),
        (
            "functions",
            "calc/tests/test_broken.py::test_after",
            Some(Error),
        ),
        (
            "functions",
            "calc/tests/test_disabled.py::test_never",
            Some(Skipped),
        ),
        // Skipped in one file, broken in another.
        ("functions", "test_never", Some(Error)),
        ("functions", "test_of_a_decorator_that_hides_it", None),
        ("functions", "test_one", Some(Passed)),
    ];
    for (report, name, expected) in cases {
        let row = REPORTS.iter().find(|(own, ..)| own == report);
        let (_, format, bytes) = row.unwrap();
        let found = state(&read(*format, bytes), name);
        assert_eq!(found, *expected, "{report}: {name}");
    }
}

#[test]
fn a_frozen_mapping_lets_no_test_stand_for_another() {
    let event = |package: &str, action: &str, test: &str| {
        format!(r#"{{"Action":"{action}","Package":"{package}","Test":"{test}"}}"#)
    };
    let end = |package: &str| format!(r#"{{"Action":"pass","Package":"{package}"}}"#);
    let whole = |package: &str| {
        let (run, pass) = (
            event(package, "run", "TestA"),
            event(package, "pass", "TestA"),
        );
        [run, pass, end(package)].join("\n")
    };
    let reference = read(Format::Go, whole("m/hidden").as_bytes());
    let mapping = reference.mapping(["TestA"]);
    let other = read(Format::Go, whole("m/mine").as_bytes());
    assert_eq!(state(&other, "TestA"), Some(TestState::Passed));
    assert_eq!(other.of_ids("TestA", &mapping["TestA"]), None);
    assert!(reference.of_ids("TestA", &mapping["TestA"]).is_some());
}

#[test]
fn targets_are_named_once() {
    let of = |format: Format, names: &[&str]| format.targets(names.iter().copied());
    assert_eq!(
        of(Format::Jest, &["b.js::x", "a.js::y", "b.js::z"]),
        ["a.js", "b.js"]
    );
    assert_eq!(
        of(Format::Go, &["m/b::TestA", "m/a::TestB/x"]),
        ["m/a", "m/b"]
    );
    assert!(of(Format::Go, &["m/b::TestA", "TestB"]).is_empty());
    assert!(of(Format::Tap, &["std::vector works", "t/a.t::b"]).is_empty());
    let unittest = [
        "t.test_a.A.test_x",
        "test_y (t.test_b.B)",
        "t/test_c.py::C::test_z",
    ];
    assert_eq!(
        of(Format::Unittest, &unittest),
        ["t.test_a", "t.test_b", "t/test_c.py"]
    );
    let script = [
        "test_y (t.test_b.B)",
        "t.test_a.A.test_x",
        "t.test_a.A.test_y",
    ];
    assert_eq!(
        of(Format::UnittestScript, &script),
        ["t.test_a", "t.test_b"]
    );
    let docstring = ["t.test_a.A.test_x", "any text may be one. Even this"];
    assert!(of(Format::UnittestScript, &docstring).is_empty());
    assert!(of(Format::UnittestScript, &["works"]).is_empty());
    assert_eq!(
        of(
            Format::Functions,
            &["a/test_b.py::test_x", "a/test_b.py::test_y"]
        ),
        ["a/test_b.py"]
    );
    assert!(of(Format::Functions, &["a/test_b.py::test_x", "test_y"]).is_empty());
    for format in Format::ALL {
        let start = format.command(Some("x y.py"), &[]).unwrap();
        assert!(start.argv.len() > 1);
        let needs_one = matches!(format, Format::Junit | Format::UnittestScript);
        assert_eq!(format.command(None, &[]).is_none(), needs_one);
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let long = format!("1..1\nok 1 {}\n", "x".repeat(MAX_LINE_BYTES));
    assert_eq!(
        Format::Tap.read(long.as_bytes(), ""),
        Err(FormatError::LineTooLong(2))
    );
    let long = format!("1..1\nok 1 {}\n", "x".repeat(MAX_NAME_BYTES + 1));
    assert_eq!(
        Format::Tap.read(long.as_bytes(), ""),
        Err(FormatError::NameTooLong)
    );
    let deep: String = (0..40)
        .map(|depth| format!("{}# Subtest: x\n{0}1..1\n", " ".repeat(4 * depth)))
        .collect();
    assert!(matches!(
        Format::Tap.read(deep.as_bytes(), ""),
        Err(FormatError::TooDeep(_))
    ));
    let deep = format!("{{\"stats\":{}", "[".repeat(100_000));
    assert!(matches!(
        Format::Mocha.read(deep.as_bytes(), ""),
        Err(FormatError::Damaged { .. })
    ));
    let many = "ok\n".repeat(MAX_CASES + 1);
    assert_eq!(
        Format::Tap.read(many.as_bytes(), ""),
        Err(FormatError::TooManyRecords)
    );
    for format in Format::ALL {
        assert!(format.read(b" \n", "").is_err());
    }
}

proptest! {
    #[test]
    fn any_bytes_give_records_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for format in Format::ALL {
            let _ = format.read(&bytes, "/project").map(|report| report.all().len());
        }
    }

    /// Lines of real reports, left out, doubled, in another order, with a byte changed.
    #[test]
    fn any_lines_give_records_or_an_error(
        row in 0..REPORTS.len(),
        picks in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..8_u8), 1..60),
    ) {
        let (_, format, bytes) = REPORTS[row];
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let mut mixed = Vec::new();
        for (index, byte, how) in picks {
            let mut line = index.get(&lines).to_vec();
            if how == 0 {
                let at = index.index(line.len());
                line[at] = byte;
            }
            mixed.extend(line);
        }
        for format in [format, Format::Tap, Format::Cargo] {
            if let Ok(report) = format.read(&mixed, "/project") {
                for (id, record) in report.all() {
                    prop_assert!(report.of(id).is_some());
                    // What stands above can only lower.
                    let own = report.iter().find(|(own, _)| *own == id);
                    if record.state == TestState::Passed {
                        prop_assert_eq!(own.map(|(_, own)| own.state), Some(TestState::Passed));
                    }
                }
            }
        }
    }
}
