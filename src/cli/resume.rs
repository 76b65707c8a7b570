//! `proofyard resume`: its arguments, and what is left to do.

use std::path::{Path, PathBuf};

use clap::Args;

use super::run::{PaceArgs, ViewArgs};
use crate::record::PlannedTrial;
use crate::run::RunStore;

const EXAMPLES: &str = "\
Examples:
  proofyard resume runs/2026-11-23-quiet-otter
  proofyard resume 2026-11-23-quiet-otter --retry-errors 1   also trials in error";

/// Finish what is missing of a run.
///
/// Finished trials stay as they are, also those that ended in an error; with
/// --retry-errors those count as missing.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct ResumeArgs {
    /// The run's folder, or its name
    #[arg(value_name = "RUN")]
    pub run: String,

    /// Folder that runs are kept in [default: runs]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    pub pace: PaceArgs,

    #[command(flatten)]
    pub view: ViewArgs,
}

impl ResumeArgs {
    /// The run's folder: as it is named, else below the folder of runs.
    pub fn dir(&self, out: &Path) -> PathBuf {
        let named = PathBuf::from(&self.run);
        match named.exists() {
            true => named,
            false => out.join(named),
        }
    }

    /// What is left to do of a run that was opened.
    pub fn todo(&self, store: &RunStore) -> Vec<PlannedTrial> {
        store.todo(self.pace.retry_errors.is_some_and(|times| times > 0))
    }
}
