//! What ends a session of the loop by its spending, and what the model hears of it.
//!
//! Owns the limits on turns, tokens and cost: whether one more turn is within them,
//! and what is left. Must not know what a turn does.

use super::{SessionError, Turns};
use crate::agent::Session;
use crate::agent::account::Reservation;
use crate::config::{LimitSettings, LoopSettings, Price};
use crate::model::cost_microusd;
use crate::record::{Digest, End, Usage};

/// Tokens that a reply is taken to have at most where nobody bounds it, for what
/// is set aside before it is asked for.
const LIKELY_REPLY: u64 = 4096;
/// Bytes of a token, roughly, where the endpoint has not told yet.
pub const BYTES: u64 = 4;

/// What ends a session, and what the model hears of it.
#[derive(Debug, Clone)]
pub struct Options {
    pub max_steps: Option<u64>,
    pub max_tokens: Option<u64>,
    /// Micro-dollars.
    pub max_cost: Option<u64>,
    pub price: Option<Price>,
    /// Of the table that the price is from.
    pub price_digest: Option<Digest>,
    pub repeats: Option<u64>,
    pub announce: bool,
}

impl Options {
    pub fn new(limits: &LimitSettings, built_in: &LoopSettings, price: Option<Price>) -> Self {
        Self {
            max_steps: limits.max_steps,
            max_tokens: limits.max_tokens,
            max_cost: limits.max_trial_cost,
            price,
            price_digest: None,
            repeats: built_in.repeats,
            announce: built_in.announce_limits,
        }
    }
}

impl Turns<'_> {
    /// Whether one more turn is within the limits, with the money for it set aside;
    /// else which of them ends the session.
    pub(super) fn admit(&self) -> Result<Result<Reservation, End>, SessionError> {
        let options = &self.agent.options;
        let account = self.session.account;
        let hit = |end, text: String| -> Result<Result<Reservation, End>, SessionError> {
            self.tell("limit", text)?;
            Ok(Err(end))
        };
        if let Some(most) = options.max_steps.filter(|most| account.turns() >= *most) {
            return hit(
                End::MaxSteps,
                format!("the limit of {most} turns is reached"),
            );
        }
        let tokens = account.usage().total();
        if let Some(most) = options.max_tokens.filter(|most| tokens >= *most) {
            let text = format!("{tokens} tokens are spent, of at most {most}");
            return hit(End::MaxTokens, text);
        }
        let estimate = self.estimate();
        let cost = account.cost(options.price.as_ref()).unwrap_or(0);
        if let Some(most) = options.max_cost.filter(|most| cost + estimate > *most) {
            let text = format!(
                "{} are spent, and one more turn may cost {}: more than the {} of a trial",
                dollars(cost),
                dollars(estimate),
                dollars(most)
            );
            return hit(End::MaxCost, text);
        }
        match self.session.ledger.reserve(estimate) {
            Some(reservation) => Ok(Ok(reservation)),
            None => hit(
                End::MaxCost,
                format!(
                    "one more turn may cost {}: more than what is left of the run's budget",
                    dollars(estimate)
                ),
            ),
        }
    }

    /// What one more turn may cost at most, as far as can be told: everything so far
    /// as fresh input, and a reply as long as its bound or the longest so far.
    fn estimate(&self) -> u64 {
        let Some(price) = &self.agent.options.price else {
            return 0;
        };
        let reply = self.agent.model.reply_bound();
        let usage = Usage {
            input: self.context + self.said / BYTES,
            output: reply.unwrap_or(self.longest.max(LIKELY_REPLY)),
            ..Usage::default()
        };
        cost_microusd(&usage, price)
    }

    /// Tells what remains of the limits, where that is asked for.
    pub(super) fn remind(&mut self) -> Result<(), SessionError> {
        let options = &self.agent.options;
        if !options.announce {
            return Ok(());
        }
        let account = self.session.account;
        let mut left = Vec::new();
        if let Some(most) = options.max_steps {
            left.push(format!("{} turns", most.saturating_sub(account.turns())));
        }
        if let Some(most) = options.max_tokens {
            let spent = account.usage().total();
            left.push(format!("{} tokens", most.saturating_sub(spent)));
        }
        if let (Some(most), Some(cost)) = (options.max_cost, account.cost(options.price.as_ref())) {
            left.push(dollars(most.saturating_sub(cost)));
        }
        if let Some(time) = self.session.time_left() {
            left.push(format!("{} s", time.as_secs()));
        }
        match left.is_empty() {
            true => Ok(()),
            false => self.say_as_user(format!("[left: {}]", left.join(", "))),
        }
    }
}

impl Options {
    /// The limits as a model is told of them at the beginning.
    pub(super) fn announced(&self, session: &Session<'_>) -> String {
        let mut limits = Vec::new();
        if let Some(most) = self.max_steps {
            limits.push(format!("at most {most} turns"));
        }
        if let Some(most) = self.max_tokens {
            limits.push(format!("{most} tokens"));
        }
        if let Some(most) = self.max_cost.filter(|_| self.price.is_some()) {
            limits.push(dollars(most));
        }
        if let Some(limit) = session.time_limit {
            limits.push(format!("{} s", limit.as_secs()));
        }
        match limits.is_empty() {
            true => "There is no limit on turns, tokens or time.".to_owned(),
            false => format!(
                "Your limits: {}. What is left is told after each turn.",
                limits.join(", ")
            ),
        }
    }
}

/// `$0.0123`, of micro-dollars.
fn dollars(micro: u64) -> String {
    format!("${}.{:04}", micro / 1_000_000, micro % 1_000_000 / 100)
}
