//! Services beside a sandbox, as plain values: what a project is made from.
//!
//! A project is one trial's own: its networks, its volumes, its services, and a
//! place for the sandbox among them, which is called main here. Must not know
//! where these values come from, nor the engine that makes them.

mod order;

pub use order::{SERVICE_CAPABILITIES, SpecFault, Stages};

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

/// What to make beside a sandbox.
#[derive(Debug, Clone, Default)]
pub struct ProjectSpec {
    /// Run and trial that it belongs to; they become labels.
    pub run: String,
    pub trial: String,
    /// Whether the Internet can be reached from its networks. Else no address of
    /// the host answers on them either.
    pub open: bool,
    pub networks: Vec<NetworkSpec>,
    /// Named volumes that services and main share.
    pub volumes: Vec<String>,
    pub services: Vec<ServiceSpec>,
    pub main: MainSpec,
    /// Whether every service has to run, or to have ended well, and to be healthy
    /// where it has a probe, before its stage is done, also where nobody depends on
    /// it. (What `docker compose up --wait` does.)
    pub await_all: bool,
}

/// A network of a project.
#[derive(Debug, Clone, Default)]
pub struct NetworkSpec {
    pub name: String,
    /// Closed although the project is open.
    pub internal: bool,
}

/// The place of the sandbox among the services.
#[derive(Debug, Clone, Default)]
pub struct MainSpec {
    /// What others call it in their dependencies and on the networks.
    pub name: String,
    /// Networks with further aliases; none: as the sandbox's own spec says.
    pub networks: Vec<(String, Vec<String>)>,
    /// Named volumes that it sees.
    pub volumes: Vec<VolumeMount>,
    pub after: Vec<Dependency>,
}

/// A named volume and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeMount {
    pub volume: String,
    /// Absolute.
    pub target: String,
    pub read_only: bool,
}

/// One service: a container of its image, with nothing of ours in it.
#[derive(Debug, Clone, Default)]
pub struct ServiceSpec {
    pub name: String,
    /// The engine's id of the image, `sha256:…`.
    pub image: String,
    /// In place of the image's; an empty one: none, and no command of the image's.
    pub entrypoint: Option<Vec<String>>,
    /// In place of the image's.
    pub command: Option<Vec<String>>,
    /// Added to the image's own environment.
    pub env: BTreeMap<String, String>,
    pub user: Option<String>,
    pub workdir: Option<String>,
    pub hostname: Option<String>,
    /// Whether an init is the first process.
    pub init: bool,
    /// Networks with aliases beside the service's name; none: no network at all.
    pub networks: Vec<(String, Vec<String>)>,
    pub mounts: Vec<ServiceMount>,
    /// File systems in memory: where, and options as `mount` takes them.
    pub tmpfs: BTreeMap<String, String>,
    /// Tar streams laid over a folder before the start; the folder is made where it
    /// is missing.
    pub files: Vec<(String, Bytes)>,
    pub after: Vec<Dependency>,
    /// In place of the image's.
    pub probe: Option<HealthProbe>,
    pub limits: ServiceLimits,
    pub shm_bytes: Option<u64>,
    pub ulimits: Vec<Ulimit>,
    /// Capabilities that are asked for by name. Services have all that are ever
    /// given; to ask for one says that privileges may be gained (set-uid programs).
    pub cap_add: Vec<String>,
    pub stop_signal: Option<String>,
    /// `NAME:ADDRESS` each.
    pub extra_hosts: Vec<String>,
    /// Only ones that a container has of its own.
    pub sysctls: BTreeMap<String, String>,
}

/// What lies in a service beside its image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceMount {
    Volume(VolumeMount),
    /// A volume of this service alone.
    Anonymous {
        target: String,
        read_only: bool,
    },
}

/// Another service, or main, that has to come first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    pub name: String,
    pub condition: Condition,
    /// Where not, what becomes of it stops nobody.
    pub required: bool,
}

/// How far a dependency has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Started,
    /// Its probe says so.
    Healthy,
    /// It ended with status 0.
    Completed,
}

/// The engine's own probe. What is not said is the image's, else the engine's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthProbe {
    /// `["CMD", …]`, `["CMD-SHELL", "…"]`, `["NONE"]`; empty: the image's.
    pub test: Vec<String>,
    pub interval: Option<Duration>,
    pub timeout: Option<Duration>,
    pub start_period: Option<Duration>,
    /// Passed over by engines before 25.
    pub start_interval: Option<Duration>,
    pub retries: Option<u32>,
}

/// Bounds of one service. What is not said is not bounded, but for processes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ServiceLimits {
    pub cpus: Option<f64>,
    /// Swap not included (there is none).
    pub memory_bytes: Option<u64>,
    /// Default: 4096.
    pub pids: Option<u64>,
}

/// A limit of each process: `nofile`, `nproc`, …; -1 is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ulimit {
    pub name: String,
    pub soft: i64,
    pub hard: i64,
}

/// How a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceState {
    pub running: Running,
    pub health: Health,
    pub out_of_memory: bool,
}

/// Whether a service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Running {
    /// Made, or not even that.
    NotYet,
    Yes,
    /// It ended with this status.
    Ended(i64),
}

/// What a service's probe says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// There is no probe.
    Unprobed,
    Starting,
    Healthy,
    Unhealthy,
}
