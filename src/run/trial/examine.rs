//! All that is measured of a task for `proofyard check`, without a trial.

use std::time::Duration;

use super::live::is_live;
use super::prepare::{Ready, fault};
use super::pristine::Own;
use super::world::World;
use super::{Shared, Trials};
use crate::agent;
use crate::lint::{Commits, Examined, Offline, Once, Rule, required};
use crate::record::{Fault, Outcome, TaskId};
use crate::run::Events;
use crate::sandbox::{Exec, Sandbox, SandboxError, User};
use crate::task::{Environment, Format, ImageSource, Network, Task};
use crate::verify::reference::{JudgedRecord, ReferenceRun};

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// How often the solution and doing nothing are verified, at least once.
    pub repeat: u32,
    /// Whether images are built a second time.
    pub rebuild: bool,
    /// Whether the image and the checkout are searched for the answer.
    pub leaks: bool,
}

/// Longest that a look into a sandbox may take.
const LOOK: Duration = Duration::from_secs(120);

/// Every repository below `/` that has commits beside those that its HEAD comes from;
/// a line each: path, number, newest one.
const COMMITS: &str = r#"command -v git >/dev/null || exit 0
find / -xdev \( -path /proc -o -path /sys -o -path /dev \) -prune -o -name .git -print 2>/dev/null |
while read -r found; do
  at=${found%/.git}
  g() { git -c safe.directory='*' -C "${at:-/}" "$@" 2>/dev/null; }
  g rev-parse -q --verify HEAD >/dev/null || continue
  list=$( { g rev-list --all --reflog --not HEAD; g fsck --unreachable --no-reflogs --no-progress |
    sed -n 's/^unreachable commit //p'; } | sort -u | head -1000)
  [ -n "$list" ] || continue
  count=$(printf '%s\n' "$list" | wc -l)
  newest=$(printf '%s\n' "$list" | g log --no-walk --stdin --date-order -1 --format='%h %s')
  printf '%s\t%s\t%s\n' "${at:-/}" "$count" "$newest"
done"#;

impl Trials {
    /// Makes a task ready and measures it.
    ///
    /// # Errors
    /// What kept the task from being made ready, with its class: `image`, `task`,
    /// `engine`, …
    pub async fn examine(
        &self,
        task: &TaskId,
        scope: Scope,
        events: &Events,
    ) -> Result<Examined, Fault> {
        let shared = self.tasks.get(task);
        let shared = shared.ok_or_else(|| fault("harness", &"the task is not of this run"))?;
        let at_task = self.at(shared).await;
        let examined = self.examined(shared, scope, events).await;
        drop(at_task);
        self.make_room(shared, events).await;
        examined
    }

    async fn examined(
        &self,
        shared: &Shared,
        scope: Scope,
        events: &Events,
    ) -> Result<Examined, Fault> {
        let readied = shared.ready();
        let ready = readied.get_or_init(|| self.prepare(shared, events));
        let ready = ready.await.as_ref().map_err(Clone::clone)?;
        let mut examined = Examined {
            sees: Some(ready.task.verification.sees),
            checkout: ready.tree.as_ref().map(|tree| tree.dir.clone()),
            ..Examined::default()
        };
        if let Some(run) = &ready.reference {
            examined.evidence = Some(evidence(run));
            examined.runs.extend(once(run));
            for _ in 1..scope.repeat.max(1) {
                let again = self.measured_again(ready).await?;
                examined.runs.extend(once(&again));
            }
            examined.offline = self.offline(ready, run).await?;
        }
        // Of instances only where it is asked for by itself: their images have gigabytes.
        let instance = ready.task.format == Format::SweBench;
        if scope.leaks && !instance {
            examined.leaks = Some(self.leaks(&shared.task.id, events).await?);
        }
        self.look_around(ready, &mut examined).await?;
        if scope.rebuild {
            examined.changing = self.changing(ready, events).await?;
        }
        Ok(examined)
    }

    /// The reference run once more, whatever the cache has.
    async fn measured_again(&self, ready: &Ready) -> Result<ReferenceRun, Fault> {
        self.measured(ready, self.reference_key(ready)).await
    }

    /// What the solution comes to where nothing can be reached; none where the task says
    /// that it needs the network, has none, or is not solved with it either.
    async fn offline(&self, ready: &Ready, run: &ReferenceRun) -> Result<Option<Offline>, Fault> {
        let task = &ready.task;
        let solved = run.solution.as_ref();
        let solved = solved.is_some_and(|one| one.outcome == Outcome::Resolved)
            && Rule::UndeclaredNetwork.is_for(task.format);
        let open = |network: &Network| *network == Network::Full;
        let reaches = open(&task.environment.network) || open(&task.verification.network);
        if !solved || !reaches || task.environment.network_is_said || task.ours() {
            return Ok(None);
        }
        let closed = without_network(ready);
        let whole = if closed.parts.is_empty() {
            self.reference_solution(&closed).await?.0.0
        } else {
            let oracle = agent::oracle();
            self.measure_steps(&closed, &oracle, "check--offline")
                .await?
        };
        let mut verifier = None;
        let apart = !is_live(task) && task.environment.services.is_none();
        if whole.outcome != Outcome::Resolved && apart && closed.parts.is_empty() {
            verifier = self.verified_offline(ready, &closed).await?;
        }
        Ok(Some(Offline { whole, verifier }))
    }

    /// The solution, performed with the network and verified without.
    async fn verified_offline(
        &self,
        ready: &Ready,
        closed: &Ready,
    ) -> Result<Option<JudgedRecord>, Fault> {
        let scratch = self.scratch()?;
        let world = self.begun_world(ready, "check--online").await?;
        let performed = self.perform_solution(ready, &world, scratch.path());
        let performed = performed.await;
        let stopped = world.stop().await;
        let captured = performed?.0;
        stopped.map_err(|error| fault("teardown", &error))?;
        let Ok(captured) = captured else {
            return Ok(None);
        };
        let verified = self.verify_in_scratch(closed, &captured, Own::Crosses, "check--offline");
        Ok(Some(verified.await?.0))
    }

    /// Looks into a sandbox in which nobody acted: commits that should not be there, and
    /// paths that tests require.
    async fn look_around(&self, ready: &Ready, examined: &mut Examined) -> Result<(), Fault> {
        let world = self.begun_world(ready, "check--look").await?;
        let sandbox = world.agent.as_ref();
        let looked = async {
            examined.commits = commits(sandbox).await?;
            if !Rule::UnnamedPath.is_for(ready.task.format) {
                return Ok(Vec::new());
            }
            let required = required(&ready.task, examined.checkout.as_deref());
            let mut paths: Vec<String> = required.paths.into_iter().map(|(path, _)| path).collect();
            let before = present(sandbox, &paths).await?;
            paths.retain(|path| !before.contains(path));
            Ok::<_, SandboxError>(paths)
        };
        let looked = match looked.await {
            Ok(paths) if !paths.is_empty() => {
                let solved = self.solve_in(ready, &world).await;
                match solved {
                    Ok(()) => present(sandbox, &paths).await,
                    Err(fault) => {
                        let _ = world.stop().await;
                        return Err(fault);
                    }
                }
            }
            other => other.map(|_| Vec::new()),
        };
        let stopped = world.stop().await;
        // A sandbox that cannot be looked into says nothing against the task.
        match looked {
            Ok(made) => examined.made = made,
            Err(SandboxError::Guest(_)) => {}
            Err(error) => return Err(fault("look", &error)),
        }
        stopped.map_err(|error| fault("teardown", &error))
    }

    /// The solution, of every step where there are some, and nothing else.
    async fn solve_in(&self, ready: &Ready, world: &World) -> Result<(), Fault> {
        let oracle = agent::oracle();
        let scratch = self.scratch()?;
        if ready.parts.is_empty() {
            self.act_in(ready, world, &oracle, scratch.path()).await?;
            return Ok(());
        }
        for part in &ready.parts {
            if self.begin_step(world, part).await?.is_err() {
                return Ok(());
            }
            let scratch = self.scratch()?;
            self.act_in(part, world, &oracle, scratch.path()).await?;
        }
        Ok(())
    }

    /// What differs between two builds of the task's image.
    async fn changing(
        &self,
        ready: &Ready,
        events: &Events,
    ) -> Result<Vec<(String, String)>, Fault> {
        let environment = &ready.task.environment;
        if let ImageSource::Named(_) = environment.image {
            return Ok(Vec::new());
        }
        let what = format!("image of {} once more", ready.task.id);
        let limit = environment.build_timeout;
        let again = self.built_again(&environment.image, limit, what, events);
        let Some(again) = again.await? else {
            return Ok(Vec::new());
        };
        let compared = self.engine.compare(&ready.image.id, &again).await;
        let removed = self.images.remove_again(&again).await;
        let compared = compared.map_err(|error| fault("image", &error))?;
        removed.map_err(|error| fault("image", &error))?;
        Ok(compared)
    }
}

fn once(run: &ReferenceRun) -> Option<Once> {
    Some(Once {
        solution: run.solution.clone()?,
        nothing: run.nothing.clone(),
        performed: Duration::from_millis(run.took.performed_ms),
        verified: Duration::from_millis(run.took.verified_ms),
    })
}

/// How strong a verdict of the task can be.
fn evidence(run: &ReferenceRun) -> &'static str {
    let tests = run
        .solution
        .as_ref()
        .is_some_and(|one| !one.tests.is_empty());
    match (&run.probes, tests) {
        (Some(_), _) => "probed",
        (None, true) => "records",
        (None, false) => "asserted",
    }
}

fn without_network(ready: &Ready) -> Ready {
    let mut closed = ready.clone();
    let close = |task: &mut Task| {
        let of = |environment: &mut Environment| environment.network = Network::None;
        of(&mut task.environment);
        task.verification.network = Network::None;
        if let Some(separate) = &mut task.verification.separate {
            of(&mut separate.environment);
        }
    };
    close(&mut closed.task);
    closed
        .parts
        .iter_mut()
        .for_each(|part| close(&mut part.task));
    closed
}

async fn commits(sandbox: &dyn Sandbox) -> Result<Vec<Commits>, SandboxError> {
    let exec = Exec {
        user: User::Root,
        timeout: LOOK,
        ..Exec::new(["sh", "-c", COMMITS])
    };
    let ran = match sandbox.exec(exec).await {
        Ok(ran) => ran,
        // Without a shell there is nothing to look with.
        Err(SandboxError::Guest(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let text = ran.stdout.text();
    let found = text.lines().filter_map(|line| {
        let mut parts = line.splitn(3, '\t');
        Some(Commits {
            path: parts.next()?.to_owned(),
            count: parts.next()?.trim().parse().ok()?,
            newest: parts.next()?.to_owned(),
        })
    });
    Ok(found.collect())
}

/// Of these paths those that are there.
async fn present(sandbox: &dyn Sandbox, paths: &[String]) -> Result<Vec<String>, SandboxError> {
    let mut there = Vec::new();
    for path in paths {
        match sandbox.read(path, 0, 1, &User::Root).await {
            Ok(_) => there.push(path.clone()),
            // What is no file may be a folder.
            Err(SandboxError::Guest(refusal)) => {
                use crate::sandbox::GuestErrorKind::NotFound;
                if refusal.kind != NotFound {
                    there.push(path.clone());
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(there)
}
