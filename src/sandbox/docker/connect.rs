//! A connection to the engine, its API version negotiated.

use std::path::Path;
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker};

use crate::diagnose::innermost;
use crate::sandbox::SandboxError;

/// The engine's usual socket.
const DEFAULT: &str = "unix:///var/run/docker.sock";
/// How long the engine may take for its first answer.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// How long a request may wait for the beginning of its answer, seconds.
const REQUEST: u64 = 120;

/// Why there is no connection. The first line says what, the next who asked for
/// it and what to try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    #[error(
        "the Docker engine does not answer at {host}\n  it was asked for by: {by}\n  it was: {message}\n  try: ./dev engine     install and start one (Debian, as root)"
    )]
    Unreachable {
        host: String,
        by: AskedBy,
        message: String,
    },
    #[error(
        "an engine at {host} cannot be reached: {why}\n  it was asked for by: {by}\n  try: unix:///path/to/the/socket, or tcp://host:port"
    )]
    Unsupported {
        host: String,
        by: AskedBy,
        why: &'static str,
    },
}

/// Who chose the engine's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedBy {
    Settings,
    DockerHost,
    Default,
}

impl std::fmt::Display for AskedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            AskedBy::Settings => "engine.host in the settings",
            AskedBy::DockerHost => "DOCKER_HOST",
            AskedBy::Default => "the default (no DOCKER_HOST, no engine in harness.toml)",
        })
    }
}

impl From<ConnectError> for SandboxError {
    fn from(error: ConnectError) -> Self {
        let message = error.to_string();
        match error {
            ConnectError::Unreachable { host, .. } | ConnectError::Unsupported { host, .. } => {
                SandboxError::Unreachable { host, message }
            }
        }
    }
}

/// Connects to the engine at `host`, else at `DOCKER_HOST`, else at the default
/// socket, or a rootless engine's where there is no other.
///
/// # Errors
/// An address that is none of `unix://` and `tcp://`; an engine that does not
/// answer within ten seconds.
pub async fn connect(host: Option<&str>) -> Result<Docker, ConnectError> {
    let (host, by) = address(host);
    let unsupported = |why| ConnectError::Unsupported {
        host: host.clone(),
        by,
        why,
    };
    let docker = match host.split_once("://") {
        Some(("unix", path)) => Docker::connect_with_unix(path, REQUEST, API_DEFAULT_VERSION),
        Some(("tcp" | "http", _)) if std::env::var_os("DOCKER_TLS_VERIFY").is_some() => {
            return Err(unsupported("TLS (DOCKER_TLS_VERIFY) is not supported"));
        }
        Some(("tcp" | "http", _)) => Docker::connect_with_http(&host, REQUEST, API_DEFAULT_VERSION),
        Some(("ssh", _)) => {
            return Err(unsupported(
                "ssh is not supported; forward its socket (ssh -L) and name the local end",
            ));
        }
        _ => return Err(unsupported("its address has no scheme that is known")),
    };
    let unreachable = |message: String| ConnectError::Unreachable {
        host: host.clone(),
        by,
        message,
    };
    let docker = docker.map_err(|error| unreachable(error.to_string()))?;
    match tokio::time::timeout(FIRST_ANSWER, docker.negotiate_version()).await {
        Ok(answer) => answer.map_err(|error| unreachable(innermost(&error))),
        Err(_) => Err(unreachable(format!(
            "no answer within {} s",
            FIRST_ANSWER.as_secs()
        ))),
    }
}

/// Where the engine is looked for, and who says so.
pub fn address(host: Option<&str>) -> (String, AskedBy) {
    if let Some(host) = host {
        return (host.to_owned(), AskedBy::Settings);
    }
    if let Ok(host) = std::env::var("DOCKER_HOST")
        && !host.is_empty()
    {
        return (host, AskedBy::DockerHost);
    }
    let rootless = std::env::var("XDG_RUNTIME_DIR").map(|dir| format!("{dir}/docker.sock"));
    match rootless {
        Ok(socket)
            if !Path::new("/var/run/docker.sock").exists() && Path::new(&socket).exists() =>
        {
            (format!("unix://{socket}"), AskedBy::Default)
        }
        _ => (DEFAULT.to_owned(), AskedBy::Default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn message(host: &str) -> String {
        connect(Some(host)).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn an_engine_that_is_not_there_is_named_with_who_asked() {
        insta::assert_snapshot!(message("unix:///nowhere/docker.sock").await, @r"
        the Docker engine does not answer at unix:///nowhere/docker.sock
          it was asked for by: engine.host in the settings
          it was: Socket not found: /nowhere/docker.sock
          try: ./dev engine     install and start one (Debian, as root)
        ");
    }

    #[tokio::test]
    async fn an_address_that_cannot_be_used_says_what_can() {
        let text = message("ssh://host").await;
        assert!(text.contains("ssh is not supported"), "{text}");
        assert!(message("nonsense").await.contains("no scheme"));
    }
}
