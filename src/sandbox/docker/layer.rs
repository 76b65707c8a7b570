//! A work tree as a layer of an image, for engines whose host is not ours.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use bollard::Docker;
use bollard::models::{ContainerConfig, ContainerCreateBody};
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder,
    StartContainerOptions, UploadToContainerOptionsBuilder, WaitContainerOptions,
};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::engine::Engine;
use crate::sandbox::{SandboxError, WorkTree};

/// How long the removal of a folder may take.
const CLEARING: Duration = Duration::from_secs(300);

/// The image with the work tree in it, made once per image and tree.
pub async fn work_tree_image(
    engine: &Engine,
    image: &str,
    tree: &WorkTree,
) -> Result<String, SandboxError> {
    let mut hash = Sha256::new();
    for part in [image, &tree.digest, &tree.path] {
        hash.update(part);
        hash.update([0]);
    }
    let key = crate::record::hex(&hash.finalize()[..16]);
    let cell = engine
        .layers
        .lock()
        .await
        .entry(key.clone())
        .or_default()
        .clone();
    cell.get_or_try_init(|| make(engine, image, tree, &key))
        .await
        .cloned()
}

async fn make(
    engine: &Engine,
    image: &str,
    tree: &WorkTree,
    key: &str,
) -> Result<String, SandboxError> {
    let docker = &engine.docker;
    let tag = format!("proofyard/work-tree:{key}");
    if let Ok(seen) = docker.inspect_image(&tag).await
        && let Some(id) = seen.id
    {
        return Ok(id);
    }
    let failed = |doing: &str, message: String| SandboxError::Engine {
        doing: doing.to_owned(),
        message,
    };
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        labels: Some(engine.owner.labels("", "")),
        // An image without a command of its own could not be made otherwise.
        entrypoint: Some(clearing(tree)),
        user: Some("0".into()),
        network_disabled: Some(true),
        ..Default::default()
    };
    let created = docker
        .create_container(Some(CreateContainerOptionsBuilder::default().build()), body)
        .await;
    let id = created
        .map_err(|error| failed("make a container for the work tree", error.to_string()))?
        .id;
    let made = async {
        if tree.replaces {
            clear(docker, &id).await?;
        }
        let packed = pack(engine, tree).await?;
        let reader = tokio::fs::File::from_std(packed);
        let pieces = tokio_util::io::ReaderStream::with_capacity(reader, 1 << 20);
        let body =
            bollard::body_try_stream(pieces.map(|piece| piece.map_err(std::io::Error::other)));
        let options = UploadToContainerOptionsBuilder::default().path("/").build();
        let sent = docker.upload_to_container(&id, Some(options), body).await;
        sent.map_err(|error| failed("copy the work tree into a layer", error.to_string()))?;
        let config = engine.image_config(image).await?;
        let options = CommitContainerOptionsBuilder::default()
            .container(&id)
            .repo("proofyard/work-tree")
            .tag(key)
            .build();
        // The image's own command comes back; what the sandbox starts is told to the helper anyhow.
        let config = ContainerConfig {
            cmd: Some(config.cmd.clone()),
            entrypoint: Some(config.entrypoint.clone()),
            user: Some(config.user.clone()),
            labels: Some([("proofyard.kind".to_owned(), "work-tree".to_owned())].into()),
            ..Default::default()
        };
        let committed = docker.commit_container(options, config).await;
        committed
            .map_err(|error| failed("commit the work tree's layer", error.to_string()))
            .map(|image| image.id)
    };
    let made = made.await;
    let options = RemoveContainerOptionsBuilder::default()
        .force(true)
        .v(true)
        .build();
    let removed = docker.remove_container(&id, Some(options)).await;
    let made = made?;
    removed.map_err(|error| failed("remove the container of the work tree", error.to_string()))?;
    Ok(made)
}

/// What takes away what lies in the work tree's place; never started where nothing does.
fn clearing(tree: &WorkTree) -> Vec<String> {
    match tree.replaces {
        true => ["rm", "-rf", "--", &tree.path].map(str::to_owned).to_vec(),
        false => vec!["/.proofyard/none".into()],
    }
}

/// Runs the container's command to its end.
async fn clear(docker: &Docker, id: &str) -> Result<(), SandboxError> {
    let failed = |message: String| SandboxError::Engine {
        doing: "take away what the image has in the work tree's place".to_owned(),
        message,
    };
    let started = docker
        .start_container(id, None::<StartContainerOptions>)
        .await;
    started.map_err(|error| failed(error.to_string()))?;
    let mut ended = docker.wait_container(id, None::<WaitContainerOptions>);
    match tokio::time::timeout(CLEARING, ended.next()).await {
        Ok(None | Some(Ok(_))) => Ok(()),
        Ok(Some(Err(error))) => Err(failed(error.to_string())),
        Err(_) => Err(failed(format!("not done after {} s", CLEARING.as_secs()))),
    }
}

/// The prepared folder as a tar in a file without a name.
async fn pack(engine: &Engine, tree: &WorkTree) -> Result<File, SandboxError> {
    let (prepared, path, owner) = (tree.prepared.clone(), tree.path.clone(), tree.owner);
    let scratch = engine.owner.scratch();
    let packing = tokio::task::spawn_blocking(move || {
        let mut tar = tar::Builder::new(tempfile::tempfile_in(scratch)?);
        append(&mut tar, &prepared, path.trim_matches('/'), owner)?;
        let mut file = tar.into_inner()?;
        std::io::Seek::rewind(&mut file)?;
        Ok(file)
    });
    packing
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map_err(|source| SandboxError::Host {
            doing: "pack the work tree".into(),
            source,
        })
}

fn append(
    tar: &mut tar::Builder<File>,
    from: &Path,
    below: &str,
    owner: (u32, u32),
) -> std::io::Result<()> {
    for entry in walkdir::WalkDir::new(from)
        .follow_links(false)
        .sort_by_file_name()
    {
        let entry = entry?;
        let relative = entry.path().strip_prefix(from).unwrap_or(entry.path());
        let name = Path::new(below).join(relative);
        let mut header = tar::Header::new_gnu();
        header.set_metadata(&entry.metadata()?);
        header.set_uid(owner.0.into());
        header.set_gid(owner.1.into());
        let kind = entry.file_type();
        if kind.is_symlink() {
            header.set_size(0);
            tar.append_link(&mut header, name, std::fs::read_link(entry.path())?)?;
        } else if kind.is_file() {
            tar.append_data(&mut header, name, File::open(entry.path())?)?;
        } else {
            header.set_size(0);
            tar.append_data(&mut header, name, std::io::empty())?;
        }
    }
    Ok(())
}
