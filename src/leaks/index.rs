//! All shingles that tell of the answer, to be asked for one after another.
//!
//! Owns what tells: a shingle that the agent is shown anyway does not. Must not know
//! what is searched.

use std::collections::{HashMap, HashSet};

use super::needle::{Needle, Needles};
use super::words::Shingler;

/// Bits of the filter before the table: most shingles of an image end there.
const FILTER_BITS: usize = 1 << 22;
/// A shown file with this share of a needle is the needle, laid there by mistake.
const COPY: f64 = 0.95;
/// Shingles without which likeness says nothing.
const COPY_LEAST: usize = 10;

/// The answer of one task.
#[derive(Debug)]
pub struct Index {
    pub(super) needles: Vec<Needle>,
    /// How many shingles of each needle tell.
    pub(super) telling: Vec<u32>,
    ids: HashMap<u64, u32>,
    /// The needles that a shingle tells of; empty where it is shown.
    pub(super) owners: Vec<Vec<u32>>,
    filter: Vec<u64>,
}

impl Index {
    /// `shown`: what the agent is given, each with its path in the work tree where it
    /// has one.
    ///
    /// A shown file that holds all of a needle is no reason to drop it, but the leak
    /// itself; unless it is the very file that the needle replaces.
    pub fn new(needles: Needles, shown: impl Iterator<Item = (Option<String>, Vec<u8>)>) -> Self {
        let mut index = Self::of(needles.list);
        let mut public: HashSet<(u32, u32)> = HashSet::new();
        for (at, text) in shown {
            let mut ids = HashSet::new();
            index.ids_in(&text, &mut ids);
            let mut by_needle: HashMap<u32, Vec<u32>> = HashMap::new();
            for id in ids {
                for owner in &index.owners[id as usize] {
                    by_needle.entry(*owner).or_default().push(id);
                }
            }
            for (owner, ids) in by_needle {
                let needle = &index.needles[owner as usize];
                let all = needle.shingles.len();
                let whole = all >= COPY_LEAST && ids.len() as f64 >= COPY * all as f64;
                let its_place = at.is_some() && at == needle.at;
                if its_place || !whole {
                    public.extend(ids.into_iter().map(|id| (id, owner)));
                }
            }
        }
        for (id, owner) in public {
            index.owners[id as usize].retain(|other| *other != owner);
            index.telling[owner as usize] -= 1;
        }
        index
    }

    fn of(needles: Vec<Needle>) -> Self {
        let mut index = Self {
            telling: needles.iter().map(|n| n.shingles.len() as u32).collect(),
            ids: HashMap::new(),
            owners: Vec::new(),
            filter: vec![0; FILTER_BITS / 64],
            needles,
        };
        for (owner, needle) in index.needles.iter().enumerate() {
            for hash in &needle.shingles {
                let next = index.owners.len() as u32;
                let id = *index.ids.entry(*hash).or_insert(next);
                if id == next {
                    index.owners.push(Vec::new());
                }
                index.owners[id as usize].push(owner as u32);
                let bit = *hash as usize % FILTER_BITS;
                index.filter[bit / 64] |= 1 << (bit % 64);
            }
        }
        index
    }

    /// Whether anything is left to look for.
    pub fn is_empty(&self) -> bool {
        self.telling.iter().all(|telling| *telling == 0)
    }

    /// The names of needles of which everything is shown.
    pub(super) fn shown_wholly(&self) -> impl Iterator<Item = &str> {
        let left = |name: &str| {
            let all = self.needles.iter().zip(&self.telling);
            all.filter(|(needle, _)| needle.name == name)
                .any(|(_, telling)| *telling > 0)
        };
        let mut seen = HashSet::new();
        let names = self.needles.iter().map(|needle| needle.name.as_str());
        names.filter(move |name| seen.insert(*name) && !left(name))
    }

    /// The number of a shingle, where it is one of the answer's.
    pub(super) fn id(&self, hash: u64) -> Option<u32> {
        let bit = hash as usize % FILTER_BITS;
        match self.filter[bit / 64] & (1 << (bit % 64)) {
            0 => None,
            _ => self.ids.get(&hash).copied(),
        }
    }

    fn ids_in(&self, text: &[u8], found: &mut HashSet<u32>) {
        let mut shingler = Shingler::default();
        let mut told = |hash, _: &Shingler| found.extend(self.id(hash));
        shingler.feed(text, &mut told);
        shingler.end(&mut told);
    }
}
