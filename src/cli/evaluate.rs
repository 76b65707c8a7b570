//! `proofyard run` and `proofyard resume`: from arguments to a driven run.

use std::path::Path;
use std::sync::Arc;

use super::chosen::chosen;
use super::drive::{Interrupts, drive};
use super::grade;
use super::models::Models;
use super::resume::{ResumeArgs, frozen, sign_key};
use super::run::{RunArgs, jobs_flag, network_flag};
use super::{Exit, Failure, loaded, settings, to_stdout};
use crate::agent::{self, Agent};
use crate::config::job::{self, Job};
use crate::config::{Flag, Settings};
use crate::record::RunRecord;
use crate::report::{Console, View};
use crate::run::{
    Agents, Contender, Granted, Machine, PlanInput, RunEvent, RunStore, Schedule, Signer, Trials,
    as_planned, check_demand, check_same_contenders, check_unchanged, demand, fresh_run_id,
    host_record, kept_predictions, plan, run_id,
};
use crate::sandbox::docker::{Engine, clean};
use crate::task::{self, Task};

/// Evaluates agents at tasks.
pub async fn run(args: RunArgs) -> Result<Exit, Failure> {
    let job = match &args.job {
        Some(file) => job::read(file).map_err(Failure::Job)?,
        None => Job::default(),
    };
    let all_flags = job.flags.iter().cloned().chain(flags(&args)).collect();
    let mut settings = loaded(args.config.clone(), all_flags)?.settings;
    let chosen = chosen(&settings, &job, &args)?;
    let (tasks, unread) = (chosen.tasks, chosen.unread);
    if settings.run.agents.is_empty() {
        if settings.run.models.is_empty() {
            return Err(Failure::NoAgent);
        }
        settings.run.agents = vec!["loop".into()];
    }
    let talks = |name: &String| agent::needs_model(name);
    if !args.models.is_empty() && !settings.run.agents.iter().any(talks) {
        return Err(Failure::IdleModel);
    }
    let host = host_record();
    let machine = Machine::of(&host);
    let granted = granted(&tasks, &settings, &machine)?;
    if args.dry_run {
        return to_stdout(&dry(&tasks, &settings));
    }
    let signer = signer(settings.run.sign_key.as_deref())?;
    let models = models(&settings).await?;
    let lineup = Lineup::of(&settings, &models, &tasks)?;
    let engine = Engine::open(&settings.engine, &settings.host).await?;
    let Lineup { agents, contenders } = lineup;
    let record = plan(PlanInput {
        run: match args.run_id.as_ref().or(job.run_id.as_ref()) {
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
        warnings: [job.warnings, chosen.warnings].concat(),
        data_sets: chosen.data_sets,
    })?;
    let store = RunStore::create(&settings.run.out, record)?.signed_by(signer);
    let todo = store.todo(false);
    let schedule = Schedule {
        jobs: settings.run.jobs,
        retry_errors: settings.run.retry_errors,
        ..Schedule::new(todo, machine)
    };
    let exit = go(
        store,
        engine,
        settings,
        tasks,
        granted,
        agents,
        schedule,
        View::from(&args.view),
    )
    .await?;
    // Tasks that could not be read were not run, whatever became of the others.
    Ok(match (exit, unread) {
        (Exit::Done, 1..) => Exit::TrialErrors,
        (exit, _) => exit,
    })
}

/// Finishes what is missing of a run.
pub async fn resume(args: ResumeArgs) -> Result<Exit, Failure> {
    let out = match &args.out {
        Some(out) => out.clone(),
        None => settings(None)?.run.out,
    };
    let store = RunStore::open(&args.dir(&out))?;
    let planned = store.run();
    if let Some(source) = &planned.regrades {
        let (run, of) = (planned.run.clone(), source.path.clone());
        return Err(Failure::IsRegrade { run, of });
    }
    let mut settings = loaded(None, frozen(planned))?.settings;
    settings.run.agents = planned
        .agents
        .iter()
        .map(|agent| agent.name.clone())
        .collect();
    let paths: Vec<String> = planned.tasks.iter().map(|task| task.path.clone()).collect();
    let tasks = task::load_all(&paths).map_err(Failure::Tasks)?;
    let tasks = task::digest_all(tasks).map_err(Failure::Tasks)?;
    let tasks = as_planned(planned, tasks);
    check_unchanged(planned, &tasks)?;
    let budget = planned.settings["images"]["budget"].as_u64();
    settings.images.budget = settings.images.budget.or(budget);
    settings.run.models = planned
        .models
        .iter()
        .map(|model| model.id.clone())
        .collect();
    unchanged(planned, &settings)?;
    let key = sign_key(args.sign.as_deref(), &settings, planned);
    let signer = signer(key.as_deref())?;
    let agents = match planned.grades {
        // Nobody acts.
        Some(_) => Agents::new(),
        None => {
            let models = models(&settings).await?;
            let lineup = Lineup::of(&settings, &models, &tasks)?;
            check_same_contenders(planned, &lineup.contenders)?;
            lineup.agents
        }
    };
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
    if store.run().grades.is_some() {
        let patches = kept_predictions(store.dir())?;
        let tasks = tasks.into_iter().zip(granted).collect();
        let store = store.signed_by(signer);
        let view = View::from(&args.view);
        return grade::go(store, engine, settings, tasks, patches, schedule, view, &[]).await;
    }
    go(
        store.signed_by(signer),
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

/// The key, read before anything is run.
pub(super) fn signer(key: Option<&Path>) -> Result<Option<Signer>, Failure> {
    Ok(key.map(Signer::read).transpose()?)
}

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
    // An image that had to go would have to come back for the next attempt.
    let schedule = match settings.images.budget {
        Some(_) => schedule.task_by_task(&store.run().tasks),
        None => schedule,
    };
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
    let dir = store.dir().to_owned();
    let of_set = tasks.iter().any(|task| task.official.is_some());
    let tasks = tasks.into_iter().zip(granted).collect();
    let costs = store.finished().iter().filter_map(|r| r.cost_microusd);
    let spent = costs.map(|cost| cost.max(0) as u64).sum();
    let trials = Arc::new(Trials::new(
        engine.clone(),
        settings,
        record,
        tasks,
        agents,
        spent,
        interrupts.fatal.clone(),
    ));
    let exit = drive(store, trials, schedule, console, &interrupts, view.json).await;
    if !interrupts.now.is_cancelled() {
        engine.settle().await;
    }
    if of_set {
        grade::summarised(&dir, view.json)?;
    }
    Ok(exit)
}

/// Models with a table of their own are asked as they were when the run was planned.
fn unchanged(planned: &RunRecord, settings: &Settings) -> Result<(), Failure> {
    for model in &planned.models {
        let now = settings.models.get(&model.id).map(serde_json::to_value);
        let now = now.transpose().ok().flatten().unwrap_or_default();
        if planned.settings["models"][&model.id] != now {
            let name = model.id.clone();
            return Err(Failure::ModelChanged { name });
        }
    }
    Ok(())
}

/// The models that are named, where an agent talks to one.
async fn models(settings: &Settings) -> Result<Models, Failure> {
    let run = &settings.run;
    if !run.agents.iter().any(|name| agent::needs_model(name)) {
        return Ok(Models::default());
    }
    if run.models.is_empty() {
        return Err(Failure::NoModel);
    }
    Models::open(&run.models, settings).await
}

/// Who takes part, each fit for every task.
struct Lineup {
    agents: Agents,
    /// In the order of the plan: an agent that talks to models with each of them.
    contenders: Vec<Contender>,
}

impl Lineup {
    fn of(settings: &Settings, models: &Models, tasks: &[Task]) -> Result<Self, Failure> {
        let mut lineup = Self {
            agents: Agents::new(),
            contenders: Vec::new(),
        };
        let mut add = |name: &str, model: Option<String>, agent: Arc<dyn Agent>| {
            for task in tasks {
                agent.fits(task)?;
            }
            lineup.contenders.push(Contender {
                agent: agent.identity(),
                model: agent.model(),
            });
            lineup.agents.insert((name.to_owned(), model), agent);
            Ok::<_, Failure>(())
        };
        for name in &settings.run.agents {
            if !agent::needs_model(name) {
                add(name, None, Arc::from(agent::by_name(name)?))?;
                continue;
            }
            for (model, agent) in models.loops(settings)? {
                add(name, Some(model), agent)?;
            }
        }
        Ok(lineup)
    }
}

pub(super) fn granted(
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
    named("--model", "run.models", args.models.clone());
    let budget = &args.budget;
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let dollars = |value: Option<f64>| value.map(|value| value.to_string());
    let yes = |given: bool| given.then(|| "true".to_owned());
    for (flag, key, value) in [
        ("--max-steps", "limits.max_steps", number(budget.max_steps)),
        (
            "--max-tokens",
            "limits.max_tokens",
            number(budget.max_tokens),
        ),
        (
            "--max-trial-cost",
            "limits.max_trial_cost",
            dollars(budget.max_trial_cost),
        ),
        ("--max-cost", "run.max_cost", dollars(budget.max_cost)),
        (
            "--announce-limits",
            "loop.announce_limits",
            yes(budget.announce_limits),
        ),
    ] {
        named(flag, key, value.into_iter().collect());
    }
    named(
        "--attempts",
        "run.attempts",
        args.attempts.iter().map(u32::to_string).collect(),
    );
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
    let sign = args.sign.iter().map(|key| key.display().to_string());
    named("--sign", "run.sign_key", sign.collect());
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
    flags.extend(args.pace.jobs.map(jobs_flag));
    flags.extend(args.network.map(network_flag));
    flags.extend(args.rules.flags());
    flags.extend(args.set.iter().map(|(key, value)| Flag::set(key, value)));
    flags
}

fn dry(tasks: &[Task], settings: &Settings) -> String {
    let run = &settings.run;
    let mut lines: Vec<(&str, Option<&str>)> = Vec::new();
    for agent in &run.agents {
        match agent::needs_model(agent) {
            false => lines.push((agent, None)),
            true => lines.extend(
                run.models
                    .iter()
                    .map(|model| (agent.as_str(), Some(model.as_str()))),
            ),
        }
    }
    let mut text = String::new();
    for task in tasks {
        for (agent, model) in &lines {
            let model = model.map_or(String::new(), |model| format!("  {model}"));
            text.push_str(&format!(
                "{}  {agent}{model}  × {}\n",
                task.id, run.attempts
            ));
        }
    }
    let trials = tasks.len() * lines.len() * run.attempts as usize;
    text.push_str(&format!("{trials} trials; nothing was run\n"));
    crate::diagnose::printable(&text)
}
