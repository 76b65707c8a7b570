//! Facts about the judgement of tool use.

use serde_json::{Value, json};

use super::*;
use crate::score::{FORBIDDEN_READ, WRITE_OUT_OF_SCOPE};
use crate::task::{CustomTool, Matcher};
use crate::trajectory::EventKind;

/// A trial's events, call by call.
#[derive(Default)]
struct Trial {
    events: Vec<Event>,
    changed: Option<Vec<String>>,
}

impl Trial {
    fn event(mut self, event: Event) -> Self {
        let seq = self.events.len() as u64;
        self.events.push(Event { seq, ..event });
        self
    }

    /// A call without a result.
    fn open(self, tool: &str, arguments: Value) -> Self {
        let id = format!("call-{}", self.events.len());
        self.event(Event {
            id: Some(id),
            tool: Some(tool.into()),
            arguments: Some(arguments),
            ..Event::new(EventKind::ToolCall)
        })
    }

    fn result(self, ok: bool, output: &str) -> Self {
        let id = self.events.last().and_then(|call| call.id.clone());
        self.event(Event {
            id,
            ok: Some(ok),
            error: (!ok).then(|| "no such thing".into()),
            output: Some(output.into()),
            ..Event::new(EventKind::ToolResult)
        })
    }

    fn ok(self, tool: &str, arguments: Value) -> Self {
        self.open(tool, arguments).result(true, "done")
    }

    fn gives(self, tool: &str, arguments: Value, output: &str) -> Self {
        self.open(tool, arguments).result(true, output)
    }

    fn fails(self, tool: &str, arguments: Value) -> Self {
        self.open(tool, arguments).result(false, "")
    }

    fn invalid(self, tool: &str, arguments: Value) -> Self {
        let mut trial = self.open(tool, arguments);
        if let Some(call) = trial.events.last_mut() {
            call.invalid = Some("it does not fit".into());
        }
        trial.result(false, "")
    }

    fn changes(self, paths: &[&str]) -> Self {
        let changed = Some(paths.iter().map(|path| (*path).to_owned()).collect());
        Self { changed, ..self }
    }

    fn judged(&self, rules: &ToolRules) -> ToolJudgement {
        judge_tools(rules, &self.events, self.changed.as_deref(), "/work")
    }

    fn tool_use(&self, rules: &ToolRules) -> ToolUse {
        self.judged(rules).tool_use.expect("calls were judged")
    }
}

fn trial() -> Trial {
    Trial::default()
}

fn none() -> ToolRules {
    ToolRules::default()
}

fn command(command: &str) -> Value {
    json!({ "command": command })
}

fn path(path: &str) -> Value {
    json!({ "path": path })
}

fn order(order: &str) -> Value {
    json!({ "order": order })
}

pub fn calls_of(tool: &str, arguments: &[(&str, Matcher)]) -> CallPattern {
    CallPattern {
        tool: tool.into(),
        command: None,
        arguments: arguments
            .iter()
            .map(|(name, matcher)| ((*name).to_owned(), matcher.clone()))
            .collect(),
    }
}

pub fn refund_of(order: &str) -> CallPattern {
    calls_of("refund", &[("order", Matcher::Equal(json!(order)))])
}

fn requires(patterns: &[CallPattern]) -> ToolRules {
    ToolRules {
        require: Some(patterns.to_vec()),
        ..none()
    }
}

fn forbids(pattern: CallPattern) -> ToolRules {
    ToolRules {
        forbid: vec![pattern],
        ..none()
    }
}

pub fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn kinds(judgement: &ToolJudgement) -> Vec<&str> {
    let flags = judgement.flags.iter();
    flags.map(|flag| flag.kind.as_str()).collect()
}

#[test]
fn a_faultless_trial_scores_one() {
    let trial = trial()
        .ok("read", path("a.py"))
        .ok("bash", command("make"))
        .ok("submit", json!({ "message": "done" }));
    let judged = trial.tool_use(&none());
    assert_eq!(judged.score, 1.0);
    // Validity, execution, non-redundancy.
    assert_eq!(judged.coverage, 3.0 / 7.0);
    assert_eq!(judged.calls, 2);
    assert_eq!((judged.validity, judged.execution), (Some(1.0), Some(1.0)));
    assert_eq!((judged.recovery, judged.required), (None, None));
    assert_eq!((judged.permitted, judged.scope), (None, None));
}

#[test]
fn validity_is_of_all_calls_and_execution_of_those_that_were_performed() {
    let trial = trial()
        .ok("bash", command("a"))
        .fails("read", path("x"))
        .invalid("bash", json!({}))
        .invalid("browse", json!({}));
    let judged = trial.tool_use(&none());
    assert_eq!(judged.validity, Some(0.5));
    assert_eq!(judged.execution, Some(0.5));
    assert_eq!((judged.calls, judged.invalid, judged.failed), (4, 2, 1));
}

#[test]
fn arguments_that_are_no_json_are_invalid() {
    let trial = trial().event(Event {
        tool: Some("bash".into()),
        raw: Some("{\"command\": ".into()),
        invalid: Some("EOF while parsing".into()),
        ..Event::new(EventKind::ToolCall)
    });
    assert_eq!(trial.tool_use(&none()).validity, Some(0.0));
}

#[test]
fn a_call_under_which_the_session_ended_is_no_failure() {
    let judged = trial()
        .ok("bash", command("a"))
        .open("bash", command("sleep 9"))
        .tool_use(&none());
    assert_eq!((judged.calls, judged.failed), (2, 0));
    assert_eq!(judged.execution, Some(1.0));
    let only = trial().open("bash", command("a")).tool_use(&none());
    assert_eq!(only.execution, None);
}

#[test]
fn submit_counts_nowhere() {
    let trial = trial()
        .invalid("submit", json!({ "mesage": "x" }))
        .ok("submit", json!({}))
        .ok("submit", json!({}));
    assert_eq!(trial.judged(&none()), ToolJudgement::default());
}

#[test]
fn without_a_call_only_what_was_asked_for_is_judged() {
    let nothing = trial().changes(&["other.py"]);
    assert_eq!(nothing.judged(&none()).tool_use, None);
    let scoped = |require| ToolRules {
        write_scope: Some(words(&["src/**"])),
        require,
        ..none()
    };
    let asked = nothing.tool_use(&scoped(Some(vec![refund_of("A-17")])));
    assert_eq!((asked.score, asked.required), (0.0, Some(0.0)));
    let not_asked = nothing.tool_use(&scoped(Some(vec![])));
    assert_eq!((not_asked.score, not_asked.required), (1.0, Some(1.0)));
    for judged in [asked, not_asked] {
        assert_eq!(judged.coverage, 1.0 / 7.0);
        assert_eq!(judged.scope, None);
    }
    assert_eq!(kinds(&nothing.judged(&scoped(None))), [WRITE_OUT_OF_SCOPE]);
}

#[test]
fn calls_where_none_was_asked_for_are_judged_by_the_other_terms() {
    let judged = trial().ok("bash", command("a")).judged(&requires(&[]));
    assert_eq!(judged.tool_use.unwrap().required, None);
    assert_eq!(judged.unmet, None);
}

#[test]
fn a_required_call_must_succeed() {
    let rules = requires(&[
        refund_of("A-17"),
        refund_of("A-18"),
        calls_of("lookup", &[]),
    ]);
    let judged = trial()
        .ok("refund", json!({ "order": "A-18", "cents": 5 }))
        .fails("refund", order("A-17"))
        .judged(&rules);
    assert_eq!(judged.tool_use.unwrap().required, Some(1.0 / 3.0));
    let (reason, told) = judged.unmet.unwrap();
    assert_eq!(reason, Reason::RequiredCallMissing);
    assert_eq!(
        told,
        "the task requires a call of `refund` with order = \"A-17\", and none succeeded; 1 more that it requires is missing"
    );
    let met = trial()
        .fails("refund", order("A-17"))
        .ok("refund", order("A-17"))
        .judged(&requires(&[refund_of("A-17")]));
    assert_eq!(met.unmet, None);
    assert_eq!(met.tool_use.unwrap().required, Some(1.0));
}

#[test]
fn a_required_call_that_was_not_made_is_told_as_people_would_write_it() {
    let pattern = calls_of("refund", &[("order", Matcher::Regex("^A-".into()))]);
    let judged = trial()
        .ok("refund", order("B-1"))
        .judged(&requires(&[pattern]));
    assert_eq!(
        judged.unmet.unwrap().1,
        "the task requires a call of `refund` with order matching /^A-/, and none was made"
    );
}

#[test]
fn numbers_match_by_value() {
    let pattern = calls_of("refund", &[("cents", Matcher::Equal(json!(5)))]);
    let made = trial().ok("refund", json!({ "cents": 5.0 }));
    assert_eq!(made.judged(&requires(&[pattern])).unmet, None);
}

#[test]
fn a_forbidden_call_counts_also_when_it_fails() {
    let rules = forbids(refund_of("B-1"));
    let trial = trial()
        .ok("refund", order("A-1"))
        .fails("refund", order("B-1"))
        .invalid("refund", order("B-1"))
        .open("refund", order("B-1"));
    let judged = trial.judged(&rules);
    assert_eq!(judged.tool_use.as_ref().unwrap().permitted, Some(0.5));
    assert_eq!(kinds(&judged), [FORBIDDEN_CALL, FORBIDDEN_CALL]);
    let first = &judged.flags[0];
    assert_eq!(first.step, Some(2));
    assert_eq!(
        first.detail,
        "`refund` with order = \"B-1\" is forbidden: {\"order\":\"B-1\"}"
    );
    // What breaks `clean` leaves the outcome alone.
    assert_eq!(judged.unmet, None);
}

#[test]
fn a_forbidden_command_is_found_by_a_glob() {
    let rules = forbids(CallPattern {
        command: Some("*git log --all*".into()),
        ..calls_of("bash", &[])
    });
    let judged = trial()
        .ok("bash", command("git log"))
        .ok(
            "bash",
            command(&format!("cd x && git log --all {}", "x".repeat(500))),
        )
        .judged(&rules);
    assert_eq!(kinds(&judged), [FORBIDDEN_CALL]);
    assert!(judged.flags[0].detail.chars().count() < 300);
}

#[test]
fn flags_of_a_kind_are_bounded_and_say_how_many_more_there_are() {
    let rules = ToolRules {
        forbid_read: words(&["/srv/**"]),
        ..forbids(calls_of("bash", &[]))
    };
    let trial = (0..25).fold(trial(), |trial, at| {
        trial.ok("bash", command(&format!("cat /srv/{at}")))
    });
    let judged = trial.judged(&rules);
    let of = |kind: &str| judged.flags.iter().filter(|flag| flag.kind == kind).count();
    assert_eq!((of(FORBIDDEN_CALL), of(FORBIDDEN_READ)), (20, 20));
    assert!(judged.flags[19].detail.ends_with(" (and 5 more)"));
    assert!(judged.flags[39].detail.ends_with(" (and 5 more)"));
    assert!(!judged.flags[18].detail.contains("more"));
    // All of them count.
    assert_eq!(judged.tool_use.unwrap().permitted, Some(0.0));
}

#[test]
fn reads_are_held_against_forbid_read() {
    let rules = ToolRules {
        forbid_read: words(&["/srv/private/**", "secret/*"]),
        ..none()
    };
    let judged = trial()
        .ok("read", path("a.py"))
        .ok("read", path("/work/secret/key"))
        .fails("read", path("secret/none"))
        .ok("list", path("/srv/private"))
        .ok("search", json!({ "pattern": "x" }))
        .fails(
            "bash",
            command("cat /srv/private/a /srv/private/b /srv/private/a"),
        )
        .ok("bash", command("make"))
        .ok("write", path("secret/key"))
        .judged(&rules);
    // Four reads, one of them failed, and two that a command names.
    assert_eq!(judged.tool_use.as_ref().unwrap().scope, Some(2.0 / 6.0));
    let told: Vec<(&str, Option<u64>)> = judged
        .flags
        .iter()
        .map(|flag| (flag.detail.as_str(), flag.step))
        .collect();
    assert_eq!(
        told,
        [
            (
                "`read` of `/work/secret/key`, which must not be read",
                Some(2)
            ),
            ("`list` of `/srv/private`, which must not be read", Some(6)),
            (
                "`bash` of `/srv/private/a`, which must not be read",
                Some(10)
            ),
            (
                "`bash` of `/srv/private/b`, which must not be read",
                Some(10)
            ),
        ]
    );
}

#[test]
fn changes_are_held_against_write_scope() {
    let rules = |scope: &[&str]| ToolRules {
        write_scope: Some(words(scope)),
        ..none()
    };
    let trial = trial()
        .ok("write", path("/work/notes.txt"))
        .ok("bash", command("make"))
        .changes(&[
            "src/a.py",
            "notes.txt",
            "/etc/hosts",
            "src/__pycache__/a.pyc",
            ".pytest_cache/x",
            "/tmp/x",
        ]);
    let judged = trial.judged(&rules(&["src/**"]));
    assert_eq!(judged.tool_use.as_ref().unwrap().scope, Some(2.0 / 4.0));
    let told: Vec<(&str, Option<u64>)> = judged
        .flags
        .iter()
        .map(|flag| (flag.detail.as_str(), flag.step))
        .collect();
    assert_eq!(
        told,
        [
            ("`/etc/hosts` was changed, and only src/** may be", None),
            ("`notes.txt` was changed, and only src/** may be", Some(0)),
        ]
    );
    let nowhere = trial.judged(&rules(&[]));
    assert_eq!(
        nowhere.flags[1].detail,
        "`notes.txt` was changed, and nothing may be"
    );
    // Nothing was captured: nothing is known.
    let unknown = Trial {
        changed: None,
        ..trial
    };
    assert_eq!(unknown.tool_use(&rules(&["src/**"])).scope, None);
}

#[test]
fn an_error_is_recovered_by_a_later_success_of_the_same_tool() {
    let recovery = |trial: Trial| trial.tool_use(&none()).recovery;
    let a = || command("a");
    assert_eq!(
        recovery(trial().fails("bash", a()).ok("bash", command("b"))),
        Some(1.0)
    );
    assert_eq!(
        recovery(trial().ok("bash", a()).fails("bash", a())),
        Some(0.0)
    );
    assert_eq!(
        recovery(trial().fails("read", path("x")).ok("bash", a())),
        Some(0.0)
    );
    let half = trial()
        .invalid("bash", json!({}))
        .ok("bash", a())
        .fails("bash", a());
    assert_eq!(recovery(half), Some(0.5));
}

#[test]
fn the_error_of_a_tool_that_is_not_there_is_recovered_by_any() {
    let trial = trial()
        .invalid("browse", json!({}))
        .ok("bash", command("a"));
    assert_eq!(trial.tool_use(&none()).recovery, Some(1.0));
    let read = |allow: Option<&[&str]>| {
        let rules = ToolRules {
            allow: allow.map(words),
            ..none()
        };
        let trial = super::tests::trial()
            .invalid("read", json!({}))
            .ok("bash", command("a"));
        trial.tool_use(&rules).recovery
    };
    assert_eq!(read(None), Some(0.0));
    assert_eq!(read(Some(&["bash"])), Some(1.0));
    let own = ToolRules {
        custom: vec![CustomTool {
            name: "browse".into(),
            description: String::new(),
            parameters: json!({}),
            command: vec![],
        }],
        ..none()
    };
    assert_eq!(trial.tool_use(&own).recovery, Some(0.0));
}

#[test]
fn a_call_that_can_tell_nothing_new_is_redundant() {
    let of = |trial: Trial| trial.tool_use(&none()).repeated;
    let read = || trial().ok("read", path("a"));
    assert_eq!(of(read().ok("read", path("a"))), 1);
    assert_eq!(of(read().ok("read", path("b"))), 0);
    assert_eq!(of(read().ok("list", path("a"))), 0);
    // Another result.
    assert_eq!(of(read().gives("read", path("a"), "else")), 0);
    // Nothing changed between, or something may have.
    assert_eq!(of(read().ok("search", path("b")).ok("read", path("a"))), 1);
    assert_eq!(
        of(read().fails("write", path("a")).ok("read", path("a"))),
        1
    );
    assert_eq!(of(read().ok("write", path("a")).ok("read", path("a"))), 0);
    assert_eq!(of(read().ok("lookup", path("a")).ok("read", path("a"))), 0);
    // The same call over and over is no change in between.
    let ls = || trial().ok("bash", command("ls"));
    assert_eq!(
        of(ls().ok("bash", command("ls")).ok("bash", command("ls"))),
        2
    );
    assert_eq!(
        of(ls().ok("bash", command("rm x")).ok("bash", command("ls"))),
        0
    );
    let between = ls().ok("bash", command("rm x")).ok("bash", command("ls"));
    assert_eq!(of(between.ok("bash", command("ls"))), 1);
    // Errors repeat too, and numbers are equal by value.
    assert_eq!(
        of(trial()
            .invalid("x", json!({ "n": 1 }))
            .invalid("x", json!({ "n": 1.0 }))),
        1
    );
}

#[test]
fn non_redundancy_is_of_all_calls() {
    let trial = trial()
        .ok("read", path("a"))
        .ok("read", path("a"))
        .ok("read", path("a"))
        .ok("read", path("b"));
    assert_eq!(trial.tool_use(&none()).non_redundancy, Some(0.5));
}

#[test]
fn the_second_of_a_pair_waits_for_a_success_of_the_first() {
    let rules = ToolRules {
        after: vec![("lookup".into(), "refund".into())],
        ..none()
    };
    let unmet = |trial: Trial| trial.judged(&rules).unmet;
    let a = || order("A");
    let early = "`refund` was called before a call of `lookup` had succeeded";
    let violated = Some((Reason::CallOrder, early.to_owned()));
    assert_eq!(unmet(trial().ok("lookup", a()).ok("refund", a())), None);
    assert_eq!(unmet(trial().ok("lookup", a())), None);
    assert_eq!(unmet(trial()), None);
    assert_eq!(unmet(trial().ok("refund", a())), violated);
    assert_eq!(
        unmet(trial().fails("refund", a()).ok("lookup", a())),
        violated
    );
    assert_eq!(
        unmet(trial().fails("lookup", a()).ok("refund", a())),
        violated
    );
    // It was not performed.
    let refused = trial()
        .invalid("refund", a())
        .ok("lookup", a())
        .ok("refund", a());
    assert_eq!(unmet(refused), None);
}

#[test]
fn the_score_is_the_mean_of_the_terms_that_apply() {
    let rules = ToolRules {
        forbid: vec![refund_of("B")],
        ..requires(&[refund_of("A"), calls_of("lookup", &[])])
    };
    let judged = trial()
        .ok("refund", order("A"))
        .fails("refund", order("B"))
        .tool_use(&rules);
    // Validity, execution, required, permitted, recovery, non-redundancy.
    let terms = [1.0, 0.5, 0.5, 0.5, 0.0, 1.0];
    assert!((judged.score - terms.iter().sum::<f64>() / 6.0).abs() < 1e-12);
    assert_eq!(judged.coverage, 6.0 / 7.0);
}

#[test]
fn the_example_of_the_documentation_is_right() {
    let rules = ToolRules {
        forbid: vec![calls_of(
            "refund",
            &[("order", Matcher::Regex("^B-".into()))],
        )],
        ..requires(&[refund_of("A-17"), calls_of("note", &[])])
    };
    let judged = trial()
        .ok("lookup", order("A-17"))
        .invalid("refund", json!({ "id": "A-17" }))
        .ok("refund", order("A-17"))
        .fails("refund", order("B-20"))
        .ok("submit", json!({}))
        .judged(&rules);
    assert_eq!(kinds(&judged), [FORBIDDEN_CALL]);
    assert_eq!(judged.unmet.unwrap().0, Reason::RequiredCallMissing);
    let judged = judged.tool_use.unwrap();
    assert_eq!(format!("{:.2}", judged.score), "0.69");
    let shares = (judged.validity, judged.execution, judged.recovery);
    assert_eq!(shares, (Some(0.75), Some(2.0 / 3.0), Some(0.5)));
}
