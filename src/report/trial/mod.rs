//! One trial, from what is stored of it: its verdict, its turns, its tests, its
//! time, its change.
//!
//! Owns how a trial is read as a whole; its parts have files of their own. Must not
//! know how any of it came about.

mod call;
#[cfg(test)]
pub(super) mod fixture;
mod head;
mod patch;
mod proof;
#[cfg(test)]
mod tests;
mod turns;
mod verdict;

use std::io;
use std::path::Path;

use self::head::head;
use self::patch::Patch;
use self::turns::{Layout, turns};
use self::verdict::verdict;
use super::style::Style;
use super::text::{fit, plural, sanitize};
use crate::record::TrialRecord;
use crate::run::{StoreError, read_trial};
use crate::trajectory::{Event, read_events};

/// The largest trajectory that is laid out, bytes.
const LARGEST: u64 = 64 << 20;

/// The fewest columns that anything is laid out for.
const NARROWEST: usize = 40;

/// The trial whose folder this is; with `full` nothing of its texts and outputs is
/// folded.
///
/// `columns` is the width that lines are broken or cut to.
///
/// # Errors
/// [`StoreError`] where `trial.json` cannot be read. A trajectory that cannot be
/// read is said in its place.
pub fn trial_view(
    dir: &Path,
    full: bool,
    columns: usize,
    style: Style,
) -> Result<String, StoreError> {
    let record = read_trial(dir)?;
    let columns = columns.max(NARROWEST);
    let layout = Layout {
        columns,
        full,
        style,
    };
    let mut lines = head(&record, columns, style);
    lines.push(String::new());
    let events = trajectory(&dir.join("trajectory.jsonl"), &record);
    lines.extend(match &events {
        Ok(events) => turns(events, &record.verdict.flags, layout),
        Err(said) => vec![style.dim(&format!("      {}", sanitize(said)))],
    });
    lines.push(String::new());
    let events = events.unwrap_or_default();
    lines.extend(verdict(dir, &record, &events, layout));
    let mut out = String::new();
    for line in lines {
        out.push_str(&fit(line.trim_end(), columns));
        out.push('\n');
    }
    Ok(out)
}

/// The change of the trial whose folder this is, as a patch.
///
/// # Errors
/// [`StoreError`] where the folder is no trial's.
pub fn trial_diff(dir: &Path, style: Style) -> Result<String, StoreError> {
    read_trial(dir)?;
    let files = dir.join("change.tar.zst");
    Ok(match Patch::of(dir) {
        Some(patch) => patch.shown(style),
        None if files.is_file() => {
            format!(
                "the change is no patch but a tree of files: {}\n",
                files.display()
            )
        }
        None => "no change is stored\n".to_owned(),
    })
}

/// Its events, else why there are none to show.
fn trajectory(path: &Path, record: &TrialRecord) -> Result<Vec<Event>, String> {
    match std::fs::metadata(path) {
        Ok(file) if file.len() > LARGEST => Err(format!(
            "{} of {} MiB: too large to lay out",
            plural(record.trajectory.tool_calls as usize, "call"),
            file.len() >> 20
        )),
        Ok(_) => match read_events(path) {
            Ok(events) if events.is_empty() => Err("nothing was recorded".to_owned()),
            Ok(events) => Ok(events),
            Err(error) => Err(error.to_string()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err("no trajectory is stored".to_owned())
        }
        Err(error) => Err(format!("the trajectory cannot be read: {error}")),
    }
}
