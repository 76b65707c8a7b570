//! The OpenAI chat format, as a model behind an endpoint.
//!
//! Owns the client, its time-outs and its retries. Must not know what the calls
//! mean that a model makes.

mod answer;
mod fault;
mod request;
mod stream;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use rand::Rng;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value};

use super::{Conversation, Listener, Meter, Model, ModelError, Opening, Reply, Retry, Said};
use crate::config::ModelSettings;
use crate::diagnose::innermost;
use crate::record::{Digest, ModelRef};
use fault::Fault;
use request::Messages;

/// The largest answer, bytes.
const MOST: usize = 64 << 20;
/// How long the first greeting may take, and how often it is tried.
const GREETING: Duration = Duration::from_secs(10);
const GREETINGS: u32 = 3;

/// An endpoint that cannot be talked to at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenAiError {
    #[error("the variable {name} that holds the key of the model is not set")]
    NoKey { name: String },
    #[error("the key in {name} has characters that a header cannot carry")]
    Key { name: String },
    #[error("make an HTTP client: {0}")]
    Client(String),
}

/// A model behind an OpenAI-compatible chat endpoint.
pub struct OpenAi {
    wire: Arc<Wire>,
    name: String,
    provider: String,
    /// Of the file that is played.
    digest: Option<Digest>,
}

/// What conversations share.
struct Wire {
    http: reqwest::Client,
    settings: ModelSettings,
    id: String,
    answered: AtomicBool,
}

impl OpenAi {
    /// `name`: what the user calls the model; the id at the endpoint, unless the
    /// settings give another. `key`: none sends none.
    ///
    /// # Errors
    /// A key that no header can carry; a client that cannot be made.
    pub fn new(
        name: &str,
        settings: ModelSettings,
        key: Option<&str>,
    ) -> Result<Self, OpenAiError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = key {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| {
                let name = settings.key_env.clone().unwrap_or_default();
                OpenAiError::Key { name }
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        // The only provider in the tree; a second installation is nothing to worry about.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("proofyard/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(20))
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .build()
            .map_err(|error| OpenAiError::Client(innermost(&error)))?;
        let host = settings.base_url.split("://").nth(1).unwrap_or_default();
        let provider = host.split('/').next().unwrap_or_default().to_owned();
        let id = settings.id.clone().unwrap_or_else(|| name.to_owned());
        Ok(Self {
            wire: Arc::new(Wire {
                http,
                settings,
                id,
                answered: AtomicBool::new(false),
            }),
            name: name.to_owned(),
            provider,
            digest: None,
        })
    }

    /// One that is played from a file of this digest.
    pub fn scripted(mut self, digest: Digest) -> Self {
        self.provider = "scripted".to_owned();
        self.digest = Some(digest);
        self
    }
}

#[async_trait]
impl Model for OpenAi {
    fn identity(&self) -> ModelRef {
        ModelRef {
            id: self.name.clone(),
            provider: self.provider.clone(),
            digest: self.digest.clone(),
        }
    }

    fn parameters(&self) -> Map<String, Value> {
        request::parameters(&self.wire.id, &self.wire.settings)
    }

    fn reply_bound(&self) -> Option<u64> {
        self.wire.settings.max_tokens
    }

    fn answered(&self) -> bool {
        self.wire.answered.load(Ordering::Relaxed)
    }

    async fn greet(&self) -> Result<(), ModelError> {
        let url = format!("{}/models", self.wire.settings.base_url);
        let mut tried = 1;
        loop {
            let sent = self.wire.http.get(&url).timeout(GREETING).send().await;
            let failed = match sent {
                Ok(answer) if matches!(answer.status().as_u16(), 401 | 403) => {
                    let status = answer.status().as_u16();
                    let body = answer.bytes().await.unwrap_or_default();
                    return match fault::of_status(status, &HeaderMap::new(), &body) {
                        Fault::Final(error) => Err(self.wire.placed(error)),
                        Fault::Again { message, .. } => Err(ModelError::Unusable(message)),
                    };
                }
                // What else it says of its models is not to be relied on.
                Ok(_) => return Ok(()),
                Err(error) => innermost(&error),
            };
            if tried == GREETINGS {
                return Err(self.wire.placed(ModelError::Unreachable(failed)));
            }
            tried += 1;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    fn open(&self, opening: Opening) -> Box<dyn Conversation> {
        Box::new(Chat {
            wire: self.wire.clone(),
            session: opening.session.clone(),
            messages: Messages::new(&opening),
        })
    }
}

/// A conversation: its messages, each serialised once.
struct Chat {
    wire: Arc<Wire>,
    session: String,
    messages: Messages,
}

#[async_trait]
impl Conversation for Chat {
    fn say(&mut self, said: Said) {
        self.messages.say(&said);
    }

    async fn reply(&mut self, meter: &Meter, listener: Listener<'_>) -> Result<Reply, ModelError> {
        let body = self.messages.body(&self.wire.id, &self.wire.settings);
        let mut reply = self.wire.ask(&self.session, body, meter, listener).await?;
        self.messages.remember(&mut reply);
        Ok(reply)
    }
}

impl Wire {
    /// Asks until there is an answer, or every attempt has failed.
    async fn ask(
        &self,
        session: &str,
        body: Bytes,
        meter: &Meter,
        listener: Listener<'_>,
    ) -> Result<Reply, ModelError> {
        let most = self.settings.tries;
        let mut attempt = 1;
        loop {
            let (measure, started) = (meter.measure(), Instant::now());
            let asked = tokio::time::timeout(
                self.settings.timeout,
                self.attempt(session, body.clone(), started),
            );
            let fault = match asked.await {
                Ok(Ok(reply)) => {
                    self.answered.store(true, Ordering::Relaxed);
                    return Ok(reply);
                }
                Ok(Err(fault)) => fault,
                Err(_) => Fault::again(
                    "timeout",
                    format!(
                        "no whole answer within {} s",
                        self.settings.timeout.as_secs_f64()
                    ),
                ),
            };
            measure.in_vain();
            let took = started.elapsed();
            let (kind, message, after) = match fault {
                Fault::Final(error) => return Err(self.placed(error)),
                Fault::Again {
                    kind,
                    message,
                    after,
                } => (kind, message, after),
            };
            let wait = match attempt == most {
                true => Duration::ZERO,
                false => self.pause(attempt, after),
            };
            listener(&Retry {
                attempt,
                most,
                kind,
                message: message.clone(),
                took,
                wait,
            });
            if attempt == most {
                let all = match most {
                    1 => message,
                    _ => format!("{most} attempts failed, the last one: {message}"),
                };
                return Err(self.placed(ModelError::Unreachable(all)));
            }
            let waiting = meter.measure().waiting();
            tokio::time::sleep(wait).await;
            drop(waiting);
            attempt += 1;
        }
    }

    /// Doubled for each attempt, half of it drawn, so that many who failed together
    /// do not come back together; or what the endpoint asks for. Never longer than
    /// the longest pause.
    fn pause(&self, attempt: u32, after: Option<Duration>) -> Duration {
        let longest = self.settings.longest_pause;
        let doubled = self
            .settings
            .pause
            .saturating_mul(1 << (attempt - 1).min(20));
        let drawn = doubled
            .min(longest)
            .mul_f64(rand::rng().random_range(0.5..=1.0));
        match after {
            Some(after) => (after + drawn / 10).min(longest),
            None => drawn,
        }
    }

    async fn attempt(&self, session: &str, body: Bytes, started: Instant) -> Result<Reply, Fault> {
        let url = format!("{}/chat/completions", self.settings.base_url);
        let request = self.http.post(url).header("x-session-id", session);
        let sent = tokio::time::timeout(self.settings.timeout, request.body(body).send());
        let answer = match sent.await {
            Ok(answer) => answer.map_err(|error| Fault::of_transport(&error))?,
            Err(_) => return Err(Fault::again("timeout", "the endpoint does not answer")),
        };
        let status = answer.status();
        if !status.is_success() {
            let headers = answer.headers().clone();
            let body = self.whole(answer).await?;
            return Err(fault::of_status(status.as_u16(), &headers, &body));
        }
        let streamed = answer
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("text/event-stream"));
        let mut reply = match streamed {
            true => stream::read(answer, self.settings.stall).await?,
            false => answer::parse(&self.whole(answer).await?)?,
        };
        reply.took = started.elapsed();
        Ok(reply)
    }

    /// A body, read with a bound, and with one on silence.
    async fn whole(&self, mut answer: reqwest::Response) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        while let Some(piece) = stream::next(&mut answer, self.settings.stall).await? {
            if body.len() + piece.len() > MOST {
                return Err(too_large());
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// With the endpoint that it is about.
    fn placed(&self, error: ModelError) -> ModelError {
        let at = |message: String| {
            format!(
                "model `{}` at {}: {message}",
                self.id, self.settings.base_url
            )
        };
        match error {
            ModelError::Unusable(message) => ModelError::Unusable(at(message)),
            ModelError::Unreachable(message) => ModelError::Unreachable(at(message)),
            other => other,
        }
    }
}

fn too_large() -> Fault {
    Fault::again(
        "invalid_answer",
        format!("the answer has more than {} MiB", MOST >> 20),
    )
}

#[cfg(test)]
mod tests;
