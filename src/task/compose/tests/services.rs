//! What the keys of a service mean.

use std::time::Duration;

use insta::assert_snapshot;

use super::*;

#[test]
fn a_command_is_a_list_or_a_line() {
    let lists = service("command: [sh, -c, 'a && b', 5]\nentrypoint: []");
    assert_eq!(lists.command.unwrap(), ["sh", "-c", "a && b", "5"]);
    assert_eq!(lists.entrypoint.unwrap(), [""; 0]);
    let lines = service("command: sh -c \"a && b\"\nentrypoint: /x 'y z'");
    assert_eq!(lines.command.unwrap(), ["sh", "-c", "a && b"]);
    assert_eq!(lines.entrypoint.unwrap(), ["/x", "y z"]);
    let none = service("command:\nentrypoint: ~");
    assert_eq!((none.command, none.entrypoint), (None, None));
}

#[test]
fn a_line_that_only_a_shell_would_read_is_warned_of() {
    assert_snapshot!(warnings("command: run a && run b").join("\n"), @"4:14: `&& run b` is not a part of `command`, as no shell reads it; write sh -c '…' around it");
    assert_snapshot!(wrong("command: run 'a"), @"docker-compose.yaml:4:14: `command` cannot be split into words; a quote or a parenthesis is left open; a list of words needs no quotes");
}

#[test]
fn the_environment_is_a_map_or_a_list() {
    let map = service("environment: { A: x=y, B: 1, NOBODY: }");
    let list = service("environment: [A=x=y, B=1, NOBODY]");
    assert_eq!(map.environment, list.environment);
    assert_eq!(map.environment["A"], "x=y");
    assert!(!map.environment.contains_key("NOBODY"));
    assert_snapshot!(wrong("environment:\n  - A: b"), @"docker-compose.yaml:5:9: an item of `environment` must be NAME=VALUE; with `:` it is a map; write no `-` then");
    assert_snapshot!(wrong("environment: ['=b']"), @"docker-compose.yaml:4:19: `` cannot be a variable");
}

#[test]
fn a_health_check_has_all_its_times() {
    let check = service(
        "healthcheck:
  test: curl -f http://localhost || exit 1
  interval: 1m30s
  timeout: 500ms
  start_period: 1.5s
  start_interval: 0
  retries: 5",
    )
    .healthcheck
    .unwrap();
    assert_eq!(
        check.test,
        ["CMD-SHELL", "curl -f http://localhost || exit 1"]
    );
    assert_eq!(check.interval, Some(Duration::from_secs(90)));
    assert_eq!(check.timeout, Some(Duration::from_millis(500)));
    assert_eq!(check.start_period, Some(Duration::from_millis(1500)));
    assert_eq!(check.start_interval, Some(Duration::ZERO));
    assert_eq!(check.retries, Some(5));
    let words = |lines: &str| service(lines).healthcheck.unwrap().test;
    assert_eq!(
        words("healthcheck: { test: [CMD, pg_isready, -U, x] }"),
        ["CMD", "pg_isready", "-U", "x"]
    );
    assert_eq!(
        words("healthcheck: { disable: true, test: [CMD, x] }"),
        ["NONE"]
    );
    assert_eq!(words("healthcheck: { interval: 5s }"), [""; 0]);
}

#[test]
fn a_health_check_of_another_form_is_told() {
    assert_snapshot!(wrong("healthcheck: { test: [curl, x], interval: 10, retries: -1, intervall: 5s }"), @r#"
    docker-compose.yaml:4:26: `test` is not in one of its forms; CMD and words, CMD-SHELL and one line, or NONE
    docker-compose.yaml:4:47: `interval` cannot be `10`; it must be a time with its unit, like 10s or 1m30s
    docker-compose.yaml:4:60: `retries` cannot be `-1`; it must be a whole number
    docker-compose.yaml:4:64: unknown key `intervall` in `healthcheck`; did you mean `interval`?
    "#);
}

#[test]
fn dependencies_have_conditions_and_give_an_order() {
    let compose = Folder::new(
        "services:
  a: { image: x, depends_on: { b: { condition: service_healthy, restart: true }, c: { condition: service_completed_successfully, required: false } } }
  b: { image: x, depends_on: [d] }
  c: { image: x }
  d: { image: x, depends_on: [main] }
",
    )
    .compose();
    let a = &compose.services["a"].depends_on;
    assert_eq!(
        (a["b"].condition, a["b"].required),
        (Condition::Healthy, true)
    );
    assert_eq!(
        (a["c"].condition, a["c"].required),
        (Condition::Completed, false)
    );
    assert_eq!(
        compose.services["b"].depends_on["d"].condition,
        Condition::Started
    );
    assert_eq!(compose.order(), ["c", "d", "b", "a"]);
}

#[test]
fn a_circle_of_dependencies_is_told() {
    let folder = Folder::new(
        "services:
  a: { image: x, depends_on: [b] }
  b: { image: x, depends_on: [c] }
  c: { image: x, depends_on: [b] }
",
    );
    assert_snapshot!(lines_of(&folder.read().unwrap_err(), &folder.path()), @"docker-compose.yaml:3:31: services wait for one another in a circle: `b` → `c` → `b`");
    assert_snapshot!(wrong("depends_on: [a]"), @"docker-compose.yaml:4:18: services wait for one another in a circle: `a` → `a`");
}

#[test]
fn what_is_named_must_be_there() {
    let folder = Folder::new(
        "services:
  api: { image: x, depends_on: [dbb], networks: [bakc], volumes: ['dat:/data'], links: [nobody] }
  db: { image: x, depends_on: { nobody: { required: false } } }
networks: { back: }
volumes: { data: }
",
    );
    assert_snapshot!(lines_of(&folder.read().unwrap_err(), &folder.path()), @r#"
    docker-compose.yaml:2:33: there is no service `dbb`; did you mean `db`?
    docker-compose.yaml:2:50: there is no network `bakc`; did you mean `back`?
    docker-compose.yaml:2:67: there is no volume `dat`; did you mean `data`?
    docker-compose.yaml:2:89: there is no service `nobody`
    "#);
}

#[test]
fn a_service_with_profiles_is_left_out() {
    let compose = Folder::new(
        "services:
  a: { image: x, depends_on: { b: { condition: service_started, required: false } } }
  b: { image: x, profiles: [debug], privileged: true }
",
    )
    .compose();
    assert_eq!(compose.order(), ["a"]);
    assert!(compose.services["a"].depends_on.is_empty());
    assert!(compose.warnings[0].ends_with("the service `b` is left out: it has `profiles`"));
    let folder = Folder::new(
        "services:\n  a: { image: x, depends_on: [b] }\n  b: { image: x, profiles: [p] }\n",
    );
    assert_snapshot!(lines_of(&folder.read().unwrap_err(), &folder.path()), @"docker-compose.yaml:2:31: the service `b` is not started, and another needs it; it has `profiles`; take them away");
}

#[test]
fn ports_lose_the_hosts_side() {
    let ports = service(
        "ports: [80, '8080:81', '127.0.0.1:90:82/udp', '3000-3002', '[::1]:1:83', { target: 84, published: 1 }]",
    );
    assert_eq!(ports.ports, [80, 81, 82, 83, 84, 3000, 3001, 3002]);
    assert_eq!(
        service("expose: [80, '81/tcp', '90-91']").expose,
        [80, 81, 90, 91]
    );
    assert_snapshot!(warnings("ports: ['8080:80', '81:81']").join("\n"), @"4:5: `ports` of the host are left out: each trial is a project of its own");
    assert!(warnings("ports: ['80']").is_empty());
    assert_snapshot!(wrong("ports: [0, x, '1-65535', '80/icmp', { traget: 1 }]"), @r#"
    docker-compose.yaml:4:13: `0` is not a port; from 1 to 65535, or a range of up to 1000, maybe with /tcp or /udp
    docker-compose.yaml:4:16: `x` is not a port; from 1 to 65535, or a range of up to 1000, maybe with /tcp or /udp
    docker-compose.yaml:4:19: `1-65535` is not a port; from 1 to 65535, or a range of up to 1000, maybe with /tcp or /udp
    docker-compose.yaml:4:30: `80/icmp` is not a port; from 1 to 65535, or a range of up to 1000, maybe with /tcp or /udp
    docker-compose.yaml:4:43: unknown key `traget` in `ports`; did you mean `target`?
    "#);
}

#[test]
fn networks_have_names_by_which_a_service_is_found() {
    let folder = Folder::new(
        "services:
  a: { image: x, networks: { back: { aliases: [db] }, front: }, container_name: fixed }
  b: { image: x, networks: [back], links: ['a:other', c] }
  c: { image: x }
  d: { image: x, network_mode: none }
  e: { image: x, network_mode: bridge }
networks:
  back: { internal: true, driver: bridge, name: fixed }
  front: {}
",
    );
    let compose = folder.compose();
    let networks = |name: &str| compose.services[name].networks.clone();
    assert_eq!(networks("a")["back"], ["db", "fixed", "other"]);
    assert_eq!(networks("a")["front"], ["fixed"]);
    assert_eq!(networks("b").len(), 1);
    assert_eq!(compose.order(), ["a", "c", "b", "d", "e"]);
    assert!(networks("c").contains_key("default") && networks("e").contains_key("default"));
    assert!(networks("d").is_empty() && compose.services["d"].network_none);
    assert_eq!(compose.networks.len(), 3);
    assert!(compose.networks["back"].internal && !compose.networks["default"].internal);
}

#[test]
fn limits_come_from_either_place() {
    let service = service(
        "cpus: 1.5
mem_limit: 1.5gb
pids_limit: 100
shm_size: 64m
ulimits: { nofile: 1024, memlock: { soft: -1, hard: -1 } }
sysctls: { net.core.somaxconn: 1024 }
deploy: { resources: { limits: { cpus: '1.5' }, reservations: { memory: 1g } }, replicas: 1 }",
    );
    assert_eq!(service.cpus, Some(1.5));
    assert_eq!(service.memory_bytes, Some(3 << 29));
    assert_eq!(service.pids, Some(100));
    assert_eq!(service.shm_bytes, Some(64 << 20));
    assert_eq!(
        service.ulimits["nofile"],
        Ulimit {
            soft: 1024,
            hard: 1024
        }
    );
    assert_eq!(service.ulimits["memlock"].soft, -1);
    assert_eq!(service.sysctls["net.core.somaxconn"], "1024");
    let limits = "deploy: { resources: { limits: { cpus: $CPUS, memory: $MEMORY, pids: 5 } } }";
    let folder = Folder::new(&file_with(limits))
        .variable("CPUS", "2")
        .variable("MEMORY", "4096M");
    let deployed = &folder.compose().services["a"];
    assert_eq!(
        (deployed.cpus, deployed.memory_bytes),
        (Some(2.0), Some(4 << 30))
    );
    assert_eq!(deployed.pids, Some(5));
}

#[test]
fn a_limit_that_is_none_is_told() {
    assert_snapshot!(wrong(
        "cpus: many
mem_limit: 512x
pids_limit: -5
ulimits: { nofiles: 1, nofile: x }
sysctls: [kernel.panic=1]
scale: 2
deploy: { replicas: 3, resources: { limits: { memory: 1g, memroy: 1g } } }
stop_grace_period: 10"
    ), @r#"
    docker-compose.yaml:4:11: `cpus` cannot be `many`; it must be a number of processors, like 1.5
    docker-compose.yaml:5:16: `mem_limit` cannot be `512x`; it must be a size, like 512m or 2g
    docker-compose.yaml:6:17: `pids_limit` cannot be `-5`; it must be a number of processes
    docker-compose.yaml:7:16: unknown key `nofiles` in `ulimits`; did you mean `nofile`?
    docker-compose.yaml:7:36: `nofile` cannot be `x`; it must be a whole number, or -1 for none
    docker-compose.yaml:8:15: `sysctls: kernel.panic` is not allowed in a task; it is a setting of the host, not of a container
    docker-compose.yaml:9:12: `scale` cannot be `2`; it must be 1: a service of a task is one container
    docker-compose.yaml:10:25: `replicas` cannot be `3`; it must be 1: a service of a task is one container
    docker-compose.yaml:10:63: unknown key `memroy` in `deploy.resources.limits`; did you mean `memory`?
    docker-compose.yaml:11:24: `stop_grace_period` cannot be `10`; it must be a time with its unit, like 10s or 1m30s
    "#);
    assert_snapshot!(wrong("mem_limit: 1g\ndeploy: { resources: { limits: { memory: 2g } } }"), @"docker-compose.yaml:5:46: `memory` is told twice, and not the same; `deploy.resources.limits` says otherwise");
}

#[test]
fn the_rest_is_kept_as_it_is_written() {
    let service = service(
        "init: true
hostname: box
working_dir: /srv
user: '1000:1000'
stop_signal: SIGINT
stop_grace_period: 1m
cap_add: [cap_net_raw, SYS_CHROOT]
cap_drop: [ALL]
security_opt: ['no-new-privileges:true']
extra_hosts: ['one:10.0.0.1', 'two=::1']
platform: linux/amd64
privileged: false
devices: []
ipc: private
tty: true
stdin_open: true
labels: [a=b]
logging: { driver: none }
pull_policy: always",
    );
    assert!(service.init && service.no_new_privileges);
    assert_eq!(service.hostname.as_deref(), Some("box"));
    assert_eq!(service.working_dir.as_deref(), Some("/srv"));
    assert_eq!(service.user.as_deref(), Some("1000:1000"));
    assert_eq!(service.stop_signal.as_deref(), Some("SIGINT"));
    assert_eq!(service.stop_grace_period, Some(Duration::from_secs(60)));
    assert_eq!(service.cap_add, ["NET_RAW", "SYS_CHROOT"]);
    assert_eq!(service.cap_drop, ["ALL"]);
    assert_eq!(service.extra_hosts, ["one:10.0.0.1", "two:::1"]);
}

#[test]
fn what_has_no_effect_is_warned_of() {
    assert_snapshot!(warnings("restart: always\nmem_reservation: 1g").join("\n"), @r#"
    4:5: `restart` has no effect: a service that ends stays ended
    5:5: `mem_reservation` has no effect: use `mem_limit`
    "#);
}

#[test]
fn only_main_may_say_nothing_of_its_image() {
    let compose =
        Folder::new("services:\n  main: { depends_on: [db] }\n  db: { image: x }\n").compose();
    assert_eq!(compose.order(), ["db", "main"]);
    let folder = Folder::new("services:\n  db: { user: x }\n");
    assert_snapshot!(lines_of(&folder.read().unwrap_err(), &folder.path()), @"docker-compose.yaml:2:3: the service `db` has neither `image` nor `build`; one of them says what runs");
}
