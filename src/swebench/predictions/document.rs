//! The text of a file → its predictions, whatever the shape.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::one::{Members, Wrong, prediction, shortened, without_place};
use super::{MOST_PREDICTIONS, Prediction, Predictions};
use crate::diagnose::{Problem, SourceText, Spot};
use crate::swebench::report::NO_MODEL;

/// Most problems that are told of one file.
const MOST_PROBLEMS: usize = 20;
/// Bytes around a place that are shown at most.
const AROUND: usize = 400;
/// Most ids that a warning names.
const MOST_NAMED: usize = 3;

/// How predictions stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Lines,
    List,
    ById,
    Single,
}

/// A prediction's text, and the key that it stands under.
type Entry<'a> = (Option<String>, &'a RawValue);

pub fn parse(name: &str, bytes: &[u8]) -> Result<Predictions, Vec<Problem>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let source = Source::new(name, std::str::from_utf8(valid).unwrap_or_default());
        vec![Problem::new("this is not UTF-8").at(source.spot(valid.len(), 0, ""))]
    })?;
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut source = Source::new(name, bare);
    let (shape, entries) = entries(&source)?;
    if entries.is_empty() {
        let problem = Problem::new(format!("`{name}` holds no prediction"));
        let shapes = "predictions are an object a line, or a list of objects";
        return Err(vec![problem.note(shapes)]);
    }
    let mut warnings = Vec::new();
    if bare.len() < text.len() {
        let told = "the file begins with a byte order mark, which the official harness refuses";
        warnings.push(told.to_owned());
    }
    warnings.extend(of_ending(name, shape));
    let all = predictions(&mut source, entries)?;
    warnings.extend(of_content(&all));
    Ok(Predictions { all, warnings })
}

/// The predictions as they stand in the text.
fn entries<'a>(source: &Source<'a>) -> Result<(Shape, Vec<Entry<'a>>), Vec<Problem>> {
    let mut values: Vec<&'a RawValue> = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(source.text).into_iter();
    for value in &mut stream {
        values.push(value.map_err(|error| vec![source.syntax(&error)])?);
        bounded(values.len(), source)?;
    }
    let only = match values.as_slice() {
        [only] => *only,
        // None, or many.
        _ => {
            let all = values.into_iter().map(|value| (None, value));
            return Ok((Shape::Lines, all.collect()));
        }
    };
    if let Some(Members(members)) = Members::of(only) {
        let has = |key: &str| members.iter().any(|(name, _)| name == key);
        if has("instance_id") || has("model_patch") {
            return Ok((Shape::Single, vec![(None, only)]));
        }
        bounded(members.len(), source)?;
        let all = members.into_iter().map(|(id, value)| (Some(id), value));
        return Ok((Shape::ById, all.collect()));
    }
    let list: Result<Vec<&RawValue>, _> = serde_json::from_str(only.get());
    match list {
        Ok(list) => {
            bounded(list.len(), source)?;
            let all = list.into_iter().map(|value| (None, value));
            Ok((Shape::List, all.collect()))
        }
        // Neither an object nor a list: as a prediction it is refused with its reason.
        Err(_) => Ok((Shape::Single, vec![(None, only)])),
    }
}

fn bounded(count: usize, source: &Source<'_>) -> Result<(), Vec<Problem>> {
    if count <= MOST_PREDICTIONS {
        return Ok(());
    }
    let name = &source.name;
    let message = format!("`{name}` holds more than {MOST_PREDICTIONS} predictions");
    Err(vec![Problem::new(message)])
}

/// Each entry as a prediction, no two of the same instance.
fn predictions(
    source: &mut Source<'_>,
    entries: Vec<Entry<'_>>,
) -> Result<Vec<Prediction>, Vec<Problem>> {
    let mut all: Vec<Prediction> = Vec::with_capacity(entries.len());
    let mut problems = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(entries.len());
    for (id, value) in entries {
        let at = source.offset(value);
        let wrong = match prediction(value, id.as_deref()) {
            Ok(mut prediction) => {
                prediction.line = source.line(at);
                let id = prediction.instance_id.clone();
                all.push(prediction);
                match seen.insert(id.clone(), at) {
                    None => continue,
                    Some(first) => {
                        let first = source.spot(first, 1, "");
                        let (line, column) = (first.line, first.column);
                        let second = format!("`{id}` is predicted a second time");
                        let first = format!("first in line {line}, column {column}");
                        Box::new(Wrong::new(format!("{second}, {first}"), None))
                    }
                }
            }
            Err(wrong) => wrong,
        };
        if problems.len() >= MOST_PROBLEMS {
            problems.push(Problem::new("there are more problems of this kind"));
            break;
        }
        problems.push(source.problem(*wrong, at));
    }
    match problems.is_empty() {
        true => Ok(all),
        false => Err(problems),
    }
}

/// What an official harness would not take, or would take for something else.
fn of_ending(name: &str, shape: Shape) -> Option<String> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    let is = match shape {
        Shape::Lines => "an object a line, as in a `.jsonl` file",
        Shape::List => "a list, as in a `.json` file",
        Shape::ById => "an object by instance, as in a `.json` file",
        Shape::Single => "one prediction",
    };
    let expected = matches!(
        (shape, ending),
        (Shape::Lines | Shape::Single, Some("jsonl")) | (Shape::List | Shape::ById, Some("json"))
    );
    (!expected).then(|| format!("the file's content is {is}, its name says something else"))
}

fn of_content(all: &[Prediction]) -> Vec<String> {
    let mut warnings = Vec::new();
    let cut: Vec<&str> = all
        .iter()
        .filter(|prediction| {
            prediction
                .patch()
                .is_some_and(|patch| !patch.ends_with('\n'))
        })
        .map(|prediction| prediction.instance_id.as_str())
        .collect();
    if !cut.is_empty() {
        let (patches, their) = match cut.len() {
            1 => ("1 patch lacks".to_owned(), "its"),
            more => (format!("{more} patches lack"), "their"),
        };
        let named = cut.iter().take(MOST_NAMED).copied();
        let named = named.collect::<Vec<_>>().join(", ");
        let more = if cut.len() > MOST_NAMED { ", …" } else { "" };
        warnings.push(format!("{patches} {their} final newline ({named}{more})"));
    }
    let mut models: Vec<Option<&str>> = all
        .iter()
        .map(|prediction| prediction.model.as_deref())
        .collect();
    models.sort_unstable();
    models.dedup();
    if models.len() > 1 {
        let count = models.len();
        let first = all
            .first()
            .and_then(|prediction| prediction.model.as_deref());
        let first = shortened(first.unwrap_or(NO_MODEL));
        warnings.push(format!(
            "the predictions are of {count} models; an official summary is named after the \
             first, `{first}`"
        ));
    }
    warnings
}

/// A text in which values have places. Lines are counted once, from place to place.
struct Source<'a> {
    name: String,
    text: &'a str,
    /// A place, and the line that it lies in.
    counted: (usize, usize),
}

impl<'a> Source<'a> {
    fn new(name: &str, text: &'a str) -> Self {
        Self {
            name: name.to_owned(),
            text,
            counted: (0, 1),
        }
    }

    /// Where a value of the text stands in it, bytes.
    fn offset(&self, value: &RawValue) -> usize {
        let start = value.get().as_ptr() as usize;
        start
            .saturating_sub(self.text.as_ptr() as usize)
            .min(self.text.len())
    }

    /// The line of a place that is not before the last one asked for.
    fn line(&mut self, at: usize) -> usize {
        let (from, line) = self.counted;
        let between = self.text.get(from..at).unwrap_or_default();
        let line = line + between.bytes().filter(|byte| *byte == b'\n').count();
        self.counted = (at.max(from), line);
        line
    }

    fn problem(&self, wrong: Wrong<'_>, at: usize) -> Problem {
        let (at, length) = match wrong.value {
            Some(value) => (self.offset(value), value.get().len()),
            None => (at, 1),
        };
        let problem = Problem::new(wrong.message).at(self.spot(at, length, ""));
        wrong.notes.into_iter().fold(problem, Problem::note)
    }

    fn syntax(&self, error: &serde_json::Error) -> Problem {
        let before: usize = self
            .text
            .split_inclusive('\n')
            .take(error.line().saturating_sub(1))
            .map(str::len)
            .sum();
        let at = before + error.column().saturating_sub(1);
        Problem::new("this is not JSON").at(self.spot(at, 1, &without_place(error)))
    }

    /// A place with what stands around it: a file of predictions may be one line of
    /// gigabytes.
    fn spot(&self, at: usize, length: usize, label: &str) -> Spot {
        let floor = |mut at: usize| {
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let at = floor(at.min(self.text.len()));
        let before = self.text.get(..at).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let from = floor(line_start.max(at.saturating_sub(AROUND)));
        let to = floor(self.text.len().min(at.saturating_add(AROUND)));
        let around = SourceText::new(&self.name, self.text.get(from..to).unwrap_or_default());
        let mut spot = around.spot(at - from..(at - from).saturating_add(length), label);
        spot.line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let line = before.get(line_start..).unwrap_or_default();
        spot.column = line.chars().count() + 1;
        spot
    }
}
