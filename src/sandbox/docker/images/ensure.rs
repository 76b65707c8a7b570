//! From a recipe to an image that is there: built once, however many ask.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bollard::body_full;
use bollard::query_parameters::{
    BuildImageOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder,
};
use futures_util::StreamExt;

use super::build::{Build, RECIPE};
use super::error::ImageError;
use super::host::{BuildHost, CaBundle};
use super::inspect::{label, local};
use super::lock::Held;
use super::recipe::Recipe;
use super::rewrite::rewrite;
use super::{BuiltImage, ImageProgress, Images, LONG, Progress};

/// The lock that says a build is running somewhere.
pub(super) const BUILDS: &str = "builds";
/// How long the image of a CA bundle may take: one small file.
const CA_LIMIT: Duration = Duration::from_secs(60);

impl Images {
    /// The image of a recipe: the one that is there, else built, its bases first.
    /// `timeout` bounds the build, and the wait for another process's.
    ///
    /// # Errors
    /// A base that is not to be had, a build that fails or takes too long, an
    /// engine that does not answer. Those who wait for the same build get the
    /// same error; who asks later begins anew.
    pub async fn ensure(
        &self,
        recipe: &Recipe,
        timeout: Duration,
        progress: &Progress<'_>,
    ) -> Result<BuiltImage, ImageError> {
        let began = Instant::now();
        let key = key(recipe);
        self.lease(&key, timeout).await?;
        let before = self.of_recipe(recipe).await?;
        let built = before.is_none();
        let image = match before {
            Some(image) => image,
            None => {
                let make = Box::pin(self.make(recipe, &key, timeout, progress));
                self.shared(&key, make).await?
            }
        };
        progress(ImageProgress::Done {
            name: recipe.name.clone(),
            tag: image.tag.clone(),
            built,
            elapsed: began.elapsed(),
        });
        Ok(image)
    }

    async fn make(
        &self,
        recipe: &Recipe,
        key: &str,
        timeout: Duration,
        progress: &Progress<'_>,
    ) -> Result<BuiltImage, ImageError> {
        let mut images = Vec::with_capacity(recipe.bases.len());
        for (index, own) in recipe.bases.iter().enumerate() {
            images.push(match own {
                Some(base) => Some(self.ensure(base, LONG, progress).await?.tag),
                None => self.base(recipe, index, progress).await?,
            });
        }
        let ca_image = self.ca_image().await?;
        let name = &recipe.name;
        let _held = self.right_to_make(key, name, timeout, progress).await?;
        if let Some(image) = self.of_recipe(recipe).await? {
            return Ok(image);
        }
        let _building = self.locks.hold(BUILDS, timeout).await?;
        let host = BuildHost::new(&self.host, ca_image);
        let build = |cached| Build {
            docker: &self.docker,
            recipe,
            tag: recipe.tag(),
            sent: rewrite(&recipe.dockerfile, &images, &host),
            host: host.clone(),
            cached,
            timeout,
            state: &self.host.state,
            layers: &self.layers,
            progress,
        };
        match build(true).run().await {
            // Another image on the same cached step was removed, by whomever, and the
            // engine took the step away with it. Steps taken anew are this build's
            // alone, so the second attempt cannot meet the same. (The engine keeps the
            // step it then failed at, without a name or an id that it would tell:
            // it goes with `docker image prune`.)
            Err(ImageError::Build(failure)) if failure.message.contains("unknown parent image") => {
                tracing::debug!(
                    image = name,
                    "a cached layer was removed: building once more, without the cache"
                );
                build(false).run().await?;
            }
            done => done?,
        }
        let made = self.of_recipe(recipe).await?;
        made.ok_or_else(|| ImageError::NotLocal {
            image: recipe.tag(),
        })
    }

    /// The image of a recipe, made once more without a step of an earlier build, under
    /// a tag of its own; who asks takes it away again. None where it runs nothing, so
    /// that two builds cannot differ.
    ///
    /// # Errors
    /// As [`Images::ensure`].
    pub async fn again(
        &self,
        recipe: &Recipe,
        timeout: Duration,
        progress: &Progress<'_>,
    ) -> Result<Option<String>, ImageError> {
        let runs = |keyword: &str| matches!(keyword, "RUN" | "ADD");
        let mut instructions = recipe.dockerfile.instructions.iter();
        if !instructions.any(|one| runs(&one.keyword)) {
            return Ok(None);
        }
        let mut images = Vec::with_capacity(recipe.bases.len());
        for (index, own) in recipe.bases.iter().enumerate() {
            images.push(match own {
                Some(base) => Some(self.ensure(base, LONG, progress).await?.tag),
                None => self.base(recipe, index, progress).await?,
            });
        }
        let host = BuildHost::new(&self.host, self.ca_image().await?);
        let _building = self.locks.hold(BUILDS, timeout).await?;
        let tag = format!("{}-again-{:08x}", recipe.tag(), rand::random::<u32>());
        let build = Build {
            docker: &self.docker,
            recipe,
            tag: tag.clone(),
            sent: rewrite(&recipe.dockerfile, &images, &host),
            host,
            cached: false,
            timeout,
            state: &self.host.state,
            layers: &self.layers,
            progress,
        };
        build.run().await?;
        Ok(Some(tag))
    }

    /// Takes away what [`Images::again`] made.
    ///
    /// # Errors
    /// An engine that fails.
    pub async fn remove_again(&self, tag: &str) -> Result<(), ImageError> {
        let options = RemoveImageOptionsBuilder::new().force(true).build();
        let removed = self.docker.remove_image(tag, Some(options), None).await;
        removed
            .map(drop)
            .map_err(|source| ImageError::engine(format!("removing {tag}"), source))
    }

    /// The image of the recipe where it is local; it is then also `latest`.
    async fn of_recipe(&self, recipe: &Recipe) -> Result<Option<BuiltImage>, ImageError> {
        let tag = recipe.tag();
        let found = local(&self.docker, &tag).await?;
        let Some(image) =
            found.filter(|image| label(image, RECIPE) == Some(recipe.digest.as_str()))
        else {
            return Ok(None);
        };
        let latest = format!("{}:latest", recipe.repository);
        let tags = image.repo_tags.as_deref().unwrap_or_default();
        if recipe.is_named() && !tags.contains(&latest) {
            let options = TagImageOptionsBuilder::new()
                .repo(&recipe.repository)
                .tag("latest")
                .build();
            self.docker
                .tag_image(&tag, Some(options))
                .await
                .map_err(|source| ImageError::engine(format!("tagging {latest}"), source))?;
        }
        Ok(image.id.map(|id| BuiltImage {
            id,
            recipe: Some(recipe.digest.clone()),
            tag,
            registry: None,
        }))
    }

    /// The image that carries the host's CA bundle into builds, where there is one.
    async fn ca_image(&self) -> Result<Option<String>, ImageError> {
        let Some(path) = &self.host.ca_bundle else {
            return Ok(None);
        };
        let bundle = CaBundle::read(path)?;
        let tag = bundle.tag.clone();
        let key = tag.replace(['/', ':'], "-");
        self.lease(&key, CA_LIMIT).await?;
        let make = async {
            if local(&self.docker, &tag).await?.is_none() {
                let doing = || format!("building {tag}");
                let context = bundle
                    .context()
                    .map_err(|source| ImageError::host("packing", path, source))?;
                let options = BuildImageOptionsBuilder::new().t(&tag).rm(true).build();
                let body = Some(body_full(context.into()));
                let mut answers = std::pin::pin!(self.docker.build_image(options, None, body));
                let built = async {
                    while let Some(answer) = answers.next().await {
                        answer.map_err(|source| ImageError::engine(doing(), source))?;
                    }
                    Ok(())
                };
                let late = bollard::errors::Error::RequestTimeoutError;
                tokio::time::timeout(CA_LIMIT, built)
                    .await
                    .unwrap_or_else(|_| Err(ImageError::engine(doing(), late)))?;
            }
            self.found(&tag).await
        };
        Ok(Some(self.shared(&key, make).await?.tag))
    }

    /// Performs `make`, or waits for the one who already performs it. When the
    /// one who does is dropped, the next who waits takes over.
    pub(super) async fn shared(
        &self,
        key: &str,
        make: impl Future<Output = Result<BuiltImage, ImageError>>,
    ) -> Result<BuiltImage, ImageError> {
        let cell = locked(&self.in_flight)
            .entry(key.to_owned())
            .or_default()
            .clone();
        let result = cell.get_or_init(|| make).await.clone();
        let mut in_flight = locked(&self.in_flight);
        if in_flight
            .get(key)
            .is_some_and(|now| Arc::ptr_eq(now, &cell))
        {
            in_flight.remove(key);
        }
        result
    }

    /// Says that this process uses `key` until it ends.
    pub(super) async fn lease(&self, key: &str, limit: Duration) -> Result<(), ImageError> {
        if !locked(&self.leases).contains_key(key) {
            let held = self.locks.hold(key, limit).await?;
            locked(&self.leases).insert(key.to_owned(), held);
        }
        Ok(())
    }

    /// Says that this process no longer uses `key`.
    pub(super) fn end_lease(&self, key: &str) {
        locked(&self.leases).remove(key);
    }

    pub(super) async fn right_to_make(
        &self,
        key: &str,
        name: &str,
        limit: Duration,
        progress: &Progress<'_>,
    ) -> Result<Held, ImageError> {
        let waiting = || {
            progress(ImageProgress::Waiting {
                name: name.to_owned(),
            });
        };
        self.locks.make(key, limit, waiting).await
    }
}

/// The name of a recipe's locks: its digest's digits.
pub(super) fn key(recipe: &Recipe) -> String {
    recipe
        .digest
        .as_str()
        .trim_start_matches("sha256:")
        .to_owned()
}

/// A poisoned lock still guards a whole map: nothing is left half done in it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
