//! Predictions of others, graded: outcomes, what is kept and used again, what is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::swebench::{Bench, write};
use crate::swebench_projects::pytest;
use crate::yard::until;

/// Three instances of one repository, as of Multimodal in what they have besides.
fn rows(bench: &Bench) -> (PathBuf, Vec<Value>) {
    let (_, row) = pytest(bench);
    let assets = json!({"problem_statement": ["https://example.invalid/a.png"], "patch": [], "test_patch": []});
    let rows = [1, 2, 3].map(|number| {
        let mut row = row.clone();
        row["instance_id"] = json!(format!("own__doubles-{number}"));
        row["image_assets"] = assets.clone();
        row
    });
    (bench.rows(&rows), rows.to_vec())
}

fn prediction(row: &Value, model: &str, patch: &str) -> Value {
    json!({"instance_id": row["instance_id"], "model_name_or_path": model, "model_patch": patch})
}

/// The finished trials of a grading, by their instances, and its exit code.
fn graded(
    bench: &Bench,
    predictions: &str,
    rows: &Path,
    more: &[&str],
) -> (Vec<Value>, Option<i32>) {
    let flags = bench.flags();
    let mut arguments = vec!["grade", predictions, "--json", "--dataset"];
    arguments.push(rows.to_str().unwrap());
    arguments.extend(flags.iter().map(String::as_str));
    arguments.extend(more);
    let (lines, code) = bench.lines(&arguments);
    let finished = lines
        .iter()
        .filter(|line| line["event"] == "trial_finished");
    let mut trials: Vec<Value> = finished.map(|line| line["trial"].clone()).collect();
    trials.sort_by_key(|trial| trial["task"]["name"].to_string());
    (trials, code)
}

fn kept(trial: &Value) -> bool {
    trial["provenance"].get("verdict_of").is_some()
}

#[test]
fn predictions_are_graded_summed_up_and_their_verdicts_kept() {
    let bench = Bench::new();
    let (file, rows) = rows(&bench);
    let gold = rows[0]["patch"].as_str().unwrap();
    let other = gold
        .replace("a/twice/double.py", "a/gone.py")
        .replace("b/twice/double.py", "b/gone.py");
    let all = json!([
        prediction(&rows[0], "own/model", gold),
        prediction(&rows[1], "own/model", ""),
        prediction(&rows[2], "own/model", &other),
    ]);
    let preds = bench.yard.path("preds.json");
    write(&preds, &all.to_string());
    let preds = preds.to_str().unwrap();
    let (trials, code) = graded(&bench, preds, &file, &["--run-id", "first", "--no-check"]);
    assert_eq!((trials.len(), code), (3, Some(0)), "{trials:#?}");
    let said = |trial: &Value| {
        let verdict = &trial["verdict"];
        [
            &trial["outcome"],
            &verdict["reason"],
            &verdict["official"]["resolved"],
        ]
        .map(Value::clone)
    };
    assert_eq!(
        said(&trials[0]),
        [json!("resolved"), Value::Null, json!(true)]
    );
    assert_eq!(
        said(&trials[1]),
        [json!("unresolved"), json!("empty_patch"), json!(false)]
    );
    assert_eq!(
        said(&trials[2]),
        [
            json!("unresolved"),
            json!("patch_does_not_apply"),
            json!(false)
        ]
    );
    for trial in &trials {
        assert_eq!(trial["agent"]["name"], "predictions");
        assert_eq!(trial["model"]["id"], "own/model");
        assert_eq!(
            trial["verdict"]["official"].get("differs"),
            None,
            "{trial:#}"
        );
        assert!(!kept(trial), "{trial:#}");
    }
    let summary = bench
        .yard
        .path("runs/first/derived/official/own__model.first.json");
    let summary: Value = serde_json::from_slice(&fs::read(summary).unwrap()).unwrap();
    for (list, id) in [
        ("resolved_ids", 1),
        ("empty_patch_ids", 2),
        ("error_ids", 3),
    ] {
        assert_eq!(
            summary[list],
            json!([format!("own__doubles-{id}")]),
            "{summary:#}"
        );
    }

    // By another name of the same rows, and with one patch changed to another that works.
    let again = bench.yard.path("again.jsonl");
    fs::copy(&file, &again).unwrap();
    let changed = gold.replace("+    return x + x", "+    return 2 * x");
    let all = [
        prediction(&rows[0], "own/model", &changed),
        all[1].clone(),
        all[2].clone(),
    ];
    let lines = all.map(|one| one.to_string() + "\n").concat();
    let preds = bench.yard.path("preds.jsonl");
    write(&preds, &lines);
    let preds = preds.to_str().unwrap();
    let reused = |more: &[&str]| {
        let (trials, code) = graded(&bench, preds, &again, &[&["--no-check"], more].concat());
        assert_eq!(code, Some(0), "{trials:#?}");
        assert_eq!(trials[0]["outcome"], "resolved", "{:#}", trials[0]);
        trials.iter().map(kept).collect::<Vec<bool>>()
    };
    assert_eq!(reused(&[]), [false, true, true]);
    assert_eq!(reused(&[]), [true, true, true]);
    assert_eq!(reused(&["--no-cache"]), [false, false, false]);
    assert_eq!(reused(&["--rules", "official"]), [false, false, false]);
    assert_eq!(bench.yard.left(), Vec::<String>::new());
}

#[test]
fn a_grading_that_was_interrupted_goes_on_without_its_files() {
    let bench = Bench::new();
    let (file, rows) = rows(&bench);
    let gold = |row: &Value| prediction(row, "own", row["patch"].as_str().unwrap());
    let lines: String = rows
        .iter()
        .map(|row| gold(row).to_string() + "\n")
        .collect();
    let preds = bench.yard.path("preds.jsonl");
    write(&preds, &lines);
    let yard = &bench.yard;
    let flags = bench.flags();
    let mut arguments = vec![
        "grade",
        preds.to_str().unwrap(),
        "--dataset",
        file.to_str().unwrap(),
    ];
    arguments.extend(flags.iter().map(String::as_str));
    arguments.extend([
        "-j",
        "1",
        "--no-check",
        "--rules",
        "official",
        "--run-id",
        "cut",
    ]);
    let mut running = yard
        .command(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let journal = yard.path("runs/cut/results.jsonl");
    let finished = || {
        fs::read_to_string(&journal)
            .unwrap_or_default()
            .lines()
            .count()
    };
    until("a finished trial", || (finished() > 0).then_some(()));
    let pid = nix::unistd::Pid::from_raw(running.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130));
    assert!(finished() < 3);
    for gone in [&preds, &file] {
        fs::remove_file(gone).unwrap();
    }
    let resumed = yard.proofyard(&["resume", "cut"]);
    let said = String::from_utf8(resumed.stdout).unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{said}");
    assert_eq!(finished(), 3);
    assert!(said.contains("3/3"), "{said}");
    assert!(said.contains("the official summary"), "{said}");
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn predictions_that_cannot_be_graded_are_refused_with_their_lines() {
    let bench = Bench::new();
    let (file, rows) = rows(&bench);
    let preds = bench.yard.path("preds.jsonl");
    let refused = |lines: &[Value]| {
        let lines: String = lines.iter().map(|line| line.to_string() + "\n").collect();
        write(&preds, &lines);
        let arguments = [
            "grade",
            preds.to_str().unwrap(),
            "--dataset",
            file.to_str().unwrap(),
        ];
        let output = bench.yard.proofyard(&arguments);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let good = prediction(&rows[0], "own", "");
    let error = refused(&[
        good.clone(),
        json!({"instance_id": "own__gone-1", "model_patch": ""}),
    ]);
    assert!(error.contains("preds.jsonl:2"), "{error}");
    assert!(error.contains("own__gone-1"), "{error}");
    let error = refused(&[good.clone(), good.clone()]);
    assert!(error.contains("preds.jsonl:2"), "{error}");
    let error = refused(&[good, json!({"instance_id": "own__doubles-2"})]);
    assert!(error.contains("model_patch"), "{error}");
}
