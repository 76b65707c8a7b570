//! Which way of seeing a task of another format is verified under: the strongest at
//! which its solution passes and doing nothing fails.

use super::Trials;
use super::prepare::Ready;
use crate::record::{Fault, Sees};
use crate::run::Events;
use crate::verify::reference::ReferenceRun;

/// What a verifier sees, and whether hidden files are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    sees: Sees,
    hold: bool,
}

/// From the strongest to what Harbor itself does.
const WAYS: [Way; 3] = [
    Way {
        sees: Sees::Files,
        hold: true,
    },
    Way {
        sees: Sees::Files,
        hold: false,
    },
    Way {
        sees: Sees::Live,
        hold: false,
    },
];

impl Way {
    /// In words, after "verified".
    fn told(self) -> &'static str {
        match (self.sees, self.hold) {
            (Sees::Live, _) => "in the agent's own sandbox",
            (_, true) => "in a pristine sandbox",
            (_, false) => "in a pristine sandbox with hidden files that can be written",
        }
    }
}

impl Ready {
    fn see(&mut self, way: Way) {
        let tasks = self.parts.iter_mut().map(|part| &mut part.task);
        for task in tasks.chain([&mut self.task]) {
            task.verification.sees = match task.verification.separate {
                // It sees artifacts, wherever the agent worked.
                Some(_) => Sees::Files,
                None => way.sees,
            };
            task.verification.hold = way.hold;
        }
    }

    /// Whether all of it is verified apart from the agent's sandbox by its format.
    fn is_separate(&self) -> bool {
        let mut tasks = self.parts.iter().map(|part| &part.task).peekable();
        match tasks.peek() {
            Some(_) => tasks.all(|task| task.verification.separate.is_some()),
            None => self.task.verification.separate.is_some(),
        }
    }
}

impl Trials {
    /// The reference run of a task, under the way of seeing that it says or that is
    /// found; none without a solution, or where it is not asked for.
    pub(super) async fn referenced(
        &self,
        mut ready: Ready,
        events: &Events,
    ) -> Result<Ready, Fault> {
        let checks = self.settings.run.check && ready.task.solution.is_some();
        let fixed = ready.task.verification.fixed;
        if fixed {
            let own = &ready.task.verification;
            let (sees, hold) = (own.sees, own.hold);
            ready.see(Way { sees, hold });
        }
        if ready.task.ours() || fixed {
            if checks {
                let run = self.reference(&ready, events).await?;
                self.tell_unsound(&mut ready, &run, events);
                ready.reference = Some(run);
            }
            return Ok(ready);
        }
        let among = ready.task.environment.services.is_some() && !ready.parts.is_empty();
        let ways = match (ready.is_separate(), among) {
            (true, _) => &WAYS[..2],
            // The agent's sandbox cannot leave its place among services and come back.
            (false, true) => &WAYS[2..],
            (false, false) => &WAYS[..],
        };
        let own = ways[ways.len() - 1];
        if !checks {
            ready.see(own);
            return Ok(ready);
        }
        let mut first: Option<(Way, ReferenceRun)> = None;
        for way in ways {
            ready.see(*way);
            let run = self.reference(&ready, events).await?;
            if run.sound().is_ok() {
                if let Some((stronger, failed)) = first {
                    let why = failed.sound().err().unwrap_or_default().join("; ");
                    ready.warnings.push(format!(
                        "verified {}, since {} {why}",
                        way.told(),
                        stronger.told()
                    ));
                }
                ready.reference = Some(run);
                return Ok(ready);
            }
            first.get_or_insert((*way, run.clone()));
            ready.reference = Some(run);
        }
        // None is sound: the task is what its format makes of it, and that is told.
        if let Some(run) = ready.reference.clone() {
            self.tell_unsound(&mut ready, &run, events);
        }
        Ok(ready)
    }
}
