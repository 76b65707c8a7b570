//! `[[steps]]`: several instructions in one sandbox, each with a verifier.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Checker;
use super::environment::network_mode;
use super::servers::{artifacts, health};
use super::verifier_side::Side;
use crate::diagnose::KeyPath;
use crate::record::Strategy;
use crate::task::raw::{AgentTable, LeastReward, StepTable, StrategyName, TaskToml};
use crate::task::read::Parts;
use crate::task::{AgentRules, Step};

/// How the rewards of steps become one.
pub fn strategy(raw: &TaskToml, check: &mut Checker<'_>) -> Strategy {
    let steps = raw.steps.as_ref().is_some_and(|steps| !steps.is_empty());
    if raw.multi_step_reward_strategy.is_some() && !steps {
        check.warn(
            "multi_step_reward_strategy",
            "`multi_step_reward_strategy` says nothing, since the task has no [[steps]]",
        );
    }
    match raw.multi_step_reward_strategy {
        Some(StrategyName::Final) => Strategy::Final,
        Some(StrategyName::Mean) | None => Strategy::Mean,
    }
}

/// The steps of a task, in order.
pub fn steps(
    raw: &TaskToml,
    parts: &Parts<'_>,
    side: &Side<'_>,
    check: &mut Checker<'_>,
) -> Vec<Step> {
    let tables = raw.steps.as_deref().unwrap_or_default();
    let task_agent = raw.agent.clone().unwrap_or_default();
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let at = KeyPath::from("steps").index(index);
        let Some(name) = name(table, &at, check) else {
            continue;
        };
        // Two folders that a file system may take for one.
        if !names.insert(name.to_lowercase()) {
            check.wrong(
                at.clone().key("name"),
                format!("two steps are called `{name}`"),
                "names differ in more than upper and lower case",
            );
        }
        found.extend(step(name, table, &at, &task_agent, parts, side, check));
    }
    found
}

/// A name that is a folder's on every system.
fn name(table: &StepTable, at: &KeyPath, check: &mut Checker<'_>) -> Option<String> {
    let name = table.name.clone().unwrap_or_default();
    let sign = |sign: char| !sign.is_control() && !"/\\:*?\"<>|".contains(sign);
    let right = name.len() <= 255
        && name.chars().all(sign)
        && !name.trim().is_empty()
        && !name.ends_with(['.', ' ']);
    if !right {
        check.wrong(
            at.clone(),
            format!("`{name}` cannot be the name of a step"),
            "it is that of a folder below steps/",
        );
        return None;
    }
    Some(name)
}

fn step(
    name: String,
    table: &StepTable,
    at: &KeyPath,
    task_agent: &AgentTable,
    parts: &Parts<'_>,
    side: &Side<'_>,
    check: &mut Checker<'_>,
) -> Option<Step> {
    let folder = parts.dir.join("steps").join(&name);
    let instruction = instruction(&folder, &name, check)?;
    let agent = table.agent.clone().unwrap_or_default();
    let hosts = agent.allowed_hosts.as_deref();
    let network = network_mode(at.clone().key("agent"), agent.network_mode, hosts, check);
    if network.is_some_and(|network| network != side.agent_network) {
        check.later(
            at.clone().key("agent").key("network_mode"),
            "another network for a step than for the task",
        );
    }
    let own_path = |key: &str| at.clone().key("agent").key(key);
    let timeout = check.seconds(own_path("timeout_sec"), agent.timeout_sec);
    let user = check.user(own_path("user"), agent.user.as_ref());
    let health = table
        .healthcheck
        .as_ref()
        .and_then(|table| health(table, at.clone().key("healthcheck"), check));
    Some(Step {
        agent: AgentRules {
            timeout: timeout.or_else(|| check.seconds("agent.timeout_sec", task_agent.timeout_sec)),
            user: user.or_else(|| check.user("agent.user", task_agent.user.as_ref())),
        },
        verification: side.of_step(&name, table.verifier.as_ref(), at, check),
        solution: solution(&folder, parts.dir),
        workdir: is_folder(folder.join("workdir")),
        health,
        min_reward: least(table, at, check),
        artifacts: artifacts(
            table.artifacts.as_deref(),
            at.clone().key("artifacts"),
            check,
        ),
        instruction,
        name,
    })
}

fn instruction(folder: &Path, name: &str, check: &mut Checker<'_>) -> Option<String> {
    let told = crate::task::load::instruction(folder);
    match told {
        Ok(told) => Some(told),
        Err(error) => {
            check.file_problem(format!("step `{name}`: {error}"));
            None
        }
    }
}

/// The step's own, else the task's.
fn solution(folder: &Path, task: &Path) -> Option<PathBuf> {
    [folder, task]
        .iter()
        .map(|above| above.join("solution"))
        .find(|solution| solution.join("solve.sh").is_file())
}

fn is_folder(folder: PathBuf) -> Option<PathBuf> {
    folder.is_dir().then_some(folder)
}

/// A number is that of the reward `reward`.
fn least(table: &StepTable, at: &KeyPath, check: &mut Checker<'_>) -> BTreeMap<String, f64> {
    let least = match &table.min_reward {
        None => BTreeMap::new(),
        Some(LeastReward::Number(least)) => BTreeMap::from([("reward".to_owned(), *least)]),
        Some(LeastReward::Map(least)) => least.clone(),
    };
    if least.values().any(|least| !least.is_finite()) {
        check.wrong(
            at.clone().key("min_reward"),
            "`min_reward` must be finite",
            "a number, or numbers by the names of rewards",
        );
    }
    least
}
