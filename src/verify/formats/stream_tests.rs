//! What reporters of our own write, and what tests in their process can make of it.

use super::forged_tests::state;
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
