//! Which files a patch is about, as the official harness sees it.
//!
//! Owns that reading, with its corners: what follows `diff --git` counts more than what
//! follows `---`, a name in quotes is no path, a hunk is as long as its header says. Must
//! not know repositories.

use std::sync::LazyLock;

use regex::Regex;

const NOWHERE: &str = "/dev/null";

/// A patch that the official harness does not read either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct DiffError {
    /// Counted from 1.
    pub line: usize,
    pub reason: &'static str,
}

/// A file of a patch, its names with their prefixes: `a/src/x.py`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffFile {
    /// `/dev/null` where the patch makes the file.
    pub source: String,
    /// `/dev/null` where the patch deletes it.
    pub target: String,
    hunks: usize,
}

impl DiffFile {
    fn new(source: &str, target: &str) -> Self {
        Self {
            source: source.to_owned(),
            target: target.to_owned(),
            hunks: 0,
        }
    }

    /// The path, without a prefix: of a renamed or new file the new one.
    pub fn path(&self) -> String {
        let renamed = self.source != NOWHERE
            && self.target != NOWHERE
            && self.source.chars().skip(2).ne(self.target.chars().skip(2));
        let name = match self.source == NOWHERE || renamed {
            true => &self.target,
            false => &self.source,
        };
        let inner = name
            .strip_prefix('"')
            .and_then(|name| name.strip_suffix('"'));
        let plain = without_prefix(inner.unwrap_or(name));
        match inner {
            Some(_) => format!("\"{plain}\""),
            None => plain.to_owned(),
        }
    }
}

fn without_prefix(name: &str) -> &str {
    match name.as_bytes() {
        [
            b'a' | b'b' | b'c' | b'i' | b'o' | b'w' | b'1' | b'2',
            b'/',
            ..,
        ] => &name[2..],
        _ => name,
    }
}

/// The files that the official script sets back to the base commit: each that was there
/// before the patch, by its old name.
///
/// # Errors
/// See [`files`].
pub fn reset_files(patch: &str) -> Result<Vec<String>, DiffError> {
    let files = files(patch)?.into_iter();
    Ok(files
        .filter_map(|file| file.source.strip_prefix("a/").map(str::to_owned))
        .collect())
}

macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).expect("a constant expression"));
    };
}
pattern!(GIT, r#"^diff --git ("?a/[^\t\n]+"?) ("?b/[^\t\n]+"?)"#);
pattern!(GIT_URI, r"^diff --git (.*://[^\t\n]+) (.*://[^\t\n]+)");
pattern!(GIT_BARE, r"^diff --git ([^\t\n]+) ([^\t\n]+)");
pattern!(NEW, r"^new file mode [0-9]+\n?$");
pattern!(DELETED, r"^deleted file mode [0-9]+\n?$");
pattern!(
    HUNK,
    r"^@@ -([0-9]+)(?:,([0-9]+))? \+([0-9]+)(?:,([0-9]+))? @@"
);
pattern!(
    BINARY,
    r"^Binary files? ([^\t]+?)(?:\t[\s0-9:+-]+)?(?: and ([^\t]+?)(?:\t[\s0-9:+-]+)?)? (?:differ|has changed)"
);

/// The files of a patch, in its order.
///
/// # Errors
/// A hunk without a file, or longer or shorter than its header says; a `+++` that does
/// not fit.
pub fn files(patch: &str) -> Result<Vec<DiffFile>, DiffError> {
    let mut reader = Reader::default();
    let mut lines = patch.split_inclusive('\n').enumerate();
    while let Some((at, line)) = lines.next() {
        let hunk = reader.line(line).map_err(|reason| DiffError {
            line: at + 1,
            reason,
        })?;
        let Some(mut hunk) = hunk else { continue };
        let mut last = at;
        while hunk.awaits {
            let Some((at, line)) = lines.next() else {
                break;
            };
            last = at;
            hunk.line(line).map_err(|reason| DiffError {
                line: at + 1,
                reason,
            })?;
        }
        if hunk.source > 0 || hunk.target > 0 {
            return Err(DiffError {
                line: last + 1,
                reason: "the hunk is shorter than its header says",
            });
        }
    }
    Ok(reader.files)
}

/// What is left of a hunk, in lines of the old and of the new file.
struct Hunk {
    source: u64,
    target: u64,
    /// At least one line belongs to it, whatever its header says.
    awaits: bool,
}

impl Hunk {
    fn of(header: &regex::Captures<'_>) -> Result<Self, &'static str> {
        let length = |at| match header.get(at) {
            Some(number) => number.as_str().parse(),
            None => Ok(1),
        };
        match (length(2), length(4)) {
            (Ok(source), Ok(target)) => Ok(Self {
                source,
                target,
                awaits: true,
            }),
            _ => Err("the hunk's length is no number that a file has lines"),
        }
    }

    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        let longer = "the hunk is longer than its header says";
        let (source, target) = match line.as_bytes().first() {
            Some(b'+') => (0, 1),
            Some(b'-') => (1, 0),
            Some(b' ' | b'\n' | b'\r') => (1, 1),
            Some(b'\\') => (0, 0),
            _ => return Err("a line of a hunk begins with a blank, `+`, `-` or `\\`"),
        };
        self.source = self.source.checked_sub(source).ok_or(longer)?;
        self.target = self.target.checked_sub(target).ok_or(longer)?;
        self.awaits = self.source > 0 || self.target > 0;
        Ok(())
    }
}

#[derive(Default)]
struct Reader {
    files: Vec<DiffFile>,
    /// Whether the last file is still open.
    open: bool,
    /// Whether lines that say nothing belong to a header.
    header: bool,
    /// Of a `---` that waits for its `+++`.
    source: Option<String>,
}

impl Reader {
    fn current(&mut self) -> Option<&mut DiffFile> {
        match self.open {
            true => self.files.last_mut(),
            false => None,
        }
    }

    fn add(&mut self, file: DiffFile) {
        self.files.push(file);
        self.open = true;
    }

    /// Takes a line outside of hunks; a hunk where it opens one.
    fn line(&mut self, line: &str) -> Result<Option<Hunk>, &'static str> {
        let git = [&GIT, &GIT_URI, &GIT_BARE];
        if let Some(names) = git.iter().find_map(|pattern| pattern.captures(line)) {
            self.source = Some(names[1].to_owned());
            self.add(DiffFile::new(&names[1], &names[2]));
            self.header = true;
        } else if NEW.is_match(line) {
            let file = self.in_header("a new file's mode stands outside of a header")?;
            file.source = NOWHERE.to_owned();
        } else if DELETED.is_match(line) {
            let file = self.in_header("a deleted file's mode stands outside of a header")?;
            file.target = NOWHERE.to_owned();
        } else if let Some(name) = line.strip_prefix("--- ") {
            self.source = Some(named(name).to_owned());
            self.open &= self.header;
        } else if let Some(name) = line.strip_prefix("+++ ") {
            self.target(named(name))?;
        } else if let Some(header) = HUNK.captures(line) {
            self.header = false;
            let file = self.current().ok_or("a hunk stands outside of a file")?;
            file.hunks += 1;
            return Hunk::of(&header).map(Some);
        } else if line.starts_with(r"\ No newline at end of file") {
            let outside = "a missing newline is noted outside of a hunk";
            if self.current().ok_or(outside)?.hunks == 0 {
                return Err(outside);
            }
        } else if line != "\n" || self.current().is_none_or(|file| file.hunks == 0) {
            self.other(line)?;
        }
        Ok(None)
    }

    fn in_header(&mut self, outside: &'static str) -> Result<&mut DiffFile, &'static str> {
        match self.header {
            true => self.current().ok_or(outside),
            false => Err(outside),
        }
    }

    fn target(&mut self, name: &str) -> Result<(), &'static str> {
        let unmatched = "the new name has no old one that fits";
        match self.current() {
            Some(file) if file.target == name => Ok(()),
            Some(_) => Err(unmatched),
            None => {
                let source = self.source.take().ok_or(unmatched)?;
                self.add(DiffFile::new(&source, name));
                self.header = false;
                Ok(())
            }
        }
    }

    /// A line that says nothing of files, or that they are binary.
    fn other(&mut self, line: &str) -> Result<(), &'static str> {
        if !self.header {
            self.open = false;
            self.header = true;
        }
        let closes = if let Some(names) = BINARY.captures(line) {
            self.source = Some(names[1].to_owned());
            if !self.open {
                let source = &names[1];
                let target = names.get(2).map_or(source, |target| target.as_str());
                self.add(DiffFile::new(source, target));
            }
            true
        } else if line == "GIT binary patch\n" {
            if !self.open {
                return Err("a binary patch stands outside of a file");
            }
            true
        } else {
            false
        };
        if closes {
            self.open = false;
            self.header = false;
        }
        Ok(())
    }
}

/// The name behind `---` or `+++`: up to a tab.
fn named(rest: &str) -> &str {
    rest.split(['\t', '\n']).next().unwrap_or_default()
}
