//! Entries of `forbid` and `require`: patterns of calls.
//!
//! Owns what of an entry is right, and how its values become JSON. Must not know
//! what is made of a pattern.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::Checker;
use super::tools::Names;
use crate::diagnose::{KeyPath, nearest};
use crate::task::pattern::{ArgumentMatcher, PatternError, command_glob};
use crate::task::raw::CallTable;
use crate::task::{CallPattern, Matcher};

/// The keys that make a table more than a value to be equal to.
const MATCHERS: [&str; 3] = ["any", "regex", "schema"];

/// The patterns of `forbid` or `require` that are ones.
pub fn patterns(
    key: &str,
    entries: &[CallTable],
    names: &Names<'_>,
    check: &mut Checker<'_>,
) -> Vec<CallPattern> {
    let entry = |(index, entry): (usize, &CallTable)| {
        let at = KeyPath::from("tools").key(key).index(index);
        pattern(key, at, entry, names, check)
    };
    entries.iter().enumerate().filter_map(entry).collect()
}

fn pattern(
    key: &str,
    at: KeyPath,
    entry: &CallTable,
    names: &Names<'_>,
    check: &mut Checker<'_>,
) -> Option<CallPattern> {
    let Some(tool) = &entry.tool else {
        check.wrong(
            at,
            format!("an entry of `{key}` names no `tool`"),
            "like { tool = \"bash\" }",
        );
        return None;
    };
    if !names.judged(at.clone().key("tool"), tool, check) {
        return None;
    }
    if let Some(command) = &entry.command {
        let at = at.clone().key("command");
        if let Err(error) = command_glob(command) {
            no_pattern(at, &error, check);
        } else if names.takes(tool, "command").is_err() {
            check.wrong(
                at,
                format!("`{tool}` has no argument `command`"),
                "so this matches no call",
            );
        }
    }
    let mut arguments = BTreeMap::new();
    for (name, value) in entry.arguments.iter().flatten() {
        let at = at.clone().key("arguments").key(name);
        if let Err(known) = names.takes(tool, name) {
            let label = match nearest(name, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if known.is_empty() => "so this matches no call".to_owned(),
                None => format!("its schema has {}", known.join(", ")),
            };
            check.wrong(
                at.clone(),
                format!("`{tool}` has no argument `{name}`"),
                label,
            );
        }
        if let Some(matcher) = matcher(at, value, check) {
            arguments.insert(name.clone(), matcher);
        }
    }
    Some(CallPattern {
        tool: tool.clone(),
        command: entry.command.clone(),
        arguments,
    })
}

/// A value, or a table with exactly one of `any`, `regex` and `schema`.
fn matcher(at: KeyPath, value: &toml::Value, check: &mut Checker<'_>) -> Option<Matcher> {
    let special = value.as_table().and_then(|table| {
        let key = MATCHERS.into_iter().find(|key| table.contains_key(*key))?;
        Some((table, key, table.get(key)?))
    });
    let Some((table, key, inner)) = special else {
        return json(at, value, check).map(Matcher::Equal);
    };
    if table.len() > 1 {
        let others: Vec<String> = table
            .keys()
            .filter(|other| *other != key)
            .map(|other| format!("`{other}`"))
            .collect();
        check.wrong(
            at,
            format!(
                "`{key}` stands alone, and here {} is beside it",
                others.join(", ")
            ),
            "a table that is meant as a value: { any = [{ … }] }",
        );
        return None;
    }
    let inside = at.key(key);
    let matcher = match (key, inner) {
        ("any", toml::Value::Array(values)) if !values.is_empty() => {
            let values = values
                .iter()
                .enumerate()
                .map(|(index, value)| json(inside.clone().index(index), value, check));
            Matcher::Any(values.collect::<Option<_>>()?)
        }
        ("regex", toml::Value::String(regex)) => Matcher::Regex(regex.clone()),
        ("schema", toml::Value::Table(_)) => Matcher::Schema(json(inside.clone(), inner, check)?),
        _ => {
            let label = match key {
                "any" => "a list of values, not empty",
                "regex" => "a regular expression, as a string",
                _ => "a JSON Schema, as a table",
            };
            check.wrong(inside, format!("`{key}` cannot be read"), label);
            return None;
        }
    };
    match ArgumentMatcher::new(&matcher) {
        Ok(_) => Some(matcher),
        Err(error) => {
            no_pattern(inside, &error, check);
            None
        }
    }
}

/// A glob, a regular expression or a schema that is none.
pub fn no_pattern(at: KeyPath, error: &PatternError, check: &mut Checker<'_>) {
    check.wrong(at, error.to_string(), error.cause());
}

/// A value of TOML as one of JSON, which has no dates and no infinities.
fn json(at: KeyPath, value: &toml::Value, check: &mut Checker<'_>) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Boolean(flag) => Value::Bool(*flag),
        toml::Value::Float(number) => match Number::from_f64(*number) {
            Some(number) => Value::Number(number),
            None => {
                check.wrong(at, format!("JSON has no number {number}"), "a finite one");
                return None;
            }
        },
        toml::Value::Datetime(date) => {
            check.wrong(
                at,
                "arguments are JSON, which has no dates",
                format!("as a string: \"{date}\""),
            );
            return None;
        }
        toml::Value::Array(items) => {
            let items = items
                .iter()
                .enumerate()
                .map(|(index, item)| json(at.clone().index(index), item, check));
            Value::Array(items.collect::<Option<_>>()?)
        }
        toml::Value::Table(table) => {
            let entries = table.iter().map(|(key, value)| {
                json(at.clone().key(key), value, check).map(|value| (key.clone(), value))
            });
            Value::Object(entries.collect::<Option<_>>()?)
        }
    })
}
