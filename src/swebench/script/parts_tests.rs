//! Facts about scripts that are taken apart.

use super::*;
use crate::swebench::Rules;
use crate::swebench::specs::{Commands, Kind};

const BASE: &str = "0123456789abcdef0123456789abcdef01234567";
const PATCH: &str = "diff --git a/t/x.py b/t/x.py\n--- a/t/x.py\n+++ b/t/x.py\n\
    @@ -1 +1,2 @@\n a\n+: '>>>>> Start Test Output'\n";

fn made() -> String {
    let mut commands = Commands::new(Kind::Python, "pytest -rA");
    commands.eval_commands = vec!["export LANG=C".to_owned()];
    commands.install = Some("pip install -e .".to_owned());
    let instance = Instance {
        base_commit: BASE,
        test_patch: PATCH,
        assets: &[],
    };
    eval_script(&instance, &commands).unwrap().text
}

/// As rows of 5.0 have it for repositories in JavaScript.
fn given(reset: &str, apply: &str) -> String {
    format!(
        "#!/bin/bash\nset -uxo pipefail\ncd /testbed\n\
         git config --global --add safe.directory /testbed\nsource $NVM_DIR/nvm.sh\n\
         git status\ngit show\ngit -c core.fileMode=false diff {BASE}\n{reset}\n{apply}\
         if ! git diff --quiet; then npm install; fi\n: '>>>>> Start Test Output'\n\
         yarn jest a.js\nnpm run b || true\n: '>>>>> End Test Output'\n{reset}\n"
    )
}

#[test]
fn a_made_script_falls_into_the_parts_that_it_was_made_of() {
    let script = made();
    let parts = parts(&script).unwrap();
    assert_eq!(
        parts.environment,
        [
            "source /opt/miniconda3/bin/activate",
            "conda activate testbed",
            "cd /testbed",
            "export LANG=C",
        ]
    );
    assert_eq!(parts.install, ["pip install -e ."]);
    assert_eq!(parts.base_commit, Some(BASE));
    assert_eq!(parts.reset, ["t/x.py"]);
    assert_eq!(parts.test_patch, Some(PATCH));
    assert_eq!(parts.test, ["pytest -rA t/x.py"]);
    assert_eq!(parts.directory(), Some("/testbed"));
    assert_eq!(
        parts.in_environment(&parts.test),
        "source /opt/miniconda3/bin/activate\nconda activate testbed\ncd /testbed\n\
         export LANG=C\npytest -rA t/x.py\n"
    );
}

#[test]
fn the_record_of_the_exit_status_is_no_part() {
    let script = made().replace(&PATCH["diff --git a/t/x.py".len()..], "\n");
    let loaded = for_rules(&script, Rules::V5_0);
    assert!(loaded.contains("SWEBENCH_TEST_EXIT_CODE=$?"));
    assert_eq!(parts(&loaded), parts(&script));
}

#[test]
fn a_given_script_may_remove_files_and_copy_others() {
    let reset = format!("git checkout {BASE} a.js b/[c].js && rm -f d.js e.js");
    let apply = format!("git apply -v - <<'EOF_1'\n{PATCH}\nEOF_1\n");
    let script = given(&reset, &apply);
    let cut = parts(&script).unwrap();
    assert_eq!(cut.environment, ["cd /testbed", "source $NVM_DIR/nvm.sh"]);
    assert_eq!(cut.install, Vec::<&str>::new());
    assert_eq!(cut.reset, ["a.js", "b/[c].js"]);
    assert_eq!(cut.removed, ["d.js", "e.js"]);
    assert_eq!(cut.build, ["if ! git diff --quiet; then npm install; fi"]);
    assert_eq!(cut.test, ["yarn jest a.js", "npm run b || true"]);

    let script = given("rm -f d.js", &apply);
    let cut = parts(&script).unwrap();
    assert_eq!((cut.base_commit, cut.removed), (None, vec!["d.js"]));

    let script = given(&reset, "");
    let cut = parts(&script).unwrap();
    assert_eq!(cut.test_patch, None);
    assert_eq!(cut.build, ["if ! git diff --quiet; then npm install; fi"]);
}

#[test]
fn what_is_not_understood_gives_nothing() {
    let reset = format!("git checkout {BASE} a.js");
    let apply = "git apply -v - <<'EOF'\np\nEOF\n";
    assert!(parts(&given(&reset, apply)).is_some());
    // Two patches; one that ends too early; one without an end.
    assert_eq!(parts(&given(&reset, &apply.repeat(2))), None);
    assert_eq!(
        parts(&given(&reset, "git apply -v - <<'EOF'\nEOF\nEOF\n")),
        None
    );
    assert_eq!(parts(&given(&reset, "git apply -v - <<'EOF'\n")), None);
    // Words that a shell changes; another command.
    assert_eq!(parts(&given("git checkout HEAD $(x)", apply)), None);
    assert_eq!(parts(&given("git checkout HEAD 'a b'", apply)), None);
    assert_eq!(parts(&given("git stash", apply)), None);
    // Lines behind the reset, a doubled marker, no test, no marker.
    let script = given(&reset, apply);
    assert_eq!(parts(&format!("{script}exit 0\n")), None);
    let doubled = script.replace("yarn jest a.js", ": '>>>>> Start Test Output'");
    assert_eq!(parts(&doubled), None);
    let untested = script.replace("yarn jest a.js\nnpm run b || true\n", "");
    assert_eq!(parts(&untested), None);
    assert_eq!(parts("pytest\n"), None);
    assert_eq!(parts(""), None);
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_cutting(text in "(: '>>>>> (Start|End) Test Output'\n|git apply -v - <<'E'\n|E\n|é\n|git checkout a( b)?\n|\n){0,12}") {
        if let Some(cut) = parts(&text) {
            proptest::prop_assert!(!cut.test.is_empty());
        }
    }
}
