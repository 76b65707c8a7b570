//! The client against the scripted endpoint, over real sockets.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use serde_json::json;

use super::*;
use crate::model::ToolSpec;
use crate::model::scripted::{Endpoint, Script};

fn settings(base_url: String, stream: bool) -> ModelSettings {
    ModelSettings {
        base_url,
        key_env: None,
        id: None,
        temperature: Some(0.0),
        seed: None,
        max_tokens: Some(100),
        max_tokens_field: "max_tokens".into(),
        reasoning_effort: None,
        stream,
        timeout: Duration::from_millis(1500),
        stall: Duration::from_millis(300),
        tries: 3,
        pause: Duration::from_millis(10),
        longest_pause: Duration::from_millis(50),
    }
}

struct Asked {
    reply: Result<Reply, ModelError>,
    retries: Vec<Retry>,
    meter: Meter,
    answered: bool,
}

impl Asked {
    fn kinds(&self) -> Vec<&str> {
        self.retries.iter().map(|retry| retry.kind).collect()
    }
}

async fn ask(script: &str, stream: bool) -> Asked {
    ask_with(script, stream, None).await
}

async fn ask_with(script: &str, stream: bool, key: Option<&str>) -> Asked {
    let script = Script::parse("test.toml", script).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let endpoint = Endpoint::start(script, address).await.unwrap();
    let model = OpenAi::new("m", settings(endpoint.base_url(), stream), key).unwrap();
    let mut conversation = model.open(Opening {
        session: "s".into(),
        system: "be brief".into(),
        user: "hello".into(),
        tools: vec![ToolSpec {
            name: "bash".into(),
            description: "runs".into(),
            parameters: json!({"type": "object"}),
        }],
    });
    let (meter, heard) = (Meter::default(), Mutex::new(Vec::new()));
    let listener = |retry: &Retry| heard.lock().unwrap().push(retry.clone());
    let reply = conversation.reply(&meter, &listener).await;
    drop(conversation);
    Asked {
        reply,
        retries: heard.into_inner().unwrap(),
        meter,
        answered: model.answered(),
    }
}

const TURN: &str = "[[turn]]\nsay = \"a text that is long enough for several pieces of a stream\"\n\
                    reasoning = \"thinking\"\n\
                    calls = [{ tool = \"bash\", arguments = { command = \"ls\" } }, { tool = \"bash\", raw = \"{\" }]\n\
                    usage = { input = 7, cached = 3, output = 2, reasoning = 1 }\n";

#[tokio::test]
async fn streamed_and_whole_answers_are_the_same_reply() {
    let mut streamed = ask(TURN, true).await.reply.unwrap();
    let mut whole = ask(TURN, false).await.reply.unwrap();
    (streamed.took, whole.took) = Default::default();
    assert_eq!(streamed, whole);
    assert_eq!(whole.calls.len(), 2);
    assert_eq!(whole.calls[0].arguments, r#"{"command":"ls"}"#);
    assert_eq!(whole.calls[1].arguments, "{");
    assert_eq!(whole.reasoning.as_deref(), Some("thinking"));
    let usage = whole.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.reasoning), (7, 3, 1));
}

#[tokio::test]
async fn every_passing_fault_is_retried_and_its_time_kept_apart() {
    for (fault, kind) in [
        ("{ kind = \"status\", status = 429 }", "rate_limited"),
        (
            "{ kind = \"status\", status = 429, retry_after = 0.02 }",
            "rate_limited",
        ),
        ("{ kind = \"status\", status = 503 }", "server_error"),
        ("{ kind = \"reset\" }", "reset"),
        ("{ kind = \"cut\" }", "reset"),
        ("{ kind = \"stall\" }", "stalled"),
        ("{ kind = \"invalid_json\" }", "invalid_answer"),
        ("{ kind = \"empty_choices\" }", "empty_answer"),
        ("{ kind = \"timeout\" }", "timeout"),
    ] {
        for stream in [true, false] {
            let asked = ask(&format!("{TURN}fault = {fault}\n"), stream).await;
            assert!(asked.reply.is_ok(), "{fault}: {:?}", asked.reply);
            assert_eq!(asked.kinds(), [kind], "{fault}, streamed: {stream}");
            assert!(asked.meter.waits() >= asked.retries[0].wait, "{fault}");
            assert!(asked.answered);
        }
    }
}

#[tokio::test]
async fn what_the_endpoint_asks_to_wait_is_waited_up_to_the_longest_pause() {
    let turn = format!("{TURN}fault = {{ kind = \"status\", status = 429, retry_after = 900 }}\n");
    let asked = ask(&turn, true).await;
    assert_eq!(asked.retries[0].wait, Duration::from_millis(50));
}

#[tokio::test]
async fn an_endpoint_that_stays_away_is_given_up() {
    let always =
        format!("{TURN}fault = {{ kind = \"status\", status = 500, times = \"always\" }}\n");
    let asked = ask(&always, true).await;
    let Err(ModelError::Unreachable(message)) = asked.reply else {
        panic!("{:?}", asked.reply);
    };
    assert!(message.contains("3 attempts failed"), "{message}");
    assert_eq!(asked.retries.len(), 3);
    assert!(!asked.answered);
}

#[tokio::test]
async fn a_refused_key_and_a_missing_model_are_not_asked_again() {
    let asked = ask_with("key = \"k\"\n", true, Some("other")).await;
    assert!(
        matches!(asked.reply, Err(ModelError::Unusable(_))),
        "{:?}",
        asked.reply
    );
    assert!(asked.retries.is_empty());
    let asked = ask("model = \"another\"\n", true).await;
    let Err(ModelError::Unusable(message)) = asked.reply else {
        panic!("{:?}", asked.reply);
    };
    assert!(message.contains("does not exist"), "{message}");
    let asked = ask_with("key = \"k\"\n", true, Some("k")).await;
    assert_eq!(asked.reply.unwrap().text, "Done.");
}

#[tokio::test]
async fn overflows_and_refusals_are_told_apart() {
    let asked = ask("context_tokens = 1\n", true).await;
    assert!(
        matches!(asked.reply, Err(ModelError::ContextOverflow(_))),
        "{:?}",
        asked.reply
    );
    let asked = ask("[[turn]]\nrefusal = \"no\"\n", true).await;
    assert_eq!(asked.reply.unwrap().finish, crate::model::Finish::Refused);
    let asked = ask("[[turn]]\nsay = \"half\"\nfinish = \"length\"\n", false).await;
    assert_eq!(asked.reply.unwrap().finish, crate::model::Finish::Length);
}

#[tokio::test]
async fn a_greeting_tells_who_does_not_answer() {
    let script = Script::parse("test.toml", "key = \"k\"\n").unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let endpoint = Endpoint::start(script, address).await.unwrap();
    let url = endpoint.base_url();
    let right = OpenAi::new("m", settings(url.clone(), true), Some("k")).unwrap();
    assert_eq!(right.greet().await, Ok(()));
    let wrong = OpenAi::new("m", settings(url.clone(), true), Some("x")).unwrap();
    assert!(matches!(wrong.greet().await, Err(ModelError::Unusable(_))));
    drop(endpoint);
    let gone = OpenAi::new("m", settings(url, true), Some("k")).unwrap();
    assert!(matches!(
        gone.greet().await,
        Err(ModelError::Unreachable(_))
    ));
}
