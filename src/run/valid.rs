//! Which instances of its data sets a run's score is over: those that no quarantine names.
//!
//! Owns how many are valid and why others are not. Must not know how it is shown.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::record::{DataSetRecord, RunRecord};

/// Longest head of a reason, in characters.
const LONGEST: usize = 48;

/// Instances of a data set of which some are in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Valid {
    /// As the user named the data set.
    pub source: String,
    /// Of `of`, those in no quarantine.
    pub valid: usize,
    /// That the filter left; of a run that keeps those in quarantine, that were meant.
    pub of: usize,
    /// How many of a kind of reason: what stands before its first colon.
    pub quarantined: BTreeMap<String, usize>,
    /// Whether these are run nevertheless.
    pub kept: bool,
}

/// The data sets of a run of which something is in quarantine.
pub fn valid(run: &RunRecord) -> Vec<Valid> {
    let sets = run.data_sets.iter().filter(|set| !set.excluded.is_empty());
    let planned: HashSet<&str> = run.tasks.iter().map(|task| task.name.as_str()).collect();
    let of = |set: &DataSetRecord| {
        let counts = |id: &&String| !set.keeps_excluded || planned.contains(id.as_str());
        let mut quarantined: BTreeMap<String, usize> = BTreeMap::new();
        for id in set.excluded.keys().filter(counts) {
            let reason = set.excluded.get(id).map_or("", String::as_str);
            *quarantined.entry(head(reason)).or_default() += 1;
        }
        let all = match set.keeps_excluded {
            true => set.selected,
            false => set.matched,
        };
        Valid {
            source: set.source.clone(),
            valid: all.saturating_sub(quarantined.values().sum()),
            of: all,
            quarantined,
            kept: set.keeps_excluded,
        }
    };
    sets.map(of).collect()
}

/// Names of instances in quarantine that a run has nevertheless.
pub fn kept(run: &RunRecord) -> HashSet<&str> {
    let sets = run.data_sets.iter().filter(|set| set.keeps_excluded);
    sets.flat_map(|set| set.excluded.keys().map(String::as_str))
        .collect()
}

/// What a reason begins with.
fn head(reason: &str) -> String {
    let head = reason.split(':').next().unwrap_or_default().trim();
    match (head.is_empty(), head.char_indices().nth(LONGEST)) {
        (true, _) => "no reason given".to_owned(),
        (false, Some((at, _))) => format!("{}…", head[..at].trim_end()),
        (false, None) => head.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::fixture::plan_of;

    fn run(keeps_excluded: bool) -> RunRecord {
        let excluded = [
            ("a__a-1", "flaky: t passes 2 of 3 times"),
            ("a__a-2", "flaky: u passes 1 of 3 times"),
            ("a__a-9", ""),
        ];
        let names: &[&str] = match keeps_excluded {
            true => &["a__a-1", "a__a-2", "a__a-3"],
            false => &["a__a-3"],
        };
        let mut run = plan_of(names);
        run.data_sets = vec![DataSetRecord {
            source: "verified".into(),
            digest: "ab".into(),
            instances: 9,
            filter: None,
            matched: 5,
            excluded: excluded
                .map(|(id, reason)| (id.to_owned(), reason.to_owned()))
                .into(),
            keeps_excluded,
            sample: None,
            seed: None,
            stratify: None,
            selected: names.len(),
        }];
        run
    }

    #[test]
    fn those_in_quarantine_are_counted_by_the_heads_of_their_reasons() {
        let found = &valid(&run(false))[0];
        assert_eq!((found.valid, found.of, found.kept), (2, 5, false));
        let told: Vec<_> = found.quarantined.iter().collect();
        assert_eq!(
            told,
            [
                (&"flaky".to_owned(), &2),
                (&"no reason given".to_owned(), &1)
            ]
        );
        assert!(kept(&run(false)).is_empty());
    }

    #[test]
    fn of_those_that_are_run_nevertheless_only_those_of_the_run_count() {
        let found = &valid(&run(true))[0];
        assert_eq!((found.valid, found.of, found.kept), (1, 3, true));
        assert!(kept(&run(true)).contains("a__a-1"));
    }

    #[test]
    fn a_long_reason_is_cut() {
        assert_eq!(head(&"ä".repeat(99)).chars().count(), LONGEST + 1);
    }
}
