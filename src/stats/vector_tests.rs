//! The shared cases: what reference implementations give for the same input.

use std::path::PathBuf;

use serde_json::Value;

use super::*;

/// The cases of a function; none where the folder is missing, and says so.
fn cases(function: &str) -> Vec<Value> {
    let folder = std::env::var_os("PROOFYARD_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let path = folder.join("vectors.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no {} (set PROOFYARD_SHARED)", path.display());
        return Vec::new();
    };
    let file: Value = serde_json::from_str(&text).expect("the vectors are JSON");
    let cases: Vec<Value> = file["cases"]
        .as_array()
        .expect("there are cases")
        .iter()
        .filter(|case| case["fn"] == function)
        .cloned()
        .collect();
    assert!(!cases.is_empty(), "no case of {function}");
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list");
    list.iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn close(case: &Value, found: f64, expected: &Value) {
    let expected = expected.as_f64().expect("a number");
    let tolerance = case["tol"].as_f64().expect("a tolerance");
    assert!(
        (found - expected).abs() <= tolerance,
        "{} {}: {found} is not {expected}",
        case["fn"],
        case["name"]
    );
}

#[test]
fn wilson_agrees_with_the_reference() {
    for case in cases("wilson") {
        let input = &case["input"];
        let found = wilson(
            input["successes"].as_u64().expect("a count"),
            input["n"].as_u64().expect("a count"),
            input["confidence"].as_f64().expect("a level"),
        );
        match &case["expected"] {
            Value::Null => assert_eq!(found, Err(Undefined::NoData)),
            expected => {
                let found = found.expect("an interval");
                close(&case, found.lo, &expected["lo"]);
                close(&case, found.hi, &expected["hi"]);
            }
        }
    }
}

#[test]
fn clustered_errors_agree_with_the_reference() {
    for case in cases("clustered_se") {
        let values = numbers(&case["input"]["x"]);
        let clusters = case["input"]["cluster"].as_array().expect("a list");
        let names = clusters.iter().map(|name| name.as_str().expect("a name"));
        let observations: Vec<(f64, &str)> = values.into_iter().zip(names).collect();
        let found = clustered_mean(&observations);
        let expected = &case["expected"];
        if expected["se_cr0"].is_null() {
            assert_eq!(found, Err(Undefined::SingleCluster));
            continue;
        }
        let found = found.expect("a standard error");
        close(&case, found.mean, &expected["mean"]);
        close(&case, found.se_cr0, &expected["se_cr0"]);
        close(&case, found.se_cr1, &expected["se_cr1"]);
        assert_eq!(found.clusters as u64, expected["clusters"]);
    }
}

#[test]
fn quantiles_agree_with_the_reference() {
    for case in cases("quantile_type7") {
        let sample = numbers(&case["input"]["x"]);
        for (index, q) in numbers(&case["input"]["q"]).into_iter().enumerate() {
            let found = quantile(&sample, q);
            match &case["expected"] {
                Value::Null => assert_eq!(found, Err(Undefined::NoData)),
                expected => close(&case, found.expect("a quantile"), &expected[index]),
            }
        }
    }
}
