//! Stored trials: a script's, and a model's in which a little of everything happens.

use serde_json::{Value, json};

use crate::record::*;
use crate::run::fixture::{RecordBuilder, plan_of};
use crate::trajectory::{Event, EventKind, Recorder};

fn test(id: &str, expect: Expect, state: TestState, message: Option<&str>) -> TestRecord {
    TestRecord {
        id: id.into(),
        expect,
        state,
        excused: false,
        ms: 3,
        message: message.map(str::to_owned),
    }
}

fn call(id: &str, tool: &str, arguments: Value) -> Event {
    Event {
        id: Some(id.into()),
        tool: Some(tool.into()),
        arguments: Some(arguments),
        ..Event::new(EventKind::ToolCall)
    }
}

fn result(id: &str, ms: u64, output: &str) -> Event {
    Event {
        id: Some(id.into()),
        ok: Some(true),
        output: Some(output.into()),
        ms: Some(ms),
        ..Event::new(EventKind::ToolResult)
    }
}

fn failed(id: &str, error: &str) -> Event {
    Event {
        ok: Some(false),
        error: Some(error.into()),
        ..result(id, 0, "")
    }
}

fn said(kind: EventKind, text: &str) -> Event {
    Event {
        text: Some(text.into()),
        ..Event::new(kind)
    }
}

fn turn(text: &str, ms: u64, usage: Usage) -> Event {
    Event {
        finish: Some("tool_calls".into()),
        usage: Some(usage),
        ms: Some(ms),
        ..said(EventKind::Assistant, text)
    }
}

fn used(input: u64, output: u64) -> Usage {
    Usage {
        input,
        output,
        ..Usage::default()
    }
}

fn store(record: &TrialRecord, events: Vec<Event>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("trial.json"),
        serde_json::to_vec(record).unwrap(),
    )
    .unwrap();
    let recorder = Recorder::create(&dir.path().join("trajectory.jsonl")).unwrap();
    for event in events {
        recorder.record(event).unwrap();
    }
    recorder.finish().unwrap();
    dir
}

/// Calls of a script, and a verdict by tests.
pub(in crate::report) fn scripted() -> tempfile::TempDir {
    let record = RecordBuilder::of(&plan_of(&["repo/glob-star"]), 0)
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
    store(
        &record,
        vec![
            call("1", "bash", json!({"command": "grep -rn \"def\" src\nls"})),
            result("1", 12, "a\nb\nc\n"),
            call("2", "read", json!({"path": "src/\u{1b}[2Jwalk.py"})),
            failed("2", "no such file"),
            call("3", "bash", json!({"command": "python3 -m pytest -q"})),
            Event {
                exit_code: Some(2),
                ..result("3", 812, "a\n1 failed\n")
            },
            call("4", "submit", json!({})),
            Event::harness("submitted", "the script ended"),
        ],
    )
}

/// A model that does a little of everything, until its turns are used up.
pub(in crate::report) fn modelled() -> tempfile::TempDir {
    let plan = plan_of(&["repo/glob-star"]);
    let record = RecordBuilder::of(&plan, 0)
        .outcome(Outcome::Unresolved)
        .message(
            Reason::TestsFailed,
            "2 of 5 tests that must begin to pass do not",
        )
        .calls(9, 4)
        .edit(|record| {
            record.agent.name = "loop".into();
            record.model = Some(ModelRef {
                id: "demo-1".into(),
                provider: "scripted".into(),
                digest: None,
            });
            record.trajectory.end = End::MaxSteps;
            record.trajectory.turns = 7;
            record.usage = Usage {
                input: 24_100,
                cache_read: 5_200,
                output: 1_500,
                reasoning: 300,
                ..Usage::default()
            };
            record.cost_microusd = Some(21_400);
            record.timing_ms = Timing {
                sandbox: 349,
                model: 9_149,
                model_wait: 380,
                tools: 4_449,
                verify: 2_920,
                teardown: 2,
                total: 17_249,
                ..Timing::default()
            };
            record.verdict.flags = vec![
                Flag {
                    kind: "forbidden_call".into(),
                    detail: "`bash` with command like `git log --all*` is forbidden: git log --all"
                        .into(),
                    step: Some(23),
                },
                Flag {
                    kind: "write_out_of_scope".into(),
                    detail: "`docs/notes.txt` was changed, and only src/** may be".into(),
                    step: None,
                },
            ];
            record.verdict.tests = vec![
                test("t.py::a", Expect::FailToPass, TestState::Passed, None),
                test("t.py::b", Expect::FailToPass, TestState::Missing, None),
            ];
            record.tool_use = Some(ToolUse {
                score: 0.86,
                coverage: 5.0 / 7.0,
                validity: Some(7.0 / 9.0),
                execution: Some(0.75),
                permitted: Some(0.89),
                recovery: Some(0.997),
                non_redundancy: Some(1.0),
                calls: 9,
                invalid: 2,
                failed: 2,
                ..ToolUse::default()
            });
            record.setup = Some(AgentSetup {
                prompt: "loop/1".into(),
                prompt_digest: Some(Digest::new("sha256:3fa9c1d2e4b5")),
                parameters: serde_json::from_value(json!({"temperature": 0, "seed": 7})).unwrap(),
                ..AgentSetup::default()
            });
        })
        .build();
    let long: Vec<String> = (1..=12)
        .map(|n| format!("- point {n} of the plan"))
        .collect();
    let dir = store(
        &record,
        vec![
            Event {
                tools: Some(json!([{"name": "bash"}, {"name": "read"}, {"name": "edit"}])),
                ..said(EventKind::System, "You are an engineer.\n\nBe careful.\n")
            },
            said(
                EventKind::User,
                "# Fix the star\n\n`**` does not match the root.\n",
            ),
            Event {
                reasoning: Some("Where are patterns compiled?\nProbably in src.\n".into()),
                ..turn(
                    "I'll look at how \u{1b}[31mpatterns are compiled, and at who calls that.",
                    2_140,
                    used(1_400, 80),
                )
            },
            call(
                "c0",
                "bash",
                json!({"command": "grep -rn 'def compile' src"}),
            ),
            result("c0", 12, "src/pattern.py:40:def compile(text):\n"),
            turn("", 1_100, used(1_700, 60)),
            // Some endpoints count calls anew in each turn.
            call(
                "c0",
                "read",
                json!({"path": "src/pattern.py", "start": 40, "end": 43}),
            ),
            result("c0", 1, &"x\n".repeat(4)),
            call("c1", "read", json!({"path": "src/walk.py"})),
            failed("c1", "no such file; nearest: src/walker.py"),
            Event {
                ms: Some(2_100),
                ..Event::harness(
                    "model_fault",
                    "rate_limited: the endpoint answered 429 Too Many Requests (attempt 1 of 6)",
                )
            },
            turn(
                &format!("The plan:\n{}", long.join("\n")),
                3_000,
                used(2_900, 410),
            ),
            call(
                "c0",
                "edit",
                json!({"path": "src/pattern.py", "old": "a\nb", "new": "a\nc\nd"}),
            ),
            result("c0", 1, "edited src/pattern.py"),
            turn("", 700, used(3_400, 40)),
            Event {
                invalid: Some(
                    "wrong arguments of `edit`: \"new\" is a required property. \
                     It takes path (string), old (string), new (string)"
                        .into(),
                ),
                ..call("c0", "edit", json!({"path": "src/pattern.py", "old": "x"}))
            },
            failed("c0", "wrong arguments of `edit`: …"),
            Event {
                arguments: None,
                raw: Some("{\"command\": \"ls".into()),
                invalid: Some("the arguments of `bash` are no JSON object".into()),
                ..call("c1", "bash", json!({}))
            },
            failed("c1", "the arguments of `bash` are no JSON object"),
            turn("", 900, used(4_000, 30)),
            call(
                "c0",
                "bash",
                json!({"command": "cd src &&\npython -m pytest -q"}),
            ),
            Event {
                exit_code: Some(1),
                truncated: Some(true),
                ..result("c0", 12_812, ".F.\n\n1 failed, 2 passed\n")
            },
            turn("", 500, used(5_000, 20)),
            call("c0", "bash", json!({"command": "git log --all"})),
            result("c0", 9, ""),
            Event {
                finish: Some("length".into()),
                ..turn("Now the\u{202e} notes.", 600, used(6_000, 500))
            },
            call(
                "c0",
                "write",
                json!({"path": "/etc/notes", "content": "a\nb\n"}),
            ),
            failed("c0", "permission denied: /etc/notes"),
            said(EventKind::User, "[left: 0 turns]"),
            Event::harness("limit", "the limit of 7 turns is reached"),
        ],
    );
    std::fs::write(
        dir.path().join("change.patch"),
        "diff --git a/src/pattern.py b/src/pattern.py\n--- a/src/pattern.py\n\
         +++ b/src/pattern.py\n@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d\n",
    )
    .unwrap();
    dir
}
