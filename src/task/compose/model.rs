//! What a compose file says, as plain data.
//!
//! Owns the types. Must not know YAML, nor how a service is started.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

/// A compose file: checked, variables filled in, paths resolved.
///
/// Fixed names and host ports are gone: each trial is a project of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compose {
    pub services: BTreeMap<String, Service>,
    /// Every network that a service is in, `default` where it says none.
    pub networks: BTreeMap<String, NetworkDef>,
    /// Named volumes, those that no service mounts included.
    pub volumes: BTreeMap<String, VolumeDef>,
    /// What was left out without harm, each with its place.
    pub warnings: Vec<String>,
}

/// A network of the project: a bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkDef {
    /// No way out of it, to the host neither.
    pub internal: bool,
}

/// A named volume of the project, empty at its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VolumeDef {}

/// One container of the project. What is `None`, or empty, is the image's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Service {
    /// With `build` the name that the image gets, else the image to start.
    pub image: Option<String>,
    pub build: Option<Build>,
    /// Arguments, not a line for a shell; empty takes the image's away.
    pub command: Option<Vec<String>>,
    pub entrypoint: Option<Vec<String>>,
    /// `env_file` and `environment`; a name that nothing gives a value is not here.
    pub environment: BTreeMap<String, String>,
    pub volumes: Vec<Mount>,
    /// A path of the sandbox, maybe with `:` and options of mount.
    pub tmpfs: Vec<String>,
    /// Ports of the container, of either protocol, in order.
    pub ports: Vec<u16>,
    pub expose: Vec<u16>,
    pub depends_on: BTreeMap<String, Dependency>,
    pub healthcheck: Option<Healthcheck>,
    /// Whether the engine's own init is PID 1.
    pub init: bool,
    /// Networks with the names under which this service is found there, besides
    /// its own; empty where `network_none`.
    pub networks: BTreeMap<String, Vec<String>>,
    /// `network_mode: none`: nothing but a loopback device.
    pub network_none: bool,
    pub hostname: Option<String>,
    /// Absolute.
    pub working_dir: Option<String>,
    /// A name or number, maybe with `:` and a group.
    pub user: Option<String>,
    pub cpus: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// Most processes and threads.
    pub pids: Option<u64>,
    /// Size of `/dev/shm`.
    pub shm_bytes: Option<u64>,
    /// By name, `nofile`.
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Only ones that a container has of its own.
    pub sysctls: BTreeMap<String, String>,
    /// `NAME:ADDRESS` each.
    pub extra_hosts: Vec<String>,
    /// Without `CAP_`, in capitals; only those of Docker's default set.
    pub cap_add: Vec<String>,
    /// Without `CAP_`, in capitals; may be `ALL`.
    pub cap_drop: Vec<String>,
    pub no_new_privileges: bool,
    pub stop_signal: Option<String>,
    pub stop_grace_period: Option<Duration>,
}

/// How the image of a service is built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// A folder, absolute, links resolved, inside the task's `environment/`.
    pub context: PathBuf,
    /// A file likewise, not always inside `context`; null is `context/Dockerfile`.
    pub dockerfile: Option<PathBuf>,
    pub args: BTreeMap<String, String>,
    pub target: Option<String>,
    /// Text of a Dockerfile that no file has.
    pub inline: Option<String>,
    /// Files and folders that stay out of the context, absolute: no compose file says
    /// so, a task's format does.
    pub without: Vec<PathBuf>,
}

/// Something mounted into a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub kind: MountKind,
    /// Where in the container, absolute.
    pub target: String,
    pub read_only: bool,
    /// An empty volume stays empty: nothing of the image is copied into it.
    pub no_copy: bool,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountKind {
    /// A volume of the project.
    Named(String),
    Anonymous,
    /// A file or folder inside the task's `environment/`, absolute. It may be
    /// missing: then it is an empty folder. Services that name the same path see
    /// what the others write there.
    Inside(PathBuf),
}

/// What must be so of another service before this one is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependency {
    pub condition: Condition,
    /// Else a failure of the other is only told.
    pub required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Started,
    Healthy,
    /// It ended with status 0.
    Completed,
}

/// When a service is healthy. What is `None` is the image's, else the engine's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Healthcheck {
    /// In the engine's form: `CMD`, `CMD-SHELL` or `NONE` first; empty keeps the
    /// image's test.
    pub test: Vec<String>,
    pub interval: Option<Duration>,
    pub timeout: Option<Duration>,
    pub start_period: Option<Duration>,
    pub start_interval: Option<Duration>,
    pub retries: Option<u64>,
}

/// A limit of `setrlimit`; -1 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ulimit {
    pub soft: i64,
    pub hard: i64,
}

impl Compose {
    /// The services, each after those that it depends on; alphabetically where
    /// that leaves a choice.
    pub fn order(&self) -> Vec<&str> {
        let mut order: Vec<&str> = Vec::with_capacity(self.services.len());
        let mut placed = BTreeSet::new();
        while order.len() < self.services.len() {
            let ready = self.services.iter().find(|(name, service)| {
                !placed.contains(name.as_str())
                    && service.depends_on.keys().all(|other| {
                        placed.contains(other.as_str()) || !self.services.contains_key(other)
                    })
            });
            // None only in a circle, which the reader refuses.
            let Some((name, _)) = ready else {
                break;
            };
            placed.insert(name.as_str());
            order.push(name);
        }
        order
    }
}
