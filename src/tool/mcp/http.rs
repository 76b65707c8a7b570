//! Requests over streams into a sandbox.
//!
//! Owns one request, one connection: who serves is near, and what is idle breaks.
//! Headers of the task go along and are told nowhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HOST, LOCATION};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::ConfigVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use super::answer::short;
use crate::sandbox::{Ending, Sandbox, StreamTo};

/// The largest answer that is taken whole.
pub const LARGEST: usize = 16 << 20;
/// Of an answer that is a refusal.
const REFUSAL: usize = 4 << 10;
/// How often a request is sent elsewhere.
const MOST_REDIRECTS: usize = 3;

/// A request that failed; the text has no header and no body in it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct HttpError(pub String);

/// A place that requests go to.
#[derive(Clone)]
pub struct Http(Arc<Place>);

struct Place {
    sandbox: Arc<dyn Sandbox>,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Http {
    /// # Errors
    /// A URL that is none of `http` or `https`; a header that cannot be one.
    pub fn new(
        sandbox: Arc<dyn Sandbox>,
        url: &str,
        headers: &BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("`{url}`: {error}"))?;
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        if !known || uri.host().is_none_or(str::is_empty) {
            return Err(format!("`{url}` is no URL of http or https"));
        }
        let mut sent = Vec::new();
        for (name, value) in headers {
            let header = name.parse::<HeaderName>().ok();
            let Some((header, mut value)) = header.zip(value.parse::<HeaderValue>().ok()) else {
                return Err(format!("`{name}` cannot be a header of a request"));
            };
            value.set_sensitive(true);
            sent.push((header, value));
        }
        Ok(Self(Arc::new(Place {
            sandbox,
            uri,
            headers: sent,
        })))
    }

    /// Where requests go, unless they say otherwise.
    pub fn uri(&self) -> &Uri {
        &self.0.uri
    }

    /// Another place of the same server.
    ///
    /// # Errors
    /// A place that is another server's: it would get the task's headers.
    pub fn resolve(&self, from: &Uri, to: &str) -> Result<Uri, HttpError> {
        let wrong = || HttpError(format!("`{}` is no place of this server", short(to)));
        let uri = match to.parse::<Uri>() {
            Ok(uri) if uri.scheme().is_some() => uri,
            Ok(uri) => {
                let path = uri.path_and_query().map_or("/", |path| path.as_str());
                let path = match path.starts_with('/') {
                    true => path.to_owned(),
                    false => {
                        let folder = from
                            .path()
                            .rsplit_once('/')
                            .map_or("", |(folder, _)| folder);
                        format!("{folder}/{path}")
                    }
                };
                let mut parts = from.clone().into_parts();
                parts.path_and_query = Some(path.parse().map_err(|_| wrong())?);
                Uri::from_parts(parts).map_err(|_| wrong())?
            }
            Err(_) => return Err(wrong()),
        };
        match same_server(&uri, &self.0.uri) {
            true => Ok(uri),
            false => Err(wrong()),
        }
    }

    /// Sends a request, also to where the server moved it; headers of the protocol come
    /// before those of the task.
    pub async fn send(
        &self,
        method: Method,
        uri: &Uri,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Response<Incoming>, HttpError> {
        let mut uri = uri.clone();
        for _ in 0..MOST_REDIRECTS {
            let response = self.once(&method, &uri, headers, body.clone()).await?;
            let moved = matches!(
                response.status(),
                StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
            );
            let to = response.headers().get(LOCATION).filter(|_| moved);
            match to.and_then(|to| to.to_str().ok()) {
                Some(to) => uri = self.resolve(&uri, to)?,
                None => return Ok(response),
            }
        }
        Err(HttpError("it sends requests in a circle".into()))
    }

    async fn once(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Response<Incoming>, HttpError> {
        let failed = |error: &dyn std::fmt::Display| HttpError(error.to_string());
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = path.parse().map_err(|error| failed(&error))?;
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let host = HeaderValue::from_str(host).map_err(|error| failed(&error))?;
        let map = request.headers_mut();
        map.insert(HOST, host);
        for (name, value) in self.0.headers.iter().chain(headers) {
            map.insert(name.clone(), value.clone());
        }
        let (io, ending) = self.dial(uri).await?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(io)).await;
        let (mut sender, connection) = handshake.map_err(|error| failed(&error))?;
        // It ends with the response's body, or with whoever drops that.
        tokio::spawn(connection);
        match sender.send_request(request).await {
            Ok(response) => Ok(response),
            Err(error) => {
                // Who could not connect says why.
                let said = ending.end().await.said.text();
                match said.trim() {
                    "" => Err(failed(&error)),
                    said => Err(HttpError(short(said))),
                }
            }
        }
    }

    async fn dial(&self, uri: &Uri) -> Result<(Box<dyn Io>, Ending), HttpError> {
        let failed = |error: &dyn std::fmt::Display| HttpError(error.to_string());
        let host = uri.host().unwrap_or_default().to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let to = StreamTo::Address {
            host: host.clone(),
            port,
        };
        let stream = self.0.sandbox.open(&to).await;
        let stream = stream.map_err(|error| failed(&error))?;
        let ending = stream.ending();
        if !secure {
            return Ok((Box::new(stream), ending));
        }
        // The only provider in the tree; a second installation is nothing to worry about.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = rustls::ClientConfig::with_platform_verifier();
        let config = config.map_err(|error| failed(&error))?;
        let name = ServerName::try_from(host).map_err(|error| failed(&error))?;
        match TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
        {
            Ok(stream) => Ok((Box::new(stream), ending)),
            Err(error) => match ending.end().await.said.text().trim() {
                "" => Err(failed(&error)),
                said => Err(HttpError(short(said))),
            },
        }
    }
}

fn same_server(one: &Uri, other: &Uri) -> bool {
    one.scheme() == other.scheme() && one.authority() == other.authority()
}

/// The whole body, within a bound.
pub async fn whole(response: Response<Incoming>) -> Result<Bytes, HttpError> {
    let body = Limited::new(response.into_body(), LARGEST).collect().await;
    let body = body.map_err(|error| HttpError(short(&error.to_string())))?;
    Ok(body.to_bytes())
}

/// What a refusal says: its status, and the beginning of its text.
pub async fn refused(response: Response<Incoming>) -> HttpError {
    let status = response.status();
    let mut text = Vec::new();
    let mut body = response.into_body();
    while let Some(Ok(frame)) = body.frame().await
        && text.len() < REFUSAL
    {
        text.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
    }
    let text = short(String::from_utf8_lossy(&text).trim());
    HttpError(match text.is_empty() {
        true => format!("HTTP {status}"),
        false => format!("HTTP {status}: {text}"),
    })
}

/// Whether a response says to be of this type.
pub fn is_of<B>(response: &Response<B>, media: &str) -> bool {
    let given = response.headers().get(http::header::CONTENT_TYPE);
    let given = given
        .and_then(|given| given.to_str().ok())
        .unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    given.eq_ignore_ascii_case(media)
}
