//! HTTP with events, the transport of the protocol's first version: one stream of events
//! brings all answers, and first of all the place that requests are posted to.

use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Uri};
use rmcp::RoleClient;
use rmcp::model::ServerJsonRpcMessage;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;

use super::events::{Events, events};
use super::http::{Http, HttpError, is_of, refused};
use super::streamable::{EVENTS, JSON};

/// A stream of events, and where to post.
pub struct SseTransport {
    http: Http,
    to: Uri,
    events: Option<Events>,
}

impl SseTransport {
    /// Opens the stream and waits to hear where to post.
    pub async fn connect(http: Http) -> Result<Self, HttpError> {
        let headers = [(ACCEPT, HeaderValue::from_static(EVENTS))];
        let from = http.uri().clone();
        let response = http
            .send(Method::GET, &from, &headers, Bytes::new())
            .await?;
        if !response.status().is_success() {
            return Err(refused(response).await);
        }
        if !is_of(&response, EVENTS) {
            return Err(HttpError("it answers without a stream of events".into()));
        }
        let mut events = events(response.into_body());
        while let Some(event) = events.next().await {
            let event = event.map_err(|error| HttpError(error.to_string()))?;
            if event.event.as_deref() == Some("endpoint") {
                let to = event.data.unwrap_or_default();
                let to = http.resolve(&from, to.trim())?;
                let events = Some(events);
                return Ok(Self { http, to, events });
            }
        }
        Err(HttpError("it never says where to post requests".into()))
    }
}

impl Transport<RoleClient> for SseTransport {
    type Error = HttpError;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), HttpError>> + Send + 'static {
        let (http, to) = (self.http.clone(), self.to.clone());
        async move {
            let headers = [(CONTENT_TYPE, HeaderValue::from_static(JSON))];
            let body =
                serde_json::to_vec(&message).map_err(|error| HttpError(error.to_string()))?;
            let response = http.send(Method::POST, &to, &headers, body.into()).await?;
            match response.status().is_success() {
                true => Ok(()),
                false => Err(refused(response).await),
            }
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let event = self.events.as_mut()?.next().await?.ok()?;
            if !matches!(event.event.as_deref(), None | Some("message")) {
                continue;
            }
            let data = event.data.unwrap_or_default();
            match serde_json::from_str::<ServerJsonRpcMessage>(&data) {
                Ok(message) => return Some(message),
                Err(error) => tracing::debug!(%error, "a server of tools sent no message"),
            }
        }
    }

    async fn close(&mut self) -> Result<(), HttpError> {
        self.events = None;
        Ok(())
    }
}
