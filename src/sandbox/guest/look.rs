//! Looking around in a sandbox: folders, and where something is found.
//!
//! Owns the listing and the search, respecting ignore files. Runs as a program of
//! its own (the helper's binary) for the user who asks, so that the limits of a
//! call hold for it and the helper goes on answering; needs nothing of the image.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use globset::GlobBuilder;
use ignore::{DirEntry, WalkBuilder};
use regex::bytes::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// Files larger than this are not searched.
const LARGEST: u64 = 16 << 20;
/// Characters of a line that are shown.
const LINE: usize = 300;
/// How long is looked.
const TIME: Duration = Duration::from_secs(30);

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    List(List),
    Search(Search),
}

/// The entries of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    #[serde(default = "here")]
    pub path: String,
    /// Levels of folders.
    #[serde(default = "two")]
    pub depth: usize,
    /// Also hidden entries and what ignore files name.
    #[serde(default)]
    pub all: bool,
    #[serde(default = "thousand")]
    pub max: usize,
}

/// Where something is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// A regular expression.
    pub pattern: String,
    #[serde(default = "here")]
    pub path: String,
    #[serde(default)]
    pub kind: Kind,
    /// Only files whose path matches.
    pub glob: Option<String>,
    #[serde(default)]
    pub ignore_case: bool,
    #[serde(default)]
    pub all: bool,
    #[serde(default = "hundred")]
    pub max: usize,
}

/// What is searched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Content,
    Names,
}

fn here() -> String {
    ".".into()
}
fn two() -> usize {
    2
}
fn hundred() -> usize {
    100
}
fn thousand() -> usize {
    1000
}

/// Looks; the text is for the agent, and so is the error.
pub fn look(look: &Look) -> Result<String, String> {
    match look {
        Look::List(list) => entries(list),
        Look::Search(search) => found(search),
    }
}

fn entries(list: &List) -> Result<String, String> {
    let root = folder(&list.path)?;
    let until = Instant::now() + TIME;
    let mut shown = String::new();
    let (mut count, mut more) = (0, 0_usize);
    for entry in walk(&root, list.all).max_depth(Some(list.depth)).build() {
        let Ok(entry) = entry else { continue };
        if entry.depth() == 0 {
            continue;
        }
        let late = Instant::now() > until;
        if count == list.max || late {
            more += 1;
            if late {
                break;
            }
            continue;
        }
        count += 1;
        shown.push_str(&described(&entry, &root));
        shown.push('\n');
    }
    if count == 0 {
        shown.push_str("(nothing)\n");
    }
    if more > 0 {
        shown.push_str(&format!(
            "[… {more} or more entries left out; name a deeper `path`, or a smaller `depth`]\n"
        ));
    }
    Ok(shown)
}

/// `src/`, `README.md  2048`, `link -> target`.
fn described(entry: &DirEntry, root: &Path) -> String {
    let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
    let name = path.to_string_lossy();
    match entry.file_type() {
        Some(kind) if kind.is_dir() => format!("{name}/"),
        Some(kind) if kind.is_symlink() => match std::fs::read_link(entry.path()) {
            Ok(target) => format!("{name} -> {}", target.display()),
            Err(_) => name.into_owned(),
        },
        Some(kind) if kind.is_file() => {
            let size = entry.metadata().map_or(0, |meta| meta.len());
            format!("{name}  {size}")
        }
        _ => format!("{name}  (special)"),
    }
}

fn found(search: &Search) -> Result<String, String> {
    let pattern = RegexBuilder::new(&search.pattern)
        .case_insensitive(search.ignore_case)
        .build()
        .map_err(|error| format!("`pattern` is no regular expression: {error}"))?;
    let glob = match &search.glob {
        None => None,
        Some(glob) => Some(
            GlobBuilder::new(glob)
                .literal_separator(glob.contains('/'))
                .build()
                .map_err(|error| format!("`glob` is no glob: {error}"))?
                .compile_matcher(),
        ),
    };
    let root = PathBuf::from(&search.path);
    if !root.exists() {
        return Err(format!("{} is not there", search.path));
    }
    let mut hits = Hits {
        text: String::new(),
        count: 0,
        max: search.max.max(1),
        skipped: 0,
        until: Instant::now() + TIME,
    };
    for entry in walk(&root, search.all).build() {
        let Ok(entry) = entry else { continue };
        let path = entry.path().strip_prefix("./").unwrap_or(entry.path());
        let chosen = glob.as_ref().is_none_or(|glob| {
            let below = entry.path().strip_prefix(&root).unwrap_or(path);
            glob.is_match(below) || path.file_name().is_some_and(|name| glob.is_match(name))
        });
        if hits.full() {
            break;
        }
        if !chosen {
            continue;
        }
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        match search.kind {
            Kind::Names if entry.depth() > 0 => {
                let name = path.as_os_str().as_encoded_bytes();
                if pattern.is_match(name) {
                    let slash = if entry.file_type().is_some_and(|kind| kind.is_dir()) {
                        "/"
                    } else {
                        ""
                    };
                    hits.add(&format!("{}{slash}", path.display()));
                }
            }
            Kind::Content if is_file => search_file(entry.path(), path, &pattern, &mut hits),
            _ => {}
        }
    }
    Ok(hits.told())
}

fn search_file(file: &Path, shown: &Path, pattern: &Regex, hits: &mut Hits) {
    let Ok(opened) = File::open(file) else {
        hits.skipped += 1;
        return;
    };
    if opened.metadata().map_or(true, |meta| meta.len() > LARGEST) {
        hits.skipped += 1;
        return;
    }
    let mut reader = BufReader::new(opened.take(LARGEST));
    // A NUL byte at the beginning: no text.
    match reader.fill_buf() {
        Ok(begin) if begin.contains(&0) => return,
        Ok(_) => {}
        Err(_) => return,
    }
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => number += 1,
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if pattern.is_match(text) {
            let text = String::from_utf8_lossy(text);
            let cut = match text.char_indices().nth(LINE) {
                Some((at, _)) => format!("{}…", &text[..at]),
                None => text.into_owned(),
            };
            hits.add(&format!("{}:{number}: {cut}", shown.display()));
            if hits.full() {
                return;
            }
        }
    }
}

struct Hits {
    text: String,
    count: usize,
    max: usize,
    skipped: usize,
    until: Instant,
}

impl Hits {
    fn add(&mut self, line: &str) {
        self.count += 1;
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn full(&self) -> bool {
        self.count >= self.max || Instant::now() > self.until
    }

    fn told(mut self) -> String {
        if self.count == 0 {
            self.text.push_str("(found nowhere)\n");
        }
        if self.count >= self.max {
            self.text.push_str(&format!(
                "[… the first {} are shown; narrow `pattern`, `path` or `glob`, or raise `max`]\n",
                self.max
            ));
        } else if Instant::now() > self.until {
            let seconds = TIME.as_secs();
            self.text.push_str(&format!(
                "[… ended after {seconds} s; narrow `path` or `glob`]\n"
            ));
        }
        if self.skipped > 0 {
            self.text.push_str(&format!(
                "[{} files were not searched: too large, or not readable]\n",
                self.skipped
            ));
        }
        self.text
    }
}

fn folder(path: &str) -> Result<PathBuf, String> {
    let root = PathBuf::from(path);
    match std::fs::metadata(&root) {
        Ok(meta) if meta.is_dir() => Ok(root),
        Ok(_) => Err(format!("{path} is a file, not a folder: use `read`")),
        Err(error) => Err(format!(
            "{path}: {}",
            error.to_string().split(" (os").next().unwrap_or_default()
        )),
    }
}

fn walk(root: &Path, all: bool) -> WalkBuilder {
    let mut walk = WalkBuilder::new(root);
    walk.standard_filters(!all)
        .require_git(false)
        .git_global(false)
        .follow_links(false)
        .sort_by_file_name(std::ffi::OsStr::cmp);
    // What belongs to git and to us is nobody's to look through.
    walk.filter_entry(|entry| {
        let name = entry.file_name();
        name != ".git" && !(entry.depth() == 1 && entry.path() == Path::new("/.proofyard"))
    });
    walk
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        };
        write(".gitignore", "build/\n");
        write("src/a.py", "def f():\n    return 1\n");
        write("src/deep/b.py", "F = 2\n");
        write("build/c.py", "def f(): pass\n");
        write("data.bin", "def f\0");
        root
    }

    fn list(root: &Path, json: serde_json::Value) -> Result<String, String> {
        let mut list: List = serde_json::from_value(json).unwrap();
        list.path = root.display().to_string();
        look(&Look::List(list))
    }

    fn search(root: &Path, json: serde_json::Value) -> Result<String, String> {
        let mut search: Search = serde_json::from_value(json).unwrap();
        search.path = root.display().to_string();
        let text = look(&Look::Search(search))?;
        Ok(text.replace(&format!("{}/", root.display()), ""))
    }

    #[test]
    fn a_listing_respects_ignore_files_and_says_sizes() {
        let root = tree();
        let text = list(root.path(), serde_json::json!({})).unwrap();
        assert_eq!(text, "data.bin  6\nsrc/\nsrc/a.py  22\nsrc/deep/\n");
        let all = list(root.path(), serde_json::json!({"all": true, "depth": 1})).unwrap();
        assert_eq!(all, ".gitignore  7\nbuild/\ndata.bin  6\nsrc/\n");
    }

    #[test]
    fn what_is_left_out_is_said() {
        let root = tree();
        let text = list(root.path(), serde_json::json!({"max": 2})).unwrap();
        assert!(text.contains("2 or more entries left out"), "{text}");
        let text = search(root.path(), serde_json::json!({"pattern": "f", "max": 1})).unwrap();
        assert!(text.contains("the first 1 are shown"), "{text}");
    }

    #[test]
    fn contents_and_names_are_found() {
        let root = tree();
        let hits = search(root.path(), serde_json::json!({"pattern": "def f"})).unwrap();
        assert_eq!(hits, "src/a.py:1: def f():\n");
        let hits = search(
            root.path(),
            serde_json::json!({"pattern": "^f =", "ignore_case": true, "glob": "*.py"}),
        );
        assert_eq!(hits.unwrap(), "src/deep/b.py:1: F = 2\n");
        let hits = search(
            root.path(),
            serde_json::json!({"pattern": r"\.py$", "kind": "names"}),
        );
        assert_eq!(hits.unwrap(), "src/a.py\nsrc/deep/b.py\n");
    }

    #[test]
    fn what_is_wrong_is_told() {
        let root = tree();
        let error = search(root.path(), serde_json::json!({"pattern": "("})).unwrap_err();
        assert!(error.contains("no regular expression"), "{error}");
        let error = list(&root.path().join("nowhere"), serde_json::json!({})).unwrap_err();
        assert!(error.contains("No such file"), "{error}");
    }
}
