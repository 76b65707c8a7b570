//! `harness.toml` as it is written. Field documentation here is what
//! `proofyard schema harness` prints; defaults are in `defaults.toml`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use super::{Transport, WorkTreeWay};

/// `harness.toml`: how tasks are evaluated. Every key may also be a variable,
/// `PROOFYARD_<TABLE>_<KEY>`, and a flag, `--set table.key=value`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct HarnessToml {
    pub run: Option<RunTable>,
    pub limits: Option<LimitsTable>,
    pub engine: Option<EngineTable>,
    pub images: Option<ImagesTable>,
    pub host: Option<HostTable>,
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
