//! The connection to one server: how it is reached, its first words, what it offers.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{ClientCapabilities, ClientConfig, Implementation, PaginatedRequestParams, Tool};
use rmcp::service::{
    ClientInitializeError, RoleClient, RunningService, ServiceError, serve_client,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, transport::IntoTransport};
use tokio::time::Instant;

use super::answer::short;
use super::http::Http;
use super::sse::SseTransport;
use crate::diagnose::innermost;
use crate::sandbox::{Ending, Sandbox, StreamEnd, StreamTo};
use crate::task::McpTransport;

/// Between two attempts at a server that is coming up.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a server may take to hear that it is over.
const TO_END: Duration = Duration::from_secs(2);
/// The most that one server may offer.
const MOST_TOOLS: usize = 512;
const MOST_PAGES: usize = 64;

/// A server that answers.
pub struct Client {
    pub service: RunningService<RoleClient, Named>,
    pub tools: Vec<Tool>,
    /// Of a program that was started for it.
    ending: Option<Ending>,
}

/// Who we are.
#[derive(Debug, Clone, Copy)]
pub struct Named;

impl ClientHandler for Named {
    fn get_info(&self) -> ClientConfig {
        let own = Implementation::new("proofyard", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), own)
    }
}

/// Connects and asks what is offered. A server behind an address may still come up; a
/// program is started once.
///
/// # Errors
/// Why not, in a sentence, with its last words.
pub async fn connect(
    sandbox: &Arc<dyn Sandbox>,
    transport: &McpTransport,
    limit: Duration,
) -> Result<Client, String> {
    if let McpTransport::Stdio { command, args } = transport {
        let mut argv = vec![command.clone()];
        argv.extend(args.iter().cloned());
        return started(sandbox, argv, limit).await;
    }
    let until = Instant::now() + limit;
    let mut before = None;
    loop {
        let reached = tokio::time::timeout_at(until, reached(sandbox, transport)).await;
        let why = match reached {
            Ok(Ok(client)) => return Ok(client),
            Ok(Err(why)) => why,
            // That it was late says less than why it failed until then.
            Err(_) => return Err(before.unwrap_or_else(|| late(limit))),
        };
        if Instant::now() + PAUSE >= until {
            return Err(why);
        }
        before = Some(why);
        tokio::time::sleep(PAUSE).await;
    }
}

fn late(limit: Duration) -> String {
    format!("it does not answer within {} s", limit.as_secs_f64())
}

async fn started(
    sandbox: &Arc<dyn Sandbox>,
    argv: Vec<String>,
    limit: Duration,
) -> Result<Client, String> {
    let opened = sandbox.open(&StreamTo::Program(argv)).await;
    let stream = opened.map_err(|error| error.to_string())?;
    let ending = stream.ending();
    let greeted = tokio::time::timeout(limit, greet(stream)).await;
    match greeted.unwrap_or_else(|_| Err(late(limit))) {
        Ok((service, tools)) => Ok(Client {
            service,
            tools,
            ending: Some(ending),
        }),
        Err(why) => Err(last_words(&why, &ending.end().await)),
    }
}

async fn reached(sandbox: &Arc<dyn Sandbox>, transport: &McpTransport) -> Result<Client, String> {
    let (service, tools) = match transport {
        McpTransport::Sse { url, headers } => {
            let http = Http::new(sandbox.clone(), url, headers)?;
            let transport = SseTransport::connect(http).await;
            greet(transport.map_err(|error| error.to_string())?).await?
        }
        McpTransport::StreamableHttp { url, headers } => {
            let http = Http::new(sandbox.clone(), url, headers)?;
            let config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
                .reinit_on_expired_session(true);
            let transport = StreamableHttpClientTransport::with_client(http, config);
            greet(transport).await?
        }
        McpTransport::Stdio { command, .. } => return Err(format!("`{command}` has no address")),
    };
    Ok(Client {
        service,
        tools,
        ending: None,
    })
}

type Greeted = (RunningService<RoleClient, Named>, Vec<Tool>);

async fn greet<T, E, A>(transport: T) -> Result<Greeted, String>
where
    T: IntoTransport<RoleClient, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let service = serve_client(Named, transport).await;
    let service = service.map_err(|error| refusal(&error))?;
    let tools = tools(&service).await?;
    Ok((service, tools))
}

/// All pages of what is offered.
async fn tools(service: &RunningService<RoleClient, Named>) -> Result<Vec<Tool>, String> {
    let mut tools = Vec::new();
    let mut cursor = None;
    for _ in 0..MOST_PAGES {
        let page = PaginatedRequestParams::default().with_cursor(cursor);
        let listed = service.peer().list_tools(Some(page)).await;
        let listed = listed.map_err(|error| format!("tools/list: {}", reason(&error)))?;
        tools.extend(listed.tools);
        if tools.len() > MOST_TOOLS {
            return Err(format!("it offers more than {MOST_TOOLS} tools"));
        }
        cursor = listed.next_cursor;
        if cursor.is_none() {
            return Ok(tools);
        }
    }
    Err(format!(
        "its list of tools has more than {MOST_PAGES} pages"
    ))
}

impl Client {
    /// Why a call failed, with what its program said where it is over.
    pub async fn why(&self, reason: &str) -> String {
        match &self.ending {
            Some(ending)
                if self.service.is_closed() || self.service.peer().is_transport_closed() =>
            {
                last_words(reason, &ending.end().await)
            }
            _ => reason.to_owned(),
        }
    }

    /// Ends the connection.
    pub async fn end(mut self) {
        // Whatever it says by then, nothing of it is heard any more.
        let _ = self.service.close_with_timeout(TO_END).await;
        if let Some(ending) = &self.ending {
            ending.end().await;
        }
    }
}

/// What is wrong, how the program ended, and its standard error.
fn last_words(why: &str, end: &StreamEnd) -> String {
    let said = end.said.text();
    let said = said.trim();
    let how = match end.ended.code() {
        Some(code) => format!(" (status {code})"),
        None => String::new(),
    };
    match said.is_empty() {
        true => format!("{why}{how}"),
        false => format!("{why}{how}: {}", tail(said)),
    }
}

/// The end of a long text.
fn tail(text: &str) -> &str {
    let from = text.len().saturating_sub(2000);
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at));
    from.map_or("", |from| &text[from..])
}

fn refusal(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::TransportError { error, .. } => cause(error.error.as_ref()),
        ClientInitializeError::ConnectionClosed(_) => "it ended the connection".to_owned(),
        ClientInitializeError::JsonRpcError(error) => short(&error.message),
        other => short(&other.to_string()),
    }
}

/// What a failed request is told as.
pub fn reason(error: &ServiceError) -> String {
    match error {
        ServiceError::TransportSend(error) => cause(error.error.as_ref()),
        ServiceError::TransportClosed => "the connection is closed".to_owned(),
        ServiceError::McpError(error) => short(&error.message),
        other => short(&other.to_string()),
    }
}

/// The cause of all; what wraps it names types.
fn cause(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    let text = innermost(error);
    // Its transport names in front whose error it is.
    short(text.strip_prefix("Client error: ").unwrap_or(&text))
}
