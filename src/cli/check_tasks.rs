//! `proofyard check TASK…`: what is wrong with tasks.

use std::path::Path;
use std::time::Instant;

use super::check::{CheckArgs, Skip, ground_of, of_each, settings_of};
use super::chosen::{drawn, tell};
use super::select::{self, data_set, laid_out};
use super::{Exit, Failure, to_stdout};
use crate::config::Settings;
use crate::lint::{Examined, Finding, Rule, findings_of, findings_of_files, mend, quarantined};
use crate::record::{DataSetRecord, Fault};
use crate::report::{
    CheckTotals, Checked, Style, check_json, check_junit, check_totals, check_view,
};
use crate::run::{Scope, write_atomic};
use crate::task::select::{Exclusions, SCHEMA};
use crate::task::swebench::InstanceError;
use crate::task::{self, Format, Task, TaskError, load_each};

/// How often a task is verified both ways where nothing is said: a test that fails half
/// of the time is missed once in sixteen checks.
const REPEAT: u32 = 5;
/// The same of instances of a data set, of which there are hundreds.
const REPEAT_INSTANCE: u32 = 3;

/// Checks what is named, and tells as it goes.
pub async fn run(args: CheckArgs) -> Result<Exit, Failure> {
    let settings = settings_of(&args)?;
    let mut told = Told::new(args.json);
    let Named { tasks, sets } = named(&settings, &args, &mut told)?;
    let of_quarantine = match (&args.quarantine, sets.as_slice()) {
        (None, _) => None,
        (Some(file), [set]) => Some((file, set)),
        (Some(_), _) => return Err(Failure::Quarantine { count: sets.len() }),
    };
    let tasks = match args.fix {
        true => mended(tasks, &args)?,
        false => tasks,
    };
    let whole = match args.quick {
        true => {
            for task in &tasks {
                let checked = Checked {
                    task: task.id.to_string(),
                    findings: findings_of_files(task),
                    ..Checked::default()
                };
                match task.format {
                    Format::SweBench => told.tell_found(checked)?,
                    _ => told.tell(checked)?,
                }
            }
            true
        }
        false => measured(settings, tasks, &args, &mut told).await?,
    };
    match (of_quarantine, whole) {
        (Some((file, set)), true) => told.quarantine(file, set, args.repeat)?,
        (Some((file, _)), false) => {
            let file = file.display();
            tell(
                &format!("{file} is not written: not all was measured"),
                args.json,
            )?;
        }
        (None, _) => {}
    }
    told.end(args.junit.as_deref(), whole)
}

/// What is meant by what is named.
struct Named {
    tasks: Vec<Task>,
    sets: Vec<DataSetRecord>,
}

/// The tasks and instances that could be read; what could not is a finding.
fn named(settings: &Settings, args: &CheckArgs, told: &mut Told) -> Result<Named, Failure> {
    let (mut tasks, mut sets, mut folders) = (Vec::<Task>::new(), Vec::new(), Vec::new());
    for path in &settings.run.tasks {
        let Some(set) = data_set(path, settings)? else {
            folders.push(path.clone());
            continue;
        };
        let laid = laid_out(path, &set, settings, &args.select)?;
        for warning in &laid.found.warnings {
            tell(warning, args.json)?;
        }
        for (id, error) in &laid.wrong {
            told.tell(Checked {
                task: id.clone(),
                findings: vec![Finding::new(Rule::InvalidTask, of_instance(error))],
                ..Checked::default()
            })?;
        }
        for task in laid.found.tasks {
            if !tasks.iter().any(|other| other.id == task.id) {
                tasks.push(task);
            }
        }
        sets.push(laid.found.record);
    }
    if !folders.is_empty() {
        let own = sorted(&folders, args.select.filter.as_deref(), told)?;
        tasks.extend(match sets.is_empty() {
            true => drawn(own, &args.select),
            false => own,
        });
    }
    if let (Some(filter), true) = (&args.select.filter, tasks.is_empty() && told.is_empty()) {
        return Err(Failure::NothingMatches {
            filter: filter.clone(),
        });
    }
    Ok(Named { tasks, sets })
}

/// Why a row cannot become a task, with what to do about it.
fn of_instance(error: &InstanceError) -> String {
    let advice = error.advice();
    let lines = [error.to_string()].into_iter().chain(advice);
    lines.collect::<Vec<_>>().join("\n")
}

/// The tasks that could be read; what could not is a finding.
fn sorted(paths: &[String], filter: Option<&str>, told: &mut Told) -> Result<Vec<Task>, Failure> {
    let mut tasks = Vec::new();
    let mut errors = Vec::new();
    for loaded in load_each(paths) {
        match loaded {
            Ok(task) => {
                let wanted = match filter {
                    Some(filter) => select::matches(filter, &task)?,
                    None => true,
                };
                if wanted {
                    tasks.push(task);
                }
            }
            // A path that names no task is a mistake of who called.
            Err((_, error)) if !is_of_a_task(&error) => errors.push(error),
            Err((path, error)) => {
                told.tell(Checked {
                    task: path.display().to_string(),
                    findings: invalid(&path, &error),
                    ..Checked::default()
                })?;
            }
        }
    }
    match errors.is_empty() {
        true => Ok(tasks),
        false => Err(Failure::Tasks(errors)),
    }
}

/// Whether something is wrong with a task, and not with the path that was to be one.
fn is_of_a_task(error: &TaskError) -> bool {
    !matches!(
        error,
        TaskError::NotFound { .. } | TaskError::NotAFolder { .. } | TaskError::NoTasks { .. }
    )
}

/// Each problem as a finding.
fn invalid(path: &Path, error: &TaskError) -> Vec<Finding> {
    let TaskError::Invalid { problems } = error else {
        let finding = Finding::new(Rule::InvalidTask, error.to_string());
        return vec![finding.at(path.to_owned(), None)];
    };
    let found = problems.iter().map(|problem| {
        let mut message = problem.message.clone();
        for note in &problem.notes {
            message.push_str(&format!("; {note}"));
        }
        let Some(spot) = &problem.spot else {
            return Finding::new(Rule::InvalidTask, message);
        };
        if !spot.label.is_empty() {
            message.push_str(&format!("; {}", spot.label));
        }
        let finding = Finding::new(Rule::InvalidTask, message);
        finding.at(spot.file.clone().into(), Some(spot.line))
    });
    found.collect()
}

/// Mends what can be mended, says what, and reads the tasks again.
fn mended(tasks: Vec<Task>, args: &CheckArgs) -> Result<Vec<Task>, Failure> {
    let mut again = Vec::with_capacity(tasks.len());
    for task in tasks {
        if task.format == Format::SweBench {
            again.push(task);
            continue;
        }
        let file = task.dir.clone();
        let mended = mend(&task).map_err(|source| Failure::Write { file, source })?;
        if mended.is_empty() {
            again.push(task);
            continue;
        }
        for one in &mended {
            let (file, what) = (one.file.display().to_string(), &one.what);
            let line = match args.json {
                true => {
                    let event = serde_json::json!({
                        "event": "mended", "task": task.id, "file": file, "what": what,
                    });
                    format!("{event}\n")
                }
                false => format!("mended   {}: {what}\n", crate::diagnose::printable(&file)),
            };
            to_stdout(&line)?;
        }
        again.push(task::load(Path::new(&task.source))?);
    }
    Ok(again)
}

/// Measures each task with the engine; false where an interrupt came before the last one.
async fn measured(
    settings: Settings,
    tasks: Vec<Task>,
    args: &CheckArgs,
    told: &mut Told,
) -> Result<bool, Failure> {
    if tasks.is_empty() {
        return Ok(true);
    }
    let scope = |task: Option<&Task>| Scope {
        repeat: repeat(args.repeat, task.map(|task| task.format)),
        rebuild: !args.skip.contains(&Skip::Rebuild),
        leaks: !args.skip.contains(&Skip::Leaks),
    };
    let by_name: std::collections::HashMap<_, _> = tasks
        .iter()
        .map(|task| (task.id.clone(), task.clone()))
        .collect();
    let tasks = task::digest_all(tasks).map_err(Failure::Tasks)?;
    let ground = ground_of(settings, tasks, args.jobs, args.progress).await?;
    let mut failed = Ok(());
    let whole = of_each(
        ground,
        async |trials, id, events| {
            let began = Instant::now();
            let scope = scope(by_name.get(id));
            (trials.examine(id, scope, events).await, began.elapsed())
        },
        |id, (examined, took)| {
            let Some(task) = by_name.get(&id) else { return };
            let checked = Checked {
                took,
                ..checked(task, examined)
            };
            if failed.is_ok() {
                failed = told.tell(checked);
            }
        },
    );
    let whole = whole.await?;
    failed.map(|()| whole)
}

/// How often a task is verified both ways.
fn repeat(said: Option<u32>, format: Option<Format>) -> u32 {
    said.unwrap_or(match format {
        Some(Format::SweBench) => REPEAT_INSTANCE,
        _ => REPEAT,
    })
}

/// What files and measurements say of a task.
fn checked(task: &Task, examined: Result<Examined, Fault>) -> Checked {
    let mut checked = Checked {
        task: task.id.to_string(),
        findings: findings_of_files(task),
        ..Checked::default()
    };
    let mut runs = Vec::new();
    match examined {
        Ok(examined) => {
            checked.findings.extend(findings_of(task, &examined));
            checked.sees = examined.sees;
            checked.evidence = examined.evidence;
            checked.runs = examined.runs.len();
            runs = examined.runs;
        }
        Err(fault) => match fault.class.as_str() {
            "image" => checked
                .findings
                .push(Finding::new(Rule::ImageFails, fault.message)),
            "task" => checked
                .findings
                .push(Finding::new(Rule::NotReady, fault.message)),
            _ => checked.fault = Some(format!("{}: {}", fault.phase, fault.message)),
        },
    }
    let order = |finding: &Finding| (finding.rule.severity(), finding.rule);
    checked.findings.sort_by_key(order);
    if task.format == Format::SweBench {
        checked.quarantine = quarantined(task.id.as_str(), &checked.findings, &runs);
    }
    checked
}

/// What was told so far.
struct Told {
    json: bool,
    style: Style,
    totals: CheckTotals,
    all: Vec<Checked>,
}

impl Told {
    fn new(json: bool) -> Self {
        Self {
            json,
            style: Style::stdout(),
            totals: CheckTotals::default(),
            all: Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn tell(&mut self, checked: Checked) -> Result<(), Failure> {
        self.totals.add(&checked);
        to_stdout(&match self.json {
            true => check_json(&checked),
            false => check_view(&checked, self.style),
        })?;
        self.all.push(checked);
        Ok(())
    }

    /// The same of one of hundreds of instances: people read only of what was found.
    fn tell_found(&mut self, checked: Checked) -> Result<(), Failure> {
        if self.json || !checked.findings.is_empty() {
            return self.tell(checked);
        }
        self.totals.add(&checked);
        self.all.push(checked);
        Ok(())
    }

    /// Writes which instances of a data set are unsound, and tells how many.
    fn quarantine(
        &self,
        file: &Path,
        set: &DataSetRecord,
        repeat_said: Option<u32>,
    ) -> Result<(), Failure> {
        let entries = self.all.iter().filter_map(|one| one.quarantine.clone());
        let list = Exclusions {
            schema: Some(SCHEMA.to_owned()),
            dataset: Some(set.source.clone()),
            dataset_digest: Some(set.digest.clone()),
            repeats: Some(repeat(repeat_said, Some(Format::SweBench))),
            exclude: entries.collect(),
            told: Vec::new(),
        };
        list.write(file)?;
        let unmeasured = self.all.iter().filter(|one| one.runs == 0).count();
        let (out, all) = (list.exclude.len(), self.all.len());
        let mut line = format!("{}: {out} of {all} instances", file.display());
        if unmeasured > 0 {
            line.push_str(&format!("; {unmeasured} could not be measured"));
        }
        if self.json {
            let event = serde_json::json!({
                "event": "quarantine", "file": file.display().to_string(),
                "excluded": out, "instances": all, "unmeasured": unmeasured,
            });
            line = event.to_string();
        }
        to_stdout(&format!("{}\n", crate::diagnose::printable(&line))).map(drop)
    }

    /// The last line, the report, and the exit code that says most.
    fn end(self, junit: Option<&Path>, whole: bool) -> Result<Exit, Failure> {
        if !self.json {
            to_stdout(&check_totals(&self.totals))?;
        }
        if let Some(file) = junit {
            let failed = |source| Failure::Write {
                file: file.to_owned(),
                source,
            };
            let xml = check_junit(&self.all)
                .map_err(|error| failed(std::io::Error::other(error.to_string())))?;
            write_atomic(file, xml.as_bytes())
                .map_err(|error| failed(std::io::Error::other(error.to_string())))?;
        }
        Ok(match (whole, self.totals) {
            (false, _) => Exit::Interrupted,
            (_, totals) if totals.faults > 0 => Exit::Unreachable,
            (_, totals) if totals.errors > 0 => Exit::Failed,
            _ => Exit::Done,
        })
    }
}
