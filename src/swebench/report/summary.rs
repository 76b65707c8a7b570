//! `<model>.<run>.json`: the summary of a run, and `run.json`: what was run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ReportError;
use crate::swebench::Rules;
use crate::swebench::grade::{Infra, Tier};

/// What became of a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The patch is null or empty; nothing was run.
    EmptyPatch,
    /// There is no report: the patch did not apply, time was up, grading broke off.
    Error,
    /// There is a report that cannot be read: completed, and an error.
    Unreadable,
    Resolved,
    Unresolved,
}

/// A prediction of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submission {
    pub fate: Fate,
    /// What its logs say of the environment ([`classify`](crate::swebench::grade::classify)
    /// of the tests' output and the run's log); looked at only by 5.0, and only where the
    /// instance is unresolved or an error.
    pub infra: Option<Infra>,
}

/// The summary. Ids are sorted; a field that a version does not have is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// Rows of the data set.
    pub total_instances: usize,
    /// Predictions, whether the data set has their instance or not.
    pub submitted_instances: usize,
    /// Rows with a report.
    pub completed_instances: usize,
    pub resolved_instances: usize,
    pub unresolved_instances: usize,
    /// Unresolved and errors that the environment is to blame for; since 5.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infra_failure_instances: Option<usize>,
    /// Unresolved and errors that it may be to blame for; since 5.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ambiguous_failure_instances: Option<usize>,
    pub empty_patch_instances: usize,
    /// Rows with a patch and without a report that can be read.
    pub error_instances: usize,
    pub completed_ids: Vec<String>,
    /// Rows without a prediction.
    pub incomplete_ids: Vec<String>,
    pub empty_patch_ids: Vec<String>,
    pub submitted_ids: Vec<String>,
    pub resolved_ids: Vec<String>,
    pub unresolved_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infra_failure_ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ambiguous_failure_ids: Option<Vec<String>>,
    /// Reasons by instance; since 5.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reasons: Option<BTreeMap<String, String>>,
    pub error_ids: Vec<String>,
    pub schema_version: u32,
    /// Containers that were left; 5.0 has the last three where it ran containers, 4.1
    /// where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unstopped_instances: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unstopped_containers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unremoved_images: Option<Vec<String>>,
}

impl Summary {
    /// The summary of predictions over the rows of a data set, of a run that left nothing
    /// behind.
    pub fn of<'a>(
        rules: Rules,
        rows: impl IntoIterator<Item = &'a str>,
        submitted: &BTreeMap<String, Submission>,
    ) -> Self {
        let rows: Vec<&str> = rows.into_iter().collect();
        let distinct: BTreeSet<&str> = rows.iter().copied().collect();
        let fates: Vec<(&str, Option<&Submission>)> = distinct
            .into_iter()
            .map(|id| (id, submitted.get(id)))
            .collect();
        let ids = |wanted: &dyn Fn(Option<&Submission>) -> bool| -> Vec<String> {
            let found = fates.iter().filter(|(_, submission)| wanted(*submission));
            found.map(|(id, _)| (*id).to_owned()).collect()
        };
        let of_fates = |wanted: &[Fate]| {
            ids(&|submission| submission.is_some_and(|is| wanted.contains(&is.fate)))
        };
        let of_tier = |wanted: Tier| {
            ids(&|submission| {
                let infra = submission.and_then(blamed);
                infra.is_some_and(|infra| infra.tier == wanted)
            })
        };
        let reasons = fates.iter().filter_map(|(id, submission)| {
            let infra = submission.and_then(blamed)?;
            Some(((*id).to_owned(), infra.reason.to_owned()))
        });
        let of_5_0 = rules == Rules::V5_0;
        let infra_failure_ids = of_5_0.then(|| of_tier(Tier::Environment));
        let ambiguous_failure_ids = of_5_0.then(|| of_tier(Tier::Ambiguous));
        let mut summary = Self {
            total_instances: rows.len(),
            completed_ids: of_fates(&[Fate::Unreadable, Fate::Resolved, Fate::Unresolved]),
            incomplete_ids: ids(&|submission| submission.is_none()),
            empty_patch_ids: of_fates(&[Fate::EmptyPatch]),
            submitted_ids: submitted.keys().cloned().collect(),
            resolved_ids: of_fates(&[Fate::Resolved]),
            unresolved_ids: of_fates(&[Fate::Unresolved]),
            error_ids: of_fates(&[Fate::Error, Fate::Unreadable]),
            infra_failure_instances: infra_failure_ids.as_ref().map(Vec::len),
            ambiguous_failure_instances: ambiguous_failure_ids.as_ref().map(Vec::len),
            infra_failure_ids,
            ambiguous_failure_ids,
            failure_reasons: of_5_0.then(|| reasons.collect()),
            schema_version: 2,
            unstopped_instances: of_5_0.then_some(0),
            unstopped_containers: of_5_0.then(Vec::new),
            unremoved_images: of_5_0.then(Vec::new),
            ..Self::default()
        };
        summary.submitted_instances = summary.submitted_ids.len();
        summary.completed_instances = summary.completed_ids.len();
        summary.resolved_instances = summary.resolved_ids.len();
        summary.unresolved_instances = summary.unresolved_ids.len();
        summary.empty_patch_instances = summary.empty_patch_ids.len();
        summary.error_instances = summary.error_ids.len();
        summary
    }

    /// The file's text, byte by byte as the official harness writes it.
    pub fn text(&self) -> String {
        super::text(self, "    ") + "\n"
    }

    /// Reads a file, of either version.
    ///
    /// # Errors
    /// A file that cannot be read, is too large, or has no such shape.
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        super::read(path)
    }
}

/// What the environment may have done to an instance that is unresolved or an error.
fn blamed(submission: &Submission) -> Option<Infra> {
    let asked = matches!(
        submission.fate,
        Fate::Error | Fate::Unreadable | Fate::Unresolved
    );
    submission.infra.filter(|_| asked)
}

/// `run.json`: what a run was graded against; since 5.0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunJson {
    pub dataset: Option<String>,
    pub split: Option<String>,
    /// The folder of the tasks, where they are not from a data set.
    pub task_repo: Option<String>,
    /// In UTC, as `2025-01-31T12:00:00+00:00`.
    pub created_at: Option<String>,
}

impl RunJson {
    /// The file's text, byte by byte as the official harness writes it.
    pub fn text(&self) -> String {
        super::text(self, "  ") + "\n"
    }
}
