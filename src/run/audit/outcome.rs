//! Does a trial's outcome follow from what is stored of it?
//!
//! Everything is decided again by the functions that decided it first: `verify` reads
//! what the runner left, `score` says what that comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde::Serialize;

use super::{Auditor, Check};
use crate::record::{Outcome, PlannedTrial, StepRecord, TestState, TrialRecord};
use crate::run::StoreError;
use crate::run::stored::{RECORD, TRIALS};
use crate::score::{clean, decide_again};
use crate::verify::{judge_again, judge_steps, official, recount, reward_again};

impl Auditor<'_> {
    pub(super) fn outcome(
        &mut self,
        planned: &PlannedTrial,
        record: &TrialRecord,
    ) -> Result<(), StoreError> {
        let folder = self.dir.join(TRIALS).join(planned.trial.as_str());
        let mut wrong = decided(record);
        wrong.extend(counted(record));
        // Without a judgement the files are of a verification that came to no end.
        if record.verdict.evidence.is_some() {
            let read = match record.steps.as_slice() {
                [] => files(&folder.join("verifier"), record),
                steps => of_steps(&folder, steps, record),
            };
            let path = || folder.clone();
            wrong.extend(read.map_err(|source| StoreError::Read {
                path: path(),
                source,
            })?);
        }
        let name = Self::name(&planned.trial, RECORD);
        for (expected, found) in wrong {
            self.find(Check::Outcome, &name, &expected, &found);
        }
        Ok(())
    }
}

/// Tests and reward, from what the runner left.
fn files(logs: &Path, record: &TrialRecord) -> io::Result<Vec<Wrong>> {
    let mut found = tests(logs, record)?;
    found.extend(rewards(logs, record.reward, &record.rewards)?);
    found.extend(officially(logs, record)?);
    Ok(found)
}

/// The official verdict, graded again from the log.
fn officially(logs: &Path, record: &TrialRecord) -> io::Result<Option<Wrong>> {
    let Some(said) = &record.verdict.official else {
        return Ok(None);
    };
    let again = official::again(&logs.join(official::FOLDER))?;
    // Without a graded log nothing can have been resolved.
    let again = again.unwrap_or(false);
    let word = |resolved: bool| match resolved {
        true => "official verdict resolved",
        false => "official verdict unresolved",
    };
    Ok((again != said.resolved).then(|| (word(again).to_owned(), word(said.resolved).to_owned())))
}

/// The rewards of steps, from what each one's verifier left.
fn of_steps(folder: &Path, steps: &[StepRecord], record: &TrialRecord) -> io::Result<Vec<Wrong>> {
    let mut wrong = Vec::new();
    let basis = record.basis.as_ref();
    if let Some((basis, how)) = basis.and_then(|basis| Some((basis, basis.steps?))) {
        let again = judge_steps(steps, how, basis.resolved_at);
        let said = |reward: Option<f64>| format!("reward {}", word(&reward));
        if again.reward != record.reward || again.rewards != record.rewards {
            let expected = format!("{}, by the rewards of its steps", said(again.reward));
            wrong.push((expected, said(record.reward)));
        }
    }
    for step in steps.iter().filter(|step| step.evidence.is_some()) {
        let logs = folder.join("steps").join(&step.name).join("verifier");
        let found = rewards(&logs, step.reward, &step.rewards)?;
        let named = |text: String| format!("step `{}`: {text}", step.name);
        wrong.extend(
            found
                .into_iter()
                .map(|(expected, said)| (named(expected), named(said))),
        );
    }
    Ok(wrong)
}

/// What was expected, and what the record says.
type Wrong = (String, String);

/// As it is written in records: `tests_failed`.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    }
}

/// The outcome, by the rules that decided it.
fn decided(record: &TrialRecord) -> Vec<Wrong> {
    let verdict = &record.verdict;
    let Some(again) = decide_again(record) else {
        return decided_without_basis(record);
    };
    let mut wrong = Vec::new();
    let mut same = |what: &str, expected: String, found: String| {
        if expected != found {
            wrong.push((format!("{what} {expected}"), format!("{what} {found}")));
        }
    };
    let said = record
        .basis
        .as_ref()
        .and_then(|basis| basis.judged.as_ref());
    if let (Some((outcome, reason)), Some(said)) = (again.judged, said) {
        let verdict = |outcome: &Outcome, reason| format!("{} {}", word(outcome), word(&reason));
        let (again, said) = (
            verdict(&outcome, reason),
            verdict(&said.outcome, said.reason),
        );
        same("judged", again, said);
    }
    let judged = said.is_some();
    same(
        "evidence of a judgement",
        judged.to_string(),
        verdict.evidence.is_some().to_string(),
    );
    same("outcome", word(&again.outcome), word(&record.outcome));
    same("reason", word(&again.reason), word(&verdict.reason));
    same("clean", word(&again.clean), word(&record.clean));
    let class = record.error.as_ref().map(|fault| fault.class.clone());
    same("error class", word(&again.class), word(&class));
    wrong
}

/// What can be said of a record that does not tell what its outcome rests on: one of
/// an earlier version, or of a trial that a fault kept from any verdict.
fn decided_without_basis(record: &TrialRecord) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let fault = record.outcome == Outcome::Error;
    if fault != record.error.is_some() {
        let said = |fault| if fault { "a fault" } else { "no fault" }.to_owned();
        wrong.push((said(fault), said(!fault)));
    }
    if !fault && record.trajectory.head.is_some() {
        wrong.push(("what the outcome was decided by".into(), "no basis".into()));
    }
    let tests = &record.verdict.tests;
    if record.outcome == Outcome::Resolved && !tests.is_empty() {
        let judged = judge_again(tests, record.reward, &record.rewards, 1.0);
        if judged.0 != Outcome::Resolved {
            let expected = format!("outcome {}", word(&judged.0));
            wrong.push((expected, format!("outcome {}", word(&record.outcome))));
        }
    }
    let clean = clean(record.outcome, &record.verdict.flags);
    if clean != record.clean && record.outcome != Outcome::Error {
        wrong.push((
            format!("clean {}", word(&clean)),
            format!("clean {}", word(&record.clean)),
        ));
    }
    wrong
}

/// The number of passed tests, and a sum of times.
fn counted(record: &TrialRecord) -> Vec<Wrong> {
    let passed = |test: &&crate::record::TestRecord| test.state == TestState::Passed;
    let count = record.verdict.tests.iter().filter(passed).count();
    let said = record.verdict.passed as usize;
    match count == said {
        true => Vec::new(),
        false => vec![(format!("{count} passed"), format!("passed = {said}"))],
    }
}

/// The states of tests, counted again from what the runner left.
fn tests(logs: &Path, record: &TrialRecord) -> io::Result<Vec<Wrong>> {
    let tests = &record.verdict.tests;
    let Some(again) = recount(logs, tests)? else {
        return Ok(Vec::new());
    };
    let mut wrong = Vec::new();
    let file = again.file;
    for test in tests {
        let state = again.states.get(&test.id);
        let state = state.copied().unwrap_or(TestState::Missing);
        if state != test.state {
            let (id, said) = (&test.id, word(&test.state));
            wrong.push((
                format!("{id} {}, by verifier/{file}", word(&state)),
                format!("{id} {said}"),
            ));
        }
    }
    let known: BTreeSet<&str> = tests.iter().map(|test| test.id.as_str()).collect();
    let more = again.states.iter();
    for (id, state) in more.filter(|(id, _)| !known.contains(id.as_str())) {
        let expected = format!("{id} {}, by verifier/{file}", word(state));
        wrong.push((expected, format!("nothing of {id}")));
    }
    Ok(wrong)
}

/// The reward, read again from the files that the verifier left.
fn rewards(
    logs: &Path,
    reward: Option<f64>,
    rewards: &BTreeMap<String, f64>,
) -> io::Result<Vec<Wrong>> {
    let said = || format!("reward {} {}", word(&reward), word(rewards));
    let Some(again) = reward_again(logs)? else {
        let none = reward.is_none() && rewards.is_empty();
        let told = ("no reward: no reward file is stored".to_owned(), said());
        return Ok(if none { Vec::new() } else { vec![told] });
    };
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs().max(1.0);
    let number = match (again.reward, reward) {
        (Some(a), Some(b)) => near(a, b),
        (a, b) => a == b,
    };
    let map = again.rewards.len() == rewards.len()
        && again
            .rewards
            .iter()
            .all(|(name, a)| rewards.get(name).is_some_and(|b| near(*a, *b)));
    if number && map {
        return Ok(Vec::new());
    }
    let expected = format!(
        "reward {} {}, by the reward file",
        word(&again.reward),
        word(&again.rewards)
    );
    Ok(vec![(expected, said())])
}
