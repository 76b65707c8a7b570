//! Room for the images of a data set: those that were not used for longest go, until the
//! rest fits.
//!
//! Owns what an image weighs beside others, and which one goes next. Only images that a
//! run made for an instance are weighed and removed ([`super::uses`]).

use std::collections::{HashMap, HashSet};
use std::time::{SystemTime, UNIX_EPOCH};

use bollard::errors::Error;
use sha2::{Digest as _, Sha256};

use super::bases::{ATTEMPTS, pull};
use super::error::ImageError;
use super::inspect::local;
use super::inventory::OurImage;
use super::uses::{Origin, Use};
use super::{BuiltImage, Images, LONG, Progress};
use crate::record::hex;

/// Whether an image is used, or soon will be, by the process that asks; by its tag.
pub type InUse<'a> = dyn Fn(&str) -> bool + Send + Sync + 'a;

/// What was done to keep within a budget.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// What was removed, the first first.
    pub removed: Vec<Removed>,
    /// What would have gone, but somebody uses it; beside what the caller itself named.
    pub in_use: Vec<String>,
    /// What the images that are left take, bytes; more than the budget where all of them
    /// are in use.
    pub bytes: u64,
}

/// An image that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub tag: String,
    /// What it freed: without what images that were left share with it.
    pub bytes: u64,
    /// Milliseconds since 1970.
    pub last_used: u64,
}

impl Images {
    /// The image of a data set's instance, by its name: what is local is used as it is,
    /// else it is pulled, once however many ask, and written down as ours to remove.
    ///
    /// # Errors
    /// As [`Images::ensure_named`].
    pub async fn for_instance(
        &self,
        name: &str,
        pull_it: bool,
        progress: &Progress<'_>,
    ) -> Result<BuiltImage, ImageError> {
        if self.own(name).is_some() {
            return self.ensure_named(name, pull_it, progress).await;
        }
        let key = pulled_key(name);
        self.lease(&key, LONG).await?;
        let make = Box::pin(async {
            if local(&self.docker, name).await?.is_some() {
                return self.found(name).await;
            }
            if !(pull_it && self.pull) {
                return Err(ImageError::NotLocal {
                    image: name.to_owned(),
                });
            }
            let _held = self.right_to_make(&key, name, LONG, progress).await?;
            if local(&self.docker, name).await?.is_none() {
                pull(&self.docker, name, ATTEMPTS, progress).await?;
                let image = self.found(name).await?;
                self.uses.made(name, &image.id, Origin::Pulled, now())?;
            }
            self.found(name).await
        });
        let image = self.shared(&key, make).await?;
        self.uses.used(&image.tag, &image.id, now())?;
        Ok(image)
    }

    /// Says that an image was used for an instance now. One that was built from a recipe
    /// is ours to remove from then on; one that was neither built nor pulled by a run
    /// never is. Who uses an instance's image uses its environment's as well, and says so.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn used_for_instance(&self, image: &BuiltImage) -> Result<(), ImageError> {
        match image.recipe {
            Some(_) => self.uses.made(&image.tag, &image.id, Origin::Built, now()),
            None => self.uses.used(&image.tag, &image.id, now()),
        }
    }

    /// Removes images that runs pulled or built for instances, the one that was not used
    /// for longest first, until the rest takes at most `budget` bytes. What they share is
    /// counted once, and one whose removal would free nothing stays. Never removes what
    /// was there before, what a container was made from, what a living process leases, or
    /// what `in_use` names: who is about to ask for an image makes it say so first.
    ///
    /// # Errors
    /// An engine that fails, a journal or a lock that cannot be used.
    pub async fn keep_within(
        &self,
        budget: u64,
        in_use: &InUse<'_>,
    ) -> Result<Trimmed, ImageError> {
        // One after the other: two would count the same image as theirs.
        let _turn = self.locks.make("budget", LONG, || ()).await?;
        let mut weighed = self.weighed(in_use).await?;
        let mut trimmed = Trimmed::default();
        while let Some(next) = next(&weighed, budget) {
            let image = &weighed[next.index];
            if in_use(&image.tag) || !self.let_go(image).await? {
                trimmed.in_use.push(image.tag.clone());
                weighed[next.index].may_go = false;
                continue;
            }
            self.uses.forget(std::slice::from_ref(&image.tag))?;
            trimmed.removed.push(Removed {
                tag: image.tag.clone(),
                bytes: next.frees,
                last_used: image.last,
            });
            weighed.remove(next.index);
        }
        trimmed.bytes = weight(&weighed);
        Ok(trimmed)
    }

    /// The images of the journal that are there; what is not is forgotten.
    async fn weighed(&self, in_use: &InUse<'_>) -> Result<Vec<Weighed>, ImageError> {
        let uses = self.uses.all()?;
        if uses.is_empty() {
            return Ok(Vec::new());
        }
        let ours = self.list().await?;
        let used = self.used().await?;
        let (mut weighed, mut gone) = (Vec::new(), Vec::new());
        for one in uses {
            let found = local(&self.docker, &one.tag).await?;
            if found.and_then(|image| image.id).as_ref() != Some(&one.id) {
                gone.push(one.tag);
                continue;
            }
            let made = match one.origin {
                Origin::Pulled => Made::Pulled,
                Origin::Built => match ours.iter().find(|image| image.tag == one.tag) {
                    Some(image) => Made::Built(image.clone()),
                    None => {
                        gone.push(one.tag);
                        continue;
                    }
                },
            };
            let steps = self.steps(&one).await?;
            weighed.push(Weighed {
                may_go: !used.contains(&one.id) && !in_use(&one.tag),
                tag: one.tag,
                last: one.last,
                steps,
                made,
            });
        }
        self.uses.forget(&gone)?;
        Ok(weighed)
    }

    /// What an image was made by, the first step first.
    async fn steps(&self, image: &Use) -> Result<Vec<Step>, ImageError> {
        let history = match self.docker.image_history(&image.id).await {
            Ok(history) => history,
            Err(Error::DockerResponseServerError {
                status_code: 404, ..
            }) => Vec::new(),
            Err(source) => {
                let doing = format!("asking for the history of {}", image.tag);
                return Err(ImageError::engine(doing, source));
            }
        };
        let mut before = [0; 32];
        let step = history.iter().rev().map(|step| {
            let mut hash = Sha256::new();
            hash.update(before);
            hash.update(step.created.to_be_bytes());
            hash.update(step.size.to_be_bytes());
            hash.update(step.created_by.as_bytes());
            before = hash.finalize().into();
            Step {
                with_all_before: before,
                bytes: step.size.try_into().unwrap_or(0),
            }
        });
        Ok(step.collect())
    }

    /// Removes an image; false where somebody uses it.
    async fn let_go(&self, image: &Weighed) -> Result<bool, ImageError> {
        let key = match &image.made {
            Made::Built(ours) => ours.lock_key(),
            Made::Pulled => pulled_key(&image.tag),
        };
        // Our own lease: nobody in this process uses the image.
        self.end_lease(&key);
        match &image.made {
            Made::Built(ours) => self.remove(ours, false).await,
            Made::Pulled => match self.locks.removal(&key)? {
                Some(_held) => self.untag(&image.tag).await,
                None => Ok(false),
            },
        }
    }
}

/// The name of a pulled image's locks.
fn pulled_key(name: &str) -> String {
    let digest = hex(&Sha256::digest(name.as_bytes()));
    format!("pulled-{}", &digest[..32])
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis().try_into().unwrap_or(u64::MAX))
}

/// An image that may have to go.
#[derive(Debug, Clone)]
struct Weighed {
    tag: String,
    last: u64,
    steps: Vec<Step>,
    may_go: bool,
    made: Made,
}

#[derive(Debug, Clone)]
enum Made {
    Built(OurImage),
    Pulled,
}

/// A step of an image's history, and what it added.
#[derive(Debug, Clone)]
struct Step {
    /// The same in images that share the step and all before it, and so their layers: of
    /// when it was taken, by which instruction, with which outcome.
    with_all_before: [u8; 32],
    bytes: u64,
}

/// The image that goes next.
#[derive(Debug, PartialEq, Eq)]
struct Next {
    index: usize,
    frees: u64,
}

/// Which image goes next, so that all of them take at most `budget` bytes; none where
/// they do, or where nothing that may go would free anything.
fn next(images: &[Weighed], budget: u64) -> Option<Next> {
    if weight(images) <= budget {
        return None;
    }
    let mut shared: HashMap<[u8; 32], usize> = HashMap::new();
    for step in images.iter().flat_map(|image| &image.steps) {
        *shared.entry(step.with_all_before).or_default() += 1;
    }
    let alone = |step: &Step| shared.get(&step.with_all_before) == Some(&1);
    // Two names of one image free nothing until both are gone.
    let staying = images.iter().filter(|image| !image.may_go);
    let stays: HashSet<[u8; 32]> = staying
        .flat_map(|image| &image.steps)
        .map(|step| step.with_all_before)
        .collect();
    let together = |step: &Step| !stays.contains(&step.with_all_before);
    oldest(images, &alone).or_else(|| {
        let Next { index, .. } = oldest(images, &together)?;
        Some(Next { index, frees: 0 })
    })
}

/// Of images that may go and would free bytes, by the steps that count, the one that was
/// not used for longest.
fn oldest(images: &[Weighed], counts: &dyn Fn(&Step) -> bool) -> Option<Next> {
    let candidates = images.iter().enumerate().filter(|(_, image)| image.may_go);
    let freeing = candidates.filter_map(|(index, image)| {
        let counted = image.steps.iter().filter(|step| counts(step));
        let frees = counted.fold(0_u64, |sum, step| sum.saturating_add(step.bytes));
        (frees > 0).then_some((image, Next { index, frees }))
    });
    let first = freeing.min_by(|(one, _), (other, _)| {
        let by_time = one.last.cmp(&other.last);
        by_time.then_with(|| one.tag.cmp(&other.tag))
    });
    first.map(|(_, next)| next)
}

/// What images take together, what they share counted once; bytes.
fn weight(images: &[Weighed]) -> u64 {
    let mut seen = HashSet::new();
    let steps = images.iter().flat_map(|image| &image.steps);
    let first = steps.filter(|step| seen.insert(step.with_all_before));
    first.fold(0, |sum, step| sum.saturating_add(step.bytes))
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
