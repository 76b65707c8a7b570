//! The journal by itself, and the line of each trial against its record.

use serde_json::Value;

use super::{Auditor, Check};
use crate::record::{Outcome, TrialId, TrialRecord};
use crate::run::stored::{JOURNAL, RECORD};

/// Characters of a value that are shown.
const SHOWN: usize = 120;

impl Auditor<'_> {
    /// Lines that cannot be read, that belong to no trial, or that were replaced
    /// though nothing was wrong with them.
    pub(super) fn journal(&mut self, torn: usize) {
        let mut wrong = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let record = match &entry.record {
                Ok(record) => record,
                Err(error) => {
                    wrong.push((entry.line, "a record".to_owned(), error.clone()));
                    continue;
                }
            };
            if !self.planned.contains(record.trial.as_str()) {
                let expected = "a trial of the plan".to_owned();
                wrong.push((entry.line, expected, record.trial.to_string()));
            }
            let replaced = self.last.get(&record.trial) != Some(&index);
            if replaced && record.outcome != Outcome::Error {
                let expected = "no later line of a trial that did not end in error".to_owned();
                wrong.push((entry.line, expected, format!("{} again", record.trial)));
            }
        }
        if torn > 0 {
            let line = self.entries.last().map_or(1, |entry| entry.line + 1);
            let found = format!("{torn} bytes without one (`proofyard resume` mends it)");
            wrong.push((line, "the end of the line".to_owned(), found));
        }
        for (line, expected, found) in wrong {
            self.find_at(Check::Journal, JOURNAL, Some(line), &expected, &found);
        }
    }

    /// The last line of a trial must say what its record says.
    pub(super) fn line_of(&mut self, trial: &TrialId, record: &TrialRecord) {
        let last = self.last.get(trial).and_then(|at| {
            let entry = self.entries.get(*at)?;
            Some((entry.line, entry.record.as_ref().ok()?))
        });
        let Some((line, stored)) = last else {
            let expected = format!("a line of {trial}");
            let found = "none: it was removed, or the run was cut off (`proofyard resume` adds it)";
            self.find(Check::Journal, JOURNAL, &expected, found);
            return;
        };
        let mut wrong = Vec::new();
        let own = self.own.get(trial).map(|(_, digest)| digest.digest());
        if own != stored.manifest && (own.is_some() || stored.manifest.is_some()) {
            let said = |digest: &Option<_>| match digest {
                Some(digest) => format!("the manifest {digest} of {trial}"),
                None => format!("no manifest of {trial}"),
            };
            wrong.push((said(&own), said(&stored.manifest)));
        }
        let expected = TrialRecord {
            manifest: stored.manifest.clone(),
            ..record.journal_line()
        };
        if expected != *stored
            && let (Ok(expected), Ok(found)) = (
                serde_json::to_value(&expected),
                serde_json::to_value(stored),
            )
            && let Some((path, expected, found)) = difference(&expected, &found, "")
        {
            let said = Self::name(trial, RECORD);
            wrong.push((
                format!("{path} = {expected}, as {said} has it"),
                format!("{path} = {found}"),
            ));
        }
        for (expected, found) in wrong {
            self.find_at(Check::Journal, JOURNAL, Some(line), &expected, &found);
        }
    }
}

/// The first place in which two values differ, with both.
fn difference(a: &Value, b: &Value, path: &str) -> Option<(String, String, String)> {
    if a == b {
        return None;
    }
    let deeper = match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            let null = Value::Null;
            let dot = if path.is_empty() { "" } else { "." };
            keys.map(|key| {
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned();
                let (a, b) = (of(a), of(b));
                let path = format!("{path}{dot}{key}");
                difference(
                    a.as_ref().unwrap_or(&null),
                    b.as_ref().unwrap_or(&null),
                    &path,
                )
            })
            .find(Option::is_some)
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .map(|(index, (a, b))| difference(a, b, &format!("{path}[{index}]")))
            .find(Option::is_some),
        _ => None,
    };
    let here = || (path.to_owned(), shown(a), shown(b));
    Some(deeper.flatten().unwrap_or_else(here))
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
