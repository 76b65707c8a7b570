//! A work tree that is an image's own, as the engine's stream gives it.

use std::io::Cursor;

use super::*;

/// The source folder as the engine would stream it: below the folder's own name.
fn streamed(place: &Place) -> Cursor<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.follow_symlinks(false);
    tar.append_dir_all("testbed", place.source()).unwrap();
    Cursor::new(tar.into_inner().unwrap())
}

fn own(commit: Option<&str>, history: History) -> InImage {
    InImage {
        image: "sha256:00".into(),
        path: "/testbed".into(),
        commit: commit.map(str::to_owned),
        history,
        owner: us(),
    }
}

fn prepared(place: &Place, commit: Option<&str>, history: History) -> Prepared {
    let own = own(commit, history);
    own.prepare(&mut streamed(place), &place.cache()).unwrap()
}

/// The source's files with the `.git` that was made, as a sandbox sees them.
fn seen(place: &Place, prepared: &Prepared) -> PathBuf {
    let seen = place.root.path().join("seen");
    let copy = |from: &Path, to: &Path| {
        let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
        assert!(copied.unwrap().success());
    };
    copy(&place.source(), &seen);
    fs::remove_dir_all(seen.join(".git")).unwrap();
    copy(&prepared.dir.join(".git"), &seen.join(".git"));
    seen
}

#[test]
fn what_is_later_than_the_base_is_not_taken_over() {
    let place = Place::with_history();
    let base = git(&place.source(), &["rev-parse", "HEAD"]);
    git(&place.source(), &["tag", "-a", "-m", "one", "v1", "HEAD~1"]);
    place.file("src/main.py", "print('the fix')\n");
    let later = place.commit("three");
    git(&place.source(), &["tag", "v2"]);
    git(&place.source(), &["reset", "-q", "--hard", &base]);
    git(&place.source(), &["branch", "other", &later]);

    let prepared = prepared(&place, Some(&base), History::Ancestors);
    assert_eq!((&prepared.commit, &prepared.head), (&base, &base));
    assert_eq!(prepared.proof.commits, 2);
    let seen = seen(&place, &prepared);
    assert_eq!(git(&seen, &["status", "--porcelain"]), "");
    assert_eq!(git(&seen, &["tag"]), "v1");
    assert_eq!(
        git(&seen, &["describe", "--tags"]),
        "v1-1-g".to_owned() + &base[..7]
    );
    assert!(try_git(&seen, &["cat-file", "-e", &later]).is_err());
    assert_eq!(git(&seen, &["log", "--all", "--format=%s"]), "two\none");
}

#[test]
fn what_the_image_changed_is_a_commit_of_its_own_and_the_rest_stays_untracked() {
    let place = Place::with_history();
    let base = git(&place.source(), &["rev-parse", "HEAD"]);
    place.file("README", "for this environment\n");
    fs::remove_file(place.source().join("bin/run")).unwrap();
    place.file("build/lib.so", "compiled");

    let prepared = prepared(&place, Some(&base), History::Ancestors);
    assert_ne!(prepared.head, base);
    assert_eq!(prepared.commit, base);
    let seen = seen(&place, &prepared);
    assert_eq!(git(&seen, &["rev-parse", "HEAD~1"]), base);
    assert_eq!(git(&seen, &["status", "--porcelain"]), "?? build/");
    let changed = git(&seen, &["diff", "--name-status", &base, "HEAD"]);
    assert_eq!(changed, "M\tREADME\nD\tbin/run");
}

#[test]
fn an_image_that_committed_what_it_changed_stands_on_the_base_all_the_same() {
    let place = Place::with_history();
    let base = git(&place.source(), &["rev-parse", "HEAD"]);
    place.file("README", "for this environment\n");
    place.commit("environment");
    let prepared = prepared(&place, Some(&base), History::Ancestors);
    let seen = seen(&place, &prepared);
    assert_eq!(git(&seen, &["rev-parse", "HEAD~1"]), base);
    assert_eq!(git(&seen, &["status", "--porcelain"]), "");
}

#[test]
fn without_history_there_is_one_commit() {
    let place = Place::with_history();
    let base = git(&place.source(), &["rev-parse", "HEAD"]);
    let prepared = prepared(&place, Some(&base), History::None);
    let seen = seen(&place, &prepared);
    assert_eq!(git(&seen, &["rev-list", "--all", "--count"]), "1");
    assert_eq!(git(&seen, &["status", "--porcelain"]), "");
    assert_eq!(prepared.commit, base);
}

#[test]
fn a_hidden_patch_is_laid_over_files_of_the_base_commit() {
    let place = Place::with_history();
    let base = git(&place.source(), &["rev-parse", "HEAD"]);
    place.file("README", "for this environment\n");
    let prepared = prepared(&place, Some(&base), History::Ancestors);
    let patch =
        "diff --git a/README b/README\n--- a/README\n+++ b/README\n@@ -1 +1 @@\n-hello\n+tested\n";
    let changed = Changed::from_patch(&prepared, b"", &place.scratch()).unwrap();
    let laid = changed.overlay_patch(patch.as_bytes()).unwrap();
    let text = String::from_utf8_lossy(&laid.tar).into_owned();
    assert!(text.contains("tested"));
}

#[test]
fn what_was_prepared_is_found_again() {
    let place = Place::with_history();
    let own = own(None, History::Ancestors);
    assert_eq!(own.known(&place.cache()).unwrap(), None);
    let made = own.prepare(&mut streamed(&place), &place.cache()).unwrap();
    assert_eq!(own.known(&place.cache()).unwrap(), Some(made));
}

#[test]
fn a_tree_without_a_repository_or_the_commit_says_so() {
    let place = Place::with_history();
    let missing = own(Some(&"ab".repeat(20)), History::Ancestors);
    let error = missing.prepare(&mut streamed(&place), &place.cache());
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("abab") && error.contains("/testbed"),
        "{error}"
    );
    fs::remove_dir_all(place.source().join(".git")).unwrap();
    let error = own(None, History::Ancestors).prepare(&mut streamed(&place), &place.cache());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("no .git with a HEAD"), "{error}");
}
