//! Files of JSON lines: an object a line.
//!
//! Must not know what a field means.

use std::io::{BufRead, Read as _};

use serde_json::{Map, Value};

use super::error::{BadRow, Place, RowError};
use super::intake::{Intake, Origin};
use super::{MOST_BYTES, MOST_LINE};

/// Reads all lines; blank ones are no rows. One line at a time is held.
///
/// # Errors
/// Lines or files that are too long; what is wrong with a row is kept.
pub fn read(origin: &Origin, file: impl BufRead, intake: &mut Intake) -> Result<(), RowError> {
    let mut file = file.take(MOST_BYTES + 1);
    let mut line = Vec::new();
    let mut read = 0;
    for number in 1.. {
        line.clear();
        let length = file
            .by_ref()
            .take(MOST_LINE + 1)
            .read_until(b'\n', &mut line)
            .map_err(|source| RowError::Read {
                path: origin.file.to_path_buf(),
                source,
            })?;
        read += length as u64;
        if length == 0 {
            break;
        }
        let too_large = |limit| RowError::TooLarge {
            path: origin.file.to_path_buf(),
            limit,
        };
        if read > MOST_BYTES {
            return Err(too_large(MOST_BYTES));
        }
        let place = Place::Line(number);
        if length as u64 > MOST_LINE {
            intake.refuse(broken(
                origin,
                place,
                format!("this line is longer than {MOST_LINE} bytes"),
                "nothing behind it was read",
            ));
            break;
        }
        let text = match number {
            1 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line),
            _ => &line,
        };
        let text = text.trim_ascii();
        if text.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Map<String, Value>>(text) {
            Ok(fields) => intake.take(origin, place, fields)?,
            Err(error) if number == 1 && error.is_eof() && text.starts_with(b"{") => {
                return Err(RowError::OneObject {
                    path: origin.file.to_path_buf(),
                });
            }
            Err(error) => intake.refuse(broken(
                origin,
                place,
                told(&error),
                "a file of rows has one object a line",
            )),
        }
    }
    Ok(())
}

fn broken(origin: &Origin, place: Place, wrong: String, advice: &str) -> BadRow {
    BadRow {
        file: origin.file.to_path_buf(),
        place,
        id: None,
        field: None,
        wrong,
        advice: advice.to_owned(),
    }
}

/// What is wrong with a line, in serde's words with the column alone: the line is the
/// file's.
fn told(error: &serde_json::Error) -> String {
    if error.is_data() {
        return "this line is JSON, but no object".to_owned();
    }
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    format!("this line is not JSON: {what} at column {}", error.column())
}
