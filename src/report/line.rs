//! The one line that a finished trial takes, and how trials are named in lines.

use std::collections::BTreeSet;

use super::style::{Style, mark};
use super::text::{clock, left, right, sanitize, width};
use crate::record::{End, Outcome, PlannedTrial, Reason, RunRecord, TrialRecord};
use crate::run::seconds;

/// The widest that a task's or an agent's name is shown.
const WIDEST: usize = 40;

/// Widths that every line of a run shares.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    task: usize,
    agent: usize,
    /// Whether there is more than one agent, or model.
    several: bool,
    attempts: u32,
}

impl Columns {
    /// Wide enough for every trial of a plan.
    pub fn of(run: &RunRecord) -> Self {
        let widest = |texts: Vec<String>| {
            let widths = texts.iter().map(|text| width(text));
            widths.max().unwrap_or(0).min(WIDEST)
        };
        let tasks = run.tasks.iter().map(|task| sanitize(task.name.as_str()));
        let agents: BTreeSet<String> = run
            .trials
            .iter()
            .map(|planned| label(&planned.agent, planned.model.as_deref()))
            .collect();
        Self {
            task: widest(tasks.collect()),
            several: agents.len() > 1,
            agent: widest(agents.into_iter().collect()),
            attempts: run.attempts,
        }
    }

    /// As [`Columns::who`], without what is the same in every line of the run.
    pub fn who_briefly(&self, planned: &PlannedTrial) -> String {
        let mut who = left(&sanitize(planned.task.as_str()), self.task);
        if self.several {
            let label = label(&planned.agent, planned.model.as_deref());
            who.push_str(&format!("  {}", left(&label, self.agent)));
        }
        if self.attempts > 1 {
            who.push_str(&format!("  {}", self.attempt(planned.attempt)));
        }
        who
    }

    /// `1/3`.
    fn attempt(&self, attempt: u32) -> String {
        let attempts = self.attempts.max(attempt);
        let digits = attempts.to_string().len() * 2 + 1;
        right(&format!("{attempt}/{attempts}"), digits)
    }

    /// `repo/glob-star  loop  1/3`, aligned.
    pub fn who(&self, task: &str, agent: &str, model: Option<&str>, attempt: u32) -> String {
        format!(
            "{}  {}  {}",
            left(&sanitize(task), self.task),
            left(&label(agent, model), self.agent),
            self.attempt(attempt)
        )
    }

    /// The trial's name, its calls and its time, then what else is worth a word.
    pub fn finished(&self, record: &TrialRecord) -> String {
        self.line(record, &note(record))
    }

    fn line(&self, record: &TrialRecord, note: &str) -> String {
        let model = record.model.as_ref().map(|model| model.id.as_str());
        let who = self.who(
            record.task.name.as_str(),
            &record.agent.name,
            model,
            record.attempt,
        );
        let calls = record.trajectory.tool_calls;
        let noun = if calls == 1 { "call " } else { "calls" };
        let time = clock(seconds(record));
        let line = format!("{who}  {calls:>4} {noun}  {time:>5}   {note}");
        line.trim_end().to_owned()
    }

    /// As [`Columns::finished`], with the sign of its outcome in front; what the
    /// sign alone would not tell is said.
    pub fn marked(&self, record: &TrialRecord, style: Style) -> String {
        let sign = style.outcome(record.outcome, mark(record.outcome));
        let note = match record.outcome {
            Outcome::Tampered => format!("tampered: {}", note(record)),
            _ => note(record),
        };
        format!("  {sign} {}", self.line(record, &note))
    }
}

/// `loop`, or `loop · demo-1` with a model.
pub(super) fn label(agent: &str, model: Option<&str>) -> String {
    match model {
        Some(model) => sanitize(&format!("{agent} · {model}")),
        None => sanitize(agent),
    }
}

/// Why a trial is not resolved, and what ended its session, where that was not the
/// agent; empty where there is nothing to say.
fn note(record: &TrialRecord) -> String {
    let ended = match (record.outcome, record.trajectory.end) {
        // What a fault did to a session is said with the fault.
        (Outcome::Error, _) | (_, End::Submitted | End::Done) => String::new(),
        (_, end) => format!("ended {end}"),
    };
    let mut parts = vec![why(record), ended];
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

/// Why a trial is not resolved, in a few words; empty where it is.
pub(super) fn why(record: &TrialRecord) -> String {
    let verdict = &record.verdict;
    match record.outcome {
        Outcome::Resolved => match record.clean {
            Some(false) => sanitize(&format!("not clean: {}", flags(record))),
            _ => String::new(),
        },
        Outcome::Unresolved => match (&verdict.message, verdict.reason) {
            (Some(message), _) => sanitize(message),
            (None, Some(reason)) => reason_text(reason).to_owned(),
            (None, None) => String::new(),
        },
        Outcome::Tampered => {
            let message = verdict.message.clone();
            let why = message.unwrap_or_else(|| flags(record));
            sanitize(&why)
        }
        Outcome::Error => match &record.error {
            Some(fault) => sanitize(&format!(
                "{} error in {}: {}",
                fault.class, fault.phase, fault.message
            )),
            None => "error".to_owned(),
        },
    }
}

fn flags(record: &TrialRecord) -> String {
    let flags = record.verdict.flags.iter().map(|flag| flag.detail.as_str());
    flags.collect::<Vec<_>>().join(", ")
}

fn reason_text(reason: Reason) -> &'static str {
    match reason {
        Reason::TestsFailed => "expected tests did not pass",
        Reason::TestsMissing => "expected tests left no record",
        Reason::RewardBelow => "the reward is too low",
        Reason::NoVerdict => "the verifier gave no verdict",
        Reason::VerifierTimeout => "the verifier did not end in time",
        Reason::BuildFailed => "the build failed",
        Reason::BrokeVerifier => "what the agent left broke the verifier",
        Reason::ChangeTooLarge => "the change is too large",
        Reason::CaptureFailed => "the change could not be taken",
        Reason::RecordsContradict => "the verifier's signals contradict each other",
        Reason::NotTested => "a test passes whatever it expects",
        Reason::OfficialUnresolved => "the official rules say no",
        Reason::PatchDoesNotApply => "the patch does not apply",
        Reason::EmptyPatch => "the patch is empty",
        Reason::RequiredCallMissing => "a required call was not made",
        Reason::StepsUnreached => "not every step was begun",
        Reason::CallOrder => "calls were made in the wrong order",
        Reason::Other => "for a reason that this version does not know",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::fixture::{RecordBuilder, plan_of};

    #[test]
    fn an_end_that_the_agent_did_not_choose_is_said() {
        let ended = |outcome, end| {
            let record = RecordBuilder::of(&plan_of(&["a"]), 0)
                .outcome(outcome)
                .edit(|record| record.trajectory.end = end);
            note(&record.build())
        };
        assert_eq!(ended(Outcome::Resolved, End::MaxSteps), "ended max_steps");
        assert_eq!(ended(Outcome::Resolved, End::Done), "");
        assert_eq!(ended(Outcome::Unresolved, End::Submitted), "");
        assert_eq!(
            ended(Outcome::Error, End::ModelError),
            "engine error in sandbox: no such container"
        );
    }

    #[test]
    fn what_the_task_asks_of_calls_is_said() {
        let record = RecordBuilder::of(&plan_of(&["a"]), 0)
            .outcome(Outcome::Unresolved)
            .message(Reason::RequiredCallMissing, "`refund` was never called")
            .edit(|record| record.trajectory.end = End::Loop);
        assert_eq!(
            note(&record.build()),
            "`refund` was never called · ended loop"
        );
    }
}
