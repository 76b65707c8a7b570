//! What a test can say about itself or another must not count for more than the
//! runner's word.

use super::*;
use crate::record::TestState::{self, *};

pub(super) fn state(format: Format, text: &str, name: &str) -> (Option<TestState>, bool) {
    let report = format.read(text.as_bytes(), "/project").unwrap();
    let record = report.of(name);
    (record.map(|record| record.state), report.complete().is_ok())
}

pub(super) fn reason(format: Format, text: &str) -> String {
    let report = format.read(text.as_bytes(), "/project").unwrap();
    report.complete().err().unwrap_or("whole").to_owned()
}

#[test]
fn tap_needs_its_plan_and_each_number_once() {
    let of = |text: &str| reason(Format::Tap, text);
    assert_eq!(of("1..1\nok 1 - a\n"), "whole");
    assert_eq!(of("ok 1 - a\n1..1\n"), "whole");
    assert_eq!(of("ok - a\nok - b\n1..2\n"), "whole");
    assert!(of("ok 1 - a\n").contains("no plan"));
    assert!(of("1..2\nok 1 - a\n").contains("2 tests are planned, 1"));
    assert!(of("1..1\nok 1 - a\nok 2 - b\n").contains("1 tests are planned, 2"));
    assert!(of("1..2\nok 1 - a\nok 1 - b\n").contains("given twice"));
    assert!(of("1..2\nok 1 - a\nok 3 - b\n").contains("outside the plan"));
    assert!(of("1..1\nok 1 - a\n1..1\n").contains("two plans"));
    assert!(of("1..1\nok 1 - a\nBail out! no database\n").contains("no database"));
    assert!(of("1..1\nok 1 - a\n  ---\n  error: 'x'\n").contains("block of details"));
    assert!(of("1..1\nok 1 - a\n# Subtest: b\n    ok 1 - c\n").contains("inside a subtest"));
    assert!(of("# Subtest: b\n    ok 1 - c\nok 1 - b\n1..1\n").contains("in a subtest"));
    assert_eq!(of("1..0 # SKIP nothing here\n"), "whole");
}

#[test]
fn tap_directives_and_subtests_have_their_states() {
    let of = |line: &str, name: &str| state(Format::Tap, &format!("{line}\n1..1\n"), name).0;
    assert_eq!(of("ok 1 - a # SKIP why", "a"), Some(Skipped));
    assert_eq!(of("ok 1 - a # skipped", "a"), Some(Skipped));
    assert_eq!(of("not ok 1 - a # SKIP why", "a"), Some(Failed));
    assert_eq!(of("not ok 1 a # todo", "a"), Some(Xfailed));
    assert_eq!(of("ok 1 a # TODO", "a"), Some(Xpassed));
    assert_eq!(of("ok 1 - a \\# SKIP b", "a # SKIP b"), Some(Passed));
    assert_eq!(of("ok 1 - a#SKIP", "a#SKIP"), Some(Passed));
    assert_eq!(of("ok 1 - a # time=3ms", "a"), Some(Passed));
    assert_eq!(of("ok", "#1"), Some(Passed));
    assert_eq!(of("ok2", "#1"), None);
    assert_eq!(of("ok 2fast", "2fast"), Some(Passed));
    let lying = "    not ok 1 - b\n    1..1\nok 1 - a";
    assert_eq!(of(lying, "a"), Some(Failed));
    assert_eq!(of(lying, "a > b"), Some(Failed));
    let later = "    ok 1 - b\n    1..1\nnot ok 1 - a";
    assert_eq!(of(later, "a > b"), Some(Failed));
}

#[test]
fn a_name_that_is_said_twice_counts_as_the_worse() {
    let twice = "1..2\nok 1 - a\nnot ok 2 - a\n";
    assert_eq!(state(Format::Tap, twice, "a"), (Some(Failed), true));
    let report = Format::Tap.read(twice.as_bytes(), "").unwrap();
    assert_eq!(report.of("a").unwrap().times, 2);
}

#[test]
fn go_results_need_their_beginnings_and_packages_their_ends() {
    let event = |action: &str, test: &str| {
        format!(r#"{{"Action":"{action}","Package":"m","Test":"{test}"}}"#)
    };
    let end = |action: &str| format!(r#"{{"Action":"{action}","Package":"m"}}"#);
    let of = |lines: &[String]| state(Format::Go, &lines.join("\n"), "m::TestA");
    let (run, pass, fail) = (
        event("run", "TestA"),
        event("pass", "TestA"),
        event("fail", "TestA"),
    );
    let ok = [run.clone(), pass.clone(), end("pass")];
    assert_eq!(of(&ok), (Some(Passed), true));
    assert_eq!(of(&ok[..2]), (Some(Passed), false));
    assert_eq!(of(&[pass.clone(), end("pass")]), (Some(Error), false));
    assert_eq!(of(&[run.clone(), end("pass")]), (Some(Missing), false));
    assert_eq!(
        of(&[run.clone(), fail.clone(), end("pass")]),
        (Some(Failed), false)
    );
    assert_eq!(
        of(&[run.clone(), pass.clone(), end("fail")]),
        (Some(Error), true)
    );
    assert_eq!(
        of(&[run.clone(), fail, pass.clone(), end("fail")]),
        (Some(Failed), true)
    );
    let sub = [event("run", "TestA/b"), event("fail", "TestA/b")];
    let lying = [
        vec![run.clone()],
        sub.to_vec(),
        vec![pass.clone(), end("fail")],
    ]
    .concat();
    assert_eq!(of(&lying), (Some(Failed), true));
    let damaged = [run, pass, end("pass"), "{\"Action\":\"pa".to_owned()];
    assert!(!of(&damaged).1);
}

#[test]
fn cargo_counts_are_compared_kind_by_kind() {
    let of = |lines: &str, counts: &str| {
        let head =
            "     Running tests/it.rs (target/debug/deps/it-0ddca08fee548bda)\n\nrunning 2 tests\n";
        let text =
            format!("{head}{lines}\ntest result: ok. {counts}; 0 measured; 0 filtered out\n");
        state(Format::Cargo, &text, "tests/it.rs::a")
    };
    let good = "2 passed; 0 failed; 0 ignored";
    let bad = "1 passed; 1 failed; 0 ignored";
    assert_eq!(
        of("test a ... ok\ntest b ... ok\n", good),
        (Some(Passed), true)
    );
    assert_eq!(of("test a ... ok\n", good), (Some(Passed), false));
    assert!(!of("test a ... ok\ntest a ... FAILED\ntest b ... ok\n", bad).1);
    // The result that a test prints of itself before the runner's own.
    assert_eq!(
        of("test b ... ok\ntest a ... ok\nFAILED\n", bad),
        (Some(Passed), false)
    );
    let listed = "test b ... ok\ntest a ... ok\n\nfailures:\n\nfailures:\n    a\n";
    assert_eq!(of(listed, bad), (Some(Error), false));
    let noisy = "test a ... some noise\nmore of itok\nno line endtest b ... ok\n";
    assert_eq!(of(noisy, good), (Some(Passed), true));
    let lost = "test a ... some noise\ntest b ... ok\n";
    assert_eq!(of(lost, good), (Some(Missing), false));
    let quoted = "test b ... ok\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\ntest a ... ok\n\nfailures:\n    a\n";
    assert_eq!(of(quoted, bad), (Some(Failed), true));
    assert!(reason(Format::Cargo, "error: could not compile `x` (lib)\n").contains("compile"));
}

#[test]
fn json_reports_must_agree_with_their_own_counts() {
    let mocha = include_str!("../../../tests/fixtures/formats/js/mocha.json");
    let jest = include_str!("../../../tests/fixtures/formats/js/jest.json");
    for (format, text, from, to) in [
        (Format::Mocha, mocha, "\"passes\": 6", "\"passes\": 7"),
        (Format::Mocha, mocha, "\"tests\": 14", "\"tests\": 15"),
        (Format::Mocha, mocha, "\"end\": ", "\"and\": "),
        (
            Format::Jest,
            jest,
            "\"numTotalTests\":18",
            "\"numTotalTests\":19",
        ),
        (Format::Jest, jest, "\"success\":false", "\"success\":true"),
        (
            Format::Jest,
            jest,
            "\"wasInterrupted\":false",
            "\"wasInterrupted\":true",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        assert_eq!(reason(format, text), "whole");
        assert_ne!(reason(format, &text.replacen(from, to, 1)), "whole", "{to}");
    }
}

#[test]
fn a_hook_of_no_suite_leaves_nothing_standing() {
    let hook = r#"{"title":"\"before all\" hook in \"{root}\"","fullTitle":"\"before all\" hook in \"{root}\""}"#;
    let test = r#"{"title":"a","fullTitle":"a"}"#;
    let text = format!(
        r#"{{"stats":{{"tests":1,"passes":1,"pending":0,"failures":1,"end":"x"}},
        "tests":[{test}],"passes":[{test}],"pending":[],"failures":[{hook}]}}"#
    );
    assert_eq!(state(Format::Mocha, &text, "a"), (Some(Passed), false));
}

#[test]
fn junit_suites_must_agree_with_their_own_counts() {
    let of = |attributes: &str, cases: &str| {
        reason(
            Format::Junit,
            &format!("<testsuites><testsuite {attributes}>{cases}</testsuite></testsuites>"),
        )
    };
    let case = r#"<testcase classname="a" name="b"/>"#;
    let bad = r#"<testcase classname="a" name="c"><failure/></testcase>"#;
    let both = format!("{case}{bad}");
    assert_eq!(of("", case), "whole");
    assert_eq!(of(r#"tests="1""#, case), "whole");
    assert_eq!(of(r#"tests="2" failures="1" errors="0""#, &both), "whole");
    assert_ne!(of(r#"tests="2""#, case), "whole");
    assert_ne!(of(r#"tests="1""#, &both), "whole");
    assert_ne!(of(r#"tests="2" failures="0""#, &both), "whole");
    let nested = format!(r#"<testsuite tests="1">{case}</testsuite>"#);
    assert_eq!(of(r#"tests="9""#, &nested), "whole");
}
