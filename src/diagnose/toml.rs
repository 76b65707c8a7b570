//! TOML with places: every error of a file at its line and column, every key
//! that no field takes, and where a key or a value stands.
//!
//! The keys that a table may have are read from the JSON Schema of its type, so
//! that there is one list of them.

use ::toml::de::DeTable;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::keys::key_at;
use super::{KeyPath, Problem, SourceText, Step, nearest, place};

/// Most unknown keys that are told with their places: each takes reading the file.
const MOST_PLACES: usize = 100;
/// Most syntax errors that are told of one file.
const MOST_SYNTAX_ERRORS: usize = 5;

/// A file as read.
#[derive(Debug)]
pub struct Parsed<T> {
    /// None where `problems` says why.
    pub value: Option<T>,
    pub problems: Vec<Problem>,
    /// Keys that no field takes; the reader decides whether that is an error.
    pub unknown: Vec<Unknown>,
}

/// A key that no field takes.
#[derive(Debug)]
pub struct Unknown {
    pub path: KeyPath,
    pub problem: Problem,
}

/// Reads a document into its raw type. All unknown keys are found, syntax
/// errors up to a bound, a value of a wrong type once.
pub fn parse<T: DeserializeOwned + JsonSchema>(source: &SourceText) -> Parsed<T> {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        let mut problems: Vec<Problem> = errors
            .iter()
            .map(|error| syntax_problem(source, error))
            .collect();
        // What follows in a line is mostly an echo of its first error.
        problems.dedup_by_key(|problem| problem.spot.as_ref().map(|spot| spot.line));
        problems.truncate(MOST_SYNTAX_ERRORS);
        return Parsed {
            value: None,
            problems,
            unknown: Vec::new(),
        };
    }
    let mut paths = Vec::new();
    let read: Result<T, _> =
        serde_ignored::deserialize(::toml::Deserializer::from(document), |path| {
            paths.push(steps(&path));
        });
    let (value, problems) = match read {
        Ok(value) => (Some(value), Vec::new()),
        Err(error) => (None, vec![type_problem(source, &error)]),
    };
    // It takes longer to make than most files to read, and most have nothing unknown.
    let schema = match paths.is_empty() {
        true => Value::Null,
        false => schemars::schema_for!(T).to_value(),
    };
    let mut unknown: Vec<Unknown> = paths
        .into_iter()
        .enumerate()
        .map(|(at, path)| Unknown {
            problem: unknown_problem(source, &path, &schema, at < MOST_PLACES),
            path,
        })
        .collect();
    unknown.sort_by_key(|unknown| unknown.problem.place());
    Parsed {
        value,
        problems,
        unknown,
    }
}

fn syntax_problem(source: &SourceText, error: &::toml::de::Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    Problem::new("this is not TOML").at(source.spot(span, error.message()))
}

fn type_problem(source: &SourceText, error: &::toml::de::Error) -> Problem {
    let label = friendly(error.message());
    let Some(span) = error.span() else {
        return Problem::new(label);
    };
    let what = key_at(&source.text, &span).map_or_else(
        || "a value cannot be read".to_string(),
        |path| match path.table() {
            table if table.is_empty() => format!("`{}` cannot be read", path.last_key()),
            table => format!("`{}` in {table} cannot be read", path.last_key()),
        },
    );
    Problem::new(what).at(source.spot(span, label))
}

/// serde's words in those of a person who writes TOML.
pub fn friendly(message: &str) -> String {
    if let Some((unknown, rest)) = message
        .strip_prefix("unknown variant `")
        .and_then(|rest| rest.split_once('`'))
    {
        let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        let meant = nearest(unknown, known.iter().copied())
            .map(|word| format!("did you mean \"{word}\"? "))
            .unwrap_or_default();
        return format!("{meant}it may be \"{}\"", known.join("\", \""));
    }
    let Some((found, expected)) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.split_once(", expected "))
    else {
        return message.to_string();
    };
    let expected = match expected {
        "f64" => "a number",
        "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i64" => "a whole number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    let found = match found {
        "sequence" => "a list".to_string(),
        "map" => "a table".to_string(),
        other => format!("the {}", other.trim_end_matches(" as i128")),
    };
    format!("this should be {expected}, and is {found}")
}

fn unknown_problem(source: &SourceText, path: &KeyPath, schema: &Value, placed: bool) -> Problem {
    let key = path.last_key();
    let message = match path.table() {
        table if table.is_empty() => format!("unknown key `{key}`"),
        table => format!("unknown key `{key}` in {table}"),
    };
    let known = known_keys(schema, &path.0[..path.0.len().saturating_sub(1)]);
    let meant = nearest(key, known.iter().map(String::as_str));
    let label = meant.map_or_else(String::new, |word| format!("did you mean `{word}`?"));
    let place = placed.then(|| place(&source.text, path)).flatten();
    let problem = match place {
        Some((key_span, _)) => Problem::new(message).at(source.spot(key_span, label)),
        None => Problem::new(format!("{}: {message}", source.name)),
    };
    match meant {
        None if !known.is_empty() => problem.note(format!("known here: {}", known.join(", "))),
        _ => problem,
    }
}

fn steps(path: &serde_ignored::Path) -> KeyPath {
    use serde_ignored::Path;
    match path {
        Path::Root => KeyPath::default(),
        Path::Seq { parent, index } => steps(parent).index(*index),
        Path::Map { parent, key } => steps(parent).key(key),
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => steps(parent),
    }
}

/// The keys that a table may have, sorted, by the schema of the document.
pub fn known_keys(schema: &Value, path: &[Step]) -> Vec<String> {
    let mut node = resolve(schema, schema);
    for step in path {
        let next = match step {
            Step::Key(key) => node["properties"]
                .get(key)
                .or_else(|| node.get("additionalProperties")),
            Step::Index(_) => node.get("items"),
        };
        match next {
            Some(next) => node = resolve(schema, next),
            None => return Vec::new(),
        }
    }
    node["properties"]
        .as_object()
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default()
}

/// Follows references and optional values to the schema that says something.
pub fn resolve<'s>(root: &'s Value, mut node: &'s Value) -> &'s Value {
    // Our schemas refer a few levels deep; the bound is against a circle.
    for _ in 0..16 {
        let choice = node["anyOf"]
            .as_array()
            .and_then(|choices| choices.iter().find(|choice| choice["type"] != "null"));
        if let Some(choice) = choice {
            node = choice;
        } else if let Some(pointer) = node["$ref"].as_str().and_then(|at| at.strip_prefix('#')) {
            match root.pointer(pointer) {
                Some(target) => node = target,
                None => return node,
            }
        } else {
            return node;
        }
    }
    node
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "read by serde alone")]
    struct Document {
        server: Option<Server>,
        doors: Option<Vec<Door>>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "read by serde alone")]
    struct Server {
        port: Option<u16>,
        level: Option<Level>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Level {
        Quiet,
        Loud,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "read by serde alone")]
    struct Door {
        colour: Option<String>,
    }

    fn shown(text: &str) -> String {
        let parsed = parse::<Document>(&SourceText::new("some.toml", text));
        parsed
            .problems
            .iter()
            .chain(parsed.unknown.iter().map(|unknown| &unknown.problem))
            .map(|problem| problem.render(false))
            .collect()
    }

    #[test]
    fn every_unknown_key_is_found_also_in_lists_of_tables() {
        assert_snapshot!(shown("[server]\nprot = 1\n\n[[doors]]\ncolor = \"red\"\nsize = 3\n"), @r#"
            error: unknown key `prot` in [server]
              ┌─ some.toml:2:1
              │
            2 │ prot = 1
              │ ^^^^ did you mean `port`?
            error: unknown key `color` in [[doors]]
              ┌─ some.toml:5:1
              │
            5 │ color = "red"
              │ ^^^^^ did you mean `colour`?
            error: unknown key `size` in [[doors]]
              ┌─ some.toml:6:1
              │
            6 │ size = 3
              │ ^^^^
              │
              = known here: colour
            "#);
    }

    #[test]
    fn a_wrong_type_names_the_key_and_what_it_should_be() {
        assert_snapshot!(shown("[server]\nport = \"http\"\n"), @r#"
            error: `port` in [server] cannot be read
              ┌─ some.toml:2:8
              │
            2 │ port = "http"
              │        ^^^^^^ this should be a whole number, 0 or more, and is the string "http"
            "#);
    }

    #[test]
    fn a_wrong_word_names_the_nearest() {
        assert_snapshot!(shown("[server]\nlevel = \"quit\"\n"), @r#"
            error: `level` in [server] cannot be read
              ┌─ some.toml:2:9
              │
            2 │ level = "quit"
              │         ^^^^^^ did you mean "quiet"? it may be "quiet", "loud"
            "#);
    }

    #[test]
    fn a_syntax_error_shows_its_line() {
        assert_snapshot!(shown("[server]\nport = = 1\n"), @r#"
            error: this is not TOML
              ┌─ some.toml:2:8
              │
            2 │ port = = 1
              │        ^ extra `=`, expected nothing
            "#);
    }
}
