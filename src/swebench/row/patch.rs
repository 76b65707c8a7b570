//! A look at a patch: whether it is one, and what is odd about it.
//!
//! Must not know how patches are applied.

/// What a look at a text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// It names files as a patch does.
    pub is_patch: bool,
    /// A hunk has another number of lines than its head says.
    pub damaged: bool,
    /// `Binary files … differ`: what changed was left out.
    pub lacks_binary: bool,
    /// Its last line has no end.
    pub cut: bool,
}

/// Looks at every line of a patch.
pub fn look(text: &str) -> Look {
    let mut look = Look {
        cut: !text.is_empty() && !text.ends_with('\n'),
        ..Look::default()
    };
    let mut left: Option<Lines> = None;
    let (mut minus, mut plus) = (false, false);
    for line in text.split_inclusive('\n') {
        if let Some(lines) = left.as_mut() {
            let done = lines.are_done();
            let belongs = match done {
                true => line.starts_with('\\'),
                false => lines.take(line),
            };
            if belongs {
                continue;
            }
            look.damaged |= !done || goes_on(line);
            left = None;
        }
        if line.starts_with("diff --git ") {
            look.is_patch = true;
        } else if line.starts_with("@@ ") {
            left = Lines::of_head(line);
            look.damaged |= left.is_none();
            look.is_patch |= minus && plus;
        } else if line.starts_with("--- ") {
            minus = true;
        } else if line.starts_with("+++ ") {
            plus = true;
        } else if line.starts_with("Binary files ") {
            look.lacks_binary = true;
        }
    }
    look.damaged |= left.is_some_and(|lines| !lines.are_done());
    look
}

/// Whether a line behind a hunk looks like one of it. Mails end with a line `-- `.
fn goes_on(line: &str) -> bool {
    let head = line.starts_with("+++ ") || line.starts_with("--");
    line.starts_with([' ', '+', '-']) && !head
}

/// Lines of a hunk that are still to come.
struct Lines {
    old: u64,
    new: u64,
}

impl Lines {
    /// Of `@@ -1,2 +1,3 @@`.
    fn of_head(line: &str) -> Option<Self> {
        let mut words = line.split(' ').skip(1);
        let old = count(words.next()?.strip_prefix('-')?)?;
        let new = count(words.next()?.strip_prefix('+')?)?;
        words.next()?.starts_with("@@").then_some(Self { old, new })
    }

    fn are_done(&self) -> bool {
        self.old == 0 && self.new == 0
    }

    /// Whether the line belongs to the hunk.
    fn take(&mut self, line: &str) -> bool {
        let (old, new) = match line.as_bytes().first() {
            // Some editors take the blank from an empty line.
            Some(b' ' | b'\n' | b'\r') => (1, 1),
            Some(b'-') => (1, 0),
            Some(b'+') => (0, 1),
            Some(b'\\') => (0, 0),
            _ => return false,
        };
        match (self.old.checked_sub(old), self.new.checked_sub(new)) {
            (Some(old), Some(new)) => {
                *self = Self { old, new };
                true
            }
            _ => false,
        }
    }
}

/// Of `12,3` the 3, of `12` 1.
fn count(range: &str) -> Option<u64> {
    let mut numbers = range.splitn(2, ',');
    numbers.next()?.parse::<u64>().ok()?;
    numbers.next().map_or(Some(1), |count| count.parse().ok())
}
