//! Artifacts as taken: without rights and without links that lead out of them, as a
//! change for a separate verifier and as files beside the trial's record.

use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use super::CONVENTION;
use crate::run::trial::capture::is_below;
use crate::run::write_atomic;
use crate::task::{Artifact, PathGlobs};

/// Where a separate verifier has its own.
const VERIFIERS: [&str; 3] = ["/tests", "/logs/verifier", "/verifier"];

/// Artifacts, as taken.
#[derive(Default)]
pub struct Taken {
    pub artifacts: Vec<One>,
    pub warnings: Vec<String>,
}

/// One artifact.
pub struct One {
    artifact: Artifact,
    /// Absolute, in its sandbox.
    source: String,
    /// Entries with paths from the root; empty where nothing is there.
    tar: Vec<u8>,
    folder: bool,
    status: Status,
}

/// A line of the manifest, as Harbor writes it.
#[derive(Serialize)]
struct Listed<'a> {
    source: &'a str,
    destination: String,
    r#type: &'static str,
    status: Status,
    service: Option<&'a str>,
    exclude: &'a [String],
}

/// What became of an artifact.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Failed,
    Empty,
}

impl Taken {
    /// Adds what was found at a source; entries have paths from the root.
    pub fn add(&mut self, artifact: Artifact, source: String, tar: &[u8]) {
        let globs = match PathGlobs::new(&artifact.exclude, "/") {
            Ok(globs) => globs,
            Err(error) => {
                self.warnings.push(format!(
                    "nothing of the artifact {source} is excluded: {error}"
                ));
                PathGlobs::default()
            }
        };
        let (tar, folder, refused) = match clean(tar, &source, &globs) {
            Ok(cleaned) => cleaned,
            Err(error) => {
                self.warnings
                    .push(format!("the artifact {source}: {error}"));
                (Vec::new(), false, 0)
            }
        };
        if refused > 0 {
            self.warnings.push(format!(
                "{refused} entries of the artifact {source} were left out: devices, or links that leave it"
            ));
        }
        let status = match tar.is_empty() {
            true => Status::Empty,
            false => Status::Ok,
        };
        self.artifacts.push(One {
            artifact,
            source,
            tar,
            folder,
            status,
        });
    }

    /// Adds what the engine gave of a source, with entries named from its last part.
    pub fn add_named(&mut self, artifact: Artifact, source: String, tar: &[u8]) -> io::Result<()> {
        let tar = rooted(tar, &source)?;
        self.add(artifact, source, &tar);
        Ok(())
    }

    /// Adds one that could not be taken, and why.
    pub fn fail(&mut self, artifact: Artifact, source: String, why: String) {
        self.warnings.push(why);
        self.artifacts.push(One {
            artifact,
            source,
            tar: Vec::new(),
            folder: false,
            status: Status::Failed,
        });
    }

    /// What a separate verifier is given: folders that go first, then all entries.
    /// Nothing of it lies where the verifier has its own.
    pub fn change(&self) -> io::Result<(Vec<Vec<u8>>, Vec<u8>)> {
        let mut deleted = Vec::new();
        let mut tar = tar::Builder::new(Vec::new());
        for one in self.artifacts.iter().filter(|one| !one.tar.is_empty()) {
            let own = VERIFIERS
                .iter()
                .any(|own| is_below(one.source.as_bytes(), own));
            if own {
                continue;
            }
            if one.folder && one.source != "/" {
                deleted.push(one.source.clone().into_bytes());
            }
            copy(&one.tar, &mut tar, |path| {
                let absolute = [b"/", path.as_os_str().as_bytes()].concat();
                let own = VERIFIERS.iter().any(|own| is_below(&absolute, own));
                (!own).then(|| path.to_owned())
            })?;
        }
        Ok((deleted, tar.into_inner()?))
    }

    /// Writes files and a manifest below `dir`; nothing where nothing was found.
    pub fn keep(&self, dir: &Path) -> io::Result<()> {
        let empty = |one: &One| one.source == CONVENTION && !has_files(&one.tar);
        let mut kept: Vec<PathBuf> = Vec::new();
        let mut listed = Vec::new();
        for one in &self.artifacts {
            let place = one.place();
            // Of two that would lie in one place the first is kept.
            let taken = kept
                .iter()
                .any(|other| place.starts_with(other) || other.starts_with(&place));
            let status = match (one.status, has_files(&one.tar)) {
                (Status::Ok, false) => Status::Empty,
                (status, _) => status,
            };
            if !taken && status == Status::Ok {
                write_files(one, &dir.join(&place))?;
                kept.push(place.clone());
            }
            listed.push(Listed {
                source: &one.artifact.source,
                destination: format!("artifacts/{}", place.display()),
                r#type: if one.folder { "directory" } else { "file" },
                status,
                service: one.artifact.service.as_deref(),
                exclude: &one.artifact.exclude,
            });
        }
        if self.artifacts.iter().all(empty) {
            return Ok(());
        }
        fs::create_dir_all(dir)?;
        let json = serde_json::to_vec_pretty(&listed)?;
        write_atomic(&dir.join("manifest.json"), &json)
            .map_err(|error| io::Error::other(error.to_string()))
    }
}

impl One {
    /// Where it is kept, below the folder of artifacts.
    fn place(&self) -> PathBuf {
        let named = self.artifact.destination.as_deref();
        plain(Path::new(named.unwrap_or(&self.source)))
    }
}

/// The parts of a path that are names.
fn plain(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect()
}

/// The engine names entries from the last part of what was asked for: as paths from the
/// root.
fn rooted(tar: &[u8], source: &str) -> io::Result<Vec<u8>> {
    let mut out = tar::Builder::new(Vec::new());
    if tar.is_empty() {
        return Ok(Vec::new());
    }
    let parent = plain(Path::new(source).parent().unwrap_or(Path::new("")));
    copy(tar, &mut out, |path| Some(parent.join(plain(path))))?;
    out.into_inner()
}

fn has_files(tar: &[u8]) -> bool {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries();
    entries.is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| !entry.header().entry_type().is_dir())
    })
}

/// Without what is excluded, with modes that grant no rights, and without links that
/// leave the artifact; whether it is a folder, and how many entries were refused.
fn clean(tar: &[u8], source: &str, exclude: &PathGlobs) -> io::Result<(Vec<u8>, bool, usize)> {
    let root = plain(Path::new(source));
    let (mut out, mut folder, mut refused, mut any) =
        (tar::Builder::new(Vec::new()), false, 0, false);
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let below = path.strip_prefix(&root).unwrap_or(&path).to_owned();
        if is_excluded(&below, exclude) {
            continue;
        }
        let mut header = entry.header().clone();
        header.set_mode(header.mode()? & 0o777);
        any = true;
        if header.entry_type().is_dir() {
            folder |= below.as_os_str().is_empty();
            header.set_size(0);
            out.append_data(&mut header, &path, io::empty())?;
        } else if let Some(target) = entry.link_name()? {
            let target = target.into_owned();
            match stays(&below, &target) {
                true => out.append_link(&mut header, &path, &target)?,
                false => refused += 1,
            }
        } else {
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            header.set_size(content.len() as u64);
            out.append_data(&mut header, &path, content.as_slice())?;
        }
    }
    let tar = match any {
        true => out.into_inner()?,
        false => Vec::new(),
    };
    Ok((tar, folder, refused))
}

/// As `tar --exclude` has it: a pattern that matches the path, or any part of it from
/// there to its end, leaves out an entry and all below it.
fn is_excluded(below: &Path, globs: &PathGlobs) -> bool {
    let parts: Vec<_> = below.components().collect();
    (0..parts.len()).any(|end| {
        (0..=end).any(|begin| {
            let piece: PathBuf = parts[begin..=end].iter().collect();
            globs.names(&format!("/{}", piece.display()))
        })
    })
}

/// Whether a link, from its place in the artifact, leads to something in it.
fn stays(link: &Path, target: &Path) -> bool {
    if target.is_absolute() {
        return false;
    }
    let mut depth = link.components().count() as i64 - 1;
    for part in target.components() {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    true
}

fn copy(
    tar: &[u8],
    to: &mut tar::Builder<Vec<u8>>,
    named: impl Fn(&Path) -> Option<PathBuf>,
) -> io::Result<()> {
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        let Some(path) = named(&entry.path()?) else {
            continue;
        };
        let mut header = entry.header().clone();
        match entry.link_name()? {
            Some(target) => to.append_link(&mut header, &path, target)?,
            None => to.append_data(&mut header, &path, &mut entry)?,
        }
    }
    Ok(())
}

/// Writes the regular files of an artifact: no link of an agent's comes to this host.
fn write_files(one: &One, to: &Path) -> io::Result<()> {
    let root = plain(Path::new(&one.source));
    for entry in tar::Archive::new(one.tar.as_slice()).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let below = plain(path.strip_prefix(&root).unwrap_or(&path));
        let target = match below.as_os_str().is_empty() {
            true => to.to_owned(),
            false => to.join(below),
        };
        if entry.header().entry_type().is_dir() {
            fs::create_dir_all(&target)?;
        } else if entry.header().entry_type().is_file() {
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            io::copy(&mut entry, &mut fs::File::create(&target)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries of an agent's; links as `name>target`, folders with `/` at their end.
    fn tar(entries: &[&str]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for entry in entries {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o4755);
            header.set_size(0);
            if let Some((name, target)) = entry.split_once('>') {
                header.set_entry_type(tar::EntryType::Symlink);
                tar.append_link(&mut header, name, target).unwrap();
            } else if let Some(name) = entry.strip_suffix('/') {
                header.set_entry_type(tar::EntryType::Directory);
                tar.append_data(&mut header, name, io::empty()).unwrap();
            } else {
                header.set_size(2);
                tar.append_data(&mut header, entry, &b"hi"[..]).unwrap();
            }
        }
        tar.into_inner().unwrap()
    }

    fn artifact(source: &str, exclude: &[&str]) -> Artifact {
        Artifact {
            source: source.to_owned(),
            destination: None,
            exclude: exclude.iter().map(|one| (*one).to_owned()).collect(),
            service: None,
        }
    }

    fn taken(source: &str, exclude: &[&str], entries: &[&str]) -> Taken {
        let mut taken = Taken::default();
        let tar = tar(entries);
        taken.add(artifact(source, exclude), source.to_owned(), &tar);
        taken
    }

    fn names(tar: &[u8]) -> Vec<String> {
        let mut archive = tar::Archive::new(tar);
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            assert_eq!(entry.header().mode().unwrap() & 0o7000, 0);
            entry.path().unwrap().display().to_string()
        });
        entries.collect()
    }

    #[test]
    fn links_that_leave_and_set_uid_bits_do_not_cross() {
        let entries = [
            "app/",
            "app/a",
            "app/in>a",
            "app/out>../etc",
            "app/abs>/etc",
        ];
        let taken = taken("/app", &[], &entries);
        let (deleted, tar) = taken.change().unwrap();
        assert_eq!(deleted, [b"/app".to_vec()]);
        assert_eq!(names(&tar), ["app", "app/a", "app/in"]);
        assert!(taken.warnings[0].starts_with("2 entries"));
    }

    #[test]
    fn what_is_excluded_stays_with_all_below_it() {
        let entries = [
            "app/",
            "app/a.log",
            "app/node_modules/",
            "app/node_modules/x",
            "app/b",
        ];
        let taken = taken("/app", &["*.log", "node_modules"], &entries);
        let (_, tar) = taken.change().unwrap();
        assert_eq!(names(&tar), ["app", "app/b"]);
    }

    #[test]
    fn a_pattern_that_is_none_is_told() {
        let taken = taken("/app", &["[a"], &["app/", "app/a"]);
        assert!(taken.warnings[0].contains("`[a`"), "{:?}", taken.warnings);
        let (_, tar) = taken.change().unwrap();
        assert_eq!(names(&tar), ["app", "app/a"]);
    }

    #[test]
    fn nothing_takes_the_place_of_what_is_the_verifiers() {
        let entries = ["tests/", "tests/test.sh"];
        let (deleted, tar) = taken("/tests", &[], &entries).change().unwrap();
        assert!(deleted.is_empty() && names(&tar).is_empty());
        let entries = ["tests/test.sh", "app/a"];
        let (_, tar) = taken("/", &[], &entries).change().unwrap();
        assert_eq!(names(&tar), ["app/a"]);
    }

    #[test]
    fn files_are_kept_below_their_source_and_no_link_is() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("artifacts");
        let entries = ["app/", "app/a", "app/in>a"];
        taken("/app", &[], &entries).keep(&to).unwrap();
        assert_eq!(fs::read(to.join("app/a")).unwrap(), b"hi");
        assert!(to.join("app/in").symlink_metadata().is_err());
        let manifest = fs::read_to_string(to.join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest[0]["destination"], "artifacts/app");
        assert_eq!(manifest[0]["status"], "ok");
        assert_eq!(manifest[0]["type"], "directory");
    }

    #[test]
    fn where_nothing_is_there_nothing_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("artifacts");
        taken(CONVENTION, &[], &["logs/artifacts/"])
            .keep(&to)
            .unwrap();
        assert!(!to.exists());
        taken("/app/gone", &[], &[]).keep(&to).unwrap();
        assert!(to.join("manifest.json").is_file());
    }
}
