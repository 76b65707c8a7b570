//! Whether a task is sound, without a trial.

use super::Trials;
use super::prepare::fault;
use crate::record::{Fault, TaskId};
use crate::run::Events;

/// What the reference run says of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Soundness {
    Sound,
    /// What is wrong, a sentence each.
    Unsound(Vec<String>),
    /// There is no solution to look at.
    NoSolution,
}

impl Trials {
    /// Makes a task ready and looks at its reference run.
    ///
    /// # Errors
    /// What kept the task from being made ready: its image, its checkout, the engine.
    pub async fn soundness(&self, task: &TaskId, events: &Events) -> Result<Soundness, Fault> {
        let Some(shared) = self.tasks.get(task) else {
            return Err(fault("harness", &"the task is not of this run"));
        };
        let ready = shared.ready.get_or_init(|| self.prepare(shared, events));
        let ready = ready.await.as_ref().map_err(Clone::clone)?;
        Ok(match &ready.reference {
            None => Soundness::NoSolution,
            Some(run) => match run.sound() {
                Ok(()) => Soundness::Sound,
                Err(problems) => Soundness::Unsound(problems),
            },
        })
    }
}
