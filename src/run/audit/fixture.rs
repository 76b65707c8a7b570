//! A stored run for tests, made by what makes runs, without an engine.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::*;
use crate::record::{
    Basis, Evidence, Expect, Fault, JudgedBasis, TestRecord, TestState, Timing, TrialRecord,
};
use crate::run::fixture::{RecordBuilder, plan_of};
use crate::run::signature::tests::{KEY, PUBLIC};
use crate::run::{RunStore, Signer, fault_record, trial_dir};
use crate::score::decide_again;
use crate::trajectory::{Event, EventKind, Recorder};
use crate::verify::{judge_again, recount, reward_again};

const REPORT: &str = r#"<testsuite><testcase classname="t" name="test_a" file="t.py"/>
<testcase classname="t" name="test_b" file="t.py"/></testsuite>
"#;

/// A stored run of three trials: one judged by tests, one by a reward, one in error.
pub(super) struct Stored {
    pub folder: tempfile::TempDir,
    pub dir: PathBuf,
}

impl Stored {
    pub fn new(signed: bool) -> Self {
        let stored = Self::unfinished(signed, 3);
        let store = RunStore::open(&stored.dir).unwrap();
        store.signed_by(stored.signer(signed)).close().unwrap();
        stored
    }

    /// As it is before its manifest is written.
    pub fn unfinished(signed: bool, finished: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key.pem"), KEY).unwrap();
        fs::write(folder.path().join("public.pem"), PUBLIC).unwrap();
        let store = RunStore::create(&folder.path().join("runs"), plan_of(&["a", "b", "c"]));
        let store = store.unwrap();
        let dir = store.dir().to_owned();
        let stored = Self { folder, dir };
        let store = store.signed_by(stored.signer(signed));
        for index in 0..finished {
            finish(&store, index);
        }
        stored
    }

    pub fn signer(&self, signed: bool) -> Option<Signer> {
        signed.then(|| Signer::read(&self.folder.path().join("key.pem")).unwrap())
    }

    pub fn key(&self) -> PublicKey {
        PublicKey::read(&self.folder.path().join("public.pem")).unwrap()
    }

    pub fn audit(&self) -> Result<Audit, StoreError> {
        audit(&self.dir, None, &mut |_, _| {})
    }

    /// `file:line` of each finding.
    pub fn found(&self) -> Vec<String> {
        let findings = self.audit().unwrap().findings;
        let place = |finding: &Finding| match finding.line {
            Some(line) => format!("{}:{line}", finding.file),
            None => finding.file.clone(),
        };
        findings.iter().map(place).collect()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Every stored file that no longer changes.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        for entry in walkdir::WalkDir::new(&self.dir).sort_by_file_name() {
            let entry = entry.unwrap();
            let name = entry.path().strip_prefix(&self.dir).unwrap();
            let name = name.to_str().unwrap().to_owned();
            if entry.file_type().is_file() && name != ".lock" {
                files.push(name);
            }
        }
        files
    }

    /// Rewrites a trial's record as a forger would who knows every digest.
    pub fn forge(&self, trial: &str, edit: impl FnOnce(&mut Value)) {
        let dir = trial_dir(&self.dir, &TrialId::new(trial));
        let path = dir.join("trial.json");
        let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        edit(&mut record);
        let record: TrialRecord = serde_json::from_value(record).unwrap();
        let _ = fs::remove_file(self.path("manifest.json"));
        fs::write(&path, serde_json::to_vec_pretty(&record).unwrap()).unwrap();
        let manifest = Manifest::of_trial(&dir, &record.run, &record.trial).unwrap();
        fs::write(dir.join("manifest.json"), manifest.bytes().unwrap()).unwrap();
        let journal = self.path("results.jsonl");
        let mut lines = String::new();
        for line in fs::read_to_string(&journal).unwrap().lines() {
            let line: TrialRecord = serde_json::from_str(line).unwrap();
            let line = match line.trial == record.trial {
                true => TrialRecord {
                    manifest: Some(manifest::FileDigest::of(&manifest.bytes().unwrap()).digest()),
                    ..record.journal_line()
                },
                false => line,
            };
            lines.push_str(&serde_json::to_string(&line).unwrap());
            lines.push('\n');
        }
        fs::write(&journal, lines).unwrap();
        RunStore::open(&self.dir).unwrap().close().unwrap();
    }
}

fn event(kind: EventKind, text: &str) -> Event {
    Event {
        id: Some("1".into()),
        tool: Some("bash".into()),
        text: Some(text.into()),
        ok: (kind == EventKind::ToolResult).then_some(true),
        ..Event::new(kind)
    }
}

pub(super) fn finish(store: &RunStore, index: usize) {
    let planned = &store.run().trials[index];
    let dir = store.partial(&planned.trial).unwrap();
    let recorder = Recorder::of_trial(&dir.join("trajectory.jsonl"), planned.trial.as_str());
    let recorder = recorder.unwrap();
    for kind in [EventKind::User, EventKind::ToolCall, EventKind::ToolResult] {
        recorder.record(event(kind, "something")).unwrap();
    }
    let tally = recorder.finish().unwrap();
    fs::write(dir.join("change.patch"), "diff --git a/x b/x\n").unwrap();
    let logs = dir.join("verifier");
    fs::create_dir(&logs).unwrap();
    fs::write(logs.join("stdout.txt"), "2 passed\n").unwrap();
    let mut tests = Vec::new();
    match index {
        0 => {
            fs::write(logs.join("junit.xml"), REPORT).unwrap();
            tests = ["t.py::test_a", "t.py::test_b"].map(expected).to_vec();
            let states = recount(&logs, &tests).unwrap().unwrap().states;
            for test in &mut tests {
                test.state = states[&test.id];
            }
        }
        1 => fs::write(logs.join("reward.txt"), "0.5\n").unwrap(),
        _ => {
            let fault = Fault {
                class: "engine".into(),
                phase: "sandbox".into(),
                message: "no such container".into(),
                retryable: true,
            };
            let started = "2026-11-23T10:00:00Z".to_owned();
            let record = fault_record(
                store.run(),
                planned,
                &dir,
                fault,
                Timing::default(),
                started,
            );
            store.seal(&record).unwrap();
            return store.append(&[record]).unwrap();
        }
    }
    let reward = reward_again(&logs).unwrap().unwrap_or_default();
    let (outcome, reason) = judge_again(&tests, reward.reward, &reward.rewards, 1.0);
    let record = RecordBuilder::of(store.run(), index).edit(|record| {
        record.basis = Some(Basis {
            resolved_at: 1.0,
            judged: Some(JudgedBasis {
                outcome,
                reason,
                message: None,
            }),
            ..Basis::default()
        });
        record.reward = reward.reward;
        record.verdict.evidence = Some(Evidence::Records);
        record.verdict.passed = tests.len() as u32;
        record.verdict.tests = tests;
        let again = decide_again(record).unwrap();
        (record.outcome, record.verdict.reason) = (again.outcome, again.reason);
        record.clean = again.clean;
        record.trajectory.turns = tally.turns;
        record.trajectory.tool_calls = tally.tool_calls;
        record.trajectory.tool_errors = tally.tool_errors;
        record.trajectory.sha256 = tally.sha256;
        record.trajectory.head = Some(tally.head);
    });
    let record = record.build();
    store.seal(&record).unwrap();
    store.append(&[record]).unwrap();
}

fn expected(id: &str) -> TestRecord {
    TestRecord {
        id: id.into(),
        expect: Expect::FailToPass,
        state: TestState::Missing,
        excused: false,
        ms: 0,
        message: None,
    }
}
