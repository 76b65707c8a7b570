//! `proofyard show TASK | INSTANCE | RUN | TRIAL`, `proofyard show --config`.

use std::path::PathBuf;

use clap::Args;

use super::select::{self, SelectArgs, data_set, data_set_at_hand};
use super::show_config::show_config;
use super::show_run::{Part, Stored, find_stored, show_stored};
use super::show_task::show_task;
use super::{Exit, Failure, loaded, to_stdout};
use crate::config::Settings;
use crate::report::{Style, stdout_columns};
use crate::swebench::row::DataSet;
use crate::task::{self, Task};

const EXAMPLES: &str = "\
Examples:
  proofyard show tasks/repo/glob-star
  proofyard show runs/2026-11-23-quiet-otter --failed
  proofyard show repo__glob-star--loop--demo-1--1
  proofyard show repo__glob-star--loop--demo-1--1 --diff
  proofyard show verified.jsonl#pallets__flask-5014
  proofyard show pallets__flask-5014     of a data set that harness.toml names
  proofyard show --config";

/// What to show.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct ShowArgs {
    /// A task's folder, an instance of a data set (D#ID), a run, or a trial
    #[arg(value_name = "TASK|D#ID|RUN|TRIAL", required_unless_present = "config")]
    what: Option<String>,

    /// The settings in force, each with where it came from
    #[arg(long, conflicts_with = "what")]
    config: bool,

    /// Of a run: only trials that are not resolved
    #[arg(long)]
    failed: bool,

    /// Of a trial: all that was said, called and answered, nothing folded
    #[arg(long, group = "part")]
    full: bool,

    /// Of a trial: its change, as a patch
    #[arg(long, group = "part")]
    diff: bool,

    /// Of a trial: `trial.json`, as it is
    #[arg(long, group = "part")]
    json: bool,

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
    let (part, of_trial) = args.part();
    let stored = find_stored(what, out);
    let path = PathBuf::from(what);
    match (&stored, of_trial) {
        (Some(Stored::Trial(_)), _) | (_, None) => {}
        (None, _) if !path.is_dir() => {}
        (_, Some(flag)) => {
            let what = what.clone();
            return Err(Failure::NoTrial { what, flag });
        }
    }
    if let Some(stored) = stored {
        let (columns, style) = (stdout_columns(), Style::stdout());
        return to_stdout(&show_stored(&stored, part, columns, style)?);
    }
    if path.is_dir() {
        return to_stdout(&show_task(&task::load(&path)?));
    }
    if let Some(task) = instance(what, &loaded.settings)? {
        return to_stdout(&show_task(&task));
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

/// The instance that a text means: `D#ID`, or an id of a data set that the settings name.
fn instance(what: &str, settings: &Settings) -> Result<Option<Task>, Failure> {
    if let Some((name, id)) = what.rsplit_once('#') {
        let Some(set) = data_set(name, settings)? else {
            return Ok(None);
        };
        let found = of_set(name, &set, id, settings)?;
        return match found {
            Some(task) => Ok(Some(task)),
            None => Err(Failure::NoInstance {
                name: name.to_owned(),
                id: id.to_owned(),
            }),
        };
    }
    // What is meant may be something else, so that a file that is not there is no error.
    let names = settings.datasets.keys().chain(&settings.run.tasks);
    for name in names {
        let Ok(Some(set)) = data_set_at_hand(name, settings) else {
            continue;
        };
        if let Some(task) = of_set(name, &set, what, settings)? {
            return Ok(Some(task));
        }
    }
    Ok(None)
}

fn of_set(
    name: &str,
    set: &DataSet,
    id: &str,
    settings: &Settings,
) -> Result<Option<Task>, Failure> {
    if !set.rows.iter().any(|row| row.instance_id == id) {
        return Ok(None);
    }
    let select = SelectArgs {
        filter: Some(id.to_owned()),
        keep_quarantined: true,
        ..SelectArgs::default()
    };
    let found = select::tasks(name, set, settings, &select)?.tasks;
    let tasks = task::digest_all(found).map_err(Failure::Tasks)?;
    Ok(tasks.into_iter().next())
}

impl ShowArgs {
    /// What is asked for, and the flag that only a trial knows.
    fn part(&self) -> (Part, Option<&'static str>) {
        match self {
            Self { full: true, .. } => (Part::Full, Some("--full")),
            Self { diff: true, .. } => (Part::Diff, Some("--diff")),
            Self { json: true, .. } => (Part::Record, Some("--json")),
            Self { failed: true, .. } => (Part::Failed, None),
            _ => (Part::Folded, None),
        }
    }
}
