//! The expected tests, each by what the log says of it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{EvalType, Instance};
use crate::swebench::Rules;
use crate::swebench::log::Statuses;

/// Tests that did what was expected of them, and those that did not. A test whose status
/// the rules do not know is in neither.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lists {
    pub success: Vec<String>,
    pub failure: Vec<String>,
}

/// `tests_status` of a report. The last two are always empty in official reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
pub struct TestsStatus {
    pub fail_to_pass: Lists,
    pub pass_to_pass: Lists,
    pub fail_to_fail: Lists,
    pub pass_to_fail: Lists,
}

impl TestsStatus {
    /// Full where nothing failed; partial where of the tests that must begin to pass some
    /// do, and the others hold.
    pub fn resolution(&self) -> Resolution {
        let (f2p, p2p) = (&self.fail_to_pass, &self.pass_to_pass);
        match (p2p.failure.is_empty(), f2p.failure.is_empty()) {
            (true, true) => Resolution::Full,
            (true, false) if !f2p.success.is_empty() => Resolution::Partial,
            _ => Resolution::No,
        }
    }
}

/// How far an instance is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    No,
    Partial,
    Full,
}

impl Resolution {
    /// The official name.
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "RESOLVED_NO",
            Self::Partial => "RESOLVED_PARTIAL",
            Self::Full => "RESOLVED_FULL",
        }
    }
}

/// Sorts the expected tests of an instance.
pub fn tests_status(
    rules: Rules,
    eval_type: EvalType,
    instance: &Instance<'_>,
    statuses: &Statuses,
) -> TestsStatus {
    let mut index = None;
    let mut lists = |tests: &[String], skipped: Option<bool>| {
        let mut lists = Lists::default();
        for test in tests {
            let said = match (statuses.get(test), rules, eval_type) {
                (Some(said), _, _) => Some(said),
                (None, Rules::V5_0, EvalType::PassAndFail) if is_cut(test) => {
                    let index = index.get_or_insert_with(|| Index::of(statuses));
                    index.agreed(test)
                }
                _ => None,
            };
            match succeeded(eval_type, skipped, said) {
                Some(true) => lists.success.push(test.clone()),
                Some(false) => lists.failure.push(test.clone()),
                None => {}
            }
        }
        lists
    };
    // 4.1 has skipped tests in neither list.
    let of_5_0 = |succeeds| (rules == Rules::V5_0).then_some(succeeds);
    TestsStatus {
        fail_to_pass: lists(instance.fail_to_pass, of_5_0(false)),
        pass_to_pass: lists(instance.pass_to_pass, of_5_0(true)),
        ..TestsStatus::default()
    }
}

/// Whether a status is success; none where the rules have no opinion. `skipped` is what
/// they hold of a skipped test.
fn succeeded(eval_type: EvalType, skipped: Option<bool>, said: Option<&str>) -> Option<bool> {
    match (eval_type, said) {
        (EvalType::FailOnly, said) => Some(said != Some("FAILED")),
        (EvalType::PassAndFail, Some(said)) if passes(said) => Some(true),
        (EvalType::PassAndFail, None | Some("FAILED" | "ERROR")) => Some(false),
        (EvalType::PassAndFail, Some("SKIPPED")) => skipped,
        (EvalType::PassAndFail, Some(_)) => None,
    }
}

fn passes(status: &str) -> bool {
    matches!(status, "PASSED" | "XFAIL")
}

/// Whether an id was cut inside its brackets, as data sets have some.
fn is_cut(test: &str) -> bool {
    let count = |sign| test.matches(sign).count();
    count('[') > count(']')
}

/// The tests of a log by their beginnings, so that many cut ids do not each cost a walk
/// through the log.
struct Index<'a> {
    /// Name, place in the log's order, status; sorted by name.
    sorted: Vec<(&'a str, usize, &'a str)>,
    /// How many of the first names pass.
    passing: Vec<usize>,
    /// The first status of a range that was asked for.
    known: HashMap<(usize, usize), &'a str>,
}

impl<'a> Index<'a> {
    fn of(statuses: &'a Statuses) -> Self {
        let numbered = statuses.iter().enumerate();
        let mut sorted: Vec<_> = numbered
            .map(|(place, (name, status))| (name, place, status))
            .collect();
        sorted.sort_unstable();
        let mut count = 0;
        let mut passing = vec![0];
        passing.extend(sorted.iter().map(|(_, _, status)| {
            count += usize::from(passes(status));
            count
        }));
        Self {
            sorted,
            passing,
            known: HashMap::new(),
        }
    }

    /// The status of the first test in the log that begins so, if all that do agree
    /// whether they pass.
    fn agreed(&mut self, beginning: &str) -> Option<&'a str> {
        let from = self
            .sorted
            .partition_point(|(name, _, _)| *name < beginning);
        let rest = self.sorted.get(from..)?;
        let count = rest.partition_point(|(name, _, _)| name.starts_with(beginning));
        let passing = self.passing.get(from + count)? - self.passing.get(from)?;
        if count == 0 || (passing != 0 && passing != count) {
            return None;
        }
        if passing == count {
            // Which of them is first makes no difference.
            return Some("PASSED");
        }
        let range = rest.get(..count)?;
        let first = || range.iter().min_by_key(|(_, place, _)| *place);
        let status = *self
            .known
            .entry((from, count))
            .or_insert_with(|| first().map_or("", |(_, _, status)| status));
        Some(status)
    }
}
