//! Changes as tar streams: packed from the sandbox, unpacked into a pristine one.
//!
//! Contents cross in pieces, within bounds. Packing opens nothing that is not a
//! regular file and follows no link; unpacking replaces what is in the way.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use nix::libc;

use super::refuse;
use super::sparse::Map;
use crate::sandbox::spec::PackBounds;
use crate::sandbox::wire::{self, Reply};
use crate::sandbox::{GuestError, GuestErrorKind};

/// Packs the named entries; the outer error is the connection's.
pub fn pack(
    paths: &[u8],
    bounds: PackBounds,
    to: &mut impl Write,
    id: u32,
) -> io::Result<Result<Vec<u8>, GuestError>> {
    let mut skipped = Vec::new();
    let mut left = bounds;
    let mut builder = tar::Builder::new(Frames {
        to,
        id,
        buffer: Vec::with_capacity(wire::CHUNK),
    });
    builder.mode(tar::HeaderMode::Complete);
    let named = wire::split_paths(paths).flat_map(candidates);
    for path in named.flat_map(|path| with_below(path, bounds.deep)) {
        let Some(entries) = left.entries.checked_sub(1) else {
            return Ok(Err(too_large(format!(
                "more than {} entries",
                bounds.entries
            ))));
        };
        left.entries = entries;
        match pack_one(&mut builder, &path, &mut left) {
            Ok(None) => {}
            Ok(Some(reason)) => {
                skipped.extend_from_slice(path.as_os_str().as_bytes());
                skipped.push(0);
                skipped.extend_from_slice(reason.as_bytes());
                skipped.push(0);
            }
            Err(PackError::Bound) => {
                return Ok(Err(too_large(format!("more than {} bytes", bounds.bytes))));
            }
            Err(PackError::Connection(error)) => return Err(error),
        }
    }
    builder.into_inner()?.flush()?;
    Ok(Ok(skipped))
}

/// An entry, and all below it where that is asked for; never through a link.
fn with_below(path: PathBuf, deep: bool) -> Box<dyn Iterator<Item = PathBuf>> {
    if !deep {
        return Box::new(std::iter::once(path));
    }
    let walk = walkdir::WalkDir::new(path)
        .follow_root_links(false)
        .sort_by_file_name();
    // What cannot be looked into is left out, as what vanishes meanwhile.
    Box::new(walk.into_iter().flatten().map(walkdir::DirEntry::into_path))
}

fn too_large(what: String) -> GuestError {
    GuestError {
        kind: GuestErrorKind::TooLarge,
        message: what,
    }
}

enum PackError {
    Bound,
    Connection(io::Error),
}

/// Packs one entry; a reason where it was left out.
fn pack_one(
    builder: &mut tar::Builder<impl Write>,
    path: &Path,
    left: &mut PackBounds,
) -> Result<Option<String>, PackError> {
    let Ok(meta) = path.symlink_metadata() else {
        return Ok(None);
    };
    let Ok(name) = path.strip_prefix("/") else {
        return Ok(None);
    };
    if name.as_os_str().is_empty() {
        return Ok(None);
    }
    let mut header = tar::Header::new_gnu();
    header.set_mode(meta.mode() & 0o7777);
    header.set_uid(meta.uid().into());
    header.set_gid(meta.gid().into());
    header.set_mtime(meta.mtime().max(0) as u64);
    header.set_size(0);
    let kind = meta.file_type();
    let connection = PackError::Connection;
    if kind.is_dir() {
        header.set_entry_type(tar::EntryType::Directory);
        builder
            .append_data(&mut header, name, io::empty())
            .map_err(connection)?;
    } else if kind.is_symlink() {
        header.set_entry_type(tar::EntryType::Symlink);
        match fs::read_link(path) {
            Ok(target) => builder
                .append_link(&mut header, name, target)
                .map_err(connection)?,
            Err(error) => return Ok(Some(error.to_string())),
        }
    } else if kind.is_file() {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path);
        let file = match file {
            Ok(file) => file,
            Err(error) => return Ok(Some(error.to_string())),
        };
        let map = match left.holes {
            true => Map::of(&file, meta.len()),
            false => Ok(None),
        };
        let map = match map {
            Ok(map) => map,
            Err(error) => return Ok(Some(error.to_string())),
        };
        let size = map.as_ref().map_or(meta.len(), Map::data);
        left.bytes = left.bytes.checked_sub(size).ok_or(PackError::Bound)?;
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(size);
        let appended = match &map {
            Some(map) => {
                let records = map.records();
                let records = records.iter().map(|(key, value)| (*key, value.as_bytes()));
                builder
                    .append_pax_extensions(records)
                    .and_then(|()| builder.append_data(&mut header, name, map.take(&file)))
            }
            // Exactly as many bytes as the header says, whatever becomes of the file.
            None => {
                let content = file.chain(io::repeat(0)).take(size);
                builder.append_data(&mut header, name, content)
            }
        };
        appended.map_err(connection)?;
    } else {
        return Ok(Some("neither a file, a folder nor a link".into()));
    }
    Ok(None)
}

/// A path as the engine names it; where its name is not UTF-8 the engine gives
/// a replacement character, and every entry that reads like it is meant.
fn candidates(path: &[u8]) -> Vec<PathBuf> {
    let path = PathBuf::from(OsStr::from_bytes(path));
    let text = path.to_string_lossy().into_owned();
    if !text.contains('\u{fffd}') || path.symlink_metadata().is_ok() {
        return vec![path];
    }
    let mut found = vec![PathBuf::from("/")];
    for part in text.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for folder in &found {
            let exact = folder.join(part);
            if exact.symlink_metadata().is_ok() {
                next.push(exact);
            } else if let Ok(entries) = fs::read_dir(folder) {
                next.extend(
                    entries
                        .flatten()
                        .filter(|entry| entry.file_name().to_string_lossy() == part)
                        .map(|entry| entry.path()),
                );
            }
        }
        found = next;
    }
    found
}

/// Cuts what is written into `Data` frames.
struct Frames<'a, W: Write> {
    to: &'a mut W,
    id: u32,
    buffer: Vec<u8>,
}

impl<W: Write> Write for Frames<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(wire::CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == wire::CHUNK {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            wire::write_frame(self.to, self.id, &Reply::Data, &self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}

/// A tar stream on its way into the sandbox. The reading side runs in a thread
/// of its own, since the tar reader pulls and frames are pushed; it exists only
/// while a stream is under way, in sandboxes where nothing else runs yet.
pub struct Unpacking {
    feed: mpsc::SyncSender<Vec<u8>>,
    thread: JoinHandle<Result<(), GuestError>>,
}

impl Unpacking {
    /// Removes what is to go and makes ready for the stream.
    pub fn begin(root: &str, delete: &[u8]) -> Result<Self, GuestError> {
        let root = PathBuf::from(root);
        fs::create_dir_all(&root)
            .map_err(|error| refuse(&format!("make {}", root.display()), &error))?;
        for path in wire::split_paths(delete) {
            let path = inside(Path::new("/"), Path::new(OsStr::from_bytes(path)))?;
            remove(&path).map_err(|error| refuse(&format!("remove {}", path.display()), &error))?;
        }
        let (feed, pieces) = mpsc::sync_channel::<Vec<u8>>(4);
        let thread = std::thread::spawn(move || {
            unpack(
                &root,
                Pieces {
                    pieces,
                    now: io::Cursor::new(Vec::new()),
                },
            )
        });
        Ok(Self { feed, thread })
    }

    /// The next piece; where the reader has given up, the end will say why.
    pub fn feed(&mut self, piece: &[u8]) {
        let _ = self.feed.send(piece.to_vec());
    }

    pub fn finish(self) -> Result<Reply, GuestError> {
        drop(self.feed);
        match self.thread.join() {
            Ok(done) => done.map(|()| Reply::Ok),
            Err(_) => Err(GuestError {
                kind: GuestErrorKind::Other,
                message: "the stream could not be unpacked".into(),
            }),
        }
    }
}

struct Pieces {
    pieces: mpsc::Receiver<Vec<u8>>,
    now: io::Cursor<Vec<u8>>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.now.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.pieces.recv() {
                Ok(piece) => self.now = io::Cursor::new(piece),
                Err(_) => return Ok(0),
            }
        }
    }
}

fn unpack(root: &Path, pieces: Pieces) -> Result<(), GuestError> {
    let mut archive = tar::Archive::new(pieces);
    let unread = |error: io::Error| refuse("read the stream", &error);
    let mut folders = Vec::new();
    for entry in archive.entries().map_err(unread)? {
        let mut entry = entry.map_err(unread)?;
        let name = PathBuf::from(std::ffi::OsString::from_vec(
            entry.path_bytes().into_owned(),
        ));
        let path = inside(root, &name)?;
        let laid = lay(&mut entry, &path, &mut folders);
        laid.map_err(|error| refuse(&format!("lay {}", path.display()), &error))?;
    }
    // Times of folders last, since every entry laid into one changes them.
    for (path, mtime) in folders.into_iter().rev() {
        set_mtime(&path, mtime);
    }
    Ok(())
}

fn lay(
    entry: &mut tar::Entry<'_, Pieces>,
    path: &Path,
    folders: &mut Vec<(PathBuf, u64)>,
) -> io::Result<()> {
    let header = entry.header().clone();
    let (mode, mtime) = (header.mode()? & 0o7777, header.mtime()?);
    let (uid, gid) = (header.uid()? as u32, header.gid()? as u32);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let there = path.symlink_metadata().ok();
    match header.entry_type() {
        tar::EntryType::Directory => {
            if !there.as_ref().is_some_and(|meta| meta.is_dir()) {
                if there.is_some() {
                    fs::remove_file(path)?;
                }
                fs::create_dir(path)?;
            }
            std::os::unix::fs::lchown(path, Some(uid), Some(gid))?;
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
            folders.push((path.to_owned(), mtime));
        }
        tar::EntryType::Symlink => {
            remove(path)?;
            let target = entry
                .link_name_bytes()
                .map(|target| target.into_owned())
                .unwrap_or_default();
            symlink(OsStr::from_bytes(&target), path)?;
            std::os::unix::fs::lchown(path, Some(uid), Some(gid))?;
        }
        tar::EntryType::Regular | tar::EntryType::Continuous => {
            // Never written through what is there: it may be a link, or running.
            remove(path)?;
            let mut file: File = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?;
            match Map::read(entry)? {
                Some(map) => map.lay(entry, &mut file)?,
                None => drop(io::copy(entry, &mut file)?),
            }
            std::os::unix::fs::fchown(&file, Some(uid), Some(gid))?;
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            drop(file);
            set_mtime(path, mtime);
        }
        other => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("an entry of type {other:?}"),
            ));
        }
    }
    Ok(())
}

/// Joins a relative path of a stream to its root; nothing leads out of it.
fn inside(root: &Path, name: &Path) -> Result<PathBuf, GuestError> {
    let relative = name.strip_prefix("/").unwrap_or(name);
    let plain = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !plain {
        return Err(GuestError {
            kind: GuestErrorKind::Invalid,
            message: format!(
                "the path {} leads out of {}",
                name.display(),
                root.display()
            ),
        });
    }
    Ok(root.join(relative))
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(())
        }
        removed => removed,
    }
}

fn set_mtime(path: &Path, mtime: u64) {
    use nix::sys::stat::{UtimensatFlags, utimensat};
    use nix::sys::time::TimeSpec;
    let time = TimeSpec::new(mtime as i64, 0);
    // A time that cannot be set changes no verdict.
    let _ = utimensat(
        nix::fcntl::AT_FDCWD,
        path,
        &time,
        &time,
        UtimensatFlags::NoFollowSymlink,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_a_stream_leads_out() {
        assert!(inside(Path::new("/app"), Path::new("../etc/passwd")).is_err());
        assert_eq!(
            inside(Path::new("/app"), Path::new("/a/b")).unwrap(),
            Path::new("/app/a/b")
        );
    }

    #[test]
    fn what_is_packed_can_be_laid_elsewhere() {
        let from = tempfile::tempdir().unwrap();
        let to = tempfile::tempdir().unwrap();
        let file = from.path().join("file");
        fs::write(&file, b"content").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o750)).unwrap();
        symlink("../../etc/passwd", from.path().join("link")).unwrap();
        nix::unistd::mkfifo(&from.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        fs::write(
            from.path().join(OsStr::from_bytes(b"odd\xff\nname")),
            b"odd",
        )
        .unwrap();
        let paths = fs::read_dir(from.path())
            .unwrap()
            .map(|entry| entry.unwrap().path().into_os_string().into_vec());
        let mut sent = Vec::new();
        let skipped = pack(
            &wire::join_paths(paths),
            PackBounds::default(),
            &mut sent,
            1,
        )
        .unwrap()
        .unwrap();
        assert!(String::from_utf8_lossy(&skipped).contains("fifo"));

        let old = to.path().join("gone");
        fs::write(&old, b"").unwrap();
        let mut unpacking = Unpacking::begin(
            to.path().to_str().unwrap(),
            &wire::join_paths([old.as_os_str().as_bytes()]),
        )
        .unwrap();
        let mut frames = sent.as_slice();
        while let Some((_, _, blob)) = wire::read_frame::<Reply>(&mut frames).unwrap() {
            unpacking.feed(&blob);
        }
        unpacking.finish().unwrap();
        let laid = to.path().join(from.path().strip_prefix("/").unwrap());
        assert!(!old.exists());
        assert_eq!(fs::read(laid.join("file")).unwrap(), b"content");
        assert_eq!(
            fs::metadata(laid.join("file")).unwrap().mode() & 0o777,
            0o750
        );
        assert_eq!(
            fs::read_link(laid.join("link")).unwrap(),
            Path::new("../../etc/passwd")
        );
        assert_eq!(
            fs::read(laid.join(OsStr::from_bytes(b"odd\xff\nname"))).unwrap(),
            b"odd"
        );
    }

    #[test]
    fn a_bound_is_a_refusal() {
        let from = tempfile::tempdir().unwrap();
        let file = from.path().join("file");
        fs::write(&file, vec![0; 100]).unwrap();
        let bounds = PackBounds {
            bytes: 99,
            entries: 10,
            holes: false,
            deep: false,
        };
        let refused = pack(
            &wire::join_paths([file.as_os_str().as_bytes()]),
            bounds,
            &mut Vec::new(),
            1,
        )
        .unwrap();
        assert_eq!(refused.unwrap_err().kind, GuestErrorKind::TooLarge);
    }
}
