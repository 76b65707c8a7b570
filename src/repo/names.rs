//! Paths inside a repo, as bytes: what is a safe one, and how git quotes it.

/// Longest path that crosses, bytes (Linux's own bound).
pub const MAX_PATH: usize = 4096;
/// Deepest path that crosses, components.
pub const MAX_DEPTH: usize = 256;

/// Why a path from outside is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Absolute, with `..`, a NUL, an empty or a `.` component within.
    Unsafe,
    /// Longer or deeper than what crosses.
    TooLong,
}

/// A relative path without a leading `./` and trailing `/`; empty is the root itself.
pub fn normal(path: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut path = path;
    while let Some(rest) = path.strip_prefix(b"./") {
        path = rest;
    }
    while let Some(rest) = path.strip_suffix(b"/") {
        path = rest;
    }
    if path.is_empty() || path == b"." {
        return Ok(Vec::new());
    }
    if path.contains(&0) || !path.split(|&byte| byte == b'/').all(is_plain) {
        return Err(Refused::Unsafe);
    }
    if path.len() > MAX_PATH || path.split(|&byte| byte == b'/').count() > MAX_DEPTH {
        return Err(Refused::TooLong);
    }
    Ok(path.to_vec())
}

/// Whether a name may stand in a tree at all.
pub fn is_plain(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.contains(&b'/') && !name.contains(&0)
}

/// Whether a component of a path is `.git`, in any case.
pub fn has_dot_git(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/')
        .any(|name| name.eq_ignore_ascii_case(b".git"))
}

/// For people: escapes whatever is not printable ASCII.
pub fn shown(path: &[u8]) -> String {
    path.escape_ascii().to_string()
}

/// As git writes a path in a patch: in quotes, C-style, where it must be. Also where
/// a folder's or file's name begins or ends with a space: git writes such names
/// bare, and cannot tell the two of a `diff --git` line apart when it reads them.
pub fn quoted(path: &[u8]) -> Vec<u8> {
    let special = |byte: &u8| *byte < b' ' || *byte >= 0x7f || matches!(*byte, b'"' | b'\\');
    let mut names = path.split(|byte| *byte == b'/');
    let loose = names.any(|name| name.starts_with(b" ") || name.ends_with(b" "));
    if !loose && !path.iter().any(special) {
        return path.to_vec();
    }
    let mut out = vec![b'"'];
    for &byte in path {
        match byte {
            0x07 => out.extend(b"\\a"),
            0x08 => out.extend(b"\\b"),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            0x0b => out.extend(b"\\v"),
            0x0c => out.extend(b"\\f"),
            b'\r' => out.extend(b"\\r"),
            b'"' => out.extend(b"\\\""),
            b'\\' => out.extend(b"\\\\"),
            byte if special(&byte) => out.extend(format!("\\{byte:03o}").bytes()),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
    out
}

/// Reads a quoted path from the start of a line: the path, and what follows it.
pub fn unquoted(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = line.strip_prefix(b"\"")?;
    let mut out = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((out, rest)),
            b'\\' => {
                let (&code, after) = rest.split_first()?;
                rest = after;
                out.push(match code {
                    b'a' => 0x07,
                    b'b' => 0x08,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 0x0b,
                    b'f' => 0x0c,
                    b'r' => b'\r',
                    b'"' | b'\\' => code,
                    b'0'..=b'3' => {
                        let (low, after) = rest.split_at_checked(2)?;
                        rest = after;
                        let mut value = code - b'0';
                        for digit in low {
                            if !(b'0'..=b'7').contains(digit) {
                                return None;
                            }
                            value = value * 8 + (digit - b'0');
                        }
                        value
                    }
                    _ => return None,
                });
            }
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_that_leave_the_tree_are_refused() {
        for path in [
            &b"/etc/passwd"[..],
            b"a/../b",
            b"..",
            b"a//b",
            b"a/./b",
            b"a\0b",
        ] {
            assert_eq!(normal(path), Err(Refused::Unsafe), "{}", shown(path));
        }
        assert_eq!(normal(b"./a/b/"), Ok(b"a/b".to_vec()));
        assert_eq!(normal(b"./"), Ok(Vec::new()));
        assert_eq!(normal(&[b'a'; MAX_PATH + 1]), Err(Refused::TooLong));
        assert_eq!(normal(&b"a/".repeat(MAX_DEPTH + 1)), Err(Refused::TooLong));
    }

    #[test]
    fn a_name_of_blanks_is_quoted_and_one_with_a_blank_inside_is_not() {
        assert_eq!(quoted(b"a/ /x"), b"\"a/ /x\"");
        assert_eq!(quoted(b"a/x "), b"\"a/x \"");
        assert_eq!(quoted(b"a/x y"), b"a/x y");
    }

    proptest! {
        #[test]
        fn quoting_is_undone_by_unquoting(path in proptest::collection::vec(1u8.., 1..40)) {
            let quoted = quoted(&path);
            match unquoted(&quoted) {
                Some((back, rest)) => {
                    prop_assert_eq!(back, path);
                    prop_assert!(rest.is_empty());
                }
                None => prop_assert_eq!(quoted, path),
            }
        }

        #[test]
        fn unquoting_never_panics(line in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = unquoted(&line);
        }
    }
}
