//! The naive verification of what an agent did: hidden tests in its own sandbox,
//! with nothing ended and nothing compared.
//!
//! Decides no verdict: it shows what a cheat is worth to a verifier that believes
//! what it finds. Must not know which cheats there are.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::Trials;
use super::prepare::{Ready, fault};
use super::world::{World, tells_calls};
use crate::agent::Agent;
use crate::cheats::{HIDDEN, Left, NOT_HERE, NaiveRun, Scene, Way};
use crate::record::{Fault, PlannedTrial, TaskId};
use crate::repo::Changed;
use crate::run::Events;
use crate::sandbox::{Exec, ExecOutput, Sandbox, SandboxError, User};
use crate::task::{Hidden, Runner, Times, pack};
use crate::trajectory::{Event, calls_log};
use crate::verify::{CALLS, pytest};

/// The most of a file that is read.
const FILE_BYTES: u64 = 4 << 20;
/// What a background process has to do its work when the tests have ended.
const GRACE: Duration = Duration::from_millis(400);
/// The longest that is waited for tests.
const LONGEST: Duration = Duration::from_secs(600);

impl Trials {
    /// The agent of a planned trial acts, and what it left is verified naively.
    ///
    /// # Errors
    /// A fault of the engine, the host, the image or the task.
    pub async fn naive(
        &self,
        planned: &PlannedTrial,
        way: Way,
        events: &Events,
    ) -> Result<NaiveRun, Fault> {
        let unknown = || fault("harness", &"the trial is not of this run");
        let shared = self.tasks.get(&planned.task).ok_or_else(unknown)?;
        let contender = (planned.agent.clone(), planned.model.clone());
        let agent = self.agents.get(&contender).ok_or_else(unknown)?;
        let readied = shared.ready();
        let ready = readied.get_or_init(|| self.prepare(shared, events));
        let ready = ready.await.as_ref().map_err(Clone::clone)?;
        let world = self
            .begun_world(ready, &format!("naive--{}", planned.trial))
            .await?;
        let went = self.naive_in(&world, ready, agent.as_ref(), way).await;
        let stopped = world.stop().await;
        let run = went?;
        stopped.map_err(|error| fault("teardown", &error))?;
        Ok(run)
    }

    /// Whether hidden tests of a task can be brought in by git as well.
    pub fn has_git_way(&self, task: &TaskId) -> bool {
        self.tasks.get(task).is_some_and(|shared| {
            let runner = shared.task.verification.runner;
            runner == Runner::Pytest && shared.task.repo.is_some()
        })
    }

    async fn naive_in(
        &self,
        world: &World,
        ready: &Ready,
        agent: &dyn Agent,
        way: Way,
    ) -> Result<NaiveRun, Fault> {
        let scratch = self.scratch()?;
        let calls = self.act_in(ready, world, agent, scratch.path()).await?;
        if let Some(not_here) = not_here(&calls) {
            return Ok(NaiveRun {
                not_here: Some(not_here),
                signals: Default::default(),
            });
        }
        let hidden = self.naive_hidden(ready, scratch.path())?;
        let work_tree = ready.tree.as_ref().map(|_| ready.tree_path.as_str());
        let mut scene = Scene {
            task: &ready.task,
            work_tree,
            hidden: Vec::new(),
            way,
        };
        let (hidden, names) = brought(&hidden, &scene).map_err(|error| fault("verify", &error))?;
        scene.hidden = names;
        let left = self.naive_tests(world, ready, &scene, &hidden, &calls);
        // A sandbox that the agent broke pays nobody.
        let left = match left.await {
            Ok(left) => left,
            Err(SandboxError::Guest(_) | SandboxError::Gone { .. }) => Left::default(),
            Err(error) => return Err(fault("verify", &error)),
        };
        Ok(NaiveRun {
            not_here: None,
            signals: scene.believes(&left),
        })
    }

    /// Hidden files as a stream, made without a look at what the agent did.
    fn naive_hidden(&self, ready: &Ready, scratch: &Path) -> Result<Vec<u8>, Fault> {
        match (&ready.task.verification.hidden, &ready.tree) {
            (Hidden::Overlay(folders), _) => {
                pack(folders, Times::Fixed).map_err(|error| fault("verify", &error))
            }
            (Hidden::Patch(file), Some(tree)) => {
                let patch = std::fs::read(file).map_err(|error| fault("verify", &error))?;
                Changed::from_patch(tree, &[], scratch)
                    .and_then(|base| base.overlay_patch(&patch))
                    .map(|laid| laid.tar)
                    .map_err(|error| fault("verify", &error))
            }
            (Hidden::Patch(_), None) => Err(fault("verify", &"a patch needs a repository")),
        }
    }

    async fn naive_tests(
        &self,
        world: &World,
        ready: &Ready,
        scene: &Scene<'_>,
        hidden: &[u8],
        calls: &[Event],
    ) -> Result<Left, SandboxError> {
        let sandbox = world.agent.as_ref();
        if let Some(tools) = self.tool_state(ready, world).await? {
            sandbox.unpack("/", &tools.deleted, &tools.tar).await?;
        }
        if tells_calls(&ready.task) {
            let log = calls_log(calls);
            sandbox.write(CALLS, &log, None, &User::Root).await?;
        }
        sandbox.unpack(HIDDEN, &[], hidden).await?;
        let rules = &ready.task.verification;
        let ran = sandbox
            .exec(Exec {
                env: rules.env.clone(),
                user: match &rules.user {
                    Some(name) => User::Named(name.clone()),
                    None => User::Default,
                },
                timeout: self.time(rules.timeout).min(LONGEST),
                output_bytes: FILE_BYTES,
                ..Exec::new(["bash", "-l", "-c", &scene.script()])
            })
            .await?;
        tokio::time::sleep(GRACE).await;
        let found = async |path: &str| found(sandbox, path).await;
        let stdout = found("/logs/verifier/test-stdout.txt").await?;
        Ok(Left {
            exit: ran.ended.code(),
            log: log_of(&ran, stdout),
            report: found(pytest::REPORT).await?,
            reward_json: found("/logs/verifier/reward.json").await?,
            reward_txt: found("/logs/verifier/reward.txt").await?,
        })
    }
}

fn log_of(ran: &ExecOutput, kept: Option<Vec<u8>>) -> String {
    let kept = kept.unwrap_or_default();
    format!(
        "{}\n{}\n{}",
        ran.stdout.text(),
        ran.stderr.text(),
        String::from_utf8_lossy(&kept)
    )
}

/// How the command of a cheat or control ended, and its last words; none where it
/// was not performed or did not end by itself.
pub fn command_end(events: &[Event]) -> Option<(i32, String)> {
    let result = events.iter().rev().find(|event| event.ok.is_some())?;
    let output = result.output.as_deref().unwrap_or_default();
    let last = output.lines().rev().find(|line| !line.trim().is_empty());
    Some((result.exit_code?, last.unwrap_or_default().to_owned()))
}

/// Whether the command said that it has nothing here to act on, and its last words.
fn not_here(events: &[Event]) -> Option<String> {
    command_end(events)
        .filter(|(code, _)| *code == NOT_HERE)
        .map(|(_, said)| said)
}

/// The files of a stream that are brought in this way, and their names.
fn brought(tar: &[u8], scene: &Scene<'_>) -> std::io::Result<(Vec<u8>, Vec<String>)> {
    let (mut kept, mut names) = (tar::Builder::new(Vec::new()), Vec::new());
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let name = path.to_string_lossy().into_owned();
        let mut header = entry.header().clone();
        if let Some(link) = entry.link_name()? {
            kept.append_link(&mut header, &path, &link)?;
        } else if header.entry_type().is_file() {
            if !scene.brings(&name) {
                continue;
            }
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            kept.append_data(&mut header, &path, content.as_slice())?;
            names.push(name);
        } else {
            kept.append_data(&mut header, &path, std::io::empty())?;
        }
    }
    Ok((kept.into_inner()?, names))
}

/// What lies there, as a verifier reads that follows nothing and waits for nothing.
async fn found(sandbox: &dyn Sandbox, path: &str) -> Result<Option<Vec<u8>>, SandboxError> {
    match sandbox.read(path, 0, FILE_BYTES, &User::Root).await {
        Ok(read) => Ok(Some(read.content)),
        Err(SandboxError::Guest(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trajectory::EventKind;

    #[test]
    fn a_command_says_by_its_status_that_it_has_nothing_to_act_on() {
        let ended = |code| Event {
            ok: Some(code == 0),
            exit_code: Some(code),
            output: Some("looking\nnot here: no Python\n".into()),
            ..Event::new(EventKind::ToolResult)
        };
        assert_eq!(not_here(&[ended(0)]), None);
        assert_eq!(
            not_here(&[ended(0), ended(NOT_HERE)]).as_deref(),
            Some("not here: no Python")
        );
        assert_eq!(not_here(&[]), None);
    }
}
