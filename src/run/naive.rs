//! Naive verifications, several at a time.
//!
//! Owns their order: doing nothing first, since what it is paid for is worth
//! nothing. Must not know how one of them goes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{Events, RunEvent, Trials};
use crate::cheats::{NaiveRun, Signals, Way};
use crate::record::{Fault, PlannedTrial, TaskId, TrialId};

/// What a naive verifier made of a planned trial.
#[derive(Debug, Clone)]
pub enum Naive {
    /// The command has nothing here to act on: why.
    NotHere(String),
    /// What was believed beyond what doing nothing makes it believe.
    Believed(Signals),
    Fault(Fault),
}

/// What doing nothing makes each way believe, by task.
type Baseline = HashMap<TaskId, [Signals; 2]>;

/// Verifies planned trials naively, `jobs` at a time. `nothing`: the agent that does
/// nothing, which is measured first at every task that is named. A trial that is
/// not paid when tests are copied in is tried with git, where there is a repository.
/// None for what was not reached when `cancel` fired.
pub async fn naive_all(
    trials: &Arc<Trials>,
    planned: Vec<PlannedTrial>,
    nothing: &str,
    jobs: usize,
    events: &Events,
    cancel: &CancellationToken,
) -> HashMap<TrialId, Naive> {
    let (base, planned): (Vec<_>, Vec<_>) = planned
        .into_iter()
        .partition(|trial| trial.agent == nothing);
    let mut baseline = Baseline::new();
    let mut all = HashMap::new();
    let measured = base.into_iter().map(|trial| measure(trials, trial, events));
    let mut measured = futures_util::stream::iter(measured).buffer_unordered(jobs.max(1));
    while let Some((trial, signals)) = next(&mut measured, cancel).await {
        let naive = match signals {
            Ok(signals) => {
                baseline.insert(trial.task.clone(), signals);
                Naive::Believed(Signals::default())
            }
            Err(fault) => Naive::Fault(fault),
        };
        all.insert(trial.trial, naive);
    }
    drop(measured);
    let tried = planned.into_iter().map(|trial| {
        let base = baseline.get(&trial.task).copied().unwrap_or_default();
        try_one(trials, trial, base, events)
    });
    let mut tried = futures_util::stream::iter(tried).buffer_unordered(jobs.max(1));
    while let Some((trial, naive)) = next(&mut tried, cancel).await {
        all.insert(trial.trial, naive);
    }
    all
}

async fn next<T>(
    stream: &mut (impl futures_util::Stream<Item = T> + Unpin),
    cancel: &CancellationToken,
) -> Option<T> {
    tokio::select! {
        next = stream.next() => next,
        () = cancel.cancelled() => None,
    }
}

async fn measure(
    trials: &Arc<Trials>,
    trial: PlannedTrial,
    events: &Events,
) -> (PlannedTrial, Result<[Signals; 2], Fault>) {
    let mut signals = [Signals::default(); 2];
    for (at, way) in ways(trials, &trial).into_iter().enumerate() {
        match trials.naive(&trial, way, events).await {
            Ok(run) => signals[at] = run.signals,
            Err(fault) => return (trial, Err(fault)),
        }
    }
    (trial, Ok(signals))
}

async fn try_one(
    trials: &Arc<Trials>,
    trial: PlannedTrial,
    base: [Signals; 2],
    events: &Events,
) -> (PlannedTrial, Naive) {
    let began = Instant::now();
    let naive = try_ways(trials, &trial, base, events).await;
    let said = match &naive {
        Naive::NotHere(why) => why.clone(),
        Naive::Believed(signals) if signals.any() => format!("pays {signals}"),
        Naive::Believed(_) => "does not pay".to_owned(),
        Naive::Fault(fault) => format!("fault: {}", fault.message),
    };
    events.send(RunEvent::Preparing {
        what: format!("naive verifier, {} at {}: {said}", trial.agent, trial.task),
        done: true,
        elapsed_ms: began.elapsed().as_millis() as u64,
    });
    (trial, naive)
}

async fn try_ways(
    trials: &Arc<Trials>,
    trial: &PlannedTrial,
    base: [Signals; 2],
    events: &Events,
) -> Naive {
    for (at, way) in ways(trials, trial).into_iter().enumerate() {
        match trials.naive(trial, way, events).await {
            Ok(NaiveRun {
                not_here: Some(why),
                ..
            }) => return Naive::NotHere(why),
            Ok(run) => {
                let signals = run.signals.beyond(base[at]);
                if signals.any() {
                    return Naive::Believed(signals);
                }
            }
            Err(fault) => return Naive::Fault(fault),
        }
    }
    Naive::Believed(Signals::default())
}

/// The ways that make sense at a trial's task.
fn ways(trials: &Trials, trial: &PlannedTrial) -> Vec<Way> {
    match trials.has_git_way(&trial.task) {
        true => vec![Way::Copy, Way::Git],
        false => vec![Way::Copy],
    }
}
