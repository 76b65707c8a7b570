//! The host's end of the frames: requests go out, replies find who waits.
//!
//! One task reads, one writes, so that a caller who goes away in the middle of
//! a call leaves no half frame behind.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::sandbox::wire::{self, Reply, Request};

/// Why a call got no reply.
#[derive(Debug)]
pub enum LinkError {
    /// The other end is gone.
    Closed,
    Deadline,
    /// The request does not fit a frame.
    Invalid(io::Error),
}

type Replies = mpsc::UnboundedSender<(Reply, Vec<u8>)>;

/// A connection to a helper.
pub struct Link {
    frames: mpsc::Sender<Vec<u8>>,
    waiting: Arc<Mutex<Option<HashMap<u32, Replies>>>>,
    next: AtomicU32,
    tasks: [JoinHandle<()>; 2],
    peer: Option<i32>,
}

impl Link {
    /// Takes both directions of a stream.
    pub fn new(
        reader: impl AsyncRead + Unpin + Send + 'static,
        mut writer: impl AsyncWrite + Unpin + Send + 'static,
    ) -> Self {
        let (frames, mut outgoing) = mpsc::channel::<Vec<u8>>(4);
        let waiting: Arc<Mutex<Option<HashMap<u32, Replies>>>> =
            Arc::new(Mutex::new(Some(HashMap::new())));
        let writing = tokio::spawn(async move {
            while let Some(frame) = outgoing.recv().await {
                if writer.write_all(&frame).await.is_err() || writer.flush().await.is_err() {
                    return;
                }
            }
        });
        let map = waiting.clone();
        let reading = tokio::spawn(async move {
            // Whatever ends the stream, a hostile frame included, ends the link.
            let _ = read(reader, &map).await;
            // Dropping the senders tells every caller.
            map.lock().unwrap_or_else(PoisonError::into_inner).take();
        });
        Self {
            frames,
            waiting,
            next: AtomicU32::new(1),
            tasks: [writing, reading],
            peer: None,
        }
    }

    /// To a helper whose number on this host is known; 0 is that of nobody here.
    pub fn with(mut self, peer: Option<i32>) -> Self {
        self.peer = peer.filter(|pid| *pid > 0);
        self
    }

    /// The number of the helper's process on this host, where it can be seen.
    pub fn peer(&self) -> Option<i32> {
        self.peer
    }

    /// One request, one reply.
    pub async fn call(
        &self,
        request: &Request,
        blob: &[u8],
        deadline: Duration,
    ) -> Result<(Reply, Vec<u8>), LinkError> {
        let mut stream = self.begin(request, blob, deadline).await?;
        stream.reply().await
    }

    /// A request that further frames or several replies belong to.
    pub async fn begin(
        &self,
        request: &Request,
        blob: &[u8],
        deadline: Duration,
    ) -> Result<Exchange<'_>, LinkError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, replies) = mpsc::unbounded_channel();
        match self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            Some(waiting) => waiting.insert(id, sender),
            None => return Err(LinkError::Closed),
        };
        let exchange = Exchange {
            link: self,
            id,
            replies,
            until: tokio::time::Instant::now() + deadline,
        };
        exchange.send(request, blob).await?;
        Ok(exchange)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A request under way.
pub struct Exchange<'a> {
    link: &'a Link,
    id: u32,
    replies: mpsc::UnboundedReceiver<(Reply, Vec<u8>)>,
    until: tokio::time::Instant,
}

impl Exchange<'_> {
    /// Sends another frame of the same request.
    pub async fn send(&self, request: &Request, blob: &[u8]) -> Result<(), LinkError> {
        let frame = wire::encode(self.id, request, blob).map_err(LinkError::Invalid)?;
        match tokio::time::timeout_at(self.until, self.link.frames.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(LinkError::Closed),
            Err(_) => Err(LinkError::Deadline),
        }
    }

    /// Waits for the next reply.
    pub async fn reply(&mut self) -> Result<(Reply, Vec<u8>), LinkError> {
        match tokio::time::timeout_at(self.until, self.replies.recv()).await {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(LinkError::Closed),
            Err(_) => Err(LinkError::Deadline),
        }
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = self
            .link
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            waiting.remove(&self.id);
        }
    }
}

async fn read(
    mut reader: impl AsyncRead + Unpin,
    waiting: &Mutex<Option<HashMap<u32, Replies>>>,
) -> io::Result<()> {
    loop {
        let mut length = [0; 4];
        reader.read_exact(&mut length).await?;
        let mut rest = vec![0; wire::frame_length(length)?];
        reader.read_exact(&mut rest).await?;
        let (id, reply, blob) = wire::decode::<Reply>(rest)?;
        let sender = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|waiting| waiting.get(&id).cloned());
        // A reply that nobody waits for any more is dropped.
        if let Some(sender) = sender {
            let _ = sender.send((reply, blob));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dead_helper_is_told_to_every_caller() {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (reader, writer) = tokio::io::split(ours);
        let link = Link::new(reader, writer);
        let call = link.call(&Request::Ping, &[], Duration::from_secs(5));
        drop(theirs);
        assert!(matches!(call.await, Err(LinkError::Closed)));
        assert!(matches!(
            link.call(&Request::Ping, &[], Duration::from_secs(5)).await,
            Err(LinkError::Closed)
        ));
    }

    #[tokio::test]
    async fn replies_find_their_callers_in_any_order() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        let (reader, writer) = tokio::io::split(ours);
        let link = Link::new(reader, writer);
        let slow = link
            .begin(&Request::Ping, &[], Duration::from_secs(5))
            .await
            .unwrap();
        let fast = link
            .begin(&Request::KillAll, &[], Duration::from_secs(5))
            .await
            .unwrap();
        let answer = |id| wire::encode(id, &Reply::Killed { processes: id }, &[]).unwrap();
        theirs.write_all(&answer(fast.id)).await.unwrap();
        theirs.write_all(&answer(slow.id)).await.unwrap();
        for (mut exchange, id) in [(slow, 1), (fast, 2)] {
            assert!(
                matches!(exchange.reply().await.unwrap().0, Reply::Killed { processes } if processes == id)
            );
        }
    }

    #[tokio::test]
    async fn a_hostile_frame_ends_the_link() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        let (reader, writer) = tokio::io::split(ours);
        let link = Link::new(reader, writer);
        theirs.write_all(&[0xff; 64]).await.unwrap();
        assert!(matches!(
            link.call(&Request::Ping, &[], Duration::from_secs(5)).await,
            Err(LinkError::Closed)
        ));
    }
}
