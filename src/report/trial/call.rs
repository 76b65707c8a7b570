//! One call in a few words: what it was asked to do, what came of it.
//!
//! Owns what of a call is worth a line. Must not know where it stands.

use serde_json::Value;

use crate::report::text::{plural, sanitize, wrapped};
use crate::trajectory::Event;

/// What a call was asked to do, one line: its command, its path, else its
/// arguments as they are.
pub(super) fn gist(call: &Event) -> String {
    let tool = call.tool.as_deref().unwrap_or_default();
    match (&call.arguments, &call.raw) {
        (Some(arguments), _) => of_tool(tool, arguments).unwrap_or_else(|| compact(arguments)),
        (None, Some(raw)) => first_line(raw),
        (None, None) => String::new(),
    }
}

/// None where the arguments are not those of the tool.
fn of_tool(tool: &str, arguments: &Value) -> Option<String> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let line = |name: &str| arguments.get(name).and_then(Value::as_u64);
    Some(match tool {
        "bash" => first_line(text("command")?),
        "python" => first_line(text("code").or_else(|| text("command"))?),
        "read" => {
            let path = sanitize(text("path")?);
            match (line("start"), line("end")) {
                (None, None) => path,
                (Some(start), None) => format!("{path} {start}–"),
                (start, Some(end)) => format!("{path} {}–{end}", start.unwrap_or(1)),
            }
        }
        "write" => {
            let lines = text("content")?.lines().count();
            format!("{}  {}", sanitize(text("path")?), plural(lines, "line"))
        }
        "edit" => {
            let (added, removed) = changed(text("old")?, text("new")?);
            format!("{}  +{added} −{removed}", sanitize(text("path")?))
        }
        "search" => {
            let mut gist = sanitize(text("pattern")?);
            for name in ["path", "glob"] {
                if let Some(value) = text(name) {
                    gist.push_str(&format!("  {}", sanitize(value)));
                }
            }
            gist
        }
        "list" => sanitize(text("path").unwrap_or(".")),
        "submit" => first_line(text("message").unwrap_or_default()),
        _ => return None,
    })
}

/// Lines that are added and removed, common ones at both ends left out.
fn changed(old: &str, new: &str) -> (usize, usize) {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let ends = old[before..].iter().rev().zip(new[before..].iter().rev());
    let after = ends.take_while(|(a, b)| a == b).count();
    (new.len() - before - after, old.len() - before - after)
}

fn compact(arguments: &Value) -> String {
    match arguments {
        Value::Object(map) if map.is_empty() => String::new(),
        other => sanitize(&other.to_string()),
    }
}

/// What came of a call.
pub(super) enum Came {
    /// Nothing, or nothing worth a word.
    Nothing,
    Well(String),
    /// An answer that is no good news: a status other than 0.
    Status(String),
    /// The call was wrong, or failed.
    Error(String),
}

/// In a few words; an error in its own. With `full` without what an output says:
/// it is shown.
pub(super) fn came(call: &Event, result: Option<&Event>, full: bool) -> Came {
    if let Some(why) = &call.invalid {
        return Came::Error(format!("invalid: {why}"));
    }
    let tool = call.tool.as_deref().unwrap_or_default();
    let Some(result) = result else {
        return match tool {
            // It ends the session; its result may have nobody to go to.
            "submit" => Came::Nothing,
            _ => Came::Error("no result".to_owned()),
        };
    };
    if result.ok == Some(false) {
        let why = result.error.as_deref().or(result.output.as_deref());
        return Came::Error(why.unwrap_or("failed").to_owned());
    }
    let output = result.output.as_deref().unwrap_or_default();
    let mut parts = Vec::new();
    let code = result.exit_code.filter(|code| *code != 0);
    if let Some(code) = code {
        parts.push(format!("exit {code}"));
    }
    match tool {
        // Says back what it was given.
        "submit" | "write" | "edit" => {}
        "read" | "list" | "search" => parts.extend(size(result)),
        _ if full => parts.extend(size(result)),
        // What a program says last mostly says it all.
        _ => {
            let mut lines = output.lines().filter(|line| !line.trim().is_empty());
            match (lines.next(), lines.next_back()) {
                (None, _) => {}
                (Some(only), None) => parts.push(sanitize(only.trim())),
                (Some(_), Some(last)) => {
                    let lines = size(result).unwrap_or_default();
                    parts.push(format!("{lines} … {}", sanitize(last.trim())));
                }
            }
        }
    }
    let came = parts.join("  ");
    match (came.is_empty(), code) {
        (true, _) => Came::Nothing,
        (false, Some(_)) => Came::Status(came),
        (false, None) => Came::Well(came),
    }
}

/// `3 lines`, `812 lines, cut`.
fn size(result: &Event) -> Option<String> {
    let lines = result.output.as_deref().unwrap_or_default().lines().count();
    let cut = match result.truncated {
        Some(true) => ", cut",
        _ => "",
    };
    (lines > 0).then(|| format!("{}{cut}", plural(lines, "line")))
}

/// Everything that a call was given, so many columns wide.
pub(super) fn whole(call: &Event, columns: usize) -> Vec<String> {
    let (Some(arguments), None) = (&call.arguments, &call.raw) else {
        return wrapped(call.raw.as_deref().unwrap_or_default(), columns);
    };
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let signed = |sign: &str, text: &str| -> Vec<String> {
        let lines = wrapped(text, columns.saturating_sub(1));
        lines.iter().map(|line| format!("{sign}{line}")).collect()
    };
    let tool = call.tool.as_deref().unwrap_or_default();
    match (tool, text("old"), text("new"), text("content")) {
        ("edit", Some(old), Some(new), _) => [signed("-", old), signed("+", new)].concat(),
        ("write", _, _, Some(content)) => signed("+", content),
        _ => {
            let said = match tool {
                "bash" | "python" => text("command").or_else(|| text("code")),
                "submit" => text("message"),
                _ => None,
            };
            match (tool, said) {
                (_, Some(said)) => wrapped(said, columns),
                ("read" | "submit", None) => wrapped(&gist(call), columns),
                _ => wrapped(&compact(arguments), columns),
            }
        }
    }
}

/// The first line that says something, `…` where there are more.
pub(super) fn first_line(text: &str) -> String {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = sanitize(lines.next().unwrap_or_default().trim_end());
    match lines.next() {
        Some(_) => format!("{first} …"),
        None => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trajectory::EventKind;
    use serde_json::json;

    fn call(tool: &str, arguments: Value) -> Event {
        Event {
            tool: Some(tool.into()),
            arguments: Some(arguments),
            ..Event::new(EventKind::ToolCall)
        }
    }

    #[test]
    fn each_tool_has_its_gist() {
        for (tool, arguments, shown) in [
            ("bash", json!({"command": "\ncd src\nls"}), "cd src …"),
            ("python", json!({"code": "1 + 1"}), "1 + 1"),
            ("read", json!({"path": "a.py"}), "a.py"),
            (
                "read",
                json!({"path": "a.py", "start": 4, "end": 9}),
                "a.py 4–9",
            ),
            ("read", json!({"path": "a.py", "start": 4}), "a.py 4–"),
            ("read", json!({"path": "a.py", "end": 9}), "a.py 1–9"),
            (
                "write",
                json!({"path": "a", "content": "x\ny\n"}),
                "a  2 lines",
            ),
            (
                "edit",
                json!({"path": "a", "old": "x\ny\nz", "new": "x\nu\nv\nz"}),
                "a  +2 −1",
            ),
            (
                "edit",
                json!({"path": "a", "old": "x", "new": ""}),
                "a  +0 −1",
            ),
            (
                "search",
                json!({"pattern": "def f", "glob": "*.py"}),
                "def f  *.py",
            ),
            ("list", json!({}), "."),
            ("refund", json!({"order": "A-17"}), r#"{"order":"A-17"}"#),
            ("refund", json!({}), ""),
            ("read", json!({"file": "a"}), r#"{"file":"a"}"#),
            ("bash", json!({"command": "\u{1b}[2Jls"}), "ls"),
        ] {
            assert_eq!(gist(&call(tool, arguments)), shown);
        }
    }

    #[test]
    fn what_a_program_says_last_is_shown() {
        let result = |output: &str| Event {
            ok: Some(true),
            output: Some(output.into()),
            exit_code: Some(1),
            ..Event::new(EventKind::ToolResult)
        };
        let told = |tool, output| match came(&call(tool, json!({})), Some(&result(output)), false) {
            Came::Status(text) => text,
            _ => panic!("a status other than 0"),
        };
        assert_eq!(
            told("bash", ".F\n\n1 failed\n"),
            "exit 1  3 lines … 1 failed"
        );
        assert_eq!(told("bash", "1 failed\n"), "exit 1  1 failed");
        assert_eq!(told("bash", ""), "exit 1");
        assert_eq!(told("read", "a\nb\n"), "exit 1  2 lines");
    }
}
