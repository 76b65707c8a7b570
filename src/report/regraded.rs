//! Trials that were verified anew: what they were, what they are, what changed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::style::Style;
use super::text::sanitize;
use crate::record::{Evidence, Outcome, Reason, TestState, TrialId, TrialRecord};

/// Tests that are named for people; machines get all.
const NAMED: usize = 5;

/// One trial, then and now.
#[derive(Debug, Clone, PartialEq)]
pub struct Regraded {
    pub before: TrialRecord,
    pub after: TrialRecord,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Regraded {
        trial_id: &'a TrialId,
        before: Said,
        after: Said,
        /// Whether the outcome differs.
        differs: bool,
        tests: Vec<Moved<'a>>,
    },
}

#[derive(Serialize)]
struct Said {
    outcome: Outcome,
    reason: Option<Reason>,
    evidence: Option<Evidence>,
    reward: Option<f64>,
}

/// A test that came to another state.
#[derive(Serialize)]
struct Moved<'a> {
    id: &'a str,
    before: Option<TestState>,
    after: Option<TestState>,
}

impl Regraded {
    /// Whether the outcome is another one.
    pub fn differs(&self) -> bool {
        self.before.outcome != self.after.outcome
    }

    fn moved(&self) -> Vec<Moved<'_>> {
        let mut tests: BTreeMap<&str, (Option<TestState>, Option<TestState>)> = BTreeMap::new();
        for test in &self.before.verdict.tests {
            tests.entry(&test.id).or_default().0 = Some(test.state);
        }
        for test in &self.after.verdict.tests {
            tests.entry(&test.id).or_default().1 = Some(test.state);
        }
        let moved = tests
            .into_iter()
            .filter(|(_, (before, after))| before != after);
        moved
            .map(|(id, (before, after))| Moved { id, before, after })
            .collect()
    }
}

fn said(record: &TrialRecord) -> Said {
    Said {
        outcome: record.outcome,
        reason: record.verdict.reason,
        evidence: record.verdict.evidence,
        reward: record.reward,
    }
}

/// One JSON object a line.
pub fn regraded_json(trials: &[Regraded]) -> String {
    let line = |trial: &Regraded| {
        let line = Line::Regraded {
            trial_id: &trial.before.trial,
            before: said(&trial.before),
            after: said(&trial.after),
            differs: trial.differs(),
            tests: trial.moved(),
        };
        // Plain data with text keys: there is nothing in it that could not be written.
        serde_json::to_string(&line).map_or_else(|_| String::new(), |text| text + "\n")
    };
    trials.iter().map(line).collect()
}

/// A line a trial, and below it what changed.
pub fn regraded_text(trials: &[Regraded], style: Style) -> String {
    let names = trials.iter().map(|trial| trial.before.trial.as_str().len());
    let width = names.max().unwrap_or(0);
    let mut text = String::new();
    for trial in trials {
        let (before, after) = (outcome(&trial.before), outcome(&trial.after));
        let sign = if trial.differs() { "≠" } else { "=" };
        let mut line = format!(
            "{sign} {:<width$}  {before}",
            sanitize(trial.before.trial.as_str())
        );
        if before != after {
            line.push_str(&format!(" → {after}"));
        }
        match trial.differs() {
            true => text.push_str(&style.bold(&line)),
            false => text.push_str(&line),
        }
        text.push('\n');
        for detail in details(trial) {
            text.push_str(&format!("    {}\n", sanitize(&detail)));
        }
    }
    let differ = trials.iter().filter(|trial| trial.differs()).count();
    let of = match trials.len() {
        1 => "1 trial".to_owned(),
        count => format!("{count} trials"),
    };
    let comes_to = match differ {
        0 => "no outcome differs".to_owned(),
        1 => "1 outcome differs".to_owned(),
        count => format!("{count} outcomes differ"),
    };
    text.push_str(&format!("{of} verified anew: {}\n", style.bold(&comes_to)));
    text
}

fn outcome(record: &TrialRecord) -> String {
    let outcome = word(&record.outcome);
    match record.verdict.reason {
        Some(reason) => format!("{outcome} ({})", word(&reason)),
        None => outcome,
    }
}

fn details(trial: &Regraded) -> Vec<String> {
    let (before, after) = (said(&trial.before), said(&trial.after));
    let mut details = Vec::new();
    let mut pair = |what: &str, before: String, after: String| {
        if before != after {
            details.push(format!("{what} {before} → {after}"));
        }
    };
    pair("evidence", word(&before.evidence), word(&after.evidence));
    pair("reward", word(&before.reward), word(&after.reward));
    let moved = trial.moved();
    for test in moved.iter().take(NAMED) {
        let (before, after) = (word(&test.before), word(&test.after));
        details.push(format!("{} {before} → {after}", test.id));
    }
    if moved.len() > NAMED {
        details.push(format!("and {} tests more", moved.len() - NAMED));
    }
    let fault = trial.after.error.as_ref().map(|fault| &fault.message);
    let why = fault.or(trial.after.verdict.message.as_ref());
    if let (true, Some(why)) = (trial.differs(), why) {
        details.push(why.clone());
    }
    details
}

/// As it is recorded; a dash for nothing.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Null) | Err(_) => "–".to_owned(),
        Ok(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Expect, TestRecord};
    use crate::run::fixture::{RecordBuilder, plan_of};

    fn trial(outcome: Outcome, state: TestState) -> TrialRecord {
        let run = plan_of(&["a"]);
        let record = RecordBuilder::of(&run, 0).outcome(outcome);
        let record = record.edit(|record| {
            record.verdict.tests = vec![TestRecord {
                id: "t.py::test_a".into(),
                expect: Expect::FailToPass,
                state,
                excused: false,
                ms: 1,
                message: None,
            }];
            if outcome == Outcome::Unresolved {
                record.verdict.reason = Some(Reason::TestsFailed);
                record.verdict.message = Some("1 of 1 fail_to_pass failed".into());
            }
        });
        record.build()
    }

    #[test]
    fn what_changed_is_named() {
        let same = trial(Outcome::Resolved, TestState::Passed);
        let other = trial(Outcome::Unresolved, TestState::Failed);
        let trials = [
            Regraded {
                before: same.clone(),
                after: same.clone(),
            },
            Regraded {
                before: same,
                after: other,
            },
        ];
        insta::assert_snapshot!(regraded_text(&trials, Style::PLAIN), @r"
        = a--nop--1  resolved
        ≠ a--nop--1  resolved → unresolved (tests_failed)
            t.py::test_a passed → failed
            1 of 1 fail_to_pass failed
        2 trials verified anew: 1 outcome differs
        ");
        let json = regraded_json(&trials);
        let last: serde_json::Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
        assert_eq!(last["differs"], true);
        assert_eq!(last["tests"][0]["after"], "failed");
        assert_eq!(last["before"]["outcome"], "resolved");
    }
}
