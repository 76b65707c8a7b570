//! Facts about searches, with archives that are made here.

use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::*;

const FIX: &str = "def merge(spans):\n    joined = []\n    for span in sorted(spans, key=start_of):\n        if joined and span.start <= joined[-1].end + 1:\n            joined[-1] = joined[-1].until(max(joined[-1].end, span.end))\n        else:\n            joined.append(span)\n    return joined\n";

fn needle(name: &str, at: Option<&str>, text: &str) -> Needle {
    Needle {
        name: name.into(),
        kind: Kind::Solution,
        at: at.map(str::to_owned),
        shingles: words::telling(text.as_bytes()),
    }
}

fn index_of(needle: Needle, shown: &[(Option<&str>, &str)]) -> Index {
    let needles = Needles {
        list: vec![needle],
        not_sought: Vec::new(),
    };
    let shown = shown
        .iter()
        .map(|(at, text)| (at.map(str::to_owned), text.as_bytes().to_vec()));
    Index::new(needles, shown)
}

/// What is found in files of these names and contents.
fn found_in(index: &Index, bounds: Bounds, files: &[(&str, &[u8])]) -> Found {
    let scratch = tempfile::tempdir().unwrap();
    let mut search = Search::new(index, bounds, scratch.path(), Arc::default());
    for (name, content) in files {
        let place = Place::of("here").at(*name);
        search.file(&place, &mut &content[..]).unwrap();
    }
    search.finish()
}

fn found(content: &[u8]) -> Found {
    let index = index_of(needle("fix", None, FIX), &[]);
    found_in(&index, Bounds::default(), &[("x", content)])
}

fn tar_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}

fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut packer = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}

fn zip_of(name: &str, content: &[u8]) -> Vec<u8> {
    let mut packer = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    packer
        .start_file(name, ::zip::write::SimpleFileOptions::default())
        .unwrap();
    packer.write_all(content).unwrap();
    packer.finish().unwrap().into_inner()
}

#[test]
fn an_answer_is_found_in_every_form_that_is_opened() {
    let text = FIX.as_bytes();
    let wheel = zip_of("pkg/spans.py", text);
    let forms = [
        (text.to_vec(), ""),
        (gzip(text), ""),
        (bzip2(text), ""),
        (zstd::encode_all(text, 1).unwrap(), ""),
        (wheel.clone(), ": pkg/spans.py"),
        (
            tar_of(&[("a", b"no"), ("b/spans.py", text)]),
            ": b/spans.py",
        ),
        (
            gzip(&tar_of(&[("d/x.whl", &wheel)])),
            ": d/x.whl: pkg/spans.py",
        ),
    ];
    for (content, inner) in forms {
        let found = found(&content);
        assert_eq!(found.leaks.len(), 1, "{inner} {:?}", found.not_searched);
        assert_eq!(found.leaks[0].place.to_string(), format!("here: x{inner}"));
        assert_eq!(found.leaks[0].share(), 1.0);
    }
}

#[test]
fn xz_is_opened() {
    // `printf '%s' … | xz`: the encoder is not built in.
    let Ok(mut child) = Command::new("xz")
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
    else {
        return;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(FIX.as_bytes())
        .unwrap();
    let packed = child.wait_with_output().unwrap().stdout;
    assert_eq!(found(&packed).leaks.len(), 1);
}

#[test]
fn a_change_of_form_hides_nothing_and_other_code_is_none() {
    let quoted = serde_json::to_vec(&serde_json::json!({ "patch": FIX })).unwrap();
    let diff: String = FIX.lines().map(|line| format!("+{line}\n")).collect();
    for other in [
        quoted,
        diff.into_bytes(),
        FIX.replace("    ", "\t").into_bytes(),
    ] {
        assert_eq!(found(&other).leaks.len(), 1);
    }
    let other = FIX.replace("joined", "out").replace("span", "part");
    assert_eq!(found(other.as_bytes()).leaks, []);
    assert_eq!(found(b"").leaks, []);
}

#[test]
fn what_is_shown_tells_nothing() {
    let fixed = format!(
        "import os\n{}\n{FIX}",
        "x = first(second, third, fourth)\n".repeat(9)
    );
    let base = fixed.replace("<= joined[-1].end + 1", "< joined[-1].end");
    let index = index_of(needle("solution/spans.py", None, &fixed), &[(None, &base)]);
    let shown = found_in(&index, Bounds::default(), &[("base", base.as_bytes())]);
    assert_eq!(shown.leaks, []);
    let leak = found_in(&index, Bounds::default(), &[("x", fixed.as_bytes())]);
    assert_eq!(leak.leaks.len(), 1);
    assert!(leak.leaks[0].of < 20, "only what differs is counted");
}

#[test]
fn a_shown_file_that_is_the_answer_is_a_leak_unless_it_is_in_its_own_place() {
    let tests = || needle("tests/files/t.py", Some("t.py"), FIX);
    let by_mistake = index_of(tests(), &[(Some("old/t.py"), FIX)]);
    let files = [("t.py", FIX.as_bytes())];
    assert_eq!(
        found_in(&by_mistake, Bounds::default(), &files).leaks.len(),
        1
    );
    let unchanged = index_of(tests(), &[(Some("t.py"), FIX)]);
    let found = found_in(&unchanged, Bounds::default(), &files);
    assert_eq!(found.leaks, []);
    assert_eq!(found.not_sought[0].place.root, "tests/files/t.py");
    assert!(unchanged.is_empty());
}

#[test]
fn common_text_is_no_leak_and_many_copies_of_the_answer_are() {
    let licence = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated files, to deal in it without restriction of any kind";
    let both = format!("{licence}\n{FIX}");
    let index = index_of(needle("fix", None, &both), &[]);
    let names: Vec<String> = (0..30).map(|at| format!("f{at}")).collect();
    let files = |text: &'static str| -> Vec<(&str, &[u8])> {
        names
            .iter()
            .map(|name| (name.as_str(), text.as_bytes()))
            .collect()
    };
    let common: &'static str = Box::leak(licence.to_owned().into_boxed_str());
    assert_eq!(
        found_in(&index, Bounds::default(), &files(common)).leaks,
        []
    );
    let copies: &'static str = Box::leak(both.into_boxed_str());
    let found = found_in(&index, Bounds::default(), &files(copies));
    assert_eq!(found.leaks.len(), 30);
}

#[test]
fn bounds_hold_and_are_told() {
    let index = index_of(needle("fix", None, FIX), &[]);
    let bomb = gzip(&vec![b'x'; 4 << 20]);
    let small = Bounds {
        unpacked: 1 << 20,
        ..Bounds::default()
    };
    let told = |bounds, content: &[u8]| {
        let found = found_in(&index, bounds, &[("x", content)]);
        found
            .not_searched
            .first()
            .map(|skipped| skipped.why.clone())
    };
    let why = told(small, &bomb).unwrap();
    assert!(why.contains("unpacks to more"), "{why}");
    let deep = (0..10).fold(FIX.as_bytes().to_vec(), |inner, _| gzip(&inner));
    let why = told(Bounds::default(), &deep).unwrap();
    assert!(why.contains("too deeply"), "{why}");
    let few = Bounds {
        members: 1,
        ..Bounds::default()
    };
    let why = told(few, &tar_of(&[("a", b""), ("b", b"")])).unwrap();
    assert!(why.contains("too many members"), "{why}");
    let cut = gzip(FIX.as_bytes());
    assert!(told(Bounds::default(), &cut[..cut.len() / 2]).is_some());
    assert!(told(Bounds::default(), b"PK\x03\x04 no zip at all").is_some());
}

#[test]
fn a_search_ends_when_it_is_asked_to() {
    let index = index_of(needle("fix", None, FIX), &[]);
    let stop = Arc::new(AtomicBool::new(true));
    let scratch = tempfile::tempdir().unwrap();
    let mut search = Search::new(&index, Bounds::default(), scratch.path(), stop);
    assert!(search.file(&Place::of("x"), &mut FIX.as_bytes()).is_err());
}

/// A repository with the answer in a commit that no branch has any more.
fn repository(folder: &std::path::Path) {
    let git = |arguments: &[&str]| {
        let names = [
            "-c",
            "user.name=dev",
            "-c",
            "user.email=dev@example.invalid",
        ];
        let output = Command::new("git")
            .current_dir(folder)
            .args(names)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&["init", "-q", "-b", "main", "."]);
    git(&["commit", "-q", "--allow-empty", "-m", "base"]);
    std::fs::create_dir(folder.join("src")).unwrap();
    std::fs::write(folder.join("src/spans.py"), FIX).unwrap();
    git(&["add", "-A"]);
    git(&["commit", "-qm", "fix"]);
}

#[test]
fn objects_that_no_branch_has_are_searched_loose_packed_and_bundled() {
    let index = index_of(needle("fix", None, FIX), &[]);
    let repo = tempfile::tempdir().unwrap();
    repository(repo.path());
    let git = |arguments: &[&str]| {
        let git = Command::new("git")
            .current_dir(repo.path())
            .args(arguments)
            .output();
        assert!(git.unwrap().status.success());
    };
    git(&["bundle", "create", "-q", "../x.bundle", "main"]);
    let bundle = std::fs::read(repo.path().parent().unwrap().join("x.bundle")).unwrap();
    std::fs::remove_file(repo.path().parent().unwrap().join("x.bundle")).unwrap();
    let bundled = found_in(&index, Bounds::default(), &[("x.bundle", &bundle)]);
    git(&["reset", "-q", "--hard", "HEAD~1"]);
    let searched = || {
        let scratch = tempfile::tempdir().unwrap();
        let bounds = Bounds::default();
        let mut search = Search::new(&index, bounds, scratch.path(), Arc::default());
        folder(&mut search, &Place::of("checkout"), repo.path()).unwrap();
        search.finish()
    };
    let loose = searched();
    assert_eq!(loose.leaks.len(), 1, "{:?}", loose.not_searched);
    assert!(loose.leaks[0].place.path[0].starts_with(".git/objects/"));
    git(&["repack", "-adkq"]);
    let packed = searched();
    for found in [bundled, packed] {
        assert_eq!(found.leaks.len(), 1, "{:?}", found.not_searched);
        let place = &found.leaks[0].place;
        assert!(place.path[1].starts_with("object "), "{place}");
        assert!(
            place
                .note
                .as_ref()
                .unwrap()
                .starts_with("src/spans.py of commit ")
        );
    }
}

#[test]
fn layers_are_named_by_their_order_and_deleted_files_by_who_deletes_them() {
    let index = index_of(needle("fix", None, FIX), &[]);
    let first = tar_of(&[("tmp/solution/fix.py", FIX.as_bytes())]);
    let second = gzip(&tar_of(&[
        ("tmp/.wh.solution", b""),
        ("kept", FIX.as_bytes()),
    ]));
    let manifest = br#"[{"Config": "c.json", "Layers": ["b/layer.tar", "a/layer.tar"]}]"#;
    let stream = |with: bool| {
        let mut members: Vec<(&str, &[u8])> = vec![
            ("a/layer.tar", &second),
            ("b/layer.tar", &first),
            ("c.json", FIX.as_bytes()),
        ];
        members.extend(with.then_some(("manifest.json", &manifest[..])));
        tar_of(&members)
    };
    let searched = |stream: &[u8]| {
        let scratch = tempfile::tempdir().unwrap();
        let mut search = Search::new(&index, Bounds::default(), scratch.path(), Arc::default());
        image(&mut search, &mut &stream[..]).map(|()| search.finish())
    };
    let found = searched(&stream(true)).unwrap();
    let places: Vec<String> = found
        .leaks
        .iter()
        .map(|leak| leak.place.to_string())
        .collect();
    assert_eq!(
        places,
        [
            "image: configuration",
            "image layer 1 of 2: /tmp/solution/fix.py (deleted by layer 2)",
            "image layer 2 of 2: /kept",
        ]
    );
    // A stream that broke off is no clean image.
    assert!(searched(&stream(false)).is_err());
}
