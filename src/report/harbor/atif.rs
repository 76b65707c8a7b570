//! A trajectory in ATIF 1.8, the Agent Trajectory Interchange Format.
//!
//! What a system, a user or a model said is a step; calls and their results stand with
//! the turn that made them. Agents without a model make a step of each call, which no
//! inference stands behind. Events of the harness stand in `extra` of the step before.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::span::{Span, moment};
use crate::record::{TrialRecord, Usage};
use crate::trajectory::{Event, EventKind, results};

pub const VERSION: &str = "ATIF-v1.8";

/// The events of a step of the task, or of a task without steps all of them.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// By its place among the steps of the record.
    pub step: Option<usize>,
    pub events: &'a [Event],
}

/// The events, parted where steps of the task begin. What comes before the first one
/// belongs to it.
pub fn parts<'a>(record: &TrialRecord, events: &'a [Event]) -> Vec<Part<'a>> {
    let begins = |event: &Event| event.event.as_deref() == Some("step");
    let mut borders: Vec<usize> = (0..events.len())
        .filter(|at| begins(&events[*at]))
        .collect();
    borders.truncate(record.steps.len());
    if borders.is_empty() {
        return vec![Part { step: None, events }];
    }
    borders[0] = 0;
    let ends = borders[1..].iter().copied().chain([events.len()]);
    let ranges = borders.iter().zip(ends).enumerate();
    ranges
        .map(|(step, (from, to))| Part {
            step: Some(step),
            events: &events[*from..to],
        })
        .collect()
}

/// A trajectory; none where nothing was said or called, since ATIF has none of that
/// kind. `session` ties the trajectories of a trial together.
pub fn trajectory(
    record: &TrialRecord,
    part: Part<'_>,
    span: Option<Span>,
    session: &str,
) -> Option<Value> {
    let steps = Steps::of(part.events, span);
    if steps.done.is_empty() {
        return None;
    }
    let name = part.step.map(|step| record.steps[step].name.as_str());
    let mut whole = json!({
        "schema_version": VERSION,
        "session_id": session,
        "trajectory_id": match name {
            Some(name) => format!("{session}/{name}"),
            None => session.to_owned(),
        },
        "agent": agent(record, part.events),
        "final_metrics": final_metrics(record, part, steps.done.len()),
        "extra": { "run": record.run, "trial": record.trial, "end": end(record, part) },
        "steps": steps.done,
    });
    if !steps.before.is_empty() {
        whole["extra"]["before"] = Value::Array(steps.before);
    }
    Some(whole)
}

/// What ended the agent's session.
fn end(record: &TrialRecord, part: Part<'_>) -> Value {
    match part.step {
        Some(step) => json!(record.steps[step].end),
        None => json!(record.trajectory.end),
    }
}

fn agent(record: &TrialRecord, events: &[Event]) -> Value {
    let mut agent = json!({ "name": record.agent.name, "version": record.agent.version });
    if let Some(model) = &record.model {
        agent["model_name"] = json!(model.id);
        agent["extra"] = json!({ "provider": model.provider, "setup": record.setup });
    }
    let offered = events
        .iter()
        .find_map(|event| event.tools.as_ref()?.as_array());
    if let Some(tools) = offered {
        let all = tools.iter().filter(|tool| tool.is_object());
        let functions = all.map(|tool| json!({ "type": "function", "function": tool }));
        agent["tool_definitions"] = functions.collect();
    }
    agent
}

fn final_metrics(record: &TrialRecord, part: Part<'_>, steps: usize) -> Value {
    let mut metrics = json!({ "total_steps": steps });
    if record.model.is_none() {
        return metrics;
    }
    let usage = match part.step {
        None => record.usage,
        Some(_) => spent(part.events),
    };
    metrics["total_prompt_tokens"] = json!(prompt(&usage));
    metrics["total_completion_tokens"] = json!(usage.output + usage.reasoning);
    metrics["total_cached_tokens"] = json!(usage.cache_read);
    // What a single turn or step cost is not on record.
    if let (None, Some(cost)) = (part.step, record.cost_microusd) {
        metrics["total_cost_usd"] = json!(dollars(cost));
    }
    metrics["extra"] = more(&usage);
    metrics
}

/// Tokens of all turns.
pub fn spent(events: &[Event]) -> Usage {
    let mut usage = Usage::default();
    for turn in events.iter().filter_map(|event| event.usage) {
        usage += turn;
    }
    usage
}

/// With what the cache gave.
pub fn prompt(usage: &Usage) -> u64 {
    usage.input + usage.cache_read + usage.cache_write
}

pub fn dollars(micro: i64) -> f64 {
    micro as f64 / 1e6
}

fn more(usage: &Usage) -> Value {
    json!({ "reasoning_tokens": usage.reasoning, "cache_write_tokens": usage.cache_write })
}

/// Steps as they come about.
struct Steps<'a> {
    done: Vec<Value>,
    /// Events of the harness that came before the first step.
    before: Vec<Value>,
    /// Ids of calls in the last step.
    ids: HashSet<String>,
    /// Whether the last step is a turn of a model, which further calls belong to.
    open: bool,
    span: Option<Span>,
    /// By the place of the call.
    results: HashMap<usize, &'a Event>,
}

impl<'a> Steps<'a> {
    fn of(events: &'a [Event], span: Option<Span>) -> Self {
        let mut steps = Self {
            done: Vec::new(),
            before: Vec::new(),
            ids: HashSet::new(),
            open: false,
            span,
            results: results(events),
        };
        let matched: HashSet<u64> = steps.results.values().map(|result| result.seq).collect();
        for (at, event) in events.iter().enumerate() {
            match event.kind {
                EventKind::System => steps.say("system", event),
                EventKind::User => steps.say("user", event),
                EventKind::Assistant => steps.turn(event),
                EventKind::ToolCall => steps.call(at, event),
                EventKind::ToolResult if matched.contains(&event.seq) => {}
                EventKind::ToolResult => steps.note("result_without_call", event),
                EventKind::Harness if event.event.as_deref() == Some("step") => {}
                EventKind::Harness => {
                    steps.note(event.event.as_deref().unwrap_or("harness"), event);
                }
            }
        }
        steps
    }

    fn begin(&mut self, source: &str, event: &Event) -> &mut Map<String, Value> {
        let mut step = Map::new();
        step.insert("step_id".into(), json!(self.done.len() + 1));
        if let Some(span) = self.span {
            step.insert("timestamp".into(), json!(moment(span.event(event.t_ms))));
        }
        step.insert("source".into(), json!(source));
        step.insert(
            "message".into(),
            json!(event.text.as_deref().unwrap_or_default()),
        );
        self.ids.clear();
        self.open = false;
        self.done.push(Value::Object(step));
        self.last()
    }

    /// The step that was begun last; there is one.
    fn last(&mut self) -> &mut Map<String, Value> {
        match self.done.last_mut() {
            Some(Value::Object(step)) => step,
            _ => unreachable!("steps are objects, and one was begun"),
        }
    }

    fn say(&mut self, source: &str, event: &Event) {
        self.begin(source, event);
    }

    fn turn(&mut self, event: &Event) {
        let step = self.begin("agent", event);
        step.insert("llm_call_count".into(), json!(1));
        if let Some(model) = &event.model {
            step.insert("model_name".into(), json!(model));
        }
        if let Some(reasoning) = &event.reasoning {
            step.insert("reasoning_content".into(), json!(reasoning));
        }
        if let Some(usage) = &event.usage {
            let metrics = json!({
                "prompt_tokens": prompt(usage),
                "completion_tokens": usage.output + usage.reasoning,
                "cached_tokens": usage.cache_read,
                "extra": more(usage),
            });
            step.insert("metrics".into(), metrics);
        }
        let extra = some(&[("finish", json!(event.finish)), ("ms", json!(event.ms))]);
        step.insert("extra".into(), extra);
        self.open = true;
    }

    fn call(&mut self, at: usize, event: &Event) {
        if !self.open {
            let step = self.begin("agent", event);
            step.insert("llm_call_count".into(), json!(0));
        }
        let id = self.unique(event);
        let arguments = event.arguments.as_ref();
        let right = arguments.filter(|arguments| arguments.is_object());
        let call = json!({
            "tool_call_id": id,
            "function_name": event.tool.as_deref().unwrap_or_default(),
            "arguments": right.cloned().unwrap_or_else(|| json!({})),
            "extra": some(&[
                ("seq", json!(event.seq)),
                ("raw", json!(event.raw)),
                ("invalid", json!(event.invalid)),
                ("arguments", json!(arguments.filter(|_| right.is_none()))),
            ]),
        });
        let result = self.results.get(&at).map(|result| observed(&id, result));
        let step = self.last();
        list(step, "tool_calls").push(call);
        if let Some(result) = result {
            let observation = step.entry("observation").or_insert_with(|| json!({}));
            if let Some(observation) = observation.as_object_mut() {
                list(observation, "results").push(result);
            }
        }
    }

    /// The id of a call, made unique within its step.
    fn unique(&mut self, event: &Event) -> String {
        let id = match event.id.as_deref() {
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => format!("call-{}", event.seq),
        };
        let named = (2..).map(|again| format!("{id}#{again}"));
        let mut names = [id.clone()].into_iter().chain(named);
        let free = names.find(|name| !self.ids.contains(name)).unwrap_or(id);
        self.ids.insert(free.clone());
        free
    }

    /// Something that is nobody's step.
    fn note(&mut self, name: &str, event: &Event) {
        let told = some(&[
            ("event", json!(name)),
            ("text", json!(event.text.as_ref().or(event.output.as_ref()))),
            ("t_ms", json!(event.t_ms)),
            ("ms", json!(event.ms)),
        ]);
        if self.done.is_empty() {
            self.before.push(told);
            return;
        }
        let extra = self.last().entry("extra").or_insert_with(|| json!({}));
        if let Some(extra) = extra.as_object_mut() {
            list(extra, "events").push(told);
        }
    }
}

/// What an agent was given for a call: the output, and what was wrong.
fn observed(id: &str, result: &Event) -> Value {
    let parts = [result.output.as_deref(), result.error.as_deref()];
    let said: Vec<&str> = parts
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .collect();
    json!({
        "source_call_id": id,
        "content": said.join("\n"),
        "extra": some(&[
            ("ok", json!(result.ok)),
            ("error", json!(result.error)),
            ("exit_code", json!(result.exit_code)),
            ("truncated", json!(result.truncated)),
            ("ms", json!(result.ms)),
        ]),
    })
}

/// An object of what is not null.
fn some(fields: &[(&str, Value)]) -> Value {
    let known = fields.iter().filter(|(_, value)| !value.is_null());
    let named = known.map(|(name, value)| ((*name).to_owned(), value.clone()));
    Value::Object(named.collect())
}

/// The list of a name, made where there is none.
fn list<'m>(map: &'m mut Map<String, Value>, name: &str) -> &'m mut Vec<Value> {
    let value = map.entry(name).or_insert_with(|| json!([]));
    match value {
        Value::Array(all) => all,
        _ => unreachable!("what is a list is made here alone"),
    }
}
