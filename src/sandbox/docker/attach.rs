//! What is on a network: places, their names, and whom they may ask for others.

use std::collections::HashMap;

use bollard::models::{
    EndpointSettings, NetworkConnectRequest, NetworkDisconnectRequest, NetworkingConfig,
};

use super::engine::Engine;
use super::refusal::{refused, status};
use crate::sandbox::SandboxError;

/// A place on a network, under these names.
pub fn endpoint(network: &str, aliases: &[String]) -> NetworkingConfig {
    NetworkingConfig {
        endpoints_config: Some(HashMap::from([(network.to_owned(), place(aliases))])),
    }
}

fn place(aliases: &[String]) -> EndpointSettings {
    EndpointSettings {
        aliases: Some(aliases.to_vec()),
        ..Default::default()
    }
}

/// Puts a container onto a further network, under these names.
pub async fn join(
    engine: &Engine,
    network: &str,
    container: &str,
    aliases: &[String],
) -> Result<(), SandboxError> {
    let request = NetworkConnectRequest {
        container: container.to_owned(),
        endpoint_config: Some(place(aliases)),
    };
    let joined = engine.docker.connect_network(network, request).await;
    joined.map_err(|error| refused("join a network", &error))
}

/// Takes a container off a network; one that is not on it, or is gone, is fine.
pub async fn leave(engine: &Engine, network: &str, container: &str) -> Result<(), SandboxError> {
    let request = NetworkDisconnectRequest {
        container: container.to_owned(),
        force: Some(true),
    };
    match engine.docker.disconnect_network(network, request).await {
        Err(error) if status(&error) != Some(404) && !is_elsewhere(&error) => {
            Err(refused("leave a network", &error))
        }
        _ => Ok(()),
    }
}

fn is_elsewhere(error: &bollard::errors::Error) -> bool {
    error.to_string().contains("is not connected to")
}

/// Whom the engine asks for names that it does not know itself, where nobody outside
/// may be asked: an address of the container's own, at which nobody answers. Else old
/// engines ask the host's resolver, which is a way out.
pub fn nowhere() -> Vec<String> {
    vec!["127.0.0.1".into()]
}

/// Where nobody is asked, old engines give no answer at all; so a name that is not
/// known takes two seconds to be so, and not ten.
pub fn soon() -> Vec<String> {
    vec!["timeout:1".into(), "attempts:2".into()]
}
