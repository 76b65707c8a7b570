//! The helper: our own binary as PID 1 of a sandbox.
//!
//! Owns everything that happens inside a sandbox on the host's behalf: programs
//! and the persistent shell, files, streams of changes, the reaping of zombies.
//! It lives in the agent's world: nothing that it says decides a verdict. One
//! thread and one poll loop, so that it needs no process and next to no memory
//! when the sandbox is out of both. Must not know tasks, agents or the engine.

mod archive;
pub(super) mod capture;
pub mod connect;
mod files;
mod keys;
mod live;
pub mod look;
mod processes;
mod shell;
mod sparse;
mod spawn;
mod streams;
pub mod terminal;
mod users;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::wire::{self, Reply, Request};
use super::{GuestError, GuestErrorKind};
use archive::Unpacking;
use processes::Processes;

/// How the helper reaches its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// It connects out to a unix socket, once.
    Socket(String),
    /// Frames on standard input and output.
    Stream,
}

/// Runs the helper until its host is gone. PID 1's end is the sandbox's end.
///
/// # Errors
/// The host cannot be reached, or the connection breaks in the middle of a frame.
pub fn run(endpoint: Endpoint) -> io::Result<()> {
    serve(endpoint)
}

fn serve(endpoint: Endpoint) -> io::Result<()> {
    // Not traceable by processes of the same user, whose root has no CAP_SYS_PTRACE:
    // neither memory nor descriptors of this process are theirs to take.
    nix::sys::prctl::set_dumpable(false)?;
    let host = connect(endpoint)?;
    shell::reserve_report()?;
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block()?;
    let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    Guest {
        host,
        signals,
        processes: Processes::default(),
        unpacking: None,
    }
    .serve()
}

/// The connection: reading and writing ends are one socket or two pipes.
struct Host {
    from: File,
    to: File,
}

fn connect(endpoint: Endpoint) -> io::Result<Host> {
    match endpoint {
        Endpoint::Socket(path) => {
            let stream = UnixStream::connect(path)?;
            let from = OwnedFd::from(stream.try_clone()?);
            Ok(Host {
                from: File::from(from),
                to: File::from(OwnedFd::from(stream)),
            })
        }
        Endpoint::Stream => {
            // The descriptors move out of the way, so that no child inherits them.
            let from = File::from(io::stdin().as_fd().try_clone_to_owned()?);
            let to = File::from(io::stdout().as_fd().try_clone_to_owned()?);
            let null = File::options().read(true).write(true).open("/dev/null")?;
            for standard in 0..=2 {
                // SAFETY: 0, 1 and 2 are owned by nobody in this process from here on
                // and are replaced, not closed; `into_raw_fd`-like release follows.
                let mut fd = unsafe { OwnedFd::from_raw_fd(standard) };
                let replaced = nix::unistd::dup2(&null, &mut fd);
                std::mem::forget(fd);
                replaced?;
            }
            Ok(Host { from, to })
        }
    }
}

struct Guest {
    host: Host,
    signals: SignalFd,
    processes: Processes,
    unpacking: Option<(u32, Unpacking)>,
}

impl Guest {
    fn serve(&mut self) -> io::Result<()> {
        loop {
            self.processes.reap();
            for (id, reply, blob) in self.processes.finished(Instant::now()) {
                wire::write_frame(&mut self.host.to, id, &reply, &blob)?;
            }
            if self.wait()? && !self.answer()? {
                return Ok(());
            }
        }
    }

    /// Waits until something can be done; says whether the host has sent something.
    fn wait(&mut self) -> io::Result<bool> {
        let timeout = match self.processes.next_deadline() {
            None => PollTimeout::NONE,
            Some(at) => {
                let left = at.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
                PollTimeout::try_from(left.min(Duration::from_secs(60)))
                    .unwrap_or(PollTimeout::ZERO)
            }
        };
        let (host_ready, ready) = {
            let mut watched: Vec<(BorrowedFd<'_>, PollFlags)> = vec![
                (self.host.from.as_fd(), PollFlags::POLLIN),
                (self.signals.as_fd(), PollFlags::POLLIN),
            ];
            self.processes.watch(&mut watched);
            let mut polled: Vec<PollFd<'_>> = watched
                .iter()
                .map(|(fd, flags)| PollFd::new(*fd, *flags))
                .collect();
            match poll(&mut polled, timeout) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            let fired = |fd: &PollFd<'_>| fd.revents().is_some_and(|events| !events.is_empty());
            let ready: Vec<i32> = watched
                .iter()
                .zip(&polled)
                .skip(2)
                .filter(|(_, polled)| fired(polled))
                .map(|((fd, _), _)| fd.as_raw_fd())
                .collect();
            (fired(&polled[0]), ready)
        };
        while let Ok(Some(_)) = self.signals.read_signal() {}
        self.processes.pump(&ready);
        Ok(host_ready)
    }

    /// Answers one request; false when the host is gone.
    fn answer(&mut self) -> io::Result<bool> {
        let Some((id, request, blob)) = wire::read_frame::<Request>(&mut self.host.from)? else {
            return Ok(false);
        };
        let reply = match request {
            Request::Setup(setup) => self.processes.setup(setup),
            Request::StartMain { argv, user } => self.processes.start_main(&argv, &user),
            Request::Exec(exec) => match self.processes.exec(id, exec, blob) {
                Ok(()) => return Ok(true),
                Err(error) => Err(error),
            },
            Request::Shell(shell) => match self.processes.shell(id, shell) {
                Ok(()) => return Ok(true),
                Err(error) => Err(error),
            },
            Request::Open { argv, user } => {
                let opened = self.processes.open(id, &argv, &user);
                opened.map(|()| Reply::Ok)
            }
            Request::Feed => {
                self.processes.streams.feed(id, &blob);
                return Ok(true);
            }
            Request::Taken { bytes } => {
                self.processes.streams.taken(id, bytes);
                return Ok(true);
            }
            Request::Close { patience_ms } => {
                let patience = Duration::from_millis(patience_ms);
                self.processes.streams.close(id, patience);
                return Ok(true);
            }
            Request::Read {
                path,
                offset,
                max,
                user,
            } => {
                let read = self.processes.identity(&user).and_then(|who| {
                    files::read(
                        &self.processes.absolute(&path),
                        offset,
                        max.min(wire::MAX_FRAME as u64 / 2),
                        &who,
                    )
                });
                match read {
                    Ok((reply, content)) => {
                        wire::write_frame(&mut self.host.to, id, &reply, &content)?;
                        return Ok(true);
                    }
                    Err(error) => Err(error),
                }
            }
            Request::Write { path, mode, user } => self
                .processes
                .identity(&user)
                .and_then(|who| files::write(&self.processes.absolute(&path), &blob, mode, &who)),
            Request::KillAll => self.processes.kill_all(),
            Request::Freeze => live::freeze(),
            Request::Thaw => live::thaw(),
            Request::Serve { argv, user } => self.processes.serve(&argv, &user),
            Request::Serving { argv, port } => live::serving(&argv, port).map(Reply::Serving),
            Request::Pack { bounds } => {
                match archive::pack(&blob, bounds, &mut self.host.to, id)? {
                    Ok(skipped) => {
                        wire::write_frame(&mut self.host.to, id, &Reply::Packed, &skipped)?;
                        return Ok(true);
                    }
                    Err(error) => Err(error),
                }
            }
            Request::Unpack { root } => match Unpacking::begin(&root, &blob) {
                Ok(unpacking) => {
                    self.unpacking = Some((id, unpacking));
                    return Ok(true);
                }
                Err(error) => Err(error),
            },
            Request::UnpackData => match self.unpacking.as_mut() {
                Some((begun, unpacking)) if *begun == id => {
                    if !blob.is_empty() {
                        unpacking.feed(&blob);
                        return Ok(true);
                    }
                    let (_, unpacking) = self
                        .unpacking
                        .take()
                        .unwrap_or_else(|| unreachable!("matched above"));
                    unpacking.finish()
                }
                // The beginning was refused and answered; what follows of it is dropped.
                _ => return Ok(true),
            },
            Request::Ping => Ok(Reply::Ok),
        };
        let reply = reply.unwrap_or_else(Reply::Refused);
        wire::write_frame(&mut self.host.to, id, &reply, &[])?;
        Ok(true)
    }
}

/// A refusal with its kind, from what the system said.
fn refuse(doing: &str, error: &io::Error) -> GuestError {
    use nix::errno::Errno;
    let kind = match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOENT | Errno::ENOTDIR) => GuestErrorKind::NotFound,
        Some(Errno::EACCES | Errno::EPERM | Errno::EROFS) => GuestErrorKind::Permission,
        Some(
            Errno::ENOSPC
            | Errno::EDQUOT
            | Errno::EAGAIN
            | Errno::ENOMEM
            | Errno::EMFILE
            | Errno::ENFILE,
        ) => GuestErrorKind::Exhausted,
        Some(Errno::EFBIG) => GuestErrorKind::TooLarge,
        Some(Errno::EISDIR | Errno::ENXIO) => GuestErrorKind::NotRegular,
        _ => GuestErrorKind::Other,
    };
    let said = match error.raw_os_error() {
        Some(code) => Errno::from_raw(code).desc().to_lowercase(),
        None => error.to_string(),
    };
    GuestError {
        kind,
        message: format!("{doing}: {said}"),
    }
}
