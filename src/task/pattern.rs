//! What the rules of `[tools]` match: patterns of calls, globs over paths.
//!
//! Owns how a pattern is compiled, held against a call and put into words, so that
//! what a task is checked for is what its trials are judged by. Must not know
//! trajectories and scores.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use jsonschema::Validator;
use regex::Regex;
use serde_json::{Map, Number, Value};

use super::{CallPattern, Matcher};

/// The names of the standard set; a task's own tools have others.
pub const STANDARD_TOOLS: [&str; 8] = [
    "bash", "read", "write", "edit", "list", "search", "python", "submit",
];

/// Most bytes of a glob: compiling one that is much longer would not be answered
/// by an error, but by a panic.
const MOST_GLOB: usize = 1000;

/// Most characters of a value in words.
const MOST_SHOWN: usize = 80;

/// A pattern that is none.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    #[error("`{glob}` is not a glob")]
    Glob {
        glob: String,
        source: globset::Error,
    },
    #[error("a glob has {length} bytes")]
    LongGlob { length: usize },
    #[error("`{regex}` is not a regular expression")]
    Regex { regex: String, source: regex::Error },
    #[error("this is not a JSON Schema")]
    Schema {
        source: Box<jsonschema::ValidationError<'static>>,
    },
}

impl PatternError {
    /// What is wrong, in one line.
    pub fn cause(&self) -> String {
        match self {
            Self::Glob { source, .. } => source.kind().to_string(),
            Self::LongGlob { .. } => format!("at most {MOST_GLOB}"),
            // The text draws the expression, and ends with what is wrong with it.
            Self::Regex { source, .. } => {
                let text = source.to_string();
                let last = text.lines().last().unwrap_or_default();
                last.strip_prefix("error: ").unwrap_or(last).to_owned()
            }
            Self::Schema { source } => cut(&source.to_string(), 2 * MOST_SHOWN),
        }
    }
}

/// A pattern of calls, compiled.
#[derive(Debug)]
pub struct CallMatcher {
    tool: String,
    command: Option<GlobMatcher>,
    arguments: Vec<(String, ArgumentMatcher)>,
}

impl CallMatcher {
    /// # Errors
    /// A glob, a regular expression or a schema that is none; never of a task that
    /// was loaded.
    pub fn new(pattern: &CallPattern) -> Result<Self, PatternError> {
        let compile = |(name, matcher): (&String, &Matcher)| {
            ArgumentMatcher::new(matcher).map(|matcher| (name.clone(), matcher))
        };
        Ok(Self {
            tool: pattern.tool.clone(),
            command: pattern.command.as_deref().map(command_glob).transpose()?,
            arguments: pattern
                .arguments
                .iter()
                .map(compile)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Whether a call is one of these. An argument that is not there matches nothing.
    pub fn matches(&self, tool: &str, arguments: Option<&Value>) -> bool {
        let argument = |name: &str| arguments.and_then(|arguments| arguments.get(name));
        self.tool == tool
            && self.command.as_ref().is_none_or(|glob| {
                let command = argument("command").and_then(Value::as_str);
                command.is_some_and(|command| glob.is_match(command))
            })
            && self
                .arguments
                .iter()
                .all(|(name, held)| argument(name).is_some_and(|value| held.matches(value)))
    }
}

/// What an argument is held against, compiled.
#[derive(Debug)]
pub struct ArgumentMatcher(Held);

#[derive(Debug)]
enum Held {
    /// In the form of [`by_value`].
    Any(Vec<Value>),
    Regex(Regex),
    Schema(Box<Validator>),
}

impl ArgumentMatcher {
    /// # Errors
    /// A regular expression or a schema that is none.
    pub fn new(matcher: &Matcher) -> Result<Self, PatternError> {
        Ok(Self(match matcher {
            Matcher::Equal(value) => Held::Any(vec![by_value(value)]),
            Matcher::Any(values) => Held::Any(values.iter().map(by_value).collect()),
            Matcher::Regex(regex) => {
                Held::Regex(Regex::new(regex).map_err(|source| PatternError::Regex {
                    regex: regex.clone(),
                    source,
                })?)
            }
            Matcher::Schema(schema) => Held::Schema(Box::new(compile_schema(schema)?)),
        }))
    }

    fn matches(&self, value: &Value) -> bool {
        match &self.0 {
            Held::Any(values) => values.contains(&by_value(value)),
            Held::Regex(regex) => value.as_str().is_some_and(|text| regex.is_match(text)),
            Held::Schema(validator) => validator.is_valid(value),
        }
    }
}

/// # Errors
/// What the schemas of JSON Schema do not take, and references out of it.
pub fn compile_schema(schema: &Value) -> Result<Validator, PatternError> {
    jsonschema::validator_for(schema).map_err(|source| PatternError::Schema {
        source: Box::new(source),
    })
}

/// A glob over a whole command; `*` stands for anything, `/` and line ends included.
pub fn command_glob(glob: &str) -> Result<GlobMatcher, PatternError> {
    compile_glob(glob, "", false)
}

/// The glob below a root that has been escaped.
fn compile_glob(glob: &str, root: &str, of_path: bool) -> Result<GlobMatcher, PatternError> {
    if glob.len() > MOST_GLOB {
        return Err(PatternError::LongGlob { length: glob.len() });
    }
    let built = GlobBuilder::new(&format!("{root}{glob}"))
        .literal_separator(of_path)
        .build();
    match built {
        Ok(built) => Ok(built.compile_matcher()),
        Err(source) => Err(PatternError::Glob {
            glob: glob.to_owned(),
            source,
        }),
    }
}

/// Globs over absolute paths: `*` stays within a folder, `**` does not.
#[derive(Debug, Default)]
pub struct PathGlobs(Vec<GlobMatcher>);

impl PathGlobs {
    /// Relative globs are taken from `work_tree`, an absolute path.
    ///
    /// # Errors
    /// A glob that is none; never of a task that was loaded.
    pub fn new(globs: &[String], work_tree: &str) -> Result<Self, PatternError> {
        let root = globset::escape(work_tree.trim_end_matches('/')) + "/";
        let compile = |glob: &String| match glob.starts_with('/') {
            true => compile_glob(glob, "", true),
            false => compile_glob(glob.trim_start_matches("./"), &root, true),
        };
        Ok(Self(globs.iter().map(compile).collect::<Result<_, _>>()?))
    }

    /// Whether a glob names this path.
    pub fn names(&self, path: &str) -> bool {
        self.0.iter().any(|glob| glob.is_match(path))
    }

    /// Whether a glob names this path, or all that lies directly in it: `private/**`
    /// covers `private` too.
    pub fn covers(&self, path: &str) -> bool {
        self.names(path) || self.names(&format!("{path}/"))
    }
}

/// The value with each whole number in one form, so that 1 and 1.0 are equal.
pub fn by_value(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(number_by_value(number)),
        Value::Array(items) => Value::Array(items.iter().map(by_value).collect()),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(name, value)| (name.clone(), by_value(value)))
                .collect::<Map<_, _>>(),
        ),
        other => other.clone(),
    }
}

fn number_by_value(number: &Number) -> Number {
    // Up to 2^64 a whole float is that integer exactly; what is larger is a float
    // however it was written.
    let whole = number
        .as_f64()
        .filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() < 2f64.powi(64));
    match whole {
        Some(float) if float >= 0.0 => Number::from(float as u64),
        Some(float) if float >= -(2f64.powi(63)) => Number::from(float as i64),
        _ => number.clone(),
    }
}

/// As people would write it: `` `refund` with order = "A-17" and cents one of 1, 2 ``.
impl fmt::Display for CallPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.tool)?;
        let command = self
            .command
            .iter()
            .map(|glob| format!("command like `{}`", cut(glob, MOST_SHOWN)));
        let arguments = self
            .arguments
            .iter()
            .map(|(name, matcher)| format!("{name} {matcher}"));
        for (at, part) in command.chain(arguments).enumerate() {
            f.write_str(if at == 0 { " with " } else { " and " })?;
            f.write_str(&part)?;
        }
        Ok(())
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Value| cut(&value.to_string(), MOST_SHOWN);
        match self {
            Self::Equal(value) => write!(f, "= {}", shown(value)),
            Self::Any(values) => {
                let all: Vec<String> = values.iter().map(shown).collect();
                write!(f, "one of {}", cut(&all.join(", "), MOST_SHOWN))
            }
            Self::Regex(regex) => write!(f, "matching /{}/", cut(regex, MOST_SHOWN)),
            Self::Schema(schema) => write!(f, "fitting {}", shown(schema)),
        }
    }
}

/// The text, or its beginning with `…`.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
