//! What the versions of the official harness make of a script that is given.
//!
//! Owns these changes. Must not know how a script is made.

use std::borrow::Cow;

use super::{END, EXIT_CODE, EXIT_VARIABLE, SET, SHEBANG, START};
use crate::swebench::Rules;

/// The script that is run by these rules.
///
/// swebench 4.1 runs it as it is. 5.0 drops blanks around it and every line that is
/// `#!/bin/bash` or `set -uxo pipefail`, in a patch as well, puts both before all else,
/// and records the exit status around the first line that has the End marker, wherever
/// that is; without such a line it records none.
pub fn for_rules(script: &str, rules: Rules) -> Cow<'_, str> {
    match rules {
        Rules::V4_1 => Cow::Borrowed(script),
        Rules::V5_0 => match loaded(script) {
            text if text == script => Cow::Borrowed(script),
            text => Cow::Owned(text),
        },
    }
}

fn loaded(script: &str) -> String {
    let mut lines = vec![Cow::Borrowed(SHEBANG), Cow::Borrowed(SET)];
    let mut recorded = false;
    for line in script.trim_matches(is_blank).split('\n') {
        if line == SHEBANG || line == SET {
            continue;
        }
        if recorded || !line.contains(END) {
            lines.push(Cow::Borrowed(line));
            continue;
        }
        recorded = true;
        lines.push(Cow::Owned(format!("{EXIT_VARIABLE}=$?")));
        lines.push(Cow::Borrowed(line));
        lines.push(Cow::Owned(format!(
            r#"echo "{EXIT_CODE}: ${EXIT_VARIABLE}""#
        )));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// Puts commands that restore files of a patch before the first line with the Start
/// marker, as swebench 5.0 does it behind [`for_rules`]; at the end where there is none.
pub fn with_assets<'a>(script: &'a str, restore: &[String]) -> Cow<'a, str> {
    if restore.is_empty() {
        return Cow::Borrowed(script);
    }
    let restore = restore.join("\n");
    let mut at = 0;
    for line in script.split_inclusive('\n') {
        if line.contains(START) {
            let (before, behind) = script.split_at(at);
            return Cow::Owned(format!("{before}{restore}\n{behind}"));
        }
        at += line.len();
    }
    Cow::Owned(format!("{script}\n{restore}"))
}

/// What Python takes for a blank.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
