//! Services beside a task's sandbox: from its compose file to a project of the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use super::Trials;
use super::prepare::{Ready, fault};
use crate::record::Fault;
use crate::run::Events;
use crate::sandbox::docker::images::{BuiltImage, Healthcheck};
use crate::sandbox::docker::{Project, ProjectError};
use crate::sandbox::project as spec;
use crate::sandbox::{MainProcess, NetworkMode, Role, SandboxError};
use crate::task::compose::{self, Condition, MountKind, Service};
use crate::task::{Environment, Format, ImageSource, MAIN_IMAGE, Services, Times, pack};

/// Images of services by their names.
pub type ServiceImages = BTreeMap<String, String>;

/// What Harbor starts beside an image's entrypoint.
fn idle() -> Vec<String> {
    ["sh", "-c", "sleep infinity"].map(str::to_owned).to_vec()
}

impl Trials {
    /// The images of an environment's services.
    pub(super) async fn service_images(
        &self,
        environment: &Environment,
        main: &BuiltImage,
        of: &str,
        events: &Events,
    ) -> Result<ServiceImages, Fault> {
        let mut images = ServiceImages::new();
        let Some(services) = &environment.services else {
            return Ok(images);
        };
        for (name, service) in services.beside() {
            let source = match (&service.build, &service.image) {
                (Some(build), _) => ImageSource::Build(build.clone()),
                (None, Some(image)) if image == MAIN_IMAGE => {
                    images.insert(name.clone(), main.id.clone());
                    continue;
                }
                (None, Some(image)) => ImageSource::Named(image.clone()),
                // The reader refuses a service without either.
                (None, None) => continue,
            };
            let what = format!("image of {name} of {of}");
            let limit = environment.build_timeout;
            let built = self.image(&source, limit, what, events).await?;
            images.insert(name.clone(), built.id);
        }
        Ok(images)
    }

    /// Makes the services of a world and starts what its sandbox comes after; none
    /// where the task has none.
    ///
    /// # Errors
    /// A fault of the task where a service does not do what others wait for; else of
    /// the engine.
    pub(super) async fn project(
        &self,
        ready: &Ready,
        role: Role,
        trial: &str,
    ) -> Result<Option<Project>, Fault> {
        let verifies = role == Role::Verifier;
        let (environment, images) = match verifies {
            true => (ready.verifiers_environment(), ready.verifiers_services()),
            false => (&ready.task.environment, &ready.services),
        };
        let Some(services) = &environment.services else {
            return Ok(None);
        };
        let open = self.network(&environment.network) == NetworkMode::Full;
        let made = project_spec(services, images, open).map_err(|error| Fault {
            class: "task".into(),
            ..fault("sandbox", &error)
        })?;
        let made = spec::ProjectSpec {
            run: self.run.run.to_string(),
            trial: trial.to_owned(),
            await_all: ready.task.format == Format::Harbor,
            ..made
        };
        let limit = self.time(environment.build_timeout);
        let project = Project::start(&self.engine, &made).await.map_err(told)?;
        match project.up_to_main(limit).await {
            Ok(()) => Ok(Some(project)),
            Err(error) => {
                let _ = project.stop().await;
                Err(told(error))
            }
        }
    }

    /// Starts what comes after the sandbox, which is ready.
    pub(super) async fn after_main(
        &self,
        project: Option<&Project>,
        environment: &Environment,
    ) -> Result<(), Fault> {
        let Some(project) = project else {
            return Ok(());
        };
        let limit: Duration = self.time(environment.build_timeout);
        project.after_main(true, limit).await.map_err(told)
    }
}

/// What went wrong with services, as a fault of whom it is.
pub fn told(error: ProjectError) -> Fault {
    let class = match &error {
        ProjectError::Spec(_) | ProjectError::Service { .. } => "task",
        ProjectError::MainUnhealthy { .. } | ProjectError::NoService { .. } => "task",
        ProjectError::Sandbox(_) | ProjectError::NoSubnet { .. } => "engine",
    };
    Fault {
        class: class.into(),
        ..fault("sandbox", &error)
    }
}

/// What the sandbox starts, by the compose file and the format.
pub fn main_process(environment: &Environment, format: Format) -> MainProcess {
    let main = environment.services.as_ref().and_then(Services::main);
    let Some(main) = main else {
        return MainProcess::EntrypointWith(idle());
    };
    MainProcess::Given {
        entrypoint: main.entrypoint.clone(),
        command: match format {
            // What the file does not say is the image's.
            Format::TerminalBench => main.command.clone(),
            _ => Some(main.command.clone().unwrap_or_else(idle)),
        },
    }
}

/// What the compose file says of the sandbox being ready.
pub fn main_check(environment: &Environment) -> Option<Healthcheck> {
    let main = environment.services.as_ref().and_then(Services::main)?;
    let check = main.healthcheck.as_ref()?;
    (!check.test.is_empty()).then(|| Healthcheck {
        test: check.test.clone(),
        interval: check.interval.unwrap_or_default(),
        timeout: check.timeout.unwrap_or_default(),
        start_period: check.start_period.unwrap_or_default(),
        retries: check.retries.and_then(|n| n.try_into().ok()).unwrap_or(0),
    })
}

/// Folders and files of the task that are laid into the sandbox alone: where, and what.
/// What services share with it is a volume of the project.
pub fn laid_in_main(environment: &Environment) -> io::Result<Vec<(String, Vec<u8>)>> {
    let Some(services) = &environment.services else {
        return Ok(Vec::new());
    };
    let shared = Shared::of(services);
    let mut laid = Vec::new();
    for mount in services.main().iter().flat_map(|main| &main.volumes) {
        if let MountKind::Inside(path) = &mount.kind
            && !shared.has(path)
        {
            laid.push(content(path, &mount.target)?);
        }
    }
    Ok(laid)
}

/// Folders of the task that several containers see: what one writes there the others see.
struct Shared(BTreeMap<PathBuf, String>);

impl Shared {
    fn of(services: &Services) -> Self {
        let mut users: BTreeMap<&Path, usize> = BTreeMap::new();
        for service in services.compose.services.values() {
            let mut seen = BTreeSet::new();
            for mount in &service.volumes {
                if let MountKind::Inside(path) = &mount.kind
                    && !path.is_file()
                    && seen.insert(path)
                {
                    *users.entry(path).or_default() += 1;
                }
            }
        }
        let shared = users.into_iter().filter(|(_, users)| *users > 1);
        let named = shared
            .enumerate()
            .map(|(index, (path, _))| (path.to_owned(), format!("folder:{index}")));
        Self(named.collect())
    }

    fn has(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }
}

fn project_spec(
    services: &Services,
    images: &ServiceImages,
    open: bool,
) -> io::Result<spec::ProjectSpec> {
    let compose = &services.compose;
    let shared = Shared::of(services);
    let networks = compose
        .networks
        .iter()
        .map(|(name, network)| spec::NetworkSpec {
            name: name.clone(),
            internal: network.internal,
        });
    let mut volumes: Vec<String> = compose.volumes.keys().cloned().collect();
    volumes.extend(shared.0.values().cloned());
    let mut made = spec::ProjectSpec {
        open,
        networks: networks.collect(),
        main: main(services, &shared, &mut volumes),
        volumes: Vec::new(),
        ..spec::ProjectSpec::default()
    };
    made.volumes = volumes;
    // A folder that several see is filled by the first that is started.
    let mut filled = BTreeSet::new();
    for name in compose.order() {
        if name == services.main {
            continue;
        }
        let (Some(service), Some(image)) = (compose.services.get(name), images.get(name)) else {
            continue;
        };
        let beside = beside(name, service, image, &shared, &mut filled)?;
        made.services.push(beside);
    }
    Ok(made)
}

/// The sandbox's place among the services. What only it sees as a volume is one of the
/// project's, so that the verifier's sandbox finds it as it was left.
fn main(services: &Services, shared: &Shared, volumes: &mut Vec<String>) -> spec::MainSpec {
    let Some(main) = services.main() else {
        // It is in the default network, where there is one.
        let default = services.compose.networks.contains_key("default");
        let networks = default.then(|| ("default".to_owned(), Vec::new()));
        return spec::MainSpec {
            name: services.main.clone(),
            networks: networks.into_iter().collect(),
            ..spec::MainSpec::default()
        };
    };
    let mut mounts = Vec::new();
    for mount in &main.volumes {
        let volume = match &mount.kind {
            MountKind::Named(name) => name.clone(),
            MountKind::Anonymous => {
                let name = format!("anonymous:{}", mount.target);
                volumes.push(name.clone());
                name
            }
            MountKind::Inside(path) => match shared.0.get(path) {
                Some(name) => name.clone(),
                None => continue,
            },
        };
        mounts.push(spec::VolumeMount {
            volume,
            target: mount.target.clone(),
            read_only: mount.read_only,
        });
    }
    spec::MainSpec {
        name: services.main.clone(),
        networks: networks_of(main),
        volumes: mounts,
        after: after(main),
    }
}

fn networks_of(service: &Service) -> Vec<(String, Vec<String>)> {
    match service.network_none {
        true => Vec::new(),
        false => service.networks.clone().into_iter().collect(),
    }
}

fn after(service: &Service) -> Vec<spec::Dependency> {
    let all = service.depends_on.iter();
    all.map(|(name, dependency)| spec::Dependency {
        name: name.clone(),
        condition: match dependency.condition {
            Condition::Started => spec::Condition::Started,
            Condition::Healthy => spec::Condition::Healthy,
            Condition::Completed => spec::Condition::Completed,
        },
        required: dependency.required,
    })
    .collect()
}

fn beside(
    name: &str,
    service: &Service,
    image: &str,
    shared: &Shared,
    filled: &mut BTreeSet<PathBuf>,
) -> io::Result<spec::ServiceSpec> {
    let (mut mounts, mut files) = (Vec::new(), Vec::new());
    for mount in &service.volumes {
        let (target, read_only) = (mount.target.clone(), mount.read_only);
        let volume = |volume: &String| {
            spec::ServiceMount::Volume(spec::VolumeMount {
                volume: volume.clone(),
                target: target.clone(),
                read_only,
            })
        };
        match &mount.kind {
            MountKind::Named(named) => mounts.push(volume(named)),
            MountKind::Anonymous => mounts.push(spec::ServiceMount::Anonymous {
                target: target.clone(),
                read_only,
            }),
            MountKind::Inside(path) => {
                let first = match shared.0.get(path) {
                    Some(named) => {
                        mounts.push(volume(named));
                        filled.insert(path.clone())
                    }
                    None => true,
                };
                if first {
                    let (folder, tar) = content(path, &mount.target)?;
                    files.push((folder, Bytes::from(tar)));
                }
            }
        }
    }
    Ok(spec::ServiceSpec {
        name: name.to_owned(),
        image: image.to_owned(),
        entrypoint: service.entrypoint.clone(),
        command: service.command.clone(),
        env: service.environment.clone(),
        user: service.user.clone(),
        workdir: service.working_dir.clone(),
        hostname: service.hostname.clone(),
        init: service.init,
        networks: networks_of(service),
        mounts,
        tmpfs: service.tmpfs.iter().map(|tmpfs| tmpfs_of(tmpfs)).collect(),
        files,
        after: after(service),
        probe: service.healthcheck.as_ref().map(probe),
        limits: spec::ServiceLimits {
            cpus: service.cpus,
            memory_bytes: service.memory_bytes,
            pids: service.pids,
        },
        shm_bytes: service.shm_bytes,
        ulimits: service
            .ulimits
            .iter()
            .map(|(name, limit)| spec::Ulimit {
                name: name.clone(),
                soft: limit.soft,
                hard: limit.hard,
            })
            .collect(),
        cap_add: service.cap_add.clone(),
        stop_signal: service.stop_signal.clone(),
        extra_hosts: service.extra_hosts.clone(),
        sysctls: service.sysctls.clone(),
    })
}

fn tmpfs_of(text: &str) -> (String, String) {
    match text.split_once(':') {
        Some((path, options)) => (path.to_owned(), options.to_owned()),
        None => (text.to_owned(), String::new()),
    }
}

fn probe(check: &compose::Healthcheck) -> spec::HealthProbe {
    spec::HealthProbe {
        test: check.test.clone(),
        interval: check.interval,
        timeout: check.timeout,
        start_period: check.start_period,
        start_interval: check.start_interval,
        retries: check.retries.and_then(|n| n.try_into().ok()),
    }
}

/// A file or folder of the task as a stream, and the folder that it is laid over. One
/// that is missing is an empty folder.
fn content(path: &Path, target: &str) -> io::Result<(String, Vec<u8>)> {
    if path.is_dir() {
        let tar = pack(&[path], Times::Own).map_err(io::Error::other)?;
        return Ok((target.to_owned(), tar));
    }
    let (folder, name) = target.rsplit_once('/').unwrap_or(("", target));
    let folder = match folder {
        "" => "/",
        folder => folder,
    };
    let mut tar = tar::Builder::new(Vec::new());
    if path.is_file() {
        let mut file = std::fs::File::open(path)?;
        let mut header = tar::Header::new_gnu();
        header.set_metadata(&file.metadata()?);
        header.set_uid(0);
        header.set_gid(0);
        tar.append_data(&mut header, name, &mut file)?;
        return Ok((folder.to_owned(), tar.into_inner()?));
    }
    Ok((target.to_owned(), tar.into_inner()?))
}

/// What failed of the engine, out of a failure of services.
pub fn of_engine(fault: Fault) -> SandboxError {
    SandboxError::Engine {
        doing: "start services".into(),
        message: fault.message,
    }
}
