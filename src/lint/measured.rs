//! What was measured of a task → findings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::{Finding, Rule};
use crate::leaks::Found;
use crate::record::{Expect, Outcome, Reason, Sees, TestRecord, TestState};
use crate::task::Task;
use crate::verify::reference::JudgedRecord;

/// Of a time limit what may be used before it is told.
const NEAR: f64 = 0.5;
/// Most tests, paths or places that one finding names.
const MOST: usize = 5;

/// One time both ways.
#[derive(Debug, Clone)]
pub struct Once {
    pub solution: JudgedRecord,
    pub nothing: JudgedRecord,
    /// How long the solution took to be performed, and to be verified.
    pub performed: Duration,
    pub verified: Duration,
}

/// What came of a solution where nothing can be reached.
#[derive(Debug, Clone)]
pub struct Offline {
    /// Performed and verified there.
    pub whole: JudgedRecord,
    /// Performed with the network and verified without, where the whole failed; none
    /// where the verifier cannot be parted from the agent.
    pub verifier: Option<JudgedRecord>,
}

/// Commits in a sandbox that are no ancestors of what is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commits {
    /// The repository's folder.
    pub path: String,
    pub count: u64,
    /// The newest one, as git shows it in a line.
    pub newest: String,
}

/// All that was measured of one task. What was not looked at is none or empty.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    pub runs: Vec<Once>,
    /// The strongest way of seeing at which it is sound; its own where it is not.
    pub sees: Option<Sees>,
    /// `probed`, `records` or `asserted`.
    pub evidence: Option<&'static str>,
    pub offline: Option<Offline>,
    pub leaks: Option<Found>,
    pub commits: Vec<Commits>,
    /// Paths that differ between two builds of its image, with what differs.
    pub changing: Vec<(String, String)>,
    /// The work tree that an agent finds, on this host.
    pub checkout: Option<PathBuf>,
    /// Of paths that tests require, those that the solution makes.
    pub made: Vec<String>,
}

/// What the measurements come to.
pub fn findings_of(task: &Task, examined: &Examined) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(both_ways(&examined.runs));
    found.extend(flaky(&examined.runs));
    found.extend(near_limits(task, &examined.runs));
    found.extend(examined.offline.as_ref().and_then(network));
    found.extend(examined.leaks.iter().filter_map(leaks));
    for commits in &examined.commits {
        let commit = if commits.count == 1 {
            "commit"
        } else {
            "commits"
        };
        let message = format!(
            "{} has {} {commit} that what is checked out does not come from, such as {}",
            commits.path, commits.count, commits.newest
        );
        found.push(Finding::new(Rule::FutureCommits, message));
    }
    found.extend(changing(&examined.changing));
    found.retain(|finding| finding.rule.is_for(task.format));
    if !Rule::UnnamedPath.is_for(task.format) {
        return found;
    }
    let required = super::required(task, examined.checkout.as_deref());
    let paths = required.paths.into_iter();
    let unnamed = paths.filter(|(path, _)| examined.made.contains(path));
    found.extend(unnamed.map(|(_, finding)| finding));
    found.extend(required.interfaces);
    found
}

/// What the first run says of solution and doing nothing. What changes from run to run
/// is flaky instead.
fn both_ways(runs: &[Once]) -> Vec<Finding> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let resolved = |judged: &JudgedRecord| judged.outcome == Outcome::Resolved;
    let never = runs.iter().all(|run| !resolved(&run.solution));
    let always = runs.iter().all(|run| resolved(&run.nothing));
    let missing: Vec<&str> = names(&first.solution.tests, |test| {
        test.state == TestState::Missing
    });
    if !missing.is_empty() {
        let message = format!(
            "{} of the expected tests left no record with the reference solution: {}",
            missing.len(),
            listed(&missing)
        );
        found.push(Finding::new(Rule::MissingRecord, message));
    }
    let failing = names(&first.solution.tests, |test| {
        test.state != TestState::Missing && test.state != TestState::Passed && !test.excused
    });
    if never && (missing.is_empty() || !failing.is_empty()) {
        let why = first
            .solution
            .message
            .as_deref()
            .unwrap_or("no reason is recorded");
        let tests = match failing.is_empty() {
            true => String::new(),
            false => format!(" ({})", listed(&failing)),
        };
        let message = format!("the reference solution does not resolve the task: {why}{tests}");
        found.push(Finding::new(Rule::SolutionFails, message));
    }
    if always {
        let message = "doing nothing resolves the task";
        found.push(Finding::new(Rule::NothingPasses, message));
    }
    let already = names(&first.nothing.tests, |test| {
        test.expect == Expect::FailToPass && test.state == TestState::Passed
    });
    if !already.is_empty() && !always {
        let message = format!("passes where nothing is done: {}", listed(&already));
        found.push(Finding::new(Rule::PassesAlready, message));
    }
    let before = names(&first.nothing.tests, |test| {
        test.expect == Expect::PassToPass && test.state != TestState::Passed && !test.excused
    });
    if !before.is_empty() {
        let message = format!("does not pass where nothing is done: {}", listed(&before));
        found.push(Finding::new(Rule::FailsBefore, message));
    }
    let silent = |judged: &JudgedRecord| judged.reason == Some(Reason::NoVerdict);
    if silent(&first.nothing) && !silent(&first.solution) {
        let why = first
            .nothing
            .message
            .as_deref()
            .unwrap_or("no reward was written");
        let message = format!("where nothing is done the verifier gives no verdict: {why}");
        found.push(Finding::new(Rule::NoRewardOnFailure, message));
    }
    found
}

fn names(tests: &[TestRecord], which: impl Fn(&TestRecord) -> bool) -> Vec<&str> {
    let some = tests.iter().filter(|test| which(test));
    some.map(|test| test.id.as_str()).collect()
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(MOST).copied().collect();
    match names.len().saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Tests that pass some of the times, and how often.
pub(super) fn unsteady<'a>(judged: &[&'a JudgedRecord]) -> Vec<(&'a str, usize)> {
    let mut passed: BTreeMap<&str, usize> = BTreeMap::new();
    for test in judged.iter().flat_map(|one| &one.tests) {
        let passes = usize::from(test.state == TestState::Passed || test.excused);
        *passed.entry(test.id.as_str()).or_default() += passes;
    }
    let some = passed.into_iter();
    some.filter(|(_, times)| (1..judged.len()).contains(times))
        .collect()
}

/// Tests, or verdicts as a whole, that are not the same each time.
fn flaky(runs: &[Once]) -> Vec<Finding> {
    let mut found = Vec::new();
    let sides: [(&str, Vec<&JudgedRecord>); 2] = [
        (
            "with the reference solution",
            runs.iter().map(|run| &run.solution).collect(),
        ),
        (
            "where nothing is done",
            runs.iter().map(|run| &run.nothing).collect(),
        ),
    ];
    for (side, judged) in sides {
        let all = judged.len();
        let unsteady = unsteady(&judged);
        let named = !unsteady.is_empty();
        for (test, times) in unsteady {
            let message = format!("{test} passes {times} of {all} times {side}");
            found.push(Finding::new(Rule::Flaky, message));
        }
        let resolved = judged.iter().filter(|one| one.outcome == Outcome::Resolved);
        let times = resolved.count();
        if !named && times > 0 && times < all {
            let message = format!("the verdict is `resolved` {times} of {all} times {side}");
            found.push(Finding::new(Rule::Flaky, message));
        }
        let rewards: Vec<_> = judged
            .iter()
            .map(|one| (one.reward, &one.rewards))
            .collect();
        let differs = rewards.iter().any(|reward| *reward != rewards[0]);
        if !named && (times == 0 || times == all) && differs {
            let shown: Vec<String> = rewards
                .iter()
                .map(|(reward, map)| match (reward, map.is_empty()) {
                    (Some(reward), true) => reward.to_string(),
                    (None, true) => "none".to_owned(),
                    (_, false) => format!("{map:?}"),
                })
                .collect();
            let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
            let message = format!(
                "the reward is not the same each time {side}: {}",
                listed(&shown)
            );
            found.push(Finding::new(Rule::Flaky, message));
        }
    }
    found
}

fn near_limits(task: &Task, runs: &[Once]) -> Vec<Finding> {
    let mut found = Vec::new();
    let slowest = |of: fn(&Once) -> Duration| runs.iter().map(of).max().unwrap_or_default();
    let mut told = |what: &str, took: Duration, limit: Duration, whose: &str| {
        let (took, limit) = (took.as_secs_f64(), limit.as_secs_f64());
        if limit > 0.0 && took > limit * NEAR {
            let message = format!("{what} took {took:.1} s of the {limit:.0} s that {whose} has");
            found.push(Finding::new(Rule::NearTimeLimit, message));
        }
    };
    if let (Some(limit), true) = (task.agent.timeout, task.steps.is_empty()) {
        let took = slowest(|run| run.performed);
        told("the reference solution", took, limit, "the agent");
    }
    if task.steps.is_empty() {
        let took = slowest(|run| run.verified);
        told(
            "the verification",
            took,
            task.verification.timeout,
            "the verifier",
        );
    }
    found
}

fn network(offline: &Offline) -> Option<Finding> {
    if offline.whole.outcome == Outcome::Resolved {
        return None;
    }
    let (who, why) = match &offline.verifier {
        Some(verified) if verified.outcome != Outcome::Resolved => {
            ("the verifier", verified.message.as_deref())
        }
        Some(_) => ("the reference solution", offline.whole.message.as_deref()),
        None => (
            "the solution or its verifier",
            offline.whole.message.as_deref(),
        ),
    };
    let why = why.unwrap_or("no reason is recorded");
    let message = format!(
        "{who} needs the network, and the task does not say so (`network_mode`): without it, {why}"
    );
    Some(Finding::new(Rule::UndeclaredNetwork, message))
}

fn leaks(found: &Found) -> Option<Finding> {
    let first = found.leaks.first()?;
    let more = match found.leaks.len() {
        1 => String::new(),
        count => format!(", and {} more places", count - 1),
    };
    let message = format!(
        "an agent finds {} of {} in {}{more}: `proofyard check --leaks` shows all",
        match first.share() {
            share if share >= 0.995 => "all".to_owned(),
            share => format!("{:.0} %", share * 100.0),
        },
        first.needle,
        first.place
    );
    Some(Finding::new(Rule::Leak, message))
}

fn changing(paths: &[(String, String)]) -> Option<Finding> {
    if paths.is_empty() {
        return None;
    }
    let shown: Vec<String> = paths
        .iter()
        .take(MOST)
        .map(|(path, what)| format!("{path} ({what})"))
        .collect();
    let more = match paths.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!(
        "two builds of the image differ in {}{more}",
        shown.join(", ")
    );
    Some(Finding::new(Rule::ChangingImage, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(outcome: Outcome, tests: &[(&str, TestState)]) -> JudgedRecord {
        let tests = tests.iter().map(|(id, state)| TestRecord {
            id: (*id).to_owned(),
            expect: Expect::FailToPass,
            state: *state,
            excused: false,
            ms: 1,
            message: None,
        });
        JudgedRecord {
            outcome,
            tests: tests.collect(),
            ..JudgedRecord::fault(Reason::TestsFailed, "1 of 2 failed".into())
        }
    }

    fn once(solution: JudgedRecord) -> Once {
        let nothing = judged(Outcome::Unresolved, &[("a", TestState::Failed)]);
        Once {
            solution,
            nothing,
            performed: Duration::from_secs(40),
            verified: Duration::from_secs(1),
        }
    }

    fn names(runs: Vec<Once>) -> Vec<(Rule, String)> {
        let mut task = crate::task::fixture::task("t");
        task.agent.timeout = Some(Duration::from_secs(60));
        let examined = Examined {
            runs,
            ..Examined::default()
        };
        let found = findings_of(&task, &examined).into_iter();
        found.map(|one| (one.rule, one.message)).collect()
    }

    #[test]
    fn a_test_that_passes_now_and_then_is_named_with_its_rate() {
        use TestState::{Failed, Passed};
        let good = judged(Outcome::Resolved, &[("a", Passed), ("b", Passed)]);
        let bad = judged(Outcome::Unresolved, &[("a", Passed), ("b", Failed)]);
        let found = names(vec![once(good.clone()), once(bad), once(good)]);
        let flaky = "b passes 2 of 3 times with the reference solution".to_owned();
        assert_eq!(found[0], (Rule::Flaky, flaky));
        // It resolves the task at times, so it is not said to fail.
        assert!(found.iter().all(|(rule, _)| *rule != Rule::SolutionFails));
    }

    #[test]
    fn what_never_passes_is_no_luck() {
        let bad = judged(Outcome::Unresolved, &[("a", TestState::Failed)]);
        let found = names(vec![once(bad.clone()), once(bad)]);
        assert_eq!(found[0].0, Rule::SolutionFails);
        assert!(found[0].1.ends_with("(a)"), "{}", found[0].1);
    }

    #[test]
    fn a_limit_that_is_half_used_is_told() {
        let good = judged(Outcome::Resolved, &[("a", TestState::Passed)]);
        let found = names(vec![once(good)]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, Rule::NearTimeLimit);
    }

    #[test]
    fn who_needs_the_network_is_told_apart() {
        let good = judged(Outcome::Resolved, &[]);
        let bad = JudgedRecord::fault(Reason::NoVerdict, "no route".into());
        let of = |whole: &JudgedRecord, verifier: Option<&JudgedRecord>| {
            let offline = Offline {
                whole: whole.clone(),
                verifier: verifier.cloned(),
            };
            network(&offline).map(|finding| finding.message)
        };
        assert_eq!(of(&good, None), None);
        assert!(
            of(&bad, Some(&bad))
                .unwrap()
                .starts_with("the verifier needs")
        );
        assert!(
            of(&bad, Some(&good))
                .unwrap()
                .starts_with("the reference solution needs")
        );
        assert!(of(&bad, None).unwrap().contains("or its verifier"));
    }
}
