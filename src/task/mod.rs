//! What is asked: the model of a task, its loader, its digest.
//!
//! Owns the task's folder format (Harbor's layout with our tables) and the
//! errors that name file, line and column. Must not know Docker, agents or runs.
//!
//! A folder becomes a task in steps: `folder` lists its files, [`raw`] is its
//! `task.toml` as written, `validate` says what of it is right and what it means.

pub mod compose;
pub mod dataset;
mod digest;
pub mod envs;
mod error;
mod filter;
#[cfg(test)]
pub(crate) mod fixture;
mod folder;
mod freeze;
mod load;
mod pack;
mod parts;
mod pattern;
pub mod raw;
mod read;
mod scaffold;
pub mod select;
pub mod swebench;
pub mod terminal_bench;
mod validate;

pub use error::TaskError;
pub use filter::{matches, matches_name};
pub use folder::discover;
pub use freeze::{Freezing, Way};
pub use load::{digest_all, digested, load, load_all, load_each};
pub use pack::{MTIME, PackError, Times, pack};
pub use parts::*;
pub use pattern::{CallMatcher, PathGlobs, PatternError, STANDARD_TOOLS, by_value};
pub use scaffold::{Kind, scaffold};
pub use validate::MAIN_IMAGE;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::record::{Digest, Sees, Strategy, TaskId};
use terminal_bench::Parser;

/// A task, validated: everything that later rooms need to know of it.
#[derive(Debug, Clone)]
pub struct Task {
    pub id: TaskId,
    /// The folder, absolute.
    pub dir: PathBuf,
    /// The folder as the user named it.
    pub source: String,
    /// Of every file of the folder: path, kind, mode, content. Empty until somebody
    /// uses the task.
    pub digest: Digest,
    /// What the agent is told; canary lines stripped.
    pub instruction: String,
    pub description: String,
    pub environment: Environment,
    pub agent: AgentRules,
    pub repo: Option<Repo>,
    pub verification: Verification,
    pub tools: ToolRules,
    pub scenario: Scenario,
    pub format: Format,
    /// In order; empty where the task is one step without a name.
    pub steps: Vec<Step>,
    pub reward_strategy: Strategy,
    /// What is kept of a trial, beside `/logs/artifacts`.
    pub artifacts: Vec<Artifact>,
    /// `solution/` of the folder, where it has one with a `solve.sh` or a
    /// `calls.jsonl`; of Terminal-Bench 1 its `solution.sh` or `solution.yaml`.
    pub solution: Option<PathBuf>,
    /// Environment of `solve.sh` alone.
    pub solution_env: BTreeMap<String, String>,
    /// What official rules ask, where the task's data set has some.
    pub official: Option<Official>,
    /// What the loader did not understand and went on without.
    pub warnings: Vec<String>,
}

/// Where a task runs.
#[derive(Debug, Clone)]
pub struct Environment {
    pub image: ImageSource,
    pub build_timeout: Duration,
    /// Processors; null leaves it to the settings.
    pub cpus: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// Bytes that the agent may write.
    pub storage_bytes: Option<u64>,
    pub env: BTreeMap<String, String>,
    /// Directory of tool calls; default the repo's work tree, else the image's WORKDIR.
    pub workdir: Option<String>,
    pub network: Network,
    /// Whether the task says what it reaches; else it is the format's default.
    pub network_is_said: bool,
    /// Containers beside the sandbox, and what they say of it.
    pub services: Option<Services>,
    /// Asked once the image's own process has started.
    pub health: Option<HealthCheck>,
    /// A folder of the task that is laid over the directory of tool calls.
    pub upload: Option<PathBuf>,
    /// Where skills for the agent lie, in the sandbox.
    pub skills: Option<String>,
    pub mcp_servers: Vec<McpServer>,
}

/// What a sandbox's image is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// A folder with a Dockerfile.
    Dockerfile(PathBuf),
    /// As a compose file says.
    Build(compose::Build),
    /// A name that is local already, or is pulled.
    Named(String),
    /// Of an instance of SWE-bench.
    Instance(Box<InstanceImage>),
}

/// The image of an instance of SWE-bench: the first of its names that is there or can be
/// pulled, else one that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceImage {
    pub names: Vec<String>,
    pub built: Option<InstanceBuild>,
    /// A patch that is laid over the work tree before anybody acts.
    pub bug: Option<PathBuf>,
    /// The work tree, in the image.
    pub workdir: String,
}

/// How an instance's image is built, as texts of Dockerfiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceBuild {
    /// The image that instances of one environment share.
    pub environment: String,
    /// `swebench::Built::FROM` stands for the tag of that one, `swebench::Built::TREE` for
    /// the folder with the work tree.
    pub instance: String,
    pub repo: RepoSource,
    /// 40 hex.
    pub commit: Option<String>,
}

/// What a sandbox may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    None,
    Full,
}

/// Rules for the agent's phase.
#[derive(Debug, Clone)]
pub struct AgentRules {
    /// None: no limit.
    pub timeout: Option<Duration>,
    /// User of tool calls; default the image's.
    pub user: Option<String>,
}

/// The work tree that an agent finds and changes.
#[derive(Debug, Clone)]
pub struct Repo {
    pub source: RepoSource,
    /// 40 hex; none for a folder, which becomes one commit.
    pub commit: Option<String>,
    /// Where it lies in the sandbox; none: the image's WORKDIR, else `/workspace`.
    pub workdir: Option<String>,
    pub history: History,
}

/// Where a repo comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepoSource {
    Folder(PathBuf),
    Bundle(PathBuf),
    Url(String),
    /// The image's own work tree, which stays as it is; only its `.git` is made anew.
    Image,
}

/// How much of the history an agent finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// The base commit and its ancestors.
    Ancestors,
    /// The base commit's tree as a commit of its own.
    None,
}

/// How a task is verified.
#[derive(Debug, Clone)]
pub struct Verification {
    pub sees: Sees,
    /// `files`: only these roots cross over; empty: all that changed.
    pub carry: Vec<String>,
    /// `patch`: also what `.gitignore` hides.
    pub include_ignored: bool,
    /// Globs of tests and of the runner's configuration that the agent is meant to
    /// change; relative ones from the work tree.
    pub may_change: Vec<String>,
    /// Whether hidden files are made unwritable where this host can do that. Tests of
    /// other formats may write them.
    pub hold: bool,
    /// A task of another format says itself how it is verified: no way is looked for.
    pub fixed: bool,
    /// `live`: what belongs to the task, and is started again before tests run.
    pub services: Vec<Service>,
    /// Beginnings of `host/path` where the answer is published: a request there is
    /// flagged.
    pub answers: Vec<String>,
    pub runner: Runner,
    /// For bash: performed in the shell of the build and of the runner, before them.
    pub enter: Option<String>,
    /// What is named to the runner; empty: what the expected names tell.
    pub targets: Vec<String>,
    /// The official log parser whose spelling the expected names have.
    pub names: Option<String>,
    /// Shell command that runs the agent's code before hidden files exist.
    pub build: Option<String>,
    /// How the runner is started; default by runner.
    pub command: Option<String>,
    pub hidden: Hidden,
    /// Other versions of hidden files, in which what has to begin to pass expects
    /// something wrong: of runners whose tests the verifier cannot alter by itself.
    pub altered: Option<PathBuf>,
    pub fail_to_pass: Vec<String>,
    pub pass_to_pass: Vec<String>,
    /// Reward from which a task without per-test expectations counts as resolved.
    pub resolved_at: f64,
    /// Who runs hidden tests; default the image's user.
    pub user: Option<String>,
    pub network: Network,
    pub timeout: Duration,
    /// Environment of the verifier alone.
    pub env: BTreeMap<String, String>,
    /// A sandbox of the verifier's own, which sees artifacts alone.
    pub separate: Option<Separate>,
    /// Run when the agent has ended and before artifacts are taken, in order.
    pub collect: Vec<Collect>,
    /// Live: tests run in the agent's own persistent shell.
    pub same_shell: bool,
}

/// A program that a task expects to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Never empty.
    pub command: Vec<String>,
    /// Where it listens, once it does.
    pub port: Option<u16>,
}

/// What turns hidden tests into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// pytest, records by JUnit XML.
    Pytest,
    /// `tests/test.sh` and its reward file.
    Script,
    /// Python's unittest, by a reporter of our own.
    Unittest,
    /// A script that runs unittest by itself, below a reporter of our own.
    UnittestScript,
    /// Plain test functions of files, by a runner of our own.
    Functions,
    /// JUnit XML, written by the task's command.
    Junit,
    Tap,
    Go,
    Cargo,
    Nextest,
    Mocha,
    Jest,
    /// Terminal-Bench 1: `run-tests.sh`, and what it shows, read by this parser.
    TerminalBench(Parser),
    /// What the command shows, read by an official log parser of SWE-bench.
    Log,
}

impl Runner {
    /// As a task names it.
    pub fn name(self) -> &'static str {
        match self {
            Runner::Pytest => "pytest",
            Runner::Script => "script",
            Runner::Unittest => "unittest",
            Runner::UnittestScript => "unittest-script",
            Runner::Functions => "functions",
            Runner::Junit => "junit",
            Runner::Tap => "tap",
            Runner::Go => "go",
            Runner::Cargo => "cargo",
            Runner::Nextest => "nextest",
            Runner::Mocha => "mocha",
            Runner::Jest => "jest",
            Runner::TerminalBench(_) => "run-tests.sh",
            Runner::Log => "log",
        }
    }
}

/// Hidden files: never inside a sandbox that an agent can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hidden {
    /// Folders laid over the work tree (repo tasks) or placed at `/tests`, later ones
    /// over earlier ones.
    Overlay(Vec<PathBuf>),
    /// A patch applied to the work tree.
    Patch(PathBuf),
}

/// What is right use of tools here, and the task's own tools.
#[derive(Debug, Clone, Default)]
pub struct ToolRules {
    /// Of the standard set, what is offered; none: all of it. Custom tools are
    /// always offered.
    pub allow: Option<Vec<String>>,
    /// Calls that break `clean`.
    pub forbid: Vec<CallPattern>,
    /// Globs over paths that must not be read.
    pub forbid_read: Vec<String>,
    /// Calls without which a trial is unresolved; an empty list says that no call
    /// is asked for, none that nothing is said.
    pub require: Option<Vec<CallPattern>>,
    /// Pairs of tools: no call of the second before a successful one of the first.
    pub after: Vec<(String, String)>,
    /// Globs over paths; writes elsewhere are out of scope. None: anywhere.
    pub write_scope: Option<Vec<String>>,
    /// Programs and state of custom tools, a folder of the task, absolute.
    pub files: Option<PathBuf>,
    pub place: ToolPlace,
    pub custom: Vec<CustomTool>,
}

/// Where custom tools run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ToolPlace {
    /// In a sandbox that the agent's shell cannot reach.
    #[default]
    Beside,
    /// In the agent's own.
    Inside,
}

/// A pattern of calls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallPattern {
    pub tool: String,
    /// A glob over the argument `command`.
    pub command: Option<String>,
    /// By name; arguments that are not named do not matter.
    pub arguments: BTreeMap<String, Matcher>,
}

/// What an argument is held against.
#[derive(Debug, Clone, PartialEq)]
pub enum Matcher {
    /// Equal as JSON.
    Equal(serde_json::Value),
    /// Equal to one of these.
    Any(Vec<serde_json::Value>),
    /// Found in a string.
    Regex(String),
    /// Valid by a JSON Schema.
    Schema(serde_json::Value),
}

/// A tool of the task's own.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomTool {
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments, an object.
    pub parameters: serde_json::Value,
    /// Arguments come as JSON on standard input, the result is standard output.
    pub command: Vec<String>,
}

/// What scores are grouped by.
#[derive(Debug, Clone, Default)]
pub struct Scenario {
    pub name: Option<String>,
    pub cluster: Option<String>,
    pub difficulty: Option<String>,
    pub tags: Vec<String>,
}

impl Task {
    /// What standard errors are clustered by: the scenario's `cluster`, else the task.
    pub fn cluster(&self) -> String {
        self.scenario
            .cluster
            .clone()
            .unwrap_or_else(|| self.id.to_string())
    }

    /// Every expected test, `fail_to_pass` first.
    pub fn expected(&self) -> impl Iterator<Item = (&str, crate::record::Expect)> {
        use crate::record::Expect;
        let fail = self
            .verification
            .fail_to_pass
            .iter()
            .map(|id| (id.as_str(), Expect::FailToPass));
        let pass = self
            .verification
            .pass_to_pass
            .iter()
            .map(|id| (id.as_str(), Expect::PassToPass));
        fail.chain(pass)
    }
}
