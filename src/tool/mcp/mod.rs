//! Servers of tools by the Model Context Protocol: reached from inside the sandbox, as
//! a program of the agent's there would reach them.
//!
//! Owns their connections, what they offer and how a call is put to them. Must not know
//! who calls. The protocol is `rmcp`'s; it and HTTP stay in here.

mod answer;
mod connect;
mod events;
mod http;
mod names;
mod sse;
mod streamable;

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::CallToolRequestParams;
use rmcp::service::ServiceError;
use serde_json::Value;

use super::{CallLimits, CallResult};
use crate::model::ToolSpec;
use crate::sandbox::Sandbox;
use crate::task::McpServer;
use connect::Client;

/// A tool that a server offers.
#[derive(Debug, Clone, PartialEq)]
pub struct Served {
    /// Which server, from 0.
    pub server: usize,
    /// Its name there.
    pub tool: String,
    /// As it is offered: with a name that tells servers apart.
    pub spec: ToolSpec,
}

/// The servers of a session.
#[derive(Default)]
pub struct Servers(Vec<Connection>);

struct Connection {
    name: String,
    /// Else why it cannot be talked with, with its last words.
    client: Result<Client, String>,
}

impl Servers {
    /// Connects to all at the same time. One that cannot be reached within the limit is
    /// kept with the reason.
    pub async fn connect(
        sandbox: &Arc<dyn Sandbox>,
        servers: &[McpServer],
        limit: Duration,
    ) -> Self {
        let connecting = servers.iter().map(async |server| Connection {
            name: server.name.clone(),
            client: connect::connect(sandbox, &server.transport, limit).await,
        });
        Self(futures_util::future::join_all(connecting).await)
    }

    /// Those that cannot be talked with: their names, and why.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|connection| {
            let why = connection.client.as_ref().err()?;
            Some((connection.name.as_str(), why.as_str()))
        })
    }

    /// Everything that they offer: in the order of the servers, then of names.
    pub fn tools(&self) -> Vec<Served> {
        let listed = self.0.iter().map(|connection| {
            let tools = connection.client.as_ref().map(|client| &client.tools);
            (
                connection.name.as_str(),
                tools.map_or(&[][..], Vec::as_slice),
            )
        });
        names::served(listed)
    }

    /// Puts a call to a server. Whatever it does or fails to do is the call's result.
    pub async fn call(
        &self,
        server: usize,
        tool: &str,
        arguments: &Value,
        limits: &CallLimits,
    ) -> CallResult {
        let Some(connection) = self.0.get(server) else {
            return CallResult::failed("no server of tools is connected");
        };
        let name = &connection.name;
        let client = match &connection.client {
            Ok(client) => client,
            Err(why) => return CallResult::failed(format!("the server `{name}` is gone: {why}")),
        };
        let mut asked = CallToolRequestParams::new(tool.to_owned());
        asked.arguments = arguments.as_object().cloned();
        let calling = client.service.peer().call_tool(asked);
        match tokio::time::timeout(limits.timeout, calling).await {
            Ok(Ok(result)) => answer::told(result, limits.output_bytes),
            Ok(Err(ServiceError::McpError(error))) => {
                CallResult::failed(answer::short(&error.message))
            }
            Ok(Err(error)) => {
                let why = client.why(&connect::reason(&error)).await;
                CallResult::failed(format!("the server `{name}` did not answer: {why}"))
            }
            Err(_) => CallResult::failed(format!(
                "the limit of {} s on one call fired",
                limits.timeout.as_secs_f64()
            )),
        }
    }

    /// Ends all connections, and the programs that were started for them.
    pub async fn end(self) {
        let clients = self.0.into_iter().filter_map(|one| one.client.ok());
        futures_util::future::join_all(clients.map(Client::end)).await;
    }
}

#[cfg(test)]
mod tests;
