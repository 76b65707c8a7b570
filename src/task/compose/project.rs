//! The file as a whole: its keys, and its services together.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::Reader;
use super::service::Uses;
use super::{Compose, MAIN, networks, references, scalar, service};
use crate::diagnose::yaml::{Entry, Node, Value};

const KEYS: [&str; 9] = [
    "configs", "include", "name", "networks", "secrets", "services", "version", "volumes", "x-…",
];

/// Most services, networks and volumes of a file, each.
const MOST: usize = 50;

pub fn compose(root: &Node, reader: &mut Reader<'_>) -> Compose {
    let mut compose = Compose::default();
    let Value::Map(entries) = &root.value else {
        let message = "a compose file is a map with `services`";
        reader.wrong(&root.span, message, "");
        return compose;
    };
    let mut uses = BTreeMap::new();
    let mut left_out = BTreeSet::new();
    for entry in entries {
        match entry.key.as_str() {
            "services" => services(entry, &mut compose, &mut uses, &mut left_out, reader),
            "networks" => {
                for entry in named(entry, reader) {
                    let network = networks::network(entry, reader);
                    compose.networks.insert(entry.key.clone(), network);
                }
            }
            "volumes" => {
                for entry in named(entry, reader) {
                    let volume = networks::volume(entry, reader);
                    compose.volumes.insert(entry.key.clone(), volume);
                }
            }
            "include" => reader.refuse(entry, "a task has one compose file; write all into it"),
            "secrets" | "configs" => {
                reader.refuse(entry, "put the file beside the compose file and bind it");
            }
            "name" | "version" => {}
            key if key.starts_with("x-") => {}
            _ => reader.unknown(entry, "", &KEYS),
        }
    }
    if compose.services.is_empty() && reader.problems.is_empty() {
        reader.wrong(&root.span, "no service is started by this file", "");
    }
    references::check(&mut compose, uses, &left_out, reader);
    compose
}

/// The entries of a map whose keys are names, not too many.
fn named<'n>(entry: &'n Entry, reader: &mut Reader<'_>) -> Vec<&'n Entry> {
    let key = entry.key.as_str();
    let entries = reader.map(&entry.node, key);
    if entries.len() > MOST {
        let message = format!("`{key}` has more than {MOST} entries");
        reader.wrong(&entry.key_span, message, "");
        return Vec::new();
    }
    let mut named = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.key.starts_with("x-")) {
        if scalar::is_name(&entry.key) {
            named.push(entry);
        } else {
            let message = format!("a name in `{key}` is letters, digits, `.`, `_` and `-`");
            reader.wrong(&entry.key_span, message, "");
        }
    }
    named
}

fn services(
    entry: &Entry,
    compose: &mut Compose,
    uses: &mut BTreeMap<String, Uses>,
    left_out: &mut BTreeSet<String>,
    reader: &mut Reader<'_>,
) {
    for entry in named(entry, reader) {
        let name = entry.key.clone();
        if let Some(profiles) = profiles(entry) {
            let message = format!("the service `{name}` is left out: it has `profiles`");
            reader.warn(&profiles.key_span, message);
            left_out.insert(name);
            continue;
        }
        let (service, used) = service::service(entry, reader);
        let keys = match &entry.node.value {
            Value::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        let named = keys
            .iter()
            .any(|entry| ["image", "build"].contains(&entry.key.as_str()));
        if !named && name != MAIN {
            let message = format!("the service `{name}` has neither `image` nor `build`");
            reader.wrong(&entry.key_span, message, "one of them says what runs");
        }
        compose.services.insert(name.clone(), service);
        uses.insert(name, used);
    }
}

/// The key by which a service is started only when somebody asks for it.
fn profiles(entry: &Entry) -> Option<&Entry> {
    let Value::Map(entries) = &entry.node.value else {
        return None;
    };
    entries
        .iter()
        .find(|entry| entry.key == "profiles")
        .filter(|entry| matches!(&entry.node.value, Value::List(items) if !items.is_empty()))
}
