//! `edit`: an exact replacement that must match once.

use serde::Deserialize;

use super::CallResult;
use crate::sandbox::{Sandbox, SandboxError, User};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    path: String,
    old: String,
    new: String,
}

/// The largest file that is edited.
const MOST: u64 = 16 << 20;

pub async fn run(sandbox: &dyn Sandbox, arguments: Arguments) -> Result<CallResult, SandboxError> {
    let Arguments { path, old, new } = arguments;
    if old.is_empty() {
        return Ok(CallResult::failed(
            "`old` is empty: to make a file use `write`",
        ));
    }
    let file = sandbox.read(&path, 0, MOST, &User::Default).await?;
    if file.size > MOST {
        return Ok(CallResult::failed(format!(
            "{path} has {} bytes, more than the {MOST} that are edited",
            file.size
        )));
    }
    match replace_once(&file.content, old.as_bytes(), new.as_bytes()) {
        Ok(content) => {
            sandbox.write(&path, &content, None, &User::Default).await?;
            Ok(CallResult {
                output: format!("edited {path}"),
                ..CallResult::default()
            })
        }
        Err(error) => Ok(CallResult::failed(format!("{path}: {error}"))),
    }
}

/// Replaces the one match; bytes, so that a file need not be UTF-8.
fn replace_once(content: &[u8], old: &[u8], new: &[u8]) -> Result<Vec<u8>, String> {
    let matches: Vec<usize> = content
        .windows(old.len())
        .enumerate()
        .filter(|(_, window)| *window == old)
        .map(|(at, _)| at)
        .take(1000)
        .collect();
    match matches.as_slice() {
        [at] => Ok([&content[..*at], new, &content[*at + old.len()..]].concat()),
        [] => Err(match near(content, old) {
            Some(line) => {
                format!("`old` matches nowhere; its first line is nearly found in line {line}")
            }
            None => "`old` matches nowhere".to_owned(),
        }),
        many => {
            let lines: Vec<String> = many
                .iter()
                .take(5)
                .map(|at| line_of(content, *at).to_string())
                .collect();
            Err(format!(
                "`old` matches {} times (lines {}{}): it must match once",
                many.len(),
                lines.join(", "),
                if many.len() > 5 { ", …" } else { "" }
            ))
        }
    }
}

/// The line in which the first line of `old` is found but for blanks.
fn near(content: &[u8], old: &[u8]) -> Option<usize> {
    let first = old
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .find(|line| !line.is_empty())?;
    content
        .split(|byte| *byte == b'\n')
        .position(|line| line.trim_ascii() == first)
        .map(|at| at + 1)
}

fn line_of(content: &[u8], at: usize) -> usize {
    content[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_match_is_replaced() {
        assert_eq!(replace_once(b"a b c", b"b", b"x").unwrap(), b"a x c");
    }

    #[test]
    fn several_matches_are_told_with_their_lines() {
        let error = replace_once(b"x\ny\nx\n", b"x", b"z").unwrap_err();
        assert_eq!(
            error,
            "`old` matches 2 times (lines 1, 3): it must match once"
        );
    }

    #[test]
    fn a_near_miss_names_its_line() {
        let error = replace_once(b"def f():\n    return 1\n", b"  return 1", b"").unwrap();
        assert_eq!(error, b"def f():\n  \n");
        let error = replace_once(b"def f():\n    return 1\n", b"return 1\nx", b"").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
    }
}
