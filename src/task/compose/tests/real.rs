//! Files as tasks have them.

use super::*;

const HARBOR: &str = "\
services:
  main:
    build:
      context: ${CONTEXT_DIR}
    image: ${MAIN_IMAGE_NAME}
    command: [ \"sh\", \"-c\", \"sleep infinity\" ]
    environment:
      - TEST_DIR=${TEST_DIR}
      - DATABASE_URL=postgresql://app:app@db:5432/app
    volumes:
      - ${HOST_VERIFIER_LOGS_PATH}:${ENV_VERIFIER_LOGS_PATH}
      - ${HOST_AGENT_LOGS_PATH}:${ENV_AGENT_LOGS_PATH}
      - shared:/shared
    depends_on:
      db:
        condition: service_healthy
    deploy:
      resources:
        limits:
          cpus: ${CPUS}
          memory: ${MEMORY}
  db:
    image: postgres:16-alpine
    environment:
      POSTGRES_USER: app
      POSTGRES_PASSWORD: app
      POSTGRES_DB: app
    volumes:
      - ./db/init.sql:/docker-entrypoint-initdb.d/init.sql:ro
    healthcheck:
      test: [\"CMD-SHELL\", \"pg_isready -U app\"]
      interval: 2s
      timeout: 3s
      retries: 30
    expose:
      - \"5432\"
volumes:
  shared:
";

const TERMINAL_BENCH: &str = "\
services:
  client:
    build:
      dockerfile: Dockerfile
    image: ${T_BENCH_TASK_DOCKER_CLIENT_IMAGE_NAME}
    container_name: ${T_BENCH_TASK_DOCKER_CLIENT_CONTAINER_NAME}
    command: [ \"sh\", \"-c\", \"sleep infinity\" ]
    environment:
      - TEST_DIR=${T_BENCH_TEST_DIR}
    volumes:
      - ${T_BENCH_TASK_LOGS_PATH}:${T_BENCH_CONTAINER_LOGS_PATH}
      - ${T_BENCH_TASK_AGENT_LOGS_PATH}:${T_BENCH_CONTAINER_AGENT_LOGS_PATH}
    networks:
      - app-network
  web:
    build: ./web
    container_name: ${T_BENCH_TASK_DOCKER_NAME_PREFIX}__web
    hostname: web
    ports:
      - \"8080:80\"
    restart: unless-stopped
    networks:
      - app-network
networks:
  app-network:
    driver: bridge
";

pub fn harbor() -> Folder {
    let folder = Folder::new(HARBOR).file("db/init.sql", "select 1;\n");
    let path = folder.path();
    folder
        .variable("CONTEXT_DIR", path.to_str().unwrap())
        .variable("MAIN_IMAGE_NAME", "task")
        .variable("TEST_DIR", "/tests")
        .variable("HOST_VERIFIER_LOGS_PATH", "/proofyard/logs/verifier")
        .variable("ENV_VERIFIER_LOGS_PATH", "/logs/verifier")
        .variable("HOST_AGENT_LOGS_PATH", "/proofyard/logs/agent")
        .variable("ENV_AGENT_LOGS_PATH", "/logs/agent")
        .variable("CPUS", "2")
        .variable("MEMORY", "4096M")
}

pub fn terminal_bench() -> Folder {
    Folder::new(TERMINAL_BENCH)
        .file("web/Dockerfile", "FROM scratch\n")
        .variable("T_BENCH_TASK_DOCKER_CLIENT_IMAGE_NAME", "tb__x__client")
        .variable("T_BENCH_TASK_DOCKER_CLIENT_CONTAINER_NAME", "x-1")
        .variable("T_BENCH_TASK_DOCKER_NAME_PREFIX", "tb__x")
        .variable("T_BENCH_TEST_DIR", "/tests")
        .variable("T_BENCH_TASK_LOGS_PATH", "/proofyard/logs/task")
        .variable("T_BENCH_CONTAINER_LOGS_PATH", "/logs")
        .variable("T_BENCH_TASK_AGENT_LOGS_PATH", "/proofyard/logs/agent")
        .variable("T_BENCH_CONTAINER_AGENT_LOGS_PATH", "/agent-logs")
}

#[test]
fn a_file_of_harbors_is_read() {
    let folder = harbor();
    let compose = folder.compose();
    assert_eq!(compose.order(), ["db", "main"]);
    assert_eq!(compose.warnings, [""; 0]);
    let main = &compose.services["main"];
    assert_eq!(main.image.as_deref(), Some("task"));
    assert_eq!(main.build.as_ref().unwrap().context, folder.path());
    assert_eq!(main.volumes.len(), 1);
    assert_eq!((main.cpus, main.memory_bytes), (Some(2.0), Some(4 << 30)));
    assert_eq!(main.depends_on["db"].condition, Condition::Healthy);
    assert_eq!(
        main.environment["DATABASE_URL"],
        "postgresql://app:app@db:5432/app"
    );
    let db = &compose.services["db"];
    assert_eq!(db.expose, [5432]);
    assert!(db.volumes[0].read_only);
}

#[test]
fn a_file_of_terminal_bench_is_read() {
    let compose = terminal_bench().compose();
    assert_eq!(compose.order(), ["client", "web"]);
    assert_eq!(compose.warnings.len(), 2);
    let client = &compose.services["client"];
    assert_eq!(
        client.command.as_deref().unwrap(),
        ["sh", "-c", "sleep infinity"]
    );
    assert!(client.volumes.is_empty());
    assert_eq!(client.networks["app-network"], ["x-1"]);
    assert_eq!(compose.services["web"].ports, [80]);
    assert!(!compose.networks.contains_key("default"));
}

/// The texts, for mutations of them.
pub fn texts() -> [&'static str; 2] {
    [HARBOR, TERMINAL_BENCH]
}
