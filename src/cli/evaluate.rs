//! `proofyard run` and `proofyard resume`: from arguments to a driven run.

use std::collections::HashMap;
use std::sync::Arc;

use super::drive::{Interrupts, drive};
use super::resume::{ResumeArgs, frozen};
use super::run::{Jobs, NetworkArg, RunArgs};
use super::{Exit, Failure, loaded, settings, to_stdout};
use crate::agent::{self, Agent};
use crate::config::{Flag, Settings};
use crate::record::RunRecord;
use crate::report::{Console, View};
use crate::run::{
    Contender, Granted, Machine, PlanInput, RunEvent, RunStore, Schedule, Trials, check_demand,
    check_unchanged, demand, fresh_run_id, host_record, plan, run_id,
};
use crate::sandbox::docker::{Engine, clean};
use crate::task::{self, Task};

/// Evaluates agents at tasks.
pub async fn run(args: RunArgs) -> Result<Exit, Failure> {
    let settings = loaded(args.config.clone(), flags(&args))?.settings;
    let tasks = selected(&settings, args.filter.as_deref())?;
    if settings.run.agents.is_empty() {
        return Err(Failure::NoAgent);
    }
    let agents = agents(&settings.run.agents, &tasks)?;
    let host = host_record();
    let machine = Machine::of(&host);
    let granted = granted(&tasks, &settings, &machine)?;
    if args.dry_run {
        return to_stdout(&dry(&tasks, &settings));
    }
    let engine = Engine::open(&settings.engine, &settings.host).await?;
    let contenders = settings
        .run
        .agents
        .iter()
        .map(|name| Contender {
            agent: agents[name].identity(),
            model: None,
        })
        .collect();
    let record = plan(PlanInput {
        run: match &args.run_id {
            Some(name) => run_id(name)?,
            None => fresh_run_id(&settings.run.out),
        },
        tasks: &tasks,
        contenders,
        attempts: settings.run.attempts,
        command: std::env::args().collect(),
        host,
        engine: engine.record(),
        settings: serde_json::to_value(&settings).unwrap_or_default(),
        warnings: Vec::new(),
    })?;
    let store = RunStore::create(&settings.run.out, record)?;
    let todo = store.todo(false);
    let schedule = Schedule {
        jobs: settings.run.jobs,
        retry_errors: settings.run.retry_errors,
        ..Schedule::new(todo, machine)
    };
    go(
        store,
        engine,
        settings,
        tasks,
        granted,
        agents,
        schedule,
        View::from(&args.view),
    )
    .await
}

/// Finishes what is missing of a run.
pub async fn resume(args: ResumeArgs) -> Result<Exit, Failure> {
    let out = match &args.out {
        Some(out) => out.clone(),
        None => settings(None)?.run.out,
    };
    let store = RunStore::open(&args.dir(&out))?;
    let planned = store.run();
    let mut settings = loaded(None, frozen(planned))?.settings;
    settings.run.agents = planned
        .agents
        .iter()
        .map(|agent| agent.name.clone())
        .collect();
    let paths: Vec<String> = planned.tasks.iter().map(|task| task.path.clone()).collect();
    let tasks = task::load_all(&paths).map_err(Failure::Tasks)?;
    check_unchanged(planned, &tasks)?;
    let agents = agents(&settings.run.agents, &tasks)?;
    let machine = Machine::of(&host_record());
    let granted = granted(&tasks, &settings, &machine)?;
    let engine = Engine::open(&settings.engine, &settings.host).await?;
    let jobs = match args.pace.jobs {
        Some(jobs) => jobs.count(),
        None => settings.run.jobs,
    };
    let retry_errors = args.pace.retry_errors.unwrap_or(settings.run.retry_errors);
    let schedule = Schedule {
        jobs,
        retry_errors,
        ..Schedule::new(args.todo(&store), machine)
    };
    go(
        store,
        engine,
        settings,
        tasks,
        granted,
        agents,
        schedule,
        View::from(&args.view),
    )
    .await
}

type Agents = HashMap<String, Arc<dyn Agent>>;

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of a run, put together once"
)]
async fn go(
    store: RunStore,
    engine: Arc<Engine>,
    settings: Settings,
    tasks: Vec<Task>,
    granted: Vec<Granted>,
    agents: Agents,
    schedule: Schedule,
    view: View,
) -> Result<Exit, Failure> {
    let interrupts = Interrupts::listen().map_err(Failure::Signals)?;
    let console = Console::start(view);
    // What dead runs left, before anything new is made.
    let cleaned = clean(Some(engine.docker()), engine.state()).await;
    for message in store.warnings().iter().chain(&cleaned.failed) {
        console.events().send(RunEvent::Warning {
            message: message.clone(),
        });
    }
    let record: RunRecord = store.run().clone();
    let tasks = tasks.into_iter().zip(granted).collect();
    let trials = Arc::new(Trials::new(engine.clone(), settings, record, tasks, agents));
    let exit = drive(store, trials, schedule, console, &interrupts, view.json).await;
    if !interrupts.now.is_cancelled() {
        engine.settle().await;
    }
    Ok(exit)
}

/// The tasks that are named, and that the filter leaves.
fn selected(settings: &Settings, filter: Option<&str>) -> Result<Vec<Task>, Failure> {
    let mut tasks = task::load_all(&settings.run.tasks).map_err(Failure::Tasks)?;
    if let Some(filter) = filter {
        let mut kept = Vec::new();
        for task in tasks {
            if task::matches(filter, &task)? {
                kept.push(task);
            }
        }
        tasks = kept;
        if tasks.is_empty() {
            return Err(Failure::NothingMatches {
                filter: filter.to_owned(),
            });
        }
    }
    Ok(tasks)
}

/// The agents by name, each fit for every task.
fn agents(names: &[String], tasks: &[Task]) -> Result<Agents, Failure> {
    let mut agents: Agents = HashMap::new();
    for name in names {
        let agent: Arc<dyn Agent> = Arc::from(agent::by_name(name)?);
        for task in tasks {
            agent.fits(task)?;
        }
        agents.insert(name.clone(), agent);
    }
    Ok(agents)
}

fn granted(
    tasks: &[Task],
    settings: &Settings,
    machine: &Machine,
) -> Result<Vec<Granted>, Failure> {
    let grants = tasks
        .iter()
        .map(|task| check_demand(&task.id, demand(task, settings), machine));
    Ok(grants.collect::<Result<_, _>>()?)
}

/// Flags as settings; later ones win, and `--set` is the last word.
fn flags(args: &RunArgs) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut named = |flag: &str, key: &str, values: Vec<String>| {
        if !values.is_empty() {
            flags.push(Flag::named(flag, key, values));
        }
    };
    named("TASK", "run.tasks", args.tasks.clone());
    named("--agent", "run.agents", args.agents.clone());
    named(
        "--attempts",
        "run.attempts",
        args.attempts.iter().map(u32::to_string).collect(),
    );
    let jobs = args.pace.jobs.map(|jobs| match jobs {
        Jobs::Auto => "auto".to_owned(),
        Jobs::Count(count) => count.to_string(),
    });
    named("--jobs", "run.jobs", jobs.into_iter().collect());
    named(
        "--retry-errors",
        "run.retry_errors",
        args.pace.retry_errors.iter().map(u32::to_string).collect(),
    );
    named(
        "--out",
        "run.out",
        args.out
            .iter()
            .map(|out| out.to_string_lossy().into_owned())
            .collect(),
    );
    let network = args.network.map(|network| match network {
        NetworkArg::None => "none".to_owned(),
        NetworkArg::Full => "full".to_owned(),
    });
    named("--network", "run.network", network.into_iter().collect());
    named(
        "--no-check",
        "run.check",
        args.no_check
            .then(|| "false".to_owned())
            .into_iter()
            .collect(),
    );
    named(
        "--timeout-multiplier",
        "run.timeout_multiplier",
        args.timeout_multiplier.iter().map(f64::to_string).collect(),
    );
    flags.extend(args.set.iter().map(|(key, value)| Flag::set(key, value)));
    flags
}

fn dry(tasks: &[Task], settings: &Settings) -> String {
    let run = &settings.run;
    let mut text = String::new();
    for task in tasks {
        for agent in &run.agents {
            text.push_str(&format!("{}  {}  × {}\n", task.id, agent, run.attempts));
        }
    }
    let trials = tasks.len() * run.agents.len() * run.attempts as usize;
    text.push_str(&format!("{trials} trials; nothing was run\n"));
    crate::diagnose::printable(&text)
}
