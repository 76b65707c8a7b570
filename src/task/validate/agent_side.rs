//! The agent's side of a task: where it runs, the repo, its limits.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::Checker;
use crate::diagnose::KeyPath;
use crate::task::raw::{AgentTable, EnvironmentTable, HistoryName, NetworkMode, Os, RepoTable};
use crate::task::{AgentRules, Environment, History, ImageSource, Network, Repo, RepoSource};

/// Seconds that building an image may take where the task says nothing.
const BUILD_TIMEOUT: Duration = Duration::from_secs(600);

pub fn agent_rules(table: &AgentTable, check: &mut Checker<'_>) -> AgentRules {
    AgentRules {
        timeout: check.seconds("agent.timeout_sec", table.timeout_sec),
        user: check.user("agent.user", table.user.as_ref()),
    }
}

pub fn environment(
    table: &EnvironmentTable,
    agent: &AgentTable,
    ours: bool,
    check: &mut Checker<'_>,
) -> Environment {
    refuse_later(table, check);
    if let Some(workdir) = &table.workdir {
        check.sandbox_path("environment.workdir", workdir);
    }
    let cpus = table.cpus.filter(|cpus| {
        let right = *cpus > 0.0 && *cpus <= 4096.0;
        if !right {
            check.wrong(
                "environment.cpus",
                "`cpus` must be more than 0",
                "a number of processors",
            );
        }
        right
    });
    let memory_bytes = match table.memory_mb {
        // The least that the engine takes.
        Some(_) => check.mebibytes("environment.memory_mb", table.memory_mb, 6),
        None => check.old_size("environment.memory", table.memory.as_ref()),
    };
    let storage_bytes = match table.storage_mb {
        Some(_) => check.mebibytes("environment.storage_mb", table.storage_mb, 1),
        None => check.old_size("environment.storage", table.storage.as_ref()),
    };
    let own = environment_network(table, check);
    let agent = network_mode(
        "agent",
        agent.network_mode,
        agent.allowed_hosts.as_deref(),
        check,
    );
    Environment {
        image: image(table, check),
        build_timeout: check
            .seconds("environment.build_timeout_sec", table.build_timeout_sec)
            .unwrap_or(BUILD_TIMEOUT),
        cpus,
        memory_bytes,
        storage_bytes,
        env: check.env("environment.env", table.env.clone()),
        workdir: table.workdir.clone(),
        network: agent.or(own).unwrap_or(default_network(ours)),
    }
}

/// Our own tasks reach nothing, imported ones what their format gives them.
pub fn default_network(ours: bool) -> Network {
    if ours { Network::None } else { Network::Full }
}

/// What `[environment]` says about the network.
pub fn environment_network(table: &EnvironmentTable, check: &mut Checker<'_>) -> Option<Network> {
    let hosts = table.allowed_hosts.as_deref();
    let mode = network_mode("environment", table.network_mode, hosts, check);
    mode.or(table.allow_internet.map(|allowed| match allowed {
        true => Network::Full,
        false => Network::None,
    }))
}

/// What the `network_mode` of a table says.
pub fn network_mode(
    table: &str,
    mode: Option<NetworkMode>,
    hosts: Option<&[String]>,
    check: &mut Checker<'_>,
) -> Option<Network> {
    match mode {
        Some(NetworkMode::Allowlist) => {
            check.later(
                format!("{table}.network_mode").as_str(),
                "a network of named hosts (\"allowlist\")",
            );
            None
        }
        mode => {
            if hosts.is_some_and(|hosts| !hosts.is_empty()) {
                check.wrong(
                    format!("{table}.allowed_hosts").as_str(),
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

fn refuse_later(table: &EnvironmentTable, check: &mut Checker<'_>) {
    if table.os == Some(Os::Windows) {
        check.later("environment.os", "a task for Windows");
    }
    if table.gpus.is_some_and(|gpus| gpus > 0) {
        check.later("environment.gpus", "a task that needs a GPU");
    }
    if table.tpu.is_some() {
        check.later("environment.tpu", "a task that needs a TPU");
    }
    if table
        .mcp_servers
        .as_ref()
        .is_some_and(|servers| !servers.is_empty())
    {
        check.later(
            KeyPath::from("environment.mcp_servers").index(0),
            "a task with MCP servers",
        );
    }
    if table.healthcheck.is_some() {
        check.later("environment.healthcheck", "waiting for a health check");
    }
    if table.skills_dir.is_some() {
        check.warn(
            "environment.skills_dir",
            "skills are not given to agents yet",
        );
    }
    let environment = check.dir().join("environment");
    for name in ["docker-compose.yaml", "docker-compose.yml", "compose.yaml"] {
        if environment.join(name).exists() {
            check.file_problem(format!(
                "a task of several services (environment/{name}) is not supported yet"
            ));
        }
    }
}

/// `docker_image`, else `environment/Dockerfile`.
fn image(table: &EnvironmentTable, check: &mut Checker<'_>) -> ImageSource {
    let folder = check.dir().join("environment");
    let has_recipe = folder.join("Dockerfile").is_file();
    let Some(name) = &table.docker_image else {
        if !has_recipe {
            check.file_problem(
                "the task has no image: it needs an environment/Dockerfile, or `docker_image` in [environment]",
            );
        }
        return ImageSource::Dockerfile(folder);
    };
    let plain = !name.is_empty()
        && name.len() <= 512
        && name.starts_with(|sign: char| sign.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || "._-/:@".contains(sign));
    if !plain {
        check.wrong(
            "environment.docker_image",
            format!("`{name}` is not the name of an image"),
            "like \"debian:bookworm-slim\"",
        );
    }
    if !has_recipe && holds_files(&folder) {
        check.later(
            "environment.docker_image",
            "copying the files of environment/ into an image that is named",
        );
    }
    ImageSource::Named(name.clone())
}

fn holds_files(folder: &Path) -> bool {
    folder
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some())
}

pub fn repo(table: &RepoTable, check: &mut Checker<'_>) -> Option<Repo> {
    if table.in_image == Some(true) {
        check.later(
            "repo.in_image",
            "a work tree that is the image's own (`in_image`)",
        );
        return None;
    }
    if let Some(workdir) = &table.workdir
        && check.sandbox_path("repo.workdir", workdir)
        && workdir.trim_end_matches('/').is_empty()
    {
        check.wrong(
            "repo.workdir",
            "the work tree cannot be the whole sandbox",
            "a folder below `/`",
        );
    }
    let source = repo_source(table, check)?;
    let commit = commit(table, &source, check);
    Some(Repo {
        source,
        commit,
        workdir: table.workdir.clone(),
        history: match table.history {
            Some(HistoryName::None) => History::None,
            _ => History::Ancestors,
        },
    })
}

fn repo_source(table: &RepoTable, check: &mut Checker<'_>) -> Option<RepoSource> {
    match (&table.path, &table.url) {
        (Some(_), Some(_)) => {
            check.wrong("repo.url", "a repo has a `path` or a `url`, not both", "");
            None
        }
        (None, None) => {
            check.wrong(
                "repo",
                "[repo] does not say where the repo is",
                "it needs a `path` (a folder or a git bundle) or a `url`",
            );
            None
        }
        (Some(path), None) => {
            let found = check.inside("repo.path", path)?;
            if found.is_dir() {
                return Some(RepoSource::Folder(found));
            }
            if !is_bundle(&found) {
                check.wrong(
                    "repo.path",
                    format!("`{path}` is neither a folder nor a git bundle"),
                    "a bundle is made by `git bundle create`",
                );
                return None;
            }
            Some(RepoSource::Bundle(found))
        }
        (None, Some(url)) => {
            let schemes = ["https://", "http://", "ssh://"];
            let plain = schemes.iter().any(|scheme| url.starts_with(scheme))
                && !url
                    .chars()
                    .any(|sign| sign.is_control() || sign.is_whitespace());
            if !plain {
                check.wrong("repo.url", format!("`{url}` is not a url"), "https://…");
            }
            Some(RepoSource::Url(url.clone()))
        }
    }
}

fn is_bundle(path: &Path) -> bool {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(16).read_to_end(&mut head))
        .is_ok_and(|_| head.starts_with(b"# v2 git bundle") || head.starts_with(b"# v3 git bundle"))
}

fn commit(table: &RepoTable, source: &RepoSource, check: &mut Checker<'_>) -> Option<String> {
    match (&table.commit, source) {
        (None, RepoSource::Folder(_)) => None,
        (Some(_), RepoSource::Folder(_)) => {
            check.wrong(
                "repo.commit",
                "a folder has no commit: it becomes one",
                "`commit` is for a bundle or a url",
            );
            None
        }
        (None, _) => {
            check.wrong(
                "repo",
                "[repo] does not say which `commit`",
                "40 hex digits",
            );
            None
        }
        (Some(commit), _) => {
            let whole = commit.len() == 40 && commit.bytes().all(|sign| sign.is_ascii_hexdigit());
            if !whole {
                check.wrong(
                    "repo.commit",
                    format!("`{commit}` is not a commit"),
                    format!(
                        "40 hex digits; these are {} characters",
                        commit.chars().count()
                    ),
                );
            }
            Some(commit.to_ascii_lowercase())
        }
    }
}
