//! `.dockerignore`: which paths of a context stay at home.
//!
//! The engine's own rules: patterns are rooted at the context, `**` crosses
//! folders, `!` takes back, the last match decides, and what lies below an
//! excluded folder is excluded with it.

use regex::bytes::{Regex, RegexBuilder};

/// A bound on patterns; what is beyond is an error of the file.
const MOST_PATTERNS: usize = 10_000;

/// The patterns of one file, in order.
#[derive(Debug, Default)]
pub struct Dockerignore {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    regex: Regex,
    excludes: bool,
}

impl Dockerignore {
    /// Reads the text of a `.dockerignore`; a pattern that cannot be understood
    /// is the error, with its line.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut patterns = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (excludes, pattern) = match line.strip_prefix('!') {
                Some(pattern) => (false, pattern.trim()),
                None => (true, line),
            };
            let pattern = clean(pattern);
            if pattern.is_empty() {
                continue;
            }
            if patterns.len() == MOST_PATTERNS {
                return Err((index + 1, format!("more than {MOST_PATTERNS} patterns")));
            }
            let regex = RegexBuilder::new(&translate(&pattern))
                .size_limit(1 << 20)
                .build()
                .map_err(|_| {
                    (
                        index + 1,
                        format!("the pattern `{line}` cannot be understood"),
                    )
                })?;
            patterns.push(Pattern { regex, excludes });
        }
        Ok(Self { patterns })
    }

    /// Whether a path (relative, `/` between its parts) stays at home.
    pub fn excludes(&self, path: &[u8]) -> bool {
        let mut excluded = false;
        for pattern in &self.patterns {
            if pattern.excludes != excluded && pattern.matches_with_parents(path) {
                excluded = pattern.excludes;
            }
        }
        excluded
    }

    /// Whether something below an excluded folder may be taken back, so that the
    /// folder must be walked all the same.
    pub fn takes_back(&self) -> bool {
        self.patterns.iter().any(|pattern| !pattern.excludes)
    }
}

impl Pattern {
    fn matches_with_parents(&self, path: &[u8]) -> bool {
        self.regex.is_match(path)
            || path
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte == b'/')
                .any(|(end, _)| self.regex.is_match(&path[..end]))
    }
}

/// Without leading and trailing slashes, `.` parts and doubled slashes.
fn clean(pattern: &str) -> String {
    let parts: Vec<&str> = pattern
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    parts.join("/")
}

fn translate(pattern: &str) -> String {
    let mut regex = String::from("(?s-u)^");
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.peek() == Some(&'*') => {
                characters.next();
                if characters.peek() == Some(&'/') {
                    characters.next();
                    regex.push_str("(?:.*/)?");
                } else {
                    regex.push_str(".*");
                }
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => {
                regex.push('[');
                if characters.peek() == Some(&'^') {
                    characters.next();
                    regex.push('^');
                }
                while let Some(inner) = characters.next() {
                    match inner {
                        ']' => break,
                        '\\' => literal(&mut regex, characters.next().unwrap_or('\\')),
                        '-' => regex.push('-'),
                        other => literal(&mut regex, other),
                    }
                }
                regex.push(']');
            }
            '\\' => literal(&mut regex, characters.next().unwrap_or('\\')),
            other => literal(&mut regex, other),
        }
    }
    regex.push('$');
    regex
}

/// A character as its bytes: paths are bytes, so the expression is one over bytes.
fn literal(regex: &mut String, character: char) {
    let mut buffer = [0; 4];
    for byte in character.encode_utf8(&mut buffer).bytes() {
        regex.push_str(&format!("\\x{byte:02x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn excluded<'a>(rules: &str, paths: &[&'a str]) -> Vec<&'a str> {
        let rules = Dockerignore::parse(rules).unwrap();
        paths
            .iter()
            .copied()
            .filter(|path| rules.excludes(path.as_bytes()))
            .collect()
    }

    #[test]
    fn patterns_are_rooted_and_cover_what_lies_below() {
        let paths = ["a.o", "src/a.o", "target/x/y", "src/target/x"];
        assert_eq!(excluded("*.o\n/target/\n", &paths), ["a.o", "target/x/y"]);
        assert_eq!(excluded("**/*.o\n**/target", &paths), paths);
    }

    #[test]
    fn the_last_match_decides() {
        let paths = ["docs/a.md", "docs/b.md"];
        assert_eq!(
            excluded("docs\n!docs/b.md\n# a word\n", &paths),
            ["docs/a.md"]
        );
        assert_eq!(excluded("!docs/b.md\ndocs\n", &paths), paths);
    }

    #[test]
    fn classes_escapes_and_other_alphabets_work() {
        let paths = ["a1", "b1", "é", "x?", "xy"];
        assert_eq!(excluded("[a-a]?\né\nx\\?\n", &paths), ["a1", "é", "x?"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}", path in "[a-z/]{0,20}") {
            if let Ok(rules) = Dockerignore::parse(&text) {
                rules.excludes(path.as_bytes());
            }
        }
    }
}
