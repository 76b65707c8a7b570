//! `.env` and the files of `env_file`: a variable a line.
//!
//! Owns their syntax, as Compose reads it. Must not know what the variables are
//! for.

use std::ops::Range;

use crate::diagnose::{Problem, SourceText};

/// Most variables of one file.
const MOST: usize = 10_000;

/// A line: a name, and the text of its value, in which variables are not filled
/// in yet.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    /// None where only the name stands there: it comes from elsewhere, or not at all.
    pub value: Option<String>,
    /// In single quotes: `$` has no meaning.
    pub literal: bool,
    /// Bytes of the file.
    pub span: Range<usize>,
}

/// The variables of a file in order; one name may stand there several times.
pub fn parse(source: &SourceText) -> Result<Vec<Variable>, Box<Problem>> {
    let text = source.text.as_str();
    let mut variables = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        let line = text[at..end].trim();
        if line.is_empty() || line.starts_with('#') {
            at = end + 1;
            continue;
        }
        if variables.len() >= MOST {
            let message = format!("this file has more than {MOST} variables");
            return Err(Box::new(Problem::new(message).at(source.spot(at..end, ""))));
        }
        at += text[at..end].len() - text[at..end].trim_start().len();
        let (variable, next) = variable(source, at, end)?;
        variables.push(variable);
        at = next;
    }
    Ok(variables)
}

/// The variable whose line is at these bytes, and where the next line begins.
fn variable(source: &SourceText, at: usize, end: usize) -> Result<(Variable, usize), Box<Problem>> {
    let text = source.text.as_str();
    let line = &text[at..end];
    let start = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => at + line.len() - rest.trim_start().len(),
        _ => at,
    };
    let split = text[start..end].find(['=', ':']);
    let name = text[start..split.map_or(end, |split| start + split)].trim();
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "_.-[]".contains(sign);
    if name.is_empty() || !name.chars().all(plain) {
        let label = "a line is NAME=VALUE, a comment, or empty";
        let problem = Problem::new("this is no variable").at(source.spot(at..end, label));
        return Err(Box::new(problem));
    }
    let mut variable = Variable {
        name: name.to_string(),
        value: None,
        literal: false,
        span: at..end,
    };
    let Some(split) = split else {
        return Ok((variable, end + 1));
    };
    let begin = start + split + 1;
    let begin = begin + (text[begin..end].len() - text[begin..end].trim_start().len());
    let Some(quote) = text[begin..end]
        .chars()
        .next()
        .filter(|sign| "\"'".contains(*sign))
    else {
        variable.value = Some(bare(&text[begin..end]).to_string());
        return Ok((variable, end + 1));
    };
    let Some((value, length)) = quoted(&text[begin + 1..], quote) else {
        let spot = source.spot(begin..end, "it begins here");
        return Err(Box::new(Problem::new("a quote is never closed").at(spot)));
    };
    variable.value = Some(value);
    variable.literal = quote == '\'';
    let after = begin + 1 + length;
    let line = text[after..].lines().next().unwrap_or_default();
    if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
        let spot = source.spot(after..after + line.len(), "the value ends with its quote");
        return Err(Box::new(Problem::new("something follows a quote").at(spot)));
    }
    let next = text[after..]
        .find('\n')
        .map_or(text.len(), |end| after + end + 1);
    Ok((variable, next))
}

/// A value without quotes: up to a comment.
fn bare(text: &str) -> &str {
    let comment = text
        .char_indices()
        .find(|(at, sign)| *sign == '#' && text[..*at].ends_with([' ', '\t']));
    text[..comment.map_or(text.len(), |(at, _)| at)].trim()
}

/// What stands up to the closing quote, and how many bytes that took with it. A
/// dollar behind a backslash becomes two, which is a plain one.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        if sign == quote {
            return Some((value, at + 1));
        }
        if sign != '\\' {
            value.push(sign);
            continue;
        }
        let (_, next) = signs.next()?;
        match (quote, next) {
            ('\'', '\'') => value.push('\''),
            ('\'', other) => value.extend(['\\', other]),
            (_, 'n') => value.push('\n'),
            (_, 'r') => value.push('\r'),
            (_, 't') => value.push('\t'),
            (_, '$') => value.push_str("$$"),
            (_, '"' | '\\') => value.push(next),
            (_, other) => value.extend(['\\', other]),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Option<String>)>, String> {
        let source = SourceText::new(".env", text);
        let variables = parse(&source).map_err(|problem| problem.to_string())?;
        let pair = |variable: Variable| (variable.name, variable.value);
        Ok(variables.into_iter().map(pair).collect())
    }

    fn value(line: &str) -> Option<String> {
        read(line).unwrap().pop().unwrap().1
    }

    #[test]
    fn a_line_is_a_variable() {
        let text = "# first\n\nA=1\nexport B = two words # no\r\n  C:3\nD\nE=\n";
        let some = |text: &str| Some(text.to_string());
        let expected = [
            ("A", some("1")),
            ("B", some("two words")),
            ("C", some("3")),
            ("D", None),
            ("E", some("")),
        ];
        let expected = expected.map(|(name, value)| (name.to_string(), value));
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn quotes_hold_any_text() {
        assert_eq!(value("A='a # b $X \\n'").as_deref(), Some("a # b $X \\n"));
        assert_eq!(
            value("A=\"a\\n\\\"b\\\" \\$X\" # c").as_deref(),
            Some("a\n\"b\" $$X")
        );
        assert_eq!(value("A=\"one\ntwo\"\n").as_deref(), Some("one\ntwo"));
        assert_eq!(value("A=a#b").as_deref(), Some("a#b"));
        assert_eq!(value("A=#b # c").as_deref(), Some("#b"));
    }

    #[test]
    fn what_is_no_variable_has_a_place() {
        assert_eq!(
            read("A=1\nsome words here\n").unwrap_err(),
            ".env:2:1: this is no variable; a line is NAME=VALUE, a comment, or empty"
        );
        assert_eq!(
            read("A=1\nB='x\n").unwrap_err(),
            ".env:2:3: a quote is never closed; it begins here"
        );
        assert_eq!(
            read("A='x'y\n").unwrap_err(),
            ".env:1:6: something follows a quote; the value ends with its quote"
        );
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "([A-Z]{0,3}[='\"# \\\\\r$]{0,4}\\PC{0,9}\n?){0,5}") {
            let _ = read(&text);
        }
    }
}
