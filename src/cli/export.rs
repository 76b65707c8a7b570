//! `proofyard export`: a run in the format of another harness.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::resume::run_dir;
use super::{Exit, Failure, to_stdout};
use crate::config::Settings;
use crate::report::{export_harbor, sanitize};
use crate::run::read_run;

const EXAMPLES: &str = "\
Examples:
  proofyard export 2026-11-23-quiet-otter --to harbor
  proofyard export runs/2026-11-23-quiet-otter --to harbor --out jobs/quiet-otter
  harbor view jobs                    what was written there, in Harbor's own viewer

Exit codes:
  0 exported   1 exported, but of some trials not all could be read (told on
  standard error)   2 the run cannot be read, or the folder is there already";

/// Write a run in another harness's format.
///
/// `harbor` is a job folder as Harbor 0.25 writes it: config.json, result.json, and
/// a folder for each finished trial with its result, its trajectory in ATIF 1.8, what
/// the verifier wrote, and artifacts. Two exports of a run are equal byte by byte. The
/// run is read and not changed.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExportArgs {
    /// The run's folder, or its name
    #[arg(value_name = "RUN")]
    run: String,

    /// The format
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Format,

    /// Folder that is written [default: RUN-harbor, in the current folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Replace an earlier export that is there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Harbor,
}

/// Exports it.
pub fn run(args: &ExportArgs, settings: &Settings) -> Result<Exit, Failure> {
    let Format::Harbor = args.to;
    let run = read_run(&run_dir(&args.run, &settings.run.out))?;
    let beside = || PathBuf::from(format!("{}-harbor", run.run.run));
    let out = args.out.clone().unwrap_or_else(beside);
    let exported = export_harbor(&run, &out, args.force)?;
    let problems = run.warnings.iter().chain(&exported.problems);
    for problem in problems.clone() {
        eprintln!("warning: {}", sanitize(problem));
    }
    let told = match run.missing() {
        0 => format!("{} trials", exported.trials),
        missing => format!(
            "{} trials; {missing} of the plan are not finished",
            exported.trials
        ),
    };
    to_stdout(&format!(
        "{}\n  {told}\n",
        sanitize(&out.display().to_string())
    ))?;
    Ok(match problems.count() {
        0 => Exit::Done,
        _ => Exit::TrialErrors,
    })
}
