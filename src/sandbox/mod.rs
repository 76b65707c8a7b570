//! Where it runs: one sandbox is one container with our helper as PID 1.
//!
//! Owns the trait that agents, tools and verifiers talk to, the helper
//! ([`guest`]), its frames ([`wire`]) and the engine ([`docker`]). Must not know
//! tasks' verification, agents, models or runs. bollard's types stay in [`docker`].

pub mod docker;
mod error;
#[cfg(test)]
pub mod fake;
pub mod guest;
pub mod project;
mod shown;
pub mod spec;
pub mod stream;
pub mod wire;

pub use error::{GuestError, GuestErrorKind, SandboxError};
pub use shown::shown;
pub use spec::*;
pub use stream::{Ending, SandboxStream, StreamEnd, StreamTo};

use async_trait::async_trait;

/// A place where commands run and files lie. All paths are the sandbox's own.
///
/// Every call has a deadline of its own and survives being dropped. What goes
/// wrong inside by the agent's doing is [`SandboxError::Guest`], which is data;
/// everything else is a fault of the engine, the host or a helper that is gone.
#[async_trait]
pub trait Sandbox: Send + Sync {
    /// Runs a program to its end, its time-out or its output bound.
    async fn exec(&self, exec: Exec) -> Result<ExecOutput, SandboxError>;

    /// Runs a command in the persistent shell: directory, variables and
    /// functions stay for the next one.
    async fn shell(&self, command: ShellCommand) -> Result<ExecOutput, SandboxError>;

    /// Opens a stream to a program, or to an address as it is reached from inside. It
    /// stays until it is dropped or its other side ends, beside all other calls, and
    /// ends like every program with [`kill_all`](Self::kill_all).
    async fn open(&self, to: &StreamTo) -> Result<SandboxStream, SandboxError> {
        let _ = to;
        Err(SandboxError::Engine {
            doing: "open a stream".into(),
            message: "this sandbox cannot".into(),
        })
    }

    /// Reads at most `max` bytes of a regular file from `offset`. A FIFO, a
    /// device or a directory is refused.
    async fn read(
        &self,
        path: &str,
        offset: u64,
        max: u64,
        user: &User,
    ) -> Result<FileRead, SandboxError>;

    /// Writes a file whole, through a temporary name; makes missing folders.
    async fn write(
        &self,
        path: &str,
        content: &[u8],
        mode: Option<u32>,
        user: &User,
    ) -> Result<(), SandboxError>;

    /// Ends every process but the helper; returns how many there were.
    async fn kill_all(&self) -> Result<u32, SandboxError>;

    /// Stops every process but the helper, until [`thaw`](Self::thaw).
    async fn freeze(&self) -> Result<u32, SandboxError>;

    /// Lets every process go on.
    async fn thaw(&self) -> Result<(), SandboxError>;

    /// Starts a service again, as the image's user: what runs of it ends first.
    async fn serve(&self, command: &[String]) -> Result<(), SandboxError>;

    /// How far a service is that was started.
    async fn serving(&self, command: &[String], port: u16) -> Result<Serving, SandboxError>;

    /// What differs from the image, in the root file system and in the work
    /// tree: paths as bytes, sorted, without the helper's own.
    async fn changes(&self) -> Result<Vec<Change>, SandboxError>;

    /// The named entries (not their children) as a tar stream of our own
    /// rules: regular files, folders and links; what else there is comes back
    /// as `skipped`. Paths are absolute; entries carry them without the first `/`.
    async fn pack(&self, paths: &[Vec<u8>], bounds: PackBounds) -> Result<Packed, SandboxError>;

    /// Removes `delete` (absolute paths, folders with all below them, missing ones are
    /// fine), then lays the tar stream over `root`.
    async fn unpack(&self, root: &str, delete: &[Vec<u8>], tar: &[u8]) -> Result<(), SandboxError>;

    /// Makes files, and folders with all below them, unwritable for everybody in the
    /// sandbox, root included, and keeps them and the folders above them where they are.
    /// Missing ones are passed over. False where this host cannot do that, or not for all
    /// of them. Nothing may run meanwhile: the caller has ended or stopped it.
    async fn hold(&self, paths: &[String]) -> Result<bool, SandboxError> {
        let _ = paths;
        Ok(false)
    }

    /// Starts the image's own process beside the helper, where the sandbox was
    /// made without it. Nothing where there is none.
    async fn start_main(&self) -> Result<(), SandboxError> {
        Ok(())
    }

    /// Leaves the networks that it was attached to, so that another one can take its
    /// place and its names there. Nothing where there are none.
    async fn detach(&self) -> Result<(), SandboxError> {
        Ok(())
    }

    /// After the helper is gone: a new helper over the same files, nothing else.
    async fn revive(&self) -> Result<(), SandboxError> {
        Err(SandboxError::Engine {
            doing: "start the helper again".into(),
            message: "this sandbox cannot".into(),
        })
    }

    /// Waits until a limit is hit that the sandbox itself has to watch.
    async fn limit_reached(&self) -> LimitHit {
        std::future::pending().await
    }

    /// Directory of tool calls.
    fn workdir(&self) -> &str;

    /// Takes the sandbox and everything of it away. Called once; a second call is nothing.
    async fn stop(&self) -> Result<(), SandboxError>;
}
