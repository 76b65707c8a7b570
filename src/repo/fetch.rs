//! Repos by url: the host's `git` program fetches into a bare mirror of ours,
//! with no configuration but its own defaults and no way to ask anyone.

use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use git2::Oid;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use sha2::{Digest, Sha256};
use wait_timeout::ChildExt;

use super::prepare::lock;
use super::{RepoError, store};

/// How long one fetch may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(1800);
/// Where the mirror keeps what the remote's HEAD was.
const REMOTE_HEAD: &str = "refs/proofyard/head";

/// The host's variables that a fetch may need: how to reach the world, whom to trust.
const KEPT: [&str; 18] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_PROXY_SSL_CAINFO",
    "HTTP_PROXY",
];

/// Which tags a fetch brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tags {
    /// Those of commits that it brings.
    Of,
    /// Those that it names.
    Named,
}

/// A mirror of one url, below the cache; made when first fetched into.
pub struct Mirror {
    url: String,
    git_dir: PathBuf,
}

impl Mirror {
    pub fn new(url: &str, cache: &Path) -> Self {
        // Mirrors of earlier versions have commits without their tags.
        let of = format!("{url}\0tags");
        let key = format!("{:x}", HexOf(Sha256::digest(of.as_bytes()).as_slice()));
        Self {
            url: url.to_owned(),
            git_dir: cache.join("mirrors").join(format!("{key}.git")),
        }
    }

    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Fetches, and returns the commit that the remote's HEAD names.
    pub fn fetch_head(&self) -> Result<Oid, RepoError> {
        let (_lock, repo) = self.open()?;
        self.fetch(Tags::Of, &[&format!("+HEAD:{REMOTE_HEAD}")])?;
        repo.find_reference(REMOTE_HEAD)
            .and_then(|head| head.peel_to_commit())
            .map(|commit| commit.id())
            .map_err(RepoError::git(format!(
                "find the HEAD of {}",
                without_secret(&self.url)
            )))
    }

    /// Makes sure that the mirror has a commit: as it is, else after asking for
    /// the commit itself, else after fetching every branch and tag.
    pub fn fetch_commit(&self, commit: Oid) -> Result<(), RepoError> {
        let (_lock, repo) = self.open()?;
        let has = || {
            let refreshed = repo.odb().and_then(|odb| odb.refresh());
            refreshed.is_ok() && repo.find_commit(commit).is_ok()
        };
        if has() {
            return Ok(());
        }
        // By its id it comes with its ancestors and their tags alone; a server may refuse
        // that. Tags come along with what is given a name.
        let named = format!("+{commit}:refs/proofyard/{commit}");
        if self.fetch(Tags::Of, &[&named]).is_ok() && has() {
            return Ok(());
        }
        let all = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        self.fetch(Tags::Named, &all)?;
        if has() {
            return Ok(());
        }
        Err(RepoError::NoCommit {
            commit: commit.to_string(),
            place: without_secret(&self.url),
        })
    }

    fn open(&self) -> Result<(super::prepare::Lock, git2::Repository), RepoError> {
        let parent = self.git_dir.parent().unwrap_or(&self.git_dir);
        fs::create_dir_all(parent).map_err(RepoError::io("make", parent))?;
        let lock = lock(&self.git_dir.with_extension("lock"))?;
        if !self.git_dir.exists() {
            let part = self.git_dir.with_extension("part");
            if part.exists() {
                fs::remove_dir_all(&part).map_err(RepoError::io("remove", &part))?;
            }
            drop(store::lay_scratch(&part, None)?);
            fs::rename(&part, &self.git_dir).map_err(RepoError::io("name", &self.git_dir))?;
        }
        Ok((lock, store::open(&self.git_dir)?))
    }

    fn fetch(&self, tags: Tags, refspecs: &[&str]) -> Result<(), RepoError> {
        let fail = |message: String| RepoError::Fetch {
            url: without_secret(&self.url),
            message: message.replace(&self.url, &without_secret(&self.url)),
        };
        let mut said = tempfile::tempfile().map_err(RepoError::io("make", &self.git_dir))?;
        let err = said
            .try_clone()
            .map_err(RepoError::io("open", &self.git_dir))?;
        let mut command = git(&self.git_dir);
        command
            .args([
                "-c",
                "credential.helper=",
                "-c",
                "gc.auto=0",
                "-c",
                "maintenance.auto=false",
            ])
            .args(["fetch", "--quiet", "--no-write-fetch-head"])
            .args((tags == Tags::Named).then_some("--no-tags"))
            .arg("--")
            .arg(&self.url)
            .args(refspecs)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(err);
        let mut child = command
            .spawn()
            .map_err(|source| RepoError::NoGit { source })?;
        let ended = child
            .wait_timeout(FETCH_TIMEOUT)
            .map_err(|error| fail(error.to_string()))?;
        let Some(status) = ended else {
            // The group: git has started programs of its own.
            let group = Pid::from_raw(child.id().cast_signed());
            if killpg(group, Signal::SIGKILL).is_err() {
                tracing::warn!("git was gone before it was killed");
            }
            child.wait().map_err(|error| fail(error.to_string()))?;
            return Err(fail(format!(
                "not done after {} s",
                FETCH_TIMEOUT.as_secs()
            )));
        };
        if status.success() {
            return Ok(());
        }
        Err(fail(last_words(&mut said)))
    }
}

/// The host's git over a repository of ours, with no configuration but its defaults and
/// no way to ask anyone; in a process group of its own.
fn git(git_dir: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .env_clear()
        .envs(
            KEPT.iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ASKPASS", "true"),
            ("SSH_ASKPASS", "true"),
            ("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
            ("GIT_ALLOW_PROTOCOL", "https:http:ssh:git:file"),
            ("LC_ALL", "C"),
        ])
        .arg("--git-dir")
        .arg(git_dir)
        .process_group(0);
    command
}

/// Packs a commit and all that it stands on into `folder`; whether that was done. What a
/// failed attempt left there is gone.
pub fn pack(git_dir: &Path, head: Oid, folder: &Path) -> bool {
    let mut command = git(git_dir);
    command
        .args(["pack-objects", "--revs", "--delta-base-offset", "-q"])
        .arg(folder.join("pack"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut done = || -> std::io::Result<bool> {
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            std::io::Write::write_all(&mut stdin, format!("{head}\n").as_bytes())?;
        }
        match child.wait_timeout(FETCH_TIMEOUT)? {
            Some(status) => Ok(status.success()),
            None => {
                let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
                child.wait().map(|_| false)
            }
        }
    };
    let done = done().unwrap_or(false);
    if !done {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let _ = fs::remove_file(entry.path());
        }
    }
    done
}

/// The end of what git said, for people.
fn last_words(said: &mut fs::File) -> String {
    use std::io::{Seek, SeekFrom};
    let mut text = Vec::new();
    let read = said
        .seek(SeekFrom::Start(0))
        .and_then(|_| said.take(1 << 16).read_to_end(&mut text));
    let text: String = String::from_utf8_lossy(&text)
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    match read {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "git said nothing of why".to_owned(),
    }
}

/// A url without the name and password that may stand in it.
pub fn without_secret(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let host_ends = rest.find('/').unwrap_or(rest.len());
    match rest[..host_ends].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// Bytes as lower-case hex.
pub struct HexOf<'bytes>(pub &'bytes [u8]);

impl std::fmt::LowerHex for HexOf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
