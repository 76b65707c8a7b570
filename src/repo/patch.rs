//! A patch as git writes it, read file by file: names, modes, and the body as it is.

use super::RepoError;
use super::names::{self, unquoted};
use super::tree::{EXECUTABLE, FILE, LINK, SUBMODULE};

/// Most files of a patch.
const MAX_FILES: usize = 200_000;

/// What a patch does to one file.
#[derive(Debug, PartialEq, Eq)]
pub struct FilePatch<'patch> {
    /// None: the file is new.
    pub old: Option<Vec<u8>>,
    /// None: the file goes.
    pub new: Option<Vec<u8>>,
    /// None: as it was.
    pub new_mode: Option<u32>,
    /// The old file stays, where the name is another one.
    pub is_copy: bool,
    pub body: Body<'patch>,
}

/// What happens to the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'patch> {
    None,
    /// From the first `@@` on.
    Text(&'patch [u8]),
    /// From `GIT binary patch` on.
    Binary(&'patch [u8]),
}

/// Reads a patch; whatever stands before its first file is left out.
pub fn read(patch: &[u8]) -> Result<Vec<FilePatch<'_>>, RepoError> {
    const START: &[u8] = b"diff --git ";
    let mut starts = Vec::new();
    let mut at = 0;
    for line in patch.split_inclusive(|&byte| byte == b'\n') {
        // Lines of a hunk begin with a mark, those of a binary one have no space.
        if line.starts_with(START) {
            starts.push(at);
        }
        at += line.len();
    }
    if starts.len() > MAX_FILES {
        return Err(RepoError::Invalid(format!(
            "read the patch: it has more than {MAX_FILES} files"
        )));
    }
    let ends = starts.iter().skip(1).copied().chain([patch.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| {
            let section = &patch[start..end];
            file(section).map_err(|why| {
                let line = section.split(|&byte| byte == b'\n').next();
                RepoError::Invalid(format!(
                    "read the patch at `{}`: {why}",
                    names::shown(line.unwrap_or_default())
                ))
            })
        })
        .collect()
}

#[derive(Default)]
struct Header {
    /// Of the `diff --git` line, where both sides are one name.
    both: Option<Vec<u8>>,
    /// Of the `---` and `+++` lines; a file that is not there has none.
    minus: Option<Option<Vec<u8>>>,
    plus: Option<Option<Vec<u8>>>,
    from: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
    is_new: bool,
    is_gone: bool,
    is_copy: bool,
    new_mode: Option<u32>,
}

fn file(section: &[u8]) -> Result<FilePatch<'_>, &'static str> {
    let mut header = Header::default();
    let mut body = Body::None;
    let mut at = 0;
    for line in section.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b"@@ -") {
            body = Body::Text(&section[at..]);
            break;
        }
        if line.starts_with(b"GIT binary patch") {
            body = Body::Binary(&section[at..]);
            break;
        }
        if line.starts_with(b"Binary files ") {
            return Err("its binary content is left out; make it with `git diff --binary`");
        }
        header.line(line.strip_suffix(b"\n").unwrap_or(line))?;
        at += line.len();
    }
    header.finish(body)
}

impl Header {
    fn line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let after = |start: &str| line.strip_prefix(start.as_bytes());
        if let Some(names) = after("diff --git ") {
            self.both = both_names(names);
        } else if let Some(name) = after("--- ") {
            self.minus = Some(side(name, b"a/")?);
        } else if let Some(name) = after("+++ ") {
            self.plus = Some(side(name, b"b/")?);
        } else if let Some(mode) = after("new file mode ") {
            self.is_new = true;
            self.new_mode = Some(read_mode(mode)?);
        } else if after("deleted file mode ").is_some() {
            self.is_gone = true;
        } else if let Some(mode) = after("new mode ") {
            self.new_mode = Some(read_mode(mode)?);
        } else if let Some(name) = after("rename from ") {
            self.from = Some(whole_name(name)?);
        } else if let Some(name) = after("rename to ") {
            self.to = Some(whole_name(name)?);
        } else if let Some(name) = after("copy from ") {
            self.is_copy = true;
            self.from = Some(whole_name(name)?);
        } else if let Some(name) = after("copy to ") {
            self.to = Some(whole_name(name)?);
        }
        // `index`, `old mode`, `similarity index`: nothing that is needed. After
        // the last file a signature of a mail may stand.
        Ok(())
    }

    fn finish(self, body: Body<'_>) -> Result<FilePatch<'_>, &'static str> {
        const NAMELESS: &str = "its file names cannot be read (they begin with a/ and b/)";
        let both = self.both;
        let named = |side: Option<Option<Vec<u8>>>, renamed: Option<Vec<u8>>| {
            renamed.or(side.flatten()).or(both.clone()).ok_or(NAMELESS)
        };
        let is_new = self.is_new || self.minus == Some(None);
        let is_gone = self.is_gone || self.plus == Some(None);
        let old = match is_new {
            true => None,
            false => Some(named(self.minus, self.from)?),
        };
        let new = match is_gone {
            true => None,
            false => Some(named(self.plus, self.to)?),
        };
        for name in old.iter().chain(&new) {
            if names::normal(name).as_ref() != Ok(name) || names::has_dot_git(name) {
                return Err("it names a path that leads elsewhere");
            }
        }
        if old.is_none() && new.is_none() {
            return Err("it names no file");
        }
        Ok(FilePatch {
            old,
            new,
            new_mode: self.new_mode,
            is_copy: self.is_copy,
            body,
        })
    }
}

/// `a/NAME b/NAME`, each perhaps in quotes; none where they differ or cannot be told apart.
fn both_names(names: &[u8]) -> Option<Vec<u8>> {
    if names.starts_with(b"\"") {
        let (old, rest) = unquoted(names)?;
        let (new, rest) = unquoted(rest.strip_prefix(b" ")?)?;
        let old = old.strip_prefix(b"a/")?;
        return (rest.is_empty() && new.strip_prefix(b"b/")? == old).then(|| old.to_vec());
    }
    // Two names of one length, with a space between: the middle is known.
    let (old, new) = names.split_at_checked(names.len() / 2)?;
    let old = old.strip_prefix(b"a/")?;
    (new.strip_prefix(b" b/")? == old).then(|| old.to_vec())
}

/// The name of a `---` or `+++` line; a tab ends it.
fn side(name: &[u8], prefix: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    if name.starts_with(b"/dev/null") {
        return Ok(None);
    }
    let name = match unquoted(name) {
        Some((name, _)) => name,
        None => name
            .split(|&byte| byte == b'\t')
            .next()
            .unwrap_or_default()
            .to_vec(),
    };
    match name.strip_prefix(prefix) {
        Some(name) => Ok(Some(name.to_vec())),
        None => Err("its file names do not begin with a/ and b/"),
    }
}

fn whole_name(name: &[u8]) -> Result<Vec<u8>, &'static str> {
    if !name.starts_with(b"\"") {
        return Ok(name.to_vec());
    }
    match unquoted(name) {
        Some((name, [])) => Ok(name),
        _ => Err("a quoted name is damaged"),
    }
}

fn read_mode(text: &[u8]) -> Result<u32, &'static str> {
    let mode = std::str::from_utf8(text)
        .ok()
        .and_then(|text| u32::from_str_radix(text.trim_end(), 8).ok());
    match mode {
        Some(mode @ (FILE | EXECUTABLE | LINK | SUBMODULE)) => Ok(mode),
        _ => Err("it gives a mode that is none of git's"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(text: &str) -> Result<FilePatch<'_>, String> {
        let mut files = read(text.as_bytes()).map_err(|error| error.to_string())?;
        assert_eq!(files.len(), 1);
        Ok(files.remove(0))
    }

    #[test]
    fn names_with_spaces_are_read_where_no_other_line_has_them() {
        let file = one("diff --git a/a b b/a b\nold mode 100644\nnew mode 100755\n").unwrap();
        assert_eq!(file.old, Some(b"a b".to_vec()));
        assert_eq!(file.new, Some(b"a b".to_vec()));
        assert_eq!(file.new_mode, Some(EXECUTABLE));
    }

    #[test]
    fn a_rename_has_two_names() {
        let text = "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n";
        let file = one(text).unwrap();
        assert_eq!(
            (file.old, file.new),
            (Some(b"x".to_vec()), Some(b"y".to_vec()))
        );
        assert!(!file.is_copy);
    }

    #[test]
    fn a_patch_cannot_name_what_is_not_below_the_tree() {
        for name in ["../x", "/x", "a/.git/config", ".GIT/hooks/x"] {
            let text = format!("diff --git a/{name} b/{name}\nnew file mode 100644\n");
            assert!(
                one(&text).unwrap_err().contains("leads elsewhere"),
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_hostile_patch_never_panics(
            lines in proptest::collection::vec(
                prop_oneof![
                    Just("--- "), Just("+++ "), Just("rename from "), Just("new mode 1"),
                    Just("diff --git "), Just("\"a/\\3"), Just("a/b b/b"), Just("\n"), Just("/dev/null"),
                ],
                0..20,
            ),
        ) {
            let _ = read(format!("diff --git {}", lines.concat()).as_bytes());
        }
    }
}
