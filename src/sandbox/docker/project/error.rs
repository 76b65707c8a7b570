//! Why services could not be had beside a sandbox, with the last words of the one
//! that it was about.

use std::fmt;

use crate::sandbox::SandboxError;
use crate::sandbox::project::SpecFault;

/// What went wrong with a project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error(transparent)]
    Spec(#[from] SpecFault),
    /// The engine or this host failed.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A service is not what others wait for.
    #[error("the service {service} {ill}{last}")]
    Service {
        service: String,
        ill: Ill,
        last: LastWords,
    },
    #[error("the service {service} comes after {main} is healthy, which it is not")]
    MainUnhealthy { service: String, main: String },
    #[error("there is no service {name}")]
    NoService { name: String },
    #[error(
        "the engine has no subnet left for the network {network}, and none became free in {seconds} s\n  try: fewer trials at a time (--jobs), `docker network prune`, or more `default-address-pools` in the engine's daemon.json"
    )]
    NoSubnet { network: String, seconds: u64 },
}

/// What is wrong with a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ill {
    Unhealthy,
    NotHealthyWithin { seconds: u64 },
    NotEndedWithin { seconds: u64 },
    Ended { status: i64, out_of_memory: bool },
    NoProbe,
}

impl fmt::Display for Ill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ill::Unhealthy => f.write_str("is unhealthy"),
            Ill::NotHealthyWithin { seconds } => {
                write!(f, "did not become healthy within {seconds} s")
            }
            Ill::NotEndedWithin { seconds } => write!(f, "did not end within {seconds} s"),
            Ill::Ended {
                status,
                out_of_memory,
            } => {
                write!(f, "ended with status {status}")?;
                match out_of_memory {
                    true => f.write_str(", out of memory"),
                    false => Ok(()),
                }
            }
            Ill::NoProbe => f.write_str("has no healthcheck, and others wait until it is healthy"),
        }
    }
}

/// What a service and its probe said last, fit to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastWords {
    /// The probe's status and what it wrote.
    pub probe: Option<(i64, Vec<String>)>,
    /// The last lines of the log.
    pub log: Vec<String>,
}

impl fmt::Display for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((status, lines)) = &self.probe {
            write!(f, "\n  its healthcheck ended with status {status}")?;
            indented(f, lines)?;
        }
        match self.log.is_empty() {
            true => f.write_str("\n  its log is empty"),
            false => {
                f.write_str("\n  the last lines of its log")?;
                indented(f, &self.log)
            }
        }
    }
}

fn indented(f: &mut fmt::Formatter<'_>, lines: &[String]) -> fmt::Result {
    if !lines.is_empty() {
        f.write_str(":")?;
    }
    lines.iter().try_for_each(|line| write!(f, "\n    {line}"))
}

impl From<ProjectError> for SandboxError {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Sandbox(error) => error,
            other => SandboxError::Engine {
                doing: "start the services beside the sandbox".into(),
                message: other.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_did_not_become_healthy_is_told_with_its_last_words() {
        let error = ProjectError::Service {
            service: "db".into(),
            ill: Ill::NotHealthyWithin { seconds: 30 },
            last: LastWords {
                probe: Some((1, vec!["no response".into()])),
                log: vec!["starting".into(), "still starting".into()],
            },
        };
        insta::assert_snapshot!(error, @r"
        the service db did not become healthy within 30 s
          its healthcheck ended with status 1:
            no response
          the last lines of its log:
            starting
            still starting
        ");
    }

    #[test]
    fn a_service_that_said_nothing_says_so() {
        let error = ProjectError::Service {
            service: "db".into(),
            ill: Ill::Ended {
                status: 137,
                out_of_memory: true,
            },
            last: LastWords::default(),
        };
        insta::assert_snapshot!(error, @r"
        the service db ended with status 137, out of memory
          its log is empty
        ");
    }
}
