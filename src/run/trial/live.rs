//! Verification in the agent's own sandbox, for tasks about what runs there.

use std::path::Path;

use super::Trials;
use super::capture::Capture;
use super::prepare::{Ready, fault};
use super::world::World;
use crate::record::{Fault, Sees};
use crate::sandbox::Sandbox;
use crate::task::Task;
use crate::verify::reference::JudgedRecord;
use crate::verify::{Judged, Place, VerifyError, verify};

/// Whether a task is verified where its agent worked.
pub fn is_live(task: &Task) -> bool {
    task.verification.sees == Sees::Live
}

impl Trials {
    /// Verifies in a sandbox that stands still since its change was taken.
    pub(super) async fn verify_live(
        &self,
        sandbox: &dyn Sandbox,
        ready: &Ready,
        place: &Place,
        logs: &Path,
    ) -> Result<Judged, VerifyError> {
        let mut task = ready.task.clone();
        task.verification.timeout = self.time(task.verification.timeout);
        verify(sandbox, &task, place, logs).await
    }

    /// The same of a reference run.
    pub(super) async fn measure_live(
        &self,
        world: &World,
        ready: &Ready,
        captured: &Capture,
        goes_on: bool,
    ) -> Result<JudgedRecord, Fault> {
        let logs = self.scratch()?;
        let place = self.place(ready, captured);
        let place = place.map_err(|error| fault("verify", &error))?;
        let place = place.measuring().going_on(goes_on);
        let sandbox = world.agent.as_ref();
        match self.verify_live(sandbox, ready, &place, logs.path()).await {
            Ok(judged) => Ok(JudgedRecord::judged(&judged)),
            Err(error) => JudgedRecord::broke(&error).ok_or_else(|| fault("verify", &error)),
        }
    }

    /// What the verifier says of a world in which nothing was done.
    pub(super) async fn nothing_live(&self, ready: &Ready) -> Result<JudgedRecord, Fault> {
        let scratch = self.scratch()?;
        let world = self.begun_world(ready, "reference--nothing").await?;
        let measured = async {
            let captured = self
                .capture_world(&world, ready, scratch.path(), &[], false)
                .await?;
            match captured {
                Ok(captured) => self.measure_live(&world, ready, &captured, false).await,
                Err((reason, message)) => Ok(JudgedRecord::fault(reason, message)),
            }
        };
        let measured = measured.await;
        let stopped = world.stop().await;
        let record = measured?;
        stopped.map_err(|error| fault("teardown", &error))?;
        Ok(record)
    }
}
