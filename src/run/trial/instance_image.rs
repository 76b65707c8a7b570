//! The image of an instance of SWE-bench: an official one, else one that is built of its
//! specification, in two layers of which instances share the first.

use std::path::PathBuf;
use std::time::Duration;

use super::prepare::{fault, told_where_slow};
use super::{Shared, Trials};
use crate::record::Fault;
use crate::repo::{self, Owner};
use crate::run::Events;
use crate::sandbox::docker::images::{BuiltImage, Described, ImageError, Progress, Recipe};
use crate::task::swebench::Built;
use crate::task::{History, InstanceBuild, InstanceImage};

/// A bug is a commit, as in the mirrors of its data set: what sets a work tree back, as
/// the official ways to apply a patch do, must not mend it.
const COMMIT: &str = "git -c core.hooksPath=/dev/null -c commit.gpgSign=false -c user.name=environment -c user.email=environment@localhost commit -q -a -m 'Changes of the data set'";

impl Trials {
    /// The image, with the bug laid over it where the data set's patch makes one.
    pub(super) async fn instance_image(
        &self,
        shared: &Shared,
        image: &InstanceImage,
        limit: Duration,
        events: &Events,
        progress: &Progress<'_>,
    ) -> Result<BuiltImage, Fault> {
        let build = |built| self.built_instance(shared, built, limit, events, progress);
        self.needs(shared, &image.names).await;
        let found = match self.images.ensure_any(&image.names, progress).await {
            Ok(Some(found)) => found,
            Ok(None) => match &image.built {
                Some(built) => build(built).await?,
                None => {
                    let names = image.names.join(", nor ");
                    let message = format!(
                        "no image is local under {names}, none may be pulled (`images.pull`), and no specification in `swebench.envs` says how one is built"
                    );
                    return Err(Fault {
                        class: "image".into(),
                        retryable: false,
                        ..fault("image", &message)
                    });
                }
            },
            Err(error) => match &image.built {
                Some(built) => build(built).await?,
                None => return Err(of_image(&error)),
            },
        };
        let Some(bug) = &image.bug else {
            return Ok(found);
        };
        let context = bug.parent().map(PathBuf::from).unwrap_or_default();
        let described = Described {
            name: Some(format!("bug-of-{}", shared.task.id)),
            without: vec![context.join("solve.sh")],
            text: Some(format!(
                "FROM {}\nUSER root\nCOPY fix.patch /tmp/bug.patch\nRUN cd {} && git apply --verbose /tmp/bug.patch && {COMMIT} && rm /tmp/bug.patch\n",
                found.tag, image.workdir
            )),
            context,
            ..Described::default()
        };
        self.ensured(shared, &described, limit, progress).await
    }

    async fn built_instance(
        &self,
        shared: &Shared,
        built: &InstanceBuild,
        limit: Duration,
        events: &Events,
        progress: &Progress<'_>,
    ) -> Result<BuiltImage, Fault> {
        let nothing = self.scratch()?;
        let environment = Described {
            name: Some(format!("environment-of-{}", shared.task.id)),
            context: nothing.path().to_owned(),
            text: Some(built.environment.clone()),
            ..Described::default()
        };
        let environment = self.ensured(shared, &environment, limit, progress).await?;
        let (source, commit) = (built.repo.clone(), built.commit.clone());
        let cache = self.engine.state().join("checkouts");
        let owner = Owner { uid: 0, gid: 0 };
        let preparing = tokio::task::spawn_blocking(move || {
            repo::prepare(
                &source,
                commit.as_deref(),
                History::Ancestors,
                &cache,
                owner,
            )
        });
        let what = format!("checkout of {}", shared.task.id);
        let prepared = told_where_slow(events, what, preparing).await;
        let prepared = prepared.map_err(|error| fault("checkout", &error))?;
        let prepared = prepared.map_err(|error| Fault {
            class: "task".into(),
            ..fault("checkout", &error)
        })?;
        // The tree lies in a folder of its own, beside what is known of it.
        let context = prepared.dir.parent().map(PathBuf::from).unwrap_or_default();
        let described = Described {
            name: Some(shared.task.id.to_string()),
            without: vec![context.join("checkout.json")],
            context,
            text: Some(built.instance.replace(Built::FROM, &environment.tag)),
            ..Described::default()
        };
        self.ensured(shared, &described, limit, progress).await
    }

    async fn ensured(
        &self,
        shared: &Shared,
        described: &Described,
        limit: Duration,
        progress: &Progress<'_>,
    ) -> Result<BuiltImage, Fault> {
        let images = self.settings.images.dir.clone();
        let owned = described.clone();
        // A work tree has many files to digest.
        let reading =
            tokio::task::spawn_blocking(move || Recipe::described(&owned, images.as_deref()));
        let recipe = reading.await.map_err(|error| fault("image", &error))?;
        let recipe = recipe.map_err(|error| of_image(&error))?;
        self.needs(shared, &[recipe.tag()]).await;
        let built: Result<BuiltImage, ImageError> =
            self.images.ensure(&recipe, limit, progress).await;
        let built = built.map_err(|error| of_image(&error))?;
        let used = self.images.used_for_instance(&built);
        used.map_err(|error| of_image(&error))?;
        Ok(built)
    }
}

/// An image that could not be had.
pub(super) fn of_image(error: &ImageError) -> Fault {
    Fault {
        class: "image".into(),
        retryable: !error.lasts(),
        ..fault("image", error)
    }
}
