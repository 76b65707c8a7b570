//! What `.gitignore` hides: build products and caches that are no part of a change.
//!
//! The rules are those of the tree that the agent left, at each level; where it
//! took a `.gitignore` away, the base's go on.

use std::collections::HashMap;
use std::rc::Rc;

use git2::Repository;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::RepoError;
use super::delta::Notes;
use super::names;
use super::tree::{Found, TreeEdit};

/// Largest `.gitignore` that is read, bytes.
const MAX_FILE: usize = 256 << 10;
/// Most patterns of all files together.
const MAX_PATTERNS: usize = 20_000;
/// Longest pattern, bytes.
const MAX_PATTERN: usize = 1024;

/// Decides path by path; keeps what it has read.
pub struct Ignored<'a, 'repo> {
    repo: &'repo Repository,
    tree: &'a mut TreeEdit<'repo>,
    base: &'a mut TreeEdit<'repo>,
    rules: HashMap<Vec<u8>, Option<Rc<Gitignore>>>,
    folders: HashMap<Vec<u8>, bool>,
    patterns_left: usize,
    notes: &'a mut Notes,
}

impl<'a, 'repo> Ignored<'a, 'repo> {
    pub fn new(
        repo: &'repo Repository,
        tree: &'a mut TreeEdit<'repo>,
        base: &'a mut TreeEdit<'repo>,
        notes: &'a mut Notes,
    ) -> Self {
        Self {
            repo,
            tree,
            base,
            rules: HashMap::new(),
            folders: HashMap::new(),
            patterns_left: MAX_PATTERNS,
            notes,
        }
    }

    /// Whether a file or link is untracked and hidden.
    pub fn hides(&mut self, path: &[u8]) -> Result<bool, RepoError> {
        if let Found::Leaf(_) = self.base.find(path)? {
            return Ok(false);
        }
        Ok(self.hides_folder(above(path))? || self.matches(path, false)?)
    }

    /// What is below a hidden folder cannot be shown again.
    fn hides_folder(&mut self, folder: Option<&[u8]>) -> Result<bool, RepoError> {
        let Some(folder) = folder else {
            return Ok(false);
        };
        if let Some(&hidden) = self.folders.get(folder) {
            return Ok(hidden);
        }
        let hidden = self.hides_folder(above(folder))? || self.matches(folder, true)?;
        self.folders.insert(folder.to_vec(), hidden);
        Ok(hidden)
    }

    /// The nearest file with an opinion decides.
    fn matches(&mut self, path: &[u8], is_folder: bool) -> Result<bool, RepoError> {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let mut level = above(path);
        loop {
            let folder = level.unwrap_or_default();
            if let Some(rules) = self.rules(folder)? {
                let relative = match folder {
                    [] => path,
                    folder => &path[folder.len() + 1..],
                };
                match rules.matched(OsStr::from_bytes(relative), is_folder) {
                    Match::Ignore(_) => return Ok(true),
                    Match::Whitelist(_) => return Ok(false),
                    Match::None => {}
                }
            }
            match level {
                Some(folder) => level = above(folder),
                None => return Ok(false),
            }
        }
    }

    fn rules(&mut self, folder: &[u8]) -> Result<Option<Rc<Gitignore>>, RepoError> {
        if let Some(rules) = self.rules.get(folder) {
            return Ok(rules.clone());
        }
        let mut path = folder.to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(b".gitignore");
        let found = match self.tree.find(&path)? {
            Found::Nothing => self.base.find(&path)?,
            found => found,
        };
        let rules = match found {
            Found::Leaf(leaf) if leaf.is_file() => self.compile(&path, leaf.oid)?.map(Rc::new),
            _ => None,
        };
        self.rules.insert(folder.to_vec(), rules.clone());
        Ok(rules)
    }

    fn compile(&mut self, path: &[u8], oid: git2::Oid) -> Result<Option<Gitignore>, RepoError> {
        let blob = self
            .repo
            .find_blob(oid)
            .map_err(RepoError::git("read a .gitignore"))?;
        if blob.size() > MAX_FILE {
            self.notes
                .push(format!("did not read `{}`: too large", names::shown(path)));
            return Ok(None);
        }
        let mut builder = GitignoreBuilder::new("");
        let mut left_out = 0;
        for line in String::from_utf8_lossy(blob.content()).lines() {
            let fits = self.patterns_left > 0 && line.len() <= MAX_PATTERN;
            self.patterns_left = self.patterns_left.saturating_sub(1);
            if !fits || builder.add_line(None, line).is_err() {
                left_out += 1;
            }
        }
        if left_out > 0 {
            self.notes.push(format!(
                "did not understand {left_out} lines of `{}`",
                names::shown(path)
            ));
        }
        match builder.build() {
            Ok(rules) => Ok(Some(rules)),
            Err(error) => {
                self.notes.push(format!(
                    "did not understand `{}`: {}",
                    names::shown(path),
                    error.to_string().escape_debug()
                ));
                Ok(None)
            }
        }
    }
}

/// The folder of a path; none at the top.
fn above(path: &[u8]) -> Option<&[u8]> {
    let at = path.iter().rposition(|&byte| byte == b'/')?;
    Some(&path[..at])
}
