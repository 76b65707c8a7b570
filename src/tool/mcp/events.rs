//! Events of a server, one after the other, each within a bound.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use sse_stream::{Error, Sse, SseStream};

use super::http::{HttpError, LARGEST};

/// Events, or what broke their stream.
pub type Events = BoxStream<'static, Result<Sse, Error>>;

/// The events of a body.
pub fn events(body: Incoming) -> Events {
    let pieces = body.into_data_stream();
    let pieces = pieces.map(|piece| piece.map_err(|error| HttpError(error.to_string())));
    let bounded = Bounded {
        pieces,
        length: 0,
        blank: true,
        broken: false,
    };
    SseStream::from_bytes_stream(bounded).boxed()
}

/// Ends a stream in which an event grows too large.
struct Bounded<S> {
    pieces: S,
    /// Of the event so far, bytes.
    length: usize,
    /// The line has nothing in it so far.
    blank: bool,
    broken: bool,
}

impl<S> Bounded<S> {
    fn fits(&mut self, piece: &[u8]) -> bool {
        for byte in piece {
            self.length += 1;
            match byte {
                // An empty line ends an event.
                b'\n' if self.blank => self.length = 0,
                b'\n' => self.blank = true,
                b'\r' => {}
                _ => self.blank = false,
            }
            if self.length > LARGEST {
                return false;
            }
        }
        true
    }
}

impl<S> Stream for Bounded<S>
where
    S: Stream<Item = Result<Bytes, HttpError>> + Unpin,
{
    type Item = Result<Bytes, HttpError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.broken {
            return Poll::Ready(None);
        }
        let polled = self.pieces.poll_next_unpin(context);
        if let Poll::Ready(Some(Ok(piece))) = &polled
            && !self.fits(piece)
        {
            self.broken = true;
            let error = HttpError(format!("an event has more than {LARGEST} bytes"));
            return Poll::Ready(Some(Err(error)));
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_event_without_an_end_is_too_large() {
        let mut bounded = Bounded {
            pieces: (),
            length: 0,
            blank: true,
            broken: false,
        };
        let event = [b"data: ".as_slice(), &vec![b'x'; LARGEST / 2], b"\r\n\r\n"].concat();
        for _ in 0..4 {
            assert!(bounded.fits(&event));
        }
        let endless = vec![b'x'; LARGEST / 2];
        assert!(bounded.fits(&endless));
        assert!(bounded.fits(b"\n"));
        assert!(!bounded.fits(&[endless.as_slice(), b"x"].concat()));
    }
}
