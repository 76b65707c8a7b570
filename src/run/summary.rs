//! A run in numbers, per agent: what the final table and `--json` say.
//!
//! Plain data. Must not know how it is shown.

use std::collections::BTreeMap;

use serde::Serialize;

use super::valid::Valid;
use crate::record::{End, Evidence, RunId, Usage};
use crate::stats::RateInterval;

/// The confidence of every interval.
pub const LEVEL: f64 = 0.95;

/// A run in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub run: RunId,
    /// Trials of the plan.
    pub planned: usize,
    pub finished: usize,
    pub missing: usize,
    pub resolved: usize,
    pub unresolved: usize,
    pub tampered: usize,
    pub errors: usize,
    /// What the verdicts of resolved trials rest on, how many on each.
    pub evidence: BTreeMap<Evidence, usize>,
    /// Tasks with a verdict of which nobody knows whether a solution passes and doing
    /// nothing fails: there was no reference run.
    pub unchecked: usize,
    /// How many trials have the verdict of an earlier one on the same prediction.
    #[serde(skip_serializing_if = "is_none_of_them")]
    pub kept: usize,
    /// Data sets of which some instances are in quarantine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub valid: Vec<Valid>,
    /// In the order of the plan.
    pub agents: Vec<AgentSummary>,
}

fn is_none_of_them(count: &usize) -> bool {
    *count == 0
}

/// One agent, with one model where it has one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentSummary {
    pub agent: String,
    pub model: Option<String>,
    pub tasks: usize,
    pub finished: usize,
    pub resolved: usize,
    pub unresolved: usize,
    pub tampered: usize,
    pub errors: usize,
    /// resolved / (resolved + unresolved + tampered); null without any.
    pub success: Option<Rate>,
    /// The same over instances in no quarantine, of a run that has others as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid: Option<OfValid>,
    /// Share of the same trials that are clean.
    pub clean: Option<Rate>,
    pub median: Medians,
    /// Tool calls that were errors, of all trials that were not.
    pub call_errors: Option<CallErrors>,
    /// How correctly tools were used, of those of the same trials whose calls were
    /// judged; null without any.
    pub tool_use: Option<Mean>,
    /// How many sessions ended in which way, of all finished trials.
    pub ends: BTreeMap<End, usize>,
    /// Over all finished trials.
    pub usage: Usage,
    /// Over all finished trials; null where one is unpriced. A trial in which the
    /// model never answered costs nothing.
    pub cost_microusd: Option<i64>,
    /// What official rules and our own say, where a data set has official ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<Verdicts>,
}

/// Two verdicts on the same trials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Verdicts {
    /// Trials on which both were made.
    pub of: usize,
    /// Resolved by the official rules.
    pub official: usize,
    /// Resolved by the tests' own records; null where those were not asked.
    pub records: Option<usize>,
    /// On which they are not the same; `verdict.official.differs` says why.
    pub differ: usize,
}

/// A proportion with its uncertainty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    pub value: f64,
    pub lo: f64,
    pub hi: f64,
    pub level: f64,
    /// `wilson`, `wilson_clustered`, `wilson_clusters`.
    pub method: &'static str,
    /// Trials.
    pub n: usize,
    pub clusters: usize,
    /// Cluster-robust (CR1); null where all trials are of one cluster.
    pub standard_error: Option<f64>,
}

/// A success rate over the instances that no quarantine names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfValid {
    pub resolved: usize,
    /// None without a verdict.
    pub success: Option<Rate>,
}

/// Middles over the trials of the rate; null without any.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Medians {
    pub turns: Option<f64>,
    pub tool_calls: Option<f64>,
    /// Wall time without the time in the queue.
    pub seconds: Option<f64>,
    /// All kinds together.
    pub tokens: Option<f64>,
}

/// A mean with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mean {
    pub value: f64,
    /// Trials.
    pub n: usize,
    /// Cluster-robust (CR1); null where all trials are of one cluster.
    pub standard_error: Option<f64>,
}

/// How often tool calls went wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallErrors {
    pub mean_per_trial: f64,
    /// Of all calls.
    pub share: f64,
}

impl From<RateInterval> for Rate {
    fn from(found: RateInterval) -> Self {
        Self {
            value: found.rate,
            lo: found.interval.lo,
            hi: found.interval.hi,
            level: LEVEL,
            method: found.method.name(),
            n: found.observations,
            clusters: found.clusters,
            standard_error: found.standard_error,
        }
    }
}
