//! `proofyard resume`: its arguments, and what is left to do.

use std::path::{Path, PathBuf};

use clap::Args;

use super::run::{PaceArgs, ViewArgs};
use crate::config::{Flag, Settings};
use crate::record::{PlannedTrial, RunRecord};
use crate::run::RunStore;

const EXAMPLES: &str = "\
Examples:
  proofyard resume runs/2026-11-23-quiet-otter
  proofyard resume 2026-11-23-quiet-otter --retry-errors 1   also trials in error";

/// Finish what is missing of a run.
///
/// Finished trials stay as they are, also those that ended in an error; with
/// --retry-errors those count as missing. What is missing runs under the limits
/// that the run was planned with, whatever harness.toml says by now.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct ResumeArgs {
    /// The run's folder, or its name
    #[arg(value_name = "RUN")]
    pub run: String,

    /// Folder that runs are kept in [default: runs]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Sign the run's manifest with this private ed25519 key [default: run.sign_key,
    /// else the key that the run was begun with]
    #[arg(long, value_name = "KEY.pem")]
    pub sign: Option<PathBuf>,

    #[command(flatten)]
    pub pace: PaceArgs,

    #[command(flatten)]
    pub view: ViewArgs,
}

impl ResumeArgs {
    /// The run's folder: as it is named, else below the folder of runs.
    pub fn dir(&self, out: &Path) -> PathBuf {
        run_dir(&self.run, out)
    }

    /// What is left to do of a run that was opened.
    pub fn todo(&self, store: &RunStore) -> Vec<PlannedTrial> {
        store.todo(self.pace.retry_errors.is_some_and(|times| times > 0))
    }
}

/// The folder of a run: as it is named, else below the folder of runs.
pub fn run_dir(run: &str, out: &Path) -> PathBuf {
    let named = PathBuf::from(run);
    match named.exists() {
        true => named,
        false => out.join(named),
    }
}

/// The key that the manifest of a resumed run is signed with: the one that is named
/// now, else the one that the run was begun with.
pub fn sign_key(named: Option<&Path>, settings: &Settings, run: &RunRecord) -> Option<PathBuf> {
    let then = run.settings["run"]["sign_key"].as_str().map(PathBuf::from);
    let now = named.map(Path::to_owned);
    now.or_else(|| settings.run.sign_key.clone()).or(then)
}

/// What the run was planned with and its trials depend on, as settings that win
/// over every other: trials of one run under two sets of limits cannot be compared.
pub fn frozen(run: &RunRecord) -> Vec<Flag> {
    const OF_RUN: [&str; 3] = ["check", "timeout_multiplier", "network"];
    let entries = |table: &'static str| {
        let keys = run.settings[table].as_object().into_iter().flatten();
        keys.map(move |(key, value)| (table, key, value))
    };
    let of_run = entries("run").filter(|(_, key, _)| OF_RUN.contains(&key.as_str()));
    entries("limits")
        .chain(of_run)
        .chain(entries("loop"))
        .chain(entries("swebench"))
        .chain(entries("model"))
        .filter_map(|(table, key, value)| {
            let text = match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Null => nothing(table, key).to_owned(),
                serde_json::Value::Array(list) => return Some(listed(table, key, list)),
                serde_json::Value::Number(_) | serde_json::Value::Bool(_) => value.to_string(),
                _ => return None,
            };
            Some(Flag::named(
                "the run's plan",
                format!("{table}.{key}"),
                [text],
            ))
        })
        .collect()
}

/// A setting that is a list.
fn listed(table: &str, key: &str, list: &[serde_json::Value]) -> Flag {
    let entries = list.iter().filter_map(|entry| entry.as_str());
    Flag::named("the run's plan", format!("{table}.{key}"), entries)
}

/// How a key is written that has no value.
fn nothing(table: &str, key: &str) -> &'static str {
    match (table, key) {
        ("run", "network") => "task",
        ("loop", "prompt") => "built-in",
        ("limits", _) | ("loop", "repeats") => "0",
        ("model", "temperature" | "seed" | "max_tokens") => "default",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn settings(file: &str, flags: Vec<Flag>) -> Settings {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("harness.toml"), file).unwrap();
        let sources = Sources {
            cwd: root.path().to_path_buf(),
            config: None,
            env: [("HOME".to_owned(), "/home/some".to_owned())].into(),
            flags,
        };
        load(&sources).unwrap().settings
    }

    #[test]
    fn what_a_run_was_planned_with_wins_over_the_file_of_today() {
        let then = settings(
            "[limits]\nmax_trial_cost = 0.25\nmax_steps = 7\n[loop]\nrepeats = 0\n\
             [model]\ntemperature = 0.5\nbase_url = \"http://localhost:1/v1\"\nstream = false\n",
            Vec::new(),
        );
        let run = RunRecord {
            settings: serde_json::to_value(&then).unwrap(),
            ..RunRecord::empty()
        };
        let today = "[limits]\nmax_steps = 9\n[model]\nseed = 3\ntemperature = 1.0\n";
        let now = settings(today, frozen(&run));
        assert_eq!(now.model, then.model);
        assert_eq!(now.limits.max_steps, Some(7));
        assert_eq!(now.limits.max_trial_cost, Some(250_000));
        assert_eq!(now.built_in.repeats, None);
    }
}
