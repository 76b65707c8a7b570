//! What the loop itself takes per turn: between asking a model and asking it again,
//! without the model's time and the tools'.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use proofyard::agent::{Account, Agent, Ledger, Loop, LoopOptions, Prompt, Session};
use proofyard::config::ModelSettings;
use proofyard::model::scripted::{Endpoint, Script};
use proofyard::model::{
    Conversation, Listener, Meter, Model, ModelError, OpenAi, Opening, Reply, Said,
};
use proofyard::record::ModelRef;
use proofyard::sandbox::docker::{DockerSandbox, Engine};
use proofyard::sandbox::{Sandbox, User};
use proofyard::tool::{CallLimits, Places, Toolbox, Tools};
use proofyard::trajectory::Recorder;
use serde_json::{Map, Value};

use crate::place::Place;
use crate::{Outcome, PROOFYARD, calls, told};

const TURNS: usize = 220;
/// Turns of a short context, and of a long one.
const SHORT: std::ops::Range<usize> = 5..55;
const LONG: std::ops::Range<usize> = 195..215;
const FILE_BYTES: usize = 2000;
const SCRIPT: &str = "[[turn]]\nsay = \"I read on, and say a line of what I think about it.\"\n\
                      calls = [{ tool = \"read\", arguments = { path = \"/tmp/page\" } }]\n";

/// Figures: the overhead of a turn, with a short and with a long conversation.
pub fn overhead(place: &Place) -> Outcome<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let settings = &place.settings;
        let helper = PROOFYARD.as_ref();
        let engine = Engine::open_with_helper(&settings.engine, &settings.host, helper).await?;
        let run = format!("bench-turns-{}", std::process::id());
        let sandbox = Arc::new(DockerSandbox::start(&engine, &calls::spec(place, &run)).await?);
        let measured = measure(place, sandbox.clone()).await;
        sandbox.stop().await?;
        let turns = measured?;
        let median = |range: std::ops::Range<usize>| told::median(turns[range].to_vec());
        let (short, long) = (median(SHORT), median(LONG));
        let figure = |name: &str, value: Duration, most: u64, n: usize| {
            let holds = value <= Duration::from_millis(most);
            told::absolute(
                name,
                &told::millis(value),
                &format!("≤ {most} ms"),
                holds,
                n,
            );
        };
        figure("loop, overhead per turn", short, 1, SHORT.len());
        figure("  after 200 turns", long, 5, LONG.len());
        Ok(())
    })
}

async fn measure(place: &Place, sandbox: Arc<DockerSandbox>) -> Outcome<Vec<Duration>> {
    let page = vec![b'x'; FILE_BYTES];
    sandbox
        .write("/tmp/page", &page, None, &User::Default)
        .await?;
    let folder = tempfile::tempdir()?;
    let recorder = Recorder::create(&folder.path().join("trajectory.jsonl"))?;
    let tools = Arc::new(Tools::new(
        Places {
            agent: sandbox,
            tools: None,
        },
        Arc::new(Toolbox::of(&Default::default())?),
        CallLimits {
            timeout: Duration::from_secs(10),
            output_bytes: 1 << 15,
        },
        Arc::new(recorder),
        |_, _, _| {},
    ));
    let endpoint =
        Endpoint::start(Script::parse("bench", SCRIPT)?, ([127, 0, 0, 1], 0).into()).await?;
    let settings = ModelSettings {
        base_url: endpoint.base_url(),
        ..place.settings.model.clone()
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let model = Watched {
        model: OpenAi::new("bench", settings, None)?,
        tools: tools.clone(),
        seen: seen.clone(),
    };
    let options = LoopOptions {
        max_steps: Some(TURNS as u64),
        repeats: None,
        ..LoopOptions::new(&place.settings.limits, &place.settings.built_in, None)
    };
    let agent = Loop::new(Arc::new(model), Prompt::built_in(), options);
    let tasks = proofyard::task::load_all(&[place.task().display().to_string()])
        .map_err(|_| "the trivial task does not load")?;
    let (account, ledger) = (Account::default(), Ledger::new(None, 0));
    let session = Session {
        task: &tasks[0],
        tools: &tools,
        skills: &[],
        id: "bench",
        account: &account,
        ledger: &ledger,
        time_limit: None,
        started: Instant::now(),
    };
    agent.act(&session).await?;
    let seen = seen.lock().map_err(|_| "a turn ended badly")?;
    let between = |pair: &[Turn]| {
        let whole = pair[1].asked - pair[0].asked;
        whole.saturating_sub(pair[0].took + (pair[1].tools - pair[0].tools))
    };
    Ok(seen.windows(2).map(between).collect())
}

/// When a turn was asked for, how long the answer took, and the tools' time by then.
#[derive(Clone, Copy)]
struct Turn {
    asked: Instant,
    took: Duration,
    tools: Duration,
}

type Seen = Arc<Mutex<Vec<Turn>>>;

/// The real client, with a look at the clock before each request.
struct Watched {
    model: OpenAi,
    tools: Arc<Tools>,
    seen: Seen,
}

struct WatchedConversation {
    conversation: Box<dyn Conversation>,
    tools: Arc<Tools>,
    seen: Seen,
}

#[async_trait]
impl Model for Watched {
    fn identity(&self) -> ModelRef {
        self.model.identity()
    }

    fn parameters(&self) -> Map<String, Value> {
        self.model.parameters()
    }

    fn answered(&self) -> bool {
        self.model.answered()
    }

    async fn greet(&self) -> Result<(), ModelError> {
        self.model.greet().await
    }

    fn open(&self, opening: Opening) -> Box<dyn Conversation> {
        Box::new(WatchedConversation {
            conversation: self.model.open(opening),
            tools: self.tools.clone(),
            seen: self.seen.clone(),
        })
    }
}

#[async_trait]
impl Conversation for WatchedConversation {
    fn say(&mut self, said: Said) {
        self.conversation.say(said);
    }

    async fn reply(&mut self, meter: &Meter, listener: Listener<'_>) -> Result<Reply, ModelError> {
        let (asked, tools) = (Instant::now(), self.tools.spent());
        let reply = self.conversation.reply(meter, listener).await?;
        if let Ok(mut seen) = self.seen.lock() {
            seen.push(Turn {
                asked,
                took: reply.took,
                tools,
            });
        }
        Ok(reply)
    }
}
