//! A terminal of 160 columns: a program or typed keys, played by a program of the
//! helper's own in the sandbox, as the user who asks.
//!
//! Owns the pseudo-terminal, the keys and when each is typed. What the terminal shows
//! goes to standard output as it comes. Must not know who asks, nor why.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, tcgetpgrp};
use serde::{Deserialize, Serialize};

use super::keys::bytes_of;

const COLUMNS: u16 = 160;
const LINES: u16 = 40;
/// How long a shell may take until it shows something.
const AWAKE: Duration = Duration::from_secs(3);
/// As long as it shows more, nothing is typed.
const QUIET: Duration = Duration::from_millis(50);
/// Between keys that nobody waits for: programs drop what comes too early.
const TYPING: Duration = Duration::from_millis(100);
/// How long what is still at work after the last keys may go on.
const LAST: Duration = Duration::from_secs(3);
/// How long output of what has ended may come late.
const GRACE: Duration = Duration::from_millis(50);

/// The status of the program that plays, where something was waited for in vain.
pub const IN_VAIN: u8 = 124;

/// What is played.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Play {
    /// The program on the terminal.
    pub argv: Vec<String>,
    /// Typed in order; without any the program runs to its end.
    pub keys: Vec<Keys>,
    /// Whether the terminal stays when all is done, for what runs on it.
    pub stays: bool,
}

/// Keys that are typed at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Keys {
    /// Each typed sign by sign; the name of a key (`C-c`, `Escape`) is that key.
    pub keys: Vec<String>,
    pub wait: Wait,
}

/// What follows typed keys.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Wait {
    /// Until the command line has been performed, at most this long, milliseconds.
    Done(u64),
    /// This long.
    Least(u64),
}

/// How a play ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Played {
    /// All was done; the status of the program, or whether the last line that was waited
    /// for failed.
    Done(i32),
    /// This was waited for in vain.
    TimedOut(String),
}

/// What performs a command as a person's first shell on a terminal would: one that reads
/// what login shells read, and then one that reads what interactive ones do.
pub fn on_login(command: &str) -> Vec<String> {
    let words = ["bash", "-l", "-c", "exec bash -i -c \"$0\"", command];
    words.map(str::to_owned).to_vec()
}

/// That first shell itself, for keys.
pub fn login_shell() -> Vec<String> {
    ["bash", "-l", "-c", "exec bash -i"]
        .map(str::to_owned)
        .to_vec()
}

/// Plays on a terminal of this process's own.
///
/// # Errors
/// What the system refuses: no pseudo-terminal, no such program.
pub fn play(play: &Play) -> io::Result<Played> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGUSR1);
    mask.add(Signal::SIGUSR2);
    mask.add(Signal::SIGCHLD);
    mask.thread_block()?;
    let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    let size = Winsize {
        ws_row: LINES,
        ws_col: COLUMNS,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let pty = openpty(Some(&size), None)?;
    for end in [&pty.master, &pty.slave] {
        nix::fcntl::fcntl(
            end,
            nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC),
        )?;
    }
    let child = start(&play.argv, &pty.slave)?;
    drop(pty.slave);
    let mut terminal = Terminal {
        master: pty.master,
        signals,
        child,
        ended: None,
        shown: Instant::now(),
        has_shown: false,
        typing: VecDeque::new(),
        done: None,
        open: true,
    };
    let played = match play.keys.is_empty() {
        true => terminal.run_out(),
        false => terminal.type_all(&play.keys),
    }?;
    if play.stays && terminal.open {
        hold(&terminal.master)?;
    }
    Ok(played)
}

/// Keeps a terminal open and reads what is written to it, until nobody has it any more.
/// It is this process's standard input.
///
/// # Errors
/// It cannot be read.
pub fn hold_input() -> io::Result<()> {
    let input = io::stdin();
    let mut buffer = [0; 4096];
    loop {
        match nix::unistd::read(input.as_fd(), &mut buffer) {
            Ok(0) | Err(nix::errno::Errno::EIO) => return Ok(()),
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Leaves a terminal to a process that outlives this one.
fn hold(master: &OwnedFd) -> io::Result<()> {
    let mut holder = Command::new(std::env::current_exe()?);
    holder
        .args(["terminal", "--hold"])
        .stdin(Stdio::from(master.try_clone()?))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: between fork and exec one call that is async-signal-safe.
    unsafe {
        holder.pre_exec(|| nix::unistd::setsid().map(drop).map_err(io::Error::from));
    }
    // Nobody's to wait for: it is an orphan as soon as this process ends.
    holder.spawn().map(drop)
}

/// Starts a program with the terminal as its own.
fn start(argv: &[String], slave: &OwnedFd) -> io::Result<Child> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(io::Error::other("no program was named"));
    };
    let end = || slave.try_clone().map(Stdio::from);
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("TERM", "screen")
        .stdin(end()?)
        .stdout(end()?)
        .stderr(end()?);
    // SAFETY: between fork and exec only calls that are async-signal-safe, on values
    // made before; the process is one thread. Descriptor 0 is the terminal by then.
    unsafe {
        command.pre_exec(|| {
            nix::unistd::setsid()?;
            if nix::libc::ioctl(0, nix::libc::TIOCSCTTY, 0) == -1 {
                return Err(io::Error::last_os_error());
            }
            SigSet::empty().thread_set_mask()?;
            Ok(())
        });
    }
    command.spawn()
}

struct Terminal {
    master: OwnedFd,
    signals: SignalFd,
    child: Child,
    ended: Option<i32>,
    /// When it showed something last.
    shown: Instant,
    has_shown: bool,
    /// What it has not taken yet.
    typing: VecDeque<u8>,
    /// The status that a command line said when it had been performed.
    done: Option<i32>,
    /// Whether anybody has the other end.
    open: bool,
}

impl Terminal {
    fn run_out(&mut self) -> io::Result<Played> {
        self.until(None, |terminal| terminal.ended.is_some())?;
        let quiet = Instant::now() + GRACE;
        self.until(Some(quiet), |terminal| !terminal.open)?;
        Ok(Played::Done(self.ended.unwrap_or_default()))
    }

    fn type_all(&mut self, all: &[Keys]) -> io::Result<Played> {
        let awake = Instant::now() + AWAKE;
        self.until(Some(awake), |terminal| {
            terminal.has_shown && terminal.shown.elapsed() >= QUIET
        })?;
        let mut status = 0;
        for keys in all {
            if !self.press(keys)? {
                return Ok(Played::TimedOut(keys.keys.concat()));
            }
            status = self.done.unwrap_or(status);
            if self.ended.is_some() {
                break;
            }
        }
        let last = Instant::now() + LAST;
        self.until(Some(last), Terminal::is_idle)?;
        Ok(Played::Done(status))
    }

    /// Types keys and waits as they ask; false where that was in vain.
    fn press(&mut self, keys: &Keys) -> io::Result<bool> {
        self.done = None;
        let typed = keys.keys.iter().map(|key| bytes_of(key));
        self.typing.extend(typed.flatten());
        match keys.wait {
            Wait::Least(ms) => {
                let end = Instant::now() + Duration::from_millis(ms).max(TYPING);
                self.until(Some(end), |terminal| terminal.ended.is_some())?;
                Ok(true)
            }
            Wait::Done(ms) => {
                let mine = std::process::id();
                // One of two signals says that it has been performed, and how.
                let tell = format!("; kill -s USR$(($?>0?2:1)) {mine}\r");
                self.typing.extend(tell.into_bytes());
                let end = Instant::now() + Duration::from_millis(ms);
                self.until(Some(end), |terminal| {
                    terminal.done.is_some() || terminal.ended.is_some()
                })?;
                Ok(self.done.is_some() || self.ended.is_some())
            }
        }
    }

    /// Whether the shell waits for what is typed next.
    fn is_idle(&mut self) -> bool {
        let shell = Pid::from_raw(self.child.id() as i32);
        let front = tcgetpgrp(&self.master).ok();
        self.ended.is_some()
            || (front == Some(shell) && self.typing.is_empty() && self.shown.elapsed() >= QUIET)
    }

    /// Lets the terminal go on until something is so, or its time is over.
    fn until(
        &mut self,
        end: Option<Instant>,
        mut so: impl FnMut(&mut Self) -> bool,
    ) -> io::Result<()> {
        while !so(self) {
            let now = Instant::now();
            if end.is_some_and(|end| now >= end) {
                break;
            }
            let left = end.map_or(QUIET, |end| (end - now).min(QUIET));
            self.turn(left + Duration::from_millis(1))?;
        }
        Ok(())
    }

    /// Waits for one thing to happen, and takes it.
    fn turn(&mut self, at_most: Duration) -> io::Result<()> {
        let mut wanted = PollFlags::POLLIN;
        if !self.typing.is_empty() {
            wanted |= PollFlags::POLLOUT;
        }
        let timeout = PollTimeout::try_from(at_most).unwrap_or(PollTimeout::ZERO);
        let mut watched = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        if self.open {
            watched.push(PollFd::new(self.master.as_fd(), wanted));
        }
        match poll(&mut watched, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = watched.get(1).and_then(PollFd::revents);
        let ready = ready.unwrap_or(PollFlags::empty());
        drop(watched);
        if ready.contains(PollFlags::POLLIN) {
            self.show()?;
        } else if ready.contains(PollFlags::POLLHUP) {
            self.open = false;
        }
        if ready.contains(PollFlags::POLLOUT) {
            self.send()?;
        }
        self.heed()
    }

    fn show(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16384];
        match nix::unistd::read(&self.master, &mut buffer) {
            Ok(0) | Err(nix::errno::Errno::EIO) => self.open = false,
            Ok(count) => {
                self.shown = Instant::now();
                self.has_shown = true;
                let mut out = io::stdout().lock();
                out.write_all(&buffer[..count])?;
                out.flush()?;
            }
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Types a little: a terminal that is not read takes no more than some thousand signs,
    /// and writing more would wait for it.
    fn send(&mut self) -> io::Result<()> {
        let piece: Vec<u8> = self.typing.iter().copied().take(64).collect();
        match nix::unistd::write(&self.master, &piece) {
            Ok(count) => drop(self.typing.drain(..count)),
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => {}
            Err(nix::errno::Errno::EIO) => self.open = false,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Takes signals: a command line was performed, the program ended.
    fn heed(&mut self) -> io::Result<()> {
        while let Some(signal) = self.signals.read_signal()? {
            let said = |what: Signal| signal.ssi_signo == what as u32;
            if said(Signal::SIGUSR1) || said(Signal::SIGUSR2) {
                self.done = Some(i32::from(said(Signal::SIGUSR2)));
            }
        }
        if self.ended.is_none()
            && let Some(status) = self.child.try_wait()?
        {
            use std::os::unix::process::ExitStatusExt;
            let code = status.code().or(status.signal().map(|signal| 128 + signal));
            self.ended = code;
        }
        Ok(())
    }
}
