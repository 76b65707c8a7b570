//! A change that is carried from one sandbox to another arrives as it was made,
//! whichever way its paths are listed.

use std::path::Path;
use std::sync::Arc;

use proofyard::config::{Settings, Sources, Transport};
use proofyard::record::Limits;
use proofyard::sandbox::docker::{DockerSandbox, Engine};
use proofyard::sandbox::{
    ChangeKind, Exec, MainProcess, NetworkMode, PackBounds, Role, Sandbox, SandboxSpec,
};

/// What agents do to a root file system, the awkward parts of it.
const CHANGES: &str = r#"
set -eu
mkdir -p /opt/old/deep /opt/gone && echo kept > /opt/old/deep/kept
rm -r /usr/share/doc
rm -r /var/lib/dpkg/info && mkdir /var/lib/dpkg/info && echo new > /var/lib/dpkg/info/new
mv /etc/apt /etc/apt-moved
rm /etc/issue && mkdir /etc/issue && echo inside > /etc/issue/inside
rm -r /etc/cron.daily && echo a file > /etc/cron.daily
chmod 0700 /etc/passwd-
ln -s /nowhere /srv/dangling && ln -s ../etc /srv/relative
chown 1234:4321 /etc/debian_version
printf 'with\nnewline' > "/srv/odd
name" && touch "/srv/ spaces  and ünïcode"
mkfifo /srv/fifo
echo hidden > /srv/.hidden && echo first > /srv/one && ln /srv/one /srv/other
truncate -s 3M /srv/sparse
"#;

/// All of a root file system but what is no change: type, mode, owner, size or
/// target, and content.
const LISTING: &str = r#"
cd / && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./.proofyard -o -path ./tmp \) -prune \
  -o \( -type d -printf '%y %m %U:%G %p\0' , -type l -printf '%y %U:%G %p -> %l\0' , -type f -printf '%y %m %U:%G %s %p\0' \) \
  | grep -zvE ' \./etc/(hosts|hostname|resolv.conf|mtab)( |$)' | grep -zv dockerenv | LC_ALL=C sort -z | tr '\0' '\n'
find . -xdev -type f -not -path './proc/*' -not -path './sys/*' -not -path './.proofyard/*' \
  -not -path './etc/hosts' -not -path './etc/hostname' -not -path './etc/resolv.conf' -print0 \
  | LC_ALL=C sort -z | xargs -0 sha256sum
"#;

struct Yard {
    engine: Arc<Engine>,
    _state: tempfile::TempDir,
}

impl Yard {
    async fn new(transport: Transport) -> Self {
        let state = tempfile::tempdir().unwrap();
        let settings = settings(state.path(), transport);
        let helper = Path::new(env!("CARGO_BIN_EXE_proofyard"));
        let engine = Engine::open_with_helper(&settings.engine, &settings.host, helper);
        Self {
            engine: engine.await.unwrap(),
            _state: state,
        }
    }

    async fn sandbox(&self) -> DockerSandbox {
        let spec = SandboxSpec {
            image: "proofyard/base".into(),
            run: "carried".into(),
            trial: "carried".into(),
            role: Role::Agent,
            limits: Limits {
                cpus: 1.0,
                memory_bytes: 1 << 30,
                pids: 256,
                open_files: 1024,
                disk_bytes: 1 << 30,
            },
            network: NetworkMode::None,
            env: Default::default(),
            workdir: None,
            user: None,
            work_tree: None,
            main: MainProcess::None,
            privileges: Default::default(),
            hosts: Vec::new(),
            attach: None,
        };
        DockerSandbox::start(&self.engine, &spec).await.unwrap()
    }
}

fn settings(state: &Path, transport: Transport) -> Settings {
    let sources = Sources::of_process(None, Vec::new()).unwrap();
    let mut settings = proofyard::config::load(&sources).unwrap().settings;
    settings.host.state = state.to_owned();
    settings.engine.transport = transport;
    settings
}

async fn sh(sandbox: &DockerSandbox, script: &str) -> String {
    let mut exec = Exec::new(["bash", "-c", script]);
    exec.output_bytes = 64 << 20;
    let ran = sandbox.exec(exec).await.unwrap();
    let said = String::from_utf8_lossy(&ran.stderr.head).into_owned();
    assert!(ran.ended.success(), "{:?}: {said}", ran.ended);
    String::from_utf8_lossy(&ran.stdout.head).into_owned()
}

async fn a_change_arrives(transport: Transport) {
    let yard = Yard::new(transport).await;
    let (from, to) = tokio::join!(yard.sandbox(), yard.sandbox());
    let untouched = sh(&to, LISTING).await;
    assert_eq!(from.changes().await.unwrap(), []);
    sh(&from, CHANGES).await;
    let made = sh(&from, LISTING).await;
    assert_ne!(made, untouched);
    from.kill_all().await.unwrap();

    let changes = from.changes().await.unwrap();
    let mut paths: Vec<Vec<u8>> = changes.iter().map(|change| change.path.clone()).collect();
    paths.dedup();
    let deleted: Vec<Vec<u8>> = changes
        .into_iter()
        .filter(|change| change.kind == ChangeKind::Deleted)
        .map(|change| change.path)
        .collect();
    let packed = from.pack(&paths, PackBounds::default()).await.unwrap();
    let skipped: Vec<&[u8]> = packed
        .skipped
        .iter()
        .map(|(path, _)| path.as_slice())
        .collect();
    assert_eq!(skipped, [b"/srv/fifo".as_slice()]);
    to.unpack("/", &deleted, &packed.tar).await.unwrap();

    let arrived = sh(&to, LISTING).await;
    let differing: Vec<(&str, &str)> = made
        .lines()
        .zip(arrived.lines())
        .filter(|(made, arrived)| made != arrived)
        .take(5)
        .collect();
    assert_eq!(differing, []);
    assert_eq!(made.lines().count(), arrived.lines().count());
    from.stop().await.unwrap();
    to.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_seen_by_this_host_arrives_as_it_was_made() {
    a_change_arrives(Transport::Socket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_seen_by_the_engine_alone_arrives_as_it_was_made() {
    a_change_arrives(Transport::Stream).await;
}
