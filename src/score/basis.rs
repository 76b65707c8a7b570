//! What an outcome was decided by, as it is stored, and the same decision again.
//!
//! Owns the way from a trial's judgement and mishaps to its record and back. Must
//! not know files.

use super::outcome::{Cause, Mishap, Scored, clean, decide, with_calls};
use crate::record::{Basis, JudgedBasis, MishapRecord, Outcome, Reason, TrialRecord, Unmet};
use crate::verify::Judged;
use crate::verify::reference::ReferenceRun;
use crate::verify::{judge_again, judge_steps};

/// What is stored of what decides an outcome.
pub fn basis(
    resolved_at: f64,
    judged: Option<&Judged>,
    mishap: Option<&Mishap>,
    unmet: Option<&(Reason, String)>,
    reference: Option<&ReferenceRun>,
) -> Basis {
    let met = reference.and_then(|run| {
        let reason = run.solution.as_ref()?.reason?;
        run.meets_same_fault(reason).then_some(reason)
    });
    Basis {
        resolved_at,
        judged: judged.map(|judged| JudgedBasis {
            outcome: judged.outcome,
            reason: judged.reason,
            message: judged.message.clone(),
        }),
        mishap: mishap.map(stored),
        unmet: unmet.map(|(reason, message)| Unmet {
            reason: *reason,
            message: message.clone(),
        }),
        reference: met,
        steps: None,
    }
}

fn stored(mishap: &Mishap) -> MishapRecord {
    let (cause, reason, retryable) = match &mishap.cause {
        Cause::Ours { class, retryable } => (*class, None, *retryable),
        Cause::ModelUnreachable => ("model", None, true),
        Cause::Agents(reason) => ("agent", Some(*reason), false),
    };
    MishapRecord {
        cause: cause.to_owned(),
        reason,
        retryable,
        acted: mishap.acted,
        phase: mishap.phase.clone(),
        message: mishap.message.clone(),
    }
}

/// A mishap as it is stored, again as one.
pub fn mishap(stored: &MishapRecord) -> Mishap {
    let ours = |class| Cause::Ours {
        class,
        retryable: stored.retryable,
    };
    let cause = match stored.cause.as_str() {
        "agent" => Cause::Agents(stored.reason.unwrap_or(Reason::Other)),
        "model" => Cause::ModelUnreachable,
        "host" => ours("host"),
        "task" => ours("task"),
        "image" => ours("image"),
        _ => ours("engine"),
    };
    Mishap {
        cause,
        acted: stored.acted,
        phase: stored.phase.clone(),
        message: stored.message.clone(),
    }
}

/// An outcome that was decided again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// What the verifier would judge of the stored tests and rewards. None where the
    /// verifier was not reached.
    pub judged: Option<(Outcome, Option<Reason>)>,
    pub outcome: Outcome,
    pub reason: Option<Reason>,
    /// The class of the fault, where the outcome is `error`.
    pub class: Option<String>,
    pub clean: Option<bool>,
}

/// Decides the outcome of a stored trial again, by the rules that decided it first.
///
/// What only the verifier saw (it ran out of time, the build failed) is taken from
/// the record, since it can only lower what tests and rewards say. None where the
/// record does not say what its outcome was decided by.
pub fn decide_again(record: &TrialRecord) -> Option<Again> {
    let basis = record.basis.as_ref()?;
    let judged = basis
        .judged
        .as_ref()
        .map(|said| judged(record, basis, said));
    let mishap = basis.mishap.as_ref().map(self::mishap);
    let meets = |reason| basis.reference == Some(reason);
    let flags = &record.verdict.flags;
    let scored = decide(judged.as_ref(), flags, mishap.as_ref(), meets);
    let unmet = basis.unmet.clone();
    let scored: Scored = with_calls(scored, unmet.map(|unmet| (unmet.reason, unmet.message)));
    Some(Again {
        judged: judged.map(|judged| (judged.outcome, judged.reason)),
        outcome: scored.outcome,
        reason: scored.reason,
        class: scored.error.map(|fault| fault.class),
        clean: clean(scored.outcome, flags),
    })
}

/// The judgement that tests and rewards give, or the lower one that the verifier
/// gave for a reason of its own.
fn judged(record: &TrialRecord, basis: &Basis, said: &JudgedBasis) -> JudgedBasis {
    let verdict = &record.verdict;
    let (at, reward) = (basis.resolved_at, record.reward);
    if let Some(steps) = basis.steps {
        let again = judge_steps(&record.steps, steps, at);
        return JudgedBasis {
            outcome: again.outcome,
            reason: again.reason,
            message: said.message.clone(),
        };
    }
    let again = judge_again(&verdict.tests, reward, &record.rewards, at);
    let lowered = said.outcome != Outcome::Resolved && !follows_from_records(said.reason);
    match lowered {
        true => said.clone(),
        false => JudgedBasis {
            outcome: again.0,
            reason: again.1,
            message: said.message.clone(),
        },
    }
}

/// Whether a reason is nothing but what tests or rewards say.
fn follows_from_records(reason: Option<Reason>) -> bool {
    matches!(
        reason,
        None | Some(Reason::TestsFailed | Reason::TestsMissing | Reason::RewardBelow)
    )
}
