//! The record of a trial that never came to a verdict.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::record::{
    AgentRef, Digest, End, Fault, HostLoad, ModelRef, Outcome, PlannedTrial, Provenance, RunRecord,
    Sees, TRIAL_SCHEMA, TaskRef, Timing, TrajectorySummary, TrialRecord, Usage, Verdict, hex,
};
use crate::trajectory::head_of;

/// A record of outcome `error` made from the plan alone, for a fault that left
/// nothing better. `dir` is the trial's folder, whose trajectory is digested as it is.
pub fn fault_record(
    run: &RunRecord,
    planned: &PlannedTrial,
    dir: &Path,
    fault: Fault,
    timing: Timing,
    started_at: String,
) -> TrialRecord {
    let task = run.tasks.iter().find(|task| task.name == planned.task);
    let agent = run.agents.iter().find(|agent| agent.name == planned.agent);
    let model = planned.model.as_ref().map(|id| {
        let known = run.models.iter().find(|model| &model.id == id);
        known.cloned().unwrap_or_else(|| ModelRef {
            id: id.clone(),
            provider: String::new(),
            digest: None,
        })
    });
    let trajectory = std::fs::read(dir.join("trajectory.jsonl")).unwrap_or_default();
    TrialRecord {
        schema: TRIAL_SCHEMA.to_owned(),
        run: run.run.clone(),
        trial: planned.trial.clone(),
        task: TaskRef {
            name: planned.task.clone(),
            source: task.map_or_else(String::new, |task| task.source.clone()),
            digest: task.map_or_else(|| Digest::new(""), |task| task.digest.clone()),
            tags: Vec::new(),
            scenario: None,
            cluster: planned.task.to_string(),
            difficulty: None,
        },
        agent: agent.cloned().unwrap_or_else(|| AgentRef {
            name: planned.agent.clone(),
            version: String::new(),
            digest: None,
        }),
        model,
        attempt: planned.attempt,
        outcome: Outcome::Error,
        reward: None,
        rewards: BTreeMap::new(),
        clean: None,
        verdict: Verdict {
            official: None,
            evidence: None,
            sees: Sees::Files,
            tests: Vec::new(),
            passed: 0,
            probes: Vec::new(),
            withheld: Vec::new(),
            hidden_read_only: None,
            flags: Vec::new(),
            runner_is_subject: false,
            reason: None,
            message: None,
        },
        steps: Vec::new(),
        trajectory: TrajectorySummary {
            end: End::Other,
            turns: 0,
            tool_calls: 0,
            tool_errors: 0,
            sha256: hex(&Sha256::digest(&trajectory)),
            head: Some(head_of(planned.trial.as_str(), &trajectory)),
        },
        tool_use: None,
        usage: Usage::default(),
        cost_microusd: None,
        setup: None,
        timing_ms: timing,
        error: Some(fault),
        host: HostLoad::default(),
        provenance: Provenance::default(),
        basis: None,
        manifest: None,
        warnings: Vec::new(),
        started_at,
        finished_at: jiff::Timestamp::now().to_string(),
    }
}
