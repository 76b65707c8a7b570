//! A journal of the layers that our builds made.
//!
//! A label alone does not say that an image is ours: whoever builds on one of our
//! images inherits it. What a failed or killed build leaves has no tag that would
//! say so either; hence its layers are written down while they come into being.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use super::error::ImageError;

/// Longest journal that is read, bytes; each line is 13.
const MOST: u64 = 64 << 20;

/// The journal, a file of short ids.
#[derive(Debug, Clone)]
pub(super) struct Layers(PathBuf);

impl Layers {
    pub(super) fn new(state: &Path) -> Self {
        Self(state.join("images").join("layers"))
    }

    /// Writes an id down: the first twelve digits, as the engine says them.
    pub(super) fn note(&self, id: &str) -> Result<(), ImageError> {
        let mut file = self.open()?;
        file.seek(std::io::SeekFrom::End(0))
            .and_then(|_| file.write_all(format!("{id}\n").as_bytes()))
            .map_err(|source| ImageError::host("writing", &self.0, source))
    }

    /// All ids that were written down.
    pub(super) fn noted(&self) -> Result<HashSet<String>, ImageError> {
        let mut file = self.open()?;
        self.read(&mut file)
    }

    /// Forgets what is no more.
    pub(super) fn keep(&self, exists: impl Fn(&str) -> bool) -> Result<(), ImageError> {
        let wrap = |source| ImageError::host("writing", &self.0, source);
        let mut file = self.open()?;
        let mut kept = self.read(&mut file)?;
        kept.retain(|id| exists(id));
        let text: String = kept.iter().map(|id| format!("{id}\n")).collect();
        // In place: the lock is the file's, and a renamed one would leave writers
        // with the old.
        file.set_len(0).map_err(wrap)?;
        file.rewind().map_err(wrap)?;
        file.write_all(text.as_bytes()).map_err(wrap)
    }

    fn read(&self, file: &mut Flock<File>) -> Result<HashSet<String>, ImageError> {
        let mut text = String::new();
        Read::by_ref(&mut **file)
            .take(MOST)
            .read_to_string(&mut text)
            .map_err(|source| ImageError::host("reading", &self.0, source))?;
        let whole = |line: &&str| line.len() == 12;
        Ok(text.lines().filter(whole).map(str::to_owned).collect())
    }

    fn open(&self) -> Result<Flock<File>, ImageError> {
        let wrap = |source| ImageError::host("opening", &self.0, source);
        if let Some(folder) = self.0.parent() {
            std::fs::create_dir_all(folder).map_err(wrap)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&self.0)
            .map_err(wrap)?;
        // Held for the time of one small read or write.
        Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| wrap(errno.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_keeps_what_still_exists() {
        let dir = tempfile::tempdir().unwrap();
        let layers = Layers::new(dir.path());
        for id in ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "aaaaaaaaaaaa"] {
            layers.note(id).unwrap();
        }
        layers.keep(|id| id.starts_with('a')).unwrap();
        layers.note("cccccccccccc").unwrap();
        let mut noted: Vec<_> = layers.noted().unwrap().into_iter().collect();
        noted.sort();
        assert_eq!(noted, ["aaaaaaaaaaaa", "cccccccccccc"]);
    }
}
