//! Where a task runs: its compose file, or its Dockerfile alone.
//!
//! Owns the variables of the format, and that what is secret of a task stays out of
//! images. Must not know the keys of `task.yaml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{SECRET, TEST_DIR};
use crate::diagnose::Problem;
use crate::task::compose::{self, Build, LOGS_MARKER, MountKind, Service};
use crate::task::validate::settled;
use crate::task::{Environment, ImageSource, MAIN_IMAGE, Network, Services};

/// The service that the agent works in.
const CLIENT: &str = "client";
/// The format bounds no build; this only keeps one finite.
const BUILD_TIMEOUT: Duration = Duration::from_secs(3600);
/// Folders of logs in the sandbox.
const LOGS: &str = "/logs";
const AGENT_LOGS: &str = "/agent-logs";

/// The environment of the task in `dir`, which the user calls `shown`.
pub fn place(
    dir: &Path,
    shown: &Path,
    id: &str,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<String>,
) -> Option<Environment> {
    let file = compose::find(dir);
    let own = dir.join("Dockerfile").is_file();
    let plain = || build_of(dir, shown);
    let Some(file) = file else {
        if !own {
            let message = format!(
                "`{}` has no image: it needs a docker-compose.yaml or a Dockerfile",
                shown.display()
            );
            problems.push(Problem::new(message));
            return None;
        }
        let (build, told) = plain();
        warnings.extend(told);
        return Some(environment(ImageSource::Build(build)));
    };
    let file_shown = shown.join(file.file_name().unwrap_or_default());
    let variables = variables(id);
    let read = compose::read(&file, dir, &|name| variables.get(name).cloned());
    let compose = match read {
        Ok(compose) => compose,
        Err(found) => {
            problems.extend(found.into_iter().map(|mut problem| {
                if let Some(spot) = &mut problem.spot
                    && spot.file == file.display().to_string()
                {
                    spot.file = file_shown.display().to_string();
                }
                problem
            }));
            return None;
        }
    };
    let said = file_shown.display().to_string();
    let (mut services, told) = settled(compose, CLIENT, &said);
    warnings.extend(told);
    share_builds(&mut services, dir, shown, warnings);
    problems.extend(secret_binds(&services, dir, &said));
    let Some(client) = services.main().cloned() else {
        let names: Vec<&str> = services
            .compose
            .services
            .keys()
            .map(String::as_str)
            .collect();
        let message = format!("{said} has no service `{CLIENT}`, which the agent works in");
        problems.push(Problem::new(message).note(format!("it has {}", names.join(", "))));
        return None;
    };
    let image = match (&client.build, &client.image) {
        (Some(build), _) => ImageSource::Build(build.clone()),
        (None, Some(name)) if name != MAIN_IMAGE => ImageSource::Named(name.clone()),
        // The name that the format gives to what it builds.
        (None, _) if own => {
            let (build, told) = plain();
            warnings.extend(told);
            ImageSource::Build(build)
        }
        (None, _) => {
            let message = format!("{said} does not say how the image of `{CLIENT}` is made");
            problems.push(Problem::new(message).note("`build` and `context` do"));
            return None;
        }
    };
    Some(of_client(image, client, services))
}

fn of_client(image: ImageSource, client: Service, services: Services) -> Environment {
    Environment {
        env: client.environment,
        workdir: client.working_dir,
        cpus: client.cpus,
        memory_bytes: client.memory_bytes,
        services: Some(services),
        ..environment(image)
    }
}

fn environment(image: ImageSource) -> Environment {
    Environment {
        image,
        build_timeout: BUILD_TIMEOUT,
        cpus: None,
        memory_bytes: None,
        storage_bytes: None,
        env: BTreeMap::new(),
        workdir: None,
        network: Network::Full,
        // The format has no word for it.
        network_is_said: false,
        services: None,
        health: None,
        upload: None,
        skills: None,
        mcp_servers: Vec::new(),
    }
}

/// Variables of the format that say the same in every sandbox.
pub fn told() -> BTreeMap<String, String> {
    let told = [
        ("T_BENCH_TEST_DIR", TEST_DIR),
        ("T_BENCH_CONTAINER_LOGS_PATH", LOGS),
        ("T_BENCH_CONTAINER_AGENT_LOGS_PATH", AGENT_LOGS),
    ];
    let owned = told.map(|(name, value)| (name.to_owned(), value.to_owned()));
    owned.into_iter().collect()
}

/// What a compose file may name. Folders of this host are marked, and left out.
fn variables(id: &str) -> BTreeMap<String, String> {
    let name: String = id
        .chars()
        .map(|sign| match sign {
            sign if sign.is_ascii_alphanumeric() || "_-".contains(sign) => sign,
            _ => '-',
        })
        .collect();
    let mut variables = told();
    let mut set = |name: &str, value| drop(variables.insert(format!("T_BENCH_TASK_{name}"), value));
    set("DOCKER_CLIENT_CONTAINER_NAME", format!("{name}-1-of-1"));
    // Another service may start from the same image.
    set("DOCKER_CLIENT_IMAGE_NAME", MAIN_IMAGE.to_owned());
    set("DOCKER_NAME_PREFIX", format!("tb__{name}"));
    set("LOGS_PATH", format!("{LOGS_MARKER}logs"));
    set("AGENT_LOGS_PATH", format!("{LOGS_MARKER}agent-logs"));
    variables
}

/// Lets services that start from an image which another one builds build it too, and
/// keeps what is secret out of every build.
fn share_builds(services: &mut Services, dir: &Path, shown: &Path, warnings: &mut Vec<String>) {
    let all = services.compose.services.values();
    let built: BTreeMap<String, Build> = all
        .filter_map(|service| Some((service.image.clone()?, service.build.clone()?)))
        .collect();
    for service in services.compose.services.values_mut() {
        let named = service.image.as_ref().filter(|name| *name != MAIN_IMAGE);
        if service.build.is_none() {
            service.build = named.and_then(|name| built.get(name)).cloned();
        }
        if let Some(build) = &mut service.build {
            for told in keep_out(build, dir, shown) {
                if !warnings.contains(&told) {
                    warnings.push(told);
                }
            }
        }
    }
}

/// The build of the Dockerfile at the top.
fn build_of(dir: &Path, shown: &Path) -> (Build, Vec<String>) {
    let mut build = Build {
        context: dir.to_owned(),
        ..Build::default()
    };
    let told = keep_out(&mut build, dir, shown);
    (build, told)
}

/// Leaves tests and solution out of what an image is built from, but for those that its
/// Dockerfile takes by name: without them it cannot be built.
fn keep_out(build: &mut Build, dir: &Path, shown: &Path) -> Vec<String> {
    let file = build.dockerfile.clone();
    let file = file.unwrap_or_else(|| build.context.join("Dockerfile"));
    let text = match &build.inline {
        Some(text) => text.clone(),
        None => std::fs::read_to_string(&file).unwrap_or_default(),
    };
    let sources = sources(&text);
    let mut told = Vec::new();
    for name in SECRET {
        let path = dir.join(name);
        let Ok(below) = path.strip_prefix(&build.context) else {
            continue;
        };
        let below = below.to_string_lossy();
        if !path.exists() {
            continue;
        }
        if sources.iter().any(|source| takes(source, &below)) {
            told.push(format!(
                "{}: the image takes {name}, which agents can read there",
                shown.display()
            ));
        } else {
            build.without.push(path);
        }
    }
    told
}

/// What the `COPY` and `ADD` of a Dockerfile take from its context.
fn sources(text: &str) -> Vec<String> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let mut sources = Vec::new();
    for line in joined.lines() {
        let mut words = line.split_whitespace();
        let copies = words.next().is_some_and(|word| {
            word.eq_ignore_ascii_case("copy") || word.eq_ignore_ascii_case("add")
        });
        if !copies || line.contains("--from=") {
            continue;
        }
        let bare = |word: &str| word.trim_matches(['[', ']', '"', '\'', ',']).to_owned();
        let mut taken: Vec<String> = words
            .filter(|word| !word.starts_with("--"))
            .map(bare)
            .filter(|word| !word.is_empty())
            .collect();
        // The last one is where they go.
        taken.pop();
        sources.extend(taken);
    }
    sources
}

/// Whether a source names a file or folder, or something in it.
fn takes(source: &str, name: &str) -> bool {
    let source = source.trim_start_matches("./").trim_start_matches('/');
    match source.split_once(['*', '?']) {
        Some((begin, _)) => !begin.is_empty() && name.starts_with(begin),
        None => source
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    }
}

/// A bind that would show an agent what is secret.
fn secret_binds(services: &Services, dir: &Path, said: &str) -> Vec<Problem> {
    let secret: Vec<PathBuf> = SECRET.iter().map(|name| dir.join(name)).collect();
    let mut problems = Vec::new();
    for (name, service) in &services.compose.services {
        for mount in &service.volumes {
            let MountKind::Inside(path) = &mount.kind else {
                continue;
            };
            let shows = secret.iter().any(|secret| {
                path.starts_with(secret) || secret.starts_with(path) && secret.exists()
            });
            if shows {
                let target = &mount.target;
                let message = format!(
                    "{said}: the bind at {target} of `{name}` would show tests or solution"
                );
                problems.push(Problem::new(message).note("bind a folder that holds neither"));
            }
        }
    }
    problems
}
