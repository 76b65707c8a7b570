//! What is to be done: tasks × agents × attempts, frozen.
//!
//! Owns the order of trials and what a plan refuses. Must not know how a trial
//! is performed or where a run is stored.

use std::collections::HashMap;

use crate::record::{
    AgentRef, DataSetRecord, Digest, EngineRecord, HostRecord, ModelRef, PlannedTask, PlannedTrial,
    RUN_SCHEMA, RunId, RunRecord, TaskId, TrialId,
};
use crate::task::Task;

/// The longest name of a trial's folder, bytes; file systems end at 255, and
/// temporary names need room.
const LONGEST: usize = 200;

/// A plan that cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("there is no task to run")]
    NoTasks,
    #[error("there is no agent to run")]
    NoAgents,
    #[error("`attempts` must be at least 1")]
    NoAttempts,
    #[error("the task `{task}` is named twice: {first} and {second}")]
    SameTask {
        task: TaskId,
        first: String,
        second: String,
    },
    #[error("the agent `{agent}` is named twice")]
    SameAgent { agent: String },
    #[error(
        "two trials would have the name `{trial}`: {first} and {second} differ only in characters that file names cannot hold"
    )]
    SameTrial {
        trial: TrialId,
        first: String,
        second: String,
    },
    #[error("the name of a trial cannot be a folder's ({why}): `{trial}`")]
    TrialName { trial: TrialId, why: &'static str },
    #[error("the run cannot be named `{name}`: {why}")]
    RunName { name: String, why: &'static str },
    #[error(
        "the task `{task}` declares {wanted_mib} MiB of memory and this machine has {machine_mib} MiB"
    )]
    Memory {
        task: TaskId,
        wanted_mib: u64,
        machine_mib: u64,
    },
    #[error("the task `{task}` is no longer what was planned: {planned} then, {now} now")]
    TaskChanged {
        task: TaskId,
        planned: Digest,
        now: Digest,
    },
    #[error(
        "{who} is no longer what was planned: {planned} then, {now} now; trials of two different ones cannot be compared"
    )]
    ContenderChanged {
        /// `the agent `x``, `the model `y``.
        who: String,
        planned: Digest,
        now: Digest,
    },
    #[error("the task `{task}` of the plan is missing")]
    TaskGone { task: TaskId },
}

/// An agent, with the model that it talks to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contender {
    pub agent: AgentRef,
    /// None for agents without one.
    pub model: Option<ModelRef>,
}

/// What a plan is made from.
#[derive(Debug, Clone)]
pub struct PlanInput<'a> {
    pub run: RunId,
    pub tasks: &'a [Task],
    pub contenders: Vec<Contender>,
    /// Of each contender at each task.
    pub attempts: u32,
    /// The command line, as given.
    pub command: Vec<String>,
    pub host: HostRecord,
    pub engine: EngineRecord,
    /// The settings in force.
    pub settings: serde_json::Value,
    pub warnings: Vec<String>,
    pub data_sets: Vec<DataSetRecord>,
}

/// Freezes a plan. First attempts of every agent at every task come first, task
/// by task, so that early results are broad and a task's image serves all agents.
///
/// # Errors
/// [`PlanError`]: nothing to do, or trials that could not be told apart.
pub fn plan(input: PlanInput<'_>) -> Result<RunRecord, PlanError> {
    if input.tasks.is_empty() {
        return Err(PlanError::NoTasks);
    }
    if input.contenders.is_empty() {
        return Err(PlanError::NoAgents);
    }
    if input.attempts == 0 {
        return Err(PlanError::NoAttempts);
    }
    refuse_twins(&input)?;
    let trials = trials(&input)?;
    let mut agents: Vec<AgentRef> = Vec::new();
    let mut models: Vec<ModelRef> = Vec::new();
    for contender in input.contenders {
        if !agents.contains(&contender.agent) {
            agents.push(contender.agent);
        }
        models.extend(contender.model.filter(|model| !models.contains(model)));
    }
    Ok(RunRecord {
        schema: RUN_SCHEMA.to_owned(),
        run: input.run,
        created_at: jiff::Timestamp::now().to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: input.command,
        host: input.host,
        engine: input.engine,
        tasks: input.tasks.iter().map(planned_task).collect(),
        agents,
        models,
        attempts: input.attempts,
        trials,
        settings: input.settings,
        data_sets: input.data_sets,
        warnings: input.warnings,
        regrades: None,
        grades: None,
    })
}

fn planned_task(task: &Task) -> PlannedTask {
    PlannedTask {
        name: task.id.clone(),
        path: task.dir.display().to_string(),
        source: task.source.clone(),
        digest: task.digest.clone(),
    }
}

fn refuse_twins(input: &PlanInput<'_>) -> Result<(), PlanError> {
    let mut seen: HashMap<&TaskId, &Task> = HashMap::new();
    for task in input.tasks {
        if let Some(first) = seen.insert(&task.id, task) {
            return Err(PlanError::SameTask {
                task: task.id.clone(),
                first: first.source.clone(),
                second: task.source.clone(),
            });
        }
    }
    for (index, contender) in input.contenders.iter().enumerate() {
        let twin = |other: &Contender| {
            other.agent.name == contender.agent.name && other.model == contender.model
        };
        if input.contenders[..index].iter().any(twin) {
            return Err(PlanError::SameAgent {
                agent: contender.agent.name.clone(),
            });
        }
    }
    Ok(())
}

fn trials(input: &PlanInput<'_>) -> Result<Vec<PlannedTrial>, PlanError> {
    let mut trials = Vec::new();
    let mut seen: HashMap<TrialId, String> = HashMap::new();
    for attempt in 1..=input.attempts {
        for task in input.tasks {
            for contender in &input.contenders {
                let agent = &contender.agent.name;
                let model = contender.model.as_ref().map(|model| model.id.as_str());
                let trial = TrialId::compose(&task.id, agent, model, attempt);
                check_name(&trial)?;
                let spelled = format!("`{}` by `{agent}`", task.id);
                if let Some(first) = seen.insert(trial.clone(), spelled.clone()) {
                    return Err(PlanError::SameTrial {
                        trial,
                        first,
                        second: spelled,
                    });
                }
                trials.push(PlannedTrial {
                    trial,
                    task: task.id.clone(),
                    agent: agent.clone(),
                    model: model.map(str::to_owned),
                    attempt,
                });
            }
        }
    }
    Ok(trials)
}

fn check_name(trial: &TrialId) -> Result<(), PlanError> {
    let refuse = |why| PlanError::TrialName {
        trial: trial.clone(),
        why,
    };
    if trial.as_str().len() > LONGEST {
        return Err(refuse("it is longer than 200 bytes"));
    }
    // Names with a dot are ours: `.partial-…`.
    if trial.as_str().starts_with('.') {
        return Err(refuse("it begins with a dot"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::fixture::{agent, input, task};

    fn order(run: &RunRecord) -> Vec<&str> {
        run.trials.iter().map(|t| t.trial.as_str()).collect()
    }

    #[test]
    fn first_attempts_at_every_task_come_first() {
        let tasks = [task("a"), task("b")];
        let run = plan(PlanInput {
            contenders: vec![agent("oracle"), agent("nop")],
            attempts: 2,
            ..input(&tasks)
        })
        .unwrap();
        assert_eq!(
            order(&run),
            [
                "a--oracle--1",
                "a--nop--1",
                "b--oracle--1",
                "b--nop--1",
                "a--oracle--2",
                "a--nop--2",
                "b--oracle--2",
                "b--nop--2",
            ]
        );
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        let same = [task("a"), task("a")];
        assert!(matches!(
            plan(input(&same)),
            Err(PlanError::SameTask { .. })
        ));
        let alike = [task("a/b"), task("a__b")];
        assert!(matches!(
            plan(input(&alike)),
            Err(PlanError::SameTrial { .. })
        ));
        let one = [task("a")];
        let twice = PlanInput {
            contenders: vec![agent("nop"), agent("nop")],
            ..input(&one)
        };
        assert!(matches!(plan(twice), Err(PlanError::SameAgent { .. })));
    }

    #[test]
    fn names_that_are_ours_or_too_long_are_refused() {
        for name in [".partial-x".to_owned(), "x".repeat(300)] {
            let tasks = [task(&name)];
            assert!(matches!(
                plan(input(&tasks)),
                Err(PlanError::TrialName { .. })
            ));
        }
    }

    #[test]
    fn nothing_to_do_is_an_error() {
        assert!(matches!(plan(input(&[])), Err(PlanError::NoTasks)));
        let tasks = [task("a")];
        let nobody = PlanInput {
            contenders: Vec::new(),
            ..input(&tasks)
        };
        assert!(matches!(plan(nobody), Err(PlanError::NoAgents)));
        let never = PlanInput {
            attempts: 0,
            ..input(&tasks)
        };
        assert!(matches!(plan(never), Err(PlanError::NoAttempts)));
    }
}
