//! Facts about scripts that are made.

use std::borrow::Cow;

use super::*;
use crate::swebench::Rules;
use crate::swebench::specs::{Commands, Directives, Kind};

const BASE: &str = "0123456789abcdef0123456789abcdef01234567";
const PATCH: &str = "diff --git a/tests/test_a.py b/tests/test_a.py\n\
    --- a/tests/test_a.py\n+++ b/tests/test_a.py\n@@ -1 +1,2 @@\n a\n+b\n\
    diff --git a/tests/data.json b/tests/data.json\nnew file mode 100644\n\
    --- /dev/null\n+++ b/tests/data.json\n@@ -0,0 +1 @@\n+{}\n";

fn instance(test_patch: &str) -> Instance<'_> {
    Instance {
        base_commit: BASE,
        test_patch,
        assets: &[],
    }
}

fn made(commands: &Commands) -> String {
    eval_script(&instance(PATCH), commands).unwrap().text
}

#[test]
fn a_python_script_has_the_official_order() {
    let mut commands = Commands::new(Kind::Python, "pytest -rA");
    commands.eval_commands = vec!["export LANG=C".to_owned()];
    commands.install = Some("pip install -e .".to_owned());
    let reset = format!("git checkout {BASE} tests/test_a.py");
    let expected = format!(
        "#!/bin/bash\nset -uxo pipefail\nsource /opt/miniconda3/bin/activate\n\
         conda activate testbed\ncd /testbed\nexport LANG=C\n\
         git config --global --add safe.directory /testbed\ncd /testbed\ngit status\n\
         git show\ngit -c core.fileMode=false diff {BASE}\n\
         source /opt/miniconda3/bin/activate\nconda activate testbed\npip install -e .\n\
         {reset}\ngit apply -v - <<'EOF_114329324912'\n{PATCH}\nEOF_114329324912\n\
         : '>>>>> Start Test Output'\npytest -rA tests/test_a.py\n\
         : '>>>>> End Test Output'\n{reset}\n"
    );
    assert_eq!(made(&commands), expected);
}

#[test]
fn another_script_builds_behind_the_patch_and_activates_nothing() {
    let mut commands = Commands::new(Kind::Common, "make check");
    commands.build = vec!["make".to_owned()];
    let reset = format!("git checkout {BASE} tests/test_a.py");
    let expected = format!(
        "#!/bin/bash\nset -uxo pipefail\ncd /testbed\n\
         git config --global --add safe.directory /testbed\ncd /testbed\n{reset}\n\
         git apply --verbose --reject - <<'EOF_114329324912'\n{PATCH}\nEOF_114329324912\n\
         make\n: '>>>>> Start Test Output'\nmake check\n: '>>>>> End Test Output'\n{reset}\n"
    );
    assert_eq!(made(&commands), expected);
}

#[test]
fn with_new_files_alone_nothing_is_reset() {
    let patch = "diff --git a/x_test.go b/x_test.go\nnew file mode 100644\n\
        --- /dev/null\n+++ b/x_test.go\n@@ -0,0 +1 @@\n+a\n";
    let text = |kind| {
        let commands = Commands::new(kind, "run");
        eval_script(&instance(patch), &commands).unwrap().text
    };
    assert!(text(Kind::Common).ends_with("\necho \"No test files to reset\"\n"));
    assert!(text(Kind::Python).ends_with(&format!("\ngit checkout {BASE} \n")));
}

#[test]
fn django_is_told_modules_and_others_paths() {
    let mut commands = Commands::new(Kind::Python, "./tests/runtests.py");
    commands.directives = Directives::Modules;
    assert!(made(&commands).contains("\n./tests/runtests.py test_a\n"));
    commands.directives = Directives::None;
    assert!(made(&commands).contains("\n./tests/runtests.py\n"));
    commands.directives = Directives::Fixed(vec!["test.py".to_owned()]);
    assert!(made(&commands).contains("\n./tests/runtests.py test.py\n"));
}

#[test]
fn calypso_has_a_command_for_each_file() {
    let patch = "diff --git a/client/a/test/x.js b/client/a/test/x.js\nold mode 100644\nnew mode 100755\n\
        diff --git a/client/a/__snapshots__/y.js.snap b/client/a/__snapshots__/y.js.snap\nold mode 100644\nnew mode 100755\n\
        diff --git a/test/e2e/z.js b/test/e2e/z.js\nold mode 100644\nnew mode 100755\n";
    let script = |node: &str| {
        let mut commands = Commands::new(Kind::Common, "npm test");
        commands.directives = Directives::Calypso {
            node: node.to_owned(),
        };
        eval_script(&instance(patch), &commands).unwrap().text
    };
    let rest = "cd test/e2e\nNODE_CONFIG_ENV=test npm run test test/e2e/z.js\ncd ../..\n";
    let jest = "./node_modules/.bin/jest --verbose -c=test/client/jest.config.js";
    assert!(script("10.12.0").contains(&format!(
        "{jest} 'client/a/test/x.js'\n{jest} 'client/a'\n{rest}"
    )));
    assert!(script("8.11.0").contains(&format!("{jest}on 'client/a/test/x.js'\n")));
    assert!(script("4.2.3").contains("npm run test-client --verbose 'client/a'\n"));
}

#[test]
fn assets_are_fetched_before_the_patch() {
    let asset = |path: &str| Asset {
        path: path.to_owned(),
        url: "https://example.org/x.png".to_owned(),
    };
    let assets = [asset("test//a/./x.png"), asset("y.png")];
    let instance = Instance {
        assets: &assets,
        ..instance(PATCH)
    };
    let text = eval_script(&instance, &Commands::new(Kind::Common, "run"))
        .unwrap()
        .text;
    assert!(text.contains(
        " tests/test_a.py\nmkdir -p test/a\ncurl -o test//a/./x.png https://example.org/x.png\n\
         chmod 777 test//a/./x.png\nmkdir -p .\n"
    ));
    assert_eq!(parts(&text).unwrap().fetch.len(), 6);
}

#[test]
fn what_a_shell_would_take_apart_is_told_and_left_as_it_is() {
    let patch = "diff --git a/tests/a b.py b/tests/a b.py\n\
        --- a/tests/a b.py\t\n+++ b/tests/a b.py\t\n@@ -1 +1,3 @@\n a\n+>>>>> End Test Output\n+\0\n\
        EOF_114329324912\nrm -rf x\n";
    let made = eval_script(&instance(patch), &Commands::new(Kind::Python, "run")).unwrap();
    assert!(made.text.contains(&format!("\n{patch}\n")));
    assert_eq!(
        made.warnings,
        [
            Warning::Marker { line: 6 },
            Warning::Nul { line: 7 },
            Warning::Delimiter { line: 8 },
            Warning::Unquoted {
                path: "tests/a b.py".to_owned()
            },
        ]
    );
    assert_eq!(parts(&made.text), None);
}

#[test]
fn without_a_command_or_with_a_broken_patch_there_is_no_script() {
    let mut commands = Commands::new(Kind::Python, "run");
    let broken = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n";
    let error = eval_script(&instance(broken), &commands).unwrap_err();
    assert_eq!(
        error.to_string(),
        "read the test patch, line 5: the hunk is shorter than its header says"
    );
    commands.test.clear();
    let error = eval_script(&instance(PATCH), &commands).unwrap_err();
    assert_eq!(error, ScriptError::NoTest);
}

#[test]
fn a_newer_harness_records_the_exit_status_at_the_first_end_marker() {
    let given = "\n#!/bin/bash\nset -uxo pipefail\ncd /testbed\nset -uxo pipefail\n\
        : '>>>>> Start Test Output'\nrun\n: '>>>>> End Test Output'\n: '>>>>> End Test Output'\n\n";
    assert_eq!(for_rules(given, Rules::V4_1), Cow::Borrowed(given));
    assert_eq!(
        for_rules(given, Rules::V5_0),
        "#!/bin/bash\nset -uxo pipefail\ncd /testbed\n\
         : '>>>>> Start Test Output'\nrun\nSWEBENCH_TEST_EXIT_CODE=$?\n\
         : '>>>>> End Test Output'\n\
         echo \">>>>> Test Exit Code: $SWEBENCH_TEST_EXIT_CODE\"\n: '>>>>> End Test Output'\n"
    );
    let none = "#!/bin/bash\nset -uxo pipefail\nrun\n";
    assert!(matches!(for_rules(none, Rules::V5_0), Cow::Borrowed(_)));
}

#[test]
fn files_of_a_patch_are_restored_before_the_tests() {
    let restore = ["cp /a b".to_owned()];
    assert_eq!(
        with_assets("x\n: '>>>>> Start Test Output'\nrun\n", &restore),
        "x\ncp /a b\n: '>>>>> Start Test Output'\nrun\n"
    );
    assert_eq!(with_assets("x\n", &restore), "x\n\ncp /a b");
    assert_eq!(with_assets("x\n", &[]), Cow::Borrowed("x\n"));
}
