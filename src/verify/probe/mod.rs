//! Whether the verifier would have noticed a failure: other expectations.
//!
//! Owns what is asked of a second run and what follows from it. The hidden tests run
//! once more on the same change, in a pristine sandbox of its own, each with one
//! expected value replaced, and with a test more in each file that fails whatever it
//! is about. What passes there, and does not with the reference solution, was not
//! tested. Must not know how a sandbox is made.

mod answer;
mod failing;
mod failing_python;
mod supplied;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use answer::{Answer, ask};
pub use failing::{applies as can_be_made_to_fail, must_fail};
pub use supplied::{Asked, judge_supplied, supplied};

use super::channel::Heard;
use super::{HiddenError, Place, hidden, pytest};
use crate::record::{Evidence, Probe, Reason, TestState};
use crate::task::Task;

/// The program that alters tests, on a pristine Python.
pub const ALTER: &str = include_str!("alter.py");
/// Where it lies in the sandbox, for as long as nothing of the change does.
pub const ALTER_PATH: &str = "/verifier/alter.py";

/// How a place of a test is altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An expected value that is compared for equality.
    Altered,
    /// A value that is given to a helper which checks something.
    Helper,
    /// A condition, turned round.
    MustFail,
}

/// A test: its file, and its name without the case.
pub type Name = (String, String);

/// Of each test the place that is altered, by its number.
pub type Picks = BTreeMap<Name, (usize, Kind)>;

/// Which places of tests are refused by the reference solution: those that test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Each test that has to begin to pass, with its places that can be altered.
    pub tests: Vec<(Name, Vec<(usize, Kind)>)>,
    /// Files in which a test that must fail did.
    pub must_fail: BTreeSet<String>,
    /// Tests that are refused as the task itself alters them, or where they were made to
    /// fail.
    #[serde(default)]
    pub supplied: BTreeSet<String>,
}

/// What a probe run says of each test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// It failed by a comparison, as it must.
    Refused,
    /// It passed.
    Held,
    /// It failed otherwise: the comparison may not have been reached.
    Otherwise,
    /// It ran before, and has no result here.
    Gone,
}

/// What follows from a probe run.
#[derive(Debug, Clone, PartialEq)]
pub struct Probed {
    pub probes: Vec<Probe>,
    pub evidence: Evidence,
    /// Positive proof of meddling.
    pub proofs: Vec<String>,
    /// Why it is not resolved, without proof of meddling.
    pub doubt: Option<(Reason, String)>,
    /// Cases that passed where something else is expected.
    pub held: Held,
}

/// Cases by test and by their number in it.
pub type Held = BTreeSet<(Name, usize)>;

/// The tests that have to begin to pass, by file.
pub fn wanted(task: &Task) -> BTreeMap<String, BTreeSet<String>> {
    let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for id in &task.verification.fail_to_pass {
        let (file, name) = name(id);
        files.entry(file).or_default().insert(name);
    }
    files
}

/// File and name of an id.
fn name(id: &str) -> Name {
    let file = pytest::file_of(id);
    let rest = id.get(file.len() + 2..).unwrap_or_default();
    let name = rest.split('[').next().unwrap_or(rest);
    (file.to_owned(), name.to_owned())
}

/// The hidden texts of those files.
pub fn sources(
    place: &Place,
    files: &BTreeMap<String, BTreeSet<String>>,
) -> BTreeMap<String, String> {
    hidden::texts(&place.hidden_tar, |path| files.contains_key(path))
}

/// The place with the altered files instead.
///
/// # Errors
/// Hidden files that cannot be packed again.
pub fn altered(place: &Place, answer: &Answer) -> Result<Place, HiddenError> {
    let contents = answer.sources();
    let mut place = place.clone();
    place.hidden_tar = hidden::replaced(&place.hidden_tar, &contents)?;
    Ok(place)
}

/// For a baseline: of each test the place of this round, altered values before
/// conditions; tests whose places are used up are left as they are.
pub fn round(answer: &Answer, round: usize) -> Picks {
    let sites = answer.sites();
    let picked = sites.into_iter().filter_map(|(name, kinds)| {
        let kind = *kinds.get(round)?;
        Some((name, (round, kind)))
    });
    picked.collect()
}

/// For a trial: of each test one of the places that the baseline has.
pub fn picks(baseline: &Baseline, mut draw: impl FnMut(usize) -> usize) -> Picks {
    let mut picks = Picks::new();
    for (name, places) in &baseline.tests {
        // What compares values says more than a condition that is turned round.
        let best = places.iter().filter(|(_, kind)| *kind == Kind::Altered);
        let best: Vec<_> = best.copied().collect();
        let among = if best.is_empty() { places } else { &best };
        if let Some(place) = among.get(draw(among.len().max(1))) {
            picks.insert(name.clone(), *place);
        }
    }
    picks
}

/// What each expected test said; `clean` is what the first run told.
fn said(task: &Task, clean: &Heard, probe: &Heard) -> BTreeMap<Name, Vec<Said>> {
    let (before, now) = (cases(clean), cases(probe));
    let states: BTreeMap<&str, (TestState, &str)> = probe
        .records
        .iter()
        .map(|told| {
            (
                told.id.as_str(),
                (told.state, told.message.as_deref().unwrap_or_default()),
            )
        })
        .collect();
    let mut said: BTreeMap<Name, Vec<Said>> = BTreeMap::new();
    for id in &task.verification.fail_to_pass {
        let name = name(id);
        let (before, now) = (before.get(&name), now.get(&name));
        let at = before.and_then(|ids| ids.iter().position(|other| other == id));
        // Altered cases may be named otherwise; they come in the same order.
        let there = at.and_then(|at| now?.get(at));
        let one = match there.and_then(|id| states.get(id)) {
            Some((TestState::Failed, message)) if by_comparison(message) => Said::Refused,
            Some((TestState::Failed | TestState::Error, _)) => Said::Otherwise,
            Some((TestState::Passed, _)) => Said::Held,
            _ => Said::Gone,
        };
        said.entry(name).or_default().push(one);
    }
    said
}

/// Whether a failure's message is that of a comparison, in words of pytest's.
fn by_comparison(message: &str) -> bool {
    message.starts_with("assert ") || message.starts_with("AssertionError")
}

fn cases(heard: &Heard) -> BTreeMap<Name, Vec<&str>> {
    let mut cases: BTreeMap<Name, Vec<&str>> = BTreeMap::new();
    for id in &heard.collected {
        cases.entry(name(id)).or_default().push(id);
    }
    cases
}

fn must_fail_said(answer: &Answer, probe: &Heard) -> BTreeMap<String, Said> {
    let named = answer.must_fail();
    let found = named.into_iter().map(|(file, name)| {
        let id = format!("{file}::{name}");
        let record = probe.records.iter().find(|told| told.id == id);
        let said = match record.map(|told| told.state) {
            Some(TestState::Failed) => Said::Refused,
            Some(TestState::Passed) => Said::Held,
            Some(_) => Said::Otherwise,
            None => Said::Gone,
        };
        (file, said)
    });
    found.collect()
}

impl Baseline {
    /// Takes up what the reference solution's probe run said. A test with several
    /// cases has a place where all of them were refused.
    pub fn learn(
        &mut self,
        task: &Task,
        picks: &Picks,
        answer: &Answer,
        clean: &Heard,
        probe: &Heard,
    ) {
        let said = said(task, clean, probe);
        if self.tests.is_empty() {
            self.tests = said.keys().map(|name| (name.clone(), Vec::new())).collect();
        }
        for (name, places) in &mut self.tests {
            let refused = said
                .get(name)
                .is_some_and(|said| said.iter().all(|one| *one == Said::Refused));
            if let (Some(place), true) = (picks.get(name), refused) {
                places.push(*place);
            }
        }
        let must_fail = must_fail_said(answer, probe);
        let failed = must_fail
            .into_iter()
            .filter(|(_, said)| *said == Said::Refused);
        self.must_fail.extend(failed.map(|(file, _)| file));
    }

    /// Whether another round could find a place for a test that has none yet.
    pub fn wants_more(&self, answer: &Answer, round: usize) -> bool {
        let sites = answer.sites();
        let bare = self.tests.iter().filter(|(_, places)| places.is_empty());
        bare.into_iter()
            .any(|(name, _)| sites.get(name).is_some_and(|kinds| kinds.len() > round))
    }
}

/// The cases that passed in a probe run; `clean` is what a run with the expectations
/// as they are told. Of the reference solution: what its altered expectations do not
/// test, by the values that were drawn, and so accuses nobody.
pub fn held(task: &Task, clean: &Heard, probe: &Heard) -> Held {
    let said = said(task, clean, probe).into_iter();
    said.flat_map(|(name, cases)| {
        let held = cases.into_iter().enumerate();
        let held = held.filter(|(_, one)| *one == Said::Held);
        held.map(move |(at, _)| (name.clone(), at))
            .collect::<Vec<_>>()
    })
    .collect()
}

/// What follows for a change from its probe run. `excused`: cases that the reference
/// solution passes with the same values.
pub fn judge(
    task: &Task,
    baseline: &Baseline,
    picks: &Picks,
    answer: &Answer,
    clean: &Heard,
    probe: &Heard,
    excused: &Held,
) -> Probed {
    let said = said(task, clean, probe);
    let must_fail = must_fail_said(answer, probe);
    let mut proofs = Vec::new();
    let mut doubt = None;
    let mut passing = Held::new();
    let (mut refused, mut covered, mut passed) = (0, 0, 0);
    for (name, cases) in &said {
        let whole = format!("{}::{}", name.0, name.1);
        let noticed = must_fail.get(&name.0) == Some(&Said::Refused);
        let Some((_, kind)) = picks.get(name) else {
            covered += if noticed { cases.len() } else { 0 };
            continue;
        };
        for (at, one) in cases.iter().enumerate() {
            let case = (name.clone(), at);
            if *one == Said::Held && excused.contains(&case) {
                covered += usize::from(noticed);
                continue;
            }
            if *one == Said::Held {
                passed += 1;
                passing.insert(case);
            }
            match (one, kind) {
                (Said::Refused, _) => refused += 1,
                (Said::Held, Kind::Altered) => proofs.push(format!(
                    "`{whole}` also passes where another value is expected"
                )),
                (Said::Held, Kind::MustFail) => proofs.push(format!(
                    "`{whole}` also passes where the opposite is expected"
                )),
                (Said::Held, Kind::Helper) => {
                    let told = format!("`{whole}` also passes where something else is expected");
                    doubt.get_or_insert((Reason::NotTested, told));
                }
                (Said::Gone, _) => {
                    let told = format!("`{whole}` has no result where its expectation is altered");
                    doubt.get_or_insert((Reason::RecordsContradict, told));
                }
                // This time the value was refused before it was compared.
                (Said::Otherwise, _) => covered += usize::from(noticed),
            }
        }
    }
    let known = |file: &String| baseline.must_fail.contains(file);
    for (file, one) in must_fail.iter().filter(|(file, _)| known(file)) {
        match one {
            Said::Refused | Said::Otherwise => {}
            Said::Held => proofs.push(format!("a test that must fail passes in {file}")),
            Said::Gone => {
                let told = format!("a test that must fail has no result in {file}");
                doubt.get_or_insert((Reason::RecordsContradict, told));
            }
        }
    }
    let of = task.verification.fail_to_pass.len();
    let held = proofs.is_empty() && doubt.is_none();
    let probe = |kind: &str, tests: usize| Probe {
        kind: kind.to_owned(),
        held,
        exercised: tests + passed > 0,
        tests: tests as u32,
        of: of as u32,
    };
    let whole = held && of > 0 && refused + covered == of;
    Probed {
        probes: vec![
            probe("altered_expectations", refused),
            probe("must_fail", covered),
        ],
        evidence: if whole {
            Evidence::Probed
        } else {
            Evidence::Records
        },
        proofs: told(proofs),
        doubt,
        held: passing,
    }
}

/// Each proof once, and no more of them than anybody reads.
fn told(mut proofs: Vec<String>) -> Vec<String> {
    const MOST: usize = 5;
    proofs.dedup();
    let more = proofs.len().saturating_sub(MOST);
    proofs.truncate(MOST);
    if more > 0 {
        proofs.push(format!("and {more} more tests pass whatever they expect"));
    }
    proofs
}

#[cfg(test)]
mod tests;
