//! Facts about the imported table.

use super::*;

const TABLE: &str = r#"{
  "schema": "proofyard/swebench-specs/1", "swebench": "4.1.0", "date": "2026-01-31",
  "new_in_a_later_minor": 1,
  "repos": {
    "pallets/flask": {"ext": "py", "parser": "parse_log_pytest", "eval_type": "pass_and_fail",
      "versions": {
        "2.2": {"python": "3.11", "packages": "requirements.txt", "pip_packages": ["a==1", "b"],
          "install": ["pip install -e ."], "test_cmd": ["pytest -rA"], "no_use_env": true},
        "2.10": {"test_cmd": ["pytest"]},
        "0.1": {}}},
    "jqlang/jq": {"ext": "c", "parser": "parse_log_jq", "eval_type": "pass_and_fail",
      "versions": {"2839": {"build": ["make"], "install": ["x"], "test_cmd": ["make check"],
        "docker_specs": {"run_args": {"cap_add": ["SYS_ADMIN"]}}}}}}}"#;

fn table() -> Table {
    parse(TABLE).unwrap()
}

#[test]
fn a_table_round_trips_through_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("specs.json");
    table().write(&path).unwrap();
    assert_eq!(read(&path).unwrap(), table());
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1);
}

#[test]
fn python_installs_again_and_others_build() {
    let table = table();
    let python = table.commands("pallets/flask", "2.2").unwrap();
    assert_eq!(python.kind, Kind::Python);
    assert_eq!(python.install.as_deref(), Some("pip install -e ."));
    assert_eq!(python.directives, Directives::Paths);
    let other = table.commands("jqlang/jq", "2839").unwrap();
    assert_eq!((other.kind, other.install), (Kind::Common, None));
    assert_eq!(other.build, ["make"]);
    assert_eq!(other.directives, Directives::None);
}

#[test]
fn what_is_not_there_is_told_with_the_nearest() {
    let table = table();
    let told = |repo, version| table.commands(repo, version).unwrap_err().to_string();
    assert_eq!(
        told("Pallets/Flask", "2.2"),
        "the table of swebench 4.1.0 has no specification of Pallets/Flask (the nearest is pallets/flask)"
    );
    assert_eq!(
        told("pallets/flask", "2.3"),
        "the table of swebench 4.1.0 has no specification of pallets/flask in version 2.3 (next to it: 2.2 and 2.10)"
    );
    assert!(told("pallets/flask", "3.0").ends_with("(next to it: 2.10)"));
    assert!(told("zzz", "1").ends_with("specification of zzz"));
    assert!(told("pallets/flask", "0.1").contains("no test command"));
    assert!(table.spec("pallets/flask", "2.3").is_none());
    assert!(
        table
            .spec("pallets/flask", "2.2")
            .is_some_and(|spec| spec.no_use_env)
    );
}

#[test]
fn another_schema_and_what_is_no_table_are_errors() {
    let error = parse(r#"{"schema": "proofyard/swebench-specs/2"}"#).unwrap_err();
    assert!(
        error.to_string().contains("swebench-specs/2\", and"),
        "{error}"
    );
    assert!(parse("{}").unwrap_err().to_string().contains("missing"));
    assert!(matches!(parse("[").unwrap_err(), SpecError::Json(_)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.json");
    assert!(matches!(read(&path), Err(SpecError::Read { .. })));
    std::fs::write(&path, "{}").unwrap();
    assert!(
        read(&path)
            .unwrap_err()
            .to_string()
            .contains("none.json: its schema")
    );
}
