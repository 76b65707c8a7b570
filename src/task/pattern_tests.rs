//! Facts about what patterns and globs match.

use serde_json::json;

use super::*;

fn pattern(tool: &str, arguments: &[(&str, Matcher)]) -> CallPattern {
    CallPattern {
        tool: tool.into(),
        command: None,
        arguments: arguments
            .iter()
            .map(|(name, matcher)| ((*name).into(), matcher.clone()))
            .collect(),
    }
}

fn fits(matcher: Matcher, value: Value) -> bool {
    let pattern = pattern("t", &[("a", matcher)]);
    let arguments = json!({ "a": value, "other": 1 });
    CallMatcher::new(&pattern)
        .unwrap()
        .matches("t", Some(&arguments))
}

#[test]
fn numbers_are_equal_by_value_at_any_depth() {
    let same = |a: Value, b: Value| fits(Matcher::Equal(a), b);
    assert!(same(json!(1), json!(1.0)));
    assert!(same(json!(-0.0), json!(0)));
    assert!(same(json!(-3.0), json!(-3)));
    assert!(same(json!({ "x": [2.0] }), json!({ "x": [2] })));
    assert!(same(json!(u64::MAX), json!(u64::MAX)));
    assert!(!same(json!(1), json!(1.5)));
    assert!(!same(json!(1), json!("1")));
    assert!(!same(json!(1), json!(true)));
    // 2^53 + 1 is no float.
    assert!(!same(
        json!(9_007_199_254_740_993_u64),
        json!(9_007_199_254_740_992_f64)
    ));
    assert!(!same(json!([1, 2]), json!([2, 1])));
}

#[test]
fn any_regex_and_schema_are_held_against_a_value() {
    let any = || Matcher::Any(vec![json!("x"), json!(2)]);
    assert!(fits(any(), json!(2.0)) && fits(any(), json!("x")));
    assert!(!fits(any(), json!("y")));
    let regex = || Matcher::Regex("^B-".into());
    assert!(fits(regex(), json!("B-7")));
    assert!(!fits(regex(), json!("AB-7")));
    assert!(!fits(Matcher::Regex("7".into()), json!(7)));
    let schema = || Matcher::Schema(json!({ "not": { "enum": ["a", "b"] } }));
    assert!(fits(schema(), json!("c")));
    assert!(!fits(schema(), json!("a")));
}

#[test]
fn an_argument_that_is_not_there_matches_nothing() {
    let held = pattern("t", &[("a", Matcher::Schema(json!({})))]);
    let held = CallMatcher::new(&held).unwrap();
    assert!(!held.matches("t", Some(&json!({}))));
    assert!(!held.matches("t", None));
    assert!(!held.matches("other", Some(&json!({ "a": 1 }))));
    let bare = CallMatcher::new(&pattern("t", &[])).unwrap();
    assert!(bare.matches("t", None));
}

#[test]
fn a_command_is_matched_as_a_whole_over_slashes_and_lines() {
    let of = |glob: &str, command: &str| {
        let pattern = CallPattern {
            command: Some(glob.into()),
            ..pattern("bash", &[])
        };
        let arguments = json!({ "command": command });
        CallMatcher::new(&pattern)
            .unwrap()
            .matches("bash", Some(&arguments))
    };
    assert!(of("git log --all*", "git log --all -- a/b\nls"));
    assert!(!of("git log --all*", "cd x && git log --all"));
    assert!(of("*git log --all*", "cd x/y && git log --all"));
}

#[test]
fn a_glob_is_bounded() {
    for glob in ["*", "?", "[!a-zé]", "**/", "a", "{a,b}", "é"] {
        let most = glob.repeat(MOST_GLOB / glob.len());
        assert!(command_glob(&most).is_ok(), "{glob}");
        assert!(
            PathGlobs::new(std::slice::from_ref(&most), &"/é".repeat(1000)).is_ok(),
            "{glob}"
        );
        let more = glob.repeat(MOST_GLOB / glob.len() + 1);
        let error = command_glob(&more).unwrap_err();
        assert_eq!(error.cause(), "at most 1000");
    }
}

#[test]
fn globs_over_paths_are_taken_from_the_work_tree() {
    let globs = |list: &[&str]| {
        let list: Vec<String> = list.iter().map(|glob| (*glob).to_owned()).collect();
        PathGlobs::new(&list, "/work[1]").unwrap()
    };
    let src = globs(&["./src/**"]);
    assert!(src.names("/work[1]/src/a/b.py"));
    assert!(!src.names("/work1/src/a.py") && !src.names("/work[1]/lib/src/a.py"));
    assert!(src.covers("/work[1]/src") && !src.names("/work[1]/src"));
    assert!(!src.covers("/work[1]/srcs"));
    let flat = globs(&["/etc/*.conf"]);
    assert!(flat.names("/etc/a.conf") && !flat.names("/etc/x/a.conf"));
    assert!(!globs(&[]).covers("/"));
}

#[test]
fn a_pattern_is_told_as_people_would_write_it() {
    let told = pattern(
        "refund",
        &[
            ("cents", Matcher::Any(vec![json!(1), json!(2)])),
            ("note", Matcher::Regex("^B".into())),
            ("order", Matcher::Equal(json!("A-17"))),
        ],
    );
    assert_eq!(
        told.to_string(),
        "`refund` with cents one of 1, 2 and note matching /^B/ and order = \"A-17\""
    );
    let told = CallPattern {
        command: Some("git log*".into()),
        ..pattern("bash", &[])
    };
    assert_eq!(told.to_string(), "`bash` with command like `git log*`");
    let long = pattern("t", &[("a", Matcher::Equal(json!("x".repeat(500))))]);
    assert!(long.to_string().chars().count() < 120);
}
