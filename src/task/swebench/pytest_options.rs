//! Which words of a row's pytest command say something of how its tests behave.
//!
//! What only says what is shown, how far it runs or in how many processes is left out:
//! records are read from within one process, and each expected test has to have run.

/// Options whose value is the next word where it is not joined to them.
const VALUED: [&str; 8] = ["-W", "-o", "-p", "-m", "-k", "-c", "-n", "-r"];
/// Short options that are left out, with whatever is joined to them. A file of settings
/// is left out because a change could have it: nothing would hold it.
const SHORT: [&str; 8] = ["-r", "-v", "-q", "-s", "-x", "-n", "-l", "-c"];
/// Long options that are left out, with their values.
const LONG: [&str; 24] = [
    "--capture",
    "--color",
    "--config-file",
    "--cov",
    "--cov-append",
    "--cov-config",
    "--cov-report",
    "--disable-warnings",
    "--dist",
    "--durations",
    "--durations-min",
    "--exitfirst",
    "--junit-xml",
    "--junitxml",
    "--maxfail",
    "--no-cov",
    "--no-header",
    "--no-summary",
    "--numprocesses",
    "--quiet",
    "--rootdir",
    "--showlocals",
    "--tb",
    "--verbose",
];
/// What starts pytest, as the last words before its options.
const STARTS: [&[&str]; 4] = [
    &["pytest"],
    &["py.test"],
    &["python", "-m", "pytest"],
    &["python3", "-m", "pytest"],
];

/// The words behind `pytest` that count, in order; none where the command does not start
/// pytest itself, or where a shell would have to read one of its options.
pub fn options(words: &[&str]) -> Vec<String> {
    let behind = STARTS.iter().find_map(|start| words.strip_prefix(*start));
    let mut words = behind.unwrap_or_default().iter().copied().peekable();
    let mut kept: Vec<String> = Vec::new();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        if !word.starts_with('-') {
            continue;
        }
        let value = match VALUED.contains(&word) {
            true => words.next_if(|next| !next.starts_with('-')),
            false => None,
        };
        if is_left_out(word, value) {
            continue;
        }
        kept.push(word.to_owned());
        kept.extend(value.map(str::to_owned));
    }
    match kept.iter().all(|word| needs_no_shell(word)) {
        true => kept,
        false => Vec::new(),
    }
}

fn needs_no_shell(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte))
}

fn is_left_out(word: &str, value: Option<&str>) -> bool {
    let name = word.split('=').next().unwrap_or(word);
    if word.starts_with("--") {
        return LONG.contains(&name);
    }
    // The reporter says these itself.
    let joined = word.get(2..).filter(|joined| !joined.is_empty());
    let said = value.or(joined).unwrap_or_default();
    let ours = said.starts_with("junit_") || said == "no:cacheprovider";
    ours || SHORT.iter().any(|short| word.starts_with(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        options(&words).join(" ")
    }

    #[test]
    fn what_a_test_behaves_by_is_kept_and_what_is_shown_is_not() {
        for (line, kept) in [
            ("pytest -rA tests/a.py", ""),
            (
                "pytest --no-header -rA --tb=no -p no:cacheprovider a.py",
                "",
            ),
            (
                "pytest -rA -vv -o console_output_style=classic --tb=no a.py",
                "-o console_output_style=classic",
            ),
            (
                "python -m pytest -n0 -W ignore::DeprecationWarning --runslow --import-mode=append a.py",
                "-W ignore::DeprecationWarning --runslow --import-mode=append",
            ),
            ("pytest -Werror -pno:xdist -x -- -W", "-Werror -pno:xdist"),
            ("pytest -c other.ini -r A -m slow a.py", "-m slow"),
            ("tox --current-env -epy39 -v -- a.py", ""),
            ("bin/test -C --verbose a.py", ""),
        ] {
            assert_eq!(of(line), kept, "{line}");
        }
    }

    #[test]
    fn what_a_shell_would_have_to_read_is_left_out_whole() {
        for line in ["pytest -k 'a or b' a.py", "pytest -W $W --runslow"] {
            assert_eq!(of(line), "", "{line}");
        }
    }
}
