//! `proofyard regrade`: stored changes, verified anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::drive::{Interrupts, drive};
use super::evaluate::{granted, signer};
use super::resume::{frozen, run_dir};
use super::run::{PaceArgs, ViewArgs};
use super::{Exit, Failure, loaded, settings, to_stdout};
use crate::config::Flag;
use crate::record::PlannedTask;
use crate::report::{Console, Regraded, Style, View, regraded_json, regraded_text};
use crate::run::{
    Agents, Machine, Regrade, RunEvent, RunStore, Schedule, StoredRun, Trials, as_planned,
    fresh_run_id, host_record, read_run, read_trial, regrade_plan, run_id, trial_dir,
};
use crate::sandbox::docker::{Engine, clean};
use crate::task::{self, Task};

const EXAMPLES: &str = "\
Examples:
  proofyard regrade runs/2026-11-23-quiet-otter
  proofyard regrade 2026-11-23-quiet-otter --run-id otter-again --json
  proofyard regrade 2026-11-23-quiet-otter --set limits.memory_mb=4096

Exit codes:
  0 every outcome is what it was   3 one differs   1 a trial ended in error
  2 nothing was run                4 the engine does not answer";

/// Verify the stored changes of a run anew, with no agent.
///
/// Each finished trial whose change is stored is verified in a pristine sandbox, by
/// the tasks and rules of now, under the limits that the run was planned with. The
/// results are a run of its own, which names the run that it is of; the old one stays
/// as it is.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct RegradeArgs {
    /// The run's folder, or its name
    #[arg(value_name = "RUN")]
    run: String,

    /// Folder that runs are kept in [default: runs]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Name of the new run [default: the date and two words]
    #[arg(long, value_name = "NAME")]
    run_id: Option<String>,

    /// Do not verify reference solutions before the first trial of a task
    #[arg(long)]
    no_check: bool,

    /// Sign the new run's manifest with this private ed25519 key
    #[arg(long, value_name = "KEY.pem")]
    sign: Option<PathBuf>,

    /// Any key of harness.toml, such as limits.memory_mb=4096
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = super::run::assignment)]
    set: Vec<(String, String)>,

    #[command(flatten)]
    pace: PaceArgs,

    #[command(flatten)]
    view: ViewArgs,
}

/// Verifies them anew.
pub async fn run(args: RegradeArgs) -> Result<Exit, Failure> {
    let out = match &args.out {
        Some(out) => out.clone(),
        None => settings(None)?.run.out,
    };
    let dir = run_dir(&args.run, &out);
    let source = read_run(&dir)?;
    let mut flags = frozen(&source.run);
    if args.no_check {
        flags.push(Flag::named("--no-check", "run.check", ["false".to_owned()]));
    }
    flags.extend(args.set.iter().map(|(key, value)| Flag::set(key, value)));
    let settings = loaded(None, flags)?.settings;
    let tasks = tasks_of(&source)?;
    let key = args.sign.as_deref().or(settings.run.sign_key.as_deref());
    let signer = signer(key)?;
    let host = host_record();
    let machine = Machine::of(&host);
    let granted = granted(&tasks, &settings, &machine)?;
    let name = match &args.run_id {
        Some(name) => run_id(name)?,
        None => fresh_run_id(&out),
    };
    let engine = Engine::open(&settings.engine, &settings.host).await?;
    let planned = tasks.iter().map(planned).collect();
    let stored = serde_json::to_value(&settings).unwrap_or_default();
    let (record, left) = regrade_plan(&source, name, planned, host, engine.record(), stored)?;
    let told: Vec<String> = record.warnings.clone();
    let store = RunStore::create(&out, record)?.signed_by(signer);
    let schedule = Schedule {
        jobs: match args.pace.jobs {
            Some(jobs) => jobs.count(),
            None => settings.run.jobs,
        },
        retry_errors: args.pace.retry_errors.unwrap_or(settings.run.retry_errors),
        ..Schedule::new(store.todo(false), machine)
    };
    let interrupts = Interrupts::listen().map_err(Failure::Signals)?;
    let console = Console::start(View::from(&args.view));
    let cleaned = clean(Some(engine.docker()), engine.state()).await;
    let left = left
        .iter()
        .map(|left| format!("{} is left out: it {}", left.trial, left.why));
    for message in told.into_iter().chain(left).chain(cleaned.failed) {
        console.events().send(RunEvent::Warning { message });
    }
    let run = store.run().clone();
    let again = store.dir().to_owned();
    let trials = Trials::new(
        engine.clone(),
        settings,
        run,
        tasks.into_iter().zip(granted).collect(),
        Agents::new(),
        0,
        interrupts.fatal.clone(),
    );
    let executor = Arc::new(Regrade::new(trials, dir.clone()));
    let json = args.view.json;
    let exit = drive(store, executor, schedule, console, &interrupts, json).await;
    if !interrupts.now.is_cancelled() {
        engine.settle().await;
    }
    let regraded = compared(&dir, &again)?;
    to_stdout(&match json {
        true => regraded_json(&regraded),
        false => format!("\n{}", regraded_text(&regraded, Style::stdout())),
    })?;
    Ok(match regraded.iter().any(Regraded::differs) {
        true if matches!(exit, Exit::Done | Exit::TrialErrors) => Exit::Failed,
        _ => exit,
    })
}

/// The tasks of the run's finished trials, as they are now.
fn tasks_of(source: &StoredRun) -> Result<Vec<Task>, Failure> {
    let finished = |name| source.records.iter().any(|record| record.task.name == name);
    let paths: Vec<String> = source
        .run
        .tasks
        .iter()
        .filter(|task| finished(task.name.clone()))
        .map(|task| task.path.clone())
        .collect();
    match paths.is_empty() {
        // `regrade_plan` says that there is nothing to do.
        true => Ok(Vec::new()),
        false => task::load_all(&paths)
            .and_then(task::digest_all)
            .map(|tasks| as_planned(&source.run, tasks))
            .map_err(Failure::Tasks),
    }
}

fn planned(task: &Task) -> PlannedTask {
    PlannedTask {
        name: task.id.clone(),
        path: task.dir.display().to_string(),
        source: task.source.clone(),
        digest: task.digest.clone(),
    }
}

/// Each trial that was finished anew, with what it was.
fn compared(before: &Path, after: &Path) -> Result<Vec<Regraded>, Failure> {
    let mut trials = Vec::new();
    for record in read_run(after)?.records {
        trials.push(Regraded {
            before: read_trial(&trial_dir(before, &record.trial))?,
            after: read_trial(&trial_dir(after, &record.trial))?,
        });
    }
    Ok(trials)
}
