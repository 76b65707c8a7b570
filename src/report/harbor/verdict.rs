//! Outcomes as Harbor's rewards and exceptions.
//!
//! Harbor has no outcomes: a reader takes rewards for success, and an exception for
//! what went wrong. So a reward is there only where a verdict is, and one that was
//! forged is 0. Exceptions have the names of Harbor's own classes where one means the
//! same, since its readers decide by name what is whose fault; else names of ours.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::span::moment;
use crate::record::{End, Fault, Outcome, Reason, StepRecord, TrialRecord};

/// An exception, by Harbor's name of its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    pub class: String,
    pub message: String,
}

/// Named rewards; null where there is no verdict.
pub fn rewards(record: &TrialRecord) -> Option<Value> {
    let unknown = matches!(
        record.verdict.reason,
        Some(Reason::NoVerdict | Reason::VerifierTimeout)
    );
    match record.outcome {
        Outcome::Error => None,
        Outcome::Tampered => Some(json!({ "reward": 0.0 })),
        Outcome::Resolved => Some(named(record.reward, &record.rewards, 1.0)),
        Outcome::Unresolved if unknown => None,
        Outcome::Unresolved => Some(named(record.reward, &record.rewards, 0.0)),
    }
}

/// The rewards of a step; null where it was not verified.
pub fn step_rewards(step: &StepRecord) -> Option<Value> {
    step.evidence?;
    Some(named(step.reward, &step.rewards, 0.0))
}

/// A map as it is, a lone number as `reward`, else what the outcome says.
fn named(reward: Option<f64>, rewards: &BTreeMap<String, f64>, outcome: f64) -> Value {
    match (rewards.is_empty(), reward) {
        (false, _) => {
            let all = rewards
                .iter()
                .map(|(name, value)| (name.clone(), json!(value)));
            Value::Object(all.collect::<Map<String, Value>>())
        }
        (true, reward) => json!({ "reward": reward.unwrap_or(outcome) }),
    }
}

/// What went wrong in a trial. Of a task with steps that stands with them, but for a
/// fault that is not theirs.
pub fn exception(record: &TrialRecord) -> Option<Exception> {
    if let Some(fault) = &record.error {
        return Some(Exception {
            class: class(record, fault),
            message: format!("{}: {}", fault.phase, fault.message),
        });
    }
    if !record.steps.is_empty() {
        return None;
    }
    let verdict = &record.verdict;
    of_verdict(
        verdict.reason,
        verdict.message.as_deref(),
        !verdict.tests.is_empty(),
    )
    .or_else(|| of_end(record.trajectory.end))
}

/// What went wrong in a step.
pub fn step_exception(step: &StepRecord) -> Option<Exception> {
    let message = step.message.as_deref();
    let Some(end) = step.end else {
        return Some(Exception {
            class: "ProofyardStepError".into(),
            message: message.unwrap_or("the step was not begun").to_owned(),
        });
    };
    of_verdict(step.reason, message, false).or_else(|| of_end(end))
}

fn of_verdict(reason: Option<Reason>, message: Option<&str>, by_tests: bool) -> Option<Exception> {
    let class = match reason? {
        Reason::VerifierTimeout => "VerifierTimeoutError",
        Reason::NoVerdict => no_verdict(by_tests),
        _ => return None,
    };
    Some(Exception {
        class: class.to_owned(),
        message: message.unwrap_or("the verifier gave no verdict").to_owned(),
    })
}

fn no_verdict(by_tests: bool) -> &'static str {
    match by_tests {
        true => "VerifierOutputParseError",
        false => "RewardFileNotFoundError",
    }
}

/// Only what Harbor tells as an exception as well, and then counts the reward.
fn of_end(end: End) -> Option<Exception> {
    let (class, message) = match end {
        End::Timeout => ("AgentTimeoutError", "the agent's time was over"),
        End::ContextOverflow => (
            "ContextWindowExceededError",
            "the conversation did not fit into the model's context",
        ),
        End::Refused => ("AgentSafetyRefusalError", "the model refused"),
        _ => return None,
    };
    Some(Exception {
        class: class.to_owned(),
        message: message.to_owned(),
    })
}

/// The class of a fault.
fn class(record: &TrialRecord, fault: &Fault) -> String {
    let basis = record.basis.as_ref();
    let judged = basis.and_then(|basis| {
        let judged = basis.judged.as_ref().and_then(|judged| judged.reason);
        judged.or(basis.reference)
    });
    let late = fault.message.contains("answer within");
    match (fault.class.as_str(), fault.phase.as_str(), judged) {
        (_, _, Some(Reason::VerifierTimeout)) => "VerifierTimeoutError".into(),
        (_, _, Some(Reason::NoVerdict)) => no_verdict(!record.verdict.tests.is_empty()).into(),
        ("image", ..) => "SandboxBuildFailedError".into(),
        ("model", ..) => "ApiConnectionError".into(),
        ("task", "sandbox", _) => "HealthcheckError".into(),
        ("engine", "image" | "sandbox" | "checkout", _) if late => {
            "EnvironmentStartTimeoutError".into()
        }
        (class, ..) => format!("Proofyard{}Error", capital(class)),
    }
}

fn capital(word: &str) -> String {
    let mut signs = word.chars().filter(char::is_ascii_alphanumeric);
    let first = signs.next().map(|sign| sign.to_ascii_uppercase());
    first.into_iter().chain(signs).collect()
}

impl Exception {
    pub fn json(&self, at: Option<jiff::Timestamp>) -> Value {
        json!({
            "exception_type": self.class,
            "exception_message": self.message,
            "exception_traceback": format!("{}: {}", self.class, self.message),
            "occurred_at": moment(at.unwrap_or_default()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::record::*;
    use crate::run::fixture::{RecordBuilder, plan_of};

    #[test]
    fn a_reward_is_there_only_where_a_verdict_is_and_a_forged_one_is_none() {
        let plan = plan_of(&["a"]);
        let rewards = |outcome, edit: fn(&mut TrialRecord)| {
            let record = RecordBuilder::of(&plan, 0)
                .outcome(outcome)
                .edit(edit)
                .build();
            super::rewards(&record)
        };
        let named = |record: &mut TrialRecord| {
            record.rewards = [("a".to_owned(), 0.25), ("b".to_owned(), 1.0)].into();
        };
        let forged = |record: &mut TrialRecord| record.reward = Some(1.0);
        let silent = |record: &mut TrialRecord| record.verdict.reason = Some(Reason::NoVerdict);
        assert_eq!(
            rewards(Outcome::Resolved, |_| ()),
            Some(json!({"reward": 1.0}))
        );
        assert_eq!(
            rewards(Outcome::Unresolved, |_| ()),
            Some(json!({"reward": 0.0}))
        );
        assert_eq!(
            rewards(Outcome::Unresolved, named),
            Some(json!({"a": 0.25, "b": 1.0}))
        );
        assert_eq!(
            rewards(Outcome::Tampered, forged),
            Some(json!({"reward": 0.0}))
        );
        assert_eq!(rewards(Outcome::Unresolved, silent), None);
        assert_eq!(rewards(Outcome::Error, forged), None);
    }

    #[test]
    fn what_went_wrong_has_the_name_that_harbor_gives_it() {
        let plan = plan_of(&["a"]);
        let class = |outcome, edit: &dyn Fn(&mut TrialRecord)| {
            let record = RecordBuilder::of(&plan, 0)
                .outcome(outcome)
                .edit(edit)
                .build();
            super::exception(&record).map(|exception| exception.class)
        };
        let fault = |class: &'static str, phase: &'static str, message: &'static str| {
            move |record: &mut TrialRecord| {
                record.error = Some(Fault {
                    class: class.into(),
                    phase: phase.into(),
                    message: message.into(),
                    retryable: false,
                });
            }
        };
        let expected = [
            (
                ("image", "image", "it did not build"),
                "SandboxBuildFailedError",
            ),
            (("model", "model", "429"), "ApiConnectionError"),
            (
                ("task", "sandbox", "the health check failed"),
                "HealthcheckError",
            ),
            (
                (
                    "engine",
                    "sandbox",
                    "the helper did not answer within 60 s while starting",
                ),
                "EnvironmentStartTimeoutError",
            ),
            (
                ("engine", "verify", "no such container"),
                "ProofyardEngineError",
            ),
            (("harness", "agent", "a bug"), "ProofyardHarnessError"),
        ];
        for ((fault_class, phase, message), name) in expected {
            let told = class(Outcome::Error, &fault(fault_class, phase, message));
            assert_eq!(told.as_deref(), Some(name), "{fault_class} {phase}");
        }
        let ended = |end| {
            class(Outcome::Resolved, &move |record| {
                record.trajectory.end = end
            })
        };
        assert_eq!(ended(End::Timeout).as_deref(), Some("AgentTimeoutError"));
        assert_eq!(
            ended(End::MaxSteps),
            None,
            "Harbor would not count the reward"
        );
        let reason = |reason| {
            class(Outcome::Unresolved, &move |record| {
                record.verdict.reason = Some(reason)
            })
        };
        assert_eq!(
            reason(Reason::VerifierTimeout).as_deref(),
            Some("VerifierTimeoutError")
        );
        assert_eq!(
            reason(Reason::NoVerdict).as_deref(),
            Some("RewardFileNotFoundError")
        );
        assert_eq!(reason(Reason::TestsFailed), None);
    }
}
