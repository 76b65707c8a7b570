//! Text that came out of a build, made fit to be shown.

use std::collections::VecDeque;

/// Longest line that is shown, characters.
const LINE: usize = 400;

/// A line without terminal escapes and control characters, cut where too long.
pub(in crate::sandbox::docker) fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\u{9b}' => skip_control_sequence(&mut characters),
            '\t' => out.push(' '),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    if out.chars().count() > LINE {
        out = out.chars().take(LINE - 1).collect();
        out.push('…');
    }
    out
}

fn skip_escape(characters: &mut std::str::Chars<'_>) {
    match characters.next() {
        Some('[') => skip_control_sequence(characters),
        // Operating system commands and the like end with BEL or ESC \.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(character) = characters.next() {
                match character {
                    '\u{7}' => break,
                    '\u{1b}' => {
                        characters.next();
                        break;
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn skip_control_sequence(characters: &mut std::str::Chars<'_>) {
    for character in characters.by_ref() {
        if ('@'..='~').contains(&character) {
            break;
        }
    }
}

/// The last lines of a log.
#[derive(Debug)]
pub(super) struct Tail {
    lines: VecDeque<String>,
    most: usize,
}

impl Tail {
    pub(super) fn new(most: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            most,
        }
    }

    pub(super) fn push(&mut self, line: &str) {
        let line = plain(line);
        if line.trim().is_empty() {
            return;
        }
        if self.lines.len() == self.most {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_never_reach_a_terminal() {
        let line = "a\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7}b\r\u{8}\u{9b}2Jc\u{1b}";
        assert_eq!(plain(line), "aredbc");
        assert_eq!(plain(&"x".repeat(1000)).chars().count(), LINE);
    }

    #[test]
    fn a_tail_keeps_the_last_lines_that_say_something() {
        let mut tail = Tail::new(2);
        for line in ["one", "two", " ", "three"] {
            tail.push(line);
        }
        assert_eq!(tail.into_lines(), ["two", "three"]);
    }
}
