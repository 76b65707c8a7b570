//! `[environment]`, of the task and of a verifier that has one of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Checker;
use super::servers::{health, mcp_servers};
use super::services::with_services;
use crate::diagnose::KeyPath;
use crate::task::raw::{EnvironmentTable, NetworkMode, Number, OldSize, Truth, Whole};
use crate::task::{Environment, ImageSource, Network, compose};

/// Seconds that building an image may take where the task says nothing.
const BUILD_TIMEOUT: Duration = Duration::from_secs(600);

/// Where an environment is described, and where its recipe lies.
#[derive(Clone)]
pub struct Described<'a> {
    /// `environment`, or a `verifier.environment`.
    pub table: KeyPath,
    /// Folder with a Dockerfile.
    pub folder: &'a Path,
    /// Whether files of the folder cross into an image that is named.
    pub uploads: bool,
    pub ours: bool,
}

/// What a table says of an environment.
pub fn environment(
    table: &EnvironmentTable,
    described: Described<'_>,
    check: &mut Checker<'_>,
) -> Environment {
    let at = |key: &str| described.table.clone().key(key);
    refuse(table, &at, check);
    if let Some(workdir) = &table.workdir {
        check.sandbox_path(at("workdir"), workdir);
    }
    let network = own_network(table, described.table.clone(), check);
    let asked = table.healthcheck.as_ref();
    let (image, upload) = image(table, &described, check);
    let named = image_name(table).map(String::as_str);
    let environment = Environment {
        image,
        upload,
        build_timeout: check
            .seconds(at("build_timeout_sec"), table.build_timeout_sec)
            .unwrap_or(BUILD_TIMEOUT),
        cpus: cpus(table.cpus, at("cpus"), check),
        memory_bytes: size(
            (at("memory_mb"), table.memory_mb),
            (at("memory"), table.memory.as_ref()),
            // The least that the engine takes.
            6,
            check,
        ),
        storage_bytes: size(
            (at("storage_mb"), table.storage_mb),
            (at("storage"), table.storage.as_ref()),
            1,
            check,
        ),
        env: check.env(at("env"), table.env.clone()),
        workdir: table.workdir.clone(),
        network_is_said: network.is_some(),
        network: network.unwrap_or(default_network(described.ours)),
        health: asked.and_then(|table| health(table, at("healthcheck"), check)),
        skills: skills(table, at("skills_dir"), check),
        mcp_servers: mcp_servers(table.mcp_servers.as_deref(), at("mcp_servers"), check),
        services: None,
    };
    let environment = with_services(environment, named, described.folder, check);
    if let ImageSource::Dockerfile(folder) = &environment.image
        && !folder.join("Dockerfile").is_file()
    {
        check.file_problem(format!(
            "the task has no image: it needs an environment/Dockerfile, or `docker_image` in {}",
            described.table.clone().key("docker_image").table()
        ));
    }
    environment
}

/// Our own tasks reach nothing, imported ones what their format gives them.
pub fn default_network(ours: bool) -> Network {
    if ours { Network::None } else { Network::Full }
}

/// What an environment's table says about the network.
pub fn own_network(
    table: &EnvironmentTable,
    at: impl Into<KeyPath>,
    check: &mut Checker<'_>,
) -> Option<Network> {
    let hosts = table.allowed_hosts.as_deref();
    let mode = network_mode(at, table.network_mode, hosts, check);
    mode.or(table.allow_internet.map(|Truth(allowed)| match allowed {
        true => Network::Full,
        false => Network::None,
    }))
}

/// What the `network_mode` of a table says.
pub fn network_mode(
    table: impl Into<KeyPath>,
    mode: Option<NetworkMode>,
    hosts: Option<&[String]>,
    check: &mut Checker<'_>,
) -> Option<Network> {
    let table = table.into();
    match mode {
        Some(NetworkMode::Allowlist) => {
            check.later(
                table.key("network_mode"),
                "a network of named hosts (\"allowlist\")",
            );
            None
        }
        mode => {
            if hosts.is_some_and(|hosts| !hosts.is_empty()) {
                check.wrong(
                    table.key("allowed_hosts"),
                    "`allowed_hosts` is only for `network_mode = \"allowlist\"`",
                    "which is not supported yet",
                );
            }
            mode.map(|mode| match mode {
                NetworkMode::Public => Network::Full,
                _ => Network::None,
            })
        }
    }
}

fn cpus(cpus: Option<Number>, at: KeyPath, check: &mut Checker<'_>) -> Option<f64> {
    cpus.map(|Number(cpus)| cpus).filter(|cpus| {
        let right = *cpus > 0.0 && *cpus <= 4096.0;
        if !right {
            check.wrong(
                at.clone(),
                "`cpus` must be more than 0",
                "a number of processors",
            );
        }
        right
    })
}

/// A size in mebibytes, or in the older form; both only where they agree.
fn size(
    (at, megabytes): (KeyPath, Option<Whole>),
    (old_at, old): (KeyPath, Option<&OldSize>),
    least: u64,
    check: &mut Checker<'_>,
) -> Option<u64> {
    let new = check.mebibytes(at.clone(), megabytes, least);
    let old = check.old_size(old_at.clone(), old);
    if let (Some(new), Some(old)) = (new, old)
        && new != old
    {
        let message = format!(
            "`{}` and `{}` say different sizes",
            old_at.last_key(),
            at.last_key()
        );
        check.wrong(
            old_at,
            message,
            format!("the newer one says {} MB; leave this one out", new >> 20),
        );
    }
    new.or(old)
}

fn skills(table: &EnvironmentTable, at: KeyPath, check: &mut Checker<'_>) -> Option<String> {
    let folder = table.skills_dir.as_ref()?;
    check.sandbox_path(at, folder).then(|| folder.clone())
}

fn refuse(table: &EnvironmentTable, at: &dyn Fn(&str) -> KeyPath, check: &mut Checker<'_>) {
    match table.os.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("linux") => {}
        Some("windows") => check.later(at("os"), "a task for Windows"),
        Some(other) => check.wrong(
            at("os"),
            format!("`{other}` is no system that a task may ask for"),
            "\"linux\"",
        ),
    }
    if table.gpus.is_some_and(|Whole(gpus)| gpus > 0) {
        check.later(at("gpus"), "a task that needs a GPU");
    }
    if table.tpu.is_some() {
        check.later(at("tpu"), "a task that needs a TPU");
    }
}

/// `docker_image`, else the folder's Dockerfile; and the folder, where its files are
/// laid into an image that is named.
fn image(
    table: &EnvironmentTable,
    described: &Described<'_>,
    check: &mut Checker<'_>,
) -> (ImageSource, Option<PathBuf>) {
    let folder = described.folder.to_path_buf();
    let composed = compose::of_harbor(&folder).is_some();
    let has_recipe = composed || folder.join("Dockerfile").is_file();
    let Some(name) = image_name(table) else {
        return (ImageSource::Dockerfile(folder), None);
    };
    let plain = !name.is_empty()
        && name.len() <= 512
        && name.starts_with(|sign: char| sign.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || "._-/:@".contains(sign));
    if !plain {
        check.wrong(
            described.table.clone().key("docker_image"),
            format!("`{name}` is not the name of an image"),
            "like \"debian:bookworm-slim\"",
        );
    }
    let uploads = described.uploads && !has_recipe && holds_files(&folder);
    (ImageSource::Named(name.clone()), uploads.then_some(folder))
}

/// The image's name; an empty one names none.
pub fn image_name(table: &EnvironmentTable) -> Option<&String> {
    table.docker_image.as_ref().filter(|name| !name.is_empty())
}

fn holds_files(folder: &Path) -> bool {
    folder
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some())
}
