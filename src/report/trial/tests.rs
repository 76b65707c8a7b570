//! Whole trials, as they are shown.

use super::fixture::{modelled, scripted};
use super::*;
use crate::report::text::width;

fn view(dir: &tempfile::TempDir, full: bool, columns: usize) -> String {
    let shown = trial_view(dir.path(), full, columns, Style::PLAIN).unwrap();
    shown.replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn a_script_is_shown_with_its_steps_tests_and_times() {
    insta::assert_snapshot!(view(&scripted(), false, 120), @r#"
    repo/glob-star · nop · attempt 1   unresolved · records · ended submitted
      1 of 2 tests that must begin to pass does not
      7.9 s = sandbox 0.4 + tools 4.4 + verify 2.9 + rest 0.2 · queued 0:04
      warning: 4 cpus were asked for, 2 are here

       1  bash       grep -rn "def" src …                                       12 ms   3 lines … c
       2  read       src/walk.py                                                 0 ms   ✘ no such file
       3  bash       python3 -m pytest -q                                      812 ms   exit 2  2 lines … 1 failed
       4  submit
          · submitted  the script ended

    tests     fail_to_pass 1 of 2   pass_to_pass 1 of 1   missing 0
      ✘ failed   t.py::b   expected ['a/b'], got []
    folder    DIR
    "#);
}

#[test]
fn a_model_is_shown_turn_by_turn() {
    insta::assert_snapshot!(view(&modelled(), false, 120), @r#"
    repo/glob-star · loop · demo-1 · attempt 1   unresolved · records · ended max_steps
      2 of 5 tests that must begin to pass do not
      17.2 s = model 9.1 + waits 0.4 + tools 4.4 + verify 2.9 + rest 0.4
      7 turns · 9 calls · 4 errors
      31 k tokens = input 24 k + cached 5.2 k + output 1.5 k + reasoning 300 · $0.021

          system     You are an engineer. … 1 more line                                 3 tools
          task       # Fix the star … 1 more line
       1  reasoning  Where are patterns compiled? … 1 more line                 2.1 s   1.4 k in · 80 out
          assistant  I'll look at how patterns are compiled, and at who
                     calls that.
          bash       grep -rn 'def compile' src                                 12 ms   src/pattern.py:40:def compile(text):
       2  read       src/pattern.py 40–43                                        1 ms   4 lines
          read       src/walk.py                                                 0 ms
                     ✘ no such file; nearest: src/walker.py
          · model_fault  rate_limited: the endpoint answered 429 Too Many       2.1 s
            Requests (attempt 1 of 6)
       3  assistant  The plan:                                                  3.0 s   2.9 k in · 410 out
                     - point 1 of the plan
                     - point 2 of the plan
                     - point 3 of the plan
                     - point 4 of the plan
                     - point 5 of the plan
                     … 7 more lines
          edit       src/pattern.py  +2 −1                                       1 ms
       4  edit       {"old":"x","path":"src/pattern.py"}
                     ✘ invalid: wrong arguments of `edit`: "new" is a required property. It takes path (string), old
                     (string), new (string)
          bash       {"command": "ls
                     ✘ invalid: the arguments of `bash` are no JSON object
       5  bash       cd src && …                                               12.8 s   exit 1  3 lines, cut … 1 failed, 2 …
       6  bash       git log --all                                               9 ms
          ! forbidden_call  `bash` with command like `git log --all*` is forbidden: git log --all
       7  assistant  Now the notes.                                            600 ms   6.0 k in · 500 out · ended length
          write      /etc/notes  2 lines                                         0 ms   ✘ permission denied: /etc/notes
          user       [left: 0 turns]
          · limit  the limit of 7 turns is reached

    tests     fail_to_pass 1 of 2   missing 1
      ✘ missing  t.py::b
    tool use  0.86 (coverage 0.71)   validity 0.78 · execution 0.75 · permitted 0.89 · recovery 0.99 · non-redundancy 1.00
              9 calls · 2 invalid · 2 failed
    flags     ! write_out_of_scope  `docs/notes.txt` was changed, and only src/** may be
    change    1 file, +2 −1   --diff shows it
    setup     prompt loop/1 (3fa9c1d2) · scripted · seed 7 · temperature 0
    folder    DIR
    "#);
}

#[test]
fn everything_is_shown_where_that_is_asked_for() {
    insta::assert_snapshot!(view(&modelled(), true, 100), @r#"
    repo/glob-star · loop · demo-1 · attempt 1   unresolved · records · ended max_steps
      2 of 5 tests that must begin to pass do not
      17.2 s = model 9.1 + waits 0.4 + tools 4.4 + verify 2.9 + rest 0.4
      7 turns · 9 calls · 4 errors
      31 k tokens = input 24 k + cached 5.2 k + output 1.5 k + reasoning 300 · $0.021

          system     You are an engineer.                                   3 tools

                     Be careful.
          tools      bash, read, edit
          task       # Fix the star

                     `**` does not match the root.

       1  reasoning  Where are patterns compiled?                   2.1 s   1.4 k in · 80 out
                     Probably in src.
          assistant  I'll look at how patterns are compiled, and at who calls that.
          bash       grep -rn 'def compile' src                     12 ms   1 line
                     │ src/pattern.py:40:def compile(text):

       2  assistant                                                 1.1 s   1.7 k in · 60 out
          read       src/pattern.py 40–43                            1 ms   4 lines
                     │ x
                     │ x
                     │ x
                     │ x
          read       src/walk.py                                     0 ms
                     ✘ no such file; nearest: src/walker.py
          · model_fault  rate_limited: the endpoint answered        2.1 s
            429 Too Many Requests (attempt 1 of 6)

       3  assistant  The plan:                                      3.0 s   2.9 k in · 410 out
                     - point 1 of the plan
                     - point 2 of the plan
                     - point 3 of the plan
                     - point 4 of the plan
                     - point 5 of the plan
                     - point 6 of the plan
                     - point 7 of the plan
                     - point 8 of the plan
                     - point 9 of the plan
                     - point 10 of the plan
                     - point 11 of the plan
                     - point 12 of the plan
          edit       src/pattern.py  +2 −1                           1 ms
                     -a
                     -b
                     +a
                     +c
                     +d
                     │ edited src/pattern.py

       4  assistant                                                700 ms   3.4 k in · 40 out
          edit       {"old":"x","path":"src/pattern.py"}
                     ✘ invalid: wrong arguments of `edit`: "new" is a required property. It takes path
                     (string), old (string), new (string)
          bash       {"command": "ls
                     ✘ invalid: the arguments of `bash` are no JSON object

       5  assistant                                                900 ms   4.0 k in · 30 out
          bash       cd src && …                                   12.8 s   exit 1  3 lines, cut
                     cd src &&
                     python -m pytest -q
                     │ .F.
                     │
                     │ 1 failed, 2 passed

       6  assistant                                                500 ms   5.0 k in · 20 out
          bash       git log --all                                   9 ms
          ! forbidden_call  `bash` with command like `git log --all*` is forbidden: git log --all

       7  assistant  Now the notes.                                600 ms   6.0 k in · 500 out · ended …
          write      /etc/notes  2 lines                             0 ms
                     ✘ permission denied: /etc/notes
                     +a
                     +b
          user       [left: 0 turns]
          · limit  the limit of 7 turns is reached

    tests     fail_to_pass 1 of 2   missing 1
      ✘ missing  t.py::b
    tool use  0.86 (coverage 0.71)   validity 0.78 · execution 0.75 · permitted 0.89 · recovery 0.99
              non-redundancy 1.00
              9 calls · 2 invalid · 2 failed
    flags     ! write_out_of_scope  `docs/notes.txt` was changed, and only src/** may be
    change    1 file, +2 −1   --diff shows it
    setup     prompt loop/1 (3fa9c1d2) · scripted · seed 7 · temperature 0
    folder    DIR
    "#);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in [40, 60, 80, 100, 200] {
        for (dir, full) in [(scripted(), false), (modelled(), false), (modelled(), true)] {
            let shown = view(&dir, full, columns);
            let wide = shown.lines().find(|line| width(line) > columns);
            assert_eq!(wide, None, "{columns}");
        }
    }
}

#[test]
fn a_trial_without_a_trajectory_is_still_shown() {
    let dir = scripted();
    std::fs::remove_file(dir.path().join("trajectory.jsonl")).unwrap();
    let shown = view(&dir, false, 80);
    assert!(shown.contains("no trajectory is stored"), "{shown}");
}

/// As 0.1 wrote it before there were models.
#[test]
fn a_record_of_an_older_version_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let stored = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    stored(
        "trial.json",
        include_str!("../../../tests/fixtures/records/trial-0.1.json"),
    );
    stored(
        "trajectory.jsonl",
        include_str!("../../../tests/fixtures/records/trajectory-0.1.jsonl"),
    );
    insta::assert_snapshot!(view(&dir, false, 100), @r#"
    terminal/torn-journal · script:examples/demo.jsonl · attempt 1
      unresolved · records · ended submitted
      8 of 8 fail_to_pass failed
      1.0 s = sandbox 0.3 + verify 0.6 + rest 0.1 · queued 0:25

          task       # Recover a store after a … 30 more lines
       1  bash       pwd && ls -A | head -20 && (git log --one…      7 ms   4 lines … store.kdj
       2  write      /tmp/note.txt  1 line                           0 ms
       3  edit       /tmp/note.txt  +1 −1                            0 ms
       4  read       /tmp/note.txt                                   0 ms   1 line
       5  bash       greeting='state persists'; cd /tmp              0 ms
       6  bash       echo "$greeting in $PWD"                        0 ms   state persists in /tmp
       7  submit     looked around, changed nothing that was a…      0 ms

    tests     fail_to_pass 0 of 8   pass_to_pass 1 of 1   missing 0
      ✘ failed   test_outputs.py::test_report_shape                  FileNotFoundError: [Errno 2] No su…
      ✘ failed   test_outputs.py::test_transactions                  FileNotFoundError: [Errno 2] No su…
      ✘ failed   test_outputs.py::test_damaged_slots                 FileNotFoundError: [Errno 2] No su…
      ✘ failed   test_outputs.py::test_records                       FileNotFoundError: [Errno 2] No su…
      ✘ failed   test_outputs.py::test_tool_reproduces_report        FileNotFoundError: [Errno 2] No su…
      ✘ failed   test_outputs.py::test_tool_on_other_stores          FileNotFoundError: [Errno 2] No su…
      ✘ failed   test_outputs.py::test_tool_on_cut_journal           FileNotFoundError: [Errno 2] No su…
      ✘ failed   test_outputs.py::test_tool_without_usable_journal   FileNotFoundError: [Errno 2] No su…
    folder    DIR
    "#);
}

#[test]
fn a_change_is_shown_as_a_patch() {
    let dir = modelled();
    let shown = trial_diff(dir.path(), Style::PLAIN).unwrap();
    assert!(
        shown.ends_with("@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d\n"),
        "{shown}"
    );
    std::fs::remove_file(dir.path().join("change.patch")).unwrap();
    std::fs::write(dir.path().join("change.tar.zst"), "…").unwrap();
    let shown = trial_diff(dir.path(), Style::PLAIN).unwrap();
    assert!(shown.contains("a tree of files"), "{shown}");
}
