//! The processes of a sandbox: what was asked to run, how it ended, who is left.

use std::collections::{BTreeMap, HashMap};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::capture::{Stream, nonblocking};
use super::live::end_service;
use super::refuse;
use super::shell::{Memory, Shell};
use super::spawn::{Spawn, pipe, spawn};
use super::streams::Streams;
use super::users::{Identity, homes, lookup};
use crate::sandbox::spec::{Ended, Interpreter, RECORDS_FD, User};
use crate::sandbox::wire::{ExecRequest, Lengths, Reply, Setup, ShellRequest};
use crate::sandbox::{GuestError, GuestErrorKind};

/// How long a process that ended may have its output held open by others.
pub(super) const GRACE: Duration = Duration::from_millis(100);
/// How long `kill everything` may take.
const KILL_BOUND: Duration = Duration::from_secs(5);

/// Everything that runs, but the helper itself.
#[derive(Default)]
pub struct Processes {
    setup: Setup,
    /// Homes of the users that the image has, whatever is written to its database later.
    homes: BTreeMap<u32, String>,
    execs: Vec<Running>,
    shells: HashMap<(String, Interpreter), Seat>,
    pub(super) streams: Streams,
}

/// A program that was asked for.
struct Running {
    request: u32,
    pid: Pid,
    out: Stream,
    err: Stream,
    records: Option<Stream>,
    stdin: Option<(OwnedFd, Vec<u8>, usize)>,
    clock: Clock,
}

/// A user's shell, or the memory of one.
#[derive(Default)]
struct Seat {
    shell: Option<Shell>,
    memory: Memory,
    command: Option<Command>,
}

/// What a shell is busy with.
struct Command {
    request: u32,
    clock: Clock,
}

/// From start to end, and what ended it.
struct Clock {
    started: Instant,
    deadline: Instant,
    timed_out: bool,
    ended: Option<(Ended, Instant)>,
}

impl Clock {
    fn start(timeout_ms: u64) -> Self {
        let started = Instant::now();
        // A year is as good as forever, and cannot overflow an instant.
        let timeout = Duration::from_millis(timeout_ms).min(Duration::from_secs(366 * 86_400));
        Self {
            started,
            deadline: started + timeout,
            timed_out: false,
            ended: None,
        }
    }

    fn next(&self) -> Instant {
        match self.ended {
            Some((_, at)) => at + GRACE,
            None if self.timed_out => self.deadline + KILL_BOUND,
            None => self.deadline,
        }
    }

    fn end(&mut self, ended: Ended) {
        let ended = if self.timed_out {
            Ended::TimedOut
        } else {
            ended
        };
        self.ended.get_or_insert((ended, Instant::now()));
    }
}

impl Processes {
    /// Who commands run as, where, with what.
    pub fn setup(&mut self, mut setup: Setup) -> Result<Reply, GuestError> {
        setup.env.entry("PATH".into()).or_insert_with(|| {
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()
        });
        let who = lookup(&setup.user)?;
        let workdir = if setup.workdir.is_empty() {
            "/"
        } else {
            &setup.workdir
        };
        std::fs::create_dir_all(workdir)
            .map_err(|error| refuse(&format!("make the working directory {workdir}"), &error))?;
        setup.workdir = workdir.to_owned();
        self.setup = setup;
        self.homes = homes();
        Ok(Reply::Ready {
            uid: who.uid,
            gid: who.gid,
            home: who.home,
        })
    }

    /// The identity that a user stands for.
    pub fn identity(&self, user: &User) -> Result<Identity, GuestError> {
        match user {
            User::Default => lookup(&self.setup.user),
            User::Root => lookup("0"),
            User::Named(name) => lookup(name),
        }
    }

    /// A path of the sandbox, relative ones from its working directory.
    pub fn absolute(&self, path: &str) -> PathBuf {
        PathBuf::from(&self.setup.workdir).join(path)
    }

    /// Where programs start.
    pub(super) fn workdir(&self) -> &str {
        &self.setup.workdir
    }

    /// The environment of a user's programs.
    pub(super) fn env(
        &self,
        who: &Identity,
        more: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut env = self.setup.env.clone();
        let home = self.homes.get(&who.uid).unwrap_or(&who.home);
        env.entry("HOME".into()).or_insert_with(|| home.clone());
        env.extend(more.clone());
        env
    }

    /// Starts the image's own process; it is nobody's to wait for.
    pub fn start_main(&mut self, argv: &[String], user: &User) -> Result<Reply, GuestError> {
        let who = self.identity(user)?;
        spawn(Spawn {
            argv,
            cwd: &self.setup.workdir,
            env: self.env(&who, &BTreeMap::new()),
            who: &who,
            stdin: Stdio::null(),
            stdout: Stdio::null(),
            stderr: Stdio::null(),
            extra: None,
        })?;
        Ok(Reply::Ok)
    }

    /// Starts a service again: what runs of it ends, and nobody waits for the new one.
    pub fn serve(&mut self, argv: &[String], user: &User) -> Result<Reply, GuestError> {
        end_service(argv, &mut || self.reap())?;
        self.start_main(argv, user)
    }

    /// Starts a program; its end is told by [`Self::finished`].
    pub fn exec(
        &mut self,
        request: u32,
        exec: ExecRequest,
        stdin: Vec<u8>,
    ) -> Result<(), GuestError> {
        let who = self.identity(&exec.user)?;
        let (out, out_end) = pipe()?;
        let (err, err_end) = pipe()?;
        let (child_stdin, stdin) = if stdin.is_empty() {
            (Stdio::null(), None)
        } else {
            let (end, ours) = pipe()?;
            nonblocking(&ours).map_err(|error| refuse("open standard input", &error))?;
            (Stdio::from(end), Some((ours, stdin, 0)))
        };
        let stream = |fd| Stream::new(fd, exec.cap).map_err(|error| refuse("open a pipe", &error));
        let (out, err) = (stream(out)?, stream(err)?);
        let (records, records_end) = match exec.records_cap {
            0 => (None, None),
            cap => {
                let (ours, end) = pipe()?;
                let stream = Stream::new(ours, cap);
                let stream = stream.map_err(|error| refuse("open a pipe", &error))?;
                (Some(stream), Some(end))
            }
        };
        let cwd = exec.cwd.as_deref().map_or_else(
            || self.setup.workdir.clone().into(),
            |cwd| self.absolute(cwd),
        );
        let pid = spawn(Spawn {
            argv: &exec.argv,
            cwd: &cwd.to_string_lossy(),
            env: self.env(&who, &exec.env),
            who: &who,
            stdin: child_stdin,
            stdout: Stdio::from(out_end),
            stderr: Stdio::from(err_end),
            extra: records_end.as_ref().map(|end| (end.as_fd(), RECORDS_FD)),
        })?;
        self.execs.push(Running {
            request,
            pid,
            out,
            err,
            records,
            stdin,
            clock: Clock::start(exec.timeout_ms),
        });
        Ok(())
    }

    /// Gives the persistent shell of a user a command; its end is told by [`Self::finished`].
    pub fn shell(&mut self, request: u32, ask: ShellRequest) -> Result<(), GuestError> {
        let who = self.identity(&ask.user)?;
        let env = self.env(&who, &BTreeMap::new());
        let seat = self
            .shells
            .entry((who.name.clone(), ask.interpreter))
            .or_default();
        if seat.command.is_some() {
            return Err(GuestError {
                kind: GuestErrorKind::Invalid,
                message: "the session is busy with another command".into(),
            });
        }
        if seat.shell.is_none() {
            seat.shell = Some(Shell::start(
                ask.interpreter,
                &who,
                env,
                &self.setup.workdir,
                &seat.memory,
            )?);
        }
        let Some(shell) = seat.shell.as_mut() else {
            unreachable!("started above")
        };
        shell.out.capture.set_cap(ask.cap);
        shell.err.capture.set_cap(ask.cap);
        shell.submit(&ask.command)?;
        seat.command = Some(Command {
            request,
            clock: Clock::start(ask.timeout_ms),
        });
        Ok(())
    }

    /// Buries what has ended, also orphans that nobody else waits for.
    pub fn reap(&mut self) {
        loop {
            let (pid, ended) = match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, Ended::Exited(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, Ended::Signaled(signal as i32)),
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return,
                Ok(_) | Err(Errno::EINTR) => continue,
                Err(_) => return,
            };
            for exec in self.execs.iter_mut().filter(|exec| exec.pid == pid) {
                exec.clock.end(ended);
            }
            self.streams.ended(pid, ended);
            for seat in self.shells.values_mut() {
                if seat.shell.as_ref().is_some_and(|shell| shell.pid == pid) {
                    seat.shell_ended(ended);
                }
            }
        }
    }

    /// Kills what is over its time and takes the replies of what is done.
    pub fn finished(&mut self, now: Instant) -> Vec<(u32, Reply, Vec<u8>)> {
        let mut replies = Vec::new();
        for exec in &mut self.execs {
            if exec.clock.ended.is_none() && !exec.clock.timed_out && now >= exec.clock.deadline {
                exec.clock.timed_out = true;
                let _ = killpg(exec.pid, Signal::SIGKILL);
            }
            if exec.clock.ended.is_some() {
                exec.streams().for_each(Stream::drain);
            }
        }
        let done = |exec: &Running| match exec.clock.ended {
            Some(_) => !exec.is_open() || now >= exec.clock.next(),
            None => exec.clock.timed_out && now >= exec.clock.next(),
        };
        for mut exec in self.execs.extract_if(.., |exec| done(exec)) {
            let left_running = exec.out.is_open() || exec.err.is_open();
            let (request, reply, blob) = ran(
                exec.request,
                &exec.clock,
                &mut exec.out,
                &mut exec.err,
                left_running,
                false,
            );
            replies.push(with_records(request, reply, blob, exec.records));
        }
        for seat in self.shells.values_mut() {
            replies.extend(seat.finished(now));
        }
        replies.extend(self.streams.turn(now));
        replies
    }

    /// When something has to be looked at though nothing is heard.
    pub fn next_deadline(&self) -> Option<Instant> {
        let execs = self.execs.iter().map(|exec| exec.clock.next());
        let shells = self
            .shells
            .values()
            .filter_map(|seat| Some(seat.command.as_ref()?.clock.next()));
        execs
            .chain(shells)
            .chain(self.streams.next_deadline())
            .min()
    }

    /// What to poll for.
    pub fn watch<'a>(&'a self, watched: &mut Vec<(BorrowedFd<'a>, PollFlags)>) {
        for exec in &self.execs {
            let records = exec.records.as_ref().and_then(Stream::fd);
            for fd in [exec.out.fd(), exec.err.fd(), records]
                .into_iter()
                .flatten()
            {
                watched.push((fd, PollFlags::POLLIN));
            }
            if let Some((fd, ..)) = &exec.stdin {
                watched.push((fd.as_fd(), PollFlags::POLLOUT));
            }
        }
        for shell in self.shells.values().filter_map(|seat| seat.shell.as_ref()) {
            for fd in [shell.report.fd(), shell.out.fd(), shell.err.fd()]
                .into_iter()
                .flatten()
            {
                watched.push((fd, PollFlags::POLLIN));
            }
        }
        self.streams.watch(watched);
    }

    /// Moves bytes of the descriptors that are ready.
    pub fn pump(&mut self, ready: &[i32]) {
        self.streams.pump(ready);
        let is_ready = |stream: &Stream| ready.iter().any(|raw| stream.is(*raw));
        for exec in &mut self.execs {
            for stream in exec.streams() {
                if is_ready(stream) {
                    stream.drain();
                }
            }
            exec.feed();
        }
        for seat in self.shells.values_mut() {
            let Some(shell) = seat.shell.as_mut() else {
                continue;
            };
            for stream in [&mut shell.out, &mut shell.err, &mut shell.report] {
                if is_ready(stream) {
                    stream.drain();
                }
            }
        }
    }

    /// Ends every process but the helper, and makes sure of it.
    pub fn kill_all(&mut self) -> Result<Reply, GuestError> {
        let processes = others().len() as u32;
        let until = Instant::now() + KILL_BOUND;
        loop {
            match kill(Pid::from_raw(-1), Signal::SIGKILL) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => return Err(refuse("kill everything", &error.into())),
            }
            self.reap();
            let left = others();
            if left.is_empty() {
                return Ok(Reply::Killed { processes });
            }
            if Instant::now() >= until {
                return Err(GuestError {
                    kind: GuestErrorKind::Other,
                    message: format!("{} processes do not end", left.len()),
                });
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }
}

impl Running {
    fn streams(&mut self) -> impl Iterator<Item = &mut Stream> {
        [&mut self.out, &mut self.err]
            .into_iter()
            .chain(&mut self.records)
    }

    fn is_open(&self) -> bool {
        self.out.is_open()
            || self.err.is_open()
            || self.records.as_ref().is_some_and(Stream::is_open)
    }

    fn feed(&mut self) {
        let Some((fd, bytes, written)) = self.stdin.as_mut() else {
            return;
        };
        loop {
            match nix::unistd::write(&*fd, &bytes[*written..]) {
                Ok(more) => *written += more,
                Err(Errno::EAGAIN) => return,
                Err(Errno::EINTR) => continue,
                Err(_) => *written = bytes.len(),
            }
            if *written >= bytes.len() {
                self.stdin = None;
                return;
            }
        }
    }
}

impl Seat {
    fn shell_ended(&mut self, ended: Ended) {
        match &mut self.command {
            Some(command) => command.clock.end(ended),
            // It died between two calls; the next one starts anew.
            None => self.shell = None,
        }
    }

    fn finished(&mut self, now: Instant) -> Option<(u32, Reply, Vec<u8>)> {
        let command = self.command.as_mut()?;
        let shell = self.shell.as_mut()?;
        if let Some(report) = shell.take_report(&mut self.memory) {
            command.clock.end(Ended::Exited(report.status));
            // What the command wrote is in the pipes by now; nothing is waited for.
            shell.out.drain();
            shell.err.drain();
            let reply = ran(
                command.request,
                &command.clock,
                &mut shell.out,
                &mut shell.err,
                false,
                false,
            );
            self.command = None;
            return Some(reply);
        }
        if command.clock.ended.is_none()
            && !command.clock.timed_out
            && now >= command.clock.deadline
        {
            command.clock.timed_out = true;
            let _ = killpg(shell.pid, Signal::SIGKILL);
        }
        let over = match command.clock.ended {
            Some(_) => {
                shell.out.drain();
                shell.err.drain();
                (!shell.out.is_open() && !shell.err.is_open()) || now >= command.clock.next()
            }
            None => command.clock.timed_out && now >= command.clock.next(),
        };
        if !over {
            return None;
        }
        let left_running = shell.out.is_open() || shell.err.is_open();
        let reply = ran(
            command.request,
            &command.clock,
            &mut shell.out,
            &mut shell.err,
            left_running,
            true,
        );
        self.command = None;
        self.shell = None;
        Some(reply)
    }
}

fn ran(
    request: u32,
    clock: &Clock,
    out: &mut Stream,
    err: &mut Stream,
    left_running: bool,
    shell_ended: bool,
) -> (u32, Reply, Vec<u8>) {
    let (out, mut blob) = out.capture.take();
    let (err, err_bytes) = err.capture.take();
    blob.extend(err_bytes);
    let (ended, at) = clock.ended.unwrap_or((Ended::TimedOut, Instant::now()));
    let elapsed_us = at.saturating_duration_since(clock.started).as_micros() as u64;
    (
        request,
        Reply::Ran {
            ended,
            out,
            err,
            records: Lengths::default(),
            elapsed_us,
            left_running,
            shell_ended,
        },
        blob,
    )
}

fn with_records(
    request: u32,
    mut reply: Reply,
    mut blob: Vec<u8>,
    stream: Option<Stream>,
) -> (u32, Reply, Vec<u8>) {
    if let (Some(mut stream), Reply::Ran { records, .. }) = (stream, &mut reply) {
        let (lengths, bytes) = stream.capture.take();
        *records = lengths;
        blob.extend(bytes);
    }
    (request, reply, blob)
}

/// Every process of the sandbox but this one; ended ones not yet buried count.
pub fn others() -> Vec<i32> {
    let me = std::process::id() as i32;
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != me)
        .collect()
}
