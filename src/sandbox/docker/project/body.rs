//! What the engine is asked to make for a service.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, Mount, ResourcesUlimits,
};

use super::network::is_closed;
use crate::sandbox::SandboxError;
use crate::sandbox::docker::attach::{endpoint, nowhere, soon};
use crate::sandbox::docker::container::{bind, volume};
use crate::sandbox::docker::engine::Engine;
use crate::sandbox::docker::images::{CA_PATH, host_env};
use crate::sandbox::project::{
    HealthProbe, ProjectSpec, SERVICE_CAPABILITIES, ServiceMount, ServiceSpec,
};

/// Label: what the service is called in its project.
const SERVICE: &str = "proofyard.service";
/// Processes of a service whose spec does not say.
const PIDS: u64 = 4096;

/// The container of a service. `networks` and `volumes` are the engine's names by the
/// project's.
pub fn body(
    engine: &Engine,
    spec: &ProjectSpec,
    service: &ServiceSpec,
    networks: &BTreeMap<String, String>,
    volumes: &BTreeMap<String, String>,
) -> Result<ContainerCreateBody, SandboxError> {
    let mut labels = engine.owner.labels(&spec.run, &spec.trial);
    labels.insert(SERVICE.to_owned(), service.name.clone());
    let first = service.networks.first();
    let network = first.and_then(|(name, _)| networks.get(name));
    Ok(ContainerCreateBody {
        image: Some(service.image.clone()),
        // An empty one is the API's word for the image's.
        entrypoint: service.entrypoint.clone().map(|words| match words.len() {
            0 => vec![String::new()],
            _ => words,
        }),
        cmd: service.command.clone(),
        env: Some(environment(engine, spec, service)),
        user: service.user.clone(),
        working_dir: service.workdir.clone(),
        hostname: service.hostname.clone(),
        stop_signal: service.stop_signal.clone(),
        healthcheck: service.probe.as_ref().map(health),
        labels: Some(labels),
        networking_config: first
            .zip(network)
            .map(|((_, aliases), network)| endpoint(network, &names(service, aliases))),
        host_config: Some(HostConfig {
            network_mode: Some(network.cloned().unwrap_or_else(|| "none".into())),
            mounts: Some(mounts(engine, spec, service, volumes)?),
            ..confined(engine, spec, service)
        }),
        ..Default::default()
    })
}

/// The names of a service on a network.
pub fn names(service: &ServiceSpec, aliases: &[String]) -> Vec<String> {
    let own = std::iter::once(&service.name);
    own.chain(aliases).cloned().collect()
}

/// Limits, privileges, what becomes of its output.
fn confined(engine: &Engine, spec: &ProjectSpec, service: &ServiceSpec) -> HostConfig {
    let limits = &service.limits;
    let memory = limits.memory_bytes.map(|bytes| bytes as i64);
    let most = engine.facts.cpus as f64;
    let leads_out = service.networks.iter().any(|(name, _)| {
        let network = spec.networks.iter().find(|one| one.name == *name);
        network.is_some_and(|network| !is_closed(spec, network))
    });
    let unasked = !leads_out && !service.networks.is_empty();
    let mut ulimits = vec![ulimit("core", 0, 0)];
    ulimits.retain(|core| {
        service
            .ulimits
            .iter()
            .all(|one| Some(&one.name) != core.name.as_ref())
    });
    let own = service.ulimits.iter();
    ulimits.extend(own.map(|one| ulimit(&one.name, one.soft, one.hard)));
    HostConfig {
        memory,
        memory_swap: memory,
        nano_cpus: limits.cpus.map(|cpus| (cpus.min(most) * 1e9) as i64),
        pids_limit: Some(limits.pids.unwrap_or(PIDS) as i64),
        shm_size: service.shm_bytes.map(|bytes| bytes as i64),
        ulimits: Some(ulimits),
        cap_drop: Some(vec!["ALL".into()]),
        cap_add: Some(SERVICE_CAPABILITIES.map(str::to_owned).to_vec()),
        security_opt: match service.cap_add.is_empty() {
            true => Some(vec!["no-new-privileges".into()]),
            false => None,
        },
        extra_hosts: Some(service.extra_hosts.clone()),
        sysctls: Some(service.sysctls.clone().into_iter().collect()),
        init: Some(service.init),
        tmpfs: Some(service.tmpfs.clone().into_iter().collect()),
        dns: unasked.then(nowhere),
        dns_options: unasked.then(soon),
        // Kept for the last words of a service that fails, and bounded.
        log_config: Some(HostConfigLogConfig {
            typ: Some("local".into()),
            config: Some(
                [("max-size", "1m"), ("max-file", "2"), ("compress", "false")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
            ),
        }),
        ..Default::default()
    }
}

fn ulimit(name: &str, soft: i64, hard: i64) -> ResourcesUlimits {
    ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(soft),
        hard: Some(hard),
    }
}

fn environment(engine: &Engine, spec: &ProjectSpec, service: &ServiceSpec) -> Vec<String> {
    let mut env = BTreeMap::new();
    if spec.open {
        let mut host = engine.host.clone();
        host.ca_bundle = bundle(engine, spec).cloned();
        env.extend(host_env(&host));
    }
    env.extend(service.env.clone());
    let pairs = env.into_iter();
    pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

/// The host's CA bundle, where services need it and it can be mounted.
fn bundle<'a>(engine: &'a Engine, spec: &ProjectSpec) -> Option<&'a PathBuf> {
    let lent = spec.open && engine.uses_socket();
    engine.host.ca_bundle.as_ref().filter(|_| lent)
}

fn mounts(
    engine: &Engine,
    spec: &ProjectSpec,
    service: &ServiceSpec,
    volumes: &BTreeMap<String, String>,
) -> Result<Vec<Mount>, SandboxError> {
    let labels = || engine.owner.labels(&spec.run, &spec.trial);
    let own = service.mounts.iter().map(|mount| match mount {
        ServiceMount::Volume(mount) => {
            let name = volumes.get(&mount.volume).map(String::as_str);
            volume(name, &mount.target, mount.read_only, labels())
        }
        ServiceMount::Anonymous { target, read_only } => volume(None, target, *read_only, labels()),
    });
    let mut mounts: Vec<Mount> = own.collect();
    if let Some(bundle) = bundle(engine, spec) {
        mounts.push(bind(bundle, CA_PATH)?);
    }
    Ok(mounts)
}

/// 0 is the API's word for what the image says.
fn health(probe: &HealthProbe) -> HealthConfig {
    let nanoseconds = |time: Option<Duration>| time.map(|time| time.as_nanos() as i64);
    HealthConfig {
        test: Some(probe.test.clone()),
        interval: nanoseconds(probe.interval),
        timeout: nanoseconds(probe.timeout),
        start_period: nanoseconds(probe.start_period),
        start_interval: nanoseconds(probe.start_interval),
        retries: probe.retries.map(i64::from),
    }
}
