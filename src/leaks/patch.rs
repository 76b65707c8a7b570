//! What a unified diff adds, file by file.
//!
//! Owns the reading of a diff's text. Must not know git: a patch of a task is text
//! that people or programs wrote, and what cannot be read in it adds nothing.

/// A file as a patch leaves it, in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The path after the change, without `b/`.
    pub path: String,
    /// One text for each hunk: lines that are added and those around them, as they
    /// stand in the new file. Only hunks that add something.
    pub hunks: Vec<Vec<u8>>,
}

/// The new side of each file of a patch.
pub fn new_sides(patch: &[u8]) -> Vec<Side> {
    let mut sides: Vec<Side> = Vec::new();
    // What of the current hunk is still to come, old and new lines.
    let (mut old, mut new) = (0u64, 0u64);
    let (mut hunk, mut adds) = (Vec::new(), false);
    for line in patch.split_inclusive(|byte| *byte == b'\n') {
        if old > 0 || new > 0 {
            match line[0] {
                b'+' => {
                    hunk.extend_from_slice(&line[1..]);
                    new = new.saturating_sub(1);
                    adds = true;
                }
                b'-' => old = old.saturating_sub(1),
                b'\\' => {}
                // Editors take the blank of an empty line away.
                _ => {
                    hunk.extend_from_slice(line.strip_prefix(b" ").unwrap_or(line));
                    (old, new) = (old.saturating_sub(1), new.saturating_sub(1));
                }
            }
            if (old, new) == (0, 0) {
                keep(&mut sides, &mut hunk, adds);
            }
        } else if let Some(path) = line.strip_prefix(b"+++ ") {
            sides.push(Side {
                path: path_of(path),
                hunks: Vec::new(),
            });
        } else if let Some(counts) = counts_of(line) {
            (old, new) = counts;
            adds = false;
        }
    }
    keep(&mut sides, &mut hunk, adds);
    sides.retain(|side| !side.hunks.is_empty());
    sides
}

fn keep(sides: &mut [Side], hunk: &mut Vec<u8>, adds: bool) {
    let hunk = std::mem::take(hunk);
    if let (Some(side), true) = (sides.last_mut(), adds && !hunk.is_empty()) {
        side.hunks.push(hunk);
    }
}

fn path_of(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let path = text.split('\t').next().unwrap_or_default();
    let path = path.trim().trim_matches('"');
    path.strip_prefix("b/").unwrap_or(path).to_owned()
}

/// Of `@@ -1,7 +1,8 @@`: 7 and 8.
fn counts_of(line: &[u8]) -> Option<(u64, u64)> {
    let text = std::str::from_utf8(line.get(..line.len().min(80))?).ok();
    let text =
        text.or_else(|| std::str::from_utf8(line.split(|byte| *byte >= 0x80).next()?).ok())?;
    let mut parts = text.strip_prefix("@@ -")?.split(' ');
    let count = |part: &str| match part.split_once(',') {
        Some((_, count)) => count.parse().ok(),
        None => Some(1),
    };
    Some((
        count(parts.next()?)?,
        count(parts.next()?.strip_prefix('+')?)?,
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATCH: &str = "diff --git a/x.py b/x.py\nindex 1..2 100644\n--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,4 @@ def f\n one\n-two\n+zwei\n+drei\n three\n@@ -9 +10,0 @@\n-gone\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n--- /dev/null\n+++ b/new file.txt\t\n@@ -0,0 +1,2 @@\n++++ b/not a name\n+end\n\\ No newline at end of file\n";

    #[test]
    fn the_new_side_has_what_is_added_and_what_stands_around() {
        let sides = new_sides(PATCH.as_bytes());
        let text = |at: usize| String::from_utf8(sides[at].hunks.concat()).unwrap();
        assert_eq!(sides.len(), 2);
        assert_eq!(sides[0].path, "x.py");
        assert_eq!(text(0), "one\nzwei\ndrei\nthree\n");
        assert_eq!(sides[1].path, "new file.txt");
        assert_eq!(text(1), "+++ b/not a name\nend\n");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(
            bytes in proptest::collection::vec(prop::sample::select(b"@-+, 19\n/bx\xff\\".to_vec()), 0..200)
        ) {
            let mut patch = b"+++ b/x\n@@ -1,2 +1,2 @@\n".to_vec();
            patch.extend(bytes);
            new_sides(&patch);
        }
    }
}
