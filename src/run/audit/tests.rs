//! What an audit finds: every byte that was changed, and every outcome that does not
//! follow.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::fixture::{Stored, finish};
use super::*;
use crate::record::Outcome;
use crate::run::fixture::{RecordBuilder, plan_of};
use crate::run::{RunStore, trial_dir};

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_was_stored_is_fine_signed_or_not() {
    let plain = Stored::new(false);
    let audit_of = plain.audit().unwrap();
    assert_eq!(audit_of.findings, []);
    assert_eq!((audit_of.trials, audit_of.missing), (3, 0));
    assert_eq!(audit_of.signed, Signed::No);
    assert!(audit_of.notes[0].contains("clumsy"), "{:?}", audit_of.notes);
    assert_eq!(audit_of.files, plain.files().len() as u64 - 1);

    let signed = Stored::new(true);
    let key = signed.key();
    assert_eq!(signed.audit().unwrap().signed, Signed::By(key.hex()));
    let asked = audit(&signed.dir, Some(&key), &mut |_, _| {}).unwrap();
    assert_eq!((asked.findings, asked.notes), (vec![], vec![]));
    assert_eq!(asked.signed, Signed::Verified(key.hex()));
    let asked = audit(&plain.dir, Some(&key), &mut |_, _| {}).unwrap();
    assert_eq!(asked.findings[0].check, Check::Signature);
}

/// The records of all of this are tiny; what is asked for is each of their bytes.
#[test]
fn any_one_byte_that_is_flipped_is_found() {
    for signed in [false, true] {
        let stored = Stored::new(signed);
        let files = stored.files();
        let mut runner = TestRunner::new(Config::with_cases(300));
        let any_byte = (any::<Index>(), any::<Index>(), 1u8..);
        let flipped = runner.run(&any_byte, |(file, byte, mask)| {
            let name = file.get(&files);
            let path = stored.path(name);
            let whole = fs::read(&path).unwrap();
            let mut altered = whole.clone();
            altered[byte.index(whole.len())] ^= mask;
            fs::write(&path, &altered).unwrap();
            let found = stored.audit();
            fs::write(&path, &whole).unwrap();
            match found {
                Err(_) => {}
                Ok(audit) if name == "manifest.json" => prop_assert!(!audit.findings.is_empty()),
                Ok(audit) => prop_assert!(
                    audit.findings.iter().any(|finding| finding.file == *name),
                    "{name}: {:?}",
                    audit.findings
                ),
            }
            Ok(())
        });
        flipped.unwrap();
        assert_eq!(stored.audit().unwrap().findings, []);
    }
}

#[test]
fn a_file_that_is_gone_shorter_longer_or_foreign_is_found() {
    let stored = Stored::new(true);
    for name in stored.files() {
        let path = stored.path(&name);
        let whole = fs::read(&path).unwrap();
        let mut longer = whole.clone();
        longer.push(b'\n');
        let named = |what: &str| {
            let Ok(audit) = stored.audit() else { return };
            let found = |finding: &Finding| {
                finding.file == name || name == "manifest.json" && finding.file == "manifest.sig"
            };
            assert!(audit.findings.iter().any(found), "{what}: {name}");
        };
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        named("shorter");
        fs::write(&path, &[] as &[u8]).unwrap();
        named("empty");
        if name != "results.jsonl" {
            fs::write(&path, longer).unwrap();
            named("longer");
        }
        fs::remove_file(&path).unwrap();
        named("gone");
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert!(stored.audit().is_err() || !stored.found().is_empty());
        fs::remove_file(&path).unwrap();
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(stored.found(), [] as [&str; 0]);
    fs::create_dir_all(stored.path("derived/scores")).unwrap();
    fs::write(stored.path("derived/scores/x.json"), "{}").unwrap();
    assert_eq!(stored.found(), [] as [&str; 0]);
    fs::write(stored.path("trials/a--nop--1/verifier/reward.txt"), "1").unwrap();
    fs::write(stored.path("notes.txt"), "").unwrap();
    fs::create_dir(stored.path("trials/.partial-a--nop--1")).unwrap();
    let found = stored.found();
    for name in [
        "notes.txt",
        "trials/.partial-a--nop--1",
        "trials/a--nop--1/verifier/reward.txt",
    ] {
        assert!(found.iter().any(|found| found == name), "{found:?}");
    }
    fs::remove_dir_all(stored.path("trials/b--nop--1")).unwrap();
    assert!(stored.found().contains(&"trials/b--nop--1".to_owned()));
}

#[test]
fn two_events_that_were_swapped_are_found_where_they_are() {
    let stored = Stored::new(false);
    let path = stored.path("trials/a--nop--1/trajectory.jsonl");
    let mut events = lines(&path);
    events.swap(1, 2);
    fs::write(&path, events.concat()).unwrap();
    let found = stored.found();
    let line = "trials/a--nop--1/trajectory.jsonl:2".to_owned();
    assert!(found.contains(&line), "{found:?}");
}

#[test]
fn a_journal_line_that_is_gone_doubled_or_altered_is_found() {
    let stored = Stored::new(false);
    let path = stored.path("results.jsonl");
    let whole = lines(&path);
    for at in 0..whole.len() {
        let mut fewer = whole.clone();
        fewer.remove(at);
        fs::write(&path, fewer.concat()).unwrap();
        assert!(!stored.found().is_empty());
        // A resume neither mends it nor puts it on record.
        let store = RunStore::open(&stored.dir).unwrap();
        store.close().unwrap();
        assert!(store.warnings().iter().any(|told| told.contains("audit")));
        drop(store);
        // The last line alone can be written again as it was, from the trial's folder.
        assert_eq!(stored.found().is_empty(), at + 1 == whole.len());
    }
    let mut altered = whole.clone();
    altered[1] = altered[1].replace("\"unresolved\"", "\"resolved\"");
    fs::write(&path, altered.concat()).unwrap();
    assert!(stored.found().contains(&"results.jsonl:2".to_owned()));
    let mut torn = whole.concat();
    torn.push_str("{\"half\":");
    fs::write(&path, torn).unwrap();
    assert_eq!(stored.found(), ["results.jsonl:4"]);
}

#[test]
fn an_outcome_that_does_not_follow_from_its_records_is_found_however_well_it_is_forged() {
    let outcome = |stored: &Stored| {
        let findings = stored.audit().unwrap().findings;
        assert!(!findings.is_empty());
        for finding in &findings {
            assert_eq!(finding.check, Check::Outcome, "{finding:?}");
            assert_eq!(finding.file.rsplit('/').next(), Some("trial.json"));
        }
        findings
    };
    let stored = Stored::new(false);
    stored.forge("b--nop--1", |record| record["outcome"] = "resolved".into());
    let findings = outcome(&stored);
    assert_eq!(findings[0].expected, "outcome unresolved");
    assert_eq!(findings[0].found, "outcome resolved");

    let stored = Stored::new(false);
    stored.forge("b--nop--1", |record| {
        record["outcome"] = "resolved".into();
        record["clean"] = true.into();
        record["verdict"]["reason"] = Value::Null;
        record["basis"]["judged"] = json!({"outcome": "resolved", "reason": null, "message": null});
        record["reward"] = 1.0.into();
    });
    assert!(outcome(&stored)[0].expected.contains("reward 0.5"));

    let stored = Stored::new(false);
    stored.forge("a--nop--1", |record| {
        record["verdict"]["tests"][0]["state"] = "failed".into();
        record["verdict"]["passed"] = 1.into();
    });
    let findings = outcome(&stored);
    let by_report = |finding: &Finding| finding.expected.contains("by verifier/junit.xml");
    assert!(findings.iter().any(by_report), "{findings:?}");
    assert_eq!(findings[0].expected, "judged unresolved tests_failed");

    let stored = Stored::new(false);
    stored.forge("a--nop--1", |record| {
        record["basis"] = Value::Null;
        record["verdict"]["flags"] = json!([{"kind": "forbidden_call", "detail": "x"}]);
    });
    assert_eq!(outcome(&stored).len(), 2);
}

#[test]
fn a_run_that_was_cut_off_is_told_as_one_and_resume_puts_it_on_record() {
    let stored = Stored::unfinished(true, 2);
    assert_eq!(stored.found(), ["manifest.json"]);
    let path = stored.path("trials/a--nop--1/change.patch");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, b"diff --git a/y b/y\n").unwrap();
    let found = stored.found();
    assert_eq!(found, ["manifest.json", "trials/a--nop--1/change.patch"]);
    fs::write(&path, whole).unwrap();
    let store = RunStore::open(&stored.dir).unwrap();
    let store = store.signed_by(stored.signer(true));
    store.close().unwrap();
    drop(store);
    let audit_of = stored.audit().unwrap();
    assert_eq!((audit_of.findings, audit_of.missing), (vec![], 1));

    // A resume that is cut off: what is newer rests on the journal.
    let store = RunStore::open(&stored.dir).unwrap();
    finish(&store, 2);
    drop(store);
    let audit_of = stored.audit().unwrap();
    assert_eq!(audit_of.findings, []);
    assert!(audit_of.notes[0].contains("1 trial finished after"));
    let asked = audit(&stored.dir, Some(&stored.key()), &mut |_, _| {}).unwrap();
    assert_eq!(asked.findings[0].check, Check::Signature);
    RunStore::open(&stored.dir).unwrap().close().unwrap();
    assert_eq!(stored.audit().unwrap().signed, Signed::No);
}

#[test]
fn a_trial_in_error_that_was_executed_again_is_fine() {
    let stored = Stored::new(false);
    let store = RunStore::open(&stored.dir).unwrap();
    let planned = store.run().trials[2].trial.clone();
    let earlier = store.finished()[2].clone();
    assert_eq!(earlier.outcome, Outcome::Error);
    finish(&store, 2);
    store.close().unwrap();
    drop(store);
    assert_eq!(lines(&stored.path("results.jsonl")).len(), 4);
    assert_eq!(stored.found(), [] as [&str; 0], "{planned}");
}

#[test]
fn nobody_audits_what_somebody_works_on_and_what_is_no_run_is_said() {
    let stored = Stored::new(false);
    let store = RunStore::open(&stored.dir).unwrap();
    let refused = stored.audit().unwrap_err();
    assert!(matches!(refused, StoreError::Busy { .. }), "{refused}");
    drop(store);
    let nothing = audit(stored.folder.path(), None, &mut |_, _| {}).unwrap_err();
    assert!(matches!(nothing, StoreError::NotARun { .. }), "{nothing}");
}

#[test]
fn a_run_of_an_earlier_version_is_audited_as_far_as_it_goes() {
    let out = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/records");
    assert!(fixture.is_dir());
    let store = RunStore::create(out.path(), plan_of(&["a"])).unwrap();
    let mut record = RecordBuilder::of(store.run(), 0).build();
    let event = b"{\"seq\":0,\"t_ms\":1,\"kind\":\"assistant\"}\n";
    record.trajectory.head = None;
    record.trajectory.sha256 = manifest::FileDigest::of(event).sha256;
    let dir = store.dir().to_owned();
    let folder = trial_dir(&dir, &record.trial);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("trajectory.jsonl"), event).unwrap();
    fs::write(
        folder.join("trial.json"),
        serde_json::to_vec(&record).unwrap(),
    )
    .unwrap();
    store.append(&[record]).unwrap();
    drop(store);
    let old = audit(&dir, None, &mut |_, _| {}).unwrap();
    assert_eq!(old.findings.len(), 1, "{:?}", old.findings);
    assert_eq!(old.findings[0].file, "manifest.json");
    assert!(
        old.notes.iter().any(|note| note.contains("no chain")),
        "{:?}",
        old.notes
    );
    RunStore::open(&dir).unwrap().close().unwrap();
    let old = audit(&dir, None, &mut |_, _| {}).unwrap();
    assert_eq!(old.findings, []);
}
