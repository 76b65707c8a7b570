//! The loop against a model of turns, over a sandbox of maps.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::*;
use crate::agent::{Account, Ledger};
use crate::model::{Listener, Meter, WrittenCall};
use crate::record::Usage;
use crate::sandbox::fake::{FakeSandbox, exited};
use crate::task::fixture::task;
use crate::tool::{CallLimits, Places, Toolbox, Tools};
use crate::trajectory::{Recorder, read_events};

/// Replies in order; what is said in between is kept.
#[derive(Clone)]
struct Fake {
    replies: Arc<Mutex<VecDeque<Result<Reply, ModelError>>>>,
    said: Arc<Mutex<Vec<Said>>>,
}

impl Fake {
    fn of(replies: Vec<Result<Reply, ModelError>>) -> Self {
        Self {
            replies: Arc::new(Mutex::new(replies.into())),
            said: Arc::default(),
        }
    }
}

#[async_trait]
impl Model for Fake {
    fn identity(&self) -> ModelRef {
        ModelRef {
            id: "fake".into(),
            provider: "test".into(),
            digest: None,
        }
    }

    fn parameters(&self) -> Map<String, Value> {
        Map::new()
    }

    fn answered(&self) -> bool {
        true
    }

    async fn greet(&self) -> Result<(), ModelError> {
        Ok(())
    }

    fn open(&self, _: Opening) -> Box<dyn Conversation> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Conversation for Fake {
    fn say(&mut self, said: Said) {
        self.said.lock().unwrap().push(said);
    }

    async fn reply(&mut self, _: &Meter, _: Listener<'_>) -> Result<Reply, ModelError> {
        let next = self.replies.lock().unwrap().pop_front();
        next.unwrap_or_else(|| Ok(says("nothing is left to say")))
    }
}

fn usage(input: u64, output: u64) -> Usage {
    Usage {
        input,
        output,
        ..Usage::default()
    }
}

fn says(text: &str) -> Reply {
    Reply {
        text: text.into(),
        usage: Some(usage(100, 10)),
        ..Reply::default()
    }
}

fn calls(calls: &[(&str, Value)]) -> Reply {
    let written = |(index, (tool, arguments)): (usize, &(&str, Value))| WrittenCall {
        id: format!("{tool}-{index}"),
        tool: (*tool).to_owned(),
        arguments: match arguments {
            Value::String(raw) => raw.clone(),
            arguments => arguments.to_string(),
        },
    };
    Reply {
        calls: calls.iter().enumerate().map(written).collect(),
        usage: Some(usage(100, 10)),
        ..Reply::default()
    }
}

fn read(path: &str) -> Reply {
    calls(&[("read", json!({ "path": path }))])
}

fn options() -> Options {
    Options {
        max_steps: Some(20),
        max_tokens: None,
        max_cost: None,
        price: None,
        price_digest: None,
        repeats: Some(4),
        announce: false,
    }
}

struct Went {
    end: Result<End, SessionError>,
    events: Vec<Event>,
    said: Vec<Said>,
}

impl Went {
    fn event(&self, name: &str) -> &str {
        let event = self
            .events
            .iter()
            .find(|event| event.event.as_deref() == Some(name));
        event.and_then(|event| event.text.as_deref()).unwrap_or("")
    }
}

async fn go(options: Options, replies: Vec<Result<Reply, ModelError>>) -> Went {
    go_with(options, replies, Ledger::new(None, 0)).await
}

async fn go_with(
    options: Options,
    replies: Vec<Result<Reply, ModelError>>,
    ledger: Arc<Ledger>,
) -> Went {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trajectory.jsonl");
    let sandbox = FakeSandbox::new(|_, _| Ok(exited(0, "", ""))).with_file("/a", "one\ntwo\n");
    let tools = Tools::new(
        Places {
            agent: Arc::new(sandbox),
            tools: None,
        },
        Arc::new(Toolbox::of(&Default::default()).unwrap()),
        CallLimits {
            timeout: Duration::from_secs(1),
            output_bytes: 1 << 16,
        },
        Arc::new(Recorder::create(&path).unwrap()),
        |_, _, _| {},
    );
    let (task, account) = (task("a"), Account::default());
    let model = Fake::of(replies);
    let agent = Loop::new(Arc::new(model.clone()), Prompt::built_in(), options);
    let end = agent
        .act(&Session {
            task: &task,
            tools: &tools,
            skills: &[],
            id: "s",
            account: &account,
            ledger: &ledger,
            time_limit: None,
            started: Instant::now(),
        })
        .await;
    let said = model.said.lock().unwrap().clone();
    Went {
        end,
        events: read_events(&path).unwrap(),
        said,
    }
}

fn end(went: &Went) -> End {
    *went.end.as_ref().unwrap()
}

#[tokio::test]
async fn what_is_said_without_a_call_is_the_final_message() {
    let went = go(options(), vec![Ok(read("/a")), Ok(says("the answer is 2"))]).await;
    assert_eq!(end(&went), End::Done);
    assert_eq!(
        crate::trajectory::final_message(&went.events),
        Some("the answer is 2")
    );
    let kinds: Vec<EventKind> = went.events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::System,
            EventKind::User,
            EventKind::Assistant,
            EventKind::ToolCall,
            EventKind::ToolResult,
            EventKind::Assistant,
        ]
    );
    assert!(went.events[0].tools.is_some());
}

#[tokio::test]
async fn parallel_calls_are_performed_in_order_and_all_answered() {
    let both = calls(&[
        ("read", json!({"path": "/a"})),
        ("read", json!({"path": "/b"})),
    ]);
    let submit = calls(&[("submit", json!({"message": "done"}))]);
    let went = go(options(), vec![Ok(both), Ok(submit)]).await;
    assert_eq!(end(&went), End::Submitted);
    let Said::Result { id, content } = &went.said[0] else {
        panic!("{:?}", went.said);
    };
    assert_eq!((id.as_str(), content.as_str()), ("read-0", "one\ntwo\n"));
    assert!(
        matches!(&went.said[1], Said::Result { content, .. } if content.starts_with("error: "))
    );
}

#[tokio::test]
async fn a_malformed_call_is_answered_with_what_would_be_right() {
    let wrong = calls(&[("read", json!("{\"path\": "))]);
    let unknown = calls(&[("reed", json!({"path": "/a"}))]);
    let went = go(options(), vec![Ok(wrong), Ok(unknown), Ok(read("/a"))]).await;
    let told: Vec<&String> = went
        .said
        .iter()
        .filter_map(|said| match said {
            Said::Result { content, .. } => Some(content),
            Said::User(_) => None,
        })
        .collect();
    assert!(
        told[0].contains("no JSON object") && told[0].contains("path (string)"),
        "{}",
        told[0]
    );
    assert!(told[1].contains("did you mean `read`?"), "{}", told[1]);
    let invalid = went.events.iter().filter(|event| event.invalid.is_some());
    assert_eq!(invalid.count(), 2);
    assert!(
        went.events
            .iter()
            .any(|event| event.raw.as_deref() == Some("{\"path\": "))
    );
}

#[tokio::test]
async fn the_same_call_over_and_over_ends_it() {
    let went = go(options(), (0..9).map(|_| Ok(read("/a"))).collect()).await;
    assert_eq!(end(&went), End::Loop);
    assert_eq!(
        went.event("loop"),
        "the same call of `read` gave the same result 4 times in a row"
    );
    let free = Options {
        repeats: None,
        ..options()
    };
    let went = go(free, (0..30).map(|_| Ok(read("/a"))).collect()).await;
    assert_eq!(end(&went), End::MaxSteps);
}

#[tokio::test]
async fn limits_on_turns_and_tokens_end_it() {
    let paths = || (0..9).map(|n| Ok(read(&format!("/{n}")))).collect();
    let few = Options {
        max_steps: Some(3),
        ..options()
    };
    let went = go(few, paths()).await;
    assert_eq!(end(&went), End::MaxSteps);
    assert_eq!(went.event("limit"), "the limit of 3 turns is reached");
    let tokens = Options {
        max_tokens: Some(250),
        ..options()
    };
    let went = go(tokens, paths()).await;
    assert_eq!(end(&went), End::MaxTokens);
    assert_eq!(went.event("limit"), "330 tokens are spent, of at most 250");
}

#[tokio::test]
async fn a_budget_ends_it_before_it_is_passed() {
    let price = Price {
        input: 10_000_000,
        output: 10_000_000,
        reasoning: 10_000_000,
        ..Price::default()
    };
    let dear = Options {
        price: Some(price),
        // One turn costs 1100, and may cost 40,960 for the reply alone.
        max_cost: Some(60_000),
        ..options()
    };
    let paths = || (0..60).map(|n| Ok(read(&format!("/{n}")))).collect();
    let went = go(dear.clone(), paths()).await;
    assert_eq!(end(&went), End::MaxCost);
    let turns = went
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Assistant)
        .count();
    assert!((2..20).contains(&turns), "{turns}");
    let whole = Options {
        max_cost: None,
        ..dear
    };
    let ledger = Ledger::new(Some(60_000), 55_000);
    let went = go_with(whole, paths(), ledger.clone()).await;
    assert_eq!(end(&went), End::MaxCost);
    assert!(went.event("limit").contains("the run's budget"));
    assert_eq!(ledger.committed(), 55_000);
}

#[tokio::test]
async fn empty_replies_are_asked_again_and_end_at_last() {
    let went = go(options(), vec![Ok(says("")), Ok(says("fine"))]).await;
    assert_eq!(end(&went), End::Done);
    assert_eq!(went.said, [Said::User(EMPTY.into())]);
    let went = go(options(), (0..5).map(|_| Ok(says(" "))).collect()).await;
    assert_eq!(end(&went), End::Stalled);
}

#[tokio::test]
async fn a_reply_that_was_cut_goes_on() {
    let cut = Reply {
        finish: Finish::Length,
        ..says("half a thou")
    };
    let went = go(options(), vec![Ok(cut), Ok(says("done"))]).await;
    assert_eq!(end(&went), End::Done);
    assert_eq!(went.said, [Said::User(CUT.into())]);
}

#[tokio::test]
async fn refusals_and_overflows_are_ends_of_their_own() {
    let refused = Reply {
        finish: Finish::Refused,
        ..says("I will not")
    };
    assert_eq!(end(&go(options(), vec![Ok(refused)]).await), End::Refused);
    let overflow = ModelError::ContextOverflow("too long".into());
    assert_eq!(
        end(&go(options(), vec![Err(overflow)]).await),
        End::ContextOverflow
    );
    let gone = ModelError::Unreachable("no answer".into());
    let went = go(options(), vec![Ok(read("/a")), Err(gone)]).await;
    assert!(matches!(
        went.end,
        Err(SessionError::Model { answered: true, .. })
    ));
}

#[tokio::test]
async fn limits_are_announced_where_that_is_asked_for() {
    let told = Options {
        announce: true,
        max_tokens: Some(10_000),
        ..options()
    };
    let went = go(told, vec![Ok(read("/a")), Ok(says("done"))]).await;
    let user = went
        .events
        .iter()
        .find(|event| event.kind == EventKind::User);
    let text = user.and_then(|event| event.text.as_deref()).unwrap();
    assert!(
        text.ends_with(
            "Your limits: at most 20 turns, 10000 tokens. What is left is told after each turn."
        ),
        "{text}"
    );
    assert_eq!(
        went.said.last(),
        Some(&Said::User("[left: 19 turns, 9890 tokens]".into()))
    );
}
