//! `proofyard check --leaks`: does the answer of a task lie where its agents can read?

use std::time::Instant;

use futures_util::StreamExt;

use super::check::Ground;
use super::drive::Interrupts;
use super::{Exit, Failure, to_stdout};
use crate::leaks::Found;
use crate::record::{Fault, RunRecord};
use crate::report::{Console, Style, leaks_json, leaks_view};
use crate::run::{Agents, Fatal, Trials};

/// Searches one task after another, as many at a time as there are jobs, and tells in
/// their order.
pub async fn run(ground: Ground, json: bool) -> Result<Exit, Failure> {
    let interrupts = Interrupts::listen().map_err(Failure::Signals)?;
    let console = Console::start(ground.view);
    let ids: Vec<_> = ground.tasks.iter().map(|task| task.id.clone()).collect();
    let trials = Trials::new(
        ground.engine.clone(),
        ground.settings,
        RunRecord::empty(),
        ground.tasks.into_iter().zip(ground.granted).collect(),
        Agents::new(),
        0,
        Fatal::default(),
    );
    let (trials, events) = (&trials, console.events());
    let searches = ids.into_iter().map(|id| async move {
        let began = Instant::now();
        let found = trials.leaks(&id, events).await;
        (id, found, began.elapsed())
    });
    let mut searches = futures_util::stream::iter(searches).buffered(ground.jobs);
    let mut exit = Exit::Done;
    let mut text = String::new();
    loop {
        let next = tokio::select! {
            next = searches.next() => next,
            () = interrupts.stop.cancelled() => {
                exit = Exit::Interrupted;
                None
            }
        };
        let Some((id, found, took)) = next else { break };
        exit = worse(exit, &found);
        text.push_str(&match json {
            true => leaks_json(&id, &found, took),
            false => leaks_view(&id, &found, took, Style::stdout()),
        });
    }
    drop(searches);
    console.close().await;
    if !interrupts.now.is_cancelled() {
        ground.engine.settle().await;
    }
    to_stdout(&text)?;
    Ok(exit)
}

/// A leak says most, then a search that came to no end.
fn worse(exit: Exit, found: &Result<Found, Fault>) -> Exit {
    match (exit, found) {
        (Exit::Failed, _) => Exit::Failed,
        (_, Ok(found)) if !found.leaks.is_empty() => Exit::Failed,
        (_, Err(_)) => Exit::TrialErrors,
        (exit, Ok(_)) => exit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaks::{Kind, Leak, Place};

    #[test]
    fn a_leak_outweighs_a_fault() {
        let leak = Leak {
            place: Place::of("checkout"),
            needle: "solution/fix.patch".into(),
            kind: Kind::Solution,
            found: 9,
            of: 9,
        };
        let leaks = Ok(Found {
            leaks: vec![leak],
            ..Found::default()
        });
        let fault = Err(Fault {
            class: "engine".into(),
            phase: "search".into(),
            message: "gone".into(),
            retryable: true,
        });
        let none = Ok(Found::default());
        assert_eq!(worse(Exit::Done, &none), Exit::Done);
        assert_eq!(worse(Exit::Done, &fault), Exit::TrialErrors);
        assert_eq!(worse(Exit::TrialErrors, &none), Exit::TrialErrors);
        assert_eq!(worse(Exit::TrialErrors, &leaks), Exit::Failed);
        assert_eq!(worse(Exit::Failed, &fault), Exit::Failed);
    }
}
