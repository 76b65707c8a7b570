//! `proofyard run`: its arguments.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::select::SelectArgs;
use crate::config::Flag;
use crate::report::{ProgressMode, View};

const EXAMPLES: &str = "\
Examples:
  proofyard run                               what harness.toml names
  proofyard run tasks/repo -a oracle -a nop   two agents at every task of a folder
  proofyard run tasks -a script:fix.jsonl -n 3 -j 4
  proofyard run tasks -m gpt-5 --max-cost 5   the built-in loop with a model
  proofyard run tasks -m scripted:demo.toml   the loop with turns from a file
  proofyard run tasks -a oracle --json > events.jsonl
  proofyard run verified.jsonl -m gpt-5 --sample 50 --seed 7 --stratify repo
  proofyard run swebench-verified -m gpt-5 --exclude quarantine.toml --image-budget 60
  proofyard run -c job.yaml                   a job configuration of Harbor's
  proofyard run downloads/tb2 -a oracle --keep-going

Exit codes:
  0 done, whatever the agents' success   1 done, but some trials ended in error, or
    some tasks could not be read (--keep-going)
  2 nothing was run                      4 the engine or the model does not answer
  130 interrupted, `proofyard resume RUN` goes on";

/// Evaluate agents at tasks.
///
/// Runs every agent at every task, each trial in a sandbox of its own, and
/// verifies what it left in a pristine one. Results are kept below the output
/// folder as they come; an interrupted run can be resumed.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    /// Task folders, folders of tasks, data sets of the SWE-bench family (files, folders, or
    /// names of [datasets]) [default: what harness.toml names]
    #[arg(value_name = "TASK")]
    pub tasks: Vec<String>,

    /// Who acts: oracle, nop, script:FILE, loop; may be given several times
    /// [default: loop, where a model is named]
    #[arg(short, long = "agent", value_name = "AGENT")]
    pub agents: Vec<String>,

    /// Whom the loop talks to: a model's id, a name of [models] in harness.toml, or
    /// scripted:FILE; may be given several times
    #[arg(short, long = "model", value_name = "MODEL")]
    pub models: Vec<String>,

    /// Trials of each agent at each task [default: 1]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub attempts: Option<u32>,

    #[command(flatten)]
    pub pace: PaceArgs,

    /// Folder that runs are kept in [default: runs]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Name of the run [default: the date and two words]
    #[arg(long, value_name = "NAME")]
    pub run_id: Option<String>,

    /// Network of the sandboxes [default: what each task says]
    #[arg(long, value_enum, value_name = "MODE")]
    pub network: Option<NetworkArg>,

    /// Do not verify reference solutions before the first trial of a task
    #[arg(long)]
    pub no_check: bool,

    /// Multiply every time limit of the tasks
    #[arg(long, value_name = "X", value_parser = positive)]
    pub timeout_multiplier: Option<f64>,

    /// Sign the run's manifest with this private ed25519 key
    #[arg(long, value_name = "KEY.pem")]
    pub sign: Option<PathBuf>,

    #[command(flatten)]
    pub select: SelectArgs,

    #[command(flatten)]
    pub rules: RulesArgs,

    #[command(flatten)]
    pub budget: BudgetArgs,

    /// Say what would be run, and run nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Any key of harness.toml, such as limits.memory_mb=4096
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,

    /// A job configuration of Harbor's, YAML or JSON: its tasks, agents and numbers, under
    /// the flags given here
    #[arg(short = 'c', long, value_name = "FILE")]
    pub job: Option<PathBuf>,

    /// Run the tasks that can be read, although others cannot
    #[arg(long)]
    pub keep_going: bool,

    /// Settings file [default: harness.toml here or above]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    #[command(flatten)]
    pub view: ViewArgs,
}

/// What is about instances of SWE-bench alone.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Instances of SWE-bench")]
pub struct RulesArgs {
    /// By whose rules an instance is resolved: both, official, strict [default: both]
    #[arg(long, value_name = "RULES", value_parser = ["both", "official", "strict"])]
    pub rules: Option<String>,

    /// Whose official rules: 5.0, 4.1 [default: 5.0]
    #[arg(long, value_name = "VERSION", value_parser = ["5.0", "4.1"])]
    pub swebench: Option<String>,

    /// Specifications of environments: files, or folders of them; may be given several times
    #[arg(long, value_name = "PATH")]
    pub envs: Vec<String>,

    /// Gigabytes that images of instances may take: those that no trial needs go, the least
    /// recently used first; 0 for no limit [default: 0]
    #[arg(long, value_name = "GB")]
    pub image_budget: Option<f64>,
}

impl RulesArgs {
    /// As settings.
    pub fn flags(&self) -> Vec<Flag> {
        let mut flags = Vec::new();
        if let Some(rules) = &self.rules {
            flags.push(Flag::named("--rules", "swebench.rules", [rules.as_str()]));
        }
        if let Some(version) = &self.swebench {
            flags.push(Flag::named(
                "--swebench",
                "swebench.version",
                [version.as_str()],
            ));
        }
        if let Some(budget) = self.image_budget {
            let budget = budget.to_string();
            flags.push(Flag::named("--image-budget", "images.budget_gb", [budget]));
        }
        if !self.envs.is_empty() {
            flags.push(Flag::named("--envs", "swebench.envs", self.envs.clone()));
        }
        flags
    }
}

/// What ends the session of an agent with a model.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Limits of agents with a model")]
pub struct BudgetArgs {
    /// Model turns of a trial, 0 for no limit [default: 200]
    #[arg(long, value_name = "N")]
    pub max_steps: Option<u64>,

    /// Tokens of a trial, 0 for no limit [default: 0]
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u64>,

    /// Dollars of a trial, 0 for no limit [default: 0]
    #[arg(long, value_name = "USD")]
    pub max_trial_cost: Option<f64>,

    /// Dollars of the whole run, 0 for no limit [default: 0]
    #[arg(long, value_name = "USD")]
    pub max_cost: Option<f64>,

    /// Tell the model what remains of its limits
    #[arg(long)]
    pub announce_limits: bool,
}

/// How many trials at a time, and how often again.
#[derive(Debug, Clone, Default, Args)]
pub struct PaceArgs {
    /// Trials at a time; auto: as many as processors and memory carry
    #[arg(short, long, value_name = "N|auto", value_parser = jobs)]
    pub jobs: Option<Jobs>,

    /// Execute a trial that ended in an error again, up to N times
    #[arg(long, value_name = "N")]
    pub retry_errors: Option<u32>,
}

/// What is shown while it runs.
#[derive(Debug, Clone, Default, Args)]
pub struct ViewArgs {
    /// One JSON object a line on standard output, nothing else there
    #[arg(long)]
    pub json: bool,

    /// Progress on standard error
    #[arg(long, value_enum, value_name = "MODE", default_value_t)]
    pub progress: ProgressArg,
}

/// `-j`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jobs {
    Auto,
    Count(usize),
}

impl Jobs {
    /// The number; none for `auto`.
    pub fn count(self) -> Option<usize> {
        match self {
            Jobs::Auto => None,
            Jobs::Count(count) => Some(count),
        }
    }
}

/// `--network`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NetworkArg {
    None,
    Full,
}

/// `--progress`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ProgressArg {
    /// In place on a terminal, else plain lines
    #[default]
    Auto,
    /// One line per finished trial
    Plain,
    /// Nothing
    None,
}

impl From<&ViewArgs> for View {
    fn from(args: &ViewArgs) -> Self {
        Self {
            json: args.json,
            progress: match args.progress {
                ProgressArg::Auto => ProgressMode::Auto,
                ProgressArg::Plain => ProgressMode::Plain,
                ProgressArg::None => ProgressMode::None,
            },
        }
    }
}

/// `-j` as a setting.
pub(super) fn jobs_flag(jobs: Jobs) -> Flag {
    let value = match jobs {
        Jobs::Auto => "auto".to_owned(),
        Jobs::Count(count) => count.to_string(),
    };
    Flag::named("--jobs", "run.jobs", [value])
}

/// `--network` as a setting.
pub(super) fn network_flag(network: NetworkArg) -> Flag {
    let value = match network {
        NetworkArg::None => "none",
        NetworkArg::Full => "full",
    };
    Flag::named("--network", "run.network", [value])
}

/// Reads `-j`.
pub(super) fn jobs(text: &str) -> Result<Jobs, String> {
    match text {
        "auto" => Ok(Jobs::Auto),
        _ => match text.parse() {
            Ok(count) if count > 0 => Ok(Jobs::Count(count)),
            _ => Err("a number from 1, or `auto`".to_owned()),
        },
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("a number above 0".to_owned()),
    }
}

pub(super) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("KEY=VALUE is expected".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        run: RunArgs,
    }

    fn parse(line: &str) -> Result<RunArgs, clap::Error> {
        Program::try_parse_from(line.split_whitespace()).map(|program| program.run)
    }

    #[test]
    fn the_arguments_are_consistent() {
        Program::command().debug_assert();
    }

    #[test]
    fn flags_are_understood() {
        let args = parse("run tasks -a oracle -a nop -n 3 -j auto --set limits.pids=9 --json");
        let args = args.unwrap();
        assert_eq!(args.agents, ["oracle", "nop"]);
        assert_eq!((args.attempts, args.pace.jobs), (Some(3), Some(Jobs::Auto)));
        assert_eq!(args.set, [("limits.pids".to_owned(), "9".to_owned())]);
        assert!(View::from(&args.view).json);
        let args = parse("run -j 4 --progress plain").unwrap();
        assert_eq!(args.pace.jobs.and_then(Jobs::count), Some(4));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "run -j 0",
            "run -n 0",
            "run --set nothing",
            "run --timeout-multiplier -1",
            "run --timeout-multiplier nan",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
