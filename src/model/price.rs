//! What tokens cost.
//!
//! Owns the arithmetic of prices. Must not know whose tokens they are.

use sha2::{Digest as _, Sha256};

use crate::config::{Price, Prices};
use crate::record::{Digest, Usage};

/// Cost in micro-dollars, rounded half up once, over all tokens of a trial: each
/// kind times its price in micro-dollars per million tokens.
pub fn cost_microusd(usage: &Usage, price: &Price) -> u64 {
    let terms = [
        (usage.input, price.input),
        (usage.cache_read, price.cache_read),
        (usage.cache_write, price.cache_write),
        (usage.output, price.output),
        (usage.reasoning, price.reasoning),
    ];
    let sum: u128 = terms
        .iter()
        .map(|(tokens, price)| u128::from(*tokens) * u128::from(*price))
        .sum();
    u64::try_from((sum + 500_000) / 1_000_000).unwrap_or(u64::MAX)
}

/// Of the row of a price table that a cost is from, with the table's date.
pub fn digest(prices: &Prices, id: &str) -> Option<Digest> {
    let price = prices.models.get(id)?;
    let row = serde_json::json!({"date": prices.date, "model": id, "price": price});
    let hash = Sha256::digest(row.to_string().as_bytes());
    Some(Digest::of_sha256(&hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Price = Price {
        input: 1_250_000,
        cache_read: 125_000,
        cache_write: 0,
        output: 10_000_000,
        reasoning: 10_000_000,
    };

    #[test]
    fn each_kind_has_its_price() {
        let usage = Usage {
            input: 1000,
            cache_read: 8000,
            cache_write: 5,
            output: 100,
            reasoning: 50,
        };
        // 1250 + 1000 + 0 + 1000 + 500
        assert_eq!(cost_microusd(&usage, &PRICE), 3750);
    }

    #[test]
    fn a_fraction_is_rounded_once() {
        let usage = |input| Usage {
            input,
            ..Usage::default()
        };
        assert_eq!(cost_microusd(&usage(1), &PRICE), 1);
        assert_eq!(cost_microusd(&usage(2), &PRICE), 3);
        assert_eq!(cost_microusd(&usage(0), &PRICE), 0);
    }
}
