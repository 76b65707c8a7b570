//! Instances of SWE-bench by runner, each from its row to both verdicts.

use serde_json::Value;

use crate::swebench::{Bench, holds, states};
use crate::swebench_projects::{NEW, OLD, functions, javascript, pytest, script, specify_pytest};

#[test]
fn pytest_is_judged_by_both_rules_with_ids_that_are_cut_off() {
    let bench = Bench::new();
    let (_, row) = pytest(&bench);
    let rows = bench.rows(&[row]);
    // Right for one of the tests that the cut id may mean, wrong for the other.
    let half = "printf 'def double(x):\\n    return x if x == \"one less\" else x + x\\n' > twice/double.py";
    let half = bench.agent("half", &[half]);
    let trials = bench.run(&rows, &["oracle", "nop", &half], &[]);
    let [oracle, nothing, half] = <[Value; 3]>::try_from(trials).unwrap();
    holds(&bench, &[oracle.clone(), nothing]);
    // What names no test is the official rules' alone.
    let expected = [NEW[0], NEW[1], OLD[0]].map(|id| (id, "passed"));
    assert_eq!(states(&oracle), expected);
    assert_eq!(oracle["verdict"]["evidence"], "probed", "{oracle:#}");
    assert_eq!(oracle["verdict"]["hidden_read_only"], true);
    let report = &bench.report(&oracle)["own__doubles-1"]["tests_status"];
    let passed = report["PASS_TO_PASS"]["success"].as_array().unwrap();
    assert!(passed.contains(&"[100%]".into()), "{report:#}");

    assert_eq!(half["outcome"], "unresolved");
    let expected = [(NEW[0], "passed"), (NEW[1], "failed"), (OLD[0], "passed")];
    assert_eq!(states(&half), expected, "{half:#}");
}

#[test]
fn a_script_of_unittest_is_judged_by_both_rules_with_docstrings_for_ids() {
    let bench = Bench::new();
    let (_, row) = script(&bench);
    let trials = bench.both(&bench.rows(&[row]), &[]);
    holds(&bench, &trials);
    let verdict = &trials[0]["verdict"];
    assert_eq!(verdict["evidence"], "records", "{:#}", trials[0]);
    assert_eq!(made_to_fail(verdict), 2, "{verdict:#}");
}

/// How many tests were refused where they were made to fail: all that had to begin to pass.
fn made_to_fail(verdict: &Value) -> u64 {
    let probe = &verdict["probes"][0];
    assert_eq!(probe["kind"], "made_to_fail", "{verdict:#}");
    assert_eq!(probe["held"], true, "{verdict:#}");
    assert_eq!(probe["tests"], probe["of"], "{verdict:#}");
    probe["tests"].as_u64().unwrap()
}

#[test]
fn tests_that_never_end_are_unresolved_and_keep_what_was_recorded() {
    let bench = Bench::new();
    let (_, row) = script(&bench);
    // They come in the order of their names: five, four, old.
    let change = "printf 'import time\\n\\n\\ndef double(x):\\n    time.sleep(600 if x == 1 else 0)\\n    return x + x\\n' > twice/double.py";
    let agent = bench.agent("endless", &[change]);
    let flags = ["--no-check", "--set", "swebench.timeout_sec=8"];
    let trial = bench.run(&bench.rows(&[row]), &[&agent], &flags).remove(0);
    assert_eq!(trial["outcome"], "unresolved", "{trial:#}");
    assert_eq!(trial["verdict"]["reason"], "verifier_timeout", "{trial:#}");
    let expected = [
        ("Four is doubled.", "passed"),
        ("test_five (checks.test_double.Doubles)", "passed"),
        ("test_old (checks.test_double.Doubles)", "missing"),
    ];
    assert_eq!(states(&trial), expected, "{trial:#}");
    let official = &trial["verdict"]["official"];
    assert_eq!(official["resolved"], false);
    assert_eq!(official["report"], Value::Null);
    let log = bench.official(&trial, "test_output.txt");
    assert!(log.ends_with("Timeout error: 8 seconds exceeded."), "{log}");
    assert_eq!(bench.yard.left(), Vec::<String>::new());
}

#[test]
fn a_session_of_pytest_that_never_ends_keeps_what_was_recorded() {
    let bench = Bench::new();
    let (_, row) = pytest(&bench);
    // They come in the order of the file: old, new, words.
    let change = "printf 'import time\\n\\n\\ndef double(x):\\n    time.sleep(600 if x == 4 else 0)\\n    return x + x\\n' > twice/double.py";
    let agent = bench.agent("endless", &[change]);
    let flags = [
        "--no-check",
        "--rules",
        "strict",
        "--set",
        "swebench.timeout_sec=8",
    ];
    let trial = bench.run(&bench.rows(&[row]), &[&agent], &flags).remove(0);
    assert_eq!(trial["verdict"]["reason"], "verifier_timeout", "{trial:#}");
    let expected = [(NEW[0], "missing"), (NEW[1], "missing"), (OLD[0], "passed")];
    assert_eq!(states(&trial), expected, "{trial:#}");
    assert_eq!(bench.yard.left(), Vec::<String>::new());
}

#[test]
fn options_that_tests_behave_by_are_those_of_the_script() {
    let bench = Bench::new();
    let files = [
        ("twice/__init__.py", "", ""),
        (
            "twice/double.py",
            "def double(x):\n    return x + 1\n",
            "def double(x):\n    return x + x\n",
        ),
        (
            "tests/check_double.py",
            "from twice.double import double\n\n\ndef check_old():\n    assert double(1) == 2\n",
            "from twice.double import double\n\n\ndef check_old():\n    assert double(1) == 2\n\n\ndef check_new():\n    assert double(4) == 8\n",
        ),
    ];
    let project = bench.project("checked", &files);
    // Without the option there is no test in the file, which pytest finds by its name.
    let test = "python -m pytest -rA --tb=no -o python_functions=check -v";
    specify_pytest(&bench, &project, test, "");
    let row = project.row(
        &["tests/check_double.py::check_new"],
        &["tests/check_double.py::check_old"],
    );
    let trials = bench.both(&bench.rows(&[row]), &["--no-check"]);
    holds(&bench, &trials);
    // Both verdicts in the official summary, of each agent its own.
    let run = bench.yard.stored(&trials[0]).join("../..");
    let name = trials[0]["run"].as_str().unwrap();
    for (agent, resolved) in [("oracle", 1), ("nop", 0)] {
        let path = run.join(format!("derived/official/{agent}.{name}.json"));
        let summary: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(summary["resolved_instances"], resolved, "{summary:#}");
        assert_eq!(summary["total_instances"], 1, "{summary:#}");
    }
}

#[test]
fn functions_are_judged_by_both_rules() {
    let bench = Bench::new();
    let (_, row) = functions(&bench);
    let trials = bench.both(&bench.rows(&[row]), &[]);
    holds(&bench, &trials);
    let verdict = &trials[0]["verdict"];
    assert_eq!(verdict["evidence"], "records", "{:#}", trials[0]);
    assert_eq!(made_to_fail(verdict), 1, "{verdict:#}");
}

#[test]
fn a_runner_of_javascript_is_judged_by_both_rules() {
    let bench = Bench::new();
    let (_, row) = javascript(&bench);
    let rows = bench.rows(&[row]);
    let trials = bench.both(&rows, &["--no-check"]);
    holds(&bench, &trials);
    bench.gold_resolves(&rows);
    // All that there is of it is what it shows.
    let evidence = &trials[0]["verdict"]["evidence"];
    assert_eq!(evidence, "asserted", "{:#}", trials[0]);
}

#[test]
fn an_agent_finds_nothing_of_the_fix() {
    let bench = Bench::new();
    let (project, row) = pytest(&bench);
    let rows = bench.rows(&[row]);
    let look = format!(
        "git cat-file -t {fix} || echo no fix; git rev-list --all --reflog --count; \
         git cat-file --batch-all-objects --batch-check | grep -c commit; git tag; \
         git log -1 --format=%s; git status --porcelain; git remote; ls -d tests/*",
        fix = project.fix
    );
    let look = bench.agent("look", &[&look]);
    let told = |more: &[&str]| {
        let trial = bench.run(&rows, &[&look], more).remove(0);
        let result = bench.yard.results(&trial).remove(0);
        (trial, result.output.unwrap())
    };
    let (trial, said) = told(&["--no-check"]);
    let mut lines = said.lines().filter(|line| !line.starts_with("fatal: "));
    let mut next = || lines.next().unwrap_or_default().to_owned();
    assert_eq!(next(), "no fix", "{said}");
    // The base commit and the one before it.
    assert_eq!([next(), next()], ["2", "2"], "{said}");
    assert_eq!(next(), "v0.9", "{said}");
    assert_eq!(next(), "Add one to what is given", "{said}");
    assert_eq!(next(), "tests/test_double.py", "{said}");
    let proof = &trial["provenance"]["checkout"];
    assert_eq!(proof["commit"], project.base);
    assert_eq!(proof["objects_reachable"], proof["objects_stored"]);

    let (trial, said) = told(&["--no-check", "--set", "swebench.history=none"]);
    let numbers: Vec<&str> = said.lines().filter(|line| *line == "1").collect();
    assert_eq!(numbers.len(), 2, "{said}");
    assert_eq!(trial["provenance"]["checkout"]["commits"], 1);
}
