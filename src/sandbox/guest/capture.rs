//! What is kept of an output: its head and its tail, within a bound.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::sandbox::Captured;
use crate::sandbox::wire::Lengths;

/// A bounded memory of a stream: the first half of the bound, and the last.
#[derive(Debug)]
pub struct Capture {
    cap: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    cut: u64,
}

impl Capture {
    pub fn new(cap: u64) -> Self {
        // Two outputs of a call share a frame.
        let cap = cap.clamp(2, 16 << 20) as usize;
        Self {
            cap,
            head: Vec::new(),
            tail: VecDeque::new(),
            cut: 0,
        }
    }

    /// Changes the bound for what comes.
    pub fn set_cap(&mut self, cap: u64) {
        self.cap = cap.clamp(2, 16 << 20) as usize;
    }

    pub fn push(&mut self, mut bytes: &[u8]) {
        let half = self.cap / 2;
        let room = half.saturating_sub(self.head.len());
        if room > 0 && self.tail.is_empty() {
            let taken = room.min(bytes.len());
            self.head.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
        }
        if bytes.len() > half {
            self.cut += (bytes.len() - half) as u64 + self.tail.len() as u64;
            self.tail.clear();
            bytes = &bytes[bytes.len() - half..];
        }
        let over = (self.tail.len() + bytes.len()).saturating_sub(half);
        self.tail.drain(..over);
        self.cut += over as u64;
        self.tail.extend(bytes);
    }

    /// What was kept, head and tail apart where something between was cut.
    pub fn captured(mut self) -> Captured {
        let (lengths, mut head) = self.take();
        let tail = head.split_off(lengths.head as usize);
        Captured {
            head,
            tail,
            cut: lengths.cut,
        }
    }

    /// Takes what was kept; the capture is as new.
    pub fn take(&mut self) -> (Lengths, Vec<u8>) {
        let mut bytes = std::mem::take(&mut self.head);
        let head = bytes.len() as u64;
        let tail = self.tail.len() as u64;
        bytes.extend(self.tail.drain(..));
        let cut = std::mem::take(&mut self.cut);
        let lengths = match cut {
            0 => Lengths {
                head: head + tail,
                tail: 0,
                cut,
            },
            _ => Lengths { head, tail, cut },
        };
        (lengths, bytes)
    }
}

/// A pipe that a process writes to, and what is kept of it.
#[derive(Debug)]
pub struct Stream {
    fd: Option<OwnedFd>,
    pub capture: Capture,
}

/// One turn reads at most this much, so that an endless writer starves nobody.
const TURN: usize = 256 << 10;

impl Stream {
    /// Takes the reading end; it becomes non-blocking.
    pub fn new(fd: OwnedFd, cap: u64) -> io::Result<Self> {
        nonblocking(&fd)?;
        Ok(Self {
            fd: Some(fd),
            capture: Capture::new(cap),
        })
    }

    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(|fd| fd.as_fd())
    }

    pub fn is(&self, raw: i32) -> bool {
        self.fd.as_ref().is_some_and(|fd| fd.as_raw_fd() == raw)
    }

    /// Whether a writer may still hold the other end.
    pub fn is_open(&self) -> bool {
        self.fd.is_some()
    }

    /// Reads what is there now, within a turn.
    pub fn drain(&mut self) {
        let Some(fd) = self.fd.take() else { return };
        let mut file = std::fs::File::from(fd);
        let mut buffer = [0; 64 << 10];
        let mut left = TURN;
        let open = loop {
            match file.read(&mut buffer) {
                Ok(0) => break false,
                Ok(read) => {
                    self.capture.push(&buffer[..read]);
                    left = left.saturating_sub(read);
                    if left == 0 {
                        break true;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break error.kind() == io::ErrorKind::WouldBlock,
            }
        };
        if open {
            self.fd = Some(file.into());
        }
    }
}

/// Makes a descriptor of ours non-blocking.
pub fn nonblocking(fd: &OwnedFd) -> io::Result<()> {
    let flags = OFlag::from_bits_truncate(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(cap: u64, pieces: &[&[u8]]) -> (Vec<u8>, Vec<u8>, u64) {
        let mut capture = Capture::new(cap);
        for piece in pieces {
            capture.push(piece);
        }
        let (lengths, bytes) = capture.take();
        let (head, tail) = bytes.split_at(lengths.head as usize);
        (head.to_vec(), tail.to_vec(), lengths.cut)
    }

    #[test]
    fn what_fits_is_kept_whole() {
        assert_eq!(
            captured(10, &[b"abcd", b"efgh", b"ij"]),
            (b"abcdefghij".to_vec(), vec![], 0)
        );
    }

    #[test]
    fn what_does_not_fit_is_cut_in_the_middle() {
        assert_eq!(
            captured(4, &[b"abcdefgh"]),
            (b"ab".to_vec(), b"gh".to_vec(), 4)
        );
        assert_eq!(
            captured(4, &[b"a", b"bc", b"d", b"efg", b"h"]),
            (b"ab".to_vec(), b"gh".to_vec(), 4)
        );
    }

    proptest::proptest! {
        #[test]
        fn head_cut_and_tail_add_up(pieces in proptest::collection::vec(proptest::collection::vec(0u8..255, 0..40), 0..12), cap in 2u64..64) {
            let whole: Vec<u8> = pieces.concat();
            let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let (head, tail, cut) = captured(cap, &slices);
            assert_eq!(head.len() as u64 + cut + tail.len() as u64, whole.len() as u64);
            assert!(whole.starts_with(&head) && whole.ends_with(&tail));
            assert!((head.len() + tail.len()) as u64 <= cap);
        }
    }
}
