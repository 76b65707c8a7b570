//! Locks between processes that share a state folder: who builds, and who uses.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use tokio::time::Instant;

use super::error::ImageError;

/// How often a lock that another process holds is asked for again.
const PAUSE: Duration = Duration::from_millis(100);

/// A lock file that is held; the system lets go of it when the process ends.
#[derive(Debug)]
pub(super) struct Held {
    _lock: Flock<File>,
}

/// The folder of lock files.
#[derive(Debug, Clone)]
pub(super) struct Locks(PathBuf);

impl Locks {
    pub(super) fn new(state: &Path) -> Self {
        Self(state.join("locks"))
    }

    /// Waits at most `limit` for the right to make `key`; `waiting` is called
    /// once, when somebody else has it.
    pub(super) async fn make(
        &self,
        key: &str,
        limit: Duration,
        waiting: impl FnOnce(),
    ) -> Result<Held, ImageError> {
        let deadline = Instant::now() + limit;
        let mut waiting = Some(waiting);
        loop {
            if let Some(held) = self.attempt(key, "lock", FlockArg::LockExclusiveNonblock)? {
                return Ok(held);
            }
            if let Some(waiting) = waiting.take() {
                waiting();
            }
            if Instant::now() > deadline {
                return Err(ImageError::Waited {
                    name: key.to_owned(),
                    seconds: limit.as_secs(),
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Says that this process uses `key`; waits at most `limit` for the end of its
    /// removal.
    pub(super) async fn hold(&self, key: &str, limit: Duration) -> Result<Held, ImageError> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(held) = self.use_of(key)? {
                return Ok(held);
            }
            if Instant::now() > deadline {
                return Err(ImageError::Waited {
                    name: key.to_owned(),
                    seconds: limit.as_secs(),
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Says that this process uses `key`; none while it is being removed.
    fn use_of(&self, key: &str) -> Result<Option<Held>, ImageError> {
        self.attempt(key, "used", FlockArg::LockSharedNonblock)
    }

    /// The right to remove `key`; none while another process makes or uses it.
    pub(super) fn removal(&self, key: &str) -> Result<Option<[Held; 2]>, ImageError> {
        let exclusive = FlockArg::LockExclusiveNonblock;
        let Some(made) = self.attempt(key, "lock", exclusive)? else {
            return Ok(None);
        };
        let used = self.attempt(key, "used", exclusive)?;
        Ok(used.map(|used| [made, used]))
    }

    fn attempt(&self, key: &str, what: &str, how: FlockArg) -> Result<Option<Held>, ImageError> {
        let path = self.0.join(format!("image-{key}.{what}"));
        let wrap = |source| ImageError::host("locking", &path, source);
        std::fs::create_dir_all(&self.0).map_err(wrap)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(wrap)?;
        match Flock::lock(file, how) {
            Ok(lock) => Ok(Some(Held { _lock: lock })),
            Err((_, Errno::EWOULDBLOCK | Errno::EINTR)) => Ok(None),
            Err((_, errno)) => Err(wrap(errno.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_or_made_is_not_removed() {
        let dir = tempfile::tempdir().unwrap();
        let locks = Locks::new(dir.path());
        let first = locks.use_of("a").unwrap();
        let second = locks.use_of("a").unwrap();
        assert!(first.is_some() && second.is_some());
        assert!(locks.removal("a").unwrap().is_none());
        drop((first, second));
        let removal = locks.removal("a").unwrap();
        assert!(removal.is_some() && locks.use_of("a").unwrap().is_none());
    }

    #[tokio::test]
    async fn who_wants_to_use_waits_for_the_end_of_a_removal() {
        let dir = tempfile::tempdir().unwrap();
        let locks = Locks::new(dir.path());
        let removal = locks.removal("a").unwrap();
        let late = locks.hold("a", Duration::ZERO).await;
        assert!(matches!(late, Err(ImageError::Waited { seconds: 0, .. })));
        let minute = Duration::from_secs(60);
        let (held, ()) = tokio::join!(locks.hold("a", minute), async {
            tokio::task::yield_now().await;
            drop(removal);
        });
        assert!(held.is_ok() && locks.removal("a").unwrap().is_none());
    }
}
