//! An engine that answers: what it can do here, and who we are to it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bollard::Docker;
use futures_util::StreamExt;
use tokio::io::AsyncRead;
use tokio::sync::{Mutex, OnceCell};
use tokio_util::io::StreamReader;
use tokio_util::task::TaskTracker;

use super::connect::{ConnectError, connect};
use super::images::{ImageConfig, image_config};
use super::owner::Owner;
use crate::config::{EngineSettings, HostSettings, Transport, WorkTreeWay};
use crate::record::EngineRecord;
use crate::sandbox::SandboxError;

/// What the engine and its host are.
#[derive(Debug, Clone)]
pub struct Facts {
    pub host: String,
    pub version: String,
    pub api: String,
    pub storage_driver: String,
    pub root_dir: PathBuf,
    pub cpus: u64,
    pub memory_bytes: u64,
    /// Whether the engine runs on this very host and shares its files.
    pub local: bool,
    /// Whether we are root on it.
    pub root: bool,
    /// Whether it runs as an ordinary user.
    pub rootless: bool,
}

/// What keeps an engine from being used.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("ask the engine what it is: {0}")]
    Facts(String),
    #[error("{doing}: {source}")]
    Host {
        doing: String,
        source: std::io::Error,
    },
}

/// A connected engine and this process as the owner of what it makes there.
pub struct Engine {
    pub(super) docker: Docker,
    pub(super) owner: Owner,
    pub(super) facts: Facts,
    pub(super) host: HostSettings,
    /// The helper's binary, under a name that no rebuild replaces.
    pub(super) helper: PathBuf,
    /// What goes on when its caller is gone: making and taking away of sandboxes.
    pub(super) background: TaskTracker,
    transport: Transport,
    overlay: AtomicBool,
    configs: Mutex<HashMap<String, Arc<OnceCell<ImageConfig>>>>,
    pub(super) layers: Mutex<HashMap<String, Arc<OnceCell<String>>>>,
}

impl Engine {
    /// Connects, looks around, and claims a lock for what will be made. This very
    /// program is the helper of its sandboxes.
    pub async fn open(
        settings: &EngineSettings,
        host: &HostSettings,
    ) -> Result<Arc<Self>, EngineError> {
        let this = std::env::current_exe().map_err(|source| EngineError::Host {
            doing: "find the file of this program".into(),
            source,
        })?;
        Self::open_with_helper(settings, host, &this).await
    }

    /// The same for a program that uses this library and is another one: `helper`
    /// is a static `proofyard` of the same version.
    pub async fn open_with_helper(
        settings: &EngineSettings,
        host: &HostSettings,
        helper: &Path,
    ) -> Result<Arc<Self>, EngineError> {
        let docker = connect(settings.host.as_deref()).await?;
        let facts = look(&docker, settings.host.as_deref()).await?;
        let failed = |doing: &str| {
            let doing = doing.to_owned();
            move |source| EngineError::Host { doing, source }
        };
        let owner = Owner::claim(&host.state).map_err(failed(&format!(
            "make the state folder {}",
            host.state.display()
        )))?;
        let helper = keep_helper(helper, owner.state())
            .map_err(failed("keep a copy of this program as the helper"))?;
        let overlay = facts.local && facts.root && settings.work_tree != WorkTreeWay::Image;
        Ok(Arc::new(Self {
            docker,
            owner,
            host: host.clone(),
            helper,
            background: TaskTracker::new(),
            transport: settings.transport,
            overlay: AtomicBool::new(overlay),
            facts,
            configs: Mutex::default(),
            layers: Mutex::default(),
        }))
    }

    /// Waits until nothing goes on in the background any more, at most a minute.
    pub async fn settle(&self) {
        self.background.close();
        // What is not done then is `clean`'s.
        let _ = tokio::time::timeout(Duration::from_secs(60), self.background.wait()).await;
    }

    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The engine for `run.json`.
    pub fn record(&self) -> EngineRecord {
        EngineRecord {
            host: self.facts.host.clone(),
            version: self.facts.version.clone(),
            api: self.facts.api.clone(),
            storage_driver: self.facts.storage_driver.clone(),
        }
    }

    /// The handle for the images' room.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Where state lies: caches, locks, logs.
    pub fn state(&self) -> &Path {
        self.owner.state()
    }

    /// How sandboxes are reached.
    pub fn uses_socket(&self) -> bool {
        match self.transport {
            Transport::Socket => true,
            Transport::Stream => false,
            Transport::Auto => self.facts.local,
        }
    }

    /// Whether work trees are overlays.
    pub fn uses_overlay(&self) -> bool {
        self.overlay.load(Ordering::Relaxed)
    }

    /// After an overlay was refused: image layers from here on.
    pub(super) fn give_up_overlays(&self) {
        self.overlay.store(false, Ordering::Relaxed);
    }

    /// The image as the engine saves it: a tar stream of its layers.
    pub fn saved(&self, image: &str) -> impl AsyncRead + Send + Unpin + use<> {
        let pieces = self.docker.export_image(image);
        let pieces = pieces.map(|piece| piece.map_err(std::io::Error::other));
        StreamReader::new(Box::pin(pieces))
    }

    /// What the image says of itself, asked once.
    pub async fn image_config(&self, image: &str) -> Result<ImageConfig, SandboxError> {
        let cell = self
            .configs
            .lock()
            .await
            .entry(image.to_owned())
            .or_default()
            .clone();
        let config = cell
            .get_or_try_init(|| image_config(&self.docker, image))
            .await;
        config.cloned().map_err(|error| SandboxError::Engine {
            doing: format!("look at the image {image}"),
            message: error.to_string(),
        })
    }
}

async fn look(docker: &Docker, host: Option<&str>) -> Result<Facts, EngineError> {
    let failed = |error: bollard::errors::Error| EngineError::Facts(error.to_string());
    let info = tokio::time::timeout(Duration::from_secs(20), docker.info())
        .await
        .map_err(|_| EngineError::Facts("no answer within 20 s".into()))?
        .map_err(failed)?;
    let (host, _) = super::connect::address(host);
    let root_dir = PathBuf::from(info.docker_root_dir.unwrap_or_default());
    let desktop = info
        .operating_system
        .as_deref()
        .is_some_and(|system| system.contains("Desktop"));
    let here = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    let same_name = info.name.is_some() && info.name == here;
    Ok(Facts {
        local: host.starts_with("unix://") && !desktop && (same_name || root_dir.is_dir()),
        root: nix::unistd::geteuid().is_root() && root_dir.is_dir(),
        rootless: info
            .security_options
            .iter()
            .flatten()
            .any(|option| option.contains("rootless")),
        host,
        version: info.server_version.unwrap_or_default(),
        api: docker.client_version().to_string(),
        storage_driver: info.driver.unwrap_or_default(),
        root_dir,
        cpus: info.ncpu.unwrap_or(0).max(0) as u64,
        memory_bytes: info.mem_total.unwrap_or(0).max(0) as u64,
    })
}

/// Unused that long, a kept helper goes: one that runs holds its file by its mount.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// A copy of the program that stays when the program is rebuilt while sandboxes
/// still run it.
fn keep_helper(program: &Path, state: &Path) -> std::io::Result<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(program)?;
    let folder = state.join("helper");
    std::fs::create_dir_all(&folder)?;
    let kept = folder.join(format!(
        "{:x}-{:x}-{:x}{:09x}",
        meta.ino(),
        meta.len(),
        meta.mtime(),
        meta.mtime_nsec()
    ));
    if !kept.exists() {
        let making = folder.join(format!("making-{:016x}", rand::random::<u64>()));
        std::fs::copy(program, &making)?;
        std::fs::rename(&making, &kept)?;
    }
    // Its time is that of its last use. The others are nobody's need, so failures
    // to remove them are no failures.
    let now = std::time::SystemTime::now();
    std::fs::File::open(&kept)?.set_modified(now)?;
    for entry in std::fs::read_dir(&folder)?.flatten() {
        let age = entry.metadata().and_then(|meta| meta.modified());
        if age.is_ok_and(|used| now.duration_since(used).is_ok_and(|age| age > KEPT)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_that_nobody_used_for_long_goes_and_the_one_in_use_stays() {
        let place = tempfile::tempdir().unwrap();
        let program = place.path().join("program");
        std::fs::write(&program, "first").unwrap();
        let first = keep_helper(&program, place.path()).unwrap();
        assert_eq!(std::fs::read(&first).unwrap(), b"first");
        let long_ago = std::time::SystemTime::now() - 2 * KEPT;
        let age = |path: &Path| {
            std::fs::File::open(path)
                .unwrap()
                .set_modified(long_ago)
                .unwrap()
        };
        age(&first);
        // Used again, it is young again.
        assert_eq!(keep_helper(&program, place.path()).unwrap(), first);
        std::fs::write(&program, "second one").unwrap();
        let second = keep_helper(&program, place.path()).unwrap();
        assert!(first.exists() && second.exists() && first != second);
        age(&first);
        keep_helper(&program, place.path()).unwrap();
        assert!(!first.exists() && second.exists());
    }
}
