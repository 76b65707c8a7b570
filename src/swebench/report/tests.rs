//! Facts about reports in the official shape.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::swebench::Rules;
use crate::swebench::grade::conformance_tests::{BOTH, cases};
use crate::swebench::grade::{Infra, Lists, TestsStatus, Tier, grade};

#[test]
fn the_reports_of_the_shared_cases_are_those_of_both_versions() {
    for case in cases() {
        for (rules, version) in BOTH {
            let expected = &case.value[version];
            if !expected["raises"].is_null() {
                continue;
            }
            let report = match case.value["model_patch"].is_null() {
                true => InstanceReport::of_no_patch(rules),
                false => {
                    let graded = grade(rules, &case.instance(), &case.log);
                    InstanceReport::of(rules, &graded.expect("no exception"))
                }
            };
            let mut found = serde_json::to_value(&report).expect("a report is JSON");
            if let Some(lists) = found["tests_status"].as_object_mut() {
                lists.retain(|list, _| list.ends_with("TO_PASS"));
            }
            for key in [
                "patch_is_None",
                "patch_exists",
                "patch_successfully_applied",
                "resolved",
                "infra_failure",
                "infra_failure_reason",
                "tests_status",
            ] {
                let id = case.text("id");
                assert_eq!(found[key], expected[key], "{id} {version} {key}");
            }
        }
    }
}

fn report(rules: Rules) -> InstanceReport {
    InstanceReport {
        patch_exists: true,
        patch_successfully_applied: true,
        resolved: true,
        infra_failure: (rules == Rules::V5_0).then_some(false),
        tests_status: Some(TestsStatus {
            fail_to_pass: Lists {
                success: vec!["t é 😀 \" \u{7f}".to_owned()],
                failure: Vec::new(),
            },
            ..TestsStatus::default()
        }),
        ..InstanceReport::default()
    }
}

#[test]
fn a_report_is_written_as_the_official_one_and_read_back() {
    let written = Report::of("a__b-1", report(Rules::V4_1));
    let start = "{\n    \"a__b-1\": {\n        \"patch_is_None\": false,\n        \
        \"patch_exists\": true,\n        \"patch_successfully_applied\": true,\n        \
        \"resolved\": true,\n        \"tests_status\": {\n            \"FAIL_TO_PASS\": {\n                \
        \"success\": [\n                    \"t \\u00e9 \\ud83d\\ude00 \\\" \\u007f\"\n                ],\n                \
        \"failure\": []\n            },\n            \"PASS_TO_PASS\": {";
    let text = written.text();
    assert!(text.starts_with(start), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(REPORT);
    for rules in [Rules::V4_1, Rules::V5_0] {
        let written = Report::of("a__b-1", report(rules));
        std::fs::write(&path, written.text()).unwrap();
        assert_eq!(Report::read(&path).unwrap(), written);
    }
    std::fs::write(&path, "{\"a\": {\"resolved\": false, \"new\": 1}}").unwrap();
    assert!(!Report::read(&path).unwrap().0["a"].resolved);
    std::fs::write(&path, "{\"a\": {}}").unwrap();
    assert!(matches!(
        Report::read(&path),
        Err(ReportError::Shape { .. })
    ));
}

fn submitted() -> BTreeMap<String, Submission> {
    let infra = |reason, tier| Some(Infra { reason, tier });
    let oom = infra("out_of_memory", Tier::Environment);
    let module = infra("missing_module", Tier::Ambiguous);
    [
        ("b", Fate::Resolved, oom),
        ("a", Fate::Resolved, None),
        ("c", Fate::Unresolved, oom),
        ("d", Fate::Error, module),
        ("e", Fate::EmptyPatch, oom),
        ("f", Fate::Unreadable, None),
        ("elsewhere", Fate::Resolved, oom),
    ]
    .into_iter()
    .map(|(id, fate, infra)| (id.to_owned(), Submission { fate, infra }))
    .collect()
}

#[test]
fn a_summary_counts_as_the_official_one() {
    let rows = ["g", "f", "e", "d", "c", "b", "a"];
    let summary = Summary::of(Rules::V5_0, rows, &submitted());
    let value = serde_json::to_value(&summary).unwrap();
    let counts = [
        ("total_instances", 7),
        ("submitted_instances", 7),
        ("completed_instances", 4),
        ("resolved_instances", 2),
        ("unresolved_instances", 1),
        ("infra_failure_instances", 1),
        ("ambiguous_failure_instances", 1),
        ("empty_patch_instances", 1),
        ("error_instances", 2),
        ("schema_version", 2),
        ("unstopped_instances", 0),
    ];
    for (key, count) in counts {
        assert_eq!(value[key], count, "{key}");
    }
    assert_eq!(summary.resolved_ids, ["a", "b"]);
    assert_eq!(summary.error_ids, ["d", "f"]);
    assert_eq!(summary.incomplete_ids, ["g"]);
    assert!(summary.submitted_ids.contains(&"elsewhere".to_owned()));
    let reasons = summary.failure_reasons.as_ref().unwrap();
    assert_eq!(reasons.keys().collect::<Vec<_>>(), ["c", "d"]);
}

#[test]
fn a_summary_of_4_1_has_no_field_of_5_0() {
    let summary = Summary::of(Rules::V4_1, ["a", "c"], &submitted());
    let value: Value = serde_json::from_str(&summary.text()).unwrap();
    let keys: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys.len(), 15);
    assert!(
        !keys
            .iter()
            .any(|key| key.contains("failure") || key.contains("un") && key.contains("stopped"))
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder
        .path()
        .join(summary_file(Some("a/b"), "run").unwrap());
    assert!(path.ends_with("a__b.run.json"));
    std::fs::write(&path, summary.text()).unwrap();
    assert_eq!(Summary::read(&path).unwrap(), summary);
}

#[test]
fn folders_are_named_as_the_official_ones() {
    let folder = instance_folder("run", Some("org/model"), "a__b-1").unwrap();
    assert_eq!(
        folder.to_str(),
        Some("logs/run_evaluation/run/org__model/a__b-1")
    );
    assert_eq!(model_folder(None).unwrap(), "None");
    assert_eq!(
        run_folder("r").unwrap().join(RUN).to_str(),
        Some("logs/run_evaluation/r/run.json")
    );
}

#[test]
fn no_name_leads_out_of_its_folder() {
    for name in ["", ".", "..", "a/b", "a\0", "a\nb"] {
        assert!(instance_folder("run", None, name).is_err(), "{name:?}");
        assert!(run_folder(name).is_err(), "{name:?}");
    }
    assert!(model_folder(Some("..")).is_err());
    assert_eq!(model_folder(Some("../x")).unwrap(), "..__x");
    assert!(model_folder(Some(&"m".repeat(256))).is_err());
    let error = instance_folder("run", None, "../x\u{1b}").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the instance is called `../x\\u{1b}`")
    );
}

#[test]
fn what_was_run_is_written_as_the_official_one() {
    let run = RunJson {
        dataset: Some("set".to_owned()),
        ..RunJson::default()
    };
    assert_eq!(
        run.text(),
        "{\n  \"dataset\": \"set\",\n  \"split\": null,\n  \"task_repo\": null,\n  \"created_at\": null\n}\n"
    );
}
