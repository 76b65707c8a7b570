//! Predictions, reports and summaries, held against the official package's own functions.
//!
//! Slow: the package is installed from its registry into an environment of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proofyard::swebench::Rules;
use proofyard::swebench::grade::{self, Instance};
use proofyard::swebench::predictions::{Prediction, write_jsonl};
use proofyard::swebench::report::{
    Fate, InstanceReport, REPORT, Report, Submission, Summary, TEST_OUTPUT, instance_folder,
    summary_file,
};
use serde_json::{Value, json};

const MODEL: &str = "org/model é";

/// Logs of every kind that the shared cases have.
fn cases() -> Option<Vec<Value>> {
    let shared = std::env::var_os("PROOFYARD_SHARED").unwrap_or("../shared".into());
    let file = Path::new(&shared).join("data/swebench/parsers/grading.jsonl");
    let text = fs::read_to_string(file).ok()?;
    let lines = text.split('\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_str(line).ok()).collect()
}

/// Python with the package of this version; made once.
fn python(version: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("swebench-{version}"));
    let python = home.join("bin/python");
    let done = home.join("installed");
    if done.exists() {
        return python;
    }
    let run = |program: &Path, arguments: &[&str]| {
        let out = Command::new(program).args(arguments).output();
        let out = out.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
    };
    run(
        Path::new("python3"),
        &["-m", "venv", &home.to_string_lossy()],
    );
    let package = format!("swebench=={version}");
    run(&python, &["-m", "pip", "install", "--quiet", &package]);
    fs::write(done, "").unwrap();
    python
}

/// Writes what a run of ours would, into a folder.
fn written(cases: &[Value], rules: Rules, to: &Path) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let list = |value: &Value| -> Vec<String> { serde_json::from_value(value.clone()).unwrap() };
    let (mut predictions, mut rows, mut submitted) = (Vec::new(), Vec::new(), BTreeMap::new());
    for case in cases {
        let of = |key: &str| text(&case[key]).unwrap_or_default();
        let Some(log) = text(&case["log"]) else {
            continue;
        };
        // One parser reads the number of the instance.
        let id = match of("repo").as_str() {
            "jekyll/jekyll" => of("instance_id"),
            _ => format!("acme__{}-1", of("id")),
        };
        if submitted.contains_key(&id) {
            continue;
        }
        rows.push(json!({
            "instance_id": id, "repo": of("repo"), "version": of("repo_version"),
            "log_parser": of("log_parser"), "eval_type": of("eval_type"),
            "FAIL_TO_PASS": case["F2P"], "PASS_TO_PASS": case["P2P"], "image": "none",
        }));
        let prediction = Prediction {
            instance_id: id.clone(),
            model: Some(MODEL.to_owned()),
            patch: text(&case["model_patch"]),
            line: 0,
        };
        let empty = prediction.patch().is_none();
        predictions.push(prediction);
        if empty {
            let fate = Fate::EmptyPatch;
            submitted.insert(id, Submission { fate, infra: None });
            continue;
        }
        let (fail, pass) = (list(&case["F2P"]), list(&case["P2P"]));
        let (repo, version, parser, kind) = (
            of("repo"),
            of("repo_version"),
            of("log_parser"),
            of("eval_type"),
        );
        let instance = Instance {
            instance_id: &id,
            repo: &repo,
            version: &version,
            log_parser: Some(&parser),
            eval_type: Some(&kind),
            fail_to_pass: &fail,
            pass_to_pass: &pass,
        };
        let folder = to.join(instance_folder("run", Some(MODEL), &id).unwrap());
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(TEST_OUTPUT), &log).unwrap();
        let fate = match grade::grade(rules, &instance, log.as_bytes()) {
            Ok(graded) => {
                let report = Report::of(&id, InstanceReport::of(rules, &graded));
                fs::write(folder.join(REPORT), report.text()).unwrap();
                match graded.resolved() {
                    true => Fate::Resolved,
                    false => Fate::Unresolved,
                }
            }
            Err(_) => Fate::Error,
        };
        let infra = grade::classify(&[log.as_bytes()]);
        submitted.insert(id, Submission { fate, infra });
    }
    let mut file = fs::File::create(to.join("predictions.jsonl")).unwrap();
    write_jsonl(&mut file, &predictions).unwrap();
    fs::write(
        to.join("dataset.json"),
        Value::from(rows.clone()).to_string(),
    )
    .unwrap();
    let ids = rows.iter().filter_map(|row| row["instance_id"].as_str());
    let summary = Summary::of(rules, ids, &submitted);
    let ours = to.join("ours");
    fs::create_dir(&ours).unwrap();
    fs::write(
        ours.join(summary_file(Some(MODEL), "run").unwrap()),
        summary.text(),
    )
    .unwrap();
}

#[test]
fn what_we_write_the_official_package_reads_and_would_have_written_itself() {
    if std::env::var_os("PROOFYARD_SLOW").is_none() {
        eprintln!("skipped: PROOFYARD_SLOW is not set");
        return;
    }
    let Some(cases) = cases() else {
        eprintln!("skipped: PROOFYARD_SHARED does not name a folder with `data/swebench/`");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/swebench/roundtrip.py");
    for (rules, version) in [(Rules::V4_1, "4.1.0"), (Rules::V5_0, "5.0.2")] {
        let folder = tempfile::tempdir().unwrap();
        written(&cases, rules, folder.path());
        let out = Command::new(python(version))
            .arg(&script)
            .arg(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        let failed = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "{said}\n{failed}");
        assert!(said.contains(" 0 differ"), "{said}");
        assert!(!said.contains(" 0 logs"), "{said}");
    }
}
