//! One service: which of its keys means what.

use std::ops::Range;

use super::reader::{Reader, shortened};
use super::{Service, build, environment, health, limits, mounts, networks, refused, words};
use super::{references, scalar};
use crate::diagnose::yaml::{Entry, Node, Value};

/// Keys that mean something.
pub const TAKEN: &[&str] = &[
    "build",
    "cap_add",
    "cap_drop",
    "cgroup",
    "command",
    "container_name",
    "cpus",
    "depends_on",
    "deploy",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extra_hosts",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "ipc",
    "links",
    "mem_limit",
    "network_mode",
    "networks",
    "pid",
    "pids_limit",
    "platform",
    "ports",
    "profiles",
    "scale",
    "security_opt",
    "shm_size",
    "stop_grace_period",
    "stop_signal",
    "sysctls",
    "tmpfs",
    "ulimits",
    "user",
    "volumes",
    "working_dir",
];

/// Docker's default set: what a container has where nobody says otherwise.
const CAPABILITIES: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// What a service names that other parts of the file must have.
#[derive(Default)]
pub struct Uses {
    pub dependencies: Vec<Use>,
    pub networks: Vec<Use>,
    pub volumes: Vec<Use>,
    /// A service and, behind a colon, the name that it is called by.
    pub links: Vec<Use>,
    /// A further name of the service on each of its networks.
    pub container_name: Option<String>,
}

/// A name and where it stands.
pub struct Use {
    pub name: String,
    pub span: Range<usize>,
}

/// The service that an entry of `services` describes.
pub fn service(entry: &Entry, reader: &mut Reader<'_>) -> (Service, Uses) {
    let place = format!("services.{}", entry.key);
    let mut service = Service::default();
    let mut uses = Uses::default();
    let entries = reader.map(&entry.node, &place);
    for entry in entries {
        key(entry, &place, &mut service, &mut uses, reader);
    }
    environment::fill_in(entries, &mut service, reader);
    networks::join(entries, &mut service, &mut uses, reader);
    (service, uses)
}

fn key(
    entry: &Entry,
    place: &str,
    service: &mut Service,
    uses: &mut Uses,
    reader: &mut Reader<'_>,
) {
    let (key, node) = (entry.key.as_str(), &entry.node);
    match key {
        "image" => service.image = reader.word(node, key),
        "build" => service.build = build::build(node, reader),
        "command" => service.command = arguments(entry, reader),
        "entrypoint" => service.entrypoint = arguments(entry, reader),
        "hostname" => service.hostname = reader.word(node, key),
        "working_dir" => service.working_dir = mounts::target(node, key, reader),
        "user" => service.user = reader.word(node, key),
        "init" => service.init = reader.truth(node, key).unwrap_or_default(),
        "stop_signal" => service.stop_signal = reader.word(node, key),
        "stop_grace_period" => service.stop_grace_period = health::duration(node, key, reader),
        "healthcheck" => service.healthcheck = health::healthcheck(node, reader),
        "depends_on" => references::depends_on(node, service, uses, reader),
        "links" => links(node, uses, reader),
        "volumes" => mounts::volumes(node, service, uses, reader),
        "tmpfs" => mounts::tmpfs(node, service, reader),
        "ports" => networks::ports(entry, service, reader),
        "expose" => networks::expose(node, service, reader),
        "extra_hosts" => networks::extra_hosts(node, service, reader),
        "cpus" | "mem_limit" | "pids_limit" | "shm_size" | "ulimits" | "sysctls" | "deploy"
        | "scale" => limits::limit(entry, service, reader),
        "cap_add" => cap_add(node, service, reader),
        "cap_drop" => {
            let names = reader.texts(node, key);
            service.cap_drop = names.iter().map(|name| capability(name)).collect();
        }
        "security_opt" => security(node, service, reader),
        "pid" | "ipc" | "cgroup" => own_namespace(entry, reader),
        "platform" => platform(node, reader),
        "container_name" => uses.container_name = container_name(node, reader),
        // Read where several keys are seen together.
        "environment" | "env_file" | "networks" | "network_mode" | "profiles" => {}
        _ if key.starts_with("x-") || refused::SILENT.contains(&key) => {}
        "restart" if refused::is_no(node) => {}
        _ => match (refused::reason(key), refused::without_effect(key)) {
            (Some(why), _) => reader.refuse(entry, why),
            (_, Some(why)) => reader.warn(&entry.key_span, format!("`{key}` has no effect: {why}")),
            _ => reader.unknown(entry, place, &known()),
        },
    }
}

fn known() -> Vec<&'static str> {
    let names = |list: &'static [(&str, &str)]| list.iter().map(|(name, _)| *name);
    let mut known: Vec<&str> = TAKEN.iter().chain(refused::SILENT).copied().collect();
    known.extend(names(refused::LEFT_OUT).chain(names(refused::REFUSED)));
    known
}

/// The words of a command, from a list or a line.
fn arguments(entry: &Entry, reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let (key, node) = (entry.key.as_str(), &entry.node);
    if node.is_null() {
        return None;
    }
    if let Value::List(items) = &node.value {
        let words: Vec<String> = items
            .iter()
            .filter_map(|item| reader.text(item, key))
            .collect();
        return Some(words);
    }
    let line = reader.text(node, key)?;
    let Some(split) = words::split(&line) else {
        let label = "a quote or a parenthesis is left open; a list of words needs no quotes";
        reader.wrong(
            &node.span,
            format!("`{key}` cannot be split into words"),
            label,
        );
        return None;
    };
    if let Some(dropped) = &split.dropped {
        let dropped = shortened(dropped);
        let message = format!(
            "`{dropped}` is not a part of `{key}`, as no shell reads it; write sh -c '…' around it"
        );
        reader.warn(&node.span, message);
    }
    Some(split.words)
}

fn links(node: &Node, uses: &mut Uses, reader: &mut Reader<'_>) {
    for item in reader.list(node, "links") {
        if let Some(name) = reader.word(item, "links") {
            let span = item.span.clone();
            uses.links.push(Use { name, span });
        }
    }
}

/// Without `CAP_`, in capitals.
fn capability(name: &str) -> String {
    let name = name.trim().to_ascii_uppercase();
    name.strip_prefix("CAP_").unwrap_or(&name).to_string()
}

fn cap_add(node: &Node, service: &mut Service, reader: &mut Reader<'_>) {
    for item in reader.list(node, "cap_add") {
        let Some(name) = reader.word(item, "cap_add") else {
            continue;
        };
        let capability = capability(&name);
        if CAPABILITIES.contains(&capability.as_str()) {
            service.cap_add.push(capability);
        } else {
            let message = format!("`cap_add: {name}` is not allowed in a task");
            let label = "it is not one of Docker's default set, and would open the sandbox";
            let note = format!("allowed: {}", CAPABILITIES.join(", "));
            reader.wrong_but(&item.span, message, label, note);
        }
    }
}

fn security(node: &Node, service: &mut Service, reader: &mut Reader<'_>) {
    for item in reader.list(node, "security_opt") {
        let Some(option) = reader.word(item, "security_opt") else {
            continue;
        };
        match option.replace('=', ":").as_str() {
            "no-new-privileges" | "no-new-privileges:true" => service.no_new_privileges = true,
            "no-new-privileges:false" => service.no_new_privileges = false,
            _ => {
                let message = format!("`security_opt: {option}` is not allowed in a task");
                let label = "only `no-new-privileges` is; others would open the sandbox";
                reader.wrong(&item.span, message, label);
            }
        }
    }
}

/// `pid`, `ipc` and `cgroup`: a container has its own.
fn own_namespace(entry: &Entry, reader: &mut Reader<'_>) {
    let key = entry.key.as_str();
    if entry.node.is_null() {
        return;
    }
    let Some(value) = reader.text(&entry.node, key) else {
        return;
    };
    let own = match key {
        "ipc" => ["", "private", "shareable", "none"].contains(&value.as_str()),
        "cgroup" => ["", "private"].contains(&value.as_str()),
        _ => value.is_empty(),
    };
    if !own {
        reader.wrong(
            &entry.node.span,
            format!("`{key}: {}` is not allowed in a task", shortened(&value)),
            "it would open the sandbox to the host, or to another container",
        );
    }
}

fn platform(node: &Node, reader: &mut Reader<'_>) {
    let taken = |word: &str| {
        let taken = [
            "linux/amd64",
            "linux/x86_64",
            "linux/amd64/v1",
            "linux/amd64/v2",
            "linux",
        ];
        taken.contains(&word).then_some(())
    };
    reader.parsed(node, "platform", "linux/amd64", taken);
}

/// Names are the trial's own, but a service is found by this one too.
fn container_name(node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.word(node, "container_name")?;
    scalar::is_name(&name).then_some(name)
}
