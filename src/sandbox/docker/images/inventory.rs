//! What is ours in the engine's store.
//!
//! A label is not enough: whoever builds on an image of ours inherits it. Ours is
//! what bears the tag that we gave it, and that tag tells the label's own digest.

use std::collections::{BTreeMap, HashMap};

use bollard::models::ImageSummary;
use bollard::query_parameters::ListImagesOptionsBuilder;
use serde::Serialize;

use super::Images;
use super::build::RECIPE;
use super::error::ImageError;
use super::recipe::{NAMESPACE, short};
use super::rewrite::KIND;
use crate::record::Digest;

/// An image of ours, by one of its tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OurImage {
    /// `proofyard/<name>:<16 digits>` and the like.
    pub tag: String,
    pub kind: ImageKind,
    /// `sha256:…`, of the engine.
    pub id: String,
    /// Of the recipe, where there is one.
    pub recipe: Option<Digest>,
    /// Whether it is the one that is also tagged `latest`.
    pub latest: bool,
    /// With the layers that it shares with others.
    pub bytes: u64,
    /// Seconds since 1970.
    pub created: i64,
}

impl OurImage {
    /// `proofyard/<name>:…` → the name.
    pub(super) fn name(&self) -> Option<&str> {
        let (repository, _) = self.tag.rsplit_once(':')?;
        repository.strip_prefix(NAMESPACE)
    }

    /// The name of its locks.
    pub(super) fn lock_key(&self) -> String {
        match (&self.recipe, self.tag.rsplit_once(':')) {
            (Some(recipe), _) => recipe.as_str().trim_start_matches("sha256:").to_owned(),
            (None, Some((_, version))) if self.kind == ImageKind::Base => {
                format!("debian-{version}")
            }
            (None, _) => self.tag.replace(['/', ':'], "-"),
        }
    }
}

/// What an image of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageKind {
    /// A Debian base that was made here.
    Base,
    /// A recipe of `images/`.
    Named,
    /// A task's recipe.
    Task,
    /// The host's CA bundle.
    Ca,
}

impl Images {
    /// Our images, by kind and tag.
    ///
    /// # Errors
    /// Where the engine fails.
    pub async fn list(&self) -> Result<Vec<OurImage>, ImageError> {
        let mut ours: Vec<OurImage> = self
            .labelled(&HashMap::new())
            .await?
            .iter()
            .flat_map(ours)
            .collect();
        ours.sort_by(|a, b| (a.kind, &a.tag).cmp(&(b.kind, &b.tag)));
        Ok(ours)
    }

    /// Bytes of every image that is local, whoever made it, by each of its names; what it
    /// shares with others is counted. A name without a tag is that of `latest`.
    ///
    /// # Errors
    /// Where the engine fails.
    pub async fn local_sizes(&self) -> Result<BTreeMap<String, u64>, ImageError> {
        let options = ListImagesOptionsBuilder::new().build();
        let images = self.docker.list_images(Some(options)).await;
        let images = images.map_err(|source| ImageError::engine("listing images", source))?;
        let mut sizes = BTreeMap::new();
        for image in &images {
            let bytes = image.size.try_into().unwrap_or(0);
            for name in image.repo_tags.iter().chain(&image.repo_digests) {
                sizes.insert(name.clone(), bytes);
                if let Some(plain) = name.strip_suffix(":latest") {
                    sizes.insert(plain.to_owned(), bytes);
                }
            }
        }
        Ok(sizes)
    }

    /// Images with a label of ours: our own, and those that others built on them.
    pub(super) async fn labelled(
        &self,
        filters: &HashMap<&str, Vec<&str>>,
    ) -> Result<Vec<ImageSummary>, ImageError> {
        let mut filters = filters.clone();
        filters.insert("label", vec![KIND]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        self.docker
            .list_images(Some(options))
            .await
            .map_err(|source| ImageError::engine("listing images", source))
    }
}

/// The tags of an image that are ours.
fn ours(image: &ImageSummary) -> Vec<OurImage> {
    let label = |name: &str| image.labels.get(name).map(String::as_str);
    let recipe = label(RECIPE).map(Digest::new);
    let one = |tag: &String| {
        let (repository, version) = tag.rsplit_once(':')?;
        let name = repository.strip_prefix(NAMESPACE)?;
        let (kind, recipe) = match (label(KIND)?, name) {
            ("base", "debian") => (ImageKind::Base, None),
            ("ca", "ca") => (ImageKind::Ca, None),
            ("image", name) => {
                let recipe = recipe.clone().filter(|recipe| short(recipe) == version)?;
                let kind = if name == "task" {
                    ImageKind::Task
                } else {
                    ImageKind::Named
                };
                (kind, Some(recipe))
            }
            _ => return None,
        };
        let latest = image.repo_tags.contains(&format!("{repository}:latest"));
        Some(OurImage {
            tag: tag.clone(),
            kind,
            id: image.id.clone(),
            recipe,
            latest,
            bytes: image.size.try_into().unwrap_or(0),
            created: image.created,
        })
    };
    image.repo_tags.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(labels: &[(&str, &str)], tags: &[&str]) -> Vec<String> {
        let image = ImageSummary {
            repo_tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            labels: labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..ImageSummary::default()
        };
        ours(&image).into_iter().map(|image| image.tag).collect()
    }

    #[test]
    fn an_inherited_label_makes_nothing_ours() {
        let digest = format!("sha256:{}", "a1".repeat(32));
        let inherited = [(KIND, "image"), (RECIPE, digest.as_str())];
        let own = "proofyard/c:a1a1a1a1a1a1a1a1";
        let foreign = ["mine:1", "proofyard/c:mine", "proofyard/c:latest", own];
        assert_eq!(tags(&inherited, &foreign), [own]);
        assert!(tags(&[(KIND, "base")], &["mine:2"]).is_empty());
        assert!(tags(&[], &[own, "proofyard/debian:bookworm"]).is_empty());
    }
}
