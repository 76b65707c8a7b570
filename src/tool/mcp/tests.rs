//! Servers of tools against one of a few lines, at the other end of a fake's streams.

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::*;
use crate::sandbox::fake::{FakeSandbox, exited};
use crate::sandbox::stream::Carrier;
use crate::sandbox::{Captured, Ended, StreamEnd, StreamTo};
use crate::task::McpTransport;

const LIMITS: CallLimits = CallLimits {
    timeout: Duration::from_millis(300),
    output_bytes: 1 << 16,
};

/// What a request is answered with; none: nothing.
fn answer(request: &Value) -> Option<Value> {
    let result = match request["method"].as_str()? {
        "initialize" => json!({
            "protocolVersion": request["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "shop", "version": "1"},
        }),
        // Two pages.
        "tools/list" if request["params"]["cursor"].is_null() => json!({
            "tools": [{"name": "buy", "inputSchema": {"type": "object", "required": ["item"]}}],
            "nextCursor": "2",
        }),
        "tools/list" => json!({"tools": [{"name": "odd", "inputSchema": {"$ref": "#/none"}}]}),
        "tools/call" => match request["params"]["arguments"]["item"].as_str() {
            Some("nothing") => return None,
            Some("harm") => {
                let error = json!({"code": -32000, "message": "not for sale"});
                return Some(json!({"jsonrpc": "2.0", "id": request["id"], "error": error}));
            }
            item => json!({"content": [{"type": "text", "text": format!("bought {item:?}")}]}),
        },
        _ => return None,
    };
    Some(json!({"jsonrpc": "2.0", "id": request["id"], "result": result}))
}

/// Serves lines until it is told to go, and ends with its last words.
async fn serve_lines(carrier: Carrier) {
    let Carrier { io, close, teller } = carrier;
    let (from, mut to) = tokio::io::split(io);
    let mut lines = BufReader::new(from).lines();
    let serving = async {
        while let Ok(Some(line)) = lines.next_line().await {
            let request: Value = serde_json::from_str(&line).unwrap();
            if request["params"]["arguments"]["item"] == "death" {
                return;
            }
            if let Some(answer) = answer(&request) {
                to.write_all(format!("{answer}\n").as_bytes())
                    .await
                    .unwrap();
            }
        }
    };
    tokio::select! {
        () = serving => {}
        () = close.cancelled() => {}
    }
    teller.tell(last_words());
}

fn last_words() -> StreamEnd {
    StreamEnd {
        ended: Ended::Exited(3),
        said: Captured {
            head: b"no more\n".to_vec(),
            ..Captured::default()
        },
    }
}

fn sandbox<F>(serve: fn(Carrier) -> F) -> Arc<dyn Sandbox>
where
    F: Future<Output = ()> + Send + 'static,
{
    let fake = FakeSandbox::new(|_, _| Ok(exited(0, "", "")));
    Arc::new(fake.with_talker(move |_: &StreamTo, carrier| drop(tokio::spawn(serve(carrier)))))
}

fn stdio(name: &str) -> McpServer {
    let transport = McpTransport::Stdio {
        command: "serve".into(),
        args: Vec::new(),
    };
    server(name, transport)
}

fn server(name: &str, transport: McpTransport) -> McpServer {
    McpServer {
        name: name.into(),
        transport,
    }
}

async fn connected(sandbox: Arc<dyn Sandbox>, server: McpServer) -> Servers {
    Servers::connect(&sandbox, &[server], Duration::from_secs(2)).await
}

async fn called(servers: &Servers, item: &str) -> CallResult {
    servers
        .call(0, "buy", &json!({"item": item}), &LIMITS)
        .await
}

#[tokio::test]
async fn what_a_program_offers_is_listed_and_called() {
    let servers = connected(sandbox(serve_lines), stdio("shop")).await;
    assert_eq!(servers.failed().collect::<Vec<_>>(), []);
    let names: Vec<String> = servers
        .tools()
        .into_iter()
        .map(|one| one.spec.name)
        .collect();
    assert_eq!(names, ["mcp__shop__buy", "mcp__shop__odd"]);
    assert_eq!(
        called(&servers, "tea").await.output,
        r#"bought Some("tea")"#
    );
    assert_eq!(
        called(&servers, "harm").await.error.unwrap(),
        "not for sale"
    );
    servers.end().await;
}

#[tokio::test]
async fn a_call_without_an_answer_ends_at_its_limit_and_the_next_is_answered() {
    let servers = connected(sandbox(serve_lines), stdio("shop")).await;
    let error = called(&servers, "nothing").await.error.unwrap();
    assert_eq!(error, "the limit of 0.3 s on one call fired");
    assert_eq!(called(&servers, "tea").await.error, None);
}

#[tokio::test]
async fn a_server_that_dies_fails_the_call_with_its_last_words() {
    let servers = connected(sandbox(serve_lines), stdio("shop")).await;
    for _ in 0..2 {
        let error = called(&servers, "death").await.error.unwrap();
        assert!(
            error.starts_with("the server `shop` did not answer: "),
            "{error}"
        );
        assert!(error.ends_with("(status 3): no more"), "{error}");
    }
}

async fn serve_nothing(carrier: Carrier) {
    carrier.close.cancelled().await;
    carrier.teller.tell(last_words());
}

#[tokio::test]
async fn a_server_that_never_answers_is_told_with_its_last_words() {
    let servers = connected(sandbox(serve_nothing), stdio("mute")).await;
    let failed: Vec<_> = servers.failed().collect();
    let why = "it does not answer within 2 s (status 3): no more";
    assert_eq!(failed, [("mute", why)]);
    let error = called(&servers, "tea").await.error.unwrap();
    assert_eq!(error, format!("the server `mute` is gone: {why}"));
}

/// One request over HTTP, answered as the transport's first version or as streamable.
async fn serve_http(carrier: Carrier) {
    let Carrier { io, teller, .. } = carrier;
    let (from, mut to) = tokio::io::split(io);
    let mut from = BufReader::new(from);
    let (mut length, mut secret, mut line) = (0, false, String::new());
    while from.read_line(&mut line).await.unwrap() > 2 {
        let lower = line.to_lowercase();
        if let Some(given) = lower.strip_prefix("content-length: ") {
            length = given.trim().parse().unwrap();
        }
        secret |= line.trim_end() == "x-key: secret";
        line.clear();
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).await.unwrap();
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let respond = |status: &str, media: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
    };
    let response = match (secret, answer(&request)) {
        (false, _) => respond("401 Unauthorized", "text/plain", "a key is needed"),
        (true, Some(answer)) => {
            let event = format!("event: message\ndata: {answer}\n\n");
            respond("200 OK", "text/event-stream", &event)
        }
        (true, None) if length == 0 => respond("405 Method Not Allowed", "text/plain", ""),
        (true, None) => respond("202 Accepted", "text/plain", ""),
    };
    to.write_all(response.as_bytes()).await.unwrap();
    to.shutdown().await.unwrap();
    teller.tell(StreamEnd::default());
}

fn http(headers: &[(&str, &str)]) -> McpServer {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    let transport = McpTransport::StreamableHttp {
        url: "http://shop:8000/mcp".into(),
        headers: headers.collect(),
    };
    server("shop", transport)
}

#[tokio::test]
async fn streamable_http_is_spoken_with_the_headers_of_the_task() {
    let servers = connected(sandbox(serve_http), http(&[("x-key", "secret")])).await;
    assert_eq!(servers.failed().collect::<Vec<_>>(), []);
    assert_eq!(
        called(&servers, "tea").await.output,
        r#"bought Some("tea")"#
    );
    assert_eq!(
        called(&servers, "harm").await.error.unwrap(),
        "not for sale"
    );
}

#[tokio::test]
async fn a_refusal_is_told_and_no_header_with_it() {
    let servers = connected(sandbox(serve_http), http(&[("x-key", "wrong-secret")])).await;
    let (_, why) = servers.failed().next().unwrap();
    assert_eq!(why, "HTTP 401 Unauthorized: a key is needed");
}

#[tokio::test]
async fn what_is_no_url_is_told_at_once() {
    let transport = McpTransport::Sse {
        url: "shop:8000".into(),
        headers: Default::default(),
    };
    let servers = connected(sandbox(serve_nothing), server("shop", transport)).await;
    let (_, why) = servers.failed().next().unwrap();
    assert!(why.ends_with("is no URL of http or https"), "{why}");
}
