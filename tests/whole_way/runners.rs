//! Runners other than pytest, each from a task to its verdict.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::yard::{Yard, bash, call};

/// A task without a repository whose hidden tests are of this runner.
fn task(yard: &Yard, runner: &str, files: [(&str, &str); 2], names: [&str; 2]) -> PathBuf {
    let task = yard.path("tasks").join(runner);
    let write = |path: &str, text: &str| {
        let path = task.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let [(image, solution), (file, tests)] = files;
    let [new, old] = names;
    write(
        "task.toml",
        &format!(
            "[verification]\nrunner = {runner:?}\noverlay = \"tests/files\"\n\
             fail_to_pass = [{new:?}]\npass_to_pass = [{old:?}]\n"
        ),
    );
    write("instruction.md", "Make double() double.\n");
    write(
        "environment/Dockerfile",
        &format!("FROM {image}\nWORKDIR /app\nCOPY app /app\n"),
    );
    let (source, wrong) = solution.split_once('|').unwrap();
    write(&format!("environment/app/{source}"), wrong);
    write(
        "solution/solve.sh",
        &format!("#!/bin/bash\nsed -i 's/x + 1/x + x/' /app/{source}\n"),
    );
    write(&format!("tests/files/{file}"), tests);
    task
}

fn unittest(yard: &Yard) -> PathBuf {
    let tests = "import sys\nimport unittest\n\nsys.path.insert(0, \"/app\")\nfrom twice import double\n\n\n\
        class Doubles(unittest.TestCase):\n    def test_new(self):\n        self.assertEqual(double(4), 8)\n\n    \
        def test_old(self):\n        self.assertEqual(double(1), 2)\n";
    let names = ["test_twice.Doubles.test_new", "test_twice.Doubles.test_old"];
    let source = "twice.py|def double(x):\n    return x + 1\n";
    task(
        yard,
        "unittest",
        [("proofyard/python", source), ("test_twice.py", tests)],
        names,
    )
}

fn tap(yard: &Yard) -> PathBuf {
    let tests = "const test = require('node:test');\nconst assert = require('node:assert');\n\
        const { double } = require('/app/twice.js');\n\
        test('doubles more', () => assert.strictEqual(double(4), 8));\n\
        test('doubles one', () => assert.strictEqual(double(1), 2));\n";
    let names = ["doubles more", "doubles one"];
    let source = "twice.js|exports.double = (x) => x + 1;\n";
    task(
        yard,
        "tap",
        [("proofyard/node", source), ("twice.test.js", tests)],
        names,
    )
}

/// A task on a repository of these files, each with its text or, where the solution
/// changes it, `wrong|right`; `hidden` is its hidden file, `names` what must begin to
/// pass and what must still.
fn repo_task(
    yard: &Yard,
    runner: &str,
    command: &str,
    files: &[(&str, &str)],
    hidden: (&str, &str),
    names: [&str; 2],
) -> PathBuf {
    let task = yard.path("tasks").join(runner);
    let write = |path: &str, text: &str| {
        let path = task.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let [new, old] = names;
    write(
        "task.toml",
        &format!(
            "[repo]\npath = \"repo\"\n[verification]\nrunner = {runner:?}\ncommand = {command:?}\n\
             overlay = \"tests/files\"\nfail_to_pass = [{new:?}]\npass_to_pass = [{old:?}]\n"
        ),
    );
    write("instruction.md", "Make double() double.\n");
    write("environment/Dockerfile", "FROM proofyard/python\n");
    write(
        "solution/solve.sh",
        "#!/bin/bash\nsed -i 's/x + 1/x + x/' twice/double.py\n",
    );
    for (path, text) in files {
        write(&format!("repo/{path}"), text);
    }
    let (path, text) = hidden;
    write(&format!("tests/files/{path}"), text);
    task
}

const DOUBLE: (&str, &str) = ("twice/double.py", "def double(x):\n    return x + 1\n");

/// A repository with a script that has unittest's runner and result in its own way, and
/// tests that are called by their docstrings.
fn script(yard: &Yard) -> PathBuf {
    let script = r#"import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Result(unittest.TextTestResult):
    def addFailure(self, test, err):
        self.stream.writeln("FAIL")
        self.failures.append((test, "see above"))


class Runner(unittest.TextTestRunner):
    resultclass = Result


if __name__ == "__main__":
    suites = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
    result = Runner(verbosity=2).run(suites)
    sys.exit(bool(result.failures or result.errors))
"#;
    let tests = r#"import unittest

from twice.double import double


class Doubles(unittest.TestCase):
    def test_new(self):
        """Four is doubled."""
        self.assertEqual(double(4), 8)

    def test_old(self):
        self.assertEqual(double(1), 2)
"#;
    repo_task(
        yard,
        "unittest-script",
        "./tests/runtests.py {targets} checks.test_double",
        &[
            DOUBLE,
            ("twice/__init__.py", ""),
            ("tests/runtests.py", script),
        ],
        ("tests/checks/test_double.py", tests),
        ["Four is doubled.", "test_old (checks.test_double.Doubles)"],
    )
}

/// A repository whose tests are functions, with helpers of its own that say what they are.
fn functions(yard: &Yard) -> PathBuf {
    let helpers = r#"import functools


class XFail(Exception):
    pass


class Skipped(Exception):
    pass


def skip(why):
    raise Skipped(why)


def XFAIL(function):
    @functools.wraps(function)
    def wrapped():
        try:
            function()
        except Exception:
            raise XFail(function.__name__)

    return wrapped
"#;
    let tests = r#"from twice.double import double
from twice.helpers import XFAIL, skip


def test_new():
    assert double(4) == 8


def test_old():
    assert double(1) == 2


@XFAIL
def test_words():
    assert double("x") == 2


def test_elsewhere():
    skip("not here")
"#;
    repo_task(
        yard,
        "functions",
        "python3 twice/tests/test_double.py",
        &[
            DOUBLE,
            ("twice/__init__.py", ""),
            ("twice/helpers.py", helpers),
            ("twice/tests/__init__.py", ""),
        ],
        ("twice/tests/test_double.py", tests),
        ["test_new", "test_old"],
    )
}

/// One run: the solution, nothing, and a change that forges a report.
fn judged(yard: &Yard, task: &Path, forgery: &str) -> [Value; 3] {
    let script = yard.script("forge.jsonl", &[bash(forgery), call("submit", json!({}))]);
    let agents = ["-a", "oracle", "-a", "nop", "-a", &script];
    let (trials, code) = yard.run(task, &agents);
    assert_eq!(code, Some(0), "{trials:#?}");
    let of = |name: &str| {
        let named = |trial: &&Value| trial["agent"]["name"].as_str().unwrap().starts_with(name);
        trials.iter().find(named).cloned().unwrap()
    };
    [of("oracle"), of("nop"), of("script:")]
}

fn holds([oracle, nothing, forged]: [Value; 3], reason: &str) {
    assert_eq!(oracle["outcome"], "resolved", "{oracle:#}");
    assert_eq!(oracle["verdict"]["evidence"], "records");
    assert_eq!(oracle["verdict"]["passed"], 2);
    assert_eq!(nothing["outcome"], "unresolved", "{nothing:#}");
    assert_eq!(nothing["verdict"]["reason"], "tests_failed");
    assert_eq!(forged["outcome"], "unresolved", "{forged:#}");
    assert_eq!(forged["verdict"]["reason"], reason, "{forged:#}");
}

#[test]
fn unittest_is_judged_by_what_its_reporter_told() {
    let yard = Yard::new();
    let task = unittest(&yard);
    let forgery = "printf 'import os\\nprint(\"Ran 2 tests in 0.1s\\\\n\\\\nOK\", flush=True)\\nos._exit(0)\\n' > /app/twice.py";
    holds(judged(&yard, &task, forgery), "no_verdict");
}

#[test]
fn a_script_of_unittest_is_judged_by_what_is_listened_to() {
    let yard = Yard::new();
    let task = script(&yard);
    let forger = r#"import sys, unittest
class Doubles(unittest.TestCase):
    def test_new(self):
        """Four is doubled."""
    def test_old(self):
        pass
Doubles.__module__ = "checks.test_double"
unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(Doubles))
sys.exit(0)
"#;
    let forgery = format!("cat > twice/double.py <<'EOF'\n{forger}EOF");
    holds(judged(&yard, &task, &forgery), "no_verdict");
}

#[test]
fn functions_are_judged_by_what_our_own_runner_told() {
    let yard = Yard::new();
    let task = functions(&yard);
    let forger = r#"import os
print("test_new ok\ntest_old ok", flush=True)
os._exit(0)
"#;
    let forgery = format!("cat > twice/double.py <<'EOF'\n{forger}EOF");
    holds(judged(&yard, &task, &forgery), "no_verdict");
}

#[test]
fn node_is_judged_by_the_tap_that_it_writes() {
    let yard = Yard::new();
    let task = tap(&yard);
    let forgery = "printf 'console.log(\"ok 1 - doubles more\\\\nok 2 - doubles one\\\\n1..2\");\\nprocess.exit(0);\\n' > /app/twice.js";
    holds(judged(&yard, &task, forgery), "tests_missing");
}

#[test]
fn a_task_that_brings_altered_tests_is_probed() {
    let yard = Yard::new();
    let task = tap(&yard);
    let tests = std::fs::read_to_string(task.join("tests/files/twice.test.js")).unwrap();
    std::fs::create_dir(task.join("tests/altered")).unwrap();
    let altered = tests.replace("double(4), 8", "double(4), 9");
    std::fs::write(task.join("tests/altered/twice.test.js"), altered).unwrap();
    // What equals everything is no answer to anything.
    let equal = "printf 'const assert = require(\"node:assert\");\nassert.strictEqual = () => {};\nexports.double = () => 0;\n' > /app/twice.js";
    let [oracle, nothing, forged] = judged(&yard, &task, equal);
    assert_eq!(oracle["outcome"], "resolved", "{oracle:#}");
    assert_eq!(oracle["verdict"]["evidence"], "probed", "{oracle:#}");
    assert_eq!(oracle["verdict"]["probes"][0]["tests"], 1);
    assert_eq!(nothing["outcome"], "unresolved");
    assert_eq!(forged["outcome"], "tampered", "{forged:#}");
}
