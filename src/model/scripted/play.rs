//! What is played: from a script, a conversation and the number of an attempt to
//! one action, and nothing else.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::file::{Fault, Play, PlayedArguments, PlayedUsage, Script, Times, Turn, When};
use crate::record::hex;

/// Bytes of a token, roughly.
const BYTES: u64 = 4;

/// What is done with a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    pub latency: Duration,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq)]
pub enum What {
    Answer(Answer, Option<Damage>),
    Error {
        status: u16,
        retry_after: Option<f64>,
        body: Value,
    },
    /// Nothing is ever answered.
    Silence,
    /// The connection is closed without an answer.
    Reset,
}

/// What happens to an answer on its way.
#[derive(Debug, Clone, PartialEq)]
pub enum Damage {
    Cut(usize),
    Stall(usize),
    InvalidJson,
    EmptyChoices,
    Slow(Duration),
}

/// A reply, before it is put on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub id: String,
    pub model: String,
    pub text: String,
    pub reasoning: Option<String>,
    pub refusal: Option<String>,
    /// Id, tool, arguments as text.
    pub calls: Vec<(String, String, String)>,
    pub finish: String,
    /// As the wire has it; none where it is not told.
    pub usage: Option<Value>,
}

/// The messages of a request, digested: what an attempt is counted by.
pub fn digest(request: &Value) -> [u8; 32] {
    Sha256::digest(request["messages"].to_string().as_bytes()).into()
}

/// An error in the shape of the wire.
pub fn error(status: u16, code: &str, message: &str) -> What {
    let kind = match status {
        401 | 403 => "authentication_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    What::Error {
        status,
        retry_after: None,
        body: json!({"error": {"message": message, "type": kind, "param": null, "code": code}}),
    }
}

impl Script {
    /// What is done with a request; `attempt` counts those of this conversation
    /// from 1, `key` is what the request carries.
    pub fn act(&self, request: &Value, attempt: u32, key: Option<&str>) -> Action {
        let refuse = |status, code: &str, message: &str| Action {
            latency: Duration::ZERO,
            what: error(status, code, message),
        };
        if self.key.is_some() && self.key.as_deref() != key {
            return refuse(401, "invalid_api_key", "the key is not right");
        }
        let Some(messages) = request["messages"].as_array() else {
            return refuse(400, "invalid_request", "`messages` must be a list");
        };
        let asked = request["model"].as_str().unwrap_or_default();
        if self.model != "*" && self.model != asked {
            let message = format!("the model `{asked}` does not exist");
            return refuse(404, "model_not_found", &message);
        }
        let prompt = request["messages"].to_string().len() as u64 / BYTES;
        if let Some(most) = self.context_tokens.filter(|most| prompt > *most) {
            let message =
                format!("the maximum context length is {most} tokens, these are {prompt}");
            return refuse(400, "context_length_exceeded", &message);
        }
        let hash = digest(request);
        let conversation = Conversation {
            messages,
            tools: names(&request["tools"]),
        };
        let chosen = self.choose(&conversation);
        let latency = chosen
            .and_then(|(turn, at)| {
                let plays = turn.plays.get(at)?;
                plays.first()?.latency
            })
            .unwrap_or(self.latency);
        let fault = self.fault(chosen, &hash, attempt);
        let damage = match fault {
            None => None,
            Some(Fault::Status {
                status,
                retry_after,
                code,
                message,
            }) => {
                let code = code.as_deref().unwrap_or(match status {
                    429 => "rate_limit_exceeded",
                    401 => "invalid_api_key",
                    404 => "model_not_found",
                    _ => "error",
                });
                let message = message.as_deref().unwrap_or("as the script says");
                let What::Error { body, .. } = error(*status, code, message) else {
                    unreachable!("an error was just made")
                };
                let what = What::Error {
                    status: *status,
                    retry_after: *retry_after,
                    body,
                };
                return Action { latency, what };
            }
            Some(Fault::Timeout) => {
                let what = What::Silence;
                return Action { latency, what };
            }
            Some(Fault::Reset) => {
                let what = What::Reset;
                return Action { latency, what };
            }
            Some(Fault::Cut(after)) => Some(Damage::Cut(*after)),
            Some(Fault::Stall(after)) => Some(Damage::Stall(*after)),
            Some(Fault::InvalidJson) => Some(Damage::InvalidJson),
            Some(Fault::EmptyChoices) => Some(Damage::EmptyChoices),
            Some(Fault::Slow(pause)) => Some(Damage::Slow(*pause)),
        };
        let otherwise = Play {
            say: "Done.".to_owned(),
            ..Play::default()
        };
        let play = chosen
            .and_then(|(turn, at)| {
                let plays = turn.plays.get(at)?;
                let drawn = self.draw(&hash, 0, "pick") * plays.len() as f64;
                plays.get(drawn as usize)
            })
            .unwrap_or(&otherwise);
        let filled = filled(play, chosen.map(|(turn, _)| turn), &conversation);
        let answer = answer(&filled, asked, &hash, prompt);
        Action {
            latency,
            what: What::Answer(answer, damage),
        }
    }

    /// The turn that the next reply belongs to, and which of its plays it is. Told
    /// from the conversation alone, reply by reply from its beginning.
    fn choose(&self, conversation: &Conversation<'_>) -> Option<(&Turn, usize)> {
        let starts = conversation.starts();
        let mut current: Option<(&Turn, usize)> = None;
        for (index, end) in starts.iter().enumerate() {
            current = match current {
                Some((turn, at)) if at + 1 < turn.plays.len() => Some((turn, at + 1)),
                _ => {
                    let so_far = conversation.until(*end);
                    let reply = index as u64 + 1;
                    let holds = |turn: &&Turn| so_far.holds(&turn.when, reply);
                    self.turns.iter().find(holds).map(|turn| (turn, 0))
                }
            };
        }
        current
    }

    /// The fault that hits an attempt: the turn's own, else one by chance.
    fn fault<'s>(
        &'s self,
        chosen: Option<(&'s Turn, usize)>,
        hash: &[u8; 32],
        attempt: u32,
    ) -> Option<&'s Fault> {
        if let Some((turn, 0)) = chosen
            && let Some((fault, times)) = &turn.fault
        {
            let hits = match times {
                Times::First(times) => attempt <= *times,
                Times::Always => true,
            };
            if hits || matches!(fault, Fault::Slow(_)) {
                return Some(fault);
            }
        }
        if attempt > self.faults_in_a_row {
            return None;
        }
        let drawn = self.draw(hash, attempt, "fault");
        let mut sum = 0.0;
        for (fault, rate) in &self.faults {
            sum += rate;
            if drawn < sum {
                return Some(fault);
            }
        }
        None
    }

    /// From 0 to below 1, from the seed, the conversation and what it is for.
    fn draw(&self, hash: &[u8; 32], attempt: u32, purpose: &str) -> f64 {
        let mut hasher = Sha256::new();
        hasher.update(self.seed.to_be_bytes());
        hasher.update(hash);
        hasher.update(attempt.to_be_bytes());
        hasher.update(purpose);
        let drawn: [u8; 32] = hasher.finalize().into();
        let head: [u8; 8] = std::array::from_fn(|at| drawn[at]);
        (u64::from_be_bytes(head) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The messages so far, and the tools that are offered.
struct Conversation<'a> {
    messages: &'a [Value],
    tools: Vec<&'a str>,
}

impl<'a> Conversation<'a> {
    /// Where each reply begins, the next one included: how many messages it follows.
    fn starts(&self) -> Vec<usize> {
        let replies = self.messages.iter().enumerate();
        let mut starts: Vec<usize> = replies
            .filter(|(_, message)| message["role"] == "assistant")
            .map(|(at, _)| at)
            .collect();
        starts.push(self.messages.len());
        starts
    }

    fn until(&self, end: usize) -> Conversation<'a> {
        Conversation {
            messages: &self.messages[..end],
            tools: self.tools.clone(),
        }
    }

    fn first(&self, role: &str) -> String {
        let found = self.messages.iter().find(|message| message["role"] == role);
        found.map(content).unwrap_or_default()
    }

    fn last(&self) -> String {
        self.messages.last().map(content).unwrap_or_default()
    }

    /// The tool of the call that the last message is the result of.
    fn last_tool(&self) -> Option<&'a str> {
        let id = self.messages.last()?["tool_call_id"].as_str()?;
        let calls = self.messages.iter().rev();
        calls
            .filter_map(|message| message["tool_calls"].as_array())
            .flatten()
            .find(|call| call["id"] == id)?["function"]["name"]
            .as_str()
    }

    fn holds(&self, when: &When, reply: u64) -> bool {
        let found = |regex: &regex::Regex| {
            let said = self
                .messages
                .iter()
                .filter(|message| message["role"] == "tool" || message["role"] == "assistant");
            said.into_iter()
                .any(|message| regex.is_match(&content(message)))
        };
        when.turn
            .is_none_or(|(from, to)| (from..=to).contains(&reply))
            && when
                .last_tool
                .as_deref()
                .is_none_or(|tool| self.last_tool() == Some(tool))
            && when
                .tools
                .iter()
                .all(|tool| self.tools.contains(&tool.as_str()))
            && when
                .instruction
                .as_ref()
                .is_none_or(|regex| regex.is_match(&self.first("user")))
            && when
                .system
                .as_ref()
                .is_none_or(|regex| regex.is_match(&self.first("system")))
            && when
                .last
                .as_ref()
                .is_none_or(|regex| regex.is_match(&self.last()))
            && when.seen.as_ref().is_none_or(found)
            && when.unseen.as_ref().is_none_or(|regex| !found(regex))
    }
}

/// The text of a message, also where it is a list of parts.
fn content(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn names(tools: &Value) -> Vec<&str> {
    let tools = tools.as_array().into_iter().flatten();
    tools
        .filter_map(|tool| tool["function"]["name"].as_str())
        .collect()
}

/// With parts of the conversation in place of `{{last}}` and `{{name}}`.
fn filled(play: &Play, turn: Option<&Turn>, conversation: &Conversation<'_>) -> Play {
    let last = conversation.last();
    let mut values: HashMap<String, String> = HashMap::new();
    if let Some(regex) = turn.and_then(|turn| turn.when.last.as_ref())
        && let Some(found) = regex.captures(&last)
    {
        for name in regex.capture_names().flatten() {
            if let Some(part) = found.name(name) {
                values.insert(name.to_owned(), part.as_str().to_owned());
            }
        }
    }
    values.insert("last".to_owned(), last);
    let fill = |text: &str| {
        let mut filled = text.to_owned();
        if text.contains("{{") {
            for (name, value) in &values {
                filled = filled.replace(&format!("{{{{{name}}}}}"), value);
            }
        }
        filled
    };
    let mut play = play.clone();
    play.say = fill(&play.say);
    for call in &mut play.calls {
        if let PlayedArguments::Json(arguments) = &mut call.arguments {
            fill_strings(arguments, &fill);
        }
    }
    play
}

fn fill_strings(value: &mut Value, fill: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = fill(text),
        Value::Array(list) => list.iter_mut().for_each(|value| fill_strings(value, fill)),
        Value::Object(map) => map.values_mut().for_each(|value| fill_strings(value, fill)),
        _ => {}
    }
}

fn answer(play: &Play, model: &str, hash: &[u8; 32], prompt: u64) -> Answer {
    let short = hex(&hash[..8]);
    let calls: Vec<(String, String, String)> = play
        .calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            let arguments = match &call.arguments {
                PlayedArguments::Json(value) => value.to_string(),
                PlayedArguments::Raw(raw) => raw.clone(),
            };
            let made_up = || format!("call_{short}_{index}");
            (
                call.id.clone().unwrap_or_else(made_up),
                call.tool.clone(),
                arguments,
            )
        })
        .collect();
    let written = play.say.len()
        + play.reasoning.as_deref().map_or(0, str::len)
        + calls
            .iter()
            .map(|(_, tool, text)| tool.len() + text.len())
            .sum::<usize>();
    let (input, cached, output, reasoning) = match play.usage {
        PlayedUsage::Said {
            input,
            cached,
            output,
            reasoning,
        } => (input, cached, output, reasoning),
        PlayedUsage::Estimated | PlayedUsage::Untold => (prompt, 0, written as u64 / BYTES + 1, 0),
    };
    // On the wire the prompt includes the cache's part, the completion the reasoning.
    let usage = json!({
        "prompt_tokens": input + cached,
        "completion_tokens": output + reasoning,
        "total_tokens": input + cached + output + reasoning,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    });
    let natural = if calls.is_empty() {
        "stop"
    } else {
        "tool_calls"
    };
    Answer {
        id: format!("chatcmpl-{short}"),
        model: model.to_owned(),
        text: play.say.clone(),
        reasoning: play.reasoning.clone(),
        refusal: play.refusal.clone(),
        calls,
        finish: play.finish.clone().unwrap_or_else(|| natural.to_owned()),
        usage: (!matches!(play.usage, PlayedUsage::Untold)).then_some(usage),
    }
}

#[cfg(test)]
#[path = "play_tests.rs"]
mod tests;
