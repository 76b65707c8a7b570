//! The shared cases: what both versions of swebench say of the same logs.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;

/// A case, and its log as bytes.
pub(in crate::swebench) struct Case {
    pub value: Value,
    pub log: Vec<u8>,
    f2p: Vec<String>,
    p2p: Vec<String>,
}

impl Case {
    pub fn text(&self, key: &str) -> &str {
        self.value[key].as_str().expect("a text")
    }

    pub fn instance(&self) -> Instance<'_> {
        Instance {
            instance_id: self.text("instance_id"),
            repo: self.text("repo"),
            version: self.text("repo_version"),
            log_parser: Some(self.text("log_parser")),
            eval_type: Some(self.text("eval_type")),
            fail_to_pass: &self.f2p,
            pass_to_pass: &self.p2p,
        }
    }
}

/// The rules, and where a case has what they say.
pub(in crate::swebench) const BOTH: [(Rules, &str); 2] =
    [(Rules::V5_0, "v5_0_2"), (Rules::V4_1, "v4_1_0")];

/// All cases; none where the folder is missing, and says so.
pub(in crate::swebench) fn cases() -> Vec<Case> {
    let folder = std::env::var_os("PROOFYARD_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let path = folder.join("data/swebench/parsers/grading.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no {} (set PROOFYARD_SHARED)", path.display());
        return Vec::new();
    };
    let lines = text.split('\n').filter(|line| !line.is_empty());
    let cases: Vec<Case> = lines.map(case).collect();
    assert_eq!(cases.len(), 177);
    cases
}

fn case(line: &str) -> Case {
    let value: Value = serde_json::from_str(line).expect("a case is JSON");
    let list = |key: &str| serde_json::from_value(value[key].clone()).expect("a list of texts");
    let log = match value["log_b64"].as_str() {
        Some(text) => from_base64(text),
        None => value["log"].as_str().expect("a log").as_bytes().to_vec(),
    };
    Case {
        f2p: list("F2P"),
        p2p: list("P2P"),
        log,
        value,
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    let signs = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut held, mut bits, mut bytes) = (0u32, 0, Vec::new());
    for sign in text.trim_end_matches('=').bytes() {
        let value = signs.iter().position(|known| *known == sign);
        held = held << 6 | value.expect("a sign of base64") as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    bytes
}

#[test]
fn every_shared_case_is_graded_as_both_versions_do() {
    let mut wrong = Vec::new();
    for case in cases() {
        for (rules, version) in BOTH {
            let expected = &case.value[version];
            // Nothing is graded where there is no patch.
            if expected["raises"].is_null() && expected["found"].is_null() {
                continue;
            }
            let found = said(grade(rules, &case.instance(), &case.log));
            for (key, said) in found.as_object().expect("an object") {
                if *said != expected[key] {
                    let id = case.text("id");
                    let expected = &expected[key];
                    wrong.push(format!("{id} {version} {key}: {said}, not {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_row_that_names_no_parser_goes_by_its_repository() {
    for case in cases() {
        let mut instance = case.instance();
        if EvalType::named(case.text("eval_type")).is_none() {
            continue;
        }
        let named = said(grade(Rules::V5_0, &instance, &case.log));
        (instance.log_parser, instance.eval_type) = (None, None);
        let found = said(grade(Rules::V5_0, &instance, &case.log));
        assert_eq!(found, named, "{}", case.text("id"));
    }
}

fn said(graded: Result<Graded, GradeError>) -> Value {
    let graded = match graded {
        Err(error) => return json!({ "raises": error.exception() }),
        Ok(graded) => graded,
    };
    let lists = |lists: &Lists| json!({ "success": lists.success, "failure": lists.failure });
    let map: serde_json::Map<String, Value> = graded
        .statuses
        .iter()
        .map(|(test, status)| (test.to_owned(), status.into()))
        .collect();
    json!({
        "raises": null,
        "found": graded.found(),
        "status_map": map,
        "resolved": graded.resolved(),
        "resolution": graded.resolution().map(Resolution::name),
        "tests_status": graded.tests_status().map(|status| json!({
            "FAIL_TO_PASS": lists(&status.fail_to_pass),
            "PASS_TO_PASS": lists(&status.pass_to_pass),
        })),
        "infra_failure_reason": graded.infra.map(|infra| infra.reason),
    })
}
