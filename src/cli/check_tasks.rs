//! `proofyard check TASK…`: what is wrong with tasks.

use std::path::Path;
use std::time::Instant;

use super::check::{CheckArgs, Skip, ground, of_each, settings_of};
use super::{Exit, Failure, to_stdout};
use crate::lint::{Examined, Finding, Rule, findings_of, findings_of_files, mend};
use crate::record::Fault;
use crate::report::{
    CheckTotals, Checked, Style, check_json, check_junit, check_totals, check_view,
};
use crate::run::{Scope, write_atomic};
use crate::task::{self, Task, TaskError, load_each};

/// How often a task is verified both ways where nothing is said: a test that fails half
/// of the time is missed once in sixteen checks.
const REPEAT: u32 = 5;

/// Checks what is named, and tells as it goes.
pub async fn run(args: CheckArgs) -> Result<Exit, Failure> {
    let settings = settings_of(&args)?;
    let mut told = Told::new(args.json);
    let tasks = sorted(&settings.run.tasks, args.filter.as_deref(), &mut told)?;
    let tasks = match args.fix {
        true => mended(tasks, &args)?,
        false => tasks,
    };
    let whole = match args.quick {
        true => {
            for task in &tasks {
                let findings = findings_of_files(task);
                told.tell(Checked {
                    task: task.id.to_string(),
                    findings,
                    ..Checked::default()
                })?;
            }
            true
        }
        false => measured(tasks, &args, &mut told).await?,
    };
    told.end(args.junit.as_deref(), whole)
}

/// The tasks that could be read; what could not is a finding.
fn sorted(paths: &[String], filter: Option<&str>, told: &mut Told) -> Result<Vec<Task>, Failure> {
    let mut tasks = Vec::new();
    let (mut errors, mut seen) = (Vec::new(), 0);
    for loaded in load_each(paths) {
        match loaded {
            Ok(task) => {
                seen += 1;
                let wanted = match filter {
                    Some(filter) => task::matches(filter, &task)?,
                    None => true,
                };
                if wanted {
                    tasks.push(task);
                }
            }
            // A path that names no task is a mistake of who called.
            Err((_, error)) if !is_of_a_task(&error) => errors.push(error),
            Err((path, error)) => {
                seen += 1;
                told.tell(Checked {
                    task: path.display().to_string(),
                    findings: invalid(&path, &error),
                    ..Checked::default()
                })?;
            }
        }
    }
    if !errors.is_empty() {
        return Err(Failure::Tasks(errors));
    }
    match (filter, tasks.is_empty() && told.is_empty() && seen > 0) {
        (Some(filter), true) => Err(Failure::NothingMatches {
            filter: filter.to_owned(),
        }),
        _ => Ok(tasks),
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
async fn measured(tasks: Vec<Task>, args: &CheckArgs, told: &mut Told) -> Result<bool, Failure> {
    if tasks.is_empty() {
        return Ok(true);
    }
    let scope = Scope {
        repeat: args.repeat.unwrap_or(REPEAT),
        rebuild: !args.skip.contains(&Skip::Rebuild),
        leaks: !args.skip.contains(&Skip::Leaks),
    };
    let by_name: std::collections::HashMap<_, _> = tasks
        .iter()
        .map(|task| (task.id.clone(), task.clone()))
        .collect();
    let tasks = task::digest_all(tasks).map_err(Failure::Tasks)?;
    let ground = ground(args, Some(tasks)).await?;
    let mut failed = Ok(());
    let whole = of_each(
        ground,
        async |trials, id, events| {
            let began = Instant::now();
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

/// What files and measurements say of a task.
fn checked(task: &Task, examined: Result<Examined, Fault>) -> Checked {
    let mut checked = Checked {
        task: task.id.to_string(),
        findings: findings_of_files(task),
        ..Checked::default()
    };
    match examined {
        Ok(examined) => {
            checked.findings.extend(findings_of(task, &examined));
            checked.sees = examined.sees;
            checked.evidence = examined.evidence;
            checked.runs = examined.runs.len();
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
