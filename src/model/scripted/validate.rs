//! From the tables of a file to a script: which values are right, and what they mean.

use std::time::Duration;

use regex::Regex;
use serde_json::Value;

use super::file::{
    Fault, Play, PlayedArguments, PlayedCall, PlayedUsage, Script, Times, Turn, When,
};
use super::raw::{
    CallToml, FaultKind, FaultToml, FaultsToml, PlayToml, ScriptToml, TurnToml, WhenToml,
};
use crate::diagnose::{KeyPath, Problem, SourceText, place};
use crate::record::Digest;

/// How often in a row a random fault may hit one conversation, unless the file says.
const FAULTS_IN_A_ROW: u32 = 2;

/// Gathers what is wrong, with its place.
pub struct Checker<'a> {
    pub source: &'a SourceText,
    pub problems: Vec<Problem>,
}

impl Checker<'_> {
    fn wrong(&mut self, path: KeyPath, message: impl Into<String>, label: &str) {
        let span = place(&self.source.text, &path).map_or(0..0, |(_, value)| value);
        let spot = self.source.spot(span, label);
        self.problems.push(Problem::new(message).at(spot));
    }

    fn regex(&mut self, path: KeyPath, text: Option<String>) -> Option<Regex> {
        match Regex::new(&text?) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let what = error.to_string();
                let label = what.lines().last().unwrap_or_default().to_owned();
                self.wrong(path, "this is no regular expression", &label);
                None
            }
        }
    }
}

/// The script that the tables describe; meant only where no problem was found.
pub fn script(raw: ScriptToml, digest: Digest, check: &mut Checker<'_>) -> Script {
    let faults = raw.faults.unwrap_or_default();
    let turns = raw
        .turn
        .into_iter()
        .enumerate()
        .map(|(index, raw)| turn(raw, KeyPath::from("turn").index(index), check))
        .collect();
    Script {
        digest,
        model: raw.model.unwrap_or_else(|| "*".to_owned()),
        seed: raw.seed.unwrap_or(0),
        latency: Duration::from_millis(raw.latency_ms.unwrap_or(0)),
        key: raw.key,
        context_tokens: raw.context_tokens,
        turns,
        faults_in_a_row: faults.in_a_row.unwrap_or(FAULTS_IN_A_ROW),
        faults: rates(&faults, check),
    }
}

fn rates(raw: &FaultsToml, check: &mut Checker<'_>) -> Vec<(Fault, f64)> {
    let status = |status| Fault::Status {
        status,
        retry_after: None,
        code: None,
        message: None,
    };
    let rates = [
        ("rate_limited", raw.rate_limited, status(429)),
        ("server_error", raw.server_error, status(500)),
        ("timeout", raw.timeout, Fault::Timeout),
        ("reset", raw.reset, Fault::Reset),
        ("cut", raw.cut, Fault::Cut(2)),
        ("stall", raw.stall, Fault::Stall(2)),
        ("invalid_json", raw.invalid_json, Fault::InvalidJson),
        ("empty_choices", raw.empty_choices, Fault::EmptyChoices),
    ];
    let mut kept = Vec::new();
    for (name, rate, fault) in rates {
        match rate {
            None => {}
            Some(rate) if (0.0..=1.0).contains(&rate) => kept.push((fault, rate)),
            Some(_) => {
                let path = KeyPath::from("faults").key(name);
                check.wrong(path, format!("`{name}` must be a rate"), "from 0 to 1");
            }
        }
    }
    kept
}

fn turn(raw: TurnToml, path: KeyPath, check: &mut Checker<'_>) -> Turn {
    let said = raw.say.is_some() || !raw.calls.is_empty() || raw.refusal.is_some();
    if said && !raw.pick.is_empty() {
        check.wrong(
            path.clone().key("pick"),
            "a turn either says something or picks",
            "move what is said into `pick`",
        );
    }
    let first = PlayToml {
        say: raw.say,
        reasoning: raw.reasoning,
        calls: raw.calls,
        finish: raw.finish,
        refusal: raw.refusal,
        usage: raw.usage,
        latency_ms: raw.latency_ms,
    };
    let firsts = match raw.pick.is_empty() {
        true => vec![play(first, path.clone(), check)],
        false => many(raw.pick, path.clone().key("pick"), check),
    };
    let then = many(raw.then, path.clone().key("then"), check);
    let mut plays = vec![firsts];
    plays.extend(then.into_iter().map(|play| vec![play]));
    Turn {
        when: raw
            .when
            .map(|raw| when(raw, path.clone().key("when"), check))
            .unwrap_or_default(),
        plays,
        fault: raw.fault.map(|raw| fault(raw, path.key("fault"), check)),
    }
}

fn many(raw: Vec<PlayToml>, path: KeyPath, check: &mut Checker<'_>) -> Vec<Play> {
    raw.into_iter()
        .enumerate()
        .map(|(index, raw)| play(raw, path.clone().index(index), check))
        .collect()
}

fn play(raw: PlayToml, path: KeyPath, check: &mut Checker<'_>) -> Play {
    let calls = raw
        .calls
        .into_iter()
        .enumerate()
        .map(|(index, raw)| call(raw, path.clone().key("calls").index(index), check))
        .collect();
    Play {
        say: raw.say.unwrap_or_default(),
        reasoning: raw.reasoning,
        calls,
        finish: raw.finish,
        refusal: raw.refusal,
        usage: usage(raw.usage, path.key("usage"), check),
        latency: raw.latency_ms.map(Duration::from_millis),
    }
}

fn call(raw: CallToml, path: KeyPath, check: &mut Checker<'_>) -> PlayedCall {
    let arguments = match (raw.arguments, raw.raw) {
        (Some(_), Some(_)) => {
            check.wrong(
                path.key("raw"),
                "a call has either `arguments` or `raw`",
                "take one of them away",
            );
            PlayedArguments::Raw(String::new())
        }
        (None, Some(raw)) => PlayedArguments::Raw(raw),
        (arguments, None) => {
            let map = arguments.unwrap_or_default();
            let map = map.into_iter().map(|(name, value)| (name, json(value)));
            PlayedArguments::Json(Value::Object(map.collect()))
        }
    };
    PlayedCall {
        tool: raw.tool,
        id: raw.id,
        arguments,
    }
}

fn usage(raw: Option<toml::Value>, path: KeyPath, check: &mut Checker<'_>) -> PlayedUsage {
    let table = match raw {
        None => return PlayedUsage::Estimated,
        Some(toml::Value::Boolean(false)) => return PlayedUsage::Untold,
        Some(toml::Value::Table(table)) => table,
        Some(_) => {
            check.wrong(
                path,
                "`usage` must be false, or a table",
                "{ input = 100, cached = 0, output = 20, reasoning = 0 }",
            );
            return PlayedUsage::Estimated;
        }
    };
    let mut of = |name: &str| match table.get(name) {
        None => 0,
        Some(toml::Value::Integer(tokens)) if *tokens >= 0 => *tokens as u64,
        Some(_) => {
            let message = format!("`{name}` must be a number of tokens");
            check.wrong(path.clone().key(name), message, "0 or more");
            0
        }
    };
    let said = PlayedUsage::Said {
        input: of("input"),
        cached: of("cached"),
        output: of("output"),
        reasoning: of("reasoning"),
    };
    for name in table.keys() {
        if !["input", "cached", "output", "reasoning"].contains(&name.as_str()) {
            let message = format!("unknown key `{name}` in `usage`");
            let label = "there are input, cached, output, reasoning";
            check.wrong(path.clone().key(name.as_str()), message, label);
        }
    }
    said
}

fn when(raw: WhenToml, path: KeyPath, check: &mut Checker<'_>) -> When {
    let at = |name: &str| path.clone().key(name);
    let turn = raw.turn.and_then(|turn| {
        let number = |value: Option<&toml::Value>, default: u64| match value {
            None => Some(default),
            Some(toml::Value::Integer(number)) if *number >= 1 => Some(*number as u64),
            Some(_) => None,
        };
        let range = match &turn {
            toml::Value::Integer(_) => number(Some(&turn), 1).map(|number| (number, number)),
            toml::Value::Table(table) if table.keys().all(|key| key == "from" || key == "to") => {
                number(table.get("from"), 1).zip(number(table.get("to"), u64::MAX))
            }
            _ => None,
        };
        if range.is_none() {
            check.wrong(
                at("turn"),
                "`turn` must be a number from 1, or a range",
                "{ from = 2, to = 5 }",
            );
        }
        range
    });
    When {
        instruction: check.regex(at("instruction"), raw.instruction),
        system: check.regex(at("system"), raw.system),
        turn,
        last: check.regex(at("last"), raw.last),
        last_tool: raw.last_tool,
        seen: check.regex(at("seen"), raw.seen),
        unseen: check.regex(at("unseen"), raw.unseen),
        tools: raw.tools,
    }
}

fn fault(raw: FaultToml, path: KeyPath, check: &mut Checker<'_>) -> (Fault, Times) {
    let times = match &raw.times {
        None => Times::First(1),
        Some(toml::Value::Integer(times)) if (1..=1_000_000).contains(times) => {
            Times::First(*times as u32)
        }
        Some(toml::Value::String(word)) if word == "always" => Times::Always,
        Some(_) => {
            let path = path.clone().key("times");
            check.wrong(path, "`times` must be a number from 1", "or \"always\"");
            Times::Always
        }
    };
    let fault = match raw.kind {
        FaultKind::Status => {
            let status = raw.status.unwrap_or(500);
            if !(400..=599).contains(&status) {
                let path = path.key("status");
                check.wrong(path, "`status` must be an error", "from 400 to 599");
            }
            Fault::Status {
                status,
                retry_after: raw.retry_after,
                code: raw.code,
                message: raw.message,
            }
        }
        FaultKind::Timeout => Fault::Timeout,
        FaultKind::Reset => Fault::Reset,
        FaultKind::Cut => Fault::Cut(raw.after.unwrap_or(2)),
        FaultKind::Stall => Fault::Stall(raw.after.unwrap_or(2)),
        FaultKind::InvalidJson => Fault::InvalidJson,
        FaultKind::EmptyChoices => Fault::EmptyChoices,
        FaultKind::Slow => Fault::Slow(Duration::from_millis(raw.ms.unwrap_or(100))),
    };
    (fault, times)
}

/// A TOML value as JSON; a date becomes its text.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(truth) => Value::from(truth),
        toml::Value::Datetime(date) => Value::from(date.to_string()),
        toml::Value::Array(list) => Value::Array(list.into_iter().map(json).collect()),
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(name, value)| (name, json(value)));
            Value::Object(entries.collect())
        }
    }
}
