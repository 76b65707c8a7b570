//! `proofyard import`: tasks of another format as tasks of ours, and tables of others.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::check::{ground_of, of_each};
use super::import_specs::{self, SpecsArgs};
use super::run::{Jobs, ProgressArg, jobs};
use super::{Exit, Failure, settings, to_stdout};
use crate::diagnose::printable;
use crate::record::{Fault, TaskId};
use crate::run::{Settled, Soundness};
use crate::task::{Format, Freezing, Task, TaskError, Way, discover, load};

const EXAMPLES: &str = "\
Examples:
  proofyard import harbor terminal-bench-2 tasks/tb2       a folder of tasks
  proofyard import harbor tb2/fix-git fix-git              one task
  proofyard import harbor tb2 tasks/tb2 --no-check         without an engine

Exit codes:
  0 imported   2 usage or task error, nothing was written   3 some tasks were left
  out, or kept though they are not sound   4 the engine does not answer   130 interrupted";

/// Turn tasks of another format into tasks of ours; read a table of swebench's.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    #[command(subcommand)]
    format: ImportFormat,
}

#[derive(Debug, Clone, Subcommand)]
enum ImportFormat {
    Harbor(HarborArgs),
    SwebenchSpecs(SpecsArgs),
}

/// Freeze tasks in Harbor's format.
///
/// Copies each task as it is and writes into its task.toml what the harness would
/// otherwise find out on each machine: the strongest way of verifying it at which its
/// solution passes and doing nothing does not, and the networks that it has. A task
/// that is not sound either way is left out and told. SRC is only read; DEST has the
/// same structure and appears when all is done.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
struct HarborArgs {
    /// A task folder, or a folder of tasks
    #[arg(value_name = "SRC")]
    src: PathBuf,

    /// Folder that is written; it must not be there yet, or be empty
    #[arg(value_name = "DEST")]
    dest: PathBuf,

    /// Run no solution: tasks are verified as Harbor does it, the weakest way
    #[arg(long)]
    no_check: bool,

    /// Leave out tasks that cannot be read instead of stopping
    #[arg(long)]
    keep_going: bool,

    /// Keep tasks that are not sound, verified as Harbor does it
    #[arg(long, conflicts_with = "no_check")]
    keep_unsound: bool,

    /// Verifications at a time [default: as many as there are processors]
    #[arg(short, long, value_name = "N|auto", value_parser = jobs)]
    jobs: Option<Jobs>,

    /// One JSON object a line on standard output
    #[arg(long)]
    json: bool,

    /// Progress on standard error
    #[arg(long, value_enum, value_name = "MODE", default_value_t)]
    progress: ProgressArg,
}

/// What is done with a task.
struct Decided {
    word: &'static str,
    /// None: it is copied as it is.
    way: Option<Way>,
    kept: bool,
    problems: Vec<String>,
}

/// Imports them.
pub async fn run(args: ImportArgs) -> Result<Exit, Failure> {
    let args = match args.format {
        ImportFormat::Harbor(args) => args,
        ImportFormat::SwebenchSpecs(args) => return import_specs::run(args).await,
    };
    let paths = discover(&args.src)?;
    let freezing = Freezing::begin(&args.src, &args.dest)?;
    let (tasks, errors) = read(&paths);
    if !errors.is_empty() && (!args.keep_going || tasks.is_empty()) {
        return Err(Failure::Tasks(errors));
    }
    for error in &errors {
        eprintln!("{}", error.render(false).trim_end());
    }
    let Some(decided) = decide(&args, &tasks).await? else {
        return Ok(Exit::Interrupted);
    };
    let mut text = String::new();
    let mut written = 0;
    for (task, decided) in tasks.iter().zip(&decided) {
        let below = Path::new(&task.source).strip_prefix(&args.src);
        let below = below.unwrap_or(Path::new(""));
        if decided.kept {
            freezing.add(task, below, decided.way)?;
            written += 1;
        }
        text.push_str(&line(task, decided, args.json));
    }
    if written > 0 {
        freezing.finish()?;
    }
    to_stdout(&text)?;
    let whole = errors.is_empty()
        && decided
            .iter()
            .all(|one| one.kept && one.problems.is_empty());
    Ok(match whole {
        true => Exit::Done,
        false => Exit::Failed,
    })
}

/// The tasks that can be read, and what is wrong with the others.
fn read(paths: &[PathBuf]) -> (Vec<Task>, Vec<TaskError>) {
    let (mut tasks, mut errors) = (Vec::<Task>::new(), Vec::new());
    let mut names: HashMap<TaskId, String> = HashMap::new();
    for path in paths {
        let task = match load(path) {
            Ok(task) => task,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        if let Some(first) = names.insert(task.id.clone(), task.source.clone()) {
            errors.push(TaskError::SameName {
                name: task.id.to_string(),
                first,
                second: task.source,
            });
        } else if task.format == Format::TerminalBench {
            errors.push(TaskError::OtherFormat {
                path: path.clone(),
                format: task.format.name(),
            });
        } else {
            tasks.push(task);
        }
    }
    (tasks, errors)
}

/// What is done with each task, in their order; none where an interrupt came.
async fn decide(args: &HarborArgs, tasks: &[Task]) -> Result<Option<Vec<Decided>>, Failure> {
    let asked: Vec<Task> = tasks.iter().filter(|task| is_open(task)).cloned().collect();
    let mut answers: HashMap<TaskId, Result<Settled, Fault>> = HashMap::new();
    if !args.no_check && !asked.is_empty() {
        let mut settings = settings(None)?;
        settings.run.check = true;
        let ground = ground_of(settings, asked, args.jobs, args.progress).await?;
        let whole = of_each(
            ground,
            async |trials, id, events| trials.settled(id, events).await,
            |id, answer| drop(answers.insert(id, answer)),
        );
        if !whole.await? {
            return Ok(None);
        }
    }
    let all = tasks.iter().map(|task| match answers.remove(&task.id) {
        _ if !is_open(task) => Ok(Decided {
            word: "ours",
            way: None,
            kept: true,
            problems: Vec::new(),
        }),
        None => Ok(unchecked(task)),
        Some(answer) => checked(task, answer, args.keep_unsound),
    });
    Ok(Some(all.collect::<Result<Vec<Decided>, Failure>>()?))
}

/// Whether how it is verified has to be found out.
fn is_open(task: &Task) -> bool {
    !task.ours() && !task.verification.fixed
}

fn unchecked(task: &Task) -> Decided {
    Decided {
        word: "unchecked",
        way: Some(Way::of_format(task)),
        kept: true,
        problems: Vec::new(),
    }
}

/// A task that is not sound, or whose image does not build, stays out unless it is to
/// be kept; without an engine nothing can be said at all.
fn checked(
    task: &Task,
    answer: Result<Settled, Fault>,
    keep_unsound: bool,
) -> Result<Decided, Failure> {
    let (word, problems, way) = match answer {
        Ok(settled) => {
            let way = Way {
                sees: settled.sees,
                held: settled.held,
            };
            match settled.soundness {
                Soundness::Sound => ("sound", Vec::new(), way),
                Soundness::NoSolution => ("unknown", Vec::new(), way),
                Soundness::Unsound(problems) => ("unsound", problems, Way::of_format(task)),
            }
        }
        Err(fault) if ["engine", "host"].contains(&fault.class.as_str()) => {
            let name = &task.id;
            let told = format!("{name}: {}: {}", fault.phase, fault.message);
            return Err(Failure::Unchecked(told));
        }
        Err(fault) => {
            let told = format!("{}: {}", fault.phase, fault.message);
            ("fault", vec![told], Way::of_format(task))
        }
    };
    Ok(Decided {
        word,
        way: Some(way),
        kept: problems.is_empty() || keep_unsound,
        problems,
    })
}

fn line(task: &Task, decided: &Decided, json: bool) -> String {
    let way = decided.way.filter(|_| decided.kept);
    if json {
        let told = json!({
            "event": "imported",
            "task": task.id,
            "source": task.source,
            "found": decided.word,
            "kept": decided.kept,
            "sees": way.map(Way::sees),
            "hidden": way.map(Way::hidden),
            "problems": decided.problems,
        });
        return format!("{told}\n");
    }
    let how = match (decided.kept, way) {
        (false, _) => "left out".to_owned(),
        (true, None) => "copied as it is".to_owned(),
        (true, Some(way)) => format!("sees {}, hidden files {}", way.sees(), way.hidden()),
    };
    let mut text = format!(
        "{:<9} {}  {how}\n",
        decided.word,
        printable(task.id.as_str())
    );
    for problem in &decided.problems {
        text.push_str(&format!("          {}\n", printable(problem)));
    }
    text
}
