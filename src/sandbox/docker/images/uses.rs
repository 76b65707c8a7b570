//! A journal of the images that runs made for instances of data sets, and of when each
//! was last used.
//!
//! What is not written down is not ours to remove for want of room: an image that was
//! there before, or was pulled by hand, bears nothing by which it could be told.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use super::error::ImageError;

/// Longest journal that is read, bytes.
const MOST: u64 = 16 << 20;

/// How an image came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Built,
    Pulled,
}

/// An image that a run made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub tag: String,
    /// `sha256:…`, of the engine, when it was made.
    pub id: String,
    pub origin: Origin,
    /// Milliseconds since 1970.
    pub last: u64,
}

/// The journal, a file of lines.
#[derive(Debug, Clone)]
pub(super) struct Uses(PathBuf);

impl Uses {
    pub(super) fn new(state: &Path) -> Self {
        Self(state.join("images").join("uses"))
    }

    /// Writes down that an image was made and used at `now`.
    pub(super) fn made(
        &self,
        tag: &str,
        id: &str,
        origin: Origin,
        now: u64,
    ) -> Result<(), ImageError> {
        self.change(|uses| {
            uses.retain(|one| one.tag != tag);
            uses.push(Use {
                tag: tag.to_owned(),
                id: id.to_owned(),
                origin,
                last: now,
            });
        })
    }

    /// Writes down that an image was used at `now`, if it is one of those.
    pub(super) fn used(&self, tag: &str, id: &str, now: u64) -> Result<(), ImageError> {
        let same = |one: &&mut Use| one.tag == tag && one.id == id;
        self.change(|uses| uses.iter_mut().filter(same).for_each(|one| one.last = now))
    }

    /// Forgets images.
    pub(super) fn forget(&self, tags: &[String]) -> Result<(), ImageError> {
        match tags.is_empty() {
            true => Ok(()),
            false => self.change(|uses| uses.retain(|one| !tags.contains(&one.tag))),
        }
    }

    /// All that are written down.
    pub(super) fn all(&self) -> Result<Vec<Use>, ImageError> {
        let _held = self.hold()?;
        self.read()
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Use>)) -> Result<(), ImageError> {
        let _held = self.hold()?;
        let before = self.read()?;
        let mut uses = before.clone();
        change(&mut uses);
        match uses == before {
            true => Ok(()),
            false => self.write(&uses),
        }
    }

    fn read(&self) -> Result<Vec<Use>, ImageError> {
        let wrap = |source| ImageError::host("reading", &self.0, source);
        let mut text = String::new();
        match File::open(&self.0) {
            Ok(file) => file.take(MOST).read_to_string(&mut text).map_err(wrap)?,
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(source) => return Err(wrap(source)),
        };
        // What cannot be read is forgotten: its image stays.
        Ok(text.lines().filter_map(Use::parse).collect())
    }

    fn write(&self, uses: &[Use]) -> Result<(), ImageError> {
        let wrap = |source| ImageError::host("writing", &self.0, source);
        let folder = self.0.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(wrap)?;
        let text: String = uses.iter().map(Use::line).collect();
        file.write_all(text.as_bytes()).map_err(wrap)?;
        file.as_file().sync_data().map_err(wrap)?;
        let kept = file.persist(&self.0);
        kept.map(drop).map_err(|error| wrap(error.error))
    }

    /// The right to read or write, for the time of one of both.
    fn hold(&self) -> Result<Flock<File>, ImageError> {
        let path = self.0.with_extension("lock");
        let wrap = |source| ImageError::host("locking", &path, source);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(wrap)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(wrap)?;
        Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| wrap(errno.into()))
    }
}

impl Use {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let (last, origin) = (words.next()?.parse().ok()?, words.next()?);
        let (id, tag) = (words.next()?.to_owned(), words.next()?.to_owned());
        let origin = match origin {
            "built" => Origin::Built,
            "pulled" => Origin::Pulled,
            _ => return None,
        };
        let whole = words.next().is_none() && id.starts_with("sha256:") && !tag.is_empty();
        whole.then_some(Self {
            tag,
            id,
            origin,
            last,
        })
    }

    fn line(&self) -> String {
        let origin = match self.origin {
            Origin::Built => "built",
            Origin::Pulled => "pulled",
        };
        format!("{} {origin} {} {}\n", self.last, self.id, self.tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> (tempfile::TempDir, Uses) {
        let dir = tempfile::tempdir().unwrap();
        let uses = Uses::new(dir.path());
        (dir, uses)
    }

    fn told(uses: &Uses) -> Vec<(String, u64)> {
        let all = uses.all().unwrap().into_iter();
        all.map(|one| (one.tag, one.last)).collect()
    }

    #[test]
    fn only_what_was_made_is_used() {
        let (_dir, uses) = journal();
        assert!(told(&uses).is_empty());
        uses.made("a:1", "sha256:a", Origin::Pulled, 1).unwrap();
        uses.used("a:1", "sha256:a", 5).unwrap();
        uses.used("b:1", "sha256:b", 6).unwrap();
        // Somebody else gave the tag to another image.
        uses.used("a:1", "sha256:c", 7).unwrap();
        assert_eq!(told(&uses), [("a:1".to_owned(), 5)]);
    }

    #[test]
    fn who_is_made_again_is_written_once_and_who_is_forgotten_not_at_all() {
        let (_dir, uses) = journal();
        uses.made("a:1", "sha256:a", Origin::Pulled, 1).unwrap();
        uses.made("b:1", "sha256:b", Origin::Built, 2).unwrap();
        uses.made("a:1", "sha256:c", Origin::Built, 3).unwrap();
        assert_eq!(told(&uses), [("b:1".to_owned(), 2), ("a:1".to_owned(), 3)]);
        uses.forget(&["b:1".to_owned()]).unwrap();
        assert_eq!(told(&uses), [("a:1".to_owned(), 3)]);
    }

    #[test]
    fn a_line_that_is_none_is_left_out() {
        let (_dir, uses) = journal();
        uses.made("a:1", "sha256:a", Origin::Built, 1).unwrap();
        let good = std::fs::read_to_string(&uses.0).unwrap();
        let bad = "x\n1 lent sha256:b b:1\n1 built b b:1\n1 built sha256:b b:1 more\n1 built sha2";
        std::fs::write(&uses.0, format!("{good}{bad}")).unwrap();
        assert_eq!(told(&uses), [("a:1".to_owned(), 1)]);
    }
}
