//! From a map of plain values to a row: which field is called what in which shape, and
//! what is wrong with the type of a value.
//!
//! Must not know file formats.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::checks::{is_commit, shortened};
use super::{Asset, Row, Shape, assets, field};
use crate::diagnose::nearest;

/// Most ids of one list, and most commands.
const MOST_ITEMS: usize = 200_000;

/// A list of ids by its two spellings.
const FAIL_TO_PASS: [&str; 2] = ["FAIL_TO_PASS", "fail_to_pass"];
const PASS_TO_PASS: [&str; 2] = ["PASS_TO_PASS", "pass_to_pass"];
/// The image by its names.
const IMAGE: [&str; 3] = ["image", "docker_image", "image_name"];

/// Something wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub field: String,
    pub wrong: String,
    pub advice: String,
}

impl Wrong {
    pub fn new(field: &str, wrong: impl Into<String>, advice: &str) -> Self {
        Self {
            field: field.to_owned(),
            wrong: wrong.into(),
            advice: advice.to_owned(),
        }
    }
}

/// The row of a map, and what is wrong with it: with anything wrong, the row is not to
/// be used.
pub fn row(fields: Map<String, Value>) -> (Row, Vec<Wrong>) {
    let shape = shape(&fields);
    let mut fields = Fields {
        fields,
        wrong: Vec::new(),
    };
    // A field is needed where swebench's own code reads it; whether it is empty is
    // another matter.
    let smith = shape == Shape::Smith;
    let needed = |needed: bool| if needed { Need::Must } else { Need::May };
    let tests = needed(shape != Shape::Multimodal);
    let row = Row {
        instance_id: fields.name("instance_id"),
        repo: fields.name("repo"),
        base_commit: fields.commit("base_commit", needed(!smith)),
        patch: fields.content("patch", tests),
        reversed: smith,
        test_patch: fields.content("test_patch", needed(!smith)),
        problem_statement: fields.content("problem_statement", needed(!smith)),
        hints_text: fields.text(&["hints_text"], Need::May),
        created_at: fields.text(&["created_at"], Need::May),
        version: fields.version(),
        fail_to_pass: fields.ids(&FAIL_TO_PASS, tests),
        pass_to_pass: fields.ids(&PASS_TO_PASS, tests),
        environment_setup_commit: fields.commit("environment_setup_commit", Need::May),
        difficulty: fields.text(&["difficulty"], Need::May),
        image: fields.text(&IMAGE, Need::May),
        eval_script: fields.text(&["eval_script"], Need::May),
        log_parser: fields.text(&["log_parser"], Need::May),
        eval_type: fields.text(&["eval_type"], Need::May),
        split: fields.text(&["split"], Need::May),
        datasets: fields.commands(&["datasets"]),
        test_cmds: fields.commands(&["test_cmds", "test_cmd"]),
        rebuild_cmds: fields.commands(&["rebuild_cmds", "rebuild_cmd"]),
        print_cmds: fields.commands(&["print_cmds", "print_cmd"]),
        image_assets: fields.assets(),
        other: BTreeMap::new(),
        shape,
        line: 0,
        dir: None,
    };
    fields.explain();
    let Fields { fields, wrong } = fields;
    let other = field::further(fields);
    (Row { other, ..row }, wrong)
}

/// Which member of the family has such fields.
fn shape(fields: &Map<String, Value>) -> Shape {
    let has = |field: &str| fields.get(field).is_some_and(is_something);
    let repo = fields.get("repo").and_then(Value::as_str);
    let mirror = repo.is_some_and(|repo| repo.starts_with("swesmith/"));
    if mirror || (has("image_name") && !has("base_commit")) {
        Shape::Smith
    } else if has("eval_script") {
        Shape::Scripted
    } else if has("test_cmds") || has("test_cmd") {
        Shape::Live
    } else if fields.contains_key("image_assets") {
        Shape::Multimodal
    } else {
        Shape::Classic
    }
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Must,
    May,
}

/// A map of which fields are taken.
struct Fields {
    fields: Map<String, Value>,
    wrong: Vec<Wrong>,
}

impl Fields {
    /// The value of the first of these fields that has one; the others are taken away.
    fn take<'n>(&mut self, names: &[&'n str]) -> Option<(&'n str, Value)> {
        let mut found = None;
        for name in names {
            let value = self.fields.remove(*name).filter(|value| !value.is_null());
            found = found.or(value.map(|value| (*name, value)));
        }
        found
    }

    fn wrong(&mut self, field: &str, wrong: impl Into<String>, advice: &str) {
        self.wrong.push(Wrong::new(field, wrong, advice));
    }

    fn missing(&mut self, field: &str) {
        self.wrong(field, "is missing", "");
    }

    /// A text that has to be there and to say something.
    fn name(&mut self, field: &'static str) -> String {
        match self.plain(&[field]) {
            Some((_, text)) if text.is_empty() => {
                self.wrong(field, "is empty", "");
                text
            }
            Some((_, text)) => text,
            None => {
                self.missing_unless_wrong(field);
                String::new()
            }
        }
    }

    /// A text that has to be there and may be empty.
    fn content(&mut self, field: &'static str, need: Need) -> String {
        // A null is what a table has for an empty text.
        let there = self.fields.contains_key(field);
        match self.plain(&[field]) {
            Some((_, text)) => text,
            None => {
                if need == Need::Must && !there {
                    self.missing(field);
                }
                String::new()
            }
        }
    }

    /// A text; None where it is empty.
    fn text(&mut self, names: &[&'static str], need: Need) -> Option<String> {
        let text = self.plain(names).map(|(_, text)| text);
        let text = text.filter(|text| !text.is_empty());
        if let (None, Need::Must, Some(name)) = (&text, need, names.first()) {
            self.missing_unless_wrong(name);
        }
        text
    }

    /// A commit, if it is one in lower case.
    fn commit(&mut self, field: &'static str, need: Need) -> Option<String> {
        let text = self.text(&[field], need)?;
        Some(match is_commit(&text) {
            true => text.to_ascii_lowercase(),
            false => text,
        })
    }

    fn missing_unless_wrong(&mut self, field: &str) {
        if !self.wrong.iter().any(|wrong| wrong.field == field) {
            self.missing(field);
        }
    }

    /// A text, or a whole number as one.
    fn plain(&mut self, names: &[&'static str]) -> Option<(&'static str, String)> {
        let (name, value) = self.take(names)?;
        match value {
            Value::String(text) => Some((name, text)),
            Value::Number(number) if !number.is_f64() => Some((name, number.to_string())),
            other => {
                let wrong = format!("is {}", kind(&other));
                self.wrong(name, wrong, "it must be a text");
                None
            }
        }
    }

    fn version(&mut self) -> Option<String> {
        if let Some(Value::Number(number)) = self.fields.get("version")
            && number.is_f64()
        {
            let wrong = format!("is the number {number}");
            self.fields.remove("version");
            self.wrong(
                "version",
                wrong,
                "as a number 1.10 is 1.1; write it as a text",
            );
            return None;
        }
        self.text(&["version"], Need::May)
    }

    /// A list of texts, or the JSON text of one.
    fn ids(&mut self, names: &[&'static str], need: Need) -> Vec<String> {
        const ADVICE: &str = "it must be a list of test ids, or the JSON text of one";
        let there = names.iter().any(|name| self.fields.contains_key(*name));
        let Some((name, value)) = self.take(names) else {
            if let (Need::Must, false, Some(name)) = (need, there, names.first()) {
                self.missing(name);
            }
            return Vec::new();
        };
        let items = match value {
            Value::Array(items) => items.into_iter().map(text).collect(),
            Value::String(text) if text.trim().is_empty() => return Vec::new(),
            Value::String(text) => match serde_json::from_str::<Vec<String>>(&text) {
                Ok(ids) => Ok(ids),
                Err(error) => Err(format!(
                    "is not the JSON text of a list of texts, but `{}` ({error})",
                    shortened(&text)
                )),
            },
            other => Err(format!("is {}", kind(&other))),
        };
        self.bounded(name, items, ADVICE)
    }

    /// A list of texts, the JSON text of one, or one text.
    fn commands(&mut self, names: &[&'static str]) -> Vec<String> {
        let Some((name, value)) = self.take(names) else {
            return Vec::new();
        };
        let items = match value {
            Value::Array(items) => items.into_iter().map(text).collect(),
            Value::String(text) if text.trim().is_empty() => return Vec::new(),
            Value::String(text) => Ok(serde_json::from_str(&text).unwrap_or(vec![text])),
            other => Err(format!("is {}", kind(&other))),
        };
        self.bounded(name, items, "it must be a list of texts")
    }

    fn bounded(
        &mut self,
        name: &str,
        items: Result<Vec<String>, String>,
        advice: &str,
    ) -> Vec<String> {
        match items {
            Ok(items) if items.len() <= MOST_ITEMS => items,
            Ok(items) => {
                let wrong = format!("has {} items", items.len());
                self.wrong(name, wrong, &format!("at most {MOST_ITEMS} are read"));
                Vec::new()
            }
            Err(wrong) => {
                self.wrong(name, wrong, advice);
                Vec::new()
            }
        }
    }

    /// Images by the field that they belong to.
    fn assets(&mut self) -> BTreeMap<String, Vec<Asset>> {
        let value = self.take(&[assets::FIELD]).map(|(_, value)| value);
        assets::read(value, &mut self.wrong)
    }

    /// Says of missing fields what was meant, by what is left over.
    fn explain(&mut self) {
        let prediction = self.fields.contains_key("model_patch");
        for wrong in &mut self.wrong {
            if wrong.wrong != "is missing" {
                continue;
            }
            wrong.advice = match meant(&wrong.field, &self.fields) {
                Some(meant) => format!("there is `{meant}`"),
                None if prediction => {
                    "this is a prediction; a data set has rows with the tests".to_owned()
                }
                None if wrong.field == "base_commit" => {
                    "only rows of SWE-smith (with `image_name`) have none".to_owned()
                }
                None => "every row has it; docs/swebench.md lists the fields".to_owned(),
            };
        }
    }
}

/// The field that is called nearly so, in whatever case.
fn meant<'f>(field: &str, fields: &'f Map<String, Value>) -> Option<&'f str> {
    let field = field.to_ascii_lowercase();
    let lower: Vec<(String, &str)> = fields
        .keys()
        .map(|name| (name.to_ascii_lowercase(), name.as_str()))
        .collect();
    let near = nearest(&field, lower.iter().map(|(name, _)| name.as_str()));
    let found = lower
        .iter()
        .find(|(name, _)| *name == field || Some(name.as_str()) == near);
    found.map(|(_, name)| *name)
}

fn text(item: Value) -> Result<String, String> {
    match item {
        Value::String(text) => Ok(text),
        other => Err(format!("has an item that is {}", kind(&other))),
    }
}

/// A value's kind, in words.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
