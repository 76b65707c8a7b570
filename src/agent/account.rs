//! What a trial and a run have spent on models, and what they may.
//!
//! Owns the sums and the decision whether one more call fits. Must not know whose
//! calls they are. Shared between a session and who watches it, hence the locks;
//! each is held for an addition.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Price;
use crate::model::{Meter, cost_microusd};
use crate::record::Usage;

/// What the models of a run may cost, and have cost; micro-dollars.
#[derive(Debug, Default)]
pub struct Ledger {
    limit: Option<u64>,
    state: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    spent: u64,
    reserved: u64,
}

impl Ledger {
    /// `spent`: what finished trials of the run have cost already.
    pub fn new(limit: Option<u64>, spent: u64) -> Arc<Self> {
        let state = Mutex::new(Spent { spent, reserved: 0 });
        Arc::new(Self { limit, state })
    }

    /// Sets money aside for a call that is about to be made, so that calls under way
    /// count; none where the limit would not hold.
    pub fn reserve(self: &Arc<Self>, estimate: u64) -> Option<Reservation> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let would = (state.spent + state.reserved).saturating_add(estimate);
        if self.limit.is_some_and(|limit| would > limit) {
            return None;
        }
        state.reserved += estimate;
        Some(Reservation {
            ledger: self.clone(),
            estimate,
            cost: 0,
        })
    }

    /// What is spent and set aside.
    pub fn committed(&self) -> u64 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.spent + state.reserved
    }
}

/// Money set aside for one call; given back when dropped, but for its cost.
pub struct Reservation {
    ledger: Arc<Ledger>,
    estimate: u64,
    cost: u64,
}

impl Reservation {
    /// What the call did cost.
    pub fn settle(mut self, cost: u64) {
        self.cost = cost;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self
            .ledger
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        state.reserved = state.reserved.saturating_sub(self.estimate);
        state.spent += self.cost;
    }
}

/// What one trial has spent.
#[derive(Debug, Default)]
pub struct Account {
    /// Time of answers and of vain attempts.
    pub meter: Meter,
    usage: Mutex<Usage>,
    turns: AtomicU64,
    /// Some answer came without its tokens.
    untold: AtomicBool,
}

impl Account {
    /// A turn, with its tokens where the endpoint gave them.
    pub fn add(&self, usage: Option<Usage>) {
        self.turns.fetch_add(1, Ordering::Relaxed);
        match usage {
            Some(usage) => *self.usage.lock().unwrap_or_else(PoisonError::into_inner) += usage,
            None => self.untold.store(true, Ordering::Relaxed),
        }
    }

    /// Tokens so far, of answers that told theirs.
    pub fn usage(&self) -> Usage {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Whether every answer told its tokens.
    pub fn is_told(&self) -> bool {
        !self.untold.load(Ordering::Relaxed)
    }

    /// Micro-dollars so far; none where the model has no price, or where an answer
    /// did not tell its tokens.
    pub fn cost(&self, price: Option<&Price>) -> Option<u64> {
        let price = price.filter(|_| self.is_told())?;
        Some(cost_microusd(&self.usage(), price))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_under_way_count() {
        let ledger = Ledger::new(Some(100), 30);
        let first = ledger.reserve(40).unwrap();
        assert!(ledger.reserve(40).is_none());
        first.settle(10);
        assert_eq!(ledger.committed(), 40);
        assert!(ledger.reserve(60).is_some());
        // Dropped without a cost: nothing was spent.
        assert_eq!(ledger.committed(), 40);
    }

    #[test]
    fn without_a_limit_everything_fits() {
        let ledger = Ledger::new(None, 0);
        ledger.reserve(u64::MAX / 2).unwrap().settle(7);
        assert_eq!(ledger.committed(), 7);
    }

    #[test]
    fn a_cost_of_untold_tokens_is_unknown() {
        let price = Price {
            input: 1_000_000,
            ..Price::default()
        };
        let account = Account::default();
        account.add(Some(Usage {
            input: 5,
            ..Usage::default()
        }));
        assert_eq!(account.cost(Some(&price)), Some(5));
        assert_eq!(account.cost(None), None);
        account.add(None);
        assert_eq!(account.cost(Some(&price)), None);
        assert_eq!(account.turns(), 2);
    }
}
