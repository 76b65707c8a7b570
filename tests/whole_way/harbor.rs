//! Tasks in Harbor's format as they are: the solution gives reward 1, doing nothing 0.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::yard::{Yard, bash};

/// A task in Harbor's format, file by file.
pub struct Harbor<'a> {
    yard: &'a Yard,
    pub path: PathBuf,
}

/// A test that gives 1 where a command succeeds.
pub fn test(command: &str) -> String {
    format!("#!/bin/bash\nif {command}; then echo 1; else echo 0; fi > /logs/verifier/reward.txt\n")
}

impl<'a> Harbor<'a> {
    /// Sound as it is: the answer is a file `answer` of the directory of tool calls.
    pub fn new(yard: &'a Yard, toml: &str) -> Self {
        let path = yard.path("tasks/task");
        let task = Self { yard, path };
        task.file("task.toml", toml)
            .file("instruction.md", "Write 42 to the file `answer`.\n")
            .file(
                "environment/Dockerfile",
                "FROM proofyard/base\nWORKDIR /app\n",
            )
            .file("solution/solve.sh", "#!/bin/bash\necho 42 > answer\n")
            .file("tests/test.sh", &test("grep -qx 42 answer"))
    }

    pub fn file(self, name: &str, text: &str) -> Self {
        let path = self.path.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn without(self, name: &str) -> Self {
        let path = self.path.join(name);
        match path.is_dir() {
            true => std::fs::remove_dir_all(path).unwrap(),
            false => std::fs::remove_file(path).unwrap(),
        }
        self
    }

    /// The trials of the solution and of doing nothing.
    fn run(&self, more: &[&str]) -> (Value, Value) {
        self.yard.both(&self.path, more)
    }

    /// As [`run`](Self::run), resolved and not; the trial of the solution.
    fn sound(&self) -> Value {
        let (oracle, nop) = self.run(&[]);
        assert_eq!(oracle["outcome"], "resolved", "{oracle:#}");
        assert_eq!(oracle["reward"], 1.0, "{oracle:#}");
        assert_eq!(nop["outcome"], "unresolved", "{nop:#}");
        assert_eq!(nop["reward"], 0.0, "{nop:#}");
        assert_eq!(self.yard.left(), Vec::<String>::new());
        oracle
    }
}

#[test]
fn a_task_as_most_are() {
    let yard = Yard::new();
    let toml = "version = \"1.0\"\n[metadata]\ndifficulty = \"easy\"\n\
        [verifier]\ntimeout_sec = 60.0\n[agent]\ntimeout_sec = 60.0\n\
        [environment]\nbuild_timeout_sec = 600.0\ncpus = 1\nmemory = \"512M\"\nstorage = \"1G\"\n";
    let trial = Harbor::new(&yard, toml).sound();
    assert_eq!(trial["verdict"]["sees"], "files");
    assert_eq!(trial["verdict"]["evidence"], "asserted");
    assert_eq!(trial["verdict"]["hidden_read_only"], true);
    assert_eq!(trial["provenance"]["limits"]["memory_bytes"], 512 << 20);
}

#[test]
fn hidden_files_that_a_test_writes_stay_writable() {
    let yard = Yard::new();
    let trial = Harbor::new(&yard, "")
        .file("tests/helper.py", "")
        .file(
            "tests/test.sh",
            &test("chmod +x /tests/helper.py && echo x > /tests/helper.py && grep -qx 42 answer"),
        )
        .sound();
    assert_eq!(trial["verdict"]["sees"], "files");
    assert_eq!(trial["verdict"]["hidden_read_only"], false);
    let told = trial["warnings"].to_string();
    assert!(told.contains("hidden files that can be written"), "{told}");
}

#[test]
fn what_has_to_run_is_verified_where_it_runs() {
    let yard = Yard::new();
    let trial = Harbor::new(&yard, "")
        .file(
            "solution/solve.sh",
            "#!/bin/bash\ncp /bin/sleep ticker\n(setsid ./ticker 1000 >/dev/null 2>&1 &)\necho 42 > answer\n",
        )
        .file("tests/test.sh", &test("grep -lqs ticker /proc/[0-9]*/comm"))
        .sound();
    assert_eq!(trial["verdict"]["sees"], "live");
    let told = trial["warnings"].to_string();
    assert!(told.contains("in the agent's own sandbox"), "{told}");
}

#[test]
fn an_image_by_name_gets_the_files_of_the_environment() {
    let yard = Yard::new();
    let toml = "[environment]\ndocker_image = \"proofyard/base\"\nworkdir = \"/srv\"\n";
    let task = Harbor::new(&yard, toml)
        .without("environment/Dockerfile")
        .file("environment/data/given.txt", "21\n")
        .file("environment/old.txt", "old\n")
        .file(
            "solution/solve.sh",
            "#!/bin/bash\nset -e\nrm old.txt\necho $((2 * $(cat data/given.txt))) > answer\n",
        )
        .file(
            "tests/test.sh",
            &test("grep -qx 42 answer && test -f data/given.txt && test ! -e old.txt"),
        );
    assert_eq!(task.sound()["verdict"]["sees"], "files");
}

#[test]
fn a_health_check_is_waited_for_on_both_sides() {
    let yard = Yard::new();
    let toml = "[environment.healthcheck]\ncommand = \"test -e /tmp/ready\"\n\
        interval_sec = 0.1\ntimeout_sec = 5\nstart_period_sec = 20\nstart_interval_sec = 0.1\nretries = 2\n";
    Harbor::new(&yard, toml)
        .file(
            "environment/Dockerfile",
            "FROM proofyard/base\nWORKDIR /app\nCOPY start /start\nRUN chmod +x /start\nENTRYPOINT [\"/start\"]\n",
        )
        .file(
            "environment/start",
            "#!/bin/sh\nsleep 1\ntouch /tmp/ready\nexec \"$@\"\n",
        )
        .file(
            "solution/solve.sh",
            "#!/bin/bash\ntest -e /tmp/ready && echo 42 > answer\n",
        )
        .file(
            "tests/test.sh",
            &test("test -e /tmp/ready && grep -qx 42 answer"),
        )
        .sound();
}

#[test]
fn a_sandbox_that_never_gets_ready_is_an_error_that_says_so() {
    let yard = Yard::new();
    let toml = "[environment.healthcheck]\ncommand = \"echo no such luck; false\"\ninterval_sec = 0\nretries = 2\n";
    let task = Harbor::new(&yard, toml);
    let (trials, code) = yard.run(&task.path, &["-a", "nop", "--no-check"]);
    assert_eq!(code, Some(1));
    assert_eq!(trials[0]["outcome"], "error");
    let message = trials[0]["error"]["message"].as_str().unwrap();
    assert!(message.contains("no such luck"), "{message}");
}

#[test]
fn each_phase_has_its_user_and_its_variables() {
    let yard = Yard::new();
    let toml = "[agent]\nuser = \"worker\"\n[verifier]\nuser = \"root\"\n\
        env = { CHECK = \"check\", GIVEN = \"${PROOFYARD_TEST_NONE:-default}\" }\n\
        [solution]\nenv = { HINT = \"42\" }\n[environment]\nenv = { SHARED = \"both\" }\n";
    Harbor::new(&yard, toml)
        .file(
            "environment/Dockerfile",
            "FROM proofyard/base\nRUN useradd worker && mkdir -p /app && chown worker /app\nWORKDIR /app\n",
        )
        .file(
            "solution/solve.sh",
            "#!/bin/bash\nset -e\ntest -z \"$CHECK\"\ntest \"$SHARED\" = both\ntest \"$(id -un)\" = worker\necho $HINT > answer\n",
        )
        .file(
            "tests/test.sh",
            &test("test -z \"$HINT\" && test \"$CHECK$SHARED$GIVEN\" = checkbothdefault && test \"$(id -un)\" = root && test \"$(stat -c %U answer)\" = worker && grep -qx 42 answer"),
        )
        .sound();
}

#[test]
fn what_is_ignored_does_not_cross() {
    let yard = Yard::new();
    Harbor::new(&yard, "")
        .file("tests/.harborignore", "*.secret\n")
        .file("tests/a.secret", "x")
        .file("solution/.harborignore", "notes/\n")
        .file("solution/notes/x", "x")
        .file(
            "solution/solve.sh",
            "#!/bin/bash\ntest ! -e /solution/notes && echo 42 > answer\n",
        )
        .file(
            "tests/test.sh",
            &test(
                "test ! -e /tests/a.secret && test ! -e /tests/.harborignore && grep -qx 42 answer",
            ),
        )
        .sound();
}

#[test]
fn a_map_of_rewards_is_kept_and_decides() {
    let yard = Yard::new();
    let json = "#!/bin/bash\ngrep -qx 42 answer && v=1 || v=0\n\
        echo \"{\\\"reward\\\": $v, \\\"style\\\": 0.5, \\\"fast\\\": true}\" > /logs/verifier/reward.json\n\
        echo 0 > /logs/verifier/reward.txt\n";
    let trial = Harbor::new(&yard, "").file("tests/test.sh", json).sound();
    assert_eq!(
        trial["rewards"],
        json!({"fast": 1.0, "reward": 1.0, "style": 0.5})
    );
}

#[test]
fn a_time_out_ends_the_agent_and_the_verdict_counts() {
    let yard = Yard::new();
    let toml = "[agent]\ntimeout_sec = 2.0\n";
    let task = Harbor::new(&yard, toml);
    let script = yard.script(
        "slow.jsonl",
        &[
            bash("echo 42 > answer"),
            bash("(sleep 3; echo 0 > answer)& sleep 60"),
        ],
    );
    let (trials, code) = yard.run(&task.path, &["-a", &script]);
    assert_eq!(code, Some(0), "{trials:#?}");
    assert_eq!(trials[0]["trajectory"]["end"], "timeout");
    assert_eq!(trials[0]["outcome"], "resolved", "{:#}", trials[0]);
}

#[test]
fn artifacts_are_kept_with_their_manifest() {
    let yard = Yard::new();
    let toml = "artifacts = [\"out\", { source = \"/srv/log\", destination = \"logs/all\", exclude = [\"*.tmp\"] }, \"/none\"]\n\
        [[verifier.collect]]\ncommand = \"echo collected > /srv/log/hook.txt\"\n";
    let trial = Harbor::new(&yard, toml)
        .file(
            "solution/solve.sh",
            "#!/bin/bash\nmkdir -p out /srv/log\necho a > out/a\nln -s /etc/passwd out/link\n\
             echo b > /srv/log/b.txt\necho c > /srv/log/c.tmp\necho p > /logs/artifacts/p\necho 42 > answer\n",
        )
        .sound();
    let kept = yard.stored(&trial).join("artifacts");
    let read = |name: &str| std::fs::read_to_string(kept.join(name)).unwrap();
    assert_eq!(read("app/out/a"), "a\n");
    assert_eq!(read("logs/all/b.txt"), "b\n");
    assert_eq!(read("logs/all/hook.txt"), "collected\n");
    assert_eq!(read("logs/artifacts/p"), "p\n");
    assert!(!kept.join("logs/all/c.tmp").exists());
    assert!(kept.join("app/out/link").symlink_metadata().is_err());
    let manifest: Value = serde_json::from_str(&read("manifest.json")).unwrap();
    let status = |source: &str| {
        let all = manifest.as_array().unwrap().iter();
        let mut of = all.filter(|one| one["source"] == source);
        of.next().unwrap()["status"].clone()
    };
    assert_eq!(
        (status("out"), status("/none")),
        (json!("ok"), json!("empty"))
    );
}

#[test]
fn a_separate_verifier_sees_artifacts_alone() {
    let yard = Yard::new();
    let toml = "artifacts = [\"/app/answer\"]\n[verifier]\nenvironment_mode = \"separate\"\n";
    let task = Harbor::new(&yard, toml)
        .file(
            "solution/solve.sh",
            "#!/bin/bash\necho 42 > answer\necho x > /app/other\necho y > /logs/artifacts/y\n",
        )
        .file(
            "tests/test.sh",
            &test(
                "test ! -e /app/other && grep -qx 42 /app/answer && grep -qx y /logs/artifacts/y",
            ),
        );
    let trial = task.sound();
    assert_eq!(trial["verdict"]["sees"], "files");
}

#[test]
fn a_verifier_with_an_image_of_its_own_has_its_tests_in_it() {
    let yard = Yard::new();
    let toml =
        "artifacts = [\"/app\"]\n[verifier.environment]\nenv = { OWN = \"yes\" }\ncpus = 1\n";
    Harbor::new(&yard, toml)
        .file(
            "tests/Dockerfile",
            "FROM proofyard/base\nCOPY . /tests\nRUN chmod +x /tests/test.sh && mkdir -p /app && touch /app/stale\nENV MARK=verifier\n",
        )
        .file(
            "tests/test.sh",
            &test("test \"$MARK$OWN\" = verifieryes && test ! -e /app/stale && grep -qx 42 /app/answer"),
        )
        .sound();
}

/// The files of a step, whose answer is `<name> <number>` in a file of its name.
fn step<'a>(task: Harbor<'a>, name: &str) -> Harbor<'a> {
    task.file(
        &format!("steps/{name}/instruction.md"),
        &format!("# canary\nWrite `{name}` to the file `{name}`.\n"),
    )
    .file(
        &format!("steps/{name}/solution/solve.sh"),
        &format!("#!/bin/bash\necho {name} > {name}\n"),
    )
    .file(
        &format!("steps/{name}/tests/test.sh"),
        &test(&format!("grep -qx {name} {name}")),
    )
}

fn stepped<'a>(yard: &'a Yard, toml: &str) -> Harbor<'a> {
    let task = Harbor::new(yard, toml)
        .without("instruction.md")
        .without("solution")
        .without("tests");
    step(step(task, "first"), "second")
}

const STEPS: &str = "[[steps]]\nname = \"first\"\n[[steps]]\nname = \"second\"\n";

#[test]
fn steps_share_a_world_and_their_rewards_become_one() {
    let yard = Yard::new();
    let task = stepped(&yard, STEPS)
        .file("tests/helper.sh", "check() { test -e /tests/test.sh; }\n")
        .file("steps/second/workdir/given.txt", "given\n")
        .file(
            "steps/second/workdir/setup.sh",
            "cp given.txt made.txt && pwd > where.txt\n",
        )
        .file(
            "steps/second/tests/test.sh",
            &test(". /tests/helper.sh && check && grep -qx first first && grep -qx second second && grep -qx given made.txt && grep -qx /app where.txt"),
        );
    let trial = task.sound();
    let steps = trial["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2);
    assert_eq!(
        (&steps[0]["reward"], &steps[1]["reward"]),
        (&json!(1.0), &json!(1.0))
    );
    let folder = yard.stored(&trial).join("steps/second");
    assert!(folder.join("verifier/reward.txt").is_file());
    assert!(folder.join("change.tar.zst").is_file());
    let audit = yard.proofyard(&["audit", trial["run"].as_str().unwrap()]);
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
}

#[test]
fn a_step_below_its_least_reward_is_the_last() {
    let yard = Yard::new();
    let toml = "[[steps]]\nname = \"first\"\nmin_reward = { reward = 0.5 }\n[[steps]]\nname = \"second\"\n";
    let task = stepped(&yard, toml);
    let (oracle, nop) = task.run(&[]);
    assert_eq!(oracle["outcome"], "resolved", "{oracle:#}");
    assert_eq!(nop["steps"].as_array().unwrap().len(), 1);
    assert_eq!(nop["reward"], 0.0);
    let early = yard.script("early.jsonl", &[bash("echo first > first")]);
    let (trials, _) = yard.run(&task.path, &["-a", &early]);
    assert_eq!(trials[0]["steps"].as_array().unwrap().len(), 2);
    assert_eq!(trials[0]["reward"], 0.5);
    assert_eq!(trials[0]["outcome"], "unresolved");
}

#[test]
fn of_the_final_strategy_the_last_step_decides() {
    let yard = Yard::new();
    let toml = format!("multi_step_reward_strategy = \"final\"\n{STEPS}");
    let task = stepped(&yard, &toml);
    assert_eq!(task.sound()["reward"], 1.0);
    let late = yard.script("late.jsonl", &[bash("echo second > second")]);
    let (trials, _) = yard.run(&task.path, &["-a", &late]);
    assert_eq!(trials[0]["steps"][0]["reward"], 0.0);
    assert_eq!(
        (&trials[0]["reward"], &trials[0]["outcome"]),
        (&json!(1.0), &json!("resolved"))
    );
}

#[test]
fn what_runs_between_steps_goes_on() {
    let yard = Yard::new();
    let task = stepped(&yard, STEPS)
        .file(
            "steps/first/solution/solve.sh",
            "#!/bin/bash\necho first > first\n(setsid bash -c 'while sleep 0.1; do echo tick >> /app/ticks; done' >/dev/null 2>&1 &)\n",
        )
        .file(
            "steps/second/solution/solve.sh",
            "#!/bin/bash\nset -e\nrm -f /app/ticks\nsleep 0.5\ntest -s /app/ticks\ntest ! -e /tests\necho second > second\n",
        );
    let trial = task.sound();
    assert_eq!(trial["verdict"]["sees"], "files");
}

#[test]
fn steps_that_are_verified_live_leave_no_tests_behind() {
    let yard = Yard::new();
    let running = "grep -lqs ticker /proc/[0-9]*/comm";
    let task = stepped(&yard, STEPS)
        .file(
            "steps/first/solution/solve.sh",
            "#!/bin/bash\ncp /bin/sleep ticker\n(setsid ./ticker 1000 >/dev/null 2>&1 &)\necho first > first\n",
        )
        .file("steps/first/tests/test.sh", &test(running))
        .file(
            "steps/second/solution/solve.sh",
            "#!/bin/bash\nset -e\ntest ! -e /tests\ntest ! -e /logs/verifier/reward.txt\necho second > second\n",
        )
        .file(
            "steps/second/tests/test.sh",
            &test(&format!("{running} && grep -qx second second")),
        );
    assert_eq!(task.sound()["verdict"]["sees"], "live");
}

#[test]
fn a_set_up_that_fails_ends_the_steps() {
    let yard = Yard::new();
    let task = stepped(&yard, STEPS).file(
        "steps/second/workdir/setup.sh",
        "echo cannot be set up >&2; exit 3\n",
    );
    let (trials, code) = yard.run(&task.path, &["-a", "oracle", "--no-check"]);
    assert_eq!(code, Some(0), "{trials:#?}");
    assert_eq!(trials[0]["outcome"], "unresolved");
    assert_eq!(
        trials[0]["reward"], 1.0,
        "the mean is over what was verified"
    );
    let told = trials[0]["steps"][1]["message"].as_str().unwrap();
    assert!(told.contains("cannot be set up"), "{told}");
}

#[test]
fn a_stepped_trial_is_regraded_step_by_step() {
    let yard = Yard::new();
    let task = stepped(&yard, STEPS);
    let trial = task.sound();
    let again = yard.proofyard(&["regrade", trial["run"].as_str().unwrap(), "--json"]);
    let text = String::from_utf8(again.stdout).unwrap();
    let finished: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &Value| event["event"] == "trial_finished")
        .map(|event| event["trial"].clone())
        .collect();
    let of = |name: &str| {
        let mut all = finished.iter();
        all.find(|trial| trial["agent"]["name"] == name).unwrap()
    };
    assert_eq!(of("oracle")["reward"], 1.0, "{text}");
    assert_eq!(of("oracle")["outcome"], "resolved");
    assert_eq!(of("nop")["outcome"], "unresolved");
}

/// A server that keeps what it is given; `given` tells how often it was asked to.
const STORE: &str = r#"import http.server

class Store(http.server.BaseHTTPRequestHandler):
    kept = b"0"

    def answer(self, body):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(Store.kept)

    def do_PUT(self):
        Store.kept = self.rfile.read(int(self.headers["Content-Length"]))
        open("/data/kept", "wb").write(Store.kept)
        self.answer(b"ok")

http.server.ThreadingHTTPServer(("", 80), Store).serve_forever()
"#;

const ASK: &str = "import sys, urllib.request as r\nbody = sys.argv[1].encode() if len(sys.argv) > 1 else None\nprint(r.urlopen(r.Request('http://store', data=body, method='PUT' if body else 'GET')).read().decode())\n";

const COMPOSE: &str = "
services:
  main:
    depends_on:
      store: { condition: service_healthy }
    environment:
      FROM_COMPOSE: ${GREETING:-none}
    volumes:
      - shared:/shared
      - ./seed:/seed
  store:
    build: { context: ./store, args: { LABEL: built } }
    container_name: fixed
    ports: [\"80:80\"]
    volumes:
      - shared:/data
      - ./store/store.py:/srv/store.py:ro
    command: [python3, /srv/store.py]
    healthcheck:
      test: [CMD, python3, -c, \"import urllib.request as r; r.urlopen('http://127.0.0.1')\"]
      interval: 1s
      retries: 20
  after:
    image: ${MAIN_IMAGE_NAME}
    command: sh -c 'echo up > /data/after; sleep infinity'
    volumes: [\"shared:/data\"]
    depends_on: [main]
volumes:
  shared: {}
";

fn composed<'a>(yard: &'a Yard, toml: &str) -> Harbor<'a> {
    Harbor::new(yard, toml)
        .file("environment/docker-compose.yaml", COMPOSE)
        .file(
            "environment/Dockerfile",
            "FROM proofyard/python\nWORKDIR /app\nCOPY ask.py /usr/local/lib/ask.py\n",
        )
        .file("environment/ask.py", ASK)
        .file("environment/seed/seed.txt", "seeded\n")
        .file(
            "environment/store/Dockerfile",
            "FROM proofyard/python\nARG LABEL\nRUN echo $LABEL > /label\n",
        )
        .file("environment/store/store.py", STORE)
}

const PUT: &str = "python3 /usr/local/lib/ask.py";

#[test]
fn services_stay_alive_through_the_verification() {
    let yard = Yard::new();
    let toml = "[environment]\nenv = { GREETING = \"hello\" }\nnetwork_mode = \"no-network\"\n";
    let trial = composed(&yard, toml)
        .file(
            "solution/solve.sh",
            &format!("#!/bin/bash\nset -e\ntest \"$FROM_COMPOSE\" = hello\n{PUT} 42\ncp /seed/seed.txt answer\n"),
        )
        .file(
            "tests/test.sh",
            &test(&format!(
                "test \"$({PUT})\" = 42 && grep -qx 42 /shared/kept && grep -qx up /shared/after && grep -qx seeded answer"
            )),
        )
        .sound();
    assert_eq!(trial["verdict"]["sees"], "files");
}

#[test]
fn many_trials_of_services_at_a_time_do_not_meet() {
    let yard = Yard::new();
    let task = composed(&yard, "")
        .file("solution/solve.sh", &format!("#!/bin/bash\n{PUT} 42\n"))
        .file("tests/test.sh", &test(&format!("test \"$({PUT})\" = 42")));
    let arguments = ["-a", "oracle", "-a", "nop", "-n", "3", "-j", "6"];
    let (trials, code) = yard.run(&task.path, &arguments);
    assert_eq!((trials.len(), code), (6, Some(0)), "{trials:#?}");
    for trial in trials {
        let wanted = match trial["agent"]["name"] == "oracle" {
            true => 1.0,
            false => 0.0,
        };
        assert_eq!(trial["reward"], wanted, "{trial:#}");
    }
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn services_have_artifacts_and_hooks_too() {
    let yard = Yard::new();
    let toml = "artifacts = [{ source = \"/srv/dump\", service = \"store\" }]\n\
        [verifier]\nenvironment_mode = \"separate\"\n\
        [[verifier.collect]]\nservice = \"store\"\ncommand = \"mkdir /srv/dump && cp /data/kept /srv/dump/kept\"\n\
        [verifier.environment]\ndocker_image = \"proofyard/base\"\n";
    let task = composed(&yard, toml)
        .file("solution/solve.sh", &format!("#!/bin/bash\n{PUT} 42\n"))
        .without("tests")
        .file(
            "tests/Dockerfile",
            "FROM proofyard/base\nCOPY test.sh /tests/test.sh\nRUN chmod +x /tests/test.sh\n",
        )
        .file("tests/test.sh", &test("grep -qx 42 /srv/dump/kept"));
    let own = toml.split("[verifier.environment]").next().unwrap();
    let trial = task.file("task.toml", own).sound();
    let kept = yard.stored(&trial).join("artifacts/srv/dump/kept");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "42");
}

#[test]
fn a_service_that_fails_is_an_error_with_its_last_words() {
    let yard = Yard::new();
    let task = composed(&yard, "").file(
        "environment/store/store.py",
        "raise SystemExit('no store today')\n",
    );
    let (trials, code) = yard.run(&task.path, &["-a", "nop", "--no-check"]);
    assert_eq!(code, Some(1));
    let message = trials[0]["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("store") && message.contains("no store today"),
        "{message}"
    );
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn what_a_compose_file_may_not_say_is_told_before_anything_starts() {
    let yard = Yard::new();
    let task = composed(&yard, "").file(
        "environment/docker-compose.yaml",
        "services:\n  main:\n    privileged: true\n    volumes: [\"/var/run/docker.sock:/var/run/docker.sock\"]\n",
    );
    let output = yard.proofyard(&["run", task.path.to_str().unwrap(), "-a", "nop"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("docker-compose.yaml:3:"), "{said}");
    assert!(
        said.contains("privileged") && said.contains("docker.sock"),
        "{said}"
    );
}

#[test]
fn a_user_may_become_another_where_the_format_lets_it() {
    let yard = Yard::new();
    let trial = Harbor::new(&yard, "[agent]\nuser = \"worker\"\n")
        .file(
            "environment/Dockerfile",
            "FROM proofyard/base\nRUN useradd worker && mkdir -p /app && chown worker /app && cp /bin/cat /usr/local/bin/rootcat && chmod 4755 /usr/local/bin/rootcat && echo 42 > /root/secret && chmod 600 /root/secret\nWORKDIR /app\n",
        )
        .file("solution/solve.sh", "#!/bin/bash\nrootcat /root/secret > answer\n")
        .sound();
    assert_eq!(trial["reward"], 1.0);
}

#[test]
fn a_job_configuration_and_a_data_set_name_what_is_run() {
    let yard = Yard::new();
    Harbor::new(&yard, "");
    let set = yard.path("tasks");
    std::fs::rename(set.join("task"), set.join("good-one")).unwrap();
    for name in ["good-two", "slow-one"] {
        let copied = std::process::Command::new("cp")
            .arg("-r")
            .args([set.join("good-one"), set.join(name)])
            .status();
        assert!(copied.unwrap().success());
    }
    std::fs::create_dir(set.join("broken")).unwrap();
    std::fs::write(set.join("broken/instruction.md"), "x\n").unwrap();
    std::fs::write(
        set.join("broken/task.toml"),
        "[environment]\ncpus = \"a\"\n",
    )
    .unwrap();
    std::fs::write(
        set.join("dataset.toml"),
        "[dataset]\nname = \"a/set\"\n[[tasks]]\nname = \"a/gone\"\n",
    )
    .unwrap();
    let job = yard.path("job.yaml");
    let text = format!(
        "job_name: nightly\nn_attempts: 2\nagents: [{{ name: oracle }}]\ndatasets:\n  - path: {}\n    task_names: ['good-*']\n",
        set.display()
    );
    std::fs::write(&job, text).unwrap();
    let run = |more: &[&str]| {
        let all = [
            &["run", "-c", job.to_str().unwrap(), "--no-check"][..],
            more,
        ]
        .concat();
        yard.proofyard(&all)
    };
    // One bad task stops all, unless it is told not to.
    assert_eq!(run(&[]).status.code(), Some(2));
    let output = run(&["--keep-going", "--json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let events = String::from_utf8(output.stdout).unwrap();
    assert_eq!(events.matches("\"event\":\"trial_finished\"").count(), 4);
    assert!(events.contains("broken/task.toml:2:8"), "{events}");
    assert!(events.contains("are not here: a/gone"), "{events}");
    assert!(yard.path("runs/nightly/run.json").is_file());
    let shown = yard.proofyard(&["show", "nightly"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("2 of 2 tasks never checked"), "{shown}");
}
