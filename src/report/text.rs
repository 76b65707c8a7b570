//! Text that is safe to show and takes the room that it is given.
//!
//! Owns what is stripped from foreign text and how wide a text is. Knows nothing
//! of runs.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The most characters of a foreign text that are looked at.
const LONGEST: usize = 64 * 1024;

/// The most characters of a control string before its end is given up on.
const LONGEST_SEQUENCE: usize = 4096;

/// One line from a foreign text: terminal escapes, control characters and
/// characters that reorder or hide text are gone, line breaks and tabs are spaces.
///
/// Whatever a task or an agent has written goes through here before it is shown.
pub fn sanitize(text: &str) -> String {
    let chars: Vec<char> = text.chars().take(LONGEST).collect();
    let mut out = String::with_capacity(chars.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        at += 1;
        match c {
            '\u{1b}' => at += escape_length(&chars[at..]),
            '\u{9b}' => at += csi_length(&chars[at..]),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => at += string_length(&chars[at..]),
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => out.push(' '),
            c if c.is_control() || is_hidden(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// As [`sanitize`], line by line; at most `most` lines.
pub fn sanitize_lines(text: &str, most: usize) -> Vec<String> {
    text.lines().take(most).map(sanitize).collect()
}

/// A foreign text of several lines, each as [`sanitize`] has it and broken to so
/// many columns. Empty lines before and after it are left out, tabs take four columns.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let lines: Vec<&str> = text.trim_matches(['\n', '\r']).lines().collect();
    let mut out = Vec::with_capacity(lines.len());
    for line in lines {
        let line = sanitize(&line.replace('\t', "    "));
        wrap(line.trim_end(), columns.max(1), &mut out);
    }
    out
}

/// Breaks one line at spaces, a word that is too long wherever it must be; what
/// is broken off stands below the beginning of the line.
fn wrap(line: &str, columns: usize, out: &mut Vec<String>) {
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let indent = match indent.len() * 2 >= columns {
        true => String::new(),
        false => indent,
    };
    let mut rest = line;
    while let Some(at) = break_at(rest, columns) {
        let broken = rest[..at].trim_end();
        if !broken.is_empty() {
            out.push(broken.to_owned());
        }
        rest = rest[at..].trim_start();
        if rest.is_empty() {
            return;
        }
        if !indent.is_empty() {
            let mut inner = Vec::new();
            wrap(rest, columns - indent.len(), &mut inner);
            out.extend(inner.iter().map(|line| format!("{indent}{line}")));
            return;
        }
    }
    out.push(rest.to_owned());
}

/// Where a line that is wider than that is broken; looks no further than it must.
fn break_at(line: &str, columns: usize) -> Option<usize> {
    let (mut used, mut space, mut begun) = (0, None, false);
    for (at, c) in line.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns && at > 0 {
            // A space right behind the last column is as good a place.
            return Some(if c == ' ' { at } else { space.unwrap_or(at) });
        }
        match c {
            ' ' if begun => space = Some(at),
            ' ' => {}
            _ => begun = true,
        }
    }
    None
}

/// Parts with a separator between them, broken to so many columns: between parts
/// where that can be.
pub(super) fn flowed(parts: &[String], columns: usize) -> Vec<String> {
    const BETWEEN: &str = " · ";
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if width(line) + width(BETWEEN) + width(part) <= columns => {
                line.push_str(BETWEEN);
                line.push_str(part);
            }
            _ => wrap(part, columns.max(1), &mut lines),
        }
    }
    lines
}

/// What follows an escape character and belongs to it.
fn escape_length(rest: &[char]) -> usize {
    match rest.first() {
        Some('[') => 1 + csi_length(&rest[1..]),
        Some(']' | 'P' | 'X' | '^' | '_') => 1 + string_length(&rest[1..]),
        // Intermediate characters, then a final one: a character set, say.
        Some(' '..='/') => {
            let intermediate = rest.iter().take_while(|c| (' '..='/').contains(*c));
            let length = intermediate.count();
            length + usize::from(rest.get(length).is_some_and(|c| ('0'..='~').contains(c)))
        }
        Some('0'..='~') => 1,
        _ => 0,
    }
}

/// Parameters and the final character of a control sequence.
fn csi_length(rest: &[char]) -> usize {
    let parameters = rest.iter().take_while(|c| (' '..='?').contains(*c));
    let length = parameters.count();
    length + usize::from(rest.get(length).is_some_and(|c| ('@'..='~').contains(c)))
}

/// A control string with its end; nothing where it has none, so that an open one
/// does not swallow what follows.
fn string_length(rest: &[char]) -> usize {
    for (at, c) in rest.iter().enumerate().take(LONGEST_SEQUENCE) {
        match c {
            '\u{7}' | '\u{9c}' => return at + 1,
            '\u{1b}' if rest.get(at + 1) == Some(&'\\') => return at + 2,
            '\n' => return 0,
            _ => {}
        }
    }
    0
}

/// Characters that change the direction of text or that nobody sees.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Columns that a text takes; colours take none.
pub(super) fn width(text: &str) -> usize {
    match text.contains('\u{1b}') {
        true => console::measure_text_width(text),
        false => text.width(),
    }
}

/// A text cut to so many columns, ending in `…` where something was cut.
pub(super) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if text.contains('\u{1b}') {
        return console::truncate_str(text, columns, "…").into_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        out.push(c);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

/// A text cut or filled with spaces on the right to so many columns.
pub(super) fn left(text: &str, columns: usize) -> String {
    let mut out = fit(text, columns);
    out.push_str(&" ".repeat(columns.saturating_sub(width(&out))));
    out
}

/// A text filled with spaces on the left to so many columns.
pub(super) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `0:09`, `12:30`, `1:02:03`.
pub(super) fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match hours {
        0 => format!("{minutes}:{:02}", seconds % 60),
        _ => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
    }
}

/// `1 trial`, `3 trials`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// Rows as lines whose columns begin at the same place; a column without a text is left
/// out.
pub fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let widest = |column: usize| rows.iter().map(|row| width(&row[column])).max();
    let widths: [usize; N] = std::array::from_fn(|column| widest(column).unwrap_or(0));
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .filter(|(_, width)| *width > 0)
            .map(|(cell, width)| left(cell, width))
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn terminal_escapes_are_stripped() {
        for (dirty, clean) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}Pq#0;2\u{1b}\\after", "after"),
            ("\u{9b}2Jgone", "gone"),
            ("\u{1b}(0lines\u{1b}c", "lines"),
            ("\u{1b}[?25lhidden cursor", "hidden cursor"),
            ("bell\u{7} back\u{8}space", "bell backspace"),
            ("two\nlines\tand\rmore", "two lines and more"),
            ("\u{202e}reversed\u{2066}", "reversed"),
        ] {
            assert_eq!(sanitize(dirty), clean, "{dirty:?}");
        }
    }

    #[test]
    fn an_open_control_string_swallows_nothing() {
        assert_eq!(sanitize("\u{1b}]0;never ends"), "0;never ends");
        assert_eq!(sanitize("\u{1b}"), "");
        assert_eq!(sanitize("\u{1b}[12"), "");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(width("漢字"), 4);
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(left("漢", 4), "漢  ");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn a_long_line_is_broken_at_spaces() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(
            wrapped("\n\na\n\n  b\u{1b}[2J\tc\n\n", 20),
            ["a", "", "  b    c"]
        );
        assert_eq!(wrapped("  deep one two", 10), ["  deep one", "  two"]);
        assert_eq!(wrapped("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("漢字漢字", 5), ["漢字", "漢字"]);
        assert_eq!(wrapped("", 5), Vec::<String>::new());
    }

    #[test]
    fn parts_stay_whole() {
        let parts = ["one".to_owned(), "two".into(), "three".into()];
        assert_eq!(flowed(&parts, 10), ["one · two", "three"]);
        assert_eq!(flowed(&parts, 5), ["one", "two", "three"]);
        assert_eq!(flowed(&["one two".to_owned()], 3), ["one", "two"]);
    }

    #[test]
    fn durations_read_like_a_clock() {
        assert_eq!(clock(9.4), "0:09");
        assert_eq!(clock(750.0), "12:30");
        assert_eq!(clock(3723.0), "1:02:03");
    }

    proptest! {
        #[test]
        fn what_is_shown_holds_no_control_character(text in "[\u{0}-\u{2ff}\u{2000}-\u{2070}]{0,80}") {
            let shown = sanitize(&text);
            prop_assert!(!shown.chars().any(|c| c.is_control() || is_hidden(c)));
        }

        #[test]
        fn a_wrapped_text_never_takes_more_and_loses_no_word(
            text in "[a-z漢 ]{0,80}",
            columns in 2usize..30,
        ) {
            let lines = wrapped(&text, columns);
            prop_assert!(lines.iter().all(|line| width(line) <= columns));
            let letters = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }

        #[test]
        fn a_fitted_text_never_takes_more(text in "\\PC{0,60}", columns in 0usize..40) {
            prop_assert!(width(&fit(&text, columns)) <= columns);
        }
    }
}
