//! Ways into a TOML document, and where keys and values stand in its text.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(usize),
}

/// The way to a value in a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPath(pub Vec<Step>);

impl KeyPath {
    /// The path with one more key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.0.push(Step::Key(key.into()));
        self
    }

    /// The path with one more index.
    pub fn index(mut self, index: usize) -> Self {
        self.0.push(Step::Index(index));
        self
    }

    /// The table that the last key stands in, as a header is written; empty for the top.
    pub fn table(&self) -> String {
        let parents = &self.0[..self.0.len().saturating_sub(1)];
        let keys: Vec<&str> = parents
            .iter()
            .filter_map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Index(_) => None,
            })
            .collect();
        match parents.last() {
            None => String::new(),
            Some(Step::Key(_)) => format!("[{}]", keys.join(".")),
            Some(Step::Index(_)) => format!("[[{}]]", keys.join(".")),
        }
    }

    /// The last key of the path.
    pub fn last_key(&self) -> &str {
        self.0
            .iter()
            .rev()
            .find_map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Index(_) => None,
            })
            .unwrap_or_default()
    }
}

/// `verification.overlay`: keys with dots between.
impl From<&String> for KeyPath {
    fn from(path: &String) -> Self {
        Self::from(path.as_str())
    }
}

impl From<&str> for KeyPath {
    fn from(dotted: &str) -> Self {
        dotted.split('.').fold(Self::default(), Self::key)
    }
}

/// Where a key and its value stand, bytes; the span of an element is both.
pub fn place(text: &str, path: &KeyPath) -> Option<(Range<usize>, Range<usize>)> {
    let document = DeTable::parse(text).ok()?;
    let mut value: Option<&Spanned<DeValue<'_>>> = None;
    let mut key_span = 0..0;
    for step in &path.0 {
        let next = match (step, value.map(Spanned::get_ref)) {
            (Step::Key(key), None) => entry(document.get_ref(), key),
            (Step::Key(key), Some(DeValue::Table(table))) => entry(table, key),
            (Step::Index(index), Some(DeValue::Array(array))) => {
                array.get(*index).map(|item| (item.span(), item))
            }
            _ => None,
        };
        let (span, item) = next?;
        key_span = span;
        value = Some(item);
    }
    Some((key_span, value?.span()))
}

fn entry<'t, 'i>(
    table: &'t DeTable<'i>,
    key: &str,
) -> Option<(Range<usize>, &'t Spanned<DeValue<'i>>)> {
    table
        .iter()
        .find(|(name, _)| name.get_ref() == key)
        .map(|(name, value)| (name.span(), value))
}

/// The innermost key whose value a span lies in.
pub fn key_at(text: &str, span: &Range<usize>) -> Option<KeyPath> {
    fn find(
        value: &Spanned<DeValue<'_>>,
        span: &Range<usize>,
        path: KeyPath,
    ) -> Option<(usize, KeyPath)> {
        let own = value.span();
        let inner = match value.get_ref() {
            DeValue::Table(table) => table
                .iter()
                .filter_map(|(key, value)| {
                    find(value, span, path.clone().key(key.get_ref().as_ref()))
                })
                .min_by_key(|(width, _)| *width),
            DeValue::Array(array) => array
                .iter()
                .enumerate()
                .filter_map(|(at, value)| find(value, span, path.clone().index(at)))
                .min_by_key(|(width, _)| *width),
            _ => None,
        };
        let holds = own.start <= span.start && span.end <= own.end;
        inner.or_else(|| holds.then(|| (own.len(), path)))
    }
    let document = DeTable::parse(text).ok()?;
    let (_, mut path) = document
        .get_ref()
        .iter()
        .filter_map(|(key, value)| {
            find(value, span, KeyPath::default().key(key.get_ref().as_ref()))
        })
        .min_by_key(|(width, _)| *width)?;
    while matches!(path.0.last(), Some(Step::Index(_))) {
        path.0.pop();
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_any_depth_have_a_place() {
        let text = "[a]\nb = [1, { c = 2 }]\n";
        let path = KeyPath::from("a.b").index(1).key("c");
        let (key, value) = place(text, &path).unwrap();
        assert_eq!((&text[key], &text[value]), ("c", "2"));
        assert_eq!(path.table(), "[[a.b]]");
    }
}
