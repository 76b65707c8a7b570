//! Values of a YAML file with their places: what is wrong with them, as the format's
//! own models take them.
//!
//! Must not know any key.

use std::time::Duration;

use crate::diagnose::yaml::{Entry, Node, Scalar, Value};
use crate::diagnose::{Problem, SourceText, nearest};
use crate::task::compose::scalar;

/// Longest time that a task may ask for: a year, seconds.
const LONGEST: f64 = 366.0 * 86_400.0;
/// Most problems, and most warnings, that are told of one file.
const MOST_TOLD: usize = 100;

/// A file under reading.
pub struct Source<'a> {
    pub text: &'a SourceText,
    pub problems: Vec<Problem>,
    pub warnings: Vec<String>,
}

impl<'a> Source<'a> {
    pub fn new(text: &'a SourceText) -> Self {
        Self {
            text,
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Something is wrong here; `label` says what would be right.
    pub fn wrong(&mut self, node: &Node, message: impl Into<String>, label: impl Into<String>) {
        if self.problems.len() < MOST_TOLD {
            let spot = self.text.spot(node.span.clone(), label);
            self.problems.push(Problem::new(message).at(spot));
        }
    }

    /// The file as a whole lacks something.
    pub fn lacks(&mut self, message: impl Into<String>, note: &str) {
        let message = format!("`{}` {}", self.text.name, message.into());
        self.problems.push(Problem::new(message).note(note));
    }

    /// A key that the format does not know has no effect there.
    pub fn unknown(&mut self, entry: &Entry, known: &[&str]) {
        if self.warnings.len() >= MOST_TOLD {
            return;
        }
        let meant = nearest(&entry.key, known.iter().copied());
        let label = meant.map_or_else(String::new, |meant| format!("did you mean `{meant}`?"));
        let spot = self.text.spot(entry.key_span.clone(), label);
        let message = format!("unknown key `{}`", shortened(&entry.key));
        let problem = Problem::new(message).at(spot);
        self.warnings.push(format!("{problem}; left out"));
    }

    /// The entries of a map.
    pub fn map<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Entry]> {
        match &node.value {
            Value::Map(entries) => Some(entries),
            _ => {
                let message = format!("{what} must be a map");
                self.wrong(node, message, "`key: value` lines");
                None
            }
        }
    }

    /// The items of a list.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.value {
            Value::List(items) => Some(items),
            _ => {
                self.wrong(node, format!("{what} must be a list"), "`- item` lines");
                None
            }
        }
    }

    fn scalar<'n>(&mut self, node: &'n Node, key: &str, form: &str) -> Option<&'n Scalar> {
        match &node.value {
            Value::Scalar(scalar) if !scalar.is_null() => Some(scalar),
            _ => {
                self.wrong(node, format!("`{key}` must be {form}"), "");
                None
            }
        }
    }

    /// A text as it is written; a number or a truth value is one too.
    pub fn word(&mut self, node: &Node, key: &str) -> Option<String> {
        let scalar = self.scalar(node, key, "a text")?;
        Some(scalar.text.clone())
    }

    /// One of a few words.
    pub fn one_of(&mut self, node: &Node, key: &str, words: &[&str]) -> Option<String> {
        let word = self.word(node, key)?;
        if words.contains(&word.as_str()) {
            return Some(word);
        }
        let label = match nearest(&word, words.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("it is one of {}", words.join(", ")),
        };
        let message = format!("`{key}` cannot be `{}`", shortened(&word));
        self.wrong(node, message, label);
        None
    }

    /// `true` or `false`.
    pub fn truth(&mut self, node: &Node, key: &str) -> Option<bool> {
        let form = "true or false";
        let word = &self.scalar(node, key, form)?.text;
        let truth = match word.as_str() {
            "1" => Some(true),
            "0" => Some(false),
            word => scalar::truth(word),
        };
        if truth.is_none() {
            let message = format!("`{key}` cannot be `{}`", shortened(word));
            self.wrong(node, message, format!("it must be {form}"));
        }
        truth
    }

    /// A finite number.
    pub fn number(&mut self, node: &Node, key: &str, form: &str) -> Option<f64> {
        let scalar = self.scalar(node, key, form)?;
        let text = scalar::text(scalar).unwrap_or_default();
        let number: Option<f64> = text.trim().parse().ok();
        let number = number.filter(|number| number.is_finite());
        if number.is_none() {
            let message = format!("`{key}` cannot be `{}`", shortened(&scalar.text));
            self.wrong(node, message, format!("it must be {form}"));
        }
        number
    }

    /// A time in seconds, `least` or more.
    pub fn seconds(&mut self, node: &Node, key: &str, least: Least) -> Option<Duration> {
        let seconds = self.number(node, key, "a number of seconds")?;
        let right = match least {
            Least::Nought => seconds >= 0.0,
            Least::More => seconds > 0.0,
        };
        if right && seconds <= LONGEST {
            return Some(Duration::from_secs_f64(seconds));
        }
        let label = match (right, least) {
            (true, _) => "at most a year",
            (false, Least::Nought) => "0 or more",
            (false, Least::More) => "more than 0",
        };
        self.wrong(node, format!("`{key}` cannot be {seconds} s"), label);
        None
    }
}

/// What a time may be at least.
#[derive(Debug, Clone, Copy)]
pub enum Least {
    Nought,
    More,
}

/// What is wrong with a file as a whole comes first, then file by file.
pub fn whole(problem: &Problem) -> Option<String> {
    problem.spot.as_ref().map(|spot| spot.file.clone())
}

/// A word of the file, short enough for a message.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
