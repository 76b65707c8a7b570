//! No text breaks the readers of a task's folder, and an error says where it is.

use proptest::prelude::*;

use super::tests::{Folder, REPO_TASK};
use super::*;
use crate::record::TaskId;
use crate::task::dataset;

/// A file with all of Harbor's tables, as an author writes it.
const WHOLE: &str = r#"
schema_version = "1.4"
artifacts = ["/out", { source = "/var/log", destination = "logs", exclude = ["*.tmp"] }]
multi_step_reward_strategy = "final"
[task]
name = "org/task"
authors = [{ name = "A", email = "a@example.org" }]
[metadata]
difficulty = "easy"
tags = ["a", "b"]
[agent]
timeout_sec = 360.0
user = "worker"
[verifier]
timeout_sec = 60
environment_mode = "separate"
env = { KEY = "${UNSET:-x}" }
[verifier.environment]
docker_image = "debian:bookworm"
[[verifier.collect]]
command = "dump"
[environment]
cpus = 0.5
memory = "2G"
network_mode = "no-network"
[environment.healthcheck]
command = "true"
interval_sec = 1.5
[[environment.mcp_servers]]
name = "m"
transport = "stdio"
command = "serve"
[solution.env]
HINT = "42"
[[steps]]
name = "a"
min_reward = { reward = 0.5 }
[steps.agent]
timeout_sec = 5
"#;

/// Loads a text as a task's; what is wrong is told with its place, or names the file.
fn load_any(text: &str) {
    let folder = Folder::new(text).file("steps/a/instruction.md", "A.\n");
    let Err(error) = folder.load() else { return };
    assert!(error.render(false).starts_with("error: "));
    match error {
        TaskError::Invalid { problems } => {
            assert!(!problems.is_empty());
            for problem in problems {
                let named = problem.message.contains("task.toml");
                assert!(problem.spot.is_some() || named, "{problem:?}");
            }
        }
        other => panic!("{other}"),
    }
}

/// Where a key may stand in a file of Harbor's.
const KEYS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "schema_version",
            "version",
            "source",
            "artifacts",
            "multi_step_reward_strategy",
            "steps",
            "metadata",
        ],
    ),
    (
        "task",
        &["name", "version", "description", "authors", "keywords"],
    ),
    (
        "agent",
        &["timeout_sec", "user", "network_mode", "allowed_hosts"],
    ),
    (
        "verifier",
        &[
            "timeout_sec",
            "env",
            "user",
            "network_mode",
            "allowed_hosts",
            "environment_mode",
            "environment",
            "collect",
        ],
    ),
    ("solution", &["env"]),
    (
        "environment",
        &[
            "build_timeout_sec",
            "docker_image",
            "os",
            "cpus",
            "memory_mb",
            "storage_mb",
            "gpus",
            "gpu_types",
            "tpu",
            "env",
            "workdir",
            "skills_dir",
            "network_mode",
            "allowed_hosts",
            "mcp_servers",
            "healthcheck",
            "memory",
            "storage",
            "allow_internet",
        ],
    ),
    (
        "environment.healthcheck",
        &[
            "command",
            "interval_sec",
            "timeout_sec",
            "start_period_sec",
            "start_interval_sec",
            "retries",
        ],
    ),
    (
        "verification",
        &[
            "sees",
            "contract",
            "hidden",
            "runner",
            "resolved_at",
            "fail_to_pass",
            "overlay",
        ],
    ),
    ("repo", &["path", "url", "commit", "workdir", "history"]),
    (
        "tools",
        &[
            "allow",
            "forbid",
            "require",
            "after",
            "write_scope",
            "custom",
        ],
    ),
    ("scenario", &["name", "weight", "tags"]),
];

/// A value of any type, now and then one that is right.
fn value() -> impl Strategy<Value = String> {
    const VALUES: &[&str] = &[
        "1",
        "0",
        "-1",
        "2048.0",
        "0.5",
        "nan",
        "inf",
        "-inf",
        "9223372036854775807",
        "true",
        "false",
        "1979-05-27T07:32:00Z",
        "\"\"",
        "\"2G\"",
        "\"9e99G\"",
        "\"nanG\"",
        "\"60\"",
        "\"public\"",
        "\"allowlist\"",
        "\"no-network\"",
        "\"separate\"",
        "\"shared\"",
        "\"mean\"",
        "\"linux\"",
        "\"/app\"",
        "\"..\"",
        "\"${A}\"",
        "\"${A:-b}\"",
        "\"${\"",
        "\"\\u0000\"",
        "\"é\"",
        "[]",
        "[1]",
        "[\"a\"]",
        "[[]]",
        "[{}]",
        "{}",
        "{ a = 1 }",
        "{ name = \"a\" }",
        "{ source = \"/a\" }",
        "[{ source = \"/a\", service = \"db\" }]",
        "[{ command = \"x\", service = \"db\" }]",
        "[{ name = \"a\" }]",
        "[{ name = \"a\", transport = \"http\" }]",
        "{ command = \"true\" }",
        "{ A = \"${B}\" }",
        "[{ name = \"a\" }, { name = \"A\" }]",
    ];
    prop_oneof![
        4 => prop::sample::select(VALUES).prop_map(str::to_owned),
        1 => any::<f64>().prop_map(|number| format!("{number:?}")),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => "\\PC{0,8}".prop_map(|text| format!("{:?}", text)),
    ]
}

/// A line `table.key = value`.
fn line() -> impl Strategy<Value = String> {
    let table = prop::sample::select(KEYS);
    (table, any::<prop::sample::Index>(), value()).prop_map(|((table, keys), which, value)| {
        let key = which.get(keys);
        match table {
            "" => format!("{key} = {value}\n"),
            table => format!("{table}.{key} = {value}\n"),
        }
    })
}

#[test]
fn of_a_file_in_which_everything_is_wrong_so_much_is_told() {
    let wrong = format!("artifacts = [{}]\n", "\"..\",".repeat(1_000));
    let unknown: String = (0..1_000).map(|at| format!("key_{at} = 1\n")).collect();
    let Err(TaskError::Invalid { problems }) = Folder::new(&format!("{unknown}{wrong}")).load()
    else {
        panic!("it was read")
    };
    assert_eq!(problems.len(), 101);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in "\\PC{0,60}(\n\\PC{0,40}){0,4}") {
        load_any(&text);
    }

    #[test]
    fn any_values_of_known_keys_are_read_or_refused_with_a_place(
        lines in prop::collection::vec(line(), 1..6),
    ) {
        load_any(&lines.concat());
    }

    #[test]
    fn real_files_with_faults_are_read_or_refused_with_a_place(
        which in prop::sample::select([WHOLE, REPO_TASK].as_slice()),
        cut in any::<prop::sample::Index>(),
        length in 0usize..40,
        put in prop_oneof![line(), value(), "\\PC{0,5}"],
    ) {
        let text: Vec<char> = which.chars().collect();
        let at = cut.index(text.len());
        let end = (at + length).min(text.len());
        let before = text[..at].iter().copied();
        let mutated: String = before.chain(put.chars()).chain(text[end..].iter().copied()).collect();
        load_any(&mutated);
    }

    #[test]
    fn a_data_set_is_read_or_refused_with_a_place(
        put in prop_oneof![value(), "\\PC{0,30}"],
        cut in any::<prop::sample::Index>(),
        length in 0usize..20,
    ) {
        let whole = "schema_version = \"1.0\"\n[dataset]\nname = \"a/b\"\nauthors = [{ name = \"A\" }]\n\
            [[tasks]]\nname = \"a/one\"\ndigest = \"sha256:0\"\n[[files]]\npath = \"metric.py\"\n";
        let text: Vec<char> = whole.chars().collect();
        let at = cut.index(text.len());
        let end = (at + length).min(text.len());
        let mutated: String = text[..at].iter().copied().chain(put.chars()).chain(text[end..].iter().copied()).collect();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dataset.toml"), mutated).unwrap();
        if let Err(TaskError::Invalid { problems }) = dataset::held_against(folder.path(), &[TaskId::new("one")]) {
            prop_assert!(problems.iter().all(|problem| problem.spot.is_some()), "{problems:?}");
        }
    }

    #[test]
    fn an_instruction_keeps_what_is_no_canary(text in "(# canary\n)?\n{0,2}[a-z# \n]{0,30}") {
        let told = without_canary(&text);
        prop_assert!(text.ends_with(told));
    }
}
