//! Facts about lists of what is left out.

use std::fs;

use insta::assert_snapshot;

use super::*;

/// Reads a file of this name and text; else what is told, the folder taken out.
fn read(name: &str, text: &str) -> Result<Exclusions, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    Exclusions::read(&path).map_err(|error| {
        let shown = error.render(false);
        shown.replace(&format!("{}/", folder.path().display()), "")
    })
}

fn entry(id: &str, reason: &str) -> Exclusion {
    Exclusion {
        id: id.to_owned(),
        reason: reason.to_owned(),
        ..Exclusion::default()
    }
}

#[test]
fn three_forms_say_the_same() {
    let lines = "# by hand\n\na__b-1  needs a network\na__b-2 # slow #3\n  a__b-3\n";
    let toml = "[[exclude]]\nid = 'a__b-1'\nreason = 'needs a network'\n\
        [[exclude]]\nid = 'a__b-2'\nreason = 'slow #3'\n[[exclude]]\nid = 'a__b-3'\n";
    let json = r#"{"exclude": [{"id": "a__b-1", "reason": "needs a network"},
        {"id": "a__b-2", "reason": "slow #3"}, {"id": "a__b-3"}]}"#;
    let list = r#"[{"id": "a__b-1", "reason": "needs a network"},
        {"id": "a__b-2", "reason": "slow #3"}, "a__b-3"]"#;
    let expected = [
        entry("a__b-1", "needs a network"),
        entry("a__b-2", "slow #3"),
        entry("a__b-3", ""),
    ];
    for (name, text) in [
        ("x.txt", lines),
        ("x.toml", toml),
        ("x.json", json),
        ("y.json", list),
    ] {
        let read = read(name, text).unwrap();
        assert_eq!(read.exclude, expected, "{name}");
        assert_eq!(read.by_id()["a__b-1"].reason, "needs a network");
    }
}

#[test]
fn what_is_written_is_read_back() {
    let list = Exclusions {
        schema: Some(SCHEMA.to_owned()),
        dataset: Some("swebench-verified".to_owned()),
        dataset_digest: Some("0".repeat(64)),
        repeats: Some(3),
        exclude: vec![
            Exclusion {
                id: "a__b-1".to_owned(),
                reason: "the reference change resolves 2 of 3 times".to_owned(),
                measured: Some("reference 2 of 3, nothing 0 of 3".to_owned()),
                known_flaky: vec![
                    "t.py::test[\"x\\y\u{1}]".to_owned(),
                    "two\nlines '''".to_owned(),
                ],
            },
            entry("a__b-2", "it does not build"),
        ],
        told: Vec::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quarantine.toml");
    list.write(&path).unwrap();
    assert_eq!(Exclusions::read(&path).unwrap(), list);
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("schema = \"proofyard/quarantine/1\""),
        "{text}"
    );
    let one = Exclusions {
        exclude: vec![entry("a__b-2", "it does not build")],
        ..list
    };
    assert_snapshot!(one.to_toml().unwrap(), @r#"
    # Instances that are left out, with what was measured; give it with --exclude.
    schema = "proofyard/quarantine/1"
    dataset = "swebench-verified"
    dataset_digest = "0000000000000000000000000000000000000000000000000000000000000000"
    repeats = 3

    [[exclude]]
    id = "a__b-2"
    reason = "it does not build"
    "#);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    assert_snapshot!(read("x.txt", "a__b-1 x\n\"b\" y\na__b-1\n").unwrap_err(), @r#"
    error: `\"b\"` cannot be an id
      ┌─ x.txt:2:1
      │
    2 │ "b" y
      │ ^^^ the name of an instance
    error: `a__b-1` is left out twice
      ┌─ x.txt:3:1
      │
    3 │ a__b-1
      │ ^^^^^^ it stands in line 1 already
    "#);
    let toml = "[[exclude]]\nid = 'a'\n[[exclude]]\nid = 'a'\nknown_flaky = []\n";
    assert_snapshot!(read("x.toml", toml).unwrap_err(), @"
    error: `a` is left out twice
      ┌─ x.toml:4:6
      │
    4 │ id = 'a'
      │      ^^^ it stands in line 2 already
    ");
    assert_snapshot!(read("x.json", "[\"a\",\n {\"id\": 3}]").unwrap_err(), @r#"
    error: this is not a list of what is left out
      ┌─ x.json:2:9
      │
    2 │  {"id": 3}]
      │         ^ invalid type: integer `3`, expected a string
      │
      = a list of ids, or {"exclude": [{"id": …, "reason": …}]}
    "#);
    assert_snapshot!(read("x.json", "[\"a\", \"a\"]").unwrap_err(), @"
    error: x.json, entry 2: `a` is left out twice
      it stands in entry 1 already
    ");
    assert_snapshot!(read("x.toml", "schema = 'proofyard/quarantine/9'").unwrap_err(), @"
    error: x.toml: `schema` is `proofyard/quarantine/9`
      proofyard/quarantine/1 is read here
    ");
}

#[test]
fn ids_that_are_not_there_and_another_data_set_are_told() {
    let text = "dataset_digest = 'abc'\nrepats = 3\n[[exclude]]\nid = 'a'\n[[exclude]]\nid = 'b'\n";
    let list = read("x.toml", text).unwrap();
    let told = list.held_against("x.toml", Some("abd"), &|id| id == "a");
    let told = told.join("\n");
    assert!(told.contains("did you mean `repeats`?"), "{told}");
    assert!(
        told.contains("x.toml: 1 of 2 ids are not in the data set: b"),
        "{told}"
    );
    assert!(told.contains("measured on another state"), "{told}");
    let list = read("x.txt", "a\n").unwrap();
    assert!(
        list.held_against("x.txt", Some("abd"), &|_| true)
            .is_empty()
    );
}
