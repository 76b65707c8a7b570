//! `proofyard show TASK | RUN | TRIAL`, `proofyard show --config`.

use std::path::PathBuf;

use clap::Args;

use super::show_config::show_config;
use super::show_run::{find_stored, show_stored};
use super::show_task::show_task;
use super::{Exit, Failure, loaded, to_stdout};
use crate::report::Style;
use crate::task;

const EXAMPLES: &str = "\
Examples:
  proofyard show tasks/repo/glob-star
  proofyard show runs/2026-11-23-quiet-otter --failed
  proofyard show repo__glob-star--oracle--1
  proofyard show --config";

/// What to show.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct ShowArgs {
    /// A task's folder, a run, or a trial
    #[arg(value_name = "TASK|RUN|TRIAL", required_unless_present = "config")]
    what: Option<String>,

    /// The settings in force, each with where it came from
    #[arg(long, conflicts_with = "what")]
    config: bool,

    /// Of a run: only trials that are not resolved
    #[arg(long)]
    failed: bool,

    /// Where runs lie [default: run.out of the settings]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Shows it.
pub fn run(args: &ShowArgs) -> Result<Exit, Failure> {
    let loaded = loaded(None, Vec::new())?;
    let Some(what) = &args.what else {
        return to_stdout(&show_config(&loaded));
    };
    let out = args.out.as_ref().unwrap_or(&loaded.settings.run.out);
    if let Some(stored) = find_stored(what, out) {
        let style = Style::stdout();
        return to_stdout(&show_stored(&stored, args.failed, columns(), style)?);
    }
    let path = PathBuf::from(what);
    if path.is_dir() {
        return to_stdout(&show_task(&task::load(&path)?));
    }
    let known = task::load_all(&loaded.settings.run.tasks).unwrap_or_default();
    match known.iter().find(|task| task.id.as_str() == what) {
        Some(task) => to_stdout(&show_task(task)),
        None => Err(Failure::Unknown {
            what: what.clone(),
            out: out.clone(),
        }),
    }
}

/// Of the terminal; wide where it is none.
fn columns() -> usize {
    console::Term::stdout()
        .size_checked()
        .map_or(160, |(_, columns)| usize::from(columns))
}
