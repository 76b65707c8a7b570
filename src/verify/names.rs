//! Expected names in the spelling of an official log parser, and the records that they
//! mean. Must not know how records were had.

use super::junit::badness;
use super::pytest::{Record, Records};
use crate::swebench::names::{self, Candidates};

/// The records, and for each expected name that none of them has, what the ones that it
/// may mean come to: the worst of them, so that all have to pass.
pub fn spelled(parser: &str, expected: &[&str], records: &Records) -> Records {
    let ids: Vec<&str> = records.iter().map(|(id, _)| id).collect();
    let all: Vec<names::Record<'_>> = ids.iter().map(|id| names::Record::of(id)).collect();
    let known: Vec<&Record> = records.iter().map(|(_, record)| record).collect();
    let candidates = Candidates::of(parser, expected.iter().copied(), &all);
    let mut spelled = records.clone();
    for name in expected {
        let meant = candidates.get(name).iter().filter_map(|at| known.get(*at));
        let worst = meant.max_by_key(|record| badness(record.state));
        if let (Some(worst), false) = (worst, ids.contains(name)) {
            spelled.put((*name).to_owned(), (*worst).clone());
        }
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TestState;

    fn records(states: &[(&str, TestState)]) -> Records {
        let mut records = Records::default();
        for (id, state) in states {
            let record = Record {
                state: *state,
                ms: 1,
                message: None,
            };
            records.put((*id).to_owned(), record);
        }
        records
    }

    #[test]
    fn a_name_that_was_cut_off_passes_when_all_that_it_may_mean_do() {
        let cut = "tests/a.py::t[x";
        let state = |states: &[(&str, TestState)]| {
            let spelled = spelled("pytest", &[cut], &records(states));
            spelled.of(cut).map(|record| record.state)
        };
        let (one, two) = ("tests/a.py::t[x y]", "tests/a.py::t[x z]");
        use TestState::{Failed, Passed};
        assert_eq!(state(&[(one, Passed), (two, Passed)]), Some(Passed));
        assert_eq!(state(&[(one, Passed), (two, Failed)]), Some(Failed));
        assert_eq!(state(&[("tests/a.py::t[w]", Passed)]), None);
    }
}
