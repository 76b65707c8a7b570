//! XML elements as a strict reader sees them: without a document type, with namespaces.
//!
//! Owns what is well-formed: a report is refused whole where the official reader refuses
//! it. Must not know what the elements mean.

mod names;

use std::collections::HashSet;

use super::Raised;
use names::{Namespaces, is_name, is_sign};

pub const NOT_WELL_FORMED: Raised = Raised("ParseError");

/// Most elements in each other.
const DEEPEST: usize = 1 << 20;

/// An element's border; elements of a namespace have none.
pub enum Event<'a> {
    Start(&'a str, Attributes),
    End(&'a str),
}

/// The attributes of an element, by their names as they are written.
pub struct Attributes(Vec<(String, String)>);

impl Attributes {
    pub fn of(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value)
    }
}

/// Reads a text that is one element.
///
/// # Errors
/// A text that is not well-formed, or too deep.
pub fn read<'a>(text: &'a str, mut each: impl FnMut(Event<'a>)) -> Result<(), Raised> {
    let mut reader = Reader {
        rest: text,
        open: Vec::new(),
        namespaces: Namespaces::default(),
    };
    reader.element(&mut each)?;
    while !reader.open.is_empty() {
        reader.content(&mut each)?;
    }
    match reader.rest.is_empty() {
        true => Ok(()),
        false => Err(NOT_WELL_FORMED),
    }
}

struct Reader<'a> {
    rest: &'a str,
    /// The open elements, and whether they are of no namespace.
    open: Vec<(&'a str, bool)>,
    namespaces: Namespaces,
}

impl<'a> Reader<'a> {
    /// What stands before a sign; both are taken.
    fn until(&mut self, sign: &str) -> Result<&'a str, Raised> {
        let (before, after) = self.rest.split_once(sign).ok_or(NOT_WELL_FORMED)?;
        self.rest = after;
        before
            .chars()
            .all(is_sign)
            .then_some(before)
            .ok_or(NOT_WELL_FORMED)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Blanks: whether there were some.
    fn blanks(&mut self) -> bool {
        let rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let some = rest.len() < self.rest.len();
        self.rest = rest;
        some
    }

    fn name(&mut self) -> Result<&'a str, Raised> {
        let is_end = |sign: char| " \t\r\n/>=?".contains(sign);
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end).ok_or(NOT_WELL_FORMED)?;
        self.rest = rest;
        Ok(name)
    }

    /// One piece of what stands inside an element.
    fn content(&mut self, each: &mut impl FnMut(Event<'a>)) -> Result<(), Raised> {
        if self.takes("<!--") {
            self.until("--")?;
            self.takes(">").then_some(()).ok_or(NOT_WELL_FORMED)
        } else if self.takes("<![CDATA[") {
            self.until("]]>").map(drop)
        } else if self.takes("<?") {
            let target = self.name()?;
            let blank = self.blanks();
            let data = self.until("?>")?;
            let well = is_name(target)
                && !target.contains(':')
                && !target.eq_ignore_ascii_case("xml")
                && (blank || data.is_empty());
            well.then_some(()).ok_or(NOT_WELL_FORMED)
        } else if self.takes("</") {
            self.end(each)
        } else if self.rest.starts_with('<') {
            self.element(each)
        } else {
            self.characters()
        }
    }

    fn characters(&mut self) -> Result<(), Raised> {
        let end = self.rest.find('<').ok_or(NOT_WELL_FORMED)?;
        let (text, rest) = self.rest.split_at_checked(end).ok_or(NOT_WELL_FORMED)?;
        self.rest = rest;
        if text.contains("]]>") {
            return Err(NOT_WELL_FORMED);
        }
        decoded(text).map(drop)
    }

    fn end(&mut self, each: &mut impl FnMut(Event<'a>)) -> Result<(), Raised> {
        let name = self.name()?;
        self.blanks();
        let open = self.open.pop();
        match open {
            Some((open, plain)) if open == name && self.takes(">") => {
                self.closed(name, plain, each);
                Ok(())
            }
            _ => Err(NOT_WELL_FORMED),
        }
    }

    fn closed(&mut self, name: &'a str, plain: bool, each: &mut impl FnMut(Event<'a>)) {
        self.namespaces.leave();
        if plain {
            each(Event::End(name));
        }
    }

    /// A start tag; an empty element is its end as well.
    fn element(&mut self, each: &mut impl FnMut(Event<'a>)) -> Result<(), Raised> {
        if !self.takes("<") || self.open.len() >= DEEPEST {
            return Err(match self.open.len() {
                DEEPEST.. => Raised("MemoryError"),
                _ => NOT_WELL_FORMED,
            });
        }
        let name = self.name()?;
        let (attributes, empty) = self.attributes()?;
        let plain = self.scope(name, &attributes)?;
        if plain {
            each(Event::Start(name, Attributes(attributes)));
        }
        match empty {
            true => self.closed(name, plain, each),
            false => self.open.push((name, plain)),
        }
        Ok(())
    }

    /// The attributes and the end of a start tag: whether its element is empty.
    fn attributes(&mut self) -> Result<(Vec<(String, String)>, bool), Raised> {
        let mut attributes = Vec::new();
        loop {
            let blank = self.blanks();
            if self.takes("/>") {
                return Ok((attributes, true));
            }
            if self.takes(">") {
                return Ok((attributes, false));
            }
            let name = self.name()?;
            self.blanks();
            let equals = self.takes("=");
            self.blanks();
            let quote = ["\"", "'"].into_iter().find(|quote| self.takes(quote));
            let (true, true, Some(quote)) = (blank, equals, quote) else {
                return Err(NOT_WELL_FORMED);
            };
            let value = self.until(quote)?;
            if value.contains('<') {
                return Err(NOT_WELL_FORMED);
            }
            attributes.push((name.to_owned(), decoded(value)?));
        }
    }

    /// Enters an element's namespaces: whether its own name is of none.
    fn scope(&mut self, name: &str, attributes: &[(String, String)]) -> Result<bool, Raised> {
        let spaces = &mut self.namespaces;
        spaces.enter(attributes)?;
        let mut known = HashSet::new();
        for (name, _) in attributes {
            let full = spaces.attribute(name)?;
            if !known.insert(full) {
                return Err(NOT_WELL_FORMED);
            }
        }
        spaces.is_plain(name)
    }
}

/// A text with its references replaced, each blank a space as in an attribute's value.
fn decoded(text: &str) -> Result<String, Raised> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        normalized(before, &mut out)?;
        let (reference, after) = after.split_once(';').ok_or(NOT_WELL_FORMED)?;
        out.push(referred(reference).ok_or(NOT_WELL_FORMED)?);
        rest = after;
    }
    normalized(rest, &mut out)?;
    Ok(out)
}

fn normalized(text: &str, out: &mut String) -> Result<(), Raised> {
    let mut after_return = false;
    for sign in text.chars() {
        if !is_sign(sign) {
            return Err(NOT_WELL_FORMED);
        }
        match sign {
            '\n' if after_return => {}
            '\t' | '\r' | '\n' => out.push(' '),
            _ => out.push(sign),
        }
        after_return = sign == '\r';
    }
    Ok(())
}

/// What a reference stands for.
fn referred(name: &str) -> Option<char> {
    let number = |digits: &str, radix| {
        let digits = (!digits.is_empty()).then(|| digits.trim_start_matches('0'))?;
        let well = digits.len() <= 8 && digits.chars().all(|sign| sign.is_digit(radix));
        let number = well.then(|| u32::from_str_radix(digits, radix).ok())??;
        char::from_u32(number).filter(|sign| is_sign(*sign))
    };
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix("#x") {
            Some(digits) => number(digits, 16),
            None => number(name.strip_prefix('#')?, 10),
        },
    }
}
