//! The reference run of a task with steps: the solutions of its steps, or nothing, in
//! one world, each step verified as in a trial.

use super::Trials;
use super::live::is_live;
use super::prepare::{Ready, fault};
use super::pristine::Own;
use super::steps;
use super::world::World;
use crate::agent::Agent;
use crate::record::{End, Evidence, Fault, Outcome, StepRecord};
use crate::verify::reference::JudgedRecord;
use crate::verify::{below_least, judge_steps};

impl Trials {
    /// What an agent of the harness's own comes to at a task with steps.
    pub(super) async fn measure_steps(
        &self,
        ready: &Ready,
        agent: &dyn Agent,
        trial: &str,
    ) -> Result<JudgedRecord, Fault> {
        let world = self.begun_world(ready, trial).await?;
        let measured = self.steps_of(ready, &world, agent, trial).await;
        let stopped = world.stop().await;
        let record = measured?;
        stopped.map_err(|error| fault("teardown", &error))?;
        Ok(record)
    }

    async fn steps_of(
        &self,
        ready: &Ready,
        world: &World,
        agent: &dyn Agent,
        trial: &str,
    ) -> Result<JudgedRecord, Fault> {
        let mut came: Vec<StepRecord> = Vec::new();
        for (index, part) in ready.parts.iter().enumerate() {
            let Some(step) = &part.step else { continue };
            if let Err(refusal) = self.begin_step(world, part).await? {
                came.push(steps::not_begun(&step.name, refusal));
                break;
            }
            let last = index + 1 == ready.parts.len();
            let scratch = self.scratch()?;
            let events = self.act_in(part, world, agent, scratch.path()).await?;
            let captured = self
                .capture_world(world, part, scratch.path(), &events, !last)
                .await?;
            let judged = match captured {
                Err((reason, message)) => JudgedRecord::fault(reason, message),
                Ok(captured) if is_live(&part.task) => {
                    self.measure_live(world, part, &captured, !last).await?
                }
                Ok(captured) => {
                    let own = Own::Crosses;
                    let verified = self.verify_in_scratch(part, &captured, own, trial);
                    verified.await?.0
                }
            };
            let record = record_of(&step.name, judged);
            let ends =
                record.evidence.is_none() || below_least(&record, &step.min_reward).is_some();
            came.push(record);
            if ends {
                break;
            }
            if !last {
                self.go_on(world, part).await?;
            }
        }
        Ok(match ready.steps_basis() {
            Some(basis) => {
                let at = ready.task.verification.resolved_at;
                JudgedRecord::judged(&judge_steps(&came, basis, at))
            }
            None => JudgedRecord::fault(
                crate::record::Reason::NoVerdict,
                "the task has no steps".to_owned(),
            ),
        })
    }
}

fn record_of(name: &str, judged: JudgedRecord) -> StepRecord {
    let rewarded = judged.reward.is_some() || !judged.rewards.is_empty();
    StepRecord {
        name: name.to_owned(),
        end: Some(End::Done),
        evidence: rewarded.then_some(Evidence::Asserted),
        reward: judged.reward,
        rewards: judged.rewards,
        reason: judged
            .reason
            .filter(|_| judged.outcome != Outcome::Resolved),
        message: judged.message,
    }
}
