//! `loop`: the built-in agent. It asks a model, performs the calls that the model
//! makes, gives their results back, and goes on until one side ends it.
//!
//! Owns the loop: what a model is told, what each kind of reply means, and every
//! end of a session. Plain on purpose: it is the yardstick that frameworks are held
//! against. Must not know wire formats, nor what is verified.

mod limits;
mod prompt;
mod repeat;

use std::sync::Arc;

use async_trait::async_trait;

use super::account::Reservation;
use super::{Agent, AgentError, Session, SessionError, reference, skills};
use crate::config::Price;
use crate::model::{Conversation, Finish, Model, ModelError, Opening, Reply, Retry, Said};
use crate::record::{AgentRef, AgentSetup, End, ModelRef};
use crate::task::Task;
use crate::tool::{Arguments, Call, CallResult};
use crate::trajectory::{Event, EventKind};
use limits::BYTES;
pub use limits::Options;
pub use prompt::Prompt;
use repeat::Circles;

/// Replies in a row with which nothing can be done, before the session ends.
const MOST_EMPTY: u32 = 3;

const EMPTY: &str = "Your reply was empty. Call a tool, or call `submit` if you are done.";
const CUT: &str = "Your reply was cut at the bound on its length, before a call was complete. \
                   Go on in smaller pieces: call a tool, or `submit` if you are done.";

/// The built-in agent with its model.
pub struct Loop {
    model: Arc<dyn Model>,
    prompt: Prompt,
    options: Options,
}

impl Loop {
    pub fn new(model: Arc<dyn Model>, prompt: Prompt, options: Options) -> Self {
        Self {
            model,
            prompt,
            options,
        }
    }
}

#[async_trait]
impl Agent for Loop {
    fn identity(&self) -> AgentRef {
        AgentRef {
            digest: Some(self.prompt.digest()),
            ..reference("loop")
        }
    }

    fn model(&self) -> Option<ModelRef> {
        Some(self.model.identity())
    }

    fn price(&self) -> Option<&Price> {
        self.options.price.as_ref()
    }

    fn setup(&self) -> Option<AgentSetup> {
        Some(AgentSetup {
            prompt: self.prompt.version.clone(),
            prompt_digest: Some(self.prompt.digest()),
            tools_digest: None,
            prices_digest: self.options.price_digest.clone(),
            parameters: self.model.parameters(),
        })
    }

    fn uses_tools(&self) -> bool {
        true
    }

    fn fits(&self, task: &Task) -> Result<(), AgentError> {
        match task.instruction.trim().is_empty() {
            false => Ok(()),
            true => Err(AgentError::Unfit {
                agent: "loop".into(),
                task: task.id.to_string(),
                reason: "its instruction is empty".into(),
            }),
        }
    }

    async fn act(&self, session: &Session<'_>) -> Result<End, SessionError> {
        Turns::begin(self, session)?.run().await
    }
}

/// A session of the loop under way.
struct Turns<'a> {
    agent: &'a Loop,
    session: &'a Session<'a>,
    conversation: Box<dyn Conversation>,
    circles: Option<Circles>,
    /// Replies in a row with which nothing could be done.
    empty: u32,
    /// Tokens of the last request and its reply, by the endpoint or by their bytes.
    context: u64,
    /// The longest reply so far, tokens.
    longest: u64,
    /// Bytes said since the last reply.
    said: u64,
}

impl<'a> Turns<'a> {
    fn begin(agent: &'a Loop, session: &'a Session<'a>) -> Result<Self, SessionError> {
        let specs = session.tools.toolbox().specs();
        let mut user = session.task.instruction.clone();
        if agent.options.announce {
            user.push_str("\n\n");
            user.push_str(&agent.options.announced(session));
        }
        let system = format!("{}{}", agent.prompt.text, skills::told(session.skills));
        let said = system.len() + user.len() + specs.len() * 400;
        session.tools.recorder().record(Event {
            text: Some(system.clone()),
            tools: serde_json::to_value(&specs).ok(),
            ..Event::new(EventKind::System)
        })?;
        session.tools.recorder().record(Event {
            text: Some(user.clone()),
            ..Event::new(EventKind::User)
        })?;
        let conversation = agent.model.open(Opening {
            session: session.id.to_owned(),
            system,
            user,
            tools: specs,
        });
        Ok(Self {
            agent,
            session,
            conversation,
            circles: agent.options.repeats.map(Circles::new),
            empty: 0,
            context: 0,
            longest: 0,
            said: said as u64,
        })
    }

    async fn run(mut self) -> Result<End, SessionError> {
        loop {
            let reservation = match self.admit()? {
                Ok(reservation) => reservation,
                Err(end) => return Ok(end),
            };
            let reply = match self.ask().await {
                Ok(reply) => reply,
                Err(error) => return self.failed(error),
            };
            self.take(&reply, reservation)?;
            if let Some(end) = self.answer(reply).await? {
                return Ok(end);
            }
            self.remind()?;
        }
    }

    async fn ask(&mut self) -> Result<Reply, ModelError> {
        let recorder = self.session.tools.recorder();
        let heard = |retry: &Retry| {
            // A record that cannot be written fails the next one too, where it is told.
            let _ = recorder.record(Event {
                ms: Some((retry.took + retry.wait).as_millis() as u64),
                ..Event::harness(
                    "model_fault",
                    format!(
                        "{}: {} (attempt {} of {})",
                        retry.kind, retry.message, retry.attempt, retry.most
                    ),
                )
            });
        };
        let meter = &self.session.account.meter;
        self.conversation.reply(meter, &heard).await
    }

    /// Records a reply and what it took.
    fn take(&mut self, reply: &Reply, reservation: Reservation) -> Result<(), SessionError> {
        let account = self.session.account;
        let price = self.agent.options.price.as_ref();
        let usage = reply.usage.unwrap_or_default();
        reservation.settle(price.map_or(0, |price| crate::model::cost_microusd(&usage, price)));
        if reply.usage.is_none() && account.is_told() {
            let text = "the endpoint does not tell its tokens: cost is unknown, and limits on tokens and cost cannot hold";
            self.tell("no_usage", text.to_owned())?;
        }
        account.add(reply.usage);
        let written = reply.text.len()
            + reply
                .calls
                .iter()
                .map(|call| call.arguments.len())
                .sum::<usize>();
        match reply.usage {
            Some(usage) => {
                self.context = usage.total();
                self.longest = self.longest.max(usage.output + usage.reasoning);
            }
            None => self.context += (self.said + written as u64) / BYTES,
        }
        self.said = 0;
        self.session.tools.recorder().record(Event {
            text: Some(reply.text.clone()),
            reasoning: reply.reasoning.clone(),
            finish: reply.finish_reason.clone(),
            model: reply.model.clone(),
            usage: reply.usage,
            ms: Some(reply.took.as_millis() as u64),
            ..Event::new(EventKind::Assistant)
        })?;
        Ok(())
    }

    /// Does what a reply asks for; an end where there is one.
    async fn answer(&mut self, reply: Reply) -> Result<Option<End>, SessionError> {
        if reply.finish == Finish::Refused {
            self.tell("refused", "the model refused".into())?;
            return Ok(Some(End::Refused));
        }
        if reply.calls.is_empty() {
            let what = match (reply.finish, reply.text.trim().is_empty()) {
                (Finish::Length, _) => CUT,
                (_, true) => EMPTY,
                // Said something and called nothing: that is its final message.
                (_, false) => return Ok(Some(End::Done)),
            };
            self.empty += 1;
            if self.empty >= MOST_EMPTY {
                self.tell(
                    "stalled",
                    format!("{MOST_EMPTY} replies in a row called nothing and said nothing"),
                )?;
                return Ok(Some(End::Stalled));
            }
            self.say_as_user(what.to_owned())?;
            return Ok(None);
        }
        self.empty = 0;
        let mut circle = None;
        for call in &reply.calls {
            let arguments = match Arguments::written(&call.arguments) {
                // A call that was cut is no mistake in its form.
                Arguments::Raw { text, .. } if reply.finish == Finish::Length => Arguments::Raw {
                    text,
                    why: "the reply was cut at the bound on its length".into(),
                },
                arguments => arguments,
            };
            let result = self
                .session
                .tools
                .perform(&Call {
                    id: Some(call.id.clone()),
                    tool: call.tool.clone(),
                    arguments,
                })
                .await?;
            if result.submitted {
                return Ok(Some(End::Submitted));
            }
            circle = self.note(&call.tool, &call.arguments, &result).or(circle);
            let content = result.told();
            self.said += content.len() as u64;
            self.conversation.say(Said::Result {
                id: call.id.clone(),
                content,
            });
        }
        match circle {
            None => Ok(None),
            Some(circle) => {
                self.tell("loop", circle)?;
                Ok(Some(End::Loop))
            }
        }
    }

    fn note(&mut self, tool: &str, arguments: &str, result: &CallResult) -> Option<String> {
        let failed = result.error.is_some();
        let circles = self.circles.as_mut()?;
        circles.add(tool, arguments, &result.told(), failed)
    }

    fn failed(&self, error: ModelError) -> Result<End, SessionError> {
        let (end, event) = match &error {
            ModelError::ContextOverflow(_) => (End::ContextOverflow, "context_overflow"),
            ModelError::Refused(_) => (End::Refused, "refused"),
            ModelError::Unusable(_) | ModelError::Unreachable(_) | ModelError::Rejected(_) => {
                self.tell("model_error", error.to_string())?;
                return Err(SessionError::Model {
                    answered: self.agent.model.answered(),
                    error,
                });
            }
        };
        self.tell(event, error.to_string())?;
        Ok(end)
    }

    /// Something that the harness says in the user's place; it is on record.
    fn say_as_user(&mut self, text: String) -> Result<(), SessionError> {
        self.session.tools.recorder().record(Event {
            text: Some(text.clone()),
            ..Event::new(EventKind::User)
        })?;
        self.said += text.len() as u64;
        self.conversation.say(Said::User(text));
        Ok(())
    }

    fn tell(&self, event: &str, text: String) -> Result<(), SessionError> {
        let recorder = self.session.tools.recorder();
        recorder.record(Event::harness(event, text))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
