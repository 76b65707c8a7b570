//! Files of anything at all.

use parquet::basic::Compression;
use proptest::prelude::*;

use super::parquet_file::parquet;
use super::*;

/// A small file of each packing that is read.
fn table() -> Vec<u8> {
    let rows = [listed(classic("a-1")), listed(classic("a-2"))];
    parquet(&rows, Compression::SNAPPY, 1, &[])
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        Just(json!(PATCH)),
        Just(json!(COMMIT)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec(("[a-z]{1,3}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_values_break_the_reader(
        fields in proptest::collection::vec(
            (proptest::sample::select(NAMES.to_vec()), any_value()), 1..6,
        ),
    ) {
        let mut row = classic("a-1");
        for (field, value) in fields {
            row.insert(field.to_owned(), value);
        }
        match read_rows(&[row]) {
            Ok(set) => for oddity in set.oddities {
                prop_assert!(!oddity.to_string().is_empty());
            },
            Err(error) => prop_assert!(error.render(false).starts_with("error: ")),
        }
    }

    #[test]
    fn no_bytes_break_the_reader(start in "|\\[|\\{|PAR1", bytes: Vec<u8>) {
        let content = [start.as_bytes(), &bytes].concat();
        if let Err(error) = read_file("rows.jsonl", content) {
            prop_assert!(error.render(false).starts_with("error: "));
        }
    }

    #[test]
    fn no_damage_to_a_table_breaks_the_reader(
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        cut in proptest::option::weighted(0.2, any::<proptest::sample::Index>()),
    ) {
        let mut file = table();
        for (at, byte) in damage {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        if let Err(error) = read_file("rows.parquet", file) {
            prop_assert!(error.render(false).starts_with("error: "));
        }
    }

    #[test]
    fn a_look_at_any_text_ends(text in "[-+@ \\\\0-9,a\n]{0,80}|(@@ -[0-9]{1,25},[0-9]{1,25} \\+1 @@\n){0,3}") {
        let look = patch::look(&text);
        prop_assert_eq!(look.cut, !text.is_empty() && !text.ends_with('\n'));
    }

    #[test]
    fn progress_is_what_the_expression_says(id in "\\[?[ \u{a0}]{0,2}[0-9]{0,3}%?\\]?") {
        // As Python writes it: ^\[\s*\d+%\]$
        let inner = id.strip_prefix('[').and_then(|id| id.strip_suffix("%]"));
        let expected = inner.is_some_and(|inner| {
            let digits = inner.trim_start();
            !digits.is_empty() && digits.chars().all(|sign| sign.is_ascii_digit())
        });
        prop_assert_eq!(is_progress(&id), expected);
    }
}

const NAMES: [&str; 22] = [
    "instance_id",
    "repo",
    "base_commit",
    "patch",
    "test_patch",
    "problem_statement",
    "hints_text",
    "created_at",
    "version",
    "FAIL_TO_PASS",
    "PASS_TO_PASS",
    "fail_to_pass",
    "environment_setup_commit",
    "difficulty",
    "image",
    "image_name",
    "eval_script",
    "eval_type",
    "datasets",
    "test_cmds",
    "image_assets",
    "other",
];

#[test]
fn depth_of_values_is_bounded() {
    let deep = format!("{{\"a\": {}", "[".repeat(1_000_000));
    assert!(matches!(
        read_file("rows.jsonl", format!("\n{deep}\n")),
        Err(RowError::Invalid { .. })
    ));
    let deep = "[".repeat(1_000_000);
    assert!(matches!(
        read_file("rows.json", deep),
        Err(RowError::NotJson { .. })
    ));
}

#[test]
fn too_many_ids_are_refused() {
    let ids = vec![json!("a"); 200_001];
    let row = with(classic("a-1"), "FAIL_TO_PASS", Some(Value::from(ids)));
    let error = read_rows(&[row]).unwrap_err().to_string();
    assert!(
        error.contains("`FAIL_TO_PASS` has 200001 items; at most 200000"),
        "{error}"
    );
}
