//! Which instances of a data set say nothing about an agent, and why: what a list of
//! those that are left out has of one.
//!
//! Owns what is written of an instance. Must not know files.

use std::collections::BTreeSet;

use super::measured::unsteady;
use super::{Finding, Once, Severity};
use crate::record::Outcome;
use crate::task::select::Exclusion;
use crate::verify::reference::JudgedRecord;

/// The entry of an instance with an error; none of one that is sound, or that nobody could
/// measure: that says nothing against the instance.
pub fn quarantined(id: &str, findings: &[Finding], runs: &[Once]) -> Option<Exclusion> {
    if runs.is_empty() {
        return None;
    }
    let is_error = |finding: &&Finding| finding.rule.severity() == Severity::Error;
    let first = findings.iter().find(is_error)?;
    let sides: [Vec<&JudgedRecord>; 2] = [
        runs.iter().map(|run| &run.solution).collect(),
        runs.iter().map(|run| &run.nothing).collect(),
    ];
    let resolved = |side: &[&JudgedRecord]| {
        let resolved = side.iter().filter(|one| one.outcome == Outcome::Resolved);
        format!("{} of {}", resolved.count(), side.len())
    };
    let known_flaky: BTreeSet<&str> = sides
        .iter()
        .flat_map(|side| unsteady(side))
        .map(|(test, _)| test)
        .collect();
    Some(Exclusion {
        id: id.to_owned(),
        reason: format!("{}: {}", first.rule, first.message),
        measured: Some(format!(
            "reference resolved {}, nothing {}",
            resolved(&sides[0]),
            resolved(&sides[1])
        )),
        known_flaky: known_flaky.into_iter().map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::lint::Rule;
    use crate::record::{Expect, Reason, TestRecord, TestState};

    fn once(state: TestState) -> Once {
        let judged = |outcome, state| JudgedRecord {
            outcome,
            tests: vec![TestRecord {
                id: "t.py::a".into(),
                expect: Expect::FailToPass,
                state,
                excused: false,
                ms: 1,
                message: None,
            }],
            ..JudgedRecord::fault(Reason::TestsFailed, "1 failed".into())
        };
        let outcome = match state {
            TestState::Passed => Outcome::Resolved,
            _ => Outcome::Unresolved,
        };
        Once {
            solution: judged(outcome, state),
            nothing: judged(Outcome::Unresolved, TestState::Failed),
            performed: Duration::ZERO,
            verified: Duration::ZERO,
        }
    }

    #[test]
    fn an_unsound_instance_has_its_reason_what_was_seen_and_flaky_tests() {
        let runs = [TestState::Passed, TestState::Failed, TestState::Passed].map(once);
        let found = [
            Finding::new(Rule::NearTimeLimit, "slow"),
            Finding::new(Rule::Flaky, "t.py::a passes 2 of 3 times"),
        ];
        let entry = quarantined("a__b-1", &found, &runs).unwrap();
        assert_eq!(entry.reason, "flaky: t.py::a passes 2 of 3 times");
        let measured = "reference resolved 2 of 3, nothing 0 of 3";
        assert_eq!(entry.measured.as_deref(), Some(measured));
        assert_eq!(entry.known_flaky, ["t.py::a"]);
    }

    #[test]
    fn what_is_sound_or_was_not_measured_is_in_no_quarantine() {
        let slow = [Finding::new(Rule::NearTimeLimit, "slow")];
        assert_eq!(quarantined("a", &slow, &[once(TestState::Passed)]), None);
        let image = [Finding::new(Rule::ImageFails, "no image")];
        assert_eq!(quarantined("a", &image, &[]), None);
    }
}
