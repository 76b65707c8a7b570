//! `report.json`: what became of one instance.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ReportError;
use crate::swebench::Rules;
use crate::swebench::grade::{Graded, TestsStatus, Tier};

/// What the file holds: reports by instance; official ones have one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Report(pub BTreeMap<String, InstanceReport>);

/// The report of an instance. All but `resolved` may be missing where one is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceReport {
    #[serde(rename = "patch_is_None", default)]
    pub patch_is_none: bool,
    #[serde(default)]
    pub patch_exists: bool,
    /// Whether tests were found that count; the name is what it is.
    #[serde(default)]
    pub patch_successfully_applied: bool,
    pub resolved: bool,
    /// Since 5.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infra_failure: Option<bool>,
    /// Since 5.0, and only where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infra_failure_reason: Option<String>,
    /// Where tests were found that count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests_status: Option<TestsStatus>,
}

impl Report {
    /// The report of one instance.
    pub fn of(instance_id: &str, report: InstanceReport) -> Self {
        Self(BTreeMap::from([(instance_id.to_owned(), report)]))
    }

    /// The file's text, byte by byte as the official harness writes it.
    pub fn text(&self) -> String {
        super::text(self, "    ")
    }

    /// Reads a file, of either version.
    ///
    /// # Errors
    /// A file that cannot be read, is too large, or has no such shape.
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        super::read(path)
    }
}

impl InstanceReport {
    /// Of a patch whose tests were run and graded.
    pub fn of(rules: Rules, graded: &Graded) -> Self {
        let environment = |tier| tier == Tier::Environment;
        Self {
            patch_is_none: false,
            patch_exists: true,
            patch_successfully_applied: graded.found(),
            resolved: graded.resolved(),
            infra_failure: (rules == Rules::V5_0)
                .then(|| graded.infra.is_some_and(|infra| environment(infra.tier))),
            infra_failure_reason: graded.infra.map(|infra| infra.reason.to_owned()),
            tests_status: graded.tests_status().cloned(),
        }
    }

    /// Where the prediction is null. A run does not even write that one.
    pub fn of_no_patch(rules: Rules) -> Self {
        Self {
            patch_is_none: true,
            infra_failure: (rules == Rules::V5_0).then_some(false),
            ..Self::default()
        }
    }
}
