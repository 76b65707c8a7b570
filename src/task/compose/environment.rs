//! `environment` and `env_file`: the variables of a container.

use super::reader::{Reader, shortened};
use super::{Service, load, variables_of};
use crate::diagnose::yaml::{Entry, Node, Value};

const FILE_KEYS: [&str; 3] = ["format", "path", "required"];

/// Both keys together: what `environment` says wins.
pub fn fill_in(entries: &[Entry], service: &mut Service, reader: &mut Reader<'_>) {
    for entry in entries.iter().filter(|entry| entry.key == "env_file") {
        files(&entry.node, service, reader);
    }
    for entry in entries.iter().filter(|entry| entry.key == "environment") {
        for pair in reader.pairs(&entry.node, "environment") {
            if pair.name.is_empty() || pair.name.contains(['=', '\0']) {
                let message = format!("`{}` cannot be a variable", shortened(&pair.name));
                reader.wrong(&pair.span, message, "");
                continue;
            }
            let value = pair.value.or_else(|| (reader.lookup)(&pair.name));
            match value {
                Some(value) if value.contains('\0') => {
                    let message = format!("`{}` cannot have a NUL in its value", pair.name);
                    reader.wrong(&pair.span, message, "");
                }
                Some(value) => {
                    service.environment.insert(pair.name, value);
                }
                None => {}
            }
        }
    }
}

fn files(node: &Node, service: &mut Service, reader: &mut Reader<'_>) {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ if node.is_null() => &[],
        _ => std::slice::from_ref(node),
    };
    for item in items {
        file(item, service, reader);
    }
}

fn file(node: &Node, service: &mut Service, reader: &mut Reader<'_>) -> Option<()> {
    let (mut path, mut required, mut raw) = (node, true, false);
    if let Value::Map(entries) = &node.value {
        path = &entries.iter().find(|entry| entry.key == "path")?.node;
        for entry in entries {
            match entry.key.as_str() {
                "path" => {}
                "required" => required = reader.truth(&entry.node, "required")?,
                "format" => {
                    let form = |word: &str| (word == "raw").then_some(true);
                    raw = reader.parsed(&entry.node, "format", "raw, or left out", form)?;
                }
                _ => reader.unknown(entry, "env_file", &FILE_KEYS),
            }
        }
    }
    let written = reader.word(path, "env_file")?;
    let folder = reader.folder;
    let real = reader.inside(folder, &written, &path.span)?;
    if !real.is_file() {
        if required {
            let message = format!("there is no file `{}`", shortened(&written));
            reader.wrong(&path.span, message, "`required: false` makes do without it");
        }
        return None;
    }
    let relative = real.strip_prefix(folder).unwrap_or(&real);
    let read = load(&real, relative).map_err(|problem| vec![*problem]);
    if let Ok(source) = &read
        && !reader.may_read(source.text.len())
    {
        reader.wrong(
            &path.span,
            "the files of variables are too large together",
            "",
        );
        return None;
    }
    let read = read.and_then(|source| variables_of(&source, raw, reader.lookup));
    match read {
        Ok(variables) => service.environment.extend(variables),
        Err(problems) => reader.problems.extend(problems),
    }
    Some(())
}
