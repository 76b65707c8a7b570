//! One sandbox: a container, its helper, its work tree.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bollard::models::{
    ChangeType, ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType,
    MountVolumeOptions, ResourcesUlimits, VolumeCreateRequest,
};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, InspectContainerOptions,
    RemoveContainerOptionsBuilder, RemoveVolumeOptions, StartContainerOptions,
    UploadToContainerOptionsBuilder,
};
use futures_util::StreamExt;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::engine::Engine;
use super::images::{CA_PATH, host_env};
use super::link::{Link, LinkError};
use super::watch::{Disk, watch_disk};
use super::work_tree::{self, Upper};
use crate::sandbox::wire::{self, ExecRequest, Lengths, Reply, Request, Setup, ShellRequest};
use crate::sandbox::{
    Captured, Change, ChangeKind, Exec, ExecOutput, FileRead, LimitHit, MainProcess, NetworkMode,
    PackBounds, Packed, Sandbox, SandboxError, SandboxSpec, ShellCommand, User,
};

/// What root keeps in a sandbox: enough for package managers and tar.
const CAPABILITIES: [&str; 8] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "SETUID",
    "SETGID",
    "KILL",
    "NET_BIND_SERVICE",
];
/// From the start of the container until its helper is heard.
const HELLO: Duration = Duration::from_secs(60);
/// What a call may take beyond its own time-out.
const SLACK: Duration = Duration::from_secs(15);
/// A call that only moves bytes.
const SHORT: Duration = Duration::from_secs(60);
/// A stream of gigabytes.
const LONG: Duration = Duration::from_secs(1800);
/// Changed paths that are listed at most.
const MOST_CHANGES: usize = 2_000_000;

/// A container with our helper as PID 1.
pub struct DockerSandbox {
    engine: Arc<Engine>,
    id: String,
    setup: Setup,
    main: Vec<String>,
    link: Mutex<Arc<Link>>,
    scratch: PathBuf,
    overlay: Option<Overlay>,
    limit: watch::Receiver<Option<LimitHit>>,
    memory_bytes: u64,
    owner: (u32, u32),
    watcher: Option<JoinHandle<()>>,
    stopped: AtomicBool,
    /// The engine settles only when the last sandbox is gone.
    _alive: TaskTrackerToken,
}

/// The overlay that the work tree is.
struct Overlay {
    upper: Upper,
    volume: String,
    path: String,
}

impl DockerSandbox {
    /// Makes and starts a sandbox; when it returns, the helper answers.
    ///
    /// Making goes on to its end in a task of its own when the caller goes away:
    /// what is half made could not be found again. What then nobody wants is
    /// taken away like every dropped sandbox.
    pub async fn start(engine: &Arc<Engine>, spec: &SandboxSpec) -> Result<Self, SandboxError> {
        let (owned, spec) = (engine.clone(), spec.clone());
        let making = engine.background.spawn(async move {
            match Self::try_start(&owned, &spec).await {
                Err(error) if spec.work_tree.is_some() && owned.uses_overlay() && is_refused_mount(&error) => {
                    tracing::warn!(%error, "an overlay was refused: work trees become image layers");
                    owned.give_up_overlays();
                    Self::try_start(&owned, &spec).await
                }
                started => started,
            }
        });
        making.await.unwrap_or_else(|error| {
            Err(SandboxError::Host {
                doing: "make a sandbox".into(),
                source: std::io::Error::other(error),
            })
        })
    }

    async fn try_start(engine: &Arc<Engine>, spec: &SandboxSpec) -> Result<Self, SandboxError> {
        let mut parts = Parts::new(engine);
        match parts.assemble(spec).await {
            Ok(sandbox) => Ok(sandbox),
            Err(error) => {
                parts.discard().await;
                Err(error)
            }
        }
    }

    /// User and group of its commands.
    pub fn owner(&self) -> (u32, u32) {
        self.owner
    }

    pub(super) fn docker(&self) -> &bollard::Docker {
        &self.engine.docker
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The environment of its commands, `NAME=value`.
    pub(super) fn environment(&self) -> Vec<String> {
        self.setup
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    fn link(&self) -> Arc<Link> {
        self.link
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn call(
        &self,
        doing: &'static str,
        request: &Request,
        blob: &[u8],
        deadline: Duration,
    ) -> Result<(Reply, Vec<u8>), SandboxError> {
        match self.link().call(request, blob, deadline).await {
            Ok((Reply::Refused(error), _)) => Err(error.into()),
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.explain(doing, error, deadline).await),
        }
    }

    /// Says what is known of a call without an answer.
    async fn explain(
        &self,
        doing: &'static str,
        error: LinkError,
        deadline: Duration,
    ) -> SandboxError {
        match error {
            LinkError::Deadline => SandboxError::Deadline {
                doing,
                seconds: deadline.as_secs(),
            },
            LinkError::Invalid(source) => SandboxError::Host {
                doing: doing.into(),
                source,
            },
            LinkError::Closed => self.gone().await,
        }
    }

    async fn gone(&self) -> SandboxError {
        let docker = &self.engine.docker;
        let mut cause = "its connection was closed".to_owned();
        let mut out_of_memory = false;
        // The engine notices the end of a container a moment after we do.
        for _ in 0..40 {
            let state = match docker
                .inspect_container(&self.id, None::<InspectContainerOptions>)
                .await
            {
                Ok(seen) => seen.state.unwrap_or_default(),
                Err(error) => {
                    cause = format!("the engine says: {error}");
                    break;
                }
            };
            if state.running == Some(false) {
                out_of_memory = state.oom_killed == Some(true);
                cause = match state.exit_code {
                    _ if out_of_memory => {
                        format!(
                            "killed when the sandbox was out of its memory of {} MiB",
                            self.memory_bytes >> 20
                        )
                    }
                    Some(137) => "killed".to_owned(),
                    Some(code) => format!("it ended with status {code}"),
                    None => cause,
                };
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        SandboxError::Gone {
            cause,
            out_of_memory,
        }
    }

    async fn remove(&self) -> Result<(), SandboxError> {
        if let Some(watcher) = &self.watcher {
            watcher.abort();
        }
        let upper = self
            .overlay
            .as_ref()
            .map(|overlay| (overlay.volume.as_str(), Some(&overlay.upper)));
        remove_all(&self.engine, Some(&self.id), upper, &self.scratch).await
    }
}

#[async_trait]
impl Sandbox for DockerSandbox {
    async fn exec(&self, exec: Exec) -> Result<ExecOutput, SandboxError> {
        let request = Request::Exec(ExecRequest {
            argv: exec.argv,
            cwd: exec.cwd,
            env: exec.env,
            user: exec.user,
            timeout_ms: exec.timeout.as_millis() as u64,
            cap: exec.output_bytes,
        });
        let (reply, blob) = self
            .call(
                "running a program",
                &request,
                &exec.stdin,
                exec.timeout + SLACK,
            )
            .await?;
        output(reply, blob)
    }

    async fn shell(&self, command: ShellCommand) -> Result<ExecOutput, SandboxError> {
        let deadline = command.timeout + SLACK;
        let request = Request::Shell(ShellRequest {
            command: command.command,
            user: command.user,
            timeout_ms: command.timeout.as_millis() as u64,
            cap: command.output_bytes,
        });
        let (reply, blob) = self
            .call("running a command", &request, &[], deadline)
            .await?;
        output(reply, blob)
    }

    async fn read(
        &self,
        path: &str,
        offset: u64,
        max: u64,
        user: &User,
    ) -> Result<FileRead, SandboxError> {
        let request = Request::Read {
            path: path.to_owned(),
            offset,
            max,
            user: user.clone(),
        };
        match self.call("reading a file", &request, &[], SHORT).await? {
            (Reply::File { size, mode }, content) => Ok(FileRead {
                content,
                size,
                mode,
            }),
            (other, _) => Err(unexpected("reading a file", &other)),
        }
    }

    async fn write(
        &self,
        path: &str,
        content: &[u8],
        mode: Option<u32>,
        user: &User,
    ) -> Result<(), SandboxError> {
        let request = Request::Write {
            path: path.to_owned(),
            mode,
            user: user.clone(),
        };
        self.call("writing a file", &request, content, SHORT)
            .await
            .map(drop)
    }

    async fn kill_all(&self) -> Result<u32, SandboxError> {
        match self
            .call("ending all processes", &Request::KillAll, &[], SHORT)
            .await?
        {
            (Reply::Killed { processes }, _) => Ok(processes),
            (other, _) => Err(unexpected("ending all processes", &other)),
        }
    }

    async fn changes(&self) -> Result<Vec<Change>, SandboxError> {
        let listed = self.engine.docker.container_changes(&self.id).await;
        let listed = listed
            .map_err(|error| refused("list what changed", &error))?
            .unwrap_or_default();
        if listed.len() > MOST_CHANGES {
            return Err(too_many());
        }
        let mut changes: Vec<Change> = listed
            .into_iter()
            .map(|change| Change {
                path: change.path.into_bytes(),
                kind: match change.kind {
                    ChangeType::_0 => ChangeKind::Modified,
                    ChangeType::_1 => ChangeKind::Added,
                    ChangeType::_2 => ChangeKind::Deleted,
                },
            })
            .collect();
        if let Some(overlay) = &self.overlay {
            let (upper, path) = (overlay.upper.upper(), overlay.path.clone());
            let walk = tokio::task::spawn_blocking(move || {
                work_tree::changes(&upper, &path, MOST_CHANGES)
            });
            let walked = walk.await.map_err(|_| too_many())?;
            changes.extend(walked.map_err(|source| SandboxError::Host {
                doing: "list the work tree's changes".into(),
                source,
            })?);
        }
        changes.retain(|change| !is_ours(&change.path));
        changes.sort();
        Ok(changes)
    }

    async fn pack(&self, paths: &[Vec<u8>], bounds: PackBounds) -> Result<Packed, SandboxError> {
        const DOING: &str = "taking the change";
        let link = self.link();
        let blob = wire::join_paths(paths);
        let begun = link.begin(&Request::Pack { bounds }, &blob, LONG).await;
        let mut exchange = match begun {
            Ok(exchange) => exchange,
            Err(error) => return Err(self.explain(DOING, error, LONG).await),
        };
        let mut packed = Packed::default();
        // Headers and padding come on top of what the helper counts.
        let most = bounds
            .bytes
            .saturating_add(bounds.entries.saturating_mul(2048))
            .saturating_add(1 << 20);
        loop {
            match exchange.reply().await {
                Ok((Reply::Data, piece)) => {
                    if packed.tar.len() as u64 + piece.len() as u64 > most {
                        return Err(unexpected(DOING, &Reply::Data));
                    }
                    packed.tar.extend_from_slice(&piece);
                }
                Ok((Reply::Packed, skipped)) => {
                    let mut fields = skipped.split(|byte| *byte == 0);
                    while let (Some(path), Some(reason)) = (fields.next(), fields.next()) {
                        if !path.is_empty() {
                            packed.skipped.push((
                                path.to_vec(),
                                String::from_utf8_lossy(reason).into_owned(),
                            ));
                        }
                    }
                    return Ok(packed);
                }
                Ok((Reply::Refused(error), _)) => return Err(error.into()),
                Ok((other, _)) => return Err(unexpected(DOING, &other)),
                Err(error) => return Err(self.explain(DOING, error, LONG).await),
            }
        }
    }

    async fn unpack(&self, root: &str, delete: &[Vec<u8>], tar: &[u8]) -> Result<(), SandboxError> {
        const DOING: &str = "laying files";
        let link = self.link();
        let sent = async {
            let blob = wire::join_paths(delete);
            let mut exchange = link
                .begin(
                    &Request::Unpack {
                        root: root.to_owned(),
                    },
                    &blob,
                    LONG,
                )
                .await?;
            for piece in tar.chunks(wire::CHUNK) {
                exchange.send(&Request::UnpackData, piece).await?;
            }
            exchange.send(&Request::UnpackData, &[]).await?;
            exchange.reply().await
        };
        match sent.await {
            Ok((Reply::Ok, _)) => Ok(()),
            Ok((Reply::Refused(error), _)) => Err(error.into()),
            Ok((other, _)) => Err(unexpected(DOING, &other)),
            Err(error) => Err(self.explain(DOING, error, LONG).await),
        }
    }

    async fn start_main(&self) -> Result<(), SandboxError> {
        if self.main.is_empty() {
            return Ok(());
        }
        let request = Request::StartMain {
            argv: self.main.clone(),
            user: User::Default,
        };
        self.call("starting the image's own process", &request, &[], SHORT)
            .await
            .map(drop)
    }

    async fn revive(&self) -> Result<(), SandboxError> {
        let docker = &self.engine.docker;
        let _ = docker.kill_container(&self.id, None).await;
        let link = match self.engine.uses_socket() {
            true => {
                let listener = listen(&self.scratch)?;
                restart(docker, &self.id).await?;
                accept(&listener, &self.scratch, docker, &self.id).await?
            }
            false => {
                let attached = attach(docker, &self.id).await?;
                restart(docker, &self.id).await?;
                attached
            }
        };
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(link);
        self.call(
            "setting up the helper",
            &Request::Setup(self.setup.clone()),
            &[],
            HELLO,
        )
        .await
        .map(drop)
    }

    async fn limit_reached(&self) -> LimitHit {
        let mut limit = self.limit.clone();
        let hit = limit
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|hit| hit.clone());
        match hit {
            Some(hit) => hit,
            // Nobody watches any more.
            None => std::future::pending().await,
        }
    }

    fn workdir(&self) -> &str {
        &self.setup.workdir
    }

    async fn stop(&self) -> Result<(), SandboxError> {
        if self.stopped.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.remove().await
    }
}

impl Drop for DockerSandbox {
    /// The safety net: a sandbox that nobody stopped is taken away in the background.
    fn drop(&mut self) {
        if let Some(watcher) = &self.watcher {
            watcher.abort();
        }
        if self.stopped.swap(true, Ordering::AcqRel) {
            return;
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let (engine, id, scratch) = (self.engine.clone(), self.id.clone(), self.scratch.clone());
        let overlay = self.overlay.take();
        self.engine.background.spawn(async move {
            let upper = overlay
                .as_ref()
                .map(|overlay| (overlay.volume.as_str(), Some(&overlay.upper)));
            let _ = remove_all(&engine, Some(&id), upper, &scratch).await;
        });
    }
}

/// What exists of a sandbox while it is made, so that a failure leaves nothing.
struct Parts {
    engine: Arc<Engine>,
    scratch: PathBuf,
    container: Option<String>,
    volume: Option<String>,
    upper: Option<Upper>,
}

impl Parts {
    fn new(engine: &Arc<Engine>) -> Self {
        let scratch = engine
            .owner
            .scratch()
            .join(format!("{:08x}", rand::random::<u32>()));
        Self {
            engine: engine.clone(),
            scratch,
            container: None,
            volume: None,
            upper: None,
        }
    }

    async fn assemble(&mut self, spec: &SandboxSpec) -> Result<DockerSandbox, SandboxError> {
        let engine = self.engine.clone();
        let docker = &engine.docker;
        let image = engine.image_config(&spec.image).await?;
        host(
            "make a scratch folder",
            std::fs::create_dir_all(&self.scratch),
        )?;
        host(
            "close a scratch folder",
            std::fs::set_permissions(&self.scratch, std::fs::Permissions::from_mode(0o700)),
        )?;
        let mut image_id = spec.image.clone();
        let mut mounts = Vec::new();
        if let Some(tree) = &spec.work_tree {
            if engine.uses_overlay() {
                mounts.push(self.overlay(spec, &tree.prepared, &tree.path).await?);
            } else {
                image_id = super::layer::work_tree_image(&engine, &spec.image, tree).await?;
            }
        }
        let socket = engine.uses_socket();
        let listener = match socket {
            true => Some(listen(&self.scratch)?),
            false => None,
        };
        if socket {
            mounts.push(bind(&self.scratch.join("run"), wire::SOCKET_DIR)?);
            mounts.push(bind(&engine.helper, wire::HELPER)?);
        }
        let mut env: Vec<(String, String)> = image
            .env
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if spec.network == NetworkMode::Full {
            env.extend(host_env(&engine.host));
            if let Some(bundle) = engine.host.ca_bundle.as_ref().filter(|_| socket) {
                mounts.push(bind(bundle, CA_PATH)?);
            }
        }
        env.extend(spec.env.clone());
        let body = body(&engine, spec, &image_id, mounts, socket);
        let created = docker
            .create_container(Some(CreateContainerOptionsBuilder::default().build()), body)
            .await;
        let id = created
            .map_err(|error| refused("make the sandbox's container", &error))?
            .id;
        self.container = Some(id.clone());
        let attached = if socket {
            None
        } else {
            upload_helper(docker, &id, &engine.helper).await?;
            Some(attach(docker, &id).await?)
        };
        restart(docker, &id).await?;
        let link = match (listener, attached) {
            (Some(listener), _) => accept(&listener, &self.scratch, docker, &id).await?,
            (None, Some(link)) => link,
            (None, None) => unreachable!("one of the two was made above"),
        };
        let tree_path = spec.work_tree.as_ref().map(|tree| tree.path.clone());
        let setup = Setup {
            env: env.into_iter().collect(),
            user: spec.user.clone().unwrap_or_else(|| image.user.clone()),
            workdir: spec
                .workdir
                .clone()
                .or(tree_path)
                .unwrap_or_else(|| image.workdir.clone()),
        };
        let (hit, limit) = watch::channel(None);
        let overlay = match (self.volume.take(), self.upper.take()) {
            (Some(volume), Some(upper)) => Some(Overlay {
                upper,
                volume,
                path: spec
                    .work_tree
                    .as_ref()
                    .map(|tree| tree.path.clone())
                    .unwrap_or_default(),
            }),
            _ => None,
        };
        let mut sandbox = DockerSandbox {
            engine: engine.clone(),
            id: id.clone(),
            setup,
            main: main_process(&spec.main, &image.entrypoint, &image.cmd),
            link: Mutex::new(Arc::new(link)),
            scratch: self.scratch.clone(),
            overlay,
            limit,
            memory_bytes: spec.limits.memory_bytes,
            owner: (0, 0),
            watcher: None,
            stopped: AtomicBool::new(false),
            _alive: engine.background.token(),
        };
        self.container = None;
        let disk = where_bytes_are(&engine, &id, sandbox.overlay.as_ref()).await;
        sandbox.watcher = Some(tokio::spawn(watch_disk(disk, spec.limits.disk_bytes, hit)));
        let ready = sandbox
            .call(
                "setting up the helper",
                &Request::Setup(sandbox.setup.clone()),
                &[],
                HELLO,
            )
            .await;
        match ready {
            Ok((Reply::Ready { uid, gid, .. }, _)) => sandbox.owner = (uid, gid),
            Ok((other, _)) => {
                let _ = sandbox.stop().await;
                return Err(unexpected("setting up the helper", &other));
            }
            Err(error) => {
                let _ = sandbox.stop().await;
                return Err(error);
            }
        }
        Ok(sandbox)
    }

    /// A work tree of its own over the shared one.
    async fn overlay(
        &mut self,
        spec: &SandboxSpec,
        prepared: &Path,
        path: &str,
    ) -> Result<Mount, SandboxError> {
        let (scratch, state) = (self.scratch.clone(), self.engine.state().to_owned());
        let (bytes, lower) = (spec.limits.disk_bytes, prepared.to_owned());
        let making =
            tokio::task::spawn_blocking(move || Upper::create(&scratch, &state, bytes, &lower));
        let made = making.await.map_err(|error| SandboxError::Host {
            doing: "make a work tree".into(),
            source: std::io::Error::other(error),
        })?;
        let upper = self.upper.insert(host("make a work tree", made)?);
        let options = upper
            .volume_options(prepared)
            .ok_or_else(|| SandboxError::Engine {
                doing: "mount the work tree".into(),
                message: format!(
                    "the state folder's path has a `,`, `:` or `\\`: {}",
                    prepared.display()
                ),
            })?;
        let volume = format!(
            "proofyard-{}-{:08x}",
            self.engine.owner.id(),
            rand::random::<u32>()
        );
        let request = VolumeCreateRequest {
            name: Some(volume.clone()),
            driver: Some("local".into()),
            driver_opts: Some(options),
            labels: Some(self.engine.owner.labels(&spec.run, &spec.trial)),
            ..Default::default()
        };
        let made = self.engine.docker.create_volume(request).await;
        made.map_err(|error| refused("mount the work tree", &error))?;
        self.volume = Some(volume.clone());
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

    async fn discard(&mut self) {
        let upper = self
            .volume
            .as_deref()
            .map(|volume| (volume, self.upper.as_ref()));
        let _ = remove_all(
            &self.engine,
            self.container.as_deref(),
            upper,
            &self.scratch,
        )
        .await;
        if let (None, Some(upper)) = (&self.volume, &self.upper) {
            let _ = upper.remove();
            let _ = std::fs::remove_dir_all(&self.scratch);
        }
    }
}

/// Takes everything of a sandbox away; goes on after a failure and tells the first.
async fn remove_all(
    engine: &Engine,
    container: Option<&str>,
    overlay: Option<(&str, Option<&Upper>)>,
    scratch: &Path,
) -> Result<(), SandboxError> {
    let mut first = Ok(());
    if let Some(id) = container {
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        match engine.docker.remove_container(id, Some(options)).await {
            Err(error) if !is_gone(&error) => first = Err(refused("remove the container", &error)),
            _ => {}
        }
    }
    if let Some((volume, upper)) = overlay {
        match engine
            .docker
            .remove_volume(volume, None::<RemoveVolumeOptions>)
            .await
        {
            Err(error) if !is_gone(&error) => {
                first = first.and(Err(refused("remove the work tree", &error)))
            }
            _ => {}
        }
        if let Some(upper) = upper {
            let removed = tokio::task::block_in_place(|| upper.remove());
            first = first.and(host("unmount the work tree", removed));
        }
    }
    match std::fs::remove_dir_all(scratch) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            first.and(host("remove the scratch folder", Err(error)))
        }
        _ => first,
    }
}

fn body(
    engine: &Engine,
    spec: &SandboxSpec,
    image: &str,
    mounts: Vec<Mount>,
    socket: bool,
) -> ContainerCreateBody {
    let limits = &spec.limits;
    let ulimit = |name: &str, value: u64| ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(value as i64),
        hard: Some(value as i64),
    };
    let mut entrypoint = vec![wire::HELPER.to_owned(), "guest".to_owned()];
    match socket {
        true => entrypoint.extend([
            "--socket".to_owned(),
            format!("{}/{}", wire::SOCKET_DIR, wire::SOCKET),
        ]),
        false => entrypoint.push("--stream".to_owned()),
    }
    ContainerCreateBody {
        image: Some(image.to_owned()),
        entrypoint: Some(entrypoint),
        cmd: Some(Vec::new()),
        user: Some("0:0".into()),
        hostname: Some("sandbox".into()),
        working_dir: Some("/".into()),
        labels: Some(engine.owner.labels(&spec.run, &spec.trial)),
        open_stdin: Some(!socket),
        attach_stdin: Some(!socket),
        attach_stdout: Some(!socket),
        network_disabled: None,
        host_config: Some(HostConfig {
            memory: Some(limits.memory_bytes as i64),
            memory_swap: Some(limits.memory_bytes as i64),
            nano_cpus: Some((limits.cpus * 1e9) as i64),
            pids_limit: Some(limits.pids as i64),
            ulimits: Some(vec![
                ulimit("nofile", limits.open_files),
                ulimit("core", 0),
                ulimit("fsize", limits.disk_bytes),
            ]),
            cap_drop: Some(vec!["ALL".into()]),
            cap_add: Some(CAPABILITIES.iter().map(|name| (*name).to_owned()).collect()),
            security_opt: Some(vec!["no-new-privileges".into()]),
            network_mode: Some(match spec.network {
                NetworkMode::None => "none".into(),
                NetworkMode::Full => "default".into(),
            }),
            log_config: Some(HostConfigLogConfig {
                typ: Some("none".into()),
                config: None,
            }),
            mounts: Some(mounts),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// What the image starts, as its format means it.
fn main_process(main: &MainProcess, entrypoint: &[String], cmd: &[String]) -> Vec<String> {
    match main {
        MainProcess::None => Vec::new(),
        MainProcess::Image => entrypoint.iter().chain(cmd).cloned().collect(),
        MainProcess::EntrypointWith(command) => entrypoint.iter().chain(command).cloned().collect(),
    }
}

async fn where_bytes_are(engine: &Engine, id: &str, overlay: Option<&Overlay>) -> Disk {
    if engine.facts.local && engine.facts.root {
        let seen = engine
            .docker
            .inspect_container(id, None::<InspectContainerOptions>)
            .await
            .ok();
        let upper = seen
            .and_then(|seen| seen.graph_driver)
            .and_then(|driver| driver.data.get("UpperDir").map(PathBuf::from));
        if let Some(upper) = upper.filter(|upper| upper.is_dir()) {
            let mut folders = vec![upper];
            folders.extend(
                overlay
                    .filter(|overlay| !overlay.upper.is_sized())
                    .map(|overlay| overlay.upper.upper()),
            );
            return Disk::Folders(folders);
        }
    }
    Disk::Engine(engine.docker.clone(), id.to_owned())
}

/// Listens where the helper will connect to. The folder that the sandbox sees is
/// open, the one above it is ours alone.
fn listen(scratch: &Path) -> Result<UnixListener, SandboxError> {
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
async fn accept(
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
    let (reader, writer) = stream.into_split();
    Ok(Link::new(tokio::io::BufReader::new(reader), writer))
}

/// Starts the container; its helper is the first process.
async fn restart(docker: &bollard::Docker, id: &str) -> Result<(), SandboxError> {
    let started = docker
        .start_container(id, None::<StartContainerOptions>)
        .await;
    started.map_err(|error| refused("start the sandbox", &error))
}

/// Frames over the standard streams of PID 1, which no process of the agent's can kill.
async fn attach(docker: &bollard::Docker, id: &str) -> Result<Link, SandboxError> {
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
async fn upload_helper(
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

fn bind(source: &Path, target: &str) -> Result<Mount, SandboxError> {
    let source = source.to_str().ok_or_else(|| SandboxError::Engine {
        doing: "mount into the sandbox".into(),
        message: format!("the path {} is not UTF-8", source.display()),
    })?;
    Ok(Mount {
        target: Some(target.to_owned()),
        source: Some(source.to_owned()),
        typ: Some(MountType::BIND),
        read_only: Some(true),
        ..Default::default()
    })
}

fn output(reply: Reply, mut blob: Vec<u8>) -> Result<ExecOutput, SandboxError> {
    let Reply::Ran {
        ended,
        out,
        err,
        elapsed_us,
        left_running,
        ..
    } = reply
    else {
        return Err(unexpected("running a command", &reply));
    };
    let mut captured = |lengths: Lengths| -> Option<Captured> {
        let (head, tail) = (lengths.head as usize, lengths.tail as usize);
        if blob.len() < head.checked_add(tail)? {
            return None;
        }
        let rest = blob.split_off(head + tail);
        let mut head_bytes = std::mem::replace(&mut blob, rest);
        let tail_bytes = head_bytes.split_off(head);
        Some(Captured {
            head: head_bytes,
            tail: tail_bytes,
            cut: lengths.cut,
        })
    };
    match (captured(out), captured(err)) {
        (Some(stdout), Some(stderr)) => Ok(ExecOutput {
            stdout,
            stderr,
            ended,
            elapsed: Duration::from_micros(elapsed_us),
            left_running,
        }),
        _ => Err(unexpected("running a command", &Reply::Data)),
    }
}

/// Paths that are the engine's and ours, in every container.
fn is_ours(path: &[u8]) -> bool {
    let below = |prefix: &str| {
        path.strip_prefix(prefix.as_bytes())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    };
    [
        "/.proofyard",
        "/proc",
        "/sys",
        "/dev",
        "/etc/hosts",
        "/etc/hostname",
        "/etc/resolv.conf",
        "/etc/mtab",
        "/.dockerenv",
    ]
    .iter()
    .any(|prefix| below(prefix))
        || path.starts_with(CA_PATH.as_bytes())
}

fn is_gone(error: &bollard::errors::Error) -> bool {
    matches!(
        error,
        bollard::errors::Error::DockerResponseServerError {
            status_code: 404 | 409,
            ..
        }
    )
}

fn is_refused_mount(error: &SandboxError) -> bool {
    matches!(error, SandboxError::Engine { message, .. } if message.contains("mount") || message.contains("overlay"))
}

fn too_many() -> SandboxError {
    SandboxError::Guest(crate::sandbox::GuestError {
        kind: crate::sandbox::GuestErrorKind::TooLarge,
        message: format!("more than {MOST_CHANGES} changed paths"),
    })
}

fn unexpected(doing: &'static str, reply: &Reply) -> SandboxError {
    SandboxError::Engine {
        doing: doing.into(),
        message: format!("the helper answered out of turn: {reply:?}"),
    }
}

fn refused(doing: &str, error: &bollard::errors::Error) -> SandboxError {
    let message = match error {
        bollard::errors::Error::DockerResponseServerError { message, .. } => message.clone(),
        other => other.to_string(),
    };
    SandboxError::Engine {
        doing: doing.to_owned(),
        message,
    }
}

fn host<T>(doing: &str, result: std::io::Result<T>) -> Result<T, SandboxError> {
    result.map_err(|source| SandboxError::Host {
        doing: doing.to_owned(),
        source,
    })
}
