//! What reporters of our own write, and what tests in their process can make of it.

use super::forged_tests::{reason, state};
use super::*;
use crate::record::TestState::*;

#[test]
fn the_reporters_lines_must_be_in_their_order() {
    let collected = r#"{"collected":["m.T.a"]}"#;
    let pass = r#"{"id":"m.T.a","state":"passed","ms":1,"message":""}"#;
    let closed = r#"{"closed":1}"#;
    let of = |lines: &[&str]| state(Format::Unittest, &lines.join("\n"), "m.T.a");
    assert_eq!(of(&[collected, pass, closed]), (Some(Passed), true));
    assert_eq!(of(&[collected, pass]), (Some(Passed), false));
    assert_eq!(of(&[collected, r#"{"closed":0}"#]), (Some(Missing), true));
    assert!(!of(&[pass, collected, closed]).1);
    assert!(!of(&[collected, pass, pass, r#"{"closed":2}"#]).1);
    assert!(!of(&[collected, pass, closed, pass]).1);
    assert!(!of(&[collected, pass, closed, "noise"]).1);
    assert!(!of(&[collected, collected, pass, pass, r#"{"closed":2}"#]).1);
    assert!(!of(&[r#"{"closed":0}"#]).1);
    let other = r#"{"id":"m.T.b","state":"passed","ms":1,"message":""}"#;
    assert!(!of(&[collected, pass, other, r#"{"closed":2}"#]).1);
    let fixture = r#"{"id":"m.T","state":"error","ms":0,"message":"x","above":true}"#;
    assert_eq!(
        of(&[collected, pass, fixture, r#"{"closed":2}"#]),
        (Some(Error), true)
    );
}

#[test]
fn a_command_of_words_says_what_runs_below_the_reporter() {
    let targets = ["a.b".to_owned(), "a.c".to_owned()];
    let of = |format: Format, start: &str| {
        let start = format.command(Some(start), &targets)?;
        let argv = start.argv.iter().filter(|word| !word.starts_with('{'));
        let argv = argv.filter(|word| !word.starts_with("/verifier/"));
        Some(argv.cloned().collect::<Vec<_>>().join(" "))
    };
    let script = |start: &str| of(Format::UnittestScript, start);
    let same = |start: &str, argv: &str| assert_eq!(script(start).as_deref(), Some(argv));
    same("./run.py -v 2", "python3 -- ./run.py -v 2");
    same(
        "./run.py -v {targets} -x",
        "python3 -- ./run.py -v a.b a.c -x",
    );
    same(
        "python3.9 -W error manage.py test x.py",
        "python3.9 -W error -- manage.py test x.py",
    );
    same("python -m django test", "python -- -m django test");
    for start in ["./run", "cd tests && ./run.py", "X=1 ./run.py", "python -m"] {
        assert_eq!(script(start), None, "{start}");
    }
    let functions = |start: &str| of(Format::Functions, start).unwrap();
    assert_eq!(
        functions("python3.9 -W ignore"),
        "python3.9 -W ignore a.b a.c"
    );
    assert_eq!(functions("python3.9 a.py b.py"), "python3.9 a.py b.py");
    assert_eq!(functions("a.py"), "python3 a.py");
}

#[test]
fn what_a_script_runs_is_added_up() {
    let line =
        |ids: &str, spelled: &str| format!(r#"{{"collected":[{ids}],"spelled":[{spelled}]}}"#);
    let record =
        |id: &str, state: &str| format!(r#"{{"id":"{id}","state":"{state}","ms":1,"message":""}}"#);
    let closed = |count: usize| format!(r#"{{"closed":{count}}}"#);
    let of = |lines: &[String], name: &str| state(Format::UnittestScript, &lines.join("\n"), name);
    let first = line(r#""m.T.a""#, r#""It adds.""#);
    let second = line(r#""n.T.a","n.T.b""#, r#""It adds.","""#);
    let both = [
        first.clone(),
        record("m.T.a", "passed"),
        second.clone(),
        record("n.T.a", "failed"),
        record("n.T.b", "passed"),
        closed(3),
    ];
    assert_eq!(of(&both, "m.T.a"), (Some(Passed), true));
    assert_eq!(of(&both, "n.T.b"), (Some(Passed), true));
    // Of two tests that are called alike both count.
    assert_eq!(of(&both, "It adds."), (Some(Failed), true));
    // The same test in two suites has to pass in both.
    let twice = [
        first.clone(),
        record("m.T.a", "passed"),
        first.clone(),
        record("m.T.a", "failed"),
        closed(2),
    ];
    assert_eq!(of(&twice, "m.T.a"), (Some(Failed), true));
    let once = [
        first.clone(),
        record("m.T.a", "passed"),
        first.clone(),
        closed(1),
    ];
    assert_eq!(of(&once, "m.T.a"), (Some(Missing), true));
    let early = [record("n.T.a", "passed"), second, closed(1)];
    assert!(!of(&early, "n.T.a").1);
    let uneven = line(r#""m.T.a""#, r#""It adds.","and more""#);
    assert!(!of(&[uneven, record("m.T.a", "passed"), closed(1)], "m.T.a").1);
    let refused = r#"{"refused":"who is imported"}"#.to_owned();
    let text = [first, record("m.T.a", "passed"), refused, closed(1)].join("\n");
    assert_eq!(reason(Format::UnittestScript, &text), "who is imported");
}

#[test]
fn an_unexpected_success_may_fail_a_script_and_no_function() {
    let stream = |id: &str| {
        format!(
            "{{\"collected\":[\"{id}\"]}}\n\
             {{\"id\":\"{id}\",\"state\":\"xpassed\",\"ms\":1,\"message\":\"\"}}\n{{\"closed\":1}}\n"
        )
    };
    for (format, failed, well) in [
        (Format::Unittest, true, false),
        (Format::UnittestScript, true, true),
        (Format::Functions, false, true),
    ] {
        let report = format.read(stream("m.T.a").as_bytes(), "/project").unwrap();
        assert_eq!(report.agrees(true), failed, "{format:?}");
        assert_eq!(report.agrees(false), well, "{format:?}");
    }
}

/// What a reporter told of the tests in these files, none where there is no `python3`.
fn told(format: Format, files: &[(&str, &str)], words: &[&str]) -> Option<(String, Option<i32>)> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("own")).unwrap();
    let mut program = None;
    for (path, content) in format.files() {
        let own = format!("own/{}", path.rsplit('/').next().unwrap());
        write(&own, content);
        program.get_or_insert(own);
    }
    for (name, text) in files {
        write(name, text);
    }
    let script = format!(
        "exec python3 -B {} 3 . {} 3>records",
        program?,
        words.join(" ")
    );
    let status = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    if status.code() == Some(127) {
        eprintln!("skipped: there is no python3");
        return None;
    }
    let records = std::fs::read_to_string(folder.path().join("records")).unwrap();
    Some((records, status.code()))
}

/// Patches what a reporter could use, and has a test that fails, one that passes, and
/// one whose child runs on.
const PATCHES: &str = "\
import builtins, json, os, sys, time, traceback, unittest
unittest.TestResult.addFailure = lambda *a: None
json.dumps = json.encoder.encode_basestring_ascii = lambda *a: '\"passed\"'
real = os.write
os.write = lambda fd, data: real(fd, data.replace(b'failed', b'passed'))
time.monotonic = lambda: 0
traceback.format_exception_only = lambda *a: []
sys.modules.pop('json')
";

const CLASS: &str = "
class T(unittest.TestCase):
    def test_a(self):
        self.fail()
    def test_b(self):
        '''B is good.'''
    def test_c(self):
        if os.fork() == 0:
            sys.exit(0)
        os.wait()
";

const RUNS: &str = "\
import sys, unittest
suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
result = unittest.TextTestRunner().run(suite)
sys.exit(3 if result.errors else 0)
";

#[test]
fn the_reporter_keeps_its_word_when_tests_patch_what_it_uses() {
    let hostile = format!("{PATCHES}{CLASS}");
    let files = [("test_hostile.py", hostile.as_str())];
    let Some((told, _)) = told(Format::Unittest, &files, &["test_hostile.py"]) else {
        return;
    };
    let state = |name: &str| state(Format::Unittest, &told, name);
    assert_eq!(state("test_hostile.T.test_a"), (Some(Failed), true));
    assert_eq!(state("test_hostile.T.test_b"), (Some(Passed), true));
    // Its forked child ran on to the end, and wrote nothing.
    assert_eq!(state("test_hostile.T.test_c"), (Some(Passed), true));
}

#[test]
fn a_script_is_listened_to_when_tests_patch_what_it_uses() {
    let hostile = format!("{PATCHES}{CLASS}");
    let files = [("test_hostile.py", hostile.as_str()), ("run.py", RUNS)];
    let words = ["--", "run.py", "test_hostile"];
    let Some((told, code)) = told(Format::UnittestScript, &files, &words) else {
        return;
    };
    let state = |name: &str| state(Format::UnittestScript, &told, name);
    assert_eq!(state("test_hostile.T.test_a"), (Some(Failed), true));
    assert_eq!(state("B is good."), (Some(Passed), true));
    assert_eq!(state("test_hostile.T.test_c"), (Some(Passed), true));
    // The script took itself for a success, and the records do not.
    assert_eq!(code, Some(0));
    let report = Format::UnittestScript.read(told.as_bytes(), "/").unwrap();
    assert!(!report.agrees(false));
}

#[test]
fn a_script_ends_as_it_says_and_nothing_that_it_imports_runs_tests_for_it() {
    let errs =
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n        1 / 0\n";
    let files = [("test_errs.py", errs), ("run.py", RUNS)];
    let words = ["--", "run.py", "test_errs"];
    let Some((told_of, code)) = told(Format::UnittestScript, &files, &words) else {
        return;
    };
    assert_eq!(code, Some(3));
    let error = state(Format::UnittestScript, &told_of, "test_errs.T.test_a");
    assert_eq!(error, (Some(Error), true));
    let forger = "\
import sys, unittest
class T(unittest.TestCase):
    def test_a(self):
        pass
T.__module__ = 'test_errs'
unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(T))
sys.exit(0)
";
    let errs = format!("import forger\n{errs}");
    let files = [
        ("test_errs.py", errs.as_str()),
        ("forger.py", forger),
        ("run.py", RUNS),
    ];
    let (told, code) = told(Format::UnittestScript, &files, &words).unwrap();
    assert_eq!(code, Some(0));
    assert!(reason(Format::UnittestScript, &told).contains("while a module was imported"));
}

#[test]
fn functions_are_recorded_when_they_patch_what_the_runner_uses() {
    let hostile = format!(
        "{PATCHES}
def test_a():
    assert False
def test_b():
    pass
def test_c():
    if os.fork() == 0:
        sys.exit(0)
    os.wait()
"
    );
    let files = [("test_hostile.py", hostile.as_str())];
    let Some((told_of, code)) = told(Format::Functions, &files, &["test_hostile.py"]) else {
        return;
    };
    let of = |name: &str| state(Format::Functions, &told_of, name);
    assert_eq!(of("test_a"), (Some(Failed), true));
    assert_eq!(of("test_hostile.py::test_b"), (Some(Passed), true));
    assert_eq!(of("test_c"), (Some(Passed), true));
    assert_eq!(code, Some(1));
    let ends = "import os\ndef test_a():\n    pass\ndef test_b():\n    os._exit(0)\n";
    let files = [("test_ends.py", ends)];
    let (told, code) = told(Format::Functions, &files, &["test_ends.py"]).unwrap();
    assert_eq!(code, Some(0));
    assert!(!state(Format::Functions, &told, "test_a").1);
}
