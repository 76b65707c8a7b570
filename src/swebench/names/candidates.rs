//! What an expected id may mean.
//!
//! Owns the rule. Must not know states.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Record, official_names};

/// The records that each expected id may mean.
///
/// The rule: the records whose own id it is; where there is none, every record that the
/// official parser would have given this name. All of them have to pass: which of them
/// was meant, nobody can tell, and an official log that cannot tell either says what the
/// last of them did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    by_expected: BTreeMap<String, Vec<usize>>,
}

impl Candidates {
    /// Matches expected ids with records, by the parser's name.
    pub fn of<'a>(
        parser: &str,
        expected: impl IntoIterator<Item = &'a str>,
        records: &[Record<'_>],
    ) -> Self {
        let expected: HashSet<&str> = expected.into_iter().collect();
        let mut exact: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut alike: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, record) in records.iter().enumerate() {
            if let Some(id) = expected.get(record.id) {
                exact.entry(id).or_default().push(at);
            }
            for name in official_names(parser, record) {
                if let Some(id) = expected.get(name.as_str()) {
                    alike.entry(id).or_default().push(at);
                }
            }
        }
        let by_expected = expected.into_iter().map(|id| {
            let found = exact.remove(id).or_else(|| alike.remove(id));
            (id.to_owned(), found.unwrap_or_default())
        });
        Self {
            by_expected: by_expected.collect(),
        }
    }

    /// Places of the records that an expected id may mean, in their order; none where it
    /// matches nothing.
    pub fn get(&self, expected: &str) -> &[usize] {
        self.by_expected.get(expected).map_or(&[], Vec::as_slice)
    }

    /// Whether every record that an expected id may mean has passed; nothing where there
    /// is no such record.
    pub fn passes(&self, expected: &str, passed: impl Fn(usize) -> bool) -> Option<bool> {
        let found = self.get(expected);
        (!found.is_empty()).then(|| found.iter().all(|at| passed(*at)))
    }

    /// Expected ids that match nothing, sorted.
    pub fn unmatched(&self) -> impl Iterator<Item = &str> {
        let all = self.by_expected.iter();
        all.filter(|(_, found)| found.is_empty())
            .map(|(id, _)| id.as_str())
    }
}
