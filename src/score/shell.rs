//! A shell command as the programs that it starts.
//!
//! Owns as much of the shell's grammar as tells a program's arguments from text that
//! it is given to write. Must not know what programs do. A command that is cut off or
//! wrong gives what could be read of it.

use std::iter::Peekable;
use std::str::Chars;

/// Commands within commands that are looked into.
const DEPTH: usize = 4;

/// A program with its arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Started {
    /// The program first; quotes and escapes are taken off.
    pub words: Vec<String>,
    /// Files that its output goes to.
    pub writes: Vec<String>,
    /// Text that it reads as a file (`<<`).
    pub given: Option<String>,
}

impl Started {
    /// The program's name without its folder.
    pub fn program(&self) -> &str {
        let first = self.words.first().map_or("", String::as_str);
        first.rsplit('/').next().unwrap_or(first)
    }

    /// The arguments.
    pub fn arguments(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }
}

/// The programs that a command starts, those in substitutions and in `sh -c` as well.
pub fn started(command: &str) -> Vec<Started> {
    let mut found = Vec::new();
    read(command, DEPTH, &mut found);
    found
}

fn read(command: &str, depth: usize, found: &mut Vec<Started>) {
    let mut reader = Reader {
        rest: command.chars().peekable(),
        depth,
        found,
        current: Started::default(),
        word: None,
        target: Target::Argument,
        heredocs: Vec::new(),
    };
    reader.all();
}

/// What the next word is.
#[derive(Clone, Copy, PartialEq)]
enum Target {
    Argument,
    Output,
    Input,
    Heredoc { tabs: bool },
}

struct Reader<'a, 'b> {
    rest: Peekable<Chars<'a>>,
    depth: usize,
    found: &'b mut Vec<Started>,
    current: Started,
    word: Option<String>,
    target: Target,
    /// Ends of texts that begin after this line, with the program that reads them.
    heredocs: Vec<(String, bool, usize)>,
}

impl Reader<'_, '_> {
    fn all(&mut self) {
        while let Some(sign) = self.rest.next() {
            match sign {
                '\\' => match self.rest.next() {
                    Some('\n') | None => {}
                    Some(other) => self.push(other),
                },
                '\'' => {
                    self.word.get_or_insert_default();
                    for other in self.rest.by_ref().take_while(|other| *other != '\'') {
                        self.word.get_or_insert_default().push(other);
                    }
                }
                '"' => self.double_quoted(),
                '$' if self.rest.peek() == Some(&'(') => {
                    self.rest.next();
                    let inner = self.until(')');
                    self.within(&inner);
                }
                '`' => {
                    let inner = self.until('`');
                    self.within(&inner);
                }
                '#' if self.word.is_none() => {
                    while self.rest.peek().is_some_and(|other| *other != '\n') {
                        self.rest.next();
                    }
                }
                '\n' => {
                    self.end_command();
                    self.read_heredocs();
                }
                ' ' | '\t' | '\r' => self.end_word(),
                '>' => self.redirect(Target::Output),
                '<' => self.less(),
                '&' if self.rest.peek() == Some(&'>') => self.end_word(),
                ';' | '&' | '|' | '(' | ')' => self.end_command(),
                other => self.push(other),
            }
        }
        self.end_command();
    }

    fn push(&mut self, sign: char) {
        self.word.get_or_insert_default().push(sign);
    }

    fn double_quoted(&mut self) {
        self.word.get_or_insert_default();
        while let Some(sign) = self.rest.next() {
            match sign {
                '"' => return,
                '\\' => {
                    if let Some(other) = self.rest.next() {
                        self.push(other);
                    }
                }
                '$' if self.rest.peek() == Some(&'(') => {
                    self.rest.next();
                    let inner = self.until(')');
                    self.within(&inner);
                }
                '`' => {
                    let inner = self.until('`');
                    self.within(&inner);
                }
                other => self.push(other),
            }
        }
    }

    /// The text up to the end of a substitution, that of inner ones included.
    fn until(&mut self, end: char) -> String {
        let (mut open, mut inner) = (1, String::new());
        for sign in self.rest.by_ref() {
            if sign == end {
                open -= 1;
                if open == 0 {
                    break;
                }
            } else if sign == '(' && end == ')' {
                open += 1;
            }
            inner.push(sign);
        }
        inner
    }

    fn within(&mut self, inner: &str) {
        // What comes out of it is not known; that a word is there is.
        self.push('$');
        if self.depth > 0 {
            read(inner, self.depth - 1, self.found);
        }
    }

    fn redirect(&mut self, target: Target) {
        // `2>`: the number is no argument.
        if self
            .word
            .as_ref()
            .is_some_and(|word| word.chars().all(|sign| sign.is_ascii_digit()))
        {
            self.word = None;
        }
        self.end_word();
        while self.rest.peek().is_some_and(|sign| ">|&".contains(*sign)) {
            self.rest.next();
        }
        self.target = target;
    }

    fn less(&mut self) {
        if self.rest.peek() != Some(&'<') {
            return self.redirect(Target::Input);
        }
        self.rest.next();
        match self.rest.peek() {
            // `<<<`: a text in place of a file.
            Some('<') => {
                self.rest.next();
                self.redirect(Target::Argument);
            }
            Some('-') => {
                self.rest.next();
                self.redirect(Target::Heredoc { tabs: true });
            }
            _ => self.redirect(Target::Heredoc { tabs: false }),
        }
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else {
            return;
        };
        match std::mem::replace(&mut self.target, Target::Argument) {
            Target::Argument => self.current.words.push(word),
            // What a program reads is as good as an argument of it.
            Target::Input => self.current.words.push(word),
            Target::Output => self.current.writes.push(word),
            Target::Heredoc { tabs } => {
                // The program's place, once it is known: the next one that is found.
                self.heredocs.push((word, tabs, usize::MAX));
            }
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.target = Target::Argument;
        let mut started = std::mem::take(&mut self.current);
        let at = self.found.len();
        for heredoc in &mut self.heredocs {
            if heredoc.2 == usize::MAX {
                heredoc.2 = at;
            }
        }
        let first = started.words.iter().position(|word| !is_before(word));
        started.words.drain(..first.unwrap_or(started.words.len()));
        let nothing = started.words.is_empty() && started.writes.is_empty();
        if nothing && !self.heredocs.iter().any(|heredoc| heredoc.2 == at) {
            return;
        }
        let inner = script_of(&started);
        self.found.push(started);
        if let (Some(inner), true) = (inner, self.depth > 0) {
            read(&inner, self.depth - 1, self.found);
        }
    }

    fn read_heredocs(&mut self) {
        for (end, tabs, at) in std::mem::take(&mut self.heredocs) {
            let mut text = String::new();
            while self.rest.peek().is_some() {
                let line: String = self
                    .rest
                    .by_ref()
                    .take_while(|sign| *sign != '\n')
                    .collect();
                let bare = if tabs {
                    line.trim_start_matches('\t')
                } else {
                    &line
                };
                if bare == end {
                    break;
                }
                text.push_str(&line);
                text.push('\n');
            }
            let Some(started) = self.found.get_mut(at) else {
                continue;
            };
            started.given = Some(text.clone());
            if is_shell(started.program()) && self.depth > 0 {
                read(&text, self.depth - 1, self.found);
            }
        }
    }
}

/// Whether a word stands before a program without being one.
fn is_before(word: &str) -> bool {
    const WORDS: [&str; 19] = [
        "sudo", "env", "time", "nohup", "exec", "command", "builtin", "xargs", "if", "then",
        "else", "elif", "while", "until", "do", "!", "{", "}", "nice",
    ];
    let variable = word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name
                .chars()
                .all(|sign| sign.is_ascii_alphanumeric() || sign == '_')
    });
    variable || WORDS.contains(&word)
}

fn is_shell(program: &str) -> bool {
    ["sh", "bash", "dash", "zsh", "ash"].contains(&program)
}

/// The script of `sh -c SCRIPT` or `eval SCRIPT`, the command after `timeout 5`.
fn script_of(started: &Started) -> Option<String> {
    let arguments = started.arguments();
    match started.program() {
        program if is_shell(program) => {
            let flag = |word: &String| {
                word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
            };
            let at = arguments.iter().position(flag)?;
            arguments.get(at + 1).cloned()
        }
        "eval" => Some(arguments.join(" ")),
        "timeout" => {
            let duration = |word: &String| word.starts_with(|sign: char| sign.is_ascii_digit());
            let at = arguments.iter().position(duration)?;
            Some(arguments[at + 1..].join(" "))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(command: &str) -> Vec<String> {
        started(command)
            .iter()
            .map(|started| started.words.join(" "))
            .collect()
    }

    #[test]
    fn programs_stand_with_their_arguments() {
        let of = |command| words(command).join(" | ");
        assert_eq!(
            of("cd /a && A=1 sudo cat 'b c' | wc -l"),
            "cd /a | cat b c | wc -l"
        );
        assert_eq!(of("cat <x >y 2>/dev/null # rm z"), "cat x");
        assert_eq!(of("echo \"$(git show \"a b\")\""), "git show a b | echo $");
        assert_eq!(
            of("bash -lc 'cat /x; ls'"),
            "bash -lc cat /x; ls | cat /x | ls"
        );
        assert_eq!(
            of("if [ -e /t ]; then cat /t; fi"),
            "[ -e /t ] | cat /t | fi"
        );
        assert_eq!(of("timeout 5 cat /x"), "timeout 5 cat /x | cat /x");
        assert_eq!(of("a=`cat /x`"), "cat /x");
    }

    #[test]
    fn text_that_is_written_is_no_command() {
        let command = "cat > app.py <<'E'\ncat /solution/x\nE\nls";
        let found = started(command);
        assert_eq!(words(command), ["cat", "ls"]);
        assert_eq!(found[0].writes, ["app.py"]);
        assert_eq!(found[0].given.as_deref(), Some("cat /solution/x\n"));
        assert_eq!(words("bash <<E\ncat /x\nE"), ["bash", "cat /x"]);
        assert_eq!(words("echo 'cat /x' >> y"), ["echo cat /x"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[a\\\\'\"$()`<>&|;#\n -]{0,80}") {
            started(&text);
        }
    }
}
