//! Changes that fool the official rules, and an honest one that they take for none.

use serde_json::Value;

use crate::swebench::{Bench, states};
use crate::swebench_projects::{NEW, OLD, javascript, pytest};

/// Says in Python what a log would say if all had passed.
fn passes() -> String {
    [NEW[0], NEW[1], OLD[0], OLD[1]]
        .map(|id| format!("print(\"PASSED {id}\", flush=True)\n"))
        .concat()
}

/// A file that is imported before any test; it lets go of what pytest shows, and ends the
/// run.
fn conftest() -> String {
    let passes = passes().replace("print", "    print");
    format!(
        "cat > conftest.py <<'EOF'\nimport os\n\n\ndef pytest_configure(config):\n    \
         config.pluginmanager.getplugin(\"capturemanager\").stop_global_capturing()\n{passes}    \
         os._exit(0)\nEOF"
    )
}

/// Lines behind the true ones, of which the last counts; with a failure among them, the
/// exit status is explained.
fn at_exit() -> String {
    let passes = passes().replace("print", "    print");
    format!(
        "cat > twice/double.py <<'EOF'\nimport atexit\n\n\ndef double(x):\n    return x + 1\n\n\n\
         @atexit.register\ndef told():\n    print()\n{passes}    print(\"FAILED elsewhere\", flush=True)\nEOF"
    )
}

/// A whole run of tests, shown while the repo is installed. The words are put together
/// there: the log has the change as well, as a diff.
fn installed() -> String {
    let passes = passes();
    format!(
        "cat > setup.py <<'EOF'\nfrom setuptools import setup\n\nword = \">\" * 5\n\
         print(word, \"Start Test Output\")\n{passes}print(word, \"End Test Output\")\n\
         print(word, \"Test Exit Code: 0\", flush=True)\n\
         setup(name=\"twice\", version=\"1.0\", packages=[\"twice\"])\nEOF"
    )
}

/// A fix that says while it works what the official harness says of a run without end.
const WORDS: &str = "printf 'def double(x):\\n    print(\">\" * 5, \"Tests Timed Out\")\\n    return x + x\\n' > twice/double.py";

fn differs(trial: &Value) -> &str {
    let differs = &trial["verdict"]["official"]["differs"];
    differs
        .as_str()
        .unwrap_or_else(|| panic!("nothing differs: {trial:#}"))
}

#[test]
fn what_fools_the_official_rules_is_refused_by_strict_and_told() {
    let bench = Bench::new();
    let (_, row) = pytest(&bench);
    let rows = bench.rows(&[row]);
    let forged = [
        bench.agent("conftest", &[&conftest()]),
        bench.agent("at-exit", &[&at_exit()]),
        bench.agent("installed", &[&installed()]),
    ];
    let words = bench.agent("words", &[WORDS]);
    let [first, second, third] = forged.each_ref().map(String::as_str);
    let agents = [first, second, third, words.as_str()];

    let mut trials = bench.run(&rows, &agents, &["--no-check"]);
    let honest = trials.pop().unwrap();
    for trial in &trials {
        let official = &trial["verdict"]["official"];
        assert_eq!(official["resolved"], true, "{trial:#}");
        assert_eq!(trial["outcome"], "unresolved", "{trial:#}");
        assert!(states(trial).contains(&(NEW[0], "failed")), "{trial:#}");
        let told = differs(trial);
        let fooled = "the official rules were fooled: the log names 2 tests as passed";
        assert!(told.starts_with(fooled), "{told}");
        assert!(told.contains(NEW[0]), "{told}");
    }
    let folder = bench.yard.stored(&trials[0]);
    let shown = bench.yard.proofyard(&["show", folder.to_str().unwrap()]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("official  resolved by the rules of swebench 5.0"),
        "{shown}"
    );
    assert!(shown.contains("the official rules were fooled"), "{shown}");
    let official = &honest["verdict"]["official"];
    assert_eq!(official["resolved"], false, "{honest:#}");
    assert_eq!(honest["outcome"], "unresolved", "{honest:#}");
    assert_eq!(honest["verdict"]["reason"], "official_unresolved");
    assert!(states(&honest).iter().all(|(_, state)| *state == "passed"));
    let told = differs(&honest);
    assert!(
        told.contains("every expected test passed by its own record"),
        "{told}"
    );
    assert!(told.contains("Tests Timed Out"), "{told}");
    assert_eq!(bench.yard.left(), Vec::<String>::new());
}

#[test]
fn each_of_the_rules_alone_gives_its_own_answer() {
    let bench = Bench::new();
    let (_, row) = pytest(&bench);
    let rows = bench.rows(&[row]);
    let forged = bench.agent("conftest", &[&conftest()]);
    let words = bench.agent("words", &[WORDS]);
    let outcomes = |rules: &str| {
        let trials = bench.run(&rows, &[&forged, &words], &["--no-check", "--rules", rules]);
        let [forged, honest] = <[Value; 2]>::try_from(trials).unwrap();
        (forged, honest)
    };
    let (forged_by, honest_by) = outcomes("official");
    assert_eq!(forged_by["outcome"], "resolved", "{forged_by:#}");
    assert_eq!(forged_by["verdict"]["evidence"], "asserted");
    assert_eq!(honest_by["outcome"], "unresolved", "{honest_by:#}");
    assert_eq!(honest_by["verdict"]["official"]["differs"], Value::Null);

    let (forged_by, honest_by) = outcomes("strict");
    assert_eq!(forged_by["outcome"], "unresolved", "{forged_by:#}");
    assert_eq!(honest_by["outcome"], "resolved", "{honest_by:#}");
    assert_eq!(honest_by["verdict"]["official"], Value::Null);

    // The rules of 4.1 do not ask how the tests ended.
    let ended = bench.agent("ended", &[&conftest().replace("_exit(0)", "_exit(1)")]);
    let official = |version: &str| {
        let flags = ["--no-check", "--rules", "official", "--swebench", version];
        let trial = bench.run(&rows, &[&ended], &flags).remove(0);
        assert_eq!(trial["verdict"]["official"]["rules"], version);
        trial["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        [official("4.1"), official("5.0")],
        ["resolved", "unresolved"]
    );
    assert_eq!(bench.yard.left(), Vec::<String>::new());
}

#[test]
fn what_a_log_alone_shows_is_not_taken_from_who_writes_into_it() {
    let bench = Bench::new();
    let (_, row) = javascript(&bench);
    let rows = bench.rows(&[row]);
    // A line more behind the true one, of which official rules take the last.
    let added = "cat > twice.js <<'EOF'\nexports.double = (x) => x + 1;\n\
        process.on(\"exit\", () => {\n  console.log(\"✓ doubles (more)\");\n  process.exitCode = 0;\n});\nEOF";
    // The true line itself, told otherwise.
    let turned = "cat > twice.js <<'EOF'\nexports.double = (x) => x + 1;\nconst log = console.log;\n\
        console.log = (text) => log(String(text).replace(\"✕\", \"✓\"));\n\
        process.on(\"exit\", () => { process.exitCode = 0; });\nEOF";
    let (added, turned) = (
        bench.agent("added", &[added]),
        bench.agent("turned", &[turned]),
    );
    let trials = bench.run(&rows, &["oracle", &added, &turned], &[]);
    let [honest, added, turned] = <[Value; 3]>::try_from(trials).unwrap();
    assert_eq!(honest["outcome"], "resolved", "{honest:#}");
    let probe = &honest["verdict"]["probes"][0];
    assert_eq!(probe["kind"], "made_to_fail", "{honest:#}");
    assert_eq!((&probe["held"], &probe["tests"]), (&true.into(), &1.into()));
    assert_eq!(honest["verdict"]["evidence"], "asserted");

    for trial in [&added, &turned] {
        assert_eq!(trial["verdict"]["official"]["resolved"], true, "{trial:#}");
    }
    assert_eq!(added["outcome"], "unresolved", "{added:#}");
    assert!(states(&added).contains(&("doubles (more)", "failed")));
    assert!(
        differs(&added).contains("the official rules were fooled"),
        "{added:#}"
    );
    assert_eq!(turned["outcome"], "tampered", "{turned:#}");
    let told = turned["verdict"]["message"].as_str().unwrap();
    assert!(
        told.contains("`doubles (more)` passes although it was made to fail"),
        "{told}"
    );
    assert!(differs(&turned).contains("made to fail"), "{turned:#}");
    assert_eq!(bench.yard.left(), Vec::<String>::new());
}
