//! `harness.toml` as it is written. Field documentation here is what
//! `proofyard schema harness` prints; defaults are in `defaults.toml`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use super::{Transport, WorkTreeWay};
use crate::swebench::{Rules, Under};

/// `harness.toml`: how tasks are evaluated. Every key may also be a variable,
/// `PROOFYARD_<TABLE>_<KEY>`, and a flag, `--set table.key=value`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct HarnessToml {
    pub run: Option<RunTable>,
    pub limits: Option<LimitsTable>,
    pub engine: Option<EngineTable>,
    pub images: Option<ImagesTable>,
    pub swebench: Option<SweBenchTable>,
    pub host: Option<HostTable>,
    #[serde(rename = "loop")]
    pub built_in: Option<LoopTable>,
    pub model: Option<ModelTable>,
    /// What differs from `[model]`, by the name that `--model` takes.
    pub models: Option<BTreeMap<String, ModelTable>>,
    pub prices: Option<PricesTable>,
    /// Data sets by the names that they are evaluated by.
    pub datasets: Option<BTreeMap<String, DatasetTable>>,
}

/// `[run]`: what is evaluated, and how often.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct RunTable {
    /// What `proofyard run` evaluates when no task is named: folders, relative to this file.
    pub tasks: Option<Vec<String>>,
    /// Agents when none is named: `oracle`, `nop`, `script:FILE`.
    pub agents: Option<Vec<String>>,
    /// Models that agents talk to.
    pub models: Option<Vec<String>>,
    /// Trials of each agent at each task, 1 or more.
    pub attempts: Option<u32>,
    /// Trials at the same time: a number, or "auto" for what the machine has room for.
    pub jobs: Option<Jobs>,
    /// Where runs are stored.
    pub out: Option<String>,
    /// How often a trial that ended in `error` is tried anew.
    pub retry_errors: Option<u32>,
    /// Verify each task's reference solution before its first trial.
    pub check: Option<bool>,
    /// Factor on the time limits of tasks.
    pub timeout_multiplier: Option<f64>,
    /// Network of all sandboxes: "none", "full", or "task" for what each task says.
    pub network: Option<NetworkWord>,
    /// Dollars that the models of a run may cost; 0 is no limit.
    pub max_cost: Option<f64>,
    /// Private ed25519 key (PEM, PKCS#8) that a run's manifest is signed with; "" signs nothing.
    pub sign_key: Option<String>,
}

/// `[swebench]`: data sets of the SWE-bench family.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct SweBenchTable {
    /// By whose rules an instance is resolved.
    pub rules: Option<Under>,
    /// Whose official rules hold.
    pub version: Option<Rules>,
    /// Specifications of environments: files, or folders of them, relative to this file.
    pub envs: Option<Vec<String>>,
    /// What `proofyard import swebench-specs` wrote; "" is none.
    pub specs: Option<String>,
    /// How much of the history agents find.
    pub history: Option<HistoryWord>,
    /// Seconds of an eval script.
    pub timeout_sec: Option<f64>,
}

/// `[datasets.NAME]`: a data set with a name.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct DatasetTable {
    /// A file or a folder, relative to this file.
    pub path: Option<String>,
    /// Instead of `path`: where a file of rows is fetched from, once. Needs a `digest`.
    pub url: Option<String>,
    /// Its digest, as `proofyard list NAME` tells it: another one is an error.
    pub digest: Option<String>,
    /// A list of what is left out (`proofyard check --quarantine`), relative to this file.
    pub quarantine: Option<String>,
}

/// `history`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HistoryWord {
    /// The base commit and its ancestors.
    Ancestors,
    /// One commit with the tree of the base commit.
    None,
}

/// `[limits]`: of a sandbox, where the task says nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct LimitsTable {
    /// Processors; may be a fraction.
    pub cpus: Option<f64>,
    /// Memory; there is no swap.
    pub memory_mb: Option<u64>,
    /// Processes and threads.
    pub pids: Option<u64>,
    /// Open files of a process.
    pub open_files: Option<u64>,
    /// What may be written to disk.
    pub disk_mb: Option<u64>,
    /// Seconds that one tool call may take.
    pub call_timeout_sec: Option<f64>,
    /// Bytes of a tool call's output that are kept; the middle is cut.
    pub output_bytes: Option<u64>,
    /// Largest change that is taken from an agent's sandbox.
    pub change_mb: Option<u64>,
    /// Model turns of a trial; 0 is no limit.
    pub max_steps: Option<u64>,
    /// Tokens of a trial, of every kind together; 0 is no limit.
    pub max_tokens: Option<u64>,
    /// Dollars that the model may cost in a trial; 0 is no limit.
    pub max_trial_cost: Option<f64>,
}

/// `[engine]`: what runs containers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct EngineTable {
    /// Address of the Docker engine: `unix://…` or `tcp://…`; "auto" is DOCKER_HOST, else the default socket.
    pub host: Option<String>,
    /// How calls reach the helper in a sandbox.
    pub transport: Option<Transport>,
    /// How a sandbox gets its work tree.
    pub work_tree: Option<WorkTreeWay>,
}

/// `[images]`: what sandboxes are made from.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct ImagesTable {
    /// Folder of `<name>/Dockerfile`, built as `proofyard/<name>`; "auto" is `images` beside this file, "" none.
    pub dir: Option<String>,
    /// Whether images that are not local may be pulled.
    pub pull: Option<bool>,
    /// Gigabytes (10⁹ bytes) that images of a data set's instances may take: those that no trial needs are removed, the least recently used first; 0 is no limit.
    pub budget_gb: Option<f64>,
}

/// `[host]`: what of this machine takes part.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct HostTable {
    /// CA bundle for builds and sandboxes with a network; "auto" is what SSL_CERT_FILE, CURL_CA_BUNDLE or REQUESTS_CA_BUNDLE names, "" none.
    pub ca_bundle: Option<String>,
    /// Variables for builds and sandboxes with a network.
    pub pass_env: Option<Vec<String>>,
    /// Locks, scratch and caches; "auto" is `$XDG_STATE_HOME/proofyard`, else `~/.local/state/proofyard`.
    pub state: Option<String>,
}

/// `[loop]`: the built-in agent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct LoopTable {
    /// File with the system prompt; "built-in" is the one of this version.
    pub prompt: Option<String>,
    /// Whether the model is told what remains of its limits.
    pub announce_limits: Option<bool>,
    /// The same call with the same result so often in a row ends the trial; 0 never does.
    pub repeats: Option<u64>,
}

/// `[model]` and `[models.NAME]`: an endpoint that speaks the OpenAI chat format.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct ModelTable {
    /// Up to and with the version, `https://host/v1`; "auto" is OPENAI_BASE_URL, else OpenAI's own.
    pub base_url: Option<String>,
    /// Name of the variable that holds the key; "" sends none.
    pub key_env: Option<String>,
    /// The model's id at the endpoint; "" is the name that `--model` was given.
    pub id: Option<String>,
    /// A number, or "default" for the endpoint's own; so for the next two.
    pub temperature: Option<Parameter>,
    pub seed: Option<Parameter>,
    /// Tokens of one reply.
    pub max_tokens: Option<Parameter>,
    /// What the endpoint calls the bound on a reply: `max_tokens` or `max_completion_tokens`.
    pub max_tokens_field: Option<String>,
    /// `low`, `medium`, `high`, …; "" sends nothing.
    pub reasoning_effort: Option<String>,
    /// Whether replies are streamed.
    pub stream: Option<bool>,
    /// Seconds that one reply may take.
    pub timeout_sec: Option<f64>,
    /// Seconds without a byte, while a reply is streamed.
    pub stall_sec: Option<f64>,
    /// How often one reply is asked for before the endpoint counts as unreachable.
    pub tries: Option<u64>,
    /// Seconds of the first pause after a fault; doubled each time, with jitter.
    pub pause_sec: Option<f64>,
    /// Seconds of the longest pause, also of one that the endpoint asks for.
    pub longest_pause_sec: Option<f64>,
}

/// `[prices]`: what models cost, and since when.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct PricesTable {
    /// Date of the table, YYYY-MM-DD.
    pub date: Option<String>,
    /// By the model's id: dollars per million tokens.
    pub models: Option<BTreeMap<String, PriceTable>>,
}

/// Dollars per million tokens of one model.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct PriceTable {
    /// Without what the cache gives.
    pub input: Option<f64>,
    /// Read from the cache; default the price of input.
    pub cache_read: Option<f64>,
    /// Written to the cache; default the price of input.
    pub cache_write: Option<f64>,
    pub output: Option<f64>,
    /// Reasoning; default the price of output.
    pub reasoning: Option<f64>,
}

/// A number, or `"default"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Parameter {
    Default,
    Number(f64),
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl Visitor<'_> for Value {
            type Value = Parameter;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or \"default\"")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Parameter, E> {
                match word {
                    "default" => Ok(Parameter::Default),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Parameter, E> {
                Ok(Parameter::Number(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Parameter, E> {
                Ok(Parameter::Number(number as f64))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Parameter, E> {
                Ok(Parameter::Number(number as f64))
            }
        }
        deserializer.deserialize_any(Value)
    }
}

impl JsonSchema for Parameter {
    fn schema_name() -> Cow<'static, str> {
        "Parameter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number, or \"default\".",
            "type": ["number", "string"],
            "pattern": "^default$",
        })
    }
}

/// `network`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NetworkWord {
    /// What each task says.
    Task,
    None,
    Full,
}

/// A number of jobs, or `"auto"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jobs {
    Auto,
    Number(u64),
}

impl<'de> Deserialize<'de> for Jobs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl Visitor<'_> for Value {
            type Value = Jobs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or \"auto\"")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Jobs, E> {
                match word {
                    "auto" => Ok(Jobs::Auto),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Jobs, E> {
                u64::try_from(number)
                    .map(Jobs::Number)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Jobs, E> {
                Ok(Jobs::Number(number))
            }
        }
        deserializer.deserialize_any(Value)
    }
}

impl JsonSchema for Jobs {
    fn schema_name() -> Cow<'static, str> {
        "Jobs".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of jobs, or \"auto\".",
            "type": ["integer", "string"],
            "minimum": 1,
            "pattern": "^auto$",
        })
    }
}
