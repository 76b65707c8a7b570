//! `proofyard check`: planted faults are found, each by its name, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use crate::yard::Yard;

/// A sound task in Harbor's format, and what is planted in it.
struct Planted<'a> {
    yard: &'a Yard,
    path: PathBuf,
}

const TOML: &str = "[agent]\ntimeout_sec = 60.0\n[verifier]\ntimeout_sec = 60.0\n\
    [environment]\nnetwork_mode = \"no-network\"\n";
const SOLVE: &str = "#!/bin/bash\necho 42 > answer.txt\n";
const TEST: &str = "#!/bin/bash\n\
    if grep -qx 42 answer.txt; then echo 1; else echo 0; fi > /logs/verifier/reward.txt\n";

impl<'a> Planted<'a> {
    fn new(yard: &'a Yard, name: &str) -> Self {
        let path = yard.path("tasks").join(name);
        let task = Self { yard, path };
        task.file("task.toml", TOML)
            .file("instruction.md", "Write 42 to answer.txt.\n")
            .file(
                "environment/Dockerfile",
                "FROM proofyard/base\nWORKDIR /app\n",
            )
            .file("solution/solve.sh", SOLVE)
            .file("tests/test.sh", TEST)
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.path.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// With an image of this yard's own.
    fn image(self, steps: &str) -> Self {
        let text = format!("FROM proofyard/base\nWORKDIR /app\n{steps}\n");
        self.yard.image(&self.path, &text);
        self
    }
}

/// The names of findings by task.
fn found(yard: &Yard, arguments: &[&str]) -> (BTreeMap<String, BTreeSet<String>>, Option<i32>) {
    let tasks = yard.path("tasks");
    let all = [&["check", tasks.to_str().unwrap(), "--json"][..], arguments].concat();
    let output = yard.proofyard(&all);
    let text = String::from_utf8(output.stdout).unwrap();
    let mut by_task = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["event"] != "task" {
            continue;
        }
        let names = line["findings"].as_array().unwrap().iter();
        let names = names.map(|finding| finding["name"].as_str().unwrap().to_owned());
        let task = line["task"].as_str().unwrap();
        let task = task.rsplit('/').next().unwrap().to_owned();
        by_task.insert(task, names.collect());
    }
    assert!(
        !by_task.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    (by_task, output.status.code())
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn ten_planted_faults_are_found_and_no_others() {
    let yard = Yard::new();
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut plant = |name: &str| {
        let names: &[&str] = match name {
            "sound" => &[],
            name => &[name],
        };
        expected.insert(name.to_owned(), set(names));
        Planted::new(&yard, name)
    };
    plant("sound");
    plant("invalid-task").file("task.toml", "[environment]\ncpus = \"two\"\n");
    plant("image-fails").image("RUN exit 3");
    plant("solution-fails").file("solution/solve.sh", "#!/bin/bash\necho 41 > answer.txt\n");
    plant("nothing-passes").file(
        "tests/test.sh",
        "#!/bin/bash\necho 1 > /logs/verifier/reward.txt\n",
    );
    plant("flaky").file(
        "tests/test.sh",
        "#!/bin/bash\ngrep -qx 42 answer.txt && v=1 || v=0\n\
            echo \"{\\\"reward\\\": $v, \\\"style\\\": $RANDOM}\" > /logs/verifier/reward.json\n",
    );
    plant("no-reward-on-failure").file(
        "tests/test.sh",
        "#!/bin/bash\nset -e\ngrep -qx 42 answer.txt\necho 1 > /logs/verifier/reward.txt\n",
    );
    let secret = "The hundred lines below were written for nobody but the verifier, and whoever \
        reads them knows every answer by heart: seventeen herons, nine lamps, one quiet harbour.\n";
    plant("leak")
        .file("tests/answers.txt", secret)
        .file("environment/old/answers.txt", secret)
        .image("COPY old /opt/old\nRUN rm -r /opt/old");
    plant("undeclared-network").file("task.toml", "[verifier]\ntimeout_sec = 60.0\n").file(
        "tests/test.sh",
        "#!/bin/bash\nif grep -qx 42 answer.txt && test -d /sys/class/net/eth0; then echo 1; else echo 0; fi > /logs/verifier/reward.txt\n",
    );
    plant("near-time-limit")
        .file(
            "tests/test.sh",
            &TEST.replace("#!/bin/bash\n", "#!/bin/bash\nsleep 3\n"),
        )
        .file(
            "task.toml",
            &TOML.replace(
                "[verifier]\ntimeout_sec = 60.0",
                "[verifier]\ntimeout_sec = 5.0",
            ),
        );
    plant("changing-image").image("RUN head -c 16 /dev/urandom > /opt/seed");
    let (found, code) = found(&yard, &["--repeat", "2", "-j", "2"]);
    assert_eq!(found, expected);
    assert_eq!(code, Some(3));
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn what_tests_expect_by_name_and_history_are_looked_at_too() {
    let yard = Yard::new();
    let ours = "[repo]\npath = \"repo\"\n[verification]\noverlay = \"tests/files\"\n";
    let expects = |lists: &str| format!("{ours}{lists}");
    let tests = "from mod import answer\n\ndef test_answer():\n    assert answer() == 42\n\ndef test_kept():\n    assert True\n\ndef test_broken():\n    assert False\n";
    let repo = |name: &str, lists: &str| {
        Planted::new(&yard, name)
            .file("task.toml", &expects(lists))
            .file("instruction.md", "Let `answer` of mod.py give 42.\n")
            .file(
                "environment/Dockerfile",
                "FROM proofyard/python\nWORKDIR /app\n",
            )
            .file("repo/mod.py", "def answer():\n    return 1\n")
            .file("tests/files/test_mod.py", tests)
            .file("solution/solve.sh", "#!/bin/bash\nsed -i s/1/42/ mod.py\n")
    };
    let answer = "fail_to_pass = [\"test_mod.py::test_answer\"]\n";
    repo(
        "named",
        &format!("{answer}pass_to_pass = [\"test_mod.py::test_kept\"]\n"),
    );
    repo(
        "missing-record",
        "fail_to_pass = [\"test_mod.py::test_answer\", \"test_mod.py::test_gone\"]\n",
    );
    repo(
        "passes-already",
        "fail_to_pass = [\"test_mod.py::test_answer\", \"test_mod.py::test_kept\"]\n",
    );
    Planted::new(&yard, "future-commits")
        .file(
            "environment/Dockerfile",
            "FROM proofyard/python\nWORKDIR /app\n",
        )
        .image("RUN true");
    let git = "FROM proofyard/python\nWORKDIR /app\n\
        RUN git init -q . && git config user.email a@b && git config user.name a && \
        echo 1 > x && git add . && git commit -qm base && echo 42 > x && git commit -qam 'the fix' && git reset -q --hard HEAD~1\n";
    yard.image(&yard.path("tasks/future-commits"), git);
    Planted::new(&yard, "unnamed")
        .file("instruction.md", "Write 42 where it belongs.\n")
        .file("solution/solve.sh", "#!/bin/bash\nmkdir -p out && echo 42 > out/result.csv\n")
        .file(
            "tests/test.sh",
            "#!/bin/bash\nif grep -qx 42 /app/out/result.csv; then echo 1; else echo 0; fi > /logs/verifier/reward.txt\n",
        );
    let (found, _) = found(
        &yard,
        &["--repeat", "2", "--skip", "rebuild", "--skip", "leaks"],
    );
    assert_eq!(found["named"], set(&[]));
    assert_eq!(found["missing-record"], set(&["missing-record"]));
    assert_eq!(found["passes-already"], set(&["passes-already"]));
    assert_eq!(found["future-commits"], set(&["future-commits"]));
    assert_eq!(found["unnamed"], set(&["unnamed-path"]));
}

#[test]
fn files_alone_need_no_engine_and_are_mended() {
    let yard = Yard::new();
    Planted::new(&yard, "windows")
        .file("tests/test.sh", &TEST.replace('\n', "\r\n"))
        .file(
            "task.toml",
            "version = \"1.0\"\n[environment]\nmemory = \"1G\" # enough\n",
        );
    let quick = |more: &[&str]| {
        let tasks = yard.path("tasks");
        let all = [&["check", tasks.to_str().unwrap(), "--quick"][..], more].concat();
        let mut command = yard.command(&all);
        command
            .env("DOCKER_HOST", "unix:///nowhere.sock")
            .output()
            .unwrap()
    };
    let found = quick(&[]);
    let said = String::from_utf8(found.stdout).unwrap();
    assert_eq!(found.status.code(), Some(3), "{said}");
    assert!(
        said.contains("carriage-returns") && said.contains("test.sh:1"),
        "{said}"
    );
    let junit = yard.path("check.xml");
    let fixed = quick(&["--fix", "--junit", junit.to_str().unwrap()]);
    assert_eq!(
        fixed.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&fixed.stdout)
    );
    let toml = std::fs::read_to_string(yard.path("tasks/windows/task.toml")).unwrap();
    assert_eq!(
        toml,
        "schema_version = \"1.0\"\n[environment]\nmemory_mb = 1024 # enough\n"
    );
    assert!(
        std::fs::read_to_string(junit)
            .unwrap()
            .contains("tests=\"1\"")
    );
}
