//! A streamed answer: server-sent events, put together piece by piece.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::answer::{self, MOST_CALLS};
use super::fault::{self, Fault};
use super::{MOST, too_large};
use crate::model::{Reply, WrittenCall};

/// The next piece of a body; none at its end. Silence beyond `stall` is a fault.
pub async fn next(answer: &mut reqwest::Response, stall: Duration) -> Result<Option<Bytes>, Fault> {
    match tokio::time::timeout(stall, answer.chunk()).await {
        Ok(piece) => piece.map_err(|error| Fault::of_transport(&error)),
        Err(_) => Err(Fault::again(
            "stalled",
            format!(
                "no byte for {} s in the middle of the answer",
                stall.as_secs_f64()
            ),
        )),
    }
}

/// Reads a stream to its end.
pub async fn read(mut answer: reqwest::Response, stall: Duration) -> Result<Reply, Fault> {
    let mut assembly = Assembly::default();
    let mut line = Vec::new();
    let mut taken = 0;
    while let Some(piece) = next(&mut answer, stall).await? {
        taken += piece.len();
        if taken > MOST {
            return Err(too_large());
        }
        for byte in piece {
            if byte != b'\n' {
                line.push(byte);
                continue;
            }
            if assembly.line(line.trim_ascii_end())? {
                return assembly.finish();
            }
            line.clear();
        }
    }
    assembly.line(line.trim_ascii_end())?;
    assembly.finish()
}

/// What of a reply has come.
#[derive(Default)]
struct Assembly {
    reply: Reply,
    reasoning: String,
    refusal: String,
    finish: Option<String>,
    /// Something of a choice came.
    begun: bool,
    /// The stream said that it is over.
    done: bool,
}

impl Assembly {
    /// Takes a line; true when the stream says that it is done.
    fn line(&mut self, line: &[u8]) -> Result<bool, Fault> {
        // Comments, names of events, ids and blank lines say nothing here.
        let Some(data) = line.strip_prefix(b"data:") else {
            return Ok(false);
        };
        let data = data.trim_ascii();
        if data == b"[DONE]" {
            self.done = true;
            return Ok(true);
        }
        if data.is_empty() {
            return Ok(false);
        }
        let event: Value = serde_json::from_slice(data).map_err(|error| {
            Fault::again(
                "invalid_answer",
                format!("a piece of the answer is no JSON: {error}"),
            )
        })?;
        if event.get("error").is_some_and(|error| !error.is_null()) {
            return Err(fault::in_stream(&event));
        }
        if self.reply.model.is_none() {
            self.reply.model = event["model"].as_str().map(str::to_owned);
        }
        if let Some(usage) = answer::usage(&event["usage"]) {
            self.reply.usage = Some(usage);
        }
        if let Some(choice) = event.pointer("/choices/0") {
            self.begun = true;
            self.choice(choice);
        }
        Ok(false)
    }

    fn choice(&mut self, choice: &Value) {
        let delta = &choice["delta"];
        if let Some(text) = delta["content"].as_str() {
            self.reply.text.push_str(text);
        }
        if let Some(text) = delta["refusal"].as_str() {
            self.refusal.push_str(text);
        }
        if let Some(text) = answer::reasoning(delta) {
            self.reasoning.push_str(&text);
        }
        let pieces = delta["tool_calls"].as_array();
        for (place, piece) in pieces.into_iter().flatten().enumerate() {
            let index = piece["index"]
                .as_u64()
                .map_or(place, |index| index as usize);
            if index >= MOST_CALLS {
                continue;
            }
            let calls = &mut self.reply.calls;
            while calls.len() <= index {
                calls.push(WrittenCall {
                    id: String::new(),
                    tool: String::new(),
                    arguments: String::new(),
                });
            }
            let call = &mut calls[index];
            // Some servers repeat id and name in every piece, others send them once.
            if let Some(id) = piece["id"].as_str().filter(|id| !id.is_empty()) {
                call.id = id.to_owned();
            }
            let function = &piece["function"];
            if let Some(name) = function["name"].as_str().filter(|name| !name.is_empty()) {
                call.tool = name.to_owned();
            }
            if let Some(text) = function["arguments"].as_str() {
                call.arguments.push_str(text);
            }
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            self.finish = Some(reason.to_owned());
        }
    }

    fn finish(mut self) -> Result<Reply, Fault> {
        if !self.begun {
            let message = match self.done {
                true => "the answer has no choices",
                false => "the stream ended before it began",
            };
            return Err(Fault::again("empty_answer", message));
        }
        if self.finish.is_none() && !self.done {
            return Err(Fault::again(
                "reset",
                "the stream ended in the middle of the answer",
            ));
        }
        for call in &mut self.reply.calls {
            if call.arguments.is_empty() {
                call.arguments = "{}".to_owned();
            }
        }
        self.reply.reasoning = (!self.reasoning.is_empty()).then_some(self.reasoning);
        answer::finish(&mut self.reply, self.finish.as_deref(), &self.refusal);
        Ok(self.reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assemble(lines: &[&str]) -> Result<Reply, Fault> {
        let mut assembly = Assembly::default();
        for line in lines {
            if assembly.line(line.as_bytes())? {
                break;
            }
        }
        assembly.finish()
    }

    #[test]
    fn parallel_calls_are_put_together_by_their_index() {
        let reply = assemble(&[
            r#"data: {"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
            r#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"bash","arguments":"{\"co"}}]}}]}"#,
            r#"data: {"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"read","arguments":""}}]}}]}"#,
            r#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"mmand\":1}"}}]}}]}"#,
            "",
            ": keep-alive",
            r#"data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
            r#"data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#,
            "data: [DONE]",
        ])
        .unwrap();
        assert_eq!(reply.calls[0].arguments, r#"{"command":1}"#);
        assert_eq!(
            (
                reply.calls[1].tool.as_str(),
                reply.calls[1].arguments.as_str()
            ),
            ("read", "{}")
        );
        assert_eq!(reply.usage.unwrap().total(), 7);
        assert_eq!(reply.finish_reason.as_deref(), Some("tool_calls"));
    }

    #[test]
    fn a_stream_that_breaks_off_is_no_reply() {
        let cut = assemble(&[r#"data: {"choices":[{"delta":{"content":"half of"}}]}"#]);
        assert!(matches!(cut, Err(Fault::Again { kind: "reset", .. })));
        let empty = assemble(&[r#"data: {"choices":[]}"#, "data: [DONE]"]);
        assert!(matches!(
            empty,
            Err(Fault::Again {
                kind: "empty_answer",
                ..
            })
        ));
        let wrong = assemble(&[r#"data: {"choices":[{"del"#]);
        assert!(matches!(
            wrong,
            Err(Fault::Again {
                kind: "invalid_answer",
                ..
            })
        ));
    }
}
