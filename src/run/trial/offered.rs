//! What an agent is offered beside the standard tools: those of the task's servers, and
//! its skills. Both are made ready before its time begins.

use std::sync::Arc;
use std::time::Duration;

use super::attempt::Attempt;
use super::prepare::fault;
use super::rounds::{Part, Stage};
use crate::agent::{Skill, skills};
use crate::record::Fault;
use crate::sandbox::SandboxError;
use crate::tool::Toolbox;
use crate::tool::mcp::Servers;
use crate::trajectory::Event;

/// How long a server may take to come up and say what it offers.
const CONNECT: Duration = Duration::from_secs(30);

/// What one session has.
pub struct Offered {
    pub toolbox: Arc<Toolbox>,
    pub servers: Servers,
    pub skills: Vec<Skill>,
    pub warnings: Vec<String>,
}

impl Attempt<'_> {
    /// Connects to the servers and reads the skills, for an agent that uses them.
    ///
    /// What is offered stays the same for all steps of a trial: a later one only
    /// connects again, and a server that is gone by then fails its calls.
    ///
    /// # Errors
    /// A fault of the task where a server cannot be reached before anybody acted; else of
    /// the sandbox.
    pub(super) async fn offered(
        &self,
        stage: &Stage<'_>,
        part: Part<'_>,
    ) -> Result<Offered, Fault> {
        let environment = &part.ready.task.environment;
        let mut offered = Offered {
            toolbox: stage.toolbox().clone(),
            servers: Servers::default(),
            skills: Vec::new(),
            warnings: Vec::new(),
        };
        if !stage.agent.uses_tools() {
            return Ok(offered);
        }
        let sandbox = &stage.world.agent;
        let of = |error: SandboxError| fault("sandbox", &error);
        if let Some(folder) = &environment.skills {
            let found = skills(sandbox.as_ref(), folder).await.map_err(of)?;
            (offered.skills, offered.warnings) = found;
        }
        if environment.mcp_servers.is_empty() {
            return Ok(offered);
        }
        let limit = self.trials.time(CONNECT);
        let servers = Servers::connect(sandbox, &environment.mcp_servers, limit).await;
        let failed = servers.failed();
        let failed: Vec<String> = failed
            .map(|(name, why)| format!("the server of tools `{name}` cannot be used: {why}"))
            .collect();
        let first = stage.offered.get().is_none();
        if let Some(message) = failed.first().filter(|_| first) {
            servers.end().await;
            return Err(of_task(message));
        }
        if first {
            let rules = &part.ready.task.tools;
            let made = Toolbox::with(rules, servers.tools()).map_err(|error| of_task(&error))?;
            let _ = stage.offered.set(Arc::new(made));
        }
        for message in failed {
            let told = Event::harness("server_gone", message.clone());
            let told = stage.recorder.record(told);
            told.map_err(|error| Fault {
                class: "host".into(),
                ..fault("agent", &error)
            })?;
            offered.warnings.push(message);
        }
        offered.toolbox = stage.toolbox().clone();
        offered.servers = servers;
        Ok(offered)
    }
}

fn of_task(message: &str) -> Fault {
    Fault {
        class: "task".into(),
        ..fault("agent", &message)
    }
}
