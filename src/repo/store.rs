//! Repositories of our own: laid out by hand, so that no template, user or
//! host leaves a trace in them and no setting of the user's reaches them.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use git2::Repository;

use super::RepoError;

/// The branch of a prepared checkout.
pub const BRANCH: &str = "main";

/// What an agent finds in its repository. `checkStat` lets an index that holds
/// neither inode nor change time answer `git status` without reading content:
/// inode and change time are the preparer's, and other in an image layer.
const CHECKOUT_CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n\tcheckStat = minimal\n";

/// Of scratch repositories: what the user's own configuration could say
/// about content is said here, where it wins.
const SCRATCH_CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\tautocrlf = false\n\tsafecrlf = false\n\tsymlinks = true\n\tprecomposeunicode = false\n\tattributesFile = /dev/null\n\texcludesFile = /dev/null\n[diff]\n\tnoprefix = false\n\tmnemonicPrefix = false\n\tcontext = 3\n\tinterHunkContext = 0\n";

/// Makes the `.git` of a prepared checkout, without objects and with no commit yet.
pub fn lay_checkout(git_dir: &Path) -> Result<(), RepoError> {
    lay(git_dir, CHECKOUT_CONFIG)
}

/// Makes a bare repository for our own use; `objects` are another one's that it reads too.
pub fn lay_scratch(git_dir: &Path, objects: Option<&Path>) -> Result<Repository, RepoError> {
    lay(git_dir, SCRATCH_CONFIG)?;
    let info = git_dir.join("info");
    fs::create_dir(&info).map_err(RepoError::io("make", &info))?;
    // Wins over every other attributes file: content is compared as it is.
    write(
        &info.join("attributes"),
        b"* !diff !filter !text !ident !eol !crlf !working-tree-encoding\n",
    )?;
    if let Some(objects) = objects {
        let mut line = objects.as_os_str().as_bytes().to_vec();
        line.push(b'\n');
        write(&git_dir.join("objects/info/alternates"), &line)?;
    }
    open(git_dir)
}

/// Opens a repository of our own.
pub fn open(git_dir: &Path) -> Result<Repository, RepoError> {
    Repository::open_bare(git_dir).map_err(RepoError::git(format!(
        "open the repo {}",
        git_dir.display()
    )))
}

fn lay(git_dir: &Path, config: &str) -> Result<(), RepoError> {
    for folder in [
        "",
        "objects/info",
        "objects/pack",
        "refs/heads",
        "refs/tags",
    ] {
        let folder = git_dir.join(folder);
        fs::create_dir_all(&folder).map_err(RepoError::io("make", &folder))?;
    }
    let head = format!("ref: refs/heads/{BRANCH}\n");
    write(&git_dir.join("HEAD"), head.as_bytes())?;
    write(&git_dir.join("config"), config.as_bytes())
}

/// Writes a file that must not exist yet; mode 0644 whatever the umask.
pub fn write(path: &Path, content: &[u8]) -> Result<(), RepoError> {
    write_mode(path, content, 0o644)
}

/// Writes a file that must not exist yet; a link in its place is not followed.
pub fn write_mode(path: &Path, content: &[u8], mode: u32) -> Result<(), RepoError> {
    use std::os::unix::fs::PermissionsExt;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(RepoError::io("make", path))?;
    file.write_all(content)
        .map_err(RepoError::io("write", path))?;
    file.set_permissions(fs::Permissions::from_mode(mode))
        .map_err(RepoError::io("set the mode of", path))
}
