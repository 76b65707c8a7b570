//! `healthcheck`: when a service is healthy.

use std::time::Duration;

use super::reader::Reader;
use super::{Healthcheck, scalar};
use crate::diagnose::yaml::{Node, Value};

const KEYS: [&str; 7] = [
    "disable",
    "interval",
    "retries",
    "start_interval",
    "start_period",
    "test",
    "timeout",
];

pub fn healthcheck(node: &Node, reader: &mut Reader<'_>) -> Option<Healthcheck> {
    if node.is_null() {
        return None;
    }
    let mut check = Healthcheck::default();
    let mut disabled = false;
    for entry in reader.map(node, "healthcheck") {
        let (key, node) = (entry.key.as_str(), &entry.node);
        match key {
            "test" => check.test = test(node, reader),
            "interval" => check.interval = duration(node, key, reader),
            "timeout" => check.timeout = duration(node, key, reader),
            "start_period" => check.start_period = duration(node, key, reader),
            "start_interval" => check.start_interval = duration(node, key, reader),
            "retries" => {
                let form = "a whole number";
                check.retries = reader.parsed(node, key, form, |word| word.parse().ok());
            }
            "disable" => disabled = reader.truth(node, key).unwrap_or_default(),
            _ if key.starts_with("x-") => {}
            _ => reader.unknown(entry, "healthcheck", &KEYS),
        }
    }
    if disabled {
        check.test = vec!["NONE".to_string()];
    }
    Some(check)
}

/// The test in the engine's form.
fn test(node: &Node, reader: &mut Reader<'_>) -> Vec<String> {
    if matches!(node.value, Value::Scalar(_)) {
        let line = reader.word(node, "test");
        return line.map_or_else(Vec::new, |line| vec!["CMD-SHELL".to_string(), line]);
    }
    let words: Vec<String> = reader
        .list(node, "test")
        .iter()
        .filter_map(|item| reader.text(item, "test"))
        .collect();
    let sound = match words.first().map(String::as_str) {
        // The image's own, or words whose faults are told already.
        None => true,
        Some("NONE") => words.len() == 1,
        Some("CMD") => words.len() > 1,
        Some("CMD-SHELL") => words.len() == 2,
        Some(_) => false,
    };
    if !sound {
        let label = "CMD and words, CMD-SHELL and one line, or NONE";
        reader.wrong(&node.span, "`test` is not in one of its forms", label);
    }
    words
}

/// A length of time with its unit.
pub fn duration(node: &Node, key: &str, reader: &mut Reader<'_>) -> Option<Duration> {
    reader.parsed(
        node,
        key,
        "a time with its unit, like 10s or 1m30s",
        scalar::duration,
    )
}
