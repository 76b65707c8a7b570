//! Facts about job configurations.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn source(text: &str) -> SourceText {
    SourceText::new("job.yaml".to_owned(), text.to_owned())
}

fn problems(text: &str) -> String {
    let found = of(&source(text)).unwrap_err();
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

const WHOLE: &str = "
job_name: nightly
jobs_dir: out
n_attempts: 3
timeout_multiplier: 2.0
n_concurrent_trials: 4
quiet: true
retry: { max_retries: 2, wait_multiplier: 1 }
environment: { type: docker, force_build: false, delete: true, env: {} }
verifier: { disable: false }
agents:
  - { name: oracle }
  - { name: loop, model_name: gpt-5, kwargs: {} }
datasets:
  - path: tasks/all
    task_names: ['fix-*']
    exclude_task_names: ['*-slow']
    n_tasks: 5
tasks:
  - path: tasks/one
";

#[test]
fn what_it_names_becomes_settings() {
    let job = of(&source(WHOLE)).unwrap();
    let named = |key: &str, value: &str| Flag::named(FROM, key, [value]);
    assert_eq!(job.run_id.as_deref(), Some("nightly"));
    for flag in [
        named("run.out", "out"),
        named("run.attempts", "3"),
        named("run.timeout_multiplier", "2"),
        named("run.jobs", "4"),
        named("run.retry_errors", "2"),
        named("run.models", "gpt-5"),
        Flag::named(FROM, "run.agents", ["oracle", "loop"]),
    ] {
        assert!(job.flags.contains(&flag), "{flag:?}");
    }
    assert_eq!(job.selections.len(), 2);
    assert_eq!(job.selections[0].include, ["fix-*"]);
    assert_eq!(job.selections[0].most, Some(5));
    assert!(job.warnings.is_empty(), "{:?}", job.warnings);
}

#[test]
fn json_is_read_alike() {
    let job = of(&source(
        "{\"n_attempts\": 2, \"tasks\": [{\"path\": \"a\"}]}",
    ))
    .unwrap();
    assert_eq!(job.selections[0].path, "a");
}

#[test]
fn what_we_do_not_have_is_told_at_its_place() {
    assert_snapshot!(problems("
agents:
  - import_path: my.agent:Agent
environment: { type: daytona, override_cpus: 1 }
verifier: { disable: true }
datasets:
  - name: terminal-bench@2.0
extra_instructions: ['be quick']
n_attempts: many
"), @r"
    job.yaml:3:5: `import_path` is not supported; leaving it out would change what is run
    job.yaml:3:5: an agent has no `name`; oracle, nop, loop, …
    job.yaml:4:16: `type` is not supported; sandboxes are Docker containers here
    job.yaml:4:31: `override_cpus` is not supported; leaving it out would change what is run
    job.yaml:5:13: `disable` is not supported; leaving it out would change what is run
    job.yaml:7:5: `name` is not supported; name the folder of its tasks as `path`
    job.yaml:8:1: `extra_instructions` is not supported; leaving it out would change what is run
    job.yaml:9:13: `n_attempts` should be a number of attempts
    ");
}

#[test]
fn a_slip_of_the_pen_is_told() {
    let job = of(&source("n_atempts: 3\n")).unwrap();
    assert!(
        job.warnings[0].contains("did you mean `n_attempts`?"),
        "{:?}",
        job.warnings
    );
}

#[test]
fn a_factor_of_one_changes_nothing() {
    let job = of(&source(
        "agent_timeout_multiplier: 1.0\nretry: { wait_multiplier: 1 }\n",
    ));
    assert_eq!(job.unwrap(), Job::default());
    let slower = problems("agent_timeout_multiplier: 2\n");
    assert_snapshot!(slower, @"job.yaml:1:1: `agent_timeout_multiplier` is not supported; `timeout_multiplier` is for all phases");
}

/// Reads a text as a job; what is wrong is told with its place.
fn read_any(text: &str) {
    let Err(found) = of(&source(text)) else {
        return;
    };
    assert!(!found.is_empty());
    for problem in found {
        assert!(problem.spot.is_some(), "{problem}");
    }
}

/// A value of any type, now and then one that is right.
fn value() -> impl Strategy<Value = String> {
    const VALUES: &[&str] = &[
        "",
        "null",
        "true",
        "false",
        "1",
        "-1",
        "2.5",
        "1e400",
        ".nan",
        "many",
        "docker",
        "[]",
        "[1]",
        "[[]]",
        "[{}]",
        "{}",
        "{ a: 1 }",
        "[{ name: oracle }]",
        "[{ path: a }]",
        "[{ name: a, kwargs: 1 }]",
        "[{ path: [] }]",
        "{ type: docker }",
        "{ max_retries: -1 }",
        "'",
        "\"x",
        "&a [*a]",
        "*b",
        "{",
    ];
    prop_oneof![
        4 => prop::sample::select(VALUES).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
    ]
}

proptest! {
    #[test]
    fn any_values_of_known_keys_are_read_or_refused_with_a_place(
        lines in prop::collection::vec((prop::sample::select(TOP.as_slice()), value()), 1..6),
    ) {
        let lines: Vec<String> = lines.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
        read_any(&lines.concat());
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in "\\PC{0,200}", at in 0..400usize, cut in 0..30usize) {
        read_any(&text);
        let mut whole = WHOLE.to_owned();
        let at = at.min(whole.len());
        let end = (at + cut).min(whole.len());
        if whole.is_char_boundary(at) && whole.is_char_boundary(end) {
            whole.replace_range(at..end, &text);
            read_any(&whole);
        }
    }
}
