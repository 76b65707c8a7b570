//! Files that nothing in a sandbox can write: read-only mounts over themselves, made
//! from this host in the sandbox's own mount namespace.
//!
//! Root in a sandbox has no `CAP_SYS_ADMIN`, so it can take no mount away. Contents are
//! laid by the helper as ever; no path, name or order of mounts says what they are.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

/// Mounts that are made at most. Ten take a tenth of a millisecond, five thousand more
/// than a second; the kernel's own bound is 100,000.
const MOST: usize = 5_000;

/// A sandbox's mount namespace.
pub struct Space(File);

impl Space {
    /// That of a process, by its number on this host. None of ours: what is mounted
    /// there would be mounted for everybody.
    pub fn of(pid: i32) -> io::Result<Self> {
        let space = File::open(format!("/proc/{pid}/ns/mnt"))?;
        let ours = File::open("/proc/self/ns/mnt")?;
        match space.metadata()?.ino() == ours.metadata()?.ino() {
            true => Err(io::Error::other("it shares the mounts of this host")),
            false => Ok(Self(space)),
        }
    }

    /// Holds files, and folders with all below them; says whether it was all of them
    /// that are there.
    pub fn hold(self, paths: Vec<String>) -> io::Result<bool> {
        // A thread of its own, since it never comes back from there.
        let thread = std::thread::Builder::new().spawn(move || {
            unshare(CloneFlags::CLONE_FS)?;
            setns(&self.0, CloneFlags::CLONE_NEWNS)?;
            hold(&paths)
        })?;
        let held = thread.join();
        held.unwrap_or_else(|_| Err(io::Error::other("the thread that mounts ended early")))
    }
}

fn hold(paths: &[String]) -> io::Result<bool> {
    let (mut pins, mut whole) = (BTreeSet::new(), true);
    let mut there = Vec::new();
    for path in paths.iter().map(Path::new) {
        match above(path) {
            Ok(folders) => {
                pins.extend(folders);
                there.push(path);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => whole = false,
        }
    }
    if pins.len() + there.len() > MOST {
        return Ok(false);
    }
    // A mount goes along when a folder above it is renamed. What is mounted on cannot be
    // renamed, so every such folder gets a mount of itself; outer ones first, since one
    // hides what was mounted below it before.
    let none = None::<&str>;
    for pin in pins {
        mount(
            Some(pin),
            pin,
            none,
            MsFlags::MS_BIND | MsFlags::MS_REC,
            none,
        )?;
    }
    let read_only = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    for path in there {
        mount(Some(path), path, none, MsFlags::MS_BIND, none)?;
        let again = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | read_only;
        mount(none, path, none, again, none)?;
    }
    Ok(whole)
}

/// The folders above a file or a folder that is there, but for the root.
///
/// # Errors
/// `NotFound` where nothing is there; another error where a link is on the way, which
/// could be bent, or where it is neither a file nor a folder.
fn above(path: &Path) -> io::Result<Vec<&Path>> {
    let meta = path.symlink_metadata()?;
    let folders = path.ancestors().skip(1);
    let folders: Vec<&Path> = folders.filter(|path| path.parent().is_some()).collect();
    let mut plain = path.is_absolute() && (meta.is_file() || meta.is_dir());
    for folder in &folders {
        plain &= folder.symlink_metadata()?.is_dir();
    }
    match plain {
        true => Ok(folders),
        false => Err(io::Error::other("it cannot be held where it is")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_behind_a_link_is_not_held() {
        let tree = tempfile::tempdir().unwrap();
        let at = |name: &str| tree.path().join(name);
        std::fs::create_dir(at("tests")).unwrap();
        std::fs::write(at("tests/test_a.py"), "").unwrap();
        std::os::unix::fs::symlink("tests", at("link")).unwrap();
        std::os::unix::fs::symlink("test_a.py", at("tests/other.py")).unwrap();
        let kind = |name: &str| above(&at(name)).map_err(|error| error.kind()).err();
        assert_eq!(kind("tests/test_a.py"), None);
        assert_eq!(kind("link/test_a.py"), Some(io::ErrorKind::Other));
        assert_eq!(kind("tests/other.py"), Some(io::ErrorKind::Other));
        assert_eq!(kind("tests/test_b.py"), Some(io::ErrorKind::NotFound));
        let file = at("tests/test_a.py");
        assert_eq!(above(&file).unwrap()[0], at("tests"));
        assert!(!above(&file).unwrap().contains(&Path::new("/")));
    }

    #[test]
    fn nothing_is_mounted_where_this_program_runs() {
        assert!(Space::of(std::process::id() as i32).is_err());
        assert!(Space::of(i32::MAX).is_err());
    }
}
