//! Files of the sandbox: read with bounds, written whole.
//!
//! The file system checks are those of the user on whose behalf it is done: the
//! helper changes its file system identity for the time of the call, which also
//! takes root's override away.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::{Gid, Uid, setfsgid, setfsuid};

use super::refuse;
use super::users::Identity;
use crate::sandbox::wire::Reply;
use crate::sandbox::{GuestError, GuestErrorKind};

/// While it lives, file system calls are made as a user.
struct As;

impl As {
    fn user(who: &Identity) -> Self {
        // Groups first: once the user is not root, they could not be changed.
        let groups: Vec<Gid> = who.groups.iter().copied().map(Gid::from_raw).collect();
        let _ = nix::unistd::setgroups(&groups);
        setfsgid(Gid::from_raw(who.gid));
        setfsuid(Uid::from_raw(who.uid));
        Self
    }
}

impl Drop for As {
    fn drop(&mut self) {
        setfsuid(Uid::from_raw(0));
        setfsgid(Gid::from_raw(0));
        let _ = nix::unistd::setgroups(&[Gid::from_raw(0)]);
    }
}

/// Reads a piece of a regular file.
pub fn read(
    path: &Path,
    offset: u64,
    max: u64,
    who: &Identity,
) -> Result<(Reply, Vec<u8>), GuestError> {
    let _as = As::user(who);
    let doing = || format!("read {}", path.display());
    let mut file = open_regular(path)
        .map_err(|error| error.unwrap_or_else(|error| refuse(&doing(), &error)))?;
    let fail = |error: io::Error| refuse(&doing(), &error);
    let meta = file.metadata().map_err(fail)?;
    if offset > 0 {
        file.seek(SeekFrom::Start(offset)).map_err(fail)?;
    }
    let mut content = Vec::new();
    file.take(max).read_to_end(&mut content).map_err(fail)?;
    Ok((
        Reply::File {
            size: meta.len(),
            mode: meta.mode() & 0o7777,
        },
        content,
    ))
}

/// Opens a regular file without waiting for anything; devices and FIFO are refused.
fn open_regular(path: &Path) -> Result<File, Result<GuestError, io::Error>> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .map_err(Err)?;
    let kind = file.metadata().map_err(Err)?.file_type();
    if !kind.is_file() {
        return Err(Ok(not_regular(path, kind)));
    }
    match is_of_this_process(&file).map_err(Err)? {
        true => Err(Err(io::Error::from(nix::errno::Errno::EACCES))),
        false => Ok(file),
    }
}

/// Whether it is what the kernel tells of this very process: what is closed to
/// everybody else in the sandbox is not to be had by asking us.
fn is_of_this_process(file: &File) -> io::Result<bool> {
    let opened = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    Ok(opened.starts_with(format!("/proc/{}", std::process::id())))
}

fn not_regular(path: &Path, kind: fs::FileType) -> GuestError {
    use std::os::unix::fs::FileTypeExt;
    let what = if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    GuestError {
        kind: GuestErrorKind::NotRegular,
        message: format!("{} is {what}, not a regular file", path.display()),
    }
}

/// Writes a file whole: to a temporary name beside it, then renamed. Missing
/// folders are made; an existing file keeps its mode, a link is followed.
pub fn write(
    path: &Path,
    content: &[u8],
    mode: Option<u32>,
    who: &Identity,
) -> Result<Reply, GuestError> {
    let _as = As::user(who);
    let doing = || format!("write {}", path.display());
    let fail = |error: io::Error| refuse(&doing(), &error);
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let before = match fs::metadata(&target) {
        Ok(meta) if meta.is_file() => Some(meta),
        Ok(meta) => return Err(not_regular(path, meta.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(fail(error)),
    };
    let folder = target.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).map_err(fail)?;
    // Where the file is there but its folder is not writable, it is written in place.
    let temporary = temporary_name(&target);
    let mode = mode
        .or(before.as_ref().map(|meta| meta.mode() & 0o7777))
        .unwrap_or(0o644);
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&temporary)?;
        file.write_all(content)?;
        if let Some(before) = &before {
            // A file of somebody else stays theirs where that may be done.
            let _ = std::os::unix::fs::fchown(&file, Some(before.uid()), Some(before.gid()));
        }
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        fs::rename(&temporary, &target)
    })();
    match written {
        Ok(()) => Ok(Reply::Ok),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && before.is_some() => {
            fs::write(&target, content).map_err(fail)?;
            Ok(Reply::Ok)
        }
        Err(error) => {
            let _ = fs::remove_file(&temporary);
            Err(fail(error))
        }
    }
}

fn temporary_name(target: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".proofyard");
    target.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Identity {
        Identity {
            uid: nix::unistd::getuid().as_raw(),
            gid: nix::unistd::getgid().as_raw(),
            groups: vec![nix::unistd::getgid().as_raw()],
            home: "/".into(),
            name: "me".into(),
        }
    }

    #[test]
    fn a_fifo_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let refused = read(&fifo, 0, 10, &me()).unwrap_err();
        assert_eq!(refused.kind, GuestErrorKind::NotRegular);
        let refused = read(Path::new("/dev/zero"), 0, 10, &me()).unwrap_err();
        assert_eq!(refused.kind, GuestErrorKind::NotRegular);
    }

    #[test]
    fn what_is_told_of_this_process_is_refused_by_every_name() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/proc/self/environ", &link).unwrap();
        let own = format!("/proc/{0}/task/{0}/maps", std::process::id());
        for path in [Path::new("/proc/self/environ"), Path::new(&own), &link] {
            let refused = read(path, 0, 10, &me()).unwrap_err();
            assert_eq!(refused.kind, GuestErrorKind::Permission, "{refused}");
        }
        assert!(read(Path::new("/proc/meminfo"), 0, 10, &me()).is_ok());
    }

    #[test]
    fn a_written_file_keeps_its_mode_and_leaves_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/script");
        write(&path, b"one", Some(0o755), &me()).unwrap();
        write(&path, b"two", None, &me()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o755);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_piece_is_read_with_the_size_of_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, b"0123456789").unwrap();
        let (reply, content) = read(&path, 2, 3, &me()).unwrap();
        assert_eq!(content, b"234");
        assert!(matches!(reply, Reply::File { size: 10, .. }));
    }
}
