//! The patch between two trees, as git writes it: full index, binary hunks,
//! no renames, three lines of context.
//!
//! libgit2 compares; the headers are ours, since its own quote names in ways
//! that neither it nor git reads back.

use git2::{Delta, DiffLineType, DiffOptions, Oid, Repository};

use super::RepoError;
use super::change::{Bounds, ChangeKind, FileChange};
use super::names::{quoted, shown};
use super::tree::Leaf;

/// Files larger than this are compared as binary ones, bytes: comparing lines
/// of hostile text costs time that copying does not.
const MAX_TEXT: i64 = 8 << 20;

/// A patch and what it says, file by file.
pub struct Difference {
    pub patch: Vec<u8>,
    pub files: Vec<FileChange>,
}

/// Compares two trees of a repo.
pub fn between(
    repo: &Repository,
    old: Oid,
    new: Oid,
    bounds: Bounds,
) -> Result<Difference, RepoError> {
    let doing = || RepoError::git("compare the change with the base");
    let old = repo.find_tree(old).map_err(doing())?;
    let new = repo.find_tree(new).map_err(doing())?;
    let mut options = DiffOptions::new();
    options
        .context_lines(3)
        .interhunk_lines(0)
        .show_binary(true)
        .max_size(MAX_TEXT)
        .id_abbrev(40)
        .old_prefix("a")
        .new_prefix("b");
    let diff = repo
        .diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options))
        .map_err(doing())?;
    let mut out = Difference {
        patch: Vec::new(),
        files: Vec::new(),
    };
    for index in 0..diff.deltas().len() {
        out.add(&diff, index)?;
        if out.patch.len() as u64 > bounds.patch_bytes {
            return Err(RepoError::TooLarge(format!(
                "its patch is larger than {} bytes",
                bounds.patch_bytes
            )));
        }
    }
    Ok(out)
}

impl Difference {
    fn add(&mut self, diff: &git2::Diff<'_>, index: usize) -> Result<(), RepoError> {
        let Some(delta) = diff.get_delta(index) else {
            return Ok(());
        };
        let side = |file: git2::DiffFile<'_>| Leaf {
            mode: u32::from(file.mode()),
            oid: file.id(),
        };
        let (kind, old, new) = match delta.status() {
            Delta::Added => (ChangeKind::Added, None, Some(side(delta.new_file()))),
            Delta::Deleted => (ChangeKind::Deleted, Some(side(delta.old_file())), None),
            Delta::Modified => (
                ChangeKind::Modified,
                Some(side(delta.old_file())),
                Some(side(delta.new_file())),
            ),
            other => {
                return Err(RepoError::Invalid(format!(
                    "compare the change with the base: it says {other:?} of a file"
                )));
            }
        };
        let path = delta
            .new_file()
            .path_bytes()
            .or(delta.old_file().path_bytes())
            .unwrap_or_default()
            .to_vec();
        let mut change = FileChange {
            path,
            kind,
            added: 0,
            removed: 0,
            binary: false,
        };
        self.patch.extend(header(&change.path, old, new));
        self.body(diff, index, &mut change, old.is_some(), new.is_some())?;
        // A type change comes as two: taken away, then added.
        match self.files.last_mut() {
            Some(last) if last.path == change.path => {
                last.kind = ChangeKind::TypeChanged;
                last.added += change.added;
                last.removed += change.removed;
                last.binary |= change.binary;
            }
            _ => self.files.push(change),
        }
        Ok(())
    }

    /// Everything after the header.
    fn body(
        &mut self,
        diff: &git2::Diff<'_>,
        index: usize,
        change: &mut FileChange,
        had: bool,
        has: bool,
    ) -> Result<(), RepoError> {
        let doing = || RepoError::git(format!("compare `{}`", shown(&change.path)));
        let patch = git2::Patch::from_diff(diff, index).map_err(doing())?;
        let Some(mut patch) = patch else {
            return Ok(());
        };
        let path = change.path.clone();
        let out = &mut self.patch;
        let mut names_written = false;
        let counts = (&mut change.added, &mut change.removed, &mut change.binary);
        let (added, removed, binary) = counts;
        let printed = patch.print(&mut |_, _, line| {
            match line.origin_value() {
                DiffLineType::FileHeader => return true,
                DiffLineType::HunkHeader if !names_written => {
                    names_written = true;
                    out.extend(side_line(b"--- ", had.then_some((b"a/", &path))));
                    out.extend(side_line(b"+++ ", has.then_some((b"b/", &path))));
                }
                DiffLineType::Binary => *binary = true,
                DiffLineType::Context => out.push(b' '),
                DiffLineType::Addition => {
                    *added += 1;
                    out.push(b'+');
                }
                DiffLineType::Deletion => {
                    *removed += 1;
                    out.push(b'-');
                }
                _ => {}
            }
            out.extend_from_slice(line.content());
            true
        });
        printed.map_err(RepoError::git(format!("compare `{}`", shown(&path))))
    }
}

/// The lines of a file's patch that say what it is about.
fn header(path: &[u8], old: Option<Leaf>, new: Option<Leaf>) -> Vec<u8> {
    let mut out = b"diff --git ".to_vec();
    out.extend(quoted(&[b"a/", path].concat()));
    out.push(b' ');
    out.extend(quoted(&[b"b/", path].concat()));
    out.push(b'\n');
    let mut same_mode = String::new();
    match (old, new) {
        (None, Some(new)) => out.extend(format!("new file mode {:o}\n", new.mode).bytes()),
        (Some(old), None) => out.extend(format!("deleted file mode {:o}\n", old.mode).bytes()),
        (Some(old), Some(new)) if old.mode != new.mode => {
            out.extend(format!("old mode {:o}\nnew mode {:o}\n", old.mode, new.mode).bytes())
        }
        (Some(old), Some(_)) => same_mode = format!(" {:o}", old.mode),
        (None, None) => {}
    }
    let id = |leaf: Option<Leaf>| leaf.map_or(Oid::ZERO_SHA1, |leaf| leaf.oid);
    if id(old) != id(new) {
        out.extend(format!("index {}..{}{same_mode}\n", id(old), id(new)).bytes());
    }
    out
}

/// A `---` or `+++` line. After a name with a space git writes a tab, to say where it ends.
fn side_line(mark: &[u8], side: Option<(&[u8; 2], &Vec<u8>)>) -> Vec<u8> {
    let mut out = mark.to_vec();
    match side {
        None => out.extend_from_slice(b"/dev/null"),
        Some((prefix, path)) => {
            let name = quoted(&[&prefix[..], path].concat());
            out.extend_from_slice(&name);
            if name.first() != Some(&b'"') && name.contains(&b' ') {
                out.push(b'\t');
            }
        }
    }
    out.push(b'\n');
    out
}
