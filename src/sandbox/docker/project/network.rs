//! The networks of a project.
//!
//! A closed one is `internal`, and its bridge on the host has no address: the engine
//! keeps what is on an internal network from the world, but not from the host, whose
//! own addresses would all answer by way of the bridge's.

use std::collections::HashMap;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::ProjectError;
use crate::sandbox::SandboxError;
use crate::sandbox::docker::engine::Engine;
use crate::sandbox::docker::refusal::refused;
use crate::sandbox::project::{NetworkSpec, ProjectSpec};

/// How long is waited for a subnet that others have.
const WAIT: Duration = Duration::from_secs(60);
/// How often is looked meanwhile.
const EVERY: Duration = Duration::from_millis(500);
/// Subnets of our own choice that are tried.
const TRIES: u32 = 64;

/// Makes a network and returns its id. `unwanted` says that nobody waits any more.
pub async fn make(
    engine: &Engine,
    spec: &ProjectSpec,
    network: &NetworkSpec,
    unwanted: &CancellationToken,
) -> Result<String, ProjectError> {
    const DOING: &str = "make a network for services";
    let until = Instant::now() + WAIT;
    let mut tries = 0;
    loop {
        let request = request(engine, spec, network);
        let error = match engine.docker.create_network(request).await {
            Ok(made) => return Ok(made.id),
            Err(error) => error,
        };
        tries += 1;
        match taken(&error) {
            Some(Taken::This) if tries < TRIES => {}
            Some(Taken::All) if unwanted.is_cancelled() => return Err(gone()),
            Some(Taken::All) if Instant::now() < until => tokio::time::sleep(EVERY).await,
            Some(Taken::All) => {
                return Err(ProjectError::NoSubnet {
                    network: network.name.clone(),
                    seconds: WAIT.as_secs(),
                });
            }
            _ => return Err(refused(DOING, &error).into()),
        }
    }
}

fn gone() -> ProjectError {
    ProjectError::Sandbox(SandboxError::Engine {
        doing: "make a network for services".into(),
        message: "nobody waits for it any more".into(),
    })
}

fn request(engine: &Engine, spec: &ProjectSpec, network: &NetworkSpec) -> NetworkCreateRequest {
    let closed = is_closed(spec, network);
    let options = HashMap::from([(
        "com.docker.network.bridge.inhibit_ipv4".to_owned(),
        "true".to_owned(),
    )]);
    NetworkCreateRequest {
        name: super::unique(engine),
        driver: Some("bridge".into()),
        internal: Some(closed),
        options: closed.then_some(options),
        ipam: (!spec.open).then(own_subnet),
        labels: Some(engine.owner.labels(&spec.run, &spec.trial)),
        ..Default::default()
    }
}

/// Whether a network leads nowhere.
pub fn is_closed(spec: &ProjectSpec, network: &NetworkSpec) -> bool {
    network.internal || !spec.open
}

/// The engine has about thirty subnets to give by itself. Where nothing leads out, no
/// address can be in the way of another, so any will do that no other network has.
fn own_subnet() -> Ipam {
    let [second, third] = rand::random::<[u8; 2]>();
    Ipam {
        config: Some(vec![IpamConfig {
            subnet: Some(format!("10.{second}.{third}.0/24")),
            ..Default::default()
        }]),
        ..Default::default()
    }
}

/// What is in use by others.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    /// The subnet that was asked for.
    This,
    /// All that the engine has to give.
    All,
}

fn taken(error: &Error) -> Option<Taken> {
    let text = error.to_string();
    let says = |words: &str| text.contains(words);
    if says("Pool overlaps") || says("overlaps with") {
        return Some(Taken::This);
    }
    // As version 20 says it, and as 27 does.
    let all = says("non-overlapping IPv4 address pool") || says("have been fully subnetted");
    all.then_some(Taken::All)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(message: &str) -> Option<Taken> {
        taken(&Error::DockerResponseServerError {
            status_code: 403,
            message: message.to_owned(),
        })
    }

    #[test]
    fn a_taken_subnet_and_the_lack_of_any_are_told_apart() {
        let one = "Pool overlaps with other one on this address space";
        assert_eq!(answer(one), Some(Taken::This));
        for all in [
            "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
            "all predefined address pools have been fully subnetted",
        ] {
            assert_eq!(answer(all), Some(Taken::All));
        }
        assert_eq!(answer("permission denied"), None);
    }
}
