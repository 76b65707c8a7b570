//! The reference run: what the reference solution and doing nothing come to.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Trials;
use super::capture::{Capture, Refusal};
use super::live::is_live;
use super::prepare::{Ready, fault};
use super::pristine::Own;
use super::probe::Subject;
use super::world::World;
use crate::agent::{self, Account, Agent, Ledger, Session};
use crate::record::{Fault, Outcome, Reason};
use crate::run::{Events, RunEvent};
use crate::sandbox::{NetworkMode, Role, SandboxError};
use crate::score;
use crate::swebench::Under;
use crate::tool::Toolbox;
use crate::trajectory::{Event, Recorder, read_events};
use crate::verify::VerifyError;
use crate::verify::official::{self, Came};
use crate::verify::probe::Baseline;
use crate::verify::reference::{JudgedRecord, ReferenceKey, ReferenceRun, Took};

/// Most that is told of a task that is not sound.
const MOST_TOLD: usize = 3;

/// A solution's change, taken or refused, and the record of its calls.
type Performed = (Result<Capture, Refusal>, Vec<Event>);

/// What a verification came to, and which of its expectations can be altered.
type Verified = (JudgedRecord, Option<Baseline>);

impl Trials {
    /// The verification of the reference solution and of doing nothing, from the
    /// cache where it is there.
    pub(super) async fn reference(
        &self,
        ready: &Ready,
        events: &Events,
    ) -> Result<ReferenceRun, Fault> {
        let task = &ready.task;
        let cache = self.engine.state().join("references");
        let key = self.reference_key(ready);
        let warn = |message: String| events.send(RunEvent::Warning { message });
        match ReferenceRun::load(&cache, &key) {
            Ok(Some(known)) => return Ok(known),
            Ok(None) => {}
            Err(error) => warn(format!("{}: {error}", task.id)),
        }
        let begun = events.preparing(format!("reference run of {}", task.id));
        let run = self.measured(ready, key).await;
        drop(begun);
        let run = run?;
        if let Err(error) = run.store(&cache) {
            warn(format!("{}: {error}", task.id));
        }
        Ok(run)
    }

    /// What a reference run of the task depends on here.
    pub(super) fn reference_key(&self, ready: &Ready) -> ReferenceKey {
        let [acts, verifies] =
            [Role::Agent, Role::Reference].map(|role| self.spec(ready, "", role));
        let specs = [&acts, &verifies];
        let networks = specs.map(|spec| spec.network == NetworkMode::Full);
        let limits = specs.map(|spec| spec.limits);
        let ground = serde_json::json!({
            "networks": networks,
            "limits": limits,
            "times": self.settings.run.timeout_multiplier,
        });
        ReferenceKey {
            rules: self.asked(ready).map(|asked| asked.named()),
            ground: Some(ground.to_string()),
            ..ReferenceKey::new(&ready.task, &ready.image.id)
        }
    }

    /// The verification of both, under the task's way of seeing.
    pub(super) async fn measured(
        &self,
        ready: &Ready,
        key: ReferenceKey,
    ) -> Result<ReferenceRun, Fault> {
        let task = &ready.task;
        let run = |solution, nothing| ReferenceRun::new(key, solution, nothing, crate::run::now());
        if !ready.parts.is_empty() {
            let (oracle, nop) = (agent::oracle(), agent::nop());
            let solution = self.measure_steps(ready, &oracle, "reference--solution");
            let solution = solution.await?;
            let nothing = self.measure_steps(ready, &nop, "reference--nothing");
            return Ok(run(Some(solution), nothing.await?));
        }
        let ((solution, probes), took) = self.reference_solution(ready).await?;
        let nothing = match self.nothing(ready) {
            Ok(_) if is_live(task) => self.nothing_live(ready).await?,
            Ok(nothing) => {
                let trial = "reference--nothing";
                self.verify_in_scratch(ready, &nothing, Own::Stays, trial)
                    .await?
                    .0
            }
            Err(error) => return Err(fault("verify", &error)),
        };
        Ok(ReferenceRun {
            probes,
            took,
            ..run(Some(solution), nothing)
        })
    }

    /// Tells of a task that is not sound, and has each of its trials tell it.
    pub(super) fn tell_unsound(&self, ready: &mut Ready, run: &ReferenceRun, events: &Events) {
        if let Err(problems) = run.sound() {
            let shown: Vec<&str> = problems
                .iter()
                .take(MOST_TOLD)
                .map(String::as_str)
                .collect();
            let more = match problems.len() - shown.len() {
                0 => String::new(),
                more => format!("; and {more} more (`proofyard check`)"),
            };
            let why = format!("not sound: {}{more}", shown.join("; "));
            let message = format!("{} is {why}", ready.task.id);
            ready.warnings.push(format!("the task is {why}"));
            events.send(RunEvent::Warning { message });
        }
    }

    pub(super) async fn reference_solution(
        &self,
        ready: &Ready,
    ) -> Result<(Verified, Took), Fault> {
        let task = &ready.task;
        let scratch = self.scratch()?;
        let world = self.begun_world(ready, "reference--solution").await?;
        let began = Instant::now();
        let performed = self.perform_solution(ready, &world, scratch.path());
        let performed = performed.await;
        let performed_ms = began.elapsed().as_millis() as u64;
        let began = Instant::now();
        let mut live = None;
        if let (true, Ok((Ok(captured), _))) = (is_live(task), &performed) {
            live = Some(self.measure_live(&world, ready, captured, false).await);
        }
        // Services go on until the verdict.
        let stopped = world.leave().await;
        let verified = self.verify_solution(ready, &world, performed, live).await;
        let verified_ms = began.elapsed().as_millis() as u64;
        let services = world.stop().await;
        let verified = verified?;
        let stopped = stopped.and(services);
        stopped.map_err(|error| fault("teardown", &error))?;
        let took = Took {
            performed_ms,
            verified_ms,
        };
        Ok((verified, took))
    }

    /// What came of the solution, as performed in a world whose sandboxes are gone.
    async fn verify_solution(
        &self,
        ready: &Ready,
        world: &World,
        performed: Result<Performed, Fault>,
        live: Option<Result<JudgedRecord, Fault>>,
    ) -> Result<Verified, Fault> {
        let task = &ready.task;
        let (captured, events) = performed?;
        let captured = match captured {
            Ok(captured) => captured,
            Err((reason, message)) => return Ok((JudgedRecord::fault(reason, message), None)),
        };
        let begins = ready.paths_begin(world.agent.workdir());
        let judged = score::judge_tools(&task.tools, &events, Some(&captured.touched), begins);
        if let Some((reason, message)) = judged.unmet {
            return Ok((JudgedRecord::fault(reason, message), None));
        }
        if let Some(live) = live {
            return live.map(|record| (record, None));
        }
        self.verify_in_scratch(ready, &captured, Own::Crosses, "reference--solution")
            .await
    }

    /// The solution, performed and taken; and the record of its calls.
    pub(super) async fn perform_solution(
        &self,
        ready: &Ready,
        world: &World,
        scratch: &Path,
    ) -> Result<Performed, Fault> {
        let events = self.act_in(ready, world, &agent::oracle(), scratch).await?;
        let captured = self
            .capture_world(world, ready, scratch, &events, false)
            .await?;
        Ok((captured, events))
    }

    /// An agent acts in a world that is no trial's; the record of its calls.
    pub(super) async fn act_in(
        &self,
        ready: &Ready,
        world: &World,
        agent: &dyn Agent,
        scratch: &Path,
    ) -> Result<Vec<Event>, Fault> {
        let task = &ready.task;
        let path = scratch.join("trajectory.jsonl");
        let recorder = Recorder::create(&path).map_err(|error| fault("agent", &error))?;
        let toolbox = Toolbox::of(&task.tools).map_err(|error| fault("agent", &error))?;
        let tools = world.tools(self, Arc::new(toolbox), Arc::new(recorder), |_, _, _| {});
        let (account, ledger) = (Account::default(), Ledger::new(None, 0));
        let limit = self.agent_time(task).unwrap_or(Duration::from_secs(86_400));
        let session = Session {
            task,
            tools: &tools,
            skills: &[],
            id: "reference",
            account: &account,
            ledger: &ledger,
            time_limit: Some(limit),
            started: Instant::now(),
        };
        // What it did until its time was over counts, as for every agent.
        if let Ok(Err(error)) = tokio::time::timeout(limit, agent.act(&session)).await {
            return Err(fault("agent", &error));
        }
        read_events(&path).map_err(|error| fault("agent", &error))
    }

    pub(super) async fn verify_in_scratch(
        &self,
        ready: &Ready,
        captured: &Capture,
        own: Own,
        trial: &str,
    ) -> Result<Verified, Fault> {
        let logs = self.scratch()?;
        let asked = self.asked(ready);
        if let Some(asked) = asked.filter(|asked| asked.under == Under::Official) {
            let came = match own {
                // Doing nothing is no prediction.
                Own::Stays => Ok(Came::EmptyPatch),
                Own::Crosses => {
                    let (patch, logs) = (captured.official_patch(), logs.path());
                    self.ask_official(ready, asked, patch, trial, logs).await
                }
            };
            let came = came.map_err(|error| fault("verify", &error))?;
            let judged = asked.judge(&ready.task, None, &came);
            return Ok((JudgedRecord::judged(&judged), None));
        }
        let place = self.place(ready, captured);
        let place = place.map_err(|error| fault("verify", &error))?.measuring();
        let pristine = self.pristine(ready, captured, &place, own, trial);
        let pristine = match pristine.await {
            Ok(pristine) => pristine,
            Err(SandboxError::Guest(refusal)) => {
                let broke = JudgedRecord::fault(Reason::BrokeVerifier, refusal.message);
                return Ok((broke, None));
            }
            Err(error) => return Err(fault("verify", &error)),
        };
        let subject = Subject {
            ready,
            captured,
            place: &place,
            own,
            trial,
        };
        let judged = self.judge(&pristine, subject, logs.path()).await;
        let stopped = pristine.stop().await;
        let mut probes = None;
        let record = match judged {
            Ok((judged, owned)) => {
                let judged = match own {
                    // Doing nothing is no prediction.
                    Own::Stays => Ok(judged),
                    Own::Crosses => {
                        let logs = logs.path().join(official::FOLDER);
                        let under = self.with_official(ready, judged, captured, trial, &logs);
                        under.await
                    }
                };
                let judged = match judged {
                    Ok(judged) => judged,
                    Err(error) => return Err(fault("verify", &error)),
                };
                stopped.map_err(|error| fault("teardown", &error))?;
                let resolved = judged.outcome == Outcome::Resolved && own == Own::Crosses;
                if resolved {
                    let baseline = match &judged.heard {
                        Some(heard) => self.baseline(subject, heard).await,
                        None => self.supplied_baseline(subject).await,
                    };
                    probes = match baseline {
                        Ok(baseline) => baseline,
                        Err(VerifyError::Broke { .. }) => None,
                        Err(error) => return Err(fault("probes", &error)),
                    };
                }
                JudgedRecord {
                    owned,
                    ..JudgedRecord::judged(&judged)
                }
            }
            Err(error @ VerifyError::Broke { .. }) => match JudgedRecord::broke(&error) {
                Some(record) => record,
                None => return Err(fault("verify", &error)),
            },
            Err(error) => return Err(fault("verify", &error)),
        };
        Ok((record, probes))
    }
}
