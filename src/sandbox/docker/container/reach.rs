//! How the helper is reached: by a socket that it connects to, or by the standard
//! streams of PID 1 where nothing of this host can be mounted.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use bollard::query_parameters::{
    AttachContainerOptionsBuilder, InspectContainerOptions, StartContainerOptions,
    UploadToContainerOptionsBuilder,
};
use futures_util::StreamExt;
use tokio::net::UnixListener;

use super::{host, refused};
use crate::sandbox::docker::link::Link;
use crate::sandbox::{SandboxError, wire};

/// From the start of the container until its helper is heard.
pub const HELLO: Duration = Duration::from_secs(60);

/// Listens where the helper will connect to. The folder that the sandbox sees is
/// open, the one above it is ours alone.
pub fn listen(scratch: &Path) -> Result<UnixListener, SandboxError> {
    const DOING: &str = "listen for the helper";
    let folder = scratch.join("run");
    host(DOING, std::fs::create_dir_all(&folder))?;
    let path = folder.join(wire::SOCKET);
    let _ = std::fs::remove_file(&path);
    let listener = host(DOING, bind_short(&path))?;
    host(
        DOING,
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)),
    )?;
    Ok(listener)
}

/// Binds also where the path is longer than an address may be: by way of a short link.
fn bind_short(path: &Path) -> std::io::Result<UnixListener> {
    if path.as_os_str().len() < 100 {
        return UnixListener::bind(path);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return UnixListener::bind(path);
    };
    let short = tempfile::Builder::new().prefix("py").tempdir()?;
    let link = short.path().join("l");
    std::os::unix::fs::symlink(folder, &link)?;
    UnixListener::bind(link.join(name))
}

/// Hears the helper, once; then nobody else can.
pub async fn accept(
    listener: &UnixListener,
    scratch: &Path,
    docker: &bollard::Docker,
    id: &str,
) -> Result<Link, SandboxError> {
    let heard = async {
        loop {
            if let Ok(accepted) =
                tokio::time::timeout(Duration::from_millis(500), listener.accept()).await
            {
                return accepted.map_err(|source| SandboxError::Host {
                    doing: "hear the helper".into(),
                    source,
                });
            }
            // Nothing yet: is it still there at all?
            let seen = docker
                .inspect_container(id, None::<InspectContainerOptions>)
                .await;
            let state = seen
                .map_err(|error| refused("look for the helper", &error))?
                .state
                .unwrap_or_default();
            if state.running == Some(false) {
                return Err(SandboxError::Engine {
                    doing: "start the helper".into(),
                    message: format!(
                        "its container ended with status {}: {}",
                        state.exit_code.unwrap_or_default(),
                        state.error.unwrap_or_default()
                    ),
                });
            }
        }
    };
    let accepted = tokio::time::timeout(HELLO, heard).await;
    let _ = std::fs::remove_file(scratch.join("run").join(wire::SOCKET));
    let (stream, _) = accepted.map_err(|_| SandboxError::Deadline {
        doing: "starting the helper",
        seconds: HELLO.as_secs(),
    })??;
    let peer = stream.peer_cred().ok().and_then(|peer| peer.pid());
    let (reader, writer) = stream.into_split();
    Ok(Link::new(tokio::io::BufReader::new(reader), writer).with(peer))
}

/// Starts the container; its helper is the first process.
pub async fn launch(docker: &bollard::Docker, id: &str) -> Result<(), SandboxError> {
    let started = docker
        .start_container(id, None::<StartContainerOptions>)
        .await;
    started.map_err(|error| refused("start the sandbox", &error))
}

/// Frames over the standard streams of PID 1, which no process of the agent's can kill.
pub async fn attach(docker: &bollard::Docker, id: &str) -> Result<Link, SandboxError> {
    let options = AttachContainerOptionsBuilder::default()
        .stream(true)
        .stdin(true)
        .stdout(true)
        .build();
    let attached = docker
        .attach_container(id, Some(options))
        .await
        .map_err(|error| refused("attach to the helper", &error))?;
    let output = attached.output.map(|piece| match piece {
        Ok(log) => Ok(log.into_bytes()),
        Err(error) => Err(std::io::Error::other(error)),
    });
    Ok(Link::new(
        tokio_util::io::StreamReader::new(output),
        attached.input,
    ))
}

/// Copies the helper in where it cannot be mounted.
pub async fn upload_helper(
    docker: &bollard::Docker,
    id: &str,
    helper: &Path,
) -> Result<(), SandboxError> {
    const DOING: &str = "copy the helper into the sandbox";
    let binary = host(DOING, std::fs::read(helper))?;
    let mut tar = tar::Builder::new(Vec::with_capacity(binary.len() + 4096));
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(binary.len() as u64);
    host(
        DOING,
        tar.append_data(
            &mut header,
            wire::HELPER.trim_start_matches('/'),
            binary.as_slice(),
        ),
    )?;
    let tar = host(DOING, tar.into_inner())?;
    let options = UploadToContainerOptionsBuilder::default().path("/").build();
    let uploaded = docker
        .upload_to_container(id, Some(options), bollard::body_full(tar.into()))
        .await;
    uploaded.map_err(|error| refused(DOING, &error))
}
