//! The reference run: what the reference solution and doing nothing come to.
//!
//! Owns its address, its file in the cache and what can be concluded from it.
//! Must not know how it is run (`run::trial` does that) or what a trial makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::channel::Heard;
use super::keep::write_whole;
use super::probe::Baseline;
use super::{Judged, Usual, VERIFIER_VERSION, VerifyError};
use crate::record::{Digest, Expect, Outcome, Reason, Sees, TestRecord, TestState};
use crate::task::Task;

/// The schema that this version writes.
pub const REFERENCE_SCHEMA: &str = "proofyard/reference/1";
const MAX_FILE_BYTES: u64 = 256 << 20;

/// What a reference run depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceKey {
    /// Of every file of the task's folder.
    pub task: Digest,
    /// The engine's id of the image, `sha256:…`.
    pub image: String,
    pub sees: Sees,
    /// Whether hidden files were held.
    pub held: bool,
    /// [`VERIFIER_VERSION`] of who ran it.
    pub verifier: u32,
    /// By whose rules, of a task that has official ones too: `both 5.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// Network, limits and time of the sandbox, as far as settings say them: a test that
    /// was skipped, or killed, for want of one may pass with more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<String>,
}

/// One verification of a reference run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedRecord {
    pub outcome: Outcome,
    pub reason: Option<Reason>,
    pub message: Option<String>,
    pub tests: Vec<TestRecord>,
    pub reward: Option<f64>,
    #[serde(default)]
    pub rewards: BTreeMap<String, f64>,
    /// How the runner's session went, where its reporter told.
    #[serde(default)]
    pub shape: Option<Shape>,
    /// Paths of the change that are the verifier's; absolute. Of the reference
    /// solution they cross, and so they do of every other change.
    #[serde(default)]
    pub owned: BTreeSet<String>,
}

/// What a session of the runner had that is no test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// What the runner ended with.
    pub exit: i32,
    /// The folder that the runner's own parts lay in.
    #[serde(default)]
    pub runner: String,
    /// Parts of the runner that were others at the end.
    pub patched: BTreeSet<String>,
    /// Where plug-ins came from that came up on the way.
    pub plugins: BTreeSet<String>,
    /// Hidden files that were others while tests ran.
    pub changed: BTreeSet<String>,
    /// Ids of the records that each expected name stands for, where a runner's names
    /// may stand for several.
    #[serde(default)]
    pub mapping: BTreeMap<String, BTreeSet<String>>,
    /// Tests that a log named with several results.
    #[serde(default)]
    pub several: BTreeSet<String>,
}

impl Shape {
    /// Whether the runner itself is what the task is about: it lies in the work tree.
    pub fn runner_is_subject(&self, work_tree: &str) -> bool {
        let below = self.runner.strip_prefix(work_tree.trim_end_matches('/'));
        !work_tree.is_empty() && below.is_some_and(|below| below.starts_with('/'))
    }

    pub fn of(heard: &Heard) -> Self {
        Self {
            exit: heard.exit,
            runner: heard.runner.clone(),
            patched: heard.patched.clone(),
            plugins: heard.plugins.clone(),
            changed: heard.changed.clone(),
            mapping: BTreeMap::new(),
            several: BTreeSet::new(),
        }
    }
}

/// A reference run as it lies in the cache.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReferenceRun {
    /// `proofyard/reference/1`.
    pub schema: String,
    /// Of the key; it stands in each trial that rests on this run.
    pub digest: Digest,
    pub key: ReferenceKey,
    /// Of the reference solution; none where the task has no solution.
    pub solution: Option<JudgedRecord>,
    /// Of doing nothing.
    pub nothing: JudgedRecord,
    /// Which expectations can be altered so that the reference solution is refused.
    #[serde(default)]
    pub probes: Option<Baseline>,
    /// How long the solution took.
    #[serde(default)]
    pub took: Took,
    /// RFC 3339, UTC.
    pub created_at: String,
}

/// How long a reference solution took; 0 where that was not measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Took {
    /// To be performed, milliseconds.
    pub performed_ms: u64,
    /// To be verified, milliseconds.
    pub verified_ms: u64,
}

/// A reference run that could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    #[error("read the reference run {path}: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("write the reference run {path}: {source}")]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
}

impl ReferenceKey {
    /// The key of a task on an image, for the verifier of this version.
    ///
    /// # Panics
    /// A task without the digest of its files, which would share its reference run with
    /// every other one.
    pub fn new(task: &Task, image: &str) -> Self {
        assert!(
            !task.digest.as_str().is_empty(),
            "the task {} has no digest",
            task.id
        );
        Self {
            task: task.digest.clone(),
            image: image.to_owned(),
            sees: task.verification.sees,
            held: task.verification.hold,
            verifier: VERIFIER_VERSION,
            rules: None,
            ground: None,
        }
    }

    /// `sha256:…` of the key: each part with its length before it.
    pub fn digest(&self) -> Digest {
        let sees = match self.sees {
            Sees::Patch => "patch",
            Sees::Files => "files",
            Sees::Live => "live",
        };
        let verifier = self.verifier.to_string();
        let mut hash = Sha256::new();
        for part in [
            REFERENCE_SCHEMA,
            self.task.as_str(),
            &self.image,
            sees,
            if self.held { "held" } else { "writable" },
            &verifier,
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        if let Some(rules) = &self.rules {
            hash.update(rules);
        }
        if let Some(ground) = &self.ground {
            hash.update((ground.len() as u64).to_be_bytes());
            hash.update(ground);
        }
        Digest::of_sha256(&hash.finalize())
    }

    fn path(&self, cache: &Path) -> PathBuf {
        let digest = self.digest();
        let hex = digest.as_str().trim_start_matches("sha256:");
        cache.join(format!("{hex}.json"))
    }
}

impl JudgedRecord {
    /// A verification that ended in a judgement.
    pub fn judged(judged: &Judged) -> Self {
        Self {
            outcome: judged.outcome,
            reason: judged.reason,
            message: judged.message.clone(),
            tests: judged.tests.clone(),
            reward: judged.reward,
            rewards: judged.rewards.clone(),
            shape: judged.shape.clone(),
            owned: BTreeSet::new(),
        }
    }

    /// A verification that broke the verifier's sandbox; none where the engine or
    /// the host failed by itself, which says nothing about the task.
    pub fn broke(error: &VerifyError) -> Option<Self> {
        match error {
            VerifyError::Broke { .. } => {
                Some(Self::fault(Reason::BrokeVerifier, error.to_string()))
            }
            VerifyError::Sandbox { .. } | VerifyError::Keep { .. } | VerifyError::Hidden(_) => None,
        }
    }

    /// A change that met a fault before or in its verification.
    pub fn fault(reason: Reason, message: String) -> Self {
        Self {
            outcome: Outcome::Unresolved,
            reason: Some(reason),
            message: Some(message),
            tests: Vec::new(),
            reward: None,
            rewards: BTreeMap::new(),
            shape: None,
            owned: BTreeSet::new(),
        }
    }

    /// What became of each test that did not pass.
    pub fn usual(&self) -> Usual {
        let other = |test: &&TestRecord| test.state != TestState::Passed;
        let states = self.tests.iter().filter(other);
        Usual::Known(states.map(|test| (test.id.clone(), test.state)).collect())
    }

    fn state(&self, id: &str) -> TestState {
        let found = self.tests.iter().find(|test| test.id == id);
        found.map_or(TestState::Missing, |test| test.state)
    }

    fn why(&self) -> &str {
        self.message.as_deref().unwrap_or("no reason is recorded")
    }
}

impl ReferenceRun {
    /// A run of this key.
    pub fn new(
        key: ReferenceKey,
        solution: Option<JudgedRecord>,
        nothing: JudgedRecord,
        created_at: String,
    ) -> Self {
        Self {
            schema: REFERENCE_SCHEMA.to_owned(),
            digest: key.digest(),
            key,
            solution,
            nothing,
            probes: None,
            took: Took::default(),
            created_at,
        }
    }

    /// The run of a key, if the cache has it. A file that is damaged, of another
    /// schema or of another key is as good as none.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn load(cache: &Path, key: &ReferenceKey) -> Result<Option<Self>, ReferenceError> {
        let path = key.path(cache);
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ReferenceError::Read { path, source }),
        };
        let mut content = Vec::new();
        if let Err(source) = file.take(MAX_FILE_BYTES).read_to_end(&mut content) {
            return Err(ReferenceError::Read { path, source });
        }
        let run = serde_json::from_slice(&content).ok().filter(|run: &Self| {
            run.schema == REFERENCE_SCHEMA && run.key == *key && run.digest == key.digest()
        });
        Ok(run)
    }

    /// Keeps the run in the cache, whole or not at all.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn store(&self, cache: &Path) -> Result<(), ReferenceError> {
        let path = self.key.path(cache);
        let write = || {
            std::fs::create_dir_all(cache)?;
            write_whole(&path, &serde_json::to_vec_pretty(self)?)
        };
        write().map_err(|source| ReferenceError::Write {
            path: path.clone(),
            source,
        })
    }

    /// Whether the task tells a solution from doing nothing; else what is wrong, a
    /// sentence each. Without a solution only doing nothing is looked at.
    ///
    /// # Errors
    /// What is wrong with the task.
    pub fn sound(&self) -> Result<(), Vec<String>> {
        let mut wrong = Vec::new();
        if self.nothing.outcome == Outcome::Resolved {
            wrong.push("doing nothing resolves it".to_owned());
        }
        for test in &self.nothing.tests {
            let state = word(test.state);
            let excused = test.excused && self.solution_state(&test.id) == Some(test.state);
            match (test.expect, test.state == TestState::Passed || excused) {
                (Expect::FailToPass, true) => {
                    wrong.push(format!(
                        "fail_to_pass `{}` passes when nothing is done",
                        test.id
                    ));
                }
                (Expect::PassToPass, false) => {
                    wrong.push(format!(
                        "pass_to_pass `{}` is {state} when nothing is done",
                        test.id
                    ));
                }
                _ => {}
            }
        }
        if let Some(solution) = &self.solution {
            if solution.outcome != Outcome::Resolved {
                wrong.push(format!(
                    "the reference solution does not resolve it: {}",
                    solution.why()
                ));
            }
            for test in solution
                .tests
                .iter()
                .filter(|test| test.state != TestState::Passed && !test.excused)
            {
                let expect = match test.expect {
                    Expect::FailToPass => "fail_to_pass",
                    Expect::PassToPass => "pass_to_pass",
                    Expect::Pass => "test",
                };
                let state = word(test.state);
                wrong.push(format!(
                    "{expect} `{}` is {state} with the reference solution",
                    test.id
                ));
            }
            let unseen = self.nothing.tests.iter().filter(|test| {
                test.expect != Expect::Pass
                    && !solution.tests.iter().any(|other| other.id == test.id)
            });
            wrong.extend(unseen.map(|test| {
                let state = word(solution.state(&test.id));
                format!("`{}` is {state} with the reference solution", test.id)
            }));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    fn solution_state(&self, id: &str) -> Option<TestState> {
        self.solution.as_ref().map(|solution| solution.state(id))
    }

    /// Whether the reference solution meets this fault too: then it is the task's or
    /// the machine's, not an agent's. Tests that fail and rewards that are low are no
    /// faults.
    pub fn meets_same_fault(&self, reason: Reason) -> bool {
        let is_fault = match reason {
            Reason::NoVerdict
            | Reason::VerifierTimeout
            | Reason::BuildFailed
            | Reason::BrokeVerifier
            | Reason::ChangeTooLarge
            | Reason::CaptureFailed
            | Reason::RecordsContradict => true,
            Reason::TestsFailed
            | Reason::NotTested
            | Reason::OfficialUnresolved
            | Reason::PatchDoesNotApply
            | Reason::EmptyPatch
            | Reason::TestsMissing
            | Reason::RewardBelow
            | Reason::RequiredCallMissing
            | Reason::StepsUnreached
            | Reason::CallOrder
            | Reason::Other => false,
        };
        is_fault
            && self
                .solution
                .as_ref()
                .is_some_and(|run| run.reason == Some(reason))
    }
}

fn word(state: TestState) -> &'static str {
    match state {
        TestState::Passed => "passed",
        TestState::Failed => "failed",
        TestState::Error => "in error",
        TestState::Skipped => "skipped",
        TestState::Xfailed => "expected to fail",
        TestState::Xpassed => "unexpectedly passed",
        TestState::Missing => "missing",
    }
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
