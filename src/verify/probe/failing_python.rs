//! Tests in Python for runners of ours that are not pytest: a line behind the head of each
//! test function, and behind its description, which names it.

use std::sync::LazyLock;

use regex::Regex;

/// See [`super::failing::failing`].
pub fn failing(text: &str, message: &str) -> Option<String> {
    static HEAD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[ \t]*(?:async[ \t]+)?def[ \t]+test\w*[ \t]*\(").expect("a constant")
    });
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut altered = String::with_capacity(text.len());
    let mut found = false;
    let mut at = 0;
    while at < lines.len() {
        let head = lines[at];
        if !HEAD.is_match(head) {
            altered.push_str(head);
            at += 1;
            continue;
        }
        let body = end_of_head(&lines, at);
        let first = (body..lines.len()).find(|at| !lines[*at].trim().is_empty());
        let (Some(first), true) = (first, body > at) else {
            altered.push_str(head);
            at += 1;
            continue;
        };
        let behind = end_of_description(&lines, first);
        for line in &lines[at..behind] {
            altered.push_str(line);
        }
        let line = lines[first];
        let indent = &line[..line.len() - line.trim_start().len()];
        altered.push_str(&format!("{indent}assert False, '{message}'\n"));
        found = true;
        at = behind;
    }
    found.then_some(altered)
}

/// The line behind the one that ends a function's head; the head's own where it has its
/// body beside it, or no end.
fn end_of_head(lines: &[&str], at: usize) -> usize {
    let mut depth = 0_i64;
    for (number, line) in lines.iter().enumerate().skip(at).take(200) {
        let code = line.split('#').next().unwrap_or(line).trim_end();
        for sign in code.chars() {
            depth += match sign {
                '(' | '[' | '{' => 1,
                ')' | ']' | '}' => -1,
                _ => 0,
            };
        }
        if depth <= 0 {
            return if code.ends_with(':') { number + 1 } else { at };
        }
    }
    at
}

/// The line behind a description that begins at `first`; `first` where there is none.
fn end_of_description(lines: &[&str], first: usize) -> usize {
    let text = lines[first].trim();
    let text = text.trim_start_matches(['r', 'R', 'u', 'U']);
    for quotes in ["\"\"\"", "'''"] {
        let Some(rest) = text.strip_prefix(quotes) else {
            continue;
        };
        if rest.contains(quotes) {
            return first + 1;
        }
        let mut below = lines.iter().enumerate().skip(first + 1);
        return match below.find(|(_, line)| line.contains(quotes)) {
            Some((end, _)) => end + 1,
            None => first,
        };
    }
    let quoted = ['"', '\''].iter().any(|quote| {
        let inner = text
            .strip_prefix(*quote)
            .and_then(|rest| rest.strip_suffix(*quote));
        inner.is_some_and(|inner| !inner.contains(*quote))
    });
    if quoted { first + 1 } else { first }
}
