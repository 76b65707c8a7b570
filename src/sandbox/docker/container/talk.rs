//! Streams into a sandbox, carried as frames of its helper's.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::oneshot;

use super::DockerSandbox;
use crate::sandbox::docker::link::{Exchange, Link, LinkError};
use crate::sandbox::stream::{Carrier, WINDOW, stream};
use crate::sandbox::wire::{self, Lengths, Reply, Request};
use crate::sandbox::{Captured, SandboxError, SandboxStream, StreamEnd, StreamTo, User};

const DOING: &str = "opening a stream";
/// Until the program runs.
const START: Duration = Duration::from_secs(30);
/// A stream stays as long as its sandbox.
const FOREVER: Duration = Duration::from_secs(366 * 86_400);
/// How long the helper may take to tell how a stream ended that was closed.
const LAST: Duration = Duration::from_secs(5);
/// How long a program has to end by itself. One that only carries bytes needs none.
const PATIENCE: Duration = Duration::from_millis(500);
/// One frame's bytes.
const PIECE: usize = 64 << 10;

impl DockerSandbox {
    pub(super) async fn open_stream(&self, to: &StreamTo) -> Result<SandboxStream, SandboxError> {
        let argv = match to {
            StreamTo::Program(argv) => argv.clone(),
            StreamTo::Address { host, port } => {
                let words = [wire::HELPER, "connect", host];
                let mut argv: Vec<String> = words.map(str::to_owned).to_vec();
                argv.push(port.to_string());
                argv
            }
        };
        let request = Request::Open {
            argv,
            user: User::Default,
        };
        let (stream, carrier) = stream();
        let (sender, opened) = oneshot::channel();
        let patience = match to {
            StreamTo::Program(_) => PATIENCE,
            StreamTo::Address { .. } => Duration::ZERO,
        };
        tokio::spawn(serve(self.link(), request, carrier, patience, sender));
        match tokio::time::timeout(START, opened).await {
            Ok(Ok(Ok(()))) => Ok(stream),
            Ok(Ok(Err(Failed::Refused(error)))) => Err(error),
            Ok(Ok(Err(Failed::Link(error)))) => Err(self.explain(DOING, error, START).await),
            Ok(Err(_)) => Err(self.gone().await),
            Err(_) => Err(self.explain(DOING, LinkError::Deadline, START).await),
        }
    }
}

enum Failed {
    Refused(SandboxError),
    Link(LinkError),
}

/// Opens a stream, says whether that worked, and carries it to its end.
async fn serve(
    link: Arc<Link>,
    request: Request,
    carrier: Carrier,
    patience: Duration,
    opened: oneshot::Sender<Result<(), Failed>>,
) {
    let begun = async {
        let mut exchange = link.begin(&request, &[], FOREVER).await?;
        let reply = exchange.reply().await?;
        Ok((exchange, reply))
    };
    let exchange = match begun.await {
        Ok((exchange, (Reply::Ok, _))) => exchange,
        Ok((_, (Reply::Refused(error), _))) => {
            let _ = opened.send(Err(Failed::Refused(error.into())));
            return;
        }
        Ok((_, (other, _))) => {
            let refused = Failed::Refused(super::unexpected(DOING, &other));
            let _ = opened.send(Err(refused));
            return;
        }
        Err(error) => {
            let _ = opened.send(Err(Failed::Link(error)));
            return;
        }
    };
    let _ = opened.send(Ok(()));
    carry(exchange, carrier, patience).await;
}

/// What is under way.
struct Carrying<'a> {
    exchange: Exchange<'a>,
    from: Option<ReadHalf<DuplexStream>>,
    to: WriteHalf<DuplexStream>,
    /// Came from the helper and is not taken yet.
    pending: VecDeque<u8>,
    /// Bytes that the helper still takes.
    window: usize,
}

async fn carry(exchange: Exchange<'_>, carrier: Carrier, patience: Duration) {
    let Carrier { io, close, teller } = carrier;
    let (from, to) = tokio::io::split(io);
    let mut carrying = Carrying {
        exchange,
        from: Some(from),
        to,
        pending: VecDeque::new(),
        window: WINDOW,
    };
    let end = tokio::select! {
        end = carrying.run() => end,
        () = close.cancelled() => None,
    };
    let end = match end {
        Some(end) => end,
        // Whoever goes away meanwhile: what was started must end.
        None => carrying.close(patience).await,
    };
    teller.tell(end);
}

impl Carrying<'_> {
    /// Until the other side ends; none where that is no longer heard of.
    async fn run(&mut self) -> Option<StreamEnd> {
        let mut piece = BytesMut::new();
        loop {
            piece.clear();
            piece.reserve(PIECE);
            let most = self.window.min(PIECE);
            let reading = async {
                match self.from.as_mut().filter(|_| most > 0) {
                    Some(from) => from.take(most as u64).read_buf(&mut piece).await,
                    None => std::future::pending().await,
                }
            };
            let (pending, _) = self.pending.as_slices();
            let writing = async {
                match pending.is_empty() {
                    false => self.to.write(pending).await,
                    true => std::future::pending().await,
                }
            };
            let step = tokio::select! {
                reply = self.exchange.reply() => Step::Reply(reply.ok()?),
                read = reading => Step::Read(read.unwrap_or(0)),
                written = writing => Step::Written(written),
            };
            match step {
                Step::Reply((Reply::StreamEnded { ended, said }, blob)) => {
                    self.flush().await;
                    return Some(end(ended, said, blob));
                }
                Step::Reply(reply) => self.take(reply)?,
                Step::Read(read) => self.feed(read, &piece).await?,
                Step::Written(Ok(written)) => self.written(written).await?,
                // Nobody reads any more.
                Step::Written(Err(_)) => return None,
            }
        }
    }

    fn take(&mut self, (reply, blob): (Reply, Vec<u8>)) -> Option<()> {
        match reply {
            // A helper that sends more than it may is not ours any more.
            Reply::Data if self.pending.len() + blob.len() > WINDOW => None,
            Reply::Data => {
                self.pending.extend(blob);
                Some(())
            }
            Reply::Taken { bytes } => {
                self.window = WINDOW.min(self.window.saturating_add(bytes as usize));
                Some(())
            }
            _ => None,
        }
    }

    async fn feed(&mut self, read: usize, piece: &[u8]) -> Option<()> {
        if read == 0 {
            self.from = None;
        }
        self.window -= read;
        let fed = self.exchange.send(&Request::Feed, &piece[..read]).await;
        fed.ok()
    }

    async fn written(&mut self, written: usize) -> Option<()> {
        self.pending.drain(..written);
        let bytes = written as u64;
        let told = self.exchange.send(&Request::Taken { bytes }, &[]).await;
        told.ok()
    }

    /// What came before the end is still read, where somebody does.
    async fn flush(&mut self) {
        let left: Vec<u8> = self.pending.drain(..).collect();
        let written = async {
            self.to.write_all(&left).await?;
            self.to.shutdown().await
        };
        let _: io::Result<()> = tokio::time::timeout(LAST, written).await.unwrap_or(Ok(()));
    }

    async fn close(&mut self, patience: Duration) -> StreamEnd {
        let patience_ms = patience.as_millis() as u64;
        let told = async {
            let close = Request::Close { patience_ms };
            self.exchange.send(&close, &[]).await.ok()?;
            loop {
                if let (Reply::StreamEnded { ended, said }, blob) =
                    self.exchange.reply().await.ok()?
                {
                    return Some(end(ended, said, blob));
                }
            }
        };
        let told = tokio::time::timeout(LAST, told).await;
        told.ok().flatten().unwrap_or_default()
    }
}

enum Step {
    Reply((Reply, Vec<u8>)),
    Read(usize),
    Written(io::Result<usize>),
}

fn end(ended: crate::sandbox::Ended, said: Lengths, mut blob: Vec<u8>) -> StreamEnd {
    let head = usize::try_from(said.head).unwrap_or(usize::MAX);
    let tail = blob.split_off(head.min(blob.len()));
    StreamEnd {
        ended,
        said: Captured {
            head: blob,
            tail,
            cut: said.cut,
        },
    }
}
