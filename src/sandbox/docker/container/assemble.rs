//! The making of a sandbox: work tree, mounts, container, helper.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bollard::models::{Mount, MountType, MountVolumeOptions, VolumeCreateRequest};
use bollard::query_parameters::CreateContainerOptionsBuilder;
use tokio::sync::watch;

use super::body::{bind, body, main_process, volume};
use super::remains::Remains;
use super::written::Written;
use super::{DockerSandbox, host, reach, refused};
use crate::sandbox::docker::attach::join;
use crate::sandbox::docker::engine::Engine;
use crate::sandbox::docker::images::{CA_PATH, ImageConfig, host_env};
use crate::sandbox::docker::layer::work_tree_image;
use crate::sandbox::docker::link::Link;
use crate::sandbox::docker::watch::watch_disk;
use crate::sandbox::docker::work_tree::Upper;
use crate::sandbox::wire::{self, Setup};
use crate::sandbox::{NetworkMode, SandboxError, SandboxSpec};

/// Makes all of it. What exists at any moment is in `remains`, so that a failure
/// leaves nothing; it goes into the sandbox that is returned.
pub async fn assemble(
    engine: &Arc<Engine>,
    spec: &SandboxSpec,
    remains: &mut Remains,
) -> Result<DockerSandbox, SandboxError> {
    let image = engine.image_config(&spec.image).await?;
    make_scratch(&remains.scratch)?;
    let mut image_id = spec.image.clone();
    let mut mounts = Vec::new();
    if let Some(tree) = &spec.work_tree {
        if engine.uses_overlay() {
            mounts.push(overlay(engine, spec, &tree.prepared, &tree.path, remains).await?);
        } else {
            image_id = work_tree_image(engine, &spec.image, tree).await?;
        }
    }
    let socket = engine.uses_socket();
    if socket {
        mounts.push(bind(&remains.scratch.join("run"), wire::SOCKET_DIR)?);
        mounts.push(bind(&engine.helper, wire::HELPER)?);
    }
    if let Some(bundle) = engine.host.ca_bundle.as_ref()
        && socket
        && spec.network == NetworkMode::Full
    {
        mounts.push(bind(bundle, CA_PATH)?);
    }
    let attach = spec.attach.clone().unwrap_or_default();
    for (name, target, read_only) in &attach.volumes {
        let labels = engine.owner.labels(&spec.run, &spec.trial);
        mounts.push(volume(Some(name), target, *read_only, labels));
    }
    let listener = match socket {
        true => Some(reach::listen(&remains.scratch)?),
        false => None,
    };
    let body = body(engine, spec, &image_id, mounts, socket);
    let options = CreateContainerOptionsBuilder::default().build();
    let created = engine.docker.create_container(Some(options), body).await;
    let id = created
        .map_err(|error| refused("make the sandbox's container", &error))?
        .id;
    remains.container = Some(id.clone());
    // Together with the container an engine may take one network only.
    for (network, aliases) in attach.networks.iter().skip(1) {
        join(engine, network, &id, aliases).await?;
    }
    let link = start(engine, &id, listener, &remains.scratch).await?;
    let tree_path = spec.work_tree.as_ref().map(|tree| tree.path.clone());
    let tree = remains.upper.as_ref().zip(tree_path);
    let written = Written::look(engine, &id, tree).await;
    let (hit, limit) = watch::channel(None);
    let disk = written.disk(engine, &id);
    let watcher = tokio::spawn(watch_disk(disk, spec.limits.disk_bytes, hit));
    let mut sandbox = DockerSandbox {
        engine: engine.clone(),
        id,
        setup: setup(engine, spec, &image),
        main: main_process(&spec.main, &image.entrypoint, &image.cmd),
        link: Mutex::new(Arc::new(link)),
        scratch: remains.scratch.clone(),
        written,
        limit,
        memory_bytes: spec.limits.memory_bytes,
        owner: (0, 0),
        networks: attach.networks.into_iter().map(|(name, _)| name).collect(),
        watcher,
        remains: Mutex::new(Some(std::mem::take(remains))),
        _alive: engine.background.token(),
    };
    // Dropped on failure, it is taken away in the background.
    sandbox.owner = sandbox.set_up().await?;
    Ok(sandbox)
}

/// The folder above the one that the sandbox sees is ours alone.
fn make_scratch(scratch: &Path) -> Result<(), SandboxError> {
    const DOING: &str = "make a scratch folder";
    host(DOING, std::fs::create_dir_all(scratch))?;
    let ours = std::fs::Permissions::from_mode(0o700);
    host(DOING, std::fs::set_permissions(scratch, ours))
}

/// Starts the container and waits until its helper can be heard.
async fn start(
    engine: &Engine,
    id: &str,
    listener: Option<tokio::net::UnixListener>,
    scratch: &Path,
) -> Result<Link, SandboxError> {
    let docker = &engine.docker;
    match listener {
        Some(listener) => {
            reach::launch(docker, id).await?;
            reach::accept(&listener, scratch, docker, id).await
        }
        None => {
            reach::upload_helper(docker, id, &engine.helper).await?;
            let link = reach::attach(docker, id).await?;
            reach::launch(docker, id).await?;
            Ok(link)
        }
    }
}

/// What its commands find: environment, user, directory.
fn setup(engine: &Engine, spec: &SandboxSpec, image: &ImageConfig) -> Setup {
    let pairs = image.env.iter().filter_map(|pair| pair.split_once('='));
    let mut env: Vec<(String, String)> = pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if spec.network == NetworkMode::Full {
        env.extend(host_env(&engine.host));
    }
    env.extend(spec.env.clone());
    let tree = spec.work_tree.as_ref().map(|tree| tree.path.clone());
    Setup {
        env: env.into_iter().collect(),
        user: spec.user.clone().unwrap_or_else(|| image.user.clone()),
        workdir: spec
            .workdir
            .clone()
            .or(tree)
            .unwrap_or_else(|| image.workdir.clone()),
    }
}

/// A work tree of its own over the shared one, as a volume of the engine.
async fn overlay(
    engine: &Engine,
    spec: &SandboxSpec,
    prepared: &Path,
    path: &str,
    remains: &mut Remains,
) -> Result<Mount, SandboxError> {
    const DOING: &str = "mount the work tree";
    let (scratch, state) = (remains.scratch.clone(), engine.state().to_owned());
    let (bytes, lower) = (spec.limits.disk_bytes, prepared.to_owned());
    let making =
        tokio::task::spawn_blocking(move || Upper::create(&scratch, &state, bytes, &lower));
    let made = making
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)));
    let upper = remains.upper.insert(host("make a work tree", made)?);
    let options = upper
        .volume_options(prepared)
        .ok_or_else(|| SandboxError::Engine {
            doing: DOING.into(),
            message: format!(
                "the state folder's path has a `,`, `:` or `\\`: {}",
                prepared.display()
            ),
        })?;
    let unique = rand::random::<u32>();
    let volume = format!("proofyard-{}-{unique:08x}", engine.owner.id());
    let request = VolumeCreateRequest {
        name: Some(volume.clone()),
        driver: Some("local".into()),
        driver_opts: Some(options),
        labels: Some(engine.owner.labels(&spec.run, &spec.trial)),
        ..Default::default()
    };
    let made = engine.docker.create_volume(request).await;
    made.map_err(|error| refused(DOING, &error))?;
    remains.volume = Some(volume.clone());
    Ok(Mount {
        target: Some(path.to_owned()),
        source: Some(volume),
        typ: Some(MountType::VOLUME),
        volume_options: Some(MountVolumeOptions {
            no_copy: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    })
}
