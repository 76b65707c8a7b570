//! `proofyard check`: what is wrong with a task, what do cheats come to at it, and does
//! its answer lie about?

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use futures_util::StreamExt;

use super::chosen::tell;
use super::drive::Interrupts;
use super::evaluate::granted;
use super::run::{Jobs, ProgressArg, RulesArgs, ViewArgs, jobs};
use super::select::{self, SelectArgs, data_set};
use super::{Exit, Failure, check_cheats, check_leaks, check_tasks, loaded};
use crate::config::{Flag, Settings};
use crate::record::{RunRecord, TaskId};
use crate::report::{Console, View};
use crate::run::{Agents, Events, Fatal, Granted, Machine, Trials, host_record};
use crate::sandbox::docker::Engine;
use crate::task::{self, Task};

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
  proofyard check --dataset verified.jsonl --repeat 3 --quarantine quarantine.toml
  proofyard check swebench-verified --quick     its rows alone
  proofyard check swebench-verified --filter 'django*' --envs envs

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
/// Of each instance of a data set of the SWE-bench family: does the reference patch
/// resolve it, and doing nothing not, each time? What does not hold goes into the
/// quarantine, a list that `run --exclude` and [datasets] in harness.toml take.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// Task folders, folders of tasks, or data sets of the SWE-bench family [default: what
    /// harness.toml names]
    #[arg(value_name = "TASK")]
    pub tasks: Vec<String>,

    /// A data set: a file, a folder, or a name of [datasets]; the same as TASK
    #[arg(long, value_name = "D")]
    pub dataset: Vec<String>,

    /// Write here which instances of the data set are unsound, and why
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cheats", "leaks", "quick"])]
    pub quarantine: Option<PathBuf>,

    /// Try cheats and honest controls
    #[arg(long)]
    pub cheats: bool,

    /// Search what agents are given for solution and hidden tests
    #[arg(long, conflicts_with = "cheats")]
    pub leaks: bool,

    /// How often the solution and doing nothing are verified [default: 5, of instances of a
    /// data set 3]
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

    #[command(flatten)]
    pub select: SelectArgs,

    #[command(flatten)]
    pub rules: RulesArgs,

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
            let ground = ground(&args).await?;
            check_cheats::run(cheats, ground, args.out, args.json).await
        }
        None if args.leaks => check_leaks::run(ground(&args).await?, args.json).await,
        None => check_tasks::run(args).await,
    }
}

/// The settings, with the tasks that the command line names.
pub(super) fn settings_of(args: &CheckArgs) -> Result<Settings, Failure> {
    let mut flags = args.rules.flags();
    let named = [args.tasks.as_slice(), &args.dataset].concat();
    if !named.is_empty() {
        flags.push(Flag::named("TASK", "run.tasks", named));
    }
    let mut settings = loaded(None, flags)?.settings;
    // What is in quarantine is what has to be looked at again.
    let of_names = settings.datasets.values_mut();
    of_names.for_each(|named| named.quarantine = None);
    // A search needs no verdict of the reference solution.
    settings.run.check = !args.leaks;
    Ok(settings)
}

/// The engine and all else, of the tasks that are named.
async fn ground(args: &CheckArgs) -> Result<Ground, Failure> {
    let settings = settings_of(args)?;
    let tasks = named(&settings, args)?;
    ground_of(settings, tasks, args.jobs, args.progress).await
}

/// The tasks that are named, and that are meant of them; what cannot be read is an error.
fn named(settings: &Settings, args: &CheckArgs) -> Result<Vec<Task>, Failure> {
    let (mut tasks, mut folders) = (Vec::new(), Vec::new());
    for path in &settings.run.tasks {
        let Some(set) = data_set(path, settings)? else {
            folders.push(path.clone());
            continue;
        };
        let found = select::tasks(path, &set, settings, &args.select)?;
        for warning in &found.warnings {
            tell(warning, args.json)?;
        }
        tasks.extend(found.tasks);
    }
    let filter = args.select.filter.as_deref();
    for task in task::load_all(&folders).map_err(Failure::Tasks)? {
        let meant = match filter {
            Some(filter) => select::matches(filter, &task)?,
            None => true,
        };
        if meant {
            tasks.push(task);
        }
    }
    match (filter, tasks.is_empty()) {
        (Some(filter), true) => Err(Failure::NothingMatches {
            filter: filter.to_owned(),
        }),
        _ => task::digest_all(tasks).map_err(Failure::Tasks),
    }
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
