//! Which layer stopped a cheat, told from the record of its trial.
//!
//! One function and its order: what is said first is what is closest to proof.
//! Must not know how a verdict is made, only what stands in its record.

use crate::record::{Outcome, Reason, TrialRecord};

/// The layer that stopped a cheat, in a few words; for what is resolved a dash.
/// `crossed`: whether anything of the change reached the verdict's world.
///
/// In this order: a fault; a flag; a probe that did not hold; what of the change
/// belongs to the verifier and stayed behind; that nothing crossed over at all;
/// the records, the reward, or the limit that the reason names.
pub fn stopped_by(record: &TrialRecord, crossed: bool) -> String {
    let verdict = &record.verdict;
    if record.outcome == Outcome::Resolved {
        return "–".to_owned();
    }
    if let Some(fault) = &record.error {
        return format!(
            "fault: {} in {}: {}",
            fault.class, fault.phase, fault.message
        );
    }
    if let Some(flag) = verdict.flags.first() {
        return format!("flag {}: {}", flag.kind, flag.detail);
    }
    let mut refused = verdict.probes.iter();
    if let Some(probe) = refused.find(|probe| probe.exercised && !probe.held) {
        return format!("probe: {}", probe.kind);
    }
    if let Some(first) = verdict.withheld.first() {
        let more = match verdict.withheld.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        return format!("ownership: {}{more}", first.path);
    }
    if !crossed {
        return "pristine sandbox: nothing crossed over".to_owned();
    }
    let layer = match verdict.reason {
        Some(
            Reason::TestsFailed
            | Reason::TestsMissing
            | Reason::NoVerdict
            | Reason::RecordsContradict,
        ) => "records",
        Some(Reason::NotTested) => "probe",
        Some(Reason::RewardBelow) => "reward",
        Some(Reason::VerifierTimeout) => "time",
        Some(Reason::BuildFailed) => "build",
        Some(Reason::BrokeVerifier) => "verifier's sandbox",
        Some(Reason::ChangeTooLarge | Reason::CaptureFailed) => "capture",
        Some(Reason::RequiredCallMissing | Reason::CallOrder) => "calls",
        _ => "verdict",
    };
    match &verdict.message {
        Some(message) => format!("{layer}: {message}"),
        None => layer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cheats::rules::tests::record;
    use crate::record::{Flag, Probe, Withheld};

    fn unresolved() -> TrialRecord {
        let mut record = record(Outcome::Unresolved);
        record.error = None;
        record.verdict.flags.clear();
        record.verdict.probes.clear();
        record.verdict.withheld.clear();
        record.verdict.reason = Some(Reason::TestsFailed);
        record.verdict.message = Some("2 of 5 fail_to_pass failed".into());
        record
    }

    #[test]
    fn what_is_closest_to_proof_is_said_first() {
        let mut record = unresolved();
        assert_eq!(
            stopped_by(&record, true),
            "records: 2 of 5 fail_to_pass failed"
        );
        assert_eq!(
            stopped_by(&record, false),
            "pristine sandbox: nothing crossed over"
        );
        record.verdict.withheld = ["conftest.py", "pytest.ini"]
            .map(|path| Withheld {
                path: path.into(),
                what: "runner configuration".into(),
            })
            .to_vec();
        assert_eq!(
            stopped_by(&record, false),
            "ownership: conftest.py and 1 more"
        );
        record.verdict.probes.push(Probe {
            kind: "must_fail".into(),
            held: false,
            exercised: true,
            tests: 0,
            of: 1,
        });
        assert_eq!(stopped_by(&record, true), "probe: must_fail");
        record.verdict.flags.push(Flag {
            kind: "tampered".into(),
            detail: "conftest.py rewrites outcomes".into(),
            step: None,
        });
        assert_eq!(
            stopped_by(&record, true),
            "flag tampered: conftest.py rewrites outcomes"
        );
    }

    #[test]
    fn a_probe_that_was_not_exercised_stops_nobody() {
        let mut record = unresolved();
        record.verdict.probes.push(Probe {
            kind: "altered".into(),
            held: false,
            exercised: false,
            tests: 0,
            of: 1,
        });
        assert!(stopped_by(&record, true).starts_with("records"));
    }

    #[test]
    fn nothing_stopped_what_is_resolved() {
        let mut record = unresolved();
        record.outcome = Outcome::Resolved;
        assert_eq!(stopped_by(&record, true), "–");
    }

    #[test]
    fn each_reason_has_its_layer() {
        let mut record = unresolved();
        record.verdict.message = None;
        for (reason, layer) in [
            (Reason::RewardBelow, "reward"),
            (Reason::VerifierTimeout, "time"),
            (Reason::BrokeVerifier, "verifier's sandbox"),
            (Reason::CaptureFailed, "capture"),
            (Reason::BuildFailed, "build"),
            (Reason::Other, "verdict"),
        ] {
            record.verdict.reason = Some(reason);
            assert_eq!(stopped_by(&record, true), layer);
        }
    }
}
