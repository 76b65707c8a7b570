//! A script as it is written, and what it means.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::diagnose::toml::parse;
use crate::diagnose::{KeyPath, Problem, SourceText, place};

/// The largest file.
const MOST: u64 = 16 << 20;
/// How often in a row a random fault may hit one conversation, unless the file says.
const FAULTS_IN_A_ROW: u32 = 2;

/// A script that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("the scripted model {} cannot be read: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Everything wrong with the file; never empty.
    #[error("{}", problems.first().map(Problem::to_string).unwrap_or_default())]
    Invalid { problems: Vec<Problem> },
}

/// A script, validated.
#[derive(Debug)]
pub struct Script {
    pub(super) model: String,
    pub(super) seed: u64,
    pub(super) latency: Duration,
    pub(super) key: Option<String>,
    pub(super) context_tokens: Option<u64>,
    pub(super) turns: Vec<Turn>,
    /// Faults by chance, each with its rate.
    pub(super) faults: Vec<(Fault, f64)>,
    pub(super) faults_in_a_row: u32,
}

/// When what is played.
#[derive(Debug)]
pub(super) struct Turn {
    pub when: When,
    /// In the reply in which the turn is chosen, and in those that follow it; of
    /// each, one of several is drawn.
    pub plays: Vec<Vec<Play>>,
    pub fault: Option<(Fault, Times)>,
}

/// Conditions on the conversation so far; all must hold.
#[derive(Debug, Default)]
pub(super) struct When {
    pub instruction: Option<Regex>,
    pub system: Option<Regex>,
    /// From and to which reply, counted from 1.
    pub turn: Option<(u64, u64)>,
    pub last: Option<Regex>,
    pub last_tool: Option<String>,
    pub seen: Option<Regex>,
    pub unseen: Option<Regex>,
    pub tools: Vec<String>,
}

/// One reply.
#[derive(Debug, Clone, Default)]
pub(super) struct Play {
    pub say: String,
    pub reasoning: Option<String>,
    pub calls: Vec<PlayedCall>,
    pub finish: Option<String>,
    pub refusal: Option<String>,
    pub usage: PlayedUsage,
    pub latency: Option<Duration>,
}

#[derive(Debug, Clone)]
pub(super) struct PlayedCall {
    pub tool: String,
    pub id: Option<String>,
    pub arguments: PlayedArguments,
}

#[derive(Debug, Clone)]
pub(super) enum PlayedArguments {
    Json(Value),
    Raw(String),
}

/// What is told of tokens.
#[derive(Debug, Clone, Default)]
pub(super) enum PlayedUsage {
    /// By the bytes.
    #[default]
    Estimated,
    Untold,
    Said {
        input: u64,
        cached: u64,
        output: u64,
        reasoning: u64,
    },
}

/// How often a fault hits one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    First(u32),
    Always,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    Status {
        status: u16,
        retry_after: Option<f64>,
        code: Option<String>,
        message: Option<String>,
    },
    /// It never answers.
    Timeout,
    /// The connection is closed before a byte of the answer.
    Reset,
    /// Closed after so many pieces of the answer.
    Cut(usize),
    /// Silent after so many pieces, and open.
    Stall(usize),
    InvalidJson,
    EmptyChoices,
    /// So long between two pieces.
    Slow(Duration),
}

impl Script {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read; everything in it that is wrong, with its place.
    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        let failed = |source| ScriptError::Read {
            path: path.to_owned(),
            source,
        };
        let size = std::fs::metadata(path).map_err(failed)?.len();
        if size > MOST {
            let much = format!("{size} bytes are more than {MOST}");
            return Err(failed(std::io::Error::other(much)));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads a text; `name` is what problems call it.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(name: &str, text: &str) -> Result<Self, ScriptError> {
        let source = SourceText::new(name, text);
        let parsed = parse::<ScriptToml>(&source);
        let mut problems = parsed.problems;
        problems.extend(parsed.unknown.into_iter().map(|unknown| unknown.problem));
        let mut check = Checker {
            source: &source,
            problems,
        };
        let script = parsed.value.map(|raw| script(raw, &mut check));
        match (script, check.problems) {
            (Some(script), problems) if problems.is_empty() => Ok(script),
            (_, problems) => Err(ScriptError::Invalid { problems }),
        }
    }

    /// The id that is served, or `*` for any.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The key that requests must carry.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

/// The file.
#[derive(Debug, Deserialize, JsonSchema)]
struct ScriptToml {
    model: Option<String>,
    seed: Option<u64>,
    latency_ms: Option<u64>,
    key: Option<String>,
    context_tokens: Option<u64>,
    #[serde(default)]
    turn: Vec<TurnToml>,
    faults: Option<FaultsToml>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct TurnToml {
    when: Option<WhenToml>,
    say: Option<String>,
    reasoning: Option<String>,
    #[serde(default)]
    calls: Vec<CallToml>,
    finish: Option<String>,
    refusal: Option<String>,
    #[schemars(with = "Option<Value>")]
    usage: Option<toml::Value>,
    latency_ms: Option<u64>,
    /// One of these is drawn, in place of what is said above.
    #[serde(default)]
    pick: Vec<PlayToml>,
    /// Played in the replies that follow.
    #[serde(default)]
    then: Vec<PlayToml>,
    fault: Option<FaultToml>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
struct PlayToml {
    say: Option<String>,
    reasoning: Option<String>,
    #[serde(default)]
    calls: Vec<CallToml>,
    finish: Option<String>,
    refusal: Option<String>,
    #[schemars(with = "Option<Value>")]
    usage: Option<toml::Value>,
    latency_ms: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct CallToml {
    tool: String,
    id: Option<String>,
    #[schemars(with = "Option<BTreeMap<String, Value>>")]
    arguments: Option<BTreeMap<String, toml::Value>>,
    raw: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct WhenToml {
    instruction: Option<String>,
    system: Option<String>,
    #[schemars(with = "Option<Value>")]
    turn: Option<toml::Value>,
    last: Option<String>,
    last_tool: Option<String>,
    seen: Option<String>,
    unseen: Option<String>,
    #[serde(default)]
    tools: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum FaultKind {
    Status,
    Timeout,
    Reset,
    Cut,
    Stall,
    InvalidJson,
    EmptyChoices,
    Slow,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct FaultToml {
    kind: FaultKind,
    /// A number, or "always"; default 1.
    #[schemars(with = "Option<Value>")]
    times: Option<toml::Value>,
    status: Option<u16>,
    retry_after: Option<f64>,
    code: Option<String>,
    message: Option<String>,
    after: Option<usize>,
    ms: Option<u64>,
}

/// Rates, 0 to 1, of faults by chance.
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct FaultsToml {
    in_a_row: Option<u32>,
    rate_limited: Option<f64>,
    server_error: Option<f64>,
    timeout: Option<f64>,
    reset: Option<f64>,
    cut: Option<f64>,
    stall: Option<f64>,
    invalid_json: Option<f64>,
    empty_choices: Option<f64>,
}

struct Checker<'a> {
    source: &'a SourceText,
    problems: Vec<Problem>,
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

fn script(raw: ScriptToml, check: &mut Checker<'_>) -> Script {
    let faults = raw.faults.unwrap_or_default();
    let turns = raw
        .turn
        .into_iter()
        .enumerate()
        .map(|(index, raw)| turn(raw, KeyPath::from("turn").index(index), check))
        .collect();
    Script {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        match Script::parse("demo.toml", text) {
            Ok(_) => Vec::new(),
            Err(ScriptError::Invalid { problems }) => {
                problems.iter().map(Problem::to_string).collect()
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let told = problems("[[turn]]\nsayy = \"x\"\n");
        assert!(
            told[0].contains("demo.toml:2") && told[0].contains("sayy"),
            "{told:?}"
        );
        let told = problems("[[turn]]\nwhen = { last = \"(\" }\nsay = \"x\"\n");
        assert!(
            told[0].contains("demo.toml:2") && told[0].contains("regular expression"),
            "{told:?}"
        );
        let told = problems("[[turn]]\ncalls = [{ tool = \"a\", raw = \"x\", arguments = {} }]\n");
        assert!(told[0].contains("either `arguments` or `raw`"), "{told:?}");
        let told = problems("[[turn]]\nfault = { kind = \"explode\" }\n");
        assert!(told[0].contains("demo.toml:2"), "{told:?}");
        let told =
            problems("[[turn]]\nwhen = { turn = 0 }\nfault = { kind = \"reset\", times = 0 }\n");
        assert_eq!(told.len(), 2, "{told:?}");
        let told = problems("[faults]\ncut = 1.5\n");
        assert!(told[0].contains("demo.toml:2"), "{told:?}");
    }

    #[test]
    fn an_empty_script_is_one() {
        let script = Script::parse("empty.toml", "").unwrap();
        assert_eq!((script.model(), script.key()), ("*", None));
    }
}
