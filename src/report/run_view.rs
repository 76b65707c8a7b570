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
/// `columns` is the width that the trials' lines are cut to, and that the table
/// keeps to as far as it can.
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
    out.push_str(&table(&summary, columns, style));
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
        insta::assert_snapshot!(run_view(&stored(), true, 100, Style::PLAIN), @r#"
            2026-11-23-quiet-otter   2 tasks × 2 agents × 2 attempts = 8 trials · engine docker 20.10
            begun 2026-11-23T10:00:00Z

              ✘ repo/glob-star         nop   1/2     0 calls   0:01   2 of 5 fail_to_pass failed
              ✘ terminal/torn-journal  nop   1/2     0 calls   0:09   2 of 5 fail_to_pass failed
              ! repo/glob-star         loop  2/2    14 calls   0:09   tampered: conftest.py rewrites outcomes
              ? repo/glob-star         nop   2/2    14 calls   0:09   engine error in sandbox: no such container
              ✘ terminal/torn-journal  loop  2/2    22 calls   1:17   2 of 5 fail_to_pass failed
              2 resolved trials not shown

                    resolved            clean   tampered   errors   calls   errors in calls   time
             loop   2/4  50 % [15–85]    50 %          1        0      14        1.2 (10 %)   0:09
             nop    0/2   0 % [0–66]      0 %          0        1       0                 –   0:05
                    2 tasks · 95 % intervals clustered by task · calls and time are medians · 1 tampered
                    1 trial in error · evidence: 2 by records · 1 trial missing

              proofyard show runs/2026-11-23-quiet-otter/trials/repo__glob-star--nop--1   its steps and tests
            "#);
    }

    #[test]
    fn every_finished_trial_is_shown() {
        let shown = run_view(&stored(), false, 200, Style::PLAIN);
        let lines = shown.lines().filter(|line| line.starts_with("  ✔"));
        assert_eq!(lines.count(), 2);
        assert!(!shown.contains("not shown"));
    }
}
