//! Facts about the parsers of JavaScript, in small logs.

use crate::swebench::Rules;
use crate::swebench::log::About;
use crate::swebench::log::tests::{by_about, v4, v5};

fn of_version(parser: &str, version: &str, log: &str) -> String {
    let about = About {
        instance_id: "acme__widget-1",
        version,
    };
    by_about(Rules::V5_0, parser, about, log)
}

#[test]
fn jest_and_vitest_tell_leaves_alone() {
    let log = "Suite\n  ✓ a b (5 ms)\n  ✕ c (1 s) d\n  ○ e\n  ✓  f  (2ms)\n";
    let read = "a b=PASSED; c (1 s) d=FAILED; e=SKIPPED; f=PASSED";
    assert_eq!(v5("jest", log), read);
    assert_eq!(v4("jest", log), read.replace("; f", ";  f "));
    let log = " ✓ a.ts > b 3ms\n × c 12\n ↓ d [skipped]\n ✓ e\n";
    assert_eq!(
        v5("vitest", log),
        "a.ts > b=PASSED; c=FAILED; d=SKIPPED; e=PASSED"
    );
    assert_eq!(
        v5("jest_json", "[PASSED] s a\n[FAILED] b\n[OK] c\n"),
        "s a=PASSED; b=FAILED"
    );
    assert_eq!(
        v5("tap", "ok 1 a\nnot ok 2 b # x\nok c\n"),
        "a=PASSED; b # x=FAILED"
    );
}

#[test]
fn the_pull_request_decides_how_immutable_js_is_read() {
    let of = |instance_id| {
        let about = About {
            instance_id,
            version: "",
        };
        by_about(Rules::V5_0, "immutable_js", about, "✓ a\n[PASSED] b\n")
    };
    assert_eq!(of("immutable-js__immutable-js-2006"), "a=PASSED");
    assert_eq!(of("immutable-js__immutable-js-2005"), "b=PASSED");
    assert_eq!(of("immutable-js__immutable-js-1"), "ValueError");
}

#[test]
fn karma_leaves_one_suite_for_each_line_to_the_left() {
    let log =
        " ✔ before\nStarting browser\n   a\n     b\n      ✔ c\n   left\n   ✖ d\nSUMMARY:\n ✔ e\n";
    assert_eq!(v5("karma", log), "a > b > c=PASSED; a > d=FAILED");
    let log = "Starting browser\n    a\n   b\n  c\n";
    assert_eq!(v5("karma", log), "IndexError");
}

#[test]
fn a_tree_of_calypso_goes_on_over_its_runs() {
    let log = "$ ./node_modules/.bin/jest x\n  a\n    b\n      ✓ c (5ms)\n    ✕ d\nTest Suites: 1\n  ✓ no\n\
        $ ./node_modules/.bin/jest y\n   ✓ e\n";
    assert_eq!(
        v5("calypso", log),
        "a - b - c=PASSED; a - b - d=FAILED; a - b - e=PASSED"
    );
    for broken in ["✓ a", "  ✓ (5ms) a", "  ✓"] {
        let log = format!(" ./node_modules/.bin/jest \n{broken}\n");
        assert_eq!(v5("calypso", &log), "AttributeError", "{broken}");
    }
    assert_eq!(
        v5("calypso", " ./node_modules/.bin/jest \n ✓ a"),
        "- a=PASSED"
    );
}

#[test]
fn the_version_decides_how_next_is_read() {
    let log = "$ xvfb-run k\n a ✓ no\nStarting browser Chrome\n  s\n    LOG: ✓ no\n    ✓ a\n    ✗ b\n\
        AssertionError: #1\n ✓ no\n\n  t\n    ✓ c\nTOTAL\n ✓ no\n";
    let read = "s - a=PASSED; s - b=FAILED; t - c=PASSED";
    assert_eq!(of_version("next", "1.0", log), read);
    let log = "Running: (1 of 2)\n\n\n  s\n    ✓ a (3ms)\n    1) b\nRunning: (2 of 2)\n\n\n  t\n    ✓ c (1ms)\n";
    assert_eq!(
        of_version("next", "1.27", log),
        "s: b=FAILED; s: a=PASSED; t: c=PASSED"
    );
}

#[test]
fn the_version_decides_how_lighthouse_is_read() {
    // The first line of a run loses its indent.
    let log = "running 2 test files\n  r\n  s\n    ✔ a (5ms)\n    1) b\n  2 passing\n    ✔ no\n";
    let read = "s - a=PASSED; s - b=FAILED";
    assert_eq!(of_version("lighthouse", "9.5", log), read);
    assert_eq!(
        of_version("lighthouse", "3.0", "PASS a.js (5 s)\n"),
        "a.js=PASSED"
    );
    let log = "./node_modules/.bin/mocha --reporter json\n\"passes\": [\n\"fullTitle\": \"a \\\" b\",\n]\n\
        \"failures\": [\n\"fullTitle\": \"c\",\n],\n";
    assert_eq!(
        of_version("lighthouse", "2.1", log),
        "a \\\" b=PASSED; c=FAILED"
    );
    assert_eq!(of_version("lighthouse", "x", log), "ValueError");
}

#[test]
fn files_lose_their_time() {
    let log = "PASS a.js (1.2s)\nFAIL b.js (12 s) x\nPASS c.js\nPASSED d\n";
    let read = "a.js=PASSED; b.js=FAILED; c.js=PASSED";
    assert_eq!(v5("carbon", log), read);
    assert_eq!(v4("react_pdf", log), read);
    let read = "b.js (12 s) x=FAILED; a.js=PASSED; c.js=PASSED";
    assert_eq!(v5("grommet", log), read);
}

#[test]
fn highlightjs_knows_the_last_suite_only() {
    let log = "  s\n    t\n      ✔ a (9ms)\n      1) b\n  2 passing\n  1) no\n";
    assert_eq!(v5("highlightjs", log), "t.a=PASSED; t.b=FAILED");
}

#[test]
fn prism_breaks_on_whatever_is_no_json() {
    let of = |json: &str| {
        let command = "./node_modules/.bin/mocha tests/run.js --reporter json";
        v5("prismjs", &format!("{command}\n{json}\n"))
    };
    let report =
        r#"{"failures":[{"fullTitle":"a\u00e9"}],"passes":[{"x":[1.5e3,NaN],"fullTitle":"b"}]}"#;
    assert_eq!(of(report), "aé=FAILED; b=PASSED");
    assert_eq!(of(&format!("{report}}}")), "JSONDecodeError");
    assert_eq!(of("{\"failures\":[],}"), "JSONDecodeError");
    assert_eq!(of("no report"), "JSONDecodeError");
    assert_eq!(of("{\"failures\":[]}"), "KeyError");
    assert_eq!(of("{\"failures\":[{}],\"passes\":[]}"), "KeyError");
    assert_eq!(of("{\"failures\":[1],\"passes\":[]}"), "TypeError");
    assert_eq!(of("{\"failures\":{},\"passes\":\"\"}"), "");
    assert_eq!(of("{\"failures\":null,\"passes\":[]}"), "TypeError");
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(of(&deep), "RecursionError");
    let long = format!("{{\"a\":{}}}", "9".repeat(5000));
    assert_eq!(of(&long), "ValueError");
}

#[test]
fn lists_of_failures_have_no_passed_tests() {
    let log = "  1) Rule x\n     does y:\n\n      AssertionError: z\n  2) a\n  TypeError\n";
    assert_eq!(v5("eslint", log), "Rule x does y:=FAILED; a=FAILED");
    let log =
        "HeadlessChrome 1.2 (Linux 0.0.0) a b FAILED\nChrome Headless 9 (Linux x86_64) c FAILED\n";
    assert_eq!(v5("bpmn_js", log), "c =FAILED; a b =FAILED");
    let log =
        "Chrome Headless 9.1 (Linux x86_64) a FAILED\n  1) b\n c Error: d\ncase e: mismatch\n";
    assert_eq!(v5("openlayers", log), "a=FAILED; b c=FAILED; e=FAILED");
    let log = "\x1b[31mChrome 9.1 (Linux) a FAILED\x1b[0m\nChrome 1 (x) b SUCCESS\n";
    assert_eq!(v5("chart_js", log), "a =FAILED");
    assert_eq!(v5("marked", "1) a \n 2) b\n3)c\n"), "a=FAILED");
}

#[test]
fn temporary_files_of_quarto_are_counted() {
    let log = "[smoke] > a ... \x1b[32mok\n[unit] > /tmp/x.qmd ... \x1b[31mFAILED\n\
        [unit] > /tmp/y/z ...\n[smoke] b passed, 1 failed (2 steps)\nERRORS\n[unit] c ... 32mok\n";
    assert_eq!(
        v5("quarto_cli", log),
        "[smoke] > a=PASSED; [unit] > /tmp/0=FAILED; [unit] > /tmp/1z=FAILED"
    );
}

#[test]
fn failures_of_p5js_go_to_the_right() {
    let log = "  1) a\n       b\n         c:\n  2) d\n e:\n  3) f:\n4)g:\n";
    assert_eq!(v5("p5js", log), "a:b:c=FAILED; f=FAILED");
    let long = |length| format!("1) {}:\n", "é".repeat(length));
    assert_ne!(v5("p5js", &long(999)), "");
    assert_eq!(v5("p5js", &long(1000)), "");
}

#[test]
fn printed_blocks_hide_failures_of_p5js() {
    let log = "x {\n1) a:\n}\ny [\n2) b:\n]\n{3) c: }\n4) d:\n";
    assert_eq!(v5("p5js", log), "d=FAILED");
}

#[test]
fn printed_elements_hide_failures_of_p5js() {
    let read = |log: &str| super::tags::without(log).unwrap().into_owned();
    for (log, left) in [
        ("x<a>y</a>z", "xz"),
        ("<a><a>x</a>y</a>z", "z"),
        ("<a><a>x</a>y", "<a>y"),
        ("<a><b></a></b>", "</b>"),
        ("<b><a></b></a>", "</a>"),
        ("<b><a></a>", "<b>"),
        ("</a><a>", "</a><a>"),
        // A removal makes tags.
        ("<<b></b>a>x</a>", ""),
        ("<a>x</<b></b>a>y", "y"),
        ("<a>1<c><a>2</<b></b>a>3</<b></b>a>4", "4"),
        ("<a<b></b>c>x</ac>", ""),
        ("<a<b><c></c></b>", "<a"),
        ("<<<b></b>c>x</c>d>y</d>", ""),
        ("<a</<b></b>b>", "<a</b>"),
        ("<e\u{301}>x</e\u{301}>", "<e\u{301}>x</e\u{301}>"),
    ] {
        assert_eq!(read(log), left, "{log}");
    }
}
