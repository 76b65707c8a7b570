//! What a sandbox is made from and what goes in and out of it: plain values.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::record::Limits;

/// How to make a sandbox.
#[derive(Debug, Clone)]
pub struct SandboxSpec {
    /// The engine's id of the image, `sha256:…`.
    pub image: String,
    /// Run and trial that it belongs to; they become labels.
    pub run: String,
    pub trial: String,
    pub role: Role,
    pub limits: Limits,
    pub network: NetworkMode,
    /// Added to the image's own environment.
    pub env: BTreeMap<String, String>,
    /// Default: the work tree, else the image's WORKDIR, else `/`.
    pub workdir: Option<String>,
    /// Default: the image's USER.
    pub user: Option<String>,
    pub work_tree: Option<WorkTree>,
    pub main: MainProcess,
    pub privileges: Privileges,
    /// `NAME:ADDRESS` each, for its `/etc/hosts`.
    pub hosts: Vec<String>,
    /// The networks and volumes of services beside it.
    pub attach: Option<Attachment>,
}

/// What a sandbox joins: networks and volumes that the engine has already, by the
/// engine's own names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// Networks in place of the one of [`SandboxSpec::network`], with the names that
    /// it has there; none: that one stays.
    pub networks: Vec<(String, Vec<String>)>,
    /// Volumes: name, where it lies, whether it is read-only.
    pub volumes: Vec<(String, String, bool)>,
}

/// Whose world a sandbox belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Agent,
    /// Of the task's own tools, beside the agent's.
    Tools,
    Verifier,
    Reference,
    Shell,
}

/// What a sandbox may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkMode {
    None,
    Full,
}

/// A prepared checkout that the sandbox finds at `path`.
#[derive(Debug, Clone)]
pub struct WorkTree {
    /// A folder on this host with the tree and its `.git`, shared read-only.
    pub prepared: PathBuf,
    /// Digest that the prepared folder is addressed by.
    pub digest: String,
    /// Where it lies in the sandbox.
    pub path: String,
    /// User and group that it belongs to there.
    pub owner: (u32, u32),
    /// Nothing of what the image has at that path is seen.
    pub replaces: bool,
}

/// What the helper starts beside itself: the image's own meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MainProcess {
    /// ENTRYPOINT and CMD.
    Image,
    /// ENTRYPOINT with this command.
    EntrypointWith(Vec<String>),
    /// These, each else the image's; a given entrypoint goes without the image's command.
    Given {
        entrypoint: Option<Vec<String>>,
        command: Option<Vec<String>>,
    },
    /// Nothing.
    None,
}

/// What programs in a sandbox may gain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Privileges {
    /// What package managers and tar need, and nothing by set-uid programs.
    #[default]
    Least,
    /// What containers commonly have, but for raw sockets and devices: `sudo` and
    /// `chroot` work.
    Common,
}

/// Who does something in the sandbox: the sandbox's default user, or a named
/// one (`name`, `uid`, `name:group`, `uid:gid`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum User {
    #[default]
    Default,
    Root,
    Named(String),
}

/// A program to run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exec {
    pub argv: Vec<String>,
    /// Default: the sandbox's working directory.
    pub cwd: Option<String>,
    /// Added to the sandbox's environment.
    pub env: BTreeMap<String, String>,
    pub user: User,
    pub timeout: Duration,
    /// Bound on each of standard output and error, bytes kept (head and tail).
    pub output_bytes: u64,
    pub stdin: Vec<u8>,
    /// Bytes kept of a third output, which the program finds under the descriptor
    /// [`RECORDS_FD`]; 0: there is none.
    pub records_bytes: u64,
}

/// Number of the descriptor for records, where a program has one.
pub const RECORDS_FD: i32 = 100;

impl Exec {
    /// A program with its arguments, as the default user, one minute, 1 MiB of output.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            cwd: None,
            env: BTreeMap::new(),
            user: User::Default,
            timeout: Duration::from_secs(60),
            output_bytes: 1 << 20,
            stdin: Vec::new(),
            records_bytes: 0,
        }
    }
}

/// What persists between calls: a session of this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Interpreter {
    /// bash, or sh where there is none: directory, variables and functions stay.
    #[default]
    Shell,
    /// python3: directory, names and imports stay.
    Python,
}

/// A command for a persistent session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShellCommand {
    pub interpreter: Interpreter,
    pub command: String,
    pub user: User,
    pub timeout: Duration,
    /// Bound on each of standard output and error, bytes kept (head and tail).
    pub output_bytes: u64,
}

/// What a program left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecOutput {
    pub stdout: Captured,
    pub stderr: Captured,
    /// What was written to [`RECORDS_FD`], as it happened.
    pub records: Captured,
    pub ended: Ended,
    pub elapsed: Duration,
    /// Processes that it left running and that hold its output open.
    pub left_running: bool,
    /// The persistent session ended with it; the next command begins a new one.
    pub session_ended: bool,
}

/// Bytes of one output, cut in the middle where there were too many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// The first bytes, or all.
    pub head: Vec<u8>,
    /// The last bytes where some between were cut.
    pub tail: Vec<u8>,
    /// How many were cut.
    pub cut: u64,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    Exited(i32),
    Signaled(i32),
    /// The call's own limit fired and its group was killed.
    TimedOut,
    #[default]
    Unknown,
}

impl Ended {
    /// Whether the program ended with status 0.
    pub fn success(self) -> bool {
        self == Ended::Exited(0)
    }

    /// The status as a shell would give it: 128 + n for signal n, 124 for a time-out.
    pub fn code(self) -> Option<i32> {
        match self {
            Ended::Exited(code) => Some(code),
            Ended::Signaled(signal) => Some(128 + signal),
            Ended::TimedOut => Some(124),
            Ended::Unknown => None,
        }
    }
}

impl Captured {
    /// The text for display: lossy, with a line that says what was cut.
    pub fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.head).into_owned();
        if self.cut > 0 {
            text.push_str(&format!("\n[… {} bytes cut …]\n", self.cut));
            text.push_str(&String::from_utf8_lossy(&self.tail));
        }
        text
    }

    /// How many bytes there were, cut ones included.
    pub fn total(&self) -> u64 {
        self.head.len() as u64 + self.cut + self.tail.len() as u64
    }
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRead {
    pub content: Vec<u8>,
    /// Of the whole file.
    pub size: u64,
    pub mode: u32,
}

/// One path that differs from the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Absolute, as bytes.
    pub path: Vec<u8>,
    pub kind: ChangeKind,
}

/// How a path differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    Modified,
    Added,
    Deleted,
}

/// How far a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Serving {
    /// Somebody listens on its port.
    Listens,
    /// It runs, and nobody listens yet.
    Starts,
    /// Nothing of it runs.
    Gone,
}

/// Bounds on what is packed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PackBounds {
    /// Bytes of all contents.
    pub bytes: u64,
    pub entries: u64,
    /// Whether a file with holes crosses as its data and a map of it, which only
    /// `unpack` reads; else as its whole content.
    #[serde(default)]
    pub holes: bool,
    /// Whether a folder crosses with all below it.
    #[serde(default)]
    pub deep: bool,
}

impl Default for PackBounds {
    fn default() -> Self {
        Self {
            bytes: 2 << 30,
            entries: 500_000,
            holes: false,
            deep: false,
        }
    }
}

/// A packed change.
#[derive(Debug, Default)]
pub struct Packed {
    /// A tar stream.
    pub tar: Vec<u8>,
    /// What was left out, with the reason: devices, sockets, FIFO, vanished.
    pub skipped: Vec<(Vec<u8>, String)>,
}

/// A limit that was watched and hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitHit {
    pub what: Limit,
    /// In a sentence: which limit, at what size.
    pub message: String,
}

/// Limits that end a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Disk,
    Memory,
}
