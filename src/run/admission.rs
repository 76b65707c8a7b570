//! Which waiting trial may begin now.
//!
//! Owns the sums of what running trials take and the order of those that wait.
//! Plain numbers: must not know how a trial runs.

use std::collections::VecDeque;

use super::{Demand, Machine};
use crate::record::PlannedTrial;

/// The least share of a processor that a trial counts for under `auto`, so that
/// trials that declare next to nothing do not all begin at once.
const LEAST_CPUS: f64 = 0.25;

/// How often a trial may be passed over by smaller ones behind it before they
/// have to wait for it.
const PATIENCE: u32 = 16;

/// What running trials take, and how much they may.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    /// None: as many as the processors carry.
    jobs: Option<usize>,
    cpus: f64,
    memory_bytes: u64,
    running: usize,
    used_cpus: f64,
    used_memory: u64,
}

impl Admission {
    pub fn new(jobs: Option<usize>, machine: &Machine) -> Self {
        Self {
            jobs: jobs.map(|jobs| jobs.max(1)),
            cpus: machine.cpus,
            memory_bytes: machine.memory_for_trials(),
            running: 0,
            used_cpus: 0.0,
            used_memory: 0,
        }
    }

    /// Whether such a trial may begin. On an idle machine any may: planning has
    /// refused what the machine cannot hold.
    pub fn fits(&self, demand: &Demand) -> bool {
        if self.running == 0 {
            return true;
        }
        let count = match self.jobs {
            Some(jobs) => self.running < jobs,
            None => self.used_cpus + self.weight(demand) <= self.cpus + 1e-9,
        };
        count && self.used_memory.saturating_add(demand.memory_bytes) <= self.memory_bytes
    }

    pub fn take(&mut self, demand: &Demand) {
        self.running += 1;
        self.used_cpus += self.weight(demand);
        self.used_memory = self.used_memory.saturating_add(demand.memory_bytes);
    }

    pub fn give_back(&mut self, demand: &Demand) {
        self.running -= 1;
        self.used_cpus -= self.weight(demand);
        self.used_memory = self.used_memory.saturating_sub(demand.memory_bytes);
    }

    fn weight(&self, demand: &Demand) -> f64 {
        demand.cpus.clamp(LEAST_CPUS, self.cpus.max(LEAST_CPUS))
    }
}

/// Trials that wait, in the order of the plan.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    waiting: VecDeque<(PlannedTrial, Demand)>,
    passed_over: u32,
}

impl Queue {
    pub fn new(waiting: impl IntoIterator<Item = (PlannedTrial, Demand)>) -> Self {
        Self {
            waiting: waiting.into_iter().collect(),
            passed_over: 0,
        }
    }

    /// Takes out the first that fits. One behind the head may begin before it,
    /// but not for ever.
    pub fn next(&mut self, admission: &Admission) -> Option<(PlannedTrial, Demand)> {
        let index = self
            .waiting
            .iter()
            .position(|(_, demand)| admission.fits(demand))?;
        if index == 0 {
            self.passed_over = 0;
        } else if self.passed_over == PATIENCE {
            return None;
        } else {
            self.passed_over += 1;
        }
        self.waiting.remove(index)
    }

    /// How many would begin at once on an idle machine.
    pub fn at_once(&self, mut admission: Admission) -> usize {
        let mut queue = self.clone();
        let mut count = 0;
        while let Some((_, demand)) = queue.next(&admission) {
            admission.take(&demand);
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::fixture::planned;

    const GIB: u64 = 1 << 30;
    const MACHINE: Machine = Machine {
        cpus: 2.0,
        memory_bytes: 8 * GIB,
    };

    fn queue(demands: &[(&str, f64, u64)]) -> Queue {
        Queue::new(demands.iter().map(|&(name, cpus, gib)| {
            let memory_bytes = gib * GIB;
            (planned(name), Demand { cpus, memory_bytes })
        }))
    }

    fn admitted(queue: &mut Queue, admission: &mut Admission) -> Vec<String> {
        let mut names = Vec::new();
        while let Some((trial, demand)) = queue.next(admission) {
            admission.take(&demand);
            names.push(trial.task.to_string());
        }
        names
    }

    #[test]
    fn auto_fills_the_processors() {
        let mut admission = Admission::new(None, &MACHINE);
        let mut queue = queue(&[("a", 1.0, 1), ("b", 1.0, 1), ("c", 1.0, 1)]);
        assert_eq!(queue.at_once(admission.clone()), 2);
        assert_eq!(admitted(&mut queue, &mut admission), ["a", "b"]);
    }

    #[test]
    fn jobs_count_trials_whatever_their_processors() {
        let mut admission = Admission::new(Some(3), &MACHINE);
        let mut queue = queue(&[("a", 2.0, 1), ("b", 2.0, 1), ("c", 2.0, 1), ("d", 2.0, 1)]);
        assert_eq!(admitted(&mut queue, &mut admission), ["a", "b", "c"]);
    }

    #[test]
    fn declared_memory_is_never_oversold() {
        let mut admission = Admission::new(Some(8), &MACHINE);
        let mut queue = queue(&[("a", 1.0, 4), ("b", 1.0, 4), ("c", 1.0, 3)]);
        assert_eq!(admitted(&mut queue, &mut admission), ["a", "c"]);
    }

    #[test]
    fn what_needs_the_whole_machine_runs_alone() {
        let mut admission = Admission::new(None, &MACHINE);
        let mut queue = queue(&[("huge", 2.0, 8), ("small", 0.1, 1)]);
        assert_eq!(admitted(&mut queue, &mut admission), ["huge"]);
    }

    #[test]
    fn a_large_trial_does_not_wait_for_ever() {
        let mut admission = Admission::new(Some(64), &MACHINE);
        let mut demands = vec![("first", 1.0, 1), ("large", 1.0, 7)];
        demands.extend([("small", 1.0, 0); 40]);
        let mut queue = queue(&demands);
        let begun = admitted(&mut queue, &mut admission);
        assert_eq!(begun.len() as u32, 1 + PATIENCE);
        for _ in &begun {
            admission.give_back(&Demand {
                cpus: 1.0,
                memory_bytes: 0,
            });
        }
        admission.used_memory = 0;
        assert_eq!(admitted(&mut queue, &mut admission)[0], "large");
    }
}
