//! How an instance's tests are run by a runner of ours, after what its eval script says.

use super::file::{StrictRun, StrictRunner};
use super::pytest_options;
use crate::swebench::script::Parts;

/// Stands in a command for what is named to the runner.
const TARGETS: &str = "{targets}";
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
    let mut enter = parts.in_environment(&[]);
    let before = match runner {
        StrictRunner::Log => parts.install.clone(),
        // What a script does behind the test patch is done before it here: nothing
        // hidden may be there while a build runs.
        _ => [parts.install.as_slice(), &parts.fetch, &parts.build].concat(),
    };
    let started = started(&parts.test);
    if runner != StrictRunner::Log {
        for variable in &started.variables {
            enter.push_str(&format!("export {variable}\n"));
        }
    }
    let (command, targets) = match runner {
        StrictRunner::Pytest => {
            let start = "python -m pytest".to_owned();
            let targets = started.targets.iter().map(String::as_str);
            let words: Vec<&str> = started.command.split(' ').chain(targets).collect();
            let options = pytest_options::options(&words);
            ([vec![start], options].concat().join(" "), Vec::new())
        }
        StrictRunner::UnittestScript => (
            format!("python {} {TARGETS}", started.command),
            started.targets,
        ),
        StrictRunner::Functions => {
            // As its own runner takes the option.
            if started.command.split(' ').any(|word| word == "-C") {
                enter.push_str("export SYMPY_USE_CACHE=no\n");
            }
            ("python".to_owned(), started.targets)
        }
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

/// A test command, taken apart.
struct Started {
    /// `NAME=value`, as the shell reads it.
    variables: Vec<String>,
    /// The program and its options.
    command: String,
    /// Words behind the last option: modules or files.
    targets: Vec<String>,
}

fn started(test: &[&str]) -> Started {
    let line = test.join(" ");
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_variable = |word: &&&str| {
        let name = word.split_once('=').map_or("", |(name, _)| name);
        !name.is_empty()
            && name
                .chars()
                .all(|sign| sign.is_ascii_alphanumeric() || sign == '_')
    };
    let variables = words.iter().take_while(is_variable).count();
    let (variables, words) = words.split_at(variables);
    // `--parallel 1` takes a number.
    let is_target =
        |word: &&&str| !word.starts_with('-') && !word.chars().all(|sign| sign.is_ascii_digit());
    let targets = words.iter().rev().take_while(is_target).count();
    let at = (words.len() - targets).max(usize::from(!words.is_empty()));
    let (command, targets) = words.split_at(at);
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Started {
        variables: owned(variables),
        command: command.join(" "),
        targets: owned(targets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_stand_behind_the_last_option() {
        let of = |line| started(&[line]);
        let django = of("./tests/runtests.py --verbosity 2 --parallel 1 admin.tests x");
        assert_eq!(
            django.command,
            "./tests/runtests.py --verbosity 2 --parallel 1"
        );
        assert_eq!(django.targets, ["admin.tests", "x"]);
        let sympy = of("PYTHONWARNINGS='ignore' bin/test -C --verbose sympy/a/tests/test_a.py");
        assert_eq!(sympy.variables, ["PYTHONWARNINGS='ignore'"]);
        assert_eq!(sympy.command, "bin/test -C --verbose");
        assert_eq!(sympy.targets, ["sympy/a/tests/test_a.py"]);
    }
}
