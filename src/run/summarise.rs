//! Trials → a run in numbers, per agent.
//!
//! Owns what is counted over what. A rate's denominator is resolved + unresolved +
//! tampered; errors stand beside it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::summary::{
    AgentSummary, CallErrors, LEVEL, Mean, Medians, OfValid, Rate, Summary, Verdicts,
};
use super::valid::{kept, valid};
use crate::record::{Evidence, Outcome, Reason, RunRecord, TrialRecord, Usage};
use crate::stats::{clustered_mean, median, rate_interval};

/// Sums up the finished trials of a run, each of which is there once.
pub fn summarise(run: &RunRecord, records: &[TrialRecord]) -> Summary {
    let alone = run.settings["swebench"]["rules"] == "official";
    let mut lineup: Vec<(&str, Option<&str>)> = Vec::new();
    for planned in &run.trials {
        let contender = (planned.agent.as_str(), planned.model.as_deref());
        if !lineup.contains(&contender) {
            lineup.push(contender);
        }
    }
    let kept = kept(run);
    let agents: Vec<AgentSummary> = lineup
        .into_iter()
        .map(|(agent, model)| {
            let of = |record: &&TrialRecord| {
                record.agent.name == agent && record.model.as_ref().map(|m| m.id.as_str()) == model
            };
            let records: Vec<&TrialRecord> = records.iter().filter(of).collect();
            AgentSummary {
                valid: of_valid(&records, &kept),
                ..summarise_agent(agent, model, records, alone)
            }
        })
        .collect();
    let total = |count: fn(&AgentSummary) -> usize| agents.iter().map(count).sum();
    Summary {
        run: run.run.clone(),
        planned: run.trials.len(),
        finished: records.len(),
        missing: run.trials.len().saturating_sub(records.len()),
        resolved: total(|agent| agent.resolved),
        unresolved: total(|agent| agent.unresolved),
        tampered: total(|agent| agent.tampered),
        errors: total(|agent| agent.errors),
        evidence: evidence(records),
        unchecked: unchecked(records),
        kept: records
            .iter()
            .filter(|record| record.provenance.verdict_of.is_some())
            .count(),
        valid: valid(run),
        agents,
    }
}

fn unchecked(records: &[TrialRecord]) -> usize {
    let judged = |record: &&TrialRecord| record.verdict.evidence.is_some();
    let without = |record: &&TrialRecord| record.provenance.reference.is_none();
    let tasks: BTreeSet<&str> = records
        .iter()
        .filter(judged)
        .filter(without)
        .map(|record| record.task.name.as_str())
        .collect();
    tasks.len()
}

fn evidence(records: &[TrialRecord]) -> BTreeMap<Evidence, usize> {
    let resolved = records.iter().filter(|r| r.outcome == Outcome::Resolved);
    let mut counts = BTreeMap::new();
    for evidence in resolved.filter_map(|record| record.verdict.evidence) {
        *counts.entry(evidence).or_default() += 1;
    }
    counts
}

/// Both verdicts, where there are two of any trial. `alone`: only the official rules were
/// asked.
fn verdicts(records: &[&TrialRecord], alone: bool) -> Option<Verdicts> {
    let mut verdicts = Verdicts::default();
    for record in records {
        let Some(official) = &record.verdict.official else {
            continue;
        };
        // What the official rules refuse although records agree.
        let refused = record.verdict.reason == Some(Reason::OfficialUnresolved);
        let by_records = record.outcome == Outcome::Resolved || refused;
        verdicts.of += 1;
        verdicts.official += usize::from(official.resolved);
        verdicts.differ += usize::from(official.differs.is_some());
        *verdicts.records.get_or_insert(0) += usize::from(by_records);
    }
    if alone {
        verdicts.records = None;
    }
    (verdicts.of > 0).then_some(verdicts)
}

fn summarise_agent(
    agent: &str,
    model: Option<&str>,
    records: Vec<&TrialRecord>,
    alone: bool,
) -> AgentSummary {
    let count = |outcome| records.iter().filter(|r| r.outcome == outcome).count();
    let judged: Vec<&TrialRecord> = records
        .iter()
        .filter(|record| record.outcome != Outcome::Error)
        .copied()
        .collect();
    let tasks: BTreeSet<&str> = records.iter().map(|r| r.task.name.as_str()).collect();
    AgentSummary {
        verdicts: verdicts(&records, alone),
        agent: agent.to_owned(),
        model: model.map(str::to_owned),
        tasks: tasks.len(),
        finished: records.len(),
        resolved: count(Outcome::Resolved),
        unresolved: count(Outcome::Unresolved),
        tampered: count(Outcome::Tampered),
        errors: count(Outcome::Error),
        success: rate(&judged, |record| record.outcome == Outcome::Resolved),
        valid: None,
        clean: rate(&judged, |record| record.clean == Some(true)),
        median: medians(&judged),
        call_errors: call_errors(&judged),
        tool_use: tool_use(&judged),
        ends: records.iter().fold(BTreeMap::new(), |mut ends, record| {
            *ends.entry(record.trajectory.end).or_default() += 1;
            ends
        }),
        usage: records.iter().fold(Usage::default(), |mut sum, record| {
            sum += record.usage;
            sum
        }),
        cost_microusd: cost(&records),
    }
}

/// Over the trials at instances that no quarantine names; none where all are such.
fn of_valid(records: &[&TrialRecord], kept: &HashSet<&str>) -> Option<OfValid> {
    if kept.is_empty() {
        return None;
    }
    let counts = |record: &&&TrialRecord| {
        record.outcome != Outcome::Error && !kept.contains(record.task.name.as_str())
    };
    let judged: Vec<&TrialRecord> = records.iter().filter(counts).copied().collect();
    let resolved = |record: &TrialRecord| record.outcome == Outcome::Resolved;
    Some(OfValid {
        resolved: judged.iter().filter(|record| resolved(record)).count(),
        success: rate(&judged, resolved),
    })
}

fn cost(records: &[&TrialRecord]) -> Option<i64> {
    let priced = records.iter().any(|record| record.cost_microusd.is_some());
    let of = |record: &&TrialRecord| match (record.cost_microusd, record.trajectory.turns) {
        // A fault came first: there was nothing to pay for.
        (None, 0) => Some(0),
        (cost, _) => cost,
    };
    records
        .iter()
        .map(of)
        .sum::<Option<i64>>()
        .filter(|_| priced)
}

fn tool_use(judged: &[&TrialRecord]) -> Option<Mean> {
    let scores: Vec<(f64, &str)> = judged
        .iter()
        .filter_map(|record| Some((record.tool_use.as_ref()?.score, record)))
        .map(|(score, record)| (score, record.task.cluster.as_str()))
        .collect();
    let n = scores.len();
    (n > 0).then(|| Mean {
        value: scores.iter().map(|(score, _)| score).sum::<f64>() / n as f64,
        n,
        standard_error: clustered_mean(&scores).ok().map(|mean| mean.se_cr1),
    })
}

fn rate(judged: &[&TrialRecord], holds: impl Fn(&TrialRecord) -> bool) -> Option<Rate> {
    let trials: Vec<(bool, &str)> = judged
        .iter()
        .map(|record| (holds(record), record.task.cluster.as_str()))
        .collect();
    rate_interval(&trials, LEVEL).ok().map(Rate::from)
}

fn medians(judged: &[&TrialRecord]) -> Medians {
    let of = |value: &dyn Fn(&TrialRecord) -> f64| {
        let sample: Vec<f64> = judged.iter().map(|record| value(record)).collect();
        median(&sample).ok()
    };
    Medians {
        turns: of(&|record| record.trajectory.turns as f64),
        tool_calls: of(&|record| record.trajectory.tool_calls as f64),
        seconds: of(&seconds),
        tokens: of(&|record| record.usage.total() as f64),
    }
}

fn call_errors(judged: &[&TrialRecord]) -> Option<CallErrors> {
    let errors: u64 = judged.iter().map(|r| r.trajectory.tool_errors).sum();
    let calls: u64 = judged.iter().map(|r| r.trajectory.tool_calls).sum();
    (calls > 0).then(|| CallErrors {
        mean_per_trial: errors as f64 / judged.len() as f64,
        share: errors as f64 / calls as f64,
    })
}

/// Wall time of a trial without the time that it waited to begin, seconds.
pub fn seconds(record: &TrialRecord) -> f64 {
    let timing = &record.timing_ms;
    timing.total.saturating_sub(timing.queue) as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{End, ToolUse};
    use crate::run::fixture::{RecordBuilder, input, task};
    use crate::run::{PlanInput, plan};

    fn run(attempts: u32) -> RunRecord {
        let tasks = [task("a"), task("b")];
        let planned = PlanInput {
            attempts,
            ..input(&tasks)
        };
        plan(planned).unwrap()
    }

    #[test]
    fn errors_stand_beside_the_rate_and_tampering_inside_it() {
        let run = run(2);
        let records = [
            RecordBuilder::of(&run, 0)
                .outcome(Outcome::Resolved)
                .build(),
            RecordBuilder::of(&run, 1)
                .outcome(Outcome::Tampered)
                .build(),
            RecordBuilder::of(&run, 2).outcome(Outcome::Error).build(),
        ];
        let summary = summarise(&run, &records);
        let agent = &summary.agents[0];
        assert_eq!(agent.success.as_ref().unwrap().value, 0.5);
        assert_eq!(agent.success.as_ref().unwrap().n, 2);
        assert_eq!((agent.tampered, agent.errors), (1, 1));
        assert_eq!((summary.finished, summary.missing), (3, 1));
    }

    #[test]
    fn an_agent_with_errors_only_has_no_rate() {
        let run = run(1);
        let records = [RecordBuilder::of(&run, 0).outcome(Outcome::Error).build()];
        let summary = summarise(&run, &records);
        assert_eq!(summary.agents[0].success, None);
        assert_eq!(summary.agents[0].median.seconds, None);
        let json = serde_json::to_string(&summary).unwrap();
        assert!(json.contains(r#""success":null"#), "{json}");
    }

    #[test]
    fn time_in_the_queue_is_no_time_of_the_agent() {
        let run = run(1);
        let record = RecordBuilder::of(&run, 0).times(60_000, 1_500).build();
        assert_eq!(seconds(&record), 1.5);
    }

    #[test]
    fn tool_use_is_a_mean_of_what_was_judged() {
        let run = run(2);
        let scored = |index, score| {
            RecordBuilder::of(&run, index).edit(|record| {
                record.tool_use = Some(ToolUse {
                    score,
                    ..ToolUse::default()
                });
            })
        };
        let records = [
            scored(0, 0.5).build(),
            scored(1, 0.9).outcome(Outcome::Unresolved).build(),
            RecordBuilder::of(&run, 2).build(),
            scored(3, 0.0).outcome(Outcome::Error).build(),
        ];
        let agent = &summarise(&run, &records).agents[0];
        let tool_use = agent.tool_use.unwrap();
        assert_eq!((tool_use.value, tool_use.n), (0.7, 2));
        assert!(tool_use.standard_error.is_some());
        assert_eq!(
            summarise(&run, &records[2..3]).agents[0].tool_use,
            None,
            "calls were not judged"
        );
    }

    #[test]
    fn sessions_are_counted_by_their_end() {
        let run = run(2);
        let ended = |index, end| {
            RecordBuilder::of(&run, index)
                .edit(|record| record.trajectory.end = end)
                .build()
        };
        let records = [
            ended(0, End::MaxSteps),
            ended(1, End::Submitted),
            ended(2, End::MaxSteps),
        ];
        let agent = &summarise(&run, &records).agents[0];
        let json = serde_json::to_value(&agent.ends).unwrap();
        assert_eq!(json, serde_json::json!({"submitted": 1, "max_steps": 2}));
    }

    #[test]
    fn a_trial_in_which_no_model_answered_costs_nothing() {
        let run = run(2);
        let cost = |index, turns, cost| {
            RecordBuilder::of(&run, index)
                .edit(|record| {
                    record.trajectory.turns = turns;
                    record.cost_microusd = cost;
                })
                .build()
        };
        let sum = |records: &[TrialRecord]| summarise(&run, records).agents[0].cost_microusd;
        let (paid, fault, untold) = (cost(0, 5, Some(700)), cost(1, 0, None), cost(2, 5, None));
        assert_eq!(sum(&[paid.clone(), fault.clone()]), Some(700));
        assert_eq!(sum(&[paid, fault.clone(), untold]), None);
        assert_eq!(sum(&[fault]), None);
    }

    #[test]
    fn attempts_are_clustered_by_task() {
        let run = run(3);
        let records: Vec<TrialRecord> = (0..6)
            .map(|i| {
                RecordBuilder::of(&run, i)
                    .outcome(Outcome::Resolved)
                    .build()
            })
            .collect();
        let success = summarise(&run, &records).agents[0].success.clone().unwrap();
        assert_eq!((success.n, success.clusters), (6, 2));
        assert_eq!(success.method, "wilson_clusters");
    }
}
