//! One small repository for each runner, with its environment and its row.

use serde_json::Value;

use crate::swebench::{Bench, File, Project};

const DOUBLE: File = (
    "twice/double.py",
    "def double(x):\n    return x + 1\n",
    "def double(x):\n    return x + x\n",
);
const INIT: File = ("twice/__init__.py", "", "");

/// Tests of pytest; two of them have a blank in their ids, where rows cut them off, and
/// one prints what looks like progress, which is in rows as well.
const PYTEST: [File; 4] = [
    INIT,
    DOUBLE,
    (
        "setup.py",
        "from setuptools import setup\n\nsetup(name=\"twice\", version=\"1.0\", packages=[\"twice\"])\n",
        "from setuptools import setup\n\nsetup(name=\"twice\", version=\"1.0\", packages=[\"twice\"])\n",
    ),
    (
        "tests/test_double.py",
        r#"from twice.double import double


def test_old():
    print("PASSED [100%]")
    assert double(1) == 2
"#,
        r#"import pytest

from twice.double import double


def test_old():
    print("PASSED [100%]")
    assert double(1) == 2


def test_new():
    assert double(4) == 8


@pytest.mark.parametrize("word", ["one more", "one less"])
def test_words(word):
    assert double(word) == word + word
"#,
    ),
];

/// What must begin to pass in it, and what must still.
pub const NEW: [&str; 2] = [
    "tests/test_double.py::test_new",
    "tests/test_double.py::test_words[one",
];
pub const OLD: [&str; 2] = ["tests/test_double.py::test_old", "[100%]"];

/// Python 3.11 with the base's own pytest in an environment; pip asks nobody.
const PYTHON: &str = r#"python = "3.11"
packages = ["pip"]
env = { PIP_NO_INDEX = "1" }
"#;

/// Says how a project's tests are run by pytest: the command, and what else is to be said.
pub fn specify_pytest(bench: &Bench, project: &Project, test: &str, more: &str) {
    let own = r#"
pre_install = [
    "cp -r /usr/local/lib/python3.11/dist-packages/. /opt/proofyard/env/lib/python3.11/site-packages",
    "sed '1s|.*|#!/opt/proofyard/env/bin/python|' /usr/local/bin/pytest > /opt/proofyard/env/bin/pytest",
    "chmod 755 /opt/proofyard/env/bin/pytest",
]
parser = "pytest"
"#;
    let all = format!("{PYTHON}{own}test = {test:?}\n{more}\n");
    bench.specify(project, &bench.base("python"), &all);
}

pub fn pytest(bench: &Bench) -> (Project, Value) {
    let project = bench.project("doubles", &PYTEST);
    let install = "install = \"python setup.py --quiet develop\"";
    specify_pytest(bench, &project, "pytest -rA", install);
    let row = project.row(&NEW, &OLD);
    (project, row)
}

/// A script that runs unittest in its own way and names tests as Python 3.10 did.
const SCRIPT: &str = r#"#!/usr/bin/env python
import argparse
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Result(unittest.TextTestResult):
    def getDescription(self, test):
        name = "%s (%s)" % (test._testMethodName, unittest.util.strclass(type(test)))
        return "\n".join(filter(None, [name, test.shortDescription()]))


class Runner(unittest.TextTestRunner):
    resultclass = Result


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--verbosity", type=int, default=1)
    options.add_argument("--parallel", type=int, default=1)
    options.add_argument("modules", nargs="*")
    options = options.parse_args()
    suite = unittest.defaultTestLoader.loadTestsFromNames(options.modules)
    result = Runner(verbosity=options.verbosity).run(suite)
    sys.exit(bool(result.failures or result.errors))
"#;

pub fn script(bench: &Bench) -> (Project, Value) {
    let files = [
        INIT,
        DOUBLE,
        ("tests/runtests.py", SCRIPT, SCRIPT),
        ("tests/checks/__init__.py", "", ""),
        (
            "tests/checks/test_double.py",
            r#"import unittest

from twice.double import double


class Doubles(unittest.TestCase):
    def test_old(self):
        self.assertEqual(double(1), 2)
"#,
            r#"import unittest

from twice.double import double


class Doubles(unittest.TestCase):
    def test_old(self):
        self.assertEqual(double(1), 2)

    def test_four(self):
        """Four is doubled."""
        self.assertEqual(double(4), 8)

    def test_five(self):
        self.assertEqual(double(5), 10)
"#,
        ),
    ];
    let project = bench.project("scripted", &files);
    let more = r#"
test = "./tests/runtests.py --verbosity 2 --parallel 1"
parser = "django"
"#;
    bench.specify(&project, &bench.base("python"), &format!("{PYTHON}{more}"));
    let row = project.row(
        &["Four is doubled.", "test_five (checks.test_double.Doubles)"],
        &["test_old (checks.test_double.Doubles)"],
    );
    (project, row)
}

/// A runner of plain functions that prints as sympy's does.
const FUNCTIONS: &str = r#"#!/usr/bin/env python
import importlib
import os
import sys
import traceback

sys.path.insert(0, os.getcwd())
failed = []
for path in sys.argv[1:]:
    if path.startswith("-"):
        continue
    module = importlib.import_module(path[:-3].replace("/", "."))
    names = [name for name in vars(module) if name.startswith("test_")]
    print("%s[%d]" % (path, len(names)))
    for name in names:
        try:
            getattr(module, name)()
            print(name, "ok")
        except Exception:
            failed.append((path, name, traceback.format_exc()))
            print(name, "F")
for path, name, trace in failed:
    print("_" * 20, "%s:%s" % (path, name), "_" * 20)
    print(trace)
sys.exit(bool(failed))
"#;

pub fn functions(bench: &Bench) -> (Project, Value) {
    let files = [
        INIT,
        DOUBLE,
        ("bin/test", FUNCTIONS, FUNCTIONS),
        ("twice/tests/__init__.py", "", ""),
        (
            "twice/tests/test_double.py",
            "from twice.double import double\n\n\ndef test_old():\n    assert double(1) == 2\n",
            "from twice.double import double\n\n\ndef test_old():\n    assert double(1) == 2\n\n\n\
             def test_new():\n    assert double(4) == 8\n",
        ),
    ];
    let project = bench.project("symbols", &files);
    let more = "test = \"bin/test -C --verbose\"\nparser = \"sympy\"\n";
    bench.specify(&project, &bench.base("python"), &format!("{PYTHON}{more}"));
    let row = project.row(&["test_new"], &["test_old"]);
    (project, row)
}

/// A runner of JavaScript that prints as jest does.
const JEST: &str = r#"const fs = require("fs");
const path = require("path");

let failed = 0;
global.test = (title, body) => {
  const began = Date.now();
  try {
    body();
    console.log(`  ✓ ${title} (${Date.now() - began} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`  ✕ ${title} (${Date.now() - began} ms)\n    ${error.message}`);
  }
};
for (const name of fs.readdirSync("tests").sort()) {
  console.log(`tests/${name}`);
  require(path.resolve("tests", name));
}
console.log(`Tests: ${failed} failed`);
process.exitCode = failed ? 1 : 0;
"#;

/// Its row is as of Multilingual: lists are lists, and the version is a number of a pull
/// request.
pub fn javascript(bench: &Bench) -> (Project, Value) {
    let files = [
        ("run-tests.js", JEST, JEST),
        (
            "twice.js",
            "exports.double = (x) => x + 1;\n",
            "exports.double = (x) => x + x;\n",
        ),
        (
            "tests/twice.test.js",
            "const assert = require(\"assert\");\nconst { double } = require(\"../twice.js\");\n\n\
             test(\"doubles one\", () => assert.strictEqual(double(1), 2));\n",
            "const assert = require(\"assert\");\nconst { double } = require(\"../twice.js\");\n\n\
             test(\"doubles one\", () => assert.strictEqual(double(1), 2));\n\
             test(\"doubles (more)\", () => assert.strictEqual(double(4), 8));\n",
        ),
    ];
    let project = bench.project("scripts", &files);
    let more = "test = \"node run-tests.js\"\nparser = \"jest\"\n";
    bench.specify(&project, &bench.base("node"), more);
    let mut row = project.row(&[], &[]);
    let fields = row.as_object_mut().unwrap();
    fields.insert("FAIL_TO_PASS".into(), serde_json::json!(["doubles (more)"]));
    fields.insert("PASS_TO_PASS".into(), serde_json::json!(["doubles one"]));
    fields.insert("version".into(), "4711".into());
    fields.remove("environment_setup_commit");
    (project, row)
}
