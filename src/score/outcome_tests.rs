//! Facts about the rule of outcomes, line by line.

use std::collections::BTreeMap;

use super::*;
use crate::record::{Digest, Evidence, Sees};
use crate::verify::reference::{JudgedRecord, ReferenceKey};

fn judged(reason: Option<Reason>) -> Judged {
    Judged {
        shape: None,
        heard: None,
        proofs: Vec::new(),
        probes: Vec::new(),
        withheld: Vec::new(),
        hidden_read_only: None,
        official: None,
        outcome: if reason.is_none() {
            Outcome::Resolved
        } else {
            Outcome::Unresolved
        },
        reason,
        message: reason.map(|_| "what was wrong".to_owned()),
        evidence: Evidence::Records,
        tests: Vec::new(),
        reward: None,
        rewards: BTreeMap::new(),
    }
}

fn mishap(cause: Cause, acted: bool) -> Mishap {
    Mishap {
        cause,
        acted,
        phase: "agent".into(),
        message: "it broke".into(),
    }
}

fn engine() -> Cause {
    Cause::Ours {
        class: "engine",
        retryable: true,
    }
}

fn reference(reason: Reason) -> ReferenceRun {
    let key = ReferenceKey {
        task: Digest::new("sha256:aa"),
        image: "sha256:bb".into(),
        sees: Sees::Patch,
        held: true,
        verifier: 1,
        rules: None,
        ground: None,
    };
    let met = JudgedRecord::fault(reason, "met".into());
    ReferenceRun::new(key, Some(met.clone()), met, "2026-01-01T00:00:00Z".into())
}

fn tampered() -> Vec<Flag> {
    let detail = "conftest.py rewrites outcomes".to_owned();
    vec![Flag {
        kind: TAMPERED.to_owned(),
        detail,
        step: Some(7),
    }]
}

#[test]
fn a_fault_before_the_first_action_is_an_error() {
    for cause in [
        engine(),
        Cause::ModelUnreachable,
        Cause::Agents(Reason::CaptureFailed),
    ] {
        let scored = outcome(Some(&judged(None)), &[], Some(&mishap(cause, false)), None);
        assert_eq!(scored.outcome, Outcome::Error);
        assert_eq!(scored.error.unwrap().message, "it broke");
    }
}

#[test]
fn what_is_judged_stands() {
    let scored = outcome(Some(&judged(None)), &[], None, None);
    assert_eq!(
        (scored.outcome, scored.reason, scored.error),
        (Outcome::Resolved, None, None)
    );
    let scored = outcome(Some(&judged(Some(Reason::TestsFailed))), &[], None, None);
    assert_eq!(
        (scored.outcome, scored.reason),
        (Outcome::Unresolved, Some(Reason::TestsFailed))
    );
    assert_eq!(scored.message.as_deref(), Some("what was wrong"));
}

#[test]
fn a_resolved_trial_stays_resolved_when_the_model_went_away_later() {
    for cause in [
        engine(),
        Cause::ModelUnreachable,
        Cause::Agents(Reason::CaptureFailed),
    ] {
        let scored = outcome(Some(&judged(None)), &[], Some(&mishap(cause, true)), None);
        assert_eq!(scored.outcome, Outcome::Resolved);
    }
}

#[test]
fn an_engine_that_fails_by_itself_is_an_error() {
    let scored = outcome(None, &[], Some(&mishap(engine(), true)), None);
    let fault = scored.error.unwrap();
    assert_eq!(
        (scored.outcome, fault.class.as_str(), fault.retryable),
        (Outcome::Error, "engine", true)
    );
    assert_eq!(fault.phase, "agent");
}

#[test]
fn a_model_that_stays_unreachable_is_an_error() {
    let judged = judged(Some(Reason::TestsFailed));
    let scored = outcome(
        Some(&judged),
        &[],
        Some(&mishap(Cause::ModelUnreachable, true)),
        None,
    );
    assert_eq!(scored.error.unwrap().class, "model");
}

#[test]
fn a_limit_that_was_hit_is_the_agents() {
    let mishap = mishap(Cause::Agents(Reason::BrokeVerifier), true);
    let scored = outcome(None, &[], Some(&mishap), None);
    assert_eq!(
        (scored.outcome, scored.reason),
        (Outcome::Unresolved, Some(Reason::BrokeVerifier))
    );
    assert_eq!(scored.message.as_deref(), Some("it broke"));
    let other = reference(Reason::VerifierTimeout);
    assert_eq!(
        outcome(None, &[], Some(&mishap), Some(&other)).outcome,
        Outcome::Unresolved
    );
}

#[test]
fn a_fault_that_the_reference_solution_meets_too_is_an_error() {
    let same = reference(Reason::BrokeVerifier);
    let mishap = mishap(Cause::Agents(Reason::BrokeVerifier), true);
    let fault = outcome(None, &[], Some(&mishap), Some(&same))
        .error
        .unwrap();
    assert_eq!(fault.class, "task");
    assert_eq!(
        fault.message,
        "the reference solution meets the same: it broke"
    );
    let judged = judged(Some(Reason::NoVerdict));
    let scored = outcome(
        Some(&judged),
        &[],
        None,
        Some(&reference(Reason::NoVerdict)),
    );
    assert_eq!(scored.outcome, Outcome::Error);
    assert_eq!(
        outcome(Some(&judged), &[], None, None).outcome,
        Outcome::Unresolved
    );
}

#[test]
fn failing_tests_are_no_fault_that_a_reference_could_share() {
    let judged = judged(Some(Reason::TestsFailed));
    let scored = outcome(
        Some(&judged),
        &[],
        None,
        Some(&reference(Reason::TestsFailed)),
    );
    assert_eq!(scored.outcome, Outcome::Unresolved);
}

#[test]
fn tampering_outweighs_a_pass_and_an_excuse() {
    let scored = outcome(Some(&judged(None)), &tampered(), None, None);
    assert_eq!(scored.outcome, Outcome::Tampered);
    assert_eq!(
        scored.message.as_deref(),
        Some("conftest.py rewrites outcomes")
    );
    let judged = judged(Some(Reason::NoVerdict));
    let scored = outcome(
        Some(&judged),
        &tampered(),
        None,
        Some(&reference(Reason::NoVerdict)),
    );
    assert_eq!(scored.outcome, Outcome::Tampered);
    let scored = outcome(None, &tampered(), Some(&mishap(engine(), true)), None);
    assert_eq!(scored.outcome, Outcome::Error);
}

#[test]
fn no_verdict_and_no_fault_is_the_harness_at_fault() {
    assert_eq!(
        outcome(None, &[], None, None).error.unwrap().class,
        "harness"
    );
}

#[test]
fn what_breaks_a_verification_is_told_by_its_cause() {
    let broke = VerifyError::Broke {
        doing: "run pytest",
        cause: "out of memory".into(),
        out_of_memory: true,
    };
    let mishap = Mishap::of_verifying(&broke);
    assert_eq!(mishap.cause, Cause::Agents(Reason::BrokeVerifier));
    assert_eq!(
        (mishap.acted, mishap.message.as_str()),
        (true, "run pytest: out of memory")
    );
    let keep = VerifyError::Keep {
        path: "x".into(),
        source: std::io::Error::other("full"),
    };
    assert_eq!(
        Mishap::of_verifying(&keep).cause,
        Cause::Ours {
            class: "host",
            retryable: true
        }
    );
}

#[test]
fn clean_is_resolved_without_a_flag() {
    let flag = Flag {
        kind: "forbidden_call".into(),
        detail: "git log --all".into(),
        step: None,
    };
    assert_eq!(clean(Outcome::Resolved, &[]), Some(true));
    assert_eq!(
        clean(Outcome::Resolved, std::slice::from_ref(&flag)),
        Some(false)
    );
    for other in [Outcome::Unresolved, Outcome::Tampered, Outcome::Error] {
        assert_eq!(clean(other, &[]), None);
    }
}
