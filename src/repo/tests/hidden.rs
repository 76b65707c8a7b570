//! Hidden patches and stored changes.

use super::*;

const TEST_PATCH: &str = "\
diff --git a/tests/test_a.py b/tests/test_a.py
--- a/tests/test_a.py
+++ b/tests/test_a.py
@@ -1 +1,2 @@
 assert 1
+assert 2
diff --git a/tests/deep/new.py b/tests/deep/new.py
new file mode 100644
--- /dev/null
+++ b/tests/deep/new.py
@@ -0,0 +1 @@
+assert 3
diff --git a/tests/gone.py b/tests/gone.py
deleted file mode 100644
--- a/tests/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-assert 0
";

fn place() -> (Place, Prepared) {
    let place = Place::new();
    place.file("tests/test_a.py", "assert 1\n");
    place.file("tests/gone.py", "assert 0\n");
    place.file("code.py", "x = 1\n");
    let prepared = place.prepare_folder();
    (place, prepared)
}

#[test]
fn hidden_files_are_those_of_the_base_whatever_the_change_did_there() {
    let (place, prepared) = place();
    for work in [
        Work::default(),
        Work::default()
            .file("tests/test_a.py", "pass\n")
            .delete("tests/gone.py"),
        Work::default().delete("tests"),
        Work::default().delete("tests").link("tests", "/etc"),
        Work::default().delete("tests").file("tests", "a file\n"),
        Work::default()
            .delete("tests/test_a.py")
            .file("tests/test_a.py/x", "a folder\n"),
        Work::default().link("tests/deep", "../.."),
        Work::default()
            .file("tests/gone.py", "back\n")
            .file("tests/deep/new.py", "mine\n"),
    ] {
        let (changed, change) = work.file("code.py", "x = 2\n").capture(&place, &prepared);
        assert!(change.faithful);
        let dir = place.root.path().join("copy");
        copy(&prepared, &dir);
        lay(&changed.overlay().unwrap(), &dir);
        lay(&changed.overlay_patch(TEST_PATCH.as_bytes()).unwrap(), &dir);
        let read = |path: &str| fs::read_to_string(dir.join(path)).unwrap();
        assert_eq!(read("tests/test_a.py"), "assert 1\nassert 2\n");
        assert_eq!(read("tests/deep/new.py"), "assert 3\n");
        assert!(!dir.join("tests/gone.py").exists());
        assert_eq!(read("code.py"), "x = 2\n");
        let real = fs::canonicalize(dir.join("tests/deep")).unwrap();
        assert_eq!(real, fs::canonicalize(&dir).unwrap().join("tests/deep"));
        fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn a_stored_patch_makes_the_same_change_again() {
    let (place, prepared) = place();
    let (changed, change) = Work::default()
        .file("code.py", "x = 2")
        .file("a b/\"c\"\n\t", b"\0\xff")
        .capture(&place, &prepared);
    let again = Changed::from_patch(&prepared, &change.patch, &place.scratch()).unwrap();
    assert_eq!(again.tree(), change.new_tree);
    assert_eq!(again.overlay().unwrap(), changed.overlay().unwrap());
}

#[test]
fn a_patch_with_renames_from_git_applies() {
    let place = Place::with_history();
    let prepared = place.prepare_folder();
    let source = place.source();
    git(&source, &["mv", "src/main.py", "src/other name.py"]);
    fs::copy(source.join("README"), source.join("README copy")).unwrap();
    git(&source, &["add", "-A"]);
    let tree = git(&source, &["write-tree"]);
    let patch = git(&source, &["diff", "--cached", "-C", "-C", "-M"]) + "\n";
    assert!(
        patch.contains("rename from") && patch.contains("copy from"),
        "{patch}"
    );
    let changed = Changed::from_patch(&prepared, patch.as_bytes(), &place.scratch()).unwrap();
    assert_eq!(changed.tree(), tree);
}

#[test]
fn a_patch_that_does_not_fit_says_where() {
    let (place, prepared) = place();
    let new = "diff --git a/code.py b/code.py\nnew file mode 100644\n--- /dev/null\n+++ b/code.py\n@@ -0,0 +1 @@\n+x\n";
    for (patch, why) in [
        (
            TEST_PATCH.replace(" assert 1", " assert 9"),
            "line 1 is not what the patch expects",
        ),
        (
            TEST_PATCH.replace("test_a", "test_b"),
            "there is no such file",
        ),
        (
            TEST_PATCH.replace("+assert 2\n", ""),
            "the last hunk is cut off",
        ),
        (new.to_owned(), "it is there already"),
        ("no patch at all\n".to_owned(), "no line that begins with"),
        (
            "diff --git a/code.py b/code.py\nBinary files a/code.py and b/code.py differ\n"
                .to_owned(),
            "left out",
        ),
    ] {
        let error = Changed::from_patch(&prepared, patch.as_bytes(), &place.scratch()).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}
