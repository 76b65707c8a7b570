//! How an instance's tests are run by a runner of ours, after what its eval script says.

use super::file::{StrictRun, StrictRunner};
use crate::swebench::script::Parts;

/// Official log parsers of runs that pytest makes.
const PYTEST: [&str; 5] = [
    "pytest",
    "pytest_options",
    "pytest_v2",
    "matplotlib",
    "seaborn",
];

/// The run whose tests leave records, where this eval script was taken apart.
pub fn strict(parser: &str, parts: &Parts<'_>) -> StrictRun {
    let runner = runner(parser, &parts.test);
    let enter = parts.in_environment(&[]);
    let before = match runner {
        StrictRunner::Log => parts.install.clone(),
        // What a script does behind the test patch is done before it here: nothing
        // hidden may be there while a build runs.
        _ => [parts.install.as_slice(), &parts.fetch, &parts.build].concat(),
    };
    let (command, targets) = match runner {
        StrictRunner::Pytest => ("python -m pytest".to_owned(), Vec::new()),
        StrictRunner::UnittestScript | StrictRunner::Functions => started(&parts.test),
        StrictRunner::Log => {
            let lines = [parts.fetch.as_slice(), &parts.build, &parts.test].concat();
            (lines.join("\n"), Vec::new())
        }
    };
    StrictRun {
        runner,
        enter,
        // As in an official script no failed command ends it: the tests say what came of it.
        build: (!before.is_empty()).then(|| format!("{}\n:", before.join("\n"))),
        command,
        targets,
    }
}

fn runner(parser: &str, test: &[&str]) -> StrictRunner {
    let one_line = test.len() == 1;
    match parser.trim_start_matches("parse_log_") {
        parser if PYTEST.contains(&parser) => StrictRunner::Pytest,
        "django" if one_line => StrictRunner::UnittestScript,
        "sympy" if one_line => StrictRunner::Functions,
        _ => StrictRunner::Log,
    }
}

/// A test command, and the tests that stand behind it: words behind the last option and
/// its program.
fn started(test: &[&str]) -> (String, Vec<String>) {
    let words: Vec<&str> = test
        .iter()
        .flat_map(|line| line.split_whitespace())
        .collect();
    // `--parallel 1` takes a number; targets are modules or files.
    let is_target = |word: &&str| {
        !word.starts_with('-')
            && !word.chars().all(|sign| sign.is_ascii_digit())
            && !word.contains('=')
    };
    let at = words.len()
        - words
            .iter()
            .rev()
            .take_while(|word| is_target(word))
            .count();
    let at = at.max(usize::from(!words.is_empty()));
    let (start, targets) = words.split_at(at);
    let targets = targets.iter().map(|word| (*word).to_owned());
    (start.join(" "), targets.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_stand_behind_the_last_option() {
        let of = |line| started(&[line]);
        let (start, targets) = of("./tests/runtests.py --verbosity 2 --parallel 1 admin.tests x");
        assert_eq!(start, "./tests/runtests.py --verbosity 2 --parallel 1");
        assert_eq!(targets, ["admin.tests", "x"]);
        let (start, targets) =
            of("PYTHONWARNINGS='ignore' bin/test -C --verbose sympy/a/tests/test_a.py");
        assert_eq!(start, "PYTHONWARNINGS='ignore' bin/test -C --verbose");
        assert_eq!(targets, ["sympy/a/tests/test_a.py"]);
    }
}
