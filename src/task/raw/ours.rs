//! Our own tables; in these an unknown key is an error.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{NetworkValue, UserName};
use crate::record::Sees;

/// `[repo]`: the work tree that the agent finds and changes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct RepoTable {
    /// A folder of the task (becomes one commit), or a git bundle.
    pub path: Option<String>,
    /// A repository that the host's git brings.
    pub url: Option<String>,
    /// The work tree is the image's own; not supported yet.
    pub in_image: Option<bool>,
    /// 40 hex digits, for a bundle or a url.
    pub commit: Option<String>,
    /// Where it lies in the sandbox; default the image's WORKDIR, else `/workspace`.
    pub workdir: Option<String>,
    /// What of the history the agent finds, default `ancestors`.
    pub history: Option<HistoryName>,
}

/// `history`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HistoryName {
    /// The base commit and its ancestors.
    Ancestors,
    /// One commit with the tree of the base commit.
    None,
}

/// `[verification]`: how a task is verified.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct VerificationTable {
    /// The format whose rules sandbox and tests follow, in a task that is ours otherwise.
    pub contract: Option<ContractName>,
    /// What of the agent's world the verifier sees; default `patch` with a `[repo]`, else `files`.
    pub sees: Option<Sees>,
    /// Whether hidden files can be written while tests run, default `held`.
    pub hidden: Option<HiddenName>,
    /// Of `files`: only these roots cross over; default all that changed.
    pub carry: Option<Vec<String>>,
    /// Of `patch`: also what `.gitignore` hides.
    pub include_ignored: Option<bool>,
    /// Runner configuration or tests that the agent is meant to change.
    pub may_change: Option<Vec<String>>,
    /// Where the answer is published, as beginnings of `host/path`: a request there breaks `clean`.
    pub answers: Option<Vec<String>>,
    /// Of `live`: services that belong to the task, and are started again before tests run.
    pub services: Option<Vec<Service>>,
    /// Default `pytest` where tests are expected, else `script`.
    pub runner: Option<RunnerName>,
    /// Shell command that runs the agent's code before hidden files exist.
    pub build: Option<String>,
    /// How the runner is started; default by runner.
    pub command: Option<String>,
    /// Folder of hidden files, laid over the work tree last; without a repo they lie at `/tests`. Default `tests`.
    pub overlay: Option<String>,
    /// A patch with the hidden files, instead of `overlay`.
    pub patch: Option<String>,
    /// Tests that do not pass before the task is done, and must then.
    pub fail_to_pass: Option<Vec<String>>,
    /// Tests that pass before, and must still.
    pub pass_to_pass: Option<Vec<String>>,
    /// Reward from which a task without expected tests is resolved, 0 to 1; default 1.
    pub resolved_at: Option<f64>,
    /// User of the hidden tests; default the image's.
    pub user: Option<UserName>,
    /// Network of the verifier's sandbox, default `none`.
    pub network: Option<NetworkValue>,
}

/// `contract`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContractName {
    Harbor,
}

/// `hidden`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HiddenName {
    /// Read-only, where this host can do that.
    Held,
    Writable,
}

/// `runner`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunnerName {
    Pytest,
    /// `tests/test.sh` and the reward file that it writes.
    Script,
    /// Python's unittest.
    Unittest,
    /// A Python script that runs unittest by itself, as `command` says.
    #[serde(rename = "unittest-script")]
    UnittestScript,
    /// Plain test functions of Python files.
    Functions,
    /// JUnit XML at `/logs/verifier/junit.xml`, from any runner.
    Junit,
    /// TAP on standard output; `node --test` where no command is given.
    Tap,
    /// `go test -json`.
    Go,
    /// `cargo test`.
    Cargo,
    /// `cargo nextest run`.
    Nextest,
    Mocha,
    Jest,
}

/// A service of `[verification]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Service {
    /// Program and arguments.
    pub command: Option<Vec<String>>,
    /// Port that it listens on; tests wait for it.
    pub port: Option<u16>,
}

/// `[tools]`: what is right use of tools here.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct ToolsTable {
    /// Of the standard tools, those that are offered; default all of them. Tools of the task's own always are.
    pub allow: Option<Vec<String>>,
    /// Calls that break `clean`.
    pub forbid: Option<Vec<CallTable>>,
    /// Globs over paths that must not be read; relative ones are taken from the work tree.
    pub forbid_read: Option<Vec<String>>,
    /// Calls without which a trial is unresolved; an empty list says that no call is asked for.
    pub require: Option<Vec<CallTable>>,
    /// Pairs of tools: no call of the second before a successful one of the first.
    pub after: Option<Vec<Vec<String>>>,
    /// Globs over paths, relative ones taken from the work tree; writes elsewhere are out of scope.
    pub write_scope: Option<Vec<String>>,
    /// A folder of the task with programs and state of its own tools, `/tools` where they run.
    pub files: Option<String>,
    /// Where the task's own tools run, default `beside`.
    #[serde(rename = "where")]
    pub place: Option<ToolPlaceName>,
    /// Tools of the task's own.
    pub custom: Option<Vec<CustomTable>>,
}

/// `where`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ToolPlaceName {
    /// In a sandbox that the agent's shell cannot reach.
    Beside,
    /// In the agent's own.
    Inside,
}

/// An entry of `forbid` or `require`: a pattern of calls.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct CallTable {
    pub tool: Option<String>,
    /// A glob over the argument `command`, as a whole.
    pub command: Option<String>,
    /// By name: a value, or `{ any = […] }`, `{ regex = "…" }`, `{ schema = {…} }`.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub arguments: Option<BTreeMap<String, toml::Value>>,
}

/// `[[tools.custom]]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct CustomTable {
    /// `[a-z][a-z0-9_]*`, at most 64 characters.
    pub name: Option<String>,
    /// What a model reads of it.
    pub description: Option<String>,
    /// A file with the JSON Schema of the arguments, an object.
    pub parameters: Option<String>,
    /// Program and arguments; the call's come as JSON on standard input.
    pub command: Option<Vec<String>>,
}

/// `[scenario]`: what scores are grouped by.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct ScenarioTable {
    pub name: Option<String>,
    /// What of a trial counts: `success`, `tool_use`, …
    pub dimensions: Option<Vec<String>>,
    /// For standard errors; default the repo's url, else the task.
    pub cluster: Option<String>,
    /// More than 0, default 1.
    pub weight: Option<f64>,
    pub difficulty: Option<String>,
    pub tags: Option<Vec<String>>,
}
