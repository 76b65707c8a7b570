//! Whether a task is sound, without a trial.

use super::Trials;
use super::prepare::fault;
use crate::record::{Fault, Sees, TaskId};
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

/// How a task is verified, and whether it is sound then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub soundness: Soundness,
    pub sees: Sees,
    /// Whether hidden files are held.
    pub held: bool,
}

impl Trials {
    /// Makes a task ready and looks at its reference run.
    ///
    /// # Errors
    /// What kept the task from being made ready: its image, its checkout, the engine.
    pub async fn soundness(&self, task: &TaskId, events: &Events) -> Result<Soundness, Fault> {
        Ok(self.settled(task, events).await?.soundness)
    }

    /// The same, with the way of seeing that the task says or that was found.
    ///
    /// # Errors
    /// As [`soundness`](Self::soundness).
    pub async fn settled(&self, task: &TaskId, events: &Events) -> Result<Settled, Fault> {
        let Some(shared) = self.tasks.get(task) else {
            return Err(fault("harness", &"the task is not of this run"));
        };
        let readied = shared.ready();
        let ready = readied.get_or_init(|| self.prepare(shared, events));
        let ready = ready.await.as_ref().map_err(Clone::clone)?;
        let soundness = match &ready.reference {
            None => Soundness::NoSolution,
            Some(run) => match run.sound() {
                Ok(()) => Soundness::Sound,
                Err(problems) => Soundness::Unsound(problems),
            },
        };
        Ok(Settled {
            soundness,
            sees: ready.task.verification.sees,
            held: ready.task.verification.hold,
        })
    }
}
