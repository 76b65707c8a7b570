//! `instance.json`: an instance as it lies in its folder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The file's name; a folder that has it is an instance.
pub const FILE: &str = "instance.json";
/// The schema that this version writes.
pub const SCHEMA: &str = "proofyard/swebench-instance/2";

/// An instance, with all that was decided about it, and nothing of where its row was found:
/// it is the same task in every data set that has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceFile {
    pub schema: String,
    pub instance_id: String,
    pub repo: String,
    pub version: String,
    pub base_commit: Option<String>,
    pub history: HistoryName,
    pub difficulty: Option<String>,
    /// Names under which its image may be found, in order.
    pub images: Vec<String>,
    /// How an image is made where none is found.
    pub built: Option<Built>,
    /// The row's patch makes the bug: it is laid over the image before anybody acts.
    pub reversed: bool,
    /// The work tree, in the image.
    pub workdir: String,
    pub log_parser: String,
    pub eval_type: Option<String>,
    pub fail_to_pass: Vec<String>,
    pub pass_to_pass: Vec<String>,
    /// Seconds of the eval script, and of a verification by records.
    pub timeout_sec: f64,
    /// `none` or `full`, of verification.
    pub network: NetworkName,
    pub cpus: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// Of the sandbox.
    pub env: BTreeMap<String, String>,
    pub strict: Option<StrictRun>,
    pub warnings: Vec<String>,
}

/// How tests are run so that each leaves a record of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrictRun {
    pub runner: StrictRunner,
    /// For bash: what a shell needs before it builds or tests.
    pub enter: String,
    /// For bash: runs once the change is there.
    pub build: Option<String>,
    /// How the runner is started; of `log` the whole command, for bash.
    pub command: String,
    /// What is named to the runner.
    pub targets: Vec<String>,
}

/// Runners by which records are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrictRunner {
    Pytest,
    UnittestScript,
    Functions,
    /// None of ours: what the command shows, read by the official parser.
    Log,
}

/// The two images of a specification, as texts of Dockerfiles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Built {
    /// What instances share.
    pub environment: String,
    /// [`Built::FROM`] stands for the tag of the first, [`Built::TREE`] for the folder
    /// with the work tree in the context.
    pub instance: String,
    pub repo: RepoPlace,
}

impl Built {
    pub const FROM: &str = "proofyard-environment";
    pub const TREE: &str = "tree";
}

/// Where the repo of a built instance is brought from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RepoPlace {
    Url(String),
    /// A git repository on this host, absolute.
    Repository(String),
    Bundle(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HistoryName {
    Ancestors,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkName {
    None,
    Full,
}
