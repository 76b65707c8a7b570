//! Everything of one sandbox that has to be taken away again.

use std::path::PathBuf;

use bollard::query_parameters::{RemoveContainerOptionsBuilder, RemoveVolumeOptions};

use super::{host, refused};
use crate::sandbox::SandboxError;
use crate::sandbox::docker::engine::Engine;
use crate::sandbox::docker::refusal::is_gone;
use crate::sandbox::docker::work_tree::Upper;

/// What exists of a sandbox, from its first folder on.
#[derive(Debug, Default)]
pub struct Remains {
    pub scratch: PathBuf,
    pub container: Option<String>,
    pub volume: Option<String>,
    pub upper: Option<Upper>,
}

impl Remains {
    /// Nothing yet but the name of a scratch folder.
    pub fn of(engine: &Engine) -> Self {
        let name = format!("{:08x}", rand::random::<u32>());
        Self {
            scratch: engine.owner.scratch().join(name),
            ..Self::default()
        }
    }

    /// Takes it all away, in the order in which it holds on to each other; goes on
    /// after a failure and tells the first. What is gone already is fine.
    pub async fn remove(self, engine: &Engine) -> Result<(), SandboxError> {
        let mut first = Ok(());
        if let Some(id) = &self.container {
            let options = RemoveContainerOptionsBuilder::default()
                .force(true)
                .v(true)
                .build();
            first = match engine.docker.remove_container(id, Some(options)).await {
                Err(error) if !is_gone(&error) => Err(refused("remove the container", &error)),
                _ => Ok(()),
            };
        }
        if let Some(volume) = &self.volume {
            let options = None::<RemoveVolumeOptions>;
            let removed = match engine.docker.remove_volume(volume, options).await {
                Err(error) if !is_gone(&error) => Err(refused("remove the work tree", &error)),
                _ => Ok(()),
            };
            first = first.and(removed);
        }
        if let Some(upper) = &self.upper {
            let removed = tokio::task::block_in_place(|| upper.remove());
            first = first.and(host("unmount the work tree", removed));
        }
        match std::fs::remove_dir_all(&self.scratch) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                first.and(host("remove the scratch folder", Err(error)))
            }
            _ => first,
        }
    }
}
