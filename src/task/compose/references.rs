//! What services need of one another and of the rest of the file: `depends_on`,
//! and whether everything that is named is there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::networks::DEFAULT;
use super::reader::{Reader, shortened};
use super::service::{Use, Uses};
use super::{Compose, Condition, Dependency, MAIN, Service};
use crate::diagnose::nearest;
use crate::diagnose::yaml::{Entry, Node, Value};

const KEYS: [&str; 3] = ["condition", "required", "restart"];

/// A list of names, or a map of names to conditions.
pub fn depends_on(node: &Node, service: &mut Service, uses: &mut Uses, reader: &mut Reader<'_>) {
    let mut add = |name: String, span: &Range<usize>, dependency: Dependency| {
        let span = span.clone();
        service.depends_on.insert(name.clone(), dependency);
        uses.dependencies.push(Use { name, span });
    };
    let started = Dependency {
        condition: Condition::Started,
        required: true,
    };
    let Value::Map(entries) = &node.value else {
        for item in reader.list(node, "depends_on") {
            if let Some(name) = reader.word(item, "depends_on") {
                add(name, &item.span, started);
            }
        }
        return;
    };
    for entry in entries {
        let mut dependency = started;
        for entry in reader.map(&entry.node, "depends_on") {
            condition(entry, &mut dependency, reader);
        }
        add(entry.key.clone(), &entry.key_span, dependency);
    }
}

fn condition(entry: &Entry, dependency: &mut Dependency, reader: &mut Reader<'_>) {
    let node = &entry.node;
    match entry.key.as_str() {
        "condition" => {
            let form = "service_started, service_healthy or service_completed_successfully";
            let parse = |word: &str| {
                Some(match word {
                    "service_started" => Condition::Started,
                    "service_healthy" => Condition::Healthy,
                    "service_completed_successfully" => Condition::Completed,
                    _ => return None,
                })
            };
            if let Some(condition) = reader.parsed(node, "condition", form, parse) {
                dependency.condition = condition;
            }
        }
        "required" => dependency.required = reader.truth(node, "required").unwrap_or(true),
        "restart" => {}
        _ => reader.unknown(entry, "depends_on", &KEYS),
    }
}

/// Checks every name that a service uses, and adds what follows from `links` and
/// from the default network. `left_out` are services that are not started.
pub fn check(
    compose: &mut Compose,
    uses: BTreeMap<String, Uses>,
    left_out: &BTreeSet<String>,
    reader: &mut Reader<'_>,
) {
    for (name, uses) in &uses {
        for used in &uses.networks {
            if used.name != DEFAULT && !compose.networks.contains_key(&used.name) {
                missing("network", used, compose.networks.keys(), reader);
            }
        }
        for used in &uses.volumes {
            if !compose.volumes.contains_key(&used.name) {
                missing("volume", used, compose.volumes.keys(), reader);
            }
        }
        for used in &uses.links {
            link(name, used, compose, reader);
        }
        for used in &uses.dependencies {
            dependency(name, used, compose, left_out, reader);
        }
    }
    let named = compose.services.values();
    let by_default = named
        .clone()
        .any(|service| service.networks.contains_key(DEFAULT));
    if by_default {
        let network = compose.networks.entry(DEFAULT.to_string());
        network.or_default();
    }
    refuse_circles(compose, &uses, reader);
}

fn missing<'k>(
    what: &str,
    used: &Use,
    known: impl Iterator<Item = &'k String>,
    reader: &mut Reader<'_>,
) {
    let message = format!("there is no {what} `{}`", shortened(&used.name));
    let label = match nearest(&used.name, known.map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if what == "service" => String::new(),
        None => format!("name it in `{what}s` of the file"),
    };
    reader.wrong(&used.span, message, label);
}

fn dependency(
    name: &str,
    used: &Use,
    compose: &mut Compose,
    left_out: &BTreeSet<String>,
    reader: &mut Reader<'_>,
) {
    if compose.services.contains_key(&used.name) || used.name == MAIN {
        return;
    }
    let Some(service) = compose.services.get_mut(name) else {
        return;
    };
    let required = service
        .depends_on
        .get(&used.name)
        .is_some_and(|dependency| dependency.required);
    if !required {
        service.depends_on.remove(&used.name);
    } else if left_out.contains(&used.name) {
        let message = format!(
            "the service `{}` is not started, and another needs it",
            used.name
        );
        reader.wrong(&used.span, message, "it has `profiles`; take them away");
    } else {
        missing("service", used, compose.services.keys(), reader);
    }
}

/// `SERVICE` or `SERVICE:NAME`: the service is started before, and is found by
/// that name on the networks that both are in.
fn link(name: &str, used: &Use, compose: &mut Compose, reader: &mut Reader<'_>) {
    let (other, alias) = used.name.split_once(':').unwrap_or((&used.name, ""));
    if !compose.services.contains_key(other) {
        let used = Use {
            name: other.to_string(),
            span: used.span.clone(),
        };
        missing("service", &used, compose.services.keys(), reader);
        return;
    }
    let Some(service) = compose.services.get_mut(name) else {
        return;
    };
    let networks: Vec<String> = service.networks.keys().cloned().collect();
    service
        .depends_on
        .entry(other.to_string())
        .or_insert(Dependency {
            condition: Condition::Started,
            required: true,
        });
    let Some(other) = compose
        .services
        .get_mut(other)
        .filter(|_| !alias.is_empty())
    else {
        return;
    };
    for (network, aliases) in &mut other.networks {
        if networks.contains(network) && !aliases.iter().any(|known| known == alias) {
            aliases.push(alias.to_string());
        }
    }
}

/// No service may wait for itself, over others or not.
fn refuse_circles(compose: &Compose, uses: &BTreeMap<String, Uses>, reader: &mut Reader<'_>) {
    let ordered = compose.order();
    let waiting: Vec<&str> = compose
        .services
        .keys()
        .map(String::as_str)
        .filter(|name| !ordered.contains(name))
        .collect();
    let Some(circle) = circle(compose, &waiting) else {
        return;
    };
    let from = circle[0];
    let to = circle.get(1).unwrap_or(&from);
    let span = uses.get(from).and_then(|uses| {
        let mut named = uses.dependencies.iter().chain(&uses.links);
        let used = named.find(|used| used.name.split(':').next() == Some(to))?;
        Some(used.span.clone())
    });
    let way = circle.join("` → `");
    let message = format!("services wait for one another in a circle: `{way}` → `{from}`");
    reader.wrong(&span.unwrap_or(0..0), message, "");
}

/// A circle among services of which each waits for another of them.
fn circle<'c>(compose: &'c Compose, waiting: &[&'c str]) -> Option<Vec<&'c str>> {
    let mut way: Vec<&str> = Vec::new();
    let mut at = *waiting.first()?;
    while !way.contains(&at) {
        way.push(at);
        let needs = compose.services.get(at)?.depends_on.keys();
        at = needs
            .map(String::as_str)
            .find(|other| waiting.contains(other))?;
    }
    let start = way.iter().position(|name| *name == at)?;
    Some(way.split_off(start))
}
