//! A data set as its user handles it: checked, its unsound instance in quarantine, its
//! images within a budget, its patches exported.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::swebench::Bench;
use crate::swebench_projects::{OLD, pytest};
use crate::yard::docker;

/// Two instances of one repository: of the first the patch is the fix, of the second it is
/// none.
fn rows(bench: &Bench) -> (PathBuf, String) {
    let (_, mut good) = pytest(bench);
    // Without what names no test, of which there would be warnings.
    good["PASS_TO_PASS"] = json!([OLD[0]]);
    let mut bad = good.clone();
    bad["instance_id"] = json!("own__doubles-2");
    let fix = good["patch"].as_str().unwrap();
    let none = fix.replace("+    return x + x", "+    return x + 1  # so be it");
    assert_ne!(none, fix);
    bad["patch"] = json!(none);
    let envs = bench.yard.path("envs").to_str().unwrap().to_owned();
    (bench.rows(&[good, bad]), envs)
}

#[test]
fn a_data_set_is_checked_and_its_unsound_instance_left_out_of_the_score() {
    let bench = Bench::new();
    let (file, envs) = rows(&bench);
    let (yard, rows, envs) = (&bench.yard, file.to_str().unwrap(), envs.as_str());
    let pull = "images.pull=false";
    let list = yard.path("quarantine.toml");
    let list = list.to_str().unwrap();

    let mut check = yard.command(&["check", "--dataset", rows, "--envs", envs, "--repeat", "2"]);
    check.args(["--quarantine", list, "--json", "--image-budget", "0.001"]);
    let output = check
        .env("PROOFYARD_IMAGES_PULL", "false")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{text}{told}");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |id: &str| lines.iter().find(|line| line["task"] == id).unwrap();
    assert_eq!(of("own__doubles-1")["sound"], "sound", "{text}");
    assert_eq!(of("own__doubles-1")["runs"], 2);
    let unsound = of("own__doubles-2");
    assert_eq!(unsound["findings"][0]["name"], "solution-fails", "{text}");
    assert_eq!(
        unsound["quarantine"]["measured"],
        "reference resolved 0 of 2, nothing 0 of 2"
    );
    let written = std::fs::read_to_string(list).unwrap();
    assert!(written.contains("id = \"own__doubles-2\""), "{written}");
    assert!(!written.contains("own__doubles-1"), "{written}");
    // What was there before is there; what the check built for instances is not.
    // (Only of images that no other test takes away meanwhile.)
    for name in ["proofyard-test/python", "proofyard/python"] {
        assert_ne!(docker(&["images", "-q", name]), "", "{name}");
    }
    let own = docker(&[
        "images",
        "--format",
        "{{.ID}}",
        "--filter",
        &format!("label={}", yard.label()),
    ]);
    assert_eq!(own, "");

    let run = |more: &[&str]| {
        let flags = [
            "-a",
            "oracle",
            "--envs",
            envs,
            "--set",
            pull,
            "--exclude",
            list,
        ];
        yard.run(&file, &[&flags[..], more].concat())
    };
    let (trials, code) = run(&["--run-id", "valid", "--image-budget", "0.001"]);
    assert_eq!((trials.len(), code), (1, Some(0)), "{trials:#?}");
    assert_eq!(trials[0]["outcome"], "resolved", "{:#}", trials[0]);
    let runs = yard.path("runs");
    let shown = |name: &str| {
        let output = yard.proofyard(&["show", runs.join(name).to_str().unwrap()]);
        String::from_utf8(output.stdout).unwrap()
    };
    let told = "valid 1 of 2 instances (1 quarantined: 1 solution-fails)";
    assert!(shown("valid").contains(told), "{}", shown("valid"));
    let (trials, _) = run(&["--run-id", "all", "--keep-quarantined"]);
    assert_eq!(trials.len(), 2);
    assert!(shown("all").contains("1/1 100 %"), "{}", shown("all"));

    let preds = yard.path("preds.jsonl");
    let preds = preds.to_str().unwrap();
    let exported = yard.proofyard(&[
        "export",
        runs.join("valid").to_str().unwrap(),
        "--predictions",
        preds,
    ]);
    assert_eq!(exported.status.code(), Some(0), "{exported:?}");
    let line: Value = serde_json::from_str(&std::fs::read_to_string(preds).unwrap()).unwrap();
    assert_eq!(line["instance_id"], "own__doubles-1");
    assert_eq!(line["model_name_or_path"], "oracle");
    assert!(
        line["model_patch"]
            .as_str()
            .unwrap()
            .contains("+    return x + x")
    );
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn a_data_set_is_listed_planned_and_shown() {
    let bench = Bench::new();
    let (file, envs) = rows(&bench);
    let (yard, rows, envs) = (&bench.yard, file.to_str().unwrap(), envs.as_str());
    let (plan, code) = bench.lines(&[
        "images",
        "plan",
        "--dataset",
        rows,
        "--envs",
        envs,
        "--no-pull",
        "--json",
    ]);
    assert_eq!(code, Some(0));
    let plan = plan.last().unwrap();
    assert_eq!(plan["built"]["instances"], 2, "{plan:#}");
    assert_eq!(plan["without"], json!([]));
    let (lines, _) = bench.lines(&["list", rows, "--json", "--filter", "*-2"]);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["name"], "own__doubles-2");
    let mut show = yard.command(&["show", &format!("{rows}#own__doubles-1")]);
    let shown = show.env("PROOFYARD_SWEBENCH_ENVS", envs).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("Double what is given"), "{shown}");
    let mut quick = yard.command(&["check", "--quick", rows]);
    let quick = quick.env("PROOFYARD_SWEBENCH_ENVS", envs).output().unwrap();
    let quick = String::from_utf8(quick.stdout).unwrap();
    assert_eq!(quick, "2 tasks read, none measured\n");
}
