//! What Python holds of text, where Rust holds something else.
//!
//! Must not know logs or parsers.

use std::sync::LazyLock;

use regex::Regex;

/// A blank of `str.split`, `str.strip` and `\s`: Unicode's white space and the four
/// separators before the blank.
pub fn is_space(sign: char) -> bool {
    sign.is_whitespace() || matches!(sign, '\u{1c}'..='\u{1f}')
}

/// A digit of `\d`.
pub fn is_digit(sign: char) -> bool {
    static DIGIT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d$"));
    match sign.is_ascii() {
        true => sign.is_ascii_digit(),
        false => sign.is_numeric() && DIGIT.is_match(sign.encode_utf8(&mut [0; 4])),
    }
}

/// A sign of `\w`: letters, numbers and the underscore; no combining marks.
pub fn is_word(sign: char) -> bool {
    static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\w$"));
    match sign.is_ascii() {
        true => sign.is_ascii_alphanumeric() || sign == '_',
        false => sign.is_alphanumeric() && WORD.is_match(sign.encode_utf8(&mut [0; 4])),
    }
}

/// `str.strip`
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `str.lstrip`
pub fn strip_start(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// `str.rstrip`
pub fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// The number of blanks before a text, in characters.
pub fn indent(text: &str) -> usize {
    text.chars().take_while(|sign| is_space(*sign)).count()
}

/// `str.split()`
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// A regular expression as Python's `re` reads it. A word's border (`\b`) is not
/// translated.
pub fn pattern(python: &str) -> Regex {
    let rust = python
        .replace(r"\s", r"[\s\x1c-\x1f]")
        .replace(r"\S", r"[^\s\x1c-\x1f]")
        .replace(r"\w", r"[\p{L}\p{N}_]");
    Regex::new(&rust).expect("a constant pattern")
}

/// `float`, but for digits of other scripts.
pub fn float(text: &str) -> Option<f64> {
    let text = strip(text);
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let between = |(at, _): (usize, &str)| digit(at.checked_sub(1)) && digit(Some(at + 1));
    let well = text.match_indices('_').all(between);
    well.then(|| text.replace('_', "").parse().ok()).flatten()
}

/// Without the escape sequences of terminals that the official parsers know.
pub fn without_escapes(text: &str) -> std::borrow::Cow<'_, str> {
    static ESCAPE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\x1B(?:[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])"));
    ESCAPE.replace_all(text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_those_of_python() {
        assert_eq!(strip("\u{1c} \u{1f}a\u{85}\u{2028}\u{3000}"), "a");
        assert_eq!(strip("\u{200b}a"), "\u{200b}a");
        let words: Vec<_> = words("\t a\u{1d}b  c\r\n").collect();
        assert_eq!(words, ["a", "b", "c"]);
        assert!(pattern(r"^\s\S$").is_match("\u{1e}a"));
        assert!(!pattern(r"\S").is_match("\u{1e}"));
        assert_eq!(indent("\u{3000}\u{1c} a "), 3);
    }

    #[test]
    fn a_combining_mark_is_no_sign_of_a_word() {
        for (sign, word, digit) in [
            ('a', true, false),
            ('_', true, false),
            ('é', true, false),
            ('٣', true, true),
            ('²', true, false),
            ('\u{301}', false, false),
            ('\u{93e}', false, false),
            ('-', false, false),
        ] {
            assert_eq!((is_word(sign), is_digit(sign)), (word, digit), "{sign:?}");
        }
    }

    #[test]
    fn numbers_are_those_of_python() {
        for text in ["3", " 3.0\n", "3_0.1e-1_0", ".5", "5.", "+Inf", "nan"] {
            assert!(float(text).is_some(), "{text:?}");
        }
        for text in ["", "v3", "1.2.3", "_3", "3_", "3__0", "3_.0", "0x3", "1 2"] {
            assert!(float(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn escapes_go_and_what_is_none_stays() {
        assert_eq!(without_escapes("\x1b[1;31mred\x1b[0m\x1bM"), "red");
        assert_eq!(without_escapes("\x1b[3\n\x1ba [1m"), "\x1b[3\n\x1ba [1m");
    }
}
