//! Everything that a pytest session left → a judgement.
//!
//! Owns which signals have to agree, and what of them is positive proof of
//! meddling. Must not know how the session was run.

use std::collections::{BTreeMap, BTreeSet};

use super::{Record, Records};
use crate::record::{Evidence, Reason, TestState};
use crate::sandbox::Ended;
use crate::task::Task;
use crate::verify::channel::{Heard, Told, Unheard};
use crate::verify::judge::{self, Judged, Usual};
use crate::verify::reference::Shape;

/// What a session left.
pub struct Session<'a> {
    pub heard: Result<Heard, Unheard>,
    /// Records of the report that pytest wrote itself.
    pub report: Result<Records, String>,
    pub ended: Ended,
    /// How the session of the reference solution went; none without one.
    pub shape: Option<&'a Shape>,
    /// Files of expected tests that are not there.
    pub absent: &'a [String],
    /// Which tests the reference solution does not run to their end either.
    pub usual: &'a Usual,
}

impl Session<'_> {
    /// The judgement by what the reporter told, where all signals agree with it.
    pub fn judge(self, task: &Task) -> Judged {
        let heard = match self.heard {
            Ok(heard) => heard,
            Err(error) => {
                let said = error.to_string();
                return match error {
                    Unheard::Open { until, .. } => {
                        judge::by_records(task, &told(&until), self.absent, self.usual)
                            .unresolved(Reason::NoVerdict, &said)
                    }
                    Unheard::Contradiction(_) => judge::nothing(task, Evidence::Records)
                        .unresolved(Reason::RecordsContradict, &said),
                };
            }
        };
        let records = told(&heard.records);
        let proofs = proofs(&heard, self.shape);
        let odd = odd(&heard, self.ended, &records, &self.report, self.shape);
        let mut judged = judge::by_records(task, &records, self.absent, self.usual);
        judged.shape = Some(Shape::of(&heard));
        judged.proofs = proofs;
        judged.heard = Some(heard);
        match odd {
            Some(odd) if judged.reason.is_none() => {
                judged.unresolved(Reason::RecordsContradict, &odd)
            }
            _ => judged,
        }
    }
}

/// What the reporter told, by id.
pub fn told(all: &[Told]) -> Records {
    let mut records = Records::default();
    for told in all {
        let record = Record {
            state: told.state,
            ms: told.ms,
            message: told.message.clone(),
        };
        records.put(told.id.clone(), record);
    }
    records
}

/// The first signal that does not agree with the records.
fn odd(
    heard: &Heard,
    ended: Ended,
    records: &Records,
    report: &Result<Records, String>,
    shape: Option<&Shape>,
) -> Option<String> {
    if ended != Ended::Exited(heard.exit) {
        return Some(format!(
            "pytest's session ended with {}, and its process otherwise",
            heard.exit
        ));
    }
    if let Some(shape) = shape.filter(|shape| shape.runner != heard.runner) {
        return Some(format!(
            "the runner lies in `{}`, and with the reference solution in `{}`",
            heard.runner, shape.runner
        ));
    }
    let failed = records
        .iter()
        .any(|(_, record)| matches!(record.state, TestState::Failed | TestState::Error));
    let as_reference = shape.is_some_and(|shape| shape.exit == heard.exit);
    let agrees = match heard.exit {
        0 => !failed,
        1 => failed || as_reference,
        _ => as_reference,
    };
    if !agrees {
        return Some(format!(
            "pytest ended with {}, which its records do not say",
            heard.exit
        ));
    }
    let report = match report {
        Ok(report) => report,
        Err(problem) => return Some(problem.clone()),
    };
    let states: BTreeMap<&str, TestState> = records
        .iter()
        .map(|(id, record)| (id, record.state))
        .collect();
    let against = report.iter().find(|(id, record)| {
        matches!(record.state, TestState::Failed | TestState::Error)
            && states.get(id) == Some(&TestState::Passed)
    });
    against.map(|(id, _)| format!("`{id}` passed by its record and not by pytest's report"))
}

/// What changed results, by name; nothing that the reference solution's session had
/// too. Without a reference nobody is accused.
fn proofs(heard: &Heard, shape: Option<&Shape>) -> Vec<String> {
    let Some(shape) = shape else {
        return Vec::new();
    };
    let mut proofs = Vec::new();
    let mut new = |what: &str, now: &BTreeSet<String>, then: &BTreeSet<String>| {
        let named: Vec<&str> = now.difference(then).map(String::as_str).collect();
        if let Some(first) = named.first() {
            let more = match named.len() {
                1 => String::new(),
                more => format!(" and {} more", more - 1),
            };
            proofs.push(format!("{what} while tests ran: {first}{more}"));
        }
    };
    new(
        "parts of pytest were replaced",
        &heard.patched,
        &shape.patched,
    );
    new("a plug-in came up", &heard.plugins, &shape.plugins);
    new("hidden files changed", &heard.changed, &shape.changed);
    proofs
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
