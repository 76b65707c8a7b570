//! A new task: small, but it works, to start from.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::TaskError;

/// What kind of task is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Files in a sandbox are what the agent works on.
    Terminal,
    /// A repository is what the agent works on.
    Repo,
}

const TERMINAL: &[(&str, &str)] = &[
    ("task.toml", include_str!("template/terminal/task.toml")),
    (
        "instruction.md",
        include_str!("template/terminal/instruction.md"),
    ),
    (
        "environment/Dockerfile",
        include_str!("template/terminal/environment/Dockerfile"),
    ),
    (
        "environment/access.log",
        include_str!("template/terminal/environment/access.log"),
    ),
    (
        "solution/solve.sh",
        include_str!("template/terminal/solution/solve.sh"),
    ),
    (
        "tests/test_outputs.py",
        include_str!("template/terminal/tests/test_outputs.py"),
    ),
];

const REPO: &[(&str, &str)] = &[
    ("task.toml", include_str!("template/repo/task.toml")),
    (
        "instruction.md",
        include_str!("template/repo/instruction.md"),
    ),
    (
        "environment/Dockerfile",
        include_str!("template/repo/environment/Dockerfile"),
    ),
    (
        "repo/titles.py",
        include_str!("template/repo/repo/titles.py"),
    ),
    (
        "solution/solve.sh",
        include_str!("template/repo/solution/solve.sh"),
    ),
    (
        "solution/fix.patch",
        include_str!("template/repo/solution/fix.patch"),
    ),
    (
        "tests/files/test_titles.py",
        include_str!("template/repo/tests/files/test_titles.py"),
    ),
];

/// Writes a new task, all of it or nothing; returns its files, relative to `dir`.
///
/// # Errors
/// The folder is there and not empty, its name cannot be a task's, or it cannot
/// be written.
pub fn scaffold(dir: &Path, kind: Kind) -> Result<Vec<PathBuf>, TaskError> {
    let name = task_name(dir)?;
    let wrong = |source| TaskError::Write {
        path: dir.to_path_buf(),
        source,
    };
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(TaskError::Exists {
                    path: dir.to_path_buf(),
                });
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(wrong(error)),
    }
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(wrong)?;
    let draft = tempfile::Builder::new()
        .prefix(".proofyard-new-")
        .tempdir_in(parent)
        .map_err(wrong)?;
    let files = match kind {
        Kind::Terminal => TERMINAL,
        Kind::Repo => REPO,
    };
    for (path, text) in files {
        write(&draft.path().join(path), &text.replace("{{name}}", &name)).map_err(wrong)?;
    }
    // The temporary folder is private; a task is as open as what umask gives.
    fs::set_permissions(draft.path(), fs::Permissions::from_mode(0o755)).map_err(wrong)?;
    fs::rename(draft.path(), dir).map_err(wrong)?;
    // It is at its place now: there is nothing left for the guard to remove.
    let _ = draft.keep();
    Ok(files.iter().map(|(path, _)| PathBuf::from(path)).collect())
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text)?;
    if path.extension().is_some_and(|extension| extension == "sh") {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    fs::File::open(path)?.sync_all()
}

/// `suite/task`: the last two folders of the path, `local` where there is but one.
fn task_name(dir: &Path) -> Result<String, TaskError> {
    let absolute = std::path::absolute(dir).map_err(|source| TaskError::Write {
        path: dir.to_path_buf(),
        source,
    })?;
    let part = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let name = part(dir).unwrap_or_else(|| dir.display().to_string());
    if !is_part(&name) {
        return Err(TaskError::FolderName { name });
    }
    let suite = absolute
        .parent()
        .and_then(part)
        .filter(|suite| is_part(suite))
        .unwrap_or_else(|| "local".to_string());
    Ok(format!("{suite}/{name}"))
}

fn is_part(name: &str) -> bool {
    name.starts_with(|sign: char| sign.is_ascii_alphanumeric())
        && !name.contains("..")
        && name
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || "._-".contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Runner, load};

    #[test]
    fn what_is_written_loads_as_a_task_without_a_warning() {
        for (kind, tests) in [(Kind::Terminal, 2), (Kind::Repo, 5)] {
            let root = tempfile::tempdir().unwrap();
            let dir = root.path().join("mine/first");
            let files = scaffold(&dir, kind).unwrap();
            assert!(files.iter().all(|file| dir.join(file).is_file()));
            let task = load(&dir).unwrap();
            assert_eq!(task.id.as_str(), "mine/first");
            assert_eq!(task.verification.runner, Runner::Pytest);
            assert_eq!(task.expected().count(), tests);
            assert!(task.solution.is_some() && task.ours());
            assert_eq!(task.warnings, Vec::<String>::new());
        }
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("mine");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("notes"), "mine").unwrap();
        let error = scaffold(&dir, Kind::Repo).unwrap_err();
        assert!(matches!(error, TaskError::Exists { .. }));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_empty_folder_is_filled() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("mine");
        fs::create_dir(&dir).unwrap();
        scaffold(&dir, Kind::Terminal).unwrap();
        assert!(dir.join("task.toml").is_file());
    }
}
