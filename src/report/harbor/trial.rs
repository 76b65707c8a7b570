//! A trial as Harbor's `TrialResult` and `TrialConfig`.

use serde_json::{Value, json};

use super::atif::{Part, dollars, prompt, spent};
use super::id::uuid;
use super::span::{Interval, Span, moment};
use super::verdict;
use crate::record::{AgentRef, ModelRef, RunRecord, Sees, TrialRecord, Usage};
use crate::trajectory::Event;

/// What a trial's results are made from.
pub struct Source<'a> {
    pub run: &'a RunRecord,
    pub record: &'a TrialRecord,
    /// The name of its folder in the export.
    pub folder: &'a str,
    pub parts: &'a [Part<'a>],
    pub span: Option<Span>,
}

impl Source<'_> {
    pub fn id(&self) -> String {
        uuid(&["trial", self.run.run.as_str(), self.record.trial.as_str()])
    }

    /// The folder of the task, as it was when the run was planned.
    fn task_path(&self) -> &str {
        let mut tasks = self.run.tasks.iter();
        let planned = tasks.find(|task| task.name == self.record.task.name);
        planned.map_or(self.record.task.source.as_str(), |task| task.path.as_str())
    }

    /// `config.json`
    pub fn config(&self) -> Value {
        let multiplier = self.run.settings["run"]["timeout_multiplier"].as_f64();
        json!({
            "task": { "path": self.task_path() },
            "trial_name": self.folder,
            "trials_dir": self.run.run,
            "timeout_multiplier": multiplier.unwrap_or(1.0),
            "agent": agent_config(&self.record.agent.name, self.record.model.as_ref().map(|model| model.id.as_str())),
            "environment": { "type": "docker" },
            "verifier": {},
            "artifacts": [],
            "job_id": uuid(&["job", self.run.run.as_str()]),
        })
    }

    /// `result.json`
    pub fn result(&self) -> Value {
        let record = self.record;
        let interval = |of: fn(&Span) -> Interval| {
            let some = self.span.as_ref().and_then(|span| of(span).some());
            some.map(|interval| interval.json())
        };
        let stepped = !record.steps.is_empty();
        let at = self.span.map(|span| match record.error {
            Some(_) => span.ended,
            None => span.verifier().to,
        });
        json!({
            "id": self.id(),
            "task_name": record.task.name,
            "trial_name": self.folder,
            // Says which trial it was, not where the export lies: that may be moved.
            "trial_uri": format!("proofyard:{}/{}", record.run, record.trial),
            "task_id": { "path": self.task_path() },
            "source": Value::Null,
            "task_checksum": record.task.digest.as_str().trim_start_matches("sha256:"),
            "config": self.config(),
            "agent_info": agent_info(&record.agent, record.model.as_ref()),
            "agent_result": self.agent_result(),
            "verifier_result": verdict::rewards(record).map(|rewards| json!({ "rewards": rewards })),
            "verifier_environment_mode": match (stepped, record.verdict.sees) {
                (true, _) => None,
                (_, Sees::Live) => Some("shared"),
                (_, Sees::Patch | Sees::Files) => Some("separate"),
            },
            "exception_info": verdict::exception(record).map(|exception| exception.json(at)),
            "started_at": self.span.map(|span| moment(span.began)),
            "finished_at": self.span.map(|span| moment(span.ended)),
            "environment_setup": interval(Span::set_up),
            "agent_setup": Value::Null,
            "agent_execution": interval(Span::agent),
            "verifier": interval(Span::verifier),
            "step_results": stepped.then(|| self.steps()),
        })
    }

    fn agent_result(&self) -> Value {
        let record = self.record;
        let mut context = tokens(record.model.as_ref(), &record.usage, record.cost_microusd);
        context["metadata"] = json!({ "proofyard": {
            "run": record.run,
            "trial": record.trial,
            "attempt": record.attempt,
            "outcome": record.outcome,
            "clean": record.clean,
            "end": record.trajectory.end,
            "evidence": record.verdict.evidence,
            "sees": record.verdict.sees,
            "reason": record.verdict.reason,
            "message": record.verdict.message,
            "flags": record.verdict.flags,
            "turns": record.trajectory.turns,
            "tool_calls": record.trajectory.tool_calls,
            "tool_errors": record.trajectory.tool_errors,
            "tool_use": record.tool_use,
            "timing_ms": record.timing_ms,
            "image": record.provenance.image,
            "warnings": record.warnings,
        }});
        context
    }

    fn steps(&self) -> Vec<Value> {
        let steps = self.record.steps.iter().enumerate();
        steps.map(|(index, _)| self.step(index)).collect()
    }

    /// What came of a step of the task. When it was acted in is known by its events;
    /// it was verified between the last of them and the next step's first.
    fn step(&self, index: usize) -> Value {
        let record = &self.record.steps[index];
        let events = self.events_of(index);
        let next = self.events_of(index + 1).and_then(|events| events.first());
        let acted = events.zip(self.span).and_then(|(events, span)| {
            Some(Interval {
                from: span.event(events.first()?.t_ms),
                to: span.event(events.last()?.t_ms),
            })
        });
        let verified = acted.zip(self.span).map(|(acted, span)| Interval {
            from: acted.to,
            to: match next {
                Some(event) => span.event(event.t_ms),
                None => span.verifier().to,
            }
            .max(acted.to),
        });
        let verified = verified.filter(|_| record.evidence.is_some());
        let at = verified.or(acted).map(|interval| interval.to);
        let usage = events.map(spent).unwrap_or_default();
        json!({
            "step_name": record.name,
            "agent_result": record.end.map(|_| tokens(self.record.model.as_ref(), &usage, None)),
            "verifier_result": verdict::step_rewards(record).map(|rewards| json!({ "rewards": rewards })),
            "exception_info": verdict::step_exception(record)
                .map(|exception| exception.json(at.or(self.span.map(|span| span.ended)))),
            "agent_execution": acted.map(|interval| interval.json()),
            "verifier": verified.map(|interval| interval.json()),
        })
    }

    fn events_of(&self, step: usize) -> Option<&[Event]> {
        let part = self.parts.iter().find(|part| part.step == Some(step))?;
        Some(part.events)
    }
}

/// An agent with a model, as a configuration names them.
pub fn agent_config(agent: &str, model: Option<&str>) -> Value {
    json!({ "name": agent, "model_name": model })
}

fn agent_info(agent: &AgentRef, model: Option<&ModelRef>) -> Value {
    json!({
        "name": agent.name,
        "version": agent.version,
        "model_info": model.map(|model| json!({
            "name": model.id,
            "provider": (!model.provider.is_empty()).then_some(&model.provider),
        })),
    })
}

/// Nothing for an agent without a model.
fn tokens(model: Option<&ModelRef>, usage: &Usage, cost: Option<i64>) -> Value {
    let Some(model) = model else {
        return json!({});
    };
    let spent = json!({
        "n_input_tokens": prompt(usage),
        "n_cache_tokens": usage.cache_read,
        "n_output_tokens": usage.output + usage.reasoning,
        "cost_usd": cost.map(dollars),
    });
    let mut context = spent.clone();
    context["model_usage"] = json!({ model.id.as_str(): spent });
    context
}
