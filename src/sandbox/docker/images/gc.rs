//! Removes images of ours that nobody needs, and no others.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::errors::Error;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder,
};

use super::ensure::{BUILDS, key};
use super::error::ImageError;
use super::host::CaBundle;
use super::inventory::{ImageKind, OurImage};
use super::recipe::Recipe;
use super::{Images, debian};

/// What to remove.
#[derive(Debug, Clone)]
pub struct GcRules {
    /// Only images of these names (`task` for tasks'); empty: of all.
    pub names: Vec<String>,
    /// Task images of any age, and bases that no recipe of `images/` starts from.
    pub all: bool,
    /// Age from which a task's image goes.
    pub older_than: Duration,
    /// Only say what would go.
    pub dry_run: bool,
}

/// What was removed, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    pub removed: Vec<OurImage>,
    /// Would have gone, but a container or another process uses them.
    pub in_use: Vec<OurImage>,
    /// Untagged layers that failed or ended builds left.
    pub layers: usize,
}

impl Images {
    /// Removes what is ours, is not the current recipe of `images/`, and is used
    /// by no container and no living process.
    ///
    /// # Errors
    /// Where a recipe cannot be read (nothing is removed then) or the engine fails.
    pub async fn gc(&self, rules: GcRules) -> Result<Collected, ImageError> {
        let current = self.current()?;
        let used = self.used().await?;
        let mut collected = Collected::default();
        let mut ours = self.list().await?;
        // What was built last stands on what was built before it.
        ours.sort_by_key(|image| std::cmp::Reverse((image.kind, image.created)));
        for image in ours
            .into_iter()
            .filter(|image| current.lets_go(image, &rules))
        {
            if used.contains(&image.id) || !self.remove(&image, rules.dry_run).await? {
                collected.in_use.push(image);
            } else {
                collected.removed.push(image);
            }
        }
        collected.layers = self.remove_layers(rules.dry_run, &used).await?;
        Ok(collected)
    }

    fn current(&self) -> Result<Current, ImageError> {
        let mut current = Current::default();
        if let Some(dir) = &self.dir {
            for name in Recipe::names(dir)? {
                current.add(&Recipe::named(&name, dir)?);
            }
        }
        if let Some(path) = &self.host.ca_bundle {
            current.tags.insert(CaBundle::read(path)?.tag);
        }
        Ok(current)
    }

    /// Ids of images that containers, running or not, were made from.
    pub(super) async fn used(&self) -> Result<HashSet<String>, ImageError> {
        let options = ListContainersOptionsBuilder::new().all(true).build();
        let containers = self
            .docker
            .list_containers(Some(options))
            .await
            .map_err(|source| ImageError::engine("listing containers", source))?;
        Ok(containers
            .into_iter()
            .filter_map(|one| one.image_id)
            .collect())
    }

    /// Removes the tags that are ours; false where somebody uses the image.
    pub(super) async fn remove(&self, image: &OurImage, dry_run: bool) -> Result<bool, ImageError> {
        let Some(_held) = self.locks.removal(&image.lock_key())? else {
            return Ok(false);
        };
        if dry_run {
            return Ok(true);
        }
        let latest = image
            .tag
            .rsplit_once(':')
            .filter(|_| image.latest && image.kind == ImageKind::Named)
            .map(|(repository, _)| format!("{repository}:latest"));
        for tag in latest.iter().chain([&image.tag]) {
            if !self.untag(tag).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes a tag, and with the last one the image; false where it is in use.
    pub(super) async fn untag(&self, tag: &str) -> Result<bool, ImageError> {
        let options = RemoveImageOptionsBuilder::new().build();
        match self.docker.remove_image(tag, Some(options), None).await {
            Ok(_) => Ok(true),
            Err(Error::DockerResponseServerError {
                status_code: 404, ..
            }) => Ok(true),
            Err(Error::DockerResponseServerError {
                status_code: 409, ..
            }) => Ok(false),
            Err(source) => Err(ImageError::engine(format!("removing {tag}"), source)),
        }
    }

    /// Removes the untagged layers that our builds noted; returns how many.
    async fn remove_layers(
        &self,
        dry_run: bool,
        used: &HashSet<String>,
    ) -> Result<usize, ImageError> {
        // A running build's layers are untagged as well.
        let Some(_held) = self.locks.removal(BUILDS)? else {
            return Ok(0);
        };
        let noted = self.layers.noted()?;
        let dangling = HashMap::from([("dangling", vec!["true"])]);
        let mut removed = 0;
        for image in self.labelled(&dangling).await? {
            let ours = noted.contains(short_id(&image.id)) && !used.contains(&image.id);
            if ours && (dry_run || self.untag(&image.id).await?) {
                removed += 1;
            }
        }
        if !dry_run {
            let options = ListImagesOptionsBuilder::new().all(true).build();
            let left = self
                .docker
                .list_images(Some(options))
                .await
                .map_err(|source| ImageError::engine("listing images", source))?;
            let left: HashSet<&str> = left.iter().map(|image| short_id(&image.id)).collect();
            self.layers.keep(|id| left.contains(id))?;
        }
        Ok(removed)
    }
}

/// What the recipes of `images/` and the settings stand for right now.
#[derive(Debug, Default)]
struct Current {
    /// Keys of recipes.
    keys: HashSet<String>,
    /// Tags of bases and CA bundles.
    tags: HashSet<String>,
}

impl Current {
    fn add(&mut self, recipe: &Recipe) {
        self.keys.insert(key(recipe));
        let suites = recipe
            .dockerfile
            .references
            .iter()
            .filter_map(|reference| debian::suite(&reference.image));
        self.tags.extend(suites.map(debian::tag));
    }

    fn lets_go(&self, image: &OurImage, rules: &GcRules) -> bool {
        let named = |name: &String| Some(name.as_str()) == image.name();
        if !rules.names.is_empty() && !rules.names.iter().any(named) {
            return false;
        }
        match (image.kind, &image.recipe) {
            (ImageKind::Named, Some(recipe)) => !self
                .keys
                .contains(recipe.as_str().trim_start_matches("sha256:")),
            (ImageKind::Task, _) => rules.all || age(image) >= rules.older_than,
            (ImageKind::Base, _) => rules.all && !self.tags.contains(&image.tag),
            (ImageKind::Ca, _) => !self.tags.contains(&image.tag),
            (ImageKind::Named, None) => false,
        }
    }
}

fn age(image: &OurImage) -> Duration {
    let created = Duration::from_secs(image.created.try_into().unwrap_or(0));
    SystemTime::now()
        .duration_since(UNIX_EPOCH + created)
        .unwrap_or_default()
}

/// `sha256:<64 hex>` → its first twelve digits.
fn short_id(id: &str) -> &str {
    let hex = id.trim_start_matches("sha256:");
    hex.get(..12).unwrap_or(hex)
}
