//! What is odd and no error.

use super::*;

fn odd(rows: &[Map<String, Value>]) -> Vec<String> {
    let set = read_rows(rows).unwrap();
    set.oddities.iter().map(Oddity::to_string).collect()
}

#[test]
fn what_is_odd_is_told_once_per_kind() {
    let cut = json!([
        "t.py::t[a",
        "t.py::t[a[b]",
        "t.py::t[a]",
        "[100%]",
        "[  5%]"
    ]);
    let one = with(listed(classic("a-1")), "PASS_TO_PASS", Some(cut));
    let two = with(
        listed(classic("a-2")),
        "PASS_TO_PASS",
        Some(json!(["x[", "x[", ""])),
    );
    let two = with(two, "FAIL_TO_PASS", Some(json!(["", "y"])));
    let three = with(listed(classic("a-3")), "PASS_TO_PASS", Some(json!([])));
    let three = with(three, "FAIL_TO_PASS", Some(Value::Null));
    let three = with(three, "problem_statement", Some(json!(" \n")));
    let three = with(three, "patch", Some(json!("")));
    let three = with(three, "test_patch", Some(json!("")));
    assert_eq!(
        odd(&[one, two, three]),
        [
            "4 test ids of 2 instances end inside `[…` (such as a-1: t.py::t[a)",
            "2 test ids of 1 instance are pytest's progress, and no test (such as a-1: [100%])",
            "2 test ids of 1 instance are blank (such as a-2: )",
            "1 test id of 1 instance stands twice in a list (such as a-2: x[)",
            "1 test id of 1 instance stands in FAIL_TO_PASS and in PASS_TO_PASS (such as a-2: )",
            "1 instance has no FAIL_TO_PASS, so nothing shows a fix (such as a-3)",
            "1 instance has no PASS_TO_PASS, so nothing shows a break (such as a-3)",
            "1 instance has no problem statement to tell an agent (such as a-3)",
            "1 instance has no reference change (such as a-3)",
            "1 instance has no patch of tests (such as a-3)",
        ]
    );
}

#[test]
fn a_sound_data_set_is_not_odd() {
    assert_eq!(odd(&[classic("a-1"), classic("a-2")]), [""; 0]);
}

#[test]
fn docstrings_are_odd_where_the_tests_are_djangos() {
    let ids = json!([
        "test_a (a.b.C)",
        "test_a (a.b.C.test_a)",
        "A sentence (of words)."
    ]);
    let row = with(listed(classic("a-1")), "PASS_TO_PASS", Some(ids));
    assert_eq!(odd(std::slice::from_ref(&row)), [""; 0]);
    let row = with(row, "repo", Some(json!("django/django")));
    let row = with(row, "FAIL_TO_PASS", Some(json!(["Sets é", "test_é (a)"])));
    assert_eq!(
        odd(&[row]),
        ["2 test ids of 1 instance are docstrings of Django's tests (such as a-1: Sets é)"]
    );
}

#[test]
fn patches_that_do_not_add_up_are_odd() {
    let of = |patch: &str| odd(&[with(classic("a-1"), "patch", Some(json!(patch)))]);
    let damaged = "1 instance has a patch with a hunk of another length than it says (such as a-1)";
    assert_eq!(of(&PATCH.replace("-1,2", "-1,3")), [damaged]);
    assert_eq!(of(&PATCH.replace("+1,2", "+1")), [damaged]);
    assert_eq!(of(&PATCH.replace("@@ -1,2", "@@ -x")), [damaged]);
    assert_eq!(
        of(PATCH.trim_end()),
        ["1 instance has a patch without its final newline (such as a-1)"]
    );
    assert_eq!(
        of("diff --git a/x.png b/x.png\nBinary files a/x.png and b/x.png differ\n"),
        ["1 instance has a patch that leaves out what changed in a binary file (such as a-1)"]
    );
    // A line that looks like a head inside a hunk is none, and an end may be missing.
    let sound = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ f\n--- a\n+++ b\n\n\\ No newline at end of file\n\
        @@ -9 +9 @@\n-a\n+b\ndiff --git a/y b/z\nrename from y\nrename to z\n";
    assert_eq!(of(sound), [""; 0]);
}
