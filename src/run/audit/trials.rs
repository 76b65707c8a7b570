//! Each trial by itself: its record, the chain of its trajectory, its line.

use std::io;

use sha2::{Digest as _, Sha256};

use super::{Auditor, Check};
use crate::record::{Outcome, PlannedTrial, TrialRecord, hex};
use crate::run::StoreError;
use crate::run::manifest::{MANIFEST, read_plain};
use crate::run::stored::{self, JOURNAL, RECORD, TRIALS};
use crate::score;
use crate::trajectory::walk;

const TRAJECTORY: &str = "trajectory.jsonl";
/// Breaks of one chain that are told.
const MOST_BREAKS: usize = 5;

impl Auditor<'_> {
    pub(super) fn trials(&mut self) -> Result<(), StoreError> {
        let mut unchained = 0;
        for planned in &self.run.trials {
            let folder = self.dir.join(TRIALS).join(planned.trial.as_str());
            if !folder.is_dir() {
                self.folder_that_is_gone(planned);
                continue;
            }
            let name = Self::name(&planned.trial, RECORD);
            let record = match stored::read_trial(&folder) {
                Ok(record) => record,
                Err(error) => {
                    self.find(
                        Check::Record,
                        &name,
                        "the record of a trial",
                        &error.to_string(),
                    );
                    continue;
                }
            };
            let is = |record: &TrialRecord| format!("{} of {}", record.trial, record.run);
            let expected = format!("{} of {}", planned.trial, self.run.run);
            if is(&record) != expected {
                self.find(Check::Record, &name, &expected, &is(&record));
            }
            if record.manifest.is_some() {
                let found = "one in the record that it covers";
                self.find(Check::Record, &name, "no digest of a manifest", found);
            }
            self.line_of(&planned.trial, &record);
            unchained += usize::from(self.trajectory(planned, &record)?);
            self.outcome(planned, &record)?;
        }
        if unchained > 0 {
            let count = stored::plural(unchained, "trajectory").replace("ys", "ies");
            self.notes.push(format!(
                "{count} of an earlier version of Proofyard, which wrote no chain"
            ));
        }
        let old = self.own.len() < self.finished;
        if old
            && self
                .findings
                .iter()
                .all(|one| !one.file.ends_with(MANIFEST))
        {
            let count = stored::plural(self.finished - self.own.len(), "trial");
            self.notes.push(format!(
                "{count} of an earlier version of Proofyard, which wrote no manifest"
            ));
        }
        Ok(())
    }

    fn folder_that_is_gone(&mut self, planned: &PlannedTrial) {
        let Some(at) = self.last.get(&planned.trial) else {
            return;
        };
        let line = self.entries[*at].line;
        let name = format!("{TRIALS}/{}", planned.trial);
        // The manifest may have told it already.
        if !self.findings.iter().any(|finding| finding.file == name) {
            let expected = format!("the trial of line {line} of {JOURNAL}");
            self.find(Check::Missing, &name, &expected, "nothing");
        }
    }

    /// Follows the chain; whether there is none, since it was written earlier.
    fn trajectory(
        &mut self,
        planned: &PlannedTrial,
        record: &TrialRecord,
    ) -> Result<bool, StoreError> {
        let name = Self::name(&planned.trial, TRAJECTORY);
        let path = self.dir.join(&name);
        let bytes = match read_plain(&path) {
            Ok(bytes) => bytes,
            // A trial that failed before anything happened has none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(StoreError::Read { path, source }),
        };
        let summary = &record.trajectory;
        let digest = hex(&Sha256::digest(&bytes));
        let mut wrong = Vec::new();
        if digest != summary.sha256 {
            wrong.push((
                None,
                format!("sha256 {}", summary.sha256),
                format!("sha256 {digest}"),
            ));
        }
        let walked = walk(planned.trial.as_str(), &bytes);
        let unchained = walked.unchained && summary.head.is_none();
        // Where the host failed under the recorder the last line may be half written.
        let excused = record.outcome == Outcome::Error && digest == summary.sha256;
        if !excused {
            let breaks = walked.breaks.iter().take(MOST_BREAKS);
            wrong.extend(
                breaks.map(|one| (Some(one.line), one.expected.clone(), one.found.clone())),
            );
        }
        match &summary.head {
            Some(head) if *head != walked.head => {
                wrong.push((
                    None,
                    format!("the head {head}"),
                    format!("the head {}", walked.head),
                ));
            }
            Some(_) if walked.unchained => {
                wrong.push((Some(1), "an event with `prev`".into(), "none".into()));
            }
            _ => {}
        }
        // A record that was made of the plan alone counts nothing.
        if record.basis.is_some() {
            let tally = score::tally(&walked.events);
            let counts =
                |turns, calls, errors| format!("{turns} turns, {calls} calls, {errors} errors");
            let said = counts(summary.turns, summary.tool_calls, summary.tool_errors);
            let counted = counts(tally.turns, tally.calls, tally.errors);
            if said != counted {
                wrong.push((None, said, counted));
            }
        }
        for (line, expected, found) in wrong {
            self.find_at(Check::Chain, &name, line, &expected, &found);
        }
        Ok(unchained && !bytes.is_empty())
    }
}
