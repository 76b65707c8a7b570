//! A script: what is played when, read from its file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::Regex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::raw::ScriptToml;
use super::validate::{Checker, script};
use crate::diagnose::toml::parse;
use crate::diagnose::{Problem, SourceText};
use crate::record::Digest;

/// The largest file.
const MOST: u64 = 16 << 20;

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
    pub(super) digest: Digest,
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
        let digest = Digest::of_sha256(&Sha256::digest(text));
        let script = parsed.value.map(|raw| script(raw, digest, &mut check));
        match (script, check.problems) {
            (Some(script), problems) if problems.is_empty() => Ok(script),
            (_, problems) => Err(ScriptError::Invalid { problems }),
        }
    }

    /// Of the file's text.
    pub fn digest(&self) -> &Digest {
        &self.digest
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
    fn what_is_shown_to_people_is_a_script() {
        let documented = include_str!("../../../docs/scripted-models.md");
        let example = documented
            .split("```toml\n")
            .nth(1)
            .and_then(|rest| rest.split("```").next())
            .unwrap();
        let demo = include_str!("../../../examples/demo-model.toml");
        for (name, text) in [("documented", example), ("demo", demo)] {
            let script = Script::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(script.model(), "demo");
            assert!(script.turns.len() > 1);
        }
    }

    #[test]
    fn an_empty_script_is_one() {
        let script = Script::parse("empty.toml", "").unwrap();
        assert_eq!((script.model(), script.key()), ("*", None));
    }
}
