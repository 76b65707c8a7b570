//! Programs that are talked with while other calls go on.
//!
//! Owns what is under way in both directions, with a bound: neither side sends more
//! than a window of bytes that the other has not taken.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::capture::{Stream, nonblocking};
use super::processes::{GRACE, Processes};
use super::refuse;
use super::spawn::{Spawn, pipe, spawn};
use crate::sandbox::spec::{Ended, User};
use crate::sandbox::stream::WINDOW;
use crate::sandbox::wire::Reply;
use crate::sandbox::{GuestError, GuestErrorKind};

/// Bytes of standard error that are kept.
const SAID: u64 = 8 << 10;
/// Programs that are talked with at a time.
const MOST: usize = 256;
/// How long a program that is no longer talked with may have to end by itself.
const MOST_PATIENCE: Duration = Duration::from_secs(5);
/// How long one that is killed may take.
const TO_END: Duration = Duration::from_millis(500);
/// One piece of an output.
const PIECE: usize = 64 << 10;

/// Replies with the requests that they belong to.
pub type Replies = Vec<(u32, Reply, Vec<u8>)>;

/// All programs that are talked with.
#[derive(Default)]
pub struct Streams {
    all: Vec<Talk>,
}

struct Talk {
    request: u32,
    pid: Pid,
    stdin: Option<OwnedFd>,
    pending: VecDeque<u8>,
    /// Nothing is sent to it any more.
    sealed: bool,
    /// Bytes that it has taken and the host does not know of.
    taken: usize,
    out: Option<File>,
    /// There is something to read of it.
    ready: bool,
    /// Bytes that may be sent to the host.
    window: usize,
    err: Stream,
    closes: Option<Instant>,
    ended: Option<(Ended, Instant)>,
}

impl Processes {
    /// Starts a program that is talked with under the request's number.
    pub fn open(&mut self, request: u32, argv: &[String], user: &User) -> Result<(), GuestError> {
        if self.streams.all.len() >= MOST {
            return Err(GuestError {
                kind: GuestErrorKind::Exhausted,
                message: format!("{MOST} streams are open"),
            });
        }
        let who = self.identity(user)?;
        let (in_end, stdin) = pipe()?;
        let (out, out_end) = pipe()?;
        let (err, err_end) = pipe()?;
        for ours in [&stdin, &out] {
            nonblocking(ours).map_err(|error| refuse("open a pipe", &error))?;
        }
        let err = Stream::new(err, SAID).map_err(|error| refuse("open a pipe", &error))?;
        let pid = spawn(Spawn {
            argv,
            cwd: self.workdir(),
            env: self.env(&who, &BTreeMap::new()),
            who: &who,
            stdin: Stdio::from(in_end),
            stdout: Stdio::from(out_end),
            stderr: Stdio::from(err_end),
            extra: None,
        })?;
        self.streams.all.push(Talk {
            request,
            pid,
            stdin: Some(stdin),
            pending: VecDeque::new(),
            sealed: false,
            taken: 0,
            out: Some(File::from(out)),
            ready: false,
            window: WINDOW,
            err,
            closes: None,
            ended: None,
        });
        Ok(())
    }
}

impl Streams {
    fn find(&mut self, request: u32) -> Option<&mut Talk> {
        self.all.iter_mut().find(|talk| talk.request == request)
    }

    /// More for a program; nothing says that no more comes. Of one that is gone it is
    /// dropped: its end was told.
    pub fn feed(&mut self, request: u32, bytes: &[u8]) {
        let Some(talk) = self.find(request) else {
            return;
        };
        // Whoever sends more than may be sent is not heard.
        match bytes.is_empty() || talk.pending.len() + bytes.len() > WINDOW {
            true => talk.sealed = true,
            false => talk.pending.extend(bytes),
        }
        talk.write();
    }

    /// The host has taken this much of an output.
    pub fn taken(&mut self, request: u32, bytes: u64) {
        if let Some(talk) = self.find(request) {
            talk.window = WINDOW.min(talk.window.saturating_add(bytes as usize));
        }
    }

    /// Nobody talks with it any more.
    pub fn close(&mut self, request: u32, patience: Duration) {
        if let Some(talk) = self.find(request) {
            talk.stdin = None;
            let patience = patience.min(MOST_PATIENCE);
            talk.closes.get_or_insert(Instant::now() + patience);
        }
    }

    /// A process ended.
    pub fn ended(&mut self, pid: Pid, ended: Ended) {
        for talk in self.all.iter_mut().filter(|talk| talk.pid == pid) {
            talk.ended.get_or_insert((ended, Instant::now()));
        }
    }

    /// What there is to tell by now; what is over is told and forgotten.
    pub fn turn(&mut self, now: Instant) -> Replies {
        let mut replies = Replies::new();
        for talk in &mut self.all {
            if talk.ended.is_none() && talk.closes.is_some_and(|at| now >= at) {
                let _ = killpg(talk.pid, Signal::SIGKILL);
                talk.closes = Some(now + TO_END);
            }
            talk.read(&mut replies);
            if talk.taken > 0 {
                let bytes = std::mem::take(&mut talk.taken) as u64;
                replies.push((talk.request, Reply::Taken { bytes }, Vec::new()));
            }
        }
        for mut talk in self.all.extract_if(.., |talk| talk.is_over(now)) {
            talk.err.drain();
            let ended = talk.ended.map_or(Ended::Unknown, |(ended, _)| ended);
            let (said, blob) = talk.err.capture.take();
            replies.push((talk.request, Reply::StreamEnded { ended, said }, blob));
        }
        replies
    }

    /// When something has to be looked at though nothing is heard.
    pub fn next_deadline(&self) -> Option<Instant> {
        let next = |talk: &Talk| match talk.ended {
            // Until the host takes what there is, there is nothing to look at.
            Some(_) if talk.window == 0 && talk.closes.is_none() => None,
            Some((_, at)) => Some(at + GRACE),
            None => talk.closes,
        };
        self.all.iter().filter_map(next).min()
    }

    /// What to poll for.
    pub fn watch<'a>(&'a self, watched: &mut Vec<(BorrowedFd<'a>, PollFlags)>) {
        for talk in &self.all {
            if let Some(out) = talk.out.as_ref().filter(|_| talk.window > 0) {
                watched.push((out.as_fd(), PollFlags::POLLIN));
            }
            if let Some(err) = talk.err.fd() {
                watched.push((err, PollFlags::POLLIN));
            }
            if let Some(stdin) = talk.stdin.as_ref().filter(|_| !talk.pending.is_empty()) {
                watched.push((stdin.as_fd(), PollFlags::POLLOUT));
            }
        }
    }

    /// Moves bytes of the descriptors that are ready; outputs are read in their turn.
    pub fn pump(&mut self, ready: &[i32]) {
        for talk in &mut self.all {
            if ready.iter().any(|raw| talk.err.is(*raw)) {
                talk.err.drain();
            }
            let out = talk.out.as_ref().map(|fd| fd.as_raw_fd());
            talk.ready |= out.is_some_and(|out| ready.contains(&out));
            let stdin = talk.stdin.as_ref().map(|fd| fd.as_raw_fd());
            if stdin.is_some_and(|stdin| ready.contains(&stdin)) {
                talk.write();
            }
        }
    }
}

impl Talk {
    fn is_over(&self, now: Instant) -> bool {
        // A host that closes takes no more.
        let heard = self.window > 0 || self.closes.is_some();
        match self.ended {
            Some((_, at)) => self.out.is_none() || now >= at + GRACE && heard,
            None => false,
        }
    }

    fn write(&mut self) {
        while let Some(stdin) = &self.stdin {
            let (bytes, _) = self.pending.as_slices();
            if bytes.is_empty() {
                break;
            }
            match nix::unistd::write(stdin, bytes) {
                Ok(written) => {
                    self.pending.drain(..written);
                    self.taken += written;
                }
                Err(Errno::EAGAIN) => return,
                Err(Errno::EINTR) => {}
                // It reads no more.
                Err(_) => self.stdin = None,
            }
        }
        if self.stdin.is_none() {
            self.taken += self.pending.len();
            self.pending.clear();
        }
        if self.sealed {
            self.stdin = None;
        }
    }

    /// Reads what is there now, as far as it may be sent.
    fn read(&mut self, replies: &mut Replies) {
        let most = self.window.min(PIECE);
        let now = most > 0 && (self.ready || self.ended.is_some());
        let Some(out) = self.out.as_mut().filter(|_| now) else {
            return;
        };
        self.ready = false;
        let mut piece = vec![0; most];
        match out.read(&mut piece) {
            Ok(0) => self.out = None,
            Ok(read) => {
                piece.truncate(read);
                self.window -= read;
                replies.push((self.request, Reply::Data, piece));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.out = None,
        }
    }
}
