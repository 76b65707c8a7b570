//! A change without what is the verifier's.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::{Claim, Rules, config};
use crate::record::Withheld;

/// Paths that are named in a record at most.
const MAX_NAMED: usize = 200;
/// Bytes of a file whose content decides; a larger one stays behind.
const MAX_READ: u64 = 4 << 20;
const BLOCK: u64 = 512;

/// A change as it is laid over a pristine sandbox.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Absolute folder that paths of the stream begin at.
    pub root: &'a str,
    /// Absolute paths that go first.
    pub deleted: &'a [Vec<u8>],
    /// A tar stream.
    pub tar: &'a [u8],
}

/// What crosses, and what does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    pub deleted: Vec<Vec<u8>>,
    pub tar: Vec<u8>,
    /// Each with what it is; the first [`MAX_NAMED`].
    pub withheld: Vec<Withheld>,
    /// Every path that stayed behind; absolute.
    pub paths: BTreeSet<String>,
}

/// Contents of pristine files, by absolute path.
pub type Pristine = BTreeMap<String, Vec<u8>>;

/// The change without what is the verifier's. `pristine` holds the files that
/// [`sections`] names, where they exist.
pub fn keep(rules: &Rules, change: Change<'_>, pristine: &Pristine) -> Kept {
    let mut kept = Kept::default();
    for path in change.deleted {
        match rules.claim(&String::from_utf8_lossy(path), false) {
            Claim::Owned(what) => kept.withhold(rules, &String::from_utf8_lossy(path), what),
            // Without the file its sections are gone, and the runner looks elsewhere.
            Claim::Sections => {
                let text = String::from_utf8_lossy(path).into_owned();
                let name = text.rsplit('/').next().unwrap_or_default();
                let before = pristine.get(&text).map(Vec::as_slice);
                if config::merged(name, before, b"").is_some() {
                    kept.withhold(rules, &text, "runner configuration");
                } else {
                    kept.deleted.push(path.clone());
                }
            }
            _ => kept.deleted.push(path.clone()),
        }
    }
    let mut from = 0;
    let mut added = tar::Builder::new(Vec::new());
    let mut archive = tar::Archive::new(change.tar);
    let entries = archive
        .entries()
        .into_iter()
        .flatten()
        .map_while(Result::ok);
    for mut entry in entries {
        let stored = entry.header().entry_size().unwrap_or(0);
        let end = (entry.raw_file_position() + stored.next_multiple_of(BLOCK)) as usize;
        let whole = &change.tar[from.min(change.tar.len())..end.min(change.tar.len())];
        from = end;
        let path = absolute(change.root, &entry.path_bytes());
        let kind = entry.header().entry_type();
        if !(kind.is_file() || kind.is_dir() || kind.is_symlink()) {
            kept.withhold(rules, &path, "neither a file nor a folder nor a link");
            continue;
        }
        match judge(rules, &path, &mut entry, pristine) {
            Decision::Crosses => kept.tar.extend_from_slice(whole),
            Decision::Dropped => {}
            Decision::Stays(what) => kept.withhold(rules, &path, what),
            Decision::Instead(content) => {
                kept.withhold(rules, &path, "runner configuration");
                let mut header = entry.header().clone();
                header.set_size(content.len() as u64);
                let name = path.trim_start_matches('/').as_bytes();
                let name = &name[change.root.trim_matches('/').len().min(name.len())..];
                let name = String::from_utf8_lossy(name)
                    .trim_start_matches('/')
                    .to_owned();
                let _ = added.append_data(&mut header, name, content.as_slice());
            }
        }
    }
    // The stream's end, or what it has of one, is the added one's.
    if let Ok(added) = added.into_inner()
        && !change.tar.is_empty()
    {
        kept.tar.extend(added);
    }
    kept
}

/// Files whose pristine content decides what of the change crosses.
pub fn sections(rules: &Rules, change: Change<'_>) -> Vec<String> {
    let mut archive = tar::Archive::new(change.tar);
    let entries = archive
        .entries()
        .into_iter()
        .flatten()
        .map_while(Result::ok);
    let changed = entries.map(|entry| absolute(change.root, &entry.path_bytes()));
    let deleted = change
        .deleted
        .iter()
        .map(|path| String::from_utf8_lossy(path).into_owned());
    let mut paths: Vec<String> = changed
        .chain(deleted)
        .filter(|path| rules.claim(path, false) == Claim::Sections)
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

impl Kept {
    fn withhold(&mut self, rules: &Rules, path: &str, what: &str) {
        if self.paths.insert(path.to_owned()) && self.withheld.len() < MAX_NAMED {
            self.withheld.push(Withheld {
                path: rules.named(path),
                what: what.to_owned(),
            });
        }
    }
}

enum Decision {
    Crosses,
    /// Nobody misses it.
    Dropped,
    Stays(&'static str),
    Instead(Vec<u8>),
}

fn judge(rules: &Rules, path: &str, entry: &mut impl TarEntry, pristine: &Pristine) -> Decision {
    match rules.claim(path, entry.is_folder()) {
        Claim::None => Decision::Crosses,
        Claim::Derived => Decision::Dropped,
        Claim::Owned(what) => Decision::Stays(what),
        Claim::Sections => {
            let name = path.rsplit('/').next().unwrap_or(path);
            let Some(content) = entry.content() else {
                return Decision::Stays("runner configuration");
            };
            match config::merged(name, pristine.get(path).map(Vec::as_slice), &content) {
                Some(merged) => Decision::Instead(merged),
                None => Decision::Crosses,
            }
        }
        Claim::PathList => {
            let content = entry
                .content()
                .and_then(|content| String::from_utf8(content).ok());
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            // Python performs a line that begins with `import`, and knows more ends of
            // lines than one.
            let odd = |letter: char| {
                letter.is_control() && !matches!(letter, '\n' | '\r')
                    || "\u{2028}\u{2029}".contains(letter)
            };
            let inside = |line: &str| match line.trim() {
                "" => true,
                line if line.starts_with('#') => true,
                line if line.starts_with("import") || line.contains(odd) => false,
                line if line.starts_with('/') => rules.in_work_tree(line),
                line => rules.in_work_tree(&format!("{folder}/{line}")),
            };
            match content {
                Some(text) if text.split(['\n', '\r']).all(inside) => Decision::Crosses,
                _ => Decision::Stays("start of the interpreter"),
            }
        }
        Claim::EntryPoints => match entry.content() {
            Some(content) if !contains(&content, b"pytest11") => Decision::Crosses,
            _ => Decision::Stays("a plug-in of the runner"),
        },
    }
}

fn contains(content: &[u8], word: &[u8]) -> bool {
    content.windows(word.len()).any(|window| window == word)
}

/// What a decision may ask of an entry.
trait TarEntry {
    fn is_folder(&self) -> bool;
    /// The content of a regular file that is not too large.
    fn content(&mut self) -> Option<Vec<u8>>;
}

impl<R: Read> TarEntry for tar::Entry<'_, R> {
    fn is_folder(&self) -> bool {
        self.header().entry_type().is_dir()
    }

    fn content(&mut self) -> Option<Vec<u8>> {
        // One with holes is more than its data: nobody keeps settings in such a file.
        let plain = matches!(self.pax_extensions(), Ok(None));
        if !plain || !self.header().entry_type().is_file() || self.size() > MAX_READ {
            return None;
        }
        let mut content = Vec::new();
        self.take(MAX_READ).read_to_end(&mut content).ok()?;
        Some(content)
    }
}

fn absolute(root: &str, path: &[u8]) -> String {
    let path = String::from_utf8_lossy(path);
    let path = path.trim_matches('/').trim_start_matches("./");
    format!("{}/{path}", root.trim_end_matches('/'))
}
