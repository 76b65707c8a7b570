//! Records or a reward → a judgement: plain functions.
//!
//! Owns completeness and the sentence that says what is wrong. Must not know
//! where records and rewards come from.

use std::collections::BTreeMap;

use super::channel::Heard;
use super::junit::{MAX_MESSAGE_BYTES, cut};
use super::names;
use super::pytest::{Records, file_of};
use super::reference::Shape;
use super::reward::{NoReward, Reward};
use crate::record::{
    Evidence, Expect, OfficialRecord, Outcome, Probe, Reason, TestRecord, TestState, Withheld,
};
use crate::task::Task;

/// What a verification found.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// `Resolved` or `Unresolved`; nothing else is decided here.
    pub outcome: Outcome,
    /// Why not resolved.
    pub reason: Option<Reason>,
    /// The reason in a sentence, for people.
    pub message: Option<String>,
    pub evidence: Evidence,
    /// Every expected test, in the task's order.
    pub tests: Vec<TestRecord>,
    pub reward: Option<f64>,
    pub rewards: BTreeMap<String, f64>,
    /// How the runner's session went, where its reporter told.
    pub shape: Option<Shape>,
    /// All that the runner's reporter told, where it did to the end.
    pub heard: Option<Heard>,
    /// What changed results, each by name: positive proof of meddling.
    pub proofs: Vec<String>,
    /// What came of looking whether it would have noticed a failure.
    pub probes: Vec<Probe>,
    /// What of the change is the verifier's and stayed behind.
    pub withheld: Vec<Withheld>,
    /// Whether nothing could write hidden files while tests ran; none where none ran.
    pub hidden_read_only: Option<bool>,
    /// What the official rules of its data set say.
    pub official: Option<OfficialRecord>,
}

impl Judged {
    fn new(evidence: Evidence, tests: Vec<TestRecord>) -> Self {
        Self {
            outcome: Outcome::Resolved,
            reason: None,
            message: None,
            evidence,
            tests,
            reward: None,
            rewards: BTreeMap::new(),
            shape: None,
            heard: None,
            proofs: Vec::new(),
            probes: Vec::new(),
            withheld: Vec::new(),
            hidden_read_only: None,
            official: None,
        }
    }

    /// Of a change that there is none of: every expected test is missing.
    pub fn of_no_change(task: &Task) -> Self {
        nothing(task, Evidence::Records)
    }

    /// Whether it would count as resolved: every test passed, and nothing shows that
    /// results were changed.
    pub(super) fn is_resolved(&self) -> bool {
        self.outcome == Outcome::Resolved && self.proofs.is_empty()
    }

    /// Of tests that ran on hidden files which could be written, or could not.
    pub(super) fn held(self, held: bool) -> Self {
        Self {
            hidden_read_only: Some(held),
            ..self
        }
    }

    /// Not resolved, for this reason and with this sentence instead of any other.
    pub fn unresolved(self, reason: Reason, message: &str) -> Self {
        Self {
            outcome: Outcome::Unresolved,
            reason: Some(reason),
            message: Some(cut(message, MAX_MESSAGE_BYTES)),
            ..self
        }
    }

    /// With what stayed behind; where a test fails for want of it the message says so.
    pub fn withholding(mut self, withheld: Vec<Withheld>) -> Self {
        let wanting = matches!(
            self.reason,
            Some(Reason::TestsFailed | Reason::TestsMissing | Reason::NoVerdict)
        );
        if let (Some(first), true) = (withheld.first(), wanting) {
            let more = match withheld.len() {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            let said = self.message.take().unwrap_or_default();
            let own = format!("{said} (the verifier used its own `{}`{more})", first.path);
            self.message = Some(cut(&own, MAX_MESSAGE_BYTES));
        }
        self.withheld = withheld;
        self
    }

    /// With the reward that the task gave beside its records.
    pub(super) fn with_reward(self, reward: Reward) -> Self {
        Self {
            reward: reward.reward,
            rewards: reward.rewards,
            ..self
        }
    }
}

/// What became of the tests with the reference solution, where that was no pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Usual {
    /// There is no reference run.
    #[default]
    Unknown,
    /// This is the reference run: what is skipped now is skipped in it.
    Measured,
    /// The states of its tests.
    Known(BTreeMap<String, TestState>),
}

impl Usual {
    /// Whether a test that did not run to its end may count all the same. One that has
    /// to begin to pass never may: it would show nothing.
    fn excuses(&self, test: &TestRecord) -> bool {
        let passed_over = matches!(test.state, TestState::Skipped | TestState::Xfailed);
        passed_over
            && test.expect != Expect::FailToPass
            && match self {
                Self::Unknown => false,
                Self::Measured => true,
                Self::Known(states) => states.get(&test.id) == Some(&test.state),
            }
    }
}

/// No verdict at all: every expected test is missing.
pub(super) fn nothing(task: &Task, evidence: Evidence) -> Judged {
    Judged::new(evidence, expected(task, &Records::default(), &[]))
}

/// Resolved where every expected test passed. A task that expects none by name
/// expects every recorded one to pass, and at least one of them. `absent` are
/// files of expected tests that are not there.
pub(super) fn by_records(
    task: &Task,
    records: &Records,
    absent: &[String],
    usual: &Usual,
) -> Judged {
    let spelled = task.verification.names.as_ref().map(|parser| {
        let expected: Vec<&str> = task.expected().map(|(id, _)| id).collect();
        names::spelled(parser, &expected, records)
    });
    let records = spelled.as_ref().unwrap_or(records);
    let mut tests = expected(task, records, absent);
    if task.expected().next().is_none() {
        tests.extend(records.iter().map(|(id, record)| TestRecord {
            id: id.to_owned(),
            expect: Expect::Pass,
            state: record.state,
            excused: false,
            ms: record.ms,
            message: record.message.clone(),
        }));
    }
    for test in &mut tests {
        test.excused = usual.excuses(test);
    }
    by_tests(tests)
}

/// A resolved judgement of these tests, whatever their states are: others say what counts.
pub(super) fn of_tests(tests: Vec<TestRecord>, evidence: Evidence) -> Judged {
    Judged::new(evidence, tests)
}

/// Resolved where every one of these tests passed, and there is one.
pub(super) fn by_tests(tests: Vec<TestRecord>) -> Judged {
    let shortfall = shortfall(&tests);
    let judged = Judged::new(Evidence::Records, tests);
    let failed = judged
        .tests
        .iter()
        .any(|test| !counts(test) && test.state != TestState::Missing);
    match shortfall {
        None if judged.tests.is_empty() => {
            judged.unresolved(Reason::NoVerdict, "no test was recorded")
        }
        None => judged,
        Some(message) if failed => judged.unresolved(Reason::TestsFailed, &message),
        Some(message) => judged.unresolved(Reason::TestsMissing, &message),
    }
}

/// Resolved where every one of these tests counts, and there is one: by a text that the
/// sandbox shows. The reward is 1 then, else 0.
pub(super) fn by_shown(tests: Vec<TestRecord>) -> Judged {
    let judged = Judged {
        evidence: Evidence::Asserted,
        ..by_tests(tests)
    };
    let reward = reward_of(&judged);
    judged.with_reward(reward)
}

/// What tests are worth that are all that a task gives.
fn reward_of(judged: &Judged) -> Reward {
    let all = f64::from(u8::from(judged.outcome == Outcome::Resolved));
    Reward {
        reward: (!judged.tests.is_empty()).then_some(all),
        ..Reward::default()
    }
}

/// Resolved where the reward reaches `resolved_at`.
pub(super) fn by_reward(task: &Task, reward: Result<Reward, NoReward>) -> Judged {
    by_reward_at(task.verification.resolved_at, reward)
}

pub(super) fn by_reward_at(at: f64, reward: Result<Reward, NoReward>) -> Judged {
    let judged = Judged::new(Evidence::Asserted, Vec::new());
    match reward {
        Err(none) => judged.unresolved(Reason::NoVerdict, &none.to_string()),
        Ok(reward) if reward.reaches(at) => judged.with_reward(reward),
        Ok(reward) => {
            let message = match reward.reward {
                Some(value) => format!("reward {value} is below {at}"),
                None => {
                    let below = reward.rewards.values().filter(|value| **value < at).count();
                    format!("{below} of {} rewards are below {at}", reward.rewards.len())
                }
            };
            judged
                .with_reward(reward)
                .unresolved(Reason::RewardBelow, &message)
        }
    }
}

fn expected(task: &Task, records: &Records, absent: &[String]) -> Vec<TestRecord> {
    let tests = task.expected().map(|(id, expect)| {
        let file = file_of(id);
        let record = records.of(id);
        let message = match &record {
            Some(record) => record.message.clone(),
            None => absent
                .iter()
                .any(|name| name == file)
                .then(|| format!("{file} is not there")),
        };
        TestRecord {
            id: id.to_owned(),
            expect,
            state: record
                .as_ref()
                .map_or(TestState::Missing, |record| record.state),
            excused: false,
            ms: record.map_or(0, |record| record.ms),
            message,
        }
    });
    tests.collect()
}

/// `2 of 5 fail_to_pass missing`, for each kind of expectation and of shortfall.
fn shortfall(tests: &[TestRecord]) -> Option<String> {
    let mut parts = Vec::new();
    for (expect, name) in [
        (Expect::FailToPass, "fail_to_pass"),
        (Expect::PassToPass, "pass_to_pass"),
        (Expect::Pass, "tests"),
    ] {
        let of: Vec<&TestRecord> = tests.iter().filter(|test| test.expect == expect).collect();
        for word in ["failed", "skipped", "missing"] {
            let count = of
                .iter()
                .filter(|test| !counts(test) && lack(test.state) == word)
                .count();
            if count > 0 {
                parts.push(format!("{count} of {} {name} {word}", of.len()));
            }
        }
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn counts(test: &TestRecord) -> bool {
    test.state == TestState::Passed || test.excused
}

/// What is wrong with a test that does not count.
fn lack(state: TestState) -> &'static str {
    match state {
        TestState::Missing => "missing",
        TestState::Skipped | TestState::Xfailed => "skipped",
        _ => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(expect: Expect, state: TestState) -> TestRecord {
        TestRecord {
            id: "t".into(),
            expect,
            state,
            excused: false,
            ms: 0,
            message: None,
        }
    }

    #[test]
    fn what_is_passed_over_counts_only_where_the_reference_passed_it_over_alike() {
        use Expect::{FailToPass, PassToPass};
        use TestState::{Failed, Passed, Skipped, Xfailed};
        let known = Usual::Known(BTreeMap::from([("t".to_owned(), Skipped)]));
        assert!(known.excuses(&test(PassToPass, Skipped)));
        assert!(!known.excuses(&test(PassToPass, Xfailed)));
        assert!(!known.excuses(&test(PassToPass, Failed)));
        assert!(!known.excuses(&test(FailToPass, Skipped)));
        assert!(!Usual::Unknown.excuses(&test(PassToPass, Skipped)));
        assert!(Usual::Measured.excuses(&test(PassToPass, Xfailed)));
        assert!(!Usual::Measured.excuses(&test(PassToPass, Passed)));
    }

    #[test]
    fn an_excused_test_lacks_nothing() {
        let mut skipped = test(Expect::PassToPass, TestState::Skipped);
        let found = by_tests(vec![skipped.clone()]);
        assert_eq!(found.reason, Some(Reason::TestsFailed));
        assert_eq!(
            found.message.as_deref(),
            Some("1 of 1 pass_to_pass skipped")
        );
        skipped.excused = true;
        assert_eq!(by_tests(vec![skipped]).outcome, Outcome::Resolved);
    }
}
