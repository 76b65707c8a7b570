//! Printed elements in a log of p5.js.
//!
//! The official parser takes out the leftmost `<name>` that has a `</name>` behind it, up
//! to the first one, leaves as many `<name>` as were opened in between, and begins anew,
//! until there is none. Here that is one walk. What was read is in `out`, where no element
//! has an end; what is not yet read is an end of the text. A removal moves the two
//! together, which can make a tag of their ends.
//!
//! Must not know what stands in elements.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::super::Raised;
use super::super::text::{is_word, pattern};

/// Most tags of one log, and most beginnings of tags in a row.
const MOST: usize = 1 << 20;
const TOO_MANY: Raised = Raised("MemoryError");

/// A log without its elements.
///
/// # Errors
/// A log of too many tags.
pub fn without(text: &str) -> Result<Cow<'_, str>, Raised> {
    static TAG: LazyLock<Regex> = LazyLock::new(|| pattern(r"<(/?)(\w+)>"));
    let mut walk = Walk {
        text,
        ..Walk::default()
    };
    let mut openers = Vec::new();
    let (mut tags, mut ends) = (0, false);
    for found in TAG.captures_iter(text) {
        let (tag, [slash, name]) = found.extract();
        let number = walk.number(name);
        let place = Place {
            start: found.get_match().start(),
            end: found.get_match().start() + tag.len(),
        };
        let Some(name) = walk.names.get_mut(number) else {
            continue;
        };
        if slash.is_empty() {
            name.openers.push(place.start);
            openers.push((place, number));
        } else {
            ends = true;
            name.closers.push(place);
        }
        tags += 1;
        if tags > MOST {
            return Err(TOO_MANY);
        }
    }
    if !ends {
        return Ok(Cow::Borrowed(text));
    }
    for (place, number) in openers {
        if place.start >= walk.at {
            walk.push(place.start)?;
            walk.at = place.end;
            walk.opened(number);
        }
    }
    walk.push(text.len())?;
    Ok(Cow::Owned(walk.out))
}

#[derive(Clone, Copy)]
struct Place {
    start: usize,
    end: usize,
}

/// The tags of one name.
#[derive(Default)]
struct Name {
    tag: String,
    /// Those of the text, in order, and how many lie behind.
    openers: Vec<usize>,
    openers_seen: usize,
    closers: Vec<Place>,
    closers_seen: usize,
    /// Its runs in `out`, as places in `Walk::runs`.
    runs: Vec<usize>,
}

/// Openers of one name in `out`, one directly after the other.
struct Run {
    number: usize,
    start: usize,
    count: usize,
    /// The beginnings of tags before it.
    before: Beginnings,
}

/// Which of `Walk::beginnings` are at the end of what was read: a range.
#[derive(Default, Clone, Copy)]
struct Beginnings {
    from: usize,
    end: usize,
}

#[derive(Default)]
struct Walk<'a> {
    text: &'a str,
    numbers: HashMap<String, usize>,
    names: Vec<Name>,
    out: String,
    /// How far the text is read.
    at: usize,
    runs: Vec<Run>,
    /// Where in `out` tags begin that have no end yet: `<`, `</` or `<name`, each up to
    /// the next one or to the end of `out`.
    beginnings: Vec<usize>,
    open: Beginnings,
}

impl Walk<'_> {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len();
        self.numbers.insert(name.to_owned(), number);
        self.names.push(Name {
            tag: format!("<{name}>"),
            ..Name::default()
        });
        number
    }

    /// Reads the text up to a place: there is no opener in it.
    fn push(&mut self, until: usize) -> Result<(), Raised> {
        let text = self.text.get(self.at..until).unwrap_or_default();
        self.at = until.max(self.at);
        let mut parts = text.split('<');
        self.extend(parts.next().unwrap_or_default());
        for part in parts {
            self.beginnings.truncate(self.open.end);
            self.beginnings.push(self.out.len());
            self.open.end += 1;
            if self.open.end > MOST {
                return Err(TOO_MANY);
            }
            self.out.push('<');
            self.extend(part);
        }
        Ok(())
    }

    /// Reads a text without `<`.
    fn extend(&mut self, part: &str) {
        if let Some(last) = self.last_beginning() {
            let is_bare = last + 1 == self.out.len();
            let name = part.strip_prefix('/').filter(|_| is_bare).unwrap_or(part);
            if !name.chars().all(is_word) {
                self.break_off();
            }
        }
        self.out.push_str(part);
    }

    fn last_beginning(&self) -> Option<usize> {
        let last = self.open.end.checked_sub(1)?;
        let open = last >= self.open.from;
        open.then(|| self.beginnings.get(last).copied()).flatten()
    }

    /// No tag that began in `out` can end any more, unless its end is cut off again.
    fn break_off(&mut self) {
        let kept = self.runs.last().map_or(0, |run| run.before.end);
        self.open = Beginnings {
            from: kept,
            end: kept,
        };
    }

    /// An opener was read, up to `at`.
    fn opened(&mut self, number: usize) {
        let mut opened = Some(number);
        while let Some(number) = opened {
            let left = self.left_of(number);
            if left > 0 {
                self.put(number, left);
                return;
            }
            opened = self.joined();
        }
    }

    /// Removes an opener before `at` and all that are left of it, as long as there are
    /// closers: how many openers are left.
    fn left_of(&mut self, number: usize) -> usize {
        let Some(name) = self.names.get_mut(number) else {
            return 0;
        };
        let mut left = 1;
        while left > 0 {
            let closers = name.closers.get(name.closers_seen..).unwrap_or_default();
            let behind = closers.iter().take_while(|closer| closer.start < self.at);
            name.closers_seen += behind.count();
            let Some(closer) = name.closers.get(name.closers_seen) else {
                return left;
            };
            let openers = name.openers.get(name.openers_seen..).unwrap_or_default();
            let behind = openers.iter().take_while(|opener| **opener < self.at);
            name.openers_seen += behind.count();
            let openers = name.openers.get(name.openers_seen..).unwrap_or_default();
            let inside = openers.iter().take_while(|opener| **opener < closer.start);
            left = left + inside.count() - 1;
            self.at = closer.end;
        }
        left
    }

    /// Writes openers that have no closer.
    fn put(&mut self, number: usize, count: usize) {
        if let Some(name) = self.names.get_mut(number) {
            name.runs.push(self.runs.len());
        }
        self.runs.push(Run {
            number,
            start: self.out.len(),
            count: 0,
            before: self.open,
        });
        self.fill(count);
    }

    /// Makes the last run one of so many openers, and the end of what was read.
    fn fill(&mut self, count: usize) {
        let Some(run) = self.runs.last_mut() else {
            return;
        };
        let tag = self.names.get(run.number).map_or("", |name| &name.tag);
        let kept = count.min(run.count);
        self.out.truncate(run.start + kept * tag.len());
        self.out.push_str(&tag.repeat(count - kept));
        run.count = count;
        self.break_off();
    }

    /// Takes the last run away, and what stands behind it.
    fn drop_run(&mut self) {
        let Some(run) = self.runs.pop() else {
            return;
        };
        if let Some(name) = self.names.get_mut(run.number) {
            name.runs.pop();
        }
        self.out.truncate(run.start);
        self.open = run.before;
    }

    /// Reads the tags that what was read and what is to be read make where they meet, up
    /// to an opener, whose name's number it gives.
    fn joined(&mut self) -> Option<usize> {
        loop {
            let (start, closes, number) = self.tag_made()?;
            if !closes {
                self.out.truncate(start);
                self.open.end -= 1;
                return Some(number);
            }
            let runs = &self.names.get(number)?.runs;
            let first = runs.first().copied()?;
            let counts = runs.iter().filter_map(|run| self.runs.get(*run));
            let count: usize = counts.map(|run| run.count).sum();
            while self.runs.len() > first + 1 {
                self.drop_run();
            }
            if count > 1 {
                self.fill(count - 1);
                return None;
            }
            self.drop_run();
        }
    }

    /// A tag that is made: where it begins in `out`, whether it is a closer, its name. It
    /// is then read, unless it is a closer without effect.
    fn tag_made(&mut self) -> Option<(usize, bool, usize)> {
        let start = self.last_beginning()?;
        let begun = self.out.get(start + 1..)?;
        let rest = self.text.get(self.at..)?;
        let (closes, begun, rest) = match (begun.strip_prefix('/'), rest.strip_prefix('/')) {
            (Some(begun), _) => (true, begun, rest),
            (None, Some(rest)) if begun.is_empty() => (true, begun, rest),
            _ => (false, begun, rest),
        };
        let (more, after) = rest.split_at(rest.find(|sign| !is_word(sign))?);
        let after = after.strip_prefix('>')?;
        let name = format!("{begun}{more}");
        if name.is_empty() {
            return None;
        }
        let end = self.text.len() - after.len();
        let number = self.number(&name);
        if closes && self.names.get(number)?.runs.is_empty() {
            return None;
        }
        self.at = end;
        Some((start, closes, number))
    }
}
