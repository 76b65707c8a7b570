//! The compose file of an environment: services beside the agent's sandbox, and what it
//! says of that sandbox itself.

use std::collections::BTreeMap;
use std::path::Path;

use super::Checker;
use crate::task::compose::{self, Compose, LOGS_MARKER, MAIN, MountKind};
use crate::task::{Environment, ImageSource, Services};

/// The name by which services start from the image of the agent's sandbox.
pub const MAIN_IMAGE: &str = "proofyard-main";

/// Capabilities that no container gets: raw sockets and devices open the sandbox.
const NEVER: [&str; 2] = ["NET_RAW", "MKNOD"];

/// Reads the compose file of a folder, if there is one, into the environment.
///
/// What it says of the agent's sandbox stands in for what `[environment]` does not say.
/// Variables are those of the format and of `[environment]`, none of this host.
pub fn with_services(
    environment: Environment,
    named: Option<&str>,
    folder: &Path,
    check: &mut Checker<'_>,
) -> Environment {
    let Some(file) = compose::of_harbor(folder) else {
        if let Some(other) = compose::find(folder) {
            let shown = check.shown(&other);
            let message = "is not read: the compose file is called docker-compose.yaml";
            check.warnings.push(format!("{shown} {message}"));
        }
        return environment;
    };
    let Ok(real) = folder.canonicalize() else {
        return environment;
    };
    let variables = variables(&environment, named, &real);
    let shown = check.shown(&file);
    let read = compose::read(&file, &real, &|name| variables.get(name).cloned());
    let compose = match read {
        Ok(compose) => compose,
        Err(problems) => {
            check
                .problems
                .extend(problems.into_iter().map(|mut problem| {
                    if let Some(spot) = problem
                        .spot
                        .as_mut()
                        .filter(|spot| spot.file == file.display().to_string())
                    {
                        spot.file = shown.clone();
                    }
                    problem
                }));
            return environment;
        }
    };
    let (services, warnings) = settled(compose, MAIN, &shown);
    check.warnings.extend(warnings);
    let mut environment = environment;
    if let Some(main) = services.main() {
        environment = with_main(environment, main, named.is_some(), folder);
    }
    Environment {
        services: Some(services),
        ..environment
    }
}

/// Services without what no container gets, and what is told of them; `main` is the
/// agent's sandbox, `shown` the file as the user calls it.
pub fn settled(mut compose: Compose, main: &str, shown: &str) -> (Services, Vec<String>) {
    let mut warnings = std::mem::take(&mut compose.warnings);
    for (name, service) in &mut compose.services {
        let never = |capability: &mut String| NEVER.contains(&capability.as_str());
        for capability in service.cap_add.extract_if(.., never) {
            warnings.push(format!(
                "{shown}: {capability}, which the service {name} asks for, is not given"
            ));
        }
    }
    let services = Services {
        compose,
        main: main.to_owned(),
    };
    let Some(main) = services.main() else {
        return (services, warnings);
    };
    let mounts = main.volumes.iter();
    let shadows =
        mounts.filter(|mount| mount.read_only && matches!(mount.kind, MountKind::Inside(_)));
    warnings.extend(shadows.map(|mount| {
        let target = &mount.target;
        format!("{shown}: {target} of the agent's sandbox is a copy, and can be written")
    }));
    let without = without_effect(main);
    if !without.is_empty() {
        warnings.push(format!(
            "{shown}: {} of the agent's sandbox: no effect, these are the same for all agents",
            without.join(", ")
        ));
    }
    if !main.tmpfs.is_empty() {
        warnings.push(format!(
            "{shown}: `tmpfs` of the agent's sandbox is a plain folder, so that the verifier sees what lies there"
        ));
    }
    (services, warnings)
}

/// What a service can have and the agent's sandbox cannot.
fn without_effect(main: &compose::Service) -> Vec<&'static str> {
    let said = [
        ("`hostname`", main.hostname.is_some()),
        ("`pids_limit`", main.pids.is_some()),
        ("`shm_size`", main.shm_bytes.is_some()),
        ("`sysctls`", !main.sysctls.is_empty()),
        ("`ulimits`", !main.ulimits.is_empty()),
    ];
    let said = said.into_iter().filter(|(_, said)| *said);
    said.map(|(key, _)| key).collect()
}

/// With what the compose file says of the agent's sandbox.
fn with_main(
    environment: Environment,
    main: &compose::Service,
    is_named: bool,
    folder: &Path,
) -> Environment {
    let mut env = main.environment.clone();
    env.extend(environment.env);
    let image = match (&main.build, &main.image) {
        _ if is_named => environment.image,
        (Some(build), _) => ImageSource::Build(build.clone()),
        (None, Some(name)) if name != MAIN_IMAGE && !folder.join("Dockerfile").is_file() => {
            ImageSource::Named(name.clone())
        }
        (None, _) => environment.image,
    };
    Environment {
        image,
        env,
        workdir: environment.workdir.or(main.working_dir.clone()),
        cpus: environment.cpus.or(main.cpus),
        memory_bytes: environment.memory_bytes.or(main.memory_bytes),
        ..environment
    }
}

/// What a compose file of Harbor's may name.
fn variables(
    environment: &Environment,
    named: Option<&str>,
    folder: &Path,
) -> BTreeMap<String, String> {
    let mut variables = environment.env.clone();
    let mut set = |name: &str, value: String| drop(variables.insert(name.to_owned(), value));
    set("MAIN_IMAGE_NAME", MAIN_IMAGE.to_owned());
    set("CONTEXT_DIR", folder.display().to_string());
    if let Some(name) = named {
        set("PREBUILT_IMAGE_NAME", name.to_owned());
    }
    if let Some(cpus) = environment.cpus {
        set("CPUS", cpus.to_string());
    }
    if let Some(bytes) = environment.memory_bytes {
        set("MEMORY", format!("{}M", bytes >> 20));
    }
    set("TEST_DIR", "/tests".to_owned());
    for (name, path) in [
        ("VERIFIER_LOGS", "verifier"),
        ("AGENT_LOGS", "agent"),
        ("ARTIFACTS", "artifacts"),
    ] {
        set(&format!("HOST_{name}_PATH"), format!("{LOGS_MARKER}{path}"));
        set(&format!("ENV_{name}_PATH"), format!("/logs/{path}"));
    }
    variables
}
