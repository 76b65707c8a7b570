//! An engine with a state folder of a test's own, and short ways to say projects.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
};
use proofyard::config::{Settings, Sources};
use proofyard::record::Limits;
use proofyard::sandbox::docker::{DockerSandbox, Engine, Project, scope};
use proofyard::sandbox::project::{
    Condition, Dependency, HealthProbe, MainSpec, NetworkSpec, ProjectSpec, ServiceMount,
    ServiceSpec, VolumeMount,
};
use proofyard::sandbox::{Exec, MainProcess, NetworkMode, Role, Sandbox, SandboxSpec};

pub const LIMIT: Duration = Duration::from_secs(60);

pub struct Place {
    pub engine: Arc<Engine>,
    pub state: tempfile::TempDir,
}

impl Place {
    /// None, said clearly, where the environment says that there is no engine.
    pub async fn new() -> Option<Self> {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut Settings)) -> Option<Self> {
        if std::env::var_os("PROOFYARD_NO_ENGINE").is_some() {
            eprintln!("skipped: no engine");
            return None;
        }
        let state = tempfile::tempdir().unwrap();
        let engine = open(state.path(), change).await;
        Some(Self { engine, state })
    }

    /// A project whose services are up as far as main needs them.
    pub async fn up(&self, spec: &ProjectSpec) -> Project {
        let project = Project::start(&self.engine, spec).await.unwrap();
        project.up_to_main(LIMIT).await.unwrap();
        project
    }

    /// Why services do not come up.
    pub async fn fails(&self, spec: &ProjectSpec, limit: Duration) -> String {
        let project = Project::start(&self.engine, spec).await.unwrap();
        let error = project.up_to_main(limit).await.unwrap_err();
        project.stop().await.unwrap();
        error.to_string()
    }

    /// The sandbox among the services of a project.
    pub async fn main(&self, project: &Project) -> DockerSandbox {
        let spec = SandboxSpec {
            image: "proofyard/python".into(),
            run: "projects".into(),
            trial: "projects".into(),
            role: Role::Agent,
            limits: Limits {
                cpus: 1.0,
                memory_bytes: 256 << 20,
                pids: 64,
                open_files: 256,
                disk_bytes: 64 << 20,
            },
            network: NetworkMode::None,
            env: Default::default(),
            workdir: None,
            user: None,
            work_tree: None,
            main: MainProcess::None,
            privileges: Default::default(),
            hosts: Vec::new(),
            attach: Some(project.attachment()),
        };
        DockerSandbox::start(&self.engine, &spec).await.unwrap()
    }

    /// Nothing may be in the engine.
    pub async fn is_empty(&self) {
        assert_eq!(self.left().await, Vec::<String>::new());
    }

    /// The same once nothing goes on in the background any more.
    pub async fn is_empty_soon(&self) {
        self.engine.settle().await;
        self.is_empty().await;
    }

    /// What of this place's is in the engine.
    pub async fn left(&self) -> Vec<String> {
        let docker = self.engine.docker();
        let label = format!("proofyard.state={}", scope(self.engine.state()));
        let filters = HashMap::from([("label", vec![label])]);
        let containers = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters);
        let containers = docker.list_containers(Some(containers.build())).await;
        let networks = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let networks = docker.list_networks(Some(networks)).await.unwrap();
        let volumes = ListVolumesOptionsBuilder::new().filters(&filters).build();
        let volumes = docker.list_volumes(Some(volumes)).await.unwrap();
        let containers = containers.unwrap().into_iter();
        let mut left: Vec<String> = containers.map(|one| format!("{:?}", one.names)).collect();
        left.extend(networks.into_iter().filter_map(|one| one.name));
        left.extend(volumes.volumes.into_iter().flatten().map(|one| one.name));
        left
    }
}

pub async fn open(state: &Path, change: impl FnOnce(&mut Settings)) -> Arc<Engine> {
    let sources = Sources::of_process(None, Vec::new()).unwrap();
    let mut settings = proofyard::config::load(&sources).unwrap().settings;
    settings.host.state = state.to_owned();
    change(&mut settings);
    let helper = Path::new(env!("CARGO_BIN_EXE_proofyard"));
    let opened = Engine::open_with_helper(&settings.engine, &settings.host, helper);
    opened.await.unwrap()
}

/// A project with one network, on which main is, and one volume that main has at `/data`.
pub fn project(services: Vec<ServiceSpec>) -> ProjectSpec {
    ProjectSpec {
        run: "projects".into(),
        trial: "projects".into(),
        networks: vec![NetworkSpec {
            name: "default".into(),
            internal: false,
        }],
        volumes: vec!["data".into()],
        services,
        main: MainSpec {
            name: "main".into(),
            networks: vec![("default".into(), Vec::new())],
            volumes: vec![data()],
            after: Vec::new(),
        },
        ..ProjectSpec::default()
    }
}

/// A service that runs a script, with the network and the volume.
pub fn service(name: &str, script: &str) -> ServiceSpec {
    ServiceSpec {
        name: name.into(),
        image: "proofyard/python".into(),
        command: Some(["bash", "-c", script].map(str::to_owned).to_vec()),
        networks: vec![("default".into(), Vec::new())],
        mounts: vec![ServiceMount::Volume(data())],
        ..ServiceSpec::default()
    }
}

fn data() -> VolumeMount {
    VolumeMount {
        volume: "data".into(),
        target: "/data".into(),
        read_only: false,
    }
}

/// That service `name` has to be so far.
pub fn after(name: &str, condition: Condition) -> Dependency {
    Dependency {
        name: name.into(),
        condition,
        required: true,
    }
}

/// A probe that looks again soon.
pub fn probe(script: &str) -> Option<HealthProbe> {
    Some(HealthProbe {
        test: vec!["CMD-SHELL".into(), script.into()],
        interval: Some(Duration::from_millis(200)),
        timeout: Some(Duration::from_secs(5)),
        retries: Some(100),
        ..HealthProbe::default()
    })
}

/// What a script says in a sandbox, once it succeeds.
pub async fn sh(sandbox: &dyn Sandbox, script: &str) -> String {
    let ran = sandbox.exec(Exec::new(["bash", "-c", script]));
    let ran = ran.await.unwrap();
    let said = ran.stderr.text();
    assert!(ran.ended.success(), "{script}: {:?}: {said}", ran.ended);
    ran.stdout.text().trim().to_owned()
}

/// The same in a service.
pub async fn sh_in(project: &Project, service: &str, script: &str) -> String {
    let ran = project.exec(service, Exec::new(["bash", "-c", script]));
    let ran = ran.await.unwrap();
    let said = ran.stderr.text();
    assert!(ran.ended.success(), "{script}: {:?}: {said}", ran.ended);
    ran.stdout.text().trim().to_owned()
}
