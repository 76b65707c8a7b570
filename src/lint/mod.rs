//! What is wrong with a task, for its author and for those who inherit it: findings
//! with stable names.
//!
//! Owns the names, what of a task's own files speaks for a finding, and what
//! measurements come to. Must not know the engine, agents or runs: who measured hands
//! in plain values.

mod measured;
mod mend;
mod quarantine;
mod required;
mod scripts;

pub use measured::{Commits, Examined, Offline, Once, findings_of};
pub use mend::{Mended, mend};
pub use quarantine::quarantined;
pub use required::{Required, required};

use std::fmt;
use std::path::PathBuf;

use crate::task::{Format, Task};

/// Something that is wrong with a task, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: Rule,
    /// In a sentence, for people.
    pub message: String,
    /// Where, if it has a place in a file of the task.
    pub place: Option<Place>,
}

/// A place in a file of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As the user names the task, and below it.
    pub file: PathBuf,
    /// From 1; none: the file as a whole.
    pub line: Option<usize>,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Verdicts of the task say nothing.
    Error,
    /// They may say too little, or cost more than they should.
    Warning,
    /// Something to look at.
    Hint,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "hint",
        }
    }
}

/// What a finding is about; its name never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    InvalidTask,
    UnknownKey,
    NoSolution,
    CarriageReturns,
    ImageFails,
    NotReady,
    SolutionFails,
    NothingPasses,
    PassesAlready,
    FailsBefore,
    MissingRecord,
    Flaky,
    NoRewardOnFailure,
    Leak,
    FutureCommits,
    UndeclaredNetwork,
    NearTimeLimit,
    UnnamedPath,
    UnnamedInterface,
    ChangingImage,
}

/// All of them, as docs/check.md has them.
pub const RULES: [Rule; 20] = [
    Rule::InvalidTask,
    Rule::UnknownKey,
    Rule::NoSolution,
    Rule::CarriageReturns,
    Rule::ImageFails,
    Rule::NotReady,
    Rule::SolutionFails,
    Rule::NothingPasses,
    Rule::PassesAlready,
    Rule::FailsBefore,
    Rule::MissingRecord,
    Rule::Flaky,
    Rule::NoRewardOnFailure,
    Rule::Leak,
    Rule::FutureCommits,
    Rule::UndeclaredNetwork,
    Rule::NearTimeLimit,
    Rule::UnnamedPath,
    Rule::UnnamedInterface,
    Rule::ChangingImage,
];

impl Rule {
    /// `solution-fails`, …
    pub fn name(self) -> &'static str {
        match self {
            Rule::InvalidTask => "invalid-task",
            Rule::UnknownKey => "unknown-key",
            Rule::NoSolution => "no-solution",
            Rule::CarriageReturns => "carriage-returns",
            Rule::ImageFails => "image-fails",
            Rule::NotReady => "not-ready",
            Rule::SolutionFails => "solution-fails",
            Rule::NothingPasses => "nothing-passes",
            Rule::PassesAlready => "passes-already",
            Rule::FailsBefore => "fails-before",
            Rule::MissingRecord => "missing-record",
            Rule::Flaky => "flaky",
            Rule::NoRewardOnFailure => "no-reward-on-failure",
            Rule::Leak => "leak",
            Rule::FutureCommits => "future-commits",
            Rule::UndeclaredNetwork => "undeclared-network",
            Rule::NearTimeLimit => "near-time-limit",
            Rule::UnnamedPath => "unnamed-path",
            Rule::UnnamedInterface => "unnamed-interface",
            Rule::ChangingImage => "changing-image",
        }
    }

    pub fn severity(self) -> Severity {
        match self {
            Rule::InvalidTask
            | Rule::CarriageReturns
            | Rule::ImageFails
            | Rule::NotReady
            | Rule::SolutionFails
            | Rule::NothingPasses
            | Rule::PassesAlready
            | Rule::FailsBefore
            | Rule::MissingRecord
            | Rule::Flaky
            | Rule::Leak
            | Rule::FutureCommits => Severity::Error,
            Rule::UnknownKey
            | Rule::NoSolution
            | Rule::NoRewardOnFailure
            | Rule::UndeclaredNetwork
            | Rule::NearTimeLimit
            | Rule::ChangingImage => Severity::Warning,
            Rule::UnnamedPath | Rule::UnnamedInterface => Severity::Hint,
        }
    }

    /// Whether it says something of a task of this format. Of an instance of a data set
    /// there is no folder to mend, no reward, no word about the network, and its image is
    /// somebody else's; nor do its authors name what hidden tests look at.
    pub fn is_for(self, format: Format) -> bool {
        let of_folders = [
            Rule::CarriageReturns,
            Rule::NoRewardOnFailure,
            Rule::UndeclaredNetwork,
            Rule::UnnamedPath,
            Rule::UnnamedInterface,
            Rule::ChangingImage,
        ];
        format != Format::SweBench || !of_folders.contains(&self)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Finding {
    /// One without a place.
    pub fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self {
            rule,
            message: message.into(),
            place: None,
        }
    }

    /// The same at a place.
    pub fn at(self, file: PathBuf, line: Option<usize>) -> Self {
        Self {
            place: Some(Place { file, line }),
            ..self
        }
    }
}

/// What a task's own files say, without a sandbox.
pub fn findings_of_files(task: &Task) -> Vec<Finding> {
    let mut found = Vec::new();
    for warning in &task.warnings {
        found.push(Finding::new(Rule::UnknownKey, warning.clone()));
    }
    if task.solution.is_none() && !has_solved_steps(task) {
        let message =
            "the task has no reference solution, so nobody knows whether it can be solved";
        found.push(Finding::new(Rule::NoSolution, message));
    }
    found.extend(scripts::findings(task));
    found.retain(|finding| finding.rule.is_for(task.format));
    found
}

fn has_solved_steps(task: &Task) -> bool {
    !task.steps.is_empty() && task.steps.iter().all(|step| step.solution.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_section_in_the_documentation() {
        let page = std::fs::read_to_string("docs/check.md").unwrap();
        for rule in RULES {
            let head = format!("\n## {rule}\n");
            assert!(page.contains(&head), "docs/check.md has no `{rule}`");
            let severity = format!("**{}**", rule.severity().name());
            let section = page.split(&head).nth(1).unwrap();
            let section = section.split("\n## ").next().unwrap();
            assert!(section.contains(&severity), "{rule}: {severity}");
        }
    }

    #[test]
    fn names_are_told_apart() {
        let names: std::collections::BTreeSet<&str> =
            RULES.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), RULES.len());
    }
}
