//! Room for the images of instances: where a budget is set, those that no trial needs go,
//! the ones that were not used for longest first.
//!
//! Owns which images the trials of this process need. Must not know what an image weighs.

use std::sync::atomic::Ordering;

use super::{Shared, Trials};
use crate::run::{Events, RunEvent};
use crate::task::ImageSource;

/// Somebody is at a task: its images are needed.
pub struct AtTask<'a>(&'a Shared);

impl Drop for AtTask<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Trials {
    /// Says that somebody begins on a task. Not while images are removed: what is needed
    /// must be known before.
    pub(super) async fn at<'a>(&self, shared: &'a Shared) -> AtTask<'a> {
        let _gate = self.room.read().await;
        shared.busy.fetch_add(1, Ordering::SeqCst);
        AtTask(shared)
    }

    /// Says that a task needs images of these tags, before they are asked for.
    pub(super) async fn needs(&self, shared: &Shared, tags: &[String]) {
        let _gate = self.room.read().await;
        let mut needed = shared.needs.lock().unwrap_or_else(|held| held.into_inner());
        needed.extend(tags.iter().cloned());
    }

    /// Keeps within the budget of images, once nobody is at an instance any more.
    pub(super) async fn make_room(&self, shared: &Shared, events: &Events) {
        let Some(budget) = self.settings.images.budget else {
            return;
        };
        let instance = matches!(shared.task.environment.image, ImageSource::Instance(_));
        if !instance || shared.busy.load(Ordering::SeqCst) > 0 {
            return;
        }
        let _gate = self.room.write().await;
        let in_use = |tag: &str| self.is_needed(tag);
        let warn = |message: String| events.send(RunEvent::Warning { message });
        match self.images.keep_within(budget, &in_use).await {
            Ok(trimmed) => {
                for image in trimmed.removed {
                    warn(format!(
                        "removed the image {} to keep within the image budget of {}: {} are free again",
                        image.tag,
                        gigabytes(budget),
                        gigabytes(image.bytes)
                    ));
                }
            }
            Err(error) => warn(format!("keep within the image budget: {error}")),
        }
    }

    /// Whether somebody is at a task that needs an image. Who comes to another task that
    /// had it makes that task ready anew.
    fn is_needed(&self, tag: &str) -> bool {
        let mut needed = false;
        for shared in self.tasks.values() {
            let mut needs = shared.needs.lock().unwrap_or_else(|held| held.into_inner());
            if !needs.contains(tag) {
                continue;
            }
            if shared.busy.load(Ordering::SeqCst) > 0 {
                needed = true;
                continue;
            }
            needs.clear();
            shared.forget();
        }
        needed
    }
}

/// 10⁹ bytes.
fn gigabytes(bytes: u64) -> String {
    match bytes as f64 / 1e9 {
        small if small < 0.1 => format!("{:.1} MB", bytes as f64 / 1e6),
        more => format!("{more:.1} GB"),
    }
}
