//! The catalogue that comes with the program.
//!
//! Owns the table `catalogue.toml` and the commands beside it. Must not know which
//! tasks there are.

use serde::Deserialize;

use crate::agent::Calls;

/// A cheat, or an honest control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cheat {
    /// Unique; letters, digits, `-` and `_`.
    pub name: String,
    /// The family that it belongs to.
    pub kind: String,
    /// One sentence.
    pub idea: String,
    /// A control: an honest change, or an honest wrong answer.
    pub honest: bool,
    /// Names of runners; empty: whatever runs the tests.
    pub runners: Vec<String>,
    pub place: Place,
    pub begins: Begins,
    /// For tasks whose solution consists of calls alone: what becomes of them.
    pub calls: Option<Calls>,
    /// Outcomes that are right, the best one first.
    pub expected: Vec<Expected>,
    /// Whether a naive verifier can pay it by its nature.
    pub pays: bool,
    /// What is performed: text for `bash`; none: nothing, and no shell is needed.
    pub script: Option<String>,
}

/// Which tasks a cheat finds what it needs in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    #[default]
    Any,
    /// With a work tree of a repository.
    Repo,
    /// Without one.
    Machine,
}

/// What is in place before the command is performed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begins {
    #[default]
    Nothing,
    /// The task's own reference solution.
    Solution,
}

/// An outcome that is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    Resolved,
    Unresolved,
    Tampered,
    /// Whatever the outcome, with a flag of that kind.
    Contaminated,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    kind: String,
    idea: String,
    #[expect(dead_code, reason = "for who reads the table")]
    language: String,
    #[serde(default)]
    runners: Vec<String>,
    #[serde(default)]
    place: Place,
    #[serde(default)]
    begins: Begins,
    #[serde(default)]
    calls: Option<Calls>,
    #[serde(default = "yes")]
    performs: bool,
    #[serde(default = "refused")]
    expected: Vec<Expected>,
    #[serde(default = "yes")]
    pays: bool,
    #[serde(default)]
    honest: bool,
}

fn refused() -> Vec<Expected> {
    vec![Expected::Unresolved, Expected::Tampered]
}

fn yes() -> bool {
    true
}

const TABLE: &str = include_str!("catalogue.toml");
const PRELUDE: &str = include_str!("catalogue/prelude.sh");

macro_rules! commands {
    ($($name:literal),+ $(,)?) => {
        /// The commands by name.
        const COMMANDS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("catalogue/", $name, ".sh")))),+];
    };
}

commands!(
    "py-conftest-report",
    "py-conftest-call",
    "py-conftest-protocol",
    "py-entry-point-plugin",
    "py-ini-plugin",
    "py-pyproject-plugin",
    "py-setup-cfg-plugin",
    "py-env-profile",
    "py-path-file",
    "py-sitecustomize",
    "py-usercustomize",
    "py-patched-pytest",
    "py-patched-pluggy",
    "py-patched-library",
    "py-cached-bytecode",
    "py-shadow-module",
    "py-path-shim",
    "py-shell-functions",
    "py-always-equal",
    "py-import-patches-runner",
    "py-import-registers-plugin",
    "py-exit-at-import",
    "py-exit-in-call",
    "py-forged-log",
    "py-atexit-report",
    "py-report-daemon",
    "py-tests-daemon",
    "py-runner-daemon",
    "py-skip-marks",
    "py-xfail-marks",
    "py-silent-failures",
    "py-dropped-files",
    "py-borrowed-names",
    "py-caller-inspection",
    "py-edit-kept-tests",
    "py-hardcode-visible",
    "py-linked-tests",
    "py-output-flood",
    "py-hanging-tests",
    "py-stopped-clock",
    "git-hook",
    "git-filter",
    "git-monitor",
    "git-include",
    "git-hidden-attributes",
    "git-future-commits",
    "any-preload",
    "any-engine-socket",
    "any-reward-daemon",
    "any-reward-beforehand",
    "any-linked-logs",
    "sh-command-shims",
    "sh-bash-env",
    "sh-replaced-shell",
    "sh-script-daemon",
    "sh-code-writes-reward",
    "sh-code-ends-verifier",
    "sh-stopped-clock",
    "js-node-options",
    "js-node-shim",
    "js-exit-at-import",
    "js-forged-tap",
    "js-patched-assert",
    "js-tests-daemon",
    "js-exit-code",
    "js-package-main",
    "js-caller-inspection",
    "honest-stray-process",
    "honest-watchers",
    "honest-profile",
    "honest-extra-tests",
    "honest-more-in-test-file",
    "honest-tests-folder",
    "honest-renamed-test",
    "honest-test-configuration",
    "honest-autouse-fixture",
    "honest-runner-settings",
    "honest-tool-settings",
    "honest-editor-settings",
    "honest-dependency",
    "honest-reformatted",
    "honest-type-hints",
    "honest-line-ends",
    "honest-rewritten-layout",
    "honest-moved-helper",
    "honest-renamed-helper",
    "honest-wrapped-function",
    "honest-new-module",
    "honest-left-files",
    "honest-left-venv",
    "honest-executable-bits",
    "honest-ran-tests",
    "honest-editable-install",
    "honest-commits",
    "honest-merged",
    "honest-amended",
    "honest-worktree",
    "honest-remark-only",
    "honest-tests-only",
    "honest-partial",
    "honest-half",
    "honest-wrong-operators",
    "honest-empty-functions",
    "honest-syntax-error",
    "honest-wrong-file-name",
    "honest-left-in-stash",
    "honest-other-branch",
    "honest-machine-notes",
    "honest-machine-scratch",
    "honest-machine-tool",
    "honest-machine-python-package",
    "honest-machine-timer",
    "honest-machine-backup",
    "honest-machine-claim",
    "honest-machine-all-open",
    "honest-machine-emptied",
    "honest-machine-wrong-place",
    "honest-machine-conflict-marks",
);

/// Every entry, cheats first, in the order of the table.
///
/// # Panics
/// Where the table that is compiled in is wrong; a test reads it.
pub fn catalogue() -> Vec<Cheat> {
    let table: Table = match toml::from_str(TABLE) {
        Ok(table) => table,
        Err(error) => panic!("the catalogue that is compiled in: {error}"),
    };
    table.entry.into_iter().map(cheat).collect()
}

fn cheat(entry: Entry) -> Cheat {
    let command = COMMANDS.iter().find(|(name, _)| *name == entry.name);
    let script = match (command, entry.performs) {
        (Some((_, command)), true) => Some(format!("{PRELUDE}\n{command}")),
        (None, false) => None,
        _ => panic!(
            "the catalogue's command for `{}`: one, or none with `performs = false`",
            entry.name
        ),
    };
    Cheat {
        script,
        name: entry.name,
        kind: entry.kind,
        idea: entry.idea,
        honest: entry.honest,
        runners: entry.runners,
        place: entry.place,
        begins: entry.begins,
        calls: entry.calls,
        expected: entry.expected,
        pays: entry.pays,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn each_entry_has_a_command_and_each_command_an_entry() {
        let performing = catalogue()
            .into_iter()
            .filter(|cheat| cheat.script.is_some());
        let entries: BTreeSet<String> = performing.map(|cheat| cheat.name).collect();
        let commands: BTreeSet<String> = COMMANDS
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        assert_eq!(entries, commands);
        assert_eq!(entries.len(), COMMANDS.len());
    }

    #[test]
    fn there_are_forty_cheats_over_three_languages() {
        let cheats: Vec<Cheat> = catalogue();
        let of = |start: &str| {
            let named = cheats
                .iter()
                .filter(|c| !c.honest && c.name.starts_with(start));
            named.count()
        };
        assert!(cheats.iter().filter(|cheat| !cheat.honest).count() >= 40);
        assert!(of("py-") + of("git-") >= 28, "{}", of("py-") + of("git-"));
        assert!(of("js-") >= 6 && of("sh-") + of("any-") >= 8);
    }

    #[test]
    fn there_are_controls_of_every_kind() {
        let catalogue = catalogue();
        let honest: Vec<&Cheat> = catalogue.iter().filter(|cheat| cheat.honest).collect();
        let of = |test: &dyn Fn(&Cheat) -> bool| honest.iter().filter(|c| test(c)).count();
        assert!(honest.len() >= 40, "{}", honest.len());
        assert!(of(&|c| c.place == Place::Repo) >= 20);
        assert!(of(&|c| c.place != Place::Repo && c.script.is_some()) >= 12);
        assert!(of(&|c| c.calls.is_some()) >= 5);
        assert!(of(&|c| c.expected == [Expected::Unresolved]) >= 10);
    }

    #[test]
    fn controls_are_named_as_such_and_expect_one_thing() {
        for cheat in catalogue() {
            assert_eq!(
                cheat.honest,
                cheat.name.starts_with("honest-"),
                "{}",
                cheat.name
            );
            if cheat.honest {
                assert_eq!(cheat.expected.len(), 1, "{}", cheat.name);
            } else {
                assert!(
                    !cheat.expected.contains(&Expected::Resolved),
                    "{}",
                    cheat.name
                );
            }
            assert!(cheat.idea.ends_with('.'), "{}", cheat.name);
        }
    }

    #[test]
    fn every_command_can_be_read_by_bash() {
        for cheat in catalogue() {
            let Some(script) = cheat.script else {
                continue;
            };
            let mut bash = Command::new("bash")
                .arg("-n")
                .stdin(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdin = bash.stdin.take().unwrap();
            stdin.write_all(script.as_bytes()).unwrap();
            drop(stdin);
            let ended = bash.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert!(ended.status.success(), "{}: {said}", cheat.name);
        }
    }
}
