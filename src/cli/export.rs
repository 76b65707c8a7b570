//! `proofyard export`: a run in the format of another harness, or its patches as predictions.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::resume::run_dir;
use super::{Exit, Failure, to_stdout};
use crate::config::Settings;
use crate::report::{Predicted, Predicting, export_harbor, predictions, sanitize};
use crate::run::{StoredRun, read_run, write_atomic};
use crate::swebench::predictions::write_jsonl;

const EXAMPLES: &str = "\
Examples:
  proofyard export 2026-11-23-quiet-otter --to harbor
  proofyard export runs/2026-11-23-quiet-otter --to harbor --out jobs/quiet-otter
  harbor view jobs                    what was written there, in Harbor's own viewer
  proofyard export 2026-11-23-quiet-otter --predictions preds.jsonl
  proofyard export 2026-11-23-quiet-otter --to predictions --model gpt-5 --attempt 2

Exit codes:
  0 exported   1 exported, but of some trials not all could be read (told on
  standard error)   2 the run cannot be read, or what is to be written is there already";

/// Write a run in another harness's format.
///
/// `harbor` is a job folder as Harbor 0.25 writes it: config.json, result.json, and
/// a folder for each finished trial with its result, its trajectory in ATIF 1.8, what
/// the verifier wrote, and artifacts. Two exports of a run are equal byte by byte. The
/// run is read and not changed.
/// `predictions` is what the SWE-bench harness reads: the patch of each trial, an object a
/// line. A run of several agents or models gives a file for each. A trial without a change
/// has an empty patch; one that ended in an error before there was one is told and left out.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExportArgs {
    /// The run's folder, or its name
    #[arg(value_name = "RUN")]
    run: String,

    /// The format
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        required_unless_present = "predictions"
    )]
    to: Option<Format>,

    /// What is written [default: RUN-harbor, or RUN-predictions.jsonl, in the current folder]
    #[arg(long, value_name = "PATH", conflicts_with = "predictions")]
    out: Option<PathBuf>,

    /// Write predictions to this file: `--to predictions --out FILE`
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    predictions: Option<PathBuf>,

    /// Predictions: only those of this agent
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,

    /// Predictions: only those of this model
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,

    /// Predictions: which attempt at an instance
    #[arg(long, value_name = "N", default_value_t = 1)]
    attempt: u32,

    /// Replace an earlier export that is there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Harbor,
    Predictions,
}

/// Exports it.
pub fn run(args: &ExportArgs, settings: &Settings) -> Result<Exit, Failure> {
    let run = read_run(&run_dir(&args.run, &settings.run.out))?;
    match args.to {
        Some(Format::Harbor) => harbor(args, &run),
        Some(Format::Predictions) | None => predicted(args, &run),
    }
}

/// The patches of its trials.
fn predicted(args: &ExportArgs, run: &StoredRun) -> Result<Exit, Failure> {
    let meant = Predicting {
        agent: args.agent.as_deref(),
        model: args.model.as_deref(),
        attempt: args.attempt,
    };
    let gathered = predictions(run, meant);
    let named = args.predictions.as_ref().or(args.out.as_ref());
    let beside = || PathBuf::from(format!("{}-predictions.jsonl", run.run.run));
    let file = named.cloned().unwrap_or_else(beside);
    let files: Vec<(PathBuf, &Predicted)> = match gathered.by.as_slice() {
        [] => {
            return Err(Failure::NoTrialPredicts {
                run: args.run.clone(),
            });
        }
        [one] => vec![(file, one)],
        several => several.iter().map(|by| (by.file(&file), by)).collect(),
    };
    if let Some((file, _)) = files.iter().find(|(file, _)| file.exists() && !args.force) {
        return Err(Failure::IsThere { file: file.clone() });
    }
    let problems = run.warnings.iter().chain(&gathered.problems);
    for problem in problems.clone() {
        eprintln!("warning: {}", sanitize(problem));
    }
    for (file, by) in &files {
        write(file, by)?;
        let empty = match by.empty {
            0 => String::new(),
            empty => format!(", {empty} of them empty"),
        };
        to_stdout(&format!(
            "{}\n  {} predictions{empty}\n",
            sanitize(&file.display().to_string()),
            by.all.len()
        ))?;
    }
    Ok(match problems.count() {
        0 => Exit::Done,
        _ => Exit::TrialErrors,
    })
}

fn write(file: &Path, by: &Predicted) -> Result<(), Failure> {
    let failed = |source| Failure::Write {
        file: file.to_owned(),
        source,
    };
    let mut text = Vec::new();
    write_jsonl(&mut text, &by.all).map_err(failed)?;
    write_atomic(file, &text).map_err(|error| failed(std::io::Error::other(error.to_string())))
}

fn harbor(args: &ExportArgs, run: &StoredRun) -> Result<Exit, Failure> {
    let beside = || PathBuf::from(format!("{}-harbor", run.run.run));
    let out = args.out.clone().unwrap_or_else(beside);
    let exported = export_harbor(run, &out, args.force)?;
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
