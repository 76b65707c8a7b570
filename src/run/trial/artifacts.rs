//! Artifacts: what is kept of a sandbox by name, and all that a separate verifier sees.
//!
//! Owns what runs before they are taken and where they are taken from; what becomes of
//! them is `taken`'s.

mod taken;

use super::Trials;
use super::capture::Capture;
use crate::sandbox::docker::Project;
use crate::sandbox::{Exec, PackBounds, Sandbox, SandboxError, User};
use crate::task::{Artifact, Collect, Task};
pub use taken::Taken;

/// What Harbor keeps of every trial.
const CONVENTION: &str = "/logs/artifacts";

/// The task's artifacts with the one that every task has.
fn all(task: &Task) -> Vec<Artifact> {
    let convention = |artifact: &Artifact| {
        artifact.source.trim_end_matches('/') == CONVENTION && artifact.service.is_none()
    };
    let mut artifacts = Vec::new();
    if !task.artifacts.iter().any(convention) {
        artifacts.push(Artifact {
            source: CONVENTION.to_owned(),
            destination: None,
            exclude: Vec::new(),
            service: None,
        });
    }
    artifacts.extend(task.artifacts.iter().cloned());
    artifacts
}

/// A command that completes artifacts, as the sandbox runs it.
fn hook(collect: &Collect) -> Exec {
    Exec {
        user: match &collect.user {
            Some(name) => User::Named(name.clone()),
            None => User::Default,
        },
        timeout: collect.timeout,
        ..Exec::new(["sh", "-c", collect.command.as_str()])
    }
}

impl Trials {
    /// Runs the commands of the agent's own sandbox that complete its artifacts. One
    /// that fails is told and keeps nobody from anything.
    pub(super) async fn collect(
        &self,
        sandbox: &dyn Sandbox,
        task: &Task,
    ) -> Result<Vec<String>, SandboxError> {
        let mut warnings = Vec::new();
        let own = task.verification.collect.iter();
        for collect in own.filter(|collect| collect.service.is_none()) {
            let failed = match sandbox.exec(hook(collect)).await {
                Ok(ran) if ran.ended.success() => continue,
                Ok(ran) => format!("{:?}", ran.ended),
                Err(SandboxError::Guest(refusal)) => refusal.message,
                Err(error) => return Err(error),
            };
            warnings.push(format!("`{}` failed: {failed}", collect.command));
        }
        Ok(warnings)
    }

    /// Takes the artifacts of the agent's own sandbox; nothing runs there meanwhile.
    pub(super) async fn artifacts(
        &self,
        sandbox: &dyn Sandbox,
        task: &Task,
    ) -> Result<Taken, SandboxError> {
        let mut taken = Taken::default();
        let bytes = self.settings.limits.change_mb << 20;
        for artifact in all(task).into_iter().filter(|one| one.service.is_none()) {
            let source = match artifact.source.starts_with('/') {
                true => artifact.source.clone(),
                false => {
                    let workdir = sandbox.workdir().trim_end_matches('/');
                    format!("{workdir}/{}", artifact.source)
                }
            };
            let source = match source.trim_end_matches('/') {
                "" => "/".to_owned(),
                source => source.to_owned(),
            };
            let bounds = PackBounds {
                bytes,
                deep: true,
                ..PackBounds::default()
            };
            let packed = sandbox.pack(&[source.clone().into_bytes()], bounds).await;
            match packed {
                Ok(packed) => taken.add(artifact, source, &packed.tar),
                Err(SandboxError::Guest(refusal)) => {
                    let why = format!("the artifact {source} was not taken: {}", refusal.message);
                    taken.fail(artifact, source, why);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    /// Adds what services have: their commands first, then their artifacts. Nothing of
    /// the agent's runs in its sandbox meanwhile.
    pub(super) async fn take_beside(
        &self,
        project: &Project,
        task: &Task,
        mut captured: Capture,
    ) -> Result<Capture, SandboxError> {
        let mut warnings = Vec::new();
        for collect in &task.verification.collect {
            let Some(service) = &collect.service else {
                continue;
            };
            let failed = match project.exec(service, hook(collect)).await {
                Ok(ran) if ran.ended.success() => continue,
                Ok(ran) => format!("{:?}", ran.ended),
                Err(error) => error.to_string(),
            };
            warnings.push(format!(
                "`{}` in {service} failed: {failed}",
                collect.command
            ));
        }
        let bytes = self.settings.limits.change_mb << 20;
        let mut added = false;
        for artifact in all(task) {
            let Some(service) = artifact.service.clone() else {
                continue;
            };
            let source = artifact.source.trim_end_matches('/').to_owned();
            let bounds = PackBounds {
                bytes,
                ..PackBounds::default()
            };
            match project.archive(&service, &source, bounds).await {
                Ok(tar) => {
                    let tar = tar.unwrap_or_default();
                    let named = captured.artifacts.add_named(artifact, source, &tar);
                    named.map_err(|source| SandboxError::Host {
                        doing: "take an artifact".into(),
                        source,
                    })?;
                    added = true;
                }
                Err(error) => warnings.push(format!(
                    "the artifact {source} of {service} was not taken: {error}"
                )),
            }
        }
        captured.notes.extend(warnings);
        if added && task.verification.separate.is_some() {
            return Capture::of(captured.artifacts);
        }
        Ok(captured)
    }
}
