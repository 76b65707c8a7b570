//! Tests that are skipped, or fail as expected: what they count for.

use std::path::Path;

use crate::yard::{Yard, bash, call};

const PASSED_OVER: &str = r#"

import pytest


@pytest.mark.skipif(True, reason="not on this platform")
def test_elsewhere():
    assert title("a") == "nothing of the kind"


@pytest.mark.xfail(reason="apostrophes are hard", strict=True)
def test_known_to_fail():
    assert title("o'neill") == "O'Neill"
"#;

/// Adds both to the hidden tests, as ones that have to keep passing.
fn passed_over(task: &Path) {
    let append = |name: &str, text: &str| {
        let path = task.join(name);
        let whole = std::fs::read_to_string(&path).unwrap() + text;
        std::fs::write(path, whole).unwrap();
    };
    append("tests/files/test_titles.py", PASSED_OVER);
    let path = task.join("task.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = "pass_to_pass = [\n  \"test_titles.py::test_elsewhere\",\n  \"test_titles.py::test_known_to_fail\",";
    std::fs::write(path, text.replace("pass_to_pass = [", more)).unwrap();
}

#[test]
fn a_skip_counts_where_the_reference_solution_has_it_too() {
    let yard = Yard::new();
    let (task, _) = yard.words();
    passed_over(&task);
    let (trials, code) = yard.run(&task, &["-a", "oracle", "-a", "nop"]);
    assert_eq!(code, Some(0));
    let of = |name: &str| trials.iter().find(|t| t["agent"]["name"] == name).unwrap();
    assert_eq!(of("oracle")["outcome"], "resolved", "{:#}", of("oracle"));
    assert_eq!(of("nop")["outcome"], "unresolved");
    let tests = of("oracle")["verdict"]["tests"].as_array().unwrap();
    let excused: Vec<&str> = tests
        .iter()
        .filter(|test| test["excused"] == true)
        .map(|test| test["state"].as_str().unwrap())
        .collect();
    assert_eq!(excused, ["skipped", "xfailed"]);
    let checked = yard.proofyard(&["check", task.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
}

#[test]
fn a_skip_of_the_changes_own_does_not_count() {
    let yard = Yard::new();
    let (task, fix) = yard.words();
    passed_over(&task);
    // The solution, and a way around one of the tests that have to keep passing.
    let skip = "git apply /tmp/fix.patch && printf '\\n\\n_title = title\\n\\n\\ndef title(text):\\n    if not text.strip():\\n        import pytest\\n\\n        pytest.skip()\\n    return _title(text)\\n' >> titles.py";
    let script = yard.script(
        "skip.jsonl",
        &[fix, bash(skip), call("submit", serde_json::json!({}))],
    );
    let trial = yard.one(&task, &script, &[]);
    assert_eq!(trial["outcome"], "unresolved", "{trial:#}");
    assert_eq!(trial["verdict"]["message"], "1 of 4 pass_to_pass skipped");
}
