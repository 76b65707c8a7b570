//! The bytes of a log → the text that Python makes of them.

use std::borrow::Cow;

use super::GradeError;

/// The first byte that is no UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotUtf8 {
    /// From 0.
    pub offset: usize,
    pub byte: u8,
    /// From 1.
    pub line: usize,
}

impl NotUtf8 {
    pub fn of(self, instance: &str) -> GradeError {
        GradeError::NotUtf8 {
            instance: instance.to_owned(),
            offset: self.offset,
            byte: self.byte,
            line: self.line,
        }
    }
}

/// The bytes, if they are UTF-8.
pub fn valid(bytes: &[u8]) -> Result<&str, NotUtf8> {
    std::str::from_utf8(bytes).map_err(|error| {
        let (valid, rest) = bytes.split_at(error.valid_up_to().min(bytes.len()));
        NotUtf8 {
            offset: valid.len(),
            byte: rest.first().copied().unwrap_or_default(),
            line: valid.iter().filter(|byte| **byte == b'\n').count() + 1,
        }
    })
}

/// A text file as Python opens it: UTF-8, and each end of a line is a newline.
pub fn strict(bytes: &[u8]) -> Result<Cow<'_, str>, NotUtf8> {
    valid(bytes).map(|text| newlines(Cow::Borrowed(text)))
}

/// The same with `errors="replace"`.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    newlines(String::from_utf8_lossy(bytes))
}

/// CRLF and a lone CR become a newline.
fn newlines(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\r') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut pieces = text.split('\r');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        if !piece.starts_with('\n') {
            out.push('\n');
        }
        out.push_str(piece);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_of_a_line_is_a_newline() {
        assert_eq!(strict(b"a\r\nb\rc\r\r\nd\r"), Ok("a\nb\nc\n\nd\n".into()));
        assert_eq!(strict(b"\n\ra"), Ok("\n\na".into()));
        assert_eq!(strict(b""), Ok("".into()));
    }

    #[test]
    fn a_byte_that_is_no_utf8_has_a_place() {
        let error = NotUtf8 {
            offset: 2,
            byte: 0xe9,
            line: 2,
        };
        assert_eq!(strict(b"a\n\xe9"), Err(error));
        assert_eq!(lossy(b"a\r\n\xe9"), "a\n\u{fffd}");
    }
}
