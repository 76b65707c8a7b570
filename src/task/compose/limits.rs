//! What a service may take of the machine: `cpus`, `mem_limit`, `deploy` and the
//! like.

use super::reader::{Reader, shortened};
use super::{Service, Ulimit, scalar};
use crate::diagnose::yaml::{Entry, Node, Value};

const DEPLOY_KEYS: [&str; 9] = [
    "endpoint_mode",
    "labels",
    "mode",
    "placement",
    "replicas",
    "resources",
    "restart_policy",
    "rollback_config",
    "update_config",
];
const RESOURCE_KEYS: [&str; 2] = ["limits", "reservations"];
const LIMIT_KEYS: [&str; 3] = ["cpus", "memory", "pids"];

/// Limits that `setrlimit` knows.
const ULIMITS: [&str; 15] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "sigpending",
    "stack",
];

/// Settings of the kernel that a container has of its own.
const SYSCTLS: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shm_rmid_forced",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
];

pub fn limit(entry: &Entry, service: &mut Service, reader: &mut Reader<'_>) {
    let node = &entry.node;
    if node.is_null() {
        return;
    }
    match entry.key.as_str() {
        "cpus" => {
            let given = cpus(node, "cpus", reader);
            agree(&mut service.cpus, given, entry, reader);
        }
        "mem_limit" => {
            let given = size(node, "mem_limit", reader);
            agree(&mut service.memory_bytes, given, entry, reader);
        }
        "pids_limit" => {
            let given = pids(node, "pids_limit", reader);
            agree(&mut service.pids, given, entry, reader);
        }
        "shm_size" => service.shm_bytes = size(node, "shm_size", reader),
        "ulimits" => ulimits(node, service, reader),
        "sysctls" => sysctls(node, service, reader),
        "scale" => one(node, "scale", reader),
        _ => deploy(node, service, reader),
    }
}

/// Takes a limit; one that is told twice must be the same.
fn agree<T: PartialEq + Copy>(
    limit: &mut Option<T>,
    given: Option<T>,
    entry: &Entry,
    reader: &mut Reader<'_>,
) {
    if let (Some(before), Some(now)) = (*limit, given)
        && before != now
    {
        let label = "`deploy.resources.limits` says otherwise";
        let message = format!("`{}` is told twice, and not the same", entry.key);
        reader.wrong(&entry.node.span, message, label);
    }
    *limit = given.or(*limit);
}

/// Processors; 0 is no limit.
fn cpus(node: &Node, key: &str, reader: &mut Reader<'_>) -> Option<f64> {
    let parse = |word: &str| {
        let cpus = word.parse::<f64>().ok();
        cpus.filter(|cpus| (0.0..=10_000.0).contains(cpus))
    };
    let given = reader.parsed(node, key, "a number of processors, like 1.5", parse);
    given.filter(|cpus| *cpus > 0.0)
}

/// Bytes; 0 is no limit.
fn size(node: &Node, key: &str, reader: &mut Reader<'_>) -> Option<u64> {
    let given = reader.parsed(node, key, "a size, like 512m or 2g", scalar::size);
    given.filter(|bytes| *bytes > 0)
}

/// Processes; 0 and -1 are no limit.
fn pids(node: &Node, key: &str, reader: &mut Reader<'_>) -> Option<u64> {
    let parse = |word: &str| word.parse::<i64>().ok().filter(|pids| *pids >= -1);
    let given = reader.parsed(node, key, "a number of processes", parse);
    given
        .and_then(|pids| u64::try_from(pids).ok())
        .filter(|pids| *pids > 0)
}

/// `scale` and `replicas`: one container is what a service is here.
fn one(node: &Node, key: &str, reader: &mut Reader<'_>) {
    let one = |word: &str| (word == "1").then_some(());
    reader.parsed(node, key, "1: a service of a task is one container", one);
}

fn deploy(node: &Node, service: &mut Service, reader: &mut Reader<'_>) {
    for entry in reader.map(node, "deploy") {
        match entry.key.as_str() {
            "resources" => resources(&entry.node, service, reader),
            "replicas" => one(&entry.node, "replicas", reader),
            "mode" => {
                let known = |word: &str| ["replicated", "global"].contains(&word).then_some(());
                reader.parsed(&entry.node, "mode", "replicated", known);
            }
            key if DEPLOY_KEYS.contains(&key) || key.starts_with("x-") => {}
            _ => reader.unknown(entry, "deploy", &DEPLOY_KEYS),
        }
    }
}

fn resources(node: &Node, service: &mut Service, reader: &mut Reader<'_>) {
    for entry in reader.map(node, "resources") {
        match entry.key.as_str() {
            "limits" => {
                for entry in reader.map(&entry.node, "limits") {
                    resource(entry, service, reader);
                }
            }
            "reservations" => {
                for entry in reader.map(&entry.node, "reservations") {
                    match entry.key.as_str() {
                        "devices" | "generic_resources" => {
                            reader.refuse(entry, "a sandbox has no device of the host");
                        }
                        "cpus" | "memory" => {}
                        _ => reader.unknown(entry, "deploy.resources.reservations", &LIMIT_KEYS),
                    }
                }
            }
            _ => reader.unknown(entry, "deploy.resources", &RESOURCE_KEYS),
        }
    }
}

fn resource(entry: &Entry, service: &mut Service, reader: &mut Reader<'_>) {
    let (key, node) = (entry.key.as_str(), &entry.node);
    match key {
        _ if node.is_null() && LIMIT_KEYS.contains(&key) => {}
        "cpus" => {
            let given = cpus(node, key, reader);
            agree(&mut service.cpus, given, entry, reader);
        }
        "memory" => {
            let given = size(node, key, reader);
            agree(&mut service.memory_bytes, given, entry, reader);
        }
        "pids" => {
            let given = pids(node, key, reader);
            agree(&mut service.pids, given, entry, reader);
        }
        _ => reader.unknown(entry, "deploy.resources.limits", &LIMIT_KEYS),
    }
}

fn ulimits(node: &Node, service: &mut Service, reader: &mut Reader<'_>) {
    for entry in reader.map(node, "ulimits") {
        let (name, node) = (entry.key.as_str(), &entry.node);
        if !ULIMITS.contains(&name) {
            reader.unknown(entry, "ulimits", &ULIMITS);
            continue;
        }
        if let Some(limit) = ulimit(node, name, reader) {
            service.ulimits.insert(name.to_string(), limit);
        }
    }
}

fn ulimit(node: &Node, name: &str, reader: &mut Reader<'_>) -> Option<Ulimit> {
    let number = |word: &str| word.parse::<i64>().ok().filter(|number| *number >= -1);
    let form = "a whole number, or -1 for none";
    let Value::Map(entries) = &node.value else {
        let both = reader.parsed(node, name, form, number)?;
        return Some(Ulimit {
            soft: both,
            hard: both,
        });
    };
    let (mut soft, mut hard) = (None, None);
    for entry in entries {
        match entry.key.as_str() {
            "soft" => soft = reader.parsed(&entry.node, "soft", form, number),
            "hard" => hard = reader.parsed(&entry.node, "hard", form, number),
            _ => reader.unknown(entry, "ulimits", &["hard", "soft"]),
        }
    }
    let (soft, hard) = (soft.or(hard)?, hard.or(soft)?);
    Some(Ulimit { soft, hard })
}

fn sysctls(node: &Node, service: &mut Service, reader: &mut Reader<'_>) {
    for pair in reader.pairs(node, "sysctls") {
        let own = SYSCTLS.contains(&pair.name.as_str())
            || pair.name.starts_with("net.")
            || pair.name.starts_with("fs.mqueue.");
        if !own {
            let message = format!(
                "`sysctls: {}` is not allowed in a task",
                shortened(&pair.name)
            );
            let label = "it is a setting of the host, not of a container";
            reader.wrong(&pair.span, message, label);
        } else if let Some(value) = pair.value {
            service.sysctls.insert(pair.name, value);
        }
    }
}
