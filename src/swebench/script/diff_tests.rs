//! Facts about files of a test patch.

use super::*;

fn paths(patch: &str) -> Vec<String> {
    files(patch).unwrap().iter().map(DiffFile::path).collect()
}

fn error(patch: &str) -> String {
    files(patch).unwrap_err().to_string()
}

#[test]
fn a_hunk_is_as_long_as_its_header_says_whatever_its_lines_look_like() {
    let patch = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- a/removed\n+++ b/added\n c\n\
        \\ No newline at end of file\n\n\
        --- a/y\t2020-01-01\n+++ b/y\t2020-01-02\n@@ -1 +1 @@\n-a\n+b\n";
    assert_eq!(paths(patch), ["x", "y"]);
    assert_eq!(reset_files(patch).unwrap(), ["x", "y"]);
}

#[test]
fn new_files_are_not_reset_and_deleted_and_renamed_ones_by_their_old_name() {
    let patch = "diff --git a/new b/new\nnew file mode 100644\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+a\n\
        diff --git a/old b/old\ndeleted file mode 100644\n--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n\
        diff --git a/from b/to\nsimilarity index 100%\nrename from from\nrename to to\n\
        diff --git a/pic.png b/pic.png\nindex 1..2 100644\nBinary files a/pic.png and b/pic.png differ\n\
        diff --git a/z.bin b/z.bin\nGIT binary patch\nliteral 1\nIcma\n\n";
    assert_eq!(paths(patch), ["new", "old", "to", "pic.png", "z.bin"]);
    assert_eq!(
        reset_files(patch).unwrap(),
        ["old", "from", "pic.png", "z.bin"]
    );
}

#[test]
fn a_name_in_quotes_is_no_path_to_reset() {
    let patch =
        "diff --git \"a/t\\303\\244.py\" \"b/t\\303\\244.py\"\nold mode 100644\nnew mode 100755\n";
    assert_eq!(reset_files(patch).unwrap(), Vec::<String>::new());
    assert_eq!(paths(patch), ["\"t\\303\\244.py\""]);
}

#[test]
fn two_names_of_a_header_part_at_the_last_b() {
    let patch = "diff --git a/x b/y b/x b/y\nold mode 100644\nnew mode 100755\n";
    assert_eq!(reset_files(patch).unwrap(), ["x b/y b/x"]);
}

#[test]
fn what_does_not_fit_is_an_error_at_its_line() {
    assert_eq!(
        error("@@ -1 +1 @@\n a\n"),
        "line 1: a hunk stands outside of a file"
    );
    assert_eq!(
        error("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n-b\n"),
        "line 5: the hunk is longer than its header says"
    );
    assert_eq!(
        error("--- a/x\n+++ b/x\n@@ -1 +1 @@\ndiff\n"),
        "line 4: a line of a hunk begins with a blank, `+`, `-` or `\\`"
    );
    assert_eq!(
        error("+++ b/x\n"),
        "line 1: the new name has no old one that fits"
    );
    assert!(error("--- a/x\n+++ b/x\n@@ -1,99999999999999999999 +1 @@\n").contains("no number"));
}

#[test]
fn text_that_is_no_patch_has_no_files() {
    assert_eq!(paths(""), Vec::<String>::new());
    assert_eq!(paths("hello\n\nworld"), Vec::<String>::new());
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_reading(text in "(diff --git a/x b/x\n|--- a/x\n|\\+\\+\\+ b/x\n|@@ -1,2 \\+1,2 @@\n|[ +\\-\\\\]a\n|new file mode 1\n|\n|é\r\n){0,20}") {
        let _ = files(&text);
    }
}
