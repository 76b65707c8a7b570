//! No text breaks the reader.

use proptest::prelude::*;

use super::*;

/// Reads a text in a folder that has what real files name; every variable is set
/// or none.
fn read_any(text: &str, set: bool) {
    let folder = Folder::new(text)
        .file("db/init.sql", "")
        .file("web/Dockerfile", "");
    let file = folder.path().join("docker-compose.yaml");
    let read = read(&file, &folder.path(), &|_| {
        set.then(|| "/proofyard/logs/1".to_string())
    });
    if let Err(problems) = &read {
        assert!(!problems.is_empty());
        for problem in problems {
            assert!(problem.spot.is_some(), "{problem}");
            assert!(problem.render(false).starts_with("error: "));
        }
    } else if let Ok(compose) = &read {
        assert_eq!(compose.order().len(), compose.services.len());
    }
}

/// Pieces that a compose file is made of.
fn piece() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "services:",
        "a:",
        "main:",
        "image: x",
        "build: .",
        "volumes:",
        "- ./x:/y",
        "- n:/y:ro",
        "ports: [80]",
        "networks:",
        "depends_on: [a]",
        "&a",
        "*a",
        "<<: *a",
        "{",
        "}",
        "[",
        "]",
        "- ",
        "? ",
        ": ",
        "|",
        ">",
        "#",
        "\"",
        "'",
        "!!str",
        "$",
        "${",
        "${A:-",
        "}",
        "---",
        "healthcheck: {test: x}",
        "command: a 'b",
        "environment: {A: $B}",
        "cpus: 1e999",
        "mem_limit: 9999999999999999999999g",
        "stop_grace_period: 1e9h",
        "\t",
        "\0",
        "\u{feff}",
        "é",
        "deploy:",
        "resources:",
        "limits:",
        "tmpfs: /x:size=1",
    ];
    let word = prop::sample::select(WORDS).prop_map(str::to_string);
    let space = prop::sample::select(["\n", "\n  ", "\n    ", "\n      ", " "].as_slice());
    (word, space).prop_map(|(word, space)| word + space)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in "\\PC{0,80}(\n\\PC{0,40}){0,4}", set: bool) {
        read_any(&text, set);
    }

    #[test]
    fn any_pieces_are_read_or_refused_with_a_place(
        pieces in prop::collection::vec(piece(), 0..40),
        set: bool,
    ) {
        read_any(&format!("services:\n  a:\n    {}", pieces.concat()), set);
        read_any(&pieces.concat(), set);
    }

    #[test]
    fn real_files_with_faults_are_read_or_refused_with_a_place(
        which in 0usize..2,
        cut in any::<prop::sample::Index>(),
        length in 0usize..40,
        put in prop_oneof![piece(), Just(String::new()), "\\PC{0,5}"],
        set: bool,
    ) {
        let text: Vec<char> = real::texts()[which].chars().collect();
        let at = cut.index(text.len());
        let end = (at + length).min(text.len());
        let mutated: String = text[..at].iter().copied().chain(put.chars()).chain(text[end..].iter().copied()).collect();
        read_any(&mutated, set);
    }
}
