//! What a script plays, without a socket.

use super::*;

fn script(text: &str) -> Script {
    Script::parse("test.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

fn request(messages: &[Value]) -> Value {
    let tools = json!([{"type": "function", "function": {"name": "bash"}}]);
    json!({"model": "m", "messages": messages, "tools": tools})
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn called(id: &str, tool: &str) -> Value {
    let call = json!({"id": id, "function": {"name": tool, "arguments": "{}"}});
    json!({"role": "assistant", "content": null, "tool_calls": [call]})
}

fn result(id: &str, text: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": text})
}

fn said(script: &Script, messages: &[Value]) -> String {
    match script.act(&request(messages), 1, None).what {
        What::Answer(answer, _) => answer.text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_turn_that_holds_is_played() {
    let script = script(
        r#"
        [[turn]]
        when = { instruction = "refund", turn = 1 }
        say = "first"
        [[turn]]
        when = { last_tool = "bash", last = 'order (?<order>\w+)' }
        say = "order {{order}}"
        [[turn]]
        when = { seen = "done", tools = ["bash"] }
        say = "seen"
        [[turn]]
        when = { turn = { from = 2 }, tools = ["absent"] }
        say = "never"
        "#,
    );
    let begin = [user("a refund please")];
    assert_eq!(said(&script, &begin), "first");
    let found = [
        user("a refund please"),
        called("1", "bash"),
        result("1", "the order A17 is there"),
    ];
    assert_eq!(said(&script, &found), "order A17");
    let seen = [user("x"), called("1", "bash"), result("1", "done")];
    assert_eq!(said(&script, &seen), "seen");
    assert_eq!(said(&script, &[user("x")]), "Done.");
}

#[test]
fn a_sequence_goes_on_by_the_conversation_alone() {
    let script = script(
        r#"
        [[turn]]
        when = { turn = 1 }
        say = "one"
        then = [{ say = "two" }, { say = "three" }]
        [[turn]]
        say = "after"
        "#,
    );
    let mut messages = vec![user("go")];
    for expected in ["one", "two", "three", "after", "after"] {
        assert_eq!(said(&script, &messages), expected);
        messages.push(json!({"role": "assistant", "content": expected}));
        messages.push(user("go on"));
    }
}

#[test]
fn a_fault_hits_the_first_attempts_only() {
    let script = script(
        "[[turn]]\nsay = \"x\"\nfault = { kind = \"status\", status = 429, times = 2, retry_after = 1.0 }\n",
    );
    let act = |attempt| script.act(&request(&[user("x")]), attempt, None).what;
    for attempt in [1, 2] {
        assert!(matches!(
            act(attempt),
            What::Error {
                status: 429,
                retry_after: Some(_),
                ..
            }
        ));
    }
    assert!(matches!(act(3), What::Answer(_, None)));
}

#[test]
fn chance_is_of_the_seed_and_the_conversation() {
    let faulty = |seed: u64| {
        let script = script(&format!(
            "seed = {seed}\n[faults]\nreset = 0.3\nserver_error = 0.3\n[[turn]]\npick = [{{ say = \"a\" }}, {{ say = \"b\" }}]\n"
        ));
        let whats = (0..40).map(|n| {
            let messages = [user(&format!("conversation {n}"))];
            script.act(&request(&messages), 1, None).what
        });
        whats.collect::<Vec<_>>()
    };
    assert_eq!(faulty(1), faulty(1));
    assert_ne!(faulty(1), faulty(2));
    let whole = faulty(3)
        .into_iter()
        .filter(|what| matches!(what, What::Answer(..)));
    let whole = whole.count();
    assert!((5..35).contains(&whole), "{whole}");
}

#[test]
fn keys_models_and_contexts_are_refused() {
    let script = script("model = \"m\"\nkey = \"k\"\ncontext_tokens = 50\n");
    let status = |request: &Value, key| match script.act(request, 1, key).what {
        What::Error { status, body, .. } => {
            (status, body["error"]["code"].as_str().unwrap().to_owned())
        }
        other => panic!("{other:?}"),
    };
    let asked = request(&[user("x")]);
    assert_eq!(status(&asked, None), (401, "invalid_api_key".into()));
    let mut other = asked.clone();
    other["model"] = "n".into();
    assert_eq!(status(&other, Some("k")), (404, "model_not_found".into()));
    let long = request(&[user(&"x".repeat(900))]);
    assert_eq!(
        status(&long, Some("k")),
        (400, "context_length_exceeded".into())
    );
    assert_eq!(
        status(&json!({"model": "m"}), Some("k")),
        (400, "invalid_request".into())
    );
}

#[test]
fn usage_is_told_as_the_wire_has_it() {
    let script = script(
        "[[turn]]\nsay = \"x\"\nusage = { input = 10, cached = 90, output = 5, reasoning = 15 }\n",
    );
    let What::Answer(answer, _) = script.act(&request(&[user("x")]), 1, None).what else {
        panic!("no answer");
    };
    let usage = answer.usage.unwrap();
    assert_eq!(
        (&usage["prompt_tokens"], &usage["completion_tokens"]),
        (&json!(100), &json!(20))
    );
}
