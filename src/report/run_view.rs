//! One run, from what is stored of it.

use super::line::Columns;
use super::progress::plan_line;
use super::style::Style;
use super::table::{next_steps, table};
use super::text::{fit, plural};
use crate::record::{Outcome, TrialRecord};
use crate::run::{StoredRun, summarise, trial_dir};

/// The run's table and its trials; with `failed` those that are not resolved.
///
/// `columns` is the width that the trials' lines are cut to; the table is not cut.
pub fn run_view(stored: &StoredRun, failed: bool, columns: usize, style: Style) -> String {
    let mut out = String::new();
    let run = &stored.run;
    let plan = plan_line(run, 0, None);
    out.push_str(&format!("{}   {}\n", style.bold(run.run.as_str()), plan));
    out.push_str(&format!(
        "{}\n\n",
        style.dim(&format!("begun {}", run.created_at))
    ));
    let shown: Vec<&TrialRecord> = stored
        .records
        .iter()
        .filter(|record| !failed || record.outcome != Outcome::Resolved)
        .collect();
    let widths = Columns::of(run);
    for record in &shown {
        out.push_str(&fit(&widths.marked(record, style), columns));
        out.push('\n');
    }
    let hidden = stored.records.len() - shown.len();
    if shown.is_empty() {
        let none = if failed {
            "  every finished trial is resolved"
        } else {
            "  no trial is finished"
        };
        out.push_str(&format!("{none}\n"));
    } else if hidden > 0 {
        let note = format!("  {} not shown", plural(hidden, "resolved trial"));
        out.push_str(&format!("{}\n", style.dim(&note)));
    }
    let summary = summarise(run, &stored.records);
    out.push('\n');
    out.push_str(&table(&summary, style));
    out.push('\n');
    match shown.first() {
        Some(record) => {
            let dir = trial_dir(&stored.dir, &record.trial);
            let why = style.dim("its steps and tests");
            out.push_str(&format!("  proofyard show {}   {why}\n", dir.display()));
        }
        None => out.push_str(&next_steps(&summary, &stored.dir, style)),
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use std::path::PathBuf;

    fn stored() -> StoredRun {
        StoredRun {
            dir: PathBuf::from("runs/2026-11-23-quiet-otter"),
            run: crate::record::RunRecord {
                created_at: "2026-11-23T10:00:00Z".into(),
                ..fixture::run()
            },
            records: fixture::records(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn what_failed_is_shown_with_why() {
        insta::assert_snapshot!(run_view(&stored(), true, 100, Style::PLAIN), @"");
    }

    #[test]
    fn every_finished_trial_is_shown() {
        let shown = run_view(&stored(), false, 200, Style::PLAIN);
        let lines = shown.lines().filter(|line| line.starts_with("  ✔"));
        assert_eq!(lines.count(), 2);
        assert!(!shown.contains("not shown"));
    }
}
