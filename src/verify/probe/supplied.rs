//! Altered tests that a task brings along, for runners whose language is not ours to
//! alter.
//!
//! Owns what follows from a run of them. `tests/altered/` holds other versions of hidden
//! files, in which each test that has to begin to pass expects something that is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{Baseline, Held, Probed};
use crate::record::{Evidence, Expect, Probe, Reason, TestState};
use crate::task::{Times, pack};
use crate::verify::{HiddenError, Judged, Place, hidden};

/// The place with a task's altered files instead of those of the same name.
///
/// # Errors
/// A folder that cannot be read, or a file in it that is no hidden one.
pub fn supplied(place: &Place, folder: &Path) -> Result<Place, HiddenError> {
    let known: BTreeSet<String> = hidden::files(&place.hidden_tar).into_iter().collect();
    let packed = pack(&[folder], Times::Fixed)?;
    let mut contents = BTreeMap::new();
    for name in hidden::files(&packed) {
        let path = folder.join(&name);
        if !known.contains(&name) {
            return Err(HiddenError::Refused {
                path,
                message: "no hidden file has this name, so there is nothing to alter".into(),
            });
        }
        let content = fs::read(&path);
        contents.insert(
            name,
            content.map_err(|source| HiddenError::Read { path, source })?,
        );
    }
    let mut place = place.clone();
    place.hidden_tar = hidden::replaced(&place.hidden_tar, &contents)?;
    Ok(place)
}

impl Baseline {
    /// Of the reference solution's run of altered tests: which ones it refuses. Another
    /// one asks nothing.
    pub fn of_supplied(run: &Judged) -> Self {
        let refused = wanted(run).filter(|(_, state)| *state == TestState::Failed);
        Self {
            supplied: refused.map(|(id, _)| id.to_owned()).collect(),
            ..Self::default()
        }
    }
}

fn wanted(run: &Judged) -> impl Iterator<Item = (&str, TestState)> {
    let tests = run.tests.iter();
    let wanted = tests.filter(|test| test.expect == Expect::FailToPass);
    wanted.map(|test| (test.id.as_str(), test.state))
}

/// What the tests of a probe run are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Altered by the task's author, each to expect something that is wrong.
    Supplied,
    /// Made to fail whatever they are about: that finds who forges results, and not a test
    /// that holds for everything. So it is no more than `records`.
    MustFail,
}

impl Asked {
    /// As [`Probe::kind`] has it.
    fn kind(self) -> &'static str {
        match self {
            Self::Supplied => "altered_expectations",
            Self::MustFail => "made_to_fail",
        }
    }
}

/// What follows for a change from its run of altered tests.
pub fn judge_supplied(asked: Asked, baseline: &Baseline, run: &Judged) -> Probed {
    let (mut proofs, mut doubt) = (Vec::new(), None);
    let (mut of, mut refused, mut exercised) = (0, 0, 0);
    for (id, state) in wanted(run) {
        of += 1;
        if !baseline.supplied.contains(id) {
            continue;
        }
        match state {
            TestState::Failed => {
                refused += 1;
                exercised += 1;
            }
            TestState::Passed => {
                exercised += 1;
                proofs.push(match asked {
                    Asked::Supplied => {
                        format!("`{id}` also passes where another value is expected")
                    }
                    Asked::MustFail => format!("`{id}` passes although it was made to fail"),
                });
            }
            TestState::Missing => {
                let told = match asked {
                    Asked::Supplied => {
                        format!("`{id}` has no result where its expectation is altered")
                    }
                    Asked::MustFail => format!("`{id}` has no result where it was made to fail"),
                };
                doubt.get_or_insert((Reason::RecordsContradict, told));
            }
            TestState::Error | TestState::Skipped | TestState::Xfailed | TestState::Xpassed => {}
        }
    }
    let held = proofs.is_empty() && doubt.is_none();
    Probed {
        probes: vec![Probe {
            kind: asked.kind().to_owned(),
            held,
            exercised: exercised > 0,
            tests: refused,
            of,
        }],
        evidence: match asked == Asked::Supplied && held && of > 0 && refused == of {
            true => Evidence::Probed,
            false => Evidence::Records,
        },
        proofs: super::told(proofs),
        doubt,
        held: Held::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TestRecord;
    use crate::verify::judge::by_tests;

    fn run(states: [TestState; 2]) -> Judged {
        let tests = ["a", "b"].into_iter().zip(states);
        let tests = tests.map(|(id, state)| TestRecord {
            id: id.into(),
            expect: Expect::FailToPass,
            state,
            excused: false,
            ms: 0,
            message: None,
        });
        by_tests(tests.collect())
    }

    #[test]
    fn what_is_refused_as_by_the_reference_solution_is_probed() {
        use TestState::{Error, Failed, Missing, Passed};
        let baseline = Baseline::of_supplied(&run([Failed, Failed]));
        let of = |states| {
            let probed = judge_supplied(Asked::Supplied, &baseline, &run(states));
            let reason = probed.doubt.map(|(reason, _)| reason);
            (probed.evidence, probed.proofs.len(), reason)
        };
        assert_eq!(of([Failed, Failed]), (Evidence::Probed, 0, None));
        assert_eq!(of([Failed, Error]), (Evidence::Records, 0, None));
        assert_eq!(of([Failed, Passed]), (Evidence::Records, 1, None));
        let gone = Some(Reason::RecordsContradict);
        assert_eq!(of([Failed, Missing]), (Evidence::Records, 0, gone));
    }

    #[test]
    fn what_was_made_to_fail_proves_forgery_and_no_more() {
        use TestState::{Failed, Passed};
        let baseline = Baseline::of_supplied(&run([Failed, Failed]));
        let honest = judge_supplied(Asked::MustFail, &baseline, &run([Failed, Failed]));
        assert_eq!(
            (honest.evidence, honest.proofs.len()),
            (Evidence::Records, 0)
        );
        assert_eq!(honest.probes[0].kind, "made_to_fail");
        let forged = judge_supplied(Asked::MustFail, &baseline, &run([Failed, Passed]));
        assert_eq!(forged.proofs, ["`b` passes although it was made to fail"]);
    }

    #[test]
    fn what_the_reference_solution_passes_too_accuses_nobody() {
        use TestState::{Failed, Passed};
        let baseline = Baseline::of_supplied(&run([Failed, Passed]));
        let probed = judge_supplied(Asked::Supplied, &baseline, &run([Failed, Passed]));
        assert_eq!(
            (probed.proofs.len(), probed.evidence),
            (0, Evidence::Records)
        );
        assert_eq!((probed.probes[0].tests, probed.probes[0].of), (1, 2));
    }
}
