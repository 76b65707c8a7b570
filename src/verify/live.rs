//! What a verification does in the agent's own sandbox, after hidden files have been
//! laid and before tests run: everything goes on, and services are started again.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::VerifyError;
use super::steps::Steps;
use crate::sandbox::{SandboxError, Serving};
use crate::task::Service;

/// How long a service may take to listen, within the verifier's time.
const LONGEST: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);
/// Looks in a row that find nothing of it, after which nobody waits any more: a program
/// that puts itself into the background may be nobody for a moment.
const MOST_GONE: u32 = 50;

impl Steps<'_> {
    /// Lets everything go on, and starts the task's services again where that is
    /// possible; what came of each is kept in `services.txt`. One that does not start
    /// is no fault: tests will say what is missing.
    pub(super) async fn go_on(&self) -> Result<(), VerifyError> {
        let sandbox = self.hands.sandbox;
        let thawed = sandbox.thaw().await;
        thawed.map_err(|source| VerifyError::of("let the sandbox go on", source))?;
        let services = &self.task.verification.services;
        if services.is_empty() {
            return Ok(());
        }
        let mut told = String::new();
        for service in services {
            let came = self.start(service).await?;
            let _ = writeln!(told, "{}: {came}", service.command.join(" "));
        }
        self.hands.keep("services.txt", told.as_bytes())
    }

    async fn start(&self, service: &Service) -> Result<String, VerifyError> {
        let failed = |source| VerifyError::of("start a service", source);
        let sandbox = self.hands.sandbox;
        match sandbox.serve(&service.command).await {
            Ok(()) => {}
            Err(SandboxError::Guest(refusal)) => return Ok(refusal.message),
            Err(error) => return Err(failed(error)),
        }
        let Some(port) = service.port else {
            return Ok("started".to_owned());
        };
        let began = Instant::now();
        let left = self
            .hands
            .limit
            .saturating_sub(self.hands.started.elapsed());
        let mut gone = 0;
        while began.elapsed() < left.min(LONGEST) && gone < MOST_GONE {
            let serving = sandbox.serving(&service.command, port);
            match serving.await.map_err(failed)? {
                Serving::Listens => {
                    let ms = began.elapsed().as_millis();
                    return Ok(format!("listens on port {port} after {ms} ms"));
                }
                Serving::Starts => gone = 0,
                Serving::Gone => gone += 1,
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(format!("does not listen on port {port}"))
    }
}
