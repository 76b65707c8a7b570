//! The record of a trial that went its way: what came of it, and from what.

use std::sync::Arc;

use super::attempt::Attempt;
use crate::agent::{Account, Agent};
use crate::record::{
    AgentSetup, Basis, CheckoutProof, End, Flag, HostLoad, Outcome, Provenance, StepRecord,
    TRIAL_SCHEMA, TaskRef, TestState, TrajectorySummary, TrialRecord, Verdict,
};
use crate::sandbox::{NetworkMode, Role};
use crate::score::{self, Grounds, Mishap, ToolJudgement};
use crate::task::RepoSource;
use crate::tool::Toolbox;
use crate::trajectory::{Event, Tally};
use crate::verify::Judged;

/// How a trial went.
pub struct Went {
    pub end: End,
    pub tally: Tally,
    pub judged: Option<Judged>,
    pub mishap: Option<Mishap>,
    pub steps: Vec<StepRecord>,
    pub tools: ToolJudgement,
    pub account: Arc<Account>,
    pub toolbox: Arc<Toolbox>,
    pub warnings: Vec<String>,
}

impl Attempt<'_> {
    /// How tools were used, and whether the agent looked for the answer with them.
    ///
    /// `begins`: where relative paths do.
    pub(super) fn judged_calls(
        &self,
        events: &[Event],
        touched: Option<&[String]>,
        begins: &str,
    ) -> ToolJudgement {
        let task = &self.ready.task;
        let mut judged = score::judge_tools(&task.tools, events, touched, begins);
        let tree = self.ready.tree.as_ref();
        let has = tree.map(|tree| |beginning: &str| tree.has_object(beginning));
        let spec = self.trials.spec(self.ready, "", Role::Agent);
        let grounds = Grounds {
            instruction: &task.instruction,
            work_tree: begins,
            forbid_read: &task.tools.forbid_read,
            network: spec.network == NetworkMode::Full,
            answers: &task.verification.answers,
            origin: match task.repo.as_ref().map(|repo| &repo.source) {
                Some(RepoSource::Url(url)) => Some(url),
                _ => None,
            },
            has_object: has.as_ref().map(|has| has as _),
        };
        judged.flags.extend(score::contaminated(events, &grounds));
        judged
    }

    /// All but its times, which are known when everything is taken away.
    pub(super) fn record(&self, agent: &dyn Agent, went: Went) -> TrialRecord {
        let mut flags: Vec<Flag> = went.tools.flags;
        let proofs = went.judged.iter().flat_map(|judged| &judged.proofs);
        flags.extend(proofs.map(|proof| Flag {
            kind: score::TAMPERED.to_owned(),
            detail: proof.clone(),
            step: None,
        }));
        let basis = score::basis(
            self.ready.task.verification.resolved_at,
            went.judged.as_ref(),
            went.mishap.as_ref(),
            went.tools.unmet.as_ref(),
            self.ready.reference.as_ref(),
        );
        let basis = Basis {
            steps: self.ready.steps_basis(),
            ..basis
        };
        let scored = score::outcome(
            went.judged.as_ref(),
            &flags,
            went.mishap.as_ref(),
            self.ready.reference.as_ref(),
        );
        let scored = score::with_calls(scored, went.tools.unmet);
        let mut warnings = went.warnings;
        if !went.account.is_told() {
            warnings.push(
                "the endpoint did not tell all tokens: usage is too low, and cost unknown".into(),
            );
        }
        let price = agent.price();
        let cost = agent.model().and_then(|_| went.account.cost(price));
        let (evidence, tests, reward, rewards, withheld, probes, hidden_read_only, official) =
            match went.judged {
                Some(judged) => (
                    Some(judged.evidence),
                    judged.tests,
                    judged.reward,
                    judged.rewards,
                    judged.withheld,
                    judged.probes,
                    judged.hidden_read_only,
                    judged.official,
                ),
                None => Default::default(),
            };
        let passed = tests
            .iter()
            .filter(|test| test.state == TestState::Passed)
            .count() as u32;
        TrialRecord {
            schema: TRIAL_SCHEMA.to_owned(),
            run: self.trials.run.run.clone(),
            trial: self.planned.trial.clone(),
            task: self.task(),
            agent: agent.identity(),
            model: agent.model(),
            attempt: self.planned.attempt,
            outcome: scored.outcome,
            reward,
            rewards,
            clean: score::clean(scored.outcome, &flags),
            verdict: Verdict {
                evidence,
                sees: self.ready.task.verification.sees,
                passed,
                tests,
                probes,
                withheld,
                hidden_read_only,
                official,
                flags,
                runner_is_subject: self.runner_is_subject(),
                reason: scored.reason,
                message: match scored.outcome {
                    Outcome::Error => None,
                    _ => scored.message,
                },
            },
            steps: went.steps,
            trajectory: TrajectorySummary {
                end: went.end,
                turns: went.tally.turns,
                tool_calls: went.tally.tool_calls,
                tool_errors: went.tally.tool_errors,
                sha256: went.tally.sha256,
                head: Some(went.tally.head),
            },
            tool_use: went.tools.tool_use,
            usage: went.account.usage(),
            cost_microusd: cost.and_then(|cost| i64::try_from(cost).ok()),
            setup: agent.setup().map(|setup| AgentSetup {
                tools_digest: Some(went.toolbox.digest().clone()),
                ..setup
            }),
            timing_ms: Default::default(),
            error: scored.error,
            host: HostLoad::default(),
            provenance: self.provenance(),
            basis: Some(basis),
            manifest: None,
            warnings,
            started_at: String::new(),
            finished_at: String::new(),
        }
    }

    /// As the reference solution's session told it: a change has no word in this.
    fn runner_is_subject(&self) -> bool {
        let solution = self.ready.solution();
        let shape = solution.and_then(|solution| solution.shape.as_ref());
        shape.is_some_and(|shape| shape.runner_is_subject(&self.ready.tree_path))
    }

    pub(super) fn task(&self) -> TaskRef {
        let task = &self.ready.task;
        TaskRef {
            name: task.id.clone(),
            source: task.source.clone(),
            digest: task.digest.clone(),
            tags: task.scenario.tags.clone(),
            scenario: task.scenario.name.clone(),
            cluster: task.cluster(),
            difficulty: task.scenario.difficulty.clone(),
        }
    }

    pub(super) fn provenance(&self) -> Provenance {
        let engine = &self.trials.engine;
        Provenance {
            image: self.ready.image.id.clone(),
            registry: self.ready.image.registry.clone(),
            verdict_of: None,
            recipe: self.ready.image.recipe.clone(),
            checkout: self.ready.tree.as_ref().map(|tree| CheckoutProof {
                commit: tree.proof.commit.clone(),
                commits: tree.proof.commits,
                objects_reachable: tree.proof.objects_reachable,
                objects_stored: tree.proof.objects_stored,
                way: if engine.uses_overlay() {
                    "overlay"
                } else {
                    "image"
                }
                .to_owned(),
            }),
            reference: self.ready.reference.as_ref().map(|run| run.digest.clone()),
            transport: if engine.uses_socket() {
                "socket"
            } else {
                "stream"
            }
            .to_owned(),
            limits: self.trials.limits(self.ready),
            network: match self.trials.spec(self.ready, "", Role::Agent).network {
                NetworkMode::None => "none".to_owned(),
                NetworkMode::Full => "full".to_owned(),
            },
            privileges: (!self.ready.task.ours()).then(|| "common".to_owned()),
        }
    }
}
