//! What the engine is asked to make: limits, mounts, what PID 1 is.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountType,
    MountVolumeOptions, ResourcesUlimits,
};

use crate::sandbox::docker::attach::{endpoint, nowhere, soon};
use crate::sandbox::docker::engine::Engine;
use crate::sandbox::{MainProcess, NetworkMode, Privileges, SandboxError, SandboxSpec, wire};

/// What root keeps in a sandbox: enough for package managers and tar.
const CAPABILITIES: [&str; 8] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "SETUID",
    "SETGID",
    "KILL",
    "NET_BIND_SERVICE",
];

/// What it has beside these where a task's format gives it.
const COMMON: [&str; 4] = ["AUDIT_WRITE", "SETFCAP", "SETPCAP", "SYS_CHROOT"];

/// The container of a sandbox: the helper is its first process, whatever the image starts.
pub fn body(
    engine: &Engine,
    spec: &SandboxSpec,
    image: &str,
    mounts: Vec<Mount>,
    socket: bool,
) -> ContainerCreateBody {
    let limits = &spec.limits;
    let ulimit = |name: &str, value: u64| ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(value as i64),
        hard: Some(value as i64),
    };
    let network = spec.attach.as_ref().and_then(|to| to.networks.first());
    let unasked = network.is_some() && spec.network == NetworkMode::None;
    let mut entrypoint = vec![wire::HELPER.to_owned(), "guest".to_owned()];
    match socket {
        true => entrypoint.extend([
            "--socket".to_owned(),
            format!("{}/{}", wire::SOCKET_DIR, wire::SOCKET),
        ]),
        false => entrypoint.push("--stream".to_owned()),
    }
    ContainerCreateBody {
        image: Some(image.to_owned()),
        entrypoint: Some(entrypoint),
        cmd: Some(Vec::new()),
        user: Some("0:0".into()),
        hostname: Some("sandbox".into()),
        working_dir: Some("/".into()),
        labels: Some(engine.owner.labels(&spec.run, &spec.trial)),
        open_stdin: Some(!socket),
        attach_stdin: Some(!socket),
        attach_stdout: Some(!socket),
        network_disabled: None,
        // Asked through the helper, where somebody waits for it.
        healthcheck: Some(HealthConfig {
            test: Some(vec!["NONE".into()]),
            ..HealthConfig::default()
        }),
        host_config: Some(HostConfig {
            memory: Some(limits.memory_bytes as i64),
            memory_swap: Some(limits.memory_bytes as i64),
            nano_cpus: Some((limits.cpus * 1e9) as i64),
            pids_limit: Some(limits.pids as i64),
            ulimits: Some(vec![
                ulimit("nofile", limits.open_files),
                ulimit("core", 0),
                ulimit("fsize", limits.disk_bytes),
            ]),
            cap_drop: Some(vec!["ALL".into()]),
            cap_add: Some(capabilities(spec.privileges)),
            security_opt: match spec.privileges {
                Privileges::Least => Some(vec!["no-new-privileges".into()]),
                Privileges::Common => None,
            },
            extra_hosts: Some(spec.hosts.clone()),
            network_mode: Some(match (spec.network, network) {
                (_, Some((network, _))) => network.clone(),
                (NetworkMode::None, None) => "none".into(),
                (NetworkMode::Full, None) => "default".into(),
            }),
            dns: unasked.then(nowhere),
            dns_options: unasked.then(soon),
            log_config: Some(HostConfigLogConfig {
                typ: Some("none".into()),
                config: None,
            }),
            mounts: Some(mounts),
            ..Default::default()
        }),
        networking_config: network.map(|(network, aliases)| endpoint(network, aliases)),
        ..Default::default()
    }
}

fn capabilities(privileges: Privileges) -> Vec<String> {
    let more: &[&str] = match privileges {
        Privileges::Least => &[],
        Privileges::Common => &COMMON,
    };
    let all = CAPABILITIES.iter().chain(more);
    all.map(|name| (*name).to_owned()).collect()
}

/// What the image starts, as its format means it.
pub fn main_process(main: &MainProcess, entrypoint: &[String], cmd: &[String]) -> Vec<String> {
    match main {
        MainProcess::None => Vec::new(),
        MainProcess::Image => entrypoint.iter().chain(cmd).cloned().collect(),
        MainProcess::Given {
            entrypoint: own,
            command,
        } => {
            let image = match own {
                Some(_) => &[],
                None => cmd,
            };
            let first = own.as_deref().unwrap_or(entrypoint).iter();
            first
                .chain(command.as_deref().unwrap_or(image))
                .cloned()
                .collect()
        }
        MainProcess::EntrypointWith(command) => entrypoint.iter().chain(command).cloned().collect(),
    }
}

/// A volume of the engine's, or without a name one of the container's own. One that
/// the engine makes for it has these labels.
pub fn volume(
    name: Option<&str>,
    target: &str,
    read_only: bool,
    labels: HashMap<String, String>,
) -> Mount {
    Mount {
        target: Some(target.to_owned()),
        source: name.map(str::to_owned),
        typ: Some(MountType::VOLUME),
        read_only: Some(read_only),
        volume_options: Some(MountVolumeOptions {
            labels: Some(labels),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Something of this host, read-only in the sandbox.
pub fn bind(source: &Path, target: &str) -> Result<Mount, SandboxError> {
    let source = source.to_str().ok_or_else(|| SandboxError::Engine {
        doing: "mount into the sandbox".into(),
        message: format!("the path {} is not UTF-8", source.display()),
    })?;
    Ok(Mount {
        target: Some(target.to_owned()),
        source: Some(source.to_owned()),
        typ: Some(MountType::BIND),
        read_only: Some(true),
        ..Default::default()
    })
}
