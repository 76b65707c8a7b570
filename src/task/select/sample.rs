//! Samples that are the same on every machine, in whatever order the items come.
//!
//! Must not know what an item is.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use sha2::{Digest as _, Sha256};

/// Begins what is hashed for an item: another way of drawing gets another name.
const DRAW: &[u8] = b"proofyard/sample/1\n";

/// Draws `count` items without replacement, each subset of a stratum as likely as any
/// other over the seeds; returns their places in ascending order. `keys` are the items'
/// names, `strata` says beside each what it is drawn among: all the same, such as all
/// None, is a sample without strata. A list that is shorter than the other counts.
///
/// The order of drawing within a stratum is that of the SHA-256 of
/// `proofyard/sample/1\n`, the seed as 8 bytes little-endian, and the key. The strata's
/// shares are drawn one by one: first one for each stratum, the largest first; then
/// each to the stratum whose size divided by `2 × drawn + 1` is largest (Sainte-Laguë's
/// rule: proportional to the sizes, rounded to the nearest), of equal ones to the first
/// by name. So each stratum has one where `count` allows, and a larger sample of the
/// same seed contains every smaller one.
pub fn sample(keys: &[&str], strata: &[Option<&str>], count: usize, seed: u64) -> Vec<usize> {
    let mut items: BTreeMap<Option<&str>, Vec<Drawn>> = BTreeMap::new();
    for (at, (key, stratum)) in keys.iter().zip(strata).enumerate() {
        let drawn = Drawn {
            order: order(seed, key),
            key,
            at,
        };
        items.entry(*stratum).or_default().push(drawn);
    }
    let shares = shares(&items, count);
    let mut places: Vec<usize> = items
        .into_values()
        .zip(shares)
        .flat_map(|(mut items, share)| {
            items.sort_unstable();
            items.into_iter().take(share).map(|drawn| drawn.at)
        })
        .collect();
    places.sort_unstable();
    places
}

/// An item by its place in the order of drawing.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Drawn<'a> {
    order: [u8; 32],
    key: &'a str,
    at: usize,
}

fn order(seed: u64, key: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(DRAW);
    hash.update(seed.to_le_bytes());
    hash.update(key);
    hash.finalize().into()
}

/// How many items are drawn of each stratum, in their order.
fn shares(items: &BTreeMap<Option<&str>, Vec<Drawn>>, count: usize) -> Vec<usize> {
    let mut shares = vec![0; items.len()];
    let claims = items.values().enumerate().map(|(stratum, items)| Claim {
        size: items.len(),
        drawn: 0,
        stratum,
    });
    let mut claims: BinaryHeap<Claim> = claims.collect();
    for _ in 0..count {
        let Some(mut claim) = claims.pop() else { break };
        claim.drawn += 1;
        if let Some(share) = shares.get_mut(claim.stratum) {
            *share = claim.drawn;
        }
        if claim.drawn < claim.size {
            claims.push(claim);
        }
    }
    shares
}

/// A stratum's claim to the next item.
#[derive(PartialEq, Eq)]
struct Claim {
    size: usize,
    drawn: usize,
    stratum: usize,
}

impl Ord for Claim {
    fn cmp(&self, other: &Self) -> Ordering {
        let none_yet = |claim: &Self| claim.drawn == 0;
        // a / (2b + 1) against c / (2d + 1), without fractions.
        let weight =
            |claim: &Self, against: &Self| claim.size as u128 * (2 * against.drawn as u128 + 1);
        none_yet(self)
            .cmp(&none_yet(other))
            .then_with(|| weight(self, other).cmp(&weight(other, self)))
            .then_with(|| other.stratum.cmp(&self.stratum))
    }
}

impl PartialOrd for Claim {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("item-{at}")).collect()
    }

    fn drawn(names: &[String], strata: &[Option<&str>], count: usize, seed: u64) -> Vec<usize> {
        let keys: Vec<&str> = names.iter().map(String::as_str).collect();
        sample(&keys, strata, count, seed)
    }

    #[test]
    fn a_sample_is_the_same_for_ever() {
        let names = names(20);
        assert_eq!(drawn(&names, &[None; 20], 5, 7), [4, 5, 9, 10, 14]);
        assert_eq!(drawn(&names, &[None; 20], 5, 8), [5, 7, 13, 15, 17]);
    }

    #[test]
    fn shares_are_proportional_and_every_stratum_has_one() {
        let names = names(100);
        let strata: Vec<Option<&str>> = (0..100)
            .map(|at| match at {
                0..80 => Some("large"),
                80..98 => Some("small"),
                98 => Some("single"),
                _ => None,
            })
            .collect();
        let shares = |count| {
            let mut shares = BTreeMap::new();
            for at in drawn(&names, &strata, count, 1) {
                *shares.entry(strata[at].unwrap_or("none")).or_insert(0) += 1;
            }
            shares
        };
        let of = |parts: &[(&'static str, i32)]| parts.iter().copied().collect::<BTreeMap<_, _>>();
        assert_eq!(shares(2), of(&[("large", 1), ("small", 1)]));
        assert_eq!(
            shares(12),
            of(&[("large", 8), ("none", 1), ("single", 1), ("small", 2)])
        );
        assert_eq!(
            shares(52),
            of(&[("large", 41), ("none", 1), ("single", 1), ("small", 9)])
        );
        assert_eq!(drawn(&names, &strata, 1000, 1).len(), 100);
    }

    #[test]
    fn every_item_is_drawn_as_often_as_any_other() {
        let names = names(10);
        let mut counts = [0u32; 10];
        for seed in 0..2000 {
            for at in drawn(&names, &[None; 10], 3, seed) {
                counts[at] += 1;
            }
        }
        // 600 each, with a standard deviation of 20.5.
        assert!(
            counts.iter().all(|count| (500..700).contains(count)),
            "{counts:?}"
        );
    }

    proptest! {
        #[test]
        fn a_larger_sample_contains_a_smaller_one_in_any_order_of_the_items(
            strata in proptest::collection::vec(proptest::option::of("[a-e]"), 0..60),
            (few, more) in (0usize..40, 0usize..40),
            seed: u64,
        ) {
            let names = names(strata.len());
            let strata: Vec<Option<&str>> = strata.iter().map(Option::as_deref).collect();
            let few_drawn = drawn(&names, &strata, few, seed);
            prop_assert_eq!(few_drawn.len(), few.min(names.len()));
            let set: BTreeSet<&String> = few_drawn.iter().map(|at| &names[*at]).collect();
            prop_assert_eq!(set.len(), few_drawn.len());
            let larger = drawn(&names, &strata, few + more, seed);
            prop_assert!(few_drawn.iter().all(|at| larger.contains(at)));
            let turned: Vec<String> = names.iter().rev().cloned().collect();
            let turned_strata: Vec<Option<&str>> = strata.iter().rev().copied().collect();
            let again = drawn(&turned, &turned_strata, few, seed);
            let again: BTreeSet<&String> = again.iter().map(|at| &turned[*at]).collect();
            prop_assert_eq!(set, again);
        }
    }
}
