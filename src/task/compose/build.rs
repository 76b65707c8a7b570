//! `build`: how an image is made.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Build;
use super::reader::{Reader, shortened};
use crate::diagnose::yaml::{Entry, Node, Value};

const KEYS: [&str; 14] = [
    "args",
    "cache_from",
    "cache_to",
    "context",
    "dockerfile",
    "dockerfile_inline",
    "labels",
    "network",
    "no_cache",
    "platforms",
    "pull",
    "shm_size",
    "tags",
    "target",
];

/// Keys that are known and refused.
const REFUSED: [(&str, &str); 8] = [
    ("additional_contexts", "copy what it needs into the context"),
    ("entitlements", "a build gets no rights of its own"),
    ("extra_hosts", "it is not supported"),
    ("isolation", "it is not supported"),
    ("privileged", "it would open the sandbox to the host"),
    ("secrets", "a task has no secrets of the host"),
    ("ssh", "a task has no keys of the host"),
    ("ulimits", "it is not supported"),
];

pub fn build(node: &Node, reader: &mut Reader<'_>) -> Option<Build> {
    if node.is_null() {
        return None;
    }
    let mut build = Build::default();
    if matches!(node.value, Value::Scalar(_)) {
        build.context = context(Some(node), reader)?;
        find_dockerfile(node, &build, reader);
        return Some(build);
    }
    let entries = reader.map(node, "build");
    let find = |key: &str| {
        let entry = entries.iter().find(|entry| entry.key == key)?;
        (!entry.node.is_null()).then_some(&entry.node)
    };
    // First, since paths are relative to it.
    let context = context(find("context"), reader);
    if let Some(context) = &context {
        build.context.clone_from(context);
        build.dockerfile = find("dockerfile").and_then(|node| {
            let written = reader.word(node, "dockerfile")?;
            let path = reader.inside(context, &written, &node.span)?;
            if !path.is_file() {
                reader.wrong(
                    &node.span,
                    format!("there is no file `{}`", shortened(&written)),
                    "",
                );
            }
            Some(path)
        });
    }
    for entry in entries {
        key(entry, &mut build, reader);
    }
    if build.inline.is_some() && find("dockerfile").is_some() {
        let message = "`dockerfile` and `dockerfile_inline` stand together";
        reader.wrong(
            &node.span,
            message,
            "one of them says how the image is built",
        );
    } else if find("dockerfile").is_none()
        && find("dockerfile_inline").is_none()
        && context.is_some()
    {
        find_dockerfile(node, &build, reader);
    }
    context.map(|_| build)
}

fn key(entry: &Entry, build: &mut Build, reader: &mut Reader<'_>) {
    let (key, node) = (entry.key.as_str(), &entry.node);
    if node.is_null() {
        return;
    }
    match key {
        "args" => build.args = args(node, reader),
        "target" => build.target = reader.word(node, key),
        "dockerfile_inline" => build.inline = reader.text(node, key),
        "network" => {
            let default = |word: &str| (word == "default").then_some(());
            reader.parsed(node, key, "`default`", default);
        }
        "platforms" => {
            for platform in reader.texts(node, key) {
                if platform != "linux/amd64" {
                    let message = format!("`platforms` cannot be `{}`", shortened(&platform));
                    reader.wrong(&node.span, message, "it must be linux/amd64");
                }
            }
        }
        _ if KEYS.contains(&key) || key.starts_with("x-") => {}
        _ => match REFUSED.iter().find(|(refused, _)| *refused == key) {
            Some((_, why)) => reader.refuse(entry, why),
            None => reader.unknown(entry, "build", &KEYS),
        },
    }
}

/// The folder that is built from; the compose file's own where none is named.
fn context(node: Option<&Node>, reader: &mut Reader<'_>) -> Option<PathBuf> {
    let Some(node) = node else {
        return Some(reader.folder.to_path_buf());
    };
    let written = reader.word(node, "context")?;
    if written.contains("://") || written.starts_with("git@") {
        let label = "an image is built from the task's own files";
        reader.wrong(
            &node.span,
            format!("`{}` is not a folder of the task", shortened(&written)),
            label,
        );
        return None;
    }
    let folder = reader.folder;
    let path = reader.inside(folder, &written, &node.span)?;
    if !path.is_dir() {
        reader.wrong(
            &node.span,
            format!("there is no folder `{}`", shortened(&written)),
            "",
        );
        return None;
    }
    Some(path)
}

fn find_dockerfile(node: &Node, build: &Build, reader: &mut Reader<'_>) {
    if !build.context.join("Dockerfile").is_file() {
        let message = "there is no `Dockerfile` in what is built from";
        reader.wrong(
            &node.span,
            message,
            "`dockerfile` names one that is called otherwise",
        );
    }
}

/// An argument without a value comes from the variables, as in `environment`.
fn args(node: &Node, reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    let pairs = reader.pairs(node, "args");
    let lookup = reader.lookup;
    pairs
        .into_iter()
        .filter_map(|pair| Some((pair.value.or_else(|| lookup(&pair.name))?, pair.name)))
        .map(|(value, name)| (name, value))
        .collect()
}
