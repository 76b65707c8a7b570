//! Keys of a service that are known and change nothing here, and those that are
//! refused, with the reason that a user is told.
//!
//! The lists of the house's rule that nothing opens the sandbox. Must not know
//! what taken keys mean.

use crate::diagnose::yaml::{Node, Value};

/// Without effect on what a container is.
pub const SILENT: &[&str] = &[
    "annotations",
    "attach",
    "develop",
    "labels",
    "logging",
    "pull_policy",
    "stdin_open",
    "tty",
];

/// Left out with a warning.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("restart", "a service that ends stays ended"),
    ("cpu_shares", "use `cpus`"),
    ("mem_reservation", "use `mem_limit`"),
    ("memswap_limit", "a sandbox does not swap"),
    ("mem_swappiness", "a sandbox does not swap"),
    ("oom_score_adj", "limits are a service's own"),
];

const OPENS: &str = "it would open the sandbox to the host";
const DEVICE: &str = "a sandbox has no device of the host";
const NAMES: &str = "names are resolved by the project's own networks and `extra_hosts`";
const SPEED: &str = "use `cpus` and `mem_limit`";
const HOST_FILES: &str =
    "put the file beside the compose file and bind it, or copy it in the Dockerfile";
const UNSUPPORTED: &str = "it is not supported";

/// Refused, unless they ask for nothing (`false`, or empty).
pub const REFUSED: &[(&str, &str)] = &[
    ("privileged", OPENS),
    ("cgroup_parent", OPENS),
    ("credential_spec", OPENS),
    ("userns_mode", OPENS),
    ("uts", OPENS),
    ("runtime", OPENS),
    ("storage_opt", OPENS),
    ("oom_kill_disable", OPENS),
    ("devices", DEVICE),
    ("device_cgroup_rules", DEVICE),
    ("gpus", DEVICE),
    ("dns", NAMES),
    ("dns_opt", NAMES),
    ("dns_search", NAMES),
    (
        "external_links",
        "there is no container but the project's own",
    ),
    ("volumes_from", "name the volume in both services"),
    (
        "extends",
        "write the keys into the service; anchors and `<<` save words",
    ),
    ("secrets", HOST_FILES),
    ("configs", HOST_FILES),
    ("label_file", "labels have no effect; leave it out"),
    ("mac_address", "addresses are the engine's to give"),
    ("blkio_config", SPEED),
    ("cpu_count", SPEED),
    ("cpu_percent", SPEED),
    ("cpu_period", SPEED),
    ("cpu_quota", SPEED),
    ("cpu_rt_period", SPEED),
    ("cpu_rt_runtime", SPEED),
    ("cpuset", SPEED),
    ("domainname", "write it into `hostname`"),
    ("group_add", "write the group into `user`"),
    ("isolation", UNSUPPORTED),
    ("read_only", UNSUPPORTED),
    ("post_start", "start it from `command`"),
    ("pre_stop", "handle `stop_signal` in the container"),
];

/// Why a key is refused, if it is.
pub fn reason(key: &str) -> Option<&'static str> {
    REFUSED
        .iter()
        .find(|(refused, _)| *refused == key)
        .map(|(_, why)| *why)
}

/// Why a key has no effect, if it has none and that is told.
pub fn without_effect(key: &str) -> Option<&'static str> {
    LEFT_OUT
        .iter()
        .find(|(left_out, _)| *left_out == key)
        .map(|(_, why)| *why)
}

/// Whether a value is `no`, which asks for what happens anyway.
pub fn is_no(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar(scalar) if ["no", "false"].contains(&scalar.text.as_str()))
}
