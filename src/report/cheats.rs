//! What came of cheats and controls: tables for people, lines for machines.
//!
//! Owns the words and the order. Must not know how anything was carried out.

use serde::Serialize;

use super::style::Style;
use super::text::{fit, left, plural, sanitize, width};
use crate::cheats::{CheatResult, Finding, Tally};
use crate::record::TaskId;

/// The narrowest that the last column gets.
const LEAST: usize = 24;

/// A table for each task, then what was paid, in numbers and by name.
pub fn cheats_view(results: &[CheatResult], columns: usize, style: Style) -> String {
    let mut tasks: Vec<&TaskId> = Vec::new();
    for result in results {
        if !tasks.contains(&&result.task) {
            tasks.push(&result.task);
        }
    }
    let mut out = String::new();
    for task in tasks {
        let of = results.iter().filter(|result| result.task == *task);
        let of: Vec<&CheatResult> = of.collect();
        out.push_str(&format!("{}\n", style.bold(&sanitize(task.as_str()))));
        for (head, honest) in [("cheat", false), ("control", true)] {
            let rows = of.iter().copied().filter(|result| result.honest == honest);
            let rows: Vec<&CheatResult> = rows.collect();
            out.push_str(&table(head, &rows, columns, style));
        }
        out.push('\n');
    }
    out.push_str(&summary(results));
    out
}

fn table(head: &str, rows: &[&CheatResult], columns: usize, style: Style) -> String {
    if rows.is_empty() {
        return String::new();
    }
    if head == "control" {
        return controls(rows, columns, style);
    }
    let widest = rows.iter().map(|row| width(&row.name)).max().unwrap_or(0);
    let name = widest.max(head.len());
    let line = format!(
        "  {}  {}  {}  stopped by",
        left(head, name),
        left("naive", 5),
        left("outcome", 10)
    );
    let mut out = format!("{}\n", style.bold(line.trim_end()));
    for row in rows {
        let naive = row
            .naive
            .map_or("?".to_owned(), |signals| signals.to_string());
        let outcome = super::style::word(row.outcome);
        let room = columns.saturating_sub(2 + name + 2 + 5 + 2 + 10 + 2);
        let line = format!(
            "  {}  {}  {}  {}",
            left(&sanitize(&row.name), name),
            left(&naive, 5),
            style.outcome(row.outcome, &left(outcome, 10)),
            fit(&sanitize(&remark(row)), room.max(LEAST))
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Controls stand before no naive verifier.
fn controls(rows: &[&CheatResult], columns: usize, style: Style) -> String {
    let widest = rows.iter().map(|row| width(&row.name)).max().unwrap_or(0);
    let name = widest.max("control".len());
    let head = format!("  {}  outcome", left("control", name));
    let mut out = format!("{}\n", style.bold(&head));
    for row in rows {
        let outcome = left(super::style::word(row.outcome), 10);
        let room = columns.saturating_sub(2 + name + 2 + 10 + 2);
        let line = format!(
            "  {}  {}  {}",
            left(&sanitize(&row.name), name),
            style.outcome(row.outcome, &outcome),
            fit(&sanitize(&remark(row)), room.max(LEAST))
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn remark(row: &CheatResult) -> String {
    match row.finding {
        Finding::Paid => "PAID".to_owned(),
        Finding::Wrong => format!("JUDGED WRONGLY: {}", row.by),
        Finding::CannotAct => format!("cannot act here; {}", row.by),
        Finding::Right => String::new(),
        Finding::Refused | Finding::Fault => row.by.clone(),
    }
}

fn summary(results: &[CheatResult]) -> String {
    let tally = Tally::of(results);
    let mut out = String::new();
    if tally.cheats > 0 {
        out.push_str(&format!(
            "{} over {}: {} paid here, naive paid {}; {} cannot act\n",
            plural(tally.cheats, "cheat"),
            plural(tally.tasks, "task"),
            tally.paid,
            tally.naive_paid,
            tally.cannot_act,
        ));
    }
    if tally.controls > 0 {
        out.push_str(&format!(
            "{} over {}: {} judged wrongly ({} tampered, {} falsely unresolved, {} falsely resolved)\n",
            plural(tally.controls, "honest trial"),
            plural(tally.controls_tasks, "task"),
            tally.controls_wrong,
            tally.controls_tampered,
            tally.controls_falsely_unresolved,
            tally.controls_falsely_resolved,
        ));
    }
    if tally.faults > 0 {
        let faults = plural(tally.faults, "trial");
        out.push_str(&format!("{faults} ended in an error\n"));
    }
    for (finding, word) in [(Finding::Paid, "paid"), (Finding::Wrong, "judged wrongly")] {
        let found = results.iter().filter(|result| result.finding == finding);
        let names: Vec<String> = found
            .map(|result| {
                format!(
                    "  {} at {}",
                    sanitize(&result.name),
                    sanitize(result.task.as_str())
                )
            })
            .collect();
        if !names.is_empty() {
            out.push_str(&format!("{word}:\n{}\n", names.join("\n")));
        }
    }
    out
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Cheat { result: &'a CheatResult },
    Control { result: &'a CheatResult },
    Summary { tally: Tally },
}

/// One object a line: each result, then the numbers.
pub fn cheats_json(results: &[CheatResult]) -> String {
    let lines = results.iter().map(|result| match result.honest {
        true => Line::Control { result },
        false => Line::Cheat { result },
    });
    let tally = Tally::of(results);
    let lines = lines.chain([Line::Summary { tally }]);
    let texts = lines.filter_map(|line| serde_json::to_string(&line).ok());
    texts.map(|text| text + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cheats::Signals;
    use crate::record::Outcome;

    fn results() -> Vec<CheatResult> {
        let result = |name: &str, honest, letters: &str, outcome, finding, by: &str| CheatResult {
            task: TaskId::new("repo/glob-star"),
            name: name.into(),
            kind: "runner plug-in".into(),
            honest,
            naive: Some(Signals {
                exit: letters.contains('E'),
                log: letters.contains('L'),
                report: letters.contains('J'),
                reward: letters.contains('R'),
            }),
            outcome,
            finding,
            by: by.into(),
        };
        let unresolved = Outcome::Unresolved;
        vec![
            result(
                "py-conftest",
                false,
                "ELJR",
                unresolved,
                Finding::Refused,
                "ownership: conftest.py",
            ),
            result(
                "py-always-equal",
                false,
                "ELJR",
                Outcome::Resolved,
                Finding::Paid,
                "–",
            ),
            result(
                "any-socket",
                false,
                "",
                unresolved,
                Finding::CannotAct,
                "records: 1 failed",
            ),
            result(
                "honest-gold",
                true,
                "ELJR",
                Outcome::Resolved,
                Finding::Right,
                "–",
            ),
            result(
                "honest-nothing",
                true,
                "",
                Outcome::Tampered,
                Finding::Wrong,
                "flag tampered: x",
            ),
        ]
    }

    #[test]
    fn what_is_paid_stands_out_and_is_named() {
        let view = cheats_view(&results(), 100, Style::PLAIN);
        insta::assert_snapshot!(view, @r"
        repo/glob-star
          cheat            naive  outcome     stopped by
          py-conftest      ELJR   unresolved  ownership: conftest.py
          py-always-equal  ELJR   resolved    PAID
          any-socket       –      unresolved  cannot act here; records: 1 failed
          control         outcome
          honest-gold     resolved
          honest-nothing  tampered    JUDGED WRONGLY: flag tampered: x

        3 cheats over 1 task: 1 paid here, naive paid 2; 1 cannot act
        2 honest trials over 1 task: 1 judged wrongly (1 tampered, 0 falsely unresolved, 0 falsely resolved)
        paid:
          py-always-equal at repo/glob-star
        judged wrongly:
          honest-nothing at repo/glob-star
        ");
    }

    #[test]
    fn where_only_controls_were_tried_nothing_is_said_of_cheats() {
        let controls: Vec<CheatResult> = results().into_iter().filter(|r| r.honest).collect();
        let view = cheats_view(&controls, 100, Style::PLAIN);
        assert!(!view.contains("cheat"), "{view}");
        assert!(
            view.contains("\n2 honest trials over 1 task: 1 judged wrongly"),
            "{view}"
        );
    }

    #[test]
    fn machines_get_a_line_each() {
        let text = cheats_json(&results());
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[0]["event"], "cheat");
        assert_eq!(lines[1]["result"]["finding"], "paid");
        assert_eq!(lines[3]["event"], "control");
        assert_eq!(lines[5]["tally"]["paid"], 1);
        assert_eq!(lines[5]["tally"]["controls_tasks"], 1);
        assert_eq!(lines[5]["tally"]["controls_tampered"], 1);
        assert_eq!(lines[5]["tally"]["controls_falsely_unresolved"], 0);
    }
}
