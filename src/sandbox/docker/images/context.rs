//! The context of a build: the files beside a Dockerfile, as a digest and as a tar.
//!
//! Owns which files belong to it (`.dockerignore`), their bounds and their order.
//! Links are carried as links and never followed; times and owners are fixed, so
//! that the same recipe gives the same image from every checkout.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use super::dockerignore::Dockerignore;
use super::error::ImageError;

/// Bounds on a context.
const MOST_ENTRIES: usize = 200_000;
const MOST_BYTES: u64 = 4 << 30;
const MOST_DEPTH: usize = 128;
const MOST_RULES: u64 = 1 << 20;

/// Time of every file in an image, 2000-01-01: old enough to be in the past,
/// young enough for formats that know no time before 1980.
const MTIME: u64 = 946_684_800;

/// The name under which the rewritten Dockerfile travels; the engine drops it
/// before the first step, since the `.dockerignore` that we send names it.
pub(super) const SENT_DOCKERFILE: &str = ".proofyard.Dockerfile";
const DOCKERIGNORE: &str = ".dockerignore";

/// The files of a context, in order.
#[derive(Debug, Clone)]
pub(super) struct Context {
    dir: PathBuf,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    path: PathBuf,
    /// Permission bits with set-uid, set-gid and sticky.
    mode: u32,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Folder,
    File { size: u64 },
    Link { to: PathBuf },
}

impl Context {
    /// Lists what belongs to the context in `dir`, but for `without` (absolute) and what
    /// lies below that.
    pub(super) fn read(dir: &Path, without: &[PathBuf]) -> Result<Self, ImageError> {
        let rules = rules(dir)?;
        let refuse = |message: String| ImageError::Context {
            dir: dir.to_owned(),
            message,
        };
        let mut entries = Vec::new();
        let mut bytes = 0_u64;
        let mut walk = WalkDir::new(dir)
            .min_depth(1)
            .max_depth(MOST_DEPTH + 1)
            .follow_links(false)
            .sort_by_file_name()
            .into_iter();
        while let Some(found) = walk.next() {
            let found = found.map_err(|error| refuse(error.to_string()))?;
            if found.depth() > MOST_DEPTH {
                return Err(refuse(format!("deeper than {MOST_DEPTH} folders")));
            }
            let path = found.path().strip_prefix(dir).unwrap_or(found.path());
            if without.iter().any(|left_out| left_out == found.path()) {
                if found.file_type().is_dir() {
                    walk.skip_current_dir();
                }
                continue;
            }
            if rules.excludes(path.as_os_str().as_bytes()) {
                if found.file_type().is_dir() && !rules.takes_back() {
                    walk.skip_current_dir();
                }
                continue;
            }
            let about = found
                .metadata()
                .map_err(|error| refuse(error.to_string()))?;
            let kind = if about.is_dir() {
                Kind::Folder
            } else if about.is_symlink() {
                let to = std::fs::read_link(found.path())
                    .map_err(|source| ImageError::host("reading the link", found.path(), source))?;
                Kind::Link { to }
            } else if about.is_file() {
                bytes = bytes.saturating_add(about.len());
                Kind::File { size: about.len() }
            } else {
                let path = path.display();
                return Err(refuse(format!(
                    "{path} is neither a file, a folder nor a link"
                )));
            };
            if entries.len() == MOST_ENTRIES || bytes > MOST_BYTES {
                let most = MOST_BYTES >> 30;
                return Err(refuse(format!(
                    "more than {MOST_ENTRIES} files or {most} GiB; a .dockerignore leaves files out"
                )));
            }
            entries.push(Entry {
                path: path.to_owned(),
                mode: about.mode() & 0o7777,
                kind,
            });
        }
        Ok(Self {
            dir: dir.to_owned(),
            entries,
        })
    }

    /// SHA-256 over path, kind, mode and content of every entry.
    pub(super) fn digest(&self) -> Result<[u8; 32], ImageError> {
        let mut hash = Sha256::new();
        for entry in &self.entries {
            entry.describe(&mut hash);
            if let Kind::File { size } = entry.kind {
                let mut reader = Hashed::new(self.open(entry)?, size, &mut hash);
                let copied = std::io::copy(&mut reader, &mut std::io::sink());
                self.whole(entry, size, copied)?;
            }
        }
        Ok(hash.finalize().into())
    }

    /// Writes the context with the Dockerfile that is sent as a tar, and returns
    /// the digest of what was written.
    pub(super) fn pack(&self, dockerfile: &str, out: impl Write) -> Result<[u8; 32], ImageError> {
        let mut hash = Sha256::new();
        let mut tar = tar::Builder::new(out);
        let mut sent_rules = format!("{SENT_DOCKERFILE}\n{DOCKERIGNORE}\n");
        let wrap = |source| ImageError::host("packing the context", &self.dir, source);
        for entry in &self.entries {
            entry.describe(&mut hash);
            let mut header = tar::Header::new_gnu();
            header.set_mode(entry.mode);
            header.set_mtime(MTIME);
            header.set_uid(0);
            header.set_gid(0);
            header.set_size(0);
            match &entry.kind {
                Kind::Folder => {
                    header.set_entry_type(tar::EntryType::Directory);
                    tar.append_data(&mut header, &entry.path, std::io::empty())
                        .map_err(wrap)?;
                }
                Kind::Link { to } => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    tar.append_link(&mut header, &entry.path, to)
                        .map_err(wrap)?;
                }
                Kind::File { size } if entry.path == Path::new(DOCKERIGNORE) => {
                    let mut text = Vec::new();
                    let mut reader = Hashed::new(self.open(entry)?, *size, &mut hash);
                    let copied = reader.read_to_end(&mut text).map(|read| read as u64);
                    self.whole(entry, *size, copied)?;
                    sent_rules = format!(
                        "{}\n{SENT_DOCKERFILE}\n",
                        String::from_utf8_lossy(&text).trim_end()
                    );
                }
                Kind::File { size } => {
                    header.set_entry_type(tar::EntryType::Regular);
                    header.set_size(*size);
                    let mut reader = Hashed::new(self.open(entry)?, *size, &mut hash);
                    let appended = tar.append_data(&mut header, &entry.path, &mut reader);
                    let read = reader.read;
                    self.whole(entry, *size, appended.map(|()| read))?;
                }
            }
        }
        for (name, text) in [
            (SENT_DOCKERFILE, dockerfile),
            (DOCKERIGNORE, sent_rules.as_str()),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_mtime(MTIME);
            header.set_size(text.len() as u64);
            tar.append_data(&mut header, name, text.as_bytes())
                .map_err(wrap)?;
        }
        let mut out = tar.into_inner().map_err(wrap)?;
        out.flush().map_err(wrap)?;
        Ok(hash.finalize().into())
    }

    fn open(&self, entry: &Entry) -> Result<File, ImageError> {
        let path = self.dir.join(&entry.path);
        OpenOptions::new()
            .read(true)
            // What was a file a moment ago may be a FIFO or a link now.
            .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)
            .open(&path)
            .map_err(|source| ImageError::host("reading", &path, source))
    }

    fn whole(
        &self,
        entry: &Entry,
        size: u64,
        copied: std::io::Result<u64>,
    ) -> Result<(), ImageError> {
        let path = self.dir.join(&entry.path);
        match copied {
            Ok(read) if read == size => Ok(()),
            Ok(_) => Err(ImageError::Context {
                dir: self.dir.clone(),
                message: format!("{} changed while it was read", entry.path.display()),
            }),
            Err(source) => Err(ImageError::host("reading", &path, source)),
        }
    }
}

impl Entry {
    /// Everything of the entry but its content, each part with its length.
    fn describe(&self, hash: &mut Sha256) {
        let (kind, rest): (&[u8], &[u8]) = match &self.kind {
            Kind::Folder => (b"d", b""),
            Kind::File { .. } => (b"f", b""),
            Kind::Link { to } => (b"l", to.as_os_str().as_bytes()),
        };
        // A link has no mode of its own.
        let mode = match self.kind {
            Kind::Link { .. } => 0,
            _ => self.mode,
        };
        let size = match self.kind {
            Kind::File { size } => size,
            _ => 0,
        };
        hash.update(kind);
        for part in [self.path.as_os_str().as_bytes(), rest] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(mode.to_be_bytes());
        hash.update(size.to_be_bytes());
    }
}

/// A reader of at most `size` bytes that hashes what it reads.
struct Hashed<'a> {
    from: std::io::Take<File>,
    hash: &'a mut Sha256,
    read: u64,
}

impl<'a> Hashed<'a> {
    fn new(from: File, size: u64, hash: &'a mut Sha256) -> Self {
        Self {
            from: from.take(size),
            hash,
            read: 0,
        }
    }
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.read += read as u64;
        Ok(read)
    }
}

fn rules(dir: &Path) -> Result<Dockerignore, ImageError> {
    let path = dir.join(DOCKERIGNORE);
    let mut text = String::new();
    match File::open(&path) {
        Ok(file) => file
            .take(MOST_RULES)
            .read_to_string(&mut text)
            .map_err(|source| ImageError::host("reading", &path, source))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(source) => return Err(ImageError::host("reading", &path, source)),
    };
    Dockerignore::parse(&text).map_err(|(line, message)| ImageError::Dockerfile {
        file: path,
        line,
        message,
    })
}
