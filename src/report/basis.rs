//! What the numbers of the final table are, in phrases below it: intervals, evidence,
//! what is left out of a score, what no single row says.
//!
//! Must not know how phrases are laid out.

use std::collections::BTreeMap;

use super::number::money;
use super::text::{plural, sanitize};
use crate::record::{End, Evidence};
use crate::run::{AgentSummary, Rate, Summary, Valid};

/// What the numbers of the table are, and what has no column.
pub fn basis(summary: &Summary, medians: &[&str], left_out: &[&str]) -> Vec<String> {
    let tasks = summary.agents.iter().map(|agent| agent.tasks).max();
    let tasks = tasks.unwrap_or(0);
    let mut parts = vec![plural(tasks, "task")];
    parts.extend(quarantined(summary));
    let rates: Vec<&Rate> = summary
        .agents
        .iter()
        .filter_map(|agent| agent.success.as_ref())
        .collect();
    if !rates.is_empty() {
        let alone = rates.iter().all(|rate| rate.n == rate.clusters);
        let by_task = rates.iter().all(|rate| rate.clusters == tasks);
        parts.push(match (alone, by_task) {
            (true, _) => "95 % intervals".to_owned(),
            (_, true) => "95 % intervals clustered by task".to_owned(),
            _ => "95 % intervals clustered by what tasks share".to_owned(),
        });
        if let [first @ .., last] = medians {
            parts.push(format!("{} and {last} are medians", first.join(", ")));
        }
    }
    parts.push(format!("{} tampered", summary.tampered));
    parts.push(format!("{} in error", plural(summary.errors, "trial")));
    parts.extend(evidence(summary));
    parts.extend(verdicts(summary));
    if summary.kept > 0 {
        let kept = plural(summary.kept, "verdict");
        parts.push(format!(
            "{kept} kept from before (--no-cache makes them anew)"
        ));
    }
    if summary.unchecked > 0 {
        parts.push(format!(
            "{} of {} never checked",
            summary.unchecked,
            plural(tasks, "task")
        ));
    }
    parts.extend(ends(summary));
    parts.extend(spent(summary, left_out.contains(&"cost")));
    if summary.missing > 0 {
        parts.push(format!("{} missing", plural(summary.missing, "trial")));
    }
    if !left_out.is_empty() {
        parts.push(format!("no room for {}", left_out.join(", ")));
    }
    parts
}

/// `valid 3 of 5 instances (2 quarantined: 1 flaky, 1 solution-fails)`, a data set each.
fn quarantined(summary: &Summary) -> Vec<String> {
    let told = |valid: &Valid| {
        let reasons = valid.quarantined.iter();
        let reasons: Vec<String> = reasons
            .map(|(reason, count)| format!("{count} {}", sanitize(reason)))
            .collect();
        let name = match summary.valid.len() {
            1 => String::new(),
            _ => format!("{}: ", sanitize(&valid.source)),
        };
        format!(
            "{name}valid {} of {} ({} quarantined: {})",
            valid.valid,
            plural(valid.of, "instance"),
            valid.quarantined.values().sum::<usize>(),
            reasons.join(", ")
        )
    };
    let some = summary.valid.iter();
    some.filter(|valid| !valid.quarantined.is_empty())
        .map(told)
        .collect()
}

/// What is behind `resolved`, the strongest first.
fn evidence(summary: &Summary) -> Option<String> {
    let counts: Vec<String> = summary
        .evidence
        .iter()
        .rev()
        .map(|(evidence, count)| {
            let word = match evidence {
                Evidence::Probed => "probed",
                Evidence::Records => "by records",
                Evidence::Asserted => "asserted",
            };
            format!("{count} {word}")
        })
        .collect();
    (!counts.is_empty()).then(|| format!("evidence: {}", counts.join(", ")))
}

/// Both verdicts of each agent, where a data set has official rules.
fn verdicts(summary: &Summary) -> Vec<String> {
    let several = summary.agents.len() > 1;
    let told = summary.agents.iter().filter_map(|agent| {
        let verdicts = agent.verdicts?;
        let of = verdicts.of;
        let mut text = format!("by the official rules {}/{of}", verdicts.official);
        if let Some(records) = verdicts.records {
            text.push_str(&format!(", by records {records}/{of}"));
        }
        if verdicts.differ > 0 {
            text.push_str(&format!(", {} differ", verdicts.differ));
        }
        Some(match several {
            true => format!("{}: {text}", agent.agent),
            false => text,
        })
    });
    told.collect()
}

/// `3 ended max_steps, 1 ended timeout`: sessions that agents did not end.
fn ends(summary: &Summary) -> Option<String> {
    let mut ends: BTreeMap<End, usize> = BTreeMap::new();
    for (end, count) in summary.agents.iter().flat_map(|agent| &agent.ends) {
        *ends.entry(*end).or_default() += count;
    }
    // Faults are counted as such.
    let told = |end: &End| {
        !matches!(
            end,
            End::Submitted | End::Done | End::ModelError | End::Cancelled | End::Other
        )
    };
    let told: Vec<String> = ends
        .iter()
        .filter(|(end, _)| told(end))
        .map(|(end, count)| format!("{count} ended {end}"))
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// What all models together have cost, where no single row says it.
fn spent(summary: &Summary, hidden: bool) -> Option<String> {
    let models: Vec<&AgentSummary> = summary
        .agents
        .iter()
        .filter(|agent| agent.model.is_some())
        .collect();
    let costs: Vec<i64> = models.iter().filter_map(|a| a.cost_microusd).collect();
    let sum = money(costs.iter().sum::<i64>() as f64);
    match (costs.len(), models.len()) {
        (_, 0) => None,
        (0, _) => Some("unpriced".to_owned()),
        (1, _) if !hidden => None,
        (priced, all) if priced == all => Some(format!("{sum} in all")),
        _ => Some(format!("{sum} in all, as far as priced")),
    }
}
