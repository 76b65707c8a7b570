//! Why a command was not carried out, in one type for those that rest on tasks
//! and settings alone.

use std::io::{self, Write};

use std::path::PathBuf;

use super::Exit;
use super::import_specs::SpecsFailure;
use crate::agent::AgentError;
use crate::cheats::ManifestError;
use crate::config::ConfigError;
use crate::diagnose::{Problem, render_error};
use crate::model::scripted::ScriptError;
use crate::model::{ModelError, OpenAiError};
use crate::record::RunId;
use crate::report::ExportError;
use crate::run::{KeyError, NotRegraded, PlanError, StoreError};
use crate::sandbox::SandboxError;
use crate::sandbox::docker::EngineError;
use crate::sandbox::docker::images::ImageError;
use crate::swebench::predictions::PredictionError;
use crate::swebench::row::RowError;
use crate::swebench::specs::SpecError;
use crate::task::TaskError;
use crate::task::select::{ExclusionError, ExpressionError};
use crate::task::swebench::InstanceError;

/// Most errors of one kind that are shown.
const MOST_SHOWN: usize = 10;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Everything wrong with the tasks; never empty.
    #[error("{} tasks cannot be used", .0.len())]
    Tasks(Vec<TaskError>),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    NotRegraded(#[from] NotRegraded),
    #[error("{run} is a regrade: no agent acts in it; `proofyard regrade {of}` begins anew")]
    IsRegrade { run: RunId, of: String },
    #[error(
        "no agent is named: `-a oracle`, `-a nop`, `-a script:FILE`, or `-m MODEL` for the loop with a model; or `run.agents` in harness.toml"
    )]
    NoAgent,
    #[error(
        "the agent `loop` talks to a model: name one with `-m`, or `run.models` in harness.toml"
    )]
    NoModel,
    #[error(
        "a model is named with `-m`, and none of the agents talks to one: add `-a loop`, or leave `-a` out"
    )]
    IdleModel,
    #[error(
        "[models.{name}] is no longer as the run was planned with; trials under two settings cannot be compared"
    )]
    ModelChanged { name: String },
    #[error(transparent)]
    Model(ModelError),
    #[error(transparent)]
    Endpoint(#[from] OpenAiError),
    #[error(transparent)]
    Script(#[from] ScriptError),
    #[error("serve a scripted model: {0}")]
    Serve(io::Error),
    #[error("read the system prompt {}: {source}", .path.display())]
    Prompt { path: PathBuf, source: io::Error },
    #[error(
        "no price is known of the model `{id}`, so that a limit on cost could not hold: add [prices.models.\"{id}\"] to harness.toml"
    )]
    Unpriced { id: String },
    #[error("write {}: {source}", .file.display())]
    Write {
        file: PathBuf,
        source: std::io::Error,
    },
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Job(Vec<crate::diagnose::Problem>),
    #[error("{}", first_line(.0))]
    Instances(Vec<InstanceError>),
    #[error(transparent)]
    Rows(RowError),
    #[error(transparent)]
    Filter(#[from] ExpressionError),
    #[error(transparent)]
    Exclusions(#[from] ExclusionError),
    #[error(transparent)]
    Specs(#[from] SpecError),
    #[error(transparent)]
    ReadSpecs(SpecsFailure),
    #[error(transparent)]
    Predictions(#[from] PredictionError),
    #[error(
        "`{path}` is no data set of the SWE-bench family: neither a file of rows, nor a folder of such, nor a name of [datasets]"
    )]
    NoDataSet { path: String },
    #[error("nothing is predicted for any of the {instances} instances that are meant")]
    NothingPredicted { instances: usize },
    #[error("{file}:{line}: the data set has no instance `{id}`{}", and_more(*more))]
    NotInDataSet {
        file: String,
        line: usize,
        id: String,
        more: usize,
    },
    #[error("the data set has no field `{field}`; it has {known}")]
    NoField { field: String, known: String },
    #[error(
        "the data set `{name}` is another one than `datasets.{name}.digest` says: its digest is {found}, not {expected}"
    )]
    DataSetDigest {
        name: String,
        expected: String,
        found: String,
    },
    #[error(
        "the data set `{name}` has a URL and no digest; what lies at {url} now are {rows} rows: write `digest = \"{found}\"` below [datasets.{name}] to have these and no others"
    )]
    NoDigest {
        name: String,
        url: String,
        found: String,
        rows: usize,
    },
    #[error(
        "{url} is a URL: name it in harness.toml, `[datasets.NAME]` with `url` and `digest`, and say NAME"
    )]
    BareUrl { url: String },
    #[error("cannot fetch {url}: {message}")]
    Fetch { url: String, message: String },
    #[error("`--quarantine` writes of one data set, and {count} are named")]
    Quarantine { count: usize },
    #[error("{} is there already: `--force` replaces it", .file.display())]
    IsThere { file: PathBuf },
    #[error("no trial of `{run}` is by this agent and model and has this number")]
    NoTrialPredicts { run: String },
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("the data set `{name}` has no instance `{id}` (`proofyard list {name}` lists them)")]
    NoInstance { name: String, id: String },
    #[error("no task matches the filter `{filter}`")]
    NothingMatches { filter: String },
    #[error("there is no task, run or trial `{what}` (runs are looked for in {})", .out.display())]
    Unknown { what: String, out: PathBuf },
    #[error("`{flag}` is about a trial, and `{what}` is none")]
    NoTrial { what: String, flag: &'static str },
    #[error("{0}")]
    NotReady(String),
    #[error("nothing was imported: {0}")]
    Unchecked(String),
    #[error(transparent)]
    Cheats(#[from] ManifestError),
    #[error("there is no cheat or control `{name}`; did you mean `{near}`?")]
    UnknownCheat { name: String, near: String },
    #[error("none of these cheats is meant for any of these tasks")]
    NoCheatFits,
    #[error("make a folder for trials: {0}")]
    Scratch(#[source] io::Error),
    #[error("listen for Ctrl-C")]
    Signals(#[source] io::Error),
    #[error("standard output cannot be written")]
    Output(#[source] io::Error),
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        Self::Tasks(vec![error])
    }
}

impl Failure {
    /// What the program ends with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Engine(EngineError::Connect(_) | EngineError::Facts(_)) => Exit::Unreachable,
            Self::Model(_) | Self::Unchecked(_) => Exit::Unreachable,
            Self::Image(_) | Self::Sandbox(_) | Self::NotReady(_) => Exit::TrialErrors,
            _ => Exit::Usage,
        }
    }

    /// The text for standard error, blocks with blank lines between.
    pub fn render(&self, colour: bool) -> String {
        match self {
            Self::Tasks(errors) => {
                let blocks: Vec<String> = errors.iter().map(|error| error.render(colour)).collect();
                blocks.join("\n")
            }
            Self::Job(problems) => Problem::render_all(problems, colour),
            Self::Config(error) => error.render(colour),
            Self::Rows(error) => error.render(colour),
            Self::Predictions(error) => error.render(colour),
            Self::Filter(error) => error.render(colour),
            Self::Exclusions(error) => error.render(colour),
            Self::Instances(errors) => {
                let blocks = errors.iter().take(MOST_SHOWN).map(|error| match error {
                    InstanceError::Environments(error) => error.render(colour),
                    other => render_error(other, &other.advice(), colour),
                });
                let more = errors.len().saturating_sub(MOST_SHOWN);
                let more = (more > 0).then(|| format!("and {more} instances more\n"));
                blocks.chain(more).collect::<Vec<_>>().join("\n")
            }
            Self::Script(ScriptError::Invalid { problems }) => {
                let blocks = problems.iter().map(|problem| problem.render(colour));
                blocks.collect::<Vec<_>>().join("\n")
            }
            Self::Store(StoreError::Out { .. }) => {
                let advice = "try: --out FOLDER, or run.out in harness.toml".to_owned();
                render_error(self, &[advice], colour)
            }
            _ => render_error(self, &[], colour),
        }
    }
}

fn and_more(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!(", and none of {more} more that are predicted for"),
    }
}

fn first_line(errors: &[InstanceError]) -> String {
    errors.first().map(ToString::to_string).unwrap_or_default()
}

/// Writes a result to standard output. A reader that is gone (`| head`) has what
/// it wanted.
pub fn to_stdout(text: &str) -> Result<Exit, Failure> {
    written(text).map_err(Failure::Output)?;
    Ok(Exit::Done)
}

/// Writes to standard output; a reader that is gone (`| head`) has what it wanted.
pub fn written(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
