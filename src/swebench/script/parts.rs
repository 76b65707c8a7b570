//! An eval script, cut into its parts, so that a verdict of our own can run the same
//! commands in its own way.
//!
//! Owns the reading of scripts that swebench 4.1 makes and that rows of 5.0 bring. Must
//! not know how they are made. What is not understood gives nothing: a guess would be
//! another test run than the official one.

use std::sync::LazyLock;

use regex::Regex;

use super::{END, EXIT_CODE, EXIT_VARIABLE, NOTHING_TO_RESET, SET, SHEBANG, START};

/// Most bytes of a script that is read.
const MOST: usize = 64 << 20;

/// What a script consists of, in its order. Lines are as they stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Activates the environment, enters the repository, sets variables: to stand before
    /// each of the other parts that is run in a shell of its own.
    pub environment: Vec<&'a str>,
    /// Runs once the change is there, before the test files.
    pub install: Vec<&'a str>,
    /// The commit that files are set back to, none where nothing is.
    pub base_commit: Option<&'a str>,
    /// Files that are set back before and behind the tests.
    pub reset: Vec<&'a str>,
    /// Files that the test patch makes, and that are removed before it is applied (5.0).
    pub removed: Vec<&'a str>,
    /// Runs before the test patch: fetches what it cannot carry.
    pub fetch: Vec<&'a str>,
    /// As the row has it, none where the script applies none.
    pub test_patch: Option<&'a str>,
    /// Runs behind the test patch, before the tests: builds, copies files.
    pub build: Vec<&'a str>,
    /// Runs the tests.
    pub test: Vec<&'a str>,
}

impl Parts<'_> {
    /// Lines of a part with the environment before them, as a script for `bash`.
    pub fn in_environment(&self, lines: &[&str]) -> String {
        let all = self.environment.iter().chain(lines);
        all.flat_map(|line| [line, "\n"]).collect()
    }

    /// Where the tests run: what the environment enters last.
    pub fn directory(&self) -> Option<&str> {
        let mut lines = self.environment.iter().rev();
        lines
            .find_map(|line| line.strip_prefix("cd "))
            .map(str::trim)
    }
}

macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).expect("a constant expression"));
    };
}
pattern!(
    APPLY,
    r"^git apply(?: --?[A-Za-z0-9][A-Za-z0-9=-]*)* - <<'([A-Za-z0-9_]+)'$"
);
pattern!(
    SHOWS,
    r"^git (?:status|show|(?:-c core\.fileMode=false )?diff [0-9A-Za-z._/-]+)$"
);
pattern!(
    CHECKOUT,
    r"^git checkout ([0-9A-Za-z][0-9A-Za-z._/-]*)(?: (.*))?$"
);
pattern!(REMOVE, r"^rm -f (.+)$");

/// Cuts a script; nothing where it is not understood.
pub fn parts(script: &str) -> Option<Parts<'_>> {
    if script.len() > MOST {
        return None;
    }
    let (head, patch, behind) = around_patch(script)?;
    let start = position(&behind, |line| is_marker(line, START))?;
    let end = position(&behind, |line| is_marker(line, END))?;
    let (build, rest) = behind.split_at_checked(start)?;
    let (test, after) = rest
        .get(1..)?
        .split_at_checked(end.checked_sub(start + 1)?)?;
    let test = match test.split_last() {
        Some((last, others)) if *last == recorded() => others,
        _ => test,
    };
    let last = closing(after.get(1..)?)?;
    let reset = Reset::of(last)?;
    // A script without a patch has all before the Start marker in one piece.
    let (before, build) = match patch {
        Some(_) => (head.as_slice(), build),
        None => {
            let at = position(build, |line| line == last)?;
            (build.get(..=at)?, build.get(at + 1..)?)
        }
    };
    let at = position(before, |line| line == last)?;
    let (set_up, fetch) = before.split_at_checked(at)?;
    let (environment, install) = set_up_of(set_up);
    (!test.is_empty()).then(|| Parts {
        environment,
        install,
        base_commit: reset.commit,
        reset: reset.files,
        removed: reset.removed,
        fetch: fetch.get(1..).unwrap_or_default().to_vec(),
        test_patch: patch,
        build: build.to_vec(),
        test: test.to_vec(),
    })
}

/// Lines of commands before the patch, the patch, lines behind it. Without a patch all
/// lines are behind it.
type AroundPatch<'a> = (Vec<&'a str>, Option<&'a str>, Vec<&'a str>);

fn around_patch(script: &str) -> Option<AroundPatch<'_>> {
    let mut at = 0;
    for line in script.split_inclusive('\n') {
        let bare = line.strip_suffix('\n').unwrap_or(line);
        let behind = at + line.len();
        if let Some(delimiter) = APPLY.captures(bare).and_then(|found| found.get(1)) {
            let delimiter = delimiter.as_str();
            let (patch, rest) = here_document(script.get(behind..)?, delimiter)?;
            let commands = commands(rest);
            // The patch has ended too early, or there is another one.
            let unclear = |line: &&str| *line == delimiter || APPLY.is_match(line);
            if commands.iter().any(unclear) {
                return None;
            }
            return Some((commands_before(script, at), Some(patch), commands));
        }
        at = behind;
    }
    Some((Vec::new(), None, commands(script)))
}

fn commands_before(script: &str, at: usize) -> Vec<&str> {
    commands(script.get(..at).unwrap_or_default())
}

/// The text up to the delimiter's line without its last newline, and what is behind.
fn here_document<'a>(text: &'a str, delimiter: &str) -> Option<(&'a str, &'a str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let behind = at + line.len();
        if line.strip_suffix('\n').unwrap_or(line) == delimiter {
            let patch = text.get(..at)?;
            return Some((
                patch.strip_suffix('\n').unwrap_or(patch),
                text.get(behind..)?,
            ));
        }
        at = behind;
    }
    None
}

/// The lines but for the shell's own ones at the beginning.
fn commands(text: &str) -> Vec<&str> {
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    lines
        .filter(|line| *line != SHEBANG && *line != SET)
        .collect()
}

fn is_marker(line: &str, marker: &str) -> bool {
    let quoted = line.strip_prefix(": '");
    quoted.and_then(|line| line.strip_suffix('\'')) == Some(marker)
}

fn recorded() -> String {
    format!("{EXIT_VARIABLE}=$?")
}

/// Where the one line is that this holds of; none where there are several.
fn position(lines: &[&str], is: impl Fn(&str) -> bool) -> Option<usize> {
    let mut found = (0..).zip(lines).filter(|(_, line)| is(line));
    let (at, _) = found.next()?;
    found.next().is_none().then_some(at)
}

/// The one command behind the End marker, beside the record of the exit status.
fn closing<'a>(after: &[&'a str]) -> Option<&'a str> {
    let told = format!(r#"echo "{EXIT_CODE}: ${EXIT_VARIABLE}""#);
    let mut left = after
        .iter()
        .copied()
        .filter(|line| !line.trim().is_empty() && *line != told);
    let last = left.next()?;
    left.next().is_none().then_some(last)
}

/// What sets test files back.
struct Reset<'a> {
    commit: Option<&'a str>,
    files: Vec<&'a str>,
    removed: Vec<&'a str>,
}

impl<'a> Reset<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let mut reset = Self {
            commit: None,
            files: Vec::new(),
            removed: Vec::new(),
        };
        if line == NOTHING_TO_RESET {
            return Some(reset);
        }
        for command in line.splitn(2, " && ") {
            if let Some(found) = CHECKOUT.captures(command)
                && reset.commit.is_none()
                && reset.removed.is_empty()
            {
                reset.commit = found.get(1).map(|commit| commit.as_str());
                reset.files = words(found.get(2).map_or("", |files| files.as_str()))?;
            } else if let Some(found) = REMOVE.captures(command)
                && reset.removed.is_empty()
            {
                reset.removed = words(found.get(1).map_or("", |files| files.as_str()))?;
            } else {
                return None;
            }
        }
        Some(reset)
    }
}

/// The words of a command that a shell takes as they are. Patterns are: they match
/// themselves, if anything.
fn words(text: &str) -> Option<Vec<&str>> {
    let special = |c: char| c.is_control() || "'\"\\$`;&|<>(){}".contains(c);
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let plain = |word: &&str| !word.starts_with(['~', '#', '-']) && !word.contains(special);
    words.iter().all(plain).then_some(words)
}

/// Environment and install: what only shows the state of the repository stands between
/// them, and is left out.
fn set_up_of<'a>(lines: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    let shows = |line: &&str| SHOWS.is_match(line);
    let first = lines.iter().position(shows).unwrap_or(lines.len());
    let last = lines
        .iter()
        .rposition(shows)
        .map_or(lines.len(), |at| at + 1);
    let (before, behind) = (
        lines.get(..first).unwrap_or_default(),
        lines.get(last..).unwrap_or_default(),
    );
    let ours = |line: &&&str| !line.starts_with("git config --global --add safe.directory ");
    let mut environment: Vec<&str> = Vec::new();
    for line in before.iter().filter(ours) {
        // The folder is entered twice.
        if !(line.starts_with("cd ") && environment.contains(line)) {
            environment.push(line);
        }
    }
    let again = |line: &&&str| !is_activation(line) || !environment.contains(*line);
    let install = behind.iter().filter(again).copied().collect();
    (environment, install)
}

fn is_activation(line: &str) -> bool {
    line.starts_with("source ") || line.starts_with("conda activate ")
}
