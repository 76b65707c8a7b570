//! When a phase began and ended.
//!
//! A record has how long each phase took, and when its trial began and ended; Harbor
//! wants moments. They are **derived**: phases are laid one after the other, in the
//! order in which a trial goes through them, from its beginning on, and none ends
//! after it. Where a phase was entered several times (the steps of a task) the whole
//! of it stands as one interval.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::record::{Timing, TrialRecord};

/// The moments of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub began: Timestamp,
    pub ended: Timestamp,
    timing: Timing,
}

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Span {
    /// None where the record's own times cannot be read.
    pub fn of(record: &TrialRecord) -> Option<Self> {
        let began: Timestamp = record.started_at.parse().ok()?;
        let ended: Timestamp = record.finished_at.parse().ok()?;
        Some(Self {
            began,
            ended: ended.max(began),
            timing: record.timing_ms,
        })
    }

    /// A moment after so many milliseconds of the trial.
    fn after(&self, ms: u64) -> Timestamp {
        let ms = i64::try_from(ms).unwrap_or(i64::MAX);
        let moment = self.began.checked_add(SignedDuration::from_millis(ms));
        moment.unwrap_or(self.ended).min(self.ended)
    }

    fn interval(&self, from: u64, took: u64) -> Interval {
        Interval {
            from: self.after(from),
            to: self.after(from.saturating_add(took)),
        }
    }

    fn world(&self) -> u64 {
        self.timing.image + self.timing.sandbox + self.timing.checkout
    }

    fn acting(&self) -> u64 {
        let timing = &self.timing;
        timing.model + timing.model_wait + timing.tools + timing.agent
    }

    /// Image, sandbox and checkout.
    pub fn set_up(&self) -> Interval {
        self.interval(0, self.world())
    }

    /// The agent, its model, its tools.
    pub fn agent(&self) -> Interval {
        self.interval(self.world(), self.acting())
    }

    /// Verification and probes, after the change was taken.
    pub fn verifier(&self) -> Interval {
        let from = self.world() + self.acting() + self.timing.capture;
        self.interval(from, self.timing.verify + self.timing.probes)
    }

    /// When something of the trajectory happened: its times count from the beginning
    /// of the agent's session.
    pub fn event(&self, t_ms: u64) -> Timestamp {
        self.after(self.world().saturating_add(t_ms))
    }
}

impl Interval {
    pub fn json(&self) -> Value {
        json!({ "started_at": moment(self.from), "finished_at": moment(self.to) })
    }

    /// None for a phase that was never entered.
    pub fn some(self) -> Option<Self> {
        (self.from < self.to).then_some(self)
    }
}

/// RFC 3339 in UTC, to the millisecond.
pub fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}
