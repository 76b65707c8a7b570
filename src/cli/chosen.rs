//! Which tasks a run is about: those of the command line, of a job configuration, or of
//! the settings.

use std::path::Path;

use super::run::RunArgs;
use super::select::{self, SelectArgs, data_set};
use super::{Failure, to_stdout};
use crate::config::Settings;
use crate::config::job::{Job, Selection};
use crate::record::DataSetRecord;
use crate::task::select::sample;
use crate::task::{self, Task, TaskError, dataset};

/// The tasks of a run.
pub struct Chosen {
    pub tasks: Vec<Task>,
    /// How many could not be read, where the others are run nevertheless.
    pub unread: usize,
    pub warnings: Vec<String>,
    pub data_sets: Vec<DataSetRecord>,
}

/// The tasks that are named by the command line, else by a job configuration, else by
/// the settings.
pub fn chosen(settings: &Settings, job: &Job, args: &RunArgs) -> Result<Chosen, Failure> {
    let own = Selection::default();
    let selections: Vec<(Vec<String>, &Selection)> =
        match args.tasks.is_empty() && !job.selections.is_empty() {
            false => vec![(settings.run.tasks.clone(), &own)],
            true => {
                let all = job.selections.iter();
                all.map(|one| (vec![one.path.clone()], one)).collect()
            }
        };
    let mut found = Found::default();
    for (paths, selection) in selections {
        found.select(&paths, selection, settings, &args.select)?;
    }
    let Found {
        mut tasks,
        errors,
        mut warnings,
        data_sets,
    } = found;
    if data_sets.is_empty() {
        tasks = drawn(tasks, &args.select);
    }
    if !errors.is_empty() && (!args.keep_going || tasks.is_empty()) {
        return Err(Failure::Tasks(errors));
    }
    if tasks.is_empty() {
        let filter = args.select.filter.clone().unwrap_or_default();
        return Err(Failure::NothingMatches { filter });
    }
    let left_out = |error: &TaskError| format!("left out: {}", error.render(false).trim_end());
    warnings.extend(errors.iter().map(left_out));
    for warning in job.warnings.iter().chain(&warnings) {
        tell(warning, args.view.json)?;
    }
    Ok(Chosen {
        tasks: task::digest_all(tasks).map_err(Failure::Tasks)?,
        unread: errors.len(),
        warnings,
        data_sets,
    })
}

/// A sample of tasks, where one is asked for.
pub(super) fn drawn(tasks: Vec<Task>, select: &SelectArgs) -> Vec<Task> {
    let Some(count) = select.sample else {
        return tasks;
    };
    let clusters: Vec<String> = tasks.iter().map(Task::cluster).collect();
    let keys: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
    let stratum = |at: usize| match select.stratify.as_deref() {
        None => None,
        Some("difficulty") => tasks[at].scenario.difficulty.as_deref(),
        Some(_) => clusters.get(at).map(String::as_str),
    };
    let strata: Vec<Option<&str>> = (0..tasks.len()).map(stratum).collect();
    let meant = sample(&keys, &strata, count, select.seed);
    let mut tasks: Vec<Option<Task>> = tasks.into_iter().map(Some).collect();
    meant
        .into_iter()
        .filter_map(|at| tasks.get_mut(at)?.take())
        .collect()
}

/// What was found so far.
#[derive(Default)]
struct Found {
    tasks: Vec<Task>,
    errors: Vec<TaskError>,
    warnings: Vec<String>,
    data_sets: Vec<DataSetRecord>,
}

impl Found {
    /// Adds the tasks below these paths that are meant.
    fn select(
        &mut self,
        paths: &[String],
        selection: &Selection,
        settings: &Settings,
        select: &SelectArgs,
    ) -> Result<(), Failure> {
        let mut folders = Vec::new();
        for path in paths {
            match data_set(path, settings)? {
                None => folders.push(path.clone()),
                Some(set) => {
                    let found = select::tasks(path, &set, settings, select)?;
                    self.tasks.extend(found.tasks);
                    self.warnings.extend(found.warnings);
                    self.data_sets.push(found.record);
                }
            }
        }
        let paths = folders.as_slice();
        let filter = select.filter.as_deref();
        let (mut seen, mut meant) = (Vec::new(), Vec::new());
        for loaded in task::load_each(paths) {
            let task = match loaded {
                Ok(task) => task,
                Err((_, error)) => {
                    self.errors.push(error);
                    continue;
                }
            };
            seen.push(task.id.clone());
            let named = |globs: &[String]| task::matches(&globs.join(","), &task);
            let wanted = selection.include.is_empty() || named(&selection.include)?;
            let unwanted = !selection.exclude.is_empty() && named(&selection.exclude)?;
            let filtered = match filter {
                Some(filter) => select::matches(filter, &task)?,
                None => true,
            };
            let known = self.tasks.iter().any(|other| other.id == task.id);
            if wanted && !unwanted && filtered && !known {
                meant.push(task);
            }
        }
        meant.truncate(selection.most.unwrap_or(usize::MAX));
        self.tasks.append(&mut meant);
        for path in paths {
            match dataset::held_against(Path::new(path), &seen) {
                Ok(told) => self.warnings.extend(told),
                Err(error) => self.errors.push(error),
            }
        }
        Ok(())
    }
}

/// A warning before anything runs.
pub(super) fn tell(warning: &str, json: bool) -> Result<(), Failure> {
    if json {
        let event = serde_json::json!({ "event": "warning", "message": warning });
        return to_stdout(&format!("{event}\n")).map(drop);
    }
    eprintln!("warning: {}", crate::diagnose::printable(warning));
    Ok(())
}
