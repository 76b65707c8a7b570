//! `envs/*.toml` as it is written: every table and key, nothing checked but types.
//!
//! What a key means, and which values are right, is `super::validate`'s.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use crate::swebench::grade::EvalType;

/// A file of specifications.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct EnvironmentsToml {
    /// In any order: which one is meant is told by repo and version.
    pub environment: Option<Vec<EnvironmentTable>>,
}

/// `[[environment]]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct EnvironmentTable {
    /// `owner/name`, or a glob.
    pub repo: Option<String>,
    /// Several of them, instead of `repo`.
    pub repos: Option<Vec<String>>,
    /// Of a row's `version`: a range, or a list of versions; default all.
    pub versions: Option<OneOrMore>,
    /// The image that it starts from: local, of `images/`, or pulled.
    pub base: Option<String>,
    /// Version of Python, `3.9`; it gets an environment of its own.
    pub python: Option<String>,
    /// Version of Node, `20`.
    pub node: Option<String>,
    /// Packages of the distribution, `name` or `name=version`.
    pub apt: Option<Vec<String>>,
    /// Packages for pip, or for npm.
    pub packages: Option<Vec<String>>,
    /// A requirements file beside this one.
    pub requirements: Option<String>,
    /// A url, a git folder or a bundle; default the repo on GitHub.
    pub source: Option<String>,
    /// What an agent finds of the history, default `ancestors`.
    pub history: Option<HistoryName>,
    /// For the shell, in the work tree, before `install`.
    pub pre_install: Option<OneOrMore>,
    /// For the shell; run again after the patch, as official scripts do.
    pub install: Option<OneOrMore>,
    /// For the shell, after `install`, and again after the patch.
    pub build: Option<OneOrMore>,
    /// The official test command.
    pub test: Option<OneOrMore>,
    /// For the shell, in the official script before anything else.
    pub eval_commands: Option<OneOrMore>,
    /// Name of an official log parser.
    pub parser: Option<String>,
    /// How official rules read the records, default `pass_and_fail`.
    pub eval_type: Option<EvalType>,
    /// Where the work tree lies, default `/testbed`.
    pub workdir: Option<String>,
    /// Environment of every command, in builds as well.
    pub env: Option<BTreeMap<String, String>>,
    /// Network of verification; default the format's.
    pub network: Option<NetworkName>,
    /// Processors; may be a fraction.
    pub cpus: Option<f64>,
    pub memory_mb: Option<u64>,
    /// Seconds of the official script.
    pub timeout_sec: Option<f64>,
}

/// `history`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HistoryName {
    Ancestors,
    None,
}

/// `network`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NetworkName {
    None,
    Full,
}

/// A text, or a list of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    /// All of them, in order.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::More(texts) => texts,
        }
    }
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = OneOrMore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMore, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMore::More(texts))
            }
        }
        deserializer.deserialize_any(Value)
    }
}

impl JsonSchema for OneOrMore {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMore".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text, or a list of texts.",
            "oneOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" } },
            ],
        })
    }
}
