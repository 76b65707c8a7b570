//! Fields, files and faults of such tasks.

use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::{ProptestConfig, Strategy, prop_assert, prop_oneof, proptest};

use super::*;
use crate::record::Expect;
use crate::task::{ImageSource, discover, load as load_task};

const LEAST: &str = "instruction: Do it.\ndifficulty: easy\n";

/// A task's folder, `jobs/a.task`.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(yaml: &str) -> Self {
        Self(tempfile::tempdir().unwrap())
            .file(FILE, yaml)
            .file("Dockerfile", "FROM proofyard/base\n")
            .file("solution.sh", "true\n")
            .file("run-tests.sh", "pytest\n")
            .file("tests/test_outputs.py", "def test(): pass\n")
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("jobs/a.task")
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn without(self, name: &str) -> Self {
        fs::remove_file(self.path().join(name)).unwrap();
        self
    }

    fn task(&self) -> Task {
        load_task(&self.path()).unwrap_or_else(|error| panic!("{}", error.render(false)))
    }

    /// What is told of a task that is wrong, without this machine's folder.
    fn wrong(&self) -> String {
        let told = load_task(&self.path()).unwrap_err().render(false);
        self.stripped(&told)
    }

    fn warned(&self) -> String {
        self.stripped(&self.task().warnings.join("\n"))
    }

    fn stripped(&self, text: &str) -> String {
        text.replace(&self.path().display().to_string(), "a.task")
    }
}

/// What is told of a `task.yaml` that is wrong.
fn wrong(yaml: &str) -> String {
    Folder::new(yaml).wrong()
}

#[test]
fn what_a_task_does_not_say_has_its_default() {
    let task = Folder::new(LEAST).task();
    let verification = &task.verification;
    assert_eq!(task.id.as_str(), "a.task");
    assert_eq!((task.format, task.ours()), (Format::TerminalBench, false));
    assert_eq!(task.instruction, "Do it.");
    assert_eq!(task.agent.timeout.unwrap().as_secs(), 360);
    assert_eq!(verification.timeout.as_secs(), 60);
    assert_eq!(verification.runner, Runner::TerminalBench(Parser::Pytest));
    assert_eq!(verification.user.as_deref(), Some("root"));
    assert_eq!(verification.network, Network::Full);
    assert!(!verification.same_shell);
    assert_eq!(task.scenario.name.as_deref(), Some("software_engineering"));
    assert_eq!(task.scenario.tags, Vec::<String>::new());
    assert_eq!(task.solution, Some(task.dir.join("solution.sh")));
    assert_eq!(task.warnings, Vec::<String>::new());
    let hidden = ["run-tests.sh", "tests"].map(|name| task.dir.join(name));
    assert_eq!(verification.hidden, Hidden::Overlay(hidden.to_vec()));
    assert!(task.expected().all(|(_, expect)| expect == Expect::Pass));
}

#[test]
fn every_key_has_its_meaning() {
    let task = Folder::new(
        "# canary in a comment\ninstruction: |-\n  # a canary line\n  Do it.\n\n  Twice.\n\
         author_name: A\nauthor_email: a@example.org\ndifficulty: hard\ncategory: security\n\
         tags: [a, 'b c', 3]\nparser_name: swebench\nmax_agent_timeout_sec: 900.5\n\
         max_test_timeout_sec: '30'\nrun_tests_in_same_shell: yes\ndisable_asciinema: true\n\
         estimated_duration_sec: 12.5\nexpert_time_estimate_min: 10\njunior_time_estimate_min: null\n",
    )
    .task();
    assert_eq!(task.instruction, "Do it.\n\nTwice.");
    assert_eq!(task.agent.timeout.unwrap().as_millis(), 900_500);
    assert_eq!(task.verification.timeout.as_secs(), 30);
    assert_eq!(
        task.verification.runner,
        Runner::TerminalBench(Parser::SweBench)
    );
    assert!(task.verification.same_shell);
    assert_eq!(task.scenario.name.as_deref(), Some("security"));
    assert_eq!(task.scenario.difficulty.as_deref(), Some("hard"));
    assert_eq!(task.scenario.tags, ["a", "b c", "3"]);
    assert_eq!(task.warnings, Vec::<String>::new());
}

#[test]
fn a_key_that_is_not_known_is_a_warning() {
    let folder = Folder::new(&format!("{LEAST}max_agent_timout_sec: 5\nodd: {{}}\n"));
    assert_snapshot!(folder.warned(), @r"
    a.task/task.yaml:3:1: unknown key `max_agent_timout_sec`; did you mean `max_agent_timeout_sec`?; left out
    a.task/task.yaml:4:1: unknown key `odd`; left out
    ");
}

#[test]
fn what_is_wrong_is_told_at_once_with_its_place() {
    let yaml = "difficulty: eazy\ntags: one\nparser_name: junit\nmax_agent_timeout_sec: -1\n\
        max_test_timeout_sec: soon\nrun_tests_in_same_shell: maybe\ncategory:\n\
        expert_time_estimate_min: 1.5\n";
    assert_snapshot!(wrong(yaml), @r#"
    error: `a.task/task.yaml` has no `instruction`
      it is what the agent is told

    error: `difficulty` cannot be `eazy`
      ┌─ a.task/task.yaml:1:13
      │
    1 │ difficulty: eazy
      │             ^^^^ did you mean `easy`?

    error: `tags` must be a list
      ┌─ a.task/task.yaml:2:7
      │
    2 │ tags: one
      │       ^^^ `- item` lines

    error: `parser_name` cannot be `junit`
      ┌─ a.task/task.yaml:3:14
      │
    3 │ parser_name: junit
      │              ^^^^^ it is one of pytest, swebench, swelancer, mlebench, sweperf

    error: `max_agent_timeout_sec` cannot be -1 s
      ┌─ a.task/task.yaml:4:24
      │
    4 │ max_agent_timeout_sec: -1
      │                        ^^ more than 0

    error: `max_test_timeout_sec` cannot be `soon`
      ┌─ a.task/task.yaml:5:23
      │
    5 │ max_test_timeout_sec: soon
      │                       ^^^^ it must be a number of seconds

    error: `run_tests_in_same_shell` cannot be `maybe`
      ┌─ a.task/task.yaml:6:26
      │
    6 │ run_tests_in_same_shell: maybe
      │                          ^^^^^ it must be true or false

    error: `category` must be a text
      ┌─ a.task/task.yaml:7:9
      │
    7 │ category:
      │         ^

    error: `expert_time_estimate_min` must be a whole number of minutes
      ┌─ a.task/task.yaml:8:27
      │
    8 │ expert_time_estimate_min: 1.5
      │                           ^^^
    "#);
}

#[test]
fn what_is_missing_is_told() {
    assert_snapshot!(wrong("instruction: |\n  # canary\n"), @r#"
    error: `a.task/task.yaml` has no `difficulty`
      one of easy, medium, hard, unknown

    error: `instruction` says nothing
      ┌─ a.task/task.yaml:2:3
      │
    2 │   # canary
      │   ^^^^^^^^
    "#);
    assert_snapshot!(wrong("- a\n"), @r#"
    error: a task.yaml must be a map
      ┌─ a.task/task.yaml:1:1
      │
    1 │ - a
      │ ^^^ `key: value` lines
    "#);
    assert_snapshot!(wrong("instruction: [a\n"), @r#"
    error: this is not YAML that can be read
      ┌─ a.task/task.yaml:1:14
      │
    1 │ instruction: [a
      │              ^ unclosed bracket '['
    "#);
    let folder = Folder::new(LEAST)
        .without("run-tests.sh")
        .without("Dockerfile");
    assert_snapshot!(folder.wrong(), @r#"
    error: `a.task` has no image: it needs a docker-compose.yaml or a Dockerfile

    error: nothing verifies the task: there is no a.task/run-tests.sh
    "#);
}

#[test]
fn without_a_solution_there_is_none() {
    let folder = Folder::new(LEAST).without("solution.sh");
    assert_eq!(folder.task().solution, None);
    assert_snapshot!(folder.warned(), @"a.task: there is no solution.sh and no solution.yaml, so the task has no reference solution");
}

#[test]
fn commands_have_their_defaults() {
    let yaml = "- command: make\n- command: C-c\n  block: true\n  append_enter: false\n  \
        min_timeout_sec: 0.5\n  max_timeout_sec: 9\n";
    let folder = Folder::new(LEAST)
        .without("solution.sh")
        .file("solution.yaml", yaml);
    let found = commands(&folder.task().solution.unwrap()).unwrap();
    let first = Command {
        command: "make".into(),
        block: false,
        least: Duration::ZERO,
        most: Duration::from_secs(180),
        enter: true,
    };
    let second = Command {
        command: "C-c".into(),
        block: true,
        least: Duration::from_millis(500),
        most: Duration::from_secs(9),
        enter: false,
    };
    assert_eq!(found, [first, second]);
}

#[test]
fn keys_that_a_shared_shell_does_not_get_are_told() {
    let yaml = format!("{LEAST}run_tests_in_same_shell: true\n");
    let with = |commands| {
        let folder = Folder::new(&yaml).without("solution.sh");
        folder.file("solution.yaml", commands).warned()
    };
    assert_eq!(with("- { command: cd /x, block: true }\n"), "");
    let told = with("- { command: cd /x }\n");
    assert!(told.contains("a terminal of its own"), "{told}");
}

#[test]
fn commands_that_are_wrong_are_told() {
    let yaml = "- comand: make\n- command: make\n  block: 3\n- make\n- command: a\n  min_timeout_sec: -1\n";
    let folder = Folder::new(LEAST)
        .without("solution.sh")
        .file("solution.yaml", yaml);
    assert_snapshot!(folder.wrong(), @r#"
    error: this has no `command`
      ┌─ a.task/solution.yaml:1:3
      │
    1 │ - comand: make
      │   ^^^^^^^^^^^^ did you mean it by `comand`?

    error: `block` cannot be `3`
      ┌─ a.task/solution.yaml:3:10
      │
    3 │   block: 3
      │          ^ it must be true or false

    error: a command must be a map
      ┌─ a.task/solution.yaml:4:3
      │
    4 │ - make
      │   ^^^^ `key: value` lines

    error: `min_timeout_sec` cannot be -1 s
      ┌─ a.task/solution.yaml:6:20
      │
    6 │   min_timeout_sec: -1
      │                    ^^ 0 or more
    "#);
}

const COMPOSE: &str = "services:\n  client:\n    build: { dockerfile: Dockerfile }\n    \
    image: ${T_BENCH_TASK_DOCKER_CLIENT_IMAGE_NAME}\n    \
    container_name: ${T_BENCH_TASK_DOCKER_CLIENT_CONTAINER_NAME}\n    \
    command: [sh, -c, sleep infinity]\n    environment: [ \"TEST_DIR=${T_BENCH_TEST_DIR}\" ]\n    \
    working_dir: /app\n    mem_limit: 1g\n    volumes:\n    \
    - ${T_BENCH_TASK_LOGS_PATH}:${T_BENCH_CONTAINER_LOGS_PATH}\n    \
    - ${T_BENCH_TASK_AGENT_LOGS_PATH}:${T_BENCH_CONTAINER_AGENT_LOGS_PATH}\n";

#[test]
fn the_client_of_a_compose_file_is_where_the_agent_works() {
    let beside = "  db:\n    image: postgres:16\n  job:\n    build: { dockerfile: db/Dockerfile }\n    \
        image: ${T_BENCH_TASK_DOCKER_NAME_PREFIX}__job\n  again:\n    \
        image: ${T_BENCH_TASK_DOCKER_NAME_PREFIX}__job\n    depends_on: [job]\n";
    let folder = Folder::new(LEAST)
        .file("docker-compose.yaml", &format!("{COMPOSE}{beside}"))
        .file("db/Dockerfile", "FROM proofyard/base\n");
    let task = folder.task();
    let environment = &task.environment;
    assert_eq!(task.warnings, Vec::<String>::new());
    assert_eq!(environment.env["TEST_DIR"], "/tests");
    assert_eq!(task.verification.env.get("TEST_DIR"), None);
    assert_eq!(environment.workdir.as_deref(), Some("/app"));
    assert_eq!(environment.memory_bytes, Some(1 << 30));
    let services = environment.services.as_ref().unwrap();
    assert_eq!(services.main, "client");
    let client = services.main().unwrap();
    assert_eq!(client.volumes, []);
    assert_eq!(client.command.as_ref().unwrap()[0], "sh");
    assert!(client.networks["default"].contains(&"a-task-1-of-1".to_owned()));
    let all = &services.compose.services;
    assert_eq!(all["job"].image.as_deref(), Some("tb__a-task__job"));
    assert_eq!(all["again"].build, all["job"].build);
    assert!(all["again"].build.is_some() && all["db"].build.is_none());
}

/// What of a task's folder stays out of its image.
fn kept_out(folder: &Folder) -> Vec<String> {
    let task = folder.task();
    let ImageSource::Build(build) = &task.environment.image else {
        panic!("{:?}", task.environment.image)
    };
    let names = build.without.iter().map(|path| path.file_name().unwrap());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn tests_and_solution_stay_out_of_the_image() {
    let all = ["run-tests.sh", "tests", "solution.sh", "task.yaml"];
    assert_eq!(kept_out(&Folder::new(LEAST)), all);
    let whole = Folder::new(LEAST).file("docker-compose.yaml", COMPOSE);
    let whole = whole.file("Dockerfile", "FROM x\nCOPY . /app\nADD \\\n  *.csv /app/\n");
    assert_eq!(kept_out(&whole), all);
    let named = "FROM x AS tests\nCOPY --from=tests /solution.sh /\ncopy --chown=1 [\"./tests/data\", \"/data\"]\n";
    let named = Folder::new(LEAST).file("Dockerfile", named);
    assert_eq!(
        kept_out(&named),
        ["run-tests.sh", "solution.sh", "task.yaml"]
    );
}

#[test]
fn what_an_image_takes_of_the_tests_is_told() {
    let folder = Folder::new(LEAST).file("Dockerfile", "FROM x\nCOPY tests /data\n");
    assert_eq!(
        kept_out(&folder),
        ["run-tests.sh", "solution.sh", "task.yaml"]
    );
    assert_snapshot!(folder.warned(), @"a.task: the image takes tests, which agents can read there");
}

#[test]
fn a_compose_file_that_does_not_fit_is_told() {
    let with = |compose: &str| {
        Folder::new(LEAST)
            .file("docker-compose.yaml", compose)
            .wrong()
    };
    assert_snapshot!(with("services:\n  main:\n    image: x\n"), @r#"
    error: a.task/docker-compose.yaml has no service `client`, which the agent works in
      it has main
    "#);
    assert_snapshot!(with("services:\n  client:\n    image: x\n    privileged: true\n"), @r#"
    error: `privileged` is not allowed in a task
      ┌─ a.task/docker-compose.yaml:4:5
      │
    4 │     privileged: true
      │     ^^^^^^^^^^ it would open the sandbox to the host
    "#);
    assert_snapshot!(with("services:\n  client:\n    image: x\n    volumes: [ \".:/app\" ]\n"), @r#"
    error: a.task/docker-compose.yaml: the bind at /app of `client` would show tests or solution
      bind a folder that holds neither
    "#);
}

#[test]
fn such_tasks_are_found_below_a_folder() {
    let folder = Folder::new(LEAST).file("../other/task.yaml", LEAST);
    let found = discover(folder.0.path()).unwrap();
    let names = found.iter().map(|path| path.file_name().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["a.task", "other"]);
}

/// Pieces that such files are made of.
fn piece() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "instruction: ",
        "difficulty: ",
        "easy",
        "tags:",
        "max_test_timeout_sec: ",
        "parser_name: ",
        "run_tests_in_same_shell: ",
        "- ",
        "command: ",
        "block: ",
        "append_enter: ",
        "1e999",
        "-1",
        "true",
        "null",
        "~",
        "&a ",
        "*a",
        "<<: *a",
        "|\n",
        ">-\n",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "!!str ",
        "#",
        "\n",
        "\n  ",
        "\t",
        "---\n",
    ];
    prop_oneof![
        proptest::sample::select(WORDS).prop_map(str::to_owned),
        "\\PC{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_breaks_the_reader(pieces in proptest::collection::vec(piece(), 0..30)) {
        let text = pieces.concat();
        let folder = Folder::new(&text).without("solution.sh").file("solution.yaml", &text);
        if let Err(error) = load_task(&folder.path()) {
            prop_assert!(error.render(false).starts_with("error: "));
        }
    }
}
