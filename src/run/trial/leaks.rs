//! The agent's world of a task, searched for the task's answer, without a trial.
//!
//! Owns what an agent can read: exactly the image and the checkout that its sandbox is
//! made from. Must not know what likeness is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::io::SyncIoBridge;

use super::capture::is_below;
use super::prepare::{Ready, fault};
use super::{Shared, Trials};
use crate::leaks::{
    Bounds, Found, Index, NeedleError, Needles, Place, Search, folder, image, read, shown,
};
use crate::record::{Fault, TaskId};
use crate::run::Events;
use crate::task::{Task, ToolPlace};

/// No engine takes longer to give an image, and no search to read it.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// Ends a search whose caller is gone.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Trials {
    /// Makes a task ready and looks for its answer in the image's layers, the checkout
    /// with every object of its `.git`, and tools that lie in the agent's sandbox.
    ///
    /// # Errors
    /// What kept the task from being made ready, or the search from its end.
    pub async fn leaks(&self, task: &TaskId, events: &Events) -> Result<Found, Fault> {
        let Some(shared) = self.tasks.get(task) else {
            return Err(fault("harness", &"the task is not of this run"));
        };
        let at_task = self.at(shared).await;
        let found = self.answer_in(shared, events).await;
        drop(at_task);
        self.make_room(shared, events).await;
        found
    }

    async fn answer_in(&self, shared: &Shared, events: &Events) -> Result<Found, Fault> {
        let task = &shared.task.id;
        let readied = shared.ready();
        let ready = readied.get_or_init(|| self.prepare(shared, events));
        let ready = ready.await.as_ref().map_err(Clone::clone)?;
        let _begun = events.preparing(format!("search of {task} for its answer"));
        let found = tokio::time::timeout(LONGEST, self.searched(&ready.task, ready)).await;
        found.unwrap_or_else(|_| Err(fault("search", &"it did not end within two hours")))
    }

    async fn searched(&self, task: &Task, ready: &Ready) -> Result<Found, Fault> {
        let stop = Arc::new(AtomicBool::new(false));
        let _stop = Stop(stop.clone());
        let mut saved = SyncIoBridge::new(self.engine.saved(&ready.image.id));
        let scratch = self.scratch()?;
        let (task, tree) = (
            task.clone(),
            ready.tree.as_ref().map(|tree| tree.dir.clone()),
        );
        // The image's own is beneath ours, where nobody can see it.
        let beneath = ready.work_tree().filter(|tree| tree.replaces);
        let searching = tokio::task::spawn_blocking(move || {
            let needles = Needles::of(&task).map_err(|error| of_task(&error))?;
            let mut not_sought = needles.not_sought.clone();
            let index = index(needles, &task, tree.as_deref()).map_err(|error| of_task(&error))?;
            let mut search = Search::new(&index, Bounds::default(), scratch.path(), stop);
            let interrupted = |error| fault("search", &error);
            image(&mut search, &mut saved).map_err(|error| fault("search", &error))?;
            if let Some(tree) = &tree {
                folder(&mut search, &Place::of("checkout"), tree).map_err(interrupted)?;
            }
            if let (ToolPlace::Inside, Some(tools)) = (task.tools.place, &task.tools.files) {
                folder(&mut search, &Place::of("tools"), tools).map_err(interrupted)?;
            }
            for (name, value) in &task.environment.env {
                let place = Place::of("environment variable").at(name);
                search
                    .file(&place, &mut value.as_bytes())
                    .map_err(interrupted)?;
            }
            let mut found = search.finish();
            if let Some(tree) = beneath {
                let seen = |place: &Place| !is_below_of_layer(place, &tree.path);
                found.leaks.retain(|leak| seen(&leak.place));
                found.not_searched.retain(|skipped| seen(&skipped.place));
            }
            not_sought.append(&mut found.not_sought);
            Ok(Found {
                not_sought,
                ..found
            })
        });
        searching.await.map_err(|error| fault("search", &error))?
    }
}

/// Whether a place is below a folder of the image.
fn is_below_of_layer(place: &Place, folder: &str) -> bool {
    let first = place.path.first();
    place.root.starts_with("image layer")
        && first.is_some_and(|path| is_below(path.as_bytes(), folder))
}

/// The answer, without what the work tree and the image's context show.
fn index(needles: Needles, task: &Task, tree: Option<&Path>) -> Result<Index, NeedleError> {
    let mut files: Vec<(Option<String>, PathBuf)> = Vec::new();
    files.extend(shown(task)?.into_iter().map(|path| (None, path)));
    if let Some(tree) = tree {
        let entries = walkdir::WalkDir::new(tree).into_iter();
        let entries = entries.filter_entry(|entry| entry.file_name() != ".git");
        for entry in entries
            .flatten()
            .filter(|entry| entry.file_type().is_file())
        {
            let inner = entry.path().strip_prefix(tree).unwrap_or(entry.path());
            files.push((
                Some(inner.to_string_lossy().into_owned()),
                entry.into_path(),
            ));
        }
    }
    // What cannot be read shows nothing.
    let texts = files
        .into_iter()
        .filter_map(|(at, path)| Some((at, read(&path).ok()?)));
    Ok(Index::new(needles, texts))
}

fn of_task(error: &NeedleError) -> Fault {
    Fault {
        class: "task".into(),
        retryable: false,
        ..fault("search", error)
    }
}
