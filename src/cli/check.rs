//! `proofyard check`: what is wrong with a task, what do cheats come to at it, and does
//! its answer lie about?

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use futures_util::StreamExt;

use super::drive::Interrupts;
use super::evaluate::{granted, selected};
use super::run::{Jobs, ProgressArg, ViewArgs, jobs};
use super::{Exit, Failure, check_cheats, check_leaks, check_tasks, loaded};
use crate::config::{Flag, Settings};
use crate::record::{RunRecord, TaskId};
use crate::report::{Console, View};
use crate::run::{Agents, Events, Fatal, Granted, Machine, Trials, host_record};
use crate::sandbox::docker::Engine;
use crate::task::Task;

const EXAMPLES: &str = "\
Examples:
  proofyard check tasks/repo                   what is wrong with these tasks?
  proofyard check my-task --fix                 mend what can be mended
  proofyard check tasks --quick                 files alone, without an engine
  proofyard check tasks --repeat 10 --skip rebuild --junit check.xml
  proofyard check --cheats examples/cheats -j 4
  proofyard check --cheats tasks --only py-conftest-report --only honest-gold
  proofyard check --cheats tasks --only 'py-*' --json > cheats.jsonl
  proofyard check --cheats tasks examples/cheats --only 'honest-*'
  proofyard check --cheats my-task --cheat-dir my-cheats
  proofyard check --leaks my-task              can an agent find the answer?

Signals of the naive verifier, each enough to be paid: E its exit status, L lines
of its log, J its report, R the reward file.

Exit codes:
  0 no errors (warnings and hints are told); nothing was paid and every control was
    judged rightly; nothing leaks
  1 some trials or searches ended in error
  2 usage or task error, nothing was run
  3 errors were found, a cheat was paid, a control was judged wrongly, or a
    part of the answer was found
  4 the engine does not answer     130 interrupted";

/// Check tasks, or the verifier with cheats, or what agents can find.
///
/// Without flags: fields and files, the image, the reference solution and doing nothing
/// (each several times), the network, time limits, leaks, and what tests require that
/// nobody names; docs/check.md has every finding. With --cheats every cheat of the catalogue that is meant
/// for a task is tried at it: first before a naive verifier, to show that the cheat
/// works, then in a trial as of any agent. So are honest changes, as controls, which
/// go into trials alone.
/// With --leaks the image's layers, the checkout with every object of its history, and
/// archives in them are searched for the text of solution and hidden tests.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// Task folders, or folders of tasks [default: what harness.toml names]
    #[arg(value_name = "TASK")]
    pub tasks: Vec<String>,

    /// Try cheats and honest controls
    #[arg(long)]
    pub cheats: bool,

    /// Search what agents are given for solution and hidden tests
    #[arg(long, conflicts_with = "cheats")]
    pub leaks: bool,

    /// How often the solution and doing nothing are verified [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: Option<u32>,

    /// Leave out: building images twice, or the search for answers
    #[arg(long, value_enum, value_name = "WHAT")]
    pub skip: Vec<Skip>,

    /// Look at files alone; no engine is needed
    #[arg(long, conflicts_with_all = ["cheats", "leaks"])]
    pub quick: bool,

    /// Mend what can be mended: carriage returns, scripts that are not executable, older
    /// names of keys
    #[arg(long, conflicts_with_all = ["cheats", "leaks"])]
    pub fix: bool,

    /// Write a JUnit report for CI systems
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cheats", "leaks"])]
    pub junit: Option<PathBuf>,

    /// Only these cheats and controls; a `*` at the end stands for anything
    #[arg(long, value_name = "NAME", requires = "cheats")]
    pub only: Vec<String>,

    /// Cheats of this folder (manifest.json and scripts) instead of the catalogue
    #[arg(long, value_name = "DIR", requires = "cheats")]
    pub cheat_dir: Option<PathBuf>,

    /// Keep the trials of cheats below this folder, as a run
    #[arg(long, value_name = "DIR", requires = "cheats")]
    pub out: Option<PathBuf>,

    /// Only tasks whose names match
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,

    /// Verifications at a time [default: as many as there are processors]
    #[arg(short, long, value_name = "N|auto", value_parser = jobs)]
    pub jobs: Option<Jobs>,

    /// One JSON object a line on standard output
    #[arg(long)]
    pub json: bool,

    /// Progress on standard error
    #[arg(long, value_enum, value_name = "MODE", default_value_t)]
    pub progress: ProgressArg,
}

/// What a check can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Skip {
    /// Building images a second time
    Rebuild,
    /// The search for solution and tests in what agents can read
    Leaks,
}

/// What every check begins with.
pub struct Ground {
    pub settings: Settings,
    pub tasks: Vec<Task>,
    pub granted: Vec<Granted>,
    pub machine: Machine,
    pub engine: Arc<Engine>,
    /// Verifications at a time.
    pub jobs: usize,
    pub view: View,
}

/// Checks what is named.
pub async fn run(args: CheckArgs) -> Result<Exit, Failure> {
    let cheats = match args.cheats {
        true => Some(check_cheats::chosen(args.cheat_dir.as_deref(), &args.only)?),
        false => None,
    };
    match cheats {
        Some(cheats) => {
            let ground = ground(&args, None).await?;
            check_cheats::run(cheats, ground, args.out, args.json).await
        }
        None if args.leaks => check_leaks::run(ground(&args, None).await?, args.json).await,
        None => check_tasks::run(args).await,
    }
}

/// The settings, with the tasks that the command line names.
pub(super) fn settings_of(args: &CheckArgs) -> Result<Settings, Failure> {
    let mut flags = Vec::new();
    if !args.tasks.is_empty() {
        flags.push(Flag::named("TASK", "run.tasks", args.tasks.clone()));
    }
    let mut settings = loaded(None, flags)?.settings;
    // A search needs no verdict of the reference solution.
    settings.run.check = !args.leaks;
    Ok(settings)
}

/// The engine and all else; of the tasks that are given, else of those that are named.
pub(super) async fn ground(args: &CheckArgs, tasks: Option<Vec<Task>>) -> Result<Ground, Failure> {
    let settings = settings_of(args)?;
    let tasks = match tasks {
        Some(tasks) => tasks,
        None => selected(&settings, args.filter.as_deref())?,
    };
    ground_of(settings, tasks, args.jobs, args.progress).await
}

/// The ground of these tasks.
pub(super) async fn ground_of(
    settings: Settings,
    tasks: Vec<Task>,
    jobs: Option<Jobs>,
    progress: ProgressArg,
) -> Result<Ground, Failure> {
    let machine = Machine::of(&host_record());
    let granted = granted(&tasks, &settings, &machine)?;
    let engine = Engine::open(&settings.engine, &settings.host).await?;
    let named = jobs.and_then(Jobs::count).or(settings.run.jobs);
    let processors = std::thread::available_parallelism();
    let view = ViewArgs {
        json: false,
        progress,
    };
    Ok(Ground {
        settings,
        tasks,
        granted,
        machine,
        engine,
        jobs: named.unwrap_or_else(|| processors.map_or(1, usize::from)),
        view: View::from(&view),
    })
}

/// Asks about each task, as many at a time as there are jobs, and tells the answers in
/// the tasks' order; false where an interrupt came before the last one.
pub(super) async fn of_each<T>(
    ground: Ground,
    ask: impl AsyncFn(&Trials, &TaskId, &Events) -> T,
    mut tell: impl FnMut(TaskId, T),
) -> Result<bool, Failure> {
    let interrupts = Interrupts::listen().map_err(Failure::Signals)?;
    let console = Console::start(ground.view);
    let ids: Vec<TaskId> = ground.tasks.iter().map(|task| task.id.clone()).collect();
    let trials = Trials::new(
        ground.engine.clone(),
        ground.settings,
        RunRecord::empty(),
        ground.tasks.into_iter().zip(ground.granted).collect(),
        Agents::new(),
        0,
        Fatal::default(),
    );
    let (trials, events, ask) = (&trials, console.events(), &ask);
    let answers = ids.into_iter().map(|id| async move {
        let answer = ask(trials, &id, events).await;
        (id, answer)
    });
    let mut answers = futures_util::stream::iter(answers).buffered(ground.jobs);
    let mut whole = true;
    loop {
        let next = tokio::select! {
            next = answers.next() => next,
            () = interrupts.stop.cancelled() => {
                whole = false;
                None
            }
        };
        let Some((id, answer)) = next else { break };
        tell(id, answer);
    }
    drop(answers);
    console.close().await;
    // What an interrupt dropped on its way is taken away too, unless asked for twice.
    if !interrupts.now.is_cancelled() {
        ground.engine.settle().await;
    }
    Ok(whole)
}
