//! A stored change: how large it is, and its lines.
//!
//! Owns what is read of `change.patch`. Must not know what was made of it.

use std::io::Read;
use std::path::Path;

use crate::report::style::Style;
use crate::report::text::{plural, sanitize};

/// The largest patch that is looked at, bytes.
const LARGEST: u64 = 64 << 20;

/// The text of a stored patch.
#[derive(Debug)]
pub(super) struct Patch(String);

/// What a line of a patch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// `diff --git …`: a file begins.
    File,
    /// Names, modes, digests, binary data.
    Head,
    Hunk,
    Added,
    Removed,
    Kept,
}

impl Patch {
    /// None where none is stored, or it is too large to look at.
    pub fn of(dir: &Path) -> Option<Self> {
        let file = std::fs::File::open(dir.join("change.patch")).ok()?;
        if file.metadata().ok()?.len() > LARGEST {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).ok()?;
        Some(Self(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// `2 files, +7 −2`; none where nothing was changed.
    pub fn summary(&self) -> Option<String> {
        let lines: Vec<Line> = self.lines().map(|(line, _)| line).collect();
        let count = |line| lines.iter().filter(|other| **other == line).count();
        let files = count(Line::File);
        (files > 0).then(|| {
            let (added, removed) = (count(Line::Added), count(Line::Removed));
            format!("{}, +{added} −{removed}", plural(files, "file"))
        })
    }

    /// Its lines, safe to show.
    pub fn shown(&self, style: Style) -> String {
        let mut out = String::with_capacity(self.0.len());
        for (line, text) in self.lines() {
            // Tabs mean something in a patch, and no terminal obeys them.
            let parts: Vec<String> = text.split('\t').map(sanitize).collect();
            let text = parts.join("\t");
            out.push_str(&match line {
                Line::File | Line::Head => style.bold(&text),
                Line::Hunk => style.dim(&text),
                Line::Added => style.added(&text),
                Line::Removed => style.removed(&text),
                Line::Kept => text,
            });
            out.push('\n');
        }
        out
    }

    /// Each line with what it is: inside a hunk only its own counts say so, since
    /// what is added may look like the head of a file.
    fn lines(&self) -> impl Iterator<Item = (Line, &str)> {
        let (mut old, mut new) = (0u64, 0u64);
        self.0.split_terminator('\n').map(move |text| {
            let line = match text.as_bytes().first() {
                Some(b'+') if new > 0 => {
                    new -= 1;
                    Line::Added
                }
                Some(b'-') if old > 0 => {
                    old -= 1;
                    Line::Removed
                }
                Some(b' ') | None if old > 0 || new > 0 => {
                    (old, new) = (old.saturating_sub(1), new.saturating_sub(1));
                    Line::Kept
                }
                Some(b'\\') => Line::Kept,
                _ => match counts(text) {
                    Some(counts) => {
                        (old, new) = counts;
                        Line::Hunk
                    }
                    None if text.starts_with("diff --git ") => Line::File,
                    None => Line::Head,
                },
            };
            (line, text)
        })
    }
}

/// The lines of a hunk on both sides, from `@@ -1,7 +1,9 @@`.
fn counts(text: &str) -> Option<(u64, u64)> {
    let mut words = text.strip_prefix("@@ ")?.split(' ');
    let mut count = |sign: char| -> Option<u64> {
        let range = words.next()?.strip_prefix(sign)?;
        match range.split_once(',') {
            Some((_, count)) => count.parse().ok(),
            None => Some(1),
        }
    };
    Some((count('-')?, count('+')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "\
diff --git a/src/x.c b/src/x.c
index 1..2 100644
--- a/src/x.c
+++ b/src/x.c
@@ -1,3 +1,4 @@ int f()
 a
--- not a head
+++ nor this
+\tint \u{1b}[2Jb;
 c
\\ No newline at end of file
diff --git a/new b/new
new file mode 100644
--- /dev/null
+++ b/new
@@ -0,0 +1 @@
+diff --git a/x b/x
";

    #[test]
    fn what_is_added_may_look_like_a_head() {
        let patch = Patch(PATCH.to_owned());
        assert_eq!(patch.summary().unwrap(), "2 files, +3 −1");
        assert_eq!(Patch(String::new()).summary(), None);
    }

    #[test]
    fn a_patch_is_shown_without_what_a_terminal_obeys() {
        let shown = Patch(PATCH.to_owned()).shown(Style::PLAIN);
        assert_eq!(shown, PATCH.replace("\u{1b}[2J", ""));
    }
}
