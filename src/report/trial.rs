//! One trial, from what is stored of it.

use std::io;
use std::path::Path;

use super::line::{label, note};
use super::steps::steps;
use super::style::{Style, word};
use super::text::{clock, fit, plural, sanitize};
use crate::record::{Evidence, Expect, TestRecord, TestState, Timing, TrialRecord};
use crate::run::{Phase, StoreError, read_trial};
use crate::trajectory::read_events;

/// The largest trajectory that is laid out, bytes.
const LARGEST: u64 = 64 << 20;

/// The most tests that are named.
const TESTS: usize = 20;

/// The trial whose folder this is: its verdict, its steps, its tests, its time.
///
/// `columns` is the width that lines are cut to.
///
/// # Errors
/// [`StoreError`] where `trial.json` cannot be read. A trajectory that cannot be
/// read is said in its place.
pub fn trial_view(dir: &Path, columns: usize, style: Style) -> Result<String, StoreError> {
    let record = read_trial(dir)?;
    let mut lines = head(&record, style);
    lines.push(String::new());
    lines.extend(trajectory(
        &dir.join("trajectory.jsonl"),
        &record,
        columns,
        style,
    ));
    lines.push(String::new());
    lines.extend(tests(&record, style));
    lines.extend(change(dir));
    lines.push(format!("folder  {}", dir.display()));
    let mut out = String::new();
    for line in lines {
        out.push_str(&fit(line.trim_end(), columns));
        out.push('\n');
    }
    Ok(out)
}

fn head(record: &TrialRecord, style: Style) -> Vec<String> {
    let model = record.model.as_ref().map(|model| model.id.as_str());
    let who = format!(
        "{} · {} · attempt {}",
        sanitize(record.task.name.as_str()),
        label(&record.agent.name, model),
        record.attempt
    );
    let evidence = match record.verdict.evidence {
        Some(Evidence::Probed) => " · probed",
        Some(Evidence::Records) => " · records",
        Some(Evidence::Asserted) => " · asserted",
        None => "",
    };
    let end = serde_json::to_value(record.trajectory.end);
    let end = end.ok().and_then(|end| end.as_str().map(str::to_owned));
    let verdict = format!(
        "{}{evidence} · ended {}",
        style.outcome(record.outcome, word(record.outcome)),
        end.unwrap_or_default()
    );
    let mut lines = vec![format!("{}   {verdict}", style.bold(&who))];
    let why = note(record);
    if !why.is_empty() {
        lines.push(format!("  {why}"));
    }
    if let Some(reward) = record.reward {
        lines.push(format!("  reward {reward}"));
    }
    lines.push(format!("  {}", times(&record.timing_ms)));
    for warning in &record.warnings {
        lines.push(format!("  {}", style.warn(&super::warning_text(warning))));
    }
    lines
}

/// `17.2 s = model 9.1 + tools 4.4 + verify 2.9 + rest 0.8`; the queue beside it.
fn times(timing: &Timing) -> String {
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let wall = timing.total.saturating_sub(timing.queue);
    let mut terms: Vec<(u64, &str)> = Phase::ALL
        .iter()
        .filter(|phase| **phase != Phase::Queue)
        .map(|phase| (phase.of(timing), phase.name()))
        .filter(|(ms, _)| *ms > 0)
        .collect();
    terms.sort_by_key(|(ms, _)| std::cmp::Reverse(*ms));
    let rest: u64 = terms.iter().skip(4).map(|(ms, _)| ms).sum();
    let mut sum: Vec<String> = terms
        .iter()
        .take(4)
        .map(|(ms, name)| format!("{name} {:.1}", seconds(*ms)))
        .collect();
    if rest > 0 {
        sum.push(format!("rest {:.1}", seconds(rest)));
    }
    let mut line = format!("{:.1} s", seconds(wall));
    if !sum.is_empty() {
        line.push_str(&format!(" = {}", sum.join(" + ")));
    }
    if timing.queue >= 1000 {
        line.push_str(&format!(" · waited {}", clock(seconds(timing.queue))));
    }
    line
}

fn trajectory(path: &Path, record: &TrialRecord, columns: usize, style: Style) -> Vec<String> {
    let said = |what: String| vec![style.dim(&format!("      {what}"))];
    match std::fs::metadata(path) {
        Ok(file) if file.len() > LARGEST => said(format!(
            "{} of {} MiB: too large to lay out",
            plural(record.trajectory.tool_calls as usize, "call"),
            file.len() >> 20
        )),
        Ok(_) => match read_events(path) {
            Ok(events) if events.is_empty() => said("nothing was recorded".to_owned()),
            Ok(events) => steps(&events, columns, style),
            Err(error) => said(sanitize(&error.to_string())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            said("no trajectory is stored".to_owned())
        }
        Err(error) => said(format!("the trajectory cannot be read: {error}")),
    }
}

/// How many of each expectation passed, and those that did not.
fn tests(record: &TrialRecord, style: Style) -> Vec<String> {
    let tests = &record.verdict.tests;
    if tests.is_empty() {
        return vec![style.dim("tests   no per-test records")];
    }
    let mut parts = Vec::new();
    for (expect, name) in [
        (Expect::FailToPass, "fail_to_pass"),
        (Expect::PassToPass, "pass_to_pass"),
        (Expect::Pass, "pass"),
    ] {
        let of: Vec<&TestRecord> = tests.iter().filter(|t| t.expect == expect).collect();
        let passed = of.iter().filter(|t| t.state == TestState::Passed).count();
        if !of.is_empty() {
            parts.push(format!("{name} {passed} of {}", of.len()));
        }
    }
    let missing = tests.iter().filter(|t| t.state == TestState::Missing);
    let mut lines = vec![format!(
        "tests   {}   missing {}",
        parts.join("   "),
        missing.count()
    )];
    let failed: Vec<&TestRecord> = tests
        .iter()
        .filter(|test| test.state != TestState::Passed)
        .collect();
    for test in failed.iter().take(TESTS) {
        let message = test.message.as_deref().unwrap_or_default();
        lines.push(format!(
            "  ✘ {:<8} {}   {}",
            state(test.state),
            sanitize(&test.id),
            sanitize(message)
        ));
    }
    if failed.len() > TESTS {
        lines.push(format!("    … and {} more", failed.len() - TESTS));
    }
    lines
}

fn state(state: TestState) -> &'static str {
    match state {
        TestState::Passed => "passed",
        TestState::Failed => "failed",
        TestState::Error => "error",
        TestState::Skipped => "skipped",
        TestState::Xfailed => "xfailed",
        TestState::Xpassed => "xpassed",
        TestState::Missing => "missing",
    }
}

/// Where the change lies, if one is stored.
fn change(dir: &Path) -> Option<String> {
    let names = ["change.patch", "change.tar.zst"];
    let path = names.map(|name| dir.join(name));
    let path = path.iter().find(|path| path.is_file())?;
    let bytes = path.metadata().ok()?.len();
    Some(format!("change  {} ({bytes} bytes)", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Outcome, Reason};
    use crate::run::fixture::{RecordBuilder, plan_of};
    use crate::trajectory::{Event, EventKind, Recorder};

    fn test(id: &str, expect: Expect, state: TestState, message: Option<&str>) -> TestRecord {
        TestRecord {
            id: id.into(),
            expect,
            state,
            ms: 3,
            message: message.map(str::to_owned),
        }
    }

    fn call(id: &str, tool: &str, arguments: serde_json::Value) -> Event {
        Event {
            id: Some(id.into()),
            tool: Some(tool.into()),
            arguments: Some(arguments),
            ..Event::new(EventKind::ToolCall)
        }
    }

    fn result(id: &str, ok: bool, ms: u64, output: &str) -> Event {
        Event {
            id: Some(id.into()),
            ok: Some(ok),
            output: Some(output.into()),
            ms: Some(ms),
            ..Event::new(EventKind::ToolResult)
        }
    }

    fn stored() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let run = plan_of(&["repo/glob-star"]);
        let record = RecordBuilder::of(&run, 0)
            .outcome(Outcome::Unresolved)
            .message(
                Reason::TestsFailed,
                "1 of 2 tests that must begin to pass does not",
            )
            .edit(|record| {
                record.timing_ms = Timing {
                    queue: 4_000,
                    sandbox: 400,
                    tools: 4_400,
                    verify: 2_900,
                    capture: 90,
                    teardown: 100,
                    harness: 4,
                    total: 11_894,
                    ..Timing::default()
                };
                record.verdict.tests = vec![
                    test("t.py::a", Expect::FailToPass, TestState::Passed, None),
                    test(
                        "t.py::b",
                        Expect::FailToPass,
                        TestState::Failed,
                        Some("expected ['a/b'], \u{1b}[31mgot []"),
                    ),
                    test("t.py::c", Expect::PassToPass, TestState::Passed, None),
                ];
                record.warnings = vec!["4 cpus were asked for, 2 are here".into()];
            })
            .build();
        std::fs::write(
            dir.path().join("trial.json"),
            serde_json::to_vec(&record).unwrap(),
        )
        .unwrap();
        let recorder = Recorder::create(&dir.path().join("trajectory.jsonl")).unwrap();
        let failed = Event {
            exit_code: Some(2),
            ..result("3", true, 812, "a\nb\n")
        };
        for event in [
            call(
                "1",
                "bash",
                serde_json::json!({"command": "grep -rn \"def\" src\nls"}),
            ),
            result("1", true, 12, "a\nb\nc\n"),
            call(
                "2",
                "read",
                serde_json::json!({"path": "src/\u{1b}[2Jwalk.py"}),
            ),
            Event {
                error: Some("no such file".into()),
                ..result("2", false, 0, "")
            },
            call(
                "3",
                "bash",
                serde_json::json!({"command": "python3 -m pytest -q"}),
            ),
            failed,
            call("4", "submit", serde_json::json!({})),
            Event::harness("submitted", "the script ended"),
        ] {
            recorder.record(event).unwrap();
        }
        recorder.finish().unwrap();
        dir
    }

    #[test]
    fn a_trial_is_shown_with_its_steps_tests_and_times() {
        let dir = stored();
        let shown = trial_view(dir.path(), 120, Style::PLAIN).unwrap();
        let shown = shown.replace(&dir.path().display().to_string(), "DIR");
        insta::assert_snapshot!(shown, @r#"
        repo/glob-star · nop · attempt 1   unresolved · records · ended submitted
          1 of 2 tests that must begin to pass does not
          7.9 s = tools 4.4 + verify 2.9 + sandbox 0.4 + teardown 0.1 + rest 0.1 · waited 0:04
          warning: 4 cpus were asked for, 2 are here

           1  bash       grep -rn "def" src …                                         12 ms   3 lines
           2  read       src/walk.py                                                   0 ms   ✘ no such file
           3  bash       python3 -m pytest -q                                        812 ms   ✘ exit 2  2 lines
           4  submit
              · submitted  the script ended

        tests   fail_to_pass 1 of 2   pass_to_pass 1 of 1   missing 0
          ✘ failed   t.py::b   expected ['a/b'], got []
        folder  DIR
        "#);
    }

    #[test]
    fn a_trial_without_a_trajectory_is_still_shown() {
        let dir = stored();
        std::fs::remove_file(dir.path().join("trajectory.jsonl")).unwrap();
        let shown = trial_view(dir.path(), 80, Style::PLAIN).unwrap();
        assert!(shown.contains("no trajectory is stored"), "{shown}");
        assert!(
            shown
                .lines()
                .all(|line| super::super::text::width(line) <= 80)
        );
    }
}
