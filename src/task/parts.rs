//! Parts of a task that only some have: steps, health checks, artifacts, a
//! verifier's own environment, servers of tools.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::compose::{self, Compose};
use super::{AgentRules, Environment, Task, Verification};

/// The format that a task is written in; it says what a folder means where it is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Harbor's layout with a table of ours.
    Proofyard,
    Harbor,
    /// Terminal-Bench 1.
    TerminalBench,
    /// An instance of a data set of the SWE-bench family.
    SweBench,
}

impl Format {
    /// As it is shown.
    pub fn name(self) -> &'static str {
        match self {
            Format::Proofyard => "proofyard",
            Format::Harbor => "harbor",
            Format::TerminalBench => "terminal-bench",
            Format::SweBench => "swe-bench",
        }
    }
}

/// One of several steps in one sandbox: an instruction, and what verifies it.
#[derive(Debug, Clone)]
pub struct Step {
    pub name: String,
    /// What the agent is told; canary lines stripped.
    pub instruction: String,
    pub agent: AgentRules,
    pub verification: Verification,
    /// Folder with this step's `solve.sh`, else the task's.
    pub solution: Option<PathBuf>,
    /// Laid over the directory of tool calls before the step; its `setup.sh` is run.
    pub workdir: Option<PathBuf>,
    pub health: Option<HealthCheck>,
    /// Least rewards by name; below one of them no further step is begun.
    pub min_reward: BTreeMap<String, f64>,
    /// Beside the task's.
    pub artifacts: Vec<Artifact>,
}

/// A command that says whether a sandbox is ready.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthCheck {
    /// For the shell.
    pub command: String,
    pub interval: Duration,
    /// Of one attempt.
    pub timeout: Duration,
    /// Failures in this time do not count.
    pub start_period: Duration,
    /// The interval within it.
    pub start_interval: Duration,
    /// Failures in a row that are too many.
    pub retries: u32,
}

/// Services beside the agent's sandbox.
#[derive(Debug, Clone, PartialEq)]
pub struct Services {
    pub compose: Compose,
    /// The one of them that is the agent's sandbox.
    pub main: String,
}

impl Services {
    /// What is said of the agent's sandbox itself; none where that is not named.
    pub fn main(&self) -> Option<&compose::Service> {
        self.compose.services.get(&self.main)
    }

    /// The others, by name.
    pub fn beside(&self) -> impl Iterator<Item = (&String, &compose::Service)> {
        let all = self.compose.services.iter();
        all.filter(|(name, _)| **name != self.main)
    }
}

/// A path that is kept of a trial, and is all that a separate verifier sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// In the sandbox; relative ones from the directory of tool calls.
    pub source: String,
    /// Where it is kept, relative; default as its source.
    pub destination: Option<String>,
    /// Patterns of what is left out of a folder.
    pub exclude: Vec<String>,
    /// Of which service; none: the agent's sandbox.
    pub service: Option<String>,
}

/// A command that is run when the agent has ended, so that artifacts are complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Collect {
    /// For the shell.
    pub command: String,
    /// None: the agent's sandbox.
    pub service: Option<String>,
    pub timeout: Duration,
    /// Default: the image's.
    pub user: Option<String>,
}

/// A verifier that runs in a sandbox of its own image and sees artifacts alone.
#[derive(Debug, Clone)]
pub struct Separate {
    pub environment: Environment,
    /// Whether the image holds `/tests`; else hidden files are laid there.
    pub has_tests: bool,
}

/// A server of tools that agents may use, by the Model Context Protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpServer {
    pub name: String,
    pub transport: McpTransport,
}

/// How a server of tools is reached, from inside the agent's sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum McpTransport {
    /// A program, started in the sandbox.
    Stdio { command: String, args: Vec<String> },
    Sse {
        url: String,
        headers: BTreeMap<String, String>,
    },
    StreamableHttp {
        url: String,
        headers: BTreeMap<String, String>,
    },
}

/// What the official rules of SWE-bench ask of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Official {
    pub instance_id: String,
    /// `owner/name`.
    pub repo: String,
    pub version: String,
    pub log_parser: Option<String>,
    pub eval_type: Option<String>,
    /// As the data set has them, cut-off ones and all.
    pub fail_to_pass: Vec<String>,
    pub pass_to_pass: Vec<String>,
    /// The eval script, as swebench 4.1 runs it.
    pub script: PathBuf,
    /// The work tree, in the sandbox.
    pub workdir: String,
    /// Of the script.
    pub timeout: Duration,
}

impl Task {
    /// Whether `task.toml` has one of our tables, and keeps to our own contract; else
    /// the rules of its format hold.
    pub fn ours(&self) -> bool {
        self.format == Format::Proofyard
    }

    /// The task as one of its steps: what the agent is told then, and what verifies it.
    pub fn of_step(&self, step: &Step) -> Task {
        let mut artifacts = self.artifacts.clone();
        artifacts.extend(step.artifacts.iter().cloned());
        Task {
            instruction: step.instruction.clone(),
            agent: step.agent.clone(),
            verification: step.verification.clone(),
            solution: step.solution.clone(),
            artifacts,
            steps: Vec::new(),
            ..self.clone()
        }
    }
}
