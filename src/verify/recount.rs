//! What is kept of a verification, read and judged a second time.
//!
//! Owns the way from the files of a finished trial's `verifier/` back to states and
//! rewards, through the functions that read them first. Must not know trials.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::channel::{self, Unheard};
use super::judge::{by_reward_at, by_shown, by_tests};
use super::names::spelled;
use super::reward::{self, Reward};
use super::steps::NAMES;
use super::{junit, pytest, terminal_bench};
use crate::record::{Expect, Outcome, Reason, TestRecord, TestState};
use crate::sandbox::Captured;

/// What the runner's own file says of a trial's tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recount {
    /// The file, below `verifier/`.
    pub file: &'static str,
    /// By id: every expected test; where none is expected by name, every recorded one.
    pub states: BTreeMap<String, TestState>,
}

/// Counts the tests of a finished verification again from what its runner left in
/// `dir`; none where nothing is stored that tests are counted from.
///
/// # Errors
/// The file is there and cannot be read.
pub fn recount(dir: &Path, tests: &[TestRecord]) -> io::Result<Option<Recount>> {
    if let Some(shown) = terminal_bench::kept(dir)? {
        let states = shown.into_iter().map(|test| (test.id, test.state));
        return Ok(Some(Recount {
            file: "stdout.txt",
            states: states.collect(),
        }));
    }
    let told = stored(&dir.join("records.jsonl"))?;
    let report = stored(&dir.join("junit.xml"))?;
    let expected: Vec<&str> = tests
        .iter()
        .filter(|test| test.expect != Expect::Pass)
        .map(|test| test.id.as_str())
        .collect();
    // What is damaged anywhere is trusted nowhere.
    let (file, records) = match (told, report) {
        (Some(head), _) => {
            let heard = channel::read(&Captured {
                head,
                ..Captured::default()
            });
            let told = match &heard {
                Ok(heard) => heard.records.as_slice(),
                Err(Unheard::Open { until, .. }) => until,
                Err(Unheard::Contradiction(_)) => &[],
            };
            ("records.jsonl", pytest::told(told))
        }
        (None, Some(report)) => {
            let cases = junit::parse(&report);
            let records = cases.map(|cases| pytest::records(cases, &expected));
            ("junit.xml", records.unwrap_or_default())
        }
        (None, None) => return Ok(None),
    };
    let records = match stored(&dir.join(NAMES))? {
        Some(parser) => spelled(&String::from_utf8_lossy(&parser), &expected, &records),
        None => records,
    };
    let states = match expected.is_empty() {
        true => records
            .iter()
            .map(|(id, record)| (id.to_owned(), record.state))
            .collect(),
        false => expected
            .into_iter()
            .map(|id| {
                let record = records.of(id);
                let state = record.map_or(TestState::Missing, |record| record.state);
                (id.to_owned(), state)
            })
            .collect(),
    };
    Ok(Some(Recount { file, states }))
}

/// The reward that the kept files give; none where there is no such file, nought of
/// everything where they give none.
///
/// # Errors
/// A file is there and cannot be read.
pub fn reward_again(dir: &Path) -> io::Result<Option<Reward>> {
    if let Some(shown) = terminal_bench::kept(dir)? {
        return Ok(Some(Reward {
            reward: by_shown(shown).reward,
            ..Reward::default()
        }));
    }
    let json = stored(&dir.join("reward.json"))?;
    let txt = stored(&dir.join("reward.txt"))?;
    if json.is_none() && txt.is_none() {
        return Ok(None);
    }
    let read = reward::read(json.as_deref(), txt.as_deref());
    Ok(Some(read.unwrap_or_default()))
}

/// Judges stored tests again, or the stored reward where there is none.
pub fn judge_again(
    tests: &[TestRecord],
    reward: Option<f64>,
    rewards: &BTreeMap<String, f64>,
    resolved_at: f64,
) -> (Outcome, Option<Reason>) {
    let judged = if !tests.is_empty() {
        by_tests(tests.to_vec())
    } else if reward.is_some() || !rewards.is_empty() {
        let rewards = rewards.clone();
        by_reward_at(resolved_at, Ok(Reward { reward, rewards }))
    } else {
        return (Outcome::Unresolved, Some(Reason::NoVerdict));
    };
    (judged.outcome, judged.reason)
}

fn stored(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
