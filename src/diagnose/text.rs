//! A text with a name, and places in it.

use std::ops::Range;

use super::Spot;

/// Widest excerpt of a line, characters.
const WIDTH: usize = 100;
/// Characters that stay before the marked part of a cut line.
const BEFORE: usize = 30;

/// A text file and what the user calls it.
#[derive(Debug, Clone)]
pub struct SourceText {
    pub name: String,
    pub text: String,
}

impl SourceText {
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// The place of a span of bytes; of a span over several lines its first line.
    pub fn spot(&self, span: Range<usize>, label: impl Into<String>) -> Spot {
        let start = floor(&self.text, span.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[start..]
            .find('\n')
            .map_or(self.text.len(), |at| start + at);
        let line = self.text[line_start..line_end].trim_end_matches('\r');
        // A span may begin behind the line: at the returns that end it.
        let line_end = start.max(line_start + line.len().max(1));
        let end = floor(&self.text, span.end).clamp(start, line_end);
        let (excerpt, marked) = cut(line, start - line_start, end.saturating_sub(line_start));
        Spot {
            file: printable(&self.name),
            line: self.text[..line_start].matches('\n').count() + 1,
            column: self.text[line_start..start].chars().count() + 1,
            label: printable(&label.into()),
            excerpt,
            marked,
        }
    }
}

/// The largest character boundary that is not after `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Cuts a line around its marked bytes to [`WIDTH`] characters.
fn cut(line: &str, start: usize, end: usize) -> (String, Range<usize>) {
    let start = floor(line, start);
    let end = floor(line, end.max(start));
    let skipped = line[..start].chars().count().saturating_sub(BEFORE);
    let long = line.chars().count() > WIDTH;
    let skipped = if long { skipped } else { 0 };
    let from = line.char_indices().nth(skipped).map_or(0, |(at, _)| at);
    let to = line[from..]
        .char_indices()
        .nth(WIDTH)
        .map_or(line.len(), |(at, _)| from + at);
    let mut excerpt = String::new();
    if skipped > 0 {
        excerpt.push('…');
    }
    let shift = excerpt.len();
    // The same number of bytes, so that the marked part stays where it is.
    excerpt.push_str(&printable(&line[from..to]));
    let marked = shift + start - from..shift + end.min(to) - from;
    if to < line.len() {
        excerpt.push('…');
    }
    (excerpt, marked)
}

/// The text without anything that a terminal would obey: control characters
/// and marks that reorder text become signs of the same length in UTF-8.
/// Newlines and tabs stay.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|sign| match sign {
            '\n' | '\t' => sign,
            '\0'..='\x1f' | '\x7f' => '?',
            '\u{80}'..='\u{9f}' => '¿',
            '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => '\u{fffd}',
            _ => sign,
        })
        .collect()
}

/// The candidate that is nearest to `word`, if one is near enough to be meant; else the
/// shortest that says more, as `timeout_sec` says more than `timeout`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let bound = (word.chars().count() / 3).clamp(1, 4);
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let all = candidates.iter();
    let near = all
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .filter(|(distance, _)| (1..=bound).contains(distance))
        .min()
        .map(|(_, candidate)| candidate);
    let says_more = |candidate: &&str| {
        let rest = candidate.strip_prefix(word);
        word.len() > 2 && rest.is_some_and(|rest| rest.starts_with('_'))
    };
    let longer = candidates.iter().copied().filter(says_more);
    near.or_else(|| longer.min_by_key(|candidate| candidate.len()))
}

/// The last cause of an error: the outer ones repeat what the user knows.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_span_at_the_return_of_a_line_is_in_that_line() {
        let text = SourceText::new("f", "a\r\r\nb\n");
        let spot = text.spot(2..9, "here");
        assert_eq!((spot.line, spot.excerpt.as_str()), (1, "a"));
    }

    #[test]
    fn a_near_word_is_found_and_a_far_one_is_not() {
        let known = ["fail_to_pass", "pass_to_pass", "path"];
        assert_eq!(nearest("pass_too_pass", known), Some("pass_to_pass"));
        assert_eq!(nearest("paht", known), Some("path"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("fail", known), Some("fail_to_pass"));
    }

    #[test]
    fn what_a_terminal_would_obey_is_replaced() {
        assert_eq!(
            printable("a\x1b[31mb\u{9b}c\u{202e}d\n"),
            "a?[31mb¿c\u{fffd}d\n"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_marked() {
        let text = format!("key = [{}]", "\"some_test\", ".repeat(100));
        let at = text.find("some_test").unwrap() + 13 * 50;
        let spot = SourceText::new("task.toml", text).spot(at..at + 9, "");
        assert_eq!(&spot.excerpt[spot.marked.clone()], "some_test");
        assert!(spot.excerpt.starts_with('…') && spot.excerpt.ends_with('…'));
        assert!(spot.excerpt.chars().count() <= WIDTH + 2);
    }

    proptest! {
        #[test]
        fn any_span_of_any_text_has_a_spot_that_renders(
            text in "\\PC{0,60}(\n\\PC{0,150}){0,3}",
            start in 0usize..300,
            length in 0usize..50,
        ) {
            let spot = SourceText::new("f", text).spot(start..start + length, "label");
            prop_assert!(spot.excerpt.get(spot.marked.clone()).is_some());
            let shown = super::super::Problem::new("wrong").at(spot).render(false);
            prop_assert!(shown.starts_with("error: wrong"));
        }
    }
}
