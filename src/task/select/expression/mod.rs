//! The language of `--filter`: comparisons of fields with `&`, `|`, `!` and parentheses.
//!
//! Owns what such a text means. Must not know which fields there are: who asks says so.
//!
//! `tokens` cuts a text into words and signs, `parse` makes a tree of them, `compare`
//! holds a comparison against a value.

mod compare;
mod parse;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use crate::diagnose::{Problem, SourceText, nearest};
use compare::Test;

/// Longest text of an expression, bytes.
const LONGEST: usize = 64 << 10;
/// Deepest nesting of parentheses and `!`.
const DEEPEST: usize = 64;
/// What a message calls the text.
const NAME: &str = "--filter";

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Number(f64),
    /// Of texts and numbers.
    List(Vec<Value>),
}

impl Value {
    /// Of a value in JSON; None for what cannot be compared. Truth values are the texts
    /// `true` and `false`.
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Null | serde_json::Value::Object(_) => None,
            serde_json::Value::Bool(truth) => Some(Self::Text(truth.to_string())),
            serde_json::Value::Number(number) => number.as_f64().map(Self::Number),
            serde_json::Value::String(text) => Some(Self::Text(text.clone())),
            serde_json::Value::Array(items) => Some(Self::List(
                items.iter().filter_map(Self::from_json).collect(),
            )),
        }
    }
}

/// A filter that was read. Two are equal where they mean the same word by word.
#[derive(Debug, Clone)]
pub struct Expression {
    node: Node,
    source: SourceText,
}

/// Why a text is no filter, or a filter does not fit what it is held against. Never
/// empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.first().map(Problem::to_string).unwrap_or_default())]
pub struct ExpressionError {
    /// Each with its place in the text.
    pub problems: Vec<Problem>,
}

impl ExpressionError {
    /// The error as a block of lines, the place marked; ends with a newline.
    pub fn render(&self, colour: bool) -> String {
        let blocks: Vec<String> = self
            .problems
            .iter()
            .map(|problem| problem.render(colour))
            .collect();
        blocks.concat()
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// Two or more, none of them `All`.
    All(Vec<Node>),
    /// Two or more, none of them `Any`.
    Any(Vec<Node>),
    Not(Box<Node>),
    Is(Comparison),
}

#[derive(Debug, Clone)]
struct Comparison {
    field: String,
    /// Where the field's name stands.
    span: Range<usize>,
    test: Test,
}

/// Where it stands is not what it means.
impl PartialEq for Comparison {
    fn eq(&self, other: &Self) -> bool {
        self.field == other.field && self.test == other.test
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl Expression {
    /// Reads a filter such as `repo = "sympy/sympy" & difficulty != ">4 hours"`:
    ///
    /// - `=`, `!=`: a list has the value among its items;
    /// - `<`, `<=`, `>`, `>=`: numbers by size, texts sign by sign but for runs of digits,
    ///   which count as numbers (so versions and ISO dates come in their order);
    /// - `~`: a glob, in which `*` matches `/` too;
    /// - `in ["a", "b"]`;
    /// - `!` binds before `&`, `&` before `|`.
    ///
    /// Values are words, or texts in `"` or `'`, in which `\` keeps the meaning from a
    /// quote and from another `\`. What a field does not have is equal to nothing.
    ///
    /// # Errors
    /// With the place in the text.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let source = SourceText::new(NAME, text);
        match parse::parse(&source) {
            Ok(node) => Ok(Self { node, source }),
            Err(problem) => Err(ExpressionError {
                problems: vec![*problem],
            }),
        }
    }

    /// Whether a text is meant as an expression, and not as globs on names with commas
    /// between: it has an operator outside quotes.
    pub fn looks_like_one(text: &str) -> bool {
        tokens::has_operator(text)
    }

    /// The fields that are named, sorted, each once.
    pub fn fields(&self) -> Vec<&str> {
        let mut comparisons = Vec::new();
        self.node.comparisons(&mut comparisons);
        let fields: BTreeSet<&str> = comparisons.iter().map(|is| is.field.as_str()).collect();
        fields.into_iter().collect()
    }

    /// Holds the fields that are named against those that there are.
    ///
    /// # Errors
    /// All that there are not, each with its place and the nearest one that there is.
    pub fn check(&self, known: &[&str]) -> Result<(), ExpressionError> {
        let mut comparisons = Vec::new();
        self.node.comparisons(&mut comparisons);
        let problems: Vec<Problem> = comparisons
            .into_iter()
            .filter(|is| !known.contains(&is.field.as_str()))
            .map(|is| {
                let meant = nearest(&is.field, known.iter().copied());
                let label = meant.map_or_else(
                    || format!("fields are {}", known.join(", ")),
                    |meant| format!("did you mean `{meant}`?"),
                );
                self.problem(is, format!("there is no field `{}`", is.field), label)
            })
            .collect();
        match problems.is_empty() {
            true => Ok(()),
            false => Err(ExpressionError { problems }),
        }
    }

    /// Whether something with these fields is meant; `value` is asked for a field by
    /// name and says None where there is none.
    ///
    /// # Errors
    /// Values that cannot be compared in their order, with the place.
    pub fn holds(&self, value: &dyn Fn(&str) -> Option<Value>) -> Result<bool, ExpressionError> {
        self.node.holds(value).map_err(|(is, label)| {
            let message = format!("`{}` cannot be compared so", is.field);
            ExpressionError {
                problems: vec![self.problem(is, message, label)],
            }
        })
    }

    fn problem(&self, is: &Comparison, message: String, label: String) -> Problem {
        Problem::new(message).at(self.source.spot(is.span.clone(), label))
    }
}

impl Node {
    fn comparisons<'n>(&'n self, found: &mut Vec<&'n Comparison>) {
        match self {
            Node::All(nodes) | Node::Any(nodes) => {
                nodes.iter().for_each(|node| node.comparisons(found));
            }
            Node::Not(node) => node.comparisons(found),
            Node::Is(is) => found.push(is),
        }
    }

    fn holds<'n>(
        &'n self,
        value: &dyn Fn(&str) -> Option<Value>,
    ) -> Result<bool, (&'n Comparison, String)> {
        match self {
            Node::All(nodes) => {
                for node in nodes {
                    if !node.holds(value)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Node::Any(nodes) => {
                for node in nodes {
                    if node.holds(value)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Node::Not(node) => node.holds(value).map(|holds| !holds),
            Node::Is(is) => is
                .test
                .holds(value(&is.field).as_ref())
                .map_err(|label| (is, label)),
        }
    }
}

/// The filter as it can be read again.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Is(is) => write!(f, "{} {}", is.field, is.test),
            Node::Not(node) => match node.as_ref() {
                Node::Not(_) => write!(f, "!{node}"),
                _ => write!(f, "!({node})"),
            },
            Node::All(nodes) => joined(f, nodes, " & ", |node| matches!(node, Node::Any(_))),
            Node::Any(nodes) => joined(f, nodes, " | ", |_| false),
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    nodes: &[Node],
    sign: &str,
    wrapped: fn(&Node) -> bool,
) -> fmt::Result {
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            f.write_str(sign)?;
        }
        match wrapped(node) {
            true => write!(f, "({node})")?,
            false => write!(f, "{node}")?,
        }
    }
    Ok(())
}
