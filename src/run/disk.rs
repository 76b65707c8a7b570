//! Durable writes: what is done here survives a power cut once it has returned.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use walkdir::WalkDir;

/// Writes a file whole: under a temporary name in the same folder, fsynced,
/// renamed, the folder fsynced. A reader sees the old file or the new one.
///
/// # Errors
/// Whatever the file system refuses; then the old file is still there.
pub fn write_atomic(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".writing-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes every regular file and folder below `root` durable; follows no link.
pub(super) fn sync_tree(root: &Path) -> io::Result<()> {
    for entry in WalkDir::new(root).follow_links(false).contents_first(true) {
        let entry = entry.map_err(io::Error::from)?;
        if entry.file_type().is_file() {
            let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
            let mut options = OpenOptions::new();
            let file = options.read(true).custom_flags(flags).open(entry.path())?;
            file.sync_all()?;
        } else if entry.file_type().is_dir() {
            sync_folder(entry.path())?;
        }
    }
    Ok(())
}

/// Removes a file or a folder with all that is in it; nothing there is well.
pub(super) fn remove_any(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(kind) if kind.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
