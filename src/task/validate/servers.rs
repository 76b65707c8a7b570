//! What a sandbox starts with: health checks, servers of tools; and what is kept of
//! it: artifacts, commands that collect them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Checker;
use crate::diagnose::KeyPath;
use crate::task::raw::{
    ArtifactValue, CollectTable, HealthcheckTable, McpServerTable, Number, Whole,
};
use crate::task::{Artifact, Collect, HealthCheck, McpServer, McpTransport};

/// The service that an agent acts in.
pub const MAIN: &str = "main";

/// A health check; none where it cannot be one.
pub fn health(
    table: &HealthcheckTable,
    at: impl Into<KeyPath>,
    check: &mut Checker<'_>,
) -> Option<HealthCheck> {
    let at = at.into();
    let Some(command) = table.command.clone().filter(|command| !command.is_empty()) else {
        check.wrong(
            at,
            "a health check needs a `command`",
            "for the shell; status 0 says that the sandbox is ready",
        );
        return None;
    };
    let mut seconds = |key: &str, value: Option<Number>, default: u64| match value {
        Some(Number(value)) if (0.0..=86_400.0).contains(&value) => Duration::from_secs_f64(value),
        Some(_) => {
            check.wrong(
                at.clone().key(key),
                format!("`{key}` must be a number of seconds"),
                "from 0 to a day",
            );
            Duration::from_secs(default)
        }
        None => Duration::from_secs(default),
    };
    let found = HealthCheck {
        command,
        interval: seconds("interval_sec", table.interval_sec, 5),
        timeout: seconds("timeout_sec", table.timeout_sec, 30),
        start_period: seconds("start_period_sec", table.start_period_sec, 0),
        start_interval: seconds("start_interval_sec", table.start_interval_sec, 5),
        retries: retries(table.retries),
    };
    if found.timeout.is_zero() {
        check.wrong(
            at.key("timeout_sec"),
            "`timeout_sec` must be more than 0 seconds",
            "of one attempt",
        );
    }
    Some(found)
}

/// So many that nobody waits for them are as many as there can be.
fn retries(given: Option<Whole>) -> u32 {
    given.map_or(3, |Whole(retries)| retries.try_into().unwrap_or(u32::MAX))
}

/// Servers of tools; a later one of a name takes the place of an earlier one.
pub fn mcp_servers(
    tables: Option<&[McpServerTable]>,
    at: KeyPath,
    check: &mut Checker<'_>,
) -> Vec<McpServer> {
    let mut servers: Vec<McpServer> = Vec::new();
    for (index, table) in tables.unwrap_or_default().iter().enumerate() {
        let path = at.clone().index(index);
        let Some(server) = mcp_server(table, &path, check) else {
            continue;
        };
        servers.retain(|other| other.name != server.name);
        servers.push(server);
    }
    servers
}

fn mcp_server(
    table: &McpServerTable,
    path: &KeyPath,
    check: &mut Checker<'_>,
) -> Option<McpServer> {
    let plain = |name: &String| !name.is_empty() && !name.chars().any(char::is_control);
    let Some(name) = table.name.clone().filter(plain) else {
        check.wrong(
            path.clone(),
            "a server of tools needs a `name`",
            "tools are told apart by it",
        );
        return None;
    };
    let headers = filled_headers(table, path, check);
    let url = table.url.clone().filter(|url| !url.is_empty());
    let mut with_url = |kind: &str| {
        if url.is_none() {
            let message = format!("the server `{name}` of transport `{kind}` needs a `url`");
            check.wrong(path.clone(), message, "as it is reached in the sandbox");
        }
        url.clone()
    };
    let transport = match table.transport.as_deref().unwrap_or("sse") {
        "sse" => McpTransport::Sse {
            url: with_url("sse")?,
            headers,
        },
        "streamable-http" | "http" => McpTransport::StreamableHttp {
            url: with_url("streamable-http")?,
            headers,
        },
        "stdio" => {
            if table.headers.as_ref().is_some_and(|some| !some.is_empty()) {
                check.wrong(
                    path.clone().key("headers"),
                    "`headers` are not for transport `stdio`",
                    "a program gets no requests of HTTP",
                );
            }
            let Some(command) = table.command.clone().filter(|command| !command.is_empty()) else {
                let message = format!("the server `{name}` of transport `stdio` needs a `command`");
                check.wrong(path.clone(), message, "a program of the sandbox");
                return None;
            };
            McpTransport::Stdio {
                command,
                args: table.args.clone().unwrap_or_default(),
            }
        }
        other => {
            check.wrong(
                path.clone().key("transport"),
                format!("`{other}` is no transport of a server of tools"),
                "\"stdio\", \"sse\" or \"streamable-http\"",
            );
            return None;
        }
    };
    Some(McpServer { name, transport })
}

fn filled_headers(
    table: &McpServerTable,
    path: &KeyPath,
    check: &mut Checker<'_>,
) -> BTreeMap<String, String> {
    let given = table.headers.clone().unwrap_or_default();
    for (name, value) in &given {
        let sign = |sign: char| sign.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(sign);
        let right = !name.is_empty() && name.chars().all(sign) && !value.contains(['\r', '\n']);
        if !right {
            check.wrong(
                path.clone().key("headers").key(name),
                format!("`{name}` cannot be a header of a request"),
                "a name of HTTP, and a value of one line",
            );
        }
    }
    check.filled(&path.clone().key("headers"), given)
}

/// What is kept of a trial.
pub fn artifacts(
    values: Option<&[ArtifactValue]>,
    path: KeyPath,
    check: &mut Checker<'_>,
) -> Vec<Artifact> {
    let values = values.unwrap_or_default().iter().enumerate();
    let found = values.filter_map(|(index, value)| {
        let at = path.clone().index(index);
        artifact(value, &at, check)
    });
    found.collect()
}

fn artifact(value: &ArtifactValue, at: &KeyPath, check: &mut Checker<'_>) -> Option<Artifact> {
    let clean = |path: &str| {
        !path.is_empty()
            && !path.chars().any(char::is_control)
            && !path.split('/').any(|part| part == "..")
    };
    let source = value.source.clone().unwrap_or_default();
    if !clean(&source) {
        check.wrong(
            at.clone(),
            "an artifact needs a `source`",
            "a path of the sandbox without `..`",
        );
        return None;
    }
    let service = value
        .service
        .clone()
        .filter(|service| !service.is_empty() && service != MAIN);
    if let Some(service) = &service
        && !source.starts_with('/')
    {
        check.wrong(
            at.clone(),
            format!("`{source}` of the service `{service}` must be an absolute path"),
            "relative ones are for the agent's sandbox",
        );
    }
    if let Some(service) = &service {
        check.service(at.clone(), service);
    }
    let destination = value.destination.clone().filter(|to| !to.is_empty());
    if let Some(to) = &destination {
        let right = clean(to)
            && !to.starts_with('/')
            && !to.contains('\\')
            && to.trim_end_matches('/') != "manifest.json"
            && to.split('/').any(|part| !matches!(part, "" | "."));
        if !right {
            check.wrong(
                at.clone().key("destination"),
                format!("`{to}` is no place for an artifact"),
                "a relative path without `..`, and not manifest.json",
            );
        }
    }
    Some(Artifact {
        source,
        destination,
        exclude: value.exclude.clone().unwrap_or_default(),
        service,
    })
}

/// Commands that are run when the agent has ended.
pub fn collects(
    tables: Option<&[CollectTable]>,
    path: KeyPath,
    check: &mut Checker<'_>,
) -> Vec<Collect> {
    let mut found = Vec::new();
    for (index, table) in tables.unwrap_or_default().iter().enumerate() {
        let at = path.clone().index(index);
        let Some(command) = table.command.clone().filter(|command| !command.is_empty()) else {
            check.wrong(
                at,
                "[[verifier.collect]] needs a `command`",
                "for the shell",
            );
            continue;
        };
        let service = table.service.clone().filter(|service| service != MAIN);
        if let Some(service) = &service {
            check.service(at.clone().key("service"), service);
        }
        let seconds = check.seconds(at.clone().key("timeout_sec"), table.timeout_sec);
        let user = check.user(at.key("user"), table.user.as_ref());
        found.push(Collect {
            command,
            service,
            timeout: seconds.unwrap_or(Duration::from_secs(60)),
            user,
        });
    }
    found
}
