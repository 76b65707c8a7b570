//! The clock of a trial: one phase owns each instant.
//!
//! Owns how wall time is split up and rounded. Must not know what a phase does.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::record::Timing;

/// Who owns an instant of a trial: the terms of [`Timing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    Queue,
    Image,
    Sandbox,
    Checkout,
    Model,
    ModelWait,
    Tools,
    Agent,
    Capture,
    Verify,
    Probes,
    Teardown,
    Harness,
}

impl Phase {
    /// Every phase, in the order of [`Timing`].
    pub const ALL: [Phase; 13] = [
        Phase::Queue,
        Phase::Image,
        Phase::Sandbox,
        Phase::Checkout,
        Phase::Model,
        Phase::ModelWait,
        Phase::Tools,
        Phase::Agent,
        Phase::Capture,
        Phase::Verify,
        Phase::Probes,
        Phase::Teardown,
        Phase::Harness,
    ];

    /// The name that records and reporters use.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Queue => "queue",
            Phase::Image => "image",
            Phase::Sandbox => "sandbox",
            Phase::Checkout => "checkout",
            Phase::Model => "model",
            Phase::ModelWait => "model_wait",
            Phase::Tools => "tools",
            Phase::Agent => "agent",
            Phase::Capture => "capture",
            Phase::Verify => "verify",
            Phase::Probes => "probes",
            Phase::Teardown => "teardown",
            Phase::Harness => "harness",
        }
    }

    /// The phase's term of a record.
    pub fn of(self, timing: &Timing) -> u64 {
        let mut timing = *timing;
        *self.term(&mut timing)
    }

    fn term(self, timing: &mut Timing) -> &mut u64 {
        match self {
            Phase::Queue => &mut timing.queue,
            Phase::Image => &mut timing.image,
            Phase::Sandbox => &mut timing.sandbox,
            Phase::Checkout => &mut timing.checkout,
            Phase::Model => &mut timing.model,
            Phase::ModelWait => &mut timing.model_wait,
            Phase::Tools => &mut timing.tools,
            Phase::Agent => &mut timing.agent,
            Phase::Capture => &mut timing.capture,
            Phase::Verify => &mut timing.verify,
            Phase::Probes => &mut timing.probes,
            Phase::Teardown => &mut timing.teardown,
            Phase::Harness => &mut timing.harness,
        }
    }
}

/// Splits the wall time of one trial among its phases.
///
/// Shared by reference between the parts of a trial (a tool call takes the clock
/// from the agent and gives it back), hence the lock; it is held for an addition.
#[derive(Debug)]
pub struct PhaseClock(Mutex<State>);

#[derive(Debug)]
struct State {
    owner: Phase,
    since: Instant,
    spent: [Duration; Phase::ALL.len()],
}

impl PhaseClock {
    /// Starts now, owned by [`Phase::Harness`]; `queued_ms` is what the trial
    /// waited before.
    pub fn start(queued_ms: u64) -> Self {
        Self::start_at(queued_ms, Instant::now())
    }

    fn start_at(queued_ms: u64, now: Instant) -> Self {
        let mut spent = [Duration::ZERO; Phase::ALL.len()];
        spent[Phase::Queue as usize] = Duration::from_millis(queued_ms);
        Self(Mutex::new(State {
            owner: Phase::Harness,
            since: now,
            spent,
        }))
    }

    /// Gives the clock to a phase; returns the one that had it, so that a part
    /// may give it back.
    pub fn enter(&self, phase: Phase) -> Phase {
        self.enter_at(phase, Instant::now())
    }

    fn enter_at(&self, phase: Phase, now: Instant) -> Phase {
        let mut state = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let owner = state.owner;
        let spent = now.saturating_duration_since(state.since);
        state.spent[owner as usize] += spent;
        state.owner = phase;
        state.since = now;
        owner
    }

    /// Moves time that was measured apart from one phase to another: what calls
    /// took of a session, say. Never more than the phase has.
    pub fn shift(&self, from: Phase, to: Phase, time: Duration) {
        let owner = self.enter(from);
        self.enter(owner);
        let mut state = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let time = time.min(state.spent[from as usize]);
        state.spent[from as usize] -= time;
        state.spent[to as usize] += time;
    }

    /// The record up to now, whole milliseconds, `total` being the sum of the others.
    pub fn finish(&self) -> Timing {
        self.finish_at(Instant::now())
    }

    fn finish_at(&self, now: Instant) -> Timing {
        self.enter_at(Phase::Harness, now);
        let state = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        // Rounding the running sum, not each term, keeps every term within a
        // millisecond of the truth and the sum exact.
        let mut timing = Timing::default();
        let mut sum = Duration::ZERO;
        for phase in Phase::ALL {
            sum += state.spent[phase as usize];
            let upto = ((sum.as_micros() + 500) / 1000) as u64;
            *phase.term(&mut timing) = upto - timing.total;
            timing.total = upto;
        }
        timing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(timing: &Timing) -> u64 {
        Phase::ALL.iter().map(|phase| phase.of(timing)).sum()
    }

    #[test]
    fn a_tool_call_takes_the_clock_and_gives_it_back() {
        let t0 = Instant::now();
        let at = |ms| t0 + Duration::from_millis(ms);
        let clock = PhaseClock::start_at(40, t0);
        clock.enter_at(Phase::Agent, at(5));
        let before = clock.enter_at(Phase::Tools, at(20));
        clock.enter_at(before, at(120));
        let timing = clock.finish_at(at(130));
        assert_eq!(timing.queue, 40);
        assert_eq!(timing.harness, 5);
        assert_eq!(timing.agent, 25);
        assert_eq!(timing.tools, 100);
        assert_eq!(timing.total, 170);
    }

    #[test]
    fn terms_are_named_as_they_are_recorded() {
        let recorded = serde_json::to_value(Timing::default()).unwrap();
        for phase in Phase::ALL {
            assert!(recorded.get(phase.name()).is_some(), "{}", phase.name());
        }
    }

    proptest! {
        #[test]
        fn the_terms_add_up_to_the_wall_time(steps in prop::collection::vec((0usize..13, 0u64..3_000), 0..60)) {
            let t0 = Instant::now();
            let clock = PhaseClock::start_at(7, t0);
            let mut now = t0;
            for (phase, micros) in steps {
                now += Duration::from_micros(micros);
                clock.enter_at(Phase::ALL[phase], now);
            }
            let timing = clock.finish_at(now);
            let wall = ((now - t0).as_micros() as f64 / 1000.0).round() as u64 + 7;
            prop_assert_eq!(timing.total, sum(&timing));
            prop_assert!(timing.total.abs_diff(wall) <= 1);
        }
    }
}
