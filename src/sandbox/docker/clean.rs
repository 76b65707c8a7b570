//! Takes away what dead owners left: containers, networks, volumes, mounts, folders.
//!
//! An object is touched only when its label names an owner of this machine's
//! state folder whose lock nobody holds. Nothing is found by name or pattern.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use bollard::Docker;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveVolumeOptions,
};

use super::owner::{OWNER, Owner, STATE, scope};
use super::refusal::is_gone;
use super::work_tree::unmount;

/// What was taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleaned {
    pub owners: usize,
    pub containers: usize,
    pub networks: usize,
    pub volumes: usize,
    pub mounts: usize,
    /// What could not be, each with why.
    pub failed: Vec<String>,
}

/// Cleans up after every dead owner of a state folder. Without an engine only
/// what lies on this host goes.
pub async fn clean(docker: Option<&Docker>, state: &Path) -> Cleaned {
    let mut cleaned = Cleaned::default();
    let Ok(state) = std::fs::canonicalize(state) else {
        return cleaned;
    };
    let mut left: BTreeMap<String, Left> = Owner::known(&state)
        .into_iter()
        .map(|owner| (owner, Left::default()))
        .collect();
    if let Some(docker) = docker
        && let Err(error) = find(docker, &scope(&state), &mut left).await
    {
        cleaned
            .failed
            .push(format!("list what is ours in the engine: {error}"));
        return cleaned;
    }
    for (owner, left) in left {
        // Holding its lock, nobody else cleans up after it, and it cannot be alive.
        let Some(dead) = Owner::dead(&state, &owner) else {
            continue;
        };
        let before = cleaned.failed.len();
        if let Some(docker) = docker {
            left.remove(docker, &mut cleaned).await;
        }
        sweep(&state.join("scratch").join(&owner), &mut cleaned);
        if cleaned.failed.len() == before {
            dead.forget();
            cleaned.owners += 1;
        }
    }
    cleaned
}

/// What an owner has in an engine.
#[derive(Default)]
struct Left {
    containers: Vec<String>,
    networks: Vec<String>,
    volumes: Vec<String>,
}

impl Left {
    async fn remove(&self, docker: &Docker, cleaned: &mut Cleaned) {
        for container in &self.containers {
            let options = RemoveContainerOptionsBuilder::default()
                .force(true)
                .v(true)
                .build();
            match docker.remove_container(container, Some(options)).await {
                Ok(()) => cleaned.containers += 1,
                Err(error) if is_gone(&error) => {}
                Err(error) => cleaned
                    .failed
                    .push(format!("remove the container {container}: {error}")),
            }
        }
        for network in &self.networks {
            match docker.remove_network(network).await {
                Ok(()) => cleaned.networks += 1,
                Err(error) if is_gone(&error) => {}
                Err(error) => cleaned
                    .failed
                    .push(format!("remove the network {network}: {error}")),
            }
        }
        for volume in &self.volumes {
            match docker
                .remove_volume(volume, None::<RemoveVolumeOptions>)
                .await
            {
                Ok(()) => cleaned.volumes += 1,
                Err(error) if is_gone(&error) => {}
                Err(error) => cleaned
                    .failed
                    .push(format!("remove the volume {volume}: {error}")),
            }
        }
    }
}

async fn find(
    docker: &Docker,
    scope: &str,
    left: &mut BTreeMap<String, Left>,
) -> Result<(), bollard::errors::Error> {
    let filters = HashMap::from([("label", vec![format!("{STATE}={scope}")])]);
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&filters)
        .build();
    for container in docker.list_containers(Some(options)).await? {
        let owner = container.labels.unwrap_or_default().remove(OWNER);
        if let (Some(owner), Some(id)) = (owner, container.id) {
            left.entry(owner).or_default().containers.push(id);
        }
    }
    let options = ListNetworksOptionsBuilder::default()
        .filters(&filters)
        .build();
    for network in docker.list_networks(Some(options)).await? {
        let owner = network.labels.unwrap_or_default().remove(OWNER);
        if let (Some(owner), Some(id)) = (owner, network.id) {
            left.entry(owner).or_default().networks.push(id);
        }
    }
    let options = ListVolumesOptionsBuilder::default()
        .filters(&filters)
        .build();
    for volume in docker
        .list_volumes(Some(options))
        .await?
        .volumes
        .unwrap_or_default()
    {
        if let Some(owner) = volume.labels.get(OWNER) {
            left.entry(owner.clone())
                .or_default()
                .volumes
                .push(volume.name);
        }
    }
    Ok(())
}

/// Unmounts and removes an owner's scratch folder.
fn sweep(folder: &Path, cleaned: &mut Cleaned) {
    for mount in mounts_below(folder).into_iter().rev() {
        match unmount(&mount) {
            Ok(()) => cleaned.mounts += 1,
            Err(error) => cleaned
                .failed
                .push(format!("unmount {}: {error}", mount.display())),
        }
    }
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            cleaned
                .failed
                .push(format!("remove {}: {error}", folder.display()));
        }
        _ => {}
    }
}

/// The mount points below a folder, outermost first.
fn mounts_below(folder: &Path) -> Vec<PathBuf> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = table.lines().filter_map(|line| line.split(' ').nth(4));
    let mut below: Vec<PathBuf> = points
        .map(|point| PathBuf::from(unescape(point)))
        .filter(|point| point.starts_with(folder))
        .collect();
    below.sort();
    below
}

/// The mount table writes blanks and backslashes as `\ooo`.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        match rest
            .get(at + 1..at + 4)
            .and_then(|octal| u8::from_str_radix(octal, 8).ok())
        {
            Some(byte) => {
                out.push(byte as char);
                rest = &rest[at + 4..];
            }
            None => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_in_the_mount_table_is_read() {
        assert_eq!(unescape(r"/a\040b\134c"), r"/a b\c");
    }

    #[tokio::test]
    async fn a_living_owner_keeps_everything_and_a_dead_one_nothing() {
        let state = tempfile::tempdir().unwrap();
        let living = Owner::claim(state.path()).unwrap();
        std::fs::write(living.scratch().join("file"), b"").unwrap();
        let gone = state.path().join("scratch/00000000dead");
        std::fs::create_dir_all(gone.join("below")).unwrap();
        let cleaned = clean(None, state.path()).await;
        assert_eq!((cleaned.owners, cleaned.failed.len()), (1, 0));
        assert!(living.scratch().join("file").exists());
        assert!(!gone.exists());
    }
}
