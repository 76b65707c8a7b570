//! What would open the sandbox, and what nobody knows.

use insta::assert_snapshot;

use super::*;
use crate::task::compose::refused::{LEFT_OUT, REFUSED, SILENT};
use crate::task::compose::service::TAKEN;

#[test]
fn a_refusal_shows_the_key_where_it_stands() {
    assert_snapshot!(Folder::new(&file_with("privileged: true")).error(), @r#"
    error: `privileged` is not allowed in a task
      ┌─ docker-compose.yaml:4:5
      │
    4 │     privileged: true
      │     ^^^^^^^^^^ it would open the sandbox to the host
    "#);
}

#[test]
fn every_key_on_the_list_is_refused_by_its_name() {
    for (key, why) in REFUSED {
        let told = wrong(&format!("{key}: [x]"));
        assert_eq!(
            told,
            format!("docker-compose.yaml:4:5: `{key}` is not allowed in a task; {why}")
        );
    }
}

#[test]
fn no_known_key_is_told_to_be_unknown() {
    let names = |list: &'static [(&str, &str)]| list.iter().map(|(name, _)| *name);
    let known = TAKEN
        .iter()
        .chain(SILENT)
        .copied()
        .chain(names(LEFT_OUT))
        .chain(names(REFUSED));
    for key in known {
        let folder = Folder::new(
            &file_with(&format!("{key}: {{ what: 1 }}")).replace("image: x\n    image", "image"),
        );
        let told = match folder.read() {
            Ok(_) => String::new(),
            Err(problems) => lines_of(&problems, &folder.path()),
        };
        assert!(!told.contains(&format!("unknown key `{key}`")), "{told}");
    }
}

#[test]
fn an_unknown_key_names_the_nearest() {
    let folder = Folder::new(
        "servcies: {}
services:
  a:
    image: x
    enviroment: []
    frobnicate: 1
    depends_on: { b: { conditoin: x } }
  b: { image: x, deploy: { resorces: {} }, networks: { default: { alias: [x] } } }
networks: { default: { intern: true } }
volumes: { v: { drive: local } }
",
    );
    assert_snapshot!(folder.error(), @r#"
    error: unknown key `servcies`
      ┌─ docker-compose.yaml:1:1
      │
    1 │ servcies: {}
      │ ^^^^^^^^ did you mean `services`?
    error: unknown key `enviroment` in `services.a`
      ┌─ docker-compose.yaml:5:5
      │
    5 │     enviroment: []
      │     ^^^^^^^^^^ did you mean `environment`?
    error: unknown key `frobnicate` in `services.a`
      ┌─ docker-compose.yaml:6:5
      │
    6 │     frobnicate: 1
      │     ^^^^^^^^^^
    error: unknown key `conditoin` in `depends_on`
      ┌─ docker-compose.yaml:7:24
      │
    7 │     depends_on: { b: { conditoin: x } }
      │                        ^^^^^^^^^ did you mean `condition`?
    error: unknown key `resorces` in `deploy`
      ┌─ docker-compose.yaml:8:28
      │
    8 │   b: { image: x, deploy: { resorces: {} }, networks: { default: { alias: [x] } } }
      │                            ^^^^^^^^ did you mean `resources`?
    error: unknown key `alias` in `networks`
      ┌─ docker-compose.yaml:8:67
      │
    8 │   b: { image: x, deploy: { resorces: {} }, networks: { default: { alias: [x] } } }
      │                                                                   ^^^^^
      │
      = known here: aliases, priority
    error: unknown key `intern` in `networks`
      ┌─ docker-compose.yaml:9:24
      │
    9 │ networks: { default: { intern: true } }
      │                        ^^^^^^ did you mean `internal`?
    error: unknown key `drive` in `volumes`
       ┌─ docker-compose.yaml:10:17
       │
    10 │ volumes: { v: { drive: local } }
       │                 ^^^^^ did you mean `driver`?
    "#);
}

#[test]
fn the_namespaces_of_the_host_stay_closed() {
    assert_snapshot!(wrong("pid: host\nipc: host\ncgroup: host\nnetwork_mode: host"), @r#"
    docker-compose.yaml:4:10: `pid: host` is not allowed in a task; it would open the sandbox to the host, or to another container
    docker-compose.yaml:5:10: `ipc: host` is not allowed in a task; it would open the sandbox to the host, or to another container
    docker-compose.yaml:6:13: `cgroup: host` is not allowed in a task; it would open the sandbox to the host, or to another container
    docker-compose.yaml:7:19: `network_mode: host` is not allowed in a task; `none` is, or `networks`: any other opens the sandbox, or another container's
    "#);
    assert_snapshot!(wrong("pid: service:b\nipc: 'container:x'\nnetwork_mode: service:b"), @r#"
    docker-compose.yaml:4:10: `pid: service:b` is not allowed in a task; it would open the sandbox to the host, or to another container
    docker-compose.yaml:5:10: `ipc: container:x` is not allowed in a task; it would open the sandbox to the host, or to another container
    docker-compose.yaml:6:19: `network_mode: service:b` is not allowed in a task; `none` is, or `networks`: any other opens the sandbox, or another container's
    "#);
    assert_snapshot!(wrong("network_mode: none\nnetworks: [default]"), @"docker-compose.yaml:4:5: `network_mode` and `networks` stand together; one of them says where the service is");
    assert_snapshot!(wrong("extra_hosts: ['host.docker.internal:host-gateway', nothing]"), @r#"
    docker-compose.yaml:4:19: `host-gateway` is not allowed in a task; it would open the sandbox to the host
    docker-compose.yaml:4:56: `nothing` is not a host with its address; NAME:ADDRESS, the address a number
    "#);
}

#[test]
fn rights_beyond_dockers_own_stay_closed() {
    assert_snapshot!(wrong("cap_add: [NET_ADMIN, ALL, CAP_SYS_PTRACE, CHOWN]"), @r#"
    docker-compose.yaml:4:15: `cap_add: NET_ADMIN` is not allowed in a task; it is not one of Docker's default set, and would open the sandbox
    docker-compose.yaml:4:26: `cap_add: ALL` is not allowed in a task; it is not one of Docker's default set, and would open the sandbox
    docker-compose.yaml:4:31: `cap_add: CAP_SYS_PTRACE` is not allowed in a task; it is not one of Docker's default set, and would open the sandbox
    "#);
    assert_snapshot!(wrong("security_opt: ['seccomp:unconfined', apparmor=unconfined, 'label:disable', no-new-privileges]"), @r#"
    docker-compose.yaml:4:20: `security_opt: seccomp:unconfined` is not allowed in a task; only `no-new-privileges` is; others would open the sandbox
    docker-compose.yaml:4:42: `security_opt: apparmor=unconfined` is not allowed in a task; only `no-new-privileges` is; others would open the sandbox
    docker-compose.yaml:4:63: `security_opt: label:disable` is not allowed in a task; only `no-new-privileges` is; others would open the sandbox
    "#);
    assert_snapshot!(wrong("deploy: { resources: { reservations: { devices: [{ driver: nvidia }] } } }"), @"docker-compose.yaml:4:44: `devices` is not allowed in a task; a sandbox has no device of the host");
    assert_snapshot!(wrong("platform: linux/arm64"), @"docker-compose.yaml:4:15: `platform` cannot be `linux/arm64`; it must be linux/amd64");
}

#[test]
fn nothing_outside_the_project_is_used() {
    let folder = Folder::new(
        "include: [other.yaml]
secrets: { s: { file: ./s } }
configs: {}
services:
  a: { image: x, networks: { n: { ipv4_address: 10.0.0.2 } } }
networks:
  n: { external: true }
  m: { driver: host, driver_opts: { a: b } }
  o: { ipam: { config: [{ subnet: 10.0.0.0/24 }] } }
volumes:
  v: { external: true }
  w: { driver: nfs, driver_opts: { device: / } }
",
    );
    assert_snapshot!(lines_of(&folder.read().unwrap_err(), &folder.path()), @r#"
    docker-compose.yaml:1:1: `include` is not allowed in a task; a task has one compose file; write all into it
    docker-compose.yaml:2:1: `secrets` is not allowed in a task; put the file beside the compose file and bind it
    docker-compose.yaml:5:35: `ipv4_address` is not allowed in a task; addresses are the engine's to give; use names
    docker-compose.yaml:7:8: `external` is not allowed in a task; a project has its own networks and no other
    docker-compose.yaml:8:16: `driver` cannot be `host`; it must be `bridge`: others reach the host's network
    docker-compose.yaml:8:22: `driver_opts` is not allowed in a task; they could reach the host
    docker-compose.yaml:9:8: `ipam` is not allowed in a task; addresses are the engine's to give; use names
    docker-compose.yaml:11:8: `external` is not allowed in a task; a project has its own volumes and no other
    docker-compose.yaml:12:16: `driver` cannot be `nfs`; it must be `local`: others reach beyond this trial
    docker-compose.yaml:12:21: `driver_opts` is not allowed in a task; they could mount what is the host's
    "#);
}

#[test]
fn names_are_plain_and_not_too_many() {
    let many: String = (0..51)
        .map(|number| format!("  s{number}: {{ image: x }}\n"))
        .collect();
    let folder = Folder::new(&format!("services:\n{many}"));
    assert_snapshot!(lines_of(&folder.read().unwrap_err(), &folder.path()), @"docker-compose.yaml:1:1: `services` has more than 50 entries");
    let folder = Folder::new("services:\n  'a b': { image: x }\n  -c: { image: x }\n");
    assert_snapshot!(lines_of(&folder.read().unwrap_err(), &folder.path()), @r#"
    docker-compose.yaml:2:3: a name in `services` is letters, digits, `.`, `_` and `-`
    docker-compose.yaml:3:3: a name in `services` is letters, digits, `.`, `_` and `-`
    "#);
}

#[test]
fn a_value_of_a_wrong_kind_is_told() {
    assert_snapshot!(wrong("ports: 80\nenvironment: x\ninit: maybe\nhostname: [a]\nuser:\nhealthcheck: []\nnetworks: x\nworking_dir: srv"), @r#"
    docker-compose.yaml:4:12: `ports` must be a list; `- item` lines
    docker-compose.yaml:5:18: `environment` must be a map; `key: value` lines
    docker-compose.yaml:6:11: `init` cannot be `maybe`; it must be true or false
    docker-compose.yaml:7:15: `hostname` must be a text
    docker-compose.yaml:8:9: `user` says nothing
    docker-compose.yaml:9:18: `healthcheck` must be a map; `key: value` lines
    docker-compose.yaml:10:15: `networks` must be a list; `- item` lines
    docker-compose.yaml:11:18: `srv` in `working_dir` is not a path of a container; an absolute path without `..`
    "#);
}
