//! `proofyard grade`: predictions of others, verified.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::drive::{Interrupts, drive};
use super::evaluate::{granted, signer};
use super::run::{NetworkArg, PaceArgs, RulesArgs, ViewArgs, jobs_flag, network_flag};
use super::select::{self, SelectArgs, data_set};
use super::{Exit, Failure, loaded, to_stdout};
use crate::config::Flag;
use crate::record::{AgentRef, Digest, GradedRun, ModelRef, RunRecord, TaskId};
use crate::report::{Console, View};
use crate::run::{
    Agents, Contender, Grade, Machine, NO_MODEL, PREDICTIONS, PlanInput, RunEvent, RunStore,
    Schedule, Trials, Verdicts, by_trial, fresh_run_id, host_record, keep_predictions,
    official_summaries, plan, read_run, run_id,
};
use crate::sandbox::docker::{Engine, clean};
use crate::swebench::predictions::{self, Prediction, Predictions};
use crate::swebench::row::DataSet;
use crate::task::{self, Task};

const EXAMPLES: &str = "\
Examples:
  proofyard grade preds.jsonl --dataset verified.jsonl
  proofyard grade preds.json --dataset swebench-verified -j 4 --rules both
  proofyard grade gold --dataset lite.jsonl --filter 'repo = \"pallets/flask\"'
  proofyard grade preds.jsonl --dataset verified.jsonl --sample 50 --seed 7 --stratify repo

PREDICTIONS is a file of the official shapes: an object a line, a list, or an object by
instance, with instance_id, model_name_or_path and model_patch; or the word `gold` for the
data set's own patches. An interrupted run is finished by `proofyard resume RUN`.

Exit codes:
  0 done, whatever was resolved   1 done, but some trials ended in error
  2 nothing was run               4 the engine does not answer
  130 interrupted, `proofyard resume RUN` goes on";

/// Verify predictions for a data set of the SWE-bench family.
///
/// Each patch is verified as an agent's change would be: by the tests' own records in a
/// pristine sandbox, and by the official rules in another one. Both verdicts stand in the
/// record, and in the table. A verdict on the same patch, image, tests and rules is made
/// once and kept.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct GradeArgs {
    /// The file of predictions, or `gold`
    #[arg(value_name = "PREDICTIONS")]
    predictions: String,

    /// The data set: a file, a folder, or a name of [datasets] in harness.toml
    #[arg(long, value_name = "DATASET")]
    dataset: String,

    /// Make every verdict anew; what comes of it is kept
    #[arg(long)]
    no_cache: bool,

    /// Folder that runs are kept in [default: runs]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Name of the run [default: the date and two words]
    #[arg(long, value_name = "NAME")]
    run_id: Option<String>,

    /// Network of the sandboxes [default: what each instance says]
    #[arg(long, value_enum, value_name = "MODE")]
    network: Option<NetworkArg>,

    /// Do not verify reference patches before the first prediction of an instance
    #[arg(long)]
    no_check: bool,

    /// Multiply every time limit
    #[arg(long, value_name = "X")]
    timeout_multiplier: Option<f64>,

    #[command(flatten)]
    select: SelectArgs,

    #[command(flatten)]
    rules: RulesArgs,

    /// Any key of harness.toml, such as limits.memory_mb=4096
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = super::run::assignment)]
    set: Vec<(String, String)>,

    /// Settings file [default: harness.toml here or above]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    pace: PaceArgs,

    #[command(flatten)]
    view: ViewArgs,
}

/// Verifies them.
pub async fn run(args: GradeArgs) -> Result<Exit, Failure> {
    let settings = loaded(args.config.clone(), flags(&args))?.settings;
    let Some(set) = data_set(&args.dataset, &settings)? else {
        return Err(Failure::NoDataSet {
            path: args.dataset.clone(),
        });
    };
    let given = predicted(&args.predictions, &set)?;
    let meant = select::rows(&args.dataset, &set, &settings, &args.select)?;
    let instances: Vec<String> = meant
        .rows
        .iter()
        .map(|row| row.instance_id.clone())
        .collect();
    let predictions = of_instances(given.all, &instances);
    if predictions.is_empty() {
        return Err(Failure::NothingPredicted {
            instances: instances.len(),
        });
    }
    let ids: HashSet<&str> = predictions
        .iter()
        .map(|one| one.instance_id.as_str())
        .collect();
    let ids: Vec<String> = instances
        .iter()
        .filter(|id| ids.contains(id.as_str()))
        .cloned()
        .collect();
    let found = select::tasks_of(&args.dataset, &settings, meant, &ids)?;
    let mut warnings = [given.warnings, found.warnings].concat();
    let without = instances.len() - ids.len();
    if without > 0 {
        warnings.push(format!(
            "{without} of {} instances have no prediction",
            instances.len()
        ));
    }
    let tasks = task::digest_all(found.tasks).map_err(Failure::Tasks)?;
    let host = host_record();
    let machine = Machine::of(&host);
    let granted = granted(&tasks, &settings, &machine)?;
    let signer = signer(settings.run.sign_key.as_deref())?;
    let engine = Engine::open(&settings.engine, &settings.host).await?;
    let name = match &args.run_id {
        Some(name) => run_id(name)?,
        None => fresh_run_id(&settings.run.out),
    };
    let mut record = plan(PlanInput {
        run: name,
        tasks: &tasks,
        contenders: contenders(&predictions, digest_of(&args.predictions)),
        attempts: 1,
        command: std::env::args().collect(),
        host,
        engine: engine.record(),
        settings: serde_json::to_value(&settings).unwrap_or_default(),
        warnings: warnings.clone(),
        data_sets: vec![found.record],
    })?;
    let patches = by_trial(&predictions);
    // Each model predicts for instances of its own.
    record.trials.retain(|trial| {
        let model = trial.model.clone().unwrap_or_default();
        patches.contains_key(&(trial.task.clone(), model))
    });
    record.grades = Some(GradedRun {
        predictions: args.predictions.clone(),
        digest: digest_of(&args.predictions),
        instances,
        cached: !args.no_cache,
    });
    let store = RunStore::create(&settings.run.out, record)?.signed_by(signer);
    keep_predictions(store.dir(), &predictions).map_err(|source| Failure::Write {
        file: store.dir().to_owned(),
        source,
    })?;
    let schedule = Schedule {
        jobs: settings.run.jobs,
        retry_errors: settings.run.retry_errors,
        ..Schedule::new(store.todo(false), machine)
    };
    let schedule = match settings.images.budget {
        Some(_) => schedule.task_by_task(&store.run().tasks),
        None => schedule,
    };
    let tasks = tasks.into_iter().zip(granted).collect();
    let view = View::from(&args.view);
    go(
        store, engine, settings, tasks, patches, schedule, view, &warnings,
    )
    .await
}

/// Verifies what is missing, and writes the official summaries.
#[expect(
    clippy::too_many_arguments,
    reason = "the parts of a run, put together once"
)]
pub async fn go(
    store: RunStore,
    engine: Arc<Engine>,
    settings: crate::config::Settings,
    tasks: Vec<(Task, crate::run::Granted)>,
    patches: HashMap<(TaskId, String), Vec<u8>>,
    schedule: Schedule,
    view: View,
    warnings: &[String],
) -> Result<Exit, Failure> {
    let interrupts = Interrupts::listen().map_err(Failure::Signals)?;
    let console = Console::start(view);
    let cleaned = clean(Some(engine.docker()), engine.state()).await;
    let told = warnings
        .iter()
        .chain(store.warnings())
        .chain(&cleaned.failed);
    for message in told {
        let message = message.clone();
        console.events().send(RunEvent::Warning { message });
    }
    let run: RunRecord = store.run().clone();
    let dir = store.dir().to_owned();
    let graded = run.grades.clone().unwrap_or_default();
    let cache = Verdicts::new(&settings.host.state);
    let fatal = interrupts.fatal.clone();
    let trials = Trials::new(
        engine.clone(),
        settings,
        run,
        tasks,
        Agents::new(),
        0,
        fatal,
    );
    let executor = Arc::new(Grade::new(trials, patches, cache, graded.cached));
    let exit = drive(store, executor, schedule, console, &interrupts, view.json).await;
    if !interrupts.now.is_cancelled() {
        engine.settle().await;
    }
    summarised(&dir, view.json)?;
    Ok(exit)
}

/// Writes the official summaries of a run that has any, and names them.
pub(super) fn summarised(dir: &Path, json: bool) -> Result<(), Failure> {
    let written = official_summaries(&read_run(dir)?);
    let written = written.map_err(|source| Failure::Write {
        file: dir.to_owned(),
        source,
    })?;
    if !json {
        let lines: String = written
            .iter()
            .map(|name| format!("  {}   the official summary\n", dir.join(name).display()))
            .collect();
        to_stdout(&lines)?;
    }
    Ok(())
}

/// What is predicted: of a file, or the data set's own patches.
fn predicted(given: &str, set: &DataSet) -> Result<Predictions, Failure> {
    if given == "gold" {
        let mut given = Predictions {
            all: Vec::new(),
            warnings: Vec::new(),
        };
        for row in &set.rows {
            match row.solution() {
                Some(patch) => given.all.push(Prediction {
                    instance_id: row.instance_id.clone(),
                    model: Some("gold".to_owned()),
                    patch: Some(patch.into_owned()),
                    line: row.line,
                }),
                None => given.warnings.push(format!(
                    "{} has no patch of gold: what undoes its patch cannot be written as text",
                    row.instance_id
                )),
            }
        }
        return Ok(given);
    }
    let read = predictions::read(Path::new(given))?;
    let known: HashSet<&str> = set
        .rows
        .iter()
        .map(|row| row.instance_id.as_str())
        .collect();
    let unknown: Vec<&Prediction> = read
        .all
        .iter()
        .filter(|one| !known.contains(one.instance_id.as_str()))
        .collect();
    match unknown.first() {
        None => Ok(read),
        Some(first) => Err(Failure::NotInDataSet {
            file: given.to_owned(),
            line: first.line,
            id: first.instance_id.clone(),
            more: unknown.len() - 1,
        }),
    }
}

fn of_instances(all: Vec<Prediction>, instances: &[String]) -> Vec<Prediction> {
    let meant: HashSet<&str> = instances.iter().map(String::as_str).collect();
    let mut of: Vec<Prediction> = all
        .into_iter()
        .filter(|one| meant.contains(one.instance_id.as_str()))
        .collect();
    for one in &mut of {
        one.model.get_or_insert_with(|| NO_MODEL.to_owned());
    }
    of
}

fn contenders(predictions: &[Prediction], digest: Option<Digest>) -> Vec<Contender> {
    let models: BTreeSet<&str> = predictions
        .iter()
        .filter_map(|one| one.model.as_deref())
        .collect();
    let all = models.into_iter().map(|model| Contender {
        agent: AgentRef {
            name: PREDICTIONS.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            digest: digest.clone(),
        },
        model: Some(ModelRef {
            id: model.to_owned(),
            provider: PREDICTIONS.to_owned(),
            digest: None,
        }),
    });
    all.collect()
}

/// Of the file as it is.
fn digest_of(predictions: &str) -> Option<Digest> {
    use sha2::Digest as _;
    let bytes = std::fs::read(predictions).ok()?;
    Some(Digest::of_sha256(&sha2::Sha256::digest(bytes)))
}

fn flags(args: &GradeArgs) -> Vec<Flag> {
    let mut flags: Vec<Flag> = args.rules.flags();
    flags.extend(args.pace.jobs.map(jobs_flag));
    flags.extend(args.network.map(network_flag));
    let mut named = |flag: &str, key: &str, value: Option<String>| {
        flags.extend(value.map(|value| Flag::named(flag, key, [value])));
    };
    let retries = args.pace.retry_errors.map(|times| times.to_string());
    named("--retry-errors", "run.retry_errors", retries);
    let out = args.out.as_ref().map(|out| out.display().to_string());
    named("--out", "run.out", out);
    let unchecked = args.no_check.then(|| "false".to_owned());
    named("--no-check", "run.check", unchecked);
    let times = args.timeout_multiplier.map(|times| times.to_string());
    named("--timeout-multiplier", "run.timeout_multiplier", times);
    flags.extend(args.set.iter().map(|(key, value)| Flag::set(key, value)));
    flags
}
