//! A run as Harbor's `JobConfig` and `JobResult`, with the statistics that Harbor
//! would have of its trials.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::id::uuid;
use super::trial::agent_config;
use crate::record::RunRecord;

/// `config.json`
pub fn config(run: &RunRecord) -> Value {
    let mut agents: Vec<Value> = Vec::new();
    for trial in &run.trials {
        let agent = agent_config(&trial.agent, trial.model.as_deref());
        if !agents.contains(&agent) {
            agents.push(agent);
        }
    }
    let tasks = run.tasks.iter().map(|task| json!({ "path": task.path }));
    let multiplier = run.settings["run"]["timeout_multiplier"].as_f64();
    json!({
        "job_name": run.run,
        "jobs_dir": "jobs",
        "n_attempts": run.attempts.max(1),
        "timeout_multiplier": multiplier.unwrap_or(1.0),
        "environment": { "type": "docker" },
        "agents": agents,
        "datasets": [],
        "tasks": tasks.collect::<Vec<Value>>(),
    })
}

/// `result.json`, of the results of finished trials.
pub fn result(run: &RunRecord, trials: &[Value]) -> Value {
    let ends = trials
        .iter()
        .filter_map(|trial| trial["finished_at"].as_str());
    let last = ends.max().unwrap_or(&run.created_at).to_owned();
    let missing = run.trials.len().saturating_sub(trials.len());
    json!({
        "id": uuid(&["job", run.run.as_str()]),
        "started_at": run.created_at,
        "updated_at": last,
        "finished_at": (missing == 0).then_some(&last),
        "n_total_trials": run.trials.len(),
        "stats": stats(trials, missing),
    })
}

fn stats(trials: &[Value], missing: usize) -> Value {
    let mut groups: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for trial in trials {
        let info = &trial["agent_info"];
        let name = info["name"].as_str().unwrap_or_default();
        let key = match info["model_info"]["name"].as_str() {
            Some(model) => format!("{name}__{model}__adhoc"),
            None => format!("{name}__adhoc"),
        };
        groups.entry(key).or_default().push(trial);
    }
    let evals = groups
        .iter()
        .map(|(key, trials)| (key.clone(), eval(trials)));
    json!({
        "n_completed_trials": trials.len(),
        "n_errored_trials": trials.iter().filter(|trial| !trial["exception_info"].is_null()).count(),
        "n_running_trials": 0,
        "n_pending_trials": missing,
        "n_cancelled_trials": 0,
        "n_retries": 0,
        "evals": evals.collect::<Map<String, Value>>(),
        "n_input_tokens": tokens(trials, "n_input_tokens"),
        "n_cache_tokens": tokens(trials, "n_cache_tokens"),
        "n_output_tokens": tokens(trials, "n_output_tokens"),
        "cost_usd": cost(trials),
    })
}

fn tokens(trials: &[Value], field: &str) -> Option<u64> {
    let known = trials
        .iter()
        .filter_map(|trial| trial["agent_result"][field].as_u64());
    known.reduce(|sum, more| sum + more)
}

fn cost(trials: &[Value]) -> Option<f64> {
    let known = trials
        .iter()
        .filter_map(|trial| trial["agent_result"]["cost_usd"].as_f64());
    known.reduce(|sum, more| sum + more)
}

/// The trials of one agent.
fn eval(trials: &[&Value]) -> Value {
    let mut rewarded = 0;
    let mut rewards: BTreeMap<&str, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    let mut exceptions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for trial in trials {
        let name = trial["trial_name"].as_str().unwrap_or_default();
        if let Some(named) = trial["verifier_result"]["rewards"].as_object() {
            rewarded += 1;
            for (key, value) in named {
                let of = rewards.entry(key).or_default();
                of.entry(value.to_string()).or_default().push(name);
            }
        }
        if let Some(class) = trial["exception_info"]["exception_type"].as_str() {
            exceptions.entry(class).or_default().push(name);
        }
    }
    json!({
        "n_trials": rewarded,
        "n_errors": exceptions.values().map(Vec::len).sum::<usize>(),
        "metrics": [mean(trials)],
        "pass_at_k": pass_at_k(trials),
        "reward_stats": rewards,
        "exception_stats": exceptions,
    })
}

/// Harbor's mean: of each name over all trials, in which one without rewards is 0.
fn mean(trials: &[&Value]) -> Value {
    let all: Vec<Option<&Map<String, Value>>> = trials
        .iter()
        .map(|trial| trial["verifier_result"]["rewards"].as_object())
        .collect();
    let mut names: Vec<&String> = all
        .iter()
        .flatten()
        .flat_map(|named| named.keys())
        .collect();
    names.sort();
    names.dedup();
    let of = |value: &dyn Fn(&Map<String, Value>) -> f64| {
        let sum: f64 = all.iter().flatten().map(|named| value(named)).sum();
        sum / all.len().max(1) as f64
    };
    if names.len() <= 1 {
        let first = |named: &Map<String, Value>| named.values().next().map_or(0.0, number);
        return json!({ "mean": of(&first) });
    }
    let means = names.into_iter().map(|name| {
        let value = of(&|named| named.get(name).map_or(0.0, number));
        (name.clone(), json!(value))
    });
    Value::Object(means.collect())
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

/// Harbor's pass@k for k = 2, 4, 8, … and 5, 10, 15, …, where every reward is a lone 0
/// or 1: 1 − C(n−c, k) / C(n, k), the mean over tasks (Chen et al. 2021).
fn pass_at_k(trials: &[&Value]) -> BTreeMap<String, f64> {
    let mut tasks: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for trial in trials {
        let reward = match trial["verifier_result"]["rewards"].as_object() {
            None => 0.0,
            Some(named) if named.len() == 1 => named.values().next().map_or(0.0, number),
            Some(_) => return BTreeMap::new(),
        };
        if reward != 0.0 && reward != 1.0 {
            return BTreeMap::new();
        }
        let of = tasks.entry(trial["task_name"].as_str().unwrap_or_default());
        let (n, c) = of.or_default();
        *n += 1;
        *c += u32::from(reward == 1.0);
    }
    let least = tasks.values().map(|(n, _)| *n).min().unwrap_or(0);
    let doubled = (1..31).map(|power| 1 << power).take_while(|k| *k <= least);
    let fives = (1..).map(|times| 5 * times).take_while(|k| *k <= least);
    let at = |k: u32| {
        let of_task = |(n, c): &(u32, u32)| {
            if n - c < k {
                return 1.0;
            }
            let missed = (0..k).map(|i| f64::from(n - c - i) / f64::from(n - i));
            1.0 - missed.product::<f64>()
        };
        tasks.values().map(of_task).sum::<f64>() / tasks.len() as f64
    };
    doubled
        .chain(fives)
        .map(|k| (k.to_string(), at(k)))
        .collect()
}
