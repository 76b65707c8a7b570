//! A filter as words and signs with their places.
//!
//! Must not know their grammar.

use std::ops::Range;

/// A word or sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Without quotes.
    Word(String),
    /// In quotes, without them.
    Text(String),
    Sign(Sign),
}

/// A token and where it stands, bytes.
pub type Placed = (Token, Range<usize>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Equal,
    Differs,
    Less,
    AtMost,
    More,
    AtLeast,
    Like,
    And,
    Or,
    Not,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
}

/// Signs, the longer first: what stands in a text, what it is.
const SIGNS: [(&str, Sign); 18] = [
    ("==", Sign::Equal),
    ("!=", Sign::Differs),
    ("<=", Sign::AtMost),
    (">=", Sign::AtLeast),
    ("&&", Sign::And),
    ("||", Sign::Or),
    ("=", Sign::Equal),
    ("<", Sign::Less),
    (">", Sign::More),
    ("~", Sign::Like),
    ("&", Sign::And),
    ("|", Sign::Or),
    ("!", Sign::Not),
    ("(", Sign::Open),
    (")", Sign::Close),
    ("[", Sign::OpenList),
    ("]", Sign::CloseList),
    (",", Sign::Comma),
];

/// Whether a sign ends a word.
fn ends_word(sign: char) -> bool {
    sign.is_whitespace() || sign.is_control() || "\"'=!<>~&|()[],".contains(sign)
}

/// Whether a text can stand without quotes.
pub fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(ends_word)
}

/// The text in quotes.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The tokens of a text, with their places; else where it is none, and why.
pub fn tokens(text: &str) -> Result<Vec<Placed>, (Range<usize>, &'static str)> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let (token, length) = next(rest).map_err(|why| (at..at + 1, why))?;
        tokens.push((token, at..at + length));
        at += length;
    }
    Ok(tokens)
}

/// The token that a text begins with, and its length; the text is not empty and does not
/// begin with a blank.
fn next(rest: &str) -> Result<(Token, usize), &'static str> {
    if let Some((text, sign)) = SIGNS.iter().find(|(text, _)| rest.starts_with(text)) {
        return Ok((Token::Sign(*sign), text.len()));
    }
    if let Some(quote) = rest.chars().next().filter(|sign| "\"'".contains(*sign)) {
        return in_quotes(rest, quote).ok_or("this quote is not closed");
    }
    let length = rest.find(ends_word).unwrap_or(rest.len());
    match rest.get(..length).filter(|word| !word.is_empty()) {
        Some(word) => Ok((Token::Word(word.to_owned()), length)),
        None => Err("this sign has no meaning here"),
    }
}

fn in_quotes(rest: &str, quote: char) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut signs = rest.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        if sign == quote {
            return Some((Token::Text(text), at + quote.len_utf8()));
        }
        let kept = match signs.peek() {
            Some((_, next)) if sign == '\\' && (*next == quote || *next == '\\') => {
                let next = *next;
                signs.next();
                next
            }
            _ => sign,
        };
        text.push(kept);
    }
    None
}

/// Whether a comparison or a sign between comparisons stands outside quotes. Globs on
/// names may have `!`, brackets and commas.
pub fn has_operator(text: &str) -> bool {
    let Ok(tokens) = tokens(text) else {
        // A quote that is not closed: whatever stands before it counts.
        let before = text.find(['"', '\'']).and_then(|at| text.get(..at));
        return before.is_some_and(|before| before.contains(['=', '<', '>', '~', '&', '|']));
    };
    let signs = tokens.windows(3).any(|three| {
        matches!(
            three,
            [(Token::Word(_), _), (Token::Word(word), _), (Token::Sign(Sign::OpenList), _)]
                if word == "in"
        )
    });
    signs
        || tokens.iter().any(|(token, _)| {
            matches!(
                token,
                Token::Sign(
                    Sign::Equal
                        | Sign::Differs
                        | Sign::Less
                        | Sign::AtMost
                        | Sign::More
                        | Sign::AtLeast
                        | Sign::Like
                        | Sign::And
                        | Sign::Or
                )
            )
        })
}
