//! `proofyard check --leaks`: does the answer of a task lie where its agents can read?

use std::time::Instant;

use super::check::{Ground, of_each};
use super::{Exit, Failure, to_stdout};
use crate::leaks::Found;
use crate::record::Fault;
use crate::report::{Style, leaks_json, leaks_view};

/// Searches each task, and tells in their order.
pub async fn run(ground: Ground, json: bool) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    let mut text = String::new();
    let whole = of_each(
        ground,
        async |trials, id, events| {
            let began = Instant::now();
            let found = trials.leaks(id, events).await;
            (found, began.elapsed())
        },
        |id, (found, took)| {
            exit = worse(exit, &found);
            text.push_str(&match json {
                true => leaks_json(&id, &found, took),
                false => leaks_view(&id, &found, took, Style::stdout()),
            });
        },
    );
    if !whole.await? {
        exit = Exit::Interrupted;
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
