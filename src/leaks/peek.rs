//! A stream whose beginning was looked at, and bounds on what comes out of one.
//!
//! Owns which form a file has, by its first bytes. Must not know what is in it.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Enough to see the mark of a tar stream.
const HEAD: usize = 512;

/// What a file is, as far as it can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Plain,
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    Zip,
    Tar,
    /// A pack of git objects.
    Pack,
    /// A git bundle: lines of text, then a pack.
    Bundle,
    /// A git object that is a file of its own.
    Object,
}

/// The first bytes of a stream, and all of it again.
pub fn peek(reader: &mut dyn Read) -> io::Result<(Vec<u8>, impl Read + use<'_>)> {
    let mut head = Vec::with_capacity(HEAD);
    reader.take(HEAD as u64).read_to_end(&mut head)?;
    let again = io::Cursor::new(head.clone()).chain(reader);
    Ok((head, again))
}

/// The form of a file; `name` only tells whether it may be a git object.
pub fn form(head: &[u8], name: &str) -> Form {
    let tar = head.get(257..262) == Some(b"ustar");
    match head {
        [0x1f, 0x8b, 8, ..] => Form::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Form::Zstd,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Form::Xz,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, ..] => Form::Bzip2,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Form::Zip,
        [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, ..] => Form::Pack,
        _ if head.starts_with(b"# v2 git bundle\n") => Form::Bundle,
        _ if head.starts_with(b"# v3 git bundle\n") => Form::Bundle,
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] if is_object(name) => Form::Object,
        _ if tar => Form::Tar,
        _ => Form::Plain,
    }
}

/// Whether a path ends as `objects/4f/…38 hex…`.
fn is_object(name: &str) -> bool {
    let mut parts = name.rsplit('/');
    let (file, folder) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex(file) && hex(folder) && folder.len() == 2 && matches!(file.len(), 38 | 62)
}

/// Ends with an error when a budget of bytes that several streams share is spent.
pub struct Bounded<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Bounded<R> {
    pub fn new(inner: R, left: &Rc<Cell<u64>>) -> Self {
        Self {
            inner,
            left: left.clone(),
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        match self.left.get().checked_sub(read as u64) {
            Some(left) => self.left.set(left),
            None => return Err(io::Error::other("it unpacks to more than is searched")),
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_by_the_first_bytes() {
        assert_eq!(form(b"", "x.zip"), Form::Plain);
        assert_eq!(form(b"PK\x03\x04..", "x"), Form::Zip);
        assert_eq!(form(b"PACK\0\0\0\x02", "x"), Form::Pack);
        assert_eq!(form(b"# v2 git bundle\n4", "x"), Form::Bundle);
        let object = "/r/.git/objects/4f/0123456789abcdef0123456789abcdef012345";
        assert_eq!(form(b"\x78\x01..", object), Form::Object);
        assert_eq!(form(b"\x78\x01..", "/x"), Form::Plain);
    }

    #[test]
    fn what_was_looked_at_comes_again() {
        let mut bytes: &[u8] = &[7; 2000];
        let (head, mut again) = peek(&mut bytes).unwrap();
        let mut all = Vec::new();
        again.read_to_end(&mut all).unwrap();
        assert_eq!((head.len(), all.len()), (HEAD, 2000));
    }

    #[test]
    fn a_budget_is_shared() {
        let left = Rc::new(Cell::new(10));
        let mut all = Vec::new();
        assert!(
            Bounded::new(&[0; 8][..], &left)
                .read_to_end(&mut all)
                .is_ok()
        );
        assert!(
            Bounded::new(&[0; 8][..], &left)
                .read_to_end(&mut all)
                .is_err()
        );
    }
}
