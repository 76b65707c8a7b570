//! `volumes` and `tmpfs`: what is mounted into a service.

use super::reader::{Reader, shortened};
use super::service::{Use, Uses};
use super::{LOGS_MARKER, Mount, MountKind, Service, scalar};
use crate::diagnose::yaml::{Entry, Node, Value};

const KEYS: [&str; 8] = [
    "bind",
    "consistency",
    "read_only",
    "source",
    "target",
    "tmpfs",
    "type",
    "volume",
];

/// Options of a short form that change nothing here.
const WITHOUT_EFFECT: [&str; 8] = [
    "rw",
    "z",
    "Z",
    "cached",
    "delegated",
    "consistent",
    "private",
    "rprivate",
];

/// Sockets by which a container would command an engine.
const SOCKETS: [&str; 4] = ["docker.sock", "podman.sock", "containerd.sock", "crio.sock"];

pub fn volumes(node: &Node, service: &mut Service, uses: &mut Uses, reader: &mut Reader<'_>) {
    for item in reader.list(node, "volumes") {
        match &item.value {
            Value::Map(entries) => long(item, entries, service, uses, reader),
            _ => short(item, service, uses, reader),
        };
    }
}

/// `SOURCE:TARGET:OPTIONS`, `SOURCE:TARGET`, `TARGET`.
fn short(
    node: &Node,
    service: &mut Service,
    uses: &mut Uses,
    reader: &mut Reader<'_>,
) -> Option<()> {
    let text = reader.word(node, "volumes")?;
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 || parts.iter().any(|part| part.trim().is_empty()) {
        let message = format!("`{}` is not a volume", shortened(&text));
        reader.wrong(
            &node.span,
            message,
            "SOURCE:TARGET, SOURCE:TARGET:ro, or TARGET",
        );
        return None;
    }
    let (source, target) = match parts.as_slice() {
        [target] => (None, *target),
        [source, target, ..] => (Some(*source), *target),
        [] => return None,
    };
    if source.is_some_and(|source| source.starts_with(LOGS_MARKER)) {
        return None;
    }
    let mut mount = Mount {
        kind: MountKind::Anonymous,
        target: path(target, node, "volumes", reader)?,
        read_only: false,
        no_copy: false,
    };
    for option in parts.get(2).iter().flat_map(|options| options.split(',')) {
        match option {
            "ro" => mount.read_only = true,
            "nocopy" => mount.no_copy = true,
            _ if WITHOUT_EFFECT.contains(&option) => {}
            _ => {
                let message = format!("`{}` is no option of a volume here", shortened(option));
                reader.wrong(&node.span, message, "`ro` is, and `rw`");
            }
        }
    }
    if let Some(source) = source {
        mount.kind = match source.starts_with(['.', '/', '~']) {
            true => bind(source, node, true, reader)?,
            false => named(source, node, uses, reader)?,
        };
    }
    service.volumes.push(mount);
    Some(())
}

/// What a long form says.
#[derive(Default)]
struct Long {
    kind: Option<String>,
    source: Option<String>,
    target: Option<String>,
    read_only: bool,
    no_copy: bool,
    /// Options of a tmpfs.
    options: Vec<String>,
    /// Whether a bind may be of what is not there.
    create: bool,
}

fn long(
    node: &Node,
    entries: &[Entry],
    service: &mut Service,
    uses: &mut Uses,
    reader: &mut Reader<'_>,
) -> Option<()> {
    let mut long = Long {
        create: true,
        ..Long::default()
    };
    for entry in entries {
        long_key(entry, &mut long, reader);
    }
    let logs = long.source.as_deref();
    if logs.is_some_and(|source| source.starts_with(LOGS_MARKER)) {
        return None;
    }
    let Some(target) = &long.target else {
        reader.wrong(
            &node.span,
            "a volume needs a `target`",
            "where it is mounted",
        );
        return None;
    };
    let target = path(target, node, "target", reader)?;
    let kind = match (long.kind.as_deref(), &long.source) {
        (Some("tmpfs"), _) => {
            let options = match long.options.is_empty() {
                true => String::new(),
                false => format!(":{}", long.options.join(",")),
            };
            service.tmpfs.push(target + &options);
            return None;
        }
        (Some("bind"), Some(source)) => bind(source, node, long.create, reader)?,
        (Some("volume"), Some(source)) => named(source, node, uses, reader)?,
        (Some("volume"), None) => MountKind::Anonymous,
        (Some("bind"), None) => {
            reader.wrong(
                &node.span,
                "a bind needs a `source`",
                "a path beside the compose file",
            );
            return None;
        }
        (Some(other), _) => {
            let message = format!("a volume of type `{}` is not supported", shortened(other));
            reader.wrong(&node.span, message, "`volume`, `bind` and `tmpfs` are");
            return None;
        }
        (None, _) => {
            reader.wrong(
                &node.span,
                "a volume needs a `type`",
                "`volume`, `bind` or `tmpfs`",
            );
            return None;
        }
    };
    service.volumes.push(Mount {
        kind,
        target,
        read_only: long.read_only,
        no_copy: long.no_copy,
    });
    Some(())
}

fn long_key(entry: &Entry, long: &mut Long, reader: &mut Reader<'_>) {
    let (key, node) = (entry.key.as_str(), &entry.node);
    match key {
        "type" => long.kind = reader.word(node, key),
        "source" => long.source = reader.word(node, key),
        "target" => long.target = reader.word(node, key),
        "read_only" => long.read_only = reader.truth(node, key).unwrap_or_default(),
        "consistency" => {}
        "bind" => {
            for entry in reader.map(node, key) {
                match entry.key.as_str() {
                    "create_host_path" => {
                        long.create = reader
                            .truth(&entry.node, "create_host_path")
                            .unwrap_or(true);
                    }
                    "selinux" => {}
                    "propagation" | "recursive" => {
                        reader.refuse(entry, "nothing of the host is mounted, so it says nothing");
                    }
                    _ => reader.unknown(entry, "volumes.bind", &["create_host_path", "selinux"]),
                }
            }
        }
        "volume" => {
            for entry in reader.map(node, key) {
                match entry.key.as_str() {
                    "nocopy" => {
                        long.no_copy = reader.truth(&entry.node, "nocopy").unwrap_or_default();
                    }
                    "subpath" => reader.refuse(entry, "it is not supported"),
                    _ => reader.unknown(entry, "volumes.volume", &["nocopy"]),
                }
            }
        }
        "tmpfs" => {
            for entry in reader.map(node, key) {
                tmpfs_option(entry, long, reader);
            }
        }
        _ if key.starts_with("x-") => {}
        _ => reader.unknown(entry, "volumes", &KEYS),
    }
}

fn tmpfs_option(entry: &Entry, long: &mut Long, reader: &mut Reader<'_>) {
    match entry.key.as_str() {
        "size" => {
            let size = reader.parsed(&entry.node, "size", "a size, like 64m", scalar::size);
            long.options.extend(size.map(|size| format!("size={size}")));
        }
        "mode" => {
            // Written as a number in octal, YAML gives it in decimal.
            let parse = |word: &str| word.parse::<u32>().ok().filter(|mode| *mode <= 0o7777);
            let mode = reader.parsed(&entry.node, "mode", "a mode, like 01777", parse);
            long.options
                .extend(mode.map(|mode| format!("mode={mode:o}")));
        }
        _ => reader.unknown(entry, "volumes.tmpfs", &["mode", "size"]),
    }
}

/// A bind of a path inside the folder; `create` where it may be missing.
fn bind(source: &str, node: &Node, create: bool, reader: &mut Reader<'_>) -> Option<MountKind> {
    let is_socket = |socket: &str| source.trim_end_matches('/').ends_with(socket);
    if SOCKETS.iter().any(|socket| is_socket(socket)) {
        let message = format!(
            "`{}` is the engine's socket, and is never given to a task",
            shortened(source)
        );
        let label = "who has it commands the host";
        reader.wrong(&node.span, message, label);
        return None;
    }
    let folder = reader.folder;
    let path = reader.inside(folder, source, &node.span)?;
    if !path.exists() {
        let name = shortened(source);
        if !create {
            reader.wrong(&node.span, format!("there is no `{name}`"), "");
            return None;
        }
        reader.warn(
            &node.span,
            format!("there is no `{name}`: an empty folder is mounted"),
        );
    } else if !path.is_dir() && !path.is_file() {
        let message = format!("`{}` is neither a file nor a folder", shortened(source));
        reader.wrong(&node.span, message, "");
        return None;
    }
    Some(MountKind::Inside(path))
}

fn named(source: &str, node: &Node, uses: &mut Uses, reader: &mut Reader<'_>) -> Option<MountKind> {
    if !scalar::is_name(source) {
        let message = format!("`{}` is not the name of a volume", shortened(source));
        reader.wrong(&node.span, message, "a path begins with `./`");
        return None;
    }
    uses.volumes.push(Use {
        name: source.to_string(),
        span: node.span.clone(),
    });
    Some(MountKind::Named(source.to_string()))
}

/// `PATH`, or `PATH:OPTIONS`, one or several.
pub fn tmpfs(node: &Node, service: &mut Service, reader: &mut Reader<'_>) {
    for text in reader.texts(node, "tmpfs") {
        let (target, options) = text.split_once(':').unwrap_or((&text, ""));
        let Some(target) = path(target, node, "tmpfs", reader) else {
            continue;
        };
        let plain = |sign: char| sign.is_ascii_alphanumeric() || "=,%_".contains(sign);
        if !options.chars().all(plain) {
            let message = format!("`{}` are no options of a tmpfs", shortened(options));
            reader.wrong(&node.span, message, "like size=64m,mode=1777");
            continue;
        }
        service.tmpfs.push(match options.is_empty() {
            true => target,
            false => format!("{target}:{options}"),
        });
    }
}

/// An absolute path of the container, in its shortest form.
pub fn target(node: &Node, key: &str, reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.word(node, key)?;
    path(&text, node, key, reader)
}

fn path(text: &str, node: &Node, key: &str, reader: &mut Reader<'_>) -> Option<String> {
    let plain = text.starts_with('/')
        && !text.chars().any(char::is_control)
        && !text.split('/').any(|part| part == "..");
    if !plain {
        let message = format!(
            "`{}` in `{key}` is not a path of a container",
            shortened(text)
        );
        reader.wrong(&node.span, message, "an absolute path without `..`");
        return None;
    }
    let parts = text.split('/').filter(|part| !["", "."].contains(part));
    let parts: Vec<&str> = parts.collect();
    Some(format!("/{}", parts.join("/")))
}
