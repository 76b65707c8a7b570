//! Images that belong to the text of a row, or are laid beside a patch.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Asset;
use super::fields::Wrong;

/// The field that lists them.
pub const FIELD: &str = "image_assets";
/// Most images of one row and field.
const MOST: usize = 1_000;

/// Images by the field that they belong to, or the JSON text of that.
pub fn read(value: Option<Value>, wrong: &mut Vec<Wrong>) -> BTreeMap<String, Vec<Asset>> {
    const ADVICE: &str =
        "it is {\"problem_statement\": [address, …], …}, or items with `path` and `url`";
    let value = match value {
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or(Some(Value::from(text))),
        other => other,
    };
    let fields = match value {
        None => return BTreeMap::new(),
        Some(Value::Object(fields)) => fields,
        Some(_) => {
            wrong.push(Wrong::new(FIELD, "is not a map of lists", ADVICE));
            return BTreeMap::new();
        }
    };
    let mut assets = BTreeMap::new();
    for (field, value) in fields {
        match items(value) {
            Some(items) if items.is_empty() => {}
            Some(items) => drop(assets.insert(field, items)),
            None => {
                let text = format!("has something under `{field}` that is no list of images");
                wrong.push(Wrong::new(FIELD, text, ADVICE));
            }
        }
    }
    assets
}

fn items(value: Value) -> Option<Vec<Asset>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::Array(items) if items.len() <= MOST => items.into_iter().map(asset).collect(),
        _ => None,
    }
}

fn asset(item: Value) -> Option<Asset> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    match &item {
        Value::String(url) => Some(Asset {
            path: None,
            url: Some(url.clone()),
        }),
        Value::Object(fields) => Some(Asset {
            path: text(fields.get("path")),
            url: text(fields.get("url")),
        }),
        _ => None,
    }
    .filter(|asset| asset.path.is_some() || asset.url.is_some())
}
