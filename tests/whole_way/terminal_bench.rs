//! Tasks in Terminal-Bench's first format as they are: the solution resolves them, doing
//! nothing does not.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::yard::{Yard, bash};

/// A task in that format, file by file.
struct Bench<'a> {
    yard: &'a Yard,
    path: PathBuf,
}

const RUN_TESTS: &str = "#!/bin/bash\npytest $TEST_DIR/test_outputs.py -rA\n";
const COMPOSE: &str = "services:
  client:
    build:
      dockerfile: Dockerfile
    image: ${T_BENCH_TASK_DOCKER_CLIENT_IMAGE_NAME}
    container_name: ${T_BENCH_TASK_DOCKER_CLIENT_CONTAINER_NAME}
    command: [ \"sh\", \"-c\", \"sleep infinity\" ]
    environment:
      - TEST_DIR=${T_BENCH_TEST_DIR}
    volumes:
      - ${T_BENCH_TASK_LOGS_PATH}:${T_BENCH_CONTAINER_LOGS_PATH}
      - ${T_BENCH_TASK_AGENT_LOGS_PATH}:${T_BENCH_CONTAINER_AGENT_LOGS_PATH}
";

impl<'a> Bench<'a> {
    /// Sound as it is: the answer is a file `answer` of the image's directory.
    fn new(yard: &'a Yard, yaml: &str) -> Self {
        let path = yard.path("tasks/write.the-answer");
        let task = Self { yard, path };
        let yaml = format!(
            "# a canary line\ninstruction: |-\n  Write 42 to the file `answer`.\ndifficulty: easy\n{yaml}"
        );
        task.file("task.yaml", &yaml)
            .file("Dockerfile", "FROM proofyard/python\nWORKDIR /app\n")
            .file("docker-compose.yaml", COMPOSE)
            .file("solution.sh", "#!/bin/bash\necho 42 > answer\n")
            .file("run-tests.sh", RUN_TESTS)
            .file(
                "tests/test_outputs.py",
                "def test_answer():\n    assert open('/app/answer').read().strip() == '42'\n",
            )
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.path.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn without(self, name: &str) -> Self {
        std::fs::remove_file(self.path.join(name)).unwrap();
        self
    }

    /// Resolved by its solution and not by doing nothing; the trial of the solution.
    fn sound(&self) -> Value {
        let (oracle, nop) = self.both(&[]);
        assert_eq!(oracle["outcome"], "resolved", "{oracle:#}");
        assert_eq!(oracle["reward"], 1.0, "{oracle:#}");
        assert_eq!(oracle["verdict"]["evidence"], "asserted");
        assert_eq!(nop["outcome"], "unresolved", "{nop:#}");
        assert_eq!(self.yard.left(), Vec::<String>::new());
        oracle
    }

    fn both(&self, more: &[&str]) -> (Value, Value) {
        self.yard.both(&self.path, more)
    }

    /// States of the tests by name, and why it is not resolved.
    fn states(trial: &Value) -> Vec<(String, String)> {
        let tests = trial["verdict"]["tests"].as_array().unwrap().iter();
        let said = |value: &Value| value.as_str().unwrap().to_owned();
        tests
            .map(|test| (said(&test["id"]), said(&test["state"])))
            .collect()
    }

    /// Nothing of what is stored contradicts the record.
    fn audited(&self, trial: &Value) {
        let run = self.yard.path("runs").join(trial["run"].as_str().unwrap());
        let audit = self.yard.proofyard(&["audit", run.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&audit.stdout);
        assert!(audit.status.success(), "{said}");
    }
}

#[test]
fn a_task_as_most_are() {
    let yard = Yard::new();
    let task = Bench::new(&yard, "max_test_timeout_sec: 120.0\n");
    let trial = task.sound();
    assert_eq!(trial["task"]["name"], "write.the-answer");
    assert_eq!(trial["verdict"]["sees"], "files");
    assert_eq!(trial["verdict"]["hidden_read_only"], true);
    assert_eq!(
        trial["verdict"]["tests"][0],
        json!({"id": "test_answer", "expect": "pass", "state": "passed", "ms": 0})
    );
    task.audited(&trial);
    let logs = yard.stored(&trial).join("verifier");
    let shown = std::fs::read_to_string(logs.join("stdout.txt")).unwrap();
    let widest = shown
        .lines()
        .find(|line| line.contains("test session starts"));
    assert_eq!(widest.map(str::len), Some(160), "{shown}");
    let listed = yard.proofyard(&["show", task.path.to_str().unwrap()]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("terminal-bench"), "{listed}");
}

#[test]
fn without_a_compose_file_the_dockerfile_says_it_all() {
    let yard = Yard::new();
    Bench::new(&yard, "").without("docker-compose.yaml").sound();
}

#[test]
fn what_is_skipped_or_fails_as_expected_counts_as_passed() {
    let yard = Yard::new();
    let tests = "import pytest\n\
        def test_answer():\n    assert open('/app/answer').read().strip() == '42'\n\
        @pytest.mark.skip(reason='not - now')\ndef test_later():\n    assert False\n\
        @pytest.mark.xfail\ndef test_broken():\n    assert False\n";
    let task = Bench::new(&yard, "").file("tests/test_outputs.py", tests);
    let trial = task.sound();
    let states = Bench::states(&trial);
    let of = |name: &str| {
        let found = states.iter().find(|(id, _)| id.contains(name));
        found.map(|(_, state)| state.as_str())
    };
    assert_eq!(of("test_answer"), Some("passed"), "{states:?}");
    assert_eq!(of("test_broken"), Some("xfailed"), "{states:?}");
    assert_eq!(of("test_outputs.py:"), Some("skipped"), "{states:?}");
    task.audited(&trial);
}

#[test]
fn what_passes_against_expectation_fails() {
    let yard = Yard::new();
    let tests = "import pytest\n@pytest.mark.xfail\ndef test_broken():\n    pass\n";
    let task = Bench::new(&yard, "").file("tests/test_outputs.py", tests);
    let trial = yard.one(&task.path, "oracle", &["--no-check"]);
    assert_eq!(trial["outcome"], "unresolved");
    assert_eq!(trial["reward"], 0.0);
    assert_eq!(
        Bench::states(&trial),
        [("test_broken".into(), "xpassed".into())]
    );
    task.audited(&trial);
}

#[test]
fn a_text_without_a_summary_is_no_verdict_and_a_late_one_is_not_read() {
    let yard = Yard::new();
    let task = Bench::new(&yard, "max_test_timeout_sec: 5\n")
        .file("run-tests.sh", "echo no pytest here\n");
    let trial = yard.one(&task.path, "oracle", &["--no-check"]);
    let verdict = &trial["verdict"];
    assert_eq!(verdict["reason"], "no_verdict", "{trial:#}");
    let said = verdict["message"].as_str().unwrap();
    assert!(said.ends_with("no pytest here"), "{said}");
    assert_eq!(trial["reward"], Value::Null);
    task.audited(&trial);
    let late = "echo === short test summary info ===; echo PASSED a::b; sleep 60\n";
    let task = task.file("run-tests.sh", late);
    let trial = yard.one(&task.path, "oracle", &["--no-check"]);
    assert_eq!(trial["verdict"]["reason"], "verifier_timeout", "{trial:#}");
    assert_eq!(trial["reward"], Value::Null);
    task.audited(&trial);
}

#[test]
fn other_parsers_read_other_words() {
    let yard = Yard::new();
    let run = "grep -qx 42 answer && v=PASSED || v=FAILED\n\
        echo SWEBench results starts here; echo $v; echo SWEBench results ends here\n";
    let task = Bench::new(&yard, "parser_name: swebench\n").file("run-tests.sh", run);
    let trial = task.sound();
    assert_eq!(Bench::states(&trial), [("tests".into(), "passed".into())]);
}

#[test]
fn keys_are_typed_into_programs_that_ask_for_them() {
    let yard = Yard::new();
    let solution = "- command: cd /app\n  block: true\n\
        - command: python3 -q\n  min_timeout_sec: 1\n\
        - command: f = open('answer', 'w')\n  min_timeout_sec: 0.2\n\
        - command: print(6 * 7 * 1000\n  append_enter: false\n\
        - command: C-c\n  append_enter: false\n  min_timeout_sec: 0.2\n\
        - command: print(6 * 7, file=f)\n\
        - command: C-d\n  append_enter: false\n  min_timeout_sec: 0.5\n\
        - command: ls -l answer\n  block: true\n  max_timeout_sec: 10\n";
    let task = Bench::new(&yard, "")
        .without("solution.sh")
        .file("solution.yaml", solution);
    let trial = task.sound();
    let results = yard.results(&trial);
    let shown = results[0].output.as_deref().unwrap();
    assert!(shown.contains(">>> print(6 * 7, file=f)"), "{shown}");
    assert_eq!(trial["trajectory"]["end"], "done");
}

#[test]
fn tests_in_the_same_shell_find_what_was_set_there() {
    let yard = Yard::new();
    let test = "import os\ndef test_shell():\n    assert os.environ['ANSWER'] == '42' and os.getcwd() == '/srv'\n";
    let task = Bench::new(&yard, "run_tests_in_same_shell: true\n")
        .without("solution.sh")
        .file(
            "solution.yaml",
            "- command: cd /srv\n  block: true\n- command: export ANSWER=42\n  block: true\n",
        )
        .file("tests/test_outputs.py", test);
    let trial = task.sound();
    assert_eq!(trial["verdict"]["sees"], "live");
    let script = yard.script("agent.jsonl", &[bash("cd /srv && export ANSWER=42")]);
    let trial = yard.one(&task.path, &script, &[]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    task.audited(&trial);
}

#[test]
fn what_a_solution_leaves_running_is_there_for_the_tests() {
    let yard = Yard::new();
    let test = "import urllib.request\ndef test_serves():\n    \
        assert urllib.request.urlopen('http://localhost:8123/answer').read() == b'42\\n'\n";
    let solution = "echo 42 > answer\npython3 -m http.server 8123 &\nsleep 2\n";
    let task = Bench::new(&yard, "")
        .file("solution.sh", solution)
        .file("tests/test_outputs.py", test);
    assert_eq!(task.sound()["verdict"]["sees"], "live");
}

#[test]
fn a_service_beside_is_reached_by_its_name_and_starts_from_the_same_image() {
    let yard = Yard::new();
    let beside = "  server:\n    image: ${T_BENCH_TASK_DOCKER_CLIENT_IMAGE_NAME}\n    \
        container_name: ${T_BENCH_TASK_DOCKER_NAME_PREFIX}__server\n    working_dir: /srv\n    \
        command: [ \"sh\", \"-c\", \"echo 42 > /srv/given; exec python3 -m http.server 80\" ]\n    \
        healthcheck: { test: [ \"CMD\", \"test\", \"-e\", \"/srv/given\" ], interval: 1s }\n";
    let fetch = "python3 -c 'import urllib.request as r; \
        print(r.urlopen(\"http://tb__write-the-answer__server/given\").read().decode().strip())'";
    let solution = format!("for i in 1 2 3 4 5; do {fetch} > answer && break; sleep 1; done\n");
    Bench::new(&yard, "")
        .file("docker-compose.yaml", &format!("{COMPOSE}{beside}"))
        .file("solution.sh", &solution)
        .sound();
}

#[test]
fn tests_and_solution_stay_out_of_the_image_and_are_sought_as_leaks() {
    let yard = Yard::new();
    let task = Bench::new(&yard, "").file(
        "Dockerfile",
        "FROM proofyard/python\nWORKDIR /app\nCOPY . /app\n",
    );
    let script = yard.script(
        "look.jsonl",
        &[bash(
            "ls -A /app /tests /oracle; find / -xdev -name 'run-tests*'",
        )],
    );
    let trial = yard.one(&task.path, &script, &["--no-check"]);
    let results = yard.results(&trial);
    let seen = results[0].output.as_deref().unwrap();
    assert!(seen.contains("Dockerfile"), "{seen}");
    for secret in ["solution", "run-tests", "test_outputs", "task.yaml"] {
        assert!(!seen.contains(secret), "{secret}: {seen}");
    }
    let leaks = ["check", "--leaks", task.path.to_str().unwrap()];
    let clean = yard.proofyard(&leaks);
    assert_eq!(clean.status.code(), Some(0), "{clean:?}");
    let many = "def test_answer():\n    words = 'the quick brown fox jumps over a lazy dog every single morning'\n    assert open('/app/answer').read().strip() == '42', words\n";
    let task = task.file("tests/test_outputs.py", many).file(
        "Dockerfile",
        "FROM proofyard/python\nWORKDIR /app\nCOPY tests/test_outputs.py /srv/\n",
    );
    let found = yard.proofyard(&["check", "--leaks", task.path.to_str().unwrap()]);
    assert_eq!(found.status.code(), Some(3), "{found:?}");
}

#[test]
fn a_task_that_is_wrong_is_told_before_anything_runs() {
    let yard = Yard::new();
    let task = Bench::new(&yard, "parser_name: pytst\n");
    let checked = yard.proofyard(&["check", task.path.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(3));
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(said.contains("did you mean `pytest`?"), "{said}");
}

#[test]
fn a_full_screen_program_is_played() {
    let yard = Yard::new();
    let solution = "- command: less -S given\n  min_timeout_sec: 0.5\n\
        - command: /needle\n  min_timeout_sec: 0.3\n\
        - command: s\n  append_enter: false\n- command: answer\n  min_timeout_sec: 0.3\n\
        - command: q\n  append_enter: false\n  min_timeout_sec: 0.3\n\
        - command: test -t 0 && stty size > size\n  block: true\n";
    let test = "def test_size():\n    assert open('/app/size').read() == '40 160\\n'\n";
    let task = Bench::new(&yard, "")
        .without("solution.sh")
        .file(
            "Dockerfile",
            "FROM proofyard/python\nWORKDIR /app\nRUN seq 500 > given && echo needle >> given\n",
        )
        .file("solution.yaml", solution)
        .file("tests/test_outputs.py", test);
    task.sound();
}

#[test]
fn a_command_that_does_not_end_gives_the_solution_up() {
    let yard = Yard::new();
    let solution = "- command: echo 42 > answer; sleep 60\n  block: true\n  max_timeout_sec: 2\n\
        - command: rm answer\n  block: true\n";
    let task = Bench::new(&yard, "")
        .without("solution.sh")
        .file("solution.yaml", solution);
    let trial = yard.one(&task.path, "oracle", &["--no-check"]);
    assert_eq!(trial["trajectory"]["end"], "agent_error");
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
}
