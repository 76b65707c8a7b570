//! YAML and variables: what a text may be.

use insta::assert_snapshot;

use super::*;

fn error(text: &str) -> String {
    let folder = Folder::new(text);
    lines_of(&folder.read().expect_err(text), &folder.path())
}

#[test]
fn a_file_of_any_known_name_is_found() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(find(folder.path()), None);
    for name in [
        "compose.yml",
        "compose.yaml",
        "docker-compose.yml",
        "docker-compose.yaml",
    ] {
        fs::write(folder.path().join(name), "").unwrap();
        assert_eq!(find(folder.path()), Some(folder.path().join(name)));
    }
}

#[test]
fn anchors_merge_keys_and_extensions_work() {
    let compose = Folder::new(
        "x-common: &common
  image: base
  environment: &env { A: 1, B: 2 }
x-more: &more
  hostname: more
  user: nobody
services:
  a:
    <<: [*common, *more]
    user: root
    environment:
      <<: *env
      B: 3
  b: { image: *name, x-note: anything }
x-name: &name other
"
        .replace("x-name: &name other\n", "")
        .replace("services:", "x-name: &name other\nservices:")
        .as_str(),
    )
    .compose();
    let a = &compose.services["a"];
    assert_eq!(a.image.as_deref(), Some("base"));
    assert_eq!(a.user.as_deref(), Some("root"));
    assert_eq!(a.hostname.as_deref(), Some("more"));
    assert_eq!(a.environment["A"], "1");
    assert_eq!(a.environment["B"], "3");
    assert_eq!(compose.services["b"].image.as_deref(), Some("other"));
}

#[test]
fn values_are_read_as_compose_reads_them() {
    let service = service(
        "environment:
  OCTAL: 010
  HEX: 0x10
  FLOAT: 1.10
  LARGE: 1e6
  SPLIT: 1_000
  YES: yes
  TRUE: True
  QUOTED: \"010\"
  TAGGED: !!str 1.10
  DOTS: 1.2.3
  EMPTY: ''",
    );
    let values: Vec<String> = service
        .environment
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        values.join(" "),
        "DOTS=1.2.3 EMPTY= FLOAT=1.1 HEX=16 LARGE=1e+06 OCTAL=8 QUOTED=010 SPLIT=1000 \
         TAGGED=1.10 TRUE=true YES=yes"
    );
}

#[test]
fn what_is_not_yaml_has_a_place() {
    assert_snapshot!(Folder::new("services:\n  a: [1,\n  b: }\n").error(), @r#"
    error: this is not YAML that can be read
      ┌─ docker-compose.yaml:2:6
      │
    2 │   a: [1,
      │      ^ mismatched bracket '[' closed by '}'
    "#);
}

#[test]
fn a_file_that_says_something_else_is_told_so() {
    assert_snapshot!(error(""), @"docker-compose.yaml:1:1: a compose file is a map with `services`");
    assert_snapshot!(error("- a\n"), @"docker-compose.yaml:1:1: a compose file is a map with `services`");
    assert_snapshot!(error("services: {}\n"), @"docker-compose.yaml:1:1: no service is started by this file");
    assert_snapshot!(error("services:\n  a: {image: x}\n  a: {image: y}\n"), @"docker-compose.yaml:3:3: `a` stands twice in one place");
    assert_snapshot!(error("services: {a: {image: x}}\n---\nservices: {}\n"), @"docker-compose.yaml:2:1: there is a second document; one is read");
    assert_snapshot!(error("services:\n  a: !reset {image: x}\n"), @"docker-compose.yaml:2:13: the tag `!reset` has no meaning here");
    assert_snapshot!(error("services: {[a]: 1}\n"), @"docker-compose.yaml:1:12: a key must be a word");
    assert_snapshot!(error("services:\n  a:\n    <<: word\n"), @"docker-compose.yaml:3:9: `<<` takes maps");
    assert_snapshot!(error("services: &a\n  b: *a\n"), @"docker-compose.yaml:2:6: this alias stands inside what it names");
    assert_snapshot!(error("services: *nobody\n"), @"docker-compose.yaml:1:11: this is not YAML that can be read; while parsing node, found unknown anchor");
}

#[test]
fn nothing_hostile_grows_or_lies_too_deep() {
    let mut laughs = "x0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_string();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        laughs += &format!("x{level}: &a{level} [{}]\n", before.trim_end_matches(", "));
    }
    assert_snapshot!(error(&laughs), @"docker-compose.yaml:4:9: this file is too large, or grows too large by its aliases; at most 100000 values");
    let long = "x".repeat(200_000);
    let copies = format!("x-a: &a {long}\nx-b: [{}]\n", vec!["*a"; 200].join(", "));
    assert_snapshot!(error(&copies), @"docker-compose.yaml:2:163: this file is too large, or grows too large by its aliases; at most 100000 values");
    assert_snapshot!(error(&"[".repeat(100_000)), @"docker-compose.yaml:1:65: this is not YAML that can be read; recursion limit exceeded");
    let steps: String = (0..2000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth % 300)))
        .collect();
    assert!(Folder::new(&steps).read().is_err());
    let mut chain = "x0: &a0 [x]\n".to_string();
    for level in 1..200 {
        chain += &format!("x{level}: &a{level} [*a{}]\n", level - 1);
    }
    assert_snapshot!(error(&chain), @"docker-compose.yaml:62:11: this lies deeper than 64 levels");
    assert_snapshot!(error(&"- a\n".repeat(300_000)), @"`docker-compose.yaml` cannot be read: it is larger than 1048576 bytes");
    let folder = Folder::new("").file("docker-compose.yaml", b"a: 1\nb: \xff\n");
    assert_snapshot!(lines_of(&folder.read().unwrap_err(), &folder.path()), @"`docker-compose.yaml` cannot be read: it is not UTF-8 in line 2");
}

#[test]
fn no_more_than_a_hundred_problems_are_told() {
    let lines: String = (0..5000)
        .map(|number| format!("  n{number}: 1\n"))
        .collect();
    let folder = Folder::new(&format!("services:\n a:\n{lines}"));
    assert_eq!(folder.read().unwrap_err().len(), 100);
}

#[test]
fn variables_are_filled_in_in_values_and_not_in_keys() {
    let folder = Folder::new(
        "services:
  main:
    image: ${MAIN_IMAGE_NAME}
    environment: { $KEY: '$MAIN_IMAGE_NAME', COST: 5$$, NONE: '${NOBODY:-a default}' }
",
    );
    let compose = folder.variable("MAIN_IMAGE_NAME", "task:1").compose();
    let main = &compose.services["main"];
    assert_eq!(main.image.as_deref(), Some("task:1"));
    assert_eq!(main.environment["$KEY"], "task:1");
    assert_eq!(main.environment["COST"], "5$");
    assert_eq!(main.environment["NONE"], "a default");
}

#[test]
fn a_variable_that_nobody_sets_is_named_at_its_place() {
    let text = file_with(
        "environment:
  A: http://${HOST}:80
command: |
  sh -c 'echo
  ${date time}'
hostname: ${NAME:?a name is needed}",
    );
    assert_snapshot!(Folder::new(&text).error(), @r#"
    error: the variable `HOST` is not set
      ┌─ docker-compose.yaml:5:17
      │
    5 │       A: http://${HOST}:80
      │                 ^^^^^^
      │
      = write ${HOST:-a default}, or set it in `.env` beside this file or in the task's own environment
      = the host's environment is not looked at; a dollar before a name is `$$`
    error: `${date time}` is no variable
      ┌─ docker-compose.yaml:8:7
      │
    8 │       ${date time}'
      │       ^^^^^^^^^^^^
      │
      = ${NAME}, ${NAME:-default}, ${NAME:?complaint}; a dollar itself is `$$`
    error: the variable `NAME` must be set: a name is needed
      ┌─ docker-compose.yaml:9:15
      │
    9 │     hostname: ${NAME:?a name is needed}
      │               ^^^^^^
    "#);
}

#[test]
fn the_name_of_the_project_is_always_set() {
    let text = "hostname: db-$COMPOSE_PROJECT_NAME\ncontainer_name: $COMPOSE_PROJECT_NAME-db";
    let service = service(text);
    assert_eq!(service.hostname.as_deref(), Some("db-task"));
    assert_eq!(service.networks["default"], ["task-db"]);
}

#[test]
fn keys_that_say_nothing_need_no_variables() {
    service("labels: { a: $NOBODY }\nlogging: { driver: $NOBODY }");
}

#[test]
fn variables_do_not_grow_without_bound() {
    let folder = Folder::new(&file_with("environment: [A=$LONG, B=$LONG, C=$LONG$LONG]"));
    let folder = folder.variable("LONG", "x".repeat(700_000));
    let problems = folder.read().unwrap_err();
    assert_snapshot!(lines_of(&problems, &folder.path()), @"docker-compose.yaml:4:37: this grows too long when its variables are filled in");
    let many: Vec<String> = (0..20).map(|number| format!("A{number}=$LONG")).collect();
    let folder = Folder::new(&file_with(&format!("environment: [{}]", many.join(", "))));
    let folder = folder.variable("LONG", "x".repeat(700_000));
    assert!(folder.read().is_err());
}
