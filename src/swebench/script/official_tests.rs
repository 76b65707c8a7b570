//! Held against swebench 4.1 itself, where `PROOFYARD_SWEBENCH_4_1` names a Python that
//! has it, over the rows in `PROOFYARD_SHARED`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::*;
use crate::swebench::specs;

/// Prints a row's id and eval script for each row of the files that are named. What an
/// environment is made from would be asked of the network, and is left out.
const ORACLE: &str = "
import json, sys
import swebench.harness.test_spec.test_spec as made
made.make_env_script_list = lambda *rest: []
for name in sys.argv[1:]:
    for line in open(name, encoding='utf-8'):
        row = json.loads(line)
        print(json.dumps({'id': row['instance_id'], 'script': made.make_test_spec(row).eval_script}))
";

#[derive(Deserialize)]
struct Row {
    instance_id: String,
    repo: String,
    version: String,
    base_commit: String,
    test_patch: String,
}

#[derive(Deserialize)]
struct Official {
    id: String,
    script: String,
}

/// The rows' files, and the Python; none where either is missing, which is told.
fn ground() -> Option<(Vec<PathBuf>, PathBuf)> {
    let Some(python) = std::env::var_os("PROOFYARD_SWEBENCH_4_1") else {
        eprintln!("skipped: PROOFYARD_SWEBENCH_4_1 does not name a Python with swebench 4.1");
        return None;
    };
    let shared = std::env::var_os("PROOFYARD_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let folder = shared.join("data/swebench");
    let files = ["verified", "lite_test", "multilingual"]
        .map(|name| folder.join(format!("swebench_{name}.jsonl")));
    if let Some(missing) = files.iter().find(|file| !file.is_file()) {
        eprintln!("skipped: no {} (set PROOFYARD_SHARED)", missing.display());
        return None;
    }
    Some((files.to_vec(), python.into()))
}

fn printed(python: &Path, program: &str, files: &[PathBuf]) -> String {
    let output = Command::new(python)
        .args(["-c", program])
        .args(files)
        .output();
    let output = output.unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_script_is_the_official_one_and_gives_its_parts_back() {
    let Some((files, python)) = ground() else {
        return;
    };
    let table = specs::parse(&printed(&python, specs::DUMP, &[])).unwrap();
    let officials = printed(&python, ORACLE, &files);
    let mut officials = officials
        .lines()
        .map(|line| serde_json::from_str::<Official>(line).unwrap());
    let mut rows = 0;
    for file in &files {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let row: Row = serde_json::from_str(line).unwrap();
            let official = officials.next().unwrap();
            assert_eq!(row.instance_id, official.id);
            let commands = table.commands(&row.repo, &row.version).unwrap();
            let instance = Instance {
                base_commit: &row.base_commit,
                test_patch: &row.test_patch,
                assets: &[],
            };
            let made = eval_script(&instance, &commands).unwrap();
            assert!(made.text == official.script, "{}", official.id);
            let cut = parts(&official.script).unwrap_or_else(|| panic!("{}", official.id));
            assert_eq!(
                cut.test_patch,
                Some(row.test_patch.as_str()),
                "{}",
                official.id
            );
            let tests = targets::test_commands(&commands, &row.test_patch).unwrap();
            assert_eq!(cut.test.join("\n"), tests.join("\n"), "{}", official.id);
            // One path of a row has a blank, which the official script does not quote.
            let files = reset_files(&row.test_patch).unwrap();
            assert_eq!(cut.reset.join(" "), files.join(" "), "{}", official.id);
            rows += 1;
        }
    }
    assert_eq!(rows, 1100);
}
