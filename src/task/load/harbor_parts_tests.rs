//! Facts about what a Harbor task's sandbox starts with: compose files and their
//! variables, health checks, servers of tools.

use std::time::Duration;

use insta::assert_snapshot;

use super::tests::Folder;
use crate::task::compose::MountKind;
use crate::task::{ImageSource, MAIN_IMAGE, McpServer, McpTransport};

/// A task with this compose file.
fn composed(toml: &str, yaml: &str) -> Folder {
    Folder::new(toml).file("environment/docker-compose.yaml", yaml)
}

#[test]
fn a_compose_file_knows_the_variables_of_the_format() {
    let toml = "\
[environment]
cpus = 1.5
memory_mb = 512
docker_image = \"debian:bookworm\"
env = { TASK = \"yes\" }
";
    let yaml = "\
services:
  main:
    environment:
      ALL: \"${MAIN_IMAGE_NAME} ${PREBUILT_IMAGE_NAME} ${CPUS} ${MEMORY} ${TASK} ${TEST_DIR}\"
  beside:
    image: ${MAIN_IMAGE_NAME}
    volumes: [\"${CONTEXT_DIR}/data:/data\"]
";
    let folder = composed(toml, yaml).file("environment/data/x", "");
    let task = folder.load().unwrap();
    let environment = &task.environment;
    assert_eq!(
        environment.env["ALL"],
        format!("{MAIN_IMAGE} debian:bookworm 1.5 512M yes /tests")
    );
    assert_eq!(environment.env["TASK"], "yes");
    let services = environment.services.as_ref().unwrap();
    let beside = &services.compose.services["beside"];
    assert_eq!(beside.image.as_deref(), Some(MAIN_IMAGE));
    let data = task.dir.join("environment/data");
    assert_eq!(beside.volumes[0].kind, MountKind::Inside(data));
    assert_eq!(folder.warnings(), "");
}

#[test]
fn no_variable_of_this_host_is_seen() {
    let yaml = "services:\n  main:\n    build: .\n    environment: { A: \"$SET\" }\n";
    let folder = composed("", yaml).with_env("SET", "of the host");
    let shown = folder.error();
    assert!(shown.contains("docker-compose.yaml:4:"), "{shown}");
    assert!(shown.contains("SET"), "{shown}");
    // What the task takes from the host, it says itself.
    let said = "[environment.env]\nSET = \"${SET}\"\n";
    let task = composed(said, yaml).with_env("SET", "of the host").load();
    assert_eq!(task.unwrap().environment.env["A"], "of the host");
}

#[test]
fn mounts_of_logs_that_older_files_have_are_left_out() {
    let yaml = "\
services:
  main:
    build: .
    volumes:
      - ${HOST_VERIFIER_LOGS_PATH}:${ENV_VERIFIER_LOGS_PATH}
      - ${HOST_AGENT_LOGS_PATH}:${ENV_AGENT_LOGS_PATH}
      - ${HOST_ARTIFACTS_PATH}:${ENV_ARTIFACTS_PATH}
";
    let folder = composed("", yaml);
    let services = folder.load().unwrap().environment.services.unwrap();
    assert_eq!(services.main().unwrap().volumes, []);
    assert_eq!(folder.warnings(), "");
}

#[test]
fn what_the_task_says_stands_before_what_its_compose_file_says() {
    let yaml = "\
services:
  main:
    build: { context: ., dockerfile: Other }
    cpus: 2
    mem_limit: 1g
    working_dir: /of-compose
    environment: { A: compose, B: compose }
";
    let with = |toml: &str| {
        let folder = composed(toml, yaml).file("environment/Other", "FROM proofyard/base\n");
        folder.load().unwrap().environment
    };
    let silent = with("");
    assert_eq!(
        (silent.cpus, silent.memory_bytes),
        (Some(2.0), Some(1 << 30))
    );
    assert_eq!(silent.workdir.as_deref(), Some("/of-compose"));
    assert!(matches!(silent.image, ImageSource::Build(_)));
    let says = with(
        "[environment]\ncpus = 1\nmemory_mb = 256\nworkdir = \"/own\"\ndocker_image = \"own\"\nenv = { B = \"task\" }\n",
    );
    assert_eq!((says.cpus, says.memory_bytes), (Some(1.0), Some(256 << 20)));
    assert_eq!(says.workdir.as_deref(), Some("/own"));
    assert_eq!(says.image, ImageSource::Named("own".into()));
    assert_eq!(
        (says.env["A"].as_str(), says.env["B"].as_str()),
        ("compose", "task")
    );
}

#[test]
fn a_compose_file_has_one_name() {
    let yaml = "services: { db: { image: postgres } }\n";
    for name in ["docker-compose.yml", "compose.yaml", "compose.yml"] {
        let folder = Folder::new("").file(&format!("environment/{name}"), yaml);
        assert!(folder.load().unwrap().environment.services.is_none());
        assert_eq!(
            folder.warnings(),
            format!(
                "tasks/task/environment/{name} is not read: the compose file is called docker-compose.yaml"
            )
        );
    }
    assert!(
        composed("", yaml)
            .load()
            .unwrap()
            .environment
            .services
            .is_some()
    );
}

#[test]
fn a_wrong_compose_file_is_told_under_the_name_that_the_user_knows() {
    let shown = composed(
        "",
        "services:\n  main:\n    build: .\n    privileged: true\n",
    )
    .error();
    assert!(
        shown.contains("tasks/task/environment/docker-compose.yaml:4:5"),
        "{shown}"
    );
    let sockets = "services:\n  main:\n    build: .\n    cap_add: [NET_RAW]\n";
    assert_snapshot!(composed("", sockets).warnings(), @"tasks/task/environment/docker-compose.yaml: NET_RAW, which the service main asks for, is not given");
}

#[test]
fn what_a_compose_file_cannot_give_the_agents_sandbox_is_told() {
    let yaml = "services:\n  main:\n    build: .\n    init: true\n    shm_size: 64m\n    hostname: box\n  db: { image: postgres, shm_size: 64m }\n";
    assert_snapshot!(composed("", yaml).warnings(), @"tasks/task/environment/docker-compose.yaml: `hostname`, `shm_size` of the agent's sandbox: no effect, these are the same for all agents");
}

#[test]
fn a_health_check_has_all_its_times() {
    let of = |lines: &str| {
        let toml = format!("[environment.healthcheck]\ncommand = \"true\"\n{lines}");
        Folder::new(&toml)
            .load()
            .unwrap()
            .environment
            .health
            .unwrap()
    };
    let seconds = Duration::from_secs_f64;
    let silent = of("");
    assert_eq!(
        (silent.interval, silent.timeout),
        (seconds(5.0), seconds(30.0))
    );
    assert_eq!(
        (silent.start_period, silent.start_interval),
        (seconds(0.0), seconds(5.0))
    );
    assert_eq!(silent.retries, 3);
    let says = of(
        "interval_sec = 0.5\ntimeout_sec = 2\nstart_period_sec = 60\nstart_interval_sec = 1\nretries = 9\n",
    );
    assert_eq!((says.interval, says.timeout), (seconds(0.5), seconds(2.0)));
    assert_eq!(
        (says.start_period, says.start_interval),
        (seconds(60.0), seconds(1.0))
    );
    assert_eq!(says.retries, 9);
}

#[test]
fn a_health_check_that_cannot_be_one_is_told() {
    let of = |lines: &str| {
        let toml = format!("[environment.healthcheck]\n{lines}\n");
        Folder::new(&toml).heads()
    };
    assert_eq!(of("interval_sec = 1"), "a health check needs a `command`");
    assert_eq!(of("command = \"\""), "a health check needs a `command`");
    let command = "command = \"true\"\n";
    let negative = of(&format!("{command}interval_sec = -1"));
    assert_eq!(negative, "`interval_sec` must be a number of seconds");
    let nought = of(&format!("{command}timeout_sec = 0"));
    assert_eq!(nought, "`timeout_sec` must be more than 0 seconds");
    let retries = of(&format!("{command}retries = -1"));
    assert_eq!(
        retries,
        "`retries` in [environment.healthcheck] cannot be read"
    );
}

/// The servers of a task with this table of one.
fn server(lines: &str) -> Result<Vec<McpServer>, String> {
    let folder = Folder::new(&format!("[[environment.mcp_servers]]\n{lines}\n"));
    let task = folder.load().map_err(|_| folder.heads())?;
    Ok(task.environment.mcp_servers)
}

#[test]
fn a_server_of_tools_is_reached_in_one_of_three_ways() {
    let url = "name = \"a\"\nurl = \"http://a:1/mcp\"\n";
    let of = |lines: &str| server(lines).unwrap().remove(0).transport;
    assert!(matches!(of(url), McpTransport::Sse { .. }));
    for alias in ["streamable-http", "http"] {
        let transport = of(&format!("{url}transport = \"{alias}\""));
        assert!(matches!(transport, McpTransport::StreamableHttp { .. }));
    }
    let stdio = "name = \"a\"\ntransport = \"stdio\"\ncommand = \"serve\"\nargs = [\"--x\"]";
    assert_eq!(
        of(stdio),
        McpTransport::Stdio {
            command: "serve".into(),
            args: vec!["--x".into()]
        }
    );
    let headers = of(&format!("{url}headers = {{ X-Kind = \"a b\" }}"));
    let McpTransport::Sse { headers, .. } = headers else {
        panic!("{headers:?}")
    };
    assert_eq!(headers["X-Kind"], "a b");
    let filled = of(&format!(
        "{url}headers = {{ Authorization = \"Bearer ${{PROOFYARD_TEST_NONE:-t}}.x\" }}"
    ));
    let McpTransport::Sse { headers, .. } = filled else {
        panic!("{filled:?}")
    };
    assert_eq!(headers["Authorization"], "Bearer t.x");
}

#[test]
fn a_server_of_tools_that_cannot_be_reached_is_told() {
    let of = |lines: &str| server(lines).unwrap_err();
    assert_eq!(of("url = \"http://a\""), "a server of tools needs a `name`");
    assert_eq!(
        of("name = \"a\""),
        "the server `a` of transport `sse` needs a `url`"
    );
    let http = of("name = \"a\"\ntransport = \"http\"");
    assert_eq!(
        http,
        "the server `a` of transport `streamable-http` needs a `url`"
    );
    let stdio = "name = \"a\"\ntransport = \"stdio\"\n";
    assert_eq!(
        of(stdio),
        "the server `a` of transport `stdio` needs a `command`"
    );
    let headers = of(&format!(
        "{stdio}command = \"x\"\nheaders = {{ A = \"b\" }}"
    ));
    assert_eq!(headers, "`headers` are not for transport `stdio`");
    let pipe = of("name = \"a\"\nurl = \"http://a\"\ntransport = \"pipe\"");
    assert_eq!(pipe, "`pipe` is no transport of a server of tools");
    let lines = of("name = \"a\"\nurl = \"http://a\"\nheaders = { \"a b\" = \"c\" }");
    assert_eq!(lines, "`a b` cannot be a header of a request");
}

#[test]
fn of_two_servers_of_a_name_the_later_one_counts() {
    let two = "name = \"a\"\nurl = \"http://first\"\n[[environment.mcp_servers]]\nname = \"a\"\nurl = \"http://second\"";
    let servers = server(two).unwrap();
    assert_eq!(servers.len(), 1);
    assert!(
        matches!(&servers[0].transport, McpTransport::Sse { url, .. } if url == "http://second")
    );
}
