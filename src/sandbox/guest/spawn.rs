//! How a process of the sandbox comes to be: user, group, session, environment.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::SigSet;
use nix::unistd::{Gid, Pid, Uid, setgid, setgroups, setsid, setuid};

use super::refuse;
use super::users::Identity;
use crate::sandbox::{GuestError, GuestErrorKind};

/// A process to start.
pub struct Spawn<'a> {
    pub argv: &'a [String],
    pub cwd: &'a str,
    pub env: BTreeMap<String, String>,
    pub who: &'a Identity,
    pub stdin: Stdio,
    pub stdout: Stdio,
    pub stderr: Stdio,
    /// A descriptor that the process finds under this number.
    pub extra: Option<(BorrowedFd<'a>, i32)>,
}

/// Out-of-memory preference of what the helper starts: killed before the helper.
const EXPENDABLE: &[u8] = b"500";

/// Starts it as the leader of a session of its own.
pub fn spawn(spawn: Spawn<'_>) -> Result<Pid, GuestError> {
    let Some((program, arguments)) = spawn.argv.split_first() else {
        return Err(GuestError {
            kind: GuestErrorKind::Invalid,
            message: "no program was named".into(),
        });
    };
    if !Path::new(spawn.cwd).is_dir() {
        return Err(GuestError {
            kind: GuestErrorKind::NotFound,
            message: format!("the working directory {} is not there", spawn.cwd),
        });
    }
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(spawn.cwd)
        .env_clear()
        .envs(&spawn.env)
        .stdin(spawn.stdin)
        .stdout(spawn.stdout)
        .stderr(spawn.stderr);
    let groups: Vec<Gid> = spawn
        .who
        .groups
        .iter()
        .copied()
        .map(Gid::from_raw)
        .collect();
    let (uid, gid) = (Uid::from_raw(spawn.who.uid), Gid::from_raw(spawn.who.gid));
    let extra = spawn.extra.map(|(fd, number)| (fd.as_raw_fd(), number));
    // SAFETY: between fork and exec only calls that are async-signal-safe are made,
    // on values made before the fork; the process is single-threaded besides.
    unsafe {
        command.pre_exec(move || {
            setsid()?;
            if let Some((fd, number)) = extra {
                duplicate(fd, number)?;
            }
            prefer_for_oom();
            SigSet::empty().thread_set_mask()?;
            setgroups(&groups)?;
            setgid(gid)?;
            setuid(uid)?;
            Ok(())
        });
    }
    match command.spawn() {
        // The child is reaped by the loop, like every other process of the sandbox.
        Ok(child) => Ok(Pid::from_raw(child.id() as i32)),
        Err(error) => {
            let mut refused = refuse(&format!("start `{program}`"), &error);
            if refused.kind == GuestErrorKind::NotFound {
                refused.kind = GuestErrorKind::NoProgram;
            }
            if refused.kind == GuestErrorKind::Exhausted {
                refused
                    .message
                    .push_str(" (a limit of the sandbox on processes or memory)");
            }
            Err(refused)
        }
    }
}

fn duplicate(fd: i32, number: i32) -> io::Result<()> {
    // SAFETY: both numbers are plain descriptors of the forked child; dup2 clears
    // close-on-exec on the copy, which is what the child is to inherit.
    match unsafe { nix::libc::dup2(fd, number) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn prefer_for_oom() {
    let path = c"/proc/self/oom_score_adj";
    // SAFETY: a constant path and buffer; failure is nothing to stop for.
    unsafe {
        let fd = nix::libc::open(path.as_ptr(), nix::libc::O_WRONLY | nix::libc::O_CLOEXEC);
        if fd >= 0 {
            nix::libc::write(fd, EXPENDABLE.as_ptr().cast(), EXPENDABLE.len());
            nix::libc::close(fd);
        }
    }
}

/// A pipe with both ends closed on exec.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), GuestError> {
    nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)
        .map_err(|error| refuse("open a pipe", &error.into()))
}
