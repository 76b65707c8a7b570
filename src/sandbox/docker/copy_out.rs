//! A folder of an image, without a process in it.

use std::fs::File;
use std::time::Duration;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder,
    RemoveContainerOptionsBuilder,
};
use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;

use super::engine::Engine;
use super::refusal::{is_missing, refused};
use crate::sandbox::SandboxError;

/// How long the engine may take for one piece.
const PIECE: Duration = Duration::from_secs(120);
/// Most bytes of a folder.
const MOST: u64 = 64 << 30;

impl Engine {
    /// Writes a folder of an image to a file, as the tar stream that the engine gives of
    /// it: names begin with the last part of `path`. False where nothing is there.
    ///
    /// # Errors
    /// What the engine refuses, and what this host cannot write.
    pub async fn copy_out(&self, image: &str, path: &str, to: File) -> Result<bool, SandboxError> {
        let doing = format!("copy {path} out of the image");
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            // Never started; an image without a command of its own could not be made otherwise.
            entrypoint: Some(vec!["none".to_owned()]),
            labels: Some(self.owner.labels("", "")),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().build();
        let made = self.docker.create_container(Some(options), body).await;
        let id = made.map_err(|error| refused(&doing, &error))?.id;
        let copied = self.copy(&id, path, to, &doing).await;
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        let removed = self.docker.remove_container(&id, Some(options)).await;
        let copied = copied?;
        removed.map_err(|error| refused(&doing, &error))?;
        Ok(copied)
    }

    async fn copy(
        &self,
        container: &str,
        path: &str,
        to: File,
        doing: &str,
    ) -> Result<bool, SandboxError> {
        let host = |source| SandboxError::Host {
            doing: doing.to_owned(),
            source,
        };
        let options = DownloadFromContainerOptionsBuilder::default()
            .path(path)
            .build();
        let pieces = self
            .docker
            .download_from_container(container, Some(options));
        let mut pieces = std::pin::pin!(pieces);
        let mut file = tokio::fs::File::from_std(to);
        let mut bytes = 0;
        loop {
            let piece = tokio::time::timeout(PIECE, pieces.next()).await;
            let piece = piece.map_err(|_| SandboxError::Deadline {
                doing: "copying a folder out of an image",
                seconds: PIECE.as_secs(),
            })?;
            match piece {
                None => break,
                Some(Err(error)) if is_missing(&error) => return Ok(false),
                Some(Err(error)) => return Err(refused(doing, &error)),
                Some(Ok(piece)) => {
                    bytes += piece.len() as u64;
                    if bytes > MOST {
                        return Err(host(std::io::Error::other("it is larger than 64 GiB")));
                    }
                    file.write_all(&piece).await.map_err(host)?;
                }
            }
        }
        file.flush().await.map_err(host)?;
        Ok(true)
    }
}
