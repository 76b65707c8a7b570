//! The making and starting of one service.

use std::sync::Arc;

use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, CreateContainerOptionsBuilder, StartContainerOptions,
    UploadToContainerOptionsBuilder,
};
use bytes::Bytes;

use super::body::{body, names};
use super::remains::Remains;
use super::{Project, ProjectError, ended};
use crate::sandbox::SandboxError;
use crate::sandbox::docker::attach::join;
use crate::sandbox::docker::engine::Engine;
use crate::sandbox::docker::refusal::{refused, status};
use crate::sandbox::project::{ProjectSpec, ServiceSpec};

impl Project {
    /// Makes the container of a service, in a task of its own: what is half made when
    /// the caller goes away could not be found again.
    pub(super) async fn create(&self, index: usize) -> Result<(), ProjectError> {
        let Some(leave) = self.remains.maker() else {
            return Err(stopped());
        };
        let (engine, spec) = (self.engine.clone(), self.spec.clone());
        let remains = self.remains.clone();
        let making = self.engine.background.spawn(async move {
            let _leave = leave;
            create(&engine, &spec, &spec.services[index], &remains).await
        });
        making.await.unwrap_or_else(|error| Err(ended(error)))?;
        let name = self.spec.services[index].name.clone();
        self.created.send_modify(|created| _ = created.insert(name));
        Ok(())
    }

    /// Starts a service that was made.
    pub(super) async fn launch(&self, service: &ServiceSpec) -> Result<(), ProjectError> {
        let id = self.container(&service.name)?;
        let options = None::<StartContainerOptions>;
        let started = self.engine.docker.start_container(&id, options).await;
        let doing = || format!("start the service {}", service.name);
        started.map_err(|error| refused(&doing(), &error))?;
        let name = service.name.clone();
        self.started.send_modify(|started| _ = started.insert(name));
        Ok(())
    }

    /// The container of a service that was made.
    pub(super) fn container(&self, service: &str) -> Result<String, ProjectError> {
        let none = || ProjectError::NoService {
            name: service.to_owned(),
        };
        self.remains.container(service).ok_or_else(none)
    }
}

fn stopped() -> ProjectError {
    ProjectError::Sandbox(SandboxError::Engine {
        doing: "make a service".into(),
        message: "its project was stopped".into(),
    })
}

async fn create(
    engine: &Arc<Engine>,
    spec: &ProjectSpec,
    service: &ServiceSpec,
    remains: &Remains,
) -> Result<(), SandboxError> {
    let made = remains.made();
    let body = body(engine, spec, service, &made.networks, &made.volumes)?;
    let options = CreateContainerOptionsBuilder::default().build();
    let created = engine.docker.create_container(Some(options), body).await;
    let doing = || format!("make the service {}", service.name);
    let id = created.map_err(|error| refused(&doing(), &error))?.id;
    remains.note(|made| drop(made.containers.insert(service.name.clone(), id.clone())));
    for (network, aliases) in service.networks.iter().skip(1) {
        if let Some(network) = made.networks.get(network) {
            join(engine, network, &id, &names(service, aliases)).await?;
        }
    }
    for (target, tar) in &service.files {
        lay(engine, &id, target, tar)
            .await
            .map_err(|error| refused(&format!("copy files into {}", service.name), &error))?;
    }
    Ok(())
}

/// Lays a tar stream over a folder of a container, which is made where it is missing.
async fn lay(
    engine: &Engine,
    id: &str,
    target: &str,
    tar: &Bytes,
) -> Result<(), bollard::errors::Error> {
    match upload(engine, id, target, tar.clone()).await {
        Err(error) if status(&error) == Some(404) => {}
        laid => return laid,
    }
    let (there, missing) = missing(engine, id, target).await?;
    upload(engine, id, &there, folders(&missing)?.into()).await?;
    upload(engine, id, target, tar.clone()).await
}

async fn upload(
    engine: &Engine,
    id: &str,
    target: &str,
    tar: Bytes,
) -> Result<(), bollard::errors::Error> {
    let options = UploadToContainerOptionsBuilder::default()
        .path(target)
        .build();
    let body = bollard::body_full(tar);
    engine
        .docker
        .upload_to_container(id, Some(options), body)
        .await
}

/// How much of a path is there, and the names below that are not.
async fn missing(
    engine: &Engine,
    id: &str,
    target: &str,
) -> Result<(String, Vec<String>), bollard::errors::Error> {
    let mut parts: Vec<&str> = target.split('/').filter(|part| !part.is_empty()).collect();
    let mut missing = Vec::new();
    while let Some(last) = parts.pop() {
        missing.insert(0, last.to_owned());
        let above = format!("/{}", parts.join("/"));
        let options = ContainerArchiveInfoOptionsBuilder::default()
            .path(&above)
            .build();
        let seen = engine.docker.get_container_archive_info(id, Some(options));
        match seen.await {
            Err(error) if status(&error) == Some(404) && !parts.is_empty() => {}
            Err(error) => return Err(error),
            Ok(_) => return Ok((above, missing)),
        }
    }
    Ok(("/".into(), missing))
}

/// A tar stream of nothing but folders within each other.
fn folders(names: &[String]) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for depth in 1..=names.len() {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o755);
        header.set_size(0);
        let path = format!("{}/", names[..depth].join("/"));
        tar.append_data(&mut header, path, std::io::empty())?;
    }
    tar.into_inner()
}
