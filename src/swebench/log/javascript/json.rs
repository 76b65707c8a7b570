//! JSON as Python's `json` reads it, and Mocha's lists of tests in it.
//!
//! Owns which texts are refused, and by which exception. Values are places in the text:
//! nothing is built of a large report. Must not know logs.

use super::super::Raised;

const NOT_JSON: Raised = Raised("JSONDecodeError");
const WRONG_TYPE: Raised = Raised("TypeError");
/// Most containers in each other; Python's own bound depends on its callers.
const DEEPEST: usize = 980;
/// Most digits of a whole number.
const MOST_DIGITS: usize = 4300;

/// Some members of an object; of each name the last.
pub struct Object<'a>(Vec<(String, &'a str)>);

impl<'a> Object<'a> {
    /// A value's text.
    pub fn of(&self, name: &str) -> Option<&'a str> {
        let mut members = self.0.iter();
        let (_, value) = members.find(|(known, _)| known == name)?;
        Some(value)
    }

    fn set(&mut self, name: String, value: &'a str) {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value));
    }
}

/// Reads a text that is an object, for its members of these names.
///
/// # Errors
/// As Python's.
pub fn object<'a>(text: &'a str, names: &[&str]) -> Result<Object<'a>, Raised> {
    let mut cursor = Cursor { text, at: 0 };
    let object = cursor.members(names)?;
    cursor.blanks();
    match cursor.at == text.len() {
        true => Ok(object),
        false => Err(NOT_JSON),
    }
}

/// Each `fullTitle` in a list of tests, which was read before as part of an object.
///
/// # Errors
/// Where Python's subscripts raise.
pub fn each_title(list: &str, mut found: impl FnMut(&str)) -> Result<(), Raised> {
    let mut cursor = Cursor { text: list, at: 0 };
    match cursor.peek() {
        Some(b'[') => {}
        // Python goes through the members of an object and the letters of a text, which
        // have no subscripts; without any there is nothing to raise.
        Some(b'{' | b'"') => {
            let empty = cursor.is_empty();
            return if empty { Ok(()) } else { Err(WRONG_TYPE) };
        }
        _ => return Err(WRONG_TYPE),
    }
    cursor.at += 1;
    loop {
        cursor.blanks();
        match cursor.peek() {
            Some(b',') => cursor.at += 1,
            Some(b'{') => {
                let test = cursor.members(&["fullTitle"])?;
                let title = test.of("fullTitle").ok_or(Raised("KeyError"))?;
                match title.as_bytes().first() {
                    Some(b'"') => found(&Cursor { text: title, at: 0 }.string()?),
                    Some(b'[' | b'{') => return Err(WRONG_TYPE),
                    // A name that is no text is that of no expected test.
                    _ => found(title),
                }
            }
            Some(b']') | None => return Ok(()),
            Some(_) => return Err(WRONG_TYPE),
        }
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn takes(&mut self, sign: u8) -> bool {
        let is = self.peek() == Some(sign);
        self.at += usize::from(is);
        is
    }

    /// Whether an object or a text that begins here is empty.
    fn is_empty(&mut self) -> bool {
        let closing = if self.peek() == Some(b'{') {
            b'}'
        } else {
            b'"'
        };
        self.at += 1;
        if closing == b'}' {
            self.blanks();
        }
        self.peek() == Some(closing)
    }

    /// The members of these names of the object that begins here.
    fn members(&mut self, names: &[&str]) -> Result<Object<'a>, Raised> {
        let mut members = Object(Vec::new());
        if !self.takes(b'{') {
            return Err(NOT_JSON);
        }
        self.blanks();
        if self.takes(b'}') {
            return Ok(members);
        }
        loop {
            let name = self.key()?;
            let start = self.at;
            self.value(1)?;
            if names.contains(&name.as_str()) {
                members.set(name, self.text.get(start..self.at).unwrap_or_default());
            }
            self.blanks();
            if self.takes(b'}') {
                return Ok(members);
            }
            if !self.takes(b',') {
                return Err(NOT_JSON);
            }
            self.blanks();
        }
    }

    /// A member's name, up to its value.
    fn key(&mut self) -> Result<String, Raised> {
        if self.peek() != Some(b'"') {
            return Err(NOT_JSON);
        }
        let name = self.string()?;
        self.blanks();
        if !self.takes(b':') {
            return Err(NOT_JSON);
        }
        self.blanks();
        Ok(name)
    }

    /// Goes over the value that begins here, `depth` containers deep.
    fn value(&mut self, depth: usize) -> Result<(), Raised> {
        // The closing signs of the open containers.
        let mut open: Vec<u8> = Vec::new();
        loop {
            match self.peek() {
                Some(sign @ (b'[' | b'{')) => {
                    self.at += 1;
                    if depth + open.len() >= DEEPEST {
                        return Err(Raised("RecursionError"));
                    }
                    let closing = if sign == b'[' { b']' } else { b'}' };
                    self.blanks();
                    if !self.takes(closing) {
                        open.push(closing);
                        if closing == b'}' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => self.pass_string()?,
                _ => self.scalar()?,
            }
            // After a value: the ends of containers, or the next value.
            loop {
                let Some(closing) = open.last().copied() else {
                    return Ok(());
                };
                self.blanks();
                if self.takes(closing) {
                    open.pop();
                } else if self.takes(b',') {
                    self.blanks();
                    if closing == b'}' {
                        self.key()?;
                    }
                    break;
                } else {
                    return Err(NOT_JSON);
                }
            }
        }
    }

    /// A number or a word.
    fn scalar(&mut self) -> Result<(), Raised> {
        const WORDS: [&str; 6] = ["null", "true", "false", "NaN", "Infinity", "-Infinity"];
        let rest = self.rest();
        if let Some(word) = WORDS.into_iter().find(|word| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(());
        }
        self.takes(b'-');
        let digits = self.digits();
        match digits.as_bytes() {
            [] => return Err(NOT_JSON),
            // A zero is a number of its own.
            [b'0', rest @ ..] => self.at -= rest.len(),
            _ => {}
        }
        let whole = self.at;
        if self.takes(b'.') && self.digits().is_empty() {
            self.at = whole;
        }
        let before = self.at;
        if self.takes(b'e') || self.takes(b'E') {
            let _sign = self.takes(b'+') || self.takes(b'-');
            if self.digits().is_empty() {
                self.at = before;
            }
        }
        match self.at == whole && digits.len() > MOST_DIGITS && !digits.starts_with('0') {
            true => Err(Raised("ValueError")),
            false => Ok(()),
        }
    }

    fn digits(&mut self) -> &'a str {
        let rest = self.rest();
        let after = rest.trim_start_matches(|sign: char| sign.is_ascii_digit());
        let (digits, _) = rest.split_at(rest.len() - after.len());
        self.at += digits.len();
        digits
    }

    /// Goes over the text that begins here.
    fn pass_string(&mut self) -> Result<(), Raised> {
        self.pieces(|_| {})
    }

    /// The text that begins here. Halves of pairs that stand alone are replaced.
    fn string(&mut self) -> Result<String, Raised> {
        let mut units: Vec<u16> = Vec::new();
        let mut out = String::new();
        self.pieces(|piece| match piece {
            Piece::Unit(unit) => units.push(unit),
            Piece::Plain(text) => {
                flush(&mut units, &mut out);
                out.push_str(text);
            }
        })?;
        flush(&mut units, &mut out);
        Ok(out)
    }

    fn pieces(&mut self, mut each: impl FnMut(Piece<'a>)) -> Result<(), Raised> {
        self.at += 1;
        loop {
            let rest = self.rest();
            let end = rest
                .find(|sign: char| matches!(sign, '"' | '\\' | '\0'..='\x1f'))
                .ok_or(NOT_JSON)?;
            let (plain, rest) = rest.split_at(end);
            self.at += end + 1;
            if !plain.is_empty() {
                each(Piece::Plain(plain));
            }
            match rest.as_bytes() {
                [b'"', ..] => return Ok(()),
                [b'\\', b'u', ..] => {
                    let digits = rest.get(2..6).ok_or(NOT_JSON)?;
                    let well = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                    let unit = u16::from_str_radix(digits, 16).ok().filter(|_| well);
                    each(Piece::Unit(unit.ok_or(NOT_JSON)?));
                    self.at += 5;
                }
                [b'\\', sign, ..] => {
                    each(Piece::Plain(escaped(*sign).ok_or(NOT_JSON)?));
                    self.at += 1;
                }
                _ => return Err(NOT_JSON),
            }
        }
    }
}

/// A part of a text.
enum Piece<'a> {
    Plain(&'a str),
    /// Of UTF-16.
    Unit(u16),
}

fn flush(units: &mut Vec<u16>, out: &mut String) {
    out.push_str(&String::from_utf16_lossy(units));
    units.clear();
}

fn escaped(sign: u8) -> Option<&'static str> {
    Some(match sign {
        b'"' => "\"",
        b'\\' => "\\",
        b'/' => "/",
        b'b' => "\u{8}",
        b'f' => "\u{c}",
        b'n' => "\n",
        b'r' => "\r",
        b't' => "\t",
        _ => return None,
    })
}
