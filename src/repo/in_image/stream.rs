//! The tar stream of a work tree: its `.git` as files of our own, and its other files.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use git2::Oid;
use tar::EntryType;

use crate::repo::{RepoError, names};

/// Most entries that are looked at.
const MAX_ENTRIES: usize = 4_000_000;
/// Largest tracked file, bytes.
const MAX_FILE: u64 = 1 << 30;
/// Largest text of git's own: HEAD, packed names, the list of cut-off commits.
const MAX_TEXT: u64 = 64 << 20;
/// Most names of branches, tags and remotes.
const MAX_REFS: usize = 500_000;

/// A file of a work tree.
pub struct File<'a> {
    pub kind: Kind<'a>,
    /// Of its last change, since 1970.
    pub seconds: i64,
}

pub enum Kind<'a> {
    File { executable: bool, content: &'a [u8] },
    Link(&'a [u8]),
}

#[derive(Debug)]
pub enum StreamError {
    /// What is wrong with the stream.
    Read(String),
    /// What its reader met.
    Repo(RepoError),
}

impl From<std::io::Error> for StreamError {
    fn from(error: std::io::Error) -> Self {
        StreamError::Read(error.to_string())
    }
}

/// What of a `.git` is taken over.
enum Part<'a> {
    /// A loose object or a pack, as it lies below `objects`.
    Object(&'a [u8]),
    Head,
    Packed,
    /// A name below `refs`.
    Ref(&'a [u8]),
    Shallow,
    Other,
}

fn part(path: &[u8]) -> Part<'_> {
    match path {
        b"HEAD" => return Part::Head,
        b"packed-refs" => return Part::Packed,
        b"shallow" => return Part::Shallow,
        _ => {}
    }
    if let Some(name) = path.strip_prefix(b"refs/") {
        return Part::Ref(name);
    }
    match path.strip_prefix(b"objects/") {
        Some(below) if is_object(below) => Part::Object(below),
        _ => Part::Other,
    }
}

/// `ab/<38 hex>`, `pack/pack-<hex>.pack` or its index; alternates and the rest are none.
fn is_object(below: &[u8]) -> bool {
    let hex = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_hexdigit);
    match below.strip_prefix(b"pack/pack-") {
        Some(pack) => [&b".pack"[..], b".idx"]
            .iter()
            .any(|ending| pack.strip_suffix(*ending).is_some_and(hex)),
        None => below.len() == 41 && below[2] == b'/' && hex(&below[..2]) && hex(&below[3..]),
    }
}

/// Copies the objects of the stream's `.git` into a bare repository of our own, with its
/// tags; the commit at its HEAD, where that names one.
pub fn git_dir(tar: &mut (impl Read + Seek), to: &Path) -> Result<Option<Oid>, String> {
    let mut found = Names::default();
    let walked = entries(tar, |path, entry| {
        let Some(inner) = path.strip_prefix(b".git/") else {
            if path == b".git" && entry.header().entry_type() != EntryType::Directory {
                let why = "its .git is no folder; a linked work tree cannot be used";
                return Err(StreamError::Read(why.into()));
            }
            return Ok(());
        };
        let kind = entry.header().entry_type();
        if !matches!(
            kind,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse
        ) {
            return Ok(());
        }
        match part(inner) {
            Part::Object(below) => {
                let below = std::ffi::OsStr::from_bytes(below);
                let to = to.join("objects").join(below);
                if let Some(folder) = to.parent() {
                    fs::create_dir_all(folder)?;
                }
                std::io::copy(entry, &mut fs::File::create(&to)?)?;
            }
            Part::Head => found.head = text(entry)?,
            Part::Packed => found.packed = text(entry)?,
            Part::Ref(name) if found.loose.len() < MAX_REFS => {
                let name = String::from_utf8_lossy(name).into_owned();
                let id = text(entry)?.trim().to_owned();
                found.loose.push((format!("refs/{name}"), id));
            }
            Part::Shallow => {
                let cut = text(entry)?;
                fs::write(to.join("shallow"), cut)?;
            }
            Part::Ref(_) | Part::Other => {}
        }
        Ok(())
    });
    walked.map_err(|error| match error {
        StreamError::Read(message) => message,
        StreamError::Repo(error) => error.to_string(),
    })?;
    if found.head.is_empty() {
        return Err("there is no .git with a HEAD".into());
    }
    let tags = found.tags();
    if !tags.is_empty() {
        fs::write(to.join("packed-refs"), tags).map_err(|error| error.to_string())?;
    }
    Ok(found.commit())
}

/// The names of a repository, as its files have them.
#[derive(Default)]
struct Names {
    head: String,
    packed: String,
    loose: Vec<(String, String)>,
}

impl Names {
    /// What HEAD names, by way of a branch or at once.
    fn commit(&self) -> Option<Oid> {
        let head = self.head.trim();
        let Some(name) = head.strip_prefix("ref:") else {
            return Oid::from_str(head).ok();
        };
        let id = self.all().find(|(known, _)| *known == name.trim());
        Oid::from_str(id?.1).ok()
    }

    /// Loose names win over packed ones.
    fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let loose = self.loose.iter();
        let packed = self.packed.lines().filter_map(|line| {
            let (id, name) = line.split_once(' ')?;
            (id.len() == 40).then_some((name.trim(), id))
        });
        loose
            .map(|(name, id)| (name.as_str(), id.as_str()))
            .chain(packed)
    }

    /// Tags as a file of packed names.
    fn tags(&self) -> String {
        let plain = |name: &str| {
            let odd =
                |sign: char| sign.is_control() || sign.is_whitespace() || "~^:?*[\\".contains(sign);
            !name.contains("..")
                && !name.contains("@{")
                && !name.contains(odd)
                && !name.ends_with(".lock")
        };
        let mut tags: std::collections::BTreeMap<&str, &str> = Default::default();
        for (name, id) in self.all().take(MAX_REFS) {
            if name.starts_with("refs/tags/")
                && plain(name)
                && Oid::from_str(id).is_ok()
                && id.len() == 40
            {
                tags.entry(name).or_insert(id);
            }
        }
        tags.iter()
            .map(|(name, id)| format!("{id} {name}\n"))
            .collect()
    }
}

/// Hands over each file and link that is not below a `.git`.
pub fn work_tree(
    tar: &mut (impl Read + Seek),
    mut each: impl FnMut(&[u8], File<'_>) -> Result<(), RepoError>,
) -> Result<(), StreamError> {
    // Hard links of the stream name their content by an earlier entry.
    let mut linked: std::collections::HashMap<Vec<u8>, (bool, Vec<u8>)> = Default::default();
    let wanted = hard_linked(tar)?;
    entries(tar, |path, entry| {
        if names::has_dot_git(path) {
            return Ok(());
        }
        let seconds = i64::try_from(entry.header().mtime()?).unwrap_or(i64::MAX);
        let executable = entry.header().mode()? & 0o100 != 0;
        let mut content = Vec::new();
        let file = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                if entry.size() > MAX_FILE {
                    return Ok(());
                }
                entry.read_to_end(&mut content)?;
                if wanted.contains(path) {
                    linked.insert(path.to_vec(), (executable, content.clone()));
                }
                Kind::File {
                    executable,
                    content: &content,
                }
            }
            EntryType::Symlink => {
                content = entry.link_name_bytes().unwrap_or_default().into_owned();
                Kind::Link(&content)
            }
            EntryType::Link => {
                let target = entry.link_name_bytes().unwrap_or_default();
                let Some((executable, content)) =
                    below_top(&target).and_then(|path| linked.get(&path))
                else {
                    return Ok(());
                };
                Kind::File {
                    executable: *executable,
                    content,
                }
            }
            _ => return Ok(()),
        };
        each(
            path,
            File {
                kind: file,
                seconds,
            },
        )
        .map_err(StreamError::Repo)
    })
}

/// What hard links of the stream lead to.
fn hard_linked(
    tar: &mut (impl Read + Seek),
) -> Result<std::collections::HashSet<Vec<u8>>, StreamError> {
    let mut found = std::collections::HashSet::new();
    entries(tar, |_, entry| {
        if entry.header().entry_type() == EntryType::Link {
            let target = entry.link_name_bytes().unwrap_or_default();
            found.extend(below_top(&target));
        }
        Ok(())
    })?;
    Ok(found)
}

/// A path without its first part, which the engine names the folder by.
fn below_top(path: &[u8]) -> Option<Vec<u8>> {
    let whole = names::normal(path).ok()?;
    let at = whole.iter().position(|byte| *byte == b'/')?;
    Some(whole[at + 1..].to_vec())
}

fn entries<R: Read + Seek>(
    tar: &mut R,
    mut each: impl FnMut(&[u8], &mut tar::Entry<'_, &mut R>) -> Result<(), StreamError>,
) -> Result<(), StreamError> {
    tar.seek(SeekFrom::Start(0))?;
    let mut archive = tar::Archive::new(tar);
    for (count, entry) in archive.entries()?.enumerate() {
        if count == MAX_ENTRIES {
            return Err(StreamError::Read(format!(
                "it has more than {MAX_ENTRIES} entries"
            )));
        }
        let mut entry = entry?;
        let path = below_top(&entry.path_bytes());
        if let Some(path) = path.filter(|path| !path.is_empty()) {
            each(&path, &mut entry)?;
        }
    }
    Ok(())
}

fn text(entry: &mut impl Read) -> Result<String, StreamError> {
    let mut text = Vec::new();
    entry.take(MAX_TEXT).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
