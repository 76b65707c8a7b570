//! A patch, the other way round: what undoes it, as a patch.
//!
//! Must not know how patches are applied.

/// The patch that takes a patch back; none of one that is damaged, that has a binary file,
/// or that copies one, whose reverse is no patch of that text.
pub fn reversed(patch: &str) -> Option<String> {
    let mut out = String::with_capacity(patch.len());
    let mut lines = patch.split_inclusive('\n').peekable();
    let mut head: Vec<&str> = Vec::new();
    while let Some(line) = lines.next() {
        if !line.starts_with("@@ ") {
            // A head ends where the next file begins.
            if line.starts_with("diff --git ") && !head.is_empty() {
                out.push_str(&of_head(&std::mem::take(&mut head))?);
            }
            head.push(line);
            continue;
        }
        out.push_str(&of_head(&std::mem::take(&mut head))?);
        let (mut old, mut new) = hunk(line, &mut out)?;
        let (mut taken, mut given) = (String::new(), String::new());
        let mut last = Side::Both;
        while old > 0 || new > 0 || lines.peek().is_some_and(|line| line.starts_with('\\')) {
            let line = lines.next()?;
            let rest = line.get(1..).unwrap_or_default();
            match line.as_bytes().first()? {
                b'\\' => match last {
                    Side::Old => given.push_str(line),
                    Side::New => taken.push_str(line),
                    Side::Both => {
                        flush(&mut out, &mut taken, &mut given);
                        out.push_str(line);
                    }
                },
                b'-' => {
                    given.push('+');
                    given.push_str(rest);
                    (old, last) = (old.checked_sub(1)?, Side::Old);
                }
                b'+' => {
                    taken.push('-');
                    taken.push_str(rest);
                    (new, last) = (new.checked_sub(1)?, Side::New);
                }
                b' ' | b'\n' | b'\r' => {
                    flush(&mut out, &mut taken, &mut given);
                    out.push_str(line);
                    (old, new) = (old.checked_sub(1)?, new.checked_sub(1)?);
                    last = Side::Both;
                }
                _ => return None,
            }
        }
        flush(&mut out, &mut taken, &mut given);
    }
    out.push_str(&of_head(&head)?);
    Some(out)
}

/// Which of the two files the line before was of.
#[derive(Clone, Copy)]
enum Side {
    Old,
    New,
    Both,
}

/// Lines that go come before lines that come, as git writes them.
fn flush(out: &mut String, taken: &mut String, given: &mut String) {
    out.push_str(taken);
    out.push_str(given);
    taken.clear();
    given.clear();
}

/// Writes the head of a hunk the other way round; how many lines of each file follow.
fn hunk(line: &str, out: &mut String) -> Option<(u64, u64)> {
    let mut words = line.splitn(4, ' ').skip(1);
    let (old, new) = (words.next()?, words.next()?);
    let (old, new) = (old.strip_prefix('-')?, new.strip_prefix('+')?);
    let count = |range: &str| {
        let (from, count) = range.split_once(',').unwrap_or((range, "1"));
        from.parse::<u64>().ok()?;
        count.parse::<u64>().ok()
    };
    out.push_str(&format!("@@ -{new} +{old} {}", words.next()?));
    Some((count(old)?, count(new)?))
}

/// What stands before the hunks of a file, or between files.
fn of_head(lines: &[&str]) -> Option<String> {
    let text = |line: &str, key: &str| -> Option<String> {
        Some(
            line.strip_prefix(key)?
                .trim_end_matches(['\n', '\r'])
                .to_owned(),
        )
    };
    let find = |key: &str| lines.iter().find_map(|line| text(line, key));
    if lines.iter().any(|line| {
        line.starts_with("GIT binary patch")
            || line.starts_with("Binary files ")
            || line.starts_with("copy from ")
    }) {
        return None;
    }
    // `a/x` and `b/x` change places with their letters; what is no file has none.
    let renamed = |name: String, from: &str, to: &str| match name.strip_prefix(from) {
        Some(rest) => format!("{to}{rest}"),
        None => name,
    };
    let mut out = String::new();
    for line in lines {
        let other = if line.starts_with("diff --git ") {
            match (find("rename from "), find("rename to ")) {
                (Some(from), Some(to)) => Some(format!("diff --git a/{to} b/{from}")),
                _ => None,
            }
        } else if let Some(rest) = text(line, "index ") {
            let (range, mode) = rest.split_once(' ').unwrap_or((&rest, ""));
            let (old, new) = range.split_once("..")?;
            Some(format!("index {new}..{old} {mode}").trim_end().to_owned())
        } else if line.starts_with("old mode ") {
            Some(format!("old mode {}", find("new mode ")?))
        } else if line.starts_with("new mode ") {
            Some(format!("new mode {}", find("old mode ")?))
        } else if let Some(mode) = text(line, "new file mode ") {
            Some(format!("deleted file mode {mode}"))
        } else if let Some(mode) = text(line, "deleted file mode ") {
            Some(format!("new file mode {mode}"))
        } else if line.starts_with("rename from ") {
            Some(format!("rename from {}", find("rename to ")?))
        } else if line.starts_with("rename to ") {
            Some(format!("rename to {}", find("rename from ")?))
        } else if line.starts_with("--- ") {
            Some(format!("--- {}", renamed(find("+++ ")?, "b/", "a/")))
        } else if line.starts_with("+++ ") {
            Some(format!("+++ {}", renamed(find("--- ")?, "a/", "b/")))
        } else {
            None
        };
        match other {
            Some(other) => out.push_str(&(other + "\n")),
            None => out.push_str(line),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn git(folder: &std::path::Path, arguments: &[&str]) -> String {
        let out = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .output()
            .unwrap();
        assert!(out.status.success(), "{arguments:?}: {out:?}");
        String::from_utf8(out.stdout).unwrap()
    }

    #[test]
    fn the_reverse_of_a_patch_is_what_git_makes_of_the_way_back() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        git(folder, &["init", "-q"]);
        let many: String = (0..60).map(|line| format!("line {line}\n")).collect();
        write("changed", &many);
        write("gone", "a\nb\n");
        write("bare", "no end");
        write("moved", &many.replace("line", "other"));
        write("mode", "x\n");
        git(folder, &["add", "-A"]);
        let before = git(folder, &["write-tree"]);
        let other = many.replace("line 3\n", "x\ny\n").replace("line 40\n", "");
        write("changed", &other);
        std::fs::remove_file(folder.join("gone")).unwrap();
        write("new", "c\n-d\n+e\n");
        write("bare", "an end\n");
        std::fs::remove_file(folder.join("moved")).unwrap();
        write(
            "moved to",
            &many.replace("line", "other").replace("other 9\n", ""),
        );
        git(folder, &["add", "-A"]);
        git(folder, &["update-index", "--chmod=+x", "mode"]);
        let after = git(folder, &["write-tree"]);
        let diff = |from: &str, to: &str| {
            git(
                folder,
                &["diff", "-M", "--no-color", from.trim(), to.trim()],
            )
        };
        let (there, back) = (diff(&before, &after), diff(&after, &before));
        assert!(
            there.contains("rename to") && there.contains("new mode"),
            "{there}"
        );
        let order = |patch: &str| {
            let mut files: Vec<String> = Vec::new();
            for line in patch.split_inclusive('\n') {
                match line.starts_with("diff --git ") {
                    true => files.push(line.to_owned()),
                    false => files.last_mut().unwrap().push_str(line),
                }
            }
            files.sort();
            files
        };
        // Sections of hunks are named after what stands before them in the old file.
        let plain = |patch: String| {
            let lines = patch.lines().map(|line| match line.starts_with("@@ ") {
                true => line.rsplit_once("@@").unwrap().0.to_owned() + "\n",
                false => line.to_owned() + "\n",
            });
            lines.collect::<String>()
        };
        let made = reversed(&there).unwrap();
        assert_eq!(order(&plain(made.clone())), order(&plain(back)));
        assert_eq!(reversed(&made).unwrap(), there);
    }

    #[test]
    fn what_has_no_reverse_has_none() {
        let binary = "diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n";
        assert_eq!(reversed(binary), None);
        assert_eq!(reversed("--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n"), None);
        assert_eq!(reversed("").as_deref(), Some(""));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_it(text in "(?s)[-+@ \\\\a-c0-9,\n]{0,200}") {
            let _ = reversed(&text);
        }
    }
}
