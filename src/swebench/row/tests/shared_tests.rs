//! The published rows, where they are at hand.

use std::path::PathBuf;

use super::*;

/// A file of the shared folder, if there is one.
fn shared(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("PROOFYARD_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let path = folder.join("data/swebench").join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped: no {} (set PROOFYARD_SHARED)", path.display());
    None
}

/// Kind, ids, instances.
type Count = (OddityKind, usize, usize);

fn holds(name: &str, rows: usize, odd: &[Count], tests: (usize, usize)) {
    let Some(path) = shared(name) else { return };
    let set = read(&path).unwrap_or_else(|error| panic!("{}", error.render(false)));
    assert_eq!(set.rows.len(), rows);
    let found: Vec<Count> = set
        .oddities
        .iter()
        .map(|oddity| (oddity.kind, oddity.ids, oddity.instances))
        .collect();
    assert_eq!(found, odd, "{name}");
    let count = |of: fn(&Row) -> usize| set.rows.iter().map(of).sum::<usize>();
    let counted = (
        count(|row| row.fail_to_pass.len()),
        count(|row| row.pass_to_pass.len()),
    );
    assert_eq!(counted, tests, "{name}");
    assert!(is_data_set(&path));
}

#[test]
fn verified_reads_with_its_known_oddities() {
    let odd = [
        (OddityKind::CutIds, 676, 65),
        (OddityKind::ProgressIds, 2, 2),
        (OddityKind::DocstringIds, 3709, 167),
        (OddityKind::NoPassToPass, 0, 11),
    ];
    holds("swebench_verified.jsonl", 500, &odd, (1516, 60_142));
}

#[test]
fn lite_reads_with_its_known_oddities() {
    let odd = [
        (OddityKind::CutIds, 294, 28),
        (OddityKind::ProgressIds, 1, 1),
        (OddityKind::DocstringIds, 1729, 77),
        (OddityKind::NoPassToPass, 0, 6),
    ];
    holds("swebench_lite_test.jsonl", 300, &odd, (1040, 24_514));
}

#[test]
fn multilingual_reads_with_its_known_oddities() {
    let odd = [
        (OddityKind::NoFailToPass, 0, 1),
        (OddityKind::NoPassToPass, 0, 25),
    ];
    holds("swebench_multilingual.jsonl", 300, &odd, (426, 10_214));
}
