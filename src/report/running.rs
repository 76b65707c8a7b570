//! Running trials, a line each: who, at what call, what it has spent, since when.
//!
//! Owns how these lines share the room. Must not know how it is found out.

use std::time::Duration;

use super::number::{money, thousands};
use super::style::Style;
use super::text::{clock, left, right, width};
use crate::run::Spending;

/// The most room for what a trial is doing.
const DOING: usize = 48;

/// With less room than this what it has spent is left out.
const LEAST: usize = 20;

/// The line of a running trial, cell by cell.
#[derive(Debug)]
pub(super) struct Row {
    who: String,
    /// The call that it is at, else its phase.
    step: String,
    doing: String,
    tokens: String,
    money: String,
    time: String,
}

impl Row {
    /// `detail` as trials tell it: of a call its step, its tool and its gist, two
    /// spaces between them.
    pub fn new(
        who: String,
        phase: &str,
        detail: &str,
        spent: Option<Spending>,
        elapsed: Duration,
    ) -> Self {
        let (step, doing) = match detail.split_once("  ") {
            Some((step, call)) if phase == "agent" => {
                let (tool, gist) = call.split_once("  ").unwrap_or((call, ""));
                let tool = left(tool, width(tool).clamp(6, 16));
                (step, format!("{tool}  {gist}"))
            }
            _ => (phase, detail.to_owned()),
        };
        let tokens = spent.filter(|spent| spent.tokens > 0);
        let cost = spent.and_then(|spent| spent.cost_microusd);
        Self {
            who,
            step: left(step, width(step).clamp(7, 12)),
            doing,
            tokens: tokens.map_or(String::new(), |spent| {
                format!("{} tokens", thousands(spent.tokens as f64))
            }),
            money: cost.map_or(String::new(), |cost| money(cost as f64)),
            time: clock(elapsed.as_secs_f64()),
        }
    }
}

/// The rows below each other, so many columns wide where that can be.
pub(super) fn aligned(rows: &[Row], columns: usize, style: Style) -> Vec<String> {
    let widest = |cell: fn(&Row) -> &str| {
        let widths = rows.iter().map(|row| width(cell(row)));
        widths.max().unwrap_or(0)
    };
    let (who, step) = (widest(|row| &row.who), widest(|row| &row.step));
    let (tokens, money) = (widest(|row| &row.tokens), widest(|row| &row.money));
    let time = widest(|row| &row.time).max(5);
    let room = columns.saturating_sub(4 + who + 2 + step + 2 + 2 + time);
    // A column that nobody fills takes no room.
    let takes = |columns| if columns > 0 { columns + 2 } else { 0 };
    let spending = match takes(tokens) + takes(money) {
        0 => 0,
        // One more before it than between other cells.
        columns => columns + 1,
    };
    let shown = spending > 0 && room >= spending + LEAST;
    let doing = room - if shown { spending } else { 0 };
    let lines = rows.iter().map(|row| {
        let mut line = format!(
            "    {}  {}  {}",
            left(&row.who, who),
            left(&row.step, step),
            left(&row.doing, doing.min(DOING))
        );
        if shown {
            line.push_str(&format!(
                " {}{}",
                right(&row.tokens, takes(tokens)),
                right(&row.money, takes(money))
            ));
        }
        style.dim(&format!("{line}  {}", right(&row.time, time)))
    });
    lines.collect()
}
