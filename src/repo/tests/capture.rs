//! What an agent leaves becomes data, and only data.

use super::*;
use tar::EntryType;

#[test]
fn what_an_agent_set_in_its_git_folder_changes_nothing() {
    let place = Place::with_history();
    let prepared = place.prepare_folder();
    let mark = place.root.path().join("ran");
    let run = format!("touch {}", mark.display());
    let config = format!(
        "[core]\n\tfsmonitor = {run}\n\thooksPath = /tmp\n[filter \"x\"]\n\tclean = {run}\n\tsmudge = {run}\n\
         [diff]\n\texternal = {run}\n[diff \"x\"]\n\ttextconv = {run}\n"
    );
    let (changed, change) = Work::default()
        .file(".git/config", config)
        .file(".git/hooks/post-checkout", format!("#!/bin/sh\n{run}\n"))
        .file(".GIT/config", "x")
        .file(
            ".gitattributes",
            "*.py -diff filter=x diff=x text eol=crlf\n",
        )
        .file("src/main.py", "print('three')\n")
        .delete(".git/index")
        .capture(&place, &prepared);
    assert!(!mark.exists());
    assert_eq!(paths(&change), [".gitattributes", "src/main.py"]);
    let patch = String::from_utf8(change.patch.clone()).unwrap();
    assert!(
        patch.contains("-print('two')\n+print('three')\n"),
        "{patch}"
    );
    assert!(change.faithful);
    assert_eq!(change.notes.len(), 1, "{:?}", change.notes);
    assert_eq!(changed.tree(), change.new_tree);
    assert!(!mark.exists());
}

#[test]
fn a_repository_within_keeps_its_files_and_loses_its_git_folder() {
    let place = Place::with_history();
    let prepared = place.prepare_folder();
    let (_, change) = Work::default()
        .file("vendor/lib/.git/HEAD", "ref: refs/heads/main\n")
        .file("vendor/lib/code.py", "x = 1\n")
        .capture(&place, &prepared);
    assert_eq!(paths(&change), ["vendor/lib/code.py"]);
}

#[test]
fn a_gitignore_hides_build_products_and_never_tracked_files() {
    let place = Place::with_history();
    place.file(".gitignore", "*.pyc\nbuild/\n/README\n");
    let prepared = place.prepare_folder();
    let work = || {
        Work::default()
            .file("src/main.pyc", "\0")
            .file("build/deep/out", "x")
            .file("build/.gitignore", "!out\n")
            .file("README", "tracked, so it counts\n")
            .file(".pytest_cache/.gitignore", "*\n")
            .file(".pytest_cache/v", "x")
            .file("src/.gitignore", "!kept.pyc\n")
            .file("src/kept.pyc", "x")
            .file("docs/README", "only the one at the top is meant")
    };
    let (_, change) = work().capture(&place, &prepared);
    assert_eq!(
        paths(&change),
        ["README", "docs/README", "src/.gitignore", "src/kept.pyc"]
    );
    let all = work()
        .try_capture(&place, &prepared, true, Bounds::default())
        .unwrap()
        .1;
    assert_eq!(all.files.len(), 9);
    // Taking the rules away does not bring out what they hid; new rules do.
    let (_, change) = work().delete(".gitignore").capture(&place, &prepared);
    assert!(!paths(&change).contains(&"build/deep/out".to_owned()));
    let (_, change) = work().file(".gitignore", "\n").capture(&place, &prepared);
    assert!(paths(&change).contains(&"build/deep/out".to_owned()));
}

#[test]
fn a_hostile_stream_is_data() {
    let place = Place::with_history();
    let prepared = place.prepare_folder();
    let outside = place.root.path().join("outside");
    let work = Work::default()
        .raw(EntryType::Regular, b"/etc/planted", b"x")
        .raw(EntryType::Regular, b"../outside", b"x")
        .raw(EntryType::Regular, b"a/../../outside", b"x")
        .raw(EntryType::Fifo, b"pipe", b"")
        .raw(EntryType::Char, b"device", b"")
        .entry(EntryType::Link, b"copied", 0o644, b"nowhere")
        .link("etc", outside.parent().unwrap().to_str().unwrap())
        .raw(EntryType::Regular, b"etc/outside", b"x")
        .file("first", "content")
        .entry(EntryType::Link, b"second", 0o644, b"first")
        .delete("../source")
        .delete("/etc");
    let (changed, change) = work.capture(&place, &prepared);
    assert!(!outside.exists());
    assert!(place.source().exists());
    assert_eq!(paths(&change), ["etc/outside", "first", "second"]);
    assert_eq!(change.notes.len(), 8, "{:#?}", change.notes);
    assert!(change.faithful);
    let copy_of = place.root.path().join("copy");
    copy(&prepared, &copy_of);
    lay(&changed.overlay().unwrap(), &copy_of);
    assert_eq!(
        fs::read_to_string(copy_of.join("second")).unwrap(),
        "content"
    );
}

#[test]
fn what_passes_a_bound_is_said_to_be_too_large() {
    let place = Place::with_history();
    let prepared = place.prepare_folder();
    let small = Bounds {
        bytes: 10,
        entries: 3,
        patch_bytes: 200,
    };
    let deep = "d/".repeat(300) + "x";
    for work in [
        Work::default().file("a", "12345678901"),
        Work::default().file("a", "123456").file("b", "123456"),
        Work::default()
            .file("a", "")
            .file("b", "")
            .file("c", "")
            .file("d", ""),
        Work::default()
            .delete("a")
            .delete("b")
            .delete("c")
            .delete("d"),
        Work::default().file("a", "1\n2\n3\n").file("b", "4\n"),
        Work::default().file(&deep, ""),
    ] {
        let error = work
            .try_capture(&place, &prepared, false, small)
            .unwrap_err();
        assert!(matches!(error, RepoError::TooLarge(_)), "{error}");
    }
    let cut = Delta {
        tar: &[1; 700],
        ..Delta::default()
    };
    let error = Changed::capture(&prepared, &cut, false, small, &place.scratch()).unwrap_err();
    assert!(matches!(error, RepoError::Stream(_)), "{error}");
}

#[test]
fn a_change_counts_lines_and_names_kinds() {
    let place = Place::with_history();
    place.file("old", "1\n2\n");
    place.file("blob", b"\0\x01");
    let prepared = place.prepare_folder();
    let (_, change) = Work::default()
        .file("README", "hello\nworld")
        .file("blob", b"\0\x02")
        .file("link", "now a file\n")
        .entry(EntryType::Regular, b"src/main.py", 0o755, b"print('two')\n")
        .file("new file", "")
        .delete("old")
        .capture(&place, &prepared);
    let shown: Vec<String> = change
        .files
        .iter()
        .map(|file| {
            let path = String::from_utf8_lossy(&file.path).into_owned();
            let FileChange {
                kind,
                added,
                removed,
                binary,
                ..
            } = file;
            format!("{path}: {kind:?} +{added} -{removed} binary {binary}")
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    README: Modified +1 -0 binary false
    blob: Modified +0 -0 binary true
    link: TypeChanged +1 -1 binary false
    new file: Added +0 -0 binary false
    old: Deleted +0 -2 binary false
    src/main.py: Modified +0 -0 binary false
    ");
    assert_eq!((change.insertions, change.deletions), (2, 3));
    let patch = String::from_utf8_lossy(&change.patch).into_owned();
    let headers = [
        "diff", "old", "new", "deleted", "---", "+++", "@@", "GIT", "\\",
    ];
    let heads = |line: &&str| headers.iter().any(|start| line.starts_with(start));
    let patch: Vec<&str> = patch.lines().filter(heads).collect();
    insta::assert_snapshot!(patch.join("\n"), @r"
    diff --git a/README b/README
    --- a/README
    +++ b/README
    @@ -1 +1,2 @@
    \ No newline at end of file
    diff --git a/blob b/blob
    GIT binary patch
    diff --git a/link b/link
    deleted file mode 120000
    --- a/link
    +++ /dev/null
    @@ -1 +0,0 @@
    \ No newline at end of file
    diff --git a/link b/link
    new file mode 100644
    --- /dev/null
    +++ b/link
    @@ -0,0 +1 @@
    diff --git a/new file b/new file
    new file mode 100644
    diff --git a/old b/old
    deleted file mode 100644
    --- a/old
    +++ /dev/null
    @@ -1,2 +0,0 @@
    diff --git a/src/main.py b/src/main.py
    old mode 100644
    new mode 100755
    ");
}

#[test]
fn nothing_changed_is_an_empty_patch() {
    let place = Place::with_history();
    let prepared = place.prepare_folder();
    let (changed, change) = Work::default()
        .file("README", "hello\n")
        .entry(EntryType::Directory, b"empty", 0o755, b"")
        .capture(&place, &prepared);
    assert_eq!(change.patch, b"");
    assert_eq!(change.new_tree, prepared.base_tree);
    assert!(change.faithful);
    assert_eq!(changed.overlay().unwrap().deleted, Vec::<Vec<u8>>::new());
}

#[test]
fn capture_leaves_the_checkout_as_it_was() {
    let place = Place::with_history();
    let prepared = place.prepare_folder();
    let listing = || {
        let walk = walkdir::WalkDir::new(&prepared.dir).sort_by_file_name();
        walk.into_iter()
            .map(|entry| entry.unwrap().into_path())
            .collect::<Vec<_>>()
    };
    let before = listing();
    let (changed, _) = Work::default().file("a/b", "x").capture(&place, &prepared);
    changed.overlay().unwrap();
    drop(changed);
    assert_eq!(listing(), before);
    assert_eq!(fs::read_dir(place.scratch()).unwrap().count(), 0);
}

#[test]
fn paths_of_a_sandbox_are_taken_below_the_work_tree() {
    let place = Place::with_history();
    let prepared = place.prepare_folder();
    let mut work = Work::default()
        .file("workspace/README", "x\n")
        .file("workspaces/other", "x\n")
        .file("etc/passwd", "x\n");
    let tar = work.tar.take().unwrap().into_inner().unwrap();
    let delta = Delta {
        tar: &tar,
        deleted: vec![b"workspace/link".to_vec()],
        root: b"workspace".to_vec(),
    };
    let bounds = Bounds::default();
    let (_, change) = Changed::capture(&prepared, &delta, false, bounds, &place.scratch()).unwrap();
    assert_eq!(paths(&change), ["README", "link"]);
    assert_eq!(change.notes.len(), 2);
}
