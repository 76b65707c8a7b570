//! The search itself: a stream after another, then what it comes to.
//!
//! Owns from when on a likeness is a leak. Must not know how archives are opened.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::haystack::{Skipped, Totals};
use super::index::Index;
use super::words::Shingler;
use super::{Found, Leak, Place, archive};

/// Of a needle's telling shingles this share is a leak, …
const SHARE: f64 = 0.2;
/// … but never fewer than these, where it has as many, …
const LEAST: u32 = 3;
/// … and these always: some fifty words on end, or as many in pieces.
const ENOUGH: u32 = 40;
/// In more different places than this a shingle is common text, as a licence is.
const COMMON: u32 = 20;
/// Most that is listed of what was not searched.
const MOST_SKIPPED: usize = 50;
/// Most places that are held against the rule at the end.
const MOST_HITS: usize = 20_000;

/// How far a search goes.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Archives inside of each other; a `.tar.gz` is two.
    pub depth: u32,
    /// Bytes that all archives in one file may unpack to.
    pub unpacked: u64,
    /// Members of one archive.
    pub members: u64,
    /// Bytes of one git object, which is held in memory.
    pub object: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            depth: 8,
            unpacked: 8 << 30,
            members: 4_000_000,
            object: 256 << 20,
        }
    }
}

/// Somebody asked for the search to end.
#[derive(Debug, thiserror::Error)]
#[error("the search was interrupted")]
pub struct Interrupted;

/// A place with shingles of the answer in it.
struct Hit {
    place: Place,
    ids: Vec<u32>,
}

/// A search under way.
pub struct Search<'a> {
    index: &'a Index,
    pub(super) bounds: Bounds,
    /// A folder for what must lie on disk while it is opened.
    pub(super) scratch: PathBuf,
    stop: Arc<AtomicBool>,
    /// Bytes that the file at hand may still unpack to.
    pub(super) left: Rc<Cell<u64>>,
    hits: Vec<Hit>,
    /// By shingle: in how many places it is.
    places: Vec<u32>,
    skipped: Vec<Skipped>,
    skipped_more: u64,
    totals: Totals,
}

impl<'a> Search<'a> {
    /// `scratch`: an existing folder; `stop` ends the search when it becomes true.
    pub fn new(index: &'a Index, bounds: Bounds, scratch: &Path, stop: Arc<AtomicBool>) -> Self {
        Self {
            index,
            bounds,
            scratch: scratch.to_owned(),
            stop,
            left: Rc::new(Cell::new(bounds.unpacked)),
            hits: Vec::new(),
            places: vec![0; index.owners.len()],
            skipped: Vec::new(),
            skipped_more: 0,
            totals: Totals::default(),
        }
    }

    /// Searches a file, and what is packed into it.
    ///
    /// # Errors
    /// Where the search is to end. What cannot be read is said in the result.
    pub fn file(&mut self, place: &Place, reader: &mut dyn Read) -> Result<(), Interrupted> {
        self.left.set(self.bounds.unpacked);
        archive::open(self, place, reader, self.bounds.depth)
    }

    /// Searches a text as it is.
    pub(super) fn text(&mut self, place: &Place, reader: &mut dyn Read) -> Result<(), Interrupted> {
        let (mut shingler, mut ids) = (Shingler::default(), HashSet::new());
        let index = self.index;
        let mut told = |hash, _: &Shingler| ids.extend(index.id(hash));
        let mut chunk = vec![0; 64 << 10];
        self.totals.texts += 1;
        loop {
            self.go_on()?;
            match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => {
                    self.totals.bytes += read as u64;
                    shingler.feed(&chunk[..read], &mut told);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.skip(place, error.to_string());
                    break;
                }
            }
        }
        shingler.end(&mut told);
        self.keep(place, ids);
        Ok(())
    }

    /// Whether nobody asked for an end.
    pub(super) fn go_on(&self) -> Result<(), Interrupted> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(Interrupted),
            false => Ok(()),
        }
    }

    /// Notes something that was not searched, or not to its end.
    pub fn skip(&mut self, place: &Place, why: impl Into<String>) {
        match self.skipped.len() < MOST_SKIPPED {
            true => self.skipped.push(Skipped::new(place.clone(), why)),
            false => self.skipped_more += 1,
        }
    }

    pub(super) fn opened(&mut self) {
        self.totals.archives += 1;
    }

    /// Every place that is named in the result.
    pub(super) fn named(&mut self) -> impl Iterator<Item = &mut Place> {
        let hits = self.hits.iter_mut().map(|hit| &mut hit.place);
        hits.chain(self.skipped.iter_mut().map(|skipped| &mut skipped.place))
    }

    /// The places of the hits so far that came after the first `since` of them.
    pub(super) fn hits_since(&mut self, since: usize) -> impl Iterator<Item = &mut Place> {
        self.hits[since..].iter_mut().map(|hit| &mut hit.place)
    }

    pub(super) fn hits(&self) -> usize {
        self.hits.len()
    }

    fn keep(&mut self, place: &Place, ids: HashSet<u32>) {
        for id in &ids {
            self.places[*id as usize] += 1;
        }
        let counts = self.counts(ids.iter().copied());
        let enough =
            |(owner, found): (&u32, &u32)| *found >= needed(self.index.telling[*owner as usize]);
        if counts.iter().any(enough) && self.hits.len() < MOST_HITS {
            self.hits.push(Hit {
                place: place.clone(),
                ids: ids.into_iter().collect(),
            });
        }
    }

    /// How many of these shingles each needle has.
    fn counts(&self, ids: impl Iterator<Item = u32>) -> BTreeMap<u32, u32> {
        let mut counts = BTreeMap::new();
        for id in ids {
            for owner in &self.index.owners[id as usize] {
                *counts.entry(*owner).or_insert(0) += 1;
            }
        }
        counts
    }

    /// What it came to.
    pub fn finish(self) -> Found {
        let common = |id: &u32| self.places[*id as usize] > COMMON;
        let all = (0..self.places.len() as u32).filter(|id| !common(id));
        let uncommon = self.counts(all);
        let mut best: BTreeMap<(&Place, &str), Leak> = BTreeMap::new();
        for hit in &self.hits {
            let rare = self.counts(hit.ids.iter().copied().filter(|id| !common(id)));
            for (owner, raw) in self.counts(hit.ids.iter().copied()) {
                let needle = &self.index.needles[owner as usize];
                let telling = self.index.telling[owner as usize];
                let (found, of) = match uncommon.get(&owner) {
                    Some(of) if *of >= LEAST => (rare.get(&owner).copied().unwrap_or(0), *of),
                    // Nothing of it is rare: then it lies about in many copies.
                    _ if f64::from(raw) >= 0.8 * f64::from(telling) => (raw, telling),
                    _ => continue,
                };
                if found < needed(of) {
                    continue;
                }
                let leak = Leak {
                    place: hit.place.clone(),
                    needle: needle.name.clone(),
                    kind: needle.kind,
                    found,
                    of,
                };
                let known = best.entry((&hit.place, &needle.name));
                let kept = known.or_insert_with(|| leak.clone());
                if leak.share() > kept.share() {
                    *kept = leak;
                }
            }
        }
        let mut leaks: Vec<Leak> = best.into_values().collect();
        leaks.sort_by(|a, b| {
            let share = b.share().total_cmp(&a.share());
            share
                .then(b.found.cmp(&a.found))
                .then(a.place.cmp(&b.place))
        });
        let shown = self.index.shown_wholly();
        let why = "all of it is in what the agent is given";
        Found {
            leaks,
            not_searched: self.skipped,
            not_searched_more: self.skipped_more,
            not_sought: shown
                .map(|name| Skipped::new(Place::of(name), why))
                .collect(),
            searched: self.totals,
        }
    }
}

/// Shingles from which on a likeness is a leak, of so many that tell.
fn needed(telling: u32) -> u32 {
    let share = (f64::from(telling) * SHARE).ceil() as u32;
    share.clamp(LEAST.min(telling), ENOUGH).max(1)
}

/// Searches every file below a folder of this host, `.git` included. No link is
/// followed.
///
/// # Errors
/// Where the search is to end. What cannot be read is said in the result.
pub fn folder(search: &mut Search<'_>, root: &Place, folder: &Path) -> Result<(), Interrupted> {
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                search.skip(root, error.to_string());
                continue;
            }
        };
        if !entry.file_type().is_file() {
            continue;
        }
        let name = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let place = root.at(name.to_string_lossy());
        match std::fs::File::open(entry.path()) {
            Ok(mut file) => search.file(&place, &mut file)?,
            Err(error) => search.skip(&place, error.to_string()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_is_enough_but_never_a_line_and_always_a_paragraph() {
        assert_eq!((needed(1), needed(2), needed(3), needed(10)), (1, 2, 3, 3));
        assert_eq!((needed(100), needed(200), needed(9000)), (20, 40, 40));
    }
}
