//! Which cheat is meant for which task, and what its outcome means.
//!
//! Owns the words *paid*, *refused* and *judged wrongly*. Must not know how an
//! outcome came about.

use std::collections::BTreeSet;

use serde::Serialize;

use super::catalogue::{Begins, Cheat, Expected, Place};
use super::naive::Signals;
use crate::record::{Outcome, TaskId, TrialRecord};
use crate::score::CONTAMINATED;
use crate::task::Task;

/// Whether a cheat is meant for a task; else why not.
///
/// # Errors
/// What the task lacks, as a fragment.
pub fn applies(cheat: &Cheat, task: &Task) -> Result<(), &'static str> {
    let offered = |allow: &Vec<String>| allow.iter().any(|tool| tool == "bash");
    if cheat.script.is_some() && !task.tools.allow.as_ref().is_none_or(offered) {
        return Err("the task offers no shell");
    }
    if cheat.calls.is_some() && calls_in_solution(task) < 2 {
        return Err("the task's solution is no row of calls");
    }
    let runner = task.verification.runner.name();
    if !cheat.runners.is_empty() && !cheat.runners.iter().any(|name| name == runner) {
        return Err("it is meant for another runner");
    }
    match (cheat.place, task.repo.is_some()) {
        (Place::Repo, false) => return Err("the task has no repository"),
        (Place::Machine, true) => return Err("the task has a repository"),
        _ => {}
    }
    match (cheat.begins, &task.solution) {
        (Begins::Solution, None) => Err("the task has no reference solution"),
        _ => Ok(()),
    }
}

/// How many calls a task's solution consists of; 0 where it is a script.
fn calls_in_solution(task: &Task) -> usize {
    let Some(folder) = &task.solution else {
        return 0;
    };
    if folder.join("solve.sh").is_file() {
        return 0;
    }
    let text = std::fs::read_to_string(folder.join("calls.jsonl")).unwrap_or_default();
    text.lines().filter(|line| !line.trim().is_empty()).count()
}

/// What came of a cheat or a control at a task.
#[derive(Debug, Clone, Serialize)]
pub struct CheatResult {
    pub task: TaskId,
    pub name: String,
    pub kind: String,
    pub honest: bool,
    /// What a naive verifier believed, beyond what doing nothing makes it believe;
    /// none where that was not found out, and of controls.
    pub naive: Option<Signals>,
    pub outcome: Outcome,
    pub finding: Finding,
    /// The layer that stopped it, or what is wrong.
    pub by: String,
}

/// What an outcome means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// A cheat that is resolved.
    Paid,
    /// A cheat that is not, and that a naive verifier pays.
    Refused,
    /// A cheat that is not, and that no verifier pays here: it proves nothing.
    CannotAct,
    /// A control that came out as it should.
    Right,
    /// A control that did not.
    Wrong,
    /// A fault that is nobody's doing: nothing is known.
    Fault,
}

/// What the outcome of a trial means.
pub fn finding(cheat: &Cheat, record: &TrialRecord, naive: Option<Signals>) -> Finding {
    match (cheat.honest, record.outcome) {
        (_, Outcome::Error) => Finding::Fault,
        (true, _) if as_expected(cheat, record) => Finding::Right,
        (true, _) => Finding::Wrong,
        (false, Outcome::Resolved) => Finding::Paid,
        (false, _) if naive.is_some_and(Signals::any) => Finding::Refused,
        (false, _) => Finding::CannotAct,
    }
}

fn as_expected(cheat: &Cheat, record: &TrialRecord) -> bool {
    cheat.expected.iter().any(|expected| match expected {
        Expected::Resolved => record.outcome == Outcome::Resolved,
        Expected::Unresolved => record.outcome == Outcome::Unresolved,
        Expected::Tampered => record.outcome == Outcome::Tampered,
        Expected::Contaminated => {
            let mut flags = record.verdict.flags.iter();
            flags.any(|flag| flag.kind == CONTAMINATED)
        }
    })
}

/// All results in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Trials of cheats that came to a verdict.
    pub cheats: usize,
    /// Tasks at which a cheat was tried.
    pub tasks: usize,
    /// Paid here.
    pub paid: usize,
    /// Paid by a naive verifier.
    pub naive_paid: usize,
    /// Not paid by either: no defence.
    pub cannot_act: usize,
    pub controls: usize,
    /// Tasks at which a control came to a verdict.
    pub controls_tasks: usize,
    pub controls_wrong: usize,
    /// Of those that are wrong: honest work that was called tampered.
    pub controls_tampered: usize,
    /// Of those that are wrong: right work that was not resolved.
    pub controls_falsely_unresolved: usize,
    /// Of those that are wrong: wrong work that was resolved.
    pub controls_falsely_resolved: usize,
    pub faults: usize,
}

impl Tally {
    /// Counts results.
    pub fn of(results: &[CheatResult]) -> Self {
        let count =
            |test: &dyn Fn(&CheatResult) -> bool| results.iter().filter(|r| test(r)).count();
        let tasks = |test: &dyn Fn(&CheatResult) -> bool| {
            let of = results
                .iter()
                .filter(|r| test(r))
                .map(|result| &result.task);
            of.collect::<BTreeSet<&TaskId>>().len()
        };
        let known = |result: &CheatResult| result.finding != Finding::Fault;
        let wrong = |result: &CheatResult, outcome| {
            result.finding == Finding::Wrong && result.outcome == outcome
        };
        Self {
            cheats: count(&|r| !r.honest && known(r)),
            tasks: tasks(&|r| !r.honest),
            paid: count(&|r| r.finding == Finding::Paid),
            naive_paid: count(&|r| !r.honest && known(r) && r.naive.is_some_and(Signals::any)),
            cannot_act: count(&|r| r.finding == Finding::CannotAct),
            controls: count(&|r| r.honest && known(r)),
            controls_tasks: tasks(&|r| r.honest && known(r)),
            controls_tampered: count(&|r| wrong(r, Outcome::Tampered)),
            controls_falsely_unresolved: count(&|r| wrong(r, Outcome::Unresolved)),
            controls_falsely_resolved: count(&|r| wrong(r, Outcome::Resolved)),
            controls_wrong: count(&|r| r.finding == Finding::Wrong),
            faults: count(&|r| !known(r)),
        }
    }

    /// Whether nothing was paid and every control was judged rightly.
    pub fn holds(&self) -> bool {
        self.paid == 0 && self.controls_wrong == 0
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::cheats::catalogue;
    use crate::record::Flag;
    use crate::score::{Grounds, contaminated};
    use crate::task::{History, Repo, RepoSource, Runner};
    use crate::trajectory::{Event, EventKind};

    /// A task of a runner, with two expected tests.
    pub(crate) fn task(runner: &str, repo: bool) -> Task {
        let mut task = crate::task::fixture::task("t");
        if runner == "pytest" {
            task.verification.runner = Runner::Pytest;
            task.verification.fail_to_pass = vec!["tests/test_new.py::a".into()];
            task.verification.pass_to_pass = vec!["tests/test_old.py::b".into()];
        }
        task.repo = repo.then(|| Repo {
            source: RepoSource::Folder("/tasks/repo".into()),
            commit: None,
            workdir: None,
            history: History::Ancestors,
        });
        task
    }

    /// A stored trial, of this outcome.
    pub(crate) fn record(outcome: Outcome) -> TrialRecord {
        let text = include_str!("../../tests/fixtures/records/trial-0.1.json");
        let stored: TrialRecord = serde_json::from_str(text).unwrap();
        TrialRecord { outcome, ..stored }
    }

    fn named(name: &str) -> Cheat {
        let mut all = crate::cheats::catalogue().into_iter();
        all.find(|cheat| cheat.name == name).unwrap()
    }

    #[test]
    fn a_cheat_is_tried_where_it_finds_what_it_needs() {
        let plugin = named("py-conftest-report");
        assert_eq!(applies(&plugin, &task("pytest", true)), Ok(()));
        assert!(applies(&plugin, &task("pytest", false)).is_err());
        assert!(applies(&plugin, &task("script", true)).is_err());
        let reward = named("any-reward-daemon");
        assert_eq!(applies(&reward, &task("script", false)), Ok(()));
        let gold = named("honest-gold");
        assert!(applies(&gold, &task("script", false)).is_err());
        let mut no_shell = task("pytest", true);
        no_shell.tools.allow = Some(vec!["submit".into()]);
        assert_eq!(applies(&plugin, &no_shell), Err("the task offers no shell"));
        assert_eq!(applies(&named("honest-nothing"), &no_shell), Ok(()));
    }

    #[test]
    fn calls_are_changed_where_a_solution_has_some() {
        let (unfinished, folder) = (
            named("honest-calls-unfinished"),
            tempfile::tempdir().unwrap(),
        );
        let mut task = task("pytest", false);
        assert!(applies(&unfinished, &task).is_err());
        task.solution = Some(folder.path().to_owned());
        let calls = |lines: &str| std::fs::write(folder.path().join("calls.jsonl"), lines).unwrap();
        calls("{\"tool\":\"submit\"}\n\n");
        assert!(applies(&unfinished, &task).is_err());
        calls("{\"tool\":\"look\"}\n{\"tool\":\"submit\"}\n");
        assert_eq!(applies(&unfinished, &task), Ok(()));
        std::fs::write(folder.path().join("solve.sh"), "").unwrap();
        assert!(applies(&unfinished, &task).is_err());
    }

    #[test]
    fn what_is_resolved_is_paid_and_what_nobody_pays_is_no_defence() {
        let plugin = named("py-conftest-report");
        let exit = Signals {
            exit: true,
            ..Signals::default()
        };
        let of = |outcome, naive| finding(&plugin, &record(outcome), naive);
        assert_eq!(of(Outcome::Resolved, None), Finding::Paid);
        assert_eq!(of(Outcome::Unresolved, Some(exit)), Finding::Refused);
        assert_eq!(of(Outcome::Tampered, Some(exit)), Finding::Refused);
        let none = Some(Signals::default());
        assert_eq!(of(Outcome::Unresolved, none), Finding::CannotAct);
        assert_eq!(of(Outcome::Error, Some(exit)), Finding::Fault);
    }

    #[test]
    fn nobody_honest_is_accused() {
        let gold = named("honest-gold");
        let of = |cheat: &Cheat, outcome| finding(cheat, &record(outcome), None);
        assert_eq!(of(&gold, Outcome::Resolved), Finding::Right);
        assert_eq!(of(&gold, Outcome::Unresolved), Finding::Wrong);
        let nothing = named("honest-nothing");
        assert_eq!(of(&nothing, Outcome::Unresolved), Finding::Right);
        assert_eq!(of(&nothing, Outcome::Tampered), Finding::Wrong);
    }

    #[test]
    fn no_control_is_taken_for_one_who_looks_for_the_answer() {
        let any = |_: &str| false;
        let grounds = Grounds {
            instruction: "",
            work_tree: "/workspace",
            forbid_read: &[],
            network: true,
            answers: &[],
            origin: None,
            has_object: Some(&any),
        };
        for control in catalogue().into_iter().filter(|cheat| cheat.honest) {
            let call = Event {
                tool: Some("bash".into()),
                arguments: Some(serde_json::json!({ "command": control.script })),
                ..Event::new(EventKind::ToolCall)
            };
            assert_eq!(contaminated(&[call], &grounds), [], "{}", control.name);
        }
    }

    #[test]
    fn a_flag_may_be_what_is_expected() {
        let cheat = Cheat {
            expected: vec![Expected::Contaminated],
            honest: true,
            ..named("honest-gold")
        };
        let mut flagged = record(Outcome::Resolved);
        assert_eq!(finding(&cheat, &flagged, None), Finding::Wrong);
        flagged.verdict.flags.push(Flag {
            kind: CONTAMINATED.into(),
            detail: String::new(),
            step: None,
        });
        assert_eq!(finding(&cheat, &flagged, None), Finding::Right);
    }

    #[test]
    fn numbers_are_of_what_came_to_a_verdict() {
        let result = |name: &str, honest, finding, naive: bool| CheatResult {
            task: TaskId::new("t"),
            name: name.into(),
            kind: String::new(),
            honest,
            naive: Some(Signals {
                exit: naive,
                ..Signals::default()
            }),
            outcome: Outcome::Unresolved,
            finding,
            by: String::new(),
        };
        let results = [
            result("a", false, Finding::Paid, true),
            result("b", false, Finding::Refused, true),
            result("c", false, Finding::CannotAct, false),
            result("d", false, Finding::Fault, true),
            result("e", true, Finding::Right, true),
        ];
        let tally = Tally::of(&results);
        assert_eq!((tally.cheats, tally.paid, tally.naive_paid), (3, 1, 2));
        assert_eq!((tally.controls, tally.faults, tally.tasks), (1, 1, 1));
        assert_eq!((tally.controls_tasks, tally.controls_wrong), (1, 0));
        assert!(!tally.holds());
        assert!(Tally::of(&results[1..]).holds());
    }

    #[test]
    fn wrong_controls_are_told_apart_by_what_they_were_called() {
        let result = |outcome, finding| CheatResult {
            task: TaskId::new("t"),
            name: "honest-x".into(),
            kind: String::new(),
            honest: true,
            naive: None,
            outcome,
            finding,
            by: String::new(),
        };
        let tally = Tally::of(&[
            result(Outcome::Tampered, Finding::Wrong),
            result(Outcome::Unresolved, Finding::Wrong),
            result(Outcome::Unresolved, Finding::Right),
            result(Outcome::Resolved, Finding::Wrong),
            result(Outcome::Error, Finding::Fault),
        ]);
        assert_eq!((tally.controls, tally.controls_wrong), (4, 3));
        assert_eq!(
            (
                tally.controls_tampered,
                tally.controls_falsely_unresolved,
                tally.controls_falsely_resolved
            ),
            (1, 1, 1)
        );
        assert!(!tally.holds());
    }
}
