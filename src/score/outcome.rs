//! The rule of outcomes.
//!
//! Owns who answers for what went wrong. Must not know how a judgement was made.

use crate::record::{Fault, Flag, JudgedBasis, Outcome, Reason};
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

impl Mishap {
    /// Of the agent's doing: what it made impossible.
    pub fn reason(&self) -> Option<Reason> {
        match self.cause {
            Cause::Agents(reason) => Some(reason),
            Cause::Ours { .. } | Cause::ModelUnreachable => None,
        }
    }

    /// Whether something failed that is not the agent's.
    pub fn is_fault(&self) -> bool {
        self.reason().is_none()
    }
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
    let verdict = judged.map(|judged| JudgedBasis {
        outcome: judged.outcome,
        reason: judged.reason,
        message: judged.message.clone(),
    });
    let meets = |reason| reference.is_some_and(|run| run.meets_same_fault(reason));
    decide(verdict.as_ref(), flags, mishap, meets)
}

/// The same rules, over what is stored of a judgement; `meets` says whether the
/// reference solution meets the same fault.
pub(super) fn decide(
    judged: Option<&JudgedBasis>,
    flags: &[Flag],
    mishap: Option<&Mishap>,
    meets: impl Fn(Reason) -> bool,
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
    if reason.is_some_and(meets) {
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

/// What a task asks of calls: where that was not done, what would be resolved is
/// not. The tests' own reason comes first.
pub fn with_calls(scored: Scored, unmet: Option<(Reason, String)>) -> Scored {
    match (scored.outcome, unmet) {
        (Outcome::Resolved, Some((reason, message))) => Scored {
            outcome: Outcome::Unresolved,
            reason: Some(reason),
            message: Some(message),
            error: None,
        },
        _ => scored,
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
#[path = "outcome_tests.rs"]
mod tests;
