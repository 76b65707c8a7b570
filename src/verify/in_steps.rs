//! The rewards of steps → a judgement of the trial: plain functions over records.

use std::collections::BTreeMap;

use super::judge::{Judged, by_reward_at};
use super::reward::Reward;
use crate::record::{Evidence, Reason, StepRecord, StepsBasis, Strategy};

/// Judges a trial by what came of its steps.
///
/// The reward is the one that Harbor gives: over the steps that were verified, for
/// each name, a missing one as 0. Resolved is more: every step that the task has was
/// verified, and the reward reaches `resolved_at`. Who ends early has not done the task.
pub fn judge_steps(steps: &[StepRecord], basis: StepsBasis, resolved_at: f64) -> Judged {
    let verified: Vec<&StepRecord> = steps
        .iter()
        .filter(|step| step.evidence.is_some())
        .collect();
    let evidence = verified.iter().filter_map(|step| step.evidence).min();
    let reward = match basis.strategy {
        Strategy::Mean => mean(&verified),
        // Of the last that was begun, also where nothing was said of it.
        Strategy::Final => steps
            .last()
            .filter(|step| step.evidence.is_some())
            .map(reward_of)
            .unwrap_or_default(),
    };
    let silent = steps.iter().find(|step| step.evidence.is_none());
    let judged = Judged {
        evidence: evidence.unwrap_or(Evidence::Asserted),
        ..by_reward_at(resolved_at, Ok(reward))
    };
    if let Some(step) = silent {
        let why = step.message.as_deref().unwrap_or("it gave no verdict");
        let reason = step.reason.unwrap_or(Reason::NoVerdict);
        return judged.unresolved(reason, &format!("step `{}`: {why}", step.name));
    }
    let begun = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    match (judged.reason, begun < basis.declared) {
        (None, true) => {
            let message = format!("{begun} of {} steps were begun", basis.declared);
            judged.unresolved(Reason::StepsUnreached, &message)
        }
        _ => judged,
    }
}

/// Why no step is begun after this one: a reward that is missing or too low.
pub fn below_least(step: &StepRecord, least: &BTreeMap<String, f64>) -> Option<String> {
    let rewards = named(step);
    least
        .iter()
        .find_map(|(name, least)| match rewards.get(name) {
            Some(reward) if reward >= least => None,
            Some(reward) => Some(format!("{name} {reward} is below its least {least}")),
            None => Some(format!(
                "there is no reward `{name}`, of which {least} is the least"
            )),
        })
}

/// The rewards by their names; a lone number is `reward`.
fn named(step: &StepRecord) -> BTreeMap<String, f64> {
    match (step.rewards.is_empty(), step.reward) {
        (true, Some(reward)) => BTreeMap::from([("reward".to_owned(), reward)]),
        _ => step.rewards.clone(),
    }
}

fn reward_of(step: &StepRecord) -> Reward {
    Reward {
        reward: step.reward,
        rewards: step.rewards.clone(),
    }
}

fn mean(verified: &[&StepRecord]) -> Reward {
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for step in verified {
        for (name, reward) in named(step) {
            *sums.entry(name).or_default() += reward;
        }
    }
    let count = verified.len().max(1) as f64;
    let means: BTreeMap<String, f64> = sums
        .into_iter()
        .map(|(name, sum)| (name, sum / count))
        .collect();
    let only = (means.len() == 1).then(|| means.values().next().copied());
    let reward = means.get("reward").copied().or_else(|| only.flatten());
    // Where every step gave a lone number, so does the whole.
    let plain = verified.iter().all(|step| step.rewards.is_empty());
    let rewards = if plain { BTreeMap::new() } else { means };
    Reward { reward, rewards }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Outcome;

    fn step(name: &str, rewards: &[(&str, f64)]) -> StepRecord {
        let rewards: BTreeMap<String, f64> = rewards
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect();
        StepRecord {
            name: name.to_owned(),
            end: None,
            evidence: (!rewards.is_empty()).then_some(Evidence::Asserted),
            reward: rewards.get("reward").copied(),
            rewards,
            reason: None,
            message: None,
        }
    }

    fn judged(steps: &[StepRecord], declared: u32, strategy: Strategy) -> Judged {
        judge_steps(steps, StepsBasis { declared, strategy }, 1.0)
    }

    #[test]
    fn the_mean_is_over_the_steps_that_were_verified() {
        let steps = [
            step("a", &[("reward", 1.0), ("style", 1.0)]),
            step("b", &[("reward", 0.5)]),
        ];
        let found = judged(&steps, 2, Strategy::Mean);
        assert_eq!(found.reward, Some(0.75));
        assert_eq!(found.rewards["style"], 0.5);
        assert_eq!(found.reason, Some(Reason::RewardBelow));
    }

    #[test]
    fn who_ends_early_has_not_done_the_task() {
        let steps = [step("a", &[("reward", 1.0)])];
        let found = judged(&steps, 3, Strategy::Mean);
        assert_eq!(found.reward, Some(1.0));
        assert_eq!(found.reason, Some(Reason::StepsUnreached));
        assert_eq!(found.message.as_deref(), Some("1 of 3 steps were begun"));
        assert_eq!(judged(&steps, 1, Strategy::Mean).outcome, Outcome::Resolved);
    }

    #[test]
    fn of_the_final_strategy_the_last_step_counts() {
        let steps = [step("a", &[("reward", 0.0)]), step("b", &[("reward", 1.0)])];
        assert_eq!(
            judged(&steps, 2, Strategy::Final).outcome,
            Outcome::Resolved
        );
        let silent = [step("a", &[("reward", 1.0)]), step("b", &[])];
        let found = judged(&silent, 2, Strategy::Final);
        assert_eq!(
            (found.reward, found.reason),
            (None, Some(Reason::NoVerdict))
        );
    }

    #[test]
    fn a_step_without_a_verdict_says_why() {
        let mut silent = step("b", &[]);
        silent.reason = Some(Reason::VerifierTimeout);
        silent.message = Some("the verifier did not end".into());
        let found = judged(&[step("a", &[("reward", 1.0)]), silent], 2, Strategy::Mean);
        assert_eq!(found.reward, Some(1.0));
        assert_eq!(found.reason, Some(Reason::VerifierTimeout));
        let message = found.message.unwrap();
        assert_eq!(message, "step `b`: the verifier did not end");
    }

    #[test]
    fn the_least_of_a_reward_is_asked_by_name() {
        let least = BTreeMap::from([("reward".to_owned(), 0.5), ("style".to_owned(), 1.0)]);
        let of = |rewards: &[(&str, f64)]| below_least(&step("a", rewards), &least);
        assert_eq!(of(&[("reward", 0.5), ("style", 1.0)]), None);
        assert_eq!(
            of(&[("reward", 0.4), ("style", 1.0)]).unwrap(),
            "reward 0.4 is below its least 0.5"
        );
        assert!(
            of(&[("reward", 1.0)])
                .unwrap()
                .contains("no reward `style`")
        );
        let lone = StepRecord {
            rewards: BTreeMap::new(),
            ..step("a", &[("reward", 1.0)])
        };
        let reward = BTreeMap::from([("reward".to_owned(), 1.0)]);
        assert_eq!(below_least(&lone, &reward), None);
    }
}
