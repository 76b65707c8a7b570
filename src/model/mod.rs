//! Whom agents talk to: conversations, wire formats, faults and retries, prices,
//! and a scripted endpoint of our own.
//!
//! Owns everything that crosses to a model's endpoint and what it costs. Must not
//! know tools' meanings, tasks or runs; a conversation is all that it sees.
//!
//! [`Model`] opens a [`Conversation`] for each trial; the wire format keeps there
//! what it has serialised already, so that a turn costs what is new in it.

mod openai;
mod price;
pub mod scripted;

pub use openai::{OpenAi, OpenAiError};
pub use price::{cost_microusd, digest as price_digest};

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::{ModelRef, Usage};

/// A tool as a model is told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments, an object.
    pub parameters: Value,
}

/// What a conversation begins with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Tells conversations apart at the endpoint (a header); says nothing else.
    pub session: String,
    pub system: String,
    pub user: String,
    pub tools: Vec<ToolSpec>,
}

/// A call as a model wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenCall {
    pub id: String,
    pub tool: String,
    /// Mostly JSON.
    pub arguments: String,
}

/// Something said to the model after its last reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The result of a call of its.
    Result { id: String, content: String },
    /// By the harness, in the user's place.
    User(String),
}

/// One reply of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    pub text: String,
    pub reasoning: Option<String>,
    pub calls: Vec<WrittenCall>,
    pub finish: Finish,
    /// As the endpoint said it: `stop`, `tool_calls`, `length`, …
    pub finish_reason: Option<String>,
    /// None where the endpoint did not say.
    pub usage: Option<Usage>,
    /// The model that answered, as the endpoint named it.
    pub model: Option<String>,
    /// How long the answer took, from request to last byte.
    pub took: Duration,
}

/// Why a reply ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Finish {
    /// The model was done, or made calls.
    #[default]
    Natural,
    /// It was cut by a bound on its length.
    Length,
    /// The model or a filter in front of it would not.
    Refused,
}

/// An attempt that failed and is followed by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// The attempt that failed, from 1.
    pub attempt: u32,
    /// Of at most how many.
    pub most: u32,
    /// `rate_limited`, `server_error`, `timeout`, `reset`, `stalled`, `invalid_answer`, `empty_answer`, …
    pub kind: &'static str,
    /// What went wrong, in a sentence without times.
    pub message: String,
    /// What the attempt took.
    pub took: Duration,
    /// How long is waited before the next one.
    pub wait: Duration,
}

/// A reply that could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The endpoint refuses this key or knows no such model: asking again is no use.
    #[error("{0}")]
    Unusable(String),
    /// Every attempt failed.
    #[error("{0}")]
    Unreachable(String),
    /// The conversation is longer than the model takes.
    #[error("the conversation does not fit the model's context: {0}")]
    ContextOverflow(String),
    /// A filter in front of the model would not take the conversation.
    #[error("the endpoint refused the conversation: {0}")]
    Refused(String),
    /// The endpoint says that the request is wrong.
    #[error("the endpoint does not take the request: {0}")]
    Rejected(String),
}

/// Hears of attempts that failed.
pub type Listener<'a> = &'a (dyn Fn(&Retry) + Send + Sync);

/// A model behind an endpoint.
#[async_trait]
pub trait Model: Send + Sync {
    fn identity(&self) -> ModelRef;

    /// What is asked of the endpoint beside the conversation, for the record.
    fn parameters(&self) -> serde_json::Map<String, Value>;

    /// The most tokens of one reply, where that is bounded.
    fn reply_bound(&self) -> Option<u64> {
        None
    }

    /// Whether it ever answered: what never did is no fault of a trial.
    fn answered(&self) -> bool;

    /// Whether the endpoint answers and takes the key; asked once before a run.
    async fn greet(&self) -> Result<(), ModelError>;

    /// Begins a conversation.
    fn open(&self, opening: Opening) -> Box<dyn Conversation>;
}

/// One conversation with a model.
#[async_trait]
pub trait Conversation: Send {
    /// Adds what is said next; nothing is sent yet.
    fn say(&mut self, said: Said);

    /// Asks for the next reply, which becomes part of the conversation. Faults are
    /// retried, told to `listener`, and their time is kept apart in `meter`.
    async fn reply(&mut self, meter: &Meter, listener: Listener<'_>) -> Result<Reply, ModelError>;
}

/// Time spent on a model: answers, and what was waited in vain.
#[derive(Debug, Default)]
pub struct Meter {
    answers_us: AtomicU64,
    waits_us: AtomicU64,
}

impl Meter {
    /// Time of answers, running ones left out.
    pub fn answers(&self) -> Duration {
        Duration::from_micros(self.answers_us.load(Ordering::Relaxed))
    }

    /// Time of failed attempts and of the pauses after them.
    pub fn waits(&self) -> Duration {
        Duration::from_micros(self.waits_us.load(Ordering::Relaxed))
    }

    /// Measures until the value is dropped, also where the call is given up: as
    /// an answer, unless [`Measure::in_vain`] says otherwise.
    pub fn measure(&self) -> Measure<'_> {
        Measure {
            meter: self,
            since: Instant::now(),
            in_vain: false,
        }
    }
}

/// A running measurement of a [`Meter`].
pub struct Measure<'a> {
    meter: &'a Meter,
    since: Instant,
    in_vain: bool,
}

impl Measure<'_> {
    /// It counts as waiting.
    pub fn in_vain(mut self) {
        self.in_vain = true;
    }

    /// A measurement that counts as waiting however it ends.
    pub fn waiting(mut self) -> Self {
        self.in_vain = true;
        self
    }
}

impl Drop for Measure<'_> {
    fn drop(&mut self) {
        let took = self.since.elapsed().as_micros() as u64;
        let term = match self.in_vain {
            true => &self.meter.waits_us,
            false => &self.meter.answers_us,
        };
        term.fetch_add(took, Ordering::Relaxed);
    }
}
