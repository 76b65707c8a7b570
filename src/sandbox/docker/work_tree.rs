//! A prepared checkout inside a sandbox: shared read-only under an overlay of the
//! sandbox's own, where this host is the engine's and we are root on it; else as
//! a layer of an image made once.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::program;
use crate::sandbox::{Change, ChangeKind};

/// Mounting and copying of sparse files takes milliseconds; this is for a sick machine.
const BOUND: Duration = Duration::from_secs(30);

/// The upper side of a sandbox's overlay, on a file system of bounded size where
/// that can be had.
#[derive(Debug)]
pub struct Upper {
    folder: PathBuf,
    mounted: bool,
}

impl Upper {
    /// Makes it below `scratch`, of `bytes`, owned like the checkout.
    pub fn create(scratch: &Path, state: &Path, bytes: u64, like: &Path) -> io::Result<Self> {
        let folder = scratch.join("work");
        fs::create_dir_all(&folder)?;
        let mounted = mount_sized(&folder, scratch, state, bytes).is_ok();
        let upper = Self { folder, mounted };
        let owner = fs::metadata(like)?;
        for name in ["upper", "work"] {
            fs::create_dir(upper.folder.join(name))?;
        }
        let top = upper.upper();
        std::os::unix::fs::chown(&top, Some(owner.uid()), Some(owner.gid()))?;
        fs::set_permissions(&top, owner.permissions())?;
        Ok(upper)
    }

    /// What the agent wrote, as the overlay keeps it.
    pub fn upper(&self) -> PathBuf {
        self.folder.join("upper")
    }

    /// Whether the file system has a size of its own; else it wants watching.
    pub fn is_sized(&self) -> bool {
        self.mounted
    }

    /// Options of the engine's volume driver.
    pub fn volume_options(&self, lower: &Path) -> Option<HashMap<String, String>> {
        let (lower, upper, work) = (lower.to_str()?, self.upper(), self.folder.join("work"));
        let (upper, work) = (upper.to_str()?, work.to_str()?);
        // The characters that separate the options cannot be escaped by the engine.
        if [lower, upper, work]
            .iter()
            .any(|path| path.contains([',', ':', '\\']))
        {
            return None;
        }
        // Without redirects and metacopies the upper side holds whole files only.
        let options = format!(
            "lowerdir={lower},upperdir={upper},workdir={work},redirect_dir=off,metacopy=off,index=off"
        );
        Some(HashMap::from([
            ("type".to_owned(), "overlay".to_owned()),
            ("device".to_owned(), "overlay".to_owned()),
            ("o".to_owned(), options),
        ]))
    }

    /// Takes it away; the engine's mount over it must be gone.
    pub fn remove(&self) -> io::Result<()> {
        if self.mounted {
            unmount(&self.folder)?;
        }
        Ok(())
    }
}

/// Unmounts, waiting out a moment in which the engine still holds it.
pub fn unmount(folder: &Path) -> io::Result<()> {
    let mut last: io::Result<()> = Ok(());
    for _ in 0..40 {
        match nix::mount::umount2(folder, nix::mount::MntFlags::empty()) {
            Ok(()) | Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENOENT) => return Ok(()),
            Err(error) => last = Err(error.into()),
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    // It goes when the last user does; nothing new can reach it.
    nix::mount::umount2(folder, nix::mount::MntFlags::MNT_DETACH).or(last)?;
    Ok(())
}

/// A file system of a fixed size in a sparse file, from a template made once per size.
fn mount_sized(folder: &Path, scratch: &Path, state: &Path, bytes: u64) -> io::Result<()> {
    let mib = bytes.div_ceil(1 << 20).max(16);
    let templates = state.join("templates");
    let template = templates.join(format!("ext4-{mib}.img"));
    if !template.exists() {
        fs::create_dir_all(&templates)?;
        let making = templates.join(format!("making-{:016x}", rand::random::<u64>()));
        fs::File::create(&making)?.set_len(mib << 20)?;
        let path = making.to_string_lossy().into_owned();
        // One inode for 16 KiB, as a source tree wants; no journal, since nothing survives.
        let made = program::run(
            &[
                "mkfs.ext4",
                "-q",
                "-F",
                "-O",
                "^has_journal",
                "-i",
                "16384",
                "-m",
                "0",
                "-E",
                "lazy_itable_init=1,nodiscard",
                &path,
            ],
            BOUND,
        );
        made.and_then(|()| fs::rename(&making, &template))
            .inspect_err(|_| {
                let _ = fs::remove_file(&making);
            })?;
    }
    let image = scratch.join("work.img");
    let (template, image_text) = (template.to_string_lossy(), image.to_string_lossy());
    program::run(
        &[
            "cp",
            "--sparse=always",
            "--reflink=auto",
            &template,
            &image_text,
        ],
        BOUND,
    )?;
    let folder = folder.to_string_lossy();
    program::run(
        &[
            "mount",
            "-t",
            "ext4",
            "-o",
            "loop,noatime,nodev,nosuid",
            &image_text,
            &folder,
        ],
        BOUND,
    )?;
    // The mount holds the file; its name is not needed, and so cannot be left behind.
    fs::remove_file(&image)
}

/// What an overlay's upper side says of its tree, as paths below `root`; looks no
/// further than `most` of them. Nothing is opened and no link is followed.
///
/// # Errors
/// `Unsupported` where a folder is a redirect to another one of the lower side,
/// whose content the upper side does not show.
pub fn changes(upper: &Path, root: &str, most: usize) -> io::Result<Vec<Change>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(upper.join(&folder))? {
            let entry = entry?;
            let relative = folder.join(entry.file_name());
            if found.len() >= most {
                return Ok(found);
            }
            let meta = entry.metadata()?;
            let mut path = root.trim_end_matches('/').as_bytes().to_vec();
            path.push(b'/');
            path.extend_from_slice(relative.as_os_str().as_bytes());
            let kind = meta.file_type();
            if kind.is_char_device() && meta.rdev() == 0 {
                found.push(Change {
                    path,
                    kind: ChangeKind::Deleted,
                });
                continue;
            }
            if kind.is_dir() {
                let marks = Marks::of(&entry.path());
                if marks.redirect {
                    return Err(io::ErrorKind::Unsupported.into());
                }
                if marks.opaque {
                    found.push(Change {
                        path: path.clone(),
                        kind: ChangeKind::Deleted,
                    });
                }
                folders.push(relative);
            }
            found.push(Change {
                path,
                kind: ChangeKind::Modified,
            });
        }
    }
    Ok(found)
}

/// What an overlay notes of a folder of its upper side, in attributes that only
/// root of this host can set.
struct Marks {
    /// It hides the one below it altogether.
    opaque: bool,
    /// It shows another one of the lower side.
    redirect: bool,
}

impl Marks {
    fn of(folder: &Path) -> Self {
        let mark = |name: &str| xattr::get(folder, name).ok().flatten();
        Self {
            opaque: mark("trusted.overlay.opaque").is_some_and(|value| value == b"y"),
            redirect: mark("trusted.overlay.redirect").is_some(),
        }
    }
}

/// Bytes on disk below a folder, counting at most `most` entries.
pub fn disk_usage(folder: &Path, most: usize) -> u64 {
    let entries = walkdir::WalkDir::new(folder)
        .follow_links(false)
        .same_file_system(true)
        .into_iter();
    entries
        .take(most)
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .map(|meta| meta.blocks() * 512)
        .sum()
}
