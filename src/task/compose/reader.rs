//! What every part of the reader needs: where to tell a problem, values with
//! their variables filled in, and paths that stay inside the folder.
//!
//! Must not know any key.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::interpolate::{self, Unfilled, fill};
use super::paths::resolve;
use super::scalar;
use crate::diagnose::yaml::{Entry, Node, Value};
use crate::diagnose::{Problem, SourceText, nearest};

/// Most problems, and most warnings, that are told of one file.
const MOST_TOLD: usize = 100;
/// Most bytes that variables and files of them may bring into one file.
const MOST_FILLED: usize = 8 << 20;
/// Keys that are named where none is near.
const FEW_KEYS: usize = 12;

/// Reads one file.
pub struct Reader<'a> {
    pub source: &'a SourceText,
    /// The task's `environment/`, absolute, links resolved.
    pub folder: &'a Path,
    pub lookup: &'a dyn Fn(&str) -> Option<String>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<String>,
    filled: usize,
}

impl<'a> Reader<'a> {
    pub fn new(
        source: &'a SourceText,
        folder: &'a Path,
        lookup: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        Self {
            source,
            folder,
            lookup,
            problems: Vec::new(),
            warnings: Vec::new(),
            filled: 0,
        }
    }

    /// Something is wrong here.
    pub fn wrong(
        &mut self,
        at: &Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) {
        self.tell(at, label, Problem::new(message));
    }

    /// Something is wrong here, and this is the way out.
    pub fn wrong_but(
        &mut self,
        at: &Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        note: impl Into<String>,
    ) {
        self.tell(at, label, Problem::new(message).note(note));
    }

    fn tell(&mut self, at: &Range<usize>, label: impl Into<String>, problem: Problem) {
        if self.problems.len() >= MOST_TOLD {
            return;
        }
        let problem = problem.at(self.source.spot(at.clone(), label));
        // An alias brings the same fault to every place where it stands.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Something is left out without harm.
    pub fn warn(&mut self, at: &Range<usize>, message: impl Into<String>) {
        if self.warnings.len() >= MOST_TOLD {
            return;
        }
        let problem = Problem::new(message).at(self.source.spot(at.clone(), ""));
        let warning = problem.to_string();
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// A key that nobody knows, in a place called `place`; empty is the file itself.
    pub fn unknown(&mut self, entry: &Entry, place: &str, known: &[&str]) {
        let key = &entry.key;
        let message = match place {
            "" => format!("unknown key `{key}`"),
            _ => format!("unknown key `{key}` in `{place}`"),
        };
        match nearest(key, known.iter().copied()) {
            Some(meant) => {
                let label = format!("did you mean `{meant}`?");
                self.wrong(&entry.key_span, message, label);
            }
            None if known.len() <= FEW_KEYS => {
                let note = format!("known here: {}", known.join(", "));
                self.wrong_but(&entry.key_span, message, "", note);
            }
            None => self.wrong(&entry.key_span, message, ""),
        }
    }

    /// A key that is known and not taken. Where it asks for nothing it is fine.
    pub fn refuse(&mut self, entry: &Entry, why: &str) {
        if !asks_nothing(&entry.node) {
            self.wrong(
                &entry.key_span,
                format!("`{}` is not allowed in a task", entry.key),
                why,
            );
        }
    }

    /// The entries of a map; nothing is an empty one.
    pub fn map<'n>(&mut self, node: &'n Node, key: &str) -> &'n [Entry] {
        match &node.value {
            Value::Map(entries) => entries,
            _ if node.is_null() => &[],
            _ => {
                self.wrong(
                    &node.span,
                    format!("`{key}` must be a map"),
                    "`key: value` lines",
                );
                &[]
            }
        }
    }

    /// The items of a list; nothing is an empty one.
    pub fn list<'n>(&mut self, node: &'n Node, key: &str) -> &'n [Node] {
        match &node.value {
            Value::List(items) => items,
            _ if node.is_null() => &[],
            _ => {
                self.wrong(
                    &node.span,
                    format!("`{key}` must be a list"),
                    "`- item` lines",
                );
                &[]
            }
        }
    }

    /// A text, its variables filled in.
    pub fn text(&mut self, node: &Node, key: &str) -> Option<String> {
        let Value::Scalar(scalar) = &node.value else {
            self.wrong(&node.span, format!("`{key}` must be a text"), "");
            return None;
        };
        let Some(text) = scalar::text(scalar) else {
            self.wrong(&node.span, format!("`{key}` says nothing"), "");
            return None;
        };
        self.fill(&text, &node.span)
    }

    /// A text that is not empty.
    pub fn word(&mut self, node: &Node, key: &str) -> Option<String> {
        let text = self.text(node, key)?;
        if text.trim().is_empty() || text.contains('\0') {
            self.wrong(&node.span, format!("`{key}` says nothing"), "");
            return None;
        }
        Some(text)
    }

    /// A text, or a list of texts.
    pub fn texts(&mut self, node: &Node, key: &str) -> Vec<String> {
        match &node.value {
            Value::Scalar(_) if !node.is_null() => self.text(node, key).into_iter().collect(),
            _ => self
                .list(node, key)
                .iter()
                .filter_map(|item| self.text(item, key))
                .collect(),
        }
    }

    /// `true` or `false`.
    pub fn truth(&mut self, node: &Node, key: &str) -> Option<bool> {
        self.parsed(node, key, "true or false", scalar::truth)
    }

    /// What a parser makes of a text; `form` says what it takes.
    pub fn parsed<T>(
        &mut self,
        node: &Node,
        key: &str,
        form: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.word(node, key)?;
        let value = parse(text.trim());
        if value.is_none() {
            let message = format!("`{key}` cannot be `{}`", shortened(&text));
            self.wrong(&node.span, message, format!("it must be {form}"));
        }
        value
    }

    /// The pairs of a map, or of a list of `NAME=VALUE`; a value may be missing.
    pub fn pairs(&mut self, node: &Node, key: &str) -> Vec<Pair> {
        if let Value::List(items) = &node.value {
            return items
                .iter()
                .filter_map(|item| self.item_pair(item, key))
                .collect();
        }
        let mut pairs = Vec::new();
        for entry in self.map(node, key) {
            let value = match entry.node.is_null() {
                true => None,
                false => match self.text(&entry.node, &entry.key) {
                    Some(value) => Some(value),
                    None => continue,
                },
            };
            pairs.push(Pair {
                name: entry.key.clone(),
                value,
                span: entry.key_span.clone(),
            });
        }
        pairs
    }

    fn item_pair(&mut self, item: &Node, key: &str) -> Option<Pair> {
        if let Value::Map(_) = &item.value {
            let message = format!("an item of `{key}` must be NAME=VALUE");
            self.wrong(
                &item.span,
                message,
                "with `:` it is a map; write no `-` then",
            );
            return None;
        }
        let text = self.text(item, key)?;
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text.as_str(), None),
        };
        Some(Pair {
            name: name.trim().to_string(),
            value: value.map(str::to_string),
            span: item.span.clone(),
        })
    }

    /// A text of the compose file with its variables filled in.
    fn fill(&mut self, text: &str, at: &Range<usize>) -> Option<String> {
        if !text.contains('$') {
            return Some(text.to_string());
        }
        match self.filled_in(text) {
            Ok(text) => Some(text),
            Err(unfilled) => {
                let at = self.variable_span(&unfilled, at);
                let problem = unfilled_problem(&unfilled);
                self.tell(&at, "", problem);
                None
            }
        }
    }

    /// A text of any file with its variables filled in, within the bound of all.
    fn filled_in(&mut self, text: &str) -> Result<String, Unfilled> {
        if self.filled > MOST_FILLED {
            return Err(Unfilled::TooLong);
        }
        let filled = fill(text, self.lookup);
        self.filled += match &filled {
            Ok(filled) => filled.len(),
            // As much was put together as one text may be.
            Err(Unfilled::TooLong) => interpolate::LONGEST,
            Err(_) => 0,
        };
        filled
    }

    /// Whether another file of this size may be read.
    pub fn may_read(&mut self, bytes: usize) -> bool {
        self.filled += bytes;
        self.filled <= MOST_FILLED
    }

    /// Where in a longer text the variable stands, if it is there as written.
    fn variable_span(&self, unfilled: &Unfilled, at: &Range<usize>) -> Range<usize> {
        let written = self.source.text.get(at.clone()).unwrap_or_default();
        let forms = match unfilled {
            Unfilled::Unset { name } | Unfilled::Required { name, .. } => {
                vec![format!("${{{name}"), format!("${name}")]
            }
            Unfilled::Malformed { part } => vec![part.clone()],
            Unfilled::TooLong | Unfilled::TooDeep => Vec::new(),
        };
        let found = forms
            .iter()
            .find_map(|form| Some((written.find(form.as_str())?, form.len())));
        match found {
            Some((start, length)) => at.start + start..at.start + start + length,
            None => at.clone(),
        }
    }

    /// A path inside the folder, links resolved as far as it exists. `base` is
    /// what it is relative to.
    pub fn inside(&mut self, base: &Path, written: &str, at: &Range<usize>) -> Option<PathBuf> {
        let found = resolve(self.folder, base, written);
        if found.is_none() {
            let label =
                "a service sees what is beside the compose file, and nothing else of the host";
            self.wrong(
                at,
                format!(
                    "`{}` leads out of the compose file's folder",
                    shortened(written)
                ),
                label,
            );
        }
        found
    }
}

/// A name with or without a value.
pub struct Pair {
    pub name: String,
    pub value: Option<String>,
    pub span: Range<usize>,
}

/// What to say of a text that has no value.
pub fn unfilled_problem(unfilled: &Unfilled) -> Problem {
    match unfilled {
        Unfilled::Unset { name } => Problem::new(format!("the variable `{name}` is not set"))
            .note(format!(
                "write ${{{name}:-a default}}, or set it in `.env` beside this file or in the task's own environment"
            ))
            .note("the host's environment is not looked at; a dollar before a name is `$$`"),
        Unfilled::Required { name, complaint } if complaint.is_empty() => {
            Problem::new(format!("the variable `{name}` must be set"))
        }
        Unfilled::Required { name, complaint } => {
            Problem::new(format!("the variable `{name}` must be set: {complaint}"))
        }
        Unfilled::Malformed { part } => Problem::new(format!("`{part}` is no variable"))
            .note("${NAME}, ${NAME:-default}, ${NAME:?complaint}; a dollar itself is `$$`"),
        Unfilled::TooLong => Problem::new("this grows too long when its variables are filled in"),
        Unfilled::TooDeep => Problem::new("these defaults lie too deep in one another"),
    }
}

/// `null`, `false`, and empty lists, maps and texts.
fn asks_nothing(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => {
            scalar.is_null() || scalar.text.is_empty() || scalar::truth(&scalar.text) == Some(false)
        }
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
    }
}

/// A word of the file, short enough for a message.
pub fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_string(),
    }
}
