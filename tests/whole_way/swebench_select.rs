//! Which instances of a data set are meant.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::swebench::{Bench, write};

/// Twelve rows: three repos, two versions, two difficulties.
fn rows(bench: &Bench) -> PathBuf {
    let row = |number: usize| -> Value {
        let repo = ["own/one", "own/two", "other/three"][number % 3];
        json!({
            "repo": repo,
            "instance_id": format!("{}-{number}", repo.replace('/', "__")),
            "base_commit": "0123456789abcdef0123456789abcdef01234567",
            "patch": "",
            "test_patch": "",
            "problem_statement": "Something is wrong.\n",
            "version": if number < 6 { "1.9" } else { "1.10" },
            "FAIL_TO_PASS": "[\"a.py::test\"]",
            "PASS_TO_PASS": "[]",
            "difficulty": if number.is_multiple_of(4) { ">4 hours" } else { "1-4 hours" },
            "test_cmds": ["true"],
            "log_parser": "pytest",
        })
    };
    bench.rows(&(0..12).map(row).collect::<Vec<Value>>())
}

/// The instances that would be run, and all that was said.
fn meant(bench: &Bench, flags: &[&str]) -> (Vec<String>, String) {
    let rows = bench.yard.path("rows.jsonl");
    let mut arguments = vec!["run", rows.to_str().unwrap(), "-a", "nop", "--dry-run"];
    arguments.extend(flags);
    let output = bench.yard.proofyard(&arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let instances = text.lines().filter(|line| line.contains("  nop"));
    let names = instances.map(|line| line.split_once("  ").unwrap().0.to_owned());
    (names.collect(), said)
}

fn numbers(names: &[String]) -> Vec<usize> {
    let number = |name: &String| name.rsplit_once('-').unwrap().1.parse().unwrap();
    let mut numbers: Vec<usize> = names.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_filter_is_an_expression_over_fields_or_a_glob() {
    let bench = Bench::new();
    rows(&bench);
    let filtered = |filter: &str| numbers(&meant(&bench, &["--filter", filter]).0);
    assert_eq!(filtered("repo = \"own/two\""), [1, 4, 7, 10]);
    assert_eq!(
        filtered("repo = \"own/two\" & difficulty != \">4 hours\""),
        [1, 7, 10]
    );
    assert_eq!(
        filtered("version = \"1.10\" & repo = \"other/three\""),
        [8, 11]
    );
    assert_eq!(filtered("own__one-*"), [0, 3, 6, 9]);
    let (none, said) = meant(&bench, &["--filter", "reop = \"own/two\""]);
    assert_eq!(none, Vec::<String>::new());
    assert!(said.contains("`repo`"), "{said}");
}

#[test]
fn a_sample_is_the_same_for_a_seed_and_in_proportion_where_it_is_stratified() {
    let bench = Bench::new();
    rows(&bench);
    let drawn = |flags: &[&str]| meant(&bench, &[&["--sample", "6"], flags].concat()).0;
    let first = drawn(&["--seed", "7"]);
    assert_eq!(first.len(), 6);
    assert_eq!(first, drawn(&["--seed", "7"]));
    assert_ne!(numbers(&first), numbers(&drawn(&["--seed", "8"])));
    let even = drawn(&["--seed", "7", "--stratify", "repo"]);
    for repo in ["own__one-", "own__two-", "other__three-"] {
        let of_repo = even.iter().filter(|name| name.starts_with(repo));
        assert_eq!(of_repo.count(), 2, "{even:?}");
    }
}

#[test]
fn what_a_list_excludes_is_left_out_and_what_it_names_in_vain_is_told() {
    let bench = Bench::new();
    rows(&bench);
    let list = bench.yard.path("unsound.txt");
    write(
        &list,
        "own__one-0 needs a network\nown__two-1 flaky\nown__two-99 is gone\n",
    );
    let (names, said) = meant(&bench, &["--exclude", list.to_str().unwrap()]);
    assert_eq!(numbers(&names), (2..12).collect::<Vec<usize>>());
    assert!(said.contains("own__two-99"), "{said}");
}

#[test]
fn a_data_set_has_a_name_a_digest_that_holds_and_a_list_of_what_is_left_out() {
    let bench = Bench::new();
    rows(&bench);
    write(
        &bench.yard.path("unsound.txt"),
        "own__one-0 needs a network\n",
    );
    let settings = bench.yard.path("harness.toml");
    let planned = |digest: &str| {
        let text = format!(
            "[datasets.own]\npath = \"rows.jsonl\"\nquarantine = \"unsound.txt\"\n{digest}"
        );
        write(&settings, &text);
        let config = settings.to_str().unwrap();
        let arguments = ["run", "own", "-a", "nop", "--dry-run", "--config", config];
        let output = bench.yard.proofyard(&arguments);
        let said = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said, error)
    };
    let (code, said, error) = planned("");
    assert_eq!(code, Some(0), "{error}");
    assert!(said.contains("11 trials; nothing was run"), "{said}");
    let digest = "0".repeat(64);
    let (code, _, error) = planned(&format!("digest = \"{digest}\"\n"));
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains(&digest), "{error}");
    // What it says to be right is.
    let right = error.split(|sign: char| !sign.is_ascii_hexdigit());
    let mut right = right.filter(|word| word.len() == 64 && *word != digest);
    let right = right.next_back().unwrap();
    assert_eq!(
        planned(&format!("digest = \"{right}\"\n")).0,
        Some(0),
        "{error}"
    );
}

/// Gives a file to whoever asks for `/rows.jsonl`, and counts how often; where it is, too.
fn served(content: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            count.fetch_add(1, Ordering::SeqCst);
            let close = "Connection: close\r\n";
            let head = match request.starts_with(b"GET /rows.jsonl ") {
                true => format!(
                    "HTTP/1.1 200 OK\r\n{close}Content-Length: {}",
                    content.len()
                ),
                false => format!("HTTP/1.1 404 Not Found\r\n{close}Content-Length: 0"),
            };
            let _ = stream.write_all(format!("{head}\r\n\r\n").as_bytes());
            let _ = stream.write_all(if head.contains("200 OK") {
                &content
            } else {
                b""
            });
        }
    });
    (base, asked)
}

#[test]
fn a_data_set_behind_a_url_is_fetched_once_and_is_the_one_that_was_named() {
    let bench = Bench::new();
    let (base, asked) = served(std::fs::read(rows(&bench)).unwrap());
    let settings = bench.yard.path("harness.toml");
    let listed = |table: &str| {
        write(&settings, &format!("[datasets.own]\n{table}\n"));
        let mut command = bench.yard.command(&["list", "own", "--json"]);
        command.current_dir(settings.parent().unwrap());
        // It is on this host.
        let output = command.env("NO_PROXY", "127.0.0.1").output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said.lines().count(), error)
    };
    let url = format!("url = \"{base}/rows.jsonl\"");
    let (code, _, error) = listed(&url);
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("12 rows: write `digest = "), "{error}");
    let digest = error.split('"').nth(1).unwrap();
    let whole = format!("{url}\ndigest = \"{digest}\"");
    for _ in 0..3 {
        let (code, lines, error) = listed(&whole);
        assert_eq!((code, lines), (Some(0), 12), "{error}");
    }
    // Once without a digest, and once with it.
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    // Another one than was asked for is not kept.
    let other = format!("{url}\ndigest = \"{}\"", "0".repeat(64));
    for _ in 0..2 {
        let (code, _, error) = listed(&other);
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains(digest), "{error}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    let (code, _, error) = listed(&format!(
        "url = \"{base}/gone.jsonl\"\ndigest = \"{digest}\""
    ));
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("404"), "{error}");
    let (code, _, error) = listed(&format!("{whole}\npath = \"rows.jsonl\""));
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("not both"), "{error}");
}
