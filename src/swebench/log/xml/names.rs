//! Names of XML: their signs, their prefixes and the namespaces of these.
//!
//! Must not know elements' places.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::super::Raised;
use super::super::text::pattern;
use super::NOT_WELL_FORMED;

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
/// The sign that the official reader puts between a namespace and a name.
const BETWEEN: char = '}';

/// A character that XML allows.
pub fn is_sign(sign: char) -> bool {
    matches!(sign, '\t' | '\n' | '\r' | ' '..) && !matches!(sign, '\u{fffe}' | '\u{ffff}')
}

/// A sign of a name. Beyond ASCII by today's categories: the official reader's tables are
/// those of Unicode 2, which reports of ASCII names do not show.
fn is_of_name(sign: char, begins: bool) -> bool {
    static BEGINS: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\p{L}$"));
    static CONTINUES: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[\p{L}\p{Nd}\p{M}·]$"));
    match sign {
        'A'..='Z' | 'a'..='z' | '_' => true,
        '0'..='9' | '-' | '.' => !begins,
        '\u{80}'..='\u{d7a3}' => {
            let signs = if begins { &BEGINS } else { &CONTINUES };
            signs.is_match(sign.encode_utf8(&mut [0; 4]))
        }
        _ => false,
    }
}

/// A name without a prefix, or with one.
pub fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        let mut signs = part.chars();
        signs.next().is_some_and(|sign| is_of_name(sign, true))
            && signs.all(|sign| is_of_name(sign, false))
    };
    match name.split_once(':') {
        Some((prefix, local)) => is_part(prefix) && is_part(local),
        None => is_part(name),
    }
}

/// A namespace by its number, as long ones may be named often.
type Space = usize;
const NO_SPACE: Space = 0;
const SPACE_OF_XML: Space = 1;
const SPACE_OF_XMLNS: Space = 2;

/// The namespaces of the open elements.
pub struct Namespaces {
    numbers: HashMap<String, Space>,
    /// By prefix, the innermost last; the default one's prefix is empty.
    bound: HashMap<String, Vec<Space>>,
    /// How many prefixes each open element bound, and these.
    counts: Vec<usize>,
    prefixes: Vec<String>,
}

impl Default for Namespaces {
    fn default() -> Self {
        let known = [("", NO_SPACE), (XML, SPACE_OF_XML), (XMLNS, SPACE_OF_XMLNS)];
        Self {
            numbers: known.map(|(uri, space)| (uri.to_owned(), space)).into(),
            bound: HashMap::from([("xml".to_owned(), vec![SPACE_OF_XML])]),
            counts: Vec::new(),
            prefixes: Vec::new(),
        }
    }
}

impl Namespaces {
    /// Binds the prefixes of a start tag.
    pub fn enter(&mut self, attributes: &[(String, String)]) -> Result<(), Raised> {
        let before = self.prefixes.len();
        for (name, uri) in attributes {
            let prefix = match name.split_once(':') {
                Some(("xmlns", prefix)) => prefix,
                None if name == "xmlns" => "",
                _ => continue,
            };
            let next = self.numbers.len();
            let space = *self.numbers.entry(uri.clone()).or_insert(next);
            let well = match (prefix, space) {
                ("xmlns", _) | (_, SPACE_OF_XMLNS) => false,
                ("xml", _) | (_, SPACE_OF_XML) => prefix == "xml" && space == SPACE_OF_XML,
                (_, NO_SPACE) => prefix.is_empty(),
                _ => !uri.contains(BETWEEN),
            };
            if !well {
                return Err(NOT_WELL_FORMED);
            }
            self.prefixes.push(prefix.to_owned());
            let bound = self.bound.entry(prefix.to_owned()).or_default();
            bound.push(space);
        }
        self.counts.push(self.prefixes.len() - before);
        Ok(())
    }

    /// Forgets the prefixes of the innermost element.
    pub fn leave(&mut self) {
        let count = self.counts.pop().unwrap_or_default();
        let from = self.prefixes.len().saturating_sub(count);
        for prefix in self.prefixes.drain(from..) {
            if let Some(bound) = self.bound.get_mut(&prefix) {
                bound.pop();
            }
        }
    }

    /// Whether an element's name is of no namespace.
    pub fn is_plain(&self, name: &str) -> Result<bool, Raised> {
        if !is_name(name) {
            return Err(NOT_WELL_FORMED);
        }
        match name.split_once(':') {
            Some((prefix, _)) => self.space(prefix).map(|_| false),
            None => Ok(self.space("").unwrap_or(NO_SPACE) == NO_SPACE),
        }
    }

    /// The full name of an attribute.
    pub fn attribute<'a>(&self, name: &'a str) -> Result<(Space, &'a str), Raised> {
        if !is_name(name) {
            return Err(NOT_WELL_FORMED);
        }
        match name.split_once(':') {
            None => Ok((NO_SPACE, name)),
            Some(("xmlns", _)) => Ok((SPACE_OF_XMLNS, name)),
            Some((prefix, local)) => Ok((self.space(prefix)?, local)),
        }
    }

    fn space(&self, prefix: &str) -> Result<Space, Raised> {
        let bound = self.bound.get(prefix).and_then(|bound| bound.last());
        bound.copied().ok_or(NOT_WELL_FORMED)
    }
}
