//! Paths of the host that a compose file names: inside the task's folder or
//! refused.

use std::path::{Component, Path, PathBuf};

/// The path that is meant, if it lies in `folder` when links are followed.
pub fn resolve(folder: &Path, base: &Path, written: &str) -> Option<PathBuf> {
    if written.contains('\0') || written.starts_with('~') {
        return None;
    }
    let mut path = match Path::new(written).is_absolute() {
        true => PathBuf::new(),
        false => base.to_path_buf(),
    };
    for part in Path::new(written).components() {
        match part {
            Component::ParentDir => {
                // As the system does: of a link, the folder that it leads to.
                path = path.canonicalize().unwrap_or(path);
                if !path.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    let there = path
        .ancestors()
        .find(|part| part.symlink_metadata().is_ok())?;
    let rest = path.strip_prefix(there).ok()?;
    // A link that leads nowhere is refused: nobody knows where it leads later.
    let real = there.canonicalize().ok()?;
    real.starts_with(folder)
        .then(|| match rest.as_os_str().is_empty() {
            true => real.clone(),
            false => real.join(rest),
        })
}
