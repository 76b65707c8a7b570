//! `dataset.toml` of a folder of tasks: which tasks its author means.
//!
//! The folder's tasks are those that lie in it; the file is held against them. Its
//! digests are those of a registry's packages, and are not compared.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use super::TaskError;
use super::folder::read_text;
use crate::diagnose::SourceText;
use crate::diagnose::toml::parse;
use crate::record::TaskId;

/// Most bytes of the file.
const MOST: u64 = 16 << 20;

/// `dataset.toml`
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct DatasetToml {
    #[expect(dead_code, reason = "known, and without effect here")]
    schema_version: Option<String>,
    dataset: Option<DatasetTable>,
    tasks: Option<Vec<Listed>>,
    #[expect(dead_code, reason = "known, and without effect here")]
    files: Option<Vec<ListedFile>>,
}

/// `[dataset]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct DatasetTable {
    name: Option<String>,
    #[expect(dead_code, reason = "known, and without effect here")]
    version: Option<String>,
    #[expect(dead_code, reason = "known, and without effect here")]
    description: Option<String>,
    #[expect(dead_code, reason = "known, and without effect here")]
    #[schemars(with = "Option<Vec<BTreeMap<String, serde_json::Value>>>")]
    authors: Option<Vec<BTreeMap<String, toml::Value>>>,
    #[expect(dead_code, reason = "known, and without effect here")]
    keywords: Option<Vec<String>>,
}

/// `[[tasks]]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct Listed {
    name: Option<String>,
    #[expect(dead_code, reason = "of a registry's package")]
    digest: Option<String>,
}

/// `[[files]]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct ListedFile {
    #[expect(dead_code, reason = "known, and without effect here")]
    path: Option<String>,
    #[expect(dead_code, reason = "of a registry's package")]
    digest: Option<String>,
}

/// Holds the `dataset.toml` of a folder, if it has one, against the tasks that were
/// found: what is to be told of it.
///
/// # Errors
/// A file that cannot be read, or is none of its kind.
pub fn held_against(folder: &Path, tasks: &[TaskId]) -> Result<Vec<String>, TaskError> {
    let file = folder.join("dataset.toml");
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let text = SourceText::new(file.display().to_string(), read_text(&file, MOST)?);
    let parsed = parse::<DatasetToml>(&text);
    let Some(dataset) = parsed.value.filter(|_| parsed.problems.is_empty()) else {
        return Err(TaskError::Invalid {
            problems: parsed.problems,
        });
    };
    let unknown = parsed.unknown.iter();
    let mut told: Vec<String> = unknown
        .map(|unknown| format!("{}; left out", unknown.problem))
        .collect();
    let name = dataset.dataset.and_then(|table| table.name);
    let name = name.unwrap_or_else(|| folder.display().to_string());
    let listed = dataset.tasks.unwrap_or_default();
    let found = |name: &str| {
        let last = name.rsplit('/').next().unwrap_or(name);
        let is = |task: &TaskId| task.as_str() == name || task.as_str() == last;
        tasks.iter().any(is)
    };
    let missing: Vec<String> = listed
        .into_iter()
        .filter_map(|listed| listed.name)
        .filter(|name| !found(name))
        .collect();
    if !missing.is_empty() {
        told.push(format!(
            "{}: {} of the tasks of {name} are not here: {}",
            file.display(),
            missing.len(),
            missing
                .iter()
                .take(5)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        ));
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn told(toml: &str, names: &[&str]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dataset.toml"), toml).unwrap();
        let tasks: Vec<TaskId> = names.iter().map(|name| TaskId::new(*name)).collect();
        let shown = |text: String| text.replace(&folder.path().display().to_string(), "set");
        match held_against(folder.path(), &tasks) {
            Ok(told) => Ok(told.into_iter().map(shown).collect()),
            Err(error) => Err(shown(error.render(false))),
        }
    }

    #[test]
    fn what_is_listed_and_not_there_is_told() {
        let toml = "schema_version = \"1.0\"\n[dataset]\nname = \"a/set\"\n\
            [[tasks]]\nname = \"a/one\"\ndigest = \"sha256:0\"\n[[tasks]]\nname = \"a/two\"\n";
        assert_eq!(told(toml, &["one", "a/two"]), Ok(Vec::new()));
        let missing = "set/dataset.toml: 1 of the tasks of a/set are not here: a/two";
        assert_eq!(told(toml, &["one"]), Ok(vec![missing.to_owned()]));
    }

    #[test]
    fn a_file_that_is_none_is_an_error_at_its_place() {
        let error = told("[[tasks]]\nname = 1\n", &[]).unwrap_err();
        assert!(error.contains("set/dataset.toml:2:8"), "{error}");
        assert!(told("[dataset]\nnmae = \"a\"\n", &[]).unwrap()[0].contains("`name`"));
    }
}
