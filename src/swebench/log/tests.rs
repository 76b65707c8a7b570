//! Facts about the parsers, in small logs.

use proptest::prelude::*;

use super::*;

const ABOUT: About<'static> = About {
    instance_id: "acme__widget-1",
    version: "1.0",
};

/// What a parser reads, as `name=STATUS` in order; or what it raises.
fn by(rules: Rules, parser: &str, log: &str) -> String {
    by_about(rules, parser, ABOUT, log)
}

pub(super) fn by_about(rules: Rules, parser: &str, about: About<'_>, log: &str) -> String {
    let parser = Parser::named(rules, &format!("parse_log_{parser}")).expect("a parser");
    match parser.parse(rules, about, log) {
        Ok(statuses) => {
            let pairs = statuses.iter();
            let pairs: Vec<_> = pairs.map(|(name, is)| format!("{name}={is}")).collect();
            pairs.join("; ")
        }
        Err(Raised(name)) => name.to_owned(),
    }
}

pub(super) fn v5(parser: &str, log: &str) -> String {
    by(Rules::V5_0, parser, log)
}

pub(super) fn v4(parser: &str, log: &str) -> String {
    by(Rules::V4_1, parser, log)
}

#[test]
fn an_id_of_pytest_ends_at_a_blank() {
    let log =
        "PASSED t.py::a[x y]\nFAILED t.py::b - assert 0\nFAILED - t.py::c\nXFAIL d\n x\nERROR\n";
    let read = "t.py::a[x=PASSED; t.py::b=FAILED; t.py::c=FAILED; d=XFAIL";
    assert_eq!(v5("pytest", log), read);
    assert_eq!(v4("flask", log), read);
}

#[test]
fn a_count_of_skipped_tests_is_a_test_in_4_1_only() {
    let log = "SKIPPED [2] t.py:3: no\nSKIPPED [x] y\nPASSED [100%]\n";
    assert_eq!(v5("pytest", log), "[x]=SKIPPED; [100%]=PASSED");
    assert_eq!(v4("pytest", log), "[2]=SKIPPED; [x]=SKIPPED; [100%]=PASSED");
}

#[test]
fn a_status_word_may_go_on() {
    assert_eq!(
        v5("pytest", "ERROR: a b\nPASSEDX c\n"),
        "a=ERROR:; c=PASSEDX"
    );
}

#[test]
fn options_that_are_a_path_keep_its_last_part() {
    let log = "PASSED a[/x/y]z\nPASSED b[//x/y]\nPASSED c[/x/*]\nPASSED d[x/[y]]\nPASSED e]f[\n";
    assert_eq!(
        v5("pytest_options", log),
        "a[/y]=PASSED; b[//x/y]=PASSED; c[/x/*]=PASSED; d[x/[y]]=PASSED; e]f[=PASSED"
    );
}

#[test]
fn ids_with_blanks_are_whole_in_5_0() {
    let log =
        "\x1b[32mPASSED\x1b[0m t::a[x y]\nFAILED t::b c - d - e\nt::f g SKIPPED\nSKIPPED [1] h\n";
    assert_eq!(
        v5("sphinx", log),
        "t::a[x y]=PASSED; t::b c=FAILED; t::f g=SKIPPED"
    );
    assert_eq!(
        v4("sphinx", log),
        "t::a[x=PASSED; t::b=FAILED; t::f=g; [1]=SKIPPED"
    );
}

#[test]
fn a_status_without_a_test_breaks_seaborn_in_4_1() {
    let log = "FAILED a\nb PASSED [ 1%]\nc d PASSED e\nPASSED f\n";
    assert_eq!(v5("seaborn", log), "a=FAILED; b=PASSED; f=PASSED");
    assert_eq!(v4("seaborn", log), "a=FAILED; b=PASSED; f=PASSED");
    assert_eq!(v5("seaborn", "FAILED\n PASSED \n"), "");
    assert_eq!(v4("seaborn", "FAILED\n"), "IndexError");
    assert_eq!(v4("seaborn", " PASSED \n"), "IndexError");
}

#[test]
fn buttons_of_a_mouse_have_numbers() {
    let log = "PASSED a[MouseButton.LEFT-MouseButton.RIGHT]\n";
    assert_eq!(v5("matplotlib", log), "a[1-3]=PASSED");
}

#[test]
fn an_ok_on_a_later_line_is_of_the_last_test() {
    let log =
        "a (m.T) ... ok\nb (m.T) ... noise\nok\nc ... skipped 'no'\nd ... FAIL\ne ... ERROR\n";
    assert_eq!(
        v5("django", log),
        "a (m.T)=PASSED; b (m.T)=PASSED; c=SKIPPED; d=FAILED; e=ERROR"
    );
}

#[test]
fn headings_of_failures_name_the_first_word() {
    assert_eq!(
        v5("django", "FAIL: a (m.T)\nERROR: b (m.T)\n"),
        "a=FAILED; b=ERROR"
    );
    assert_eq!(v5("django", "FAIL:\n"), "IndexError");
}

#[test]
fn a_message_between_a_test_of_django_and_its_ok_is_passed_over() {
    let log = "a ... Testing against Django installed in x\ny silenced).\nok\n\
        b ... Internal Server Error: /c/\nok\n\
        d ... System check identified no issues (0 silenced)\nok\n";
    assert_eq!(v5("django", log), "a=PASSED; b=PASSED; d=PASSED");
    let log = "Applying sites.0002_alter_domain_unique...test_no_migrations (m.T) ... ok\n";
    let read = "test_no_migrations (m.T)=PASSED";
    assert_eq!(v5("django", log), read);
}

#[test]
fn headers_of_sympy_are_failures_with_a_file() {
    let log = "____ sympy/a/b.py:test_c ____\n  test_d ok\ntest_e F\ntest_f E\ntest_g w\n";
    assert_eq!(
        v5("sympy", log),
        "sympy/a/b.py:test_c=FAILED; test_d=PASSED; test_e=FAILED; test_f=ERROR"
    );
}

#[test]
fn suites_in_c_write_a_line_for_each_test() {
    let log = "[ok]: a (2 ms)\n[err]: b in tests/c.tcl\n[ignore]: d\n[skip]: e\n";
    assert_eq!(v5("redis", log), "a=PASSED; b=FAILED; d=SKIPPED; e=SKIPPED");
    assert_eq!(
        v5("jq", "PASS: a b\n FAIL: c\nXPASS: d\n"),
        "a b=PASSED; c=FAILED"
    );
    let log = "pass  a.py\nFAIL  b.py\nskip  c.py\n3 tests\n";
    assert_eq!(
        v5("micropython_test", log),
        "a.py=PASSED; b.py=FAILED; c.py=SKIPPED"
    );
    let log =
        "[ RUN      ] a.b\n[       OK ] a.b (0 ms)\n[  FAILED  ] a.c (1 ms)\n[  FAILED  ] a.c\n";
    assert_eq!(v5("googletest", log), "a.b=PASSED; a.c=FAILED");
}

#[test]
fn a_subcase_passes_if_each_expression_in_it_did() {
    let log = "x<doctest><TestCase name='a &amp; b'><SubCase name='c'><SubCase name='d'/>\
        <Expression success='false'/></SubCase><SubCase><Expression success='true'/></SubCase>\
        </TestCase><TestCase name='e'/></doctest></x>";
    assert_eq!(
        v5("doctest", log),
        "a & b > c=FAILED; a & b > d=PASSED; a & b > None=PASSED"
    );
    assert_eq!(v5("doctest", "no report"), "");
}

#[test]
fn a_report_that_is_not_well_formed_is_refused() {
    let whole = "<doctest><a b='1'>&#65;<!-- c --><?d e?><![CDATA[<]]></a></doctest>";
    assert_eq!(v5("doctest", whole), "");
    for broken in [
        "<doctest>",
        "<doctest><a></doctest>",
        "<doctest><a b='1' b='2'/></doctest>",
        "<doctest><a b='1'c='2'/></doctest>",
        "<doctest><a b='<'/></doctest>",
        "<doctest><a b=1/></doctest>",
        "<doctest>&nbsp;</doctest>",
        "<doctest>&#0;</doctest>",
        "<doctest>]]></doctest>",
        "<doctest><!-- -- --></doctest>",
        "<doctest><?xml version='1.0'?></doctest>",
        "<doctest><p:a/></doctest>",
        "<doctest><1/></doctest>",
        "<doctest>\u{1}</doctest>",
        "<doctest/></doctest>",
    ] {
        assert_eq!(v5("doctest", broken), "ParseError", "{broken}");
    }
}

#[test]
fn elements_of_a_namespace_are_others() {
    let log = |space: &str| {
        format!("<doctest {space}><TestCase name='a'><SubCase name='b'/></TestCase></doctest>")
    };
    assert_eq!(v5("doctest", &log("xmlns:p='u'")), "a > b=PASSED");
    assert_eq!(v5("doctest", &log("xmlns=''")), "a > b=PASSED");
    assert_eq!(v5("doctest", &log("xmlns='u'")), "");
}

#[test]
fn go_and_cargo_name_their_tests() {
    let log = "--- PASS: A (0.1s)\n    --- FAIL: A/b c (0.1s)\n--- SKIP: D (0s)\nok p 1s\n";
    assert_eq!(v5("gotest", log), "A=PASSED; A/b c=FAILED; D=SKIPPED");
    let log = "test a::b ... ok\ntest c ... FAILED\ntest d ... ignored\ntest e f ... ok\n";
    assert_eq!(v5("cargo", log), "a::b=PASSED; c=FAILED");
}

#[test]
fn a_build_is_of_the_oldest_test_in_5_0_and_of_the_last_in_4_1() {
    let log = "+ mvn -Dtest=A -q\n+ mvn -Dtest=B\nBUILD SUCCESS\nBUILD FAILURE\n";
    assert_eq!(v5("maven", log), "A=PASSED; B=FAILED");
    assert_eq!(v4("maven", log), "B=FAILED");
    assert_eq!(v5("maven", "BUILD FAILURE\n-Dtest=A\n"), "A=FAILED");
    let nameless = "---NO TEST NAME FOUND YET---=FAILED";
    assert_eq!(v4("maven", "[ERROR] BUILD FAILURE\n-Dtest=A\n"), nameless);
}

#[test]
fn ant_and_gradle_name_their_tests() {
    let log = "    [junit] [PASS] a(B)\n [junit] [ERR] c\n [junit] d\n";
    assert_eq!(v5("ant", log), "a(B)=PASSED; c=FAILED");
    let log = "A > b PASSED\n> c FAILED\nD > e\nWARNING\nFAILED\nPASSED\n";
    assert_eq!(v5("gradle_custom", log), "A > b=PASSED; D > e=FAILED");
    assert_eq!(v4("gradle_custom", log), "A > b=PASSED");
}

#[test]
fn testdox_names_a_test_by_its_suite() {
    let log = " ✔ early\nBook (Shop\\Book)\n ✔ Opens\n ✘ Shuts\n ↩ Burns\nTime: 1s (x)\n ✔ late\n";
    assert_eq!(
        v5("phpunit", log),
        "None > early=PASSED; Book > Opens=PASSED; Book > Shuts=FAILED; \
         Book > Burns=SKIPPED; Time: 1s > late=PASSED"
    );
}

#[test]
fn runners_in_ruby_put_a_letter_behind_the_name() {
    let log = "A#b. 0.01 s = .\nA#c. = 0.0 s = F\nA#d. 1 s = E\nA#e. 0.1 s = S\n. x = .\n";
    assert_eq!(v5("minitest", log), "A#b=PASSED; A#c=FAILED; A#d=FAILED");
    assert_eq!(v5("minitest", "a. = 0.1 S\n"), "a=PASSED");
    assert_eq!(
        v5("cucumber", "f.feature ...\ng ..F-\nh .\n"),
        "f.feature=PASSED; g=FAILED"
    );
    let log = "test: a:\t.: (0.1)\n b: F\ntest: c: O\nd: Eh\ne: E: 1\n";
    assert_eq!(
        v5("ruby_unit", log),
        "a=PASSED; b=FAILED; c=SKIPPED; e=FAILED"
    );
    let log = "a - b - passed\nc - failed!\nd - pending\n";
    assert_eq!(v5("rspec_transformed_json", log), "a - b=PASSED; c=FAILED");
}

#[test]
fn the_pull_request_decides_how_jekyll_is_read() {
    let of = |id, log| {
        let about = About {
            instance_id: id,
            ..ABOUT
        };
        by_about(Rules::V5_0, "jekyll", about, log)
    };
    assert_eq!(of("jekyll__jekyll-9141", "a. = ."), "a=PASSED");
    assert_eq!(of("jekyll__jekyll-8761", "a ...F"), "a=FAILED");
    assert_eq!(of("jekyll__jekyll-1", ""), "ValueError");
    assert_eq!(of("jekyll", ""), "IndexError");
}

#[test]
fn names_that_4_1_does_not_have_are_unknown_there() {
    assert!(Parser::named(Rules::V4_1, "parse_log_eslint").is_none());
    assert!(Parser::named(Rules::V5_0, "parse_log_eslint").is_some());
    assert!(Parser::named(Rules::V5_0, "pytest").is_none());
    assert!(Parser::of_repo(Rules::V4_1, "eslint/eslint").is_none());
    let flask = Parser::of_repo(Rules::V4_1, "pallets/flask");
    assert_eq!(flask, Parser::named(Rules::V5_0, "parse_log_xarray"));
    assert_eq!(flask.map(Parser::name), Some("parse_log_pytest"));
    assert!(fail_only("chartjs/Chart.js") && !fail_only("eslint/eslint"));
}

#[test]
fn an_exception_is_told_by_its_name() {
    assert_eq!(
        Raised("KeyError").to_string(),
        "the log parser raised KeyError"
    );
}

/// Words of all runners, so that arbitrary text gets somewhere.
fn text() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "PASSED ",
        "FAILED ",
        "SKIPPED [1]",
        " - ",
        " ... ",
        "ok\n",
        "FAIL:",
        "\n",
        "  ",
        "1) ",
        ": ",
        "(3ms)",
        "✓ ",
        "✔",
        "✖ ",
        "✕ ",
        "<doctest",
        "</doctest>",
        "<a>",
        "</a>",
        "</",
        "<",
        "a>",
        "Starting browser\n",
        " ./node_modules/.bin/jest ",
        " xvfb-run ",
        "Error",
        "./node_modules/.bin/mocha tests/run.js --reporter json",
        "{",
        "}",
        "[",
        "]",
        "\"",
        ",",
        "\"failures\":",
        "\"passes\":",
        "running 1 test files",
        "Running:)\n\n\n  ",
        "BUILD SUCCESS",
        "-Dtest=",
        "[smoke]",
        "/tmp/a/",
        "test_a E",
        "_ a.py:b _",
        "\x1b[1m",
        "\u{1c}",
        "&#1;",
        "Chrome 1 (a) ",
        "S (a)\n",
        ". =",
        "é",
        "\\u",
        "\r\n",
        "xmlns='u' ",
    ]);
    prop::collection::vec(
        prop_oneof![3 => words.prop_map(String::from), 1 => any::<String>()],
        0..40,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_parser_panics(log in text(), id in "a-(9141|8761|2006|2005|[0-9])?", version in "1.27|9.5|4|1|x") {
        for rules in [Rules::V4_1, Rules::V5_0] {
            for function in FUNCTIONS {
                let about = About { instance_id: &id, version: &version };
                let read = Parser(function).parse(rules, about, &log);
                prop_assert_eq!(Parser(function).parse(rules, about, &log), read);
            }
        }
    }
}

#[test]
fn a_tree_that_makes_long_names_of_short_lines_ends_the_reading() {
    let suite = "s".repeat(1 << 20);
    let mut log = format!(" ./node_modules/.bin/jest \n  {suite}\n");
    log.push_str(&"    ✓ a\n".repeat(300));
    assert_eq!(v5("calypso", &log), "MemoryError");
}
