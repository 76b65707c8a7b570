//! What an endpoint that does not answer means: asking again, or giving up.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::diagnose::innermost;
use crate::model::ModelError;

/// Why an attempt gave no reply.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// Another attempt may do better.
    Again {
        kind: &'static str,
        message: String,
        /// What the endpoint asks to wait.
        after: Option<Duration>,
    },
    Final(ModelError),
}

impl Fault {
    pub fn again(kind: &'static str, message: impl Into<String>) -> Self {
        Self::Again {
            kind,
            message: message.into(),
            after: None,
        }
    }

    /// A connection that was not made, or broke.
    pub fn of_transport(error: &reqwest::Error) -> Self {
        let kind = match error {
            error if error.is_timeout() => "timeout",
            error if error.is_connect() => "unreachable",
            _ => "reset",
        };
        Self::again(kind, innermost(error))
    }
}

/// An answer that says no.
pub fn of_status(status: u16, headers: &HeaderMap, body: &[u8]) -> Fault {
    let said = Said::read(body);
    let message = match said.message.is_empty() {
        true => format!("status {status}"),
        false => format!("status {status}: {}", said.message),
    };
    match status {
        401 | 403 => Fault::Final(ModelError::Unusable(format!(
            "the endpoint refuses the key ({message})"
        ))),
        402 => Fault::Final(ModelError::Unusable(message)),
        404 => Fault::Final(ModelError::Unusable(format!(
            "the endpoint knows no such model or path ({message})"
        ))),
        // No pause mends an account that is empty.
        429 if said.code == "insufficient_quota" => Fault::Final(ModelError::Unusable(message)),
        408 | 409 | 425 => Fault::again("server_error", message),
        429 => Fault::Again {
            kind: "rate_limited",
            message,
            after: retry_after(headers),
        },
        500.. => Fault::Again {
            kind: "server_error",
            message,
            after: retry_after(headers),
        },
        _ if said.is_overflow() => Fault::Final(ModelError::ContextOverflow(message)),
        _ if said.is_refusal() => Fault::Final(ModelError::Refused(message)),
        _ => Fault::Final(ModelError::Rejected(message)),
    }
}

/// An error object in the middle of a stream that began well.
pub fn in_stream(value: &Value) -> Fault {
    let said = Said::of(value);
    if said.is_overflow() {
        return Fault::Final(ModelError::ContextOverflow(said.message));
    }
    Fault::again(
        "server_error",
        format!("an error in the middle of the answer: {}", said.message),
    )
}

/// Seconds, milliseconds or an HTTP date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let after = text(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = after.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let at = jiff::fmt::rfc2822::parse(after).ok()?.timestamp();
    let left = at.duration_since(jiff::Timestamp::now());
    Some(Duration::try_from(left).unwrap_or_default())
}

/// What an endpoint says of an error, in the shapes that are seen.
struct Said {
    message: String,
    code: String,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::of(&value),
            Err(_) => Self {
                message: short(String::from_utf8_lossy(body).trim()),
                code: String::new(),
            },
        }
    }

    fn of(value: &Value) -> Self {
        let error = value.get("error").unwrap_or(value);
        let text = |name: &str| match error.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let message = match error {
            Value::String(message) => message.clone(),
            _ => text("message"),
        };
        let code = match text("code") {
            code if code.is_empty() => text("type"),
            code => code,
        };
        Self {
            message: short(&message),
            code,
        }
    }

    /// There is a code for it, and there are servers that only say it in words.
    fn is_overflow(&self) -> bool {
        let words = [
            "maximum context length",
            "context window",
            "context length",
            "prompt is too long",
            "exceeds the available context",
        ];
        let message = self.message.to_lowercase();
        self.code == "context_length_exceeded" || words.iter().any(|word| message.contains(word))
    }

    fn is_refusal(&self) -> bool {
        ["content_filter", "content_policy_violation"].contains(&self.code.as_str())
    }
}

/// One line of a bounded length.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(400) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Fault {
        of_status(status, &HeaderMap::new(), body.as_bytes())
    }

    fn kind(fault: &Fault) -> &str {
        match fault {
            Fault::Again { kind, .. } => kind,
            Fault::Final(ModelError::Unusable(_)) => "unusable",
            Fault::Final(ModelError::ContextOverflow(_)) => "overflow",
            Fault::Final(ModelError::Refused(_)) => "refused",
            Fault::Final(_) => "rejected",
        }
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        for (status, expected) in [
            (401, "unusable"),
            (403, "unusable"),
            (404, "unusable"),
            (429, "rate_limited"),
            (500, "server_error"),
            (529, "server_error"),
            (422, "rejected"),
        ] {
            assert_eq!(kind(&of(status, "{}")), expected, "{status}");
        }
        let empty = r#"{"error":{"message":"no credit","code":"insufficient_quota"}}"#;
        assert_eq!(kind(&of(429, empty)), "unusable");
    }

    #[test]
    fn an_overflow_is_known_by_code_and_by_words() {
        let code = r#"{"error":{"message":"too much","code":"context_length_exceeded"}}"#;
        let words =
            r#"{"object":"error","message":"This model's maximum context length is 4096 tokens"}"#;
        assert_eq!(kind(&of(400, code)), "overflow");
        assert_eq!(kind(&of(400, words)), "overflow");
        let filter = r#"{"error":{"message":"no","code":"content_filter"}}"#;
        assert_eq!(kind(&of(400, filter)), "refused");
    }

    #[test]
    fn what_the_endpoint_asks_to_wait_is_read_in_three_ways() {
        let with = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(with("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(
            with("retry-after-ms", "1500"),
            Some(Duration::from_millis(1500))
        );
        let past = with("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(past, Some(Duration::ZERO));
        assert_eq!(with("retry-after", "soon"), None);
    }
}
