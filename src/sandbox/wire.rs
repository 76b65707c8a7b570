//! The frames between the host and the helper: the same over every transport.
//!
//! Owns their layout and bounds. A frame is
//! `u32 length | u32 id | u32 header length | header (JSON) | blob`, numbers big
//! endian, `length` counting what follows it. A request carries an id of the
//! host's choice; every reply to it carries the same. Both sides read with a
//! bound, since the helper lives in the agent's world.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::GuestError;
use super::spec::{Ended, Interpreter, PackBounds, Serving, User};

/// The most bytes of a frame, header and blob together.
pub const MAX_FRAME: usize = 64 << 20;
/// Contents larger than this cross in several frames.
pub const CHUNK: usize = 1 << 20;
/// Where everything of ours lies in a sandbox.
pub const HOME: &str = "/.proofyard";
/// The helper's binary in a sandbox.
pub const HELPER: &str = "/.proofyard/helper";
/// The folder of the socket in a sandbox, mounted read-only.
pub const SOCKET_DIR: &str = "/.proofyard/run";
/// The socket's name in its folder.
pub const SOCKET: &str = "s";

/// What the host asks of the helper.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Request {
    /// First of all: who commands run as, where, with what environment.
    Setup(Setup),
    /// Starts the image's own process.
    StartMain {
        argv: Vec<String>,
        user: User,
    },
    Exec(ExecRequest),
    Shell(ShellRequest),
    /// Starts a program that is talked with: answered by `Ok`, then by `Data`, `Taken`
    /// and at last `StreamEnded`, under the same id, as the three that follow are sent.
    Open {
        argv: Vec<String>,
        user: User,
    },
    /// Blob: more of its standard input; empty: no more comes.
    Feed,
    /// So many bytes of its output were taken, and as many more may come.
    Taken {
        bytes: u64,
    },
    /// Nobody talks with it any more: it has so long to end by itself.
    Close {
        patience_ms: u64,
    },
    Read {
        path: String,
        offset: u64,
        max: u64,
        user: User,
    },
    /// Blob: the content.
    Write {
        path: String,
        mode: Option<u32>,
        user: User,
    },
    KillAll,
    /// Stops everything but the helper.
    Freeze,
    /// Lets everything go on.
    Thaw,
    /// Ends what runs of a service and starts it.
    Serve {
        argv: Vec<String>,
        user: User,
    },
    /// How far a service is.
    Serving {
        argv: Vec<String>,
        port: u16,
    },
    /// Blob: NUL-separated absolute paths. Replies: `Data` frames, then `Packed`.
    Pack {
        bounds: PackBounds,
    },
    /// Blob: NUL-separated paths to remove. More `UnpackData` with the same id
    /// follow; one with an empty blob ends the stream and is answered.
    Unpack {
        root: String,
    },
    /// Blob: the next piece of the tar stream.
    UnpackData,
    Ping,
}

/// The frame of mind of a sandbox.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Setup {
    pub env: BTreeMap<String, String>,
    /// `USER` as the image or the task gives it; empty: root.
    pub user: String,
    pub workdir: String,
}

/// A program to run; the blob is its standard input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExecRequest {
    pub argv: Vec<String>,
    pub cwd: Option<String>,
    pub env: BTreeMap<String, String>,
    pub user: User,
    pub timeout_ms: u64,
    pub cap: u64,
    /// Bytes kept of the descriptor for records; 0: there is none.
    #[serde(default)]
    pub records_cap: u64,
}

/// A command for the persistent shell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShellRequest {
    pub interpreter: Interpreter,
    pub command: String,
    pub user: User,
    pub timeout_ms: u64,
    pub cap: u64,
}

/// What the helper answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Reply {
    /// To `Setup`.
    Ready {
        uid: u32,
        gid: u32,
        home: String,
    },
    /// To `Exec` and `Shell`; the blob holds the kept bytes in the order
    /// out head, out tail, err head, err tail, records head, records tail.
    Ran {
        ended: Ended,
        out: Lengths,
        err: Lengths,
        #[serde(default)]
        records: Lengths,
        elapsed_us: u64,
        left_running: bool,
        /// The shell is gone (it exited or was killed); the next call starts a new one.
        shell_ended: bool,
    },
    /// To `Read`; blob: the bytes.
    File {
        size: u64,
        mode: u32,
    },
    Killed {
        processes: u32,
    },
    Serving(Serving),
    /// A piece of a stream.
    Data,
    /// So many bytes of a standard input were taken, and as many more may come.
    Taken {
        bytes: u64,
    },
    /// The end of a program that was talked with; blob: what is kept of its standard error.
    StreamEnded {
        ended: Ended,
        said: Lengths,
    },
    /// The end of a tar stream; blob: NUL-separated `path`, `reason` pairs of what was left out.
    Packed,
    Ok,
    Refused(GuestError),
}

/// How many bytes of an output were kept and cut.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Lengths {
    pub head: u64,
    pub tail: u64,
    pub cut: u64,
}

/// Builds a frame.
pub fn encode<H: Serialize>(id: u32, header: &H, blob: &[u8]) -> io::Result<Vec<u8>> {
    let header = serde_json::to_vec(header)?;
    let length = 8 + header.len() + blob.len();
    if length > MAX_FRAME {
        return Err(too_large(length));
    }
    let mut frame = Vec::with_capacity(4 + length);
    frame.extend_from_slice(&(length as u32).to_be_bytes());
    frame.extend_from_slice(&id.to_be_bytes());
    frame.extend_from_slice(&(header.len() as u32).to_be_bytes());
    frame.extend_from_slice(&header);
    frame.extend_from_slice(blob);
    Ok(frame)
}

/// Takes the frame behind its length apart.
pub fn decode<H: DeserializeOwned>(mut rest: Vec<u8>) -> io::Result<(u32, H, Vec<u8>)> {
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_be_bytes(rest.get(at..at + 4)?.try_into().ok()?))
    };
    let (Some(id), Some(header_len)) = (word(0), word(4)) else {
        return Err(invalid("a frame is too short"));
    };
    let end = 8usize
        .checked_add(header_len as usize)
        .filter(|end| *end <= rest.len())
        .ok_or_else(|| invalid("a frame's header passes its end"))?;
    let header = serde_json::from_slice(&rest[8..end])?;
    let blob = rest.split_off(end);
    Ok((id, header, blob))
}

/// Checks a frame's length field.
pub fn frame_length(bytes: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_be_bytes(bytes) as usize;
    if !(8..=MAX_FRAME).contains(&length) {
        return Err(too_large(length));
    }
    Ok(length)
}

/// Reads one frame, blocking. `None` at a clean end of the stream.
pub fn read_frame<H: DeserializeOwned>(
    from: &mut impl Read,
) -> io::Result<Option<(u32, H, Vec<u8>)>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut rest = vec![0; frame_length(length)?];
    from.read_exact(&mut rest)?;
    decode(rest).map(Some)
}

/// Writes one frame, blocking.
pub fn write_frame<H: Serialize>(
    to: &mut impl Write,
    id: u32,
    header: &H,
    blob: &[u8],
) -> io::Result<()> {
    to.write_all(&encode(id, header, blob)?)
}

/// Joins paths for a blob.
pub fn join_paths<P: AsRef<[u8]>>(paths: impl IntoIterator<Item = P>) -> Vec<u8> {
    let mut blob = Vec::new();
    for path in paths {
        blob.extend_from_slice(path.as_ref());
        blob.push(0);
    }
    blob
}

/// Takes the paths of a blob apart.
pub fn split_paths(blob: &[u8]) -> impl Iterator<Item = &[u8]> {
    blob.split(|byte| *byte == 0)
        .filter(|path| !path.is_empty())
}

fn too_large(length: usize) -> io::Error {
    invalid(&format!("a frame of {length} bytes is out of bounds"))
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_as_it_went() {
        let frame = encode(7, &Request::Ping, b"blob").unwrap();
        let (id, request, blob) = read_frame::<Request>(&mut frame.as_slice())
            .unwrap()
            .unwrap();
        assert_eq!(id, 7);
        assert!(matches!(request, Request::Ping));
        assert_eq!(blob, b"blob");
    }

    #[test]
    fn a_hostile_length_is_refused_before_anything_is_allocated() {
        let mut frame: &[u8] = &[0xff; 12];
        assert!(read_frame::<Request>(&mut frame).is_err());
    }

    #[test]
    fn a_header_that_passes_the_frame_is_refused() {
        let mut rest = vec![0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
        rest.extend_from_slice(b"{}");
        assert!(decode::<Request>(rest).is_err());
    }
}
