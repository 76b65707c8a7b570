//! What stands behind a trial's verdict beside its tests: the official rules, probes, and
//! what of the change stayed behind.
//!
//! Owns the words for them. Must not know how any of them came to be.

use crate::record::{Probe, Verdict, Withheld};
use crate::report::text::{flowed, sanitize, wrapped};

/// The most paths that are named.
const PATHS: usize = 8;

/// What was asked of the verifier, a part each.
pub(super) fn probes(verdict: &Verdict, columns: usize) -> Vec<String> {
    let told = |probe: &Probe| {
        let what = match probe.kind.as_str() {
            "altered_expectations" => "refused with other expectations",
            "must_fail" => "covered by a test that must fail",
            "made_to_fail" => "refused where they were made to fail",
            other => other,
        };
        format!("{} of {} {}", probe.tests, probe.of, sanitize(what))
    };
    let mut parts: Vec<String> = verdict.probes.iter().map(told).collect();
    if verdict.runner_is_subject {
        parts.push("none: the runner is what the task is about".to_owned());
    }
    if verdict.probes.iter().any(|probe| !probe.held) {
        parts.push("did not hold".to_owned());
    }
    flowed(&parts, columns)
}

/// What the official rules say, and why that is not what the records say.
pub(super) fn official(verdict: &Verdict, columns: usize) -> Vec<String> {
    let Some(official) = &verdict.official else {
        return Vec::new();
    };
    let resolved = match official.resolved {
        true => "resolved",
        false => "not resolved",
    };
    let told = format!("{resolved} by the rules of swebench {}", official.rules);
    let mut lines = vec![sanitize(&told)];
    if let Some(why) = official.differs.as_ref().or(official.reason.as_ref()) {
        lines.extend(wrapped(&sanitize(why), columns));
    }
    lines
}

/// What the verifier has of its own.
pub(super) fn withheld(verdict: &Verdict, columns: usize) -> Vec<String> {
    let told = |own: &Withheld| format!("{} ({})", sanitize(&own.path), sanitize(&own.what));
    let mut parts: Vec<String> = verdict.withheld.iter().take(PATHS).map(told).collect();
    if let Some(more @ 1..) = verdict.withheld.len().checked_sub(PATHS) {
        parts.push(format!("{more} more"));
    }
    flowed(&parts, columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::OfficialRecord;
    use crate::report::fixture::records;

    #[test]
    fn what_was_probed_and_what_stayed_behind_is_said() {
        let mut verdict = records().remove(0).verdict;
        assert_eq!(probes(&verdict, 80), Vec::<String>::new());
        assert_eq!(withheld(&verdict, 80), Vec::<String>::new());
        let probe = |kind: &str, tests, held| Probe {
            kind: kind.to_owned(),
            held,
            exercised: true,
            tests,
            of: 7,
        };
        verdict.probes = vec![
            probe("altered_expectations", 5, true),
            probe("must_fail", 2, true),
        ];
        let said =
            "5 of 7 refused with other expectations · 2 of 7 covered by a test that must fail";
        assert_eq!(probes(&verdict, 100), [said]);
        verdict.runner_is_subject = true;
        assert!(probes(&verdict, 200)[0].ends_with("the runner is what the task is about"));
        verdict.runner_is_subject = false;
        verdict.probes[0].held = false;
        assert!(probes(&verdict, 200)[0].ends_with("did not hold"));
        let own = |n| Withheld {
            path: format!("tests/{n}.py"),
            what: "test file".into(),
        };
        verdict.withheld = (0..10).map(own).collect();
        let said = withheld(&verdict, 1000).join("");
        assert!(
            said.starts_with("tests/0.py (test file) · tests/1.py"),
            "{said}"
        );
        assert!(said.ends_with("2 more"), "{said}");
    }

    #[test]
    fn what_the_official_rules_say_is_shown_with_the_reason_why_it_differs() {
        let mut verdict = records().remove(0).verdict;
        assert_eq!(official(&verdict, 80), Vec::<String>::new());
        let mut record = OfficialRecord {
            rules: "5.0".into(),
            resolved: false,
            report: None,
            reason: Some("the patch is empty".into()),
            differs: None,
        };
        verdict.official = Some(record.clone());
        let said = "not resolved by the rules of swebench 5.0";
        assert_eq!(official(&verdict, 80), [said, "the patch is empty"]);
        record.resolved = true;
        record.differs = Some("the official rules were fooled".into());
        verdict.official = Some(record);
        let said = "resolved by the rules of swebench 5.0";
        assert_eq!(
            official(&verdict, 80),
            [said, "the official rules were fooled"]
        );
    }
}
