//! The SWE-bench family as text: rows, predictions, eval scripts, logs, grading, reports.
//!
//! Owns what the family's files mean and its official rules, exactly. Plain functions:
//! must not know tasks, sandboxes, agents or runs.

pub mod grade;
pub mod log;
pub mod names;
pub mod predictions;
pub mod report;
pub mod row;
pub mod script;
pub mod specs;

/// Whose official rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rules {
    /// Of swebench 4.1.
    V4_1,
    /// Of swebench 5.0.
    V5_0,
}

impl Rules {
    /// As it is written in settings and records.
    pub fn name(self) -> &'static str {
        match self {
            Rules::V4_1 => "4.1",
            Rules::V5_0 => "5.0",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        [Rules::V4_1, Rules::V5_0]
            .into_iter()
            .find(|rules| rules.name() == name)
    }
}
