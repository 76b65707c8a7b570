//! What an image says of itself.

use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ImageInspect;

use super::error::ImageError;

/// An image's own meaning: what its Dockerfile declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// `NAME=value`.
    pub env: Vec<String>,
    pub entrypoint: Vec<String>,
    pub cmd: Vec<String>,
    /// Empty: `/`.
    pub workdir: String,
    /// Empty: root.
    pub user: String,
    pub volumes: Vec<String>,
    pub healthcheck: Option<Healthcheck>,
}

/// `HEALTHCHECK`; zero durations and retries are the engine's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healthcheck {
    /// `["CMD", …]`, `["CMD-SHELL", "…"]`; never `["NONE"]`.
    pub test: Vec<String>,
    pub interval: Duration,
    pub timeout: Duration,
    pub start_period: Duration,
    pub retries: u32,
}

/// What the image `id` (an id or a tag) says of itself.
///
/// # Errors
/// Where the engine does not know it or fails.
pub async fn image_config(docker: &Docker, id: &str) -> Result<ImageConfig, ImageError> {
    let doing = || format!("inspecting the image {id}");
    let image = docker
        .inspect_image(id)
        .await
        .map_err(|source| ImageError::engine(doing(), source))?;
    let config = image.config.unwrap_or_default();
    let nanoseconds = |value: Option<i64>| {
        Duration::from_nanos(value.and_then(|value| value.try_into().ok()).unwrap_or(0))
    };
    let healthcheck = config.healthcheck.and_then(|check| {
        let test = check.test.unwrap_or_default();
        let none = test.is_empty() || test[0] == "NONE";
        (!none).then(|| Healthcheck {
            test,
            interval: nanoseconds(check.interval),
            timeout: nanoseconds(check.timeout),
            start_period: nanoseconds(check.start_period),
            retries: check.retries.and_then(|n| n.try_into().ok()).unwrap_or(0),
        })
    });
    Ok(ImageConfig {
        env: config.env.unwrap_or_default(),
        entrypoint: config.entrypoint.unwrap_or_default(),
        cmd: config.cmd.unwrap_or_default(),
        workdir: config.working_dir.unwrap_or_default(),
        user: config.user.unwrap_or_default(),
        volumes: config.volumes.unwrap_or_default(),
        healthcheck,
    })
}

/// An image that is local, or none.
pub(super) async fn local(docker: &Docker, name: &str) -> Result<Option<ImageInspect>, ImageError> {
    match docker.inspect_image(name).await {
        Ok(image) => Ok(Some(image)),
        Err(Error::DockerResponseServerError {
            status_code: 404, ..
        }) => Ok(None),
        Err(source) => Err(ImageError::engine(
            format!("inspecting the image {name}"),
            source,
        )),
    }
}

/// A label of an image.
pub(super) fn label<'a>(image: &'a ImageInspect, name: &str) -> Option<&'a str> {
    let labels = image.config.as_ref()?.labels.as_ref()?;
    labels.get(name).map(String::as_str)
}
