//! A two-way stream into a sandbox: to a program, or to an address as seen from there.
//!
//! Owns both ends of it on this side: the one that is read and written, and the one
//! that frames are carried by. Must not know what is said over it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Captured, Ended};

/// Bytes under way in one direction that nobody has taken yet, at most.
pub const WINDOW: usize = 256 << 10;
/// How long is waited for the other side to say how it ended.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where a stream leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamTo {
    /// A program, started as the sandbox's user in its working directory: what is
    /// written is its standard input, what is read its standard output.
    Program(Vec<String>),
    /// A TCP address; its name is looked up inside the sandbox.
    Address { host: String, port: u16 },
}

/// How a stream's other side ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamEnd {
    pub ended: Ended,
    /// Standard error, its head and tail where it was long.
    pub said: Captured,
}

/// The end that is read and written. Dropped, it ends the other side.
#[derive(Debug)]
pub struct SandboxStream {
    io: DuplexStream,
    ending: Ending,
    _closes: CloseOnDrop,
}

/// To end a stream, and to hear how it ended, while others read and write it.
#[derive(Debug, Clone)]
pub struct Ending {
    close: CancellationToken,
    over: watch::Receiver<Option<StreamEnd>>,
}

/// The end that carries frames.
#[derive(Debug)]
pub struct Carrier {
    pub io: DuplexStream,
    /// The other end wants no more.
    pub close: CancellationToken,
    pub teller: Teller,
}

/// Tells how the other side ended.
#[derive(Debug)]
pub struct Teller(watch::Sender<Option<StreamEnd>>);

#[derive(Debug)]
struct CloseOnDrop(CancellationToken);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Both ends of a new stream.
pub fn stream() -> (SandboxStream, Carrier) {
    let (ours, theirs) = tokio::io::duplex(WINDOW);
    let close = CancellationToken::new();
    let (sender, over) = watch::channel(None);
    let ending = Ending {
        close: close.clone(),
        over,
    };
    let stream = SandboxStream {
        io: ours,
        ending,
        _closes: CloseOnDrop(close.clone()),
    };
    let carrier = Carrier {
        io: theirs,
        close,
        teller: Teller(sender),
    };
    (stream, carrier)
}

impl SandboxStream {
    /// What ends it from elsewhere.
    pub fn ending(&self) -> Ending {
        self.ending.clone()
    }
}

impl Ending {
    /// Ends the other side; how it ended, where that was heard in time.
    pub async fn end(&self) -> StreamEnd {
        self.close.cancel();
        let mut over = self.over.clone();
        let heard = over.wait_for(Option::is_some);
        match tokio::time::timeout(PATIENCE, heard).await {
            Ok(Ok(end)) => end.clone().unwrap_or_default(),
            _ => StreamEnd::default(),
        }
    }
}

impl Teller {
    /// Tells it, where somebody is there to hear it.
    pub fn tell(self, end: StreamEnd) {
        let _ = self.0.send(Some(end));
    }
}

impl AsyncRead for SandboxStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl AsyncWrite for SandboxStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
