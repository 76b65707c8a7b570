//! The rule of outcomes.
//!
//! Owns who answers for what went wrong. Must not know how a judgement was made.

use crate::record::{Fault, Flag, Outcome, Reason};
use crate::verify::reference::ReferenceRun;
use crate::verify::{Judged, VerifyError};

/// The kind of a flag that says that a verdict was meddled with.
pub const TAMPERED: &str = "tampered";

/// Something that went wrong in a trial beside its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mishap {
    pub cause: Cause,
    /// Whether the agent had done anything by then.
    pub acted: bool,
    /// The phase that it happened in.
    pub phase: String,
    /// For people.
    pub message: String,
}

/// What was behind a mishap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The engine, the host, the image or the task failed by itself.
    Ours {
        /// `engine`, `host`, `image`, `task`, …
        class: &'static str,
        retryable: bool,
    },
    /// The model's endpoint stayed unreachable after its retries.
    ModelUnreachable,
    /// It happened to what the agent did or left: a limit of the sandbox, the
    /// helper that was killed, a change that breaks capture or verifier.
    Agents(Reason),
}

/// How a trial is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scored {
    pub outcome: Outcome,
    /// Why not resolved, where it is unresolved or tampered.
    pub reason: Option<Reason>,
    /// The reason in a sentence.
    pub message: Option<String>,
    /// The fault, where the outcome is `error`.
    pub error: Option<Fault>,
}

impl Mishap {
    /// A verification that came to no end of its own. The agent has acted by then.
    pub fn of_verifying(error: &VerifyError) -> Self {
        let ours = |class, retryable| Cause::Ours { class, retryable };
        let cause = match error {
            VerifyError::Broke { .. } => Cause::Agents(Reason::BrokeVerifier),
            VerifyError::Sandbox { .. } => ours("engine", true),
            VerifyError::Keep { .. } => ours("host", true),
            VerifyError::Hidden(_) => ours("task", false),
        };
        Self {
            cause,
            acted: true,
            phase: "verify".to_owned(),
            message: error.to_string(),
        }
    }

    fn fault(&self) -> Fault {
        let (class, retryable) = match &self.cause {
            Cause::Ours { class, retryable } => (*class, *retryable),
            Cause::ModelUnreachable => ("model", true),
            // Before the first action, or as the reference solution has it.
            Cause::Agents(_) => ("task", false),
        };
        Fault {
            class: class.to_owned(),
            phase: self.phase.clone(),
            message: self.message.clone(),
            retryable,
        }
    }
}

/// How a trial is counted, by these rules, the first that fits:
///
/// 1. A fault before the agent's first action is an `error`.
/// 2. What is judged resolved is resolved, whatever else went wrong later or
///    beside it; but tampered where a flag says so.
/// 3. A fault after the first action is an `error` where the engine or the host
///    failed by itself, or the model's endpoint stayed unreachable.
/// 4. A flag of tampering makes it `tampered`: the next rule excuses nobody who
///    meddled.
/// 5. Any other fault after the first action, and a verification that gave no
///    verdict, broke, or did not end, is an `error` where the reference solution
///    meets the same fault.
/// 6. All else is `unresolved`, with its reason. A limit of the sandbox that was
///    hit is the agent's doing, also where it killed the helper.
///
/// Neither a judgement nor a fault is an `error` of the harness. What ended the
/// agent's session decides nothing.
pub fn outcome(
    judged: Option<&Judged>,
    flags: &[Flag],
    mishap: Option<&Mishap>,
    reference: Option<&ReferenceRun>,
) -> Scored {
    let tampered = flags.iter().find(|flag| flag.kind == TAMPERED);
    let resolved = judged.is_some_and(|judged| judged.outcome == Outcome::Resolved);
    match mishap {
        Some(mishap) if !mishap.acted => return error(mishap.fault()),
        Some(mishap) if !resolved && !matches!(mishap.cause, Cause::Agents(_)) => {
            return error(mishap.fault());
        }
        _ => {}
    }
    let (reason, message, phase) = match (judged, mishap) {
        (Some(judged), _) if resolved => (None, judged.message.clone(), "verify"),
        (
            _,
            Some(Mishap {
                cause: Cause::Agents(reason),
                message,
                phase,
                ..
            }),
        ) => (Some(*reason), Some(message.clone()), phase.as_str()),
        (Some(judged), _) => (judged.reason, judged.message.clone(), "verify"),
        (None, _) => {
            return error(Fault {
                class: "harness".to_owned(),
                phase: "verify".to_owned(),
                message: "neither a verdict nor a fault was recorded".to_owned(),
                retryable: false,
            });
        }
    };
    if let Some(flag) = tampered {
        return Scored {
            outcome: Outcome::Tampered,
            reason,
            message: Some(flag.detail.clone()),
            error: None,
        };
    }
    let shared = reason
        .zip(reference)
        .is_some_and(|(reason, run)| run.meets_same_fault(reason));
    if shared {
        let said = message.unwrap_or_default();
        return error(Fault {
            class: "task".to_owned(),
            phase: phase.to_owned(),
            message: format!("the reference solution meets the same: {said}"),
            retryable: false,
        });
    }
    let outcome = if resolved {
        Outcome::Resolved
    } else {
        Outcome::Unresolved
    };
    Scored {
        outcome,
        reason,
        message,
        error: None,
    }
}

fn error(fault: Fault) -> Scored {
    Scored {
        outcome: Outcome::Error,
        reason: None,
        message: Some(fault.message.clone()),
        error: Some(fault),
    }
}

/// Resolved with no flag (a forbidden call, a write out of scope, …); none where
/// it is not resolved.
pub fn clean(outcome: Outcome, flags: &[Flag]) -> Option<bool> {
    (outcome == Outcome::Resolved).then_some(flags.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::record::{Digest, Evidence, Sees};
    use crate::verify::reference::{JudgedRecord, ReferenceKey};

    fn judged(reason: Option<Reason>) -> Judged {
        Judged {
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
            verifier: 1,
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
}
