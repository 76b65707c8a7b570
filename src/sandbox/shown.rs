//! What a program writes to a terminal → the lines that one reads there.
//!
//! Colours go, what is overwritten is overwritten, what full-screen programs draw
//! goes with them. Lines are not wrapped: a name stays whole however wide the terminal
//! is. Plain functions; must not know what is shown.

/// Widest line that something may be overwritten in, signs.
const WIDEST: usize = 100_000;

/// The text that a terminal shows in the end, scrolled lines and all.
pub fn shown(written: &[u8]) -> String {
    let text = String::from_utf8_lossy(written);
    let mut screen = Screen::default();
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '\u{1b}' => match signs.next() {
                Some('[') => {
                    let mut arguments = String::new();
                    for next in signs.by_ref() {
                        if ('@'..='~').contains(&next) {
                            screen.control(next, &arguments);
                            break;
                        }
                        if arguments.len() < 64 {
                            arguments.push(next);
                        }
                    }
                }
                Some(']' | 'P' | '_' | '^') => {
                    // Up to a bell or a string terminator.
                    while let Some(next) = signs.next() {
                        if next == '\u{7}' {
                            break;
                        }
                        if next == '\u{1b}' {
                            signs.next_if_eq(&'\\');
                            break;
                        }
                    }
                }
                Some(' '..='/') => drop(signs.next()),
                _ => {}
            },
            '\n' => screen.line(),
            '\r' => screen.column = 0,
            '\u{8}' => screen.column = screen.column.saturating_sub(1),
            '\t' => {
                let next = (screen.column / 8 + 1) * 8;
                // A tab that is copied from a terminal comes as blanks.
                (screen.column..next).for_each(|_| screen.put(' '));
            }
            sign if sign.is_control() => {}
            sign => screen.put(sign),
        }
    }
    screen.end()
}

#[derive(Default)]
struct Screen {
    text: String,
    row: Vec<char>,
    column: usize,
    /// Another screen is in front, which goes without a trace.
    aside: bool,
}

impl Screen {
    fn put(&mut self, sign: char) {
        if self.aside || self.column >= WIDEST {
            return;
        }
        if self.column > self.row.len() {
            self.row.resize(self.column, ' ');
        }
        match self.row.get_mut(self.column) {
            Some(place) => *place = sign,
            None => self.row.push(sign),
        }
        self.column += 1;
    }

    fn line(&mut self) {
        if self.aside {
            return;
        }
        let row: String = self.row.drain(..).collect();
        self.text.push_str(row.trim_end());
        self.text.push('\n');
        self.column = 0;
    }

    fn control(&mut self, last: char, arguments: &str) {
        let number = |default: usize| match arguments.parse::<usize>() {
            Ok(0) | Err(_) => default,
            Ok(number) => number.min(WIDEST),
        };
        match (last, arguments) {
            ('h', "?1049" | "?1047" | "?47") => self.aside = true,
            ('l', "?1049" | "?1047" | "?47") => self.aside = false,
            _ if self.aside => {}
            ('K', "" | "0") => self.row.truncate(self.column),
            ('K', "1") => {
                let end = self.row.len().min(self.column + 1);
                self.row[..end].fill(' ');
            }
            ('K', _) => self.row.clear(),
            ('G', _) => self.column = number(1) - 1,
            ('C', _) => self.column = (self.column + number(1)).min(WIDEST),
            ('D', _) => self.column = self.column.saturating_sub(number(1)),
            _ => {}
        }
    }

    fn end(mut self) -> String {
        if !self.row.is_empty() {
            self.aside = false;
            self.line();
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(written: &str) -> String {
        shown(written.as_bytes())
    }

    #[test]
    fn colours_and_titles_go() {
        assert_eq!(
            of("\x1b[1;31mred\x1b[0m \x1b]0;title\x07and\x1b(B plain\n"),
            "red and plain\n"
        );
        assert_eq!(of("\x1b]8;;http://x\x1b\\link"), "link\n");
    }

    #[test]
    fn what_is_overwritten_is_gone() {
        assert_eq!(of("10%\r 50%\r100% done\r\n"), "100% done\n");
        assert_eq!(of("abc\x08\x08X\x1b[K\n"), "aX\n");
        assert_eq!(of("one\r\x1b[2Ktwo\tthree\n"), "two     three\n");
        assert_eq!(of("ab\x1b[3Gc\x1b[1Dd\x1b[2Ce"), "abd  e\n");
    }

    #[test]
    fn a_program_that_fills_the_screen_leaves_nothing() {
        assert_eq!(
            of("$ vim x\r\n\x1b[?1049h~\n~\n:q\x1b[?1049l$ ls\r\nx\n"),
            "$ vim x\n$ ls\nx\n"
        );
    }

    proptest! {
        #[test]
        fn shown_text_is_shown_as_it_is(written in proptest::collection::vec(any::<u8>(), 0..300)) {
            let once = shown(&written);
            prop_assert_eq!(shown(once.as_bytes()), once.clone());
            let escapes = once.bytes().filter(|byte| *byte == 0x1b).count();
            prop_assert_eq!(escapes, 0);
        }

        #[test]
        fn no_sequence_breaks_it(written in "(\x1b|\\[|\\]|[0-9;?]{0,12}|[A-Za-z]|\r|\n|\x08|\\PC){0,80}") {
            let _ = shown(written.as_bytes());
        }
    }
}
