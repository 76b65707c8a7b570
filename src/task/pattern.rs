//! What the rules of `[tools]` match: patterns of calls, globs over paths.
//!
//! Owns how a pattern is compiled, held against a call and put into words, so that
//! what a task is checked for is what its trials are judged by. Must not know
//! trajectories and scores.

use std::fmt;

use globset::{Glob, GlobBuilder, GlobMatcher, GlobSet};
use jsonschema::Validator;
use regex::Regex;
use serde_json::{Map, Number, Value};

use super::{CallPattern, Matcher};

/// The names of the standard set; a task's own tools have others.
pub const STANDARD_TOOLS: [&str; 8] = [
    "bash", "read", "write", "edit", "list", "search", "python", "submit",
];

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
    Ok(compile_glob(glob, glob, false)?.compile_matcher())
}

fn compile_glob(given: &str, glob: &str, of_path: bool) -> Result<Glob, PatternError> {
    let built = GlobBuilder::new(glob).literal_separator(of_path).build();
    built.map_err(|source| PatternError::Glob {
        glob: given.to_owned(),
        source,
    })
}

/// Globs over absolute paths: `*` stays within a folder, `**` does not.
#[derive(Debug)]
pub struct PathGlobs(GlobSet);

impl PathGlobs {
    /// Relative globs are taken from `work_tree`, an absolute path.
    ///
    /// # Errors
    /// A glob that is none; never of a task that was loaded.
    pub fn new(globs: &[String], work_tree: &str) -> Result<Self, PatternError> {
        let mut set = GlobSet::builder();
        let root = globset::escape(work_tree.trim_end_matches('/'));
        for glob in globs {
            let absolute = match glob.starts_with('/') {
                true => glob.clone(),
                false => format!("{root}/{}", glob.trim_start_matches("./")),
            };
            set.add(compile_glob(glob, &absolute, true)?);
        }
        let set = set.build().map_err(|source| PatternError::Glob {
            glob: globs.join(", "),
            source,
        })?;
        Ok(Self(set))
    }

    /// Whether a glob names this path.
    pub fn names(&self, path: &str) -> bool {
        self.0.is_match(path)
    }

    /// Whether a glob names this path, or all that lies directly in it: `private/**`
    /// covers `private` too.
    pub fn covers(&self, path: &str) -> bool {
        self.names(path) || self.0.is_match(format!("{path}/"))
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
mod tests {
    use serde_json::json;

    use super::*;

    fn pattern(tool: &str, arguments: &[(&str, Matcher)]) -> CallPattern {
        CallPattern {
            tool: tool.into(),
            command: None,
            arguments: arguments
                .iter()
                .map(|(name, matcher)| ((*name).into(), matcher.clone()))
                .collect(),
        }
    }

    fn fits(matcher: Matcher, value: Value) -> bool {
        let pattern = pattern("t", &[("a", matcher)]);
        let arguments = json!({ "a": value, "other": 1 });
        CallMatcher::new(&pattern)
            .unwrap()
            .matches("t", Some(&arguments))
    }

    #[test]
    fn numbers_are_equal_by_value_at_any_depth() {
        let same = |a: Value, b: Value| fits(Matcher::Equal(a), b);
        assert!(same(json!(1), json!(1.0)));
        assert!(same(json!(-0.0), json!(0)));
        assert!(same(json!(-3.0), json!(-3)));
        assert!(same(json!({ "x": [2.0] }), json!({ "x": [2] })));
        assert!(same(json!(u64::MAX), json!(u64::MAX)));
        assert!(!same(json!(1), json!(1.5)));
        assert!(!same(json!(1), json!("1")));
        assert!(!same(json!(1), json!(true)));
        // 2^53 + 1 is no float.
        assert!(!same(
            json!(9_007_199_254_740_993_u64),
            json!(9_007_199_254_740_992_f64)
        ));
        assert!(!same(json!([1, 2]), json!([2, 1])));
    }

    #[test]
    fn any_regex_and_schema_are_held_against_a_value() {
        let any = || Matcher::Any(vec![json!("x"), json!(2)]);
        assert!(fits(any(), json!(2.0)) && fits(any(), json!("x")));
        assert!(!fits(any(), json!("y")));
        let regex = || Matcher::Regex("^B-".into());
        assert!(fits(regex(), json!("B-7")));
        assert!(!fits(regex(), json!("AB-7")));
        assert!(!fits(Matcher::Regex("7".into()), json!(7)));
        let schema = || Matcher::Schema(json!({ "not": { "enum": ["a", "b"] } }));
        assert!(fits(schema(), json!("c")));
        assert!(!fits(schema(), json!("a")));
    }

    #[test]
    fn an_argument_that_is_not_there_matches_nothing() {
        let held = pattern("t", &[("a", Matcher::Schema(json!({})))]);
        let held = CallMatcher::new(&held).unwrap();
        assert!(!held.matches("t", Some(&json!({}))));
        assert!(!held.matches("t", None));
        assert!(!held.matches("other", Some(&json!({ "a": 1 }))));
        let bare = CallMatcher::new(&pattern("t", &[])).unwrap();
        assert!(bare.matches("t", None));
    }

    #[test]
    fn a_command_is_matched_as_a_whole_over_slashes_and_lines() {
        let of = |glob: &str, command: &str| {
            let pattern = CallPattern {
                command: Some(glob.into()),
                ..pattern("bash", &[])
            };
            let arguments = json!({ "command": command });
            CallMatcher::new(&pattern)
                .unwrap()
                .matches("bash", Some(&arguments))
        };
        assert!(of("git log --all*", "git log --all -- a/b\nls"));
        assert!(!of("git log --all*", "cd x && git log --all"));
        assert!(of("*git log --all*", "cd x/y && git log --all"));
    }

    #[test]
    fn globs_over_paths_are_taken_from_the_work_tree() {
        let globs = |list: &[&str]| {
            let list: Vec<String> = list.iter().map(|glob| (*glob).to_owned()).collect();
            PathGlobs::new(&list, "/work[1]").unwrap()
        };
        let src = globs(&["./src/**"]);
        assert!(src.names("/work[1]/src/a/b.py"));
        assert!(!src.names("/work1/src/a.py") && !src.names("/work[1]/lib/src/a.py"));
        assert!(src.covers("/work[1]/src") && !src.names("/work[1]/src"));
        assert!(!src.covers("/work[1]/srcs"));
        let flat = globs(&["/etc/*.conf"]);
        assert!(flat.names("/etc/a.conf") && !flat.names("/etc/x/a.conf"));
        assert!(!globs(&[]).covers("/"));
    }

    #[test]
    fn a_pattern_is_told_as_people_would_write_it() {
        let told = pattern(
            "refund",
            &[
                ("cents", Matcher::Any(vec![json!(1), json!(2)])),
                ("note", Matcher::Regex("^B".into())),
                ("order", Matcher::Equal(json!("A-17"))),
            ],
        );
        assert_eq!(
            told.to_string(),
            "`refund` with cents one of 1, 2 and note matching /^B/ and order = \"A-17\""
        );
        let told = CallPattern {
            command: Some("git log*".into()),
            ..pattern("bash", &[])
        };
        assert_eq!(told.to_string(), "`bash` with command like `git log*`");
        let long = pattern("t", &[("a", Matcher::Equal(json!("x".repeat(500))))]);
        assert!(long.to_string().chars().count() < 120);
    }
}
