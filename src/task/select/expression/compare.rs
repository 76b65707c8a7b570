//! A comparison held against the value of a field.

use std::cmp::Ordering;
use std::fmt;

use globset::GlobMatcher;

use super::Value;
use super::tokens::{is_word, quoted};

/// What is asked of a field.
#[derive(Debug, Clone)]
pub enum Test {
    Equal(String),
    Differs(String),
    Order(Order, String),
    Like(GlobMatcher),
    In(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Test {
    /// Whether a value is meant; else why the two cannot be compared.
    pub fn holds(&self, value: Option<&Value>) -> Result<bool, String> {
        let Some(value) = value else {
            return Ok(matches!(self, Test::Differs(_)));
        };
        match self {
            Test::Equal(text) => Ok(equal(value, text)),
            Test::Differs(text) => Ok(!equal(value, text)),
            Test::In(texts) => Ok(texts.iter().any(|text| equal(value, text))),
            Test::Like(glob) => Ok(like(value, glob)),
            Test::Order(order, text) => compare(value, text).map(|found| order.has(found)),
        }
    }
}

fn equal(value: &Value, text: &str) -> bool {
    match value {
        Value::Text(value) => value == text,
        Value::Number(value) => number(text) == Some(*value),
        Value::List(values) => values.iter().any(|value| equal(value, text)),
    }
}

fn like(value: &Value, glob: &GlobMatcher) -> bool {
    match value {
        Value::Text(value) => glob.is_match(value),
        Value::Number(value) => glob.is_match(value.to_string()),
        Value::List(values) => values.iter().any(|value| like(value, glob)),
    }
}

fn compare(value: &Value, text: &str) -> Result<Ordering, String> {
    match value {
        Value::Text(value) => Ok(natural(value, text)),
        Value::Number(value) => number(text)
            .and_then(|number| value.partial_cmp(&number))
            .ok_or_else(|| format!("it is the number {value}, and `{text}` is none")),
        Value::List(_) => Err("it is a list, which has no order".to_owned()),
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
}

/// The order of texts in which runs of digits count as numbers; texts that differ in
/// leading zeros alone come by their signs.
fn natural(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (left, right);
    loop {
        let (run_a, rest_a) = run(a);
        let (run_b, rest_b) = run(b);
        if run_a.is_empty() || run_b.is_empty() {
            return run_a.len().cmp(&run_b.len()).then_with(|| left.cmp(right));
        }
        let digits = |run: &str| run.starts_with(|sign: char| sign.is_ascii_digit());
        let found = match digits(run_a) && digits(run_b) {
            true => {
                let [a, b] = [run_a, run_b].map(|run| run.trim_start_matches('0'));
                a.len().cmp(&b.len()).then_with(|| a.cmp(b))
            }
            false => run_a.cmp(run_b),
        };
        if found.is_ne() {
            return found;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// A run of digits, or one other sign; and what follows.
fn run(text: &str) -> (&str, &str) {
    let digits = text
        .find(|sign: char| !sign.is_ascii_digit())
        .unwrap_or(text.len());
    let one = text.chars().next().map_or(0, char::len_utf8);
    text.split_at(digits.max(one))
}

impl Order {
    fn has(self, found: Ordering) -> bool {
        match self {
            Order::Less => found.is_lt(),
            Order::AtMost => found.is_le(),
            Order::More => found.is_gt(),
            Order::AtLeast => found.is_ge(),
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Order::Less => "<",
            Order::AtMost => "<=",
            Order::More => ">",
            Order::AtLeast => ">=",
        }
    }
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Test::Equal(one), Test::Equal(other)) => one == other,
            (Test::Differs(one), Test::Differs(other)) => one == other,
            (Test::Order(one, text), Test::Order(other, same)) => one == other && text == same,
            (Test::Like(one), Test::Like(other)) => one.glob() == other.glob(),
            (Test::In(one), Test::In(other)) => one == other,
            _ => false,
        }
    }
}

/// As it stands behind the name of a field.
impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Equal(text) => write!(f, "= {}", shown(text)),
            Test::Differs(text) => write!(f, "!= {}", shown(text)),
            Test::Order(order, text) => write!(f, "{} {}", order.sign(), shown(text)),
            Test::Like(glob) => write!(f, "~ {}", shown(glob.glob().glob())),
            Test::In(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| shown(text)).collect();
                write!(f, "in [{}]", texts.join(", "))
            }
        }
    }
}

fn shown(text: &str) -> String {
    match is_word(text) {
        true => text.to_owned(),
        false => quoted(text),
    }
}
