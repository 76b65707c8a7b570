//! What only some tasks have, as `proofyard show TASK` shows it: steps, services, a
//! verifier of its own, what is kept, health checks, servers of tools.

use std::time::Duration;

use super::show_task::{below, clock, limits, network, source};
use crate::record::Strategy;
use crate::task::{
    Artifact, Collect, HealthCheck, McpServer, McpTransport, Separate, Services, Step, Task,
};

/// The rows of these parts; a name stands before its first row alone.
pub fn rows(task: &Task) -> Vec<(&'static str, String)> {
    let environment = &task.environment;
    let mut rows = Vec::new();
    let mut add = |name: &'static str, lines: Vec<String>| {
        let names = std::iter::once(name).chain(std::iter::repeat(""));
        rows.extend(names.zip(lines));
    };
    add("steps", steps(task));
    add("services", services(task, environment.services.as_ref()));
    let separate = task.verification.separate.as_ref();
    add(
        "own verifier",
        separate
            .map(|own| separated(task, own))
            .into_iter()
            .collect(),
    );
    add("artifacts", task.artifacts.iter().map(artifact).collect());
    add(
        "collected by",
        task.verification.collect.iter().map(collect).collect(),
    );
    add(
        "health check",
        environment.health.iter().map(health).collect(),
    );
    add(
        "MCP servers",
        environment.mcp_servers.iter().map(server).collect(),
    );
    add("skills", environment.skills.iter().cloned().collect());
    let upload = environment.upload.as_deref();
    let uploaded = upload.map(|folder| format!("{}, into the directory", below(task, folder)));
    add("uploaded", uploaded.into_iter().collect());
    add("directory", environment.workdir.iter().cloned().collect());
    rows
}

/// A line a step, and how their rewards become one.
fn steps(task: &Task) -> Vec<String> {
    let mut lines: Vec<String> = task.steps.iter().map(|one| step(task, one)).collect();
    if !lines.is_empty() {
        lines.push(match task.reward_strategy {
            Strategy::Mean => "rewarded by the mean of their rewards".to_owned(),
            Strategy::Final => "rewarded by the last one's rewards".to_owned(),
        });
    }
    lines
}

fn step(task: &Task, step: &Step) -> String {
    let mut parts = vec![step.name.clone()];
    parts.push(match step.agent.timeout {
        Some(timeout) => clock(timeout),
        None => "no time limit".to_owned(),
    });
    parts.extend(step.agent.user.as_ref().map(|user| format!("user {user}")));
    parts.push(format!(
        "verified within {}",
        clock(step.verification.timeout)
    ));
    let separate = step.verification.separate.as_ref();
    parts.extend(separate.map(|own| format!("by a verifier of its own: {}", separated(task, own))));
    if step.workdir.is_some() {
        parts.push("lays workdir/".to_owned());
    }
    parts.extend(
        step.health
            .as_ref()
            .map(|_| "after a health check".to_owned()),
    );
    if !step.min_reward.is_empty() {
        let least = step.min_reward.iter();
        let least: Vec<String> = least
            .map(|(name, least)| format!("{name} {least}"))
            .collect();
        parts.push(format!("the last one below {}", least.join(", ")));
    }
    let artifacts: Vec<String> = step.artifacts.iter().map(artifact).collect();
    if !artifacts.is_empty() {
        parts.push(format!("keeps {}", artifacts.join(", ")));
    }
    parts.join(" · ")
}

/// A line a service, but for the agent's sandbox itself.
fn services(task: &Task, services: Option<&Services>) -> Vec<String> {
    let Some(services) = services else {
        return Vec::new();
    };
    let beside = services.beside();
    beside
        .map(|(name, service)| {
            let from = match (&service.build, &service.image) {
                (Some(build), _) => format!("built from {}", below(task, &build.context)),
                (None, Some(image)) if image == crate::task::MAIN_IMAGE => {
                    "the image of the agent's sandbox".to_owned()
                }
                (None, Some(image)) => image.clone(),
                (None, None) => String::new(),
            };
            format!("{name} · {from}")
        })
        .collect()
}

fn separated(task: &Task, own: &Separate) -> String {
    let environment = &own.environment;
    let mut parts = vec![format!("image {}", source(task, &environment.image))];
    if own.has_tests {
        parts.push("which holds /tests".to_owned());
    }
    parts.push(format!("network {}", network(&environment.network)));
    parts.extend(Some(limits(environment)).filter(|limits| !limits.is_empty()));
    parts.join(" · ")
}

fn artifact(artifact: &Artifact) -> String {
    let mut line = artifact.source.clone();
    if let Some(service) = &artifact.service {
        line.push_str(&format!(" of {service}"));
    }
    if let Some(to) = &artifact.destination {
        line.push_str(&format!(" as {to}"));
    }
    if !artifact.exclude.is_empty() {
        line.push_str(&format!(" without {}", artifact.exclude.join(", ")));
    }
    line
}

fn collect(collect: &Collect) -> String {
    let service = collect.service.as_ref();
    let place = service.map_or_else(String::new, |service| format!(" in {service}"));
    format!("`{}`{place} · {}", collect.command, clock(collect.timeout))
}

fn health(health: &HealthCheck) -> String {
    let mut line = format!(
        "`{}` every {}, within {} · fails after {} in a row",
        health.command,
        seconds(health.interval),
        seconds(health.timeout),
        health.retries,
    );
    if !health.start_period.is_zero() {
        let (period, interval) = (seconds(health.start_period), seconds(health.start_interval));
        line.push_str(&format!(" · may fail for {period}, then every {interval}"));
    }
    line
}

fn server(server: &McpServer) -> String {
    let how = match &server.transport {
        McpTransport::Stdio { command, args } => {
            let words: Vec<&str> = std::iter::once(command)
                .chain(args)
                .map(String::as_str)
                .collect();
            format!("stdio · {}", words.join(" "))
        }
        // Headers may hold secrets of this machine.
        McpTransport::Sse { url, .. } => format!("sse · {url}"),
        McpTransport::StreamableHttp { url, .. } => format!("streamable-http · {url}"),
    };
    format!("{} · {how}", server.name)
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;

    use super::super::show_task::show_task;
    use crate::task::load;

    fn files(dir: &Path, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = dir.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    fn shown(written: &[(&str, &str)]) -> String {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("task");
        files(&dir, written);
        let mut task = load(&dir).unwrap();
        task.source = "tasks/task".into();
        task.digest = crate::record::Digest::new("sha256:00");
        show_task(&task)
    }

    #[test]
    fn a_harbor_task_is_shown_with_all_that_belongs_to_it() {
        let toml = r#"
artifacts = ["/out", { source = "/var/log", destination = "logs", exclude = ["*.tmp"] }, { source = "/dump", service = "db" }]
[verifier.environment]
docker_image = "registry.example/judge"
cpus = 1
[[verifier.collect]]
command = "pg_dump > /dump"
service = "db"
[environment]
cpus = 2
memory = "2G"
workdir = "/app"
skills_dir = "/skills"
[environment.healthcheck]
command = "curl -f localhost"
interval_sec = 0.5
start_period_sec = 60
[[environment.mcp_servers]]
name = "docs"
transport = "stdio"
command = "serve"
args = ["--quiet"]
[[environment.mcp_servers]]
name = "web"
url = "http://web:8000/sse"
headers = { Authorization = "secret" }
"#;
        let compose = "services:\n  main: { build: . }\n  db: { image: postgres }\n  web: { build: ./web }\n  job: { image: \"${MAIN_IMAGE_NAME}\" }\n";
        let shown = shown(&[
            ("task.toml", toml),
            ("instruction.md", "Do it.\n"),
            ("environment/Dockerfile", "FROM proofyard/base\n"),
            ("environment/web/Dockerfile", "FROM proofyard/base\n"),
            ("environment/docker-compose.yaml", compose),
            ("tests/test.sh", ""),
        ]);
        assert_snapshot!(shown, @r"
        task   tasks/task

          verified by    script, sees files · a reward from 1 · 10:00 · network full
          hidden files   in the verifier's own image
          image          environment/Dockerfile
          agent          no time limit · network full
          limits         2 cpu · 2048 MB memory
          services       db · postgres
                         job · the image of the agent's sandbox
                         web · built from environment/web
          own verifier   image registry.example/judge · which holds /tests · network full · 1 cpu
          artifacts      /out
                         /var/log as logs without *.tmp
                         /dump of db
          collected by   `pg_dump > /dump` in db · 1:00
          health check   `curl -f localhost` every 0.5 s, within 30 s · fails after 3 in a row · may fail for 60 s, then every 5 s
          MCP servers    docs · stdio · serve --quiet
                         web · sse · http://web:8000/sse
          skills         /skills
          directory      /app
          solution       none
          format         harbor
          digest         sha256:00

        instruction
          Do it.
        ");
    }

    #[test]
    fn steps_are_shown_one_by_one() {
        let toml = r#"
[agent]
timeout_sec = 100
[[steps]]
name = "first"
min_reward = { reward = 0.5, style = 1 }
artifacts = ["/out"]
[[steps]]
name = "second"
[steps.agent]
user = "worker"
[steps.verifier]
environment_mode = "separate"
[steps.healthcheck]
command = "true"
"#;
        let shown = shown(&[
            ("task.toml", toml),
            ("environment/Dockerfile", "FROM proofyard/base\n"),
            ("tests/test.sh", ""),
            ("solution/solve.sh", ""),
            ("steps/first/instruction.md", "Begin.\n"),
            ("steps/second/instruction.md", "Go on.\n"),
            ("steps/second/workdir/x", ""),
        ]);
        assert_snapshot!(shown, @r"
        task   tasks/task

          verified by    script, sees files · a reward from 1 · 10:00 · network full
          hidden files   of each step, over the task's · at /tests
          image          environment/Dockerfile
          agent          1:40 · network full
          steps          first · 1:40 · verified within 10:00 · the last one below reward 0.5, style 1 · keeps /out
                         second · 1:40 · user worker · verified within 10:00 · by a verifier of its own: image environment/Dockerfile · network full · lays workdir/ · after a health check
                         rewarded by the mean of their rewards
          solution       solution/solve.sh
          format         harbor
          digest         sha256:00

        instruction of first
          Begin.

        instruction of second
          Go on.
        ");
    }
}
