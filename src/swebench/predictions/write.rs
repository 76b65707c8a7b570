//! Predictions in the official shape.

use std::io::{self, Write};

use serde::Serialize;

use super::Prediction;
use crate::swebench::report::NO_MODEL;

/// A line of the file.
#[derive(Serialize)]
struct Line<'a> {
    instance_id: &'a str,
    model_name_or_path: &'a str,
    model_patch: Option<&'a str>,
}

/// Writes predictions as an object a line, which every version of the official harness
/// reads. One that names no model gets [`NO_MODEL`], since the harness needs the key.
///
/// # Errors
/// Those of `to`.
pub fn write_jsonl<'a>(
    to: &mut impl Write,
    predictions: impl IntoIterator<Item = &'a Prediction>,
) -> io::Result<()> {
    for prediction in predictions {
        let line = Line {
            instance_id: &prediction.instance_id,
            model_name_or_path: prediction.model.as_deref().unwrap_or(NO_MODEL),
            model_patch: prediction.patch.as_deref(),
        };
        serde_json::to_writer(&mut *to, &line)?;
        to.write_all(b"\n")?;
    }
    Ok(())
}
