//! Fields of a row by their names, for filters and strata.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{DataSet, Row};

/// Most further fields that are kept of a row, and most bytes of them: of one, together.
const MOST_OTHER: usize = 64;
const MOST_OTHER_BYTES: usize = 4 << 10;
const MOST_OTHER_TOGETHER: usize = 32 << 10;

/// The fields that every row can be asked for, further ones aside.
pub const FIELDS: [&str; 16] = [
    "base_commit",
    "created_at",
    "datasets",
    "difficulty",
    "environment_setup_commit",
    "eval_type",
    "fail_to_pass",
    "id",
    "image",
    "instance_id",
    "log_parser",
    "pass_to_pass",
    "repo",
    "shape",
    "split",
    "version",
];

impl Row {
    /// A field by its name; of the lists of tests how many they are. None where the row
    /// does not have it.
    pub fn field(&self, name: &str) -> Option<Value> {
        let text = |text: &str| Some(Value::from(text));
        let optional = |text: &Option<String>| text.as_deref().map(Value::from);
        match name {
            "id" | "instance_id" => text(&self.instance_id),
            "repo" => text(&self.repo),
            "shape" => text(self.shape.name()),
            "base_commit" => optional(&self.base_commit),
            "created_at" => optional(&self.created_at),
            "difficulty" => optional(&self.difficulty),
            "environment_setup_commit" => optional(&self.environment_setup_commit),
            "eval_type" => optional(&self.eval_type),
            "image" => optional(&self.image),
            "log_parser" => optional(&self.log_parser),
            "split" => optional(&self.split),
            "version" => optional(&self.version),
            "datasets" => Some(Value::from(self.datasets.as_slice())),
            "fail_to_pass" | "FAIL_TO_PASS" => Some(Value::from(self.fail_to_pass.len())),
            "pass_to_pass" | "PASS_TO_PASS" => Some(Value::from(self.pass_to_pass.len())),
            other => self.other.get(other).cloned(),
        }
    }
}

impl DataSet {
    /// The fields that rows can be asked for: [`FIELDS`] and the further ones of any row,
    /// sorted.
    pub fn fields(&self) -> Vec<&str> {
        let further = self.rows.iter().flat_map(|row| row.other.keys());
        let all: BTreeSet<&str> = FIELDS
            .into_iter()
            .chain(further.map(String::as_str))
            .collect();
        all.into_iter().collect()
    }
}

/// Further fields that a filter can use.
pub fn further(fields: Map<String, Value>) -> BTreeMap<String, Value> {
    let mut left = MOST_OTHER_TOGETHER;
    let mut kept = BTreeMap::new();
    for (name, value) in fields {
        let Some(size) = plain_size(&value).map(|size| size + name.len()) else {
            continue;
        };
        if kept.len() < MOST_OTHER && size <= MOST_OTHER_BYTES && size <= left {
            left -= size;
            kept.insert(name, value);
        }
    }
    kept
}

/// Bytes of a word, a number or a list of those.
fn plain_size(value: &Value) -> Option<usize> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::Bool(_) | Value::Number(_) => Some(8),
        Value::String(text) => Some(text.len()),
        Value::Array(items) => {
            let sizes = items.iter().map(|item| match item {
                Value::Array(_) | Value::Object(_) | Value::Null => None,
                other => plain_size(other).map(|size| size + 8),
            });
            sizes.sum()
        }
    }
}
