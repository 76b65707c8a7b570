//! Streamable HTTP: the requests that `rmcp`'s transport makes, over streams into a
//! sandbox.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};
use sse_stream::{Error as SseError, Sse};

use super::events::events;
use super::http::{Http, HttpError, is_of, refused, whole};

pub const JSON: &str = "application/json";
pub const EVENTS: &str = "text/event-stream";
const BOTH: &str = "application/json, text/event-stream";
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

type Failed = StreamableHttpError<HttpError>;
type Headers = Vec<(HeaderName, HeaderValue)>;

impl StreamableHttpClient for Http {
    type Error = HttpError;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failed> {
        let mut headers = vec![
            (ACCEPT, HeaderValue::from_static(BOTH)),
            (CONTENT_TYPE, HeaderValue::from_static(JSON)),
        ];
        let in_session = session_id.is_some();
        common(&mut headers, session_id, auth_header, custom_headers)?;
        let asks = matches!(message, ClientJsonRpcMessage::Request(_));
        let body = Bytes::from(serde_json::to_vec(&message)?);
        let response = self
            .send(Method::POST, &parsed(&uri)?, &headers, body)
            .await;
        let response = response.map_err(Failed::Client)?;
        let status = response.status();
        if status == StatusCode::NOT_FOUND && in_session {
            return Err(Failed::SessionExpired);
        }
        let session = response.headers().get(&SESSION);
        let session = session.and_then(|id| id.to_str().ok()).map(str::to_owned);
        let json = is_of(&response, JSON);
        if !status.is_success() {
            return match json && asks {
                // A refusal in the protocol's own words is an answer.
                true => refusal(
                    &whole(response).await.map_err(Failed::Client)?,
                    status,
                    session,
                ),
                false => Err(Failed::Client(refused(response).await)),
            };
        }
        // Nobody waits for an answer to anything but a request.
        if !asks || status == StatusCode::ACCEPTED || status == StatusCode::NO_CONTENT {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        if is_of(&response, EVENTS) {
            let events = events(response.into_body());
            return Ok(StreamableHttpPostResponse::Sse(events, session));
        }
        if !json {
            return Err(Failed::UnexpectedContentType(content_type(&response)));
        }
        let body = whole(response).await.map_err(Failed::Client)?;
        let message = serde_json::from_slice(&body)?;
        Ok(StreamableHttpPostResponse::Json(message, session))
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failed> {
        let mut headers = Headers::new();
        common(&mut headers, Some(session_id), auth_header, custom_headers)?;
        let uri = parsed(&uri)?;
        let response = self
            .send(Method::DELETE, &uri, &headers, Bytes::new())
            .await;
        let response = response.map_err(Failed::Client)?;
        match response.status() {
            status if status.is_success() || status == StatusCode::METHOD_NOT_ALLOWED => Ok(()),
            _ => Err(Failed::Client(refused(response).await)),
        }
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failed> {
        let mut headers = vec![(ACCEPT, HeaderValue::from_static(EVENTS))];
        common(&mut headers, session_id, auth_header, custom_headers)?;
        if let Some(last) = last_event_id {
            headers.push((LAST_EVENT, value(&last)?));
        }
        let uri = parsed(&uri)?;
        let response = self.send(Method::GET, &uri, &headers, Bytes::new()).await;
        let response = response.map_err(Failed::Client)?;
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            return Err(Failed::ServerDoesNotSupportSse);
        }
        if !response.status().is_success() {
            return Err(Failed::Client(refused(response).await));
        }
        if !is_of(&response, EVENTS) {
            return Err(Failed::UnexpectedContentType(content_type(&response)));
        }
        Ok(events(response.into_body()))
    }
}

fn common(
    headers: &mut Headers,
    session: Option<Arc<str>>,
    auth: Option<String>,
    custom: HashMap<HeaderName, HeaderValue>,
) -> Result<(), Failed> {
    headers.extend(custom);
    if let Some(auth) = auth {
        headers.push((AUTHORIZATION, value(&format!("Bearer {auth}"))?));
    }
    if let Some(session) = session {
        headers.push((SESSION, value(&session)?));
    }
    Ok(())
}

fn value(text: &str) -> Result<HeaderValue, Failed> {
    HeaderValue::from_str(text).map_err(|error| Failed::Client(HttpError(error.to_string())))
}

fn parsed(uri: &str) -> Result<Uri, Failed> {
    uri.parse()
        .map_err(|error| Failed::Client(HttpError(format!("`{uri}`: {error}"))))
}

fn content_type<B>(response: &http::Response<B>) -> Option<String> {
    let given = response.headers().get(CONTENT_TYPE)?;
    given.to_str().ok().map(str::to_owned)
}

fn refusal(
    body: &[u8],
    status: StatusCode,
    session: Option<String>,
) -> Result<StreamableHttpPostResponse, Failed> {
    match serde_json::from_slice::<ServerJsonRpcMessage>(body) {
        Ok(error @ ServerJsonRpcMessage::Error(_)) => {
            Ok(StreamableHttpPostResponse::Json(error, session))
        }
        _ => Err(Failed::Client(HttpError(format!("HTTP {status}")))),
    }
}
