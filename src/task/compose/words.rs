//! A command that is written as one line, as the words that it is started with.
//!
//! Compose splits such a line by rules that no shell and no crate has: an operator
//! of the shell ends it, whatever follows is dropped, `#` begins no comment, a
//! backslash makes any sign a plain one. These rules are kept, so that a task
//! starts what it starts elsewhere.

/// The words of a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    pub words: Vec<String>,
    /// From the operator on, what is not a part of the command.
    pub dropped: Option<String>,
}

/// None where a quote or a parenthesis is left open.
pub fn split(line: &str) -> Option<Words> {
    let mut state = State::default();
    for (at, sign) in line.char_indices() {
        if state.escaped {
            state.escaped = false;
            state.put(sign);
            continue;
        }
        let bare = state.quote.is_none() && !state.backquote && !state.dollar;
        match sign {
            '\\' if state.quote == Some('\'') => state.word.push(sign),
            '\\' => state.escaped = true,
            ' ' | '\t' | '\r' | '\n' if bare => state.end_word(),
            ' ' | '\t' | '\r' | '\n' => state.word.push(sign),
            '"' | '\'' if state.quote == Some(sign) && !state.dollar => {
                state.quote = None;
                state.begun = true;
            }
            '"' | '\'' if state.quote.is_none() && !state.dollar => state.quote = Some(sign),
            '`' if state.quote.is_none() && !state.dollar => {
                state.backquote = !state.backquote;
                state.put(sign);
            }
            ')' if state.quote.is_none() && !state.backquote => {
                state.dollar = !state.dollar;
                state.put(sign);
            }
            '(' if state.quote.is_none() && !state.backquote => {
                if state.dollar || !state.word.ends_with('$') {
                    return None;
                }
                state.dollar = true;
                state.word.push(sign);
            }
            ';' | '&' | '|' | '<' | '>' if bare => {
                let file =
                    sign == '>' && state.word.starts_with(|first: char| first.is_ascii_digit());
                if file {
                    // The number of a file, `2>`, is no word.
                    state.begun = false;
                }
                return Some(state.finish(Some(&line[at..])));
            }
            _ => state.put(sign),
        }
    }
    let open = state.escaped || state.quote.is_some() || state.backquote || state.dollar;
    (!open).then(|| state.finish(None))
}

#[derive(Default)]
struct State {
    words: Vec<String>,
    word: String,
    /// Whether `word` is one, also when it is empty.
    begun: bool,
    escaped: bool,
    quote: Option<char>,
    backquote: bool,
    /// Inside `$(`.
    dollar: bool,
}

impl State {
    fn put(&mut self, sign: char) {
        self.word.push(sign);
        self.begun = true;
    }

    fn end_word(&mut self) {
        if std::mem::take(&mut self.begun) {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    fn finish(mut self, dropped: Option<&str>) -> Words {
        self.end_word();
        Words {
            words: self.words,
            dropped: dropped.map(str::to_string),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        split(line).unwrap().words
    }

    #[test]
    fn quotes_and_backslashes_hold_words_together() {
        assert_eq!(
            words(r#"sh -c "a 'b' c" d\ e '' f"g"h"#),
            ["sh", "-c", "a 'b' c", "d e", "", "fgh"]
        );
        assert_eq!(
            words("redis-server --requirepass #x"),
            ["redis-server", "--requirepass", "#x"]
        );
        assert_eq!(words("  \n a\n  b "), ["a", "b"]);
    }

    #[test]
    fn an_operator_of_the_shell_ends_the_command() {
        let split = split("echo a && echo b").unwrap();
        assert_eq!(split.words, ["echo", "a"]);
        assert_eq!(split.dropped.as_deref(), Some("&& echo b"));
        assert_eq!(words("run 2>/dev/null"), ["run"]);
        assert_eq!(words("sh -c 'a && b'"), ["sh", "-c", "a && b"]);
    }

    #[test]
    fn what_is_left_open_is_no_command() {
        for line in ["a 'b", "a \"b", "a \\", "a (b)", "a $(b", "a `b"] {
            assert_eq!(split(line), None, "{line}");
        }
    }
}
