//! What holds of the judgement of any calls by any rules.

use proptest::prelude::*;
use serde_json::json;

use super::tests::{calls_of, refund_of, words};
use super::*;
use crate::score::{FORBIDDEN_READ, WRITE_OUT_OF_SCOPE};
use crate::task::Matcher;
use crate::trajectory::EventKind;

/// Some rules, from none to all.
fn any_rules() -> impl Strategy<Value = ToolRules> {
    let pattern = prop_oneof![
        Just(calls_of("bash", &[])),
        Just(refund_of("A")),
        Just(calls_of("refund", &[("order", Matcher::Regex(".".into()))])),
        Just(CallPattern {
            command: Some("*x*".into()),
            ..calls_of("bash", &[])
        }),
        Just(calls_of(
            "read",
            &[("path", Matcher::Schema(json!({ "type": "string" })))]
        )),
    ];
    let patterns = || prop::collection::vec(pattern.clone(), 0..3);
    (
        patterns(),
        prop::option::of(patterns()),
        prop::option::of(Just(words(&["bash", "read"]))),
        prop_oneof![Just(words(&[])), Just(words(&["/srv/**", "x"]))],
        prop::option::of(prop_oneof![Just(words(&[])), Just(words(&["src/**"]))]),
        prop_oneof![
            Just(vec![]),
            Just(vec![("read".to_owned(), "bash".to_owned())])
        ],
    )
        .prop_map(
            |(forbid, require, allow, forbid_read, write_scope, after)| ToolRules {
                allow,
                forbid,
                forbid_read,
                require,
                after,
                write_scope,
                ..ToolRules::default()
            },
        )
}

/// Calls and results in any order, with ids that come again.
fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let id = prop_oneof![Just("1"), Just("2"), Just("3")];
    let tool = prop::sample::select(vec![
        "bash", "read", "list", "write", "refund", "none", "submit",
    ]);
    let arguments = prop::sample::select(vec![
        json!({}),
        json!(null),
        json!({ "path": "x" }),
        json!({ "path": "/srv/x", "order": "A" }),
        json!({ "command": "cat /srv/x x" }),
        json!({ "order": 1 }),
        json!({ "order": 1.0 }),
    ]);
    let text = || prop::option::of(prop_oneof![Just("a".to_owned()), Just("b".to_owned())]);
    let call = (
        id.clone(),
        tool,
        prop::option::of(arguments),
        prop::option::weighted(0.2, Just("{".to_owned())),
        prop::option::weighted(0.2, Just("no".to_owned())),
    )
        .prop_map(|(id, tool, arguments, raw, invalid)| Event {
            id: Some(id.into()),
            tool: Some(tool.into()),
            arguments,
            raw,
            invalid,
            ..Event::new(EventKind::ToolCall)
        });
    let result = (id, prop::option::of(any::<bool>()), text(), text()).prop_map(
        |(id, ok, error, output)| Event {
            id: Some(id.into()),
            ok,
            error,
            output,
            ..Event::new(EventKind::ToolResult)
        },
    );
    prop::collection::vec(prop_oneof![call, result], 0..60)
}

proptest! {
    #[test]
    fn every_term_is_a_share_and_the_score_their_mean(
        rules in any_rules(),
        events in any_events(),
        changed in prop::option::of(Just(words(&["src/a", "b", "/tmp/c", "/srv/x"]))),
    ) {
        let judged = judge_tools(&rules, &events, changed.as_deref(), "/work");
        let of = |kind: &str| judged.flags.iter().filter(|flag| flag.kind == kind).count();
        for kind in [FORBIDDEN_CALL, FORBIDDEN_READ, WRITE_OUT_OF_SCOPE] {
            prop_assert!(of(kind) <= 20);
        }
        let calls = made(&events).len() as u64;
        let Some(judged) = judged.tool_use else {
            prop_assert!(calls == 0 && rules.require.is_none());
            return Ok(());
        };
        let terms = [
            judged.validity, judged.execution, judged.required, judged.permitted,
            judged.scope, judged.recovery, judged.non_redundancy,
        ];
        let apply: Vec<f64> = terms.iter().flatten().copied().collect();
        prop_assert!(!apply.is_empty());
        for term in apply.iter().chain([&judged.score, &judged.coverage]) {
            prop_assert!((0.0..=1.0).contains(term), "{term}");
        }
        prop_assert_eq!(judged.coverage, apply.len() as f64 / 7.0);
        let mean = apply.iter().sum::<f64>() / apply.len() as f64;
        prop_assert!((judged.score - mean).abs() < 1e-12);
        prop_assert_eq!(judged.calls, calls);
        prop_assert!(judged.invalid + judged.failed <= calls);
        prop_assert!(judged.repeated <= calls.saturating_sub(1));
    }

    /// The fast count against the rule as it is written.
    #[test]
    fn repeats_are_those_of_the_rule(events in any_events()) {
        let calls = made(&events);
        let same = |a: &Made<'_>, b: &Made<'_>| {
            let value = |call: &Made<'_>| call.arguments.map(crate::task::by_value);
            a.tool == b.tool && a.raw == b.raw && (a.raw.is_some() || value(a) == value(b))
        };
        let answered = |a: &Made<'_>, b: &Made<'_>| match (a.result, b.result) {
            (Some(a), Some(b)) => (a.ok, &a.error, &a.output) == (b.ok, &b.error, &b.output),
            _ => false,
        };
        let changing = |call: &Made<'_>| call.succeeded() && !["read", "list", "search"].contains(&call.tool);
        let repeats = |at: &usize| (0..*at).any(|before| {
            let call = &calls[*at];
            same(call, &calls[before])
                && answered(call, &calls[before])
                && !calls[before + 1..*at].iter().any(|between| changing(between) && !same(call, between))
        });
        let slow = (0..calls.len()).filter(repeats).count() as u64;
        prop_assert_eq!(repeated(&calls), slow);
    }
}
