//! Networks of a service and of the file, ports, and names of other hosts.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::reader::{Reader, shortened};
use super::service::{Use, Uses};
use super::{NetworkDef, Service, VolumeDef, scalar};
use crate::diagnose::yaml::{Entry, Node, Value};

/// The network of services that name none.
pub const DEFAULT: &str = "default";
/// Most entries of `ports` and of `expose`.
const MOST_PORTS: usize = 100;

const PORT_KEYS: [&str; 7] = [
    "app_protocol",
    "host_ip",
    "mode",
    "name",
    "protocol",
    "published",
    "target",
];

/// `networks` and `network_mode` together.
pub fn join(entries: &[Entry], service: &mut Service, uses: &mut Uses, reader: &mut Reader<'_>) {
    let find = |key: &str| {
        let entry = entries.iter().find(|entry| entry.key == key)?;
        (!entry.node.is_null()).then_some(entry)
    };
    let networks = find("networks");
    if let Some(entry) = networks {
        named(&entry.node, service, uses, reader);
    }
    if let Some(entry) = find("network_mode") {
        mode(entry, service, reader);
        if networks.is_some() {
            let message = "`network_mode` and `networks` stand together";
            reader.wrong(
                &entry.key_span,
                message,
                "one of them says where the service is",
            );
        }
    }
    if service.networks.is_empty() && !service.network_none {
        service.networks.insert(DEFAULT.to_string(), Vec::new());
    }
    if let Some(name) = &uses.container_name {
        for aliases in service.networks.values_mut() {
            if !aliases.contains(name) {
                aliases.push(name.clone());
            }
        }
    }
}

fn mode(entry: &Entry, service: &mut Service, reader: &mut Reader<'_>) {
    let Some(mode) = reader.word(&entry.node, "network_mode") else {
        return;
    };
    match mode.as_str() {
        "none" => service.network_none = true,
        "bridge" | "default" => {}
        _ => reader.wrong(
            &entry.node.span,
            format!(
                "`network_mode: {}` is not allowed in a task",
                shortened(&mode)
            ),
            "`none` is, or `networks`: any other opens the sandbox, or another container's",
        ),
    }
}

fn named(node: &Node, service: &mut Service, uses: &mut Uses, reader: &mut Reader<'_>) {
    let mut add = |name: String, span: &std::ops::Range<usize>, aliases: Vec<String>| {
        let span = span.clone();
        service.networks.insert(name.clone(), aliases);
        uses.networks.push(Use { name, span });
    };
    let Value::Map(entries) = &node.value else {
        for item in reader.list(node, "networks") {
            if let Some(name) = reader.word(item, "networks") {
                add(name, &item.span, Vec::new());
            }
        }
        return;
    };
    for entry in entries {
        let mut aliases = Vec::new();
        for entry in reader.map(&entry.node, "networks") {
            match entry.key.as_str() {
                "aliases" => aliases = reader.texts(&entry.node, "aliases"),
                "priority" | "gw_priority" => {}
                "ipv4_address" | "ipv6_address" | "link_local_ips" | "mac_address"
                | "driver_opts" | "interface_name" => {
                    reader.refuse(entry, "addresses are the engine's to give; use names");
                }
                _ => reader.unknown(entry, "networks", &["aliases", "priority"]),
            }
        }
        add(entry.key.clone(), &entry.key_span, aliases);
    }
}

/// Ports of the container; the host's side is left out.
pub fn ports(entry: &Entry, service: &mut Service, reader: &mut Reader<'_>) {
    let mut ports = BTreeSet::new();
    let mut has_host_side = false;
    let items = few(&entry.node, "ports", reader);
    for item in items {
        let Value::Map(entries) = &item.value else {
            let Some(text) = reader.word(item, "ports") else {
                continue;
            };
            let (host, port) = match text.rsplit_once(':') {
                Some((_, port)) => (true, port),
                None => (false, text.as_str()),
            };
            has_host_side |= host;
            put(port, item, &mut ports, reader);
            continue;
        };
        for entry in entries {
            match entry.key.as_str() {
                "target" => {
                    if let Some(port) = reader.word(&entry.node, "target") {
                        put(&port, &entry.node, &mut ports, reader);
                    }
                }
                "published" | "host_ip" => has_host_side = true,
                key if PORT_KEYS.contains(&key) || key.starts_with("x-") => {}
                _ => reader.unknown(entry, "ports", &PORT_KEYS),
            }
        }
    }
    if has_host_side {
        let message = "`ports` of the host are left out: each trial is a project of its own";
        reader.warn(&entry.key_span, message);
    }
    service.ports = ports.into_iter().collect();
}

pub fn expose(node: &Node, service: &mut Service, reader: &mut Reader<'_>) {
    let mut ports = BTreeSet::new();
    for item in few(node, "expose", reader) {
        if let Some(port) = reader.word(item, "expose") {
            put(&port, item, &mut ports, reader);
        }
    }
    service.expose = ports.into_iter().collect();
}

fn few<'n>(node: &'n Node, key: &str, reader: &mut Reader<'_>) -> &'n [Node] {
    let items = reader.list(node, key);
    if items.len() > MOST_PORTS {
        let message = format!("`{key}` has more than {MOST_PORTS} entries");
        reader.wrong(&node.span, message, "");
        return &[];
    }
    items
}

fn put(text: &str, node: &Node, ports: &mut BTreeSet<u16>, reader: &mut Reader<'_>) {
    match scalar::ports(text) {
        Some(range) => ports.extend(range),
        None => reader.wrong(
            &node.span,
            format!("`{}` is not a port", shortened(text)),
            "from 1 to 65535, or a range of up to 1000, maybe with /tcp or /udp",
        ),
    }
}

/// `NAME:ADDRESS`, `NAME=ADDRESS`, or a map of them.
pub fn extra_hosts(node: &Node, service: &mut Service, reader: &mut Reader<'_>) {
    let mut hosts = Vec::new();
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                for address in reader.texts(&entry.node, "extra_hosts") {
                    hosts.push((entry.key.clone(), address, entry.key_span.clone()));
                }
            }
        }
        _ => {
            for item in reader.list(node, "extra_hosts") {
                let Some(text) = reader.word(item, "extra_hosts") else {
                    continue;
                };
                let split = text.split_once('=').or_else(|| text.split_once(':'));
                let (name, address) = split.unwrap_or((&text, ""));
                hosts.push((name.to_string(), address.to_string(), item.span.clone()));
            }
        }
    }
    for (name, address, span) in hosts {
        let address = address.trim().trim_matches(['[', ']']).to_string();
        if address == "host-gateway" {
            let message = "`host-gateway` is not allowed in a task";
            reader.wrong(&span, message, "it would open the sandbox to the host");
        } else if !scalar::is_name(name.trim()) || address.parse::<IpAddr>().is_err() {
            let message = format!("`{}` is not a host with its address", shortened(&name));
            reader.wrong(&span, message, "NAME:ADDRESS, the address a number");
        } else {
            service
                .extra_hosts
                .push(format!("{}:{address}", name.trim()));
        }
    }
}

/// A network of the file.
pub fn network(entry: &Entry, reader: &mut Reader<'_>) -> NetworkDef {
    let mut network = NetworkDef::default();
    for entry in reader.map(&entry.node, "networks") {
        let (key, node) = (entry.key.as_str(), &entry.node);
        match key {
            "internal" => network.internal = reader.truth(node, key).unwrap_or_default(),
            "driver" if !node.is_null() => {
                let bridge = |word: &str| (word == "bridge").then_some(());
                reader.parsed(
                    node,
                    key,
                    "`bridge`: others reach the host's network",
                    bridge,
                );
            }
            "external" => reader.refuse(entry, "a project has its own networks and no other"),
            "driver_opts" => reader.refuse(entry, "they could reach the host"),
            "ipam" => reader.refuse(entry, "addresses are the engine's to give; use names"),
            "enable_ipv6" => reader.refuse(entry, "it is not supported"),
            "driver" | "name" | "labels" | "attachable" | "enable_ipv4" => {}
            _ if key.starts_with("x-") => {}
            _ => {
                let known = ["driver", "internal", "name", "labels", "attachable"];
                reader.unknown(entry, "networks", &known);
            }
        }
    }
    network
}

/// A named volume of the file.
pub fn volume(entry: &Entry, reader: &mut Reader<'_>) -> VolumeDef {
    for entry in reader.map(&entry.node, "volumes") {
        let (key, node) = (entry.key.as_str(), &entry.node);
        match key {
            "driver" if !node.is_null() => {
                let local = |word: &str| (word == "local").then_some(());
                reader.parsed(node, key, "`local`: others reach beyond this trial", local);
            }
            "external" => reader.refuse(entry, "a project has its own volumes and no other"),
            "driver_opts" => reader.refuse(entry, "they could mount what is the host's"),
            "driver" | "name" | "labels" => {}
            _ if key.starts_with("x-") => {}
            _ => reader.unknown(entry, "volumes", &["driver", "name", "labels"]),
        }
    }
    VolumeDef::default()
}
