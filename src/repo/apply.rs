//! A patch applied to a tree.
//!
//! Headers and lines of text are read here, since libgit2 1.9 (as its source
//! reads) loses names with spaces where no `---` line follows (binary, empty,
//! mode only), looks a new file up by a null path where its name has a space,
//! and copies a line up to its first NUL while it keeps the whole length.
//! Binary hunks it reads well: they are given to it under a name that is safe.
//!
//! A patch fits exactly, at the lines that it names, or not at all.

use std::collections::BTreeSet;
use std::path::Path;

use git2::{ObjectType, Odb, Oid, Repository};

use super::RepoError;
use super::names::shown;
use super::patch::{self, Body};
use super::tree::{FILE, Found, Leaf, SUBMODULE, TreeEdit};

/// The tree that a patch makes, and the paths that it names.
pub struct Applied {
    pub tree: Oid,
    pub touched: BTreeSet<Vec<u8>>,
}

/// Applies a patch to a tree of a repo; new objects go into the repo.
pub fn apply(repo: &Repository, base: Oid, patch: &[u8]) -> Result<Applied, RepoError> {
    let odb = repo.odb().map_err(RepoError::git("open the objects"))?;
    let mut old = TreeEdit::new(repo, Some(base))?;
    let mut new = TreeEdit::new(repo, Some(base))?;
    let mut touched = BTreeSet::new();
    let files = patch::read(patch)?;
    if files.is_empty() && !patch.trim_ascii().is_empty() {
        return Err(RepoError::Invalid(
            "read the patch: it has no line that begins with `diff --git`".to_owned(),
        ));
    }
    // All that goes goes first: a folder may take a file's place, or the other way.
    let mut puts = Vec::new();
    for file in files {
        touched.extend(file.old.iter().chain(&file.new).cloned());
        let before = match &file.old {
            Some(path) => match old.find(path)? {
                Found::Leaf(leaf) => Some(leaf),
                _ => return Err(misfit(path, "there is no such file")),
            },
            None => None,
        };
        if let Some(path) = &file.old
            && !file.is_copy
        {
            new.remove(path)?;
        }
        puts.push((file, before));
    }
    for (file, before) in puts {
        let path = file.new.as_ref().or(file.old.as_ref());
        let path = path.map(Vec::as_slice).unwrap_or_default();
        let content = match before {
            Some(leaf) if leaf.mode == SUBMODULE => None,
            Some(leaf) => Some(read(&odb, leaf.oid)?),
            None => Some(Vec::new()),
        };
        let oid = match (&content, file.body) {
            (Some(content), Body::Text(body)) => {
                let made = splice(content, body).map_err(|message| misfit(path, &message))?;
                write(&odb, &made)?
            }
            (Some(content), Body::Binary(body)) => {
                let blob = write(&odb, content)?;
                binary(repo, blob, body).map_err(|message| misfit(path, &message))?
            }
            (Some(content), Body::None) => write(&odb, content)?,
            (None, _) => Oid::ZERO_SHA1,
        };
        let Some(target) = file.new else {
            if content.is_some() && oid != write(&odb, b"")? {
                return Err(misfit(path, "it goes, but some of it would stay"));
            }
            continue;
        };
        if content.is_none() {
            return Err(misfit(&target, "changes of submodules are not supported"));
        }
        if new.find(&target)? != Found::Nothing {
            return Err(misfit(&target, "it is there already"));
        }
        let mode = match (before, file.new_mode) {
            (Some(leaf), Some(mode)) if leaf.same_mode(mode) => leaf.mode,
            (_, Some(mode)) => mode,
            (Some(leaf), None) => leaf.mode,
            (None, None) => FILE,
        };
        new.put(&target, Leaf { mode, oid })?;
    }
    Ok(Applied {
        tree: new.write()?,
        touched,
    })
}

fn misfit(path: &[u8], message: &str) -> RepoError {
    RepoError::Patch {
        path: format!("`{}`", shown(path)),
        message: message.to_owned(),
    }
}

fn read(odb: &Odb<'_>, oid: Oid) -> Result<Vec<u8>, RepoError> {
    let object = odb
        .read(oid)
        .map_err(RepoError::git(format!("read the file {oid}")))?;
    Ok(object.data().to_vec())
}

fn write(odb: &Odb<'_>, content: &[u8]) -> Result<Oid, RepoError> {
    odb.write(ObjectType::Blob, content)
        .map_err(RepoError::git("store a file of the patch"))
}

/// Puts the hunks of a text patch into a text.
fn splice(old: &[u8], body: &[u8]) -> Result<Vec<u8>, String> {
    let old: Vec<&[u8]> = old.split_inclusive(|&byte| byte == b'\n').collect();
    let mut out = Vec::new();
    let mut at = 0;
    let mut lines = body.split_inclusive(|&byte| byte == b'\n').peekable();
    while let Some(line) = lines.next_if(|line| line.starts_with(b"@@ -")) {
        let hunk = Hunk::read(line).ok_or("a line with `@@` is damaged")?;
        let from = hunk.first_old();
        let before = old
            .get(at..from)
            .ok_or_else(|| format!("it has no line {}", hunk.old_start))?;
        before.iter().for_each(|line| out.extend_from_slice(line));
        at = from;
        let (mut old_left, mut new_left) = (hunk.old_count, hunk.new_count);
        while old_left > 0 || new_left > 0 {
            let line = lines.next().ok_or("the last hunk is cut off")?;
            // Some programs strip the space of an empty line of context.
            let (mark, mut text) = match line {
                b"\n" => (b' ', line),
                [mark, text @ ..] => (*mark, text),
                [] => return Err("the last hunk is cut off".to_owned()),
            };
            if lines.next_if(|next| next.starts_with(b"\\")).is_some() {
                text = text.strip_suffix(b"\n").unwrap_or(text);
            }
            if matches!(mark, b' ' | b'-') {
                if old.get(at) != Some(&text) || old_left == 0 {
                    return Err(format!("line {} is not what the patch expects", at + 1));
                }
                at += 1;
                old_left -= 1;
            }
            if matches!(mark, b' ' | b'+') {
                if new_left == 0 {
                    return Err("a hunk has more lines than it says".to_owned());
                }
                out.extend_from_slice(text);
                new_left -= 1;
            }
            if !matches!(mark, b' ' | b'+' | b'-') {
                return Err("a hunk has fewer lines than it says".to_owned());
            }
        }
    }
    for line in old.get(at..).unwrap_or_default() {
        out.extend_from_slice(line);
    }
    Ok(out)
}

/// The numbers of `@@ -old,count +new,count @@`.
struct Hunk {
    old_start: usize,
    old_count: usize,
    new_count: usize,
}

impl Hunk {
    fn read(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line.get(..line.len().min(100))?)
            .or_else(|error| std::str::from_utf8(&line[..error.valid_up_to()]))
            .ok()?;
        let (old, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
        let (new, _) = rest.split_once(" @@")?;
        let range = |text: &str| match text.split_once(',') {
            Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
            None => Some((text.parse().ok()?, 1)),
        };
        let (old_start, old_count) = range(old)?;
        let (_, new_count): (usize, usize) = range(new)?;
        Some(Self {
            old_start,
            old_count,
            new_count,
        })
    }

    /// Lines before the hunk. One that takes nothing names the line before it.
    fn first_old(&self) -> usize {
        match self.old_count {
            0 => self.old_start,
            _ => self.old_start.saturating_sub(1),
        }
    }
}

/// Lets libgit2 apply a binary body to a blob, as the only file of a tree.
fn binary(repo: &Repository, blob: Oid, body: &[u8]) -> Result<Oid, String> {
    let make = || {
        let mut tree = repo.treebuilder(None)?;
        tree.insert("f", blob, FILE.cast_signed())?;
        let tree = repo.find_tree(tree.write()?)?;
        let one = "1".repeat(40);
        let mut patch = format!("diff --git a/f b/f\nindex {one}..{one} {FILE:o}\n").into_bytes();
        patch.extend_from_slice(body);
        let patch = git2::Diff::from_buffer(&patch)?;
        let index = repo.apply_to_tree(&tree, &patch, None)?;
        Ok(index.get_path(Path::new("f"), 0).map(|entry| entry.id))
    };
    let made = make().map_err(|error: git2::Error| error.message().to_owned())?;
    made.ok_or_else(|| "its binary part makes no file".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spliced(old: &str, body: &str) -> Result<String, String> {
        splice(old.as_bytes(), body.as_bytes()).map(|new| String::from_utf8(new).unwrap())
    }

    #[test]
    fn a_hunk_fits_exactly_or_not_at_all() {
        let body = "@@ -1,2 +1,2 @@\n a\n-b\n+c\n";
        assert_eq!(spliced("a\nb\nd\n", body), Ok("a\nc\nd\n".to_owned()));
        assert_eq!(
            spliced("x\na\nb\n", body),
            Err("line 1 is not what the patch expects".to_owned())
        );
        assert_eq!(
            spliced("a\n", "@@ -9 +9 @@\n-a\n+b\n"),
            Err("it has no line 9".to_owned())
        );
        assert_eq!(
            spliced("a\n", "@@ -1 +1,2 @@\n a\n"),
            Err("the last hunk is cut off".to_owned())
        );
    }

    #[test]
    fn a_missing_newline_at_the_end_is_kept_and_made() {
        assert_eq!(
            spliced("a", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"),
            Ok("a\n".to_owned())
        );
        assert_eq!(
            spliced("a\n", "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n"),
            Ok("a".to_owned())
        );
    }

    proptest! {
        #[test]
        fn a_hostile_body_never_panics(
            old in "[ab\n]{0,8}",
            body in "(@@ -[0-9]{1,20}(,[0-9]{1,3})? \\+[0-9](,[0-9])? @@\n)?([ +\\-\\\\]?[ab]?\n){0,6}",
        ) {
            let _ = splice(old.as_bytes(), body.as_bytes());
        }
    }
}
