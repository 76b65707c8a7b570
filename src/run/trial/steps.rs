//! The steps of a task in one world: what each needs before it, what is taken away
//! after it, and its record.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Trials;
use super::begin::until_ready;
use super::live::is_live;
use super::prepare::{Ready, fault};
use super::world::World;
use crate::record::{End, Fault, Reason, StepRecord};
use crate::sandbox::{Exec, ExecOutput, Sandbox, SandboxError, User};
use crate::score::Mishap;
use crate::task::{Step, Times, pack};
use crate::verify::{Judged, folders};

/// Below a trial's folder.
const FOLDER: &str = "steps";
/// The longest that a step's set-up may take.
const SET_UP: Duration = Duration::from_secs(600);

/// Where a step of a trial is kept.
pub fn folder(trial: &Path, step: &str) -> PathBuf {
    trial.join(below(step))
}

/// The same, from the trial's folder.
pub fn below(step: &str) -> String {
    format!("{FOLDER}/{step}")
}

/// A step that could not be begun: its set-up or its health check failed.
pub fn not_begun(name: &str, message: String) -> StepRecord {
    StepRecord {
        name: name.to_owned(),
        end: None,
        evidence: None,
        reward: None,
        rewards: Default::default(),
        reason: Some(Reason::NoVerdict),
        message: Some(message),
    }
}

/// What came of a step. Without a reward there is no verdict of it.
pub fn record(
    name: &str,
    end: &End,
    judged: Option<Judged>,
    mishap: &Option<Mishap>,
) -> StepRecord {
    let wrong = mishap.as_ref().map(|mishap| mishap.message.clone());
    let Some(judged) = judged else {
        let message = wrong.unwrap_or_else(|| "it was not verified".into());
        return StepRecord {
            end: Some(*end),
            reason: mishap.as_ref().and_then(Mishap::reason),
            ..not_begun(name, message)
        };
    };
    let rewarded = judged.reward.is_some() || !judged.rewards.is_empty();
    StepRecord {
        name: name.to_owned(),
        end: Some(*end),
        evidence: rewarded.then_some(judged.evidence),
        reward: judged.reward,
        rewards: judged.rewards,
        reason: judged.reason,
        message: judged.message,
    }
}

impl Trials {
    /// Lays a step's files, runs its set-up, and waits until it is ready.
    ///
    /// # Errors
    /// A fault of the engine; inside, what of the step itself failed.
    pub(super) async fn begin_step(
        &self,
        world: &World,
        ready: &Ready,
    ) -> Result<Result<(), String>, Fault> {
        let sandbox = world.agent.as_ref();
        let Some(step) = &ready.step else {
            return Ok(Ok(()));
        };
        let of = |error: SandboxError| fault("sandbox", &error);
        // What an earlier step's agent wrote there is kept with that step.
        let logs = folders(&[("logs", 0o755), ("logs/agent", 0o777)]);
        let logs = logs.map_err(|error| fault("sandbox", &error))?;
        let stale = [b"/logs/agent".to_vec()];
        sandbox.unpack("/", &stale, &logs).await.map_err(of)?;
        if let Some(folder) = &step.workdir {
            let tar = pack(&[folder], Times::Own).map_err(|error| Fault {
                class: "task".into(),
                ..fault("sandbox", &error)
            })?;
            let workdir = sandbox.workdir();
            sandbox.unpack(workdir, &[], &tar).await.map_err(of)?;
            if folder.join("setup.sh").is_file()
                && let Some(failed) = set_up(sandbox, step).await.map_err(of)?
            {
                return Ok(Err(failed));
            }
        }
        if let Some(health) = &step.health {
            match until_ready(sandbox, health).await {
                Ok(()) => {}
                Err(fault) if fault.class == "task" => return Ok(Err(fault.message)),
                Err(fault) => return Err(fault),
            }
        }
        Ok(Ok(()))
    }

    /// Lets the agent's world go on after a step was verified. Of a verification in
    /// that world nothing is left.
    pub(super) async fn go_on(&self, world: &World, ready: &Ready) -> Result<(), Fault> {
        let sandbox = world.agent.as_ref();
        let of = |error: SandboxError| fault("sandbox", &error);
        if is_live(&ready.task) {
            let logs = folders(&[("logs", 0o755), ("logs/verifier", 0o777)]);
            let logs = logs.map_err(|error| fault("sandbox", &error))?;
            let stale = ["/tests", "/logs/verifier", "/verifier"];
            let stale = stale.map(|path| path.as_bytes().to_vec());
            sandbox.unpack("/", &stale, &logs).await.map_err(of)?;
        }
        sandbox.thaw().await.map_err(of)
    }
}

/// Runs `setup.sh` of a step, as who acts in it; why it failed, where it did.
async fn set_up(sandbox: &dyn Sandbox, step: &Step) -> Result<Option<String>, SandboxError> {
    let script = format!("{}/setup.sh", sandbox.workdir().trim_end_matches('/'));
    let exec = Exec {
        user: match &step.agent.user {
            Some(name) => User::Named(name.clone()),
            None => User::Default,
        },
        timeout: SET_UP,
        ..Exec::new(["bash", script.as_str()])
    };
    let failed = |how: String| format!("setup.sh of the step {how}");
    match sandbox.exec(exec).await {
        Ok(ran) if ran.ended.success() => Ok(None),
        Ok(ran) => Ok(Some(failed(told(&ran)))),
        Err(SandboxError::Guest(refusal)) => Ok(Some(failed(refusal.message))),
        Err(error) => Err(error),
    }
}

fn told(ran: &ExecOutput) -> String {
    let text = format!("{}\n{}", ran.stdout.text(), ran.stderr.text());
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    let how = match ran.ended.code() {
        Some(code) => format!("ended with {code}"),
        None => "did not end".to_owned(),
    };
    match last {
        Some(last) => format!("{how}: {}", last.trim()),
        None => how,
    }
}
