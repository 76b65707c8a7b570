//! Images that others made: local as they are, pulled, or made anew.

use std::path::PathBuf;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt;

use super::error::ImageError;
use super::inspect::{label, local};
use super::recipe::{NAMESPACE, Recipe};
use super::rewrite::KIND;
use super::text::plain;
use super::{BuiltImage, ImageProgress, Images, LONG, Progress, debian};

/// How often a pull is tried, and the first pause between two, which doubles.
pub(super) const ATTEMPTS: u32 = 3;
const BACKOFF: Duration = Duration::from_secs(1);
/// How long a pull may say nothing.
const SILENCE: Duration = Duration::from_secs(120);

impl Images {
    /// The tag that stands for a foreign image which a recipe refers to.
    pub(super) async fn base(
        &self,
        recipe: &Recipe,
        index: usize,
        progress: &Progress<'_>,
    ) -> Result<Option<String>, ImageError> {
        let reference = &recipe.dockerfile.references[index];
        let image = reference.image.as_str();
        if local(&self.docker, image).await?.is_some() {
            return Ok(None);
        }
        let at = |message: String| ImageError::Dockerfile {
            file: recipe.file.clone(),
            line: reference.line,
            message,
        };
        if image.starts_with(NAMESPACE) {
            return Err(at(format!("{image} is neither a recipe here nor local")));
        }
        if let Some(suite) = debian::suite(image) {
            let made = self.debian(image, suite, progress).await?;
            return Ok(Some(made.tag).filter(|tag| tag != image));
        }
        if !self.pull {
            return Err(at(ImageError::NotLocal {
                image: image.to_owned(),
            }
            .to_string()));
        }
        pull(&self.docker, image, ATTEMPTS, progress)
            .await
            .map_err(|error| at(error.to_string()))?;
        Ok(None)
    }

    /// A Debian base: what was made before, else what a registry gives, else
    /// made from the distribution's packages.
    async fn debian(
        &self,
        image: &str,
        suite: &str,
        progress: &Progress<'_>,
    ) -> Result<BuiltImage, ImageError> {
        let key = format!("debian-{suite}");
        self.lease(&key, LONG).await?;
        let make = async {
            let tag = debian::tag(suite);
            let _held = self.right_to_make(&key, &tag, LONG, progress).await?;
            if let Some(made) = self.made_base(&tag).await? {
                return Ok(made);
            }
            let reason = if self.pull {
                match pull(&self.docker, image, 1, progress).await {
                    Ok(()) => return self.found(image).await,
                    Err(ImageError::Pull { message, .. }) => message,
                    Err(other) => return Err(other),
                }
            } else {
                "`images.pull` is off".to_owned()
            };
            let state = &self.host.state;
            debian::make(&self.docker, image, suite, &reason, state, progress).await?;
            self.found(&tag).await
        };
        self.shared(&key, make).await
    }

    async fn made_base(&self, tag: &str) -> Result<Option<BuiltImage>, ImageError> {
        let found = local(&self.docker, tag).await?;
        let ours = found.filter(|image| label(image, KIND) == Some("base"));
        Ok(ours.and_then(|image| image.id).map(|id| BuiltImage {
            id,
            recipe: None,
            tag: tag.to_owned(),
            registry: None,
        }))
    }

    /// An image that must be local now.
    pub(super) async fn found(&self, name: &str) -> Result<BuiltImage, ImageError> {
        let found = local(&self.docker, name).await?.unwrap_or_default();
        let id = found.id.ok_or_else(|| ImageError::NotLocal {
            image: name.to_owned(),
        })?;
        // An image may have come from several registries: the one of this name.
        let wanted = name.strip_prefix("docker.io/").unwrap_or(name);
        let wanted = name_and_tag(wanted.split('@').next().unwrap_or(wanted)).0;
        let of_name = |digest: &String| digest.split('@').next() == Some(wanted);
        let digests = found.repo_digests.unwrap_or_default();
        Ok(BuiltImage {
            id,
            recipe: None,
            tag: name.to_owned(),
            registry: digests.into_iter().find(of_name),
        })
    }

    /// The folder of the recipe that a name means, where it means one of `images/`.
    pub(super) fn own(&self, name: &str) -> Option<PathBuf> {
        super::recipe::own_base(name, self.dir.as_deref()?)
    }

    /// An image by its name, as a task's `docker_image` says it: a recipe of
    /// `images/` is built, what is local is used as it is, else it is pulled
    /// where `pull` and the settings allow.
    ///
    /// # Errors
    /// Where it is neither local nor to be had.
    pub async fn ensure_named(
        &self,
        name: &str,
        pull_it: bool,
        progress: &Progress<'_>,
    ) -> Result<BuiltImage, ImageError> {
        if let Some(own) = self.own(name) {
            let recipe = Recipe::from_dir(&own, self.dir.as_deref())?;
            return self.ensure(&recipe, LONG, progress).await;
        }
        if local(&self.docker, name).await?.is_none() {
            if !(pull_it && self.pull) {
                return Err(ImageError::NotLocal {
                    image: name.to_owned(),
                });
            }
            pull(&self.docker, name, ATTEMPTS, progress).await?;
        }
        self.found(name).await
    }
}

impl Images {
    /// The first of these images that is local; else the first that a registry gives,
    /// pulled once however many ask for it. None where none is local and none may be
    /// pulled. A registry that cannot be reached is not asked again.
    ///
    /// # Errors
    /// What the registry, or the way to it, said of the last one.
    pub async fn ensure_any(
        &self,
        names: &[String],
        progress: &Progress<'_>,
    ) -> Result<Option<BuiltImage>, ImageError> {
        for name in names {
            if local(&self.docker, name).await?.is_some() {
                return self.for_instance(name, false, progress).await.map(Some);
            }
        }
        // A name without a namespace is one that somebody built here.
        let published = names.iter().filter(|name| name.contains('/'));
        let mut last = None;
        for name in published.filter(|_| self.pull) {
            let known = self.unreachable.get().cloned();
            let pulled = match known {
                Some(message) => Err(ImageError::Pull {
                    image: name.clone(),
                    attempts: 0,
                    message,
                }),
                None => self.for_instance(name, true, progress).await,
            };
            match pulled {
                Ok(image) => return Ok(Some(image)),
                Err(ImageError::Pull { message, .. }) if is_no_way(&message) => {
                    let message = self.unreachable.get_or_init(|| message).clone();
                    return Err(ImageError::Pull {
                        image: name.clone(),
                        attempts: 1,
                        message,
                    });
                }
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(error) => Err(error),
            None => Ok(None),
        }
    }
}

/// Whether there is no way to a registry at all.
fn is_no_way(message: &str) -> bool {
    [
        "no such host",
        "dial tcp",
        "connection refused",
        "network is unreachable",
        "Client.Timeout",
        "proxyconnect",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

/// Pulls an image, with pauses between attempts.
pub(super) async fn pull(
    docker: &Docker,
    image: &str,
    attempts: u32,
    progress: &Progress<'_>,
) -> Result<(), ImageError> {
    let mut pause = BACKOFF;
    let mut attempt = 1;
    loop {
        let message = match pull_once(docker, image, progress).await {
            Ok(()) => return Ok(()),
            Err(message) => plain(&message),
        };
        if attempt >= attempts || is_final(&message) || (attempt > 1 && is_no_way(&message)) {
            return Err(ImageError::Pull {
                image: image.to_owned(),
                attempts: attempt,
                message,
            });
        }
        attempt += 1;
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

/// Whether asking again cannot help.
fn is_final(message: &str) -> bool {
    [
        "manifest unknown",
        "not found",
        "access denied",
        "invalid reference",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

async fn pull_once(docker: &Docker, image: &str, progress: &Progress<'_>) -> Result<(), String> {
    let (name, tag) = name_and_tag(image);
    let options = CreateImageOptionsBuilder::new()
        .from_image(name)
        .tag(tag)
        .build();
    let docker = docker.clone().with_timeout(SILENCE);
    let mut answers = std::pin::pin!(docker.create_image(Some(options), None, None));
    let tell = |text: &str| {
        progress(ImageProgress::Pulling {
            image: image.to_owned(),
            text: plain(text),
        });
    };
    tell("asking the registry");
    loop {
        match tokio::time::timeout(SILENCE, answers.next()).await {
            Err(_) => return Err(format!("silent for {} s", SILENCE.as_secs())),
            Ok(None) => return Ok(()),
            Ok(Some(Err(error))) => return Err(error.to_string()),
            Ok(Some(Ok(said))) => {
                // One layer's bar moves many times a second; what begins and ends is enough.
                if let Some(status) = said.status.filter(|_| said.progress_detail.is_none()) {
                    tell(&status);
                }
            }
        }
    }
}

/// `host:5000/a/b:tag` → name and tag; a digest stays with the name.
fn name_and_tag(image: &str) -> (&str, &str) {
    if image.contains('@') {
        return (image, "");
    }
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        // Without a tag an engine would pull them all.
        _ => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(name_and_tag("host:5000/a"), ("host:5000/a", "latest"));
        assert_eq!(name_and_tag("host:5000/a:1"), ("host:5000/a", "1"));
        assert_eq!(name_and_tag("a@sha256:00"), ("a@sha256:00", ""));
    }
}
