//! Images: from a recipe, by its digest, once.
//!
//! Owns recipes and their digests, the builds of the engine's classic builder,
//! bases that no registry gives, and what is ours in the engine's store. Must not
//! know tasks or trials: a folder with a Dockerfile comes in, an image's id goes out.
//!
//! An image is addressed by the digest of all that its recipe says, so whoever
//! asks twice gets the same one and nothing is built. However many ask at once,
//! one builds: within a process they share the answer, between processes a lock
//! file decides. What is in use is leased, and never removed by [`Images::gc`] or
//! [`Images::keep_within`].

mod bases;
mod budget;
mod build;
mod buildkit;
mod context;
mod debian;
mod dockerfile;
mod dockerignore;
mod ensure;
mod error;
mod gc;
mod host;
mod inspect;
mod inventory;
mod layers;
mod lock;
mod recipe;
mod rewrite;
mod text;
mod uses;

pub use budget::{InUse, Removed, Trimmed};
pub use error::{BuildFailure, ImageError};
pub use gc::{Collected, GcRules};
pub use host::{CA_PATH, CA_VARIABLES, host_env};
pub use inspect::{Healthcheck, ImageConfig, image_config};
pub use inventory::{ImageKind, OurImage};
pub use recipe::Described;
pub use recipe::Recipe;
pub(super) use text::plain;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bollard::Docker;
use tokio::sync::OnceCell;

use crate::config::{HostSettings, ImageSettings};
use crate::record::Digest;
use layers::Layers;
use lock::{Held, Locks};
use uses::Uses;

/// How long an image of ours may take that nobody set a limit for.
pub const LONG: Duration = Duration::from_secs(30 * 60);

/// An image that is in the engine's store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltImage {
    /// `sha256:…`, of the engine.
    pub id: String,
    /// None where it was not built from a recipe.
    pub recipe: Option<Digest>,
    pub tag: String,
    /// `name@sha256:…`, as the registry of that name has it; none where it came from none.
    pub registry: Option<String>,
}

/// What is being done for an image; texts are fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageProgress {
    /// Another process is at it.
    Waiting {
        name: String,
    },
    /// A step of a Dockerfile begins.
    Building {
        name: String,
        step: usize,
        of: usize,
        text: String,
    },
    Pulling {
        image: String,
        text: String,
    },
    /// A base is made from the distribution's packages.
    MakingBase {
        image: String,
        text: String,
    },
    /// It is there; `built` false where it was there before.
    Done {
        name: String,
        tag: String,
        built: bool,
        elapsed: Duration,
    },
}

/// Whom progress is told. Called from where the work is done: it must not block.
pub type Progress<'a> = dyn Fn(ImageProgress) + Send + Sync + 'a;

/// The images of one engine.
#[derive(Debug)]
pub struct Images {
    docker: Docker,
    /// The folder of `<name>/Dockerfile`.
    dir: Option<PathBuf>,
    pull: bool,
    host: HostSettings,
    locks: Locks,
    layers: Layers,
    uses: Uses,
    /// What is being made right now, by key; those who come later share the answer.
    in_flight: Mutex<HashMap<String, Shared>>,
    /// What this process uses, by key.
    leases: Mutex<HashMap<String, Held>>,
    /// Why no registry can be reached, once that is known.
    unreachable: OnceLock<String>,
}

type Shared = Arc<OnceCell<Result<BuiltImage, ImageError>>>;

impl Images {
    /// Images of the engine behind `docker`, whose API version is negotiated.
    pub fn new(docker: &Docker, images: &ImageSettings, host: &HostSettings) -> Self {
        Self {
            docker: docker.clone(),
            dir: images.dir.clone(),
            pull: images.pull,
            host: host.clone(),
            locks: Locks::new(&host.state),
            layers: Layers::new(&host.state),
            uses: Uses::new(&host.state),
            in_flight: Mutex::default(),
            leases: Mutex::default(),
            unreachable: OnceLock::new(),
        }
    }
}
