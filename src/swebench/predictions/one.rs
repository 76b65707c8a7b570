//! One prediction: an object and what its keys must hold.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{MOST_PATCH, Prediction};
use crate::diagnose::nearest;
use crate::swebench::report::names_a_file;

/// Longest name of a model, bytes.
const LONGEST_MODEL: usize = 4096;

/// An object's keys and values, in order, each value as it stands in the text.
pub struct Members<'a>(pub Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Of an object; of anything else nothing.
    pub fn of(value: &'a RawValue) -> Option<Self> {
        let mut read = serde_json::Deserializer::from_str(value.get());
        read.deserialize_map(OfObject).ok()
    }

    /// The last value of a key, as in Python.
    pub fn find(&self, key: &str) -> Option<&'a RawValue> {
        let mut found = self.0.iter().rev();
        found.find(|(name, _)| name == key).map(|(_, value)| *value)
    }

    /// The nearest of its keys to one that it does not have.
    fn nearest(&self, key: &str) -> Option<&str> {
        nearest(key, self.0.iter().map(|(name, _)| name.as_str()))
    }
}

struct OfObject;

impl<'de> Visitor<'de> for OfObject {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// What is wrong with a prediction, and with which part of the text.
pub struct Wrong<'a> {
    pub message: String,
    /// None where it is the whole prediction.
    pub value: Option<&'a RawValue>,
    pub notes: Vec<String>,
}

impl<'a> Wrong<'a> {
    pub fn new(message: impl Into<String>, value: Option<&'a RawValue>) -> Self {
        Self {
            message: message.into(),
            value,
            notes: Vec::new(),
        }
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// Reads a prediction; `id` is the key that it stands under, if it stands under one. Its
/// line is left for the caller.
pub fn prediction<'a>(value: &'a RawValue, id: Option<&str>) -> Result<Prediction, Box<Wrong<'a>>> {
    let members = Members::of(value).ok_or_else(|| {
        let found = kind(value);
        Wrong::new(
            format!("a prediction is an object, and this is {found}"),
            None,
        )
    })?;
    Ok(Prediction {
        instance_id: instance_id(&members, id)?,
        model: model(&members)?,
        patch: patch(&members)?,
        line: 0,
    })
}

fn instance_id<'a>(members: &Members<'a>, key: Option<&str>) -> Result<String, Wrong<'a>> {
    let inner = members.find("instance_id");
    let said = match inner {
        Some(value) => text("instance_id", value)?,
        None => None,
    };
    let id = match (said, key) {
        (Some(said), Some(key)) if said != key => {
            let message = format!("`{key}` holds a prediction for `{said}`");
            return Err(Wrong::new(message, inner));
        }
        (Some(said), _) => said,
        (None, Some(key)) => key.to_owned(),
        (None, None) => return Err(missing(members, "instance_id", inner)),
    };
    match names_a_file(&id) {
        true => Ok(id),
        false => Err(
            Wrong::new(format!("`{}` is no instance_id", shortened(&id)), inner)
                .note("it names a folder: `owner__name-number`, without `/`"),
        ),
    }
}

fn model<'a>(members: &Members<'a>) -> Result<Option<String>, Wrong<'a>> {
    let (key, value) = ["model_name_or_path", "prefix"]
        .into_iter()
        .find_map(|key| Some((key, members.find(key)?)))
        .unzip();
    let (Some(key), Some(value)) = (key, value) else {
        return Ok(None);
    };
    let model = text(key, value)?;
    match model {
        Some(model) if model.len() > LONGEST_MODEL => Err(Wrong::new(
            format!("`{key}` has more than {LONGEST_MODEL} bytes"),
            Some(value),
        )),
        model => Ok(model.filter(|model| !model.is_empty())),
    }
}

fn patch<'a>(members: &Members<'a>) -> Result<Option<String>, Wrong<'a>> {
    let (key, value) = match (members.find("model_patch"), members.find("patch")) {
        (Some(value), _) => ("model_patch", value),
        (None, Some(_)) if members.find("test_patch").is_some() => {
            let row = "this is a row of a data set, not a prediction: it has no `model_patch`";
            return Err(Wrong::new(row, None).note("`gold` stands for the patches of the data set"));
        }
        (None, Some(value)) => ("patch", value),
        (None, None) => return Err(missing(members, "model_patch", None)),
    };
    let patch = text(key, value)?;
    match patch {
        Some(patch) if patch.len() > MOST_PATCH => {
            let message = format!("the patch is larger than {} MiB", MOST_PATCH >> 20);
            Err(Wrong::new(message, Some(value)))
        }
        patch => Ok(patch),
    }
}

fn missing<'a>(members: &Members<'a>, key: &str, value: Option<&'a RawValue>) -> Wrong<'a> {
    let wrong = Wrong::new(format!("a prediction without `{key}`"), value);
    match members.nearest(key) {
        Some(near) => wrong.note(format!("it has `{}`", shortened(near))),
        None if key == "model_patch" => {
            wrong.note("where a model made no change, write \"model_patch\": \"\"")
        }
        None => wrong,
    }
}

/// A text or null.
fn text<'a>(key: &str, value: &'a RawValue) -> Result<Option<String>, Wrong<'a>> {
    let wrong = |why: String| Wrong::new(format!("`{key}` must be a text {why}"), Some(value));
    match value.get().as_bytes().first() {
        Some(b'"' | b'n') => serde_json::from_str(value.get())
            .map_err(|error| wrong(format!("that is UTF-8; {}", without_place(&error)))),
        _ => Err(wrong(format!("or null, and this is {}", kind(value)))),
    }
}

/// What a reader of JSON says, without the place, which we tell in our own way.
pub fn without_place(error: &serde_json::Error) -> String {
    let said = error.to_string();
    match said.rsplit_once(" at line ") {
        Some((is, _)) => is.to_owned(),
        None => said,
    }
}

/// What a value is, with its article.
fn kind(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a truth value",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// A text of a file's, short enough for a message.
pub fn shortened(text: &str) -> String {
    let mut out: String = text.chars().take(80).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}
