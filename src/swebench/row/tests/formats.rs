//! One data set in every format.

use parquet::basic::{Compression, GzipLevel, ZstdLevel};

use super::parquet_file::parquet;
use super::*;

fn three() -> Vec<Map<String, Value>> {
    let second = with(classic("owner__name-2"), "PASS_TO_PASS", Some(json!("[]")));
    let third = with(classic("owner__name-3"), "hints_text", Some(json!("Look.")));
    vec![classic("owner__name-1"), second, third]
}

fn pretty(rows: &[Map<String, Value>]) -> String {
    serde_json::to_string_pretty(rows).unwrap()
}

#[test]
fn a_data_set_is_the_same_in_every_format() {
    let rows = three();
    let lists: Vec<_> = rows.iter().cloned().map(listed).collect();
    let expected = read_rows(&rows).unwrap();
    let first = &expected.rows[0];
    assert_eq!(first.fail_to_pass, ["test_one.py::test_third"]);
    assert_eq!(first.version.as_deref(), Some("1.10"));
    assert_eq!(first.hints_text, None);
    assert!(first.problem_statement.contains("\r\n") && first.problem_statement.contains('é'));
    let mut files: Vec<(&str, Vec<u8>)> = vec![
        ("lists.jsonl", lines(&lists).into_bytes()),
        ("lines.json", lines(&rows).into_bytes()),
        ("list.json", pretty(&rows).into_bytes()),
        (
            "marked.json",
            format!("\u{feff}\n{}", pretty(&lists)).into_bytes(),
        ),
        (
            "blank.ndjson",
            format!("\u{feff}{}\n\n", lines(&rows)).into_bytes(),
        ),
        (
            "crlf.jsonl",
            lines(&rows).replace('\n', "\r\n").into_bytes(),
        ),
        ("none", lines(&rows).into_bytes()),
    ];
    let packings = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4_RAW,
    ];
    for packing in packings {
        files.push(("lists.parquet", parquet(&lists, packing, 2, &[])));
    }
    files.push(("texts", parquet(&rows, Compression::SNAPPY, 100, &[])));
    for (name, content) in files {
        let read = read_file(name, content).unwrap_or_else(|error| {
            panic!("{name}: {}", error.render(false));
        });
        assert_eq!(read.digest, expected.digest, "{name}");
        for (row, expected) in read.rows.iter().zip(&expected.rows) {
            let row = Row {
                line: expected.line,
                ..row.clone()
            };
            assert_eq!(&row, expected, "{name}");
        }
    }
}

#[test]
fn times_of_a_table_are_texts() {
    let row = with(classic("a-1"), "created_at", Some(json!(1646320494000i64)));
    let row = with(row, "stars", Some(json!(7)));
    let file = parquet(&[row], Compression::SNAPPY, 1, &["created_at"]);
    let row = &read_file("rows.parquet", file).unwrap().rows[0];
    assert_eq!(row.created_at.as_deref(), Some("2022-03-03T15:14:54Z"));
    assert_eq!(row.field("stars"), Some(json!(7)));
}

#[test]
fn neither_order_nor_files_change_the_digest_and_every_value_does() {
    let mut rows = three();
    let digest = read_rows(&rows).unwrap().digest;
    rows.reverse();
    assert_eq!(read_rows(&rows).unwrap().digest, digest);
    let first = Row {
        instance_id: "a".to_owned(),
        ..Row::default()
    };
    let changed = [
        Row {
            patch: "a".to_owned(),
            instance_id: String::new(),
            ..first.clone()
        },
        Row {
            reversed: true,
            ..first.clone()
        },
        Row {
            hints_text: Some("a".to_owned()),
            ..first.clone()
        },
        Row {
            fail_to_pass: vec!["a".to_owned()],
            ..first.clone()
        },
        Row {
            fail_to_pass: vec![String::new()],
            ..first.clone()
        },
        Row {
            pass_to_pass: vec!["a".to_owned()],
            ..first.clone()
        },
        Row {
            eval_script: Some("a".to_owned()),
            ..first.clone()
        },
        Row {
            test_cmds: vec!["a".to_owned()],
            ..first.clone()
        },
    ];
    let mut digests: Vec<String> = changed.iter().map(Row::digest).collect();
    digests.push(first.digest());
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), changed.len() + 1);
    let filed = Row {
        split: Some("test".to_owned()),
        difficulty: Some("hard".to_owned()),
        hints_text: Some(String::new()),
        ..first.clone()
    };
    assert_eq!(filed.digest(), first.digest());
}

#[test]
fn a_folder_of_shards_is_one_set() {
    let rows = three();
    let expected = read_rows(&rows).unwrap();
    let shard = |rows: &[Map<String, Value>]| parquet(rows, Compression::SNAPPY, 1, &[]);
    let (one, two) = (shard(&rows[..2]), shard(&rows[2..]));
    let folder = folder(&[
        ("README.md", b"x"),
        ("dataset_infos.json", b"{}"),
        ("data/test-00001-of-00002.parquet", &two),
        ("data/test-00000-of-00002.parquet", &one),
    ]);
    let set = read(folder.path()).unwrap();
    assert_eq!(set.digest, expected.digest);
    let ids: Vec<&str> = set
        .rows
        .iter()
        .map(|row| row.instance_id.as_str())
        .collect();
    assert_eq!(ids, ["owner__name-1", "owner__name-2", "owner__name-3"]);
    assert!(
        set.rows
            .iter()
            .all(|row| row.split.as_deref() == Some("test"))
    );
    assert_eq!(set.by_id()["owner__name-3"].line, 1);
    assert!(is_data_set(folder.path()) && is_data_set(&folder.path().join("data")));
}

#[test]
fn an_instance_of_two_splits_is_read_once() {
    let rows = three();
    let (full, lite) = (lines(&rows), lines(&rows[1..2]));
    let folder = folder(&[
        ("full-00000-of-00001.jsonl", full.as_bytes()),
        ("lite-00000-of-00001.jsonl", lite.as_bytes()),
    ]);
    let set = read(folder.path()).unwrap();
    assert_eq!(set.rows.len(), 3);
    assert_eq!(set.rows[1].split.as_deref(), Some("full"));
    assert_eq!(set.rows[1].datasets, ["lite"]);
}

#[test]
fn a_data_set_is_known_at_a_glance() {
    let row = lines(&three());
    let list = pretty(&three());
    let folder = folder(&[
        ("a.jsonl", b""),
        ("b.parquet", b""),
        ("c.json", list.as_bytes()),
        ("d", row.as_bytes()),
        (
            "e.json",
            b"[{\"instance_id\": \"a\", \"model_patch\": \"\"}]",
        ),
        ("f.json", b"{}"),
        ("g.toml", b"instance_id"),
        ("task/task.toml", b""),
        ("task/rows.jsonl", b""),
        ("bench/task.yaml", b""),
        ("bench/rows.jsonl", b""),
        ("repo/sweb.yaml", b""),
        ("one/task.yaml", b""),
        ("one/tests.json", b""),
        ("empty/x.md", b""),
    ]);
    let is = |name: &str| is_data_set(&folder.path().join(name));
    for name in ["a.jsonl", "b.parquet", "c.json", "d", "repo", "one"] {
        assert!(is(name), "{name}");
    }
    for name in [
        "e.json", "f.json", "g.toml", "task", "bench", "empty", "nothing",
    ] {
        assert!(!is(name), "{name}");
    }
}
