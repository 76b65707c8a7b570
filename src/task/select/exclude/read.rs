//! The three forms of a list of what is left out.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

use super::{Exclusion, ExclusionError, Exclusions, SCHEMA};
use crate::diagnose::toml::parse;
use crate::diagnose::{KeyPath, Problem, SourceText, place};

/// Largest file, bytes.
const MOST: u64 = 64 << 20;
/// Most problems that are told of one file.
const MOST_TOLD: usize = 20;
/// Longest id, bytes.
const LONGEST_ID: usize = 200;

/// Reads a list by its ending.
pub fn read(path: &Path) -> Result<Exclusions, ExclusionError> {
    let source = text(path)?;
    let form = path.extension().and_then(|ending| ending.to_str());
    let (mut list, mut problems) = match form {
        Some("toml") => of_toml(&source),
        Some("json") => of_json(&source),
        _ => of_text(&source),
    };
    if let Some(schema) = list.schema.as_deref().filter(|schema| *schema != SCHEMA) {
        let message = format!("{}: `schema` is `{schema}`", source.name);
        problems.push(Problem::new(message).note(format!("{SCHEMA} is read here")));
    }
    if !problems.is_empty() {
        problems.truncate(MOST_TOLD);
        return Err(ExclusionError::Invalid { problems });
    }
    list.exclude.iter_mut().for_each(|entry| {
        entry.reason = entry.reason.trim().to_owned();
    });
    Ok(list)
}

fn text(path: &Path) -> Result<SourceText, ExclusionError> {
    let unread = |source| ExclusionError::Read {
        path: path.to_path_buf(),
        source,
    };
    let mut text = String::new();
    let file = File::open(path).map_err(unread)?;
    file.take(MOST + 1)
        .read_to_string(&mut text)
        .map_err(unread)?;
    if text.len() as u64 > MOST {
        return Err(ExclusionError::TooLarge {
            path: path.to_path_buf(),
            limit: MOST,
        });
    }
    let text = text
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text);
    Ok(SourceText::new(path.display().to_string(), text))
}

fn of_toml(source: &SourceText) -> (Exclusions, Vec<Problem>) {
    let parsed = parse::<Exclusions>(source);
    let mut list = parsed.value.unwrap_or_default();
    let unknown = parsed.unknown.iter();
    list.told = unknown
        .map(|unknown| format!("{}; left out", unknown.problem))
        .collect();
    let mut problems = parsed.problems;
    checked(&list.exclude, &mut problems, &|at| {
        let path = KeyPath::default().key("exclude").index(at).key("id");
        let spot = place(&source.text, &path).map(|(_, value)| value);
        Place::At(source, spot.unwrap_or(0..0))
    });
    (list, problems)
}

fn of_json(source: &SourceText) -> (Exclusions, Vec<Problem>) {
    let text = source.text.as_str();
    let read = match text.trim_start().starts_with('[') {
        false => serde_json::from_str(text),
        true => serde_json::from_str(text).map(|entries: Vec<Entry>| Exclusions {
            exclude: entries.into_iter().map(|Entry(entry)| entry).collect(),
            ..Exclusions::default()
        }),
    };
    match read {
        Ok(list) => {
            let mut problems = Vec::new();
            checked(&list.exclude, &mut problems, &|at| Place::Entry(source, at));
            (list, problems)
        }
        Err(error) => {
            let start = line_start(text, error.line());
            let at = start + error.column().saturating_sub(1);
            let told = error.to_string();
            let label = told.split(" at line ").next().unwrap_or(&told);
            let problem = Problem::new("this is not a list of what is left out")
                .at(source.spot(at..at + 1, label))
                .note("a list of ids, or {\"exclude\": [{\"id\": …, \"reason\": …}]}");
            (Exclusions::default(), vec![problem])
        }
    }
}

/// Where a line begins, bytes; lines from 1.
fn line_start(text: &str, line: usize) -> usize {
    let lines = text.split_inclusive('\n').take(line.saturating_sub(1));
    lines.map(str::len).sum()
}

/// An id, or an object with more.
struct Entry(Exclusion);

impl<'de> serde::Deserialize<'de> for Entry {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> serde::de::Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an id, or an object with `id` and `reason`")
    }

    fn visit_str<E>(self, id: &str) -> Result<Entry, E> {
        Ok(Entry(Exclusion {
            id: id.to_owned(),
            ..Exclusion::default()
        }))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
        let map = serde::de::value::MapAccessDeserializer::new(map);
        serde::Deserialize::deserialize(map).map(Entry)
    }
}

fn of_text(source: &SourceText) -> (Exclusions, Vec<Problem>) {
    let mut entries = Vec::new();
    let mut spans: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let text = line.trim_start();
        let at = start + line.len() - text.len();
        start += line.len();
        let text = text.trim_end();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (id, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        // A reason may speak of `C#` and of `#123`.
        let rest = match rest.trim_start() {
            rest if rest.starts_with("# ") => rest.trim_start_matches('#'),
            rest => rest,
        };
        spans.push(at..at + id.len());
        entries.push(Exclusion {
            id: id.to_owned(),
            reason: rest.trim().to_owned(),
            ..Exclusion::default()
        });
    }
    let mut problems = Vec::new();
    checked(&entries, &mut problems, &|at| {
        Place::At(source, spans.get(at).cloned().unwrap_or(0..0))
    });
    let list = Exclusions {
        exclude: entries,
        ..Exclusions::default()
    };
    (list, problems)
}

/// Where an entry stands.
enum Place<'a> {
    At(&'a SourceText, Range<usize>),
    /// JSON keeps no places.
    Entry(&'a SourceText, usize),
}

impl Place<'_> {
    fn problem(&self, message: String, label: &str) -> Problem {
        match self {
            Place::At(source, span) => Problem::new(message).at(source.spot(span.clone(), label)),
            Place::Entry(source, at) => {
                let message = format!("{}, entry {}: {message}", source.name, at + 1);
                Problem::new(message).note(label)
            }
        }
    }

    fn name(&self) -> String {
        match self {
            Place::At(source, span) => format!("line {}", source.spot(span.clone(), "").line),
            Place::Entry(_, at) => format!("entry {}", at + 1),
        }
    }
}

/// Holds the ids of a list against what ids are, and against each other.
fn checked<'a>(
    entries: &[Exclusion],
    problems: &mut Vec<Problem>,
    place: &dyn Fn(usize) -> Place<'a>,
) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if problems.len() >= MOST_TOLD {
            return;
        }
        let id = entry.id.as_str();
        if id.is_empty() || id.len() > LONGEST_ID || id.contains(is_no_sign) {
            let message = format!("`{}` cannot be an id", id.escape_debug());
            problems.push(place(at).problem(message, "the name of an instance"));
        } else if let Some(first) = seen.insert(id, at) {
            let message = format!("`{id}` is left out twice");
            let label = format!("it stands in {} already", place(first).name());
            problems.push(place(at).problem(message, &label));
        }
    }
}

fn is_no_sign(sign: char) -> bool {
    sign.is_whitespace() || sign.is_control() || "\"'`,;\\".contains(sign)
}
