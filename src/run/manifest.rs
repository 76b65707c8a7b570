//! `manifest.json`: the digests of stored files that no longer change.
//!
//! Owns what a manifest covers and how one is written and read. A trial's is the
//! last file that is written to its folder before the folder gets its name, and its
//! digest stands in the journal; the run's, written when nothing runs any more, has
//! every file of the run. Must not know what is in the files, nor who signs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use super::journal;
use super::stored::{GIVEN, JOURNAL, PLAN, TRIALS};
use crate::record::{Digest, RunId, RunRecord, TrialId, hex};

/// The schema that this version writes.
pub const MANIFEST_SCHEMA: &str = "proofyard/manifest/1";

pub(super) const MANIFEST: &str = "manifest.json";
/// The raw ed25519 signature of the run's manifest, 64 bytes.
pub(super) const SIGNATURE: &str = "manifest.sig";
/// Scores and labels that may be recomputed at any time; in no manifest.
pub(super) const DERIVED: &str = "derived";
/// What a damaged end of the journal is kept in.
pub(super) const TORN: &str = "results.jsonl.torn";

/// A manifest, of a trial or of a run.
///
/// Nothing stands in it that cannot be checked against something else: a byte of it
/// that is changed is as visible as one of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `proofyard/manifest/1`.
    pub schema: String,
    pub run: RunId,
    /// None in the run's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialId>,
    /// The public key that `manifest.sig` is of: hex, 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// By path relative to the manifest's folder.
    pub files: BTreeMap<String, FileDigest>,
}

/// A file's content in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

impl FileDigest {
    /// Of these bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: hex(&Sha256::digest(bytes)),
            size: bytes.len() as u64,
        }
    }

    /// As `sha256:…`.
    pub(super) fn digest(&self) -> Digest {
        Digest::new(format!("sha256:{}", self.sha256))
    }
}

impl Manifest {
    fn empty(run: &RunId, trial: Option<&TrialId>) -> Self {
        Self {
            schema: MANIFEST_SCHEMA.to_owned(),
            run: run.clone(),
            trial: trial.cloned(),
            signed_by: None,
            files: BTreeMap::new(),
        }
    }

    /// Of all files in the folder of a trial.
    pub(super) fn of_trial(dir: &Path, run: &RunId, trial: &TrialId) -> io::Result<Self> {
        let mut manifest = Self::empty(run, Some(trial));
        for (name, digest) in folder(dir)? {
            manifest.files.insert(name, digest);
        }
        Ok(manifest)
    }

    /// Of all files of a run. What a trial's own manifest says of its files is taken
    /// from there: files are not read a second time, and what was altered meanwhile
    /// stays as visible as it is.
    pub(super) fn of_run(dir: &Path, run: &RunRecord) -> io::Result<Self> {
        let mut manifest = Self::empty(&run.run, None);
        for name in [PLAN, JOURNAL, TORN, GIVEN] {
            match digest_file(&dir.join(name), None) {
                Ok(digest) => manifest.files.insert(name.to_owned(), digest),
                Err(error) if error.kind() == io::ErrorKind::NotFound && name == TORN => None,
                Err(error) => return Err(error),
            };
        }
        for planned in &run.trials {
            let trial = &planned.trial;
            let folder_of = dir.join(TRIALS).join(trial.as_str());
            let prefix = format!("{TRIALS}/{trial}");
            match read(&folder_of) {
                Ok((own, bytes)) => {
                    let name = format!("{prefix}/{MANIFEST}");
                    manifest.files.insert(name, FileDigest::of(&bytes));
                    for (name, digest) in own.files {
                        manifest.files.insert(format!("{prefix}/{name}"), digest);
                    }
                }
                // A trial of a version that wrote none, and one that is not finished.
                Err(ReadError::Missing) if folder_of.is_dir() => {
                    for (name, digest) in folder(&folder_of)? {
                        manifest.files.insert(format!("{prefix}/{name}"), digest);
                    }
                }
                Err(ReadError::Missing) => {}
                Err(error) => return Err(io::Error::other(error.to_string())),
            }
        }
        Ok(manifest)
    }

    /// The one way in which a manifest is written.
    pub(super) fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("there is no manifest.json")]
    Missing,
    #[error("{0}")]
    Io(io::Error),
    #[error("it is not as a manifest is written: {0}")]
    Odd(String),
}

/// Reads the manifest of a folder, with its bytes. One that is not byte for byte as
/// it is written is refused: nothing in it can be changed without a trace.
pub(super) fn read(dir: &Path) -> Result<(Manifest, Vec<u8>), ReadError> {
    let bytes = match read_plain(&dir.join(MANIFEST)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ReadError::Missing),
        Err(error) => return Err(ReadError::Io(error)),
    };
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|error| ReadError::Odd(error.to_string()))?;
    if manifest.schema != MANIFEST_SCHEMA {
        let schema = &manifest.schema;
        return Err(ReadError::Odd(format!("its schema is `{schema}`")));
    }
    let again = manifest.bytes().map_err(ReadError::Io)?;
    if again != bytes {
        let same = again.iter().zip(&bytes).take_while(|(a, b)| a == b);
        let at = same.count();
        return Err(ReadError::Odd(format!("byte {at} differs")));
    }
    Ok((manifest, bytes))
}

/// What of an earlier manifest of a run no longer holds, without reading large
/// files: plan, journal and the manifests of trials that were not replaced since.
pub(super) fn disagreements(dir: &Path) -> io::Result<Vec<String>> {
    let manifest = match read(dir) {
        Ok((manifest, _)) => manifest,
        Err(ReadError::Missing) => return Ok(Vec::new()),
        Err(ReadError::Io(error)) => return Err(error),
        Err(ReadError::Odd(_)) => return Ok(vec![MANIFEST.to_owned()]),
    };
    let covered = manifest.files.get(JOURNAL).map_or(0, |entry| entry.size);
    let newer = newer(&journal::read_entries(&dir.join(JOURNAL))?.0, covered);
    let small = |name: &&String| {
        let mut parts = name.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(TRIALS), Some(trial), Some(MANIFEST)) => !newer.contains(trial),
            (Some(PLAN | JOURNAL | GIVEN), None, None) => true,
            _ => false,
        }
    };
    let mut wrong = Vec::new();
    for name in manifest.files.keys().filter(small) {
        let length = (name == JOURNAL).then_some(covered);
        let found = match digest_file(&dir.join(name), length) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if found.as_ref() != manifest.files.get(name) {
            wrong.push(name.clone());
        }
    }
    Ok(wrong)
}

/// The trials with a journal line beyond the first `covered` bytes: they were
/// finished, or executed again, after the manifest had been written.
pub(super) fn newer(entries: &[journal::Entry], covered: u64) -> BTreeSet<String> {
    entries
        .iter()
        .filter(|entry| entry.start >= covered)
        .filter_map(|entry| Some(entry.record.as_ref().ok()?.trial.to_string()))
        .collect()
}

/// Every regular file below a folder but its own manifest, sorted by name.
fn folder(dir: &Path) -> io::Result<Vec<(String, FileDigest)>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(dir).follow_links(false).sort_by_file_name() {
        let entry = entry.map_err(io::Error::from)?;
        let name = entry.path().strip_prefix(dir).unwrap_or(entry.path());
        let name = name.to_string_lossy().into_owned();
        if entry.file_type().is_file() && name != MANIFEST {
            files.push((name, digest_file(entry.path(), None)?));
        }
    }
    Ok(files)
}

/// Opens a regular file; neither follows a link nor waits at a FIFO.
pub(super) fn open_plain(path: &Path) -> io::Result<File> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(flags).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no regular file")),
    }
}

pub(super) fn read_plain(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_plain(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The digest of a file, or of its first bytes.
pub(super) fn digest_file(path: &Path, length: Option<u64>) -> io::Result<FileDigest> {
    let mut file = open_plain(path)?.take(length.unwrap_or(u64::MAX));
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    let mut size = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => {
                hash.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
    let sha256 = hex(&hash.finalize());
    Ok(FileDigest { sha256, size })
}
