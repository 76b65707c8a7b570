//! The tests of a log and their statuses, in order, within bounds.
//!
//! Must not know any parser.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Most tests of one log.
const MOST_TESTS: usize = 1 << 20;
/// Most bytes of names that a log may make, repeated ones too: a deep tree of suites
/// makes long names of short lines.
const MOST_BYTES: usize = 256 << 20;

/// Status by test name, in the order in which names were first seen; a later status
/// replaces an earlier one in its place. Equal are those with the same pairs in any order.
///
/// The statuses that were replaced are remembered: the official rules know nothing of them,
/// and whoever must not be fooled by a line that somebody added does.
#[derive(Clone, Default)]
pub struct Statuses {
    list: Vec<(Arc<str>, Cow<'static, str>)>,
    places: HashMap<Arc<str>, usize>,
    /// Statuses that a test had and has no more, each once.
    replaced: HashMap<Arc<str>, Vec<Cow<'static, str>>>,
    /// Bytes of all names so far.
    bytes: usize,
    full: bool,
}

impl Statuses {
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a test's status. Beyond the bounds of one log (1 048 576 tests, 256 MiB of
    /// names) nothing is taken; a parser then ends with `MemoryError`.
    pub fn insert(&mut self, name: &str, status: &str) {
        if self.spends(name.len()) {
            self.put(name, status);
        }
    }

    /// Sets the status of a test whose name is its `parts` and the `sign` between them.
    pub(super) fn insert_joined(&mut self, parts: &[&str], sign: &str, status: &str) {
        if let Some(name) = self.joined(parts, sign) {
            self.put(&name, status);
        }
    }

    /// A name of `parts` and the `sign` between them, unless it is beyond the bounds.
    pub(super) fn joined(&mut self, parts: &[&str], sign: &str) -> Option<String> {
        if self.full {
            return None;
        }
        let bytes: usize = parts.iter().map(|part| part.len() + sign.len()).sum();
        self.spends(bytes).then(|| parts.join(sign))
    }

    /// Whether something was left out for its size.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    fn spends(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        self.full |= self.bytes > MOST_BYTES;
        !self.full
    }

    fn put(&mut self, name: &str, status: &str) {
        let status = word(status);
        if let Some((name, known)) = self
            .places
            .get(name)
            .and_then(|place| self.list.get_mut(*place))
        {
            if *known != status {
                let earlier = self.replaced.entry(Arc::clone(name)).or_default();
                let old = std::mem::replace(known, status);
                if !earlier.contains(&old) {
                    earlier.push(old);
                }
            }
        } else if self.list.len() >= MOST_TESTS {
            self.full = true;
        } else {
            let name: Arc<str> = name.into();
            self.places.insert(Arc::clone(&name), self.list.len());
            self.list.push((name, status));
        }
    }

    /// The status of a test.
    pub fn get(&self, name: &str) -> Option<&str> {
        let place = self.places.get(name)?;
        self.list.get(*place).map(|(_, status)| status.as_ref())
    }

    /// Tests that had another status before the one that they have, with those of before.
    pub fn replaced(&self) -> impl Iterator<Item = (&str, &[Cow<'static, str>])> {
        self.replaced
            .iter()
            .map(|(name, earlier)| (name.as_ref(), earlier.as_slice()))
    }

    /// Whether a test has a status.
    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Names and statuses.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.list
            .iter()
            .map(|(name, status)| (name.as_ref(), status.as_ref()))
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }
}

/// The usual statuses need no text of their own.
fn word(status: &str) -> Cow<'static, str> {
    super::STATUSES
        .into_iter()
        .find(|known| *known == status)
        .map_or_else(|| Cow::Owned(status.to_owned()), Cow::Borrowed)
}

impl PartialEq for Statuses {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(name, status)| other.get(name) == Some(status))
    }
}

impl Eq for Statuses {}

impl fmt::Debug for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_status_replaces_an_earlier_one_in_its_place() {
        let mut statuses = Statuses::new();
        for (name, status) in [("b", "PASSED"), ("a", "odd:"), ("b", "FAILED")] {
            statuses.insert(name, status);
        }
        let pairs: Vec<_> = statuses.iter().collect();
        assert_eq!(pairs, [("b", "FAILED"), ("a", "odd:")]);
        assert_eq!(statuses.get("b"), Some("FAILED"));
        assert_eq!(statuses.get("c"), None);
        let replaced: Vec<_> = statuses.replaced().collect();
        assert_eq!(replaced, [("b", &["PASSED".into()][..])]);
        assert_eq!(format!("{statuses:?}"), r#"{"b": "FAILED", "a": "odd:"}"#);
    }

    #[test]
    fn the_order_does_not_make_two_logs_different() {
        let of = |names: &[&str]| {
            let mut statuses = Statuses::new();
            names
                .iter()
                .for_each(|name| statuses.insert(name, "PASSED"));
            statuses
        };
        assert_eq!(of(&["a", "b"]), of(&["b", "a"]));
        assert_ne!(of(&["a", "b"]), of(&["a"]));
        assert_ne!(of(&["a"]), of(&["b"]));
    }

    #[test]
    fn long_names_of_short_lines_find_their_bound() {
        let suite = "s".repeat(64 << 20);
        let mut statuses = Statuses::new();
        for _ in 0..3 {
            statuses.insert_joined(&[&suite, "a"], " - ", "PASSED");
        }
        assert!(!statuses.is_full());
        statuses.insert_joined(&[&suite, "b"], " - ", "PASSED");
        assert!(statuses.is_full());
        assert_eq!(statuses.len(), 1);
    }
}
