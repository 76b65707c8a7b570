//! Data sets of the SWE-bench family: ten thousand rows, read and validated.

use std::fs;
use std::io::{BufWriter, Write};
use std::time::Instant;

use proofyard::swebench::row;

use crate::place::Place;
use crate::{Outcome, told};

const ROWS: usize = 10_000;
/// Bytes of a row, as those of Verified are on average.
const STATEMENT: usize = 4_000;
const PATCH: usize = 4_000;

/// Figure: rows as Verified has them, from JSON lines.
pub fn read(place: &Place) -> Outcome<()> {
    let file = place.runs().with_file_name("rows.jsonl");
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut out = BufWriter::new(fs::File::create(&file)?);
    for number in 0..ROWS {
        serde_json::to_writer(&mut out, &instance(number))?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    drop(out);
    let mut times = Vec::new();
    for round in 0..6 {
        let began = Instant::now();
        let set = row::read(&file)?;
        if set.rows.len() != ROWS {
            return Err(format!("{} rows were read", set.rows.len()).into());
        }
        if round > 0 {
            times.push(began.elapsed());
        }
    }
    let (n, value) = (times.len(), told::median(times));
    let holds = value.as_secs_f64() < 2.0;
    told::absolute("10,000 rows read", &told::millis(value), "< 2 s", holds, n);
    Ok(())
}

/// A row with as many tests and bytes as most have.
fn instance(number: usize) -> serde_json::Value {
    let patch = |file: &str, bytes: usize| {
        let lines: Vec<String> = (0..bytes / 40)
            .map(|line| format!("+a line of {number} that says something, {line:04}\n"))
            .collect();
        format!(
            "diff --git a/{file} b/{file}\n--- a/{file}\n+++ b/{file}\n@@ -1,0 +1,{} @@\n{}",
            lines.len(),
            lines.concat()
        )
    };
    let tests: Vec<String> = (0..50)
        .map(|test| format!("tests/test_module.py::TestClass::test_number_{test}[one-{number}]"))
        .collect();
    let list = |tests: &[String]| serde_json::to_string(tests).unwrap_or_default();
    serde_json::json!({
        "repo": "own/name",
        "instance_id": format!("own__name-{number}"),
        "base_commit": format!("{number:040x}"),
        "patch": patch("src/module.py", PATCH),
        "test_patch": patch("tests/test_module.py", PATCH / 2),
        "problem_statement": "What is wrong. ".repeat(STATEMENT / 15),
        "hints_text": "",
        "created_at": "2026-01-01T00:00:00Z",
        "version": "1.0",
        "FAIL_TO_PASS": list(&tests[..1]),
        "PASS_TO_PASS": list(&tests[1..]),
        "environment_setup_commit": format!("{number:040x}"),
        "difficulty": "15 min - 1 hour",
    })
}
