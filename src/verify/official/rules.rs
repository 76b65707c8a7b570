//! By whose rules a trial counts: the official ones, our own, or both.

use super::{Came, differs};
use crate::record::{Evidence, OfficialRecord, Reason, TestRecord, TestState};
use crate::swebench::Rules;
use crate::task::Task;
use crate::verify::judge::{self, Judged};

/// The judgement under both rules: our own one, with the official one on record beside
/// it and why they differ. It is resolved where both are.
pub fn both(strict: Judged, came: &Came, rules: Rules) -> Judged {
    let record = OfficialRecord {
        differs: differs::differs(&strict, came),
        ..came.record(rules)
    };
    let strict_resolved = strict.is_resolved();
    let why = record.reason.clone().unwrap_or_default();
    let resolved = record.resolved;
    let judged = Judged {
        official: Some(record),
        ..strict
    };
    match strict_resolved && !resolved {
        true => judged.unresolved(
            Reason::OfficialUnresolved,
            &format!("by the official rules: {why}"),
        ),
        false => judged,
    }
}

/// The judgement by the official rules alone. Its evidence is what a log claims.
pub fn official_alone(task: &Task, came: &Came, rules: Rules) -> Judged {
    let record = came.record(rules);
    let tests = tests(task, came);
    let judged = Judged {
        official: Some(record.clone()),
        ..judge::of_tests(tests, Evidence::Asserted)
    };
    match (came, record.reason) {
        (_, None) => judged,
        (Came::Graded(graded, _), Some(why)) if graded.found() => {
            judged.unresolved(Reason::TestsFailed, &why)
        }
        (Came::TimedOut(_), Some(why)) => judged.unresolved(Reason::VerifierTimeout, &why),
        (Came::DoesNotApply(_), Some(why)) => judged.unresolved(Reason::PatchDoesNotApply, &why),
        (Came::EmptyPatch, Some(why)) => judged.unresolved(Reason::EmptyPatch, &why),
        (_, Some(why)) => judged.unresolved(Reason::NoVerdict, &why),
    }
}

/// Every expected test with its state by the log. One that counts as passed although it
/// did not is excused: absent ones do where only failures count.
fn tests(task: &Task, came: &Came) -> Vec<TestRecord> {
    let Came::Graded(graded, _) = came else {
        return judge::nothing(task, Evidence::Asserted).tests;
    };
    let Some(status) = graded.tests_status() else {
        return judge::nothing(task, Evidence::Asserted).tests;
    };
    let passed = |id: &str| {
        let lists = [&status.fail_to_pass, &status.pass_to_pass];
        lists
            .iter()
            .any(|list| list.success.iter().any(|known| known == id))
    };
    let expected = task.expected();
    let tests = expected.map(|(id, expect)| {
        let state = match graded.statuses.get(id) {
            Some("PASSED") => TestState::Passed,
            Some("XFAIL") => TestState::Xfailed,
            Some("SKIPPED") => TestState::Skipped,
            Some("ERROR") => TestState::Error,
            Some(_) => TestState::Failed,
            None if passed(id) => TestState::Passed,
            None => TestState::Missing,
        };
        TestRecord {
            id: id.to_owned(),
            expect,
            state,
            excused: passed(id) && state != TestState::Passed,
            ms: 0,
            message: None,
        }
    });
    tests.collect()
}
