//! Every shape of the family.

use super::*;

#[test]
fn classic_rows_have_the_hubs_images() {
    let row = read_row(classic("Owner__Name-1"));
    assert_eq!(row.shape, Shape::Classic);
    assert_eq!(
        row.official_images(),
        [
            "swebench/sweb.eval.x86_64.owner_1776_name-1:latest",
            "sweb.eval.x86_64.owner__name-1:latest"
        ]
    );
}

#[test]
fn multilingual_rows_have_lists_and_no_setup_commit() {
    let row = with(listed(classic("a-1")), "environment_setup_commit", None);
    let row = read_row(with(row, "version", Some(json!(13704))));
    assert_eq!(row.shape, Shape::Classic);
    assert_eq!(row.version.as_deref(), Some("13704"));
    assert_eq!(row.environment_setup_commit, None);
    assert_eq!(row.pass_to_pass.len(), 2);
}

#[test]
fn multimodal_rows_may_keep_everything_back() {
    let text = r#"{"problem_statement": ["https://x/a.png"], "test_patch": []}"#;
    let row = with(classic("a-1"), "image_assets", Some(json!(text)));
    let row = read_row(row);
    assert_eq!(row.shape, Shape::Multimodal);
    let asset = Asset {
        path: None,
        url: Some("https://x/a.png".to_owned()),
    };
    assert_eq!(row.image_assets["problem_statement"], [asset]);
    assert_eq!(row.image_assets.len(), 1);
    let none = read_row(with(classic("a-1"), "image_assets", Some(json!("null"))));
    assert!(none.image_assets.is_empty());
    for wrong in [
        json!("{"),
        json!([]),
        json!({"patch": 1}),
        json!({"patch": [{"path": "../x"}]}),
    ] {
        let row = with(classic("a-1"), "image_assets", Some(wrong));
        let error = read_rows(&[row]).unwrap_err().to_string();
        assert!(error.contains("`image_assets` "), "{error}");
    }
    let mut row = with(classic("a-1"), "image_assets", Some(json!("")));
    for field in ["patch", "test_patch"] {
        row = with(row, field, Some(json!("")));
    }
    for field in ["FAIL_TO_PASS", "PASS_TO_PASS"] {
        row = with(row, field, None);
    }
    let row = read_row(row);
    assert_eq!((row.shape, row.patch.as_str()), (Shape::Multimodal, ""));
}

#[test]
fn rows_of_5_0_bring_script_parser_and_image() {
    let mut row = classic("a__b-1");
    for (field, value) in [
        (
            "image",
            json!("swebench/sweb.eval.x86_64.a_1776_b-1:latest"),
        ),
        ("eval_script", json!("#!/bin/bash\r\ntrue\n")),
        ("log_parser", json!("pytest_v2")),
        ("eval_type", json!("fail_only")),
        ("split", json!("dev")),
        ("datasets", json!(["SWE-bench/SWE-bench_Lite"])),
        ("difficulty", Value::Null),
        (
            "image_assets",
            json!({"test_patch": [{"path": "a/b.png", "url": "https://x/b.png"}], "patch": null}),
        ),
    ] {
        row.insert(field.to_owned(), value);
    }
    let row = read_row(row);
    assert_eq!(row.shape, Shape::Scripted);
    assert_eq!(row.eval_script.as_deref(), Some("#!/bin/bash\r\ntrue\n"));
    assert_eq!(row.log_parser.as_deref(), Some("pytest_v2"));
    assert_eq!(row.eval_type.as_deref(), Some("fail_only"));
    assert_eq!(row.split.as_deref(), Some("dev"));
    assert_eq!(
        row.field("datasets"),
        Some(json!(["SWE-bench/SWE-bench_Lite"]))
    );
    assert_eq!(
        row.image_assets["test_patch"][0].path.as_deref(),
        Some("a/b.png")
    );
    assert_eq!(row.official_images().len(), 2);
}

#[test]
fn live_rows_bring_commands_and_their_makers_image() {
    let mut row = listed(classic("a__b-1"));
    for (field, value) in [
        ("test_cmds", json!(["pytest -rA", "true"])),
        ("rebuild_cmds", json!("[\"make\"]")),
        ("print_cmds", json!("cat log")),
        ("log_parser", json!("pytest")),
        ("commit_urls", json!([{"nested": 1}])),
    ] {
        row.insert(field.to_owned(), value);
    }
    let named = with(row.clone(), "docker_image", Some(json!("who/what:1")));
    let row = read_row(row);
    assert_eq!(row.shape, Shape::Live);
    assert_eq!(row.test_cmds, ["pytest -rA", "true"]);
    assert_eq!(row.rebuild_cmds, ["make"]);
    assert_eq!(row.print_cmds, ["cat log"]);
    assert!(row.other.is_empty(), "{:?}", row.other);
    let own = "starryzhang/sweb.eval.x86_64.a_1776_b-1:latest";
    assert_eq!(row.official_images()[0], own);
    assert_eq!(read_row(named).official_images()[..2], ["who/what:1", own]);
}

#[test]
fn smith_rows_have_the_bug_and_no_commit() {
    let id = "oauthlib__oauthlib.1fd52536.combine_file__09vlzwgc";
    let row = object(json!({
        "instance_id": id,
        "repo": "swesmith/oauthlib__oauthlib.1fd52536",
        "patch": PATCH,
        "FAIL_TO_PASS": ["a"],
        "PASS_TO_PASS": [],
        "image_name": "jyangballin/swesmith.x86_64.oauthlib_1776_oauthlib.1fd52536",
    }));
    let row = read_row(row);
    assert_eq!(row.shape, Shape::Smith);
    assert!(row.reversed);
    assert_eq!(
        (row.base_commit.as_deref(), row.test_patch.as_str()),
        (None, "")
    );
    assert_eq!(
        row.official_images(),
        [
            "jyangballin/swesmith.x86_64.oauthlib_1776_oauthlib.1fd52536",
            "swebench/swesmith.x86_64.oauthlib_1776_oauthlib.1fd52536:latest"
        ]
    );
}

#[test]
fn lower_case_lists_are_read_where_there_are_no_others() {
    let row = listed(classic("a-1"));
    let row = with(row, "fail_to_pass", Some(json!(["x"])));
    let row = read_row(with(row, "FAIL_TO_PASS", None));
    assert_eq!(row.fail_to_pass, ["x"]);
    assert_eq!(row.pass_to_pass.len(), 2);
}

#[test]
fn further_fields_are_kept_for_filters_within_bounds() {
    let row = with(classic("a-1"), "stars", Some(json!(3)));
    let row = with(row, "tags", Some(json!(["x", 1])));
    let row = with(row, "large", Some(json!("x".repeat(10_000))));
    let row = read_row(with(row, "nested", Some(json!({"a": 1}))));
    let kept: Vec<&str> = row.other.keys().map(String::as_str).collect();
    assert_eq!(kept, ["stars", "tags"]);
    assert_eq!(row.field("stars"), Some(json!(3)));
    assert_eq!(row.field("pass_to_pass"), Some(json!(2)));
    assert_eq!(row.field("difficulty"), None);
    let set = read_rows(&[with(classic("a-1"), "stars", Some(json!(3)))]).unwrap();
    assert_eq!(set.fields().len(), FIELDS.len() + 1);
    for field in FIELDS {
        let known = row.field(field).is_some();
        let absent = ["difficulty", "eval_type", "image", "log_parser", "split"];
        assert_eq!(known, !absent.contains(&field), "{field}");
    }
}
