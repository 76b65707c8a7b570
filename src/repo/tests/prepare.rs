//! What an agent finds, and what it does not.

use super::*;
use std::os::unix::fs::MetadataExt;

/// Every object of a repo's store.
fn stored(dir: &Path) -> usize {
    git(dir, &["cat-file", "--batch-all-objects", "--batch-check"])
        .lines()
        .count()
}

fn assert_ordinary(prepared: &Prepared) {
    let dir = &prepared.dir;
    assert_eq!(git(dir, &["status", "--porcelain"]), "");
    assert_eq!(git(dir, &["fsck", "--full", "--strict"]), "");
    assert_eq!(git(dir, &["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert_eq!(git(dir, &["rev-parse", "HEAD"]), prepared.head);
    assert_eq!(git(dir, &["rev-parse", "HEAD^{tree}"]), prepared.base_tree);
    assert_eq!(git(dir, &["for-each-ref"]).lines().count(), 1);
    assert_eq!(git(dir, &["remote"]), "");
    assert!(prepared.has_object(&prepared.commit[..9]) && prepared.has_object(&prepared.base_tree));
    assert!(!prepared.has_object("0123abcd"));
    let reachable = git(dir, &["rev-list", "--objects", "HEAD"]).lines().count();
    assert_eq!(reachable, stored(dir));
    assert_eq!(prepared.proof.objects_reachable, reachable as u64);
    assert_eq!(prepared.proof.objects_stored, reachable as u64);
}

#[test]
fn nothing_after_the_base_commit_is_in_a_checkout() {
    let place = Place::with_history();
    let source = place.source();
    let base = git(&source, &["rev-parse", "HEAD"]);
    let mut future = Vec::new();
    for (name, after) in [
        ("trunk", vec!["tag", "v2"]),
        ("branch", vec!["branch", "later"]),
        ("annotated", vec!["tag", "-a", "-m", "x", "v3"]),
        ("reflog", vec!["reset", "-q", "--hard", &base]),
    ] {
        place.file("answer.py", format!("answer = '{name}'\n"));
        future.push(place.commit(name));
        git(&source, &after);
    }
    place.file("src/main.py", "stashed\n");
    git(&source, &["stash", "-q"]);
    future.push(git(&source, &["rev-parse", "stash"]));
    place.file("loose", "never added to a commit\n");
    future.push(git(&source, &["hash-object", "-w", "loose"]));
    fs::remove_file(source.join("loose")).unwrap();

    for source in [place.bundle(&["--all"]), place.url()] {
        let prepared = place.prepare(&source, Some(&base));
        assert_ordinary(&prepared);
        assert_eq!(prepared.commit, base);
        assert_eq!(prepared.proof.commits, 2);
        for object in &future {
            try_git(&prepared.dir, &["cat-file", "-e", object]).unwrap_err();
        }
        assert_eq!(
            git(&prepared.dir, &["log", "--format=%s", "--all"]),
            "two\none"
        );
        assert!(!prepared.dir.join("answer.py").exists());
    }
}

#[test]
fn a_checkout_has_no_trace_of_who_made_it() {
    let place = Place::with_history();
    let prepared = place.prepare(&place.bundle(&["HEAD"]), None);
    let mut names: Vec<String> = Vec::new();
    let host = nix::unistd::gethostname().unwrap();
    let secrets = [
        host.into_string().unwrap(),
        place.root.path().display().to_string(),
    ];
    for entry in walkdir::WalkDir::new(&prepared.dir).sort_by_file_name() {
        let entry = entry.unwrap();
        let metadata = entry.path().symlink_metadata().unwrap();
        let is_index = entry.path().ends_with(".git/index");
        assert_eq!(metadata.mtime(), 1_600_000_000 + i64::from(is_index));
        let path = entry.path().strip_prefix(&prepared.dir).unwrap();
        if metadata.is_file() && path.starts_with(".git") {
            let content = fs::read(entry.path()).unwrap();
            for secret in &secrets {
                let found = content
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes());
                assert!(!found, "{} names {secret}", path.display());
            }
        }
        if path.starts_with(".git") && !path.starts_with(".git/objects/pack") {
            names.push(path.display().to_string());
        }
    }
    insta::assert_snapshot!(names.join("\n"), @r"
    .git
    .git/HEAD
    .git/config
    .git/index
    .git/objects
    .git/objects/info
    .git/refs
    .git/refs/heads
    .git/refs/heads/main
    .git/refs/tags
    ");
    insta::assert_snapshot!(fs::read_to_string(prepared.dir.join(".git/config")).unwrap(), @r"
    [core]
    	repositoryformatversion = 0
    	filemode = true
    	bare = false
    	logallrefupdates = true
    	checkStat = minimal
    ");
}

#[test]
fn files_are_byte_for_byte_those_of_the_tree() {
    let place = Place::with_history();
    let crlf = b"a\r\nb\n\0\xff";
    place.file("mixed.txt", crlf);
    place.file(".gitattributes", "* text=auto eol=crlf\n*.id ident\n");
    place.file("x.id", "$Id$\n");
    let base = place.commit("attributes");
    let tree = git(&place.source(), &["rev-parse", &format!("{base}^{{tree}}")]);
    let prepared = place.prepare(&place.bundle(&["HEAD"]), None);
    assert_eq!(prepared.base_tree, tree);
    let dir = &prepared.dir;
    assert_eq!(fs::read(dir.join("x.id")).unwrap(), b"$Id$\n");
    let blob = git(dir, &["rev-parse", "HEAD:mixed.txt"]);
    let raw = git(dir, &["hash-object", "--no-filters", "mixed.txt"]);
    assert_eq!(raw, blob);
    assert_eq!(
        fs::read_link(dir.join("link")).unwrap(),
        Path::new("src/main.py")
    );
    let mode = |path: &str| fs::metadata(dir.join(path)).unwrap().mode() & 0o777;
    assert_eq!(
        (mode("bin/run"), mode("README"), mode("src")),
        (0o755, 0o644, 0o755)
    );
    assert_eq!(git(dir, &["status", "--porcelain"]), "");
}

#[test]
fn git_status_reads_no_file_of_a_checkout() {
    let place = Place::with_history();
    let prepared = place.prepare(&place.bundle(&["HEAD"]), None);
    let dir = place.root.path().join("copy");
    copy(&prepared, &dir);
    // Same size and time, other content: only who reads it sees it.
    let path = dir.join("README");
    fs::write(&path, "HELLO\n").unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    file.set_modified(time).unwrap();
    assert_eq!(git(&dir, &["status", "--porcelain"]), "");
    fs::write(&path, "HELLO\n").unwrap();
    assert_eq!(git(&dir, &["status", "--porcelain"]), "M README");
}

#[test]
fn without_history_one_commit_is_left() {
    let place = Place::with_history();
    let source = place.bundle(&["HEAD"]);
    let prepared = prepare(&source, None, History::None, &place.cache(), us()).unwrap();
    assert_ordinary(&prepared);
    assert_eq!(prepared.proof.commits, 1);
    assert_ne!(prepared.head, prepared.commit);
    assert_eq!(
        git(&prepared.dir, &["log", "--format=%an %ae %s %P"]),
        "Proofyard proofyard@localhost Initial state"
    );
    assert_ne!(prepared.digest, place.prepare(&source, None).digest);
}

#[test]
fn a_folder_becomes_the_same_commit_each_time() {
    let one = Place::with_history();
    let other = Place::with_history();
    fs::remove_dir_all(other.source().join(".git")).unwrap();
    other.file("nested/.git/config", "[core]\n\tfsmonitor = false\n");
    let first = one.prepare_folder();
    let second = other.prepare_folder();
    assert_ordinary(&first);
    assert_eq!(first.commit, second.commit);
    assert_eq!(first.digest, second.digest);
    assert_eq!(first.proof.commits, 1);
    let tree = git(&one.source(), &["rev-parse", "HEAD^{tree}"]);
    assert_eq!(first.base_tree, tree);
    other.file("README", "changed\n");
    assert_ne!(other.prepare_folder().commit, first.commit);
}

#[test]
fn many_callers_make_one_checkout() {
    let place = Place::with_history();
    let source = place.bundle(&["HEAD"]);
    let all: Vec<Prepared> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| place.prepare(&source, None)))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert!(all.iter().all(|prepared| *prepared == all[0]));
    let inode = fs::metadata(&all[0].dir).unwrap().ino();
    assert_eq!(place.prepare(&source, None), all[0]);
    assert_eq!(fs::metadata(&all[0].dir).unwrap().ino(), inode);
    let mut left: Vec<String> = fs::read_dir(place.cache())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let digest = &all[0].digest;
    assert_eq!(left, [digest.clone(), format!("{digest}.lock")]);
}

#[test]
fn a_half_made_checkout_is_never_used() {
    let place = Place::with_history();
    let source = place.bundle(&["HEAD"]);
    let prepared = place.prepare(&source, None);
    let home = prepared.dir.parent().unwrap();
    let part = home.with_extension("part");
    fs::rename(home, &part).unwrap();
    fs::write(part.join("tree/README"), "half").unwrap();
    let again = place.prepare(&source, None);
    assert_eq!(
        fs::read_to_string(again.dir.join("README")).unwrap(),
        "hello\n"
    );
    assert!(!part.exists());
}

#[test]
fn a_url_follows_its_head_and_brings_a_commit_by_name() {
    let place = Place::with_history();
    let first = place.prepare(&place.url(), None);
    assert_ordinary(&first);
    let later = place.commit("three");
    assert_eq!(place.prepare(&place.url(), None).commit, later);
    // No ref names it any more: servers differ in whether they give it.
    let known = place.prepare(&place.url(), Some(&first.commit));
    assert_eq!(known.commit, first.commit);
    let none = "1".repeat(40);
    let error = prepare(
        &place.url(),
        Some(&none),
        History::Ancestors,
        &place.cache(),
        us(),
    )
    .unwrap_err();
    assert!(matches!(error, RepoError::NoCommit { .. }), "{error}");
    let error = prepare(
        &RepoSource::Url("file:///nowhere/at/all".to_owned()),
        None,
        History::Ancestors,
        &place.cache(),
        us(),
    )
    .unwrap_err();
    assert!(matches!(error, RepoError::Fetch { .. }), "{error}");
}

#[test]
fn a_url_runs_no_command_and_shows_no_password() {
    let place = Place::new();
    let mark = place.root.path().join("ran");
    for url in [
        format!("ext::touch {}", mark.display()),
        format!("--upload-pack=touch {}", mark.display()),
    ] {
        let source = RepoSource::Url(url);
        prepare(&source, None, History::Ancestors, &place.cache(), us()).unwrap_err();
    }
    assert!(!mark.exists());
    let source = RepoSource::Url("https://ada:s3cret@127.0.0.1:1/x.git".to_owned());
    let error = prepare(&source, None, History::Ancestors, &place.cache(), us()).unwrap_err();
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[test]
fn a_bundle_that_does_not_say_which_commit_is_refused_with_the_reason() {
    let place = Place::with_history();
    git(&place.source(), &["branch", "old", "HEAD~1"]);
    let source = place.bundle(&["--branches"]);
    let error = prepare(&source, None, History::Ancestors, &place.cache(), us()).unwrap_err();
    assert!(error.to_string().contains("name the commit"), "{error}");
    let one = place.bundle(&["trunk"]);
    assert_eq!(place.prepare(&one, None).proof.commits, 2);
    let part = place.bundle(&["HEAD~1..trunk"]);
    let error = prepare(&part, None, History::Ancestors, &place.cache(), us()).unwrap_err();
    assert!(error.to_string().contains("prerequisites"), "{error}");
    let RepoSource::Bundle(path) = place.bundle(&["--all"]) else {
        unreachable!()
    };
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 30]).unwrap();
    let cut = RepoSource::Bundle(path);
    let error = prepare(&cut, None, History::Ancestors, &place.cache(), us()).unwrap_err();
    assert!(matches!(error, RepoError::Bundle { .. }), "{error}");
}

#[test]
fn a_submodule_is_an_empty_folder() {
    let place = Place::with_history();
    let id = "2".repeat(40);
    let info = format!("160000,{id},sub/module");
    git(
        &place.source(),
        &["update-index", "--add", "--cacheinfo", &info],
    );
    git(&place.source(), &["commit", "-q", "-m", "submodule"]);
    let prepared = place.prepare(&place.bundle(&["HEAD"]), None);
    assert_ordinary(&prepared);
    assert_eq!(
        fs::read_dir(prepared.dir.join("sub/module"))
            .unwrap()
            .count(),
        0
    );
    let (_, change) = Work::default()
        .entry(tar::EntryType::Directory, b"sub/module", 0o755, b"")
        .capture(&place, &prepared);
    assert_eq!(change.new_tree, prepared.base_tree);
}

#[test]
fn a_hostile_tree_writes_nothing_outside_the_checkout() {
    let place = Place::new();
    let source = place.source();
    git(&source, &["init", "-q"]);
    let outside = place.root.path().join("outside");
    let target = place.root.path().join("target");
    fs::create_dir(&target).unwrap();
    fs::write(source.join("to"), target.to_str().unwrap()).unwrap();
    let blob = git(&source, &["hash-object", "-w", "to"]);
    let repo = git2::Repository::open(&source).unwrap();
    let raw = |items: &[(&str, &str, &str)]| {
        let mut raw = Vec::new();
        for (mode, name, id) in items {
            raw.extend(format!("{mode} {name}\0").bytes());
            raw.extend(git2::Oid::from_str(id).unwrap().as_bytes());
        }
        let odb = repo.odb().unwrap();
        odb.write(git2::ObjectType::Tree, &raw).unwrap().to_string()
    };
    let inner = raw(&[("100644", "planted", &blob)]);
    let up = raw(&[("40000", "..", &inner)]);
    // One name twice: a link, then a folder that would be written through it.
    let twice = raw(&[("120000", "a", &blob), ("40000", "a", &inner)]);
    let hooks = raw(&[("40000", ".GIT", &inner)]);
    for tree in [up, twice, hooks] {
        let commit = git(&source, &["commit-tree", "-m", "x", &tree]);
        git(&source, &["update-ref", "refs/heads/hostile", &commit]);
        let bundle = place.bundle(&["hostile"]);
        prepare(&bundle, None, History::Ancestors, &place.cache(), us()).unwrap_err();
    }
    assert!(!outside.exists());
    assert_eq!(fs::read_dir(target).unwrap().count(), 0);
    assert!(!place.cache().join("planted").exists());
}

#[test]
fn a_checkout_is_given_to_its_owner() {
    let place = Place::with_history();
    let owner = Owner {
        uid: 4321,
        gid: 8765,
    };
    let bundle = place.bundle(&["HEAD"]);
    let prepared = prepare(&bundle, None, History::Ancestors, &place.cache(), owner).unwrap();
    let mut tar = Vec::new();
    tree_tar(&prepared, &mut tar).unwrap();
    let mut again = Vec::new();
    tree_tar(&prepared, &mut again).unwrap();
    assert!(tar == again);
    for entry in tar::Archive::new(tar.as_slice()).entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (4321, 8765));
    }
    if nix::unistd::geteuid().is_root() {
        for entry in walkdir::WalkDir::new(&prepared.dir) {
            let metadata = entry.unwrap().path().symlink_metadata().unwrap();
            assert_eq!((metadata.uid(), metadata.gid()), (4321, 8765));
        }
    }
    // Whoever owns it, its objects can be read for a change.
    let (_, change) = Work::default()
        .file("README", "x\n")
        .capture(&place, &prepared);
    assert_eq!(paths(&change), ["README"]);
    let out = place.root.path().join("unpacked");
    let mut archive = tar::Archive::new(tar.as_slice());
    archive.set_preserve_permissions(true);
    archive.unpack(&out).unwrap();
    assert_eq!(git(&out, &["status", "--porcelain"]), "");
    assert_eq!(git(&out, &["rev-parse", "HEAD"]), prepared.head);
}
