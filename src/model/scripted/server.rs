//! The server: a thin layer of HTTP over what is played.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::file::Script;
use super::play::{Action, Answer, Damage, What, digest, error};
use super::wire;

/// The largest request.
const MOST: usize = 64 << 20;
/// How many conversations are remembered, to count their attempts.
const REMEMBERED: usize = 100_000;
/// Bytes of a piece of an answer that comes whole.
const PIECE: usize = 256;

type Body = BoxBody<Bytes, io::Error>;

/// What a listener hears: one line per request.
pub type Heard = Arc<dyn Fn(String) + Send + Sync>;

/// A running endpoint; it ends when it is dropped.
pub struct Endpoint {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Endpoint {
    /// Begins to serve.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub async fn start(script: Script, address: SocketAddr) -> io::Result<Self> {
        Self::start_heard(script, address, Arc::new(|_| {})).await
    }

    /// As [`Self::start`], with someone who hears of each request.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_heard(
        script: Script,
        address: SocketAddr,
        heard: Heard,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script,
            attempts: Mutex::default(),
            heard,
        });
        let serving = tokio::spawn(serve(listener, shared));
        Ok(Self { address, serving })
    }

    /// What a client takes as its base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

struct Shared {
    script: Script,
    attempts: Mutex<Attempts>,
    heard: Heard,
}

/// How often each conversation was asked for, the oldest forgotten first.
#[derive(Default)]
struct Attempts {
    counts: HashMap<[u8; 32], u32>,
    order: VecDeque<[u8; 32]>,
}

impl Attempts {
    fn count(&mut self, conversation: [u8; 32]) -> u32 {
        if !self.counts.contains_key(&conversation) {
            self.order.push_back(conversation);
            if self.order.len() > REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.counts.remove(&oldest);
            }
        }
        let count = self.counts.entry(conversation).or_insert(0);
        *count += 1;
        *count
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and with it every connection.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, shared.clone()));
                }
                // Out of descriptors, say: the next one may do better.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(request, shared.clone()));
    // A client that goes away, and a connection that the script breaks.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// An error of the service closes the connection without an answer.
async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> io::Result<Response<Body>> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let model = shared.script.model.clone();
    let served = || json!({"id": model, "object": "model", "created": 0, "owned_by": "script"});
    let told = |status: u16, body: &Value| {
        (shared.heard)(format!("{method} {path} {status}"));
        Ok(respond(status, None, body))
    };
    let refused = |what: What| match what {
        What::Error { status, body, .. } => told(status, &body),
        _ => unreachable!("an error"),
    };
    match (&method, path.as_str()) {
        (&Method::POST, "/v1/chat/completions") => {}
        (&Method::GET, "/v1/models") => {
            return match shared.refuses(&request) {
                true => refused(error(401, "invalid_api_key", "the key is not right")),
                false => told(200, &json!({"object": "list", "data": [served()]})),
            };
        }
        (&Method::GET, path) if path.starts_with("/v1/models/") => return told(200, &served()),
        (_, "/v1/chat/completions" | "/v1/models") => {
            return refused(error(
                405,
                "method_not_allowed",
                "this method is not for this path",
            ));
        }
        _ => return refused(error(404, "not_found", "there is no such path")),
    }
    let key = bearer(&request).map(str::to_owned);
    let session = header(&request, "x-session-id").to_owned();
    let body = match Limited::new(request.into_body(), MOST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return refused(error(413, "too_large", "the request is too large")),
    };
    let asked: Value = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(wrong) => {
            let message = format!("the request is no JSON: {wrong}");
            return refused(error(400, "invalid_request", &message));
        }
    };
    let attempt = shared.attempt(&session, &asked);
    let action = shared.script.act(&asked, attempt, key.as_deref());
    (shared.heard)(format!(
        "{method} {path} attempt {attempt}: {}",
        told_of(&action)
    ));
    perform(action, &asked).await
}

impl Shared {
    fn refuses(&self, request: &Request<Incoming>) -> bool {
        self.script.key.is_some() && self.script.key.as_deref() != bearer(request)
    }

    fn attempt(&self, session: &str, asked: &Value) -> u32 {
        use sha2::{Digest as _, Sha256};
        let mut hasher = Sha256::new();
        hasher.update(session);
        hasher.update([0]);
        hasher.update(digest(asked));
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.count(hasher.finalize().into())
    }
}

async fn perform(action: Action, asked: &Value) -> io::Result<Response<Body>> {
    tokio::time::sleep(action.latency).await;
    match action.what {
        What::Error {
            status,
            retry_after,
            body,
        } => Ok(respond(status, retry_after, &body)),
        What::Silence => std::future::pending().await,
        What::Reset => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
        What::Answer(answer, damage) => {
            let streamed = asked["stream"] == true;
            let include_usage = asked["stream_options"]["include_usage"] == true;
            Ok(deliver(&answer, damage, streamed, include_usage))
        }
    }
}

fn deliver(
    answer: &Answer,
    damage: Option<Damage>,
    streamed: bool,
    include_usage: bool,
) -> Response<Body> {
    let empty = damage == Some(Damage::EmptyChoices);
    let invalid = damage == Some(Damage::InvalidJson);
    let (kind, pieces): (_, Vec<Bytes>) = if streamed {
        let mut events: Vec<String> = wire::pieces(answer, include_usage)
            .into_iter()
            .map(|mut event| {
                if empty {
                    event["choices"] = json!([]);
                }
                format!("data: {event}\n\n")
            })
            .collect();
        if invalid && let Some(event) = events.get_mut(1) {
            event.truncate(event.len() / 2);
            event.push_str("\n\n");
        }
        events.push("data: [DONE]\n\n".to_owned());
        (
            "text/event-stream",
            events.into_iter().map(Bytes::from).collect(),
        )
    } else {
        let mut body = wire::whole(answer);
        if empty {
            body["choices"] = json!([]);
        }
        let mut text = body.to_string();
        if invalid {
            text.truncate(text.len() / 2);
        }
        let text = Bytes::from(text);
        let pieces = (0..text.len()).step_by(PIECE);
        let piece = |at: usize| text.slice(at..text.len().min(at + PIECE));
        ("application/json", pieces.map(piece).collect())
    };
    let body = match damage {
        Some(Damage::Cut(after)) => feed(pieces, Some(after), Ending::Broken, Duration::ZERO),
        Some(Damage::Stall(after)) => feed(pieces, Some(after), Ending::Silent, Duration::ZERO),
        Some(Damage::Slow(pause)) => feed(pieces, None, Ending::Whole, pause),
        Some(Damage::InvalidJson | Damage::EmptyChoices) | None => {
            let whole: Vec<u8> = pieces.concat();
            Full::new(Bytes::from(whole)).map_err(never).boxed()
        }
    };
    build(200, body, &[("content-type", kind)])
}

/// How a body ends.
#[derive(Clone, Copy)]
enum Ending {
    Whole,
    /// The connection is closed in its middle.
    Broken,
    /// Nothing comes any more, and nothing ends.
    Silent,
}

/// A body in pieces, of which at least one is sent and the last one is not, where
/// it does not end well.
fn feed(pieces: Vec<Bytes>, after: Option<usize>, ending: Ending, pause: Duration) -> Body {
    let (sender, receiver) = mpsc::channel::<io::Result<Frame<Bytes>>>(1);
    let most = pieces.len().saturating_sub(1).max(1);
    let count = after.map_or(pieces.len(), |after| after.clamp(1, most));
    tokio::spawn(async move {
        for piece in pieces.into_iter().take(count) {
            if sender.send(Ok(Frame::data(piece))).await.is_err() {
                return;
            }
            tokio::time::sleep(pause).await;
        }
        match ending {
            Ending::Whole => {}
            Ending::Broken => {
                // What was sent is to be seen before the connection breaks.
                tokio::time::sleep(Duration::from_millis(5)).await;
                let broken = io::Error::from(io::ErrorKind::ConnectionReset);
                let _ = sender.send(Err(broken)).await;
            }
            // Until the client is gone.
            Ending::Silent => sender.closed().await,
        }
    });
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let frame = receiver.recv().await?;
        Some((frame, receiver))
    });
    BodyExt::boxed(StreamBody::new(stream))
}

fn respond(status: u16, retry_after: Option<f64>, body: &Value) -> Response<Body> {
    let text = Full::new(Bytes::from(body.to_string()));
    let after = retry_after.map(|seconds| seconds.to_string());
    let mut headers = vec![("content-type", "application/json")];
    if let Some(after) = &after {
        headers.push(("retry-after", after));
    }
    build(status, text.map_err(never).boxed(), &headers)
}

fn build(status: u16, body: Body, headers: &[(&'static str, &str)]) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}

fn never(never: Infallible) -> io::Error {
    match never {}
}

fn header<'r>(request: &'r Request<Incoming>, name: &str) -> &'r str {
    let value = request.headers().get(name);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn bearer(request: &Request<Incoming>) -> Option<&str> {
    header(request, "authorization").strip_prefix("Bearer ")
}

fn told_of(action: &Action) -> String {
    match &action.what {
        What::Answer(answer, damage) => {
            let what = match answer.calls.len() {
                0 => "a text".to_owned(),
                1 => format!("a call of {}", answer.calls[0].1),
                count => format!("{count} calls"),
            };
            match damage {
                None => what,
                Some(damage) => format!("{what}, {damage:?}"),
            }
        }
        What::Error { status, .. } => format!("status {status}"),
        What::Silence => "silence".to_owned(),
        What::Reset => "a reset".to_owned(),
    }
}
