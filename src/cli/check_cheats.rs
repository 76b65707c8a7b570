//! `proofyard check --cheats`: cheats before a naive verifier and before ours,
//! controls before ours.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::check::Ground;
use super::drive::Interrupts;
use super::{Exit, Failure, to_stdout};
use crate::agent::{self, Agent, Before, Command};
use crate::cheats::{
    Begins, Cheat, CheatResult, Finding, NOT_HERE, Tally, applies, catalogue, finding, read_folder,
    stopped_by,
};
use crate::record::{PlannedTrial, RunRecord, TaskId, TrialId, TrialRecord};
use crate::report::{Console, Style, cheats_json, cheats_view, stdout_columns};
use crate::run::{
    Agents, Contender, Naive, PlanInput, RunStore, Schedule, Trials, command_end, fresh_run_id,
    host_record, naive_all, plan, run_plan, trial_dir,
};
use crate::trajectory::read_events;

/// The agent that does nothing: what it is paid for is worth nothing.
const NOTHING: &str = "nop";

/// The cheats of the catalogue or of a folder, or those of them that are named.
pub fn chosen(folder: Option<&Path>, only: &[String]) -> Result<Vec<Cheat>, Failure> {
    let mut cheats = match folder {
        Some(folder) => read_folder(folder)?,
        None => catalogue(),
    };
    let means = |only: &String, name: &str| match only.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => only == name,
    };
    for only in only {
        if !cheats.iter().any(|cheat| means(only, &cheat.name)) {
            let likeness = |cheat: &&Cheat| (strsim::jaro(&cheat.name, only) * 1000.0) as u64;
            let near = cheats.iter().max_by_key(likeness);
            return Err(Failure::UnknownCheat {
                name: only.clone(),
                near: near.map_or_else(String::new, |cheat| cheat.name.clone()),
            });
        }
    }
    cheats.retain(|cheat| only.is_empty() || only.iter().any(|only| means(only, &cheat.name)));
    Ok(cheats)
}

/// Tries them all and tells what was paid.
pub async fn run(
    cheats: Vec<Cheat>,
    ground: Ground,
    out: Option<PathBuf>,
    json: bool,
) -> Result<Exit, Failure> {
    let cheats: BTreeMap<String, Cheat> = cheats
        .into_iter()
        .map(|cheat| (cheat.name.clone(), cheat))
        .collect();
    let (agents, contenders) = lineup(&cheats)?;
    let temporary = match out {
        Some(_) => None,
        None => Some(tempfile::tempdir().map_err(Failure::Scratch)?),
    };
    let out = match (&out, &temporary) {
        (Some(out), _) => out.as_path(),
        (None, Some(temporary)) => temporary.path(),
        (None, None) => Path::new("."),
    };
    let mut record = planned(&cheats, &ground, contenders, out)?;
    let interrupts = Interrupts::listen().map_err(Failure::Signals)?;
    let console = Console::start(ground.view);
    let trials = Arc::new(Trials::new(
        ground.engine.clone(),
        ground.settings,
        record.clone(),
        ground.tasks.into_iter().zip(ground.granted).collect(),
        agents,
        0,
        interrupts.fatal.clone(),
    ));
    let naive = naive_all(
        &trials,
        worth_asking(&record.trials, &cheats),
        NOTHING,
        ground.jobs,
        console.events(),
        &interrupts.stop,
    )
    .await;
    record.trials.retain(|trial| to_be_tried(trial, &naive));
    let store = Arc::new(RunStore::create(out, record)?);
    let schedule = Schedule {
        jobs: Some(ground.jobs),
        ..Schedule::new(store.todo(false), ground.machine)
    };
    let dir = store.dir().to_owned();
    let carried = run_plan(store, trials, schedule, console.events(), &interrupts.stop);
    let end = tokio::select! {
        end = carried => Some(end),
        () = interrupts.now.cancelled() => None,
    };
    console.close().await;
    // What an interrupt dropped on its way is taken away too, unless asked for twice.
    if !interrupts.now.is_cancelled() {
        ground.engine.settle().await;
    }
    let Some(end) = end.filter(|end| !end.interrupted && !interrupts.stop.is_cancelled()) else {
        return Ok(Exit::Interrupted);
    };
    let results = end.records.iter().filter_map(|record| {
        let cheat = cheats.get(&record.agent.name)?;
        let trial = trial_dir(&dir, &record.trial);
        let result = result(cheat, record, naive.get(&record.trial), &trial);
        match cheat.honest {
            true => as_performed(result, &trial),
            false => Some(result),
        }
    });
    let mut results: Vec<CheatResult> = results.collect();
    results.sort_by(|a, b| (&a.task, a.honest, &a.name).cmp(&(&b.task, b.honest, &b.name)));
    to_stdout(&match json {
        true => cheats_json(&results),
        false => cheats_view(&results, stdout_columns(), Style::stdout()),
    })?;
    Ok(exit_of(&results))
}

fn exit_of(results: &[CheatResult]) -> Exit {
    let tally = Tally::of(results);
    match (tally.holds(), tally.faults) {
        (false, _) => Exit::Failed,
        (true, 0) => Exit::Done,
        (true, _) => Exit::TrialErrors,
    }
}

/// Each cheat as an agent, and one that does nothing.
fn lineup(cheats: &BTreeMap<String, Cheat>) -> Result<(Agents, Vec<Contender>), Failure> {
    let mut agents = Agents::new();
    let mut contenders = Vec::new();
    let mut add = |name: &str, agent: Arc<dyn Agent>| {
        contenders.push(Contender {
            agent: agent.identity(),
            model: None,
        });
        agents.insert((name.to_owned(), None), agent);
    };
    add(NOTHING, Arc::from(agent::by_name(NOTHING)?));
    for cheat in cheats.values() {
        let command = Command {
            name: cheat.name.clone(),
            before: match (cheat.begins, cheat.calls) {
                (_, Some(calls)) => Before::Calls(calls),
                (Begins::Solution, None) => Before::Solution,
                (Begins::Nothing, None) => Before::Nothing,
            },
            script: cheat.script.clone(),
        };
        add(&cheat.name, Arc::new(command));
    }
    Ok((agents, contenders))
}

/// The plan of all cheats at the tasks that they are meant for.
fn planned(
    cheats: &BTreeMap<String, Cheat>,
    ground: &Ground,
    contenders: Vec<Contender>,
    out: &Path,
) -> Result<RunRecord, Failure> {
    let mut record = plan(PlanInput {
        run: fresh_run_id(out),
        tasks: &ground.tasks,
        contenders,
        attempts: 1,
        command: std::env::args().collect(),
        host: host_record(),
        engine: ground.engine.record(),
        settings: serde_json::to_value(&ground.settings).unwrap_or_default(),
        warnings: Vec::new(),
        data_sets: Vec::new(),
    })?;
    let tasks: HashMap<&TaskId, _> = ground.tasks.iter().map(|task| (&task.id, task)).collect();
    let meant = |trial: &PlannedTrial| {
        let (cheat, task) = (cheats.get(&trial.agent)?, tasks.get(&trial.task)?);
        Some(applies(cheat, task).is_ok())
    };
    record.trials.retain(|trial| meant(trial).unwrap_or(true));
    match record.trials.iter().all(|trial| trial.agent == NOTHING) {
        true => Err(Failure::NoCheatFits),
        false => Ok(record),
    }
}

/// What is tried before a naive verifier: cheats, and doing nothing at their tasks.
/// What it would make of a control tells nothing of us.
fn worth_asking(planned: &[PlannedTrial], cheats: &BTreeMap<String, Cheat>) -> Vec<PlannedTrial> {
    let cheat = |trial: &PlannedTrial| cheats.get(&trial.agent).is_some_and(|c| !c.honest);
    let tasks: HashSet<&TaskId> = planned
        .iter()
        .filter(|trial| cheat(trial))
        .map(|trial| &trial.task)
        .collect();
    let nothing = |trial: &PlannedTrial| trial.agent == NOTHING && tasks.contains(&trial.task);
    let asked = planned
        .iter()
        .filter(|trial| cheat(trial) || nothing(trial));
    asked.cloned().collect()
}

/// The result of a control whose command did what it says: none where it found
/// nothing to act on, a fault where it failed, since then it shows nothing.
fn as_performed(result: CheatResult, trial: &Path) -> Option<CheatResult> {
    let events = read_events(&trial.join("trajectory.jsonl")).unwrap_or_default();
    match command_end(&events) {
        Some((NOT_HERE, _)) => None,
        Some((code, said)) if code != 0 => Some(CheatResult {
            finding: Finding::Fault,
            by: format!("the control's command ended with {code}: {said}"),
            ..result
        }),
        _ => Some(result),
    }
}

fn to_be_tried(trial: &PlannedTrial, naive: &HashMap<TrialId, Naive>) -> bool {
    let not_here = matches!(naive.get(&trial.trial), Some(Naive::NotHere(_)));
    trial.agent != NOTHING && !not_here
}

fn result(cheat: &Cheat, record: &TrialRecord, naive: Option<&Naive>, trial: &Path) -> CheatResult {
    let naive = match naive {
        Some(Naive::Believed(signals)) => Some(*signals),
        _ => None,
    };
    let finding = finding(cheat, record, naive);
    CheatResult {
        task: record.task.name.clone(),
        name: cheat.name.clone(),
        kind: cheat.kind.clone(),
        honest: cheat.honest,
        naive,
        outcome: record.outcome,
        finding,
        by: match finding {
            Finding::Right => String::new(),
            _ => stopped_by(record, crossed(trial)),
        },
    }
}

/// Whether the stored change has anything in it.
fn crossed(trial: &Path) -> bool {
    let size = |name: &str| std::fs::metadata(trial.join(name)).map_or(0, |file| file.len());
    size("change.patch") > 0 || size("change.tar.zst") > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheats_are_chosen_by_name_or_by_a_beginning() {
        let names = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
            chosen(None, &only).map(|cheats| cheats.into_iter().map(|c| c.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["git-hook"]).unwrap(), ["git-hook"]);
        assert!(names(&["py-*", "git-hook"]).unwrap().len() > 28);
        assert_eq!(names(&[]).unwrap().len(), catalogue().len());
        let error = names(&["git-hok"]).unwrap_err().to_string();
        assert!(error.contains("did you mean `git-hook`?"), "{error}");
    }

    #[test]
    fn a_naive_verifier_is_asked_about_cheats_and_not_about_controls() {
        let cheats: BTreeMap<String, Cheat> = catalogue()
            .into_iter()
            .map(|cheat| (cheat.name.clone(), cheat))
            .collect();
        let trial = |agent: &str, task: &str| PlannedTrial {
            trial: TrialId::new(format!("{task}--{agent}--1")),
            task: TaskId::new(task),
            agent: agent.into(),
            model: None,
            attempt: 1,
        };
        let planned = [
            trial(NOTHING, "a"),
            trial("git-hook", "a"),
            trial("honest-gold", "a"),
            trial(NOTHING, "b"),
            trial("honest-gold", "b"),
        ];
        let asked = worth_asking(&planned, &cheats);
        let names: Vec<&str> = asked.iter().map(|trial| trial.trial.as_str()).collect();
        assert_eq!(names, ["a--nop--1", "a--git-hook--1"]);
    }

    #[test]
    fn an_empty_patch_is_no_change() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!crossed(folder.path()));
        std::fs::write(folder.path().join("change.patch"), "").unwrap();
        assert!(!crossed(folder.path()));
        std::fs::write(folder.path().join("change.tar.zst"), "x").unwrap();
        assert!(crossed(folder.path()));
    }
}
