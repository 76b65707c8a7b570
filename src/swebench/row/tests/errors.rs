//! What is told of rows that are wrong.

use insta::assert_snapshot;

use super::*;

fn told_rows(rows: &[Map<String, Value>]) -> String {
    told(&[("rows.jsonl", lines(rows).as_bytes())], "rows.jsonl")
}

#[test]
fn all_that_is_wrong_is_told_together() {
    let row = |field: &str, value: Value| with(classic("a-1"), field, Some(value));
    let renamed = with(classic("a-9"), "fail_to_passes", Some(json!([])));
    assert_snapshot!(told_rows(&[
        classic("a-0"),
        row("instance_id", json!("../a")),
        row("base_commit", json!("main")),
        row("patch", json!("\nplease change it")),
        row("FAIL_TO_PASS", json!(3)),
        row("PASS_TO_PASS", json!("['a', 'b']")),
        row("PASS_TO_PASS", json!(["a", 3])),
        row("version", json!(1.1)),
        row("eval_type", json!("all")),
        row("repo", json!("https://x/y")),
        row("image", json!("a b")),
        with(with(renamed, "FAIL_TO_PASS", None), "repo", None),
    ]), @r#"
    error: rows.jsonl:2: `instance_id` cannot be `../a`
      letters, digits, `.`, `_` and `-`, at most 200, beginning with a letter or digit
    error: rows.jsonl:3: a-1: `base_commit` cannot be `main`
      a commit is 40 hexadecimal digits
    error: rows.jsonl:4: a-1: `patch` is not a patch; it begins with `please change it`
      a patch as git writes it, or nothing
    error: rows.jsonl:5: a-1: `FAIL_TO_PASS` is a number
      it must be a list of test ids, or the JSON text of one
    error: rows.jsonl:6: a-1: `PASS_TO_PASS` is not the JSON text of a list of texts, but `['a', 'b']` (expected value at line 1 column 2)
      it must be a list of test ids, or the JSON text of one
    error: rows.jsonl:7: a-1: `PASS_TO_PASS` has an item that is a number
      it must be a list of test ids, or the JSON text of one
    error: rows.jsonl:8: a-1: `version` is the number 1.1
      as a number 1.10 is 1.1; write it as a text
    error: rows.jsonl:9: a-1: `eval_type` cannot be `all`
      it is pass_and_fail or fail_only
    error: rows.jsonl:10: a-1: `repo` cannot be `https://x/y`
      it is written owner/name
    error: rows.jsonl:11: a-1: `image` cannot be `a b`
      the name of an image, such as owner/name:tag
    error: rows.jsonl:12: a-9: `repo` is missing
      every row has it; docs/swebench.md lists the fields
    error: rows.jsonl:12: a-9: `FAIL_TO_PASS` is missing
      there is `fail_to_passes`
    "#);
}

#[test]
fn an_id_stands_once() {
    assert_snapshot!(told_rows(&[classic("a-1"), classic("a-2"), classic("a-1")]), @r#"
    error: rows.jsonl:3: a-1: `instance_id` stands in line 1 already
      an id names one row of a data set
    "#);
    let changed = with(classic("a-1"), "version", Some(json!("2")));
    let files: [(&str, &[u8]); 2] = [
        ("x/dev.jsonl", lines(&[classic("a-1")]).as_bytes()),
        ("x/test.jsonl", lines(&[changed]).as_bytes()),
    ]
    .map(|(name, content)| (name, &*content.to_vec().leak()));
    assert_snapshot!(told(&files, "x"), @r#"
    error: x/test.jsonl:1: a-1: `instance_id` stands in `x/dev.jsonl` already, and differs there
      an id names one row of a data set
    "#);
}

#[test]
fn lines_that_are_none_are_told_by_number() {
    let text = format!("{}[1]\n\n{{\"a\": }}\n", lines(&[classic("a-1")]));
    assert_snapshot!(told(&[("rows.jsonl", text.as_bytes())], "rows.jsonl"), @r#"
    error: rows.jsonl:2: this line is JSON, but no object
      a file of rows has one object a line
    error: rows.jsonl:4: this line is not JSON: expected value at column 7
      a file of rows has one object a line
    "#);
    let text = r#"[{"instance_id": "a-1"}, 3]"#;
    assert_snapshot!(told(&[("rows.json", text.as_bytes())], "rows.json"), @r#"
    error: rows.json, row 1: a-1: `repo` is missing
      every row has it; docs/swebench.md lists the fields
    error: rows.json, row 1: a-1: `base_commit` is missing
      only rows of SWE-smith (with `image_name`) have none
    error: rows.json, row 1: a-1: `patch` is missing
      every row has it; docs/swebench.md lists the fields
    error: rows.json, row 1: a-1: `test_patch` is missing
      every row has it; docs/swebench.md lists the fields
    error: rows.json, row 1: a-1: `problem_statement` is missing
      every row has it; docs/swebench.md lists the fields
    error: rows.json, row 1: a-1: `FAIL_TO_PASS` is missing
      every row has it; docs/swebench.md lists the fields
    error: rows.json, row 1: a-1: `PASS_TO_PASS` is missing
      every row has it; docs/swebench.md lists the fields
    error: rows.json, row 2: this is not an object
      a file of rows is a list of objects
    "#);
}

#[test]
fn many_are_counted_and_not_shown() {
    let rows: Vec<_> = (0..100)
        .map(|at| with(classic(&format!("a-{at}")), "repo", Some(json!(""))))
        .collect();
    let told = told_rows(&rows);
    assert_eq!(told.matches("`repo` is empty").count(), 20);
    assert!(told.ends_with("error: 80 more things are wrong with rows; they are not shown\n"));
}

#[test]
fn predictions_are_no_data_set() {
    let row = object(json!({"instance_id": "a-1", "model_patch": "", "model_name_or_path": "x"}));
    let told = told_rows(&[row]);
    assert!(
        told.contains("`repo` is missing\n  this is a prediction"),
        "{told}"
    );
}

#[test]
fn files_that_are_none_say_what_they_are() {
    let shown = |content: &[u8]| told(&[("rows.jsonl", content)], "rows.jsonl");
    assert_snapshot!(shown(b"\x1f\x8b\x08"), @r#"
    error: `rows.jsonl` is packed with gzip
      unpack it first
    "#);
    assert_snapshot!(shown(b"version https://git-lfs.github.com/spec/v1\n"), @r#"
    error: `rows.jsonl` is a pointer of Git LFS, not the file
      fetch the file itself: git lfs pull
    "#);
    assert_snapshot!(shown(b"{\n  \"a\": 1\n}"), @r#"
    error: `rows.jsonl` is one JSON object over several lines
      a JSON file is a list of rows, or has one row a line
    "#);
    assert_snapshot!(shown(b"[1, 2"), @r#"
    error: `rows.jsonl` is not a list of rows in JSON: EOF while parsing a list at line 1 column 5
      a JSON file is a list of rows, or has one row a line
    "#);
    assert_snapshot!(shown(b"\n"), @r#"
    error: `rows.jsonl` has no rows
      rows stand in .jsonl, .json or .parquet files, or in a folder with sweb.yaml and tasks/
    "#);
    assert_snapshot!(shown(b"PAR1 and nothing more PAR1"), @r#"
    error: `rows.jsonl` is not a Parquet file that can be read: EOF: Parquet file too small. Size is 26 but need 543519351
      download it again, or convert it to JSON lines; snappy, gzip, zstd and lz4 are read
    "#);
    assert_snapshot!(told(&[("x/a.md", b"")], "x"), @r#"
    error: `x` holds no file of rows
      rows stand in .jsonl, .json or .parquet files, or in a folder with sweb.yaml and tasks/
    "#);
    assert_snapshot!(told(&[("x/a.md", b"")], "y"), @"error: there is no `y`");
}

#[test]
fn what_a_terminal_would_obey_is_not_shown() {
    let row = with(classic("a-1"), "base_commit", Some(json!("\u{1b}[2Jx")));
    let told = told_rows(&[row]);
    assert!(
        !told.contains('\u{1b}') && told.contains("`?[2Jx`"),
        "{told}"
    );
}
