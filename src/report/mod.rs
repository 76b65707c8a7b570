//! What people and machines see of a run: progress, tables, stored trials.
//!
//! Owns every word that is shown about a run; listens to [`crate::run::RunEvent`]s
//! and reads stored records. Must not know the engine or the network, and decides
//! nothing. Progress goes to standard error, results to standard output.

mod audit;
mod basis;
mod cheats;
mod check;
mod console;
mod counting;
#[cfg(test)]
pub(crate) mod fixture;
mod grid;
mod harbor;
mod json;
mod leaks;
mod line;
mod number;
mod plain;
mod predictions;
mod progress;
mod regraded;
mod run_view;
mod running;
mod style;
mod table;
mod terminal;
mod text;
mod trial;

pub use audit::{audit_json, audit_text};
pub use cheats::{cheats_json, cheats_view};
pub use check::{CheckTotals, Checked, check_json, check_junit, check_totals, check_view};
pub use console::{Console, ProgressMode, View};
pub use counting::Counting;
pub use harbor::{ExportError, Exported, export as export_harbor};
pub use json::JsonLines;
pub use leaks::{leaks_json, leaks_view};
pub use plain::Plain;
pub use predictions::{Gathered, Predicted, Predicting, predictions};
pub use regraded::{Regraded, regraded_json, regraded_text};
pub use run_view::run_view;
pub use style::{Style, stdout_columns};
pub use table::{next_steps, table};
pub use terminal::Terminal;
pub use text::{aligned, sanitize, sanitize_lines};
pub use trial::{trial_diff, trial_view};

use crate::run::RunEvent;

/// Listens to a run.
pub trait Reporter: Send {
    /// Something happened.
    fn event(&mut self, event: &RunEvent);

    /// Some time has passed; called a few times a second.
    fn tick(&mut self) {}
}

fn warning_text(message: &str) -> String {
    format!("warning: {}", sanitize(message))
}
