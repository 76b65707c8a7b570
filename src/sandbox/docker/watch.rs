//! Watches what the engine itself cannot bound: bytes written to a root file
//! system without quota.

use std::path::PathBuf;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::InspectContainerOptionsBuilder;
use tokio::sync::watch;

use super::work_tree::disk_usage;
use crate::sandbox::{Limit, LimitHit};

/// How often is looked, while looking is cheap.
const EVERY: Duration = Duration::from_millis(400);
/// Entries counted at most in one look.
const MOST: usize = 400_000;

/// Where the bytes of a sandbox can be seen.
pub enum Disk {
    /// Folders of this host: the root file system's upper side, an unsized work tree.
    Folders(Vec<PathBuf>),
    /// The engine's own count.
    Engine(Docker, String),
}

/// Looks until the bound is passed, then tells it once and ends.
pub async fn watch_disk(disk: Disk, bound: u64, hit: watch::Sender<Option<LimitHit>>) {
    loop {
        let looked = std::time::Instant::now();
        tokio::time::sleep(EVERY).await;
        let used = match &disk {
            Disk::Folders(folders) => {
                let folders = folders.clone();
                let counting = tokio::task::spawn_blocking(move || {
                    folders
                        .iter()
                        .map(|folder| disk_usage(folder, MOST))
                        .sum::<u64>()
                });
                counting.await.unwrap_or(0)
            }
            Disk::Engine(docker, container) => {
                let options = InspectContainerOptionsBuilder::default().size(true).build();
                match docker.inspect_container(container, Some(options)).await {
                    Ok(seen) => seen.size_rw.unwrap_or(0).max(0) as u64,
                    Err(_) => 0,
                }
            }
        };
        if used > bound {
            let message = format!(
                "the disk limit of {} MiB was passed: {} MiB written",
                bound >> 20,
                used >> 20
            );
            let _ = hit.send(Some(LimitHit {
                what: Limit::Disk,
                message,
            }));
            return;
        }
        // Looking takes no more than a tenth of the time.
        tokio::time::sleep(looked.elapsed().saturating_sub(EVERY) * 9).await;
    }
}
